/* checkact --exhaustive: all 2^32 floats through every table, judged against the f64 functions of
 * the best one (test_reference checks those against MPFR). Work is cut into slices that forked
 * workers take in turn; a finished slice is a line in the state file, so a sweep can be resumed. */
#define _GNU_SOURCE
#include "tests/check.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLICES = 64, CHUNK = 8192, MAX_ISAS = 8, MAX_PASSES = 256 };

/* One pass over all inputs: a kind and operation; for a derivative with g = 1, or with g mixed. */
struct pass {
    act_kind kind;
    enum op op;
    int mixed;
};

struct result {
    int done;
    uint64_t bad[MAX_ISAS];
    struct worst worst[MAX_ISAS];
};

static struct {
    _Atomic int next, finished;
    struct result result[MAX_PASSES][SLICES];
} * shared;

static struct pass passes[MAX_PASSES];
static int pass_count, isa_count;
static act_isa isas[MAX_ISAS];

static float grad_of(uint32_t bits, int mixed)
{
    static const float values[16] = {1,         -1,        0x1p100f, 0x1p-100f, INFINITY,   0,
                                     -0x1p100f, -INFINITY, 0.7f,     -1.3f,     -0x1p-100f, -0.0f,
                                     3.7f,      NAN,       1e-3f,    -1e5f};
    return mixed ? values[(bits * 0x9e3779b1u) >> 28] : 1;
}

/* want rounded to float, and whether that changed none of it. */
struct rounded {
    float value[CHUNK];
    int exact;
};

static void round_chunk(struct rounded *r, const double *want)
{
    r->exact = 1;
    for (int k = 0; k < CHUNK; k++) {
        r->value[k] = (float)want[k];
        r->exact &= (double)r->value[k] == want[k];
    }
}

static void judge_chunk(const struct pass *pass, struct result *r, int i, const float *x,
                        const float *g, const float *got, const double *want, const double *slope,
                        const struct rounded *rounded)
{
    struct worst *worst = &r->worst[i];
    /* Correctly rounded, all of it: at most half an ULP, which is no news or no error at all. */
    if (memcmp(got, rounded->value, sizeof rounded->value) == 0 &&
        (rounded->exact || worst->ulp > 0.4999))
        return;
    act_params params;
    act_params_init(pass->kind, &params);
    const double zero = pass->op == OP_BACKWARD ? zero_of(pass->kind, &params) : 0;
    const double bound =
        act_kind_bound(pass->kind, ACT_F32, isas[i], ACT_MODE_FAST, pass->op != OP_FORWARD);
    for (int k = 0; k < CHUNK; k++) {
        /* Most of the others end here: finite, right sign, no new record, at most half an ULP. */
        const double off = fabs((double)got[k] - want[k]);
        const double size = fabs(want[k]);
        uint64_t ulp_bits;
        memcpy(&ulp_bits, &size, sizeof ulp_bits);
        ulp_bits = (ulp_bits & 0x7ff0000000000000u) - ((uint64_t)24 << 52);
        double half_ulp;
        memcpy(&half_ulp, &ulp_bits, sizeof half_ulp);
        if (size >= 0x1p-126 && size < 0x1.fffffep127 && off <= half_ulp &&
            off <= half_ulp * 2 * worst->ulp)
            continue;
        const int ok =
            pass->op == OP_FORWARD
                ? judge_forward(worst, bound, 0, x[k], got[k], want[k])
                : judge_backward(worst, bound, 0, zero, x[k], g[k], got[k], want[k], slope[k]);
        r->bad[i] += !ok;
    }
}

