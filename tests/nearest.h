/* A double rounded to bf16 or f16, to nearest even: what the library's 16-bit results are held to.
 */
#ifndef ACT_TESTS_NEAREST_H
#define ACT_TESTS_NEAREST_H

#include "actfn/actfn.h"

#include <math.h>
#include <stdint.h>

static inline uint16_t nearest16(act_dtype type, double x)
{
    const int fraction = type == ACT_F16 ? 10 : 7, least = type == ACT_F16 ? -24 : -133;
    const uint32_t infinity = type == ACT_F16 ? 0x7c00 : 0x7f80;
    const uint16_t sign = signbit(x) ? 0x8000 : 0;
    if (isnan(x))
        return (uint16_t)(sign | infinity | 1u << (fraction - 1));
    if (isinf(x))
        return (uint16_t)(sign | infinity);
    int exponent = least;
    if (x != 0)
        frexp(x, &exponent);
    exponent -= fraction + 1;
    exponent = exponent < least ? least : exponent;
    /* A carry of the fraction into the exponent is right as it is. */
    const uint32_t bits =
        ((uint32_t)(exponent - least) << fraction) + (uint32_t)nearbyint(ldexp(fabs(x), -exponent));
    return (uint16_t)(sign | (bits < infinity ? bits : infinity));
}

#endif
