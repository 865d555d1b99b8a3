/* The elementwise entry points: check the arguments, load the table, call. */
#include "src/check.h"
#include "src/info.h"
#include "src/parallel.h"

#include <stdint.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

static int is_half(act_dtype dtype)
{
    return dtype >= ACT_BF16 && dtype <= ACT_F16_F32;
}

/* Of in and grad_out, and of the output. */
static size_t in_size_of(act_dtype dtype)
{
    return dtype == ACT_F64 ? sizeof(double) : dtype == ACT_F32 ? sizeof(float) : sizeof(act_bf16);
}

static size_t out_size_of(act_dtype dtype)
{
    return dtype == ACT_F64                        ? sizeof(double)
           : dtype == ACT_BF16 || dtype == ACT_F16 ? sizeof(act_bf16)
                                                   : sizeof(float);
}

/* The same array, of elements of the same size, or disjoint: anything else would be read after it
 * is written. */
static int overlap_ok(act_dtype dtype, const void *in, const void *out, size_t n)
{
    const uintptr_t a = (uintptr_t)in, b = (uintptr_t)out;
    const size_t in_size = in_size_of(dtype), out_size = out_size_of(dtype);
    if (a == b)
        return in_size == out_size;
    return a > b ? a - b >= n * out_size : b - a >= n * in_size;
}

/* An elementwise call. */
struct call {
    act_dtype dtype;
    unsigned flags;
    enum act_operation op;
    act_kind kind;
    const act_params *params;
    const void *in, *grad_out; /* in: the output of the kind for ACT_FROM_OUTPUT */
    void *out;
    size_t n;
};

/* The checks that come before the pointers, in the order actfn.h promises. On ACT_OK c->params is
 * never NULL, and *choice what the call uses. */
static act_status check(struct call *c, struct act_choice *choice)
{
    if (!act_kind_valid(c->kind))
        return ACT_ERR_KIND;
    act_status status = act_check_type(c->dtype, c->flags, ACT_REPRODUCIBLE | ACT_SERIAL, choice);
    if (status != ACT_OK)
        return status;
    if (c->op == ACT_FROM_OUTPUT && !act_kind_infos[c->kind].from_output)
        return ACT_ERR_UNSUPPORTED;
    status = act_check_params(c->kind, c->dtype, &c->params);
    if (status != ACT_OK)
        return status;
    if (c->op == ACT_FROM_OUTPUT && act_kind_output_needs_slope[c->kind] && c->params->alpha < 0)
        return ACT_ERR_PARAM; /* a negative slope folds two inputs onto one output */
    return c->n > PTRDIFF_MAX / out_size_of(c->dtype) ? ACT_ERR_SIZE : ACT_OK;
}

static void run_job(const struct call *c, const struct act_job *job)
{
    if (c->flags & ACT_SERIAL)
        act_run_whole(job);
    else
        act_run(job);
}

/* Arrays that the caches do not hold are written past them: a store into a cache first reads the
 * line. Not in place, where the line has been read. */
enum { STREAM_MIN = 65536 }; /* elements: below, the setting is not looked at */
static int is_streamed(const struct call *c, size_t out_size)
{
    const size_t arrays = c->op == ACT_FORWARD ? 2 : 3;
    const size_t bytes = atomic_load_explicit(&act_stream_bytes, memory_order_relaxed);
    return c->n >= bytes / (arrays * out_size) && c->out != c->in && c->out != c->grad_out;
}

/* Apart from run, whose frame is small: a call of 16 elements takes 9 ns in all. */
__attribute__((noinline)) static act_status run_half(const struct call *c, struct act_choice choice,
                                                     struct act_job *job)
{
    struct act_half_call half;
    act_half_prepare(&half, choice, c->dtype, c->op, c->kind, c->params, c->n,
                     c->n >= STREAM_MIN && is_streamed(c, job->out_size));
    job->half = &half;
    run_job(c, job);
    return ACT_OK;
}

static void use_stream(const struct call *c, const struct act_row *row, struct act_job *job)
{
    if (!is_streamed(c, job->out_size))
        return;
    if (c->op == ACT_FORWARD && row->forward_stream)
        job->forward = row->forward_stream;
    else if (c->op == ACT_BACKWARD && row->backward_stream)
        job->backward = row->backward_stream;
    else if (c->op == ACT_FROM_OUTPUT && row->from_output_stream)
        job->backward = row->from_output_stream;
}

static act_status run(struct call *c)
{
    struct act_choice choice;
    const act_status status = check(c, &choice);
    if (status != ACT_OK || c->n == 0)
        return status;
    if (!c->in || !c->out || (c->op != ACT_FORWARD && !c->grad_out))
        return ACT_ERR_NULL;
    if (!overlap_ok(c->dtype, c->in, c->out, c->n) ||
        (c->op != ACT_FORWARD && !overlap_ok(c->dtype, c->grad_out, c->out, c->n)))
        return ACT_ERR_OVERLAP;
    struct act_job job = {.params = c->params,
                          .in = c->in,
                          .grad_out = c->grad_out,
                          .out = c->out,
                          .n = c->n,
                          .in_size = in_size_of(c->dtype),
                          .out_size = out_size_of(c->dtype)};
    if (is_half(c->dtype))
        return run_half(c, choice, &job);
    const struct act_row *row = act_row_of(choice, c->dtype, c->kind);
    if (c->op == ACT_FORWARD)
        job.forward = row->forward;
    else
        job.backward = c->op == ACT_BACKWARD ? row->backward : row->from_output;
    if (c->n >= STREAM_MIN)
        use_stream(c, row, &job);
    run_job(c, &job);
    return ACT_OK;
}

