/* Softmax, its logarithm, and the logarithm of the sum. Three passes over a row: the maximum; the
 * exponentials and their sum; the results. kernels/rows.h, rows_exp.h and rows_batch.h have the
 * pieces. */
#include "kernels/rows_batch.h"

/* What turns e into the probability. */
struct scaling {
    vec high, low; /* 1 / sum, rounded, and the rest of it */
    vec base;      /* added: the value of an empty row */
};
/* What turns z into its logarithm. */
struct log_scaling {
    vec top, l; /* subtracted */
    vec least;  /* the value of an empty row, else -inf */
};

ACT_OP vec empty_value(const struct act_softmax_job *job, vec uniform, vec zero)
{
    const int empty = job->logits.empty;
    return empty == ACT_EMPTY_UNIFORM ? uniform : empty == ACT_EMPTY_NAN ? v_set(NAN) : zero;
}

/* ---- softmax --------------------------------------------------------------------------------- */

ACT_OP struct scaling scaling_of(const struct act_softmax_job *job, vsum sum)
{
    struct scaling c = {.base = v_set(0)};
#if V_DOUBLE
    const vec scale = v_set(1 / EXP_ONE), a = v_mul(sum.a, scale), b = v_mul(sum.b, scale);
    const vec s = v_add(a, b), low = v_add(v_sub(a, s), b);
    c.high = v_div(v_set(1), s);
    c.low = v_mul(c.high, v_fnma(low, c.high, v_fma_tight(v_neg(s), c.high, v_set(1))));
#else
    const vwide inverse = w_div(w_set(EXP_ONE), sum);
    const vec s = w_to(w_mul(sum, w_set(1 / (double)EXP_ONE)));
    c.high = w_to(inverse);
    c.low = w_to(w_sub(inverse, w_from(c.high)));
#endif
    /* Without an empty row: the maximum makes a sum of .7 at least. */
    const vmask empty = v_lt(s, v_set(.25f));
    const vec uniform = v_round(v_div(v_set(1), v_set((elem)job->shape.axis)));
    c.high = v_drop(empty, c.high);
    c.low = v_drop(empty, c.low);
    c.base = v_keep(empty, empty_value(job, uniform, v_set(0)));
    return c;
}

ACT_OP struct scaling row_scaling(const struct scaling scale[BATCH_PARTS], size_t i)
{
    const struct scaling *const k = &scale[i / VL];
    return (struct scaling){lane_set(&k->high, i % VL), lane_set(&k->low, i % VL),
                            lane_set(&k->base, i % VL)};
}

ACT_OP vec scaled(vec e, struct scaling c)
{
    return v_fma(v_fma(e, c.high, v_mul(e, c.low)), v_set(1 / EXP_ONE), c.base);
}

ACT_OP vec exp_store(void *out, vec e, size_t at, size_t lanes, int how)
{
    exp_keep(out, at, e, lanes, how);
    return e;
}

ACT_OP vsum exp_group(vsum sum, const struct source *s, void *out, struct group g,
                      struct reference r, int across, int how)
{
#define Z(at, lanes)          z_at(s, at, lanes, how)
#define E(z, e, at, lanes, k) exp_store(out, e, at, lanes, how)
    S_ADD_GROUP(sum, g, across, Z, r, E);
#undef E
    return sum;
}

ACT_OP void exp_row(vsum part[PARTS], const struct source *s, void *out, struct reference r,
                    int how)
{
    const size_t n = s->n;
    for (int v = 0; v < PARTS; v++)
        part[v] = s_set(0, 0);
    size_t at = 0;
    for (; at + CHUNK <= n; at += CHUNK)
        for (size_t v = 0; v < PARTS; v++)
            part[v] = exp_group(part[v], s, out, whole_group(at + v * VL, LANES, VL), r, 0, how);
    for (size_t v = 0; v < PARTS && at + v * VL < n; v++)
        part[v] = exp_group(part[v], s, out, last_group(at + v * VL, n), r, 0, how);
}

