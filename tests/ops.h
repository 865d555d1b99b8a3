/* The six elementwise entry points as one function, for tests that go through all of them. */
#ifndef ACT_TESTS_OPS_H
#define ACT_TESTS_OPS_H

#include "actfn/actfn.h"

enum op { FORWARD, BACKWARD, FROM_OUTPUT, OP_COUNT };
static const char *const op_name[OP_COUNT] = {"forward", "backward", "from_output"};
static const size_t size_of[] = {[ACT_F32] = sizeof(float), [ACT_F64] = sizeof(double)};

#define FOR_DTYPE(t) for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
#define FOR_OP(op)   for (int op = FORWARD; op < OP_COUNT; op++)
#define FOR_KIND(k)  for (act_kind k = 0; k < act_kind_count(); k++)
#define FOR_ISA(isa)                                                                               \
    for (act_isa isa = 0; isa < act_isa_count(); isa++)                                            \
        if (act_isa_available(isa))

/* in is the output of the kind for FROM_OUTPUT; grad_out is not used by FORWARD. */
static inline act_status call(act_dtype t, int op, act_kind kind, const act_params *p,
                              const void *in, const void *grad_out, void *out, size_t n)
{
    if (t == ACT_F32)
        return op == FORWARD    ? act_forward(kind, p, in, out, n)
               : op == BACKWARD ? act_backward(kind, p, in, grad_out, out, n)
                                : act_backward_from_output(kind, p, in, grad_out, out, n);
    return op == FORWARD    ? act_forward_f64(kind, p, in, out, n)
           : op == BACKWARD ? act_backward_f64(kind, p, in, grad_out, out, n)
                            : act_backward_from_output_f64(kind, p, in, grad_out, out, n);
}

static inline act_kind_info describe(act_kind kind)
{
    act_kind_info info = {.struct_size = sizeof info};
    act_kind_describe(kind, &info);
    return info;
}

static inline int offers(act_kind kind, int op)
{
    return op != FROM_OUTPUT || describe(kind).from_output;
}

#endif
