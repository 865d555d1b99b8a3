/* What every kernels/<kind>.c includes: the vector operations of one ISA, and the loops.
 *
 * A kind's file is compiled once per ISA and element type, with
 *   ACT_ISA_NAME    the ISA: suffix of the symbols
 *   ACT_ISA_HEADER  kernels/isa/<isa>.h
 *   ACT_UNIT_F64    1: the f64 kernels, 0: the f32 kernels, and kernels/half.c (ACT_UNIT_HALF 1)
 * and once more with ACT_TEST_DATA for what the tests read (ACT_TEST). A file with ACT_THETA also
 * with ACT_UNIT_THETA, for f with parameters per channel (kernels/theta.h).
 *
 * The header of an ISA defines vec (VL lanes of the compute type), vmask, and for f32 vint, with
 *   v_stream(p, a), p aligned, past the caches, and v_stream_end: where V_STREAM is 1
 *   v_load, v_store, v_load_n, v_store_n (the first n < VL lanes; nothing else is touched), v_set
 *   v_add, v_sub, v_mul, v_div, v_sqrt
 *   v_fma(a, b, c) = ab + c    v_fms = ab - c    v_fnma = c - ab   fused where V_HAS_FMA
 *   v_fma_tight                                 f32: v_fma with one rounding on every ISA
 *   v_min(a, b) = a < b ? a : b   v_max(a, b) = a > b ? a : b      so b when either is NaN
 *   v_and, v_andnot (~a & b), v_or, v_xor       on the bits
 *   v_lt, v_le, v_eq -> vmask, false on NaN  v_both(m, n)
 *   v_select(m, a, b) = m ? a : b
 *   v_keep(m, a) = m ? a : +0                 v_drop(m, a) = m ? +0 : a
 *   f32: v_bits, v_from_bits, i_set, i_add, i_sub, i_max, i_shl, i_sar (arithmetic)
 *   kernels/half.c: what f32 has, on the scalar ISA too, and for 16-bit arrays of any alignment
 *        h_load (VL numbers, a lane each), h_store(p, a, b) (a's lanes and b's, all < 2^16)
 *        h_shr16 (logical)    h_clear(a, b): a & b == 0, a mask    h_lanes: bit i for lane i
 *        h_load_f16, h_store_f16(p, a, b)      converting, where H_HAS_F16
 *        h_gather(table, i) = table[i], of uint16_t, a lane each, where H_HAS_GATHER
 *        h_pick(to, table, p): to[j] = table[p[j]], j < 8, where H_HAS_PICK
 *   f32: v_lookup8(table, v_index8(i)) = table[i & 7], a table of 8 floats
 *   f64: v_shl52 (the bits << 52)    v_exp, v_log1p (1 ULP): SLEEF's of this ISA
 * and for kernels/lanes.h
 *   v_load_float (VL floats, whatever the type)   v_load_keep (VL bytes: a mask of those not 0)
 *   v_max_of (the largest lane, no lane NaN)
 *   f32: vwide, VL doubles: w_set, w_load, w_store, w_from (of a vec), w_to (rounded to a vec),
 *   w_add, w_sub, w_mul, w_div, w_fma
 * and for kernels/rrelu_train.c
 *   f32: vquad, QL lanes of 64 bits: q_set, q_lanes (0, 1, ...), q_add, q_xor, q_mul32 (of the low
 *   halves), q_high (logical shift right by 32), q_store_low (the low halves)
 * The scalar table computes in double for every type (V_DOUBLE without ACT_UNIT_F64). */
#ifndef ACT_KERNELS_KERNEL_H
#define ACT_KERNELS_KERNEL_H

#include "dispatch/row.h"
#include "kernels/test_data.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ACT_OP static inline __attribute__((always_inline, unused))

#ifndef ACT_UNIT_HALF
#define ACT_UNIT_HALF 0
#endif
#ifndef ACT_UNIT_THETA
#define ACT_UNIT_THETA 0
#endif

