/* bf16 and f16 to f32 and back, for src/half.c. Keeps subnormals, makes NaN quiet; vcvtne2ps2bf16
 * is not used, for it flushes subnormals.
 *
 * An f32 result with an error may lie on the other side of a tie, the midpoint between two 16-bit
 * numbers, than the real one. Where that can be, the element is doubtful: src/half.c evaluates it
 * again in double. A result on a tie always is, so the rounding here need not care which way that
 * goes. The bits below the 16-bit type's last place tell the distance from the tie: 16 of them in
 * bf16, whose exponents are float's, 13 in f16. An f16 subnormal, a multiple of 2^-24, gets 13 such
 * bits by adding 2^-14; units of 2^-37 are at least as large as those of the float. */
#define ACT_UNIT_HALF 1
#include "dispatch/half_stream.h"
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

ACT_OP vec load_bf16(const unsigned char *p)
{
    return v_from_bits(i_shl(h_load(p), 16));
}

ACT_OP vec load_f16(const unsigned char *p)
{
#if H_HAS_F16
    return h_load_f16(p);
#else
    const vint a = h_load(p);
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
    const vec rounded = v_from_bits(i_add(v_bits(y), i_set(0x8000)));
    return h_shr16(v_bits(v_select(v_eq(y, y), rounded, v_from_bits(i_set(0x7fc00000)))));
}

ACT_OP void store_bf16(unsigned char *p, vec a, vec b)
{
    h_store(p, narrow_bf16(a), narrow_bf16(b));
}

/* y, whose sign does not matter, with the bits that tell the distance from a tie. */
ACT_OP vec fixed_bf16(vec y)
{
    return y;
}
ACT_OP vec fixed_f16(vec y)
{
    const vec a = v_abs(y);
    return v_add(a, v_keep(v_lt(a, v_set(0x1p-14f)), v_set(0x1p-14f)));
}

#if !H_HAS_F16
ACT_OP vint narrow_f16(vec y)
{
    const vec small = v_keep(v_lt(v_abs(y), v_set(0x1p-14f)), v_from_bits(i_set(1 << 23)));
    const vint rebias = i_sub(i_set(0x1000 - (112 << 23)), v_bits(small));
    const vint rounded = i_sar(i_add(v_bits(fixed_f16(y)), rebias), 13);
    const vint most = i_set(0x7c00), over = i_max(i_sub(rounded, most), i_set(0));
    const vec size = v_from_bits(i_sub(rounded, over)), quiet = v_from_bits(i_set(0x7e00));
    const vint sign = i_and(h_shr16(v_bits(y)), 0x8000);
    return v_bits(v_or(v_select(v_eq(y, y), size, quiet), v_from_bits(sign)));
}
#endif

ACT_OP void store_f16(unsigned char *p, vec a, vec b)
{
#if H_HAS_F16
    h_store_f16(p, a, b);
#else
    h_store(p, narrow_f16(a), narrow_f16(b));
#endif
}

struct vtolerance {
    vint centre, high_bits; /* of the distance in last places, a power of two */
    vec low, high, each, base, relative;
};

/* Within the units of t, or up to twice as many? */
ACT_OP vmask near_tie(vec fixed, const struct vtolerance *t)
{
    return h_clear(i_add(v_bits(fixed), t->centre), t->high_bits);
}

/* Not within the rest of the tolerance, as a distance? False of an infinity too, to which terms may
 * have overflowed. (Where y is subnormal t->relative may underflow: near_tie has those.) */
ACT_OP vmask far_from_tie(vec fixed, vec x, vec v, int low_bits, const struct vtolerance *t)
{
    const int32_t half = 1 << (low_bits - 1);
    const vec tie = v_from_bits(i_or(i_and(v_bits(fixed), ~(2 * half - 1)), half));
    const vec more = v_keep(v_inside(t->low, x, t->high), v_fma(v_abs(v), t->each, t->base));
    return v_lt(v_fma(v_abs(fixed), t->relative, more), v_abs(v_sub(fixed, tie)));
}

/* ---- the loops --------------------------------------------------------------------------------
 */

