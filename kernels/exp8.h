/* e^-u by a table of 2^(k/8), for derivatives: more accurate than v_exp_poly and two operations
 * longer. Each sum keeps its large term exact and rounds the small ones, and f' is rounded once, at
 * its end, so that g f'(x) stays within 2 ULP for any g. */
#ifndef ACT_KERNELS_EXP8_H
#define ACT_KERNELS_EXP8_H

#include "kernels/math.h"

#if !V_DOUBLE

/* 2^(k/8) = T (1 + rest): the bits of T less k << 20. Without the rests T's rounding would be up to
 * 2^-24.9 of it. */
static const float exp8_scale[8] = {0x1p+0f,        0x1.f72b84p-1f, 0x1.f06fe0p-1f, 0x1.ebfdaep-1f,
                                    0x1.ea09e6p-1f, 0x1.eace54p-1f, 0x1.ee89fap-1f, 0x1.f5818ep-1f};
static const float exp8_rest[8] = {0,
                                   -0x1.9c0c22p-27f,
                                   0x1.125002p-25f,
                                   -0x1.0a3550p-25f,
                                   0x1.26055cp-26f,
                                   0x1.67a1cap-28f,
                                   -0x1.f9c304p-27f,
                                   -0x1.a5217cp-28f};
struct reduced8 {
    vec r;
    vint n;
};

/* u = r - n ln 2 / 8 */
ACT_OP struct reduced8 v_reduce8(vec u)
{
    const vec shifted = v_fnma(u, v_set(LOG2E_8), v_set(ROUND_MAGIC));
    const vec n = v_sub(shifted, v_set(ROUND_MAGIC));
    const vec r = v_fma(n, v_set(LN2_8_LOW), v_fma(n, v_set(LN2_8_HIGH), u));
    return (struct reduced8){r, v_bits(shifted)};
}

ACT_OP struct reduced8 v_reduce8_low(vec u, vec low) /* u + low = r - n ln 2 / 8 */
{
    struct reduced8 e = v_reduce8(u);
    e.r = v_add(e.r, low);
    return e;
}

/* scale as a factor for f' at x, and what the last product takes back: where far, f' is raised by
 * 2^64, so that only that product can be subnormal; 0 where limit. */
struct lifted {
    vec scale, back;
};

ACT_OP struct lifted v_lift(vint scale, vmask far, vmask limit)
{
    const vint lift = v_bits(v_keep(far, v_from_bits(i_set(64 << 23))));
    const vec back = v_from_bits(i_sub(i_set(127 << 23), lift));
    return (struct lifted){v_from_bits(i_add(scale, lift)), v_drop(limit, back)};
}

/* e^-u = scale / (1 + p), |p| < .0443 and its error below 2^-28; scale as bits, for u up to 110: to
 * be raised where it is below 2^-126. */
struct exp8 {
    vec p;
    vint scale;
};

ACT_OP struct exp8 v_exp8_inverse(struct reduced8 u)
{
    vec p = v_fma(u.r, v_set(1 / 24.0f), v_set(1 / 6.0f));
    p = v_fma(p, u.r, v_set(0.5f));
    p = v_fma(p, u.r, v_set(1));
    p = v_fms(p, u.r, v_lookup8(exp8_rest, v_index8(u.n)));
    return (struct exp8){p, i_add(v_bits(v_lookup8(exp8_scale, v_index8(u.n))), i_shl(u.n, 20))};
}

/* (1 + rest) e^-r = 1 + p */
ACT_OP vec v_exp8_poly(struct reduced8 u, vec rest)
{
    vec p = v_fma(u.r, v_set(1 / 24.0f), v_set(-1 / 6.0f));
    p = v_fma(p, u.r, v_set(0.5f));
    p = v_fms(p, u.r, v_set(1));
    return v_fma(p, u.r, rest);
}

/* s + 1 + p as d + low, s the scale (of which 2^-60 is as good as less). */
ACT_OP struct denominator v_denominator8(struct exp8 e)
{
    const vec s = v_from_bits(i_max(e.scale, i_set(67 << 23))), one = v_set(1),
              base = v_add(s, one);
    const vec d = v_add(base, e.p);
    return (struct denominator){d, v_add(v_sub(e.p, v_sub(d, base)), v_sub(s, v_sub(base, one)))};
}

/* g sigmoid(x), where u = -x but within [-40, 110]: 0 at x = -inf. 1.49 ULP for any g (1.1e-5), .96
 * for g = 1. The quotient as in v_quotient, rounded once. */
ACT_OP vec v_grad_logistic(vec x, vec g, struct reduced8 u)
{
    const struct exp8 e = v_exp8_inverse(u);
    const struct denominator d = v_denominator8(e);
    const struct lifted w = v_lift(e.scale, v_lt(x, v_set(-50)), v_eq(x, v_set(-INFINITY)));
    const vec inverse = v_div(v_set(1), d.d), y = v_mul(w.scale, inverse);
    const vec rest = v_fnma(d.low, y, v_fma_tight(v_neg(d.d), y, w.scale));
    return v_mul(v_mul(v_fma(rest, inverse, y), g), w.back);
}

/* g s (1 - s), s = sigmoid(u), u = a but within 110: 0 at a = inf. half: 4 g s (1 - s), u = 2a.
 * 1.53 ULP for any g, .74 for g = 1. */
ACT_OP vec v_grad_logistic_slope(vec a, vec g, struct reduced8 u, int half)
{
    const struct exp8 e = v_exp8_inverse(u);
    const struct denominator d = v_denominator8(e);
    const vint scale = half ? i_add(e.scale, i_set(2 << 23)) : e.scale;
    const struct lifted w = v_lift(scale, v_lt(v_set(half ? 25 : 50), a), v_eq(a, v_set(INFINITY)));
    /* (1 + p) / (d + low)^2 = i^2 (1 + p) (1 + 2 rest), rest the relative error of i = 1/d. */
    const vec i = v_div(v_set(1), d.d);
    const vec rest = v_fnma(d.low, i, v_fma_tight(v_neg(d.d), i, v_set(1)));
    const vec high = v_mul(i, i), square_low = v_mul_low(i, i, high);
    const vec low = v_fma(high, v_fma(v_set(2), rest, e.p), square_low);
    const vec t = v_fma_tight(high, w.scale, v_mul(low, w.scale));
    return v_mul(v_mul(t, g), w.back);
}

#endif
#endif
