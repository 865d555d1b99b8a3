/* Activation and normalisation: act_norm_* (the activation first), act_normed_* (the norm first).
 * In chunks that stay in the first cache; the kind's own kernel does f and f'. */
#include "src/info.h"
#include "src/parallel.h"
#include "src/wide.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* A chunk: 512 elements, or 2048 where no scratch is needed. With inner > 1 the columns of a tile
 * are done side by side, the more the fewer pages of 4 KiB are met again and again. Scratch: of
 * FORWARD columns three doubles, 9 KiB, and 4 KiB of chunks; of BACKWARD columns five doubles, or
 * the sums of CHANNELS, 8 KiB, and 8 KiB of chunks. */
enum { CHUNK = 512, DIRECT = 2048, CHANNELS = 256, LANES = ACT_NORM_LANES };
enum { FORWARD = 384, BACKWARD = 176 };

struct norm {
    const struct act_row *row;
    const struct act_norm_row *loops;
    struct act_wide wide;
    const act_params *params;
    act_shape shape;
    int identity, act_first, rms, accumulate;
    double eps;
    const char *gamma, *beta, *in, *grad_out, *saved_mean, *saved_rstd;
    char *out, *mean, *rstd; /* out: grad_in of a backward call */
    char *dgamma, *dbeta;
};

/* Elements [rows][width], the first at `at`, inner apart; the axis goes down. Where inner is 1 they
 * are contiguous. */
struct chunk {
    size_t at, rows, width, j; /* j: of the axis, of the first row */
};

/* Work elements and how far apart rows are. */
struct cells {
    const char *p;
    size_t stride;
};

static int contiguous(const struct norm *m, const struct chunk *c)
{
    return c->width == m->shape.inner;
}

/* The next rows are fetched while the last ones are computed: the hardware's own prefetch ends with
 * a page, which a row of 1024 floats is. */
static void prefetch(const char *p, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch(p + i, 0, 2);
}

/* The elements of an array in the type of the work: where they are, or in buffer. */
static struct cells fetch(const struct norm *m, const char *array, const struct chunk *c,
                          void *buffer)
{
    const char *from = array + c->at * m->wide.size;
    if (!m->wide.convert)
        return (struct cells){from, m->shape.inner};
    if (contiguous(m, c))
        act_widen(&m->wide, from, buffer, c->rows * c->width);
    else
        for (size_t r = 0; r < c->rows; r++)
            act_widen(&m->wide, from + r * m->shape.inner * m->wide.size,
                      (float *)buffer + r * c->width, c->width);
    return (struct cells){buffer, c->width};
}

/* Rows of buffer, width apart, to a 16-bit array. */
static void deliver(const struct norm *m, const void *buffer, char *array, const struct chunk *c)
{
    char *const to = array + c->at * m->wide.size;
    if (contiguous(m, c))
        act_narrow(&m->wide, buffer, to, c->rows * c->width);
    else
        for (size_t r = 0; r < c->rows; r++)
            act_narrow(&m->wide, (const float *)buffer + r * c->width,
                       to + r * m->shape.inner * m->wide.size, c->width);
}

/* f(x) to rows `stride` apart; with g: g f'(x). */
static void activate(const struct norm *m, const struct chunk *c, struct cells x,
                     const struct cells *g, char *to, size_t stride)
{
    const size_t work = m->wide.work;
    size_t rows = c->rows, n = c->width;
    if (x.stride == n && stride == n && (!g || g->stride == n))
        n *= rows, rows = 1;
    for (size_t r = 0; r < rows; r++) {
        const char *from = x.p + r * x.stride * work;
        char *const y = to + r * stride * work;
        if (g)
            m->row->backward(m->params, from, g->p + r * g->stride * work, y, n);
        else
            m->row->forward(m->params, from, y, n);
    }
}

/* ---- columns -------------------------------------------------------------------------------- */

/* Columns [first, first + width) of one outer index, and their statistics; one if inner is 1. */
struct tile {
    size_t outer, first, width;
    double *mean, *rstd, *sums[3]; /* sums[1] and [2]: backward */
};

/* Of a row: its sums before they are in sums[][0]. */
typedef double lanes[3][LANES];

