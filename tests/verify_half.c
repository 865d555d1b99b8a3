/* act-verify-half: g f'(x) in bf16 or f16 for all pairs (x, g), on every table, against the f64
 * kernels of the best one, which act-verify-f64 holds to MPFR. Default parameters.
 *
 * act-verify-half --dtype bf16|f16 [--kind PATTERN] [--isa PATTERN] [--slices N] [--state DIR]
 *
 * A slice is all g with the x that are the same modulo 256: 2^24 pairs; --slices takes N of 256. A
 * slice that is done is kept in DIR, which is to be removed after a change of the kernels: an
 * interrupted run goes on where it was. Prints a Markdown row per kind and ISA: pairs, results that
 * are not the nearest, the worst error in ULP with its pair; those of |f'| < 2^-126 that are not
 * the nearest, but within 2^-148 max(1, |g|), as actfn.h says; and results beyond the bounds, of
 * which the other is that of act_kind_bound. Exit 1 if there are any. Kinds: gelu and
 * silu. */
#include "tests/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ALL = 65536, STEP = 256 };

static struct format {
    act_dtype dtype;
    const char *name;
    int digits, least; /* of the significand; exponent of the smallest normal number */
    uint16_t infinity;
    double limit; /* what infinity counts as: the next power of two */
} formats[] = {{ACT_BF16, "bf16", 8, -126, 0x7f80, 0x1p128},
               {ACT_F16, "f16", 11, -14, 0x7c00, 0x1p16}};

struct result {
    unsigned long long pairs, off, tiny, beyond;
    double ulp, x, g;
};

static uint16_t in[ALL], grad[ALL], got[ALL];
static double wide_in[ALL], wide_grad[ALL], want[ALL], value[ALL], error[ALL];

static double value_of(const struct format *f, unsigned bits)
{
    const int size = (int)(bits & 0x7fff), fraction = size & ((1 << (f->digits - 1)) - 1);
    const int exponent = size >> (f->digits - 1), least = f->least - f->digits + 1;
    const double v = exponent ? ldexp(fraction + (1 << (f->digits - 1)), exponent - 1 + least)
                              : ldexp(fraction, least);
    const double size_of = size > f->infinity ? NAN : v;
    return bits & 0x8000 ? -size_of : size_of;
}

/* Errors in ULP, infinite for another sign, NaN or not; infinity counts as limit. */
static void judge(const struct format *f)
{
    const double smallest = ldexp(1, f->least);
    for (int i = 0; i < ALL; i++) {
        const double y = value[got[i]], w = want[i], a = fmin(fabs(w), f->limit);
        const double size = a < smallest ? smallest : a == f->limit ? f->limit / 2 : a;
        uint64_t bits;
        double unit;
        memcpy(&bits, &size, sizeof bits);
        bits = (bits & 0x7ff0000000000000u) - ((uint64_t)(f->digits - 1) << 52);
        memcpy(&unit, &bits, sizeof unit);
        const int wrong = !signbit(y) != !signbit(w);
        error[i] = y != y || w != w ? (y != y && w != w ? 0 : INFINITY)
                   : wrong          ? INFINITY
                                    : fabs(fabs(y) - a) / unit;
    }
}

static void one_x(const struct format *f, act_kind kind, act_isa isa, act_isa best, unsigned x,
                  struct result *r)
{
    const double one = 1;
    const double bound = act_kind_bound(kind, f->dtype, isa, ACT_MODE_FAST, 1);
    double slope;
    for (int i = 0; i < ALL; i++) {
        in[i] = (uint16_t)x;
        wide_in[i] = (x & 0x7fff) == f->infinity ? (x & 0x8000 ? -INFINITY : INFINITY) : value[x];
    }
    use_isa(best);
    call(ACT_F64, OP_BACKWARD, kind, NULL, wide_in, wide_grad, want, ALL);
    call(ACT_F64, OP_BACKWARD, kind, NULL, wide_in, &one, &slope, 1);
    use_isa(isa);
    call(f->dtype, OP_BACKWARD, kind, NULL, in, grad, got, ALL);
    judge(f);
    for (int i = 0; i < ALL; i++) {
        if (error[i] <= 0.5 + 0x1p-40) /* a tie in f64 may be off it by the error of f64 */
            continue;
        const double g = wide_grad[i], most = 0x1p-148 * fmax(1, fabs(g));
        if (fabs(slope) < 0x1p-126 && fabs(value[got[i]] - want[i]) <= most) {
            r->tiny++;
            continue;
        }
        r->off++;
        r->beyond += !(error[i] <= bound);
        if (error[i] > r->ulp)
            r->ulp = error[i], r->x = wide_in[i], r->g = g;
    }
    r->pairs += ALL;
}

