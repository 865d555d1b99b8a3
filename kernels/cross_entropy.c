/* Cross-entropy: loss = -sum t log softmax(x) = T log1p(u) + sum t (max - x), T = sum t, u as in
 * kernels/rows.h: terms of one sign. The gradient, grad_scale (T softmax(x) - t), is written over
 * the exponentials.
 *
 * "Dense" targets are probabilities, or an index with smoothing: they have sums of their own, T and
 * sum t (max - x), a lane's terms added one by one in double. An index adds 1 - smoothing of its
 * class's weight to these, and where it is the target alone, 1 - softmax(x) = u / (1 + u) is taken
 * for the maximum, which does not cancel. */
#define ROWS_TILE 64 /* 6 KiB of the 16 are of other things */
#include "kernels/rows_exp.h"

/* Dense targets have the two sums beside the first in the scratch of a tile, of a quarter's width.
 */
enum { DENSE_TILE = TILE / 4, DENSE_PARTS = TILE_PARTS / 4 };

#define EXP_HALF (V_DOUBLE ? 0x1p-259 : 0x1p-25)
#define EXP_REST (V_DOUBLE ? 0x1p-260 : 0x1p-24) /* EXP_HALF EXP_REST EXP_ONE = 1 */

/* One outer index. */
struct targets {
    const struct act_softmax_job *job;
    const struct source *s;
    const int64_t *index; /* [inner], or NULL */
    const void *prob;     /* [axis][inner], or NULL */
    void *loss, *grad;    /* or NULL */
};

struct dense_sum {
    vsum t, u; /* sum t, sum t (max - x) */
};

/* A vector of columns, or a row in every lane. */
struct place {
    vec max, count;
    struct reference r;
    vec factor; /* the gradient is e EXP_HALF factor - grad_scale t */
    vec live;   /* 0: the row is ignored */
};

/* What a row's index does. */
struct pick {
    size_t class; /* axis: none */
    double t;     /* of the class; extra of it is not among the dense sums */
    double extra;
    double away; /* max - x */
    int is_max;  /* and the target is the index alone */
};

/* ---- dense targets --------------------------------------------------------------------------- */

/* t but for an index's share, at element j of the axis; on a row the first of `lanes`. */
ACT_OP vwide target_at(const struct targets *t, size_t at, size_t j, size_t lanes, int how)
{
    const act_targets *q = &t->job->targets;
    vwide value = w_set(q->smoothing / (double)t->job->shape.axis);
    if (t->prob)
        value =
            w_fma(w_set(1 - q->smoothing), w_from(x_load(t->s, t->prob, at, lanes, how)), value);
    if (q->class_weight) {
        const vec weight = t->job->shape.inner == 1 ? v_load_float_part(q->class_weight + j, lanes)
                                                    : v_set((elem)float_at(q->class_weight + j));
        value = w_mul(value, w_from(weight));
    }
    if (lanes != VL)
        value = w_mul(value, w_from(v_keep(v_first(lanes), v_set(1))));
    return value;
}

ACT_OP void add_target(struct dense_sum *d, vwide t, vec z, vec top)
{
    /* t = 0 takes no part, whatever z. */
    const vwide away = w_sub(w_from(top), w_from(v_select(v_eq(w_to(t), v_set(0)), top, z)));
#if V_DOUBLE
    d->t = s_add(d->t, t);
    d->u = s_add(d->u, v_mul(t, away));
#else
    d->t = w_add(d->t, t);
    d->u = w_fma(t, away, d->u);
#endif
}

/* ---- an index -------------------------------------------------------------------------------- */

ACT_OP int is_live(const struct targets *t, size_t column)
{
    return !t->index || index_at(t->index + column) != t->job->targets.ignore;
}

/* Before the exponentials may take the place of x. */
ACT_OP struct pick pick_of(const struct targets *t, size_t column, elem max, elem top, int dense,
                           int how)
{
    const act_targets *q = &t->job->targets;
    struct pick p = {.class = t->job->shape.axis};
    if (!t->index || !is_live(t, column))
        return p;
    p.class = (size_t)index_at(t->index + column);
    const double weight = q->class_weight ? (double)float_at(q->class_weight + p.class) : 1;
    p.extra = (1 - q->smoothing) * weight;
    p.t = p.extra + (dense ? weight * (q->smoothing / (double)t->job->shape.axis) : 0);
    const elem x = x_one(t->s, t->s->x, p.class * t->job->shape.inner + column, how);
    p.is_max = !dense && x == max;
    p.away = p.extra == 0 ? 0 : (double)top - (double)x;
    return p;
}

