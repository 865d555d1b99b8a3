/* Double: e^x and log1p(e^-a) as sums of two doubles, so that what a kind does with them is rounded
 * once or twice in all. A pair is high + low, |low| up to a few ULP of high; every step of a pair
 * loses 2^-100 or so, the polynomials 2^-55.5. Where there is no FMA v_mul_low splits the factors.
 * A product by a power of two is exact. */
#ifndef ACT_KERNELS_EXP64_H
#define ACT_KERNELS_EXP64_H

struct pair {
    vec high, low;
};

/* a + b, for |a| >= |b|. */
ACT_OP struct pair v_fast_sum(vec a, vec b)
{
    const vec sum = v_add(a, b);
    return (struct pair){sum, v_sub(b, v_sub(sum, a))};
}

/* a + b, for a whose exponent may be the smaller. */
ACT_OP struct pair v_sum(vec a, vec b)
{
    const vec sum = v_add(a, b), back = v_sub(sum, a);
    return (struct pair){sum, v_add(v_sub(a, v_sub(sum, back)), v_sub(b, back))};
}

ACT_OP struct pair v_pair_add(struct pair a, struct pair b)
{
    const struct pair s = v_sum(a.high, b.high);
    return (struct pair){s.high, v_add(s.low, v_add(a.low, b.low))};
}

ACT_OP struct pair v_times(struct pair a, vec b)
{
    const vec high = v_mul(a.high, b);
    return (struct pair){high, v_fma(a.low, b, v_mul_low(a.high, b, high))};
}

ACT_OP struct pair v_pair_mul(struct pair a, struct pair b)
{
    const vec high = v_mul(a.high, b.high), cross = v_fma(a.low, b.high, v_mul(a.high, b.low));
    return (struct pair){high, v_add(v_mul_low(a.high, b.high, high), cross)};
}

/* One division: the quotient by the reciprocal, and the rest by it again. */
ACT_OP struct pair v_pair_div(struct pair a, struct pair b)
{
    const vec inverse = v_div(v_set(1), b.high), q = v_mul(a.high, inverse);
#if V_HAS_FMA
    const vec rest = v_add(v_fnma(b.high, q, a.high), v_fnma(b.low, q, a.low));
#else
    const vec product = v_mul(b.high, q), low = v_mul_low(b.high, q, product);
    const vec rest = v_add(v_sub(v_sub(a.high, product), low), v_fnma(b.low, q, a.low));
#endif
    return (struct pair){q, v_mul(rest, inverse)};
}

ACT_OP vec v_rounded(struct pair a)
{
    return v_add(a.high, a.low);
}

/* a x + more, rounded once (with FMA); x may be infinite. */
ACT_OP vec v_times_plus(struct pair a, vec x, vec more)
{
    const vec finite = v_keep(v_lt(v_abs(x), v_set(INFINITY)), x);
    return v_fma(a.high, x, v_fma(a.low, finite, more));
}

/* ln 2 = LN2_HIGH + LN2_LOW: 40 bits, so that n LN2_HIGH is exact for |n| < 2^13. */
#define LOG2E    0x1.71547652b82fep+0
#define LN2_HIGH 0x1.62e42fefa2p-1
#define LN2_LOW  0x1.9ef35793c7673p-41
/* x + this - this = rint(x), and n + 1023 is in the low bits of the sum. */
#define ROUND_MAGIC (0x1.8p52 + 1023)

/* 2^n, for n + ROUND_MAGIC with n from -1023 (then 0) to 1023. */
#define v_pow2(shifted) v_shl52(shifted)

/* e^(x + low) = 2^n (1 + p), |x| <= 2000. */
struct exp64 {
    struct pair p;
    vec shifted; /* n + ROUND_MAGIC */
};

/* e^r = 1 + r + r^2 q(r), q of degree 10, to 2^-62 (kernels/fit/exp64.sollya); r^2 q is below .07,
 * and its rounding 2^-56. */
ACT_OP struct exp64 v_exp64(vec x, vec low)
{
    const vec shifted = v_fma(x, v_set(LOG2E), v_set(ROUND_MAGIC));
    const vec n = v_sub(shifted, v_set(ROUND_MAGIC));
    const vec first = v_fnma(n, v_set(LN2_HIGH), x), r = v_fnma(n, v_set(LN2_LOW), first);
    const vec rest = v_add(v_fnma(n, v_set(LN2_LOW), v_sub(first, r)), low);

    const vec z = v_mul(r, r);
    vec even = v_fma(v_set(0x1.1f32edc5d5271p-29), z, v_set(0x1.27e500e02d3b1p-22));
    vec odd = v_fma(v_set(0x1.af4eb929639c7p-26), z, v_set(0x1.71de01b5a8f2fp-19));
    even = v_fma(even, z, v_set(0x1.a01a0197bcc57p-16));
    odd = v_fma(odd, z, v_set(0x1.a01a01ac1b399p-13));
    even = v_fma(even, z, v_set(0x1.6c16c16c18932p-10));
    odd = v_fma(odd, z, v_set(0x1.1111111110055p-7));
    even = v_fma(even, z, v_set(0x1.5555555555552p-5));
    odd = v_fma(odd, z, v_set(0x1.5555555555557p-3));
    even = v_fma(even, z, v_set(0.5));
    const vec t = v_mul(z, v_fma(odd, r, even));

    struct pair p = v_fast_sum(r, t);
    p.low = v_add(p.low, v_fma(rest, p.high, rest));
    return (struct exp64){p, shifted};
}

