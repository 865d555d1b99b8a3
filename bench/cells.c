/* What is measured, on what, and the figures that follow from the times. */
#include "bench/bench.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SMALL = 4096, MEDIUM = 65536, LARGE = 1 << 24, OVERHEAD_N = 16 };

/* ---- the plan ------------------------------------------------------------------------------ */

static void add_cell(struct run *r, struct cell cell)
{
    cell.max_ulp = cell.median = cell.mad = NAN;
    r->cells = realloc(r->cells, (r->count + 1) * sizeof *r->cells);
    if (!r->cells)
        die("out of memory");
    r->cells[r->count++] = cell;
}

static int offered(act_kind kind, int op)
{
    act_kind_info info = {.struct_size = sizeof info};
    act_kind_describe(kind, &info);
    return op != OP_FROM_OUTPUT || info.from_output;
}

static int is_selected(const struct structured *f, const struct options *o)
{
    char patterns[256], *rest = patterns;
    int found = 0;
    snprintf(patterns, sizeof patterns, "%s", o->structured);
    for (char *pattern; (pattern = strsep(&rest, ",")) != NULL;)
        found |= fnmatch(pattern, f->name, 0) == 0;
    return found && o->ops[f->op];
}

static void add_structured(struct run *r, size_t n, int best_only)
{
    const struct options *o = r->options;
    act_kind kinds[KIND_LIMIT];
    for (size_t k = 0; k < structured_count; k++) {
        const struct structured *const f = &structured_list[k];
        const int count = is_selected(f, o) ? structured_kinds(f, o, kinds) : 0;
        for (int i = 0; i < count; i++)
            for (act_isa isa = 0; isa < act_isa_count(); isa++)
                if (o->isas[isa] && (!best_only || isa == r->best))
                    add_cell(r,
                             (struct cell){CELL_KERNEL, f, kinds[i], f->op, isa, n, .failed = 0});
    }
}

static size_t common(size_t a, size_t b)
{
    return b ? common(b, a % b) : a;
}

size_t row_of(const struct options *o, size_t n)
{
    enum { ROW = 1024 };
    const size_t row = o->row ? o->row : n <= ROW ? n : common(n, ROW);
    if (n % row || row % 4)
        die("%zu elements are no rows of %zu, or these no multiple of 4: see --row", n, row);
    return row;
}

static void add_size(struct run *r, size_t n, int best_only)
{
    const struct options *o = r->options;
    add_cell(r, (struct cell){.type = CELL_MEMCPY, .n = n, .isa = -1});
    add_cell(r, (struct cell){.type = CELL_LOOP_COPY, .n = n, .isa = r->best});
    add_cell(r, (struct cell){.type = CELL_NT_COPY, .n = n, .isa = -1});
    add_cell(r, (struct cell){.type = CELL_ADD, .n = n, .isa = -1});
    for (act_isa isa = 0; isa < act_isa_count(); isa++)
        if (o->isas[isa] && (!best_only || isa == r->best))
            add_cell(r, (struct cell){.type = CELL_FMA, .n = n, .isa = isa});
    if (o->structured) {
        row_of(o, n);
        add_structured(r, n, best_only);
        return;
    }
    for (act_kind kind = 0; kind < act_kind_count(); kind++)
        for (int op = 0; op < OP_COUNT; op++)
            for (act_isa isa = 0; isa < act_isa_count(); isa++)
                if (o->kinds[kind] && o->ops[op] && offered(kind, op) && o->isas[isa] &&
                    (!best_only || isa == r->best))
                    add_cell(r, (struct cell){CELL_KERNEL, NULL, kind, op, isa, n, .failed = 0});
}

void run_plan(struct run *r, const struct options *o, size_t tensor_count)
{
    *r = (struct run){.options = o,
                      .best = probe_best_isa(o->isas),
                      .dtype = o->dtype,
                      .elem = elem_size(o->dtype)};
    if (o->size_count > 0) {
        for (int i = 0; i < o->size_count; i++)
            add_size(r, o->sizes[i], 0);
    } else if (tensor_count > 0) {
        add_size(r, tensor_count, 0);
    } else {
        add_size(r, SMALL, 0);
        add_size(r, MEDIUM, 1);
        add_size(r, LARGE, 1);
    }
    size_t kernels = 0;
    for (size_t i = 0; i < r->count; i++)
        kernels += r->cells[i].type == CELL_KERNEL;
    if (kernels == 0)
        die(o->structured ? "no such structured function, kind and operation (see --list)"
                          : "none of the selected kinds offers from-output");
    r->overhead = (struct cell){.kind = ACT_RELU, .isa = r->best, .n = OVERHEAD_N};
}