/* The gradient at the index, from u where that is the maximum, elsewhere from e. */
ACT_OP elem pick_slope(const struct targets *t, const struct pick *p, double u_or_e, double inverse,
                       double total)
{
    const double scale = t->job->targets.grad_scale;
    if (p->is_max)
        return (elem)(-scale * total * (u_or_e / (1 + u_or_e)));
    return (elem)(scale * (u_or_e * (1 / (double)EXP_ONE) * inverse * total - p->t));
}

/* ---- the passes ------------------------------------------------------------------------------ */

ACT_OP vec exp_target(const struct targets *t, struct place *p, struct dense_sum *d, vec z, vec e,
                      size_t at, size_t j, size_t lanes, int dense, int how)
{
    if (dense)
        add_target(d, target_at(t, at, j, lanes, how), z, p->r.top);
    if (t->grad)
        exp_keep(t->grad, at, e, lanes, how);
    p->count = v_add(p->count, v_keep(v_eq(z, p->max), v_set(1)));
    return beside_max(p->max, z, e);
}

ACT_OP vsum target_group(vsum sum, const struct targets *t, struct place *p, struct dense_sum *d,
                         struct group g, size_t j, int dense, int how)
{
#define Z(at, lanes) z_at(t->s, at, lanes, how)
#define E(z, e, at, lanes, k)                                                                      \
    exp_target(t, p, d, z, e, at, j + (size_t)(k)*LANES, lanes, dense, how)
    S_ADD_GROUP(sum, g, 0, Z, p->r, E);
#undef E
#undef Z
    return sum;
}

/* Losses, and the factors of the gradients, from the sums. u, inverse, total: by column. */
ACT_OP void finish(const struct targets *t, struct place *p, vsum rest, struct dense_sum d,
                   const struct pick pick[VL], size_t column, size_t lanes, double u[VL],
                   double inverse[VL], double total[VL], int dense, int how)
{
    const act_targets *q = &t->job->targets;
    const struct log_sum logs = log_sum_of(p->r, rest, p->count);
    /* A row of -inf has neither loss nor gradient. */
    const vwide bad = w_from(v_keep(v_eq(p->max, v_set(-INFINITY)), v_set(NAN)));
    double l[VL], away[VL], factor[VL], live[VL];
    w_spread(u, w_add(logs.u, bad));
    w_spread(l, w_add(logs.l, bad));
    w_spread(inverse, w_add(logs.inverse, bad));
    w_spread(total, dense ? s_value(d.t) : w_set(0));
    w_spread(away, dense ? s_value(d.u) : w_set(0));
    for (size_t i = 0; i < VL; i++)
        factor[i] = live[i] = 0;
    for (size_t i = 0; i < lanes; i++) {
        total[i] += pick[i].extra;
        factor[i] = q->grad_scale * total[i] * inverse[i] * EXP_REST;
        live[i] = is_live(t, column + i);
        const double loss = total[i] * l[i] + (away[i] + pick[i].extra * pick[i].away);
        if (t->loss)
            y_one(t->s, t->loss, column + i, live[i] != 0 ? (elem)loss : 0, how);
    }
    p->factor = w_to(w_gather(factor));
    p->live = w_to(w_gather(live));
}

ACT_OP void write_slope(const struct targets *t, const struct place *p, size_t at, size_t j,
                        size_t lanes, int dense, int how)
{
    const vec e = exp_again(t->s, t->grad, at, lanes, p->r, how);
    vec d = v_mul(v_mul(e, v_set(EXP_HALF)), p->factor);
    if (dense) {
        const vwide part =
            w_mul(target_at(t, at, j, lanes, how), w_set(t->job->targets.grad_scale));
        d = v_sub(d, w_to(part));
    }
    y_store(t->s, t->grad, at, v_keep(v_lt(v_set(0), p->live), d), lanes, how);
}

/* e of one element, lane `lane` of those from at on, as write_slope will find it. */
ACT_OP double exp_one(const struct targets *t, const struct place *p, size_t at, size_t lane,
                      size_t lanes, int how)
{
    double e[VL];
    if (EXP_KEPT(how))
        return (double)x_one(t->s, t->grad, at + lane, 0);
    w_spread(e, w_from(exp_of(p->r, z_at(t->s, at, lanes, how))));
    return e[lane];
}

