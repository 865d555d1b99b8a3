/* Gated units: act_gated_forward, act_gated_backward. In chunks that stay in the first cache; the
 * kind's own kernel does f and f'. */
#include "src/check.h"
#include "src/info.h"
#include "src/parallel.h"

#include <math.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

enum { BUFFER = 4096 }; /* bytes; four of them are all the scratch there is */

struct gated {
    const struct act_row *row;
    const struct act_gate_row *loops;
    const act_params *params;
    struct act_gate_clamp clamp;
    size_t size, cols, stride, step; /* stride: elements from row to row of gate and up */
    const char *gate, *up, *grad_out;
    char *out, *dgate, *dup;
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

/* Elements [first, end) in the order of the rows. */
static void run_range(const struct gated *g, size_t first, size_t end)
{
    const size_t most = BUFFER / g->size;
    for (size_t i = first; i < end;) {
        const size_t r = i / g->cols, c = i % g->cols;
        size_t n = g->cols - c < end - i ? g->cols - c : end - i;
        n = n < most ? n : most;
        const size_t at = (r * g->stride + c * g->step) * g->size, flat = i * g->size;
        if (g->out)
            forward_chunk(g, at, flat, n);
        else
            backward_chunk(g, at, flat, n);
        i += n;
    }
}

static void run_part(const void *job, size_t first, size_t n)
{
    run_range(job, first, first + n);
}

static act_status check(act_dtype t, unsigned flags, act_kind k, const act_params **p,
                        const act_gate *shape, struct gated *g, struct act_view *view)
{
    if (!act_kind_valid(k))
        return ACT_ERR_KIND;
    struct act_choice choice;
    act_status status = act_check_type(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL, &choice);
    if (status != ACT_OK)
        return status;
    if (t != ACT_F32 && t != ACT_F64)
        return ACT_ERR_UNSUPPORTED;
    status = act_check_params(k, t, p);
    if (status != ACT_OK)
        return status;
    if (!shape)
        return ACT_ERR_NULL;
    const double limit = act_round_to(t, shape->limit), bias = act_round_to(t, shape->up_bias);
    if (!(limit >= 0) || !isfinite(bias) || (isinf(limit) && !isinf(shape->limit)))
        return ACT_ERR_PARAM;
    const size_t size = t == ACT_F64 ? sizeof(double) : sizeof(float);
    *view = (struct act_view){NULL, shape->rows, shape->cols, shape->row, shape->step, size};
    const struct act_view flat = {NULL, shape->rows, shape->cols, shape->cols, 1, size};
    if (!act_view_valid(view) || !act_view_valid(&flat))
        return ACT_ERR_SIZE;
    const struct act_table *table = act_tables[choice.isa];
    *g = (struct gated){.row = table->row[choice.mode][t][k],
                        .loops = table->gate[t],
                        .params = *p,
                        .clamp = {limit == 0 ? INFINITY : limit, bias},
                        .size = size,
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
    struct act_view view;
    const act_status status = check(t, flags, k, &p, shape, &g, &view);
    if (status != ACT_OK || shape->rows == 0 || shape->cols == 0)
        return status;
    if (!gate || !up || !out)
        return ACT_ERR_NULL;
    struct act_view a = view, b = view, y = view;
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
    struct act_view view;
    const act_status status = check(t, flags, k, &p, shape, &g, &view);
    if (status != ACT_OK || shape->rows == 0 || shape->cols == 0)
        return status;
    if (!gate || !up || !grad_out || !dgate || !dup)
        return ACT_ERR_NULL;
    const void *const inputs[] = {gate, up, grad_out}, *const outputs[] = {dgate, dup};
    for (int o = 0; o < 2; o++)
        for (int i = 0; i < 3; i++) {
            struct act_view in = view, out = view;
            in.base = inputs[i], out.base = outputs[o];
            if (i == 2)
                in.row = in.cols, in.step = 1;
            if (!act_views_same_or_disjoint(&in, &out))
                return ACT_ERR_OVERLAP;
        }
    struct act_view a = view, b = view;
    a.base = dgate, b.base = dup;
    if (!act_views_disjoint(&a, &b))
        return ACT_ERR_OVERLAP;
    g.gate = gate, g.up = up, g.grad_out = grad_out, g.dgate = dgate, g.dup = dup;
    run(&g, flags, shape->rows * shape->cols);
    return ACT_OK;
}
