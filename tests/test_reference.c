/* Every table against MPFR: the formulas of kinds.inc and their derivatives, on edges, specials and
 * random points; f32 and f64, several parameter values. What checkact takes as its reference, the
 * scalar f64 table, is checked here.
 *
 * test_reference [--kind PATTERN] [--points N] [--seed N] */
#include "tests/check.h"
#include "tests/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct tally {
    double worst;
    double x, g, got;
};

static struct tally tallies[64][2][OP_COUNT];

static void judge(double error, double bound, double x, double g, double got, const mpfr_t want)
{
    struct tally *t = &tallies[where.kind][where.dtype][where.op];
    if (where.isa == ACT_ISA_SCALAR && error > t->worst)
        *t = (struct tally){error, x, g, got};
    if (!(error <= bound))
        fail("x %a (%.17g) g %a: got %a want %a, %.3f ULP, bound %g", x, x, g, got,
             mpfr_get_d(want, MPFR_RNDN), error, bound);
}

/* One point through every table. */
static void check_point(enum op op, act_kind kind, const act_params *params, act_dtype dtype,
                        double x, double g)
{
    struct formula_value v;
    mpfr_t want;
    formula_init(&v);
    mpfr_init2(want, 90);
    reference_at(kind, op, x, params, &v);
    reference_want(&v, op, x, g, want);

    const int precision = dtype == ACT_F64 ? 53 : 24, emin = dtype == ACT_F64 ? -1022 : -126;
    for (act_isa isa = 0; isa < act_isa_count(); isa++) {
        if (!act_isa_available(isa))
            continue;
        where = (struct where){isa, kind, op, dtype, 1, 0, *params};
        use_isa(isa);
        float x32 = (float)x, g32 = (float)g, y32 = 0;
        double y = 0;
        if (dtype == ACT_F64) {
            call(dtype, op, kind, params, &x, &g, &y, 1);
        } else {
            call(dtype, op, kind, params, &x32, &g32, &y32, 1);
            y = (double)y32;
        }
        double error = reference_ulps(y, want, precision, emin);
        if (x == 0 && y == 0 && op == OP_FORWARD && mpfr_zero_p(want))
            error = 0; /* the sign of f(-0) is a convention: check_contract */
        const double bound = act_kind_bound(kind, dtype, isa, ACT_MODE_FAST, op != OP_FORWARD);
        error = reference_allows(kind, op, params, dtype, x, g, y, &v, want, error, bound);
        judge(error, bound, x, g, y, want);
    }
    mpfr_clear(want);
    formula_clear(&v);
}

static double wide_random(uint64_t *state)
{
    uint64_t bits = random_u64(state);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void check_kind(act_kind kind, int points, uint64_t seed)
{
    float *x = malloc((size_t)points * sizeof *x), *g = malloc((size_t)points * sizeof *g);
    if (!x || !g)
        exit(2);
    act_params params;
    for (int i = 0; params_of_grid(kind, i, &params); i++) {
        const act_params rounded = {(float)params.alpha, (float)params.beta, (float)params.gamma,
                                    (float)params.delta};
        uint64_t state = seed + (uint64_t)kind * 77 + (uint64_t)i;
        const int n = i == 0 ? points : points / 4;
        fill_inputs(kind, x, (size_t)n, &state);
        fill_grads(g, (size_t)n, &state);
        for (enum op op = 0; op < OP_COUNT; op++) {
            if (!op_offered(kind, op, &params))
                continue;
            for (int k = 0; k < n; k++) {
                float in = x[k];
                if (op == OP_FROM_OUTPUT) {
                    use_isa(ACT_ISA_SCALAR);
                    act_forward(kind, &params, &x[k], &in, 1);
                }
                check_point(op, kind, &rounded, ACT_F32, (double)in, (double)g[k]);
                /* f64 inputs: the float, a double beside it, and every eighth any bit pattern. */
                double wide = (double)in;
                if (op != OP_FROM_OUTPUT && isfinite(wide)) {
                    wide *= 1 + (double)(random_u64(&state) >> 40) * 0x1p-48;
                    if (k % 8 == 7)
                        wide = wide_random(&state);
                }
                check_point(op, kind, &params, ACT_F64, wide, (double)g[k]);
            }
        }
    }
    free(x);
    free(g);
}

int main(int argc, char **argv)
{
    const char *pattern = NULL;
    int points = 1500;
    uint64_t seed = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--kind") == 0)
            pattern = argv[i + 1];
        else if (strcmp(argv[i], "--points") == 0)
            points = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 0);
    }
    catch_crashes();
    printf("seed %llu; worst error of the scalar table against MPFR, in ULP\n",
           (unsigned long long)seed);
    for (act_kind kind = 0; kind < act_kind_count(); kind++) {
        if (!selected(pattern, act_kind_name(kind)))
            continue;
        check_kind(kind, points, seed);
        for (act_dtype t = 0; t < 2; t++)
            for (enum op op = 0; op < OP_COUNT; op++) {
                const struct tally *w = &tallies[kind][t][op];
                if (reference_formula(kind, op))
                    printf("%-14s %s %-11s %8.4f at x %a (%.9g) g %g\n", act_kind_name(kind),
                           t == ACT_F64 ? "f64" : "f32", op_names[op], w->worst, w->x, w->x, w->g);
            }
    }
    return failures ? 1 : 0;
}
