/* Vector mathematics shared by the kinds. f32 has fused polynomials of our own, since a call per
 * vector is 1.5 to 18 times slower; f64 has exp64.h. Accuracy is stated per function; the
 * bounds of the kinds are measured (docs/ACCURACY.md). */
#ifndef ACT_KERNELS_MATH_H
#define ACT_KERNELS_MATH_H

#include "kernels/kernel.h"

/* a * b - product, exactly, for product = RN(a b). Without FMA: Dekker's splitting, exact for
 * |a|, |b| < 2^100 (f32) as long as nothing underflows. */
ACT_OP vec v_mul_low(vec a, vec b, vec product)
{
#if V_HAS_FMA
    return v_fms(a, b, product);
#else
    const vec splitter = v_set(V_DOUBLE ? 0x1p27f + 1 : 4097.0f); /* half the significand's bits */
    const vec ca = v_mul(splitter, a), cb = v_mul(splitter, b);
    const vec ah = v_sub(ca, v_sub(ca, a)), bh = v_sub(cb, v_sub(cb, b));
    const vec al = v_sub(a, ah), bl = v_sub(b, bh);
    vec low = v_sub(v_mul(ah, bh), product);
    low = v_add(low, v_mul(ah, bl));
    low = v_add(low, v_mul(al, bh));
    return v_add(low, v_mul(al, bl));
#endif
}

/* The same for any a and b, where the product is an ordinary number: Dekker's splitting of a factor
 * beyond 2^64 would overflow, so that takes 2^-64 and the other 2^64. */
ACT_OP vec v_mul_low_wide(vec a, vec b, vec product)
{
#if V_HAS_FMA || V_DOUBLE
    return v_mul_low(a, b, product);
#else
    const vec up = v_set(0x1p64f), down = v_set(0x1p-64f), one = v_set(1);
    const vmask large_a = v_lt(up, v_abs(a)), large_b = v_lt(up, v_abs(b));
    a = v_mul(a, v_select(large_a, down, v_select(large_b, up, one)));
    b = v_mul(b, v_select(large_a, up, v_select(large_b, down, one)));
    return v_mul_low(a, b, product);
#endif
}

#if !V_HAS_FMA && V_DOUBLE
/* a b + c with the error of a + b c alone, also where it cancels: the exact low parts of product
 * and sum are added. Where they overflow, plainly. */
ACT_OP vec v_fma_tight(vec a, vec b, vec c)
{
    const vec plain = v_mul(a, b), sum = v_add(plain, c);
    /* No inf - inf, which would raise FE_INVALID. */
    const vmask finite = v_lt(v_abs(sum), v_set(INFINITY));
    const vec product = v_keep(finite, plain), inner = v_keep(finite, sum),
              term = v_keep(finite, c);
    const vec back = v_sub(inner, product);
    const vec low = v_add(v_sub(product, v_sub(inner, back)), v_sub(term, back));
    const vec both = v_add(low, v_mul_low(v_keep(finite, a), v_keep(finite, b), product));
    /* A low part of 0 or NaN changes nothing, not even the sign of a zero sum. */
    return v_select(v_lt(v_set(0), v_abs(both)), v_add(sum, both), sum);
}
#endif

#if !V_DOUBLE

/* ---- f32 ------------------------------------------------------------------------------------- */

#define LOG2E 0x1.715476p+0f
/* ln 2 = LN2_HIGH + LN2_LOW + 2^-48.3: 15 bits, so that n * LN2_HIGH is exact for |n| < 512. */
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW  0x1.7f7d1cp-20f
/* ln 2 / 8 = LN2_8_HIGH + LN2_8_LOW + 2^-43: 12 bits, so that n * LN2_8_HIGH, |n| < 2^11, is exact.
 */
#define LOG2E_8     0x1.715476p+3f
#define LN2_8_HIGH  0x1.62ep-4f
#define LN2_8_LOW   0x1.0bfbe8p-18f
#define ROUND_MAGIC 0x1.8p23f /* x + this - this = rint(x), and n is in the low bits of the sum */

/* 2^(n + bias), for an n + bias from -126 to 127. */
ACT_OP vec v_pow2(vint n, int bias)
{
    return v_from_bits(i_shl(i_add(n, i_set(127 + bias)), 23));
}

/* scale * e^(k r) for |k r| <= .3468. The polynomial's error is 2^-26.1 relative to e^(k r) - 1
 * (kernels/fit/exp.sollya); with k and scale powers of two their factors are exact and free. */
