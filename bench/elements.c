/* The element types: arrays of any of them, and distances in their last places. */
#include "bench/bench.h"

#include <math.h>
#include <string.h>

const char *const dtype_names[DTYPE_COUNT] = {"f32", "f64", "bf16", "f16"};

/* Digits of the significand, exponents of the smallest and the largest number. */
static const struct {
    size_t size;
    int digits, least, most;
} types[DTYPE_COUNT] = {
    {4, 24, -126, 127}, {8, 53, -1022, 1023}, {2, 8, -126, 127}, {2, 11, -14, 15}};

size_t elem_size(act_dtype dtype)
{
    return types[dtype].size;
}

/* The place of value's last digit. */
static int place(act_dtype dtype, double value)
{
    const int exponent = value == 0 ? types[dtype].least : ilogb(value);
    return (exponent < types[dtype].least ? types[dtype].least : exponent) - types[dtype].digits +
           1;
}

void elem_put(act_dtype dtype, void *array, size_t i, double value)
{
    if (dtype == ACT_F64) {
        ((double *)array)[i] = value;
    } else if (dtype == ACT_F32) {
        ((float *)array)[i] = (float)value;
    } else {
        const int bits = types[dtype].digits - 1, least = types[dtype].least;
        const unsigned infinity = (unsigned)(types[dtype].most - least + 2) << bits;
        const double size = fabs(value);
        unsigned half = infinity + (isnan(value) ? 1u << (bits - 1) : 0);
        if (size < ldexp(1, types[dtype].most + 1)) {
            /* Counted in last places; a carry is the next exponent. */
            const int at = place(dtype, size);
            const unsigned steps = (unsigned)(at - (least - bits));
            half = (steps << bits) + (unsigned)nearbyint(ldexp(size, -at));
        }
        ((uint16_t *)array)[i] = (uint16_t)(half | (signbit(value) ? 0x8000u : 0));
    }
}

double elem_get(act_dtype dtype, const void *array, size_t i)
{
    if (dtype == ACT_F64)
        return ((const double *)array)[i];
    if (dtype == ACT_F32)
        return (double)((const float *)array)[i];
    const unsigned half = ((const uint16_t *)array)[i], size = half & 0x7fff;
    const int bits = types[dtype].digits - 1, least = types[dtype].least;
    const int exponent = (int)(size >> bits);
    const unsigned fraction = size & ((1u << bits) - 1);
    double value = exponent ? ldexp((double)(fraction + (1u << bits)), exponent - 1 + least - bits)
                            : ldexp((double)fraction, least - bits);
    if (exponent == types[dtype].most - least + 2)
        value = fraction ? (double)NAN : (double)INFINITY;
    return half & 0x8000 ? -value : value;
}

double ulps(act_dtype dtype, double got, double want)
{
    uint64_t rounded[1];
    elem_put(dtype, rounded, 0, want);
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got) ? 0 : (double)INFINITY;
    if (isinf(got) || !isfinite(elem_get(dtype, rounded, 0)))
        return got == elem_get(dtype, rounded, 0) ? 0 : (double)INFINITY;
    return fabs(got - want) / ldexp(1, place(dtype, want));
}