static struct chunk chunk_at(const struct norm *m, const struct tile *t, size_t j)
{
    const int direct = m->identity && !m->wide.convert && m->shape.inner > 1;
    const size_t elements = direct ? DIRECT : CHUNK;
    const size_t most = elements / t->width, rest = m->shape.axis - j;
    return (struct chunk){(t->outer * m->shape.axis + j) * m->shape.inner + t->first,
                          rest < most ? rest : most, t->width, j};
}

/* What comes after chunk c, of rows that are not one after the other. */
static void prefetch_below(const struct norm *m, const char *array, const struct chunk *c)
{
    const size_t rest = m->shape.axis - c->j - c->rows, size = m->wide.size;
    const size_t row = m->shape.inner * size;
    if (contiguous(m, c))
        return;
    const size_t ahead = c->rows < 4 ? 4 : c->rows;
    for (size_t r = ahead; r < ahead + c->rows && r - c->rows < rest; r++)
        prefetch(array + c->at * size + r * row, c->width * size);
}
#define FOR_CHUNKS(m, t, c)                                                                        \
    for (struct chunk c = chunk_at(m, t, 0); c.j < (m)->shape.axis;                                \
         c = chunk_at(m, t, c.j + c.rows))

static const char *param(const struct norm *m, const char *p, size_t j)
{
    return p ? p + j * m->wide.work : NULL;
}

static double work_at(const struct norm *m, const char *p, size_t i)
{
    float single;
    double value;
    if (m->wide.compute == ACT_F64) {
        memcpy(&value, p + i * sizeof value, sizeof value);
        return value;
    }
    memcpy(&single, p + i * sizeof single, sizeof single);
    return (double)single;
}

static void work_to(const struct norm *m, char *p, size_t i, double value)
{
    const float single = (float)value;
    if (m->wide.compute == ACT_F64)
        memcpy(p + i * sizeof value, &value, sizeof value);
    else
        memcpy(p + i * sizeof single, &single, sizeof single);
}

/* What whole vectors of the columns read. */
static void clear(const struct tile *t, double *columns)
{
    memset(columns, 0, (t->width + LANES - 1) / LANES * LANES * sizeof *columns);
}

/* Tile i of up to `most` columns, in storage of doubles for so many: three, or five. */
static struct tile tile_of(const struct norm *m, size_t i, size_t most, double *storage, int sums)
{
    const size_t inner = m->shape.inner, tiles = (inner + most - 1) / most;
    struct tile t = {.outer = i / tiles, .first = i % tiles * most};
    t.width = inner - t.first < most ? inner - t.first : most;
    t.mean = storage, t.rstd = storage + most;
    clear(&t, t.mean), clear(&t, t.rstd);
    for (int k = 0; k < sums; k++) {
        t.sums[k] = storage + (size_t)(k + 2) * most;
        clear(&t, t.sums[k]);
    }
    return t;
}

/* ---- forward ----------------------------------------------------------------------------------
 */

struct buffers {
    _Alignas(64) char x[CHUNK * sizeof(float)], a[CHUNK * sizeof(double)];
};

/* What is normalised. `again`: it is in out from the first pass. */
static struct cells normalised(const struct norm *m, const struct chunk *c, struct buffers *b,
                               int again)
{
    if (again && !m->wide.convert && m->act_first && !m->identity)
        return (struct cells){m->out + c->at * m->wide.size, m->shape.inner};
    const struct cells x = fetch(m, m->in, c, b->x);
    if (m->identity || !m->act_first)
        return x;
    struct cells a = {b->a, c->width};
    if (!m->wide.convert)
        a = (struct cells){m->out + c->at * m->wide.size, m->shape.inner};
    activate(m, c, x, NULL, (char *)a.p, a.stride);
    return a;
}

/* Sums from a shift of the element type, which t->mean holds, or from the first elements. */
static void add_moments(const struct norm *m, struct tile *t, const struct chunk *c,
                        struct buffers *b, int again, lanes lane)
{
    const struct cells a = normalised(m, c, b, again);
    if (c->j == 0 && !again && !m->rms)
        for (size_t i = 0; i < t->width; i++)
            t->mean[i] = work_at(m, a.p, i);
    if (m->shape.inner == 1)
        m->loops->moments_row(a.p, c->rows, t->mean[0], lane[0], lane[1]);
    else
        m->loops->moments_tile(a.p, c->rows, t->width, a.stride, t->mean, t->sums[0], t->rstd);
}