/* ---- inputs -------------------------------------------------------------------------------- */

static double uniform(uint64_t *state) /* splitmix64, (0, 1) */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) * 0x1p-53;
}

/* A block of synthetic values, or the tensor, over and over. */
void run_inputs(struct run *r, const float *tensor, size_t tensor_count)
{
    enum { BLOCK = 1 << 20 };
    size_t n = OVERHEAD_N;
    for (size_t i = 0; i < r->count; i++)
        n = r->cells[i].n > n ? r->cells[i].n : n;
    size_t side = 0;
    for (size_t i = 0; r->options->structured && i < r->count; i++) {
        const size_t of_size = structured_side(r->cells[i].n, row_of(r->options, r->cells[i].n));
        side = of_size > side ? of_size : side;
    }
    /* Checked here: Linux promises memory it does not have, and kills who takes it. */
    const double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    if (4.0 * (double)n * (double)r->elem + (double)side > 0.75 * memory)
        die("four arrays of %zu elements do not fit into this machine's memory", n);
    r->x = allocate(n * r->elem);
    r->grad = allocate(n * r->elem);
    r->out = allocate(n * r->elem);
    r->y = allocate(n * r->elem);
    r->side = allocate(side);
    uint64_t state = 1;
    const size_t block = tensor ? tensor_count : BLOCK;
    for (size_t i = 0; i < n; i++) {
        if (i >= block) {
            memcpy((char *)r->x + i * r->elem, (char *)r->x + (i - block) * r->elem, r->elem);
            memcpy((char *)r->grad + i * r->elem, (char *)r->grad + (i - block) * r->elem, r->elem);
            continue;
        }
        const double u = uniform(&state), v = uniform(&state);
        elem_put(r->dtype, r->x, i,
                 tensor                ? (double)tensor[i]
                 : r->options->uniform ? 16 * u - 8
                                       : 1.5 * sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
        elem_put(r->dtype, r->grad, i, 2 * uniform(&state) - 1);
    }
    if (tensor)
        snprintf(r->input, sizeof r->input, "%s, %zu elements", r->options->input, tensor_count);
    else
        strcpy(r->input, r->options->uniform ? "U[-8, 8]" : "N(0, 1.5)");
}

void run_free(struct run *r)
{
    free(r->x), free(r->grad), free(r->out), free(r->y), free(r->side), free(r->cells);
}

struct work work_of(const struct run *r, const struct cell *c)
{
    return (struct work){.fn = c->fn,
                         .type = r->dtype,
                         .kind = c->kind,
                         .n = c->n,
                         .row = row_of(r->options, c->n),
                         .x = r->x,
                         .grad = r->grad,
                         .y = r->y,
                         .out = r->out,
                         .side = r->side};
}

/* ---- figures ------------------------------------------------------------------------------- */

const struct cell *yardstick(const struct run *r, enum cell_type type, size_t n, act_isa isa)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->cells[i].type == type && r->cells[i].n == n && (isa < 0 || r->cells[i].isa == isa))
            return &r->cells[i];
    return NULL;
}

double slot_ns(const struct run *r, size_t n, act_isa isa)
{
    const struct cell *c = yardstick(r, CELL_FMA, n, isa);
    return c ? c->median / (PROBE_TURNS * (double)PROBE_FMAS) : NAN;
}

double copy_ns(const struct run *r, size_t n)
{
    double best = NAN;
    for (enum cell_type type = CELL_MEMCPY; type <= CELL_NT_COPY; type++)
        best = fmin(best, yardstick(r, type, n, -1)->median); /* fmin ignores a NaN */
    return best;
}

struct figures figures_of(const struct run *r, const struct cell *c)
{
    const double per_element = c->median / (double)c->n;
    const double arrays = c->fn                 ? c->fn->arrays + c->fn->bytes / (double)r->elem
                          : c->op == OP_FORWARD ? 2
                                                : 3;
    const struct probe *probe = probe_find(c->isa, r->dtype);
    struct figures f = {per_element, arrays * (double)r->elem / per_element,
                        per_element * (double)probe->lanes / slot_ns(r, c->n, c->isa),
                        /* bytes per time, against a copy's two arrays */
                        arrays / 2 * copy_ns(r, c->n) / c->median, NAN};
    for (size_t i = 0; i < r->count; i++) {
        const struct cell *s = &r->cells[i];
        if (s->type == CELL_KERNEL && s->fn == c->fn && s->kind == c->kind && s->op == c->op &&
            s->n == c->n && s->isa == ACT_ISA_SCALAR)
            f.speedup = s->median / c->median;
    }
    return f;
}
