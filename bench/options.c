/* The command line. */
#include "bench/bench.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const op_names[OP_COUNT] = {"forward", "backward", "from-output"};

static const char help[] =
    "usage: act-bench [options]\n"
    "Times every kernel of libactfn on the ISAs of this machine, after checking its accuracy.\n"
    "\n"
    "  --isa A[,B]       ISAs (scalar, sse42, avx2, avx512, neon); default: all usable here\n"
    "  --kind GLOB[,..]  kinds; default: all\n"
    "  --structured[=GLOB,..]  softmax, norms, gated units ... instead of the kinds; --kind: the\n"
    "                    kinds in them; default: silu, of norms identity, all learnable ones\n"
    "  --row N           elements of a row of these, which divides n; default: 1024 or less\n"
    "  --op OP[,..]      forward, backward, from-output; default: forward,backward\n"
    "  --n N[,..]        elements per call; default: 4096 on every ISA, and 65536 and 16777216\n"
    "                    on the best\n"
    "  --dtype T         f32 (default), f64, bf16 or f16\n"
    "  --dist D          normal, N(0, 1.5) (default), or uniform8, U[-8, 8]\n"
    "  --input F.npy     a tensor of f32 as input; n is its size unless --n is given\n"
    "  --threads N       threads of the library in a call, not pinned; default: 1, pinned\n"
    "  --min-time S      seconds per measurement\n"
    "  --json F, --csv F results as JSON (Google Benchmark's) or CSV; - is standard output\n"
    "  --compare F.json  an earlier --json: ratio of each time to it\n"
    "  --list            the kinds and ISAs\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0, 1 if a kernel was outside its error bound, 2 on bad usage or input.\n";

/* Calls each on the comma-separated words. */
static void for_words(const char *option, char *words, void (*each)(struct options *, const char *),
                      struct options *o)
{
    for (char *word; (word = strsep(&words, ",")) != NULL;) {
        if (!*word)
            die("--%s: a name or number is missing", option);
        each(o, word);
    }
}

static void add_isa(struct options *o, const char *name)
{
    const act_isa isa = act_isa_from_name(name);
    if (isa < 0)
        die("no ISA '%s' (see --list)", name);
    if (!act_isa_available(isa))
        die("this machine or build cannot run '%s'", name);
    o->isas[isa] = 1;
}

static void add_kind(struct options *o, const char *pattern)
{
    int found = 0;
    const act_kind alias = act_kind_from_name(pattern);
    for (act_kind kind = 0; kind < act_kind_count(); kind++)
        if (kind == alias || fnmatch(pattern, act_kind_name(kind), 0) == 0)
            o->kinds[kind] = 1, found = 1, o->kinds_given = 1;
    if (!found)
        die("no kind '%s' (see --list)", pattern);
}

static void add_op(struct options *o, const char *name)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (strcmp(name, op_names[op]) == 0) {
            o->ops[op] = 1;
            return;
        }
    die("no operation '%s': forward, backward or from-output", name);
}

static void add_size(struct options *o, const char *text)
{
    char *end;
    errno = 0;
    const unsigned long long n = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || errno || *end || n == 0 || n > (1ull << 32))
        die("--n: '%s' is not a number from 1 to 2^32", text);
    int at = 0; /* sorted, each once */
    while (at < o->size_count && o->sizes[at] < n)
        at++;
    if (at < o->size_count && o->sizes[at] == n)
        return;
    if (o->size_count == SIZE_LIMIT)
        die("--n: more than %d sizes", SIZE_LIMIT);
    memmove(o->sizes + at + 1, o->sizes + at, (size_t)(o->size_count++ - at) * sizeof *o->sizes);
    o->sizes[at] = (size_t)n;
}

