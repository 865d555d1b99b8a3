/* x sigmoid(t), t = b x as t + low: swish, gelu_quick. f'(x) = silu'(t). */
#ifndef ACT_KERNELS_SWISH_H
#define ACT_KERNELS_SWISH_H

#include "kernels/math.h"

#if !V_DOUBLE
#include "kernels/logistic.h"
#include "kernels/tables/silu_slope.h"
#endif

/* t + low; low belongs to |t|. */
struct gate_argument {
    vec t, low;
};

/* b x, b = high + b_low. b == 0: 0, at infinite x too. A finite x has a finite t, for its
 * derivative is not yet the limit: x stops where t is near 2^126 (2^1022). No operation meets an
 * infinite x. */
ACT_OP struct gate_argument gate_argument(vec x, vec b, vec b_low)
{
    x = v_drop(v_eq(b, v_set(0)), x);
    const vec last = v_set(V_DOUBLE ? 0x1.fffffffffffffp1021 : 0x1.fffffep125f);
    const vec most = v_div(last, v_max(v_set(0.25f), v_abs(b)));
    const vec inner = v_min(most, v_max(v_neg(most), x)), product = v_mul(b, inner);
    const vec low = v_fma(inner, b_low, v_mul_low_wide(b, inner, product));
    const vec t = v_select(v_lt(v_abs(x), v_set(INFINITY)), product, v_xor(x, v_sign(b)));
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
    return v_gate(x, u.t, e, v_set(0x1.fffffffffffffp1023)); /* at -inf the exponential wins */
}

ACT_OP vec gate_backward(vec g, struct gate_argument u)
{
    const vec a = v_min(v_set(EXP_RANGE), v_abs(u.t));
    const struct scaled e = v_exp_scaled(a, u.low);
    return v_grad_gated(u.t, g, v_silu_slope(e, a, u.low), e.scale);
}
#else
/* x / (S + P), then S = 2^n in halves. A huge x (with a tiny b) takes 2^64 of it first, so that n
 * need not be followed below -240: 2^64 2^-215 is 0. A tiny one (with a huge b) gives 2^64 to it,
 * or the quotient would be subnormal. */
ACT_OP vec gate_forward(vec x, struct gate_argument u)
{
    const vec t = v_min(v_set(40), v_max(v_set(-200), u.t));
    const struct reduced e = v_reduce_low(t, v_xor(u.low, v_sign(u.t)));
    const vmask huge = v_lt(v_set(0x1p64f), v_abs(x)), tiny = v_lt(v_abs(x), v_set(0x1p-60f));
    const vec finite = v_min(v_set(0x1.fffffep127f), v_max(v_set(-0x1.fffffep127f), x));
    const vec factor = v_select(huge, v_set(0x1p-64f), v_select(tiny, v_set(0x1p64f), v_set(1)));
    const vec quotient = v_quotient(v_mul(finite, factor), v_denominator(e));
    const vint lifted = i_sub(i_set(127), i_sar(v_bits(factor), 23));
    const vint n = i_max(i_add(e.n, lifted), i_set(-240)), half = i_sar(n, 1);
    const vec y = v_mul(v_mul(quotient, v_pow2(half, 0)), v_pow2(i_sub(n, half), 0));
    const vec half_way = v_mul(x, v_set(0.5f)); /* t == 0: an infinite x stays so */
    const vec inner = v_select(v_eq(u.t, v_set(0)), half_way, v_or(y, v_sign(x)));
    return v_select(v_lt(v_set(40), u.t), x, inner);
}

/* b in this range has a shorter way, and so has a = |b x| up to LOGISTIC_MOST: beyond, x
 * sigmoid(-a) is 0 for x < 220. */
#define GATE_LEAST_B 0.5f
#define GATE_MOST_B  0x1p64f

/* size sigmoid(-b size) / LOGISTIC_SCALE for size <= LOGISTIC_MOST / b, b > 0; and a small plus,
 * before the rounding. */
ACT_OP vec gate_tail_plus(vec size, vec b, vec b_low, const vec *plus)
{
    const vec a = v_mul(size, b), low = v_fma(size, b_low, v_mul_low(size, b, a));
    const vec shifted = v_fnma(a, v_set(LOG2E), v_set(LOGISTIC_MAGIC));
    const vec n = v_sub(shifted, v_set(LOGISTIC_MAGIC));
    const vec inner = v_fma(n, v_set(LN2_LOW), v_fma(n, v_set(LN2_HIGH), a));
    const vec r = v_add(inner, low);
    const struct half_logistic l = v_half_logistic(shifted, v_expm1_quotient(r), r);
    const vec w = v_mul(size, l.s);
    if (!plus)
        return v_quotient(w, (struct denominator){l.d, l.low});
#if V_HAS_FMA
    const vec inv = v_div(v_set(1), l.d), y = v_mul(w, inv);
    return v_add(y, v_fma(v_fnma(l.low, y, v_fnma(l.d, y, w)), inv, *plus));
#else
    const vec y = v_div(w, l.d);
    return v_add(y, v_sub(*plus, v_mul(y, v_div(l.low, l.d))));
#endif
}

ACT_OP vec gate_tail(vec size, vec b, vec b_low)
{
    return gate_tail_plus(size, b, b_low, NULL);
}

/* g silu'(t + low). */
ACT_OP vec gate_backward(vec g, struct gate_argument u)
{
    const vec a = v_abs(v_min(v_set(50), v_max(v_set(-110), u.t)));
    const vec inner = v_min(v_set(SLOPE_END), a), past = v_sub(inner, a);
    const vindex8 i = v_slope_number(inner);
    const struct reduced8 e = v_reduce8_low(a, u.low);
    const struct slope s = v_slope(&slope_table, inner, i, e, &past, &u.low);
    return v_grad_slope(u.t, g, s, 50);
}
#endif

/* What a kind ends with that has <kind>_near, <kind>_forward for parameters for which
 * <kind>_is_near. */
#if ACT_TEST_DATA || ACT_UNIT_THETA
#define ACT_KERNEL_GATE(kind)
#elif V_DOUBLE
#define ACT_KERNEL_GATE(kind) ACT_KERNEL(kind)
#else
#define ACT_KERNEL_GATE(kind)                                                                      \
    ACT_LOOP1(kind##_forward, kind, any)                                                           \
    ACT_LOOP1(kind##_near, kind, near)                                                             \
    ACT_LOOP2(kind##_backward, kind, bwd)                                                          \
    ACT_EITHER1(kind, fwd, kind##_is_near(p), near, any)                                           \
    ACT_KERNEL_ROW(kind, kind, fwd, bwd, NULL, NULL)
#endif

#endif