ACT_OP struct vtolerance v_tolerance(const struct act_tolerance *t, int low_bits)
{
    int32_t units = 2;
    while (units <= t->ulp)
        units *= 2;
    const int32_t half = 1 << (low_bits - 1);
    return (struct vtolerance){i_set(half + units),
                               i_set((2 * half - 1) & ~(2 * units - 1)),
                               v_set(t->low),
                               v_set(t->high),
                               v_set(t->each),
                               v_set(t->base),
                               v_set((float)(t->ulp + 1) * 0x1p-23f)};
}

/* Results from a table of all: one by one, or by gathers, of which CPUs take from .2 to .4 ns an
 * element (dispatch/select.c chooses). */
#if ACT_ISA_IS_SCALAR
#define LOOK_UP NULL /* the reference of the other tables computes */
#else
#define LOOK_UP ACT_SYMBOL(half, look_up)
static void LOOK_UP(const uint16_t *table, const void *in, void *out, size_t n)
{
    const unsigned char *p = in;
    unsigned char *to = out;
#if H_HAS_PICK
    for (size_t i = 0; i < n; i += 8)
        h_pick(to + 2 * i, table, p + 2 * i);
#else
    for (size_t i = 0; i < n; i++) {
        uint16_t x;
        memcpy(&x, p + 2 * i, sizeof x);
        memcpy(to + 2 * i, &table[x], sizeof x);
    }
#endif
}
#endif
#if H_HAS_GATHER
#define GATHER ACT_SYMBOL(half, gather)
static void GATHER(const uint16_t *table, const void *in, void *out, size_t n)
{
    const unsigned char *p = in;
    unsigned char *to = out;
    for (size_t i = 0; i < n; i += 2 * VL) {
        const vint a = h_gather(table, h_load(p + 2 * i));
        const vint b = h_gather(table, h_load(p + 2 * i + 2 * VL));
        h_store(to + 2 * i, a, b);
    }
}
#else
#define GATHER NULL
#endif

/* A loop that gcc vectorises (-O3): 0 for what has a sign and is not -0 or NaN. */
#define HALF_RELU(type, infinity, quiet)                                                           \
    static void ACT_SYMBOL(type, relu)(const void *in, void *out, size_t n)                        \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                           \
            uint16_t x;                                                                            \
            memcpy(&x, (const char *)in + 2 * i, sizeof x);                                        \
            /* From the number after -0 to -infinity; NaN. */                                      \
            const uint16_t kept = (uint16_t)(x - 0x8001) < infinity ? 0 : x;                       \
            const uint16_t y = kept | ((x & 0x7fff) > infinity ? quiet : 0);                       \
            memcpy((char *)out + 2 * i, &y, sizeof y);                                             \
        }                                                                                          \
    }
HALF_RELU(bf16, 0x7f80, 0x40)
HALF_RELU(f16, 0x7c00, 0x200)

#define HALF_TYPE(type, low_bits)                                                                  \
    static void ACT_SYMBOL(type, widen)(const void *in, float *out, size_t n)                      \
    {                                                                                              \
        const unsigned char *p = in;                                                               \
        for (size_t i = 0; i < n; i += 2 * VL) {                                                   \
            v_store(out + i, load_##type(p + 2 * i));                                              \
            v_store(out + i + VL, load_##type(p + 2 * i + 2 * VL));                                \
        }                                                                                          \
    }                                                                                              \
    ACT_OP uint32_t type##_doubtful(vec y, const float *x, const float *v, int wide,               \
                                    const struct vtolerance *t)                                    \
    {                                                                                              \
        const vec fixed = fixed_##type(y);                                                         \
        uint32_t lanes = h_lanes(near_tie(fixed, t));                                              \
        if (wide)                                                                                  \
            lanes |= ~h_lanes(far_from_tie(fixed, v_load(x), v_load(v), low_bits, t)) &            \
                     ((1u << VL) - 1);                                                             \
        return lanes;                                                                              \
    }                                                                                              \
    ACT_OP size_t type##_loop(const float *y, const float *x, const float *v, int wide,            \
                              struct vtolerance t, unsigned char *out, uint16_t *doubtful,         \
                              size_t n)                                                            \
    {                                                                                              \
        size_t count = 0;                                                                          \
        for (size_t i = 0; i < n; i += ACT_HALF_BLOCK) {                                           \
            uint32_t lanes = 0;                                                                    \
            for (size_t j = i; j < i + ACT_HALF_BLOCK; j += 2 * VL) {                              \
                const vec a = v_load(y + j), b = v_load(y + j + VL);                               \
                store_##type(out + 2 * j, a, b);                                                   \
                lanes |= type##_doubtful(a, x + j, v + j, wide, &t) << (j - i);                    \
                lanes |= type##_doubtful(b, x + j + VL, v + j + VL, wide, &t) << (j - i + VL);     \
            }                                                                                      \
            for (; lanes; lanes &= lanes - 1)                                                      \
                doubtful[count++] = (uint16_t)(i + (size_t)__builtin_ctz(lanes));                  \
        }                                                                                          \
        return count;                                                                              \
    }                                                                                              \
    static size_t ACT_SYMBOL(type, narrow)(const float *y, const float *x, const float *v,         \
                                           const struct act_tolerance *tolerance, void *out,       \
                                           uint16_t *doubtful, size_t n)                           \
    {                                                                                              \
        const struct vtolerance t = v_tolerance(tolerance, low_bits);                              \
        return tolerance->high > tolerance->low ? type##_loop(y, x, v, 1, t, out, doubtful, n)     \
                                                : type##_loop(y, y, y, 0, t, out, doubtful, n);    \
    }                                                                                              \
    extern const struct act_half ACT_ROW(type);                                                    \
    const struct act_half ACT_ROW(type) = {ACT_SYMBOL(type, widen), ACT_SYMBOL(type, narrow),      \
                                           ACT_SYMBOL(type, relu), LOOK_UP, GATHER};

