/* act-verify --state DIR [--isa PATTERN] [--kind PATTERN] [--jobs N] [--report FILE.md] [--step N]
 *            [--audit-step N] [--scalar-step N] [--sse42-step N] [--objects FILE]
 *
 * --step N takes one of N inputs; --audit-step, --scalar-step and --sse42-step the same of the
 * audit and of these tables alone, which take three quarters of the time.
 *
 *   verify_plan.c    what is measured, and the key of each result
 *   verify_state.c   results kept in DIR/results: only what is missing there is computed
 *   verify_run.c     the workers
 *   verify_slice.c   inputs, oracle and kernels, chunk by chunk; verify_judge.c: its loops
 *   verify_audit.c   the oracle against MPFR
 *   verify_report.c  the tables, and what is out of bounds
 *
 * Exit status 0; 1 if a result is out of bounds or missing; 2 on bad usage; 3 if another run holds
 * DIR; 77 if there is nothing to run. */
#define _GNU_SOURCE /* getopt_long */
#include "tests/verify.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Held until the process and its workers end. */
static int lock_state(const char *directory)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/lock", directory);
    mkdir(directory, 0777);
    const int lock = open(path, O_RDWR | O_CREAT, 0666);
    if (lock < 0) {
        fprintf(stderr, "act-verify: cannot write %s\n", path);
        return 2;
    }
    /* ./dev looks whether it is held by holding it for a moment. */
    int tries = 20;
    while (flock(lock, LOCK_EX | LOCK_NB) != 0 && --tries)
        usleep(50000);
    if (!tries) {
        fprintf(stderr, "act-verify: another run holds %s\n", path);
        return 3;
    }
    return 0;
}

int main(int argc, char **argv)
{
    enum {
        ISA = 256,
        KIND,
        JOBS,
        STATE,
        REPORT,
        STEP,
        AUDIT_STEP,
        SCALAR_STEP,
        SSE42_STEP,
        OBJECTS
    };
    static const struct option long_options[] = {
        {"isa", required_argument, NULL, ISA},
        {"kind", required_argument, NULL, KIND},
        {"jobs", required_argument, NULL, JOBS},
        {"state", required_argument, NULL, STATE},
        {"report", required_argument, NULL, REPORT},
        {"step", required_argument, NULL, STEP},
        {"audit-step", required_argument, NULL, AUDIT_STEP},
        {"scalar-step", required_argument, NULL, SCALAR_STEP},
        {"sse42-step", required_argument, NULL, SSE42_STEP},
        {"objects", required_argument, NULL, OBJECTS},
        {NULL, 0, NULL, 0},
    };
    struct verify_options options = {.objects = ACT_OBJECT_LIST,
                                     .jobs = 1,
                                     .step = 1,
                                     .audit_step = 1,
                                     .scalar_step = 1,
                                     .sse42_step = 1};
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        char *end = "";
        switch (c) {
        case ISA:
            options.isa = optarg;
            break;
        case KIND:
            options.kind = optarg;
            break;
        case JOBS:
            options.jobs = (int)strtol(optarg, &end, 10);
            break;
        case STATE:
            options.state = optarg;
            break;
        case REPORT:
            options.report = optarg;
            break;
        case STEP:
            options.step = strtoull(optarg, &end, 10);
            break;
        case AUDIT_STEP:
            options.audit_step = strtoull(optarg, &end, 10);
            break;
        case SCALAR_STEP:
            options.scalar_step = strtoull(optarg, &end, 10);
            break;
        case SSE42_STEP:
            options.sse42_step = strtoull(optarg, &end, 10);
            break;
        case OBJECTS:
            options.objects = optarg;
            break;
        default:
            return 2;
        }
        if (*end || options.jobs < 1) {
            fprintf(stderr, "act-verify: '%s' is not a number\n", optarg);
            return 2;
        }
    }
    if (optind < argc || !options.state) {
        fprintf(stderr, "act-verify: %s\n",
                optind < argc ? "unexpected argument" : "--state DIR is needed");
        return 2;
    }
    /* Slices of whole inputs, of the audit's too: 2^32 / 1024 / SLICES = 65536. */
    const uint64_t steps[] = {options.step, options.step * options.audit_step,
                              options.step * options.scalar_step,
                              options.step * options.sse42_step};
    for (int i = 0; i < 4; i++)
        if (steps[i] == 0 || steps[i] > 65536 || (steps[i] & (steps[i] - 1)) != 0) {
            fprintf(stderr, "act-verify: a step is a power of two, all in all up to 65536\n");
            return 2;
        }
    int status = lock_state(options.state);
    if (status)
        return status;
    act_set_mode(ACT_MODE_FAST); /* whatever ACTFN_MODE says: every ISA has its table there */
    catch_crashes();
    status = make_plan(&options);
    if (status)
        return status;
    run_missing(&options);
    return report(&options);
}
