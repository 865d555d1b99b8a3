/* The forward part of act_norm_* and act_normed_*: statistics, then the values. */
#include "src/norm.h"

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

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

void act_norm_forward_part(const void *job, size_t first, size_t count)
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

/* ---- planes ------------------------------------------------------------------------------------
 * A tile goes down the axis in steps of inner: where that is far, every step meets another page,
 * and what limits is not the bandwidth (384 columns of 1024 x 1024 take 1.5 ns an element, 128 of
 * them 2.4). So a plane is gone through as it lies in memory, with the sums of all its columns.
 * They are where the next plane of out will be; the last plane of a part has none, and goes by
 * tiles. The terms of a column are added in the same order, and the results are the same. */

int act_norm_forward_fits_planes(const struct norm *m, size_t threads)
{
    const int once = m->wide.compute != ACT_F64 || m->rms;
    return once && (m->identity || !m->act_first) && act_norm_fits_planes(m, threads, 3);
}

static void forward_plane(const struct norm *m, size_t o, double *storage)
{
    enum { READ = 16, WRITE = 8 }; /* rows at once */
    const size_t axis = m->shape.axis, inner = m->shape.inner;
    const size_t most = act_norm_columns(m);
    const size_t width = m->identity ? inner : CHUNK / WRITE;
    const char *const in = m->in + o * axis * inner * m->wide.size;
    const struct tile t = {o, 0, inner, storage, storage + most, {storage + 2 * most}};
    struct buffers b;
    memset(storage, 0, 3 * most * sizeof *storage);
    for (size_t i = 0; i < inner && !m->rms; i++)
        t.mean[i] = work_at(m, in, i);
    for (size_t j = 0; j < axis; j += READ)
        m->loops->moments_tile(in + j * inner * m->wide.size, axis - j < READ ? axis - j : READ,
                               inner, inner, t.mean, t.sums[0], t.rstd);
    m->loops->finish(axis, m->rms, m->eps, inner, t.mean, t.sums[0], t.rstd);
    save(m, &t);
    for (size_t j = 0; j < axis; j += WRITE)
        for (size_t i = 0; i < inner; i += width) {
            const struct tile part =
                act_norm_columns_of(&t, i, inner - i < width ? inner - i : width);
            const struct chunk c = {(o * axis + j) * inner + i, axis - j < WRITE ? axis - j : WRITE,
                                    part.width, j};
            normalise(m, &part, &c, &b);
        }
}

void act_norm_forward_planes(const void *job, size_t first, size_t count)
{
    const struct norm *m = job;
    const size_t plane = m->shape.axis * m->shape.inner * m->wide.size;
    const size_t tiles = (m->shape.inner + FORWARD - 1) / FORWARD;
    for (size_t o = first; o + 1 < first + count; o++) {
        char *const next = m->out + (o + 1) * plane;
        forward_plane(m, o, (double *)(void *)(next + (-(uintptr_t)next & (sizeof(double) - 1))));
    }
    act_norm_forward_part(m, (first + count - 1) * tiles, tiles);
}
