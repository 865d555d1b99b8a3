/* Dynamic ReLU: act_dyrelu_forward, act_dyrelu_backward. The largest piece so far of a chunk stays
 * in the first cache while the pieces go by. */
#include "src/parallel.h"
#include "src/wide.h"

#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* Scratch: five arrays of a chunk, 10 KiB of doubles, and 2 KiB of widened elements, or of floats
 * 5 and 2 KiB, with 4 KiB of sums. Planes of fewer than SHORT elements go several at once. The
 * sums of GROUP pieces are taken side by side. */
enum {
    CHUNK = 256,
    SHORT = 16,
    LANES = 16,
    GROUP = 8,
    MOST_PIECES = 1 << 15,
    ROOM = (CHUNK + 16) * sizeof(double) /* for whole vectors */
};

struct dyrelu {
    const struct act_dyrelu_row *loops;
    struct act_wide wide;
    size_t pieces, planes, inner;
    const char *a, *b, *in, *grad_out;
    char *out, *da, *db; /* out: grad_in of a backward call */
    int accumulate;
};

struct buffers {
    _Alignas(64) char best[ROOM], which[ROOM], slope[ROOM], a[ROOM], b[ROOM];
    _Alignas(64) char x[CHUNK * sizeof(float)], g[CHUNK * sizeof(float)];
};

/* Elements of whole planes, or of a part of one. */
struct chunk {
    size_t at, n, plane, planes;
};

static const char *fetch(const struct dyrelu *m, const char *array, const struct chunk *c,
                         char *buffer)
{
    const char *from = array + c->at * m->wide.size;
    if (!m->wide.convert)
        return from;
    act_widen(&m->wide, from, (float *)(void *)buffer, c->n);
    return buffer;
}

static size_t param_at(const struct dyrelu *m, size_t k, size_t plane)
{
    return (k * m->planes + plane) * m->wide.work;
}

/* Parameters of a chunk of several planes of several elements, one for each element. */
static const char *spread(const struct dyrelu *m, const char *param, const struct chunk *c,
                          size_t k, char *buffer)
{
    const char *p = param + param_at(m, k, c->plane);
    if (m->inner == 1 || c->planes == 1)
        return p;
    m->loops->spread(p, c->planes, m->inner, buffer);
    return buffer;
}

static void choose(const struct dyrelu *m, const struct chunk *c, struct buffers *b, const char *x,
                   int with_slope)
{
    const int each = m->inner == 1 || c->planes > 1;
    for (size_t k = 0; k < m->pieces; k++)
        m->loops->piece(x, spread(m, m->a, c, k, b->a), spread(m, m->b, c, k, b->b), each, c->n, k,
                        b->best, with_slope ? b->which : NULL, b->slope);
}

static void forward_chunk(const struct dyrelu *m, const struct chunk *c, struct buffers *b)
{
    const char *const x = fetch(m, m->in, c, b->x);
    const int each = m->inner == 1;
    if (m->pieces == 2 && (each || c->planes == 1)) {
        const size_t at = param_at(m, 0, c->plane);
        char *const y = m->wide.convert ? b->best : m->out + c->at * m->wide.size;
        m->loops->two(x, m->a + at, m->b + at, m->planes, each, c->n, y);
        if (!m->wide.convert)
            return;
    } else {
        choose(m, c, b, x, 0);
    }
    act_deliver(&m->wide, b->best, m->out + c->at * m->wide.size, c->n);
}

/* How many planes are in the chunk that begins with `plane`, of `rest`. */
static size_t planes_at_once(const struct dyrelu *m, size_t rest)
{
    const size_t most = m->inner < SHORT ? CHUNK / m->inner : 1;
    return rest < most ? rest : most;
}

static void forward_part(const void *job, size_t first, size_t count)
{
    const struct dyrelu *m = job;
    struct buffers b;
    for (size_t p = first; p < first + count;) {
        const size_t planes = planes_at_once(m, first + count - p), n = planes * m->inner;
        for (size_t i = 0; i < n; i += CHUNK) {
            const struct chunk c = {p * m->inner + i, n - i < CHUNK ? n - i : CHUNK, p, planes};
            forward_chunk(m, &c, &b);
        }
        p += planes;
    }
}

/* ---- backward -------------------------------------------------------------------------------- */

