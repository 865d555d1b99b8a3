/* A kind's kernels of one ISA and element type. */
#ifndef ACT_DISPATCH_ROW_H
#define ACT_DISPATCH_ROW_H

#include "actfn/actfn.h"

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
    /* The same results, written past the caches: for arrays that no cache holds, the output none of
     * the inputs. NULL: this ISA has no such stores. */
    act_forward_fn *forward_stream;
    act_backward_fn *backward_stream, *from_output_stream;
};

#endif