#if ACT_UNIT_F64
typedef double elem;
#define ACT_DTYPE_NAME f64
#else
typedef float elem;
#define ACT_DTYPE_NAME f32
#endif

#include ACT_ISA_HEADER

#if V_HAS_FMA
#define v_fma_tight v_fma
#endif
#ifndef V_REGISTERS /* of vectors */
#define V_REGISTERS 16
#endif

/* Is the compute type double? The f64 units, and the scalar table throughout. */
#define V_DOUBLE (ACT_UNIT_F64 || (ACT_ISA_IS_SCALAR && !ACT_UNIT_HALF))

/* The parameters in every lane, rounded once to the element type. */
struct vparams {
    vec alpha, beta, gamma, delta;
};

ACT_OP struct vparams v_params(const act_params *p)
{
    return (struct vparams){v_set((elem)p->alpha), v_set((elem)p->beta), v_set((elem)p->gamma),
                            v_set((elem)p->delta)};
}

ACT_OP vec v_sign(vec a)
{
    return v_and(a, v_set((elem)-0.0));
}
ACT_OP vec v_abs(vec a)
{
    return v_andnot(v_set((elem)-0.0), a);
}
/* +0, or NaN where a is NaN: what a derivative is where f is constant. */
ACT_OP vec v_zero_or_nan(vec a)
{
    return v_drop(v_eq(a, a), a);
}
/* low < x < high, a mask. */
#define v_inside(low, x, high) v_both(v_lt(low, x), v_lt(x, high))
ACT_OP vec v_neg(vec a)
{
    return v_xor(v_set((elem)-0.0), a);
}

/* ---- the loops --------------------------------------------------------------------------------
 * ACT_UNROLL vectors a turn, then one, then the tail by the same function: a result does not depend
 * on its position. gcc's first scheduler (cmake/ActIsa.cmake) lets the vectors of a turn advance
 * together: on a Zen 4 2 a turn are up to 1.2 times as fast as 1, and 3 as 2 up to 1.15 times; in
 * f32 on AVX-512 3 are no faster, and slower where memory counts (V_UNROLL). Loads come before
 * stores, so out may be in.
 * Where the ISA header has V_STREAM a second loop writes past the caches and prefetches what it
 * reads: for arrays that no cache holds (src/api.c), out not in. */
#ifndef V_UNROLL
#define V_UNROLL 3
#endif
#ifndef ACT_UNROLL /* a file may have its own */
#define ACT_UNROLL V_UNROLL
#endif
#define ACT_EACH(j) _Pragma("GCC unroll 4") for (size_t j = 0; j < ACT_UNROLL; j++)
#define ACT_STEP    ((size_t)ACT_UNROLL * VL)

#define ACT_SYMBOL_(kind, op, dtype, isa)  actk_##kind##_##op##_##dtype##_##isa
#define ACT_SYMBOL__(kind, op, dtype, isa) ACT_SYMBOL_(kind, op, dtype, isa)
#define ACT_SYMBOL(kind, op)               ACT_SYMBOL__(kind, op, ACT_DTYPE_NAME, ACT_ISA_NAME)
#define ACT_ROW_(kind, dtype, isa)         actk_##kind##_##dtype##_##isa
#define ACT_ROW__(kind, dtype, isa)        ACT_ROW_(kind, dtype, isa)
#define ACT_ROW(kind)                      ACT_ROW__(kind, ACT_DTYPE_NAME, ACT_ISA_NAME)

#define ACT_LOOP1(f, kind, op)                                                                     \
    static void ACT_SYMBOL(kind, op)(const act_params *params, const void *in, void *out,          \
                                     size_t n)                                                     \
    {                                                                                              \
        const struct vparams p = v_params(params);                                                 \
        const elem *x = in;                                                                        \
        elem *y = out;                                                                             \
        (void)p;                                                                                   \
        for (; n >= ACT_STEP; n -= ACT_STEP, x += ACT_STEP, y += ACT_STEP) {                       \
            vec a[ACT_UNROLL];                                                                     \
            ACT_EACH(j) a[j] = v_load(x + j * VL);                                                 \
            ACT_EACH(j) v_store(y + j * VL, f(a[j], p));                                           \
        }                                                                                          \
        for (; n >= VL; n -= VL, x += VL, y += VL)                                                 \
            v_store(y, f(v_load(x), p));                                                           \
        if (n > 0)                                                                                 \
            v_store_n(y, f(v_load_n(x, n), p), n);                                                 \
    }                                                                                              \
    ACT_STREAM1(f, kind, op)

