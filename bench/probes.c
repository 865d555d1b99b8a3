/* The probes by ISA, and those that are the same for every ISA. Compiled for the baseline. */
#include "bench/bench.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define ACT_ISA(id, name, needs) extern const struct probe probe_##name##_f32, probe_##name##_f64;
#include "isas.inc"
#undef ACT_ISA

/* In order of preference, as isas.inc is. */
static const struct {
    act_isa isa;
    const struct probe *probe[2];
} table[] = {
#define ACT_ISA(id, name, needs) {id, {[ACT_F32] = &probe_##name##_f32, &probe_##name##_f64}},
#include "isas.inc"
#undef ACT_ISA
};
enum { TABLE_LENGTH = sizeof table / sizeof table[0] };

const struct probe *probe_find(act_isa isa, act_dtype dtype)
{
    for (int i = 0; i < TABLE_LENGTH; i++)
        if (table[i].isa == isa)
            return table[i].probe[dtype == ACT_F64];
    return NULL;
}

act_isa probe_best_isa(const unsigned char *isas)
{
    for (int i = TABLE_LENGTH - 1; i >= 0; i--)
        if (isas[table[i].isa])
            return table[i].isa;
    return -1;
}

/* Non-temporal stores skip reading the lines they overwrite; they need the prefetch. bytes: any;
 * to: 16-byte aligned. Without such stores this is memcpy. */
void copy_nontemporal(void *to, const void *from, size_t bytes)
{
    char *out = to;
    const char *in = from;
#ifdef __SSE2__
    enum { AHEAD = 2048 };
    for (; bytes >= 64; bytes -= 64, in += 64, out += 64) {
        _mm_prefetch(in + AHEAD, _MM_HINT_T0);
        for (int i = 0; i < 64; i += 16)
            _mm_stream_si128((__m128i *)(void *)(out + i),
                             _mm_loadu_si128((const __m128i *)(const void *)(in + i)));
    }
    _mm_sfence();
#endif
    memcpy(out, in, bytes);
}

/* The addend is a register: adding a constant can be free on recent cores. */
void add_chain(size_t turns)
{
    uint64_t sum = turns, addend = 3;
    __asm__ volatile("" : "+r"(addend));
    for (; turns > 0; turns--) {
#define ADD                                                                                        \
    sum += addend;                                                                                 \
    __asm__ volatile("" : "+r"(sum));
#define ADD8 ADD ADD ADD ADD ADD ADD ADD ADD
        ADD8 ADD8 ADD8 ADD8 ADD8 ADD8 ADD8 ADD8
    }
}