HALF_TYPE(bf16, BF16)
HALF_TYPE(f16, F16)

/* ---- past the caches ---------------------------------------------------------------------------
 * A block of results a turn, by way of memory that gcc makes registers of. The prefetch is 4 KiB
 * ahead: .28 ns an element of 16M, at 2 KiB .32, without .47. */
extern const struct act_half_stream ACT_ROW(stream);
#if V_STREAM
ACT_OP void stream_block(const unsigned char *block, unsigned char *to)
{
    for (size_t i = 0; i < 2 * ACT_HALF_BLOCK; i += VL * sizeof(float))
        v_stream((float *)(void *)(to + i), v_load((const float *)(const void *)(block + i)));
}

/* loop writes `size` results to block. */
#define HALF_STREAM(name, parameter, most, loop)                                                   \
    static void ACT_STREAM_SYMBOL(half, name)(parameter const void *in, void *out, size_t n)       \
    {                                                                                              \
        const unsigned char *p = in;                                                               \
        unsigned char *to = out;                                                                   \
        for (size_t i = 0, size; i < n; i += size) {                                               \
            _Alignas(64) unsigned char block[2 * (most)];                                          \
            size = n - i < (most) ? ACT_HALF_BLOCK : (most);                                       \
            for (size_t j = 0; j < size; j += ACT_HALF_BLOCK)                                      \
                __builtin_prefetch(p + 2 * (i + j) + 4096);                                        \
            loop;                                                                                  \
            for (size_t j = 0; j < size; j += ACT_HALF_BLOCK)                                      \
                stream_block(block + 2 * j, to + 2 * (i + j));                                     \
        }                                                                                          \
        v_stream_end();                                                                            \
    }
/* What h_pick stores, 16 bytes a time, a longer load has to wait for: it comes later. */
#define PICKED 512
#define TABLE  const uint16_t *table,
HALF_STREAM(look_up, TABLE, PICKED, LOOK_UP(table, p + 2 * i, block, size))
#if H_HAS_GATHER
HALF_STREAM(gather, TABLE, ACT_HALF_BLOCK, GATHER(table, p + 2 * i, block, ACT_HALF_BLOCK))
#define GATHER_STREAM ACT_STREAM_SYMBOL(half, gather)
#endif
HALF_STREAM(relu_bf16, , ACT_HALF_BLOCK, ACT_SYMBOL(bf16, relu)(p + 2 * i, block, ACT_HALF_BLOCK))
HALF_STREAM(relu_f16, , ACT_HALF_BLOCK, ACT_SYMBOL(f16, relu)(p + 2 * i, block, ACT_HALF_BLOCK))
#endif
#ifndef GATHER_STREAM
#define GATHER_STREAM NULL
#endif
const struct act_half_stream ACT_ROW(stream) = {ACT_STREAM_SYMBOL(half, look_up), GATHER_STREAM,
                                                ACT_STREAM_SYMBOL(half, relu_bf16),
                                                ACT_STREAM_SYMBOL(half, relu_f16)};
