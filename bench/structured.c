/* The functions beside the elementwise kinds, a list: what --structured measures. */
#include "bench/bench.h"

#include <string.h>

enum { PIECES = 4, WINDOW = 9 /* 3 x 3 */, SIDE_ARRAYS = 6 };

/* ---- parameters and what a forward call has left ------------------------------------------- */

static size_t side_bytes(size_t n, size_t row)
{
    return sizeof(double) * WINDOW * (row > n / row ? row : n / row);
}

size_t structured_side(size_t n, size_t row)
{
    return SIDE_ARRAYS * side_bytes(n, row);
}

/* Array i of parameters: up to nine for each row or each element of one. */
static void *side(const struct work *w, int i)
{
    return w->side + (size_t)i * side_bytes(w->n, w->row);
}

static void put(const struct work *w, int array, size_t i, double value)
{
    elem_put(w->type == ACT_F64 ? ACT_F64 : ACT_F32, side(w, array), i, value);
}

static void put_all(const struct work *w, int array, size_t first, size_t n, double value)
{
    for (size_t i = first; i < first + n; i++)
        put(w, array, i, value);
}

static act_shape shape_of(const struct work *w)
{
    const size_t rows = w->n / w->row;
    switch (w->fn->shape) {
    case SHAPE_ROWS:
        return (act_shape){rows, w->row, 1};
    case SHAPE_COLUMNS:
        return (act_shape){1, w->row, rows};
    case SHAPE_PLANES:
        return (act_shape){1, rows, w->row};
    case SHAPE_PIECES:
        return (act_shape){rows, PIECES, w->row / PIECES};
    default:
        return (act_shape){1, 1, w->n};
    }
}

static void must(act_status status)
{
    if (status != ACT_OK)
        die("a structured function: %s", act_status_string(status));
}

/* ---- softmax and its relatives ------------------------------------------------------------- */

static act_status softmax(const struct work *w)
{
    return act_softmax_forward(w->type, 0, shape_of(w), NULL, w->x, w->out);
}
static void softmax_ready(const struct work *w)
{
    must(act_softmax_forward(w->type, 0, shape_of(w), NULL, w->x, w->y));
}
static act_status softmax_back(const struct work *w)
{
    return act_softmax_backward(w->type, 0, shape_of(w), NULL, w->y, w->grad, w->out);
}
static act_status log_softmax(const struct work *w)
{
    return act_log_softmax_forward(w->type, 0, shape_of(w), NULL, w->x, w->out);
}
static void log_softmax_ready(const struct work *w)
{
    must(act_log_softmax_forward(w->type, 0, shape_of(w), NULL, w->x, w->y));
}
static act_status log_softmax_back(const struct work *w)
{
    return act_log_softmax_backward(w->type, 0, shape_of(w), NULL, w->y, w->grad, w->out);
}
static act_status logsumexp(const struct work *w)
{
    return act_logsumexp(w->type, 0, shape_of(w), NULL, w->x, w->out);
}

static void labels(const struct work *w)
{
    int64_t *index = side(w, 0);
    for (size_t i = 0; i < w->n / w->row; i++)
        index[i] = (int64_t)(i % w->row);
}
static act_status cross_entropy(const struct work *w)
{
    const act_targets t = {.struct_size = sizeof t, .index = side(w, 0), .ignore = -1};
    return act_cross_entropy(w->type, 0, shape_of(w), &t, w->x, w->out, NULL);
}
static act_status cross_entropy_back(const struct work *w)
{
    const act_targets t = {.struct_size = sizeof t, .index = side(w, 0), .ignore = -1};
    return act_cross_entropy(w->type, 0, shape_of(w), &t, w->x, side(w, 1), w->out);
}

/* ---- gated units, bias --------------------------------------------------------------------- */

/* x is [rows][gate | up] */
static act_gate halves(const struct work *w)
{
    return (act_gate){.rows = w->n / w->row, .cols = w->row / 2, .row = w->row, .step = 1};
}
static act_status gated(const struct work *w)
{
    const act_gate g = halves(w);
    return act_gated_forward(w->type, 0, w->kind, NULL, &g, w->x,
                             (const char *)w->x + g.cols * elem_size(w->type), w->out);
}
static act_status gated_back(const struct work *w)
{
    const act_gate g = halves(w);
    const size_t half = g.cols * elem_size(w->type);
    return act_gated_backward(w->type, 0, w->kind, NULL, &g, w->x, (const char *)w->x + half,
                              w->grad, w->out, (char *)w->out + half);
}

