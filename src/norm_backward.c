/* The backward parts of act_norm_* and act_normed_*. */
#include "src/norm.h"

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

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

void act_norm_backward_part(const void *job, size_t first, size_t count)
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

/* A plane as it lies in memory, as norm_forward.c does it: the columns' sums in the same order. */
static void backward_plane(const struct norm *m, size_t o, double *storage)
{
    enum { ROWS = 8 };
    const size_t axis = m->shape.axis, inner = m->shape.inner, most = act_norm_columns(m);
    const size_t width = m->identity ? inner : CHUNK / ROWS;
    const struct tile t = {o,
                           0,
                           inner,
                           storage,
                           storage + most,
                           {storage + 2 * most, storage + 3 * most, storage + 4 * most}};
    struct back_buffers b;
    memset(storage, 0, 5 * most * sizeof *storage);
    read_statistics(m, o * inner, inner, t.mean, t.rstd);
    for (int write = 0; write < 2; write++) {
        for (size_t j = 0; j < axis; j += ROWS)
            for (size_t i = 0; i < inner; i += width) {
                const struct tile part =
                    act_norm_columns_of(&t, i, inner - i < width ? inner - i : width);
                const struct chunk c = {(o * axis + j) * inner + i,
                                        axis - j < ROWS ? axis - j : ROWS, part.width, j};
                const struct inputs in = inputs_of(m, &c, &b, part.mean, part.rstd);
                if (write)
                    write_gradient(m, &c, &b, &in, NULL, &part);
                else
                    m->loops->sums_tile(in.a.p, in.a.stride, in.g.p, in.g.stride, c.rows, c.width,
                                        part.mean, param(m, m->gamma, j), part.sums[0],
                                        part.sums[1], part.sums[2]);
            }
        if (!write)
            m->loops->coefficients(axis, m->rms, inner, t.rstd, t.sums[0], t.sums[1], t.sums[2]);
    }
}

void act_norm_backward_planes(const void *job, size_t first, size_t count)
{
    const struct norm *m = job;
    const size_t tiles = (m->shape.inner + BACKWARD - 1) / BACKWARD;
    for (size_t o = first; o + 1 < first + count; o++)
        backward_plane(m, o, act_norm_plane_storage(m, o + 1));
    act_norm_backward_part(m, (first + count - 1) * tiles, tiles);
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

void act_norm_params_part(const void *job, size_t first, size_t count)
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
 * their terms in the order of act_norm_params_part and are the same. */

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

int act_norm_fits_fused(const struct norm *m)
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

void act_norm_backward_fused(const struct norm *m)
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
    act_norm_backward_part(m, end, reserved);
}
