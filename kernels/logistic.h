/* f32: the logistic function for the forward kernels, S / (S + e^r) with S = 2^n. */
#ifndef ACT_KERNELS_LOGISTIC_H
#define ACT_KERNELS_LOGISTIC_H

#include "kernels/math.h"

#if !V_DOUBLE
/* S scaled by 2^31: with n from -157 to 0, S is 0 from -158 on. */
#define LOGISTIC_SCALE 0x1p-31f
#define LOGISTIC_MAGIC (ROUND_MAGIC + 127 + 31) /* in the low bits of n + this: the exponent of S  \
                                                 */
#define LOGISTIC_MOST 109.5f /* n = -158: where a sigmoid(-a) has been 0 since 108.66 */

/* s = S 2^31, D = S + e^r = d + low. */
struct half_logistic {
    vec s, d, low;
};

/* sigmoid(-a) = S / D, from shifted = n + LOGISTIC_MAGIC, -a = n ln 2 - f r, f a constant, and
 * q = (e^(f r) - 1) / r. */
ACT_OP struct half_logistic v_half_logistic(vec shifted, vec q, vec r)
{
    const vec one = v_set(1), scale = v_set(LOGISTIC_SCALE);
    const vec s = v_from_bits(i_shl(v_bits(shifted), 23)), d = v_fma(q, r, v_fma(s, scale, one));
    /* 1 - D is exact (D < 2.5), and has S in it, which 1 + S has not. */
    const vec low = v_fma(s, scale, v_fma(q, r, v_sub(one, d)));
    return (struct half_logistic){s, d, low};
}

/* (e^r - 1) / r, |r| <= .3468 (kernels/fit/exp.sollya). */
ACT_OP vec v_expm1_quotient(vec r)
{
    vec q = v_set(0x1.6b73ap-10f);
    q = v_fma(q, r, v_set(0x1.1227aap-7f));
    q = v_fma(q, r, v_set(0x1.555716p-5f));
    q = v_fma(q, r, v_set(0x1.5554bp-3f));
    q = v_fma(q, r, v_set(0x1.fffffep-2f));
    return v_fma(q, r, v_set(1));
}
#endif
#endif
