/* AVX-512: functions from tables of 32 polynomials, picked by vpermi2ps (1 cycle each, where a
 * gather of the same from memory would be 10). What kernels/avx512/<kind>.c builds on; the files
 * override the generic kernels in fast mode (ACT_KERNEL_TABLE).
 *
 * An interval number is a polynomial of x plus 1.5 * 2^23: its low five bits are the entry, without
 * a conversion; or it is the top bits of a linear function, for intervals that widen. Entry: c, c0,
 * c1, ...; f(x) = c0 + t (c1 + t (c2 + ...)), t = x - c. c was chosen such that c0 = f(c) is nearly
 * a float, so the last fma is the only rounding that counts, and among such for the least error
 * as computed (kernels/fit/table.py writes the tables).
 *
 * Beyond the table ("far") a tail takes over (tail.h). Far lanes are not evaluated where they
 * are: within a chunk of 1024 elements they are packed together, so that a rare one costs little
 * and a frequent one no more than its own evaluation. A lane's result does not depend on its
 * neighbours. */
#ifndef ACT_KERNELS_AVX512_TABLE_H
#define ACT_KERNELS_AVX512_TABLE_H

#include "kernels/avx512/tail.h"

enum { ROWS_MAX = 10, CHUNK = 1024 };
#define LAST_ENTRY (ROUND_MAGIC + 31)

/* Rows c, c0, c1, ...; 32 entries each, in two registers. The rest is table_scaled.h's. */
struct table {
    vec low[ROWS_MAX], high[ROWS_MAX];
    vec index[2], end, far;
    struct vparams p;
};

ACT_OP struct table table_load(const float (*rows)[32], int count)
{
    struct table t;
#pragma GCC unroll 10
    for (int i = 0; i < count; i++) { /* unrolled: in registers, not an array */
        t.low[i] = v_load(rows[i]);
        t.high[i] = v_load(rows[i] + 16);
    }
    return t;
}

ACT_OP vec table_row(const struct table *t, int row, vec number)
{
    return _mm512_permutex2var_ps(t->low[row], v_bits(number), t->high[row]);
}

/* The number of x's interval: ROUND_MAGIC + x (i1 + x (i2 + x i3)). */
ACT_OP vec table_number(vec x, float i1, float i2, float i3)
{
    vec p = v_set(i1);
    if (i2 != 0 || i3 != 0)
        p = v_fma(i3 != 0 ? v_fma(v_set(i3), x, v_set(i2)) : v_set(i2), x, p);
    return v_fma(p, x, v_set(ROUND_MAGIC));
}

/* The number of x's interval where these are eight to an octave of k x + s. */
ACT_OP vec table_octave(vec x, float k, float s)
{
    return v_from_bits(_mm512_srli_epi32(v_bits(v_fma(x, v_set(k), v_set(s))), 20));
}

/* c1 + t (c2 + ...), and t. */
struct table_point {
    vec t, slope;
};

ACT_OP struct table_point table_point(const struct table *table, int order, vec x, vec number)
{
    const vec t = v_sub(x, table_row(table, 0, number));
    vec q = table_row(table, order + 1, number);
#pragma GCC unroll 10
    for (int i = order; i > 1; i--)
        q = v_fma(q, t, table_row(table, i, number));
    return (struct table_point){t, q};
}

/* f(x). */
ACT_OP vec table_value(const struct table *table, int order, vec x, vec number)
{
    const struct table_point p = table_point(table, order, x, number);
    return v_fma(p.t, p.slope, table_row(table, 1, number));
}

/* min(|x|, end), end for NaN: one operation where v_min and v_abs are two. A NaN must then be far,
 * or come into the result otherwise. */
ACT_OP vec table_abs(vec x, float end)
{
    return _mm512_range_ps(x, v_set(end), 10); /* the smaller absolute value, without a sign */
}

/* min(|x|, end) and NaN of NaN. */
ACT_OP vec table_abs_nan(vec x, float end)
{
    return v_min(v_set(end), v_abs(x));
}

