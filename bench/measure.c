/* Timing: every cell of a group gets its turn in every round, so that a change of the clock or of
 * the machine's load reaches all of them; median and MAD over the rounds. */
#include "bench/bench.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 25, FEWEST_ROUNDS = 5, FEWEST_SLOW_ROUNDS = 3 };
static const double SHORTEST_NS = 20e3; /* of a repetition: the clock's own cost is below 0.3% */
static const double SLOW_NS = 50e6;     /* a single call; fewer repetitions do */

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static int pinned_cpu = -1;

void measure_pin(void)
{
    const int cpu = sched_getcpu();
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < 0 || cpu >= CPU_SETSIZE)
        return;
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0)
        pinned_cpu = cpu;
}

int measure_pinned(void)
{
    return pinned_cpu;
}

/* ---- one repetition --------------------------------------------------------------------------- */

/* What is not part of a repetition: the ISA, and outputs for from-output. */
static void prepare(const struct cell *c, const struct data *d, act_isa best)
{
    if (c->type != CELL_KERNEL)
        return;
    if (c->op == OP_FROM_OUTPUT) {
        act_set_isa(best);
        call_kernel(d->dtype, OP_FORWARD, c->kind, NULL, d->x, NULL, d->y, c->n);
    }
    act_set_isa(c->isa);
}

static void kernel_calls(const struct cell *c, const struct data *d, size_t calls)
{
    const act_kind kind = c->kind;
    const size_t n = c->n;
    const void *in = c->op == OP_FROM_OUTPUT ? d->y : d->x;
    if (c->op == OP_FORWARD && d->dtype == ACT_F32)
        for (; calls > 0; calls--) /* without the choice in call_kernel: n may be small */
            act_forward(kind, NULL, in, d->out, n);
    else
        for (; calls > 0; calls--)
            call_kernel(d->dtype, c->op, kind, NULL, in, d->grad, d->out, n);
}

static void run(const struct cell *c, const struct data *d, size_t calls)
{
    const struct probe *probe = probe_find(c->isa, d->dtype);
    const size_t bytes = c->n * d->size;
    switch (c->type) {
    case CELL_KERNEL:
        kernel_calls(c, d, calls);
        break;
    case CELL_FMA:
        probe->fma(calls);
        break;
    case CELL_MEMCPY:
        for (; calls > 0; calls--) {
            memcpy(d->out, d->x, bytes);
            __asm__ volatile("" ::"r"(d->out) : "memory"); /* every copy is made */
        }
        break;
    case CELL_LOOP_COPY:
        for (; calls > 0; calls--)
            probe->copy(d->out, d->x, bytes);
        break;
    case CELL_NT_COPY:
        for (; calls > 0; calls--)
            copy_nontemporal(d->out, d->x, bytes);
        break;
    case CELL_ADD:
        add_chain(calls);
        break;
    }
}

static double time_calls(const struct cell *c, const struct data *d, size_t calls, double *cpu)
{
    const double cpu_start = now(CLOCK_THREAD_CPUTIME_ID), start = now(CLOCK_MONOTONIC);
    run(c, d, calls);
    const double stop = now(CLOCK_MONOTONIC);
    *cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu_start;
    return stop - start;
}

/* ---- how long and how often ------------------------------------------------------------------- */

/* Also the warm-up: pages, caches, clock. */
static void calibrate(struct cell *c, const struct data *d, act_isa best, double min_time)
{
    const double wanted = fmax(SHORTEST_NS, 1e9 * min_time / ROUNDS);
    struct timing *t = &c->timing;
    double cpu, spent;
    prepare(c, d, best);
    run(c, d, 1);
    for (t->calls = 1; (spent = time_calls(c, d, t->calls, &cpu)) < wanted / 2;)
        t->calls = (size_t)ceil((double)t->calls * fmin(wanted / fmax(spent, 1), 16));
    const double call = spent / (double)t->calls;
    t->calls = (size_t)fmax(1, ceil(wanted / call));
    const double rounds = call > SLOW_NS        ? FEWEST_SLOW_ROUNDS
                          : call * ROUNDS > 1e9 * min_time ? 1e9 * min_time / call
                                                : ROUNDS;
    const double fewest = call > SLOW_NS ? FEWEST_SLOW_ROUNDS : FEWEST_ROUNDS;
    t->reps = (size_t)fmin(ROUNDS, fmax(fewest, rounds));
    t->sample = allocate(2 * t->reps * sizeof *t->sample);
    t->cpu_sample = t->sample + t->reps;
    t->reps = 0; /* from here on: those done */
    t->median = fmin(ROUNDS, fmax(fewest, floor(rounds)));
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *sample, size_t count)
{
    qsort(sample, count, sizeof *sample, by_value);
    return (sample[(count - 1) / 2] + sample[count / 2]) / 2;
}
