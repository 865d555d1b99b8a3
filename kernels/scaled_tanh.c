/* Scaled tanh: y = alpha tanh(beta x). Either parameter exactly 0 makes the constant 0.
 * Derivative: alpha * beta * (1 - t * t), t = tanh(beta * x).
 * f' = alpha beta (1 - (y/alpha)^2). */
#include "kernels/swish.h"
#include "kernels/theta_gate.h"

ACT_OP vec scaled_tanh_forward(vec x, struct vparams p)
{
    const vec alpha = v_add(p.alpha, v_set(0)), beta = v_add(p.beta, v_set(0)); /* no -0 */
    const vec t = v_mul(beta, v_drop(v_eq(beta, v_set(0)), x));
    const vec y = v_mul(alpha, v_tanh(t));
    return v_or(v_drop(v_eq(alpha, v_set(0)), y), v_zero_or_nan(x));
}

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
    const vec normal = v_select(tiny, v_mul(a, v_set(0x1p64f)), a);
    const vint exponent = i_sub(i_sar(v_bits(v_abs(normal)), 23), i_set(127));
    const vint unscale = v_bits(v_keep(tiny, v_from_bits(i_set(64))));
    return (struct exponent){v_or(v_and(normal, v_from_bits(i_set((int32_t)0x807fffff))), v_set(1)),
                             i_sub(exponent, unscale)};
}

/* g t alpha beta 2^n for t in [2^-50, 1], n <= 0. */
ACT_OP vec scaled_tanh_times(vec t, vec g, vint n, struct vparams p)
{
    const struct exponent a = v_exponent(p.alpha), b = v_exponent(p.beta);
    const vint sum = i_max(i_set(-250), i_add(n, i_add(a.exponent, b.exponent)));
    const vint excess = i_max(i_set(0), i_sub(sum, i_set(127)));
    const vec d = v_scale_grad(v_mul(v_mul(t, a.mantissa), b.mantissa), g, i_sub(sum, excess));
    return v_mul(d, v_pow2(excess, 0));
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
    const vec q = v_div(v_mul(v_set(4), e.value), v_square_1p(v_mul(e.value, e.scale)));
    const vec t = v_mul(v_mul(v_mul(v_drop(far, q), g), p.alpha), p.beta);
    const vec d = v_mul(t, e.scale);
#else
    /* e^-350 alpha beta < 2^-250; the sum 1 + e^-2a needs no more than e^-172 of it. */
    struct reduced e = v_reduce_negative_low(v_min(v_set(350), twice), low);
    const vint n = i_add(e.n, i_set(2));
    e.n = i_max(e.n, i_set(-250));
    const vec q = v_drop(far, v_logistic_slope(v_logistic_of(e)));
    const vec d = scaled_tanh_times(q, g, n, p);
#endif
    return scaled_tanh_grad(d, x, p);
}

/* alpha beta (1 - r) (1 + r), r = y / alpha: alpha -+ y is exact where it cancels. */
ACT_OP vec scaled_tanh_from_output(vec y, vec g, struct vparams p)
{
    const vec half =
        v_select(v_lt(v_set(1), v_abs(p.alpha)), v_set(0.5f), v_set(1)); /* no overflow */
    const vec a = v_mul(p.alpha, half), r = v_mul(y, half);
    const vec t = v_mul(v_div(v_sub(a, r), a), v_div(v_add(a, r), a));
#if V_DOUBLE
    const vec d = v_mul(v_mul(v_mul(t, p.alpha), p.beta), g);
#else
    const vec d = scaled_tanh_times(t, g, i_set(0), p);
#endif
    return scaled_tanh_grad(d, y, p);
}

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
