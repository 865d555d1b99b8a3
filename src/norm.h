/* What src/norm.c, which checks calls, and src/norm_forward.c and norm_backward.c, which run them,
 * share. */
#ifndef ACT_SRC_NORM_H
#define ACT_SRC_NORM_H

#include "src/wide.h"

#include <string.h>

/* A chunk: 512 elements, or 2048 of a tile where no scratch is needed. With inner > 1 the columns
 * of a tile are done side by side, the more the fewer pages of 4 KiB are met again and again.
 * Scratch: of FORWARD columns three doubles, 9 KiB, and 6 KiB of chunks; of BACKWARD columns five
 * doubles, 7 KiB, or the sums of CHANNELS, and 8 KiB of chunks. */
enum { CHUNK = 512, DIRECT = 2048, CHANNELS = 256, LANES = ACT_NORM_LANES };
enum { FORWARD = 384, BACKWARD = 176 };
enum { PLANE_INNER = 512 }; /* from here on a plane may be gone through as it lies */

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

static inline int contiguous(const struct norm *m, const struct chunk *c)
{
    return c->width == m->shape.inner;
}

/* The next rows are fetched while the last ones are computed: the hardware's own prefetch ends with
 * a page, which a row of 1024 floats is. */
static inline void prefetch(const char *p, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch(p + i, 0, 2);
}

/* The elements of an array in the type of the work: where they are, or in buffer. */
static inline struct cells fetch(const struct norm *m, const char *array, const struct chunk *c,
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
static inline void deliver(const struct norm *m, const void *buffer, char *array,
                           const struct chunk *c)
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
static inline void activate(const struct norm *m, const struct chunk *c, struct cells x,
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

static inline struct chunk chunk_at(const struct norm *m, const struct tile *t, size_t j)
{
    const int direct = m->identity && !m->wide.convert && m->shape.inner > 1;
    const size_t elements = direct ? DIRECT : CHUNK;
    const size_t most = elements / t->width, rest = m->shape.axis - j;
    return (struct chunk){(t->outer * m->shape.axis + j) * m->shape.inner + t->first,
                          rest < most ? rest : most, t->width, j};
}

/* What comes after chunk c, of rows that are not one after the other. */
static inline void prefetch_below(const struct norm *m, const char *array, const struct chunk *c)
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

static inline const char *param(const struct norm *m, const char *p, size_t j)
{
    return p ? p + j * m->wide.work : NULL;
}

static inline double work_at(const struct norm *m, const char *p, size_t i)
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

static inline void work_to(const struct norm *m, char *p, size_t i, double value)
{
    const float single = (float)value;
    if (m->wide.compute == ACT_F64)
        memcpy(p + i * sizeof value, &value, sizeof value);
    else
        memcpy(p + i * sizeof single, &single, sizeof single);
}

/* What whole vectors of the columns read. */
static inline void clear(const struct tile *t, double *columns)
{
    memset(columns, 0, (t->width + LANES - 1) / LANES * LANES * sizeof *columns);
}

/* Tile i of up to `most` columns, in storage of doubles for so many: three, or five. */
static inline struct tile tile_of(const struct norm *m, size_t i, size_t most, double *storage,
                                  int sums)
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

/* ---- planes, with so many doubles for each column where the next plane of out will be ---------
 */

/* Columns, and what whole vectors touch behind them. */
static inline size_t act_norm_columns(const struct norm *m)
{
    return m->shape.inner + LANES;
}

static inline double *act_norm_plane_storage(const struct norm *m, size_t outer)
{
    char *const p = m->out + outer * m->shape.axis * m->shape.inner * m->wide.size;
    return (double *)(void *)(p + (-(uintptr_t)p & (sizeof(double) - 1)));
}

static inline int act_norm_fits_planes(const struct norm *m, size_t threads, size_t doubles)
{
    const size_t plane = m->shape.axis * m->shape.inner * m->wide.size;
    return m->shape.inner >= PLANE_INNER && !m->wide.convert && m->out && m->out != m->in &&
           m->out != m->grad_out && m->shape.outer >= 4 * threads &&
           plane >= (doubles * act_norm_columns(m) + 1) * sizeof(double);
}

/* Columns [first, first + width) of a plane's. */
static inline struct tile act_norm_columns_of(const struct tile *t, size_t first, size_t width)
{
    struct tile part = {t->outer, first, width, t->mean + first, t->rstd + first, {NULL}};
    for (int k = 0; k < 3 && t->sums[k]; k++)
        part.sums[k] = t->sums[k] + first;
    return part;
}

/* Parts of a call for act_run_parts: tiles of FORWARD columns, of BACKWARD ones, blocks of
 * CHANNELS. */
void act_norm_forward_part(const void *job, size_t first, size_t count);
/* Parts of outer, where it fits so many threads. */
int act_norm_forward_fits_planes(const struct norm *m, size_t threads);
void act_norm_forward_planes(const void *job, size_t first, size_t count);
void act_norm_backward_planes(const void *job, size_t first, size_t count);
void act_norm_backward_part(const void *job, size_t first, size_t count);
void act_norm_params_part(const void *job, size_t first, size_t count);
/* The last two at once, in one thread, if fits. */
int act_norm_fits_fused(const struct norm *m);
void act_norm_backward_fused(const struct norm *m);

#endif
