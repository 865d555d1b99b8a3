/* What is to be run, and the key of each result: a hash of what it was measured with. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "tests/verify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Part of every key: to be changed with what this program measures, or how. */
#define MEASURE "act-verify 1"

struct plan plan;

static int is_scalar(enum group group)
{
    return group == SCALAR_AT_DEFAULTS || group == SCALAR_ON_GRID;
}

static int is_sse42(enum group group)
{
    return group == SSE42_AT_DEFAULTS || group == SSE42_ON_GRID;
}

int is_grid(enum group group)
{
    return group == ON_GRID || group == SCALAR_ON_GRID || group == SSE42_ON_GRID;
}

int pass_tests(const struct pass *pass, act_isa isa)
{
    if (pass->group == AUDIT)
        return isa == plan.oracle;
    if (is_scalar(pass->group) || isa == ACT_ISA_SCALAR)
        return is_scalar(pass->group) && isa == ACT_ISA_SCALAR;
    return is_sse42(pass->group) == (plan.sse42_apart && isa == ACT_ISA_SSE42);
}

act_params rounded_params(const act_params *p)
{
    return (act_params){(float)p->alpha, (float)p->beta, (float)p->gamma, (float)p->delta};
}

struct record *record_of(const struct pass *pass, int slice, int isa_index, int mixed)
{
    return &plan.records[pass->first + (size_t)((slice * plan.isa_count + isa_index) * 2 + mixed)];
}

/* ---- keys ---------------------------------------------------------------------------------- */

static uint64_t hash(uint64_t h, const void *data, size_t size) /* FNV-1a */
{
    for (const unsigned char *p = data; size--; p++)
        h = (h ^ *p) * 0x100000001b3u;
    return h;
}

static uint64_t hash_text(uint64_t h, const char *text)
{
    return hash(h, text ? text : "", text ? strlen(text) + 1 : 1);
}

static uint64_t hash_number(uint64_t h, double value)
{
    return hash(h, &value, sizeof value);
}

static uint64_t hash_file(const char *path)
{
    static char buffer[1 << 16];
    uint64_t h = 0xcbf29ce484222325u;
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "act-verify: cannot read %s\n", path);
        exit(2);
    }
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
        h = hash(h, buffer, n);
    fclose(file);
    return h;
}

/* Of the kernels: [isa][dtype][kind]; 0 where the list has none. */
static uint64_t (*objects)[2][256];

/* Lines "<isa>_f32 .../<kind>.c.o", those of other classes apart (tests/CMakeLists.txt). */
static void read_objects(const char *path)
{
    FILE *list = fopen(path, "r");
    objects = calloc((size_t)act_isa_count(), sizeof *objects);
    if (!list || !objects) {
        fprintf(stderr, "act-verify: cannot read %s\n", path);
        exit(2);
    }
    char line[4096], class[64], object[4000], name[80];
    while (fgets(line, sizeof line, list)) {
        if (sscanf(line, "%63s %3999[^\n]", class, object) != 2)
            continue;
        const char *file = strrchr(object, '/');
        for (act_isa isa = 0; file && isa < act_isa_count(); isa++)
            for (int dtype = 0; dtype < 2; dtype++) {
                snprintf(name, sizeof name, "%s_%s", act_isa_name(isa),
                         dtype == ACT_F64 ? "f64" : "f32");
                if (strcmp(class, name) != 0)
                    continue;
                for (act_kind kind = 0; kind < act_kind_count(); kind++) {
                    snprintf(name, sizeof name, "/%s.c.o", act_kind_name(kind));
                    if (strcmp(file, name) == 0)
                        objects[isa][dtype][kind] = hash_file(object);
                }
            }
    }
    fclose(list);
}

/* Of what the pass measures, whatever the kernel. */
static uint64_t pass_key(const struct pass *pass)
{
    act_kind_info info = {.struct_size = sizeof info};
    act_kind_describe(pass->kind, &info);
    const struct act_test *test = act_tests[pass->kind];
    uint64_t h = hash_text(0xcbf29ce484222325u, MEASURE);
    h = hash_text(h, act_kind_name(pass->kind));
    h = hash_text(h, info.formula);
    h = hash_text(h, info.from_output);
    h = hash_text(h, op_names[pass->op]);
    const double numbers[] = {
        pass->group,        (double)pass->step, pass->slices, pass->params.alpha, pass->params.beta,
        pass->params.gamma, pass->params.delta, test->zero,   test->zero_over,    test->cancels};
    h = hash(h, numbers, sizeof numbers);
    for (int e = 0; e < 15 && is_grid(pass->group); e++) /* they are among its inputs */
        h = hash_number(h, test->edge[e]);
    return h;
}