ACT_OP void cross_entropy_row_of(const struct targets *t, int dense, int how)
{
    const size_t axis = t->job->shape.axis;
    struct place p = {.max = v_set(0), .count = v_set(0)};
    struct pick pick[VL];
    if (is_live(t, 0)) {
        p.max = v_set(max_of_row(t->s, how));
        p.r = reference_of(p.max);
        double max[VL], top[VL];
        w_spread(max, w_from(p.max));
        w_spread(top, w_from(p.r.top));
        pick[0] = pick_of(t, 0, (elem)max[0], (elem)top[0], dense, how);
    } else {
        if (t->loss)
            y_one(t->s, t->loss, 0, 0, how);
        for (size_t at = 0; t->grad && at < axis; at += VL)
            y_store(t->s, t->grad, at, v_set(0), part_of(axis - at), how);
        return;
    }

    vsum part[PARTS];
    struct dense_sum d[PARTS];
    for (int v = 0; v < PARTS; v++)
        part[v] = d[v].t = d[v].u = s_set(0, 0);
    size_t at = 0;
    for (; at + CHUNK <= axis; at += CHUNK)
        for (size_t v = 0; v < PARTS; v++) {
            const size_t from = at + v * VL;
            part[v] =
                target_group(part[v], t, &p, &d[v], whole_group(from, LANES, VL), from, dense, how);
        }
    for (size_t v = 0; v < PARTS && at + v * VL < axis; v++) {
        const size_t from = at + v * VL;
        part[v] = target_group(part[v], t, &p, &d[v], last_group(from, axis), from, dense, how);
    }
    p.count = v_total(p.count);

    vsum parts_t[PARTS], parts_u[PARTS];
    for (int v = 0; v < PARTS; v++) {
        parts_t[v] = d[v].t;
        parts_u[v] = d[v].u;
    }
    const struct dense_sum total_d = {s_total_row(parts_t), s_total_row(parts_u)};
    double u[VL], inverse[VL], total[VL];
    finish(t, &p, s_total_row(part), total_d, pick, 0, 1, u, inverse, total, dense, how);
    if (!t->grad)
        return;
    double factor[VL];
    w_spread(factor, w_from(p.factor));
    p.factor = w_to(w_set(factor[0]));
    p.live = v_set(1);
    const size_t class = pick[0].class;
    if (class < axis && !pick[0].is_max)
        u[0] = exp_one(t, &p, class, 0, 1, how);
    FOR_ROW(t->grad, axis, how, i, lanes, { write_slope(t, &p, i, i, lanes, dense, how); });
    if (class < axis)
        y_one(t->s, t->grad, class, pick_slope(t, &pick[0], u[0], inverse[0], total[0]), how);
}