#define ACT_LOOP2(f, kind, op)                                                                     \
    static void ACT_SYMBOL(kind, op)(const act_params *params, const void *in,                     \
                                     const void *grad_out, void *grad_in, size_t n)                \
    {                                                                                              \
        const struct vparams p = v_params(params);                                                 \
        const elem *x = in, *g = grad_out;                                                         \
        elem *d = grad_in;                                                                         \
        (void)p;                                                                                   \
        for (; n >= ACT_STEP; n -= ACT_STEP, x += ACT_STEP, g += ACT_STEP, d += ACT_STEP) {        \
            vec a[ACT_UNROLL], b[ACT_UNROLL];                                                      \
            ACT_EACH(j) a[j] = v_load(x + j * VL);                                                 \
            ACT_EACH(j) b[j] = v_load(g + j * VL);                                                 \
            ACT_EACH(j) v_store(d + j * VL, f(a[j], b[j], p));                                     \
        }                                                                                          \
        for (; n >= VL; n -= VL, x += VL, g += VL, d += VL)                                        \
            v_store(d, f(v_load(x), v_load(g), p));                                                \
        if (n > 0)                                                                                 \
            v_store_n(d, f(v_load_n(x, n), v_load_n(g, n), p), n);                                 \
    }                                                                                              \
    ACT_STREAM2(f, kind, op)

/* How many elements before p is aligned to a vector; n if it is not aligned to its elements. */
ACT_OP size_t v_misaligned(const void *p, size_t n)
{
    const size_t past = (uintptr_t)p % (VL * sizeof(elem));
    return past % sizeof(elem) ? n : past ? VL - past / sizeof(elem) : 0;
}

#ifndef V_STREAM
#define V_STREAM 0
#endif
#if V_STREAM
#define ACT_STREAM_SYMBOL(kind, op) ACT_SYMBOL(kind, op##_stream)

/* The elements of a turn from p on, 2 KiB ahead. */
ACT_OP void v_prefetch(const elem *p)
{
    const char *line = (const char *)p + 2048;
    for (size_t i = 0; i < ACT_STEP * sizeof(elem); i += 64)
        __builtin_prefetch(line + i);
}

#define ACT_STREAM1(f, kind, op)                                                                   \
    static void ACT_STREAM_SYMBOL(kind, op)(const act_params *params, const void *in, void *out,   \
                                            size_t n)                                              \
    {                                                                                              \
        const struct vparams p = v_params(params);                                                 \
        const size_t head = v_misaligned(out, n);                                                  \
        ACT_SYMBOL(kind, op)(params, in, out, head < n ? head : n);                                \
        if (head >= n)                                                                             \
            return;                                                                                \
        const elem *x = (const elem *)in + head;                                                   \
        elem *y = (elem *)out + head;                                                              \
        (void)p;                                                                                   \
        for (n -= head; n >= ACT_STEP; n -= ACT_STEP, x += ACT_STEP, y += ACT_STEP) {              \
            vec a[ACT_UNROLL];                                                                     \
            v_prefetch(x);                                                                         \
            ACT_EACH(j) a[j] = v_load(x + j * VL);                                                 \
            ACT_EACH(j) v_stream(y + j * VL, f(a[j], p));                                          \
        }                                                                                          \
        v_stream_end();                                                                            \
        ACT_SYMBOL(kind, op)(params, x, y, n);                                                     \
    }

