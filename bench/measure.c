/* What is measured, on what, and how. */
#include "bench/bench.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SMALL = 4096, MEDIUM = 65536, LARGE = 1 << 24, OVERHEAD_N = 16, SAMPLE = 16384 };
enum { REPS = 21, LARGE_REPS = 7 };
#define LEAST_NS 20000.0 /* a repetition lasts at least this long: the clock costs about 30 ns */

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

static void add_size(struct run *r, size_t n, int best_only)
{
    const struct options *o = r->options;
    add_cell(r, (struct cell){.type = CELL_MEMCPY, .n = n, .isa = -1});
    add_cell(r, (struct cell){.type = CELL_NT_COPY, .n = n, .isa = -1});
    add_cell(r, (struct cell){.type = CELL_ADD, .n = n, .isa = -1});
    for (act_isa isa = 0; isa < act_isa_count(); isa++)
        if (o->isas[isa] && (!best_only || isa == r->best))
            add_cell(r, (struct cell){.type = CELL_FMA, .n = n, .isa = isa});
    for (act_kind kind = 0; kind < act_kind_count(); kind++)
        for (int op = 0; op < OP_COUNT; op++)
            for (act_isa isa = 0; isa < act_isa_count(); isa++)
                if (o->kinds[kind] && o->ops[op] && offered(kind, op) && o->isas[isa] &&
                    (!best_only || isa == r->best))
                    add_cell(
                        r, (struct cell){CELL_KERNEL, kind, op, isa, n, 0, 0, 0, 0, 0, 0, 0, NULL});
}

