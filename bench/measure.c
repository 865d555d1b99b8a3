/* Time: the cells of one array size in turns, on one CPU. */
#include "bench/bench.h"

#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REPS = 21, LEAST_REPS = 3 };
#define LEAST_NS  20e3 /* a repetition lasts at least this long: the clock costs about 30 ns */
#define CHOSEN_NS 200e3
#define BUDGET_NS 150e6 /* of a cell whose single call is longer than a repetition has to be */

static double ns_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run_once(struct run *r, const struct cell *c)
{
    switch (c->type) {
    case CELL_KERNEL:
        if (c->fn) {
            const struct work w = work_of(r, c);
            if (c->fn->run(&w) != ACT_OK)
                die("%s: the library refuses the call", c->fn->name);
            break;
        }
        call(r->dtype, c->op, c->kind, NULL, c->op == OP_FROM_OUTPUT ? r->y : r->x, r->grad, r->out,
             c->n);
        break;
    case CELL_FMA:
        probe_find(c->isa, r->dtype)->fma(PROBE_TURNS);
        break;
    case CELL_MEMCPY:
        memcpy(r->out, r->x, c->n * r->elem);
        __asm__ volatile("" ::"r"(r->out) : "memory");
        break;
    case CELL_LOOP_COPY:
        probe_find(c->isa, r->dtype)
            ->copy(r->out, r->x, r->dtype == ACT_F64 ? c->n : c->n * r->elem / sizeof(float));
        break;
    case CELL_NT_COPY:
        copy_nontemporal(r->out, r->x, c->n * r->elem);
        break;
    case CELL_ADD:
        add_chain(PROBE_TURNS);
        break;
    }
}

/* One repetition; the times are those of a call. */
static struct times repetition(struct run *r, const struct cell *c)
{
    if (c->type == CELL_KERNEL)
        use_isa(c->isa);
    if (c->fn && c->fn->ready) {
        const struct work w = work_of(r, c);
        c->fn->ready(&w);
    }
    if (c->op == OP_FROM_OUTPUT) /* outputs of this kind */
        call(r->dtype, OP_FORWARD, c->kind, NULL, r->x, NULL, r->y, c->n);
    if (c->calls > 1)
        run_once(r, c); /* the cell before left its own arrays and code in the caches */
    const double cpu = ns_of(CLOCK_THREAD_CPUTIME_ID), start = ns_of(CLOCK_MONOTONIC);
    for (size_t i = 0; i < c->calls; i++)
        run_once(r, c);
    const double real = ns_of(CLOCK_MONOTONIC) - start;
    const double used = ns_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
    r->real_total += real;
    r->cpu_total += used;
    return (struct times){real / (double)c->calls, used / (double)c->calls};
}

/* How many calls make a repetition of at least this length, and how many of those there will be. */
static void calibrate(struct run *r, struct cell *c, double least)
{
    double length = 0;
    c->calls = 1;
    repetition(r, c); /* page faults, cold code */
    for (;; c->calls *= 2) {
        length = repetition(r, c).real * (double)c->calls;
        if (length >= least || c->calls >= 1u << 30)
            break;
    }
    c->reps = REPS;
    if (c->calls == 1)
        c->reps = (size_t)fmin(REPS, fmax(LEAST_REPS, fmax(BUDGET_NS, REPS * least) / length));
    c->sample = allocate(c->reps * sizeof *c->sample);
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
    double v[REPS];
    for (size_t i = 0; i < c->reps; i++)
        v[i] = c->sample[i].cpu;
    c->cpu = median_of(v, c->reps);
    for (size_t i = 0; i < c->reps; i++)
        v[i] = c->sample[i].real;
    c->median = median_of(v, c->reps);
    for (size_t i = 0; i < c->reps; i++)
        v[i] = fabs(c->sample[i].real - c->median);
    c->mad = median_of(v, c->reps);
    free(c->sample);
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

/* In turns, so that a change of clock or load hits all cells of a size alike. */
void run_measure(struct run *r)
{
    const long threads = r->options->threads;
    if (threads < 2) {
        act_set_num_threads(1); /* whatever ACTFN_NUM_THREADS says */
        pin();
    } else if (threads > INT_MAX || act_set_num_threads((int)threads) != ACT_OK) {
        die("--threads: the library does not offer %ld threads", threads);
    }
    const act_isa before = act_get_isa();
    const double given = r->options->min_time * 1e9 / REPS;
    const double least = given > 0 ? fmax(given, LEAST_NS) : CHOSEN_NS;
    for (size_t first = 0, end; first < r->count; first = end) {
        const size_t n = r->cells[first].n;
        for (end = first; end < r->count && r->cells[end].n == n; end++) {
            if (!r->cells[end].failed)
                calibrate(r, &r->cells[end], least);
            progress(first + (end - first) / 4, r->count);
        }
        for (size_t rep = 0; rep < REPS; rep++) {
            for (size_t k = first; k < end; k++)
                if (rep < r->cells[k].reps)
                    r->cells[k].sample[rep] = repetition(r, &r->cells[k]);
            progress(first + (end - first) / 4 + (end - first) * rep * 3 / (4 * REPS), r->count);
        }
        for (size_t k = first; k < end; k++)
            if (!r->cells[k].failed)
                summarize(&r->cells[k]);
    }
    calibrate(r, &r->overhead, CHOSEN_NS);
    for (size_t rep = 0; rep < r->overhead.reps; rep++)
        r->overhead.sample[rep] = repetition(r, &r->overhead);
    summarize(&r->overhead);
    progress(1, 1);
    act_set_num_threads(1);
    act_set_isa(before);
}