static void bias_ready(const struct work *w)
{
    for (size_t c = 0; c < w->row; c++)
        put(w, 0, c, (double)(c % 8) / 8 - 0.5);
}
static act_status bias(const struct work *w)
{
    return act_bias_forward(w->type, 0, w->kind, NULL, shape_of(w), side(w, 0), w->x, w->out);
}
static act_status bias_back(const struct work *w)
{
    return act_bias_backward(w->type, 0, w->kind, NULL, shape_of(w), side(w, 0), w->x, w->grad,
                             w->out, side(w, 1));
}

/* ---- learnable parameters ------------------------------------------------------------------ */

/* apl: two hinges */
static size_t theta_rows(act_kind kind)
{
    act_kind_info info = {.struct_size = sizeof info};
    must(act_kind_describe(kind, &info));
    return info.learnable < 0 ? PIECES : (size_t)info.learnable;
}
/* The defaults. */
static void theta_ready(const struct work *w)
{
    double value[PIECES] = {0.2, -0.1, 0.5, -0.5};
    act_kind_info info = {.struct_size = sizeof info};
    must(act_kind_describe(w->kind, &info));
    const act_params *p = &info.defaults;
    const double fields[PIECES] = {p->alpha, p->beta, p->gamma, p->delta};
    for (int i = 0, j = 0; i < info.param_count; i++)
        if (info.param_name[i])
            value[j++] = fields[i];
    const size_t axis = shape_of(w).axis;
    for (size_t j = 0; j < theta_rows(w->kind); j++)
        put_all(w, 0, j * axis, axis, value[j]);
}
static act_status theta(const struct work *w)
{
    return act_theta_forward(w->type, 0, w->kind, shape_of(w), theta_rows(w->kind), side(w, 0),
                             w->x, w->out);
}
static act_status theta_back(const struct work *w)
{
    return act_theta_backward(w->type, 0, w->kind, shape_of(w), theta_rows(w->kind), side(w, 0),
                              w->x, w->grad, w->out, NULL);
}
static act_status theta_all(const struct work *w)
{
    return act_theta_backward(w->type, 0, w->kind, shape_of(w), theta_rows(w->kind), side(w, 0),
                              w->x, w->grad, w->out, side(w, 1));
}

static act_status rrelu(const struct work *w)
{
    return act_rrelu_forward(w->type, 0, 1. / 8, 1. / 3, 1, 0, w->x, w->out, w->n);
}
static act_status rrelu_back(const struct work *w)
{
    return act_rrelu_backward(w->type, 0, 1. / 8, 1. / 3, 1, 0, w->x, w->grad, w->out, w->n);
}

/* ---- the largest of several ---------------------------------------------------------------- */

static act_status maxout(const struct work *w)
{
    return act_maxout_forward(w->type, 0, shape_of(w), w->x, w->out, w->y);
}
static void maxout_ready(const struct work *w)
{
    must(maxout(w));
}
static act_status maxout_back(const struct work *w)
{
    return act_maxout_backward(w->type, 0, shape_of(w), w->y, w->grad, w->out);
}

static void dyrelu_ready(const struct work *w)
{
    const double slope[PIECES] = {1, 0, 1.5, -0.25}, offset[PIECES] = {0, 0, -0.5, -1};
    const size_t planes = w->n / w->row;
    for (size_t k = 0; k < PIECES; k++) {
        put_all(w, 0, k * planes, planes, slope[k]);
        put_all(w, 1, k * planes, planes, offset[k]);
    }
}
static act_status dyrelu_of(const struct work *w, size_t pieces)
{
    return act_dyrelu_forward(w->type, 0, shape_of(w), pieces, side(w, 0), side(w, 1), w->x,
                              w->out);
}
static act_status dyrelu_back_of(const struct work *w, size_t pieces)
{
    return act_dyrelu_backward(w->type, 0, shape_of(w), pieces, side(w, 0), side(w, 1), w->x,
                               w->grad, w->out, side(w, 2), side(w, 3));
}
static act_status dyrelu(const struct work *w)
{
    return dyrelu_of(w, 2);
}
static act_status dyrelu_back(const struct work *w)
{
    return dyrelu_back_of(w, 2);
}
static act_status dyrelu4(const struct work *w)
{
    return dyrelu_of(w, PIECES);
}
static act_status dyrelu4_back(const struct work *w)
{
    return dyrelu_back_of(w, PIECES);
}

