/* Scaled tanh: y = alpha tanh(beta x). Either parameter exactly 0 makes the constant 0.
 * Derivative: alpha * beta * (1 - t * t), t = tanh(beta * x).
 * f' = alpha beta (1 - (y/alpha)^2). */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.0000 at x =
 * 9.39010101e-42 (got 9.39150231e-42, want 9.390101009441e-42); g f' 1.5996 at x = -1.27550006, g =
 * 3.7 (got 0.993427217, want 0.9934271216625). */
#include "kernels/even.h"
#include "kernels/exp8.h"
#include "kernels/swish.h"
#include "kernels/theta_gate.h"

#if V_DOUBLE
#define ST_LEAST 0x1p-900

/* t alpha beta g scale, t in [0, 1): rounded twice for ordinary parameters. */
ACT_OP vec scaled_tanh_times(struct pair t, vec g, struct vparams p, vec scale)
{
    const vec least = v_set(0x1p-200), most = v_set(0x1p200), one = v_set(1);
    const vmask ordinary =
        v_both(v_lt(v_set(0x1p-500), t.high),
               v_both(v_inside(least, v_abs(p.alpha), most), v_inside(least, v_abs(p.beta), most)));
    const vec a = v_select(ordinary, p.alpha, one), b = v_select(ordinary, p.beta, one);
    const vec d = v_mul(v_rounded(v_times(v_times(t, a), b)), g);
    const vec alpha = v_select(ordinary, one, p.alpha), beta = v_select(ordinary, one, p.beta);
    return v_mul(v_mul(v_mul(d, alpha), beta), scale);
}

ACT_OP vec scaled_tanh_forward(vec x, struct vparams p)
{
    const vec alpha = v_add(p.alpha, v_set(0)), beta = v_add(p.beta, v_set(0)); /* no -0 */
    const vec inner = v_drop(v_eq(beta, v_set(0)), x), t = v_mul(beta, inner), size = v_abs(t);
    /* What beta x lost, where it is neither saturated nor nearly subnormal. */
    const vmask some =
        v_both(v_inside(v_set(ST_LEAST), size, v_set(30)),
               v_inside(v_set(ST_LEAST), v_max(v_abs(inner), v_abs(beta)), v_set(1 / ST_LEAST)));
    const vec low = v_mul_low(v_keep(some, inner), v_keep(some, beta), v_keep(some, t));
    const struct pair h = v_tanh_pair(v_min(v_set(TANH_END), size), v_xor(low, v_sign(t)));
    const vec y = v_or(v_times_plus(h, v_abs(alpha), v_set(0)), v_sign(v_xor(t, alpha)));
    return v_or(v_drop(v_eq(alpha, v_set(0)), y), v_zero_or_nan(x));
}
#else
#include "kernels/tables/even_tanh.h"

/* |alpha| (w + low) E(t), t = |beta x| as t + low, rounded once at the end. w carries alpha's
 * exponent or 24: what is subnormal would bring its rounding into the result. A tiny alpha can have
 * no lower exponent, and need not. */
ACT_OP vec scaled_tanh_forward(vec x, struct vparams p)
{
    const vec alpha = v_abs(p.alpha), b = v_abs(p.beta), one = v_set(1), zero = v_set(0);
    const vmask steep = v_lt(one, b), tiny = v_lt(b, v_set(0x1p-124f));
    const vec power = v_and(alpha, v_set(INFINITY)); /* 2^exponent */
    const vec some = v_min(v_set(0x1p100f), v_max(v_set(0x1p24f), power));
    const vec lift = v_select(v_lt(alpha, v_set(0x1p-60f)), one, some), unlift = v_div(one, lift);
    const vec a = v_mul(alpha, unlift);
    /* Of a tiny beta x gives 2^-60 to it, and is then finite. */
    const vec to_b = v_select(tiny, v_set(0x1p60f), one),
              x_down = v_select(tiny, v_set(0x1p-60f), one);
    const vec b_up = v_mul(v_mul(b, to_b), v_select(steep, one, lift)),
              x_up = v_select(steep, lift, one);
    /* |x| <= 10.7 / |beta|, which is past EVEN_LAST. */
    const vec most = v_div(v_set(10.7f), v_max(v_set(0x1p-100f), v_mul(b, to_b)));
    const vec flip = v_sign(v_xor(p.alpha, p.beta));
    const vec sign = v_drop(v_eq(v_min(b, alpha), zero), v_set(-0.0f)); /* none of the constant 0 */

    const vec size = v_mul(v_min(most, v_mul(v_abs(x), x_down)), x_up), product = v_mul(b_up, size);
    const vec low = v_mul_low_wide(b_up, size, product), t = v_mul(product, unlift);
    const struct even e = v_even(even_tanh, v_min(v_set(EVEN_LAST), t), v_mul(low, unlift));
    const vec end = v_mul(v_set(EVEN_TANH_END), lift), w = v_min(end, product);
    const vec high = v_mul(w, e.value), inside = v_keep(v_lt(product, end), low);
    const vec rest = v_fma(w, e.rest, v_fma(inside, e.value, v_mul_low(w, e.value, high)));
    return v_or(v_fma_tight(a, high, v_mul(a, rest)), v_and(v_xor(x, flip), sign));
}
#endif