/* value for x < 0, 1 - value for x >= 0. */
ACT_OP vec table_mirrored(vec x, vec value)
{
    const vmask above = _mm512_cmp_ps_mask(x, v_set(0), _CMP_GE_OQ);
    return _mm512_mask_sub_ps(value, above, v_set(1), value);
}

/* g times that, value < 1, as g - g value: rounded once, where 1 - value would be the second time.
 * No inf - inf: of an infinite g the product takes FLT_MAX. -0 - -0 is not the product's -0. Below,
 * the difference might overflow where the product does not: it is masked. */
ACT_OP vec table_mirrored_times(vec x, vec g, vec value)
{
    const vmask below = _mm512_cmp_ps_mask(x, v_set(0), _CMP_NGE_UQ);
    const vec finite =
        _mm512_range_ps(g, v_set(0x1.fffffep127f), 2); /* the smaller |.|, g's sign */
    const vec above = _mm512_maskz_fnmadd_ps((vmask)~below, finite, value, g);
    return _mm512_mask_mul_ps(v_or(above, v_sign(g)), below, g, value);
}

/* ---- the loops ------------------------------------------------------------------------------ */

typedef vec table_near1(vec x, const struct table *t);
typedef vec table_near2(vec x, vec g, const struct table *t);
typedef vec table_watch(vec x, const struct table *t);
typedef vec table_tail1(vec x, const struct table *t);
typedef vec table_tail2(vec x, vec g, const struct table *t);

/* What is watched of x: its bits, as unsigned numbers, exceed those of t->far where x is far. The
 * loops keep the greatest, one operation that no other waits for, where a comparison costs as much
 * as an fma (on Zen 4 it takes that one's place) and its mask a store. Far is
 * table_low    x < far, far negative, and NaN of that sign: a NaN must come out of near by itself;
 * table_high   x > -far, likewise;
 * table_size   |x| > far, and NaN. */
ACT_OP vec table_low(vec x, const struct table *t)
{
    (void)t;
    return x;
}
ACT_OP vec table_high(vec x, const struct table *t)
{
    (void)t;
    return v_neg(x);
}
ACT_OP vec table_size(vec x, const struct table *t)
{
    (void)t;
    return v_abs(x);
}
/* For functions that their table covers. */
#define table_nowhere NULL
ACT_OP vec table_no_tail(vec x)
{
    return x;
}

ACT_OP vec table_most(vec a, vec b)
{
    return v_from_bits(_mm512_max_epu32(v_bits(a), v_bits(b)));
}
ACT_OP vmask table_is_far(vec watched, const struct table *t)
{
    return _mm512_cmpgt_epu32_mask(v_bits(watched), v_bits(t->far));
}

/* Which lanes of a chunk's size elements at x are far, a bit each. */
ACT_OP void table_mark(uint16_t *far, const float *x, size_t size, const struct table *t,
                       table_watch *watch)
{
    const size_t whole = size & ~(size_t)15;
    if (size < CHUNK) { /* not by memset, which may be a call */
        _mm512_store_si512(far, _mm512_setzero_si512());
        _mm512_store_si512(far + 32, _mm512_setzero_si512());
    }
    for (size_t i = 0; i < whole; i += 16)
        far[i / 16] = table_is_far(watch(v_load(x + i), t), t);
    if (whole < size)
        far[whole / 16] = table_is_far(watch(v_load_n(x + whole, size - whole), t), t);
}

/* A bit per vector that has one. */
ACT_OP uint64_t table_any(const uint16_t *far)
{
    const __m512i a = _mm512_load_si512(far), b = _mm512_load_si512(far + 32);
    return (uint64_t)_mm512_test_epi16_mask(a, a) | (uint64_t)_mm512_test_epi16_mask(b, b) << 32;
}

/* Are most lanes of a chunk far? Then packing them would cost more than evaluating all. */
ACT_OP int table_mostly(const uint16_t *far, uint64_t any)
{
    unsigned lanes = 0;
    if (~any != 0)
        return 0;
    for (unsigned k = 0; k < CHUNK / 16; k++)
        lanes += (unsigned)__builtin_popcount(far[k]);
    return lanes >= CHUNK / 2;
}

