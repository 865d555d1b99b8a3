/* Bias and activation in one pass: act_bias_forward, act_bias_backward. In chunks that stay in the
 * first cache; the kind's own kernel does f and f'. */
#include "src/info.h"
#include "src/parallel.h"
#include "src/wide.h"

#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* Scratch: a tile of biases and the sums x + bias, 4 KiB each, as much of f64 sums, and 3 KiB of
 * widened gradients, for chunks of fewer 16-bit elements. */
enum { BUFFER = 4096, BLOCK = BUFFER / sizeof(double) /* channels summed at once */, HALF = 768 };

struct biased {
    const struct act_row *row;
    const struct act_bias_row *loops;
    const act_params *params;
    act_shape shape;
    struct act_wide wide;
    int to_float;          /* 16-bit arrays are read, float ones written */
    size_t size, out_size; /* of an element that is read, and of one that is written */
    size_t most;           /* elements of a chunk */
    const char *bias, *in, *grad_out;
    char *out, *dbias; /* dbias NULL: forward */
    int accumulate;
};

/* [rows][channels][inner] without gaps from element at on; channel is the first. */
struct chunk {
    size_t at, rows, channel, channels, inner;
};

struct scratch {
    _Alignas(64) char tile[BUFFER], z[BUFFER];
    _Alignas(64) float gradient[HALF];
    double sums[BLOCK];
    size_t first;       /* channel of sums[0] */
    struct chunk tiled; /* what tile is for; rows 0: nothing */
};

/* The biases of a chunk, element by element. */
static const char *biases(const struct biased *b, struct scratch *s, const struct chunk *c)
{
    if (c->rows == 1 && c->inner == 1)
        return b->bias + c->channel * b->wide.work;
    /* A chunk of several channels or rows has them whole: only of one channel inner varies. */
    if (s->tiled.rows >= c->rows && s->tiled.channel == c->channel &&
        s->tiled.channels == c->channels && s->tiled.inner >= c->inner)
        return s->tile;
    const size_t bytes = c->channels * c->inner * b->wide.work;
    b->loops->spread(b->bias + c->channel * b->wide.work, c->channels, c->inner, s->tile);
    for (size_t r = 1; r < c->rows; r++)
        memcpy(s->tile + r * bytes, s->tile, bytes);
    s->tiled = *c;
    return s->tile;
}

static void run_chunk(const struct biased *b, struct scratch *s, struct chunk c)
{
    const size_t n = c.rows * c.channels * c.inner, at = c.at * b->size;
    char *const out = b->out + c.at * b->out_size;
    const int narrow = b->wide.convert && !b->to_float;
    const void *x = b->in + at, *gradient = b->dbias ? b->grad_out + at : NULL;
    if (b->wide.convert) {
        act_widen(&b->wide, x, (float *)(void *)s->z, n);
        x = s->z;
    }
    b->loops->add(x, biases(b, s, &c), s->z, n);
    if (!b->dbias) {
        void *const y = narrow ? (void *)s->z : out;
        b->row->forward(b->params, s->z, y, n);
        if (narrow)
            act_narrow(&b->wide, y, out, n);
        return;
    }
    if (b->wide.convert) {
        act_widen(&b->wide, gradient, s->gradient, n);
        gradient = s->gradient;
    }
    void *const d = narrow ? (void *)s->gradient : out;
    b->row->backward(b->params, s->z, gradient, d, n);
    b->loops->accumulate(d, c.rows, c.channels, c.inner, s->sums + (c.channel - s->first));
    if (narrow)
        act_narrow(&b->wide, d, out, n);
}

/* The part of a row from channel first to end, in chunks of whole channels or of pieces of one. */
static void run_row(const struct biased *b, struct scratch *s, size_t outer, size_t first,
                    size_t end)
{
    const size_t most = b->most, inner = b->shape.inner, start = outer * b->shape.axis;
    if (inner <= most) {
        for (size_t c = first; c < end; c += most / inner) {
            const size_t channels = end - c < most / inner ? end - c : most / inner;
            run_chunk(b, s, (struct chunk){(start + c) * inner, 1, c, channels, inner});
        }
        return;
    }
    for (size_t c = first; c < end; c++)
        for (size_t i = 0; i < inner; i += most) {
            const size_t n = inner - i < most ? inner - i : most;
            run_chunk(b, s, (struct chunk){(start + c) * inner + i, 1, c, 1, n});
        }
}

/* Channels [first, end) of rows [row, row_end); several whole rows at once if they are short. */
static void run_rows(const struct biased *b, struct scratch *s, size_t row, size_t row_end,
                     size_t first, size_t end)
{
    const act_shape shape = b->shape;
    const size_t most = b->most;
    if (row == row_end)
        return;
    if (end - first < shape.axis || shape.inner > most || shape.axis > most / shape.inner) {
        for (; row < row_end; row++)
            run_row(b, s, row, first, end);
        return;
    }
    const size_t length = shape.axis * shape.inner, step = most / length;
    for (; row < row_end; row += step) {
        const size_t rows = row_end - row < step ? row_end - row : step;
        run_chunk(b, s, (struct chunk){row * length, rows, 0, shape.axis, shape.inner});
    }
}

