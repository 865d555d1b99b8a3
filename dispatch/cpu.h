/* What this CPU and its operating system can run, as a set of ISAs. */
#ifndef ACT_DISPATCH_CPU_H
#define ACT_DISPATCH_CPU_H

#include <stddef.h>
#include <stdint.h>

/* One line per CPU feature an act_isa() predicate may name:
 * X(NAME, field of cpu_features, XCR0 bits the OS must have set for it).
 * XCR0: 2 xmm, 4 ymm high halves; 0x20 opmask, 0x40 zmm high halves, 0x80 zmm16-31. */
#if defined(__x86_64__) || defined(__i386__)
#define ACT_CPU_FEATURES(X)                                                                        \
    X(SSE42, sse4_2, 0)                                                                            \
    X(AVX, avx, 0x06)                                                                              \
    X(F16C, f16c, 0x06)                                                                            \
    X(FMA, fma3, 0x06)                                                                             \
    X(AVX2, avx2, 0x06)                                                                            \
    X(AVX512F, avx512f, 0xe6)                                                                      \
    X(AVX512BW, avx512bw, 0xe6)                                                                    \
    X(AVX512DQ, avx512dq, 0xe6)                                                                    \
    X(AVX512VL, avx512vl, 0xe6)
#elif defined(__aarch64__)
#define ACT_CPU_FEATURES(X) X(ASIMD, asimd, 0)
#else
#define ACT_CPU_FEATURES(X)
#endif

enum {
#define ACT_CPU_INDEX(NAME, field, xcr0) ACT_CPU_INDEX_##NAME,
    ACT_CPU_FEATURES(ACT_CPU_INDEX)
#undef ACT_CPU_INDEX
};
enum {
    ACT_CPU_ALWAYS = 0,
#define ACT_CPU_BIT(NAME, field, xcr0) ACT_CPU_##NAME = 1u << ACT_CPU_INDEX_##NAME,
    ACT_CPU_FEATURES(ACT_CPU_BIT)
#undef ACT_CPU_BIT
};

struct act_cpu {
    uint32_t features; /* ACT_CPU_* that CPUID claims */
    uint64_t xcr0;     /* register state the OS saves; 0 without OSXSAVE */
};

struct act_cpu act_cpu_detect(void);

/* The set of built-in ISAs (bit = act_isa id) that such a CPU can run. A pure function:
 * tests/test_cpu.c feeds it machines that lie. */
uint32_t act_cpu_usable_isas(struct act_cpu cpu);

/* Bytes of the largest cache that holds data, 0 if unknown. */
size_t act_cpu_largest_cache(void);

/* Is a gather from a table faster than loads one by one? Taken to be so on Intel's CPUs: 65,536
 * numbers of 16 bits take .20 ns each by gathers on an Emerald Rapids, one by one at least .33 by
 * the port that inserts, which was not measured; on a Zen 4 .38 and .18, measured. */
int act_cpu_gathers(void);

/* The set of built-in ISAs whose kernels have a fused multiply-add, hence the same f32 bits. */
uint32_t act_cpu_fma_isas(void);

#endif