/* x where it is far, the first that is elsewhere: what a tail is not for could overflow there. */
ACT_OP vec table_only(vec x, vmask far)
{
    const __m128 first = _mm512_castps512_ps128(_mm512_maskz_compress_ps(far, x));
    return _mm512_mask_mov_ps(_mm512_broadcastss_ps(first), far, x);
}

/* The far lanes of out, a chunk of size elements, become tail(x). */
ACT_OP void table_far1(const float *in, float *out, size_t size, const struct table *t,
                       table_watch *watch, table_tail1 *tail)
{
    float x[CHUNK + ACT_STEP];
    uint16_t far[64] __attribute__((aligned(64)));
    table_mark(far, in, size, t, watch);
    const uint64_t any = table_any(far);
    size_t count = 0;
    const int mostly = table_mostly(far, any);
    if (mostly) {
        for (; count < CHUNK; count += 16)
            v_store(x + count, table_only(v_load(in + count), far[count / 16]));
    } else {
        for (uint64_t rest = any; rest; rest &= rest - 1) {
            const unsigned k = (unsigned)__builtin_ctzll(rest);
            _mm512_storeu_ps(x + count, _mm512_maskz_compress_ps(
                                            far[k], _mm512_maskz_loadu_ps(far[k], in + 16 * k)));
            count += (unsigned)__builtin_popcount(far[k]);
        }
        ACT_EACH(j)
        v_store(x + count + j * VL, v_set(x[0])); /* what fills the last turn is far, too */
    }
    for (size_t i = 0; i < count; i += ACT_STEP) {
        vec a[ACT_UNROLL];
        ACT_EACH(j) a[j] = v_load(x + i + j * VL);
        ACT_EACH(j) v_store(x + i + j * VL, tail(a[j], t));
    }
    count = 0;
    for (uint64_t rest = any; rest; rest &= rest - 1) {
        const unsigned k = (unsigned)__builtin_ctzll(rest);
        const vec y = v_load(x + count);
        _mm512_mask_storeu_ps(out + 16 * k, far[k], mostly ? y : _mm512_maskz_expand_ps(far[k], y));
        count += mostly ? 16 : (unsigned)__builtin_popcount(far[k]);
    }
}

ACT_OP void table_far2(const float *in, const float *g, float *out, size_t size,
                       const struct table *t, table_watch *watch, table_tail2 *tail)
{
    float x[CHUNK + ACT_STEP], d[CHUNK + ACT_STEP];
    uint16_t far[64] __attribute__((aligned(64)));
    table_mark(far, in, size, t, watch);
    const uint64_t any = table_any(far);
    size_t count = 0;
    const int mostly = table_mostly(far, any);
    if (mostly) {
        for (; count < CHUNK; count += 16) {
            const vmask m = far[count / 16];
            v_store(x + count, table_only(v_load(in + count), m));
            v_store(d + count, _mm512_maskz_loadu_ps(m, g + count));
        }
    } else {
        for (uint64_t rest = any; rest; rest &= rest - 1) {
            const unsigned k = (unsigned)__builtin_ctzll(rest);
            _mm512_storeu_ps(x + count, _mm512_maskz_compress_ps(
                                            far[k], _mm512_maskz_loadu_ps(far[k], in + 16 * k)));
            _mm512_storeu_ps(d + count, _mm512_maskz_compress_ps(
                                            far[k], _mm512_maskz_loadu_ps(far[k], g + 16 * k)));
            count += (unsigned)__builtin_popcount(far[k]);
        }
        ACT_EACH(j)
        v_store(x + count + j * VL, v_set(x[0])); /* what fills the last turn is far, too */
        ACT_EACH(j) v_store(d + count + j * VL, v_set(0));
    }
    for (size_t i = 0; i < count; i += ACT_STEP) {
        vec a[ACT_UNROLL], b[ACT_UNROLL];
        ACT_EACH(j) a[j] = v_load(x + i + j * VL);
        ACT_EACH(j) b[j] = v_load(d + i + j * VL);
        ACT_EACH(j) v_store(d + i + j * VL, tail(a[j], b[j], t));
    }
    count = 0;
    for (uint64_t rest = any; rest; rest &= rest - 1) {
        const unsigned k = (unsigned)__builtin_ctzll(rest);
        const vec y = v_load(d + count);
        _mm512_mask_storeu_ps(out + 16 * k, far[k], mostly ? y : _mm512_maskz_expand_ps(far[k], y));
        count += mostly ? 16 : (unsigned)__builtin_popcount(far[k]);
    }
}

