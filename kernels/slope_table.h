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

/* As exp8's, with p from .013 to .105 instead of +-.0443: 2^(k/8) = T (1 + rest), T's bits less
 * k << 20, and 1 + rest is SLOPE_ONE to 2^-25 for all k. */
#define SLOPE_ONE 0x1.0ee10cp+0f
static const float slope_scale[8] = {0x1.e3e05cp-1f, 0x1.e7d5e2p-1f, 0x1.dfb6f2p-1f,
                                     0x1.d9c14ap-1f, 0x1.d626fcp-1f, 0x1.d51ea6p-1f,
                                     0x1.d6e3d2p-1f, 0x1.dbb774p-1f};
static const float slope_rest[8] = {0x1.dc2182p-5f, 0x1.dc2182p-5f, 0x1.dc2184p-5f, 0x1.dc2178p-5f,
                                    0x1.dc2188p-5f, 0x1.dc2178p-5f, 0x1.dc2190p-5f, 0x1.dc2188p-5f};

/* e^-u R(a) = scale (high + low), scale as bits, for u up to 125: to be raised where it is below
 * 2^-126. past, or NULL, is added to R; below, or NULL, is what a and u lack.
 * e^-u = scale (1 + p), p's error below 2^-26.8. R is high and what high lacks: of the roundings
 * only q's counts, as much as d q(d) does in R. low is that and high p, of which it has the sign
 * for every float a, though beside the zero of R by the choice of the table's middle.
 * The two chains of operations take turns, for gcc leaves them in this order (6% faster). */
struct slope {
    vec high, low;
    vint scale;
};

ACT_OP struct slope v_slope(const struct slope_table *t, vec a, vindex8 i, struct reduced8 u,
                            const vec *past, const vec *below)
{
#define Q(k) v_lookup8(t->q[k], i)
    const vec d = v_sub(a, v_lookup8(t->middle, i)), d2 = v_mul(d, d);
    vec p = v_fma(u.r, v_set(SLOPE_ONE / 24), v_set(-SLOPE_ONE / 6));
    /* Estrin's order but for the last three steps, whose roundings would count. */
#if SLOPE_DEGREE == 7
    vec q = v_fma(Q(6), d2, v_fma(Q(5), d, Q(4)));
#elif SLOPE_DEGREE == 8
    vec q = v_fma(v_fma(Q(7), d, Q(6)), d2, v_fma(Q(5), d, Q(4)));
#elif SLOPE_DEGREE == 10
    vec q = v_fma(v_fma(Q(9), d, Q(8)), d2, v_fma(Q(7), d, Q(6)));
    q = v_fma(q, d2, v_fma(Q(5), d, Q(4)));
#endif
    p = v_fma(p, u.r, v_set(SLOPE_ONE / 2));
    q = v_fma(q, d2, v_fma(Q(3), d, Q(2)));
    p = v_fms(p, u.r, v_set(SLOPE_ONE));
    q = v_fma(q, d, Q(1));
    p = v_fma(p, u.r, v_lookup8(slope_rest, v_index8(u.n)));
    q = v_fma(q, d, Q(0));
    const vec scale = v_lookup8(slope_scale, v_index8(u.n));
    const vec inside = v_lookup8(t->value, i), value = past ? v_add(inside, *past) : inside;
    vec high = v_fma_tight(q, d, value), rest = v_fma_tight(q, d, v_sub(value, high));
    if (below) {
        /* R(a + below) = R(a) + below R'(a), R' from two coefficients. Where R is nearly 0 that may
         * be more than high, which must keep the sign of the sum. */
        rest = v_fma(*below, v_fma(v_add(d, d), Q(1), Q(0)), rest);
        const vec sum = v_add(high, rest);
        rest = v_sub(rest, v_sub(sum, high));
        high = sum;
    }
#undef Q
    return (struct slope){high, v_fma(high, p, rest), i_add(v_bits(scale), i_shl(u.n, 20))};
}

/* g f'(x) for f'(-a) = (high + low) scale and f'(a) = 1 - f'(-a), 0 at -inf. Below -far the scale
 * is raised: it may be below 2^-126.
 * f' is first + rest, and g f' the sum of two products, rounded once: within 1.67 ULP. An
 * infinite g must not make them inf - inf, nor a zero g zeros of opposite signs, so that both parts
 * have the sign of f': that is why p > 0, and why 1 is 15/16 + 1/16, of which low takes .048. */
ACT_OP vec v_grad_slope(vec x, vec g, struct slope s, float far)
{
    const struct lifted w = v_lift(s.scale, v_lt(x, v_set(-far)), v_eq(x, v_set(-INFINITY)));
    const vec e = v_xor(w.scale, v_andnot(x, v_set(-0.0f)));
    const vec minus = v_from_bits(i_sar(v_bits(x), 31));
#if V_HAS_FMA
    const vec most = v_andnot(minus, v_set(15 / 16.0f)), little = v_andnot(minus, v_set(1 / 16.0f));
    const vec first = v_fma(s.high, e, most);
    const vec lost = v_fms(s.high, e, v_sub(first, most)); /* exact */
    const vec rest = v_add(v_fma(s.low, e, little), lost);
    return v_mul(v_fma(first, g, v_mul(rest, g)), w.back);
#else
    const vwide r = w_add(w_from(s.high), w_from(s.low)), base = w_from(v_andnot(minus, v_set(1)));
    return v_mul(w_to(w_mul(w_fma(r, w_from(e), base), w_from(g))), w.back);
#endif
}

#endif