ACT_OP vec v_exp_poly(vec r, float k, float scale)
{
    vec p = v_set(0x1.6b73ap-10f * (k * k * k * k * k * k) * scale);
    p = v_fma(p, r, v_set(0x1.1227aap-7f * (k * k * k * k * k) * scale));
    p = v_fma(p, r, v_set(0x1.555716p-5f * (k * k * k * k) * scale));
    p = v_fma(p, r, v_set(0x1.5554bp-3f * (k * k * k) * scale));
    p = v_fma(p, r, v_set(0x1.fffffep-2f * (k * k) * scale));
    p = v_fma(p, r, v_set(k * scale));
    return v_fma_tight(p, r, v_set(scale));
}

/* (e^(k r) - 1 - k r) / r, same polynomial. */
ACT_OP vec v_expm1_rest(vec r, float k)
{
    vec p = v_set(0x1.6b73ap-10f * (k * k * k * k * k * k));
    p = v_fma(p, r, v_set(0x1.1227aap-7f * (k * k * k * k * k)));
    p = v_fma(p, r, v_set(0x1.555716p-5f * (k * k * k * k)));
    p = v_fma(p, r, v_set(0x1.5554bp-3f * (k * k * k)));
    p = v_fma(p, r, v_set(0x1.fffffep-2f * (k * k)));
    return v_mul(p, r);
}

/* e^(k r) - 1: relative error kept down to r = 0. */
ACT_OP vec v_expm1_poly(vec r, float k)
{
    return v_fma(v_expm1_rest(r, k), r, k == 1 ? r : v_mul(r, v_set(k)));
}

/* x = n ln 2 + r, |r| <= .3468, for |x| <= 350: absolute error below 2^-26 (the rounding of r). */
struct reduced {
    vec r;
    vint n;
};

ACT_OP struct reduced v_reduce(vec x)
{
    const vec shifted = v_fma(x, v_set(LOG2E), v_set(ROUND_MAGIC));
    const vec n = v_sub(shifted, v_set(ROUND_MAGIC));
    vec r = v_fnma(n, v_set(LN2_HIGH), x);
    r = v_fnma(n, v_set(LN2_LOW), r);
    return (struct reduced){r, i_sub(v_bits(shifted), i_set(0x4b400000))};
}

/* The same for -a: -a = n ln 2 - r, so that e^-a = 2^n e^-r without negating anything. */
ACT_OP struct reduced v_reduce_negative(vec a)
{
    const vec shifted = v_fnma(a, v_set(LOG2E), v_set(ROUND_MAGIC));
    const vec n = v_sub(shifted, v_set(ROUND_MAGIC));
    vec r = v_fma(n, v_set(LN2_HIGH), a);
    r = v_fma(n, v_set(LN2_LOW), r);
    return (struct reduced){r, i_sub(v_bits(shifted), i_set(0x4b400000))};
}

/* e^(x + low) for a small low: r moves, n stays. */
ACT_OP struct reduced v_reduce_low(vec x, vec low)
{
    struct reduced e = v_reduce(x);
    e.r = v_add(e.r, low);
    return e;
}

ACT_OP struct reduced v_reduce_negative_low(vec a, vec low) /* e^-(a + low) */
{
    struct reduced e = v_reduce_negative(a);
    e.r = v_add(e.r, low);
    return e;
}

/* e^x - 1 for x in [-40, 80]: S (1 + p) - 1, relative accuracy kept down to 0. */
ACT_OP vec v_expm1(vec x)
{
    const struct reduced e = v_reduce(x);
    const vec s = v_pow2(e.n, 0);
    return v_fma(s, v_expm1_poly(e.r, 1), v_sub(s, v_set(1)));
}

/* The same as high + low; of x + low, where low is not NULL. */
struct expm1 {
    vec high, low;
};
ACT_OP struct expm1 v_expm1_sum(vec x, const vec *low)
{
    const struct reduced e = v_reduce(x);
    const vec s = v_pow2(e.n, 0), base = v_sub(s, v_set(1)), rest = v_expm1_rest(e.r, 1);
    const vec p = v_fma(rest, e.r, e.r), lost = v_fma(rest, e.r, v_sub(e.r, p));
    const vec p_low = low ? v_add(lost, v_fma(*low, p, *low)) : lost, high = v_fma(s, p, base);
    return (struct expm1){high, v_fma(s, p_low, v_fma(s, p, v_sub(base, high)))};
}

