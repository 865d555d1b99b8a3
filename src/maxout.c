/* Maxout: act_maxout_forward, act_maxout_backward. The best piece so far of a block of outputs
 * stays in the first cache while the pieces go by. */
#include "src/parallel.h"
#include "src/wide.h"

#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* Outputs at once, with 12 KiB of scratch. Of short rows (inner < SHORT) the inputs of a block are
 * gone through once for each piece and have to stay in the first cache: NEAR elements. A row of
 * LONG pieces or more is 512 columns. */
enum { BLOCK = 512, NEAR = 4096, SHORT = 64, LONG = 2048 };

struct maxout {
    const struct act_maxout_row *loops;
    struct act_wide wide;
    act_shape shape;
    const char *in, *grad_out;
    char *out, *grad_in;
    const int32_t *routes;
    int32_t *arg;
};

struct block {
    _Alignas(64) char best[BLOCK * sizeof(double)], taken[BLOCK * sizeof(double)];
    float piece[BLOCK];
    int32_t arg[BLOCK];
};

static void visit(const struct maxout *m, struct block *b, const char *x, size_t k, size_t n)
{
    if (m->wide.convert) {
        act_widen(&m->wide, x, b->piece, n);
        x = (const char *)b->piece;
    }
    if (k == 0)
        m->loops->first(x, b->best, b->arg, n);
    else
        m->loops->more(x, (int32_t)k, b->best, b->arg, n);
}

static void store(const struct maxout *m, struct block *b, size_t at, size_t n)
{
    char *const y = m->out + at * m->wide.size;
    if (m->wide.convert)
        act_narrow(&m->wide, (const float *)(const void *)b->best, y, n);
    else
        m->loops->store(b->best, y, n);
    if (m->arg)
        memcpy(m->arg + at, b->arg, n * sizeof *b->arg);
}

/* Element l of best as it is computed. */
static double best_at(const struct maxout *m, const struct block *b, size_t l)
{
    float single;
    double value;
    if (m->wide.compute == ACT_F64) {
        memcpy(&value, b->best + l * sizeof value, sizeof value);
        return value;
    }
    memcpy(&single, b->best + l * sizeof single, sizeof single);
    return (double)single;
}

/* One row of many pieces: element k is in column k % BLOCK; then the columns' best. */
static void forward_row(const struct maxout *m, struct block *b, size_t o)
{
    const size_t axis = m->shape.axis, size = m->wide.size;
    const char *const x = m->in + o * axis * size;
    for (size_t k = 0; k < axis; k += BLOCK)
        visit(m, b, x + k * size, k / BLOCK, axis - k < BLOCK ? axis - k : BLOCK);
    size_t best = 0, at = 0;
    for (size_t l = 0; l < BLOCK; l++) {
        const double a = best_at(m, b, l), old = best_at(m, b, best);
        const size_t k = (size_t)b->arg[l] * BLOCK + l;
        const int both_nan = a != a && old != old;
        if (l == 0 || a > old || (a != a && old == old) || ((a == old || both_nan) && k < at))
            best = l, at = k;
    }
    memmove(b->best, b->best + best * m->wide.work, m->wide.work);
    b->arg[0] = (int32_t)at;
    store(m, b, o, 1);
}

/* Of rows [first, first + count) of the outer index. */
static void forward_short(const void *job, size_t first, size_t count)
{
    const struct maxout *m = job;
    const size_t inner = m->shape.inner, row = m->shape.axis * inner, size = m->wide.size;
    size_t most = row < NEAR ? NEAR / row : 1;
    if (most * inner < 16)
        most = 16 / inner;
    if (most * inner > BLOCK)
        most = BLOCK / inner;
    struct block b;
    if (inner == 1 && row >= LONG) {
        for (size_t o = first; o < first + count; o++)
            forward_row(m, &b, o);
        return;
    }
    for (size_t o = first; o < first + count; o += most) {
        const size_t rest = first + count - o, rows = rest < most ? rest : most;
        for (size_t k = 0; k < m->shape.axis; k++) {
            m->loops->gather(m->in + (o * row + k * inner) * size, size, row, rows, inner, b.taken);
            visit(m, &b, b.taken, k, rows * inner);
        }
        store(m, &b, o * inner, rows * inner);
    }
}

/* Of outputs [first, first + count): BLOCK at most, and of one outer index. */
#define FOR_BLOCKS(i, n, ...)                                                                      \
    for (size_t i = first, n; i < first + count; i += n) {                                         \
        const size_t rest = first + count - i, row = m->shape.inner - i % m->shape.inner;          \
        n = rest < row ? rest : row;                                                               \
        n = n < BLOCK ? n : BLOCK;                                                                 \
        __VA_ARGS__                                                                                \
    }