ACT_OP void cross_entropy_tile_of(const struct targets *t, size_t first, size_t end, int dense,
                                  int how)
{
    const size_t axis = t->job->shape.axis, inner = t->job->shape.inner;
    const struct tile tile = tile_of(first, end, inner, dense ? DENSE_TILE : TILE);
    const int used = lanes_used(axis);
    struct place place[TILE_PARTS];
    struct pick pick[TILE];
    vsum sum[LANES][TILE_PARTS];
    double u[TILE], inverse[TILE], total[TILE];

    {
        vec max[TILE_PARTS];
        max_tile(t->s, &tile, max, how);
        for (int v = 0; v < tile.parts; v++)
            place[v] = (struct place){.max = max[v], .count = v_set(0), .r = reference_of(max[v])};
    }
    FOR_PARTS(tile, v, lanes, {
        double of_max[VL], of_top[VL];
        w_spread(of_max, w_from(place[v].max));
        w_spread(of_top, w_from(place[v].r.top));
        for (size_t i = 0; i < lanes; i++)
            pick[v * VL + i] =
                pick_of(t, first + v * VL + i, (elem)of_max[i], (elem)of_top[i], dense, how);
    });
    s_clear_tile(sum, used, dense ? TILE_PARTS : tile.parts);
    for (size_t chunk = 0; chunk < axis; chunk += CHUNK)
        for (size_t l = 0; l < LANES && chunk + l < axis; l++) {
            const size_t rest = axis - chunk - l, at = (chunk + l) * inner + first;
            prefetch_group(&tile, t->s->x, chunk, l, in_size(how));
            if (EXP_KEPT(how) && t->grad && t->grad != t->s->x)
                prefetch_group(&tile, t->grad, chunk, l, sizeof(elem));
            FOR_PARTS(tile, v, lanes, {
                const struct group g = tile_group(at + (size_t)v * VL, inner, rest, lanes);
                vsum *const of_t = sum[l] + v + (dense ? DENSE_PARTS : 0);
                vsum *const of_u = of_t + (dense ? DENSE_PARTS : 0);
                struct dense_sum d = {*of_t, *of_u};
                sum[l][v] = target_group(sum[l][v], t, &place[v], &d, g, chunk + l, dense, how);
                if (dense)
                    *of_t = d.t, *of_u = d.u;
            });
        }
    FOR_PARTS(tile, v, lanes, {
        struct dense_sum all = {s_set(0, 0), s_set(0, 0)};
        if (dense) {
            all.t = s_total_tile(sum, used, v + DENSE_PARTS);
            all.u = s_total_tile(sum, used, v + 2 * DENSE_PARTS);
        }
        finish(t, &place[v], s_total_tile(sum, used, v), all, pick + v * VL, first + v * VL, lanes,
               u + v * VL, inverse + v * VL, total + v * VL, dense, how);
        for (size_t i = 0; t->grad && i < lanes; i++) {
            const size_t class = pick[v * VL + i].class, at = class * inner + first + v * VL;
            if (class < axis && !pick[v * VL + i].is_max)
                u[v * VL + i] = exp_one(t, &place[v], at, i, lanes, how);
        }
    });
    if (!t->grad)
        return;
    for (size_t j = 0; j < axis; j++) {
        prefetch_rows(&tile, EXP_KEPT(how) ? t->grad : t->s->x, j + 16, 1, 1, in_size(how));
        FOR_PARTS(tile, v, lanes, {
            write_slope(t, &place[v], j * inner + first + (size_t)v * VL, j, lanes, dense, how);
        });
    }
    const size_t width = (size_t)(tile.parts - 1) * VL + tile.last;
    for (size_t i = 0; i < width; i++)
        if (pick[i].class < axis)
            y_one(t->s, t->grad, pick[i].class * inner + first + i,
                  pick_slope(t, &pick[i], u[i], inverse[i], total[i]), how);
}

#define cross_entropy_row(t, how)              cross_entropy_row_of(t, 0, how)
#define cross_entropy_tile(t, first, end, how) cross_entropy_tile_of(t, first, end, 0, how)
#define dense_row(t, how)                      cross_entropy_row_of(t, 1, how)
#define dense_tile(t, first, end, how)         cross_entropy_tile_of(t, first, end, 1, how)
ROWS_UNMASKED(cross_entropy, const struct targets, 0)
ROWS_UNMASKED(dense, const struct targets, 0)

static void ACT_SYMBOL(cross_entropy, units)(const struct act_softmax_job *job, size_t from,
                                             size_t count)
{
    const act_targets *q = &job->targets;
    const size_t inner = job->shape.inner, plane = job->shape.axis * inner;
    const int how = how_of(job), is_dense = q->prob || q->smoothing != 0;
    const size_t bytes = out_size(how, job->to_float), width = is_dense ? DENSE_TILE : TILE;
    const size_t head = head_columns(job, job->grad_in ? job->grad_in : job->in, how);
    void (*const run)(const struct targets *, size_t, size_t) =
        is_dense ? ROWS_UNMASKED_OF(dense, how, inner)
                 : ROWS_UNMASKED_OF(cross_entropy, how, inner);
    FOR_UNITS(job, head, from, count, o, left, right, {
        const struct source s = source_of(job, o, how);
        const struct targets t = {
            .job = job,
            .s = &s,
            .index = q->index ? q->index + o * inner : NULL,
            .prob = q->prob ? (const char *)q->prob + o * plane * in_size(how) : NULL,
            .loss = job->out ? (char *)job->out + o * inner * bytes : NULL,
            .grad = job->grad_in ? (char *)job->grad_in + o * plane * bytes : NULL};
        FOR_TILES(head, left, right, width, first, end, { run(&t, first, end); });
    });
}

ACT_PART_ROW(cross_entropy) = {ACT_SYMBOL(cross_entropy, units)};
