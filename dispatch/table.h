/* The kernel table of an ISA: for each element type and kind a row of function pointers. */
#ifndef ACT_DISPATCH_TABLE_H
#define ACT_DISPATCH_TABLE_H

#include "actfn/actfn.h"

#include <stdatomic.h>
#include <stdint.h>

enum { ACT_DTYPE_COUNT = ACT_F64 + 1, ACT_MODE_COUNT = ACT_MODE_REPRODUCIBLE + 1 };

/* Arguments are checked before a kernel is called; n may be 0. */
typedef void act_forward_fn(const act_params *p, const void *in, void *out, size_t n);
typedef void act_backward_fn(const act_params *p, const void *in, const void *grad_out,
                             void *grad_in, size_t n);

/* Defined by kernels/<kind>.c as actk_<kind>_<dtype>_<isa>; a kind with a kernel that is for one
 * ISA and for fast mode alone has actk_<kind>_fast_f32_<isa> besides (kernels/<isa>/<kind>.c). */
struct act_row {
    act_forward_fn *forward;
    act_backward_fn *backward;
    act_backward_fn *from_output; /* NULL: the output does not determine the derivative */
};

enum {
    ACT_KIND_COUNT = 0
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds) +1
#include "actfn/kinds.inc"
#undef ACT_KIND
};

/* A call of the softmax family, its arguments checked: no size is 0, the structs are whole (fields
 * that the caller's header did not have are 0), scale and grad_scale are set, a mask has rows. */
struct act_softmax_job {
    act_shape shape;
    act_logits logits;
    act_targets targets;
    const void *in;       /* forward: x; backward: the output */
    const void *grad_out; /* backward */
    void *out;            /* y, the sums, the losses (or NULL); backward: grad_in */
    void *grad_in;        /* cross-entropy (or NULL) */
};
typedef void act_softmax_fn(const struct act_softmax_job *job);

/* Defined by kernels/softmax.c, softmax_backward.c and cross_entropy.c. */
struct act_softmax_row {
    act_softmax_fn *forward, *log_forward, *logsumexp;
};
struct act_softmax_backward_row {
    act_softmax_fn *backward, *log_backward;
};
struct act_cross_entropy_row {
    act_softmax_fn *cross_entropy;
};

/* What an ISA offers beside the kinds. */
struct act_structured {
    const struct act_softmax_row *softmax;
    const struct act_softmax_backward_row *softmax_backward;
    const struct act_cross_entropy_row *cross_entropy;
};

struct act_table {
    const struct act_row *row[ACT_MODE_COUNT][ACT_DTYPE_COUNT][ACT_KIND_COUNT];
    struct act_structured structured[ACT_F64 + 1];
};

/* Tables by ISA id, NULL where not built; the constant end of dispatch/select.c. */
enum { ACT_ISA_MAX = 32 };
extern const struct act_table *const act_tables[ACT_ISA_MAX];

/* isa | mode << 8: one word, so that a reader never sees half a change. */
extern _Atomic uint32_t act_state;

static inline const struct act_row *act_current_row(act_dtype dtype, act_kind kind)
{
    const uint32_t state = atomic_load_explicit(&act_state, memory_order_relaxed);
    return act_tables[state & 0xff]->row[state >> 8][dtype][kind];
}

static inline const struct act_structured *act_current_structured(act_dtype dtype)
{
    const uint32_t state = atomic_load_explicit(&act_state, memory_order_relaxed);
    return &act_tables[state & 0xff]->structured[dtype];
}

#endif
