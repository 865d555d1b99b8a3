/* The softmax family's entry points: check the arguments, load the table, call. */
#include "src/check.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

static size_t size_of(act_dtype type)
{
    return type == ACT_F64 ? sizeof(double) : sizeof(float);
}

static act_status check_type(act_dtype type, unsigned flags, const struct act_table **table)
{
    struct act_choice choice;
    const act_status status = act_check_type(type, flags, ACT_REPRODUCIBLE | ACT_SERIAL, &choice);
    *table = act_tables[choice.isa];
    return status == ACT_OK && type != ACT_F32 && type != ACT_F64 ? ACT_ERR_UNSUPPORTED : status;
}

/* product *= factor, unless that is more than PTRDIFF_MAX. */
static int grow(size_t *product, size_t factor)
{
    if (factor != 0 && *product > PTRDIFF_MAX / factor)
        return 0;
    *product *= factor;
    return 1;
}

/* The bytes of [a][b][c], 0 if one of them is. */
static act_status bytes_of(size_t a, size_t b, size_t c, size_t size, size_t *bytes)
{
    *bytes = size;
    if (a == 0 || b == 0 || c == 0) {
        *bytes = 0;
        return ACT_OK;
    }
    return grow(bytes, a) && grow(bytes, b) && grow(bytes, c) ? ACT_OK : ACT_ERR_SIZE;
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

/* One array of a call. */
struct span {
    const void *data;
    size_t bytes;
};

/* Disjoint, or where it is allowed the same. NULL: not there. */
static int apart(struct span a, struct span b, int may_be_same)
{
    if (!a.data || !b.data || !a.bytes || !b.bytes)
        return 1;
    const uintptr_t p = (uintptr_t)a.data, q = (uintptr_t)b.data;
    if (p == q)
        return may_be_same && a.bytes == b.bytes;
    return p > q ? p - q >= b.bytes : q - p >= a.bytes;
}

/* An output, the inputs it may be, and the masks, which it may not. */
static int overlap_ok(struct span out, struct span in, struct span grad_out, act_shape s,
                      const act_logits *z)
{
    size_t bytes;
    bytes_of(z->mask_outer, s.axis, s.inner, 1, &bytes);
    return apart(in, out, 1) && apart(grad_out, out, 1) &&
           apart((struct span){z->add, bytes * sizeof *z->add}, out, 0) &&
           apart((struct span){z->keep, bytes}, out, 0);
}

enum function { SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, SOFTMAX_BACKWARD, LOG_SOFTMAX_BACKWARD };

static act_status call(enum function f, act_dtype type, unsigned flags, act_shape s,
                       const act_logits *logits, const void *in, const void *grad_out, void *out)
{
    const int backward = f == SOFTMAX_BACKWARD || f == LOG_SOFTMAX_BACKWARD;
    struct act_softmax_job job = {.shape = s, .in = in, .grad_out = grad_out, .out = out};
    size_t bytes, rows;
    const struct act_table *table;
    act_status status = check_type(type, flags, &table);
    if (status == ACT_OK)
        status = bytes_of(s.outer, s.axis, s.inner, size_of(type), &bytes);
    if (status == ACT_OK)
        status = bytes_of(s.outer, 1, s.inner, size_of(type), &rows);
    if (status == ACT_OK)
        status = read_logits(type, s, logits, &job.logits);
    if (status != ACT_OK || bytes == 0)
        return status;
    if (!in || !out || (backward && !grad_out))
        return ACT_ERR_NULL;
    const struct span to = {out, f == LOGSUMEXP ? rows : bytes};
    if (!overlap_ok(to, (struct span){in, bytes}, (struct span){grad_out, bytes}, s, &job.logits))
        return ACT_ERR_OVERLAP;
    switch (f) {
    case SOFTMAX:
        table->softmax[type]->forward(&job);
        break;
    case LOG_SOFTMAX:
        table->softmax[type]->log_forward(&job);
        break;
    case LOGSUMEXP:
        table->softmax[type]->logsumexp(&job);
        break;
    case SOFTMAX_BACKWARD:
        table->softmax_backward[type]->backward(&job);
        break;
    case LOG_SOFTMAX_BACKWARD:
        table->softmax_backward[type]->log_backward(&job);
        break;
    }
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
    size_t bytes, rows, index_bytes;
    const struct act_table *table;
    act_status status = check_type(type, flags, &table);
    if (status == ACT_OK)
        status = bytes_of(shape.outer, shape.axis, shape.inner, size_of(type), &bytes);
    if (status == ACT_OK)
        status = bytes_of(shape.outer, 1, shape.inner, sizeof(int64_t), &index_bytes);
    if (status == ACT_OK)
        status = read_targets(type, targets, q);
    if (status != ACT_OK || bytes == 0)
        return status;
    if (!in || !targets || (!q->index && !q->prob) || (!loss && !grad_in))
        return ACT_ERR_NULL;
    bytes_of(shape.outer, 1, shape.inner, size_of(type), &rows);
    const struct span from = {in, bytes}, to = {loss, rows}, gradient = {grad_in, bytes};
    const struct span others[] = {{q->index, index_bytes},
                                  {q->prob, bytes},
                                  {q->class_weight, shape.axis * sizeof *q->class_weight}};
    if (!apart(from, gradient, 1) || !apart(from, to, 0) || !apart(gradient, to, 0))
        return ACT_ERR_OVERLAP;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!apart(others[i], to, 0) || !apart(others[i], gradient, 0))
            return ACT_ERR_OVERLAP;
    if (q->index && !indices_valid(q, shape.outer * shape.inner, shape.axis))
        return ACT_ERR_PARAM;
    table->cross_entropy[type]->cross_entropy(&job);
    return ACT_OK;
}