#define ACT_STREAM2(f, kind, op)                                                                   \
    static void ACT_STREAM_SYMBOL(kind, op)(const act_params *params, const void *in,              \
                                            const void *grad_out, void *grad_in, size_t n)         \
    {                                                                                              \
        const struct vparams p = v_params(params);                                                 \
        const size_t head = v_misaligned(grad_in, n);                                              \
        ACT_SYMBOL(kind, op)(params, in, grad_out, grad_in, head < n ? head : n);                  \
        if (head >= n)                                                                             \
            return;                                                                                \
        const elem *x = (const elem *)in + head, *g = (const elem *)grad_out + head;               \
        elem *d = (elem *)grad_in + head;                                                          \
        (void)p;                                                                                   \
        n -= head;                                                                                 \
        for (; n >= ACT_STEP; n -= ACT_STEP, x += ACT_STEP, g += ACT_STEP, d += ACT_STEP) {        \
            vec a[ACT_UNROLL], b[ACT_UNROLL];                                                      \
            v_prefetch(x);                                                                         \
            v_prefetch(g);                                                                         \
            ACT_EACH(j) a[j] = v_load(x + j * VL);                                                 \
            ACT_EACH(j) b[j] = v_load(g + j * VL);                                                 \
            ACT_EACH(j) v_stream(d + j * VL, f(a[j], b[j], p));                                    \
        }                                                                                          \
        v_stream_end();                                                                            \
        ACT_SYMBOL(kind, op)(params, x, g, d, n);                                                  \
    }
#else
#define ACT_STREAM_SYMBOL(kind, op) NULL
#define ACT_STREAM1(f, kind, op)
#define ACT_STREAM2(f, kind, op)
#endif

/* What the file of a structured operation ends with: ACT_PART_ROW(part) = {functions}; */
#define ACT_PART_SYMBOL_(part, dtype, isa)  actp_##part##_##dtype##_##isa
#define ACT_PART_SYMBOL__(part, dtype, isa) ACT_PART_SYMBOL_(part, dtype, isa)
#define ACT_PART_SYMBOL(part)               ACT_PART_SYMBOL__(part, ACT_DTYPE_NAME, ACT_ISA_NAME)
#define ACT_PART_ROW(part)                                                                         \
    extern const struct act_##part##_row ACT_PART_SYMBOL(part);                                    \
    const struct act_##part##_row ACT_PART_SYMBOL(part)

/* ---- what a kind's file ends with -------------------------------------------------------------
 * ACT_KERNEL(kind): the file has defined
 *   vec <kind>_forward(vec x, struct vparams p)             y = f(x)
 *   vec <kind>_backward(vec x, vec g, struct vparams p)     g f'(x)
 * ACT_KERNEL_FROM_OUTPUT(kind): and
 *   vec <kind>_from_output(vec y, vec g, struct vparams p)  g f'(x), given y = f(x)
 * ACT_KERNEL_UNIT_FROM_OUTPUT(kind, field): and
 *   vec <kind>_unit(vec x, struct vparams p)                y = f(x) where the parameter field is 1
 * ACT_TEST(kind, ...): fields of struct act_test, for the tests. */
