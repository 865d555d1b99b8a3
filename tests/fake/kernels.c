/* Rows for dispatch/table.c that copy their input and note the call, and 16-bit types whose float
 * is the number the bits make as an integer. Compiled once per ISA. */
#include "dispatch/table.h"
#include "fake/fake.h"

#include <string.h>

#define STR_(x)           #x
#define STR(x)            STR_(x)
#define CAT4_(a, b, c, d) a##b##c##d
#define CAT4(a, b, c, d)  CAT4_(a, b, c, d)
#define ROW(name, dtype)  CAT4(actk_##name, dtype, _, ACT_ISA_NAME)

/* As in the library, scalar has no stores past the caches. */
#define STREAM_OF(f, wanted) ((wanted) && !ACT_ISA_IS_SCALAR ? (f) : NULL)

#define FORWARD(f, op, name, type, T)                                                              \
    static void f(const act_params *p, const void *in, void *out, size_t n)                        \
    {                                                                                              \
        fake_last = (struct fake_call){STR(ACT_ISA_NAME), #name, op, T, *p, in, NULL, out, n};     \
        memmove(out, in, n * sizeof(type));                                                        \
    }
#define BACKWARD(f, op, name, type, T)                                                             \
    static void f(const act_params *p, const void *in, const void *g, void *out, size_t n)         \
    {                                                                                              \
        fake_last = (struct fake_call){STR(ACT_ISA_NAME), #name, op, T, *p, in, g, out, n};        \
        memmove(out, g, n * sizeof(type));                                                         \
    }
#define ROW_OF(name, dtype, type, T, output)                                                       \
    FORWARD(name##dtype##_fwd, "forward", name, type, T)                                           \
    FORWARD(name##dtype##_fwd_stream, "forward, streamed", name, type, T)                          \
    BACKWARD(name##dtype##_bwd, "backward", name, type, T)                                         \
    BACKWARD(name##dtype##_bwd_stream, "backward, streamed", name, type, T)                        \
    BACKWARD(name##dtype##_out, "from_output", name, type, T)                                      \
    BACKWARD(name##dtype##_out_stream, "from_output, streamed", name, type, T)                     \
    extern const struct act_row ROW(name, dtype);                                                  \
    const struct act_row ROW(name, dtype) = {                                                      \
        .forward = name##dtype##_fwd,                                                              \
        .backward = name##dtype##_bwd,                                                             \
        .from_output = output ? name##dtype##_out : NULL,                                          \
        .forward_stream = STREAM_OF(name##dtype##_fwd_stream, 1),                                  \
        .backward_stream = STREAM_OF(name##dtype##_bwd_stream, 1),                                 \
        .from_output_stream = STREAM_OF(name##dtype##_out_stream, output)};

#define NO_OUTPUT       0
#define OUTPUT(f)       1
#define SLOPE_OUTPUT(f) 1
#define ACT_KIND(id, NAME, name, aliases, formula, output, params, bounds)                         \
    ROW_OF(name, _f32, float, ACT_F32, output)                                                     \
    ROW_OF(name, _f64, double, ACT_F64, output)
#include "actfn/kinds.inc"
#undef ACT_KIND

/* The structured operations are not called. */
#define PART(name, dtype) CAT4(actp_##name, dtype, _, ACT_ISA_NAME)
#define ACT_PART(name)                                                                             \
    extern const struct act_##name##_row PART(name, _f32), PART(name, _f64);                       \
    const struct act_##name##_row PART(name, _f32) = {0}, PART(name, _f64) = {0};
#include "dispatch/parts.inc"
#undef ACT_PART

static void widen(const void *in, float *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t bits;
        memcpy(&bits, (const char *)in + 2 * i, sizeof bits);
        out[i] = bits;
    }
}

static size_t narrow(const float *y, const float *x, const float *v, const struct act_tolerance *t,
                     void *out, uint16_t *doubtful, size_t n)
{
    (void)x, (void)v, (void)t, (void)doubtful;
    for (size_t i = 0; i < n; i++) {
        const uint16_t bits = (uint16_t)y[i];
        memcpy((char *)out + 2 * i, &bits, sizeof bits);
    }
    return 0;
}

#define HALF(type) CAT4(actk_##type, , _half_, ACT_ISA_NAME)
extern const struct act_half HALF(bf16), HALF(f16);
const struct act_half HALF(bf16) = {.widen = widen, .narrow = narrow};
const struct act_half HALF(f16) = {.widen = widen, .narrow = narrow};
extern const struct act_half_stream HALF(stream);
const struct act_half_stream HALF(stream) = {.look_up = NULL};
