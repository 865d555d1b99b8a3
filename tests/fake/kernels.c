/* Rows for dispatch/table.c that copy their input and note the call. Compiled once per ISA. */
#include "dispatch/table.h"
#include "fake/fake.h"

#include <string.h>

#define STR_(x)                  #x
#define STR(x)                   STR_(x)
#define CAT4_(a, b, c, d)        a##b##c##d
#define CAT4(a, b, c, d)         CAT4_(a, b, c, d)
#define ROW(name, dtype)         CAT4(actk_##name, dtype, _, ACT_ISA_NAME)

#define ROW_OF(name, dtype, type, T, output)                                                       \
    static void name##dtype##_fwd(const act_params *p, const void *in, void *out, size_t n)        \
    {                                                                                              \
        fake_last = (struct fake_call){STR(ACT_ISA_NAME), #name, "forward", T, *p, in, NULL, out,  \
                                       n};                                                         \
        memmove(out, in, n * sizeof(type));                                                        \
    }                                                                                              \
    static void name##dtype##_bwd(const act_params *p, const void *in, const void *g, void *out,   \
                                  size_t n)                                                        \
    {                                                                                              \
        fake_last = (struct fake_call){STR(ACT_ISA_NAME), #name, "backward", T, *p, in, g, out, n};\
        memmove(out, g, n * sizeof(type));                                                         \
    }                                                                                              \
    static void name##dtype##_out(const act_params *p, const void *in, const void *g, void *out,   \
                                  size_t n)                                                        \
    {                                                                                              \
        name##dtype##_bwd(p, in, g, out, n);                                                       \
        fake_last.op = "from_output";                                                              \
    }                                                                                              \
    extern const struct act_row ROW(name, dtype);                                                  \
    const struct act_row ROW(name, dtype) = {name##dtype##_fwd, name##dtype##_bwd,                 \
                                             output ? name##dtype##_out : NULL};

#define NO_OUTPUT       0
#define OUTPUT(f)       1
#define SLOPE_OUTPUT(f) 1
#define ACT_KIND(id, NAME, name, aliases, formula, output, params, bounds)                         \
    ROW_OF(name, _f32, float, ACT_F32, output)                                                     \
    ROW_OF(name, _f64, double, ACT_F64, output)
#include "actfn/kinds.inc"
#undef ACT_KIND

/* Never called. */
#define NONE(type, name)                                                                           \
    extern const struct type ROW(name, _f32), ROW(name, _f64);                                     \
    const struct type ROW(name, _f32) = {NULL}, ROW(name, _f64) = {NULL};
NONE(act_softmax_row, softmax)
NONE(act_softmax_backward_row, softmax_backward)
NONE(act_cross_entropy_row, cross_entropy)