static void finish_moments(const struct norm *m, struct tile *t, lanes lane)
{
    if (m->shape.inner == 1) {
        t->sums[0][0] = m->loops->total(lane[0]);
        t->rstd[0] = m->loops->total(lane[1]);
    }
    m->loops->finish(m->shape.axis, m->rms, m->eps, t->width, t->mean, t->sums[0], t->rstd);
}

static void moments(const struct norm *m, struct tile *t, struct buffers *b, int again)
{
    lanes lane = {{0}};
    FOR_CHUNKS(m, t, c)
    {
        prefetch_below(m, m->in, &c);
        add_moments(m, t, &c, b, again, lane);
    }
    finish_moments(m, t, lane);
}

static void normalise(const struct norm *m, const struct tile *t, const struct chunk *c,
                      struct buffers *b)
{
    const struct cells a = normalised(m, c, b, 1);
    const char *const gamma = param(m, m->gamma, c->j), *const beta = param(m, m->beta, c->j);
    const int last = !m->act_first && !m->identity, half = m->wide.convert != NULL;
    char *const out = half ? b->a : m->out + c->at * m->wide.size;
    const size_t stride = half ? c->width : m->shape.inner;
    char *const y = last ? b->a : out;
    const size_t y_stride = last ? c->width : stride;
    if (m->shape.inner == 1)
        m->loops->apply_row(a.p, c->rows, t->mean[0], t->rstd[0], gamma, beta, y);
    else
        m->loops->apply_tile(a.p, c->rows, t->width, a.stride, t->mean, t->rstd, gamma, beta, y,
                             y_stride);
    if (last)
        activate(m, c, (struct cells){y, y_stride}, NULL, out, stride);
    if (half)
        deliver(m, out, m->out, c);
}

static void save(const struct norm *m, const struct tile *t)
{
    const size_t at = t->outer * m->shape.inner + t->first;
    for (size_t k = 0; k < t->width && m->mean && !m->rms; k++)
        work_to(m, m->mean, at + k, t->mean[k]);
    for (size_t k = 0; k < t->width && m->rstd; k++)
        work_to(m, m->rstd, at + k, t->rstd[k]);
}

/* The sums of a row are taken while the one before is written: one waits for memory less. */
static void forward_rows(const struct norm *m, size_t first, size_t count)
{
    struct buffers b;
    double storage[2][3 * LANES];
    struct tile t = tile_of(m, first, LANES, storage[0], 1);
    moments(m, &t, &b, 0);
    for (size_t i = first; i < first + count; i++) {
        const int more = i + 1 < first + count;
        struct tile next = tile_of(m, i + (size_t)more, LANES, storage[(i + 1 - first) % 2], 1);
        lanes lane = {{0}};
        FOR_CHUNKS(m, &t, c)
        {
            normalise(m, &t, &c, &b);
            if (more) {
                const struct chunk below = chunk_at(m, &next, c.j);
                add_moments(m, &next, &below, &b, 0, lane);
            }
        }
        save(m, &t);
        if (more)
            finish_moments(m, &next, lane);
        t = next;
    }
}

static void forward_part(const void *job, size_t first, size_t count)
{
    const struct norm *m = job;
    const int twice = m->wide.compute == ACT_F64 && !m->rms;
    struct buffers b;
    double storage[3 * FORWARD];
    if (m->shape.inner == 1 && !twice) {
        forward_rows(m, first, count);
        return;
    }
    for (size_t i = first; i < first + count; i++) {
        struct tile t = tile_of(m, i, FORWARD, storage, 1);
        moments(m, &t, &b, 0);
        if (twice) {
            clear(&t, t.sums[0]);
            clear(&t, t.rstd);
            moments(m, &t, &b, 1);
        }
        FOR_CHUNKS(m, &t, c)
        normalise(m, &t, &c, &b);
        save(m, &t);
    }
}

/* ---- backward ---------------------------------------------------------------------------------
 */