/* A row is a plane, 64 wide or the most below that divides it. */
static act_image image_of(const struct work *w)
{
    size_t width = 64;
    while (w->row % width)
        width--;
    return (act_image){1, w->n / w->row, w->row / width, width, 3, 3};
}
static void frelu_ready(const struct work *w)
{
    const size_t channels = w->n / w->row;
    put_all(w, 0, 0, WINDOW * channels, 0.1);
    put_all(w, 1, 0, channels, -0.1);
}
static act_status frelu(const struct work *w)
{
    const act_image m = image_of(w);
    return act_frelu_forward(w->type, 0, &m, side(w, 0), side(w, 1), w->x, w->out);
}
static act_status frelu_back(const struct work *w)
{
    const act_image m = image_of(w);
    return act_frelu_backward(w->type, 0, &m, side(w, 0), side(w, 1), w->x, w->grad, w->out,
                              side(w, 2), side(w, 3));
}

/* ---- norms ----------------------------------------------------------------------------------
 * side:
 * gamma, beta, mean, rstd, dgamma, dbeta */

#define EPS 1e-5

static act_status norm(const struct work *w)
{
    return act_norm_forward(w->type, 0, w->kind, NULL, shape_of(w), 0, EPS, side(w, 0), side(w, 1),
                            w->x, w->out, side(w, 2), side(w, 3));
}
static act_status normed(const struct work *w)
{
    return act_normed_forward(w->type, 0, w->kind, NULL, shape_of(w), 0, EPS, side(w, 0),
                              side(w, 1), w->x, w->out, side(w, 2), side(w, 3));
}
static void norm_params(const struct work *w)
{
    for (size_t c = 0; c < w->row; c++) {
        put(w, 0, c, 1 + (double)(c % 8) / 16);
        put(w, 1, c, (double)(c % 4) / 4);
    }
}
static void norm_ready(const struct work *w)
{
    norm_params(w);
    must(norm(w));
}
static void normed_ready(const struct work *w)
{
    norm_params(w);
    must(normed(w));
}
static act_status norm_back(const struct work *w)
{
    return act_norm_backward(w->type, 0, w->kind, NULL, shape_of(w), 0, side(w, 0), w->x,
                             side(w, 2), side(w, 3), w->grad, w->out, NULL, NULL);
}
static act_status norm_all(const struct work *w)
{
    return act_norm_backward(w->type, 0, w->kind, NULL, shape_of(w), 0, side(w, 0), w->x,
                             side(w, 2), side(w, 3), w->grad, w->out, side(w, 4), side(w, 5));
}
static act_status normed_all(const struct work *w)
{
    return act_normed_backward(w->type, 0, w->kind, NULL, shape_of(w), 0, side(w, 0), side(w, 1),
                               w->x, side(w, 2), side(w, 3), w->grad, w->out, side(w, 4),
                               side(w, 5));
}

static act_status stats(const struct work *w)
{
    act_stats s = {0};
    return act_stats_add(w->type, 0, w->kind, NULL, w->x, w->n, &s);
}

/* ---- the list ------------------------------------------------------------------------------ */

#define LEARNABLE "prelu,elu,celu,swish,softplus,scaled_tanh,swish_linear,acon_c,srelu,apl"
#define F         OP_FORWARD
#define B         OP_BACKWARD

/* name, operation, shape, arrays and bytes of traffic, results, kinds, call, what comes before it
 */
