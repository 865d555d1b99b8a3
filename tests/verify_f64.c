/* act-verify-f64: the f64 kernels of every table against MPFR, on stratified inputs. 2^64 cannot be
 * swept: of 16 inputs 5 have any exponent, 6 one from 2^-30 to 2^10, where the functions bend, 3
 * are beside an edge of ACT_TEST or the zero of f', from the next double to a factor of 1.001, and
 * 2 are from -20 to 20; mantissas are random. Before them come hard points with their neighbours:
 * verify_f64_inputs.c. For the derivative g is random, of all magnitudes. Default parameters.
 *
 * act-verify-f64 [--kind PATTERN] [--points N] [--seed N] [--limit ULP] [--audit N]
 *
 * Prints a Markdown row per kind, operation and ISA, the worst error with its input, and a line
 * that begins with # per kind, how many points took which way. A run is a function of kind, points
 * and seed, and so splits over processes by --kind or --seed: seeds 2^32 apart have other points.
 *
 * MPFR is the judge, but at 50 us a point it is asked only where it could change a row. The oracle
 * (oracle.h) bounds every result's error from above; where that is no more than the worst error
 * known of kind, operation and ISA, or surely within an absolute bound of actfn.h, MPFR would say
 * nothing new. What long double leaves open goes to _Float128, what that does to MPFR. One in N of
 * the others goes to MPFR all the same (--audit; 64, of many points up to 16384): if it contradicts
 * an oracle, by a value that is not within the bound or an error worse than the worst, that is a
 * failure. With --audit 1 every point is MPFR's.
 *
 * Exit 1 if an error is above --limit (the bounds of kinds.inc); beyond it, the absolute bounds of
 * actfn.h are applied first. Exit 3 if the audit failed. */
#include "tests/check.h"
#include "tests/oracle.h"
#include "tests/reference.h"
#include "tests/verify_f64.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = ORACLE_BATCH, ISAS = 16 };

struct cell {
    double ulp, x, g, got, want;
};

static struct cell worst[ISAS][2];
static double in[BATCH], grad[BATCH], results[ISAS][2][BATCH];
static struct oracle_wants by_long[2], by_quad[2];
static double quad_in[BATCH], quad_grad[BATCH];
static int isas[ISAS], isa_count;
static uint64_t asked_quad, asked_mpfr, audited, contradictions, audit_every;

/* ---- MPFR ----------------------------------------------------------------------------------- */

static void contradict(const char *who, act_kind kind, enum op op, int i, double off, double bound)
{
    if (++contradictions <= 8)
        fprintf(stderr, "AUDIT %s %s x %a g %a: MPFR contradicts %s: %g ulp, not within %g\n",
                act_kind_name(kind), op_names[op], in[i], grad[i], who, off, bound);
}

/* Holds what an oracle says, at k of it, to MPFR. vanished: what underflowed there may have lost
 * its sign, as -0 + 0 of acon_c. */
static void audit_oracle(const char *who, const struct oracle_wants *w, int k, act_kind kind,
                         enum op op, int i, const mpfr_t want, int vanished)
{
    if (isinf(w->bound[k]) || fabs(w->high[k]) >= 0x1p60)
        return; /* nothing, or that it is out of range */
    mpfr_t off;
    mpfr_init2(off, 200);
    mpfr_mul_2si(off, want, -w->exponent[k], MPFR_RNDN);
    const double size = fabs(mpfr_get_d(off, MPFR_RNDN));
    mpfr_sub_d(off, off, w->high[k], MPFR_RNDN);
    mpfr_sub_d(off, off, w->low[k], MPFR_RNDN);
    const double error = fabs(mpfr_get_d(off, MPFR_RNDN));
    const int signs = !mpfr_signbit(want) == !w->sign[k];
    /* MPFR's 90 bits are 2^-37 of a unit. Both may be nothing beside it: the sign is left. */
    if (!(error <= w->bound[k] + 0x1p-36) && !(size < 0x1p-200 && error < 0x1p-200))
        contradict(who, kind, op, i, error, w->bound[k]);
    if (!signs && !vanished)
        contradict("the sign", kind, op, i, w->high[k], w->bound[k]);
    mpfr_clear(off);
}