ACT_OP void softmax_row(const struct batch *b, int how)
{
    const struct act_softmax_job *job = b->job;
    const size_t axis = job->shape.axis;
    vec max[BATCH_PARTS];
    struct reference ref[BATCH_PARTS];
    struct scaling scale[BATCH_PARTS];
    struct row_sum sum[BATCH];
    batch_max(b, max, how);
    FOR_ROW_PARTS(v, b->rows, { ref[v] = reference_of(max[v]); });
    for (size_t i = 0; i < b->rows; i++) {
        const struct source s = b->s[i]; /* a store could change the original */
        const struct reference r = row_reference(ref, i);
        void *const out = row_out(b, i, how);
        vsum part[PARTS];
        if (how != 0 || row_is_shifted(ref, i)) /* masks and 16 bits have one loop */
            exp_row(part, &s, out, r, how);
        else
            exp_row(part, &s, out, not_shifted(r), how);
        sum[i] = row_total(part);
    }
    for (size_t i = b->rows; i % VL != 0; i++)
        sum[i] = sum[0];
    FOR_ROW_PARTS(v, b->rows, { scale[v] = scaling_of(job, s_of_rows(sum + v * VL)); });
    for (size_t i = 0; i < b->rows; i++) {
        const struct source source = b->s[i], *const s = &source;
        const struct reference r = row_reference(ref, i);
        const struct scaling k = row_scaling(scale, i);
        void *const out = row_out(b, i, how);
        FOR_ROW(out, s->n, how, at, lanes, {
            y_store(s, out, at, scaled(exp_again(s, out, at, lanes, r, how), k), lanes, how);
        });
        for (size_t at = s->n; at < axis; at += VL)
            y_store(s, out, at, scaled(v_set(0), k), part_of(axis - at), how);
    }
}

ACT_OP void exp_panel(vsum sums[PANEL_SUMS], const struct source *s, void *out,
                      const struct tile *t, const struct reference *ref, int how)
{
    const int used = lanes_used(s->n);
    FOR_PANEL_GROUPS(*t, s->n, used, sums, sum, row, {
        prefetch_panel(t, s->x, row, in_size(how));
        if (EXP_KEPT(how) && out != s->x)
            prefetch_panel(t, out, row, sizeof(elem));
        FOR_PARTS(*t, v, lanes, {
            const size_t at = row * t->inner + t->first + (size_t)v * VL;
            const struct group g = tile_group(at, t->inner, s->n - row, lanes);
            sum[v] = exp_group(sum[v], s, out, g, ref[v], 1, how);
        });
    });
}

ACT_OP void softmax_tile(const struct batch *c, size_t first, size_t end, int how)
{
    const struct act_softmax_job *job = c->job;
    const struct source source = *c->s, *const s = &source; /* a store could change the original */
    void *const out = c->out;
    const size_t n = s->n, inner = job->shape.inner;
    const struct tile t = tile_of(first, end, inner, PANEL);
    vec max[PANEL_PARTS];
    vsum sums[PANEL_SUMS];
    struct reference ref[PANEL_PARTS];
    struct scaling scale[PANEL_PARTS];

    max_tile(s, &t, max, how);
    for (int v = 0; v < t.parts; v++)
        ref[v] = reference_of(max[v]);
    exp_panel(sums, s, out, &t, ref, how);
    for (int v = 0; v < t.parts; v++)
        scale[v] = scaling_of(job, sums[v]);
    size_t j = 0;
    for (; j + ROWS_AT_ONCE <= n; j += ROWS_AT_ONCE) {
        FOR_PARTS(t, v, lanes, {
            const size_t at = j * inner + first + (size_t)v * VL;
            const struct reference r = ref[v];
            const struct scaling k = scale[v];
            vec e[ROWS_AT_ONCE];
            EACH_ROW(i) e[i] = exp_again(s, out, at + i * inner, lanes, r, how);
            EACH_ROW(i) y_store(s, out, at + i * inner, scaled(e[i], k), lanes, how);
        });
    }
    for (; j < job->shape.axis; j++) {
        const size_t at = j * inner + first;
        FOR_PARTS(t, v, lanes, {
            const size_t here = at + (size_t)v * VL;
            const vec e = j < n ? exp_again(s, out, here, lanes, ref[v], how) : v_set(0);
            y_store(s, out, here, scaled(e, scale[v]), lanes, how);
        });
    }
}

/* ---- logarithms ------------------------------------------------------------------------------ */

ACT_OP vec exp_count(vec z, vec e, vec max, vec *count)
{
    *count = v_add(*count, v_keep(v_eq(z, max), v_set(1)));
    return beside_max(max, z, e);
}

ACT_OP vsum count_group(vsum sum, const struct source *s, struct group g, struct reference r,
                        vec max, vec *count, int how)
{
#define E(z, e, at, lanes, k) exp_count(z, e, max, count)
    S_ADD_GROUP(sum, g, 0, Z, r, E);
#undef E
#undef Z
    return sum;
}

ACT_OP void count_row(vsum part[PARTS], const struct source *s, struct reference r, vec max,
                      vec *count, int how)
{
    const size_t n = s->n;
    *count = v_set(0);
    for (int v = 0; v < PARTS; v++)
        part[v] = s_set(0, 0);
    size_t at = 0;
    for (; at + CHUNK <= n; at += CHUNK)
        for (size_t v = 0; v < PARTS; v++)
            part[v] =
                count_group(part[v], s, whole_group(at + v * VL, LANES, VL), r, max, count, how);
    for (size_t v = 0; v < PARTS && at + v * VL < n; v++)
        part[v] = count_group(part[v], s, last_group(at + v * VL, n), r, max, count, how);
}