void options_parse(struct options *o, int argc, char **argv)
{
    enum {
        ISA = 256,
        KIND,
        OP,
        N,
        DTYPE,
        DIST,
        INPUT,
        THREADS,
        TIME,
        JSON,
        CSV,
        COMPARE,
        LIST,
        HELP,
        VERSION,
        STRUCTURED,
        ROW
    };
    static const struct option long_options[] = {
        {"isa", 1, NULL, ISA},         {"kind", 1, NULL, KIND},
        {"op", 1, NULL, OP},           {"n", 1, NULL, N},
        {"dtype", 1, NULL, DTYPE},     {"dist", 1, NULL, DIST},
        {"input", 1, NULL, INPUT},     {"min-time", 1, NULL, TIME},
        {"json", 1, NULL, JSON},       {"csv", 1, NULL, CSV},
        {"compare", 1, NULL, COMPARE}, {"list", 0, NULL, LIST},
        {"help", 0, NULL, HELP},       {"version", 0, NULL, VERSION},
        {"threads", 1, NULL, THREADS}, {"structured", 2, NULL, STRUCTURED},
        {"row", 1, NULL, ROW},         {NULL, 0, NULL, 0},
    };
    *o = (struct options){0};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":", long_options, NULL)) != -1;) {
        char *end;
        switch (c) {
        case ISA:
            for_words("isa", optarg, add_isa, o);
            break;
        case KIND:
            for_words("kind", optarg, add_kind, o);
            break;
        case OP:
            for_words("op", optarg, add_op, o);
            break;
        case N:
            for_words("n", optarg, add_size, o);
            break;
        case DTYPE:
            for (o->dtype = 0; strcmp(optarg, dtype_names[o->dtype]) != 0;)
                if (++o->dtype == DTYPE_COUNT)
                    die("no type '%s': f32, f64, bf16 or f16", optarg);
            break;
        case DIST:
            if (strcmp(optarg, "normal") != 0 && strcmp(optarg, "uniform8") != 0)
                die("no distribution '%s': normal or uniform8", optarg);
            o->uniform = strcmp(optarg, "uniform8") == 0;
            break;
        case INPUT:
            o->input = optarg;
            break;
        case THREADS:
            o->threads = strtol(optarg, &end, 10);
            if (*end || !isdigit((unsigned char)*optarg) || o->threads < 1)
                die("--threads: '%s' is not a positive number", optarg);
            break;
        case TIME:
            o->min_time = strtod(optarg, &end);
            if (*end || end == optarg || !(o->min_time > 0) || !isfinite(o->min_time))
                die("--min-time: '%s' is not a positive number", optarg);
            break;
        case JSON:
            o->json = optarg;
            break;
        case CSV:
            o->csv = optarg;
            break;
        case COMPARE:
            o->compare = optarg;
            break;
        case STRUCTURED:
            o->structured = optarg ? optarg : "*";
            if (strlen(o->structured) > 255)
                die("--structured: more than 255 characters");
            break;
        case ROW:
            errno = 0;
            o->row = strtoull(optarg, &end, 10);
            if (*end || errno || !isdigit((unsigned char)*optarg) || o->row < 16)
                die("--row: '%s' is not a number from 16 on", optarg);
            break;
        case LIST:
            o->list = 1;
            break;
        case HELP:
            fputs(help, stdout);
            exit(0);
        case VERSION:
            printf("act-bench %s\n", act_version());
            exit(0);
        case ':':
            die("%s needs a value (see --help)", argv[optind - 1]);
        default: /* optopt: the letter of a short option, or the value of a long one */
            if (optopt > 0 && optopt < ISA)
                die("unknown option '-%c' (see --help)", optopt);
            die("%s '%s' (see --help)", optopt ? "no value is allowed in" : "unknown option",
                argv[optind - 1]);
        }
    }
    if (o->json && o->csv && strcmp(o->json, o->csv) == 0)
        die("--json and --csv cannot both write to '%s'", o->json);
    if (optind < argc)
        die("unexpected argument '%s' (see --help)", argv[optind]);
    if (o->row && !o->structured)
        die("--row is for --structured");
    if (!memchr(o->kinds, 1, sizeof o->kinds))
        memset(o->kinds, 1, (size_t)act_kind_count());
    if (!memchr(o->isas, 1, sizeof o->isas))
        for (act_isa isa = 0; isa < act_isa_count(); isa++)
            o->isas[isa] = (unsigned char)act_isa_available(isa);
    if (!memchr(o->ops, 1, sizeof o->ops))
        o->ops[OP_FORWARD] = o->ops[OP_BACKWARD] = 1;
}
