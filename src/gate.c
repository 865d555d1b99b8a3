/* Gated units: act_gated_forward, act_gated_backward. In chunks that stay in the first cache; the
 * kind's own kernel does f and f'. */
#include "src/info.h"
#include "src/parallel.h"
#include "src/wide.h"

#include <math.h>
#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* Bytes; four of them are all the scratch there is. 16-bit arrays: six of HALF floats, and PIECE
 * elements taken from between others. */
enum { BUFFER = 4096, HALF = 512, PIECE = 256 };

struct gated {
    const struct act_row *row;
    const struct act_gate_row *loops;
    const act_params *params;
    struct act_gate_clamp clamp;
    struct act_wide wide;
    int to_float;              /* 16-bit arrays are read, float ones written */
    size_t size, out_size;     /* of an element that is read, and of one that is written */
    size_t cols, stride, step; /* stride: elements from row to row of gate and up */
    const char *gate, *up, *grad_out;
    char *out, *dgate, *dup;
};

/* Elements of one row: the first is `at` in gate and up, `flat` in an array without gaps. */
struct chunk {
    size_t at, flat, n;
};

static void forward_chunk(const struct gated *g, size_t at, size_t flat, size_t n)
{
    _Alignas(64) char taken[BUFFER], f[BUFFER];
    const char *gate = g->gate + at;
    if (g->step != 1 || g->clamp.limit < INFINITY) {
        g->loops->take(&g->clamp, gate, g->step, taken, n);
        gate = taken;
    }
    g->row->forward(g->params, gate, f, n);
    g->loops->multiply(&g->clamp, f, g->up + at, g->step, g->out + flat, n);
}

/* dup before dgate, which may be any of the inputs. Where dup is gate, what dgate needs of that is
 * taken first. */
static void backward_chunk(const struct gated *g, size_t at, size_t flat, size_t n)
{
    static const struct act_gate_clamp none = {INFINITY, 0};
    _Alignas(64) char taken[BUFFER], f[BUFFER], slope[BUFFER];
    const char *gate = g->gate + at, *x = gate, *gradient = g->grad_out + flat;
    if (g->step != 1 || g->clamp.limit < INFINITY) {
        g->loops->take(&g->clamp, gate, g->step, taken, n);
        x = taken;
    }
    g->row->forward(g->params, x, f, n);
    g->loops->multiply(&g->clamp, gradient, g->up + at, g->step, slope, n);
    g->row->backward(g->params, x, slope, slope, n);
    const int early = g->dup == g->gate;
    if (early)
        g->loops->gate_gradient(&g->clamp, slope, gate, g->step, slope, 1, n);
    g->loops->up_gradient(&g->clamp, gradient, f, g->up + at, g->dup + at, g->step, n);
    if (early)
        g->loops->gate_gradient(&none, slope, slope, 1, g->dgate + at, g->step, n);
    else
        g->loops->gate_gradient(&g->clamp, slope, gate, g->step, g->dgate + at, g->step, n);
}

/* ---- 16-bit arrays: f32 rows without gaps, computed as above ----------------------------------
 */

static void fetch(const struct gated *g, const char *from, size_t step, float *to, size_t n)
{
    if (step == 1) {
        act_widen(&g->wide, from, to, n);
        return;
    }
    for (size_t i = 0; i < n; i += PIECE) {
        uint16_t piece[PIECE];
        const size_t count = n - i < PIECE ? n - i : PIECE;
        for (size_t j = 0; j < count; j++)
            memcpy(piece + j, from + (i + j) * step * sizeof *piece, sizeof *piece);
        act_widen(&g->wide, piece, to + i, count);
    }
}

static void deliver(const struct gated *g, const float *from, char *to, size_t step, size_t n)
{
    if (g->to_float) {
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * step * sizeof *from, from + i, sizeof *from);
        return;
    }
    if (step == 1) {
        act_narrow(&g->wide, from, to, n);
        return;
    }
    for (size_t i = 0; i < n; i += PIECE) {
        uint16_t piece[PIECE];
        const size_t count = n - i < PIECE ? n - i : PIECE;
        act_narrow(&g->wide, from + i, piece, count);
        for (size_t j = 0; j < count; j++)
            memcpy(to + (i + j) * step * sizeof *piece, piece + j, sizeof *piece);
    }
}

static void forward_half(const struct gated *g, const struct chunk *c)
{
    _Alignas(64) float gate[HALF], up[HALF], f[HALF];
    fetch(g, g->gate + c->at * g->size, g->step, gate, c->n);
    fetch(g, g->up + c->at * g->size, g->step, up, c->n);
    g->loops->take(&g->clamp, gate, 1, gate, c->n);
    g->row->forward(g->params, gate, f, c->n);
    g->loops->multiply(&g->clamp, f, up, 1, f, c->n);
    deliver(g, f, g->out + c->flat * g->out_size, 1, c->n);
}

static void backward_half(const struct gated *g, const struct chunk *c)
{
    _Alignas(64) float gate[HALF], up[HALF], gradient[HALF], taken[HALF], f[HALF], slope[HALF];
    fetch(g, g->gate + c->at * g->size, g->step, gate, c->n);
    fetch(g, g->up + c->at * g->size, g->step, up, c->n);
    fetch(g, g->grad_out + c->flat * g->size, 1, gradient, c->n);
    g->loops->take(&g->clamp, gate, 1, taken, c->n);
    g->row->forward(g->params, taken, f, c->n);
    g->loops->multiply(&g->clamp, gradient, up, 1, slope, c->n);
    g->row->backward(g->params, taken, slope, slope, c->n);
    g->loops->gate_gradient(&g->clamp, slope, gate, 1, slope, 1, c->n);
    g->loops->up_gradient(&g->clamp, gradient, f, up, up, 1, c->n);
    deliver(g, slope, g->dgate + c->at * g->out_size, g->step, c->n);
    deliver(g, up, g->dup + c->at * g->out_size, g->step, c->n);
}

