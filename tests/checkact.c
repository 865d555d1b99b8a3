/* checkact [--isa PATTERN] [--kind PATTERN] [--seed N] [--quick] [--list] [--hash]
 *          [--exhaustive [--jobs N] [--state FILE] [--report FILE.md]]
 *
 * Checks every ISA x kind x operation against the double reference, the scalar f64 table (which
 * test_reference checks against MPFR). A failure names the call; --seed replays it. Exit status 0,
 * 1 if a check failed, 2 on bad usage, 77 if the ISA asked for is not available here. */
#define _GNU_SOURCE
#include "tests/check.h"

#include <fnmatch.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *const op_names[OP_COUNT] = {"forward", "backward", "from_output"};

#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    extern const struct act_test act_test_##name;
#include "actfn/kinds.inc"
#undef ACT_KIND
const struct act_test *const act_tests[] = {
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    [id] = &act_test_##name,
#include "actfn/kinds.inc"
#undef ACT_KIND
};

struct where where;
int failures;
static int failures_here; /* of this ISA x kind */

static void describe_where(char *text, size_t size)
{
    snprintf(text, size, "%s %s %s %s n %zu offset %zu alpha %g beta %g", act_isa_name(where.isa),
             act_kind_name(where.kind), where.dtype == ACT_F64 ? "f64" : "f32", op_names[where.op],
             where.n, where.offset, where.params.alpha, where.params.beta);
}

void fail(const char *format, ...)
{
    failures++;
    if (++failures_here > 8)
        return;
    char text[256];
    describe_where(text, sizeof text);
    printf("FAIL %s: ", text);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static void on_crash(int signal_number)
{
    char text[300];
    describe_where(text, sizeof text - 40);
    strcat(text, ": ");
    strcat(text, strsignal(signal_number));
    strcat(text, "\n");
    const ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
    _exit(1);
}

size_t elem_size(act_dtype dtype)
{
    return dtype == ACT_F64 ? sizeof(double) : sizeof(float);
}

void use_isa(act_isa isa)
{
    if (act_set_isa(isa) != ACT_OK || act_get_isa() != isa)
        fail("act_set_isa(%d) did not take", isa);
}

int op_offered(act_kind kind, enum op op, const act_params *params)
{
    act_kind_info info = {.struct_size = sizeof info};
    act_kind_describe(kind, &info);
    return op != OP_FROM_OUTPUT ||
           (info.from_output && (info.param_count == 0 || !(params->alpha < 0)));
}

void call(act_dtype dtype, enum op op, act_kind kind, const act_params *params, const void *x,
          const void *g, void *out, size_t n)
{
    act_status status = ACT_ERR_UNSUPPORTED;
    if (dtype == ACT_F32)
        status = op == OP_FORWARD    ? act_forward(kind, params, x, out, n)
                 : op == OP_BACKWARD ? act_backward(kind, params, x, g, out, n)
                                     : act_backward_from_output(kind, params, x, g, out, n);
    else if (dtype == ACT_F64)
        status = op == OP_FORWARD    ? act_forward_f64(kind, params, x, out, n)
                 : op == OP_BACKWARD ? act_backward_f64(kind, params, x, g, out, n)
                                     : act_backward_from_output_f64(kind, params, x, g, out, n);
    if (status != ACT_OK)
        fail("status %d: %s", status, act_status_string(status));
}

int selected(const char *pattern, const char *name)
{
    return !pattern || fnmatch(pattern, name, 0) == 0;
}

static void list(void)
{
    for (act_isa isa = 0; isa < act_isa_count(); isa++)
        printf("isa %s%s\n", act_isa_name(isa), act_isa_available(isa) ? "" : " (not here)");
    for (act_kind kind = 0; kind < act_kind_count(); kind++)
        printf("kind %s\n", act_kind_name(kind));
}

/* Exit status 77 if nothing could run. */
static int check_all(const struct options *options)
{
    int ran = 0;
    for (act_isa isa = 0; isa < act_isa_count(); isa++) {
        if (!selected(options->isa, act_isa_name(isa)))
            continue;
        if (!act_isa_available(isa)) {
            printf("%-8s SKIPPED: this machine or build does not have it\n", act_isa_name(isa));
            continue;
        }
        for (act_kind kind = 0; kind < act_kind_count(); kind++) {
            if (!selected(options->kind, act_kind_name(kind)))
                continue;
            ran++;
            failures_here = 0;
            use_isa(isa);
            if (options->hash) {
                print_hashes(options, isa, kind);
                continue;
            }
            check_accuracy(options, isa, kind, options->quick ? 20000 : 400000);
            check_environment(isa, kind);
            check_memory(options, isa, kind, ACT_F32);
            check_memory(options, isa, kind, ACT_F64);
            printf("%-8s %-14s %s\n", act_isa_name(isa), act_kind_name(kind),
                   failures_here ? "FAILED" : "ok");
            fflush(stdout);
        }
    }
    if (!ran)
        printf("SKIPPED: nothing to run\n");
    return failures ? 1 : ran ? 0 : 77;
}

int main(int argc, char **argv)
{
    enum { ISA = 256, KIND, SEED, QUICK, LIST, HASH, EXHAUSTIVE, JOBS, STATE, REPORT };
    static const struct option long_options[] = {
        {"isa", required_argument, NULL, ISA},       {"kind", required_argument, NULL, KIND},
        {"seed", required_argument, NULL, SEED},     {"quick", no_argument, NULL, QUICK},
        {"list", no_argument, NULL, LIST},           {"hash", no_argument, NULL, HASH},
        {"exhaustive", no_argument, NULL, EXHAUSTIVE}, {"jobs", required_argument, NULL, JOBS},
        {"state", required_argument, NULL, STATE},   {"report", required_argument, NULL, REPORT},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.seed = (uint64_t)time(NULL), .jobs = 1};
    int seed_given = 0;
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        char *end = "";
        switch (c) {
        case ISA: options.isa = optarg; break;
        case KIND: options.kind = optarg; break;
        case SEED: options.seed = strtoull(optarg, &end, 0), seed_given = 1; break;
        case QUICK: options.quick = 1; break;
        case LIST: list(); return 0;
        case HASH: options.hash = 1; break;
        case EXHAUSTIVE: options.exhaustive = 1; break;
        case JOBS: options.jobs = (int)strtol(optarg, &end, 10); break;
        case STATE: options.state = optarg; break;
        case REPORT: options.report = optarg; break;
        default: return 2;
        }
        if (*end || options.jobs < 1) {
            fprintf(stderr, "checkact: '%s' is not a number\n", optarg);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "checkact: unexpected argument '%s'\n", argv[optind]);
        return 2;
    }

    const int crashes[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE};
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        signal(crashes[i], on_crash);

    if (options.exhaustive)
        return sweep(&options);
    if (options.hash && !seed_given)
        options.seed = 1; /* hashes are for comparing */
    if (!options.hash)
        printf("seed %llu\n", (unsigned long long)options.seed);
    return check_all(&options);
}