static void store(const struct dyrelu *m, size_t k, size_t plane, size_t planes,
                  const double *product, const double *sum)
{
    const size_t at = param_at(m, k, plane);
    if (m->da)
        act_store_sums(&m->wide, product, m->da + at, planes, m->accumulate);
    if (m->db)
        act_store_sums(&m->wide, sum, m->db + at, planes, m->accumulate);
}

static void write_gradient(const struct dyrelu *m, const struct chunk *c, struct buffers *b,
                           const char *x, const char *g)
{
    if (!m->out)
        return;
    char *const d = m->out + c->at * m->wide.size;
    m->loops->gradient(x, b->slope, g, c->n, m->wide.convert ? b->best : d);
    if (m->wide.convert)
        act_narrow(&m->wide, (const float *)(const void *)b->best, d, c->n);
}

/* Short planes, all in one chunk. */
static void backward_planes(const struct dyrelu *m, struct buffers *b, size_t plane, size_t planes)
{
    const struct chunk c = {plane * m->inner, planes * m->inner, plane, planes};
    const char *const x = fetch(m, m->in, &c, b->x), *const g = fetch(m, m->grad_out, &c, b->g);
    double product[CHUNK], sum[CHUNK];
    choose(m, &c, b, x, 1);
    if (m->da || m->db)
        for (size_t k = 0; k < m->pieces; k++) {
            m->loops->channels(x, g, b->which, planes, m->inner, k, product, sum);
            store(m, k, plane, planes, product, sum);
        }
    write_gradient(m, &c, b, x, g);
}

/* One plane of two pieces. */
static void backward_two(const struct dyrelu *m, struct buffers *b, size_t plane)
{
    const size_t at = param_at(m, 0, plane);
    double sums[4][LANES] = {{0}}, total[4];
    for (size_t i = 0; i < m->inner; i += CHUNK) {
        const size_t n = m->inner - i < CHUNK ? m->inner - i : CHUNK;
        const struct chunk c = {plane * m->inner + i, n, plane, 1};
        char *const d = m->out ? m->out + c.at * m->wide.size : NULL;
        m->loops->two_gradients(fetch(m, m->in, &c, b->x), fetch(m, m->grad_out, &c, b->g),
                                m->a + at, m->b + at, m->planes, n,
                                d && m->wide.convert ? b->best : d, sums[0]);
        if (d && m->wide.convert)
            act_narrow(&m->wide, (const float *)(const void *)b->best, d, n);
    }
    for (int k = 0; k < 4; k++)
        total[k] = m->loops->total(sums[k]);
    store(m, 0, plane, 1, &total[0], &total[2]);
    store(m, 1, plane, 1, &total[1], &total[3]);
}

/* One plane, once for each group of pieces. The last time grad_in is written, which may be an
 * input. */
static void backward_plane(const struct dyrelu *m, struct buffers *b, size_t plane)
{
    size_t first = m->da || m->db ? 0 : (m->pieces - 1) / GROUP * GROUP;
    for (; first < m->pieces; first += GROUP) {
        const size_t rest = m->pieces - first, count = rest < GROUP ? rest : GROUP;
        double product[GROUP][LANES] = {{0}}, sum[GROUP][LANES] = {{0}};
        for (size_t i = 0; i < m->inner; i += CHUNK) {
            const size_t n = m->inner - i < CHUNK ? m->inner - i : CHUNK;
            const struct chunk c = {plane * m->inner + i, n, plane, 1};
            const char *const x = fetch(m, m->in, &c, b->x);
            const char *const g = fetch(m, m->grad_out, &c, b->g);
            choose(m, &c, b, x, 1);
            if (m->da || m->db)
                for (size_t k = 0; k < count; k++)
                    m->loops->sums(x, g, b->which, n, first + k, product[k], sum[k]);
            if (first + count == m->pieces)
                write_gradient(m, &c, b, x, g);
        }
        for (size_t k = 0; k < count; k++) {
            const double p = m->loops->total(product[k]), s = m->loops->total(sum[k]);
            store(m, first + k, plane, 1, &p, &s);
        }
    }
}

static void backward_part(const void *job, size_t first, size_t count)
{
    const struct dyrelu *m = job;
    struct buffers b;
    for (size_t p = first; p < first + count;) {
        const size_t planes = planes_at_once(m, first + count - p);
        if (m->inner < SHORT)
            backward_planes(m, &b, p, planes);
        else if (m->pieces == 2)
            backward_two(m, &b, p);
        else
            backward_plane(m, &b, p);
        p += planes;
    }
}

