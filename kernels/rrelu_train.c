/* Randomised leaky ReLU in training: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random
 * numbers: as easy as 1, 2, 3; SC 2011) and the slopes made of its words. Group g of 64 elements
 * takes the 16 counters from 16 g on: their words 0 are elements 0 to 15 of it, their words 1 those
 * from 16 to 31, and so on: no lane changes its place. */
#include "dispatch/parts.h"
#include "kernels/slope.h"

#if !ACT_UNIT_F64
/* A word in the low half of each lane, whatever the high one. */
struct counter {
    vquad w[4];
};

ACT_OP struct counter philox_round(struct counter c, vquad key_0, vquad key_1)
{
    const vquad a = q_mul32(c.w[0], q_set(0xD2511F53)), b = q_mul32(c.w[2], q_set(0xCD9E8D57));
    return (struct counter){
        {q_xor(q_xor(q_high(b), c.w[1]), key_0), b, q_xor(q_xor(q_high(a), c.w[3]), key_1), a}};
}

ACT_OP struct counter philox(vquad index, uint64_t seed)
{
    struct counter c = {{index, q_high(index), q_set(0), q_set(0)}};
    uint32_t key_0 = (uint32_t)seed, key_1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++, key_0 += 0x9E3779B9, key_1 += 0xBB67AE85)
        c = philox_round(c, q_set(key_0), q_set(key_1));
    return c;
}

/* The arrays come in while the words are made: alone, either takes as long as a copy. */
static void ACT_PART_SYMBOL(rrelu_words)(uint64_t seed, uint64_t group, uint32_t *words, size_t n,
                                         const void *const arrays[3], size_t bytes)
{
    for (size_t at = 0; n; n -= 64, group++, words += 64, at += bytes) {
        for (size_t line = 0; line < bytes; line += 64) /* may be past the end */
            for (int k = 0; k < 3; k++)
                __builtin_prefetch((const void *)((uintptr_t)arrays[k] + at + line));
        for (size_t i = 0; i < 16; i += QL) {
            const uint64_t block = (group & UINT64_MAX >> 6) * 16 + i; /* indices are modulo 2^64 */
            const struct counter c = philox(q_add(q_set(block), q_lanes()), seed);
            for (size_t w = 0; w < 4; w++)
                q_store_low(words + 16 * w + i, c.w[w]);
        }
    }
}
#define RRELU_WORDS ACT_PART_SYMBOL(rrelu_words)
#else
#define RRELU_WORDS NULL
#endif

/* Each operation rounded to the element type, on every ISA. */
static void ACT_PART_SYMBOL(rrelu_slopes)(double lower, double upper, const uint32_t *words,
                                          void *slope, size_t n)
{
    const elem low = (elem)lower, high = (elem)upper, range = high - low;
    elem *s = slope;
    for (size_t i = 0; i < n; i++) {
#if ACT_UNIT_F64
        const elem u = (elem)words[i] * 0x1p-32;
#else
        const elem u = (elem)(int32_t)(words[i] >> 8) * 0x1p-24f;
#endif
        const elem product = range * u, sum = low + product;
        s[i] = sum < high ? sum : high;
    }
}

static void ACT_PART_SYMBOL(rrelu_forward)(const void *slope, const void *in, void *out, size_t n)
{
    const elem *s = slope, *x = in;
    elem *y = out;
    for (; n >= VL; n -= VL, s += VL, x += VL, y += VL)
        v_store(y, slope_forward(v_load(x), v_load(s)));
    if (n)
        v_store_n(y, slope_forward(v_load_n(x, n), v_load_n(s, n)), n);
}

static void ACT_PART_SYMBOL(rrelu_backward)(const void *slope, const void *in, const void *grad_out,
                                            void *grad_in, size_t n)
{
    const elem *s = slope, *x = in, *g = grad_out;
    elem *d = grad_in;
    for (; n >= VL; n -= VL, s += VL, x += VL, g += VL, d += VL)
        v_store(d, slope_backward(v_load(x), v_load(g), v_load(s)));
    if (n)
        v_store_n(d, slope_backward(v_load_n(x, n), v_load_n(g, n), v_load_n(s, n)), n);
}

ACT_PART_ROW(rrelu_train) = {RRELU_WORDS, ACT_PART_SYMBOL(rrelu_slopes),
                             ACT_PART_SYMBOL(rrelu_forward), ACT_PART_SYMBOL(rrelu_backward)};
