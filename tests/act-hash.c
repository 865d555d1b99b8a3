/* act-hash [--isa PATTERN] [--kind PATTERN] [--step N] [--jobs N] [--check FILE]
 *
 * The bits of the f32 kernels: of each kind and operation a 64-bit hash of all results at default
 * parameters, over one of each N consecutive floats (N a power of two, 1 by default) and 4096 on
 * both sides of each breakpoint. Prints lines "step kind operation bits hash", where bits is fma
 * reproducible mode: the same on every ISA with FMA and from every compiler <ISA>   fast mode,
 * where that ISA differs (sse42 has no FMA, avx512 has tables) The scalar table calls libm and has
 * no line. What a sweep of act-verify found stays true as long as the hashes of step 1 stay as they
 * were, however the kernels' loops change.
 * --check: tests/hashes.txt, whose lines of this step must be the same; prints what differs. After
 * a change of results (the second takes 2 to 3 hours of one core): (act-hash --step 16384 --jobs 2;
 * act-hash --jobs 2) >tests/hashes.txt
 *
 * Exit status 0; 1 if ISAs or the file differ; 2 on bad usage; 77 if no ISA is here. */
#define _GNU_SOURCE /* getopt_long */
#include "tests/check.h"

#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLICES = 64, CHUNK = 4096, KINDS_MAX = 256, ISAS_MAX = 32, EDGES = 15 };

/* gcc picks one when the program starts. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define CLONES
#endif

static struct {
    atomic_int next;
    atomic_ullong sum[ACT_MODE_REPRODUCIBLE + 1][ISAS_MAX][KINDS_MAX][OP_COUNT];
} * shared;

static const char *isa_pattern, *kind_pattern;
static uint64_t step = 1;

/* The sum of splitmix64's finalizer of (x, y): the order does not matter. */
CLONES static uint64_t sum_of(const float *restrict x, const float *restrict y, int n)
{
    uint64_t sum = 0;
    for (int k = 0; k < n; k++) {
        uint32_t in, out;
        memcpy(&in, &x[k], sizeof in);
        memcpy(&out, &y[k], sizeof out);
        out = (out & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : out; /* one NaN for all */
        uint64_t z = (uint64_t)in << 32 | out;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        sum += z ^ z >> 31;
    }
    return sum;
}

CLONES static void mixed_grads(float *restrict g, const float *restrict x, int n)
{
    static const float values[16] = {1,         -1,        0x1p100f, 0x1p-100f, INFINITY,   0,
                                     -0x1p100f, -INFINITY, 0.7f,     -1.3f,     -0x1p-100f, -0.0f,
                                     3.7f,      NAN,       1e-3f,    -1e5f};
    for (int k = 0; k < n; k++) {
        uint32_t bits;
        memcpy(&bits, &x[k], sizeof bits);
        g[k] = values[(bits * 0x9e3779b1u) >> 28];
    }
}

/* Adds the results of n inputs; the order does not matter. */
static void add(act_mode mode, act_isa isa, act_kind kind, enum op op, const float *x, int n)
{
    static float in[CHUNK], g[CHUNK], y[CHUNK];
    act_params params;
    act_params_init(kind, &params);
    where = (struct where){isa, kind, op, ACT_F32, (size_t)n, 0, params};
    mixed_grads(g, x, n);
    if (op == OP_FROM_OUTPUT)
        call(ACT_F32, OP_FORWARD, kind, &params, x, NULL, in, (size_t)n);
    else
        memcpy(in, x, (size_t)n * sizeof *x);
    call(ACT_F32, op, kind, &params, in, g, y, (size_t)n);
    shared->sum[mode][isa][kind][op] += sum_of(x, y, n);
}

static void add_slice(act_mode mode, act_isa isa, act_kind kind, enum op op, int slice)
{
    static float x[CHUNK];
    const uint64_t all = ((uint64_t)1 << 32) / step, per_slice = all / SLICES;
    for (uint64_t i = 0; i < per_slice; i += CHUNK) {
        const int n = per_slice - i < CHUNK ? (int)(per_slice - i) : CHUNK;
        for (int k = 0; k < n; k++) /* an odd offset within each step */
            x[k] = float_of_bits((uint32_t)(((uint64_t)slice * per_slice + i + (uint64_t)k) * step +
                                            (step * 5 / 8)));
        add(mode, isa, kind, op, x, n);
    }
    for (int e = slice; e < EDGES; e += SLICES) {
        const uint32_t edge = bits_of_float((float)act_tests[kind]->edge[e]);
        for (int part = -1; part <= 0; part++) {
            for (int k = 0; k < CHUNK; k++)
                x[k] = float_of_bits(edge + (uint32_t)(part * CHUNK + k));
            add(mode, isa, kind, op, x, CHUNK);
        }
    }
}

static int offered(act_kind kind, enum op op)
{
    act_params params;
    act_params_init(kind, &params);
    return selected(kind_pattern, act_kind_name(kind)) && op_offered(kind, op, &params);
}

static int chosen(act_mode mode, act_isa isa)
{
    return act_isa_available(isa) && isa != ACT_ISA_SCALAR &&
           selected(isa_pattern, act_isa_name(isa)) &&
           act_kind_bound(0, ACT_F32, isa, mode, 0) >= 0;
}

/* A mode of an ISA, over one slice. */
static void add_table(act_mode mode, act_isa isa, int slice)
{
    use_mode(ACT_MODE_FAST); /* the one that every ISA has */
    use_isa(isa);
    use_mode(mode);
    for (act_kind kind = 0; kind < act_kind_count(); kind++)
        for (enum op op = 0; op < OP_COUNT; op++)
            if (offered(kind, op))
                add_slice(mode, isa, kind, op, slice);
}

static void work(void)
{
    for (int slice; (slice = shared->next++) < SLICES;)
        for (act_mode mode = ACT_MODE_FAST; mode <= ACT_MODE_REPRODUCIBLE; mode++)
            for (act_isa isa = 0; isa < act_isa_count(); isa++)
                if (chosen(mode, isa))
                    add_table(mode, isa, slice);
    _exit(failures != 0);
}

/* The hash that FILE has for it, 0 if none. */
static uint64_t expected(const char *path, act_kind kind, enum op op, const char *table)
{
    FILE *file = fopen(path, "r");
    uint64_t at = 0, hash = 0, found = 0;
    char name[64], operation[64], bits[64], line[256];
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "%" SCNu64 " %63s %63s %63s %" SCNx64, &at, name, operation, bits,
                   &hash) == 5 &&
            at == step && strcmp(name, act_kind_name(kind)) == 0 &&
            strcmp(operation, op_names[op]) == 0 && strcmp(bits, table) == 0)
            found = hash;
    if (file)
        fclose(file);
    return found;
}

