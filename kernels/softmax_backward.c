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

/* s + g y, or s + g for the logarithm; f32: in double, where the product is exact. */
#if V_DOUBLE
typedef vsum partial;
ACT_OP vsum s_add_partial(vsum s, partial p)
{
    (void)s;
    return p;
}
#define PARTIAL(s) (s)
ACT_OP partial add_product(partial p, vec g, vec y)
{
    return s_add(p, v_mul(g, y));
}
ACT_OP partial add_one(partial p, vec g)
{
    return s_add(p, g);
}
#else
typedef vwide partial;
ACT_OP vsum s_add_partial(vsum s, partial p)
{
    return w_add(s, p);
}
#define PARTIAL(s) w_set(0)
ACT_OP partial add_product(partial p, vec g, vec y)
{
    return w_fma(w_from(g), w_from(y), p);
}
ACT_OP partial add_one(partial p, vec g)
{
    return w_add(p, w_from(g));
}
#endif

ACT_OP partial add_term(partial p, const struct gradient *t, size_t at, size_t lanes, int how,
                        int logarithm)
{
    const vec g = keep_live(t->s, at, lanes, how, x_load(t->s, t->g, at, lanes, how));
    return logarithm ? add_one(p, g) : add_product(p, g, x_load(t->s, t->s->x, at, lanes, how));
}

/* scale y (g - sum): only the last product can be subnormal. */
ACT_OP vec slope(vec y, vec g, vec sum, vec scale)
{
    return v_mul(v_mul(v_sub(g, sum), scale), y);
}

/* scale (g - e^y sum). */
ACT_OP vec log_slope(vec y, vec g, vec sum, vec scale)
{
#if V_DOUBLE
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_neg(y)), v_set(0));
    const vec product = v_mul(v_mul(e.value, sum), e.scale);
    const vmask none = v_lt(y, v_set(-EXP_RANGE));
#else
    const struct reduced e = v_reduce(v_min(v_set(80), v_max(v_set(-GRAD_RANGE), y)));
    const vec product = v_scale_grad(v_exp_poly(e.r, 1, 1), sum, e.n);
    const vmask none = v_lt(y, v_set(-GRAD_RANGE));
#endif
    return v_mul(v_sub(g, v_drop(none, product)), scale);
}

ACT_OP void write_gradient(const struct gradient *t, size_t at, size_t lanes, vec sum, int how,
                           int logarithm)
{
    const vec y = x_load(t->s, t->s->x, at, lanes, how), g = x_load(t->s, t->g, at, lanes, how);
    const vec d = logarithm ? log_slope(y, g, sum, t->s->scale) : slope(y, g, sum, t->s->scale);
    y_store(t->s, t->d, at, keep_live(t->s, at, lanes, how, d), lanes, how);
}

ACT_OP void backward_row(const struct gradient *t, int how, int logarithm)
{
    const size_t n = t->s->n, axis = t->job->shape.axis;
    vsum part[PARTS];
    for (int v = 0; v < PARTS; v++)
        part[v] = s_set(0, 0);
    size_t at = 0;
    for (; at + CHUNK <= n; at += CHUNK)
        for (int v = 0; v < PARTS; v++) {
            partial p = PARTIAL(part[v]);
            for (int k = 0; k < GROUP; k++)
                p = add_term(p, t, at + (size_t)(v * VL + k * LANES), VL, how, logarithm);
            part[v] = s_add_partial(part[v], p);
        }
    for (int v = 0; v < PARTS && at + (size_t)(v * VL) < n; v++) {
        partial p = PARTIAL(part[v]);
        for (size_t here = at + (size_t)(v * VL); here < n; here += LANES)
            p = add_term(p, t, here, part_of(n - here), how, logarithm);
        part[v] = s_add_partial(part[v], p);
    }
    const vec sum = w_to(s_value(s_total_row(part)));
    for (at = 0; at + VL <= n; at += VL)
        write_gradient(t, at, VL, sum, how, logarithm);
    if (at < n)
        write_gradient(t, at, n - at, sum, how, logarithm);
    for (at = n; at < axis; at += VL)
        y_store(t->s, t->d, at, v_set(0), part_of(axis - at), how);
}

ACT_OP void backward_tile(const struct gradient *g, size_t first, int how, int logarithm)
{
    const size_t n = g->s->n, axis = g->job->shape.axis, inner = g->job->shape.inner;
    const struct tile t = tile_of(first, inner, TILE);
    const int used = lanes_used(n);
    vsum sum[LANES][TILE_PARTS];
    vec total[TILE_PARTS];
    s_clear_tile(sum, used, t.parts);
    for (size_t chunk = 0; chunk < n; chunk += CHUNK)
        for (size_t l = 0; l < LANES && chunk + l < n; l++) {
            const size_t at = (chunk + l) * inner + first;
            const size_t rest = n - chunk - l < CHUNK ? n - chunk - l : CHUNK;
            prefetch_group(&t, g->s->x, chunk, l, in_size(how));
            prefetch_group(&t, g->g, chunk, l, in_size(how));
            FOR_PARTS(t, v, lanes, {
                partial p = PARTIAL(sum[l][v]);
                for (size_t k = 0; k < rest; k += LANES)
                    p = add_term(p, g, at + k * inner + (size_t)v * VL, lanes, how, logarithm);
                sum[l][v] = s_add_partial(sum[l][v], p);
            });
        }
    for (int v = 0; v < t.parts; v++)
        total[v] = w_to(s_value(s_total_tile(sum, used, v)));
    for (size_t j = 0; j < axis; j++) {
        const size_t at = j * inner + first;
        prefetch_rows(&t, g->s->x, j + 16, 1, 1, in_size(how));
        prefetch_rows(&t, g->g, j + 16, 1, 1, in_size(how));
        FOR_PARTS(t, v, lanes, {
            const size_t here = at + (size_t)v * VL;
            if (j < n)
                write_gradient(g, here, lanes, total[v], how, logarithm);
            else
                y_store(g->s, g->d, here, v_set(0), lanes, how);
        });
    }
}

#define softmax_row(t, how)             backward_row(t, how, 0)
#define softmax_tile(t, first, how)     backward_tile(t, first, how, 0)
#define log_softmax_row(t, how)         backward_row(t, how, 1)
#define log_softmax_tile(t, first, how) backward_tile(t, first, how, 1)

#define BACKWARD_KERNEL(f)                                                                         \
    ROWS_VARIANTS(f, const struct gradient)                                                        \
    static void ACT_SYMBOL(f, units)(const struct act_softmax_job *job, size_t from, size_t count) \
    {                                                                                              \
        const int how = how_of(job);                                                               \
        const size_t inner = job->shape.inner, plane = job->shape.axis * inner;                    \
        void (*const run)(const struct gradient *, size_t) = ROWS_OF(f, how, inner);               \
        FOR_UNITS(job, from, count, o, first, end, {                                               \
            const struct source s = source_of(job, o, how);                                        \
            const struct gradient t = {                                                            \
                job, &s, (const char *)job->grad_out + o * plane * in_size(how),                   \
                (char *)job->out + o * plane * out_size(how, job->to_float)};                      \
            for (size_t column = first; column < end; column += TILE)                              \
                run(&t, column);                                                                   \
        });                                                                                        \
    }

BACKWARD_KERNEL(softmax)
BACKWARD_KERNEL(log_softmax)

ACT_PART_ROW(softmax_backward) = {ACT_SYMBOL(softmax, units), ACT_SYMBOL(log_softmax, units)};