/* A chunk that waits to be written past the caches: its far lanes had to be replaced first. It goes
 * out while the next one is computed, so that neither the stores nor the operations wait. */
struct table_held {
    float value[2][CHUNK] __attribute__((aligned(64)));
    float *to; /* NULL: none waits */
    int turn;
};

ACT_OP void table_release(struct table_held *held, size_t i)
{
    v_stream(held->to + i, v_load(held->value[!held->turn] + i));
}

/* What the far lanes will be read from after a chunk: x, or in place a copy of it. */
ACT_OP const float *table_kept(float *copy, const float *x, size_t size, int in_place)
{
    if (!in_place)
        return x;
    const size_t whole = size & ~(size_t)15;
    for (size_t i = 0; i < whole; i += 16)
        v_store(copy + i, v_load(x + i));
    if (whole < size)
        v_store(copy + whole, v_load_n(x + whole, size - whole));
    return copy;
}

/* watch and tail: NULL, or what is watched and what is done where it is far. held: NULL, or n is a
 * multiple of CHUNK and y aligned. */
ACT_OP void table_loop1(const float *x, float *y, size_t n, const struct table *t,
                        table_near1 *near, table_watch *watch, table_tail1 *tail,
                        struct table_held *held)
{
    float copy[CHUNK];
    while (n > 0) {
        const size_t size = n < CHUNK ? n : CHUNK, whole = size & ~(size_t)15;
        float *const to = held ? held->value[held->turn] : y;
        const float *const kept = watch ? table_kept(copy, x, size, to == x) : x;
        vec most = v_set(0);
        size_t i = 0;
        for (; i + ACT_STEP <= whole; i += ACT_STEP) {
            vec a[ACT_UNROLL];
            ACT_EACH(j) a[j] = v_load(x + i + j * VL);
            ACT_EACH(j)
            {
                if (watch)
                    most = table_most(most, watch(a[j], t));
                v_store(to + i + j * VL, near(a[j], t));
                if (held) {
                    __builtin_prefetch(x + i + j * VL + 512);
                    if (held->to)
                        table_release(held, i + j * VL);
                }
            }
        }
        for (; i < whole; i += VL) {
            const vec a = v_load(x + i);
            if (watch)
                most = table_most(most, watch(a, t));
            v_store(to + i, near(a, t));
        }
        if (whole < size) {
            const vec a = v_load_n(x + whole, size - whole);
            if (watch)
                most = table_most(most, watch(a, t));
            v_store_n(to + whole, near(a, t), size - whole);
        }
        if (watch && table_is_far(most, t))
            table_far1(kept, to, size, t, watch, tail);
        if (held) {
            held->to = y;
            held->turn = !held->turn;
        }
        n -= size, x += size, y += size;
    }
}