/* Point i in MPFR, which finds no new worst error if this is an audit. quad: where by_quad has it,
 * or -1. */
static void judge(act_kind kind, const act_params *params, int i, int quad, int audit)
{
    struct formula_value v;
    mpfr_t want;
    formula_init(&v);
    mpfr_init2(want, 120);
    reference_at(kind, OP_BACKWARD, in[i], params, &v);
    for (enum op op = OP_FORWARD; op <= OP_BACKWARD; op++) {
        reference_want(&v, op, in[i], grad[i], want);
        for (int k = 0; k < isa_count; k++) {
            const double got = results[k][op][i];
            double error = reference_ulps(got, want, 53, -1022);
            if (in[i] == 0 && got == 0 && op == OP_FORWARD && mpfr_zero_p(want))
                error = 0; /* the sign of f(-0) is a convention: check_contract */
            error = reference_allows(kind, op, params, ACT_F64, in[i], grad[i], got, &v, want,
                                     error, 2);
            if (error <= worst[k][op].ulp)
                continue;
            if (audit && !(error <= worst[k][op].ulp + 0x1p-30))
                contradict(act_isa_name(isas[k]), kind, op, i, error, worst[k][op].ulp);
            worst[k][op] = (struct cell){error, in[i], op == OP_FORWARD ? 1 : grad[i], got,
                                         mpfr_get_d(want, MPFR_RNDN)};
        }
        if (isfinite(in[i]) && in[i] != 0 && mpfr_number_p(want)) {
            const int vanished = v.underflowed && mpfr_zero_p(want);
            audit_oracle("long double", &by_long[op], i, kind, op, i, want, vanished);
            if (quad >= 0)
                audit_oracle("_Float128", &by_quad[op], quad, kind, op, i, want, vanished);
        }
    }
    mpfr_clear(want);
    formula_clear(&v);
}

/* ---- the filter ----------------------------------------------------------------------------- */

/* Which results of an operation and a table may be worse than the worst: marked in open. */
static void compare(const struct oracle_wants *w, const double *got, double known, int count,
                    unsigned char *open)
{
    for (int i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &got[i], sizeof bits);
        const double off = fabs(got[i] * w->unit_a[i] * w->unit_b[i] - w->high[i] - w->low[i]);
        open[i] |= (unsigned char)(off + w->bound[i] <= known ? (bits ^ w->sign[i]) >> 63 : 1);
    }
}

/* Whether this result, at k of w, can be no worse than the worst, or reference_allows allows it. */
static int settled(const struct oracle_wants *w, int k, enum op op, double got, double x, double g,
                   double zero, double known)
{
    const double bound = w->bound[k];
    const int signs = !signbit(got) == !w->sign[k];
    if (!(bound < INFINITY))
        return 0;
    if (isinf(got)) /* right if it is certain to be rounded to that: 2^1024 - 2^970 at least */
        return signs &&
               fabs(w->high[k]) - fabs(w->low[k]) - bound >= ldexp(0x1p53, 971 - w->exponent[k]);
    const double off = fabs(got * w->unit_a[k] * w->unit_b[k] - w->high[k] - w->low[k]);
    if (signs && off + bound <= known)
        return 1;
    if (op == OP_FORWARD || !isfinite(got) || (signs && off - bound <= 2.001))
        return 0;
    /* It is beyond 2 ULP for certain. */
    const double least = ldexp((off + bound) * 1.001, w->exponent[k]) + 0x1p-1074;
    return (beside_zero(x, zero) && least <= 0x1p-52 * fabs(g)) ||
           (w->tiny[k] && least <= 0x1p-1073 * fmax(1, fabs(g)));
}