#if !V_DOUBLE
/* A parameter as mantissa in [1, 2) and exponent, so that no product leaves the range of floats
 * before the result does. */
struct exponent {
    vec mantissa;
    vint exponent;
};

ACT_OP struct exponent v_exponent(vec a)
{
    const vmask tiny = v_lt(v_abs(a), v_set(0x1p-100f));
    const vec normal = v_mul(a, v_select(tiny, v_set(0x1p64f), v_set(1)));
    const vint exponent = i_sub(i_sar(v_bits(v_abs(normal)), 23), i_set(127));
    const vint unscale = v_bits(v_keep(tiny, v_from_bits(i_set(64))));
    return (struct exponent){v_or(v_and(normal, v_from_bits(i_set((int32_t)0x807fffff))), v_set(1)),
                             i_sub(exponent, unscale)};
}

/* |alpha beta| = 8 (k + low) 2^n, k from 1/8 to 1/2. */
struct scaled_tanh_factor {
    vec k, low;
    vint n;
};

ACT_OP struct scaled_tanh_factor scaled_tanh_factor(struct vparams p)
{
    const struct exponent a = v_exponent(p.alpha), b = v_exponent(p.beta);
    const vec first = v_mul(v_abs(a.mantissa), v_set(0.125f)), second = v_abs(b.mantissa);
    const vec k = v_mul(first, second);
    return (struct scaled_tanh_factor){k, v_mul_low(first, second, k),
                                       i_add(a.exponent, b.exponent)};
}

/* g t 8 2^n with the sign of alpha beta, t in [2^-50, 1) or 0. */
ACT_OP vec scaled_tanh_times(vec t, vec g, vint n, struct vparams p)
{
    t = v_xor(t, v_sign(v_xor(p.alpha, p.beta)));
    const vint sum = i_max(i_set(-250), i_add(n, i_set(3)));
    const vint excess = i_max(i_set(0), i_sub(sum, i_set(127)));
    return v_mul(v_scale_grad(t, g, i_sub(sum, excess)), v_pow2(excess, 0));
}
#endif

/* Where a parameter is exactly 0, f is constant. */
ACT_OP vec scaled_tanh_grad(vec d, vec x, struct vparams p)
{
    const vmask flat_a = v_eq(p.alpha, v_set(0)), flat_b = v_eq(p.beta, v_set(0));
    return v_or(v_drop(flat_a, v_drop(flat_b, d)), v_zero_or_nan(x));
}

ACT_OP vec scaled_tanh_backward(vec x, vec g, struct vparams p)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec a = v_abs(u.t), twice = v_add(a, a), low = v_add(u.low, u.low);
    const vmask far = v_eq(a, v_set(INFINITY));
#if V_DOUBLE
    const struct scaled e = v_exp_far(v_min(v_set(EXP_FAR), twice), low);
    const struct pair q = v_logistic_slope(e);
    const vec four = v_drop(far, v_set(4));
    const struct pair t = {v_mul(q.high, four), v_mul(q.low, four)};
    const vec d = scaled_tanh_times(t, g, p, e.scale);
#else
    /* e^-350 alpha beta < 2^-250. e^-2a = m 2^n / (1 + p). */
    const struct reduced8 u8 = v_reduce8_low(v_min(v_set(350), twice), low);
    const struct exp8 e = v_exp8_inverse(u8);
    const vint n = i_sar(i_sub(u8.n, i_set(0x4b400000)), 3), m_bits = i_sub(e.scale, i_shl(n, 23));
    const vint near = i_add(m_bits, i_shl(i_max(n, i_set(-60)), 23));
    const struct denominator d2 = v_denominator8((struct exp8){e.p, near});
    /* 4 (1 + p) / (d + low)^2 as in v_grad_logistic_slope, times alpha beta m. */
    const struct scaled_tanh_factor f = scaled_tanh_factor(p);
    const vec i = v_div(v_set(1), d2.d), high = v_mul(i, i), m = v_from_bits(m_bits);
    const vec rest = v_fnma(d2.low, i, v_fma_tight(v_neg(d2.d), i, v_set(1)));
    const vec q_low = v_fma(high, v_fma(v_set(2), rest, e.p), v_mul_low(i, i, high));
    const vec k = v_mul(m, f.k), k_low = v_fma(m, f.low, v_mul_low(m, f.k, k));
    const vec q = v_fma_tight(high, k, v_fma(q_low, k, v_mul(high, k_low)));
    const vec d = scaled_tanh_times(v_drop(far, q), g, i_add(i_add(n, i_set(2)), f.n), p);