static void run_slice(int p, int slice)
{
    static float x[CHUNK], g[CHUNK], got[CHUNK];
    static double wide_x[CHUNK], wide_g[CHUNK], want[CHUNK], slope[CHUNK], ones[CHUNK];
    static struct rounded nearest;
    const struct pass *pass = &passes[p];
    struct result r = {0};
    act_params params;
    act_params_init(pass->kind, &params);
    act_params rounded = {(float)params.alpha, (float)params.beta, (float)params.gamma,
                          (float)params.delta};
    const uint64_t per_slice = ((uint64_t)1 << 32) / SLICES;
    for (uint64_t first = slice * per_slice; first < (slice + 1) * per_slice; first += CHUNK) {
        for (int k = 0; k < CHUNK; k++) {
            const uint32_t bits = (uint32_t)(first + (uint64_t)k);
            x[k] = float_of_bits(bits);
            g[k] = grad_of(bits, pass->mixed);
        }
        if (pass->op == OP_FROM_OUTPUT) { /* all outputs there are */
            use_isa(isas[0]);
            call(ACT_F32, OP_FORWARD, pass->kind, &params, x, NULL, x, CHUNK);
        }
        for (int k = 0; k < CHUNK; k++) {
            wide_x[k] = (double)x[k];
            wide_g[k] = (double)g[k];
            ones[k] = 1;
        }
        where =
            (struct where){isas[isa_count - 1], pass->kind, pass->op, ACT_F64, CHUNK, 0, params};
        use_isa(where.isa);
        call(ACT_F64, pass->op, pass->kind, &rounded, wide_x, wide_g, want, CHUNK);
        if (pass->mixed)
            call(ACT_F64, pass->op, pass->kind, &rounded, wide_x, ones, slope, CHUNK);
        round_chunk(&nearest, want);
        for (int i = 0; i < isa_count; i++) {
            where.isa = isas[i];
            where.dtype = ACT_F32;
            use_isa(isas[i]);
            call(ACT_F32, pass->op, pass->kind, &params, x, g, got, CHUNK);
            judge_chunk(pass, &r, i, x, g, got, want, pass->mixed ? slope : want, &nearest);
        }
    }
    r.done = 1;
    shared->result[p][slice] = r;
}

/* A line of the state file: pass, slice, then bad, worst.. of each ISA, in hex floats. */
static void save(FILE *state, int p, int slice)
{
    const struct result *r = &shared->result[p][slice];
    fprintf(state, "%s %s %d %d", act_kind_name(passes[p].kind), op_names[passes[p].op],
            passes[p].mixed, slice);
    for (int i = 0; i < isa_count; i++)
        fprintf(state, " %s %llu %llu %a %a %a %a %a", act_isa_name(isas[i]),
                (unsigned long long)r->bad[i], (unsigned long long)r->worst[i].above1,
                r->worst[i].ulp, (double)r->worst[i].x, (double)r->worst[i].g,
                (double)r->worst[i].got, r->worst[i].want);
    fputc('\n', state);
    fflush(state);
}

static int pass_of(const char *kind, const char *op, int mixed)
{
    for (int p = 0; p < pass_count; p++)
        if (strcmp(act_kind_name(passes[p].kind), kind) == 0 &&
            strcmp(op_names[passes[p].op], op) == 0 && passes[p].mixed == mixed)
            return p;
    return -1;
}

static void load(const char *path)
{
    FILE *state = fopen(path, "r");
    char line[4096];
    while (state && fgets(line, sizeof line, state)) {
        char kind[64], op[64];
        int mixed, slice, used = 0;
        if (sscanf(line, "%63s %63s %d %d%n", kind, op, &mixed, &slice, &used) != 4)
            continue;
        const int p = pass_of(kind, op, mixed);
        struct result r = {.done = 1};
        const char *rest = line + used;
        for (int i = 0; i < isa_count && r.done; i++) {
            char isa[64];
            unsigned long long bad, above1;
            double v[5];
            int n = 0;
            r.done = sscanf(rest, "%63s %llu %llu %la %la %la %la %la%n", isa, &bad, &above1, &v[0],
                            &v[1], &v[2], &v[3], &v[4], &n) == 8 &&
                     strcmp(isa, act_isa_name(isas[i])) == 0;
            rest += n;
            r.bad[i] = bad;
            r.worst[i] = (struct worst){v[0], (float)v[1], (float)v[2], (float)v[3], v[4], above1};
        }
        if (p >= 0 && slice >= 0 && slice < SLICES && r.done) {
            shared->result[p][slice] = r;
            shared->finished++;
        }
    }
    if (state)
        fclose(state);
}

static void work(const struct options *options)
{
    FILE *state = options->state ? fopen(options->state, "a") : NULL;
    for (int job; (job = shared->next++) < pass_count * SLICES;) {
        const int p = job / SLICES, slice = job % SLICES;
        if (shared->result[p][slice].done)
            continue;
        run_slice(p, slice);
        if (state)
            save(state, p, slice);
        shared->finished++;
    }
    if (state)
        fclose(state);
    if (failures)
        _exit(1);
}

