/* Double: sigmoid(-a) with its only two doubles in the denominator, for sigmoid and silu. */
#ifndef ACT_KERNELS_HALF_LOGISTIC64_H
#define ACT_KERNELS_HALF_LOGISTIC64_H

#include "kernels/math.h"

#if ACT_UNIT_F64
/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2, z = r^2: e^r to 2^-56.1 (kernels/fit/logistic64.py). */
ACT_OP vec v_exp_quadratic(vec r, vec z)
{
    vec even = v_set(0x1.28918e390a71ep-22), odd = v_set(0x1.af38b4925be09p-26);
    even = v_fma(even, z, v_set(0x1.a019b905bafb1p-16));
    odd = v_fma(odd, z, v_set(0x1.71de0da9d06acp-19));
    even = v_fma(even, z, v_set(0x1.6c16c1788dc33p-10));
    odd = v_fma(odd, z, v_set(0x1.a01a01a7c54aep-13));
    even = v_fma(even, z, v_set(0x1.5555555553d5ep-5));
    odd = v_fma(odd, z, v_set(0x1.11111111109b2p-7));
    even = v_fma(even, z, v_set(0x1.0000000000001p-1));
    odd = v_fma(odd, z, v_set(0x1.5555555555556p-3));
    return v_fma(odd, r, even);
}

/* sigmoid(-a) = S / (S + e^r), S = 2^n = power scale, a = r - n ln 2, from 0 to EXP_RANGE or NaN: S
 * is exact, so that only d + low = S + e^r needs two doubles. Its error is below 2^-53.4: r, e^r -
 * 1 and a sum that is close to it are rounded, all below 1/2. */
struct half_logistic {
    vec power, scale, d, low;
};

ACT_OP struct half_logistic v_half_logistic(vec a)
{
    const vec shifted = v_fnma(a, v_set(LOG2E), v_set(ROUND_MAGIC)), one = v_set(1);
    const vec n = v_sub(shifted, v_set(ROUND_MAGIC));
    const vec r = v_fma(n, v_set(LN2_LOW), v_fma(n, v_set(LN2_HIGH), a)), z = v_mul(r, r);
    const vec p = v_fma(z, v_exp_quadratic(r, z), r);
    const vmask far = v_lt(v_set(360), a);
    /* NaN leaves nothing in the exponent. */
    const vec kept = v_max(shifted, v_set(ROUND_MAGIC - 1100));
    const vec power = v_pow2(v_add(kept, v_keep(far, v_set(512))));
    const vec scale = v_select(far, v_set(0x1p-512), v_set(1));
    const vec whole = v_mul(power, scale), d = v_add(v_add(one, whole), p);
    /* 1 - d is exact, for d < 2.5; it has all of S in it, which 1 + S has not. */
    const vec low = v_add(v_add(whole, v_sub(one, d)), p);
    return (struct half_logistic){power, scale, d, low};
}

/* t / (d + low) */
ACT_OP vec v_over(vec t, struct half_logistic l)
{
    const vec inverse = v_div(v_set(1), l.d), q = v_mul(t, inverse);
#if V_HAS_FMA
    const vec rest = v_fnma(l.d, q, t);
#else
    const vec product = v_mul(l.d, q), rest = v_sub(v_sub(t, product), v_mul_low(l.d, q, product));
#endif
    return v_fma(v_fnma(l.low, q, rest), inverse, q);
}
#endif

#endif