struct back_buffers {
    _Alignas(64) char x[CHUNK * sizeof(float)], g[CHUNK * sizeof(float)], a[CHUNK * sizeof(double)];
};

/* x, what is normalised, and the gradient of what is scaled by gamma. */
struct inputs {
    struct cells x, a, g;
};

/* With mean and rstd of the columns, for the norm first. */
static struct inputs inputs_of(const struct norm *m, const struct chunk *c, struct back_buffers *b,
                               const double *mean, const double *rstd)
{
    struct inputs in = {.x = fetch(m, m->in, c, b->x), .g = fetch(m, m->grad_out, c, b->g)};
    in.a = in.x;
    if (m->identity)
        return in;
    if (m->act_first) {
        activate(m, c, in.x, NULL, b->a, c->width);
        in.a = (struct cells){b->a, c->width};
        return in;
    }
    const char *const gamma = param(m, m->gamma, c->j), *const beta = param(m, m->beta, c->j);
    if (m->shape.inner == 1)
        m->loops->apply_row(in.x.p, c->rows, mean[0], rstd[0], gamma, beta, b->a);
    else
        m->loops->apply_tile(in.x.p, c->rows, c->width, in.x.stride, mean, rstd, gamma, beta, b->a,
                             c->width);
    activate(m, c, (struct cells){b->a, c->width}, &in.g, b->a, c->width);
    in.g = (struct cells){b->a, c->width};
    return in;
}

static void read_statistics(const struct norm *m, size_t at, size_t width, double *mean,
                            double *rstd)
{
    for (size_t k = 0; k < width; k++) {
        mean[k] = m->rms ? 0 : work_at(m, m->saved_mean, at + k);
        rstd[k] = work_at(m, m->saved_rstd, at + k);
    }
}

static void sum_columns(const struct norm *m, struct tile *t, struct back_buffers *b)
{
    FOR_CHUNKS(m, t, c)
    {
        prefetch_below(m, m->in, &c);
        prefetch_below(m, m->grad_out, &c);
        const struct inputs in = inputs_of(m, &c, b, t->mean, t->rstd);
        m->loops->sums_tile(in.a.p, in.a.stride, in.g.p, in.g.stride, c.rows, t->width, t->mean,
                            param(m, m->gamma, c.j), t->sums[0], t->sums[1], t->sums[2]);
    }
}

/* Sums and what follows from them. */
static void find_columns(const struct norm *m, struct tile *t, struct back_buffers *b)
{
    read_statistics(m, t->outer * m->shape.inner + t->first, t->width, t->mean, t->rstd);
    sum_columns(m, t, b);
    m->loops->coefficients(m->shape.axis, m->rms, t->width, t->rstd, t->sums[0], t->sums[1],
                           t->sums[2]);
}

/* grad_in of a chunk. row: of one column, if inner is 1; else t. */
static void write_gradient(const struct norm *m, const struct chunk *c, struct back_buffers *b,
                           const struct inputs *in, const struct act_norm_column *row,
                           const struct tile *t)
{
    const char *const gamma = param(m, m->gamma, c->j);
    const int last = m->act_first && !m->identity, half = m->wide.convert != NULL;
    char *const out = half ? b->g : m->out + c->at * m->wide.size;
    const size_t stride = half ? c->width : m->shape.inner;
    char *const d = last ? b->a : out;
    const size_t d_stride = last ? c->width : stride;
    if (m->shape.inner == 1)
        m->loops->gradient_row(in->a.p, in->g.p, c->rows, row, gamma, d);
    else
        m->loops->gradient_tile(in->a.p, in->a.stride, in->g.p, in->g.stride, c->rows, c->width,
                                t->mean, t->sums[2], t->rstd, t->sums[0], t->sums[1], gamma, d,
                                d_stride);
    const struct cells slope = {d, d_stride};
    if (last)
        activate(m, c, in->x, &slope, out, stride);
    if (half)
        deliver(m, out, m->out, c);
}

/* A row whose sums are being taken. */
struct row {
    double mean, rstd;
    lanes lane;
};

static void begin_row(const struct norm *m, struct row *r, size_t o)
{
    memset(r->lane, 0, sizeof r->lane);
    read_statistics(m, o, 1, &r->mean, &r->rstd);
}

