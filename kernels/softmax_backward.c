/* Backward of softmax, y (g - sum(g y)), and of log_softmax, g - e^y sum(g), from the output y. The
 * sums are in double (f64: compensated), in the order of kernels/lanes.h. */
#include "kernels/rows.h"

/* One outer index of a call: y is the source's x. */
struct gradient {
    const struct act_softmax_job *job;
    const struct source *s;
    const void *g;
    void *d;
};

/* s + g y of two elements, or s + g for the logarithm; one of them where a is the last. f32 adds
 * two as floats and then in double: at most 2 2^-24 of the terms (products that are widened one by
 * one, without error, take three times as many operations). */
#if V_DOUBLE
typedef vsum partial;
#define PARTIAL(s) (s)
ACT_OP vsum s_add_partial(vsum s, partial p)
{
    (void)s;
    return p;
}
ACT_OP partial add_terms(partial p, vec g, vec y, int logarithm)
{
    return s_add(p, logarithm ? g : v_mul(g, y));
}
ACT_OP partial add_pair(partial p, vec g0, vec y0, vec g1, vec y1, int logarithm)
{
    return add_terms(add_terms(p, g0, y0, logarithm), g1, y1, logarithm);
}
#else
typedef vwide partial;
#define PARTIAL(s) w_set(0)
ACT_OP vsum s_add_partial(vsum s, partial p)
{
    return w_add(s, p);
}
ACT_OP partial add_terms(partial p, vec g, vec y, int logarithm)
{
    return w_add(p, w_from(logarithm ? g : v_mul(g, y)));
}
ACT_OP partial add_pair(partial p, vec g0, vec y0, vec g1, vec y1, int logarithm)
{
    return w_add(p, w_from(logarithm ? v_add(g0, g1) : v_fma(g1, y1, v_mul(g0, y0))));
}
#endif

/* s + the terms of a group. What is beyond a row's end is 0, so that a pair is one element there.
 */
ACT_OP vsum add_group(vsum s, const struct gradient *t, struct group g, int how, int logarithm)
{
#define G(k)                                                                                       \
    keep_live(t->s, G_AT(g, k), G_LANES(g, k), how,                                                \
              x_load(t->s, t->g, G_AT(g, k), G_LANES(g, k), how))
#define Y(k) (logarithm ? v_set(0) : x_load(t->s, t->s->x, G_AT(g, k), G_LANES(g, k), how))
    partial p = PARTIAL(s);
    int k = 0;
    for (; k + 2 <= g.rows; k += 2)
        p = add_pair(p, G(k), Y(k), G(k + 1), Y(k + 1), logarithm);
    if (k < g.rows)
        p = add_terms(p, G(k), Y(k), logarithm);
    return s_add_partial(s, p);
#undef G
#undef Y
}

/* What is added up, times scale: f32's in two floats. */
struct total {
    vec high, low;
};

ACT_OP struct total total_of(vwide sum, vec scale)
{
#if V_DOUBLE
    (void)scale;
    return (struct total){w_to(sum), v_set(0)};
#else
    const vwide scaled = w_mul(sum, w_from(scale));
    const vec high = w_to(scaled), low = w_to(w_sub(scaled, w_from(high)));
    return (struct total){high, v_keep(v_lt(v_abs(high), v_set(INFINITY)), low)};
#endif
}

/* scale y (g - sum): only the last product can be subnormal. Of the terms of the sum, which have 2
 * 2^-24 already, two roundings, so that 4 2^-24 are kept; of g's own term three, four without FMA.
 */
ACT_OP vec slope(vec y, vec g, struct total sum, vec scale)
{
#if V_DOUBLE
    return v_mul(v_mul(v_sub(g, sum.high), scale), y);
#else
    return v_mul(v_sub(v_fms(g, scale, sum.low), sum.high), y);
#endif
}

/* scale (g - e^y sum); f32: 2^n in two halves, as v_scale_grad has it. Of the terms of the sum,
 * which have 2^-24 already, e^y's 1.4 and one rounding, two without FMA. */
ACT_OP vec log_slope(vec y, vec g, struct total sum, vec scale)
{
#if V_DOUBLE
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_neg(y)), v_set(0));
    const vec product = v_mul(v_mul(e.value, sum.high), e.scale);
    const vmask none = v_lt(y, v_set(-EXP_RANGE));
    return v_mul(v_sub(g, v_drop(none, product)), scale);
#else
    const struct reduced e = v_reduce(v_min(v_set(80), v_max(v_set(-GRAD_RANGE), y)));
    const vint first = i_max(e.n, i_sar(i_sub(e.n, i_set(1)), 1));
    const vec p = v_mul(v_exp_poly(e.r, 1, 1), v_pow2(first, 0)), s = v_pow2(i_sub(e.n, first), 0);
    const vec own = v_mul(g, scale), less = v_fnma(p, v_mul(sum.low, s), own);
    return v_select(v_lt(y, v_set(-GRAD_RANGE)), own, v_fnma(p, v_mul(sum.high, s), less));
#endif
}