static int kept(const char *path, struct result *r)
{
    FILE *const file = fopen(path, "r");
    if (!file)
        return 0;
    const int read = fscanf(file, "%llu %llu %llu %llu %la %la %la", &r->pairs, &r->off, &r->tiny,
                            &r->beyond, &r->ulp, &r->x, &r->g);
    fclose(file);
    return read == 7;
}

static void keep(const char *path, const struct result *r)
{
    char part[4200];
    snprintf(part, sizeof part, "%s.part", path);
    FILE *const file = fopen(part, "w");
    if (!file ||
        fprintf(file, "%llu %llu %llu %llu %a %a %a\n", r->pairs, r->off, r->tiny, r->beyond,
                r->ulp, r->x, r->g) < 0 ||
        fclose(file) != 0 || rename(part, path) != 0) {
        fprintf(stderr, "act-verify-half: cannot write %s\n", path);
        exit(2);
    }
}

static struct result slice(const struct format *f, act_kind kind, act_isa isa, act_isa best, int s,
                           const char *state)
{
    char path[4096];
    struct result r = {0};
    if (state) {
        snprintf(path, sizeof path, "%s/%s-%s-%s-%d", state, f->name, act_kind_name(kind),
                 act_isa_name(isa), s);
        if (kept(path, &r))
            return r;
    }
    memset(&r, 0, sizeof r);
    for (unsigned x = (unsigned)s; x < ALL; x += STEP)
        one_x(f, kind, isa, best, x, &r);
    if (state)
        keep(path, &r);
    return r;
}

static int usage(void)
{
    fprintf(stderr, "usage: act-verify-half --dtype bf16|f16 [--kind PATTERN] [--isa PATTERN] "
                    "[--slices N] [--state DIR]\n");
    return 2;
}

int main(int argc, char **argv)
{
    const char *kinds = NULL, *isas = NULL, *state = NULL;
    const struct format *f = NULL;
    int slices = STEP;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            return usage();
        if (strcmp(argv[i], "--dtype") == 0) {
            for (size_t k = 0; k < sizeof formats / sizeof formats[0]; k++)
                f = strcmp(argv[i + 1], formats[k].name) == 0 ? &formats[k] : f;
        } else if (strcmp(argv[i], "--kind") == 0)
            kinds = argv[i + 1];
        else if (strcmp(argv[i], "--isa") == 0)
            isas = argv[i + 1];
        else if (strcmp(argv[i], "--state") == 0)
            state = argv[i + 1];
        else if (strcmp(argv[i], "--slices") == 0)
            slices = atoi(argv[i + 1]);
        else
            return usage();
    }
    if (!f || slices < 1 || slices > STEP)
        return usage();
    if (state)
        mkdir(state, 0777);
    catch_crashes();
    for (unsigned i = 0; i < ALL; i++) {
        value[i] = value_of(f, i);
        grad[i] = (uint16_t)i;
        wide_grad[i] = (i & 0x7fff) == f->infinity ? (i & 0x8000 ? -INFINITY : INFINITY) : value[i];
    }
    act_isa best = ACT_ISA_SCALAR;
    for (act_isa isa = 0; isa < act_isa_count(); isa++)
        if (act_isa_available(isa))
            best = isa;
    unsigned long long beyond = 0;
    for (act_kind kind = 0; kind < act_kind_count(); kind++) {
        if (kinds ? !selected(kinds, act_kind_name(kind)) : kind != ACT_GELU && kind != ACT_SILU)
            continue;
        /* The best first, for the others take longer. */
        for (act_isa isa = act_isa_count() - 1; isa >= 0; isa--) {
            if (!act_isa_available(isa) || !selected(isas, act_isa_name(isa)))
                continue;
            struct result sum = {0};
            for (int i = 0; i < slices; i++) {
                const struct result r = slice(f, kind, isa, best, i * STEP / slices, state);
                sum.pairs += r.pairs, sum.off += r.off, sum.tiny += r.tiny;
                sum.beyond += r.beyond;
                if (r.ulp > sum.ulp)
                    sum.ulp = r.ulp, sum.x = r.x, sum.g = r.g;
            }
            printf("| %s | %s | %s | %llu | %llu | %.6f | %a | %a | %llu | %llu |\n", f->name,
                   act_kind_name(kind), act_isa_name(isa), sum.pairs, sum.off,
                   sum.ulp > 0 ? sum.ulp : 0.5, sum.x, sum.g, sum.tiny, sum.beyond);
            fflush(stdout);
            beyond += sum.beyond;
        }
    }
    return beyond || failures ? 1 : 0;
}