static void add_to_row(const struct norm *m, struct row *r, const struct chunk *c,
                       struct back_buffers *b)
{
    const struct inputs in = inputs_of(m, c, b, &r->mean, &r->rstd);
    m->loops->sums_row(in.a.p, in.g.p, c->rows, r->mean, param(m, m->gamma, c->j), r->lane[0]);
}

static struct act_norm_column finish_row(const struct norm *m, const struct row *r)
{
    double h = m->loops->total(r->lane[0]), hd = m->loops->total(r->lane[1]);
    double d = m->loops->total(r->lane[2]);
    m->loops->coefficients(m->shape.axis, m->rms, 1, &r->rstd, &h, &hd, &d);
    return (struct act_norm_column){r->mean + d, r->rstd, h, hd};
}

enum { GROUP = 8 };

static struct chunk row_chunk(const struct norm *m, size_t o, size_t j)
{
    const size_t rest = m->shape.axis - j;
    return (struct chunk){o * m->shape.axis + j, rest < CHUNK ? rest : CHUNK, 1, j};
}

/* grad_in of rows [first, end), `group` at once, while the sums of the next are taken: one waits
 * for memory less. dgamma, dbeta: sums of the channels, or NULL. */
static void backward_rows(const struct norm *m, size_t first, size_t end, size_t group,
                          double *dgamma, double *dbeta)
{
    struct back_buffers b;
    struct row next[GROUP];
    struct act_norm_column column[GROUP];
    double mean[GROUP];
    size_t rows = 0; /* of which the sums are known, before row o */
    for (size_t o = first; o < end || rows > 0;) {
        const size_t more = end - o < group ? end - o : group;
        for (size_t r = 0; r < more; r++)
            begin_row(m, &next[r], o + r);
        for (size_t j = 0; j < m->shape.axis; j += CHUNK)
            for (size_t r = 0; r < rows || r < more; r++) {
                if (r < rows) {
                    const struct chunk c = row_chunk(m, o - rows + r, j);
                    const struct inputs in = inputs_of(m, &c, &b, &mean[r], &column[r].rstd);
                    if (dgamma)
                        m->loops->params_row(in.a.p, in.g.p, c.rows, mean[r], column[r].rstd,
                                             dgamma + j, dbeta + j);
                    write_gradient(m, &c, &b, &in, &column[r], NULL);
                }
                if (r < more) {
                    const struct chunk c = row_chunk(m, o + r, j);
                    add_to_row(m, &next[r], &c, &b);
                }
            }
        for (size_t r = 0; r < more; r++) {
            mean[r] = next[r].mean;
            column[r] = finish_row(m, &next[r]);
        }
        rows = more;
        o += more;
    }
}

static void backward_part(const void *job, size_t first, size_t count)
{
    const struct norm *m = job;
    struct back_buffers b;
    double storage[5 * BACKWARD];
    if (m->shape.inner == 1) {
        backward_rows(m, first, first + count, 1, NULL, NULL);
        return;
    }
    for (size_t i = first; i < first + count; i++) {
        struct tile t = tile_of(m, i, BACKWARD, storage, 3);
        find_columns(m, &t, &b);
        FOR_CHUNKS(m, &t, c)
        {
            const struct inputs in = inputs_of(m, &c, &b, t.mean, t.rstd);
            write_gradient(m, &c, &b, &in, NULL, &t);
        }
    }
}

/* ---- gradients of gamma and beta ------------------------------------------------------------- */

/* Blocks of channels: a sum is one thread's, over outer in order, from o on. */
static void channels_of_rows(const struct norm *m, struct back_buffers *b, size_t o, size_t first,
                             size_t n, double *dgamma, double *dbeta)
{
    for (; o < m->shape.outer; o++) {
        const struct chunk c = {o * m->shape.axis + first, n, 1, first};
        double mean, rstd;
        read_statistics(m, o, 1, &mean, &rstd);
        const struct inputs in = inputs_of(m, &c, b, &mean, &rstd);
        m->loops->params_row(in.a.p, in.g.p, n, mean, rstd, dgamma, dbeta);
    }
}