ACT_OP void write_gradient(const struct gradient *t, size_t at, size_t lanes, struct total sum,
                           int how, int logarithm)
{
    const vec y = x_load(t->s, t->s->x, at, lanes, how), g = x_load(t->s, t->g, at, lanes, how);
    const vec scale = v_set(t->s->scale);
    const vec d = logarithm ? log_slope(y, g, sum, scale) : slope(y, g, sum, scale);
    y_store(t->s, t->d, at, keep_live(t->s, at, lanes, how, d), lanes, how);
}

/* Copies of what a call gives: a store could change the originals. */
#define OWN_COPY(t)                                                                                \
    const struct source source_ = *(t)->s;                                                         \
    const struct gradient copy_ = {(t)->job, &source_, (t)->g, (t)->d};                            \
    (t) = &copy_

ACT_OP void backward_row(const struct gradient *t, int how, int logarithm)
{
    OWN_COPY(t);
    const size_t n = t->s->n, axis = t->job->shape.axis;
    vsum part[PARTS];
    for (int v = 0; v < PARTS; v++)
        part[v] = s_set(0, 0);
    size_t at = 0;
    for (; at + CHUNK <= n; at += CHUNK)
        for (size_t v = 0; v < PARTS; v++)
            part[v] = add_group(part[v], t, whole_group(at + v * VL, LANES, VL), how, logarithm);
    for (size_t v = 0; v < PARTS && at + v * VL < n; v++)
        part[v] = add_group(part[v], t, last_group(at + v * VL, n), how, logarithm);
    const struct total sum = total_of(s_value(s_total_row(part)), v_set(t->s->scale));
    FOR_ROW(t->d, n, how, i, lanes, { write_gradient(t, i, lanes, sum, how, logarithm); });
    for (at = n; at < axis; at += VL)
        y_store(t->s, t->d, at, v_set(0), part_of(axis - at), how);
}

/* The logarithm's sum reads g alone, and its results y too: half a panel's g is in the L2 cache
 * then, of 1024 rows 1.1 times as fast. */
ACT_OP size_t panel_width(int logarithm)
{
    return logarithm ? PANEL / 2 : PANEL;
}

ACT_OP void backward_tile(const struct gradient *g, size_t first, size_t end, int how,
                          int logarithm)
{
    OWN_COPY(g);
    const size_t n = g->s->n, axis = g->job->shape.axis, inner = g->job->shape.inner;
    const struct tile t = tile_of(first, end, inner, panel_width(logarithm));
    const int used = lanes_used(n);
    vsum sums[PANEL_SUMS];
    struct total total[PANEL_PARTS];
    FOR_PANEL_GROUPS(t, n, used, sums, sum, row, {
        prefetch_panel(&t, g->g, row, in_size(how));
        if (!logarithm)
            prefetch_panel(&t, g->s->x, row, in_size(how));
        FOR_PARTS(t, v, lanes, {
            const size_t at = row * inner + first + (size_t)v * VL;
            const struct group part = tile_group(at, inner, n - row, lanes);
            sum[v] = add_group(sum[v], g, part, how, logarithm);
        });
    });
    for (int v = 0; v < t.parts; v++)
        total[v] = total_of(s_value(sums[v]), v_set(g->s->scale));
    for (size_t j = 0; j < axis; j++) {
        const size_t at = j * inner + first;
        FOR_PARTS(t, v, lanes, {
            const size_t here = at + (size_t)v * VL;
            if (j < n)
                write_gradient(g, here, lanes, total[v], how, logarithm);
            else
                y_store(g->s, g->d, here, v_set(0), lanes, how);
        });
    }
}

#define softmax_row(t, how)                  backward_row(t, how, 0)
#define softmax_tile(t, first, end, how)     backward_tile(t, first, end, how, 0)
#define log_softmax_row(t, how)              backward_row(t, how, 1)
#define log_softmax_tile(t, first, end, how) backward_tile(t, first, end, how, 1)

#define BACKWARD_KERNEL(f, logarithm)                                                              \
    ROWS_VARIANTS(f, const struct gradient)                                                        \
    static void ACT_SYMBOL(f, units)(const struct act_softmax_job *job, size_t from, size_t count) \
    {                                                                                              \
        const int how = how_of(job);                                                               \
        const size_t inner = job->shape.inner, plane = job->shape.axis * inner;                    \
        const size_t head = head_columns(job, job->out, how);                                      \
        void (*const run)(const struct gradient *, size_t, size_t) = ROWS_OF(f, how, inner);       \
        FOR_UNITS(job, head, from, count, o, left, right, {                                        \
            const struct source s = source_of(job, o, how);                                        \
            const struct gradient t = {                                                            \
                job, &s, (const char *)job->grad_out + o * plane * in_size(how),                   \
                (char *)job->out + o * plane * out_size(how, job->to_float)};                      \
            FOR_TILES(head, left, right, panel_width(logarithm), first, end,                       \
                      { run(&t, first, end); });                                                   \
        });                                                                                        \
    }

BACKWARD_KERNEL(softmax, 0)
BACKWARD_KERNEL(log_softmax, 1)

ACT_PART_ROW(softmax_backward) = {ACT_SYMBOL(softmax, units), ACT_SYMBOL(log_softmax, units)};
