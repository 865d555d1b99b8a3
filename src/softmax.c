/* The softmax family's entry points: check the arguments, load the table, call. */
#include "src/check.h"
#include "src/parallel.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* The element types of a call: bytes of an element that is read and of one that is written, and
 * whose functions of the table compute. */
struct types {
    size_t in, out;
    act_dtype compute;
    const struct act_table *table;
};

static act_status check_type(act_dtype type, unsigned flags, struct act_softmax_job *job,
                             struct types *t)
{
    struct act_choice choice;
    const act_status status = act_check_type(type, flags, ACT_REPRODUCIBLE | ACT_SERIAL, &choice);
    t->table = act_tables[choice.isa];
    t->compute = type == ACT_F64 ? ACT_F64 : ACT_F32;
    job->in_type = act_type_read(type);
    job->to_float = job->in_type != type;
    t->in = type == ACT_F64 ? sizeof(double) : type == ACT_F32 ? sizeof(float) : sizeof(uint16_t);
    t->out = job->to_float ? sizeof(float) : t->in;
    return status;
}

/* A call that is cut into pieces. */
struct split {
    act_softmax_fn *run;
    const struct act_softmax_job *job;
};

static void run_part(const void *split, size_t first, size_t n)
{
    const struct split *const s = split;
    s->run(s->job, first, n);
}

static void run(act_softmax_fn *f, const struct act_softmax_job *job, unsigned flags)
{
    const act_shape s = job->shape;
    const size_t units = s.outer * act_softmax_units(s.inner);
    const struct split split = {f, job};
    if (flags & ACT_SERIAL)
        f(job, 0, units);
    else
        act_run_parts(run_part, &split, units, s.outer * s.axis * s.inner / units);
}

/* The bytes of [a][b][c], 0 if one of them is. */
static act_status bytes_of(size_t a, size_t b, size_t c, size_t size, size_t *bytes)
{
    size_t elements;
    const int fits = act_count(a, b, c, size, &elements);
    *bytes = fits ? elements * size : 0;
    return fits ? ACT_OK : ACT_ERR_SIZE;
}

/* A caller's struct of his struct_size into one of ours, already 0. A larger one, of a newer
 * header, must ask for nothing that is not known here. */
static act_status read_struct(void *to, size_t size, const void *from, size_t given)
{
    if (given <= sizeof(size_t))
        return ACT_ERR_SIZE;
    for (size_t i = size; i < given; i++)
        if (((const unsigned char *)from)[i])
            return ACT_ERR_UNSUPPORTED;
    memcpy(to, from, given < size ? given : size);
    return ACT_OK;
}

static int is_zero(const act_logits *z)
{
    return z->scale == 0 && !z->add && !z->keep && !z->mask_outer && !z->causal_rows &&
           !z->causal_offset && !z->empty;
}

static act_status read_logits(act_dtype type, act_shape s, const act_logits *from, act_logits *z)
{
    *z = (act_logits){.struct_size = 0};
    if (from && !(from->struct_size == 0 && is_zero(from))) {
        const act_status status = read_struct(z, sizeof *z, from, from->struct_size);
        if (status != ACT_OK)
            return status;
    }
    if (z->empty < ACT_EMPTY_ZERO || z->empty > ACT_EMPTY_UNIFORM)
        return ACT_ERR_PARAM;
    z->scale = z->scale == 0 ? 1 : act_round_to(type, z->scale);
    if (!isfinite(z->scale))
        return ACT_ERR_PARAM;
    if (z->mask_outer == 0)
        z->mask_outer = 1;
    size_t bytes;
    if (z->add || z->keep)
        return bytes_of(z->mask_outer, s.axis, s.inner, z->add ? sizeof *z->add : 1, &bytes);
    return ACT_OK;
}

/* Disjoint, or where it is allowed the same. */
static int apart(struct act_span a, struct act_span b, int may_be_same)
{
    return may_be_same ? act_spans_same_or_disjoint(a, b) : act_spans_disjoint(a, b);
}

/* An output, the inputs it may be, if the elements are as large, and the masks, which it may not.
 */
static int overlap_ok(struct act_span out, struct act_span in, struct act_span grad_out,
                      int may_be_same, act_shape s, const act_logits *z)
{
    size_t bytes;
    bytes_of(z->mask_outer, s.axis, s.inner, 1, &bytes);
    return apart(in, out, may_be_same) && apart(grad_out, out, may_be_same) &&
           apart((struct act_span){z->add, bytes * sizeof *z->add}, out, 0) &&
           apart((struct act_span){z->keep, bytes}, out, 0);
}

enum function { SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, SOFTMAX_BACKWARD, LOG_SOFTMAX_BACKWARD };