/* Planes are gone through as they lie in memory. */
static void channels_of_planes(const struct norm *m, struct back_buffers *b, size_t first, size_t n,
                               double *dgamma, double *dbeta)
{
    enum { WIDTH = 128 };
    const size_t inner = m->shape.inner, axis = m->shape.axis;
    const size_t width = inner < WIDTH || m->act_first ? inner < CHUNK ? inner : CHUNK : WIDTH;
    const size_t most = width < inner ? 1 : CHUNK / width;
    double mean[WIDTH] = {0}, rstd[WIDTH] = {0}; /* of the norm first */
    for (size_t o = 0; o < m->shape.outer; o++)
        for (size_t j = first; j < first + n; j += most)
            for (size_t i = 0; i < inner; i += width) {
                const size_t columns = inner - i < width ? inner - i : width, at = o * inner + i;
                const size_t rest = first + n - j;
                const struct chunk c = {(o * axis + j) * inner + i, rest < most ? rest : most,
                                        columns, j};
                if (!m->act_first)
                    read_statistics(m, at, columns, mean, rstd);
                const struct inputs in = inputs_of(m, &c, b, mean, rstd);
                m->loops->params_tile(in.a.p, in.a.stride, in.g.p, in.g.stride, c.rows, columns,
                                      m->rms ? NULL : m->saved_mean + at * m->wide.work,
                                      m->saved_rstd + at * m->wide.work, dgamma + (j - first),
                                      dbeta + (j - first));
            }
}

static void params_part(const void *job, size_t first, size_t count)
{
    const struct norm *m = job;
    struct back_buffers b;
    double dgamma[CHANNELS], dbeta[CHANNELS];
    for (size_t block = first; block < first + count; block++) {
        const size_t at = block * CHANNELS, rest = m->shape.axis - at,
                     n = rest < CHANNELS ? rest : CHANNELS;
        memset(dgamma, 0, sizeof dgamma);
        memset(dbeta, 0, sizeof dbeta);
        if (m->shape.inner == 1)
            channels_of_rows(m, &b, 0, at, n, dgamma, dbeta);
        else
            channels_of_planes(m, &b, at, n, dgamma, dbeta);
        if (m->dgamma)
            act_store_sums(&m->wide, dgamma, m->dgamma + at * m->wide.work, n, m->accumulate);
        if (m->dbeta)
            act_store_sums(&m->wide, dbeta, m->dbeta + at * m->wide.work, n, m->accumulate);
    }
}

/* ---- all gradients in one go -------------------------------------------------------------------
 * Rows, in one thread, and not in place: then x and grad_out need not come from memory twice. The
 * sums of the channels, two doubles each, are where the last rows of grad_in will be. They take
 * their terms in the order of params_part and are the same. */

/* Sums of the channels, and what whole vectors touch behind them. */
static size_t sums_length(const struct norm *m)
{
    return m->shape.axis + LANES;
}

static size_t reserved_rows(const struct norm *m)
{
    const size_t bytes = 2 * sums_length(m) * sizeof(double) + sizeof(double); /* aligned */
    return (bytes - 1) / (m->shape.axis * m->wide.size) + 1;
}

static int fits_fused(const struct norm *m)
{
    return m->shape.inner == 1 && m->out && (m->dgamma || m->dbeta) && m->out != m->in &&
           m->out != m->grad_out && m->shape.axis >= 8 && m->shape.outer / 2 >= reserved_rows(m);
}

/* The terms of dgamma and dbeta of the rows whose grad_in is not written yet. */
static void last_rows(const struct norm *m, size_t first, double *dgamma, double *dbeta)
{
    struct back_buffers b;
    for (size_t j = 0; j < m->shape.axis; j += CHUNK) {
        const size_t rest = m->shape.axis - j;
        channels_of_rows(m, &b, first, j, rest < CHUNK ? rest : CHUNK, dgamma + j, dbeta + j);
    }
}