/* An audit is of the oracle's kernel; the oracle itself is in no other key, for it is what was
 * found right. */
static void make_keys(const struct pass *pass)
{
    const uint64_t key = pass_key(pass);
    for (int i = 0; i < plan.isa_count; i++) {
        const act_isa isa = plan.isas[i];
        const int tested = pass_tests(pass, isa);
        const act_dtype dtype = pass->group == AUDIT ? ACT_F64 : ACT_F32;
        for (int mixed = 0; tested && mixed < 2; mixed++) {
            /* An audit's f and f'; forward there is no g; g mixed has g = 1 among it. */
            if (pass->group == AUDIT     ? pass->op == OP_FROM_OUTPUT && !mixed
                : pass->op == OP_FORWARD ? mixed
                                         : is_scalar(pass->group) && !mixed)
                continue;
            const uint64_t object = objects[isa][dtype][pass->kind];
            for (int slice = 0; slice < pass->slices; slice++) {
                struct record *r = record_of(pass, slice, i, mixed);
                r->wanted = 1;
                r->key = hash_number(hash_number(hash(key, &object, sizeof object), mixed), slice);
                r->key = hash_text(r->key, act_isa_name(isa));
            }
        }
    }
}

/* ---- passes -------------------------------------------------------------------------------- */

static void add(const struct verify_options *options, act_kind kind, enum op op, enum group group,
                int grid, const act_params *params)
{
    struct pass *pass = &plan.passes[plan.pass_count++];
    *pass = (struct pass){kind, op, group, grid, *params, options->step, SLICES, 0};
    if (is_grid(group)) {
        pass->slices = 1;
        pass->step *= 256;
    } else if (group == AUDIT) {
        pass->step *= 1024 * options->audit_step;
    }
    if (is_scalar(group))
        pass->step *= options->scalar_step;
    if (is_sse42(group))
        pass->step *= options->sse42_step;
    pass->first = plan.record_count;
    plan.record_count += (size_t)(pass->slices * plan.isa_count * 2);
}

static void add_group(const struct verify_options *options, act_kind kind, enum group group)
{
    act_params defaults, params;
    act_params_init(kind, &defaults);
    const int first = is_grid(group) ? 1 : 0;
    for (int grid = first; params_of_grid(kind, grid, &params); grid++) {
        if (grid && memcmp(&params, &defaults, sizeof params) == 0)
            continue;
        for (enum op op = 0; op < OP_COUNT; op++)
            if (op_offered(kind, op, &params) && !(group == AUDIT && op == OP_BACKWARD))
                add(options, kind, op, group, grid, &params);
        if (!first)
            break;
    }
}

int make_plan(const struct verify_options *options)
{
    for (act_isa isa = 0; isa < act_isa_count(); isa++)
        if (act_isa_available(isa)) {
            plan.oracle = isa; /* the best is the last */
            if (selected(options->isa, act_isa_name(isa)) && plan.isa_count < MAX_ISAS)
                plan.isas[plan.isa_count++] = isa;
        }
    plan.sse42_apart = options->sse42_step > 1;
    enum { MOST = 3 * (1 + 14 * 4) * GROUPS };
    plan.passes = calloc((size_t)act_kind_count() * MOST, sizeof *plan.passes);
    for (enum group group = 0; plan.passes && group < GROUPS; group++)
        for (act_kind kind = 0; kind < act_kind_count(); kind++)
            if (selected(options->kind, act_kind_name(kind)) &&
                (plan.sse42_apart || !is_sse42(group)))
                add_group(options, kind, group);
    if (!plan.passes || !plan.isa_count || !plan.pass_count) {
        printf("SKIPPED: nothing to run\n");
        return 77;
    }
    plan.records = mmap(NULL, plan.record_count * sizeof *plan.records, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (plan.records == MAP_FAILED)
        return 2;
    read_objects(options->objects);
    for (int p = 0; p < plan.pass_count; p++)
        make_keys(&plan.passes[p]);
    return 0;
}
