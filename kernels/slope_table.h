/* Derivatives as f'(-a) = e^-u(a) R(a), R from 8 polynomials (kernels/fit/slope_table.py). */
#ifndef ACT_KERNELS_SLOPE_TABLE_H
#define ACT_KERNELS_SLOPE_TABLE_H

#include "kernels/exp8.h"

/* R(middle + d) = value + d q(d). */
struct slope_table {
    float middle[8], value[8], q[SLOPE_DEGREE][8];
};

/* The interval of a: the exponent and the first bit of 1 + a/k. */
ACT_OP vindex8 v_slope_number(vec a)
{
    return v_index8(i_sar(v_bits(v_fma(a, v_set(SLOPE_INVERSE), v_set(1))), 22));
}

/* e^-u R(a) = scale (high + low), scale as bits, for u up to 110: to be raised where it is below
 * 2^-126. past, or NULL, is added to R.
 * e^-u = scale (1 + p), |p| < .0443 and its error below 2^-28. R is high and what high lacks: of
 * the roundings only q's counts, as much as d q(d) does in R. The two chains of operations take
 * turns, for gcc leaves them in this order (6% faster). */
struct slope {
    vec high, low;
    vint scale;
};

ACT_OP struct slope v_slope(const struct slope_table *t, vec a, vindex8 i, struct reduced8 u,
                            const vec *past)
{
#define Q(k) v_lookup8(t->q[k], i)
    const vec d = v_sub(a, v_lookup8(t->middle, i)), d2 = v_mul(d, d);
    vec p = v_fma(u.r, v_set(1 / 24.0f), v_set(-1 / 6.0f));
    /* Estrin's order but for the last three steps, whose roundings would count. */
#if SLOPE_DEGREE == 7
    vec q = v_fma(Q(6), d2, v_fma(Q(5), d, Q(4)));
#elif SLOPE_DEGREE == 8
    vec q = v_fma(v_fma(Q(7), d, Q(6)), d2, v_fma(Q(5), d, Q(4)));
#elif SLOPE_DEGREE == 10
    vec q = v_fma(v_fma(Q(9), d, Q(8)), d2, v_fma(Q(7), d, Q(6)));
    q = v_fma(q, d2, v_fma(Q(5), d, Q(4)));
#endif
    p = v_fma(p, u.r, v_set(0.5f));
    q = v_fma(q, d2, v_fma(Q(3), d, Q(2)));
    p = v_fms(p, u.r, v_set(1));
    q = v_fma(q, d, Q(1));
    p = v_fma(p, u.r, v_lookup8(exp8_rest, v_index8(u.n)));
    q = v_fma(q, d, Q(0));
#undef Q
    const vec scale = v_lookup8(exp8_scale, v_index8(u.n));
    const vec inside = v_lookup8(t->value, i), value = past ? v_add(inside, *past) : inside;
    const vec high = v_fma_tight(q, d, value);
    const vec low = v_fma_tight(q, d, v_sub(value, high)); /* exact */
    return (struct slope){high, v_fma(high, p, low), i_add(v_bits(scale), i_shl(u.n, 20))};
}

/* g f'(x) for f'(-a) = (high + low) scale and f'(a) = 1 - f'(-a), 0 at -inf. Below -far the scale
 * is raised: it may be below 2^-126. Where f'(a) is 1/2 its two roundings leave 2 ULP of the
 * product. */
ACT_OP vec v_grad_slope(vec x, vec g, struct slope s, float far)
{
    const struct lifted w = v_lift(s.scale, v_lt(x, v_set(-far)), v_eq(x, v_set(-INFINITY)));
    const vec e = v_xor(w.scale, v_andnot(x, v_set(-0.0f)));
    const vec base = v_andnot(v_from_bits(i_sar(v_bits(x), 31)), v_set(1));
    const vec part = v_fma_tight(s.high, e, v_mul(s.low, e));
    return v_mul(v_mul(v_add(base, part), g), w.back);
}

#endif