/* e^x - 1 for x <= 0, where ELU and CELU have alpha = 1; x above. */
ACT_OP vec v_unit_elu(vec x)
{
    return v_select(v_le(v_set(0), x), x, v_expm1(v_min(v_set(0), v_max(v_set(-40), x))));
}

/* log1p(z) / z for z in [0, 1], relative error 2^-30 (kernels/fit/log1p.sollya). */
ACT_OP vec v_log1p_quotient(vec z)
{
    vec q = v_set(0x1.1045e4p-9f);
    q = v_fma(q, z, v_set(-0x1.bf8054p-7f));
    q = v_fma(q, z, v_set(0x1.586bcap-5f));
    q = v_fma(q, z, v_set(-0x1.549f0ap-4f));
    q = v_fma(q, z, v_set(0x1.fef2p-4f));
    q = v_fma(q, z, v_set(-0x1.4a67a8p-3f));
    q = v_fma(q, z, v_set(0x1.9788bcp-3f));
    q = v_fma(q, z, v_set(-0x1.ffc54cp-3f));
    q = v_fma(q, z, v_set(0x1.5553b4p-2f));
    q = v_fma(q, z, v_set(-0x1.fffff8p-2f));
    return v_fma_tight(q, z, v_set(1));
}

/* log1p(e^-(a + low)) as value * scale, for a in [0, 176]: value stays normal where the result does
 * not. */
struct scaled {
    vec value, scale;
};

ACT_OP struct scaled v_log1p_exp(vec a, vec low)
{
    const struct reduced e = v_reduce_negative_low(a, low);
    const vec p = v_exp_poly(e.r, -1, 1);
    const vmask far = v_lt(v_set(41.6f), a); /* n < -60: z is below any rounding of 1 + z */
    const vint bias = v_bits(v_keep(far, v_from_bits(i_set(128))));
    const vec z = v_mul(p, v_pow2(i_add(e.n, bias), 0));
    const vec value = v_mul(z, v_log1p_quotient(v_drop(far, z)));
    return (struct scaled){value, v_select(far, v_set(0x1p-128f), v_set(1))};
}

/* The denominator of a logistic function of r + n ln 2: D = S + e^-r, S = 2^n, as d + low. */
struct denominator {
    vec d, low;
};

ACT_OP struct denominator v_denominator(struct reduced e)
{
    /* Below 2^-100 S changes nothing, and need not be followed to where it is subnormal. */
    const vec s = v_pow2(i_max(e.n, i_set(-100)), 0), base = v_add(s, v_set(1));
    const vec p = v_expm1_poly(e.r, -1), d = v_add(base, p);
    /* Without the low part of S + 1 the error would reach 1.5 ULP where S is near 2^-24. */
    const vec low = v_add(v_sub(p, v_sub(d, base)), v_sub(s, v_sub(base, v_set(1))));
    return (struct denominator){d, low};
}

/* w / (d + low), with the error of one rounding. */
ACT_OP vec v_quotient(vec w, struct denominator d)
{
#if V_HAS_FMA
    const vec inv = v_div(v_set(1), d.d), y = v_mul(w, inv);
    return v_fma(v_fnma(d.low, y, v_fnma(d.d, y, w)), inv, y);
#else
    const vec y = v_div(w, d.d);
    return v_sub(y, v_mul(y, v_div(d.low, d.d)));
#endif
}

/* tanh x = m / (m + 2), m = e^2a - 1 = S (1 + p) - 1, as m + low. */
ACT_OP vec v_tanh(vec x)
{
    const vec a = v_min(v_set(10), v_abs(x)); /* 1 - tanh 10 = 2^-27.9 */
    const struct reduced e = v_reduce(v_add(a, a));
    const vec s = v_pow2(e.n, 0), p = v_expm1_poly(e.r, 1), minus = v_sub(s, v_set(1));
    const vec m = v_fma(s, p, minus), low = v_fma(s, p, v_sub(minus, m));
    const vec d = v_add(m, v_set(2)), d_low = v_add(v_sub(m, v_sub(d, v_set(2))), low);
#if V_HAS_FMA
    const vec inv = v_div(v_set(1), d), y = v_mul(m, inv);
    const vec rest = v_add(v_fnma(d, y, m), v_fnma(d_low, y, low));
    return v_or(v_fma(rest, inv, y), v_sign(x));
#else
    const vec y = v_div(m, d);
    return v_or(v_add(y, v_div(v_sub(low, v_mul(d_low, y)), d)), v_sign(x));
#endif
}