static void print(act_kind kind, enum op op, const char *table, uint64_t hash)
{
    printf("%" PRIu64 " %s %s %s %016" PRIx64 "\n", step, act_kind_name(kind), op_names[op], table,
           hash);
}

/* What one kind's operation should be and is; fma == 0: not known yet. How many differ. */
static int compare(const char *path, act_kind kind, enum op op)
{
    int different = 0;
    uint64_t fma = path ? expected(path, kind, op, "fma") : 0;
    for (act_mode mode = ACT_MODE_REPRODUCIBLE; mode >= ACT_MODE_FAST; mode--)
        for (act_isa isa = 0; isa < act_isa_count(); isa++) {
            if (!chosen(mode, isa))
                continue;
            const char *table = act_isa_name(isa);
            const uint64_t hash = shared->sum[mode][isa][kind][op];
            uint64_t want = fma;
            if (mode == ACT_MODE_FAST && path && expected(path, kind, op, table))
                want = expected(path, kind, op, table);
            if (path || (mode == ACT_MODE_REPRODUCIBLE && fma)) {
                if (hash != want) {
                    printf("%s %s %s, %s mode: %016" PRIx64 ", not %016" PRIx64 "\n", table,
                           act_kind_name(kind), op_names[op],
                           mode == ACT_MODE_FAST ? "fast" : "reproducible", hash, want);
                    different++;
                }
            } else if (mode == ACT_MODE_REPRODUCIBLE) {
                print(kind, op, "fma", fma = hash);
            } else if (hash != fma) {
                print(kind, op, table, hash);
            }
        }
    return different;
}

static int report(const char *path)
{
    int different = 0;
    for (act_kind kind = 0; kind < act_kind_count(); kind++)
        for (enum op op = 0; op < OP_COUNT; op++)
            if (offered(kind, op))
                different += compare(path, kind, op);
    return different != 0;
}

int main(int argc, char **argv)
{
    enum { ISA = 256, KIND, STEP, JOBS, CHECK };
    static const struct option options[] = {
        {"isa", required_argument, NULL, ISA},     {"kind", required_argument, NULL, KIND},
        {"step", required_argument, NULL, STEP},   {"jobs", required_argument, NULL, JOBS},
        {"check", required_argument, NULL, CHECK}, {NULL, 0, NULL, 0}};
    const char *path = NULL;
    int jobs = 1, any = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        char *end = "";
        switch (c) {
        case ISA:
            isa_pattern = optarg;
            break;
        case KIND:
            kind_pattern = optarg;
            break;
        case STEP:
            step = strtoull(optarg, &end, 10);
            break;
        case JOBS:
            jobs = (int)strtol(optarg, &end, 10);
            break;
        case CHECK:
            path = optarg;
            break;
        default:
            return 2;
        }
        if (*end) {
            fprintf(stderr, "act-hash: '%s' is not a number\n", optarg);
            return 2;
        }
    }
    if (optind < argc || jobs < 1 || step < 1 || step > 1 << 20 || (step & (step - 1)) != 0) {
        fprintf(stderr, "act-hash: bad arguments; --step is a power of two up to 2^20\n");
        return 2;
    }
    for (act_isa isa = 0; isa < act_isa_count() && isa < ISAS_MAX; isa++)
        any += chosen(ACT_MODE_FAST, isa);
    if (!any) {
        printf("SKIPPED: no such ISA here\n");
        return 77;
    }
    catch_crashes();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    int status, crashed = 0;
    for (int i = 0; i < jobs; i++)
        if (fork() == 0)
            work();
    while (wait(&status) > 0)
        crashed |= status;
    return report(path) || crashed;
}