ACT_OP void table_loop2(const float *x, const float *g, float *d, size_t n, const struct table *t,
                        table_near2 *near, table_watch *watch, table_tail2 *tail,
                        struct table_held *held)
{
    float copy[CHUNK], copy_g[CHUNK];
    while (n > 0) {
        const size_t size = n < CHUNK ? n : CHUNK, whole = size & ~(size_t)15;
        float *const to = held ? held->value[held->turn] : d;
        const float *const kept = table_kept(copy, x, size, to == x);
        const float *const kept_g = table_kept(copy_g, g, size, to == g);
        vec most = v_set(0);
        size_t i = 0;
        for (; i + ACT_STEP <= whole; i += ACT_STEP) {
            vec a[ACT_UNROLL], b[ACT_UNROLL];
            ACT_EACH(j) a[j] = v_load(x + i + j * VL);
            ACT_EACH(j) b[j] = v_load(g + i + j * VL);
            ACT_EACH(j)
            {
                most = table_most(most, watch(a[j], t));
                v_store(to + i + j * VL, near(a[j], b[j], t));
                if (held) {
                    __builtin_prefetch(x + i + j * VL + 512);
                    __builtin_prefetch(g + i + j * VL + 512);
                    if (held->to)
                        table_release(held, i + j * VL);
                }
            }
        }
        for (; i < whole; i += VL) {
            const vec a = v_load(x + i);
            most = table_most(most, watch(a, t));
            v_store(to + i, near(a, v_load(g + i), t));
        }
        if (whole < size) {
            const vec a = v_load_n(x + whole, size - whole);
            most = table_most(most, watch(a, t));
            v_store_n(to + whole, near(a, v_load_n(g + whole, size - whole), t), size - whole);
        }
        if (table_is_far(most, t))
            table_far2(kept, kept_g, to, size, t, watch, tail);
        if (held) {
            held->to = d;
            held->turn = !held->turn;
        }
        n -= size, x += size, g += size, d += size;
    }
}

/* Writes what waits. */
ACT_OP void table_end(struct table_held *held)
{
    if (held->to)
        for (size_t i = 0; i < CHUNK; i += 16)
            table_release(held, i);
    v_stream_end();
}

/* ---- what a file ends with --------------------------------------------------------------------
 * ACT_KERNEL_TABLE(kind, rows, grad_rows, from_output, from_output_stream): the file has defined
 *   vec <kind>_near(x, table), vec <kind>_tail(x), where far begins as the number <kind>_far, and
 *   as <kind>_watch table_low, table_high, table_size or table_nowhere;
 *   with table_<rows>
 *   vec <kind>_near_grad(x, g, table), vec <kind>_tail_grad(x, g), <kind>_far_grad,
 *   <kind>_watch_grad;
 *   with table_<grad_rows>
 * A file may restrict itself to parameters by ACT_TABLE_APPLIES(p), and name what is called for
 * others, forward and backward. */
#ifndef ACT_TABLE_APPLIES
#define ACT_TABLE_APPLIES(p) 1
#endif
#ifndef ACT_TABLE_ELSE_FWD
#define ACT_TABLE_ELSE_FWD fwd
#endif
#ifndef ACT_TABLE_ELSE_BWD
#define ACT_TABLE_ELSE_BWD bwd
#endif
#define TABLE_STREAM_SYMBOL(kind, op) ACT_STREAM_SYMBOL(kind, op) /* op may be a macro */
#define ROWS_OF(rows)                 ((int)(sizeof(rows) / sizeof((rows)[0])))

/* The functions op of a kind: load(params) is the table, f_near, f_watch and f_tail what is done
 * with it where applies(params); others are what other does. */
#define TABLE_FORWARD(kind, op, applies, other, load, f_near, f_watch, f_tail)                     \
    static void ACT_SYMBOL(kind, op)(const act_params *params, const void *in, void *out,          \
                                     size_t n)                                                     \
    {                                                                                              \
        if (!applies(params)) {                                                                    \
            ACT_SYMBOL(kind, other)(params, in, out, n);                                           \
            return;                                                                                \
        }                                                                                          \
        const struct table t = load(params);                                                       \
        table_loop1(in, out, n, &t, f_near, f_watch, f_tail, NULL);                                \
    }                                                                                              \
    static void ACT_STREAM_SYMBOL(kind, op)(const act_params *params, const void *in, void *out,   \
                                            size_t n)                                              \
    {                                                                                              \
        const size_t at = v_misaligned(out, n), head = at < n ? at : n;                            \
        if (!applies(params)) {                                                                    \
            TABLE_STREAM_SYMBOL(kind, other)(params, in, out, n);                                  \
            return;                                                                                \
        }                                                                                          \
        const float *x = in;                                                                       \
        float *y = out;                                                                            \
        const size_t whole = (n - head) / CHUNK * CHUNK, end = head + whole;                       \
        const struct table t = load(params);                                                       \
        struct table_held held; /* not = {}: that clears the arrays */                             \
        held.to = NULL, held.turn = 0;                                                             \
        ACT_SYMBOL(kind, op)(params, x, y, head);                                                  \
        table_loop1(x + head, y + head, whole, &t, f_near, f_watch, f_tail, &held);                \
        table_end(&held);                                                                          \
        ACT_SYMBOL(kind, op)(params, x + end, y + end, n - end);                                   \
    }

