/* bf16 and f16 to f32 and back, for src/half.c. Rounds to nearest even, keeps subnormals, makes NaN
 * quiet; vcvtne2ps2bf16 is not used, for it flushes subnormals.
 *
 * An f32 result with an error may lie on the other side of a tie, the midpoint between two 16-bit
 * numbers, than the real one. Where that can be, the element is doubtful: src/half.c evaluates it
 * again in double. The bits below the 16-bit type's last place tell the distance from the tie: 16
 * of them in bf16, whose exponents are float's, 13 in f16. An f16 subnormal, a multiple of 2^-24,
 * gets 13 such bits by adding 2^-14; units of 2^-37 are at least as large as those of the float. */
#define ACT_UNIT_HALF 1
#include "dispatch/parts.h"
#include "kernels/kernel.h"

#undef ACT_DTYPE_NAME
#define ACT_DTYPE_NAME half

ACT_OP vint i_and(vint a, int32_t bits)
{
    return v_bits(v_and(v_from_bits(a), v_from_bits(i_set(bits))));
}
ACT_OP vint i_or(vint a, int32_t bits)
{
    return v_bits(v_or(v_from_bits(a), v_from_bits(i_set(bits))));
}

/* How many bits of the float are below the last place. */
enum { BF16 = 16, F16 = 13 };

/* ---- widen ------------------------------------------------------------------------------------
 */

ACT_OP vec widen_bf16(vint a)
{
    return v_from_bits(i_shl(a, 16));
}

ACT_OP vec widen_f16(vint a)
{
#if H_HAS_F16
    return h_widen_f16(a);
#else
    /* The exponent moves by 112; infinity and NaN by 112 again; a subnormal has no leading 1. */
    const vint bits = i_add(i_shl(i_and(a, 0x7fff), 13), i_set(112 << 23));
    const vec normal = v_from_bits(bits);
    const vec special = v_keep(v_le(v_set(0x1p16f), normal), v_from_bits(i_set(112 << 23)));
    const vec subnormal = v_sub(v_from_bits(i_add(bits, i_set(1 << 23))), v_set(0x1p-14f));
    const vec size = v_select(v_lt(normal, v_set(0x1p-14f)), subnormal,
                              v_from_bits(i_add(bits, v_bits(special))));
    return v_or(size, v_sign(v_from_bits(i_shl(a, 16))));
#endif
}

/* ---- narrow -----------------------------------------------------------------------------------
 */

ACT_OP vint narrow_bf16(vec y)
{
    const vint bits = v_bits(y), odd = i_and(i_sar(bits, 16), 1);
    const vec rounded = v_from_bits(i_add(i_add(bits, i_set(0x7fff)), odd));
    const vec quiet = v_from_bits(i_set(0x7fc00000));
    return i_sar(v_bits(v_select(v_eq(y, y), rounded, quiet)), 16);
}

/* y with the bits that tell the distance from a tie. */
ACT_OP vec f16_fixed(vec y)
{
    const vec a = v_abs(y);
    return v_add(a, v_keep(v_lt(a, v_set(0x1p-14f)), v_set(0x1p-14f)));
}

ACT_OP vint narrow_f16(vec y)
{
#if H_HAS_F16
    return h_narrow_f16(y);
#else
    /* Twice rounded where subnormal, first to 2^-37: that matters on a tie, which is doubtful. */
    const vec small = v_keep(v_lt(v_abs(y), v_set(0x1p-14f)), v_from_bits(i_set(1 << 23)));
    const vint rebias = i_add(i_set(112 << 23), v_bits(small));
    const vint bits = i_sub(v_bits(f16_fixed(y)), rebias), odd = i_and(i_sar(bits, 13), 1);
    const vint rounded = i_sar(i_add(i_add(bits, i_set(0xfff)), odd), 13);
    const vint most = i_set(0x7c00), over = i_max(i_sub(rounded, most), i_set(0));
    const vec size =
        v_select(v_eq(y, y), v_from_bits(i_sub(rounded, over)), v_from_bits(i_set(0x7e00)));
    return v_bits(v_or(size, v_from_bits(i_and(i_sar(v_bits(y), 16), 0x8000))));
#endif
}

/* Within t->ulp units of a tie? The low bits, as an integer in a float's last places, are compared.
 */