static act_status forward(act_dtype dtype, unsigned flags, act_kind kind, const act_params *p,
                          const void *in, void *out, size_t n)
{
    return run(&(struct call){dtype, flags, ACT_FORWARD, kind, p, in, NULL, out, n});
}

static act_status backward(act_dtype dtype, unsigned flags, act_kind kind, const act_params *p,
                           const void *in, const void *grad_out, void *grad_in, size_t n)
{
    return run(&(struct call){dtype, flags, ACT_BACKWARD, kind, p, in, grad_out, grad_in, n});
}

static act_status from_output(act_dtype dtype, unsigned flags, act_kind kind, const act_params *p,
                              const void *out, const void *grad_out, void *grad_in, size_t n)
{
    return run(&(struct call){dtype, flags, ACT_FROM_OUTPUT, kind, p, out, grad_out, grad_in, n});
}

act_status act_forward(act_kind kind, const act_params *params, const float *in, float *out,
                       size_t n)
{
    return forward(ACT_F32, 0, kind, params, in, out, n);
}

act_status act_backward(act_kind kind, const act_params *params, const float *in,
                        const float *grad_out, float *grad_in, size_t n)
{
    return backward(ACT_F32, 0, kind, params, in, grad_out, grad_in, n);
}

act_status act_backward_from_output(act_kind kind, const act_params *params, const float *out,
                                    const float *grad_out, float *grad_in, size_t n)
{
    return from_output(ACT_F32, 0, kind, params, out, grad_out, grad_in, n);
}

act_status act_forward_f64(act_kind kind, const act_params *params, const double *in, double *out,
                           size_t n)
{
    return forward(ACT_F64, 0, kind, params, in, out, n);
}

act_status act_backward_f64(act_kind kind, const act_params *params, const double *in,
                            const double *grad_out, double *grad_in, size_t n)
{
    return backward(ACT_F64, 0, kind, params, in, grad_out, grad_in, n);
}

act_status act_backward_from_output_f64(act_kind kind, const act_params *params, const double *out,
                                        const double *grad_out, double *grad_in, size_t n)
{
    return from_output(ACT_F64, 0, kind, params, out, grad_out, grad_in, n);
}

act_status act_forward_bf16(act_kind kind, const act_params *params, const act_bf16 *in,
                            act_bf16 *out, size_t n)
{
    return forward(ACT_BF16, 0, kind, params, in, out, n);
}

act_status act_backward_bf16(act_kind kind, const act_params *params, const act_bf16 *in,
                             const act_bf16 *grad_out, act_bf16 *grad_in, size_t n)
{
    return backward(ACT_BF16, 0, kind, params, in, grad_out, grad_in, n);
}

act_status act_backward_from_output_bf16(act_kind kind, const act_params *params,
                                         const act_bf16 *out, const act_bf16 *grad_out,
                                         act_bf16 *grad_in, size_t n)
{
    return from_output(ACT_BF16, 0, kind, params, out, grad_out, grad_in, n);
}

act_status act_forward_f16(act_kind kind, const act_params *params, const act_f16 *in, act_f16 *out,
                           size_t n)
{
    return forward(ACT_F16, 0, kind, params, in, out, n);
}

act_status act_backward_f16(act_kind kind, const act_params *params, const act_f16 *in,
                            const act_f16 *grad_out, act_f16 *grad_in, size_t n)
{
    return backward(ACT_F16, 0, kind, params, in, grad_out, grad_in, n);
}

act_status act_backward_from_output_f16(act_kind kind, const act_params *params, const act_f16 *out,
                                        const act_f16 *grad_out, act_f16 *grad_in, size_t n)
{
    return from_output(ACT_F16, 0, kind, params, out, grad_out, grad_in, n);
}

act_status act_forward_t(act_dtype dtype, unsigned flags, act_kind kind, const act_params *params,
                         const void *in, void *out, size_t n)
{
    return forward(dtype, flags, kind, params, in, out, n);
}

act_status act_backward_t(act_dtype dtype, unsigned flags, act_kind kind, const act_params *params,
                          const void *in, const void *grad_out, void *grad_in, size_t n)
{
    return backward(dtype, flags, kind, params, in, grad_out, grad_in, n);
}

act_status act_backward_from_output_t(act_dtype dtype, unsigned flags, act_kind kind,
                                      const act_params *params, const void *out,
                                      const void *grad_out, void *grad_in, size_t n)
{
    return from_output(dtype, flags, kind, params, out, grad_out, grad_in, n);
}