void run_plan(struct run *r, const struct options *o, size_t tensor_count)
{
    *r = (struct run){.options = o,
                      .best = probe_best_isa(o->isas),
                      .dtype = o->dtype,
                      .elem = o->dtype == ACT_F64 ? sizeof(double) : sizeof(float)};
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

static void put(const struct run *r, void *array, size_t i, double value)
{
    if (r->dtype == ACT_F64)
        ((double *)array)[i] = value;
    else
        ((float *)array)[i] = (float)value;
}

/* A block of synthetic values, or the tensor, over and over. */
void run_inputs(struct run *r, const float *tensor, size_t tensor_count)
{
    enum { BLOCK = 1 << 20 };
    size_t n = OVERHEAD_N;
    for (size_t i = 0; i < r->count; i++)
        n = r->cells[i].n > n ? r->cells[i].n : n;
    r->x = allocate(n * r->elem);
    r->grad = allocate(n * r->elem);
    r->out = allocate(n * r->elem);
    r->y = allocate(n * r->elem);
    uint64_t state = 1;
    const size_t block = tensor ? tensor_count : BLOCK;
    for (size_t i = 0; i < n; i++) {
        if (i >= block) {
            memcpy((char *)r->x + i * r->elem, (char *)r->x + (i - block) * r->elem, r->elem);
            memcpy((char *)r->grad + i * r->elem, (char *)r->grad + (i - block) * r->elem, r->elem);
            continue;
        }
        const double u = uniform(&state), v = uniform(&state);
        put(r, r->x, i,
            tensor                ? (double)tensor[i]
            : r->options->uniform ? 16 * u - 8
                                  : 1.5 * sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
        put(r, r->grad, i, 2 * uniform(&state) - 1);
    }
    if (tensor)
        snprintf(r->input, sizeof r->input, "%s, %zu elements", r->options->input, tensor_count);
    else
        strcpy(r->input, r->options->uniform ? "U[-8, 8]" : "N(0, 1.5)");
}

/* ---- calling ------------------------------------------------------------------------------- */

static act_status call(act_dtype dtype, int op, act_kind kind, const act_params *p, const void *x,
                       const void *g, void *out, size_t n)
{
    if (dtype == ACT_F64)
        return op == OP_FORWARD    ? act_forward_f64(kind, p, x, out, n)
               : op == OP_BACKWARD ? act_backward_f64(kind, p, x, g, out, n)
                                   : act_backward_from_output_f64(kind, p, x, g, out, n);
    return op == OP_FORWARD    ? act_forward(kind, p, x, out, n)
           : op == OP_BACKWARD ? act_backward(kind, p, x, g, out, n)
                               : act_backward_from_output(kind, p, x, g, out, n);
}

/* ---- accuracy ------------------------------------------------------------------------------ */

static double ulp_of(double v)
{
    const int exponent = v == 0 ? -126 : ilogb(v);
    return ldexp(1, (exponent < -126 ? -126 : exponent) - 23);
}

/* f32 kernels against the scalar f64 table; f64 has no wider type here: test_reference. */
static void check_cell(struct cell *c, const float *x, const float *g, const double *wide_x,
                       const double *wide_g, double *want, double *slope, double *ones, float *got,
                       size_t n)
{
    act_params p;
    act_params_init(c->kind, &p);
    const act_params rounded = {(float)p.alpha, (float)p.beta, (float)p.gamma, (float)p.delta};
    act_set_isa(ACT_ISA_SCALAR);
    call(ACT_F64, c->op, c->kind, &rounded, wide_x, wide_g, want, n);
    if (c->op != OP_FORWARD)
        call(ACT_F64, c->op, c->kind, &rounded, wide_x, ones, slope, n);
    act_set_isa(c->isa);
    call(ACT_F32, c->op, c->kind, NULL, x, g, got, n);
    const double bound =
        act_kind_bound(c->kind, ACT_F32, c->isa, ACT_MODE_FAST, c->op != OP_FORWARD);
    c->max_ulp = 0;
    for (size_t i = 0; i < n; i++) {
        const double off = fabs((double)got[i] - want[i]);
        double ulp = off / ulp_of(want[i]);
        if (isnan(want[i]) || isinf(want[i]) || fabs(want[i]) > 0x1.fffffep127)
            ulp = isnan(want[i]) ? (isnan(got[i]) ? 0 : INFINITY)
                                 : ((double)got[i] == (double)(float)want[i] ? 0 : INFINITY);
        const double size = fabs((double)g[i]); /* the absolute bounds of actfn.h */
        if (c->op != OP_FORWARD && !(ulp <= bound) &&
            (off <= 0x1p-22 * size || (fabs(slope[i]) < 0x1p-126 && off <= 0x1p-148)))
            continue;
        if (!(ulp <= c->max_ulp)) {
            c->max_ulp = ulp;
            c->worst_x = (double)x[i];
        }
    }
    c->failed = !(c->max_ulp <= bound);
}

size_t run_check(struct run *r)
{
    if (r->dtype != ACT_F32)
        return 0;
    enum { EDGES = 32 };
    static const float edges[EDGES] = {
        0,     -0.0f, 1,      -1,     INFINITY, -INFINITY, 88,     -88,   -104, 104,   -14,
        14,    3e38f, -3e38f, 1e-40f, -1e-40f,  1e-8f,     -1e-8f, -20,   20,   -5.5f, 5.5f,
        -9.5f, 9.5f,  -91,    -100,   -13,      -10.5f,    0.5f,   -0.5f, 2,    -2};
    const size_t n = SAMPLE;
    float *x = allocate(n * sizeof *x), *g = allocate(n * sizeof *g),
          *got = allocate(n * sizeof *g);
    float *y = allocate(n * sizeof *y);
    double *wide_x = allocate(n * 8), *wide_g = allocate(n * 8), *want = allocate(n * 8),
           *slope = allocate(n * 8), *ones = allocate(n * 8);
    size_t failed = 0, most = 0;
    for (size_t i = 0; i < r->count; i++)
        most = r->cells[i].n > most ? r->cells[i].n : most;
    /* Values spread over the inputs that are timed, and the places where kernels go wrong. */
    for (size_t i = 0; i < n; i++) {
        x[i] = i < EDGES ? edges[i] : ((float *)r->x)[i * 7919 % most];
        g[i] = ((float *)r->grad)[i * 7919 % most];
        wide_g[i] = (double)g[i];
        ones[i] = 1;
    }
    for (size_t k = 0; k < r->count; k++) {
        struct cell *c = &r->cells[k];
        if (c->type != CELL_KERNEL)
            continue;
        const float *in = x;
        if (c->op == OP_FROM_OUTPUT) {
            act_set_isa(c->isa);
            act_forward(c->kind, NULL, x, y, n);
            in = y;
        }
        for (size_t i = 0; i < n; i++)
            wide_x[i] = (double)in[i];
        check_cell(c, in, g, wide_x, wide_g, want, slope, ones, got, n);
        failed += (size_t)c->failed;
    }
    free(x), free(g), free(got), free(y), free(wide_x), free(wide_g), free(want), free(slope);
    free(ones);
    return failed;
}

/* ---- time ---------------------------------------------------------------------------------- */

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

enum { TURNS = 512 }; /* of a probe, per call */

static void run_once(struct run *r, const struct cell *c, size_t calls)
{
    for (; calls > 0; calls--)
        switch (c->type) {
        case CELL_KERNEL:
            call(r->dtype, c->op, c->kind, NULL, c->op == OP_FROM_OUTPUT ? r->y : r->x, r->grad,
                 r->out, c->n);
            break;
        case CELL_FMA:
            probe_find(c->isa, r->dtype)->fma(TURNS);
            break;
        case CELL_MEMCPY:
            memcpy(r->out, r->x, c->n * r->elem);
            __asm__ volatile("" ::"r"(r->out) : "memory");
            break;
        case CELL_NT_COPY:
            copy_nontemporal(r->out, r->x, c->n * r->elem);
            break;
        case CELL_ADD:
            add_chain(TURNS);
            break;
        }
}

static double time_of(struct run *r, const struct cell *c, size_t calls)
{
    if (c->type == CELL_KERNEL)
        act_set_isa(c->isa);
    if (c->op == OP_FROM_OUTPUT && c->type == CELL_KERNEL) /* outputs of this kind */
        call(r->dtype, OP_FORWARD, c->kind, NULL, r->x, NULL, r->y, c->n);
    const double start = now_ns();
    run_once(r, c, calls);
    return (now_ns() - start) / (double)calls;
}

/* How many calls make a repetition long enough. */
static void calibrate(struct run *r, struct cell *c, double least)
{
    run_once(r, c, 1); /* page faults, cold code */
    for (c->calls = 1; c->calls < 1u << 30; c->calls *= 2)
        if (time_of(r, c, c->calls) * (double)c->calls >= least)
            return;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void summarize(struct cell *c)
{
    c->median = median_of(c->sample, c->reps);
    for (size_t i = 0; i < c->reps; i++)
        c->sample[i] = fabs(c->sample[i] - c->median);
    c->mad = median_of(c->sample, c->reps);
}

static void pin(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(sched_getcpu(), &set);
    sched_setaffinity(0, sizeof set, &set); /* a timing without it is noisier, not wrong */
}

static void progress(size_t done, size_t of)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%3zu%% [%-40.*s]%s", 100 * done / of, (int)(40 * done / of),
                "########################################", done == of ? "\r\033[K" : "");
}

/* The cells of one n in turns, so that a change of clock or load hits them all alike. */
void run_measure(struct run *r)
{
    pin();
    const act_isa before = act_get_isa();
    for (size_t first = 0, end; first < r->count; first = end) {
        const size_t n = r->cells[first].n;
        for (end = first; end < r->count && r->cells[end].n == n; end++) {
            struct cell *c = &r->cells[end];
            c->reps = n * r->elem > 16u << 20 ? LARGE_REPS : REPS;
            const double least = r->options->min_time > 0
                                     ? r->options->min_time * 1e9 / (double)c->reps
                                     : 10 * LEAST_NS;
            c->sample = allocate(c->reps * sizeof *c->sample);
            if (!c->failed)
                calibrate(r, c, least > LEAST_NS ? least : LEAST_NS);
            progress(end, r->count + r->count / 2);
        }
        for (size_t rep = 0; rep < REPS; rep++)
            for (size_t k = first; k < end; k++)
                if (!r->cells[k].failed && rep < r->cells[k].reps)
                    r->cells[k].sample[rep] = time_of(r, &r->cells[k], r->cells[k].calls);
        for (size_t k = first; k < end; k++)
            if (!r->cells[k].failed)
                summarize(&r->cells[k]);
    }
    r->overhead.reps = REPS;
    r->overhead.sample = allocate(REPS * sizeof(double));
    calibrate(r, &r->overhead, 10 * LEAST_NS);
    for (size_t rep = 0; rep < REPS; rep++)
        r->overhead.sample[rep] = time_of(r, &r->overhead, r->overhead.calls);
    summarize(&r->overhead);
    progress(1, 1);
    act_set_isa(before);
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
    return c ? c->median / (TURNS * (double)PROBE_FMAS) : NAN;
}

double copy_ns(const struct run *r, size_t n)
{
    const struct cell *a = yardstick(r, CELL_MEMCPY, n, -1), *b = yardstick(r, CELL_NT_COPY, n, -1);
    return a && b ? fmin(a->median, b->median) : NAN;
}

struct figures figures_of(const struct run *r, const struct cell *c)
{
    const double per_element = c->median / (double)c->n;
    const double arrays = c->op == OP_FORWARD ? 2 : 3;
    const struct probe *probe = probe_find(c->isa, r->dtype);
    struct figures f = {per_element, arrays * (double)r->elem / per_element,
                        per_element * (double)probe->lanes / slot_ns(r, c->n, c->isa),
                        /* bytes per time, against a copy's two arrays */
                        arrays / 2 * copy_ns(r, c->n) / c->median, NAN};
    for (size_t i = 0; i < r->count; i++) {
        const struct cell *s = &r->cells[i];
        if (s->type == CELL_KERNEL && s->kind == c->kind && s->op == c->op && s->n == c->n &&
            s->isa == ACT_ISA_SCALAR)
            f.speedup = s->median / c->median;
    }
    return f;
}