ACT_OP vmask near_tie(vec y, int low_bits, int32_t ulp)
{
    const int32_t half = 1 << (low_bits - 1), magic = 0x4b000000; /* 2^23 */
    const vec fixed = low_bits == F16 ? f16_fixed(y) : y;
    const vint above = i_add(v_bits(fixed), i_set(half + ulp));
    const vec distance = v_from_bits(i_or(i_and(above, 2 * half - 1), magic));
    return v_le(distance, v_from_bits(i_set(magic + 2 * ulp)));
}

struct vtolerance {
    vec low, high, each, base, relative;
};

/* Not within the rest of the tolerance, as a distance? False of an infinity too, to which terms may
 * have overflowed. (Where y is subnormal t.relative may underflow: near_tie has those.) */
ACT_OP vmask far_from_tie(vec y, vec x, vec v, int low_bits, struct vtolerance t)
{
    const int32_t half = 1 << (low_bits - 1);
    const vec fixed = low_bits == F16 ? f16_fixed(y) : v_abs(y);
    const vec tie = v_from_bits(i_or(i_and(v_bits(fixed), ~(2 * half - 1)), half));
    const vec more = v_keep(v_inside(t.low, x, t.high), v_fma(v_abs(v), t.each, t.base));
    return v_lt(v_fma(fixed, t.relative, more), v_abs(v_sub(fixed, tie)));
}

/* ---- the loops --------------------------------------------------------------------------------
 */

#define HALF_TYPE(type, low_bits)                                                                  \
    static void ACT_SYMBOL(type, widen)(const void *in, float *out, size_t n)                      \
    {                                                                                              \
        const unsigned char *p = in;                                                               \
        for (size_t i = 0; i < n; i += VL)                                                         \
            v_store(out + i, widen_##type(h_load(p + 2 * i)));                                     \
    }                                                                                              \
    ACT_OP uint32_t type##_block(const float *y, const float *x, const float *v, int wide,         \
                                 int32_t ulp, struct vtolerance t, unsigned char *out)             \
    {                                                                                              \
        uint32_t lanes = 0;                                                                        \
        for (int i = 0; i < ACT_HALF_BLOCK; i += VL) {                                             \
            const vec a = v_load(y + i);                                                           \
            h_store(out + 2 * i, narrow_##type(a));                                                \
            lanes |= h_lanes(near_tie(a, low_bits, ulp)) << i;                                     \
            if (wide) {                                                                            \
                const vec b = v_load(x + i), c = v_load(v + i);                                    \
                const uint32_t far = h_lanes(far_from_tie(a, b, c, low_bits, t));                  \
                lanes |= (~far & ((1u << VL) - 1)) << i;                                           \
            }                                                                                      \
        }                                                                                          \
        return lanes;                                                                              \
    }                                                                                              \
    static size_t ACT_SYMBOL(type, narrow)(const float *y, const float *x, const float *v,         \
                                           const struct act_tolerance *tolerance, void *out,       \
                                           uint16_t *doubtful, size_t n)                           \
    {                                                                                              \
        const struct act_tolerance t = *tolerance;                                                 \
        const struct vtolerance w = {v_set(t.low), v_set(t.high), v_set(t.each), v_set(t.base),    \
                                     v_set((float)(t.ulp + 1) * 0x1p-23f)};                        \
        const int wide = t.high > t.low;                                                           \
        size_t count = 0;                                                                          \
        for (size_t i = 0; i < n; i += ACT_HALF_BLOCK) {                                           \
            unsigned char *p = (unsigned char *)out + 2 * i;                                       \
            uint32_t lanes = wide ? type##_block(y + i, x + i, v + i, 1, t.ulp, w, p)              \
                                  : type##_block(y + i, NULL, NULL, 0, t.ulp, w, p);               \
            for (; lanes; lanes &= lanes - 1)                                                      \
                doubtful[count++] = (uint16_t)(i + (size_t)__builtin_ctz(lanes));                  \
        }                                                                                          \
        return count;                                                                              \
    }                                                                                              \
    extern const struct act_half ACT_ROW(type);                                                    \
    const struct act_half ACT_ROW(type) = {ACT_SYMBOL(type, widen), ACT_SYMBOL(type, narrow)};

HALF_TYPE(bf16, BF16)
HALF_TYPE(f16, F16)