static void backward_fused(const struct norm *m)
{
    const size_t axis = m->shape.axis, reserved = reserved_rows(m);
    const size_t end = m->shape.outer - reserved;
    char *const tail = m->out + end * axis * m->wide.size;
    double *const dgamma = (double *)(void *)(tail + (-(uintptr_t)tail & (sizeof(double) - 1)));
    double *const dbeta = dgamma + sums_length(m);
    memset(dgamma, 0, 2 * sums_length(m) * sizeof *dgamma);
    backward_rows(m, 0, end, GROUP, dgamma, dbeta);
    last_rows(m, end, dgamma, dbeta);
    if (m->dgamma)
        act_store_sums(&m->wide, dgamma, m->dgamma, axis, m->accumulate);
    if (m->dbeta)
        act_store_sums(&m->wide, dbeta, m->dbeta, axis, m->accumulate);
    backward_part(m, end, reserved);
}

/* ---- the calls --------------------------------------------------------------------------------
 */

typedef void part_fn(const void *job, size_t first, size_t count);

static void run(part_fn *part, const struct norm *m, unsigned flags, size_t count, size_t unit)
{
    if (flags & ACT_SERIAL)
        part(m, 0, count);
    else
        act_run_parts(part, m, count, unit);
}

static size_t tiles_of(const struct norm *m, size_t most)
{
    return m->shape.outer * ((m->shape.inner + most - 1) / most);
}
static size_t tile_elements(const struct norm *m, size_t most)
{
    return m->shape.axis * (m->shape.inner < most ? m->shape.inner : most);
}

/* Spans: the array, the parameters, what is saved. */
struct spans {
    size_t n, array, param, saved;
};

static act_status check(act_dtype t, unsigned flags, unsigned allowed, act_kind k,
                        const act_params **p, act_shape s, int rms, double eps, struct norm *m,
                        struct spans *bytes)
{
    if (!act_kind_valid(k))
        return ACT_ERR_KIND;
    struct act_choice choice;
    act_status status = act_wide_check(t, flags, allowed, &choice, &m->wide);
    if (status == ACT_OK)
        status = act_check_params(k, t, p);
    if (status != ACT_OK)
        return status;
    m->eps = act_round_to(t, eps);
    if (!(m->eps >= 0) || !isfinite(m->eps))
        return ACT_ERR_PARAM;
    size_t rows;
    if (!act_count(s.outer, s.axis, s.inner, m->wide.work, &bytes->n) ||
        !act_count(s.outer, 1, s.inner, m->wide.work, &rows) || s.axis > PTRDIFF_MAX / m->wide.work)
        return ACT_ERR_SIZE;
    bytes->array = bytes->n * m->wide.size;
    bytes->param = s.axis * m->wide.work;
    bytes->saved = rows * m->wide.work;
    const struct act_table *table = act_tables[choice.isa];
    m->row = table->row[choice.mode][m->wide.compute][k];
    m->loops = table->norm[m->wide.compute];
    m->params = *p;
    m->shape = s;
    m->identity = strcmp(act_kind_infos[k].name, "identity") == 0;
    m->rms = rms != 0;
    m->accumulate = (flags & ACT_ACCUMULATE) != 0;
    return ACT_OK;
}

/* No output overlaps another array: but for the pair, which may be the same. */
static int overlap_ok(const struct act_span *out, int outputs, const struct act_span *in,
                      int inputs)
{
    for (int o = 0; o < outputs; o++) {
        for (int i = 0; i < inputs; i++) {
            const int may_be_same = o == 0 && i < 2; /* the array, grad_out */
            if (may_be_same ? !act_spans_same_or_disjoint(in[i], out[o])
                            : !act_spans_disjoint(in[i], out[o]))
                return 0;
        }
        for (int other = o + 1; other < outputs; other++)
            if (!act_spans_disjoint(out[o], out[other]))
                return 0;
    }
    return 1;
}