/* The logarithms of the sums beside the maximum. */
ACT_OP void log_sum_rows(const struct batch *b, vec max[BATCH_PARTS],
                         struct reference ref[BATCH_PARTS], vwide logs[BATCH_PARTS], int how)
{
    struct row_sum sum[BATCH];
    double counts[BATCH];
    batch_max(b, max, how);
    FOR_ROW_PARTS(v, b->rows, { ref[v] = reference_of(max[v]); });
    for (size_t i = 0; i < b->rows; i++) {
        const struct source s = b->s[i]; /* a store could change the original */
        const struct reference r = row_reference(ref, i);
        const vec top = lane_set(max, i);
        vsum part[PARTS];
        vec count;
        if (how != 0 || row_is_shifted(ref, i)) /* masks and 16 bits have one loop */
            count_row(part, &s, r, top, &count, how);
        else
            count_row(part, &s, not_shifted(r), top, &count, how);
        sum[i] = row_total(part);
        counts[i] = count_total(count);
    }
    for (size_t i = b->rows; i % VL != 0; i++) {
        sum[i] = sum[0];
        counts[i] = counts[0];
    }
    FOR_ROW_PARTS(v, b->rows, {
        const vec count = w_to(w_gather(counts + v * VL));
        logs[v] = log_sum_of(ref[v], s_of_rows(sum + v * VL), count).l;
    });
}

ACT_OP void count_panel(vsum sums[PANEL_SUMS], const struct source *s, const struct tile *t,
                        const struct reference *ref, const vec *max, vec *count, int how)
{
    const int used = lanes_used(s->n);
    FOR_PANEL_GROUPS(*t, s->n, used, sums, sum, row, {
        prefetch_panel(t, s->x, row, in_size(how));
        FOR_PARTS(*t, v, lanes, {
            const size_t at = row * t->inner + t->first + (size_t)v * VL;
            const struct group g = tile_group(at, t->inner, s->n - row, lanes);
            sum[v] = count_group(sum[v], s, g, ref[v], max[v], &count[v], how);
        });
    });
}

ACT_OP void log_sum_tile(const struct source *s, const struct tile *t, vec max[TILE_PARTS],
                         struct reference ref[TILE_PARTS], vwide logs[TILE_PARTS], int how)
{
    vec count[TILE_PARTS];
    vsum sums[PANEL_SUMS];
    max_tile(s, t, max, how);
    for (int v = 0; v < t->parts; v++) {
        ref[v] = reference_of(max[v]);
        count[v] = v_set(0);
    }
    count_panel(sums, s, t, ref, max, count, how);
    for (int v = 0; v < t->parts; v++)
        logs[v] = log_sum_of(ref[v], sums[v], count[v]).l;
}

/* z - max - log1p(u), both differences downward: no cancellation. */
ACT_OP struct log_scaling log_scaling_of(const struct act_softmax_job *job, vec max,
                                         struct reference r, vwide l)
{
    const vmask none = v_eq(max, v_set(-INFINITY)); /* or NaN among -inf: then l is NaN */
    struct log_scaling c = {.top = r.top, .l = w_to(l), .least = v_set(-INFINITY)};
    if (job->logits.empty == ACT_EMPTY_NAN)
        c.l = v_select(none, v_set(NAN), c.l);
    if (job->logits.empty == ACT_EMPTY_UNIFORM) {
        const vwide uniform = log1p_of(w_set((double)(job->shape.axis - 1)));
        c.least = v_select(none, v_neg(w_to(uniform)), c.least);
    }
    return c;
}

ACT_OP vec log_scaled(vec z, struct log_scaling c)
{
    return v_max(c.least, v_sub(v_sub(z, c.top), c.l));
}

ACT_OP vec log_of_sum(const struct act_softmax_job *job, vec max, struct reference r, vwide l)
{
    const vmask none = v_eq(max, v_set(-INFINITY));
    const vec sum = w_to(w_add(w_from(r.top), l));
    const vec empty = job->logits.empty == ACT_EMPTY_NAN ? v_set(NAN) : max;
    return v_add(sum, v_keep(none, empty));
}

ACT_OP void log_softmax_row(const struct batch *b, int how)
{
    const size_t axis = b->job->shape.axis;
    vec max[BATCH_PARTS];
    struct reference ref[BATCH_PARTS];
    vwide logs[BATCH_PARTS];
    struct log_scaling scale[BATCH_PARTS];
    log_sum_rows(b, max, ref, logs, how);
    FOR_ROW_PARTS(v, b->rows, { scale[v] = log_scaling_of(b->job, max[v], ref[v], logs[v]); });
    for (size_t i = 0; i < b->rows; i++) {
        const struct source source = b->s[i], *const s = &source; /* as above */
        const struct log_scaling *const of_rows = &scale[i / VL];
        const struct log_scaling k = {lane_set(&of_rows->top, i % VL),
                                      lane_set(&of_rows->l, i % VL),
                                      lane_set(&of_rows->least, i % VL)};
        void *const out = row_out(b, i, how);
        FOR_ROW(out, s->n, how, at, lanes,
                { y_store(s, out, at, log_scaled(z_at(s, at, lanes, how), k), lanes, how); });
        for (size_t at = s->n; at < axis; at += VL)
            y_store(s, out, at, log_scaled(v_set(-INFINITY), k), part_of(axis - at), how);
    }
}