/* Where piece k of output i is. */
static size_t input_of(const struct maxout *m, size_t i, size_t k)
{
    const size_t inner = m->shape.inner;
    return ((i / inner * m->shape.axis + k) * inner + i % inner) * m->wide.size;
}

static void forward_long(const void *job, size_t first, size_t count)
{
    const struct maxout *m = job;
    struct block b;
    FOR_BLOCKS(i, n, {
        for (size_t k = 0; k < m->shape.axis; k++)
            visit(m, &b, m->in + input_of(m, i, k), k, n);
        store(m, &b, i, n);
    })
}

static void backward_short(const void *job, size_t first, size_t count)
{
    const struct maxout *m = job;
    const size_t at = first * m->shape.inner, size = m->wide.size;
    m->loops->scatter(m->routes + at, m->grad_out + at * size, size, count, m->shape.axis,
                      m->shape.inner, m->grad_in + at * m->shape.axis * size);
}

static void backward_long(const void *job, size_t first, size_t count)
{
    const struct maxout *m = job;
    FOR_BLOCKS(i, n, {
        for (size_t k = 0; k < m->shape.axis; k++)
            m->loops->route(m->routes + i, m->grad_out + i * m->wide.size, m->wide.size, n,
                            (int32_t)k, m->grad_in + input_of(m, i, k));
    })
}

/* *inputs and *outputs: elements, 0 for an empty shape. */
static act_status check(act_dtype t, unsigned flags, act_shape s, struct maxout *m, size_t *inputs,
                        size_t *outputs)
{
    struct act_choice choice;
    const act_status status =
        act_wide_check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL, &choice, &m->wide);
    if (status != ACT_OK)
        return status;
    const size_t size = m->wide.size > sizeof(int32_t) ? m->wide.size : sizeof(int32_t);
    if (!act_count(s.outer, s.axis, s.inner, m->wide.size, inputs) ||
        !act_count(s.outer, 1, s.inner, size, outputs) || s.axis > INT32_MAX)
        return ACT_ERR_SIZE;
    m->loops = act_tables[choice.isa]->maxout[m->wide.compute];
    m->shape = s;
    return ACT_OK;
}

typedef void part_fn(const void *job, size_t first, size_t count);

static void run(part_fn *of_rows, part_fn *of_outputs, const struct maxout *m, unsigned flags)
{
    const act_shape s = m->shape;
    const int rows = s.inner < SHORT;
    part_fn *const part = rows ? of_rows : of_outputs;
    const size_t count = rows ? s.outer : s.outer * s.inner;
    if (flags & ACT_SERIAL)
        part(m, 0, count);
    else
        act_run_parts(part, m, count, rows ? s.axis * s.inner : s.axis);
}

act_status act_maxout_forward(act_dtype t, unsigned flags, act_shape s, const void *in, void *out,
                              int32_t *arg)
{
    struct maxout m = {.in = in, .out = out, .arg = arg};
    size_t inputs, outputs;
    const act_status status = check(t, flags, s, &m, &inputs, &outputs);
    if (status != ACT_OK || inputs == 0)
        return status;
    if (!in || !out)
        return ACT_ERR_NULL;
    const struct act_span x = {in, inputs * m.wide.size}, y = {out, outputs * m.wide.size},
                          k = {arg, outputs * sizeof *arg};
    if (!act_spans_same_or_disjoint(x, y) || !act_spans_disjoint(k, x) || !act_spans_disjoint(k, y))
        return ACT_ERR_OVERLAP;
    run(forward_short, forward_long, &m, flags);
    return ACT_OK;
}

act_status act_maxout_backward(act_dtype t, unsigned flags, act_shape s, const int32_t *arg,
                               const void *grad_out, void *grad_in)
{
    struct maxout m = {.routes = arg, .grad_out = grad_out, .grad_in = grad_in};
    size_t inputs, outputs;
    const act_status status = check(t, flags, s, &m, &inputs, &outputs);
    if (status != ACT_OK || inputs == 0)
        return status;
    if (!arg || !grad_out || !grad_in)
        return ACT_ERR_NULL;
    const struct act_span d = {grad_in, inputs * m.wide.size},
                          g = {grad_out, outputs * m.wide.size}, k = {arg, outputs * sizeof *arg};
    if (!act_spans_same_or_disjoint(g, d) || !act_spans_disjoint(k, d))
        return ACT_ERR_OVERLAP;
    run(backward_short, backward_long, &m, flags);
    return ACT_OK;
}