/* value * scale, value + low normal: what multiplies it comes before the scale, so that only the
 * last product can be subnormal. */
struct scaled {
    vec value, low, scale;
};

ACT_OP struct scaled v_scaled(struct pair p, vec power, vec scale)
{
    const struct pair w = v_fast_sum(v_set(1), p.high);
    return (struct scaled){v_mul(w.high, power), v_mul(v_add(w.low, p.low), power), scale};
}

/* e^-(a + low), a from 0 to EXP_RANGE or NaN. */
#define EXP_RANGE 760.0 /* e^-760 < 2^-1096: zero in any product */

ACT_OP struct scaled v_exp_scaled(vec a, vec low)
{
    const struct exp64 e = v_exp64(v_neg(a), v_neg(low));
    const vmask far = v_lt(v_set(360), a);
    /* NaN leaves nothing in the exponent. */
    const vec n = v_max(e.shifted, v_set(ROUND_MAGIC - 1100));
    const vec power = v_pow2(v_add(n, v_keep(far, v_set(512))));
    return v_scaled(e.p, power, v_select(far, v_set(0x1p-512), v_set(1)));
}

/* The same over the range that a large factor can lift. */
#define EXP_FAR 1487.0 /* DBL_MAX e^-1487 is 0 */

ACT_OP struct scaled v_exp_far(vec a, vec low)
{
    const struct exp64 e = v_exp64(v_neg(a), v_neg(low));
    const vmask far = v_lt(v_set(350), a);
    const vec magic = v_set(ROUND_MAGIC);
    const vec n = v_sub(v_max(e.shifted, v_set(ROUND_MAGIC - 2200)), magic);
    /* n in three parts, no factor 0 for an infinite g: to -1021, to -1074, to -52, where value is
     * subnormal, and so is any product. */
    const vec half = v_add(v_max(v_mul(n, v_set(0.5)), v_set(-1021)), magic);
    const vec first = v_select(far, half, v_add(n, magic)), rest = v_sub(n, v_sub(first, magic));
    const vec second = v_max(rest, v_set(-1074));
    const vec scale = v_mul(v_pow2(v_add(second, v_set(ROUND_MAGIC + 128))), v_set(0x1p-128));
    struct scaled r = v_scaled(e.p, v_pow2(first), scale);
    const vec third = v_pow2(v_add(v_sub(rest, second), magic));
    r.value = v_mul(r.value, third);
    r.low = v_mul(r.low, third);
    return r;
}

/* 1 + z, z = e.value e.scale <= 1. */
ACT_OP struct pair v_one_plus(struct scaled e)
{
    struct pair d = v_fast_sum(v_set(1), v_mul(e.value, e.scale));
    d.low = v_fma(e.low, e.scale, d.low);
    return d;
}

ACT_OP struct pair v_value(struct scaled e)
{
    return (struct pair){e.value, e.low};
}

/* sigmoid(-a) / scale of e^-a, a >= 0. */
ACT_OP struct pair v_logistic(struct scaled e)
{
    return v_pair_div(v_value(e), v_one_plus(e));
}

/* s (1 - s) / scale of the same. */
ACT_OP struct pair v_logistic_slope(struct scaled e)
{
    const struct pair d = v_one_plus(e);
    return v_pair_div(v_value(e), v_pair_mul(d, d));
}

/* e^(x + low) - 1 for x in [-40, 700], relative accuracy kept down to 0. */
ACT_OP struct pair v_expm1_pair(vec x, vec low)
{
    const struct exp64 e = v_exp64(x, low);
    const vec s = v_pow2(v_max(e.shifted, v_set(ROUND_MAGIC - 1000))), one = v_set(1);
    const vec minus = v_sub(s, one), sp = v_mul(e.p.high, s);
    struct pair m = v_fast_sum(minus, sp);
    /* What s - 1 has lost, where s is 2^-54 or 2^54. */
    const vec lost = v_sub(s, v_add(minus, one));
    m.low = v_add(v_fma(e.p.low, s, m.low), lost);
    return m;
}

ACT_OP vec v_expm1(vec x)
{
    return v_rounded(v_expm1_pair(x, v_set(0)));
}