#endif
    return scaled_tanh_grad(d, x, p);
}

#if V_DOUBLE
/* alpha beta (alpha - y) (alpha + y) / alpha^2; alpha and y scaled, so that the squares are
 * ordinary. */
ACT_OP vec scaled_tanh_from_output(vec y, vec g, struct vparams p)
{
    const vec one = v_set(1), size = v_abs(p.alpha), zero = v_set(0);
    const vec small = v_select(v_lt(size, v_set(0x1p-300)), v_set(0x1p600), one);
    const vec scale = v_select(v_lt(v_set(0x1p300), size), v_set(0x1p-600), small);
    const vec a = v_select(v_eq(p.alpha, zero), one, v_mul(p.alpha, scale)), r = v_mul(y, scale);
    const struct pair square = v_times((struct pair){a, zero}, a);
    const struct pair t = v_pair_div(v_pair_mul(v_sum(a, v_neg(r)), v_sum(a, r)), square);
    return scaled_tanh_grad(scaled_tanh_times(t, g, p, one), y, p);
}
#else
/* alpha beta (1 - r^2), y / alpha = r + low; alpha and y scaled, so that 1 / alpha is ordinary. */
ACT_OP vec scaled_tanh_from_output(vec y, vec g, struct vparams p)
{
    const vec size = v_abs(p.alpha), one = v_set(1), down = v_set(0x1p-64f);
    const vmask large = v_lt(v_set(0x1p60f), size), small = v_lt(size, v_set(0x1p-60f));
    const vec scale = v_select(large, down, v_select(small, v_set(0x1p64f), one));
    const vec a = v_select(v_eq(p.alpha, v_set(0)), one, v_mul(p.alpha, scale));
    const vec inverse = v_div(one, a), inner = v_mul(y, scale), r = v_mul(inner, inverse);
    const vec low = v_mul(v_fma_tight(v_neg(r), a, inner), inverse);
    /* 1 - r^2 = (1 - r) (1 + r) as t + t_low, 1 - r as first + rest */
    const vec q = v_abs(r), first = v_sub(one, q), rest = v_sub(v_sub(one, first), q);
    const vec t = v_fma_tight(first, q, first), lost = v_fma_tight(first, q, v_sub(first, t));
    const vec more = v_fma(rest, v_add(one, q), v_mul(v_mul(v_set(-2), r), low));
    const struct scaled_tanh_factor f = scaled_tanh_factor(p);
    const vec t_low = v_fma(v_add(lost, more), f.k, v_mul(t, f.low));
    const vec d = scaled_tanh_times(v_fma_tight(t, f.k, t_low), g, f.n, p);
    return scaled_tanh_grad(d, y, p);
}
#endif

#if ACT_UNIT_THETA
/* scaled_tanh_times takes the parameters to pieces: what is no number has to come in again. */
ACT_OP vec scaled_tanh_theta_backward(vec x, vec g, struct vparams p)
{
    const vec odd = v_or(v_sub(p.alpha, p.alpha), v_sub(p.beta, p.beta));
    return v_or(scaled_tanh_backward(x, g, p), odd);
}

/* g tanh(b x) and g a x / cosh^2(b x); what b x has been rounded by goes into the former through
 * the latter. */
ACT_OP void scaled_tanh_gradients(vec x, vec g, struct vparams p, vwide *d)
{
    const vmask flat_a = v_eq(p.alpha, v_set(0)), flat_b = v_eq(p.beta, v_set(0));
    const vec nan = v_zero_or_nan(x);
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec a = v_abs(u.t), low = v_xor(u.low, v_sign(u.t));
    const struct theta_gate l = theta_gate(v_add(a, a), v_add(u.low, u.low), 350);
    const vwide four = w_mul(w_set(4), l.slope), square = w_mul(four, l.scale);
    const vwide tanh = w_fma(w_from(low), square, w_from(v_or(v_tanh(u.t), nan)));
    d[0] = w_mul(w_from(v_or(v_drop(flat_b, g), nan)), tanh);

    const vwide inner = w_from(v_drop(v_eq(a, v_set(INFINITY)), x));
    const vwide first = w_mul(w_from(v_or(v_drop(flat_a, g), nan)), w_from(p.alpha));
    d[1] = w_mul(w_mul(w_mul(four, first), inner), l.scale);
}
#endif

ACT_KERNEL_FROM_OUTPUT(scaled_tanh)
ACT_TEST(scaled_tanh, .edge = {9.01, -9.01, 44.361416, 52.679184, 0.1733});
ACT_THETA(scaled_tanh, BY_ROWS, scaled_tanh_forward, scaled_tanh_theta_backward,
          scaled_tanh_gradients, alpha, beta);