static act_status forward(int act_first, act_dtype t, unsigned flags, act_kind k,
                          const act_params *p, act_shape s, int rms, double eps, const void *gamma,
                          const void *beta, const void *in, void *out, void *mean, void *rstd)
{
    struct norm m = {.act_first = act_first,
                     .gamma = gamma,
                     .beta = beta,
                     .in = in,
                     .out = out,
                     .mean = mean,
                     .rstd = rstd};
    struct spans bytes;
    const act_status status =
        check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL, k, &p, s, rms, eps, &m, &bytes);
    if (status != ACT_OK || bytes.n == 0)
        return status;
    if (!in || !out)
        return ACT_ERR_NULL;
    const struct act_span outputs[] = {
        {out, bytes.array}, {m.rms ? NULL : mean, bytes.saved}, {rstd, bytes.saved}};
    const struct act_span inputs[] = {
        {in, bytes.array}, {NULL, 0}, {gamma, bytes.param}, {beta, bytes.param}};
    if (!overlap_ok(outputs, 3, inputs, 4))
        return ACT_ERR_OVERLAP;
    run(forward_part, &m, flags, tiles_of(&m, FORWARD), tile_elements(&m, FORWARD));
    return ACT_OK;
}

static act_status backward(int act_first, act_dtype t, unsigned flags, act_kind k,
                           const act_params *p, act_shape s, int rms, const void *gamma,
                           const void *beta, const void *in, const void *mean, const void *rstd,
                           const void *grad_out, void *grad_in, void *dgamma, void *dbeta)
{
    struct norm m = {.act_first = act_first,
                     .gamma = gamma,
                     .beta = beta,
                     .in = in,
                     .grad_out = grad_out,
                     .saved_mean = mean,
                     .saved_rstd = rstd,
                     .out = grad_in,
                     .dgamma = dgamma,
                     .dbeta = dbeta};
    struct spans bytes;
    const act_status status = check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL | ACT_ACCUMULATE, k, &p,
                                    s, rms, 0, &m, &bytes);
    if (status != ACT_OK || s.axis == 0)
        return status;
    if (bytes.n && (!in || !grad_out || !rstd || (!mean && !m.rms)))
        return ACT_ERR_NULL;
    const struct act_span outputs[] = {
        {grad_in, bytes.array}, {dgamma, bytes.param}, {dbeta, bytes.param}};
    const struct act_span inputs[] = {{in, bytes.array},
                                      {grad_out, bytes.array},
                                      {gamma, bytes.param},
                                      {beta, bytes.param},
                                      {m.rms ? NULL : mean, bytes.saved},
                                      {rstd, bytes.saved}};
    if (!overlap_ok(outputs, 3, inputs, 6))
        return ACT_ERR_OVERLAP;
    if (bytes.n == 0)
        m.shape.outer = 0; /* nothing to add up */
    if (((flags & ACT_SERIAL) || act_get_num_threads() == 1) && bytes.n && fits_fused(&m)) {
        backward_fused(&m);
        return ACT_OK;
    }
    /* First what needs the inputs whole. */
    const size_t blocks = (s.axis + CHANNELS - 1) / CHANNELS;
    if (dgamma || dbeta)
        run(params_part, &m, flags, blocks, bytes.n / blocks);
    if (grad_in && bytes.n)
        run(backward_part, &m, flags, tiles_of(&m, BACKWARD), tile_elements(&m, BACKWARD));
    return ACT_OK;
}

act_status act_norm_forward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                            act_shape s, int rms, double eps, const void *gamma, const void *beta,
                            const void *in, void *out, void *mean, void *rstd)
{
    return forward(1, t, flags, k, p, s, rms, eps, gamma, beta, in, out, mean, rstd);
}

act_status act_norm_backward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                             act_shape s, int rms, const void *gamma, const void *in,
                             const void *mean, const void *rstd, const void *grad_out,
                             void *grad_in, void *dgamma, void *dbeta)
{
    return backward(1, t, flags, k, p, s, rms, gamma, NULL, in, mean, rstd, grad_out, grad_in,
                    dgamma, dbeta);
}

act_status act_normed_forward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                              act_shape s, int rms, double eps, const void *gamma, const void *beta,
                              const void *in, void *out, void *mean, void *rstd)
{
    return forward(0, t, flags, k, p, s, rms, eps, gamma, beta, in, out, mean, rstd);
}

act_status act_normed_backward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                               act_shape s, int rms, const void *gamma, const void *beta,
                               const void *in, const void *mean, const void *rstd,
                               const void *grad_out, void *grad_in, void *dgamma, void *dbeta)
{
    return backward(0, t, flags, k, p, s, rms, gamma, beta, in, mean, rstd, grad_out, grad_in,
                    dgamma, dbeta);
}