/* ---- the calls ------------------------------------------------------------------------------- */

static act_status check(act_dtype t, unsigned flags, unsigned allowed, act_shape s, size_t pieces,
                        struct dyrelu *m, size_t *n, size_t *params)
{
    struct act_choice choice;
    const act_status status = act_wide_check(t, flags, allowed, &choice, &m->wide);
    if (status != ACT_OK)
        return status;
    if (pieces == 0 || pieces > MOST_PIECES)
        return ACT_ERR_PARAM;
    if (!act_count(s.outer, s.axis, s.inner, m->wide.work, n) ||
        !act_count(pieces, s.outer, s.axis, m->wide.work, params))
        return ACT_ERR_SIZE;
    m->loops = act_tables[choice.isa]->dyrelu[m->wide.compute];
    m->pieces = pieces;
    m->planes = s.outer * s.axis;
    m->inner = s.inner;
    m->accumulate = (flags & ACT_ACCUMULATE) != 0;
    return ACT_OK;
}

static void run(void (*part)(const void *, size_t, size_t), const struct dyrelu *m, unsigned flags)
{
    if (flags & ACT_SERIAL)
        part(m, 0, m->planes);
    else
        act_run_parts(part, m, m->planes, m->inner);
}

act_status act_dyrelu_forward(act_dtype t, unsigned flags, act_shape s, size_t pieces,
                              const void *a, const void *b, const void *in, void *out)
{
    struct dyrelu m = {.a = a, .b = b, .in = in, .out = out};
    size_t n, params;
    const act_status status =
        check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL, s, pieces, &m, &n, &params);
    if (status != ACT_OK || n == 0)
        return status;
    if (!a || !b || !in || !out)
        return ACT_ERR_NULL;
    const struct act_span x = {in, n * m.wide.size}, y = {out, n * m.wide.size},
                          va = {a, params * m.wide.work}, vb = {b, params * m.wide.work};
    if (!act_spans_same_or_disjoint(x, y) || !act_spans_disjoint(va, y) ||
        !act_spans_disjoint(vb, y))
        return ACT_ERR_OVERLAP;
    run(forward_part, &m, flags);
    return ACT_OK;
}

/* Empty planes: their sums are 0. */
static void no_terms(const struct dyrelu *m)
{
    const double zero = 0;
    for (size_t k = 0; k < m->pieces; k++)
        for (size_t p = 0; p < m->planes; p++)
            store(m, k, p, 1, &zero, &zero);
}

act_status act_dyrelu_backward(act_dtype t, unsigned flags, act_shape s, size_t pieces,
                               const void *a, const void *b, const void *in, const void *grad_out,
                               void *grad_in, void *da, void *db)
{
    struct dyrelu m = {
        .a = a, .b = b, .in = in, .grad_out = grad_out, .out = grad_in, .da = da, .db = db};
    size_t n, params;
    const act_status status =
        check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL | ACT_ACCUMULATE, s, pieces, &m, &n, &params);
    if (status != ACT_OK || m.planes == 0)
        return status;
    if (n == 0) {
        no_terms(&m);
        return ACT_OK;
    }
    if (!a || !b || !in || !grad_out)
        return ACT_ERR_NULL;
    const struct act_span x = {in, n * m.wide.size}, g = {grad_out, n * m.wide.size},
                          d = {grad_in, n * m.wide.size};
    const struct act_span inputs[] = {{a, params * m.wide.work}, {b, params * m.wide.work}, x, g};
    const struct act_span sums[] = {{da, params * m.wide.work}, {db, params * m.wide.work}};
    if (grad_in && (!act_spans_same_or_disjoint(x, d) || !act_spans_same_or_disjoint(g, d)))
        return ACT_ERR_OVERLAP;
    for (int i = 0; i < 2; i++)
        if (!act_spans_disjoint(inputs[i], d) || !act_spans_disjoint(sums[i], d))
            return ACT_ERR_OVERLAP;
    for (int i = 0; i < 4; i++)
        if (!act_spans_disjoint(inputs[i], sums[0]) || !act_spans_disjoint(inputs[i], sums[1]))
            return ACT_ERR_OVERLAP;
    if (!act_spans_disjoint(sums[0], sums[1]))
        return ACT_ERR_OVERLAP;
    run(backward_part, &m, flags);
    return ACT_OK;
}
