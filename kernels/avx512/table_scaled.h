/* Tables for kinds with a parameter that scales: from the rows c, c0, c1, ... of f come those of
 * m f(k x), made when a call begins. What they are evaluated at is x itself: k x is never rounded.
 * c/k rounded is c', c0 times m rounded is c0'. What that lost goes into a row more, the last one,
 * as an amount by which t = x - c' has to be corrected: c' - c/k, and what c0' lacks over c1'.
 * (Where |c1| < .2 |c0|, near an extremum, the latter is left out: it would be large, and costs
 * half an ULP at most.) An interval's ends move by some 2^-22 of x, within what the fits allow for.
 */
#ifndef ACT_KERNELS_AVX512_TABLE_SCALED_H
#define ACT_KERNELS_AVX512_TABLE_SCALED_H

#include "kernels/avx512/table.h"

/* |k| for which no coefficient leaves the range of floats, m being 1 or 1/k. */
#define TABLE_SCALE_MOST 0x1p20f

ACT_OP int table_scales(float k)
{
    return fabsf(k) >= 1 / TABLE_SCALE_MOST && fabsf(k) <= TABLE_SCALE_MOST;
}

/* A double as the sum of two floats. */
struct table_factor {
    vec high, low;
};
ACT_OP struct table_factor table_factor(double f)
{
    const float high = (float)f;
    return (struct table_factor){v_set(high), v_set((float)(f - (double)high))};
}
ACT_OP vec table_times(vec row, struct table_factor f)
{
    return v_fma(row, f.high, v_mul(row, f.low));
}
/* What that has lost. */
ACT_OP vec table_lost(vec row, struct table_factor f, vec product)
{
    return v_fma(row, f.low, v_fms(row, f.high, product));
}

/* over / under, of two floats. */
struct table_ratio {
    float over, under;
};
static inline double table_ratio(struct table_ratio r)
{
    return (double)r.over / (double)r.under;
}

/* The rows of m f(k x), k > 0, and of k x: the coefficients of table_number, i3 being 0, or the
 * first of table_octave; where the table ends, where the tail begins. */
struct table_made {
    float rows[ROWS_MAX][32], index[2], end, far;
};

/* Not inline: in the loops' functions its registers are theirs. to has index, end and far of f. */
#define table_scale ACT_SYMBOL(table, scale)
static __attribute__((noinline, unused)) void table_scale(struct table_made *to,
                                                          const float (*rows)[32], int count,
                                                          struct table_ratio k_of,
                                                          struct table_ratio m_of)
{
    const double k = table_ratio(k_of), m = table_ratio(m_of);
    const struct table_factor inverse = table_factor(1 / k), size = table_factor(m);
    double factor = m;
    for (int i = 2; i < count; i++) {
        factor *= k;
        const struct table_factor f = table_factor(factor);
        v_store(to->rows[i], table_times(v_load(rows[i]), f));
        v_store(to->rows[i] + 16, table_times(v_load(rows[i] + 16), f));
    }
    for (int at = 0; at < 32; at += 16) {
        const vec c = v_load(rows[0] + at), c0 = v_load(rows[1] + at), c1 = v_load(rows[2] + at);
        const vec centre = table_times(c, inverse), high = table_times(c0, size);
        v_store(to->rows[0] + at, centre);
        v_store(to->rows[1] + at, high);
        const vmask steep = v_lt(v_mul(v_set(0.2f), v_abs(c0)), v_abs(c1));
        const vec slope = v_select(steep, v_load(to->rows[2] + at), v_set(1));
        const vec back = v_div(v_keep(steep, table_lost(c0, size, high)), slope);
        v_store(to->rows[count] + at, v_sub(back, table_lost(c, inverse, centre)));
    }
    to->index[0] = (float)(to->index[0] * k);
    to->index[1] = (float)(to->index[1] * k * k);
    to->end = (float)(to->end / k);
    to->far = (float)(to->far / k);
}

ACT_OP struct table table_scaled(const float (*rows)[32], int count, struct table_ratio k,
                                 struct table_ratio m, const float *index, float end, float far,
                                 const act_params *p)
{
    struct table_made made;
    made.index[0] = index[0], made.index[1] = index[1], made.end = end, made.far = far;
    table_scale(&made, rows, count, k, m);
    struct table t = table_load((const float(*)[32])made.rows, count + 1);
    t.p = v_params(p);
    t.index[0] = v_set(made.index[0]);
    t.index[1] = v_set(made.index[1]);
    t.end = v_set(made.end);
    t.far = v_set(made.far);
    return t;
}

ACT_OP vec table_scaled_abs(const struct table *t, vec x)
{
    return _mm512_range_ps(x, t->end, 10); /* table_abs */
}

ACT_OP vec table_scaled_abs_nan(const struct table *t, vec x)
{
    return v_min(t->end, v_abs(x));
}

ACT_OP vec table_scaled_number(const struct table *t, int linear, vec x)
{
    const vec p = linear ? t->index[0] : v_fma(t->index[1], x, t->index[0]);
    return v_min(v_set(LAST_ENTRY), v_fma(p, x, v_set(ROUND_MAGIC)));
}

/* f(x): order as in table_value, the last row is one more. */
ACT_OP vec table_scaled_value(const struct table *table, int order, vec x, vec number)
{
    const vec near = v_sub(x, table_row(table, 0, number));
    const vec t = v_add(near, table_row(table, order + 2, number));
    vec q = table_row(table, order + 1, number);
#pragma GCC unroll 10
    for (int i = order; i > 0; i--)
        q = v_fma(q, t, table_row(table, i, number));
    return q;
}

/* k x as h + low in the tail. Past -125 m e^h and m |k x| e^h are 0 for m to 2^20. */
struct tail_argument {
    vec x, h, low;
};
ACT_OP struct tail_argument tail_argument(vec x, vec k)
{
    const vec inner = v_max(v_div(v_set(-125), k), x), h = v_mul(inner, k);
    return (struct tail_argument){inner, h, v_fms(inner, k, h)};
}

/* What a file writes before ACT_KERNEL_TABLE, with ACT_TABLE_ELSE_FWD as fwd_scaled and
 * ACT_TABLE_ELSE_BWD as bwd_scaled. Parameters for which not scales(p) are other's. It has defined
 *   int scales(const act_params *p)
 *   struct table <kind>_scaled_rows(p)
 *   vec <kind>_scaled_near(x, table), vec <kind>_scaled_tail(x, table)
 *   and, as watch, vec <kind>_scaled_watch(x, table), as table_low, or NULL
 * and all four with _grad. */
#define TABLE_SCALED_FORWARD(kind, scales, other, watch)                                           \
    TABLE_FORWARD(kind, fwd_scaled, scales, other, kind##_scaled_rows, kind##_scaled_near, watch,  \
                  kind##_scaled_tail)
#define TABLE_SCALED_BACKWARD(kind, scales, other)                                                 \
    TABLE_BACKWARD(kind, bwd_scaled, scales, other, kind##_scaled_rows_grad,                       \
                   kind##_scaled_near_grad, kind##_scaled_watch_grad, kind##_scaled_tail_grad)

#endif
