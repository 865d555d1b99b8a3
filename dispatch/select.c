/* Which kernel table calls go through: chosen once at load, changed by act_set_isa. */
#define _GNU_SOURCE /* secure_getenv */
#include "dispatch/cpu.h"
#include "dispatch/table.h"

#include <stdlib.h>
#include <string.h>

#ifdef __AVX__
#error "dispatch runs before the CPU is known: compile it for the baseline, without -mavx or -march"
#endif

#define ACT_ISA(id, name, needs) extern const struct act_table act_table_##name;
#include "isas.inc"
#undef ACT_ISA

const struct act_table *const act_tables[ACT_ISA_MAX] = {
#define ACT_ISA(id, name, needs) [id] = &act_table_##name,
#include "isas.inc"
#undef ACT_ISA
};

static const char *const isa_names[] = {
    [ACT_ISA_SCALAR] = "scalar", [ACT_ISA_SSE42] = "sse42", [ACT_ISA_AVX2] = "avx2",
    [ACT_ISA_AVX512] = "avx512", [ACT_ISA_NEON] = "neon",
#define ACT_ISA_EXTRA(id, name) [id] = #name,
#include "isas.inc"
#undef ACT_ISA_EXTRA
};
enum { ISA_COUNT = sizeof isa_names / sizeof isa_names[0] };

/* Right at any moment: before the constructor has run every call is served by the scalar table. */
_Atomic uint32_t act_state = ACT_ISA_SCALAR;
static _Atomic uint32_t usable_isas = 1u << ACT_ISA_SCALAR;

/* On a virtual Emerald Rapids with a part of 300 MiB: out of 32 MiB (forward, 4 M) the light
 * kernels gain and gelu loses 1.1, out of 48 (backward, 4 M) and of 64 all gain 1.1 to 1.9. With a
 * smaller cache than that it begins where the cache ends: not measured. */
enum { STREAM_BYTES_MIN = 8 << 20, STREAM_BYTES_MAX = 48 << 20 };
_Atomic size_t act_stream_bytes = SIZE_MAX;
_Atomic int act_gather_is_fast = 0;

static uint32_t load(const _Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

int act_isa_count(void)
{
    return ISA_COUNT;
}

const char *act_isa_name(act_isa isa)
{
    return isa >= 0 && isa < ISA_COUNT ? isa_names[isa] : NULL;
}

act_isa act_isa_from_name(const char *name)
{
    for (act_isa isa = 0; name && isa < ISA_COUNT; isa++)
        if (strcmp(name, isa_names[isa]) == 0)
            return isa;
    return -1;
}

int act_isa_available(act_isa isa)
{
    return isa >= 0 && isa < ISA_COUNT && (load(&usable_isas) >> isa & 1);
}

act_isa act_get_isa(void)
{
    return (act_isa)(load(&act_state) & 0xff);
}

act_mode act_get_mode(void)
{
    return (act_mode)(load(&act_state) >> 8);
}

/* Replaces one half of the word if the pair (isa, mode) is one that exists. */
static act_status change_state(uint32_t keep_mask, uint32_t bits)
{
    uint32_t old = load(&act_state), new;
    do {
        new = (old & keep_mask) | bits;
        if (new >> 8 == ACT_MODE_REPRODUCIBLE && !(act_cpu_fma_isas() >> (new & 0xff) & 1))
            return ACT_ERR_UNSUPPORTED;
    } while (!atomic_compare_exchange_weak_explicit(&act_state, &old, new, memory_order_relaxed,
                                                    memory_order_relaxed));
    return ACT_OK;
}

act_status act_set_isa(act_isa isa)
{
    return act_isa_available(isa) ? change_state(~0xffu, (uint32_t)isa) : ACT_ERR_ISA;
}

act_status act_set_mode(act_mode mode)
{
    if (mode != ACT_MODE_FAST && mode != ACT_MODE_REPRODUCIBLE)
        return ACT_ERR_PARAM;
    return change_state(0xffu, (uint32_t)mode << 8);
}

static size_t stream_bytes_at_load(void)
{
    const char *text = secure_getenv("ACTFN_STREAM_BYTES");
    if (text && *text >= '0' && *text <= '9') {
        char *end;
        const unsigned long long bytes = strtoull(text, &end, 10);
        if (!*end)
            return bytes < SIZE_MAX ? (size_t)bytes : SIZE_MAX;
    }
    const size_t cache = act_cpu_largest_cache();
    if (cache == 0 || cache > STREAM_BYTES_MAX)
        return STREAM_BYTES_MAX;
    return cache > STREAM_BYTES_MIN ? cache : STREAM_BYTES_MIN;
}

static int gather_is_fast_at_load(void)
{
    const char *text = secure_getenv("ACTFN_GATHER");
    if (text && (strcmp(text, "0") == 0 || strcmp(text, "1") == 0))
        return *text == '1';
    return act_cpu_gathers();
}

__attribute__((constructor)) static void choose_at_load(void)
{
    const uint32_t usable = act_cpu_usable_isas(act_cpu_detect());
    atomic_store_explicit(&usable_isas, usable | 1u << ACT_ISA_SCALAR, memory_order_relaxed);

    /* isas.inc is in the order of preference, the best last. */
#define ACT_ISA(id, name, needs)                                                                   \
    if (usable >> (id)&1)                                                                          \
        act_set_isa(id);
#include "isas.inc"
#undef ACT_ISA

    act_set_isa(act_isa_from_name(secure_getenv("ACTFN_ISA"))); /* unknown: changes nothing */
    atomic_store_explicit(&act_stream_bytes, stream_bytes_at_load(), memory_order_relaxed);
    atomic_store_explicit(&act_gather_is_fast, gather_is_fast_at_load(), memory_order_relaxed);
    const char *mode = secure_getenv("ACTFN_MODE");
    if (mode && strcmp(mode, "reproducible") == 0)
        act_set_mode(ACT_MODE_REPRODUCIBLE);
}