ACT_OP void log_softmax_tile(const struct batch *c, size_t first, size_t end, int how)
{
    const struct act_softmax_job *job = c->job;
    const struct source source = *c->s, *const s = &source; /* a store could change the original */
    void *const out = c->out;
    const size_t n = s->n, inner = job->shape.inner;
    const struct tile t = tile_of(first, end, inner, TILE);
    vec max[TILE_PARTS];
    struct reference ref[TILE_PARTS];
    vwide logs[TILE_PARTS];
    struct log_scaling scale[TILE_PARTS];
    log_sum_tile(s, &t, max, ref, logs, how);
    for (int v = 0; v < t.parts; v++)
        scale[v] = log_scaling_of(job, max[v], ref[v], logs[v]);
    for (size_t j = 0; j < job->shape.axis; j++) {
        const size_t at = j * inner + first;
        prefetch_rows(&t, s->x, j + 16, 1, 1, in_size(how));
        if (out != s->x)
            prefetch_rows(&t, out, j + 16, 1, 1, out_size(how, s->to_float));
        FOR_PARTS(t, v, lanes, {
            const size_t here = at + (size_t)v * VL;
            const vec z = j < n ? z_at(s, here, lanes, how) : v_set(-INFINITY);
            y_store(s, out, here, log_scaled(z, scale[v]), lanes, how);
        });
    }
}

ACT_OP void logsumexp_row(const struct batch *b, int how)
{
    vec max[BATCH_PARTS];
    struct reference ref[BATCH_PARTS];
    vwide logs[BATCH_PARTS];
    log_sum_rows(b, max, ref, logs, how);
    FOR_ROW_PARTS(v, b->rows, {
        y_store(&b->s[0], b->out, v * VL, log_of_sum(b->job, max[v], ref[v], logs[v]),
                part_of(b->rows - v * VL), how);
    });
}

ACT_OP void logsumexp_tile(const struct batch *c, size_t first, size_t end, int how)
{
    const struct source source = *c->s, *const s = &source; /* a store could change the original */
    const struct tile t = tile_of(first, end, c->job->shape.inner, TILE);
    vec max[TILE_PARTS];
    struct reference ref[TILE_PARTS];
    vwide logs[TILE_PARTS];
    log_sum_tile(s, &t, max, ref, logs, how);
    FOR_PARTS(t, v, lanes, {
        y_store(s, c->out, first + (size_t)v * VL, log_of_sum(c->job, max[v], ref[v], logs[v]),
                lanes, how);
    });
}

/* ---- the kernels ----------------------------------------------------------------------------- */

/* head: columns before those that are aligned in the larger array that is written, or else in x. */
#define SOFTMAX_KERNEL(f, out_rows, width, aligned)                                                \
    ROWS_VARIANTS(f, const struct batch)                                                           \
    static void ACT_SYMBOL(f, units)(const struct act_softmax_job *job, size_t from, size_t count) \
    {                                                                                              \
        const int how = how_of(job);                                                               \
        const size_t inner = job->shape.inner, head = head_columns(job, aligned, how);             \
        void (*const run)(const struct batch *, size_t, size_t) = ROWS_OF(f, how, inner);          \
        struct batch b;                                                                            \
        b.job = job;                                                                               \
        b.stride = (out_rows)*inner;                                                               \
        if (inner == 1)                                                                            \
            for (; count > 0; from += b.rows, count -= b.rows) {                                   \
                batch_of(&b, from, count, how);                                                    \
                run(&b, 0, 1);                                                                     \
            }                                                                                      \
        else                                                                                       \
            FOR_UNITS(job, head, from, count, o, left, right, {                                    \
                batch_of(&b, o, 1, how);                                                           \
                FOR_TILES(head, left, right, width, first, end, { run(&b, first, end); });         \
            });                                                                                    \
    }

SOFTMAX_KERNEL(softmax, job->shape.axis, PANEL, job->out)
SOFTMAX_KERNEL(log_softmax, job->shape.axis, TILE, job->out)
SOFTMAX_KERNEL(logsumexp, 1, TILE, job->in)

ACT_PART_ROW(softmax) = {ACT_SYMBOL(softmax, units), ACT_SYMBOL(log_softmax, units),
                         ACT_SYMBOL(logsumexp, units)};