const struct structured structured_list[] = {
    {"softmax", F, SHAPE_ROWS, 2, 0, OUT_ALL, NULL, softmax, NULL},
    {"softmax", B, SHAPE_ROWS, 3, 0, OUT_ALL, NULL, softmax_back, softmax_ready},
    {"softmax_first", F, SHAPE_COLUMNS, 2, 0, OUT_ALL, NULL, softmax, NULL},
    {"softmax_first", B, SHAPE_COLUMNS, 3, 0, OUT_ALL, NULL, softmax_back, softmax_ready},
    {"log_softmax", F, SHAPE_ROWS, 2, 0, OUT_ALL, NULL, log_softmax, NULL},
    {"log_softmax", B, SHAPE_ROWS, 3, 0, OUT_ALL, NULL, log_softmax_back, log_softmax_ready},
    {"logsumexp", F, SHAPE_ROWS, 1, 0, OUT_ROWS, NULL, logsumexp, NULL},
    {"cross_entropy", F, SHAPE_ROWS, 1, 0, OUT_ROWS, NULL, cross_entropy, labels},
    {"cross_entropy", B, SHAPE_ROWS, 2, 0, OUT_ALL, NULL, cross_entropy_back, labels},
    {"gated", F, SHAPE_ROWS, 1.5, 0, OUT_HALF, "silu", gated, NULL},
    {"gated", B, SHAPE_ROWS, 2.5, 0, OUT_ALL, "silu", gated_back, NULL},
    {"bias", F, SHAPE_ROWS, 2, 0, OUT_ALL, "silu", bias, bias_ready},
    {"bias", B, SHAPE_ROWS, 3, 0, OUT_ALL, "silu", bias_back, bias_ready},
    {"theta", F, SHAPE_SHARED, 2, 0, OUT_ALL, LEARNABLE, theta, theta_ready},
    {"theta", B, SHAPE_SHARED, 3, 0, OUT_ALL, LEARNABLE, theta_back, theta_ready},
    {"theta_all", B, SHAPE_SHARED, 3, 0, OUT_ALL, LEARNABLE, theta_all, theta_ready},
    {"theta_channels", F, SHAPE_ROWS, 2, 0, OUT_ALL, LEARNABLE, theta, theta_ready},
    {"theta_channels", B, SHAPE_ROWS, 3, 0, OUT_ALL, LEARNABLE, theta_all, theta_ready},
    {"rrelu_training", F, SHAPE_SHARED, 2, 0, OUT_ALL, NULL, rrelu, NULL},
    {"rrelu_training", B, SHAPE_SHARED, 3, 0, OUT_ALL, NULL, rrelu_back, NULL},
    {"maxout", F, SHAPE_PIECES, 1.25, 1, OUT_QUARTER, NULL, maxout, NULL},
    {"maxout", B, SHAPE_PIECES, 1.25, 1, OUT_ALL, NULL, maxout_back, maxout_ready},
    {"dyrelu", F, SHAPE_PLANES, 2, 0, OUT_ALL, NULL, dyrelu, dyrelu_ready},
    {"dyrelu", B, SHAPE_PLANES, 3, 0, OUT_ALL, NULL, dyrelu_back, dyrelu_ready},
    {"dyrelu4", F, SHAPE_PLANES, 2, 0, OUT_ALL, NULL, dyrelu4, dyrelu_ready},
    {"dyrelu4", B, SHAPE_PLANES, 3, 0, OUT_ALL, NULL, dyrelu4_back, dyrelu_ready},
    {"frelu", F, SHAPE_PLANES, 2, 0, OUT_ALL, NULL, frelu, frelu_ready},
    {"frelu", B, SHAPE_PLANES, 3, 0, OUT_ALL, NULL, frelu_back, frelu_ready},
    {"norm", F, SHAPE_ROWS, 2, 0, OUT_ALL, "identity,silu", norm, norm_params},
    {"norm", B, SHAPE_ROWS, 3, 0, OUT_ALL, "identity,silu", norm_back, norm_ready},
    {"norm_all", B, SHAPE_ROWS, 3, 0, OUT_ALL, "identity,silu", norm_all, norm_ready},
    {"norm_first", F, SHAPE_COLUMNS, 2, 0, OUT_ALL, "identity,silu", norm, norm_params},
    {"norm_first", B, SHAPE_COLUMNS, 3, 0, OUT_ALL, "identity,silu", norm_all, norm_ready},
    {"normed", F, SHAPE_ROWS, 2, 0, OUT_ALL, "silu", normed, norm_params},
    {"normed", B, SHAPE_ROWS, 3, 0, OUT_ALL, "silu", normed_all, normed_ready},
    {"stats", F, SHAPE_SHARED, 1, 0, OUT_NONE, "relu", stats, NULL},
};
const size_t structured_count = sizeof structured_list / sizeof structured_list[0];

/* Those of --kind that the function has, else its own; -1 where it takes none. */
int structured_kinds(const struct structured *f, const struct options *o,
                     act_kind kinds[KIND_LIMIT])
{
    const int learnable = f->run == theta || f->run == theta_back || f->run == theta_all;
    int count = 0;
    if (!f->kinds) {
        kinds[count++] = -1;
    } else if (o->kinds_given) {
        for (act_kind kind = 0; kind < act_kind_count(); kind++)
            if (o->kinds[kind] && (!learnable || theta_rows(kind) > 0))
                kinds[count++] = kind;
    } else {
        char names[128], *rest = names;
        snprintf(names, sizeof names, "%s", f->kinds);
        for (char *name; (name = strsep(&rest, ",")) != NULL;)
            kinds[count++] = act_kind_from_name(name);
    }
    return count;
}

size_t structured_results(const struct structured *f, size_t n, size_t row)
{
    const size_t results[] = {
        [OUT_ALL] = n, [OUT_HALF] = n / 2, [OUT_QUARTER] = n / 4, [OUT_ROWS] = n / row};
    return f->out == OUT_NONE ? 0 : results[f->out];
}
