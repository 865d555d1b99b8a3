/* checkact [--isa PATTERN] [--kind PATTERN] [--seed N] [--quick] [--list]
 *
 * Checks every ISA x kind x operation against the double reference, the scalar f64 table (which
 * test_reference checks against MPFR). A failure names the call; --seed replays it. Exit status 0,
 * 1 if a check failed, 2 on bad usage, 77 if the ISA asked for is not available here. */
#define _GNU_SOURCE /* getopt_long */
#include "tests/check.h"

#include <getopt.h>
#include <stdlib.h>
#include <time.h>

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
            const int failures_before = failures;
            use_isa(isa);
            check_accuracy(options, isa, kind, options->quick ? 20000 : 400000);
            check_contract(isa, kind);
            for (act_dtype t = ACT_F32; t <= ACT_F16; t++)
                check_memory(options, isa, kind, t);
            printf("%-8s %-14s %s\n", act_isa_name(isa), act_kind_name(kind),
                   failures > failures_before ? "FAILED" : "ok");
            fflush(stdout);
        }
    }
    if (!ran)
        printf("SKIPPED: nothing to run\n");
    return failures ? 1 : ran ? 0 : 77;
}

int main(int argc, char **argv)
{
    enum { ISA = 256, KIND, SEED, QUICK, LIST };
    static const struct option long_options[] = {
        {"isa", required_argument, NULL, ISA},
        {"kind", required_argument, NULL, KIND},
        {"seed", required_argument, NULL, SEED},
        {"quick", no_argument, NULL, QUICK},
        {"list", no_argument, NULL, LIST},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.seed = (uint64_t)time(NULL)};
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        char *end = "";
        switch (c) {
        case ISA:
            options.isa = optarg;
            break;
        case KIND:
            options.kind = optarg;
            break;
        case SEED:
            options.seed = strtoull(optarg, &end, 0);
            break;
        case QUICK:
            options.quick = 1;
            break;
        case LIST:
            list();
            return 0;
        default:
            return 2;
        }
        if (*end) {
            fprintf(stderr, "checkact: '%s' is not a number\n", optarg);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "checkact: unexpected argument '%s'\n", argv[optind]);
        return 2;
    }

    act_set_mode(ACT_MODE_FAST); /* whatever ACTFN_MODE says: every ISA has its table there */
    catch_crashes();

    printf("seed %llu\n", (unsigned long long)options.seed);
    return check_all(&options);
}
