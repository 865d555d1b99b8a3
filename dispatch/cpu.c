#include "dispatch/cpu.h"

#ifdef __AVX__
#error "dispatch runs before the CPU is known: compile it for the baseline, without -mavx or -march"
#endif

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <cpuinfo_x86.h>
#include <string.h>

static uint64_t read_xcr0(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE))
        return 0; /* xgetbv would fault */
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return (uint64_t)edx << 32 | eax;
}

/* Without OSXSAVE cpu_features 0.7 takes the SSE bits from /proc/cpuinfo, which under an emulator
 * is the host's: ask CPUID as well. */
static int cpuid_has_sse42(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_SSE4_2);
}

struct act_cpu act_cpu_detect(void)
{
    const X86Features f = GetX86Info().features;
    struct act_cpu cpu = {0, read_xcr0()};
#define ACT_CPU_READ(NAME, field, xcr0) cpu.features |= f.field ? ACT_CPU_##NAME : 0u;
    ACT_CPU_FEATURES(ACT_CPU_READ)
#undef ACT_CPU_READ
    if (!cpuid_has_sse42())
        cpu.features &= ~(uint32_t)ACT_CPU_SSE42;
    return cpu;
}

size_t act_cpu_largest_cache(void)
{
    const CacheInfo caches = GetX86CacheInfo();
    size_t largest = 0;
    for (int i = 0; i < caches.size; i++) {
        const CacheLevelInfo *c = &caches.levels[i];
        const int holds_data =
            c->cache_type == CPU_FEATURE_CACHE_DATA || c->cache_type == CPU_FEATURE_CACHE_UNIFIED;
        if (holds_data && c->cache_size > 0 && (size_t)c->cache_size > largest)
            largest = (size_t)c->cache_size;
    }
    return largest;
}

int act_cpu_gathers(void)
{
    return strcmp(GetX86Info().vendor, "GenuineIntel") == 0;
}
#elif defined(__aarch64__)
#include <cpuinfo_aarch64.h>

struct act_cpu act_cpu_detect(void)
{
    const Aarch64Features f = GetAarch64Info().features;
    struct act_cpu cpu = {0, 0};
#define ACT_CPU_READ(NAME, field, xcr0) cpu.features |= f.field ? ACT_CPU_##NAME : 0u;
    ACT_CPU_FEATURES(ACT_CPU_READ)
#undef ACT_CPU_READ
    return cpu;
}
#else
struct act_cpu act_cpu_detect(void)
{
    return (struct act_cpu){0, 0};
}
#endif

#if !defined(__x86_64__) && !defined(__i386__)
size_t act_cpu_largest_cache(void)
{
    return 0;
}

int act_cpu_gathers(void)
{
    return 0;
}
#endif

uint32_t act_cpu_usable_isas(struct act_cpu cpu)
{
    uint32_t usable = 0;
    /* A feature counts only if the OS saves the registers it uses. */
#define ACT_CPU_OS(NAME, field, need)                                                              \
    if ((cpu.xcr0 & (need)) != (need))                                                             \
        cpu.features &= ~(uint32_t)ACT_CPU_##NAME;
    ACT_CPU_FEATURES(ACT_CPU_OS)
#undef ACT_CPU_OS
#define ACT_ISA(id, name, needs)                                                                   \
    if ((cpu.features & (uint32_t)(needs)) == (uint32_t)(needs))                                   \
        usable |= 1u << (id);
#include "isas.inc"
#undef ACT_ISA
    return usable;
}

uint32_t act_cpu_fma_isas(void)
{
    uint32_t set = 0;
#ifdef __aarch64__
    const uint32_t fma = ACT_CPU_ASIMD;
#elif defined(__x86_64__) || defined(__i386__)
    const uint32_t fma = ACT_CPU_FMA;
#else
    const uint32_t fma = 0;
#endif
#define ACT_ISA(id, name, needs) set |= ((uint32_t)(needs)&fma) ? 1u << (id) : 0u;
#include "isas.inc"
#undef ACT_ISA
    return set;
}