static void forward_part(const void *job, size_t first, size_t n)
{
    const struct biased *b = job;
    struct scratch s;
    s.tiled.rows = 0;
    run_rows(b, &s, first, first + n, 0, b->shape.axis);
}

/* Blocks of channels: a sum is one thread's. */
static void backward_part(const void *job, size_t first, size_t n)
{
    const struct biased *b = job;
    for (size_t block = first; block < first + n; block++) {
        struct scratch s;
        s.tiled.rows = 0;
        s.first = block * BLOCK;
        memset(s.sums, 0, sizeof s.sums);
        const size_t rest = b->shape.axis - s.first, channels = rest < BLOCK ? rest : BLOCK;
        run_rows(b, &s, 0, b->shape.outer, s.first, s.first + channels);
        act_store_sums(&b->wide, s.sums, b->dbias + s.first * b->wide.work, channels,
                       b->accumulate);
    }
}

static act_status check(act_dtype t, unsigned flags, unsigned allowed, act_kind k,
                        const act_params **p, act_shape s, struct biased *b)
{
    if (!act_kind_valid(k))
        return ACT_ERR_KIND;
    struct act_choice choice;
    struct act_wide wide;
    act_status status = act_wide_check(act_type_read(t), flags, allowed, &choice, &wide);
    if (status != ACT_OK)
        return status;
    status = act_check_params(k, t, p);
    if (status != ACT_OK)
        return status;
    const int to_float = act_type_read(t) != t;
    const size_t size = to_float ? sizeof(float) : wide.size;
    size_t elements;
    if (!act_count(s.outer, s.axis, s.inner, size, &elements) || s.axis > PTRDIFF_MAX / wide.work)
        return ACT_ERR_SIZE;
    const struct act_table *table = act_tables[choice.isa];
    *b = (struct biased){.row = table->row[choice.mode][wide.compute][k],
                         .loops = table->bias[wide.compute],
                         .params = *p,
                         .shape = s,
                         .wide = wide,
                         .to_float = to_float,
                         .size = wide.size,
                         .out_size = size,
                         .most = wide.convert ? HALF : BUFFER / wide.work,
                         .accumulate = (flags & ACT_ACCUMULATE) != 0};
    return ACT_OK;
}

static struct act_view array(const void *base, size_t n, size_t size)
{
    return (struct act_view){base, 1, n, n, 1, size};
}

act_status act_bias_forward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                            act_shape s, const void *bias, const void *in, void *out)
{
    struct biased b;
    const act_status status = check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL, k, &p, s, &b);
    const size_t n = s.outer * s.axis * s.inner;
    if (status != ACT_OK || n == 0)
        return status;
    if (!bias || !in || !out)
        return ACT_ERR_NULL;
    const struct act_view x = array(in, n, b.size), y = array(out, n, b.out_size),
                          v = array(bias, s.axis, b.wide.work);
    if (!act_views_same_or_disjoint(&x, &y) || !act_views_disjoint(&v, &y))
        return ACT_ERR_OVERLAP;
    b.bias = bias, b.in = in, b.out = out;
    if (flags & ACT_SERIAL)
        forward_part(&b, 0, s.outer);
    else
        act_run_parts(forward_part, &b, s.outer, s.axis * s.inner);
    return ACT_OK;
}

act_status act_bias_backward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                             act_shape s, const void *bias, const void *in, const void *grad_out,
                             void *grad_in, void *dbias)
{
    struct biased b;
    const act_status status =
        check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL | ACT_ACCUMULATE, k, &p, s, &b);
    const size_t n = s.outer * s.axis * s.inner;
    if (status != ACT_OK || s.axis == 0)
        return status;
    if (!dbias || (n && (!bias || !in || !grad_out || !grad_in)))
        return ACT_ERR_NULL;
    const struct act_view x = array(in, n, b.size), g = array(grad_out, n, b.size),
                          d = array(grad_in, n, b.out_size), v = array(bias, s.axis, b.wide.work),
                          dv = array(dbias, s.axis, b.wide.work);
    if (n && (!act_views_same_or_disjoint(&x, &d) || !act_views_same_or_disjoint(&g, &d) ||
              !act_views_disjoint(&v, &d) || !act_views_disjoint(&dv, &d) ||
              !act_views_disjoint(&dv, &x) || !act_views_disjoint(&dv, &g) ||
              !act_views_same_or_disjoint(&dv, &v)))
        return ACT_ERR_OVERLAP;
    b.bias = bias, b.in = in, b.grad_out = grad_out, b.out = grad_in, b.dbias = dbias;
    if (n == 0)
        b.shape.outer = 0; /* nothing to add up */
    const size_t blocks = (s.axis + BLOCK - 1) / BLOCK;
    if (flags & ACT_SERIAL)
        backward_part(&b, 0, blocks);
    else
        act_run_parts(backward_part, &b, blocks, n / blocks);
    return ACT_OK;
}