#define TABLE_BACKWARD(kind, op, applies, other, load, f_near, f_watch, f_tail)                    \
    static void ACT_SYMBOL(kind, op)(const act_params *params, const void *in,                     \
                                     const void *grad_out, void *grad_in, size_t n)                \
    {                                                                                              \
        if (!applies(params)) {                                                                    \
            ACT_SYMBOL(kind, other)(params, in, grad_out, grad_in, n);                             \
            return;                                                                                \
        }                                                                                          \
        const struct table t = load(params);                                                       \
        table_loop2(in, grad_out, grad_in, n, &t, f_near, f_watch, f_tail, NULL);                  \
    }                                                                                              \
    static void ACT_STREAM_SYMBOL(kind, op)(const act_params *params, const void *in,              \
                                            const void *grad_out, void *grad_in, size_t n)         \
    {                                                                                              \
        const size_t aligned = v_misaligned(grad_in, n), head = aligned < n ? aligned : n;         \
        if (!applies(params)) {                                                                    \
            TABLE_STREAM_SYMBOL(kind, other)(params, in, grad_out, grad_in, n);                    \
            return;                                                                                \
        }                                                                                          \
        const float *x = in, *g = grad_out;                                                        \
        float *d = grad_in;                                                                        \
        const size_t whole = (n - head) / CHUNK * CHUNK, end = head + whole;                       \
        const struct table t = load(params);                                                       \
        struct table_held held; /* not = {}: that clears the arrays */                             \
        held.to = NULL, held.turn = 0;                                                             \
        ACT_SYMBOL(kind, op)(params, x, g, d, head);                                               \
        table_loop2(x + head, g + head, d + head, whole, &t, f_near, f_watch, f_tail, &held);      \
        table_end(&held);                                                                          \
        ACT_SYMBOL(kind, op)(params, x + end, g + end, d + end, n - end);                          \
    }

#define ACT_KERNEL_TABLE(kind, rows, grad_rows, output, output_stream)                             \
    ACT_OP struct table kind##_rows(const act_params *params)                                      \
    {                                                                                              \
        struct table t = table_load(table_##rows, ROWS_OF(table_##rows));                          \
        (void)params;                                                                              \
        t.far = v_set(kind##_far);                                                                 \
        return t;                                                                                  \
    }                                                                                              \
    ACT_OP struct table kind##_rows_grad(const act_params *params)                                 \
    {                                                                                              \
        struct table t = table_load(table_##grad_rows, ROWS_OF(table_##grad_rows));                \
        (void)params;                                                                              \
        t.far = v_set(kind##_far_grad);                                                            \
        return t;                                                                                  \
    }                                                                                              \
    ACT_OP vec kind##_beyond(vec x, const struct table *t)                                         \
    {                                                                                              \
        (void)t;                                                                                   \
        return kind##_tail(x);                                                                     \
    }                                                                                              \
    ACT_OP vec kind##_beyond_grad(vec x, vec g, const struct table *t)                             \
    {                                                                                              \
        (void)t;                                                                                   \
        return kind##_tail_grad(x, g);                                                             \
    }                                                                                              \
    TABLE_FORWARD(kind, fwd_fast, ACT_TABLE_APPLIES, ACT_TABLE_ELSE_FWD, kind##_rows, kind##_near, \
                  kind##_watch, kind##_beyond)                                                     \
    TABLE_BACKWARD(kind, bwd_fast, ACT_TABLE_APPLIES, ACT_TABLE_ELSE_BWD, kind##_rows_grad,        \
                   kind##_near_grad, kind##_watch_grad, kind##_beyond_grad)                        \
    ACT_KERNEL_ROW(kind##_fast, kind, fwd_fast, bwd_fast, output, output_stream)

#endif
