/* x sigmoid(t), t = b x as t + low: swish, gelu_quick. f'(x) = silu'(t). */
#ifndef ACT_KERNELS_SWISH_H
#define ACT_KERNELS_SWISH_H

#include "kernels/math.h"

/* t + low; low belongs to |t|. */
struct gate_argument {
    vec t, low;
};

/* b x, b = high + b_low. b == 0: 0, at infinite x too. A finite x has a finite t: its derivative is
 * not yet the limit. */
ACT_OP struct gate_argument gate_argument(vec x, vec b, vec b_low)
{
    const vec most = v_set(V_DOUBLE ? 0x1p1000 : 0x1p126f);
    x = v_drop(v_eq(b, v_set(0)), x);
    const vec product = v_mul(b, x), low = v_fma(x, b_low, v_mul_low_wide(b, x, product));
    const vec clipped = v_min(most, v_max(v_neg(most), product));
    const vec t = v_select(v_lt(v_abs(x), v_set(INFINITY)), clipped, product);
    const vmask matters = v_inside(v_set(0x1p-20f), v_abs(t), v_set(2000));
    return (struct gate_argument){t, v_keep(matters, v_xor(low, v_sign(t)))};
}

/* p sigmoid(t) + q (1 - sigmoid(t)) at an infinite x: t is 0 or infinite there. */
ACT_OP vec gate_limit(vec t, vec p, vec q)
{
    const vec half = v_set(0.5f), mean = v_add(v_mul(half, p), v_mul(half, q));
    return v_select(v_lt(v_set(0), t), p, v_select(v_lt(t, v_set(0)), q, mean));
}

#if V_DOUBLE
ACT_OP vec gate_forward(vec x, struct gate_argument u)
{
    const struct scaled e = v_exp_far(v_min(v_set(EXP_FAR), v_abs(u.t)), u.low);
    const vmask negative = v_lt(u.t, v_set(0));
    const vec d = v_fma(e.value, e.scale, v_set(1));
    /* A finite factor: at -inf the exponential wins. */
    const double most = 0x1.fffffffffffffp1023;
    const vec inner = v_min(v_set(most), v_max(v_set(-most), x));
    const vec below = v_mul(v_mul(inner, v_div(e.value, d)), e.scale);
    return v_select(negative, below, v_div(x, d));
}

ACT_OP vec gate_backward(vec g, struct gate_argument u)
{
    const vec a = v_min(v_set(EXP_RANGE), v_abs(u.t));
    const struct scaled e = v_exp_scaled(a, u.low);
    const vec z = v_mul(e.value, e.scale);
    /* z (1 + z - a) / (1 + z)^2, the sum in the order that rounds once: 1 - a is exact up to 2. */
    const vec sum =
        v_select(v_lt(a, v_set(2)), v_add(v_sub(v_set(1), a), z), v_sub(v_add(v_set(1), z), a));
    return v_grad_gated(u.t, g, v_mul(e.value, v_div(sum, v_square_1p(z))), e.scale);
}
#else
/* x / (S + P), then S = 2^n in halves. A huge x (with a tiny b) takes 2^64 of it first, so that n
 * need not be followed below -240: 2^64 2^-215 is 0. A tiny one (with a huge b) gives 2^64 to it,
 * or the quotient would be subnormal. */
ACT_OP vec gate_forward(vec x, struct gate_argument u)
{
    const vec t = v_min(v_set(40), v_max(v_set(-200), u.t));
    const struct reduced e = v_reduce_low(t, v_xor(u.low, v_sign(u.t)));
    const vec d = v_add(v_pow2(i_max(e.n, i_set(-100)), 0), v_exp_poly(e.r, -1, 1));
    const vmask huge = v_lt(v_set(0x1p64f), v_abs(x)), tiny = v_lt(v_abs(x), v_set(0x1p-60f));
    const vec finite = v_min(v_set(0x1.fffffep127f), v_max(v_set(-0x1.fffffep127f), x));
    const vec factor = v_select(huge, v_set(0x1p-64f), v_select(tiny, v_set(0x1p64f), v_set(1)));
    const vec inner = v_mul(finite, factor);
    const vint lifted = i_sub(i_set(127), i_sar(v_bits(factor), 23));
    const vint n = i_max(i_add(e.n, lifted), i_set(-240)), half = i_sar(n, 1);
    const vec y = v_mul(v_mul(v_div(inner, d), v_pow2(half, 0)), v_pow2(i_sub(n, half), 0));
    const vec half_way = v_mul(x, v_set(0.5f)); /* t == 0: an infinite x stays so */
    return v_select(v_lt(v_set(40), u.t), x, v_select(v_eq(u.t, v_set(0)), half_way, y));
}

ACT_OP vec gate_backward(vec g, struct gate_argument u)
{
    const vec a = v_min(v_set(GRAD_RANGE), v_abs(u.t));
    const struct logistic l = v_logistic_of(v_reduce_negative_low(a, u.low));
    return v_grad_gated(u.t, g, v_silu_slope_low(l, a, u.low), l.n);
}
#endif

#endif
