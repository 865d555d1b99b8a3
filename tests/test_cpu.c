/* Which tables a machine may run, over machines that lie: every combination of the CPU features
 * and of the register state the OS saves. The library's own dispatch/cpu.c. */
#include "actfn/actfn.h"
#include "dispatch/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#if defined(__x86_64__)
#define HAS(set, name) (((set) & ACT_CPU_##name) != 0)

static void usable_means_cpu_and_os(void **state)
{
    (void)state;
    const uint64_t xcr0s[] = {0, 1, 3, 7, 6, 0xe6, 0xe7, 0x67, 0x27, 0xa7, 0xc7, 0xe3};
    const uint32_t ours = 1u << ACT_ISA_SCALAR | 1u << ACT_ISA_SSE42 | 1u << ACT_ISA_AVX2 |
                          1u << ACT_ISA_AVX512;
    for (uint32_t f = 0; f <= (ACT_CPU_AVX512VL << 1) - 1; f++)
        for (size_t i = 0; i < sizeof xcr0s / sizeof *xcr0s; i++) {
            const uint64_t xcr0 = xcr0s[i];
            const int sse42 = HAS(f, SSE42);
            const int avx2 = sse42 && HAS(f, AVX) && HAS(f, AVX2) && HAS(f, FMA) && HAS(f, F16C) &&
                             (xcr0 & 6) == 6;
            const int avx512 = avx2 && HAS(f, AVX512F) && HAS(f, AVX512BW) && HAS(f, AVX512DQ) &&
                               HAS(f, AVX512VL) && (xcr0 & 0xe6) == 0xe6;
            const uint32_t want = 1u << ACT_ISA_SCALAR | (uint32_t)sse42 << ACT_ISA_SSE42 |
                                  (uint32_t)avx2 << ACT_ISA_AVX2 |
                                  (uint32_t)avx512 << ACT_ISA_AVX512;
            const uint32_t got = act_cpu_usable_isas((struct act_cpu){f, xcr0}) & ours;
            if (got != want)
                fail_msg("features %#x, XCR0 %#x: %#x, not %#x", f, (unsigned)xcr0, got, want);
        }
}

static void fma_tables(void **state)
{
    (void)state;
    assert_int_equal(act_cpu_fma_isas() & 0x1f, 1u << ACT_ISA_AVX2 | 1u << ACT_ISA_AVX512);
}
#elif defined(__aarch64__)
static void usable_means_cpu_and_os(void **state)
{
    (void)state;
    const uint32_t scalar = 1u << ACT_ISA_SCALAR, neon = 1u << ACT_ISA_NEON;
    assert_int_equal(act_cpu_usable_isas((struct act_cpu){0, 0}), scalar);
    assert_int_equal(act_cpu_usable_isas((struct act_cpu){ACT_CPU_ASIMD, 0}), scalar | neon);
    /* Any AArch64 Linux machine has it: detection must see it. */
    assert_int_equal(act_cpu_usable_isas(act_cpu_detect()), scalar | neon);
}

static void fma_tables(void **state)
{
    (void)state;
    assert_int_equal(act_cpu_fma_isas(), 1u << ACT_ISA_NEON);
}
#else
#error "write the test of this architecture's ISAs"
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usable_means_cpu_and_os),
        cmocka_unit_test(fma_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