/* x sigmoid(t + low) for |x| <= 110 and t in [-120, 40]: x S carries 2^64, so that only the last
 * product can be subnormal; past -120 all is 0. */
ACT_OP vec v_gate(vec x, vec t, vec low)
{
    const struct reduced e = v_reduce_low(t, low);
    const vec y = v_quotient(v_mul(x, v_pow2(e.n, 64)), v_denominator(e));
    return v_or(v_mul(y, v_set(0x1p-64f)), v_sign(x)); /* the correction loses a -0 */
}

/* t g 2^n for |t| in [2^-30, 2.83] (or 0) and n in [-250, 127], rounded three times, of which only
 * the last can be subnormal or overflow unless the result does: 2^n is applied in two halves, the
 * smaller factor first, g between them. */
ACT_OP vec v_scale_grad(vec t, vec g, vint n)
{
    const vint first = i_max(n, i_sar(i_sub(n, i_set(1)), 1));
    return v_mul(v_mul(v_mul(t, v_pow2(first, 0)), g), v_pow2(i_sub(n, first), 0));
}

#define GRAD_RANGE 172.0f /* arguments of exp beyond it change no product: e^-172 < 2^-248 */

/* The logistic function for derivatives: sigmoid(-a) = S inv, S = 2^n, inv = 1 / (S + e^r), for a
 * in [0, GRAD_RANGE]. S is kept as s1 s2: below 2^-126 it has no normal float of its own. */
struct logistic {
    vec inv, inv_low, s1, s2;
    vint n;
};

ACT_OP struct logistic v_logistic_of(struct reduced e)
{
    const vint half = i_sar(e.n, 1);
    struct logistic l = {.s1 = v_pow2(half, 0), .s2 = v_pow2(i_sub(e.n, half), 0), .n = e.n};
    /* 1 / D with D = d + low, d = RN((1 + S) + p): one Newton step leaves the last rounding alone.
     * A plain quotient would bring D's error twice into s (1 - s). */
    const vec p = v_expm1_poly(e.r, 1), base = v_fma(l.s1, l.s2, v_set(1)), d = v_add(base, p);
    const vec low = v_sub(p, v_sub(d, base));
    const vec inv = v_div(v_set(1), d);
    const vec rest = v_fma_tight(v_neg(d), inv, v_set(1));
    l.inv = v_fma(v_fnma(low, inv, rest), inv, inv);
    /* What inv still lacks, for a sum in which it comes twice. */
    l.inv_low = v_mul(v_fnma(low, l.inv, v_fma_tight(v_neg(d), l.inv, v_set(1))), l.inv);
    return l;
}

ACT_OP struct logistic v_logistic(vec a)
{
    return v_logistic_of(v_reduce_negative(a));
}

/* s (1 - s) 2^-n = inv - inv^2 2^n. */
ACT_OP vec v_logistic_slope(struct logistic l)
{
    return v_fnma(v_mul(l.inv, l.s1), v_mul(l.inv, l.s2), l.inv);
}

/* g f'(x) for f' even with f'(x) = t 2^n, going to 0 (keeping t's sign) at +-inf. */
ACT_OP vec v_grad_even(vec x, vec g, vec t, vint n)
{
    t = v_select(v_eq(v_abs(x), v_set(INFINITY)), v_sign(t), t);
    return v_scale_grad(t, g, n);
}

/* g f'(x) for f'(-a) = t 2^n and f'(a) = 1 - f'(-a), a >= 0, going to 0 at -inf and 1 at +inf:
 * what f(x) - f(-x) = x implies. */
ACT_OP vec v_grad_gated(vec x, vec g, vec t, vint n)
{
    t = v_select(v_eq(v_abs(x), v_set(INFINITY)), v_sign(t), t);
    const vint half = i_sar(n, 1);
    const vec t1 = v_mul(t, v_pow2(half, 0)), s2 = v_pow2(i_sub(n, half), 0);
    return v_select(v_lt(x, v_set(0)), v_mul(v_mul(t1, g), s2), v_mul(g, v_fnma(t1, s2, v_set(1))));
}

#else

#include "kernels/exp64.h"

#endif
#endif
