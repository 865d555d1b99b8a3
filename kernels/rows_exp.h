/* Exponentials along an axis relative to the row's maximum, and the logarithm of their sum: what
 * kernels/softmax.c and cross_entropy.c share. */
#ifndef ACT_KERNELS_ROWS_EXP_H
#define ACT_KERNELS_ROWS_EXP_H

#include "kernels/rows.h"

/* ---- exponentials relative to the maximum ------------------------------------------------------
 * e = EXP_ONE e^(z - max), in f32 times e^r with |r| < ln2 / 2: there max is not subtracted, whose
 * rounding costs up to 64 ULP, but e^z = 2^n p(r) becomes 2^(n - N) p(r), N = rint(max / ln2).
 * Where |max| >= 200 the difference is exact for every z that matters, and it is subtracted.
 * EXP_ONE keeps e normal, so that only the last product of a result can be subnormal; far below the
 * maximum e is exactly 0, and products cost no microcode assist. */

#if V_DOUBLE
#define EXP_ONE   0x1p519
#define EXP_FLOOR (-800.0) /* 0 below: e^-800 < 2^-1154 */

struct reference {
    vec top; /* the maximum; 0 for a row of -inf, NaN for one with +inf */
    vec floor;
};

ACT_OP struct reference reference_of(vec max)
{
    const vec same = v_sub(max, max); /* 0, or NaN */
    return (struct reference){v_drop(v_eq(max, v_set(-INFINITY)), v_add(max, same)),
                              v_set(EXP_FLOOR)};
}

ACT_OP struct reference not_shifted(struct reference r)
{
    return r;
}

/* SLEEF's exp of a + SHIFT, an exact sum; e^-SHIFT is 6e-4 ULP from a double. */
#define EXP_SHIFT 359.375
#define EXP_SCALE 0x1.7205cad11c4edp-519

/* The rounding of z - max goes into e. */
ACT_OP vec exp_of(struct reference r, vec z)
{
    const vec t = v_neg(r.top), d = v_sub(z, r.top), back = v_sub(d, z);
    vec low = v_add(v_sub(z, v_sub(d, back)), v_sub(t, back));
    low = v_keep(v_lt(r.floor, d), low);
    const vec a = v_max(r.floor, d);
    const vmask far = v_lt(a, v_set(-EXP_SHIFT));
    vec e = v_exp(v_add(a, v_keep(far, v_set(EXP_SHIFT))));
    e = v_drop(v_le(d, r.floor), v_fma(e, low, e));
    return v_mul(e, v_select(far, v_set(EXP_SCALE * EXP_ONE), v_set(EXP_ONE)));
}
#else
#define EXP_ONE  0x1p49f
#define EXP_BIAS (127 + 49) /* n - N + EXP_BIAS is 0 for 2^-176: e is 0 */

struct reference {
    vec shift; /* subtracted */
    vec magic; /* ROUND_MAGIC + EXP_BIAS - N */
    vec floor; /* least argument: (N - EXP_BIAS) ln2 */
    vec top;   /* the maximum; 0 for a row of -inf, NaN for one with +inf */
};

ACT_OP struct reference reference_of(vec max)
{
    const vmask none = v_eq(max, v_set(-INFINITY));
    const vec shift = v_drop(none, v_keep(v_le(v_set(200), v_abs(max)), max));
    const vec rest = v_sub(v_drop(none, max), shift); /* 0 if subtracted, NaN for +inf */
    const vec n = v_sub(v_fma(rest, v_set(LOG2E), v_set(ROUND_MAGIC)), v_set(ROUND_MAGIC));
    const vec floor = v_mul(v_sub(n, v_set(EXP_BIAS)), v_set(LN2_HIGH));
    return (struct reference){shift, v_sub(v_set(ROUND_MAGIC + EXP_BIAS), n), floor,
                              v_add(shift, rest)};
}

/* Of a row from which nothing is subtracted: loops that know it save an operation of 18. */
ACT_OP struct reference not_shifted(struct reference r)
{
    r.shift = v_set(0);
    return r;
}

/* n - N + EXP_BIAS, 0 to 177, is in the low bits of shifted, and becomes an exponent: at the floor
 * it is 0, and so is e. A NaN stays one in the polynomial. */
ACT_OP vec exp_of(struct reference r, vec z)
{
    const vec a = v_max(r.floor, v_sub(z, r.shift));
    const vec shifted = v_fma(a, v_set(LOG2E), r.magic), n = v_sub(shifted, r.magic);
    const vec rest = v_fnma(n, v_set(LN2_LOW), v_fnma(n, v_set(LN2_HIGH), a));
    return v_mul(v_exp_poly(rest, 1, 1), v_from_bits(i_shl(v_bits(shifted), 23)));
}