/* tanh(a + low), a >= 0: m / (m + 2), m = e^2a - 1. 1 - tanh 19.5 = 2^-55.3. */
#define TANH_END 19.5
ACT_OP struct pair v_tanh_pair(vec a, vec low)
{
    const struct pair m = v_expm1_pair(v_add(a, a), v_add(low, low));
    struct pair d = v_sum(m.high, v_set(2));
    d.low = v_add(d.low, m.low);
    return v_pair_div(m, d);
}

/* tanh x, any x; NaN stays. */
ACT_OP struct pair v_tanh_any(vec x)
{
    const struct pair t = v_tanh_pair(v_min(v_set(TANH_END), v_abs(x)), v_set(0));
    const vec sign = v_sign(x);
    return (struct pair){v_or(t.high, sign), v_xor(t.low, sign)};
}

ACT_OP vec v_tanh(vec x)
{
    return v_rounded(v_tanh_any(x));
}

/* 2 atanh(s) for s from 0 to 1/3: 2 s (1 + u r(u)), u = s^2, to 2^-57.5 (kernels/fit/log64.sollya).
 * log1p(z) is that of z / (2 + z). */
ACT_OP struct pair v_atanh_twice(struct pair s, vec u)
{
    vec r = v_set(0x1.4ab564c427aafp-4);
    const vec u2 = v_mul(u, u);
    r = v_fma(r, u2, v_set(0x1.eb7b3c98b13a8p-5));
    vec q = v_fma(v_set(0x1.68d693dcd626fp-5), u2, v_set(0x1.10adc9e74ecabp-4));
    r = v_fma(r, u2, v_set(0x1.3b18991bb156ap-4));
    q = v_fma(q, u2, v_set(0x1.745cf1d9100b5p-4));
    r = v_fma(r, u2, v_set(0x1.c71c7269548bfp-4));
    q = v_fma(q, u2, v_set(0x1.24924923e317fp-3));
    r = v_fma(r, u2, v_set(0x1.999999999a249p-3));
    q = v_fma(q, u2, v_set(0x1.5555555555555p-2));
    const vec more = v_mul(v_mul(s.high, u), v_fma(r, u, q));
    struct pair l = v_fast_sum(s.high, v_add(s.low, more));
    return (struct pair){v_add(l.high, l.high), v_add(l.low, l.low)};
}

/* log1p(e^-a) / scale of e^-a, a >= 0. */
ACT_OP struct pair v_log1p_exp(struct scaled e)
{
    struct pair d = v_fast_sum(v_set(2), v_mul(e.value, e.scale));
    d.low = v_fma(e.low, e.scale, d.low);
    const struct pair s = v_pair_div(v_value(e), d);
    const vec real = v_mul(s.high, e.scale);
    return v_atanh_twice(s, v_mul(real, real));
}

/* x sigmoid(t + low), low belonging to |t|: |x| sigmoid(-|t|) below, x minus it above. Beyond most,
 * finite, |x| sigmoid(-|t|) is 0. */
ACT_OP vec v_gate(vec x, vec t, struct scaled e, vec most)
{
    const vec inner = v_min(most, v_max(v_neg(most), x));
    const struct pair s = v_logistic(e);
    const vec tail = v_fma(s.high, inner, v_mul(s.low, inner));
    const vec below = v_mul(tail, e.scale), above = v_fnma(tail, e.scale, x);
    return v_or(v_select(v_lt(t, v_set(0)), below, above), v_sign(x));
}

/* g f'(x) for f' even with f'(x) = t scale, going to 0 (keeping t's sign) at +-inf. */
ACT_OP vec v_grad_even(vec x, vec g, vec t, vec scale)
{
    t = v_select(v_eq(v_abs(x), v_set(INFINITY)), v_sign(t), t);
    return v_mul(v_mul(t, g), scale);
}

/* g f'(x) for f'(-a) = t scale and f'(a) = 1 - f'(-a), a >= 0, going to 0 at -inf, 1 at +inf. */
ACT_OP vec v_grad_gated(vec x, vec g, struct pair t, vec scale)
{
    const vec rounded = v_rounded(t), one = v_set(1);
    const vec t1 = v_select(v_eq(v_abs(x), v_set(INFINITY)), v_sign(rounded), rounded);
    /* With the low part of t: at x = 0 1 - t would round twice in the same binade. */
    const vec high = v_fnma(t.high, scale, one), low = v_fnma(t.high, scale, v_sub(one, high));
    const vec above = v_add(high, v_fnma(t.low, scale, low));
    return v_select(v_lt(x, v_set(0)), v_mul(v_mul(t1, g), scale), v_mul(g, above));
}

/* silu'(-a) / scale: z (1 + z - a) / (1 + z)^2, z = e^-(a + low) as e. */
ACT_OP struct pair v_silu_slope(struct scaled e, vec a, vec low)
{
    const struct pair d = v_one_plus(e), minus = {v_neg(a), v_neg(low)};
    const struct pair n = v_pair_mul(v_value(e), v_pair_add(d, minus));
    return v_pair_div(n, v_pair_mul(d, d));
}

#endif
