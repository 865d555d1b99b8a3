/* Error of one ISA x kind on a sample; bit identity with the other FMA ISAs; the FP environment. */
#include "tests/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
static uint64_t fp_control(void)
{
    return _mm_getcsr() & ~0x3fu; /* without the sticky flags */
}
#elif defined(__aarch64__)
static uint64_t fp_control(void)
{
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
}
#else
static uint64_t fp_control(void)
{
    return 0;
}
#endif

static void *allocate(size_t bytes)
{
    void *p = malloc(bytes);
    if (!p)
        exit(2);
    return p;
}

static act_params rounded(const act_params *p)
{
    return (act_params){(float)p->alpha, (float)p->beta, (float)p->gamma, (float)p->delta};
}

/* The double reference: the scalar f64 table on the same inputs and the rounded parameters. */
static void reference(enum op op, act_kind kind, const act_params *params, const float *x,
                      const float *g, double *want, size_t n)
{
    double *wide_x = allocate(n * sizeof *wide_x), *wide_g = allocate(n * sizeof *wide_g);
    const act_params p = rounded(params);
    for (size_t i = 0; i < n; i++) {
        wide_x[i] = (double)x[i];
        wide_g[i] = g ? (double)g[i] : 1.0;
    }
    const act_isa isa = where.isa;
    use_isa(ACT_ISA_SCALAR);
    call(ACT_F64, op, kind, &p, wide_x, wide_g, want, n);
    use_isa(isa);
    free(wide_x);
    free(wide_g);
}

static void check_op(enum op op, act_isa isa, act_kind kind, const act_params *params,
                     const float *x, const float *g, size_t n)
{
    float *got = allocate(n * sizeof *got);
    double *want = allocate(n * sizeof *want), *slope = allocate(n * sizeof *slope);
    reference(op, kind, params, x, g, want, n);
    if (op != OP_FORWARD)
        reference(op, kind, params, x, NULL, slope, n);
    call(ACT_F32, op, kind, params, x, g, got, n);

    const double bound = act_kind_bound(kind, ACT_F32, isa, ACT_MODE_FAST, op != OP_FORWARD);
    struct worst worst = {0};
    for (size_t i = 0; i < n; i++) {
        const double terms = terms_of(kind, op, params, (double)x[i]);
        const int ok = op == OP_FORWARD
                           ? judge_forward(&worst, bound, terms, x[i], got[i], want[i])
                           : judge_backward(&worst, bound, terms,
                                            op == OP_BACKWARD ? zero_of(kind, params) : 0, x[i],
                                            g[i], got[i], want[i], slope[i]);
        if (!ok)
            fail("x %a (%.9g) g %a: got %a want %a, %.3f ULP, bound %g", (double)x[i], (double)x[i],
                 (double)(g ? g[i] : 0), (double)got[i], want[i], ulp_error(got[i], want[i]),
                 bound);
    }
    free(got);
    free(want);
    free(slope);
}

/* In reproducible mode avx2, avx512 and neon run the same operations: the f32 bits must be those of any
 * other. */
static void check_identity(enum op op, act_isa isa, act_kind kind, const act_params *params,
                           const float *x, const float *g, size_t n)
{
    if (isa != ACT_ISA_AVX512 || !act_isa_available(ACT_ISA_AVX2))
        return;
    float *a = allocate(n * sizeof *a), *b = allocate(n * sizeof *b);
    use_mode(ACT_MODE_REPRODUCIBLE);
    call(ACT_F32, op, kind, params, x, g, a, n);
    use_isa(ACT_ISA_AVX2);
    call(ACT_F32, op, kind, params, x, g, b, n);
    use_mode(ACT_MODE_FAST);
    use_isa(isa);
    for (size_t i = 0; i < n; i++)
        if (bits_of_float(a[i]) != bits_of_float(b[i]) && !(isnan(a[i]) && isnan(b[i])))
            fail("x %a: avx512 %a, avx2 %a", (double)x[i], (double)a[i], (double)b[i]);
    free(a);
    free(b);
}

void check_accuracy(const struct options *options, act_isa isa, act_kind kind, size_t count)
{
    float *x = allocate(count * sizeof *x), *g = allocate(count * sizeof *g);
    act_params params;
    for (int i = 0; params_of_grid(kind, i, &params); i++) {
        uint64_t state = options->seed + (uint64_t)kind * 1000003 + (uint64_t)i;
        const size_t n = i == 0 ? count : count / 4;
        fill_inputs(kind, x, n, &state);
        for (enum op op = 0; op < OP_COUNT; op++) {
            if (!op_offered(kind, op, &params))
                continue;
            where = (struct where){isa, kind, op, ACT_F32, n, 0, params};
            fill_grads(g, n, &state);
            if (op == OP_FROM_OUTPUT) /* reachable outputs only: any other is not an output */
                call(ACT_F32, OP_FORWARD, kind, &params, x, NULL, x, n);
            check_op(op, isa, kind, &params, x, op == OP_FORWARD ? NULL : g, n);
            check_identity(op, isa, kind, &params, x, g, n);
        }
    }
    free(x);
    free(g);
}

void check_contract(act_isa isa, act_kind kind)
{
    enum { N = 99 };
    float x[N], g[N], y[N];
    uint64_t state = 1;
    fill_inputs(kind, x, N, &state);
    fill_grads(g, N, &state);
    act_params params;
    for (int i = 0; params_of_grid(kind, i, &params); i++) {
        const float zero = -0.0f;
        float f_zero;
        where = (struct where){isa, kind, OP_FORWARD, ACT_F32, 1, 0, params};
        call(ACT_F32, OP_FORWARD, kind, &params, &zero, NULL, &f_zero, 1);
        if (act_tests[kind]->odd_zero && (f_zero != 0 || !signbit(f_zero)))
            fail("f(-0) = %g, not -0", (double)f_zero);
        for (enum op op = 0; op < OP_COUNT; op++) {
            if (!op_offered(kind, op, &params))
                continue;
            where = (struct where){isa, kind, op, ACT_F32, N, 0, params};
            const uint64_t before = fp_control();
            call(ACT_F32, op, kind, &params, x, g, y, N);
            if (fp_control() != before)
                fail("the FP control word changed");
        }
    }
}