static act_status call(enum function f, act_dtype type, unsigned flags, act_shape s,
                       const act_logits *logits, const void *in, const void *grad_out, void *out)
{
    const int backward = f == SOFTMAX_BACKWARD || f == LOG_SOFTMAX_BACKWARD;
    struct act_softmax_job job = {.shape = s, .in = in, .grad_out = grad_out, .out = out};
    size_t bytes, written;
    struct types t;
    act_status status = check_type(type, flags, &job, &t);
    if (status == ACT_OK)
        status = bytes_of(s.outer, s.axis, s.inner, t.in, &bytes);
    if (status == ACT_OK)
        status = bytes_of(s.outer, f == LOGSUMEXP ? 1 : s.axis, s.inner, t.out, &written);
    if (status == ACT_OK)
        status = read_logits(type, s, logits, &job.logits);
    if (status != ACT_OK || bytes == 0)
        return status;
    if (!in || !out || (backward && !grad_out))
        return ACT_ERR_NULL;
    const struct act_span to = {out, written}, from = {in, bytes}, gradient = {grad_out, bytes};
    if (!overlap_ok(to, from, gradient, t.in == t.out, s, &job.logits))
        return ACT_ERR_OVERLAP;
    const struct act_softmax_row *const forward = t.table->softmax[t.compute];
    const struct act_softmax_backward_row *const back = t.table->softmax_backward[t.compute];
    act_softmax_fn *const functions[] = {[SOFTMAX] = forward->forward,
                                         [LOG_SOFTMAX] = forward->log_forward,
                                         [LOGSUMEXP] = forward->logsumexp,
                                         [SOFTMAX_BACKWARD] = back->backward,
                                         [LOG_SOFTMAX_BACKWARD] = back->log_backward};
    run(functions[f], &job, flags);
    return ACT_OK;
}

act_status act_softmax_forward(act_dtype type, unsigned flags, act_shape shape,
                               const act_logits *logits, const void *in, void *out)
{
    return call(SOFTMAX, type, flags, shape, logits, in, NULL, out);
}

act_status act_log_softmax_forward(act_dtype type, unsigned flags, act_shape shape,
                                   const act_logits *logits, const void *in, void *out)
{
    return call(LOG_SOFTMAX, type, flags, shape, logits, in, NULL, out);
}

act_status act_logsumexp(act_dtype type, unsigned flags, act_shape shape, const act_logits *logits,
                         const void *in, void *out)
{
    return call(LOGSUMEXP, type, flags, shape, logits, in, NULL, out);
}

act_status act_softmax_backward(act_dtype type, unsigned flags, act_shape shape,
                                const act_logits *logits, const void *out, const void *grad_out,
                                void *grad_in)
{
    return call(SOFTMAX_BACKWARD, type, flags, shape, logits, out, grad_out, grad_in);
}

act_status act_log_softmax_backward(act_dtype type, unsigned flags, act_shape shape,
                                    const act_logits *logits, const void *out, const void *grad_out,
                                    void *grad_in)
{
    return call(LOG_SOFTMAX_BACKWARD, type, flags, shape, logits, out, grad_out, grad_in);
}

/* ---- cross-entropy --------------------------------------------------------------------------- */

static act_status read_targets(act_dtype type, const act_targets *from, act_targets *q)
{
    if (!from)
        return ACT_OK; /* for an empty shape; else ACT_ERR_NULL */
    const act_status status = read_struct(q, sizeof *q, from, from->struct_size);
    if (status != ACT_OK)
        return status;
    if (q->index && q->prob)
        return ACT_ERR_PARAM;
    if (!(q->smoothing >= 0 && q->smoothing <= 1))
        return ACT_ERR_PARAM;
    q->grad_scale = q->grad_scale == 0 ? 1 : act_round_to(type, q->grad_scale);
    return isfinite(q->grad_scale) ? ACT_OK : ACT_ERR_PARAM;
}

static int indices_valid(const act_targets *q, size_t count, size_t axis)
{
    for (size_t i = 0; i < count; i++) {
        int64_t index; /* of any alignment */
        memcpy(&index, q->index + i, sizeof index);
        if (index != q->ignore && (index < 0 || (uint64_t)index >= axis))
            return 0;
    }
    return 1;
}

act_status act_cross_entropy(act_dtype type, unsigned flags, act_shape shape,
                             const act_targets *targets, const void *in, void *loss, void *grad_in)
{
    struct act_softmax_job job = {.shape = shape,
                                  .in = in,
                                  .out = loss,
                                  .grad_in = grad_in,
                                  .logits = {.scale = 1, .mask_outer = 1}};
    act_targets *q = &job.targets;
    size_t bytes, written, rows, index_bytes;
    struct types t;
    act_status status = check_type(type, flags, &job, &t);
    if (status == ACT_OK)
        status = bytes_of(shape.outer, shape.axis, shape.inner, t.in, &bytes);
    if (status == ACT_OK)
        status = bytes_of(shape.outer, shape.axis, shape.inner, t.out, &written);
    if (status == ACT_OK)
        status = bytes_of(shape.outer, 1, shape.inner, sizeof(int64_t), &index_bytes);
    if (status == ACT_OK)
        status = read_targets(type, targets, q);
    if (status != ACT_OK || bytes == 0)
        return status;
    if (!in || !targets || (!q->index && !q->prob) || (!loss && !grad_in))
        return ACT_ERR_NULL;
    bytes_of(shape.outer, 1, shape.inner, t.out, &rows);
    const struct act_span from = {in, bytes}, to = {loss, rows}, gradient = {grad_in, written};
    const struct act_span others[] = {{q->index, index_bytes},
                                      {q->prob, bytes},
                                      {q->class_weight, shape.axis * sizeof *q->class_weight}};
    if (!apart(from, gradient, t.in == t.out) || !apart(from, to, 0) || !apart(gradient, to, 0))
        return ACT_ERR_OVERLAP;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!apart(others[i], to, 0) || !apart(others[i], gradient, 0))
            return ACT_ERR_OVERLAP;
    if (q->index && !indices_valid(q, shape.outer * shape.inner, shape.axis))
        return ACT_ERR_PARAM;
    run(t.table->cross_entropy[t.compute]->cross_entropy, &job, flags);
    return ACT_OK;
}
