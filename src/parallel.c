/* Threads: OpenMP's, or an executor of the caller. Pieces are cut at multiples of 4096 elements, so
 * that no two threads write to one cache line or page; a result does not depend on them. */
#define _GNU_SOURCE /* secure_getenv */
#include "src/parallel.h"

#include <pthread.h>
#include <stdlib.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#ifdef __AVX__
#error "this runs on every CPU: compile it for the baseline, without -mavx or -march"
#endif

enum { CUT = 4096, THREADS_MAX = 1024 };

static _Atomic int thread_count = 1;
static _Atomic(const act_executor *) current_executor;
/* A child after fork has one thread: those of OpenMP's pool are gone, and waiting for them would be
 * for ever. */
static _Atomic int forked;

struct piece_list {
    void (*run)(const void *job, size_t first, size_t n);
    const void *job;
    size_t count, pieces, step;
};

static void run_piece(void *arg, size_t i)
{
    const struct piece_list *list = arg;
    const size_t first = i * list->step, rest = list->count - first;
    list->run(list->job, first, rest < list->step ? rest : list->step);
}

void act_run_parts(void (*run)(const void *job, size_t first, size_t n), const void *job,
                   size_t count, size_t unit)
{
    const act_executor *executor = atomic_load_explicit(&current_executor, memory_order_acquire);
    size_t width = (size_t)atomic_load_explicit(&thread_count, memory_order_relaxed);
    const size_t elements = count * unit;
    if (width > elements / ACT_PIECE_MIN)
        width = elements / ACT_PIECE_MIN;
    if (width > count)
        width = count;
    if (elements < ACT_SPLIT_MIN || width < 2 ||
        (!executor && atomic_load_explicit(&forked, memory_order_relaxed))) {
        run(job, 0, count);
        return;
    }
    /* Equal pieces but for the last; rounding up may leave fewer than width. */
    struct piece_list list = {.run = run, .job = job, .count = count};
    list.step = (count - 1) / width + 1;
    if (unit == 1)
        list.step = (list.step - 1) / CUT * CUT + CUT;
    list.pieces = (count - 1) / list.step + 1;
    if (executor) {
        executor->run(executor->self, run_piece, &list, list.pieces);
        return;
    }
#ifdef _OPENMP
    const int pieces = (int)list.pieces;
#pragma omp parallel for num_threads(pieces) schedule(static, 1)
    for (int i = 0; i < pieces; i++)
        run_piece(&list, (size_t)i);
#else
    run(job, 0, count);
#endif
}

static void run_elements(const void *job, size_t first, size_t n)
{
    struct act_job part = *(const struct act_job *)job;
    part.in = (const char *)part.in + first * part.in_size;
    if (part.grad_out)
        part.grad_out = (const char *)part.grad_out + first * part.in_size;
    part.out = (char *)part.out + first * part.out_size;
    part.n = n;
    act_run_whole(&part);
}

void act_run_pieces(const struct act_job *job)
{
    act_run_parts(run_elements, job, job->n, 1);
}

static int has_threads(void)
{
#ifdef _OPENMP
    return 1;
#else
    return atomic_load_explicit(&current_executor, memory_order_relaxed) != NULL;
#endif
}

int act_get_num_threads(void)
{
    return atomic_load_explicit(&thread_count, memory_order_relaxed);
}

act_status act_set_num_threads(int count)
{
    if (count < 0 || count > THREADS_MAX)
        return ACT_ERR_PARAM;
    if (count != 1 && !has_threads())
        return ACT_ERR_UNSUPPORTED;
    if (count == 0) {
#ifdef _OPENMP
        count = omp_get_num_procs();
#else
        return ACT_ERR_UNSUPPORTED; /* how many an executor has is not known here */
#endif
    }
    atomic_store_explicit(&thread_count, count, memory_order_relaxed);
    return ACT_OK;
}

act_status act_set_executor(const act_executor *executor)
{
    if (executor && !executor->run)
        return ACT_ERR_NULL;
    atomic_store_explicit(&current_executor, executor, memory_order_release);
    return ACT_OK;
}

static void after_fork(void)
{
    atomic_store_explicit(&forked, 1, memory_order_relaxed);
}

__attribute__((constructor)) static void read_environment(void)
{
    pthread_atfork(NULL, NULL, after_fork);
    const char *text = secure_getenv("ACTFN_NUM_THREADS");
    char *end;
    if (!text || !*text)
        return;
    const long count = strtol(text, &end, 10);
    if (*end == 0 && count >= 0 && count <= THREADS_MAX)
        act_set_num_threads((int)count);
}
