/* The elementwise entry points as one function, for tests that go through all of them. */
#ifndef ACT_TESTS_OPS_H
#define ACT_TESTS_OPS_H

#include "actfn/actfn.h"

#include <string.h>

enum op { FORWARD, BACKWARD, FROM_OUTPUT, OP_COUNT };
static const char *const op_name[OP_COUNT] = {"forward", "backward", "from_output"};
static const char *const dtype_name[] = {"f32", "f64", "bf16", "f16"};
static const size_t size_of[] = {sizeof(float), sizeof(double), sizeof(act_bf16), sizeof(act_f16)};

#define FOR_DTYPE(t) for (act_dtype t = ACT_F32; t <= ACT_F16; t++)
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
    if (t == ACT_F64)
        return op == FORWARD    ? act_forward_f64(kind, p, in, out, n)
               : op == BACKWARD ? act_backward_f64(kind, p, in, grad_out, out, n)
                                : act_backward_from_output_f64(kind, p, in, grad_out, out, n);
    if (t == ACT_BF16)
        return op == FORWARD    ? act_forward_bf16(kind, p, in, out, n)
               : op == BACKWARD ? act_backward_bf16(kind, p, in, grad_out, out, n)
                                : act_backward_from_output_bf16(kind, p, in, grad_out, out, n);
    return op == FORWARD    ? act_forward_f16(kind, p, in, out, n)
           : op == BACKWARD ? act_backward_f16(kind, p, in, grad_out, out, n)
                            : act_backward_from_output_f16(kind, p, in, grad_out, out, n);
}

/* Element i of an array, and back; to 16 bits towards 0. */
static inline void put(void *array, act_dtype t, size_t i, double value)
{
    if (t == ACT_F64) {
        ((double *)array)[i] = value;
        return;
    }
    const float f = (float)value;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    const double size = value < 0 ? -value : value;
    if (t == ACT_F32)
        ((float *)array)[i] = f;
    else if (t == ACT_BF16)
        ((act_bf16 *)array)[i] = (act_bf16)(bits >> 16);
    else if (value != value)
        ((act_f16 *)array)[i] = 0x7e00;
    else if (size >= 65536)
        ((act_f16 *)array)[i] = sign | 0x7c00;
    else if (size < 0x1p-14)
        ((act_f16 *)array)[i] = sign | (uint16_t)(size * 0x1p24);
    else
        ((act_f16 *)array)[i] = sign | (uint16_t)(((bits & 0x7fffffff) - (112u << 23)) >> 13);
}

static inline double get(const void *array, act_dtype t, size_t i)
{
    if (t == ACT_F64)
        return ((const double *)array)[i];
    if (t == ACT_F32)
        return (double)((const float *)array)[i];
    const uint16_t half = ((const uint16_t *)array)[i];
    uint32_t bits = (uint32_t)half << 16;
    float value;
    if (t == ACT_F16) {
        const uint32_t size = half & 0x7fff, sign = (uint32_t)(half & 0x8000) << 16;
        if (size < 0x400)
            return (sign ? -0x1p-24 : 0x1p-24) * (double)size;
        bits = sign | ((size << 13) + ((size < 0x7c00 ? 112u : 224u) << 23));
    }
    memcpy(&value, &bits, sizeof value);
    return (double)value;
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