/* e^-r, r = max - N ln2, within 2^-42. */
ACT_OP vwide top_factor(struct reference r)
{
    const vwide n = w_from(v_sub(v_set(ROUND_MAGIC + EXP_BIAS), r.magic));
    const vwide rest = w_from(v_sub(r.top, r.shift));
    const vwide x = w_sub(w_mul(n, w_set(0.693147180559945309)), rest);
    vwide p = w_set(1.0 / 39916800);
    p = w_fma(p, x, w_set(1.0 / 3628800));
    p = w_fma(p, x, w_set(1.0 / 362880));
    p = w_fma(p, x, w_set(1.0 / 40320));
    p = w_fma(p, x, w_set(1.0 / 5040));
    p = w_fma(p, x, w_set(1.0 / 720));
    p = w_fma(p, x, w_set(1.0 / 120));
    p = w_fma(p, x, w_set(1.0 / 24));
    p = w_fma(p, x, w_set(1.0 / 6));
    p = w_fma(p, x, w_set(0.5));
    p = w_fma(p, x, w_set(1));
    return w_fma(p, x, w_set(1));
}
#endif

/* The exponentials of the second pass wait for the third in the output, unless that is too narrow:
 * then they are computed again. So are those of the scalar f32 table, which are doubles. */
#define EXP_KEPT(how) ((!V_DOUBLE || ACT_UNIT_F64) && !((how)&IN_HALF))

ACT_OP void exp_keep(void *kept, size_t at, vec e, size_t lanes, int how)
{
    if (EXP_KEPT(how))
        v_store_part((elem *)kept + at, e, lanes);
}

ACT_OP vec exp_again(const struct source *s, const void *kept, size_t at, size_t lanes,
                     struct reference r, int how)
{
    return EXP_KEPT(how) ? v_load_part((const elem *)kept + at, lanes)
                         : exp_of(r, z_at(s, at, lanes, how));
}

/* ---- the logarithm of a sum --------------------------------------------------------------------
 * With u = the sum of e^(z - max) without one maximum, log sum = max + log1p(u): beside one
 * dominant element all of a tiny u counts. Elements equal to the maximum are counted, not added. */
struct log_sum {
    vwide u, l;    /* l = log1p(u) */
    vwide inverse; /* of the sum: e * inverse / EXP_ONE is a probability */
};

#if V_DOUBLE
ACT_OP struct log_sum log_sum_of(struct reference r, vsum rest, vec count)
{
    const vec scale = v_set(1 / EXP_ONE), others = v_max(v_set(0), v_sub(count, v_set(1)));
    const vsum sum = s_add((vsum){v_mul(rest.a, scale), v_mul(rest.b, scale)}, others);
    const vec bad = v_sub(r.top, r.top);
    const vec u = v_add(v_add(sum.a, sum.b), bad), low = v_add(v_sub(sum.a, u), sum.b);
    const vec one = v_add(v_set(1), u);
    return (struct log_sum){u, v_add(v_log1p(u), v_div(low, one)), v_div(v_set(1), one)};
}
#else
/* log1p(u), u >= 0: u + 1 = 2^k (1 + f), 1 + f in [.707, 1.414], f = u for k = 0; then atanh's
 * series in s = f / (2 + f), within 2^-44. */
ACT_OP vwide w_log1p(vwide u)
{
    const vwide one = w_set(1);
    const vint bits = i_add(v_bits(w_to(w_add(u, one))), i_set(0x3f800000 - 0x3f3504f3));
    const vint k = i_sub(i_sar(bits, 23), i_set(127));
    const vwide power = w_from(v_pow2(i_sub(i_set(0), k), 0));
    const vwide f = w_add(w_mul(u, power), w_sub(power, one));
    const vwide s = w_div(f, w_add(f, w_set(2))), t = w_mul(s, s);
    vwide q = w_set(2.0 / 15);
    q = w_fma(q, t, w_set(2.0 / 13));
    q = w_fma(q, t, w_set(2.0 / 11));
    q = w_fma(q, t, w_set(2.0 / 9));
    q = w_fma(q, t, w_set(2.0 / 7));
    q = w_fma(q, t, w_set(2.0 / 5));
    q = w_fma(q, t, w_set(2.0 / 3));
    q = w_mul(w_fma(q, t, w_set(2)), s);
    const vec as_float = v_from_bits(i_add(k, i_set(0x4b400000)));
    return w_fma(w_from(v_sub(as_float, v_set(ROUND_MAGIC))), w_set(0.693147180559945309), q);
}

ACT_OP struct log_sum log_sum_of(struct reference r, vsum rest, vec count)
{
    const vwide factor = top_factor(r);
    const vwide others = w_from(v_max(v_set(0), v_sub(count, v_set(1))));
    const vwide u = w_fma(w_mul(rest, w_set(1 / (double)EXP_ONE)), factor, others);
    return (struct log_sum){u, w_log1p(u), w_div(factor, w_add(w_set(1), u))};
}
#endif

ACT_OP vwide log1p_of(vwide u)
{
#if V_DOUBLE
    return v_log1p(u);
#else
    return w_log1p(u);
#endif
}

/* What an element adds to the sum beside the maxima. */
ACT_OP vec beside_max(vec max, vec z, vec e)
{
    return v_drop(v_eq(z, max), e);
}

#endif