static int all_settled(const struct oracle_wants w[2], int k, int i, double zero)
{
    for (enum op op = OP_FORWARD; op <= OP_BACKWARD; op++)
        for (int isa = 0; isa < isa_count; isa++)
            if (!settled(&w[op], k, op, results[isa][op][i], in[i], grad[i], zero,
                         worst[isa][op].ulp))
                return 0;
    return 1;
}

/* in and grad, count of them. */
static void batch(act_kind kind, const act_params *params, const struct oracle *oracle, int count,
                  uint64_t *lottery)
{
    static unsigned char open[BATCH];
    static int rest[BATCH];
    for (int k = 0; k < isa_count; k++) {
        use_isa(isas[k]);
        for (enum op op = OP_FORWARD; op <= OP_BACKWARD; op++) {
            where = (struct where){isas[k], kind, op, ACT_F64, (size_t)count, 0, *params};
            call(ACT_F64, op, kind, params, in, grad, results[k][op], (size_t)count);
        }
    }
    for (int i = 0; i < count; i++)
        open[i] = !oracle || !isfinite(in[i]) || in[i] == 0; /* no oracle is asked of these */
    if (oracle) {
        oracle_long(oracle, in, grad, count, &by_long[OP_FORWARD], &by_long[OP_BACKWARD]);
        for (int k = 0; k < isa_count; k++)
            for (enum op op = OP_FORWARD; op <= OP_BACKWARD; op++)
                compare(&by_long[op], results[k][op], worst[k][op].ulp, count, open);
    } else {
        for (int i = 0; i < count; i++)
            by_long[0].bound[i] = by_long[1].bound[i] = INFINITY;
    }
    const double zero = zero_of(kind, params);
    int left = 0;
    for (int i = 0; i < count; i++) {
        if (!open[i] ||
            (oracle && isfinite(in[i]) && in[i] != 0 && all_settled(by_long, i, i, zero))) {
            if (random_u64(lottery) % audit_every == 0) {
                audited++;
                judge(kind, params, i, -1, 1);
            }
            continue;
        }
        quad_in[left] = isfinite(in[i]) ? in[i] : 1;
        quad_grad[left] = grad[i];
        rest[left++] = i;
    }
    const int quad = oracle && oracle_quad(oracle, quad_in, quad_grad, left, &by_quad[OP_FORWARD],
                                           &by_quad[OP_BACKWARD]);
    for (int k = 0; k < left; k++) {
        const int i = rest[k];
        asked_quad += (uint64_t)quad;
        if (quad && isfinite(in[i]) && in[i] != 0 && all_settled(by_quad, k, i, zero)) {
            if (random_u64(lottery) % audit_every == 0) {
                audited++;
                judge(kind, params, i, k, 1);
            }
            continue;
        }
        asked_mpfr++;
        judge(kind, params, i, quad ? k : -1, 0);
    }
}

/* ---- a kind --------------------------------------------------------------------------------- */

static long between(long low, long x, long high)
{
    return x < low ? low : x > high ? high : x;
}

static void verify(act_kind kind, const act_params *params, const struct oracle *oracle,
                   long points, uint64_t seed)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15u + (uint64_t)kind;
    uint64_t lottery = ~state, hard_state = state ^ 0x5555555555555555u;
    memset(worst, 0, sizeof worst);
    asked_quad = asked_mpfr = audited = 0;
    double *hard;
    const size_t hard_count =
        hard_points(kind, params, (int)between(16, points >> 14, 1024), &hard);
    for (size_t done = 0; done < hard_count; done += BATCH) {
        const int count = hard_count - done < BATCH ? (int)(hard_count - done) : BATCH;
        for (int i = 0; i < count; i++) {
            in[i] = hard[done + (size_t)i];
            grad[i] = random_gradient(&hard_state);
        }
        batch(kind, params, oracle, count, &lottery);
    }
    free(hard);
    for (long done = 0; done < points; done += BATCH) {
        const int count = points - done < BATCH ? (int)(points - done) : BATCH;
        for (int i = 0; i < count; i++) {
            in[i] = stratified_input(kind, &state);
            grad[i] = random_gradient(&state);
        }
        batch(kind, params, oracle, count, &lottery);
    }
    printf("# %s %ld %zu %llu %llu %llu\n", act_kind_name(kind), points, hard_count,
           (unsigned long long)asked_quad, (unsigned long long)asked_mpfr,
           (unsigned long long)audited);
}