#if !ACT_TEST_DATA && !ACT_UNIT_THETA
#define ACT_KERNEL(kind)                                                                           \
    ACT_LOOP1(kind##_forward, kind, fwd)                                                           \
    ACT_LOOP2(kind##_backward, kind, bwd)                                                          \
    ACT_KERNEL_ROW(kind, kind, fwd, bwd, NULL, NULL)
#define ACT_KERNEL_FROM_OUTPUT(kind)                                                               \
    ACT_LOOP1(kind##_forward, kind, fwd)                                                           \
    ACT_LOOP2(kind##_backward, kind, bwd)                                                          \
    ACT_LOOP2(kind##_from_output, kind, out)                                                       \
    ACT_KERNEL_ROW(kind, kind, fwd, bwd, ACT_SYMBOL(kind, out), ACT_STREAM_SYMBOL(kind, out))
#define ACT_KERNEL_UNIT_FROM_OUTPUT(kind, field)                                                   \
    ACT_LOOP1(kind##_forward, kind, any)                                                           \
    ACT_LOOP1(kind##_unit, kind, unit)                                                             \
    ACT_LOOP2(kind##_backward, kind, bwd)                                                          \
    ACT_LOOP2(kind##_from_output, kind, out)                                                       \
    ACT_EITHER1(kind, fwd, (elem)p->field == 1, unit, any)                                         \
    ACT_KERNEL_ROW(kind, kind, fwd, bwd, ACT_SYMBOL(kind, out), ACT_STREAM_SYMBOL(kind, out))
/* op is one loop where the parameters p meet a condition, and another where they do not. */
#define ACT_EITHER1(kind, op, condition, one, other)                                               \
    static void ACT_SYMBOL(kind, op)(const act_params *p, const void *in, void *out, size_t n)     \
    {                                                                                              \
        ((condition) ? ACT_SYMBOL(kind, one) : ACT_SYMBOL(kind, other))(p, in, out, n);            \
    }                                                                                              \
    ACT_EITHER1_STREAM(kind, op, condition, one, other)
#define ACT_EITHER2(kind, op, condition, one, other)                                               \
    static void ACT_SYMBOL(kind, op)(const act_params *p, const void *in, const void *grad_out,    \
                                     void *grad_in, size_t n)                                      \
    {                                                                                              \
        ((condition) ? ACT_SYMBOL(kind, one) : ACT_SYMBOL(kind, other))(p, in, grad_out, grad_in,  \
                                                                        n);                        \
    }                                                                                              \
    ACT_EITHER2_STREAM(kind, op, condition, one, other)
#if V_STREAM
#define ACT_EITHER1_STREAM(kind, op, condition, one, other)                                        \
    static void ACT_STREAM_SYMBOL(kind, op)(const act_params *p, const void *in, void *out,        \
                                            size_t n)                                              \
    {                                                                                              \
        ((condition) ? ACT_STREAM_SYMBOL(kind, one) : ACT_STREAM_SYMBOL(kind, other))(p, in, out,  \
                                                                                      n);          \
    }
#define ACT_EITHER2_STREAM(kind, op, condition, one, other)                                        \
    static void ACT_STREAM_SYMBOL(kind, op)(const act_params *p, const void *in,                   \
                                            const void *grad_out, void *grad_in, size_t n)         \
    {                                                                                              \
        ((condition) ? ACT_STREAM_SYMBOL(kind, one)                                                \
                     : ACT_STREAM_SYMBOL(kind, other))(p, in, grad_out, grad_in, n);               \
    }
#else
#define ACT_EITHER1_STREAM(kind, op, condition, one, other)
#define ACT_EITHER2_STREAM(kind, op, condition, one, other)
#endif
#define ACT_KERNEL_ROW(row, kind, fwd, bwd, output, output_stream)                                 \
    extern const struct act_row ACT_ROW(row);                                                      \
    const struct act_row ACT_ROW(row) = {.forward = ACT_SYMBOL(kind, fwd),                         \
                                         .backward = ACT_SYMBOL(kind, bwd),                        \
                                         .from_output = output,                                    \
                                         .forward_stream = ACT_STREAM_SYMBOL(kind, fwd),           \
                                         .backward_stream = ACT_STREAM_SYMBOL(kind, bwd),          \
                                         .from_output_stream = output_stream};
#define ACT_TEST(kind, ...)                                                                        \
    struct act_row /* nothing here: the tests compile this file again with ACT_TEST_DATA */
#else
#define ACT_KERNEL(kind)
#define ACT_KERNEL_FROM_OUTPUT(kind)
#define ACT_KERNEL_UNIT_FROM_OUTPUT(kind, field)
#if ACT_TEST_DATA
#define ACT_TEST(kind, ...)                                                                        \
    extern const struct act_test act_test_##kind;                                                  \
    const struct act_test act_test_##kind = {__VA_ARGS__}
#else
#define ACT_TEST(kind, ...) struct act_row
#endif
#endif

#endif