static void progress(time_t start)
{
    const int total = pass_count * SLICES, done = shared->finished;
    fprintf(stderr, "\r%5.1f%%  %d of %d slices, %ld s", 100.0 * done / total, done, total,
            (long)(time(NULL) - start));
}

static struct result total_of(int p)
{
    struct result sum = {0};
    for (int s = 0; s < SLICES; s++)
        for (int i = 0; i < isa_count; i++) {
            const struct worst *w = &shared->result[p][s].worst[i];
            const uint64_t above1 = sum.worst[i].above1 + w->above1;
            if (w->ulp > sum.worst[i].ulp)
                sum.worst[i] = *w;
            sum.worst[i].above1 = above1;
            sum.bad[i] += shared->result[p][s].bad[i];
        }
    return sum;
}

static int report(FILE *out)
{
    int bad = 0;
    fprintf(out,
            "| kind | operation | ISA | max ULP | at x | g | got | want | above 1 ULP | out of "
            "bounds |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (int p = 0; p < pass_count; p++) {
        const struct result sum = total_of(p);
        for (int i = 0; i < isa_count; i++) {
            const struct worst *w = &sum.worst[i];
            bad |= sum.bad[i] != 0;
            fprintf(out, "| %s | %s%s | %s | %.4f | %a (%.9g) | %g | %a | %a | %llu | %llu |\n",
                    act_kind_name(passes[p].kind), op_names[passes[p].op],
                    passes[p].op == OP_FORWARD ? ""
                    : passes[p].mixed          ? ", g mixed"
                                               : ", g = 1",
                    act_isa_name(isas[i]), w->ulp, (double)w->x, (double)w->x, (double)w->g,
                    (double)w->got, w->want, (unsigned long long)w->above1,
                    (unsigned long long)sum.bad[i]);
        }
    }
    return bad;
}

static void write_report(const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        fprintf(stderr, "checkact: cannot write %s\n", path);
        return;
    }
    char date[32];
    const time_t now = time(NULL);
    strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now));
    fprintf(out,
            "# Accuracy\n\n"
            "Every float (2^32 inputs) through every kernel table, default parameters, against the "
            "library's f64\nfunctions of the %s table, which `test_reference` checks against "
            "MPFR. Written by `./dev verify`\non %s, libactfn %s.\n\n"
            "ULP is the distance to the real result in units of its last place (2^-149 for "
            "subnormal results);\na wrong special value or sign of zero would count as infinite. "
            "Derivatives: error of the product\n`g f'(x)`, once with g = 1 and once with g cycling "
            "through +-1, +-0, 2^+-100, +-inf, NaN and others;\nwithin 0.5 of a zero of f' an "
            "error up to 2^-22 |g|, and where |f'| < 2^-126 one up to\n2^-148 max(1, |g|), is in "
            "bounds and not shown.\n\n",
            act_isa_name(isas[isa_count - 1]), date, act_version());
    report(out);
    fclose(out);
}

int sweep(const struct options *options)
{
    for (act_isa isa = 0; isa < act_isa_count() && isa_count < MAX_ISAS; isa++)
        if (act_isa_available(isa) && selected(options->isa, act_isa_name(isa)))
            isas[isa_count++] = isa;
    for (act_kind kind = 0; kind < act_kind_count(); kind++)
        for (enum op op = 0; op < OP_COUNT; op++) {
            act_params params;
            act_params_init(kind, &params);
            if (!selected(options->kind, act_kind_name(kind)) || !op_offered(kind, op, &params))
                continue;
            for (int mixed = 0; mixed <= (op != OP_FORWARD) && pass_count < MAX_PASSES; mixed++)
                passes[pass_count++] = (struct pass){kind, op, mixed};
        }
    if (!isa_count || !pass_count) {
        printf("SKIPPED: nothing to run\n");
        return 77;
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    if (options->state)
        load(options->state);

    const time_t start = time(NULL);
    int running = 0, crashed = 0, status;
    fflush(stdout);
    for (; running < options->jobs; running++)
        if (fork() == 0) {
            work(options);
            _exit(0);
        }
    while (running) {
        const pid_t ended = waitpid(-1, &status, WNOHANG);
        if (ended > 0) {
            running--;
            crashed |= status;
        } else {
            if (isatty(STDERR_FILENO))
                progress(start);
            sleep(1);
        }
    }
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    const int bad = report(stdout);
    if (options->report && !crashed)
        write_report(options->report);
    return bad || crashed ? 1 : 0;
}
