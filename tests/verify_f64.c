/* act-verify-f64: the f64 kernels of every table against MPFR, on stratified inputs. 2^64 cannot be
 * swept: of 16 inputs 5 have any exponent, 6 one from 2^-30 to 2^10, where the functions bend, 3
 * are beside an edge of ACT_TEST or the zero of f', from the next double to a factor of 1.001, and
 * 2 are from -20 to 20; mantissas are random. For the derivative g is random, of all magnitudes.
 * Default parameters.
 *
 * act-verify-f64 [--kind PATTERN] [--points N] [--seed N] [--limit ULP]
 *
 * Prints a Markdown row per kind, operation and ISA, the worst error with its input. A run is a
 * function of kind, points and seed, and so splits over processes by --kind or --seed. Exit 1 if an
 * error is above --limit (the bounds of kinds.inc); beyond it, the absolute bounds of actfn.h are applied first. */
#include "tests/check.h"
#include "tests/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 1024, ISAS = 16 };

struct cell {
    double ulp, x, g, got, want;
};

static struct cell worst[ISAS][2];
static double in[BATCH], grad[BATCH], results[ISAS][2][BATCH];

static double uniform(uint64_t *state)
{
    return (double)(random_u64(state) >> 11) * 0x1p-53;
}

/* 1 to 2, every mantissa. */
static double mantissa(uint64_t *state)
{
    return 1 + (double)(random_u64(state) >> 12) * 0x1p-52;
}

static double edge_of(act_kind kind, uint64_t *state)
{
    double edges[16];
    int count = 0;
    if (act_tests[kind]->zero != 0)
        edges[count++] = act_tests[kind]->zero;
    for (int e = 0; e < 15; e++)
        if (act_tests[kind]->edge[e] != 0)
            edges[count++] = act_tests[kind]->edge[e];
    return count ? edges[random_u64(state) % (unsigned)count] : 1;
}

static double input(act_kind kind, uint64_t *state)
{
    const unsigned stratum = (unsigned)(random_u64(state) >> 60);
    const double sign = random_u64(state) >> 63 ? -1 : 1;
    if (stratum < 5)
        return sign * ldexp(mantissa(state), (int)(random_u64(state) % 2098) - 1074);
    if (stratum < 11)
        return sign * ldexp(mantissa(state), (int)(random_u64(state) % 41) - 30);
    if (stratum < 14) {
        const int distance = (int)(random_u64(state) % 43) - 52;
        return edge_of(kind, state) * (1 + sign * ldexp(mantissa(state), distance));
    }
    return sign * 20 * uniform(state);
}

static double gradient(uint64_t *state)
{
    const unsigned choice = (unsigned)(random_u64(state) >> 60);
    const double sign = random_u64(state) >> 63 ? -1 : 1;
    if (choice == 0)
        return sign;
    return sign * ldexp(mantissa(state), choice < 4 ? (int)(random_u64(state) % 401) - 200 : 0);
}

static void batch(act_kind kind, const act_params *params, int count, uint64_t *state)
{
    for (int i = 0; i < count; i++) {
        in[i] = input(kind, state);
        grad[i] = gradient(state);
    }
    for (act_isa isa = 0; isa < act_isa_count() && isa < ISAS; isa++) {
        if (!act_isa_available(isa))
            continue;
        use_isa(isa);
        for (enum op op = OP_FORWARD; op <= OP_BACKWARD; op++) {
            where = (struct where){isa, kind, op, ACT_F64, (size_t)count, 0, *params};
            call(ACT_F64, op, kind, params, in, grad, results[isa][op], (size_t)count);
        }
    }
    struct formula_value v;
    mpfr_t want;
    formula_init(&v);
    mpfr_init2(want, 120);
    for (int i = 0; i < count; i++) {
        reference_at(kind, OP_BACKWARD, in[i], params, &v);
        for (enum op op = OP_FORWARD; op <= OP_BACKWARD; op++) {
            reference_want(&v, op, in[i], grad[i], want);
            for (act_isa isa = 0; isa < act_isa_count() && isa < ISAS; isa++) {
                if (!act_isa_available(isa))
                    continue;
                const double got = results[isa][op][i];
                double error = reference_ulps(got, want, 53, -1022);
                error = reference_allows(kind, op, params, ACT_F64, in[i], grad[i], got, &v, want,
                                         error, 2);
                if (!(error <= worst[isa][op].ulp))
                    worst[isa][op] = (struct cell){error, in[i], op == OP_FORWARD ? 1 : grad[i],
                                                   got, mpfr_get_d(want, MPFR_RNDN)};
            }
        }
    }
    mpfr_clear(want);
    formula_clear(&v);
}

int main(int argc, char **argv)
{
    const char *pattern = NULL;
    long points = 1 << 16;
    uint64_t seed = 1;
    double limit = 0; /* the bounds of kinds.inc */
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--kind") == 0)
            pattern = argv[i + 1];
        else if (i + 1 < argc && strcmp(argv[i], "--points") == 0)
            points = atol(argv[i + 1]);
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 0);
        else if (i + 1 < argc && strcmp(argv[i], "--limit") == 0)
            limit = atof(argv[i + 1]);
        else {
            fprintf(stderr, "usage: act-verify-f64 [--kind PATTERN] [--points N] [--seed N] "
                            "[--limit ULP]\n");
            return 2;
        }
    }
    catch_crashes();
    printf("| kind | op | ISA | ULP | x | g | got | want |\n|---|---|---|---|---|---|---|---|\n");
    int over = 0;
    for (act_kind kind = 0; kind < act_kind_count(); kind++) {
        if (!selected(pattern, act_kind_name(kind)))
            continue;
        memset(worst, 0, sizeof worst);
        act_params params;
        act_params_init(kind, &params);
        uint64_t state = seed * 0x9e3779b97f4a7c15u + (uint64_t)kind;
        for (long done = 0; done < points; done += BATCH)
            batch(kind, &params, points - done < BATCH ? (int)(points - done) : BATCH, &state);
        for (enum op op = OP_FORWARD; op <= OP_BACKWARD; op++)
            for (act_isa isa = 0; isa < act_isa_count() && isa < ISAS; isa++) {
                if (!act_isa_available(isa))
                    continue;
                const struct cell *c = &worst[isa][op];
                printf("| %s | %s | %s | %.3f | %a | %a | %a | %a |\n", act_kind_name(kind),
                       op_names[op], act_isa_name(isa), c->ulp, c->x, c->g, c->got, c->want);
                const double bound =
                    act_kind_bound(kind, ACT_F64, isa, ACT_MODE_FAST, op != OP_FORWARD);
                over |= !(c->ulp <= (limit > 0 ? limit : bound));
            }
        fflush(stdout);
    }
    return over || failures ? 1 : 0;
}
