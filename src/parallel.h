/* A call cut into pieces that run side by side. */
#ifndef ACT_PARALLEL_H
#define ACT_PARALLEL_H

#include "src/half.h"

/* One call, its arguments checked and its kernel looked up: what every piece is a part of. Of
 * forward, backward and half one is not NULL. */
struct act_job {
    act_forward_fn *forward;
    act_backward_fn *backward;
    const struct act_half_call *half;
    const act_params *params;
    const void *in, *grad_out;
    void *out;
    size_t n, in_size, out_size; /* elements, bytes of one of in and grad_out, of out */
};

/* Below this a call is never cut: two pieces of 16,384 elements take 3 us each for a kernel of .2
 * ns an element, and waking a second thread 1 to 2 us (up to 7 after it has slept). */
enum { ACT_PIECE_MIN = 16384, ACT_SPLIT_MIN = 2 * ACT_PIECE_MIN };

/* Calls run(job, first, n) for parts that make up [0, count), side by side if the whole, count
 * times unit elements, is worth it. */
void act_run_parts(void (*run)(const void *job, size_t first, size_t n), const void *job,
                   size_t count, size_t unit);

void act_run_pieces(const struct act_job *job);

/* In the caller, whole. */
static inline void act_run_whole(const struct act_job *job)
{
    if (job->forward)
        job->forward(job->params, job->in, job->out, job->n);
    else if (job->half)
        act_half_run(job->half, job->in, job->grad_out, job->out, job->n);
    else
        job->backward(job->params, job->in, job->grad_out, job->out, job->n);
}

static inline void act_run(const struct act_job *job)
{
    if (job->n < ACT_SPLIT_MIN)
        act_run_whole(job);
    else
        act_run_pieces(job);
}

#endif