/* Elements [first, end) in the order of the rows. */
static void run_range(const struct gated *g, size_t first, size_t end)
{
    const size_t most = g->wide.convert ? HALF : BUFFER / g->size;
    for (size_t i = first; i < end;) {
        const size_t r = i / g->cols, c = i % g->cols;
        size_t n = g->cols - c < end - i ? g->cols - c : end - i;
        n = n < most ? n : most;
        const struct chunk chunk = {r * g->stride + c * g->step, i, n};
        if (g->wide.convert)
            (g->out ? forward_half : backward_half)(g, &chunk);
        else if (g->out)
            forward_chunk(g, chunk.at * g->size, i * g->size, n);
        else
            backward_chunk(g, chunk.at * g->size, i * g->size, n);
        i += n;
    }
}

static void run_part(const void *job, size_t first, size_t n)
{
    run_range(job, first, first + n);
}

static act_status check(act_dtype t, unsigned flags, act_kind k, const act_params **p,
                        const act_gate *shape, struct gated *g, struct act_view *in,
                        struct act_view *out)
{
    if (!act_kind_valid(k))
        return ACT_ERR_KIND;
    struct act_choice choice;
    struct act_wide wide;
    act_status status =
        act_wide_check(act_type_read(t), flags, ACT_REPRODUCIBLE | ACT_SERIAL, &choice, &wide);
    if (status != ACT_OK)
        return status;
    status = act_check_params(k, t, p);
    if (status != ACT_OK)
        return status;
    if (!shape)
        return ACT_ERR_NULL;
    const double limit = act_round_to(t, shape->limit), bias = act_round_to(t, shape->up_bias);
    if (!(limit >= 0) || !isfinite(bias) || (isinf(limit) && !isinf(shape->limit)))
        return ACT_ERR_PARAM;
    const int to_float = act_type_read(t) != t;
    const size_t out_size = to_float ? sizeof(float) : wide.size;
    *in = (struct act_view){NULL, shape->rows, shape->cols, shape->row, shape->step, wide.size};
    *out = (struct act_view){NULL, shape->rows, shape->cols, shape->row, shape->step, out_size};
    const struct act_view flat = {NULL, shape->rows, shape->cols, shape->cols, 1, out_size};
    if (!act_view_valid(out) || !act_view_valid(&flat))
        return ACT_ERR_SIZE;
    const struct act_table *table = act_tables[choice.isa];
    *g = (struct gated){.row = table->row[choice.mode][wide.compute][k],
                        .loops = table->gate[wide.compute],
                        .params = *p,
                        .clamp = {limit == 0 ? INFINITY : limit, bias},
                        .wide = wide,
                        .to_float = to_float,
                        .size = wide.size,
                        .out_size = out_size,
                        .cols = shape->cols,
                        .stride = shape->row,
                        .step = shape->step};
    if (shape->step == 1 && shape->row == shape->cols)
        g->cols = shape->rows * shape->cols; /* without gaps: one row */
    return ACT_OK;
}

static void run(const struct gated *g, unsigned flags, size_t n)
{
    if (flags & ACT_SERIAL)
        run_range(g, 0, n);
    else
        act_run_parts(run_part, g, n, 1);
}

act_status act_gated_forward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                             const act_gate *shape, const void *gate, const void *up, void *out)
{
    struct gated g;
    struct act_view in, out_view;
    const act_status status = check(t, flags, k, &p, shape, &g, &in, &out_view);
    if (status != ACT_OK || shape->rows == 0 || shape->cols == 0)
        return status;
    if (!gate || !up || !out)
        return ACT_ERR_NULL;
    struct act_view a = in, b = in, y = out_view;
    a.base = gate, b.base = up, y.base = out;
    y.row = y.cols, y.step = 1;
    if (!act_views_same_or_disjoint(&a, &y) || !act_views_same_or_disjoint(&b, &y))
        return ACT_ERR_OVERLAP;
    g.gate = gate, g.up = up, g.out = out;
    run(&g, flags, shape->rows * shape->cols);
    return ACT_OK;
}

act_status act_gated_backward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                              const act_gate *shape, const void *gate, const void *up,
                              const void *grad_out, void *dgate, void *dup)
{
    struct gated g;
    struct act_view in, out_view;
    const act_status status = check(t, flags, k, &p, shape, &g, &in, &out_view);
    if (status != ACT_OK || shape->rows == 0 || shape->cols == 0)
        return status;
    if (!gate || !up || !grad_out || !dgate || !dup)
        return ACT_ERR_NULL;
    const void *const inputs[] = {gate, up, grad_out}, *const outputs[] = {dgate, dup};
    for (int o = 0; o < 2; o++)
        for (int i = 0; i < 3; i++) {
            struct act_view from = in, to = out_view;
            from.base = inputs[i], to.base = outputs[o];
            if (i == 2)
                from.row = from.cols, from.step = 1;
            if (!act_views_same_or_disjoint(&from, &to))
                return ACT_ERR_OVERLAP;
        }
    struct act_view a = out_view, b = out_view;
    a.base = dgate, b.base = dup;
    if (!act_views_disjoint(&a, &b))
        return ACT_ERR_OVERLAP;
    g.gate = gate, g.up = up, g.grad_out = grad_out, g.dgate = dgate, g.dup = dup;
    run(&g, flags, shape->rows * shape->cols);
    return ACT_OK;
}