/* The rows; whether one is beyond the limit, of 0 the kind's bound. */
static int report(act_kind kind, double limit)
{
    int over = 0;
    for (enum op op = OP_FORWARD; op <= OP_BACKWARD; op++)
        for (int k = 0; k < isa_count; k++) {
            const struct cell *c = &worst[k][op];
            printf("| %s | %s | %s | %.3f | %a | %a | %a | %a |\n", act_kind_name(kind),
                   op_names[op], act_isa_name(isas[k]), c->ulp, c->x, c->g, c->got, c->want);
            const double bound =
                act_kind_bound(kind, ACT_F64, isas[k], ACT_MODE_FAST, op != OP_FORWARD);
            over |= !(c->ulp <= (limit > 0 ? limit : bound));
        }
    fflush(stdout);
    return over;
}

int main(int argc, char **argv)
{
    const char *pattern = NULL;
    long points = 1 << 16;
    uint64_t seed = 1;
    double limit = 0; /* the bounds of kinds.inc */
    for (int i = 1; i < argc; i++) {
        const int more = i + 1 < argc;
        if (more && strcmp(argv[i], "--kind") == 0)
            pattern = argv[++i];
        else if (more && strcmp(argv[i], "--points") == 0)
            points = atol(argv[++i]);
        else if (more && strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[++i], NULL, 0);
        else if (more && strcmp(argv[i], "--limit") == 0)
            limit = atof(argv[++i]);
        else if (more && strcmp(argv[i], "--audit") == 0)
            audit_every = strtoull(argv[++i], NULL, 0);
        else {
            fprintf(stderr, "usage: act-verify-f64 [--kind PATTERN] [--points N] [--seed N] "
                            "[--limit ULP] [--audit N]\n");
            return 2;
        }
    }
    if (audit_every == 0)
        audit_every = (uint64_t)between(64, points >> 8, 16384);
    catch_crashes();
    if (!ORACLE_LONG)
        fprintf(stderr, "act-verify-f64: long double is no wider than double here: MPFR judges "
                        "every point\n");
    for (act_isa isa = 0; isa < act_isa_count() && isa_count < ISAS; isa++)
        if (act_isa_available(isa))
            isas[isa_count++] = isa;
    printf("| kind | op | ISA | ULP | x | g | got | want |\n|---|---|---|---|---|---|---|---|\n");
    int over = 0;
    for (act_kind kind = 0; kind < act_kind_count(); kind++) {
        if (!selected(pattern, act_kind_name(kind)))
            continue;
        act_params params;
        act_params_init(kind, &params);
        struct oracle *oracle =
            ORACLE_LONG ? oracle_new(reference_formula(kind, OP_FORWARD), &params) : NULL;
        if (!oracle && ORACLE_LONG)
            fprintf(stderr, "act-verify-f64: MPFR judges every point of %s\n", act_kind_name(kind));
        verify(kind, &params, oracle, points, seed);
        oracle_free(oracle);
        over |= report(kind, limit);
    }
    if (contradictions) {
        fprintf(stderr, "act-verify-f64: MPFR contradicts an oracle %llu times\n",
                (unsigned long long)contradictions);
        return 3;
    }
    return over || failures ? 1 : 0;
}
