/* Kinds with learnable parameters: act_theta_forward, act_theta_backward. The array is taken in
 * rows of columns: the kind's loops know parameters per column, and add the terms of a column from
 * row to row.
 *
 * Along a channel whose inner is long, the columns are 32 virtual lanes with one set of parameters:
 * element i of a run belongs to lane i % 32. With inner = 1 the columns are channels. Otherwise, or
 * where the rows of the array are short, they are the positions of some channels or of several
 * rows, with their parameters spread out. The sums of a channel are those of its columns. What is
 * summed in which order follows from the shape and the number of parameters. */
#include "src/info.h"
#include "src/parallel.h"
#include "src/wide.h"

#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* Scratch, in all 13 KiB, or 15 for a 16-bit type. */
enum {
    LANES = 32,
    SUMS = 1024,     /* sums of the columns at hand. With 512, and so half of them, srelu of 256
                      * channels takes 1.6 times as long: rows are no streams then */
    TILE = 384,      /* doubles, or twice as many floats: parameters of the columns at hand */
    PARTIAL = 256,   /* sums of the segments of all channels */
    HALF = 256,      /* 16-bit elements at once */
    DISTANCE = 1024, /* elements from what is computed to what is fetched */
    PIECE = 2048,    /* a step along a channel */
    TOGETHER = 32,   /* rows whose last columns are done before those of the next rows */
    ROWS_MOST = 24   /* of theta: 16 columns of them fit in TILE */
};

struct learned {
    act_theta_fn *run;
    struct act_wide type;
    size_t out_size;
    act_shape shape; /* axis 1: outer is 1 */
    size_t rows;     /* of theta */
    const char *theta, *in, *grad_out;
    char *out;    /* or NULL */
    char *dtheta; /* or NULL */
    int accumulate;

    int lanes;       /* along channels */
    size_t channels; /* of a tile, the last may have less */
    size_t repeat;   /* not 0: rows of the array, all channels of them, make a row of columns */
    size_t pieces;   /* steps of a run */
    size_t tiles, steps, segments, segment_steps;
    double *partial; /* [segments][rows][axis], or NULL: a segment is all there is */
};

struct scratch {
    _Alignas(64) double sums[SUMS];
    _Alignas(64) double tile[TILE]; /* of the compute type */
};

/* ---- how the array is cut ---------------------------------------------------------------------
 */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t divided(size_t a, size_t b) /* up */
{
    return (a + b - 1) / b;
}

static size_t padded(size_t columns) /* what the loops may read and add to */
{
    return divided(columns, 16) * 16;
}

/* Of n columns, the most that are whole vectors on any ISA. */
static size_t vectors(size_t n)
{
    return n / 16 * 16;
}

static void plan(struct learned *c)
{
    if (c->shape.axis == 1) {
        c->shape.inner *= c->shape.outer;
        c->shape.outer = 1;
    }
    const act_shape s = c->shape;
    const size_t period = s.axis * s.inner, sums = c->dtheta ? c->rows : 0;
    const size_t summed = sums ? vectors(SUMS / sums) : SIZE_MAX;
    const size_t spread = vectors(TILE * sizeof(double) / c->type.work / c->rows);
    const size_t widest = least(summed, spread);
    /* Threads share the rows where there is room for what they each sum, else the channels. */
    const size_t rooms = sums ? PARTIAL / sums / s.axis : 64;
    c->lanes = s.axis == 1 || (s.inner > 1 && s.inner > widest / 2 && period > widest);
    c->repeat = 0;
    c->pieces = 1;
    c->steps = s.outer;
    if (c->lanes) {
        c->channels = least(sums ? SUMS / (LANES * sums) : s.axis, s.axis);
        if (s.axis == 1)
            c->steps = c->pieces = divided(s.inner, PIECE);
    } else if (period <= widest / 2 && rooms > 1) {
        const size_t even = period % 16 == 0  ? 1
                            : period % 8 == 0 ? 2
                            : period % 4 == 0 ? 4
                            : period % 2 == 0 ? 8
                                              : 16;
        c->channels = s.axis;
        c->repeat = least(widest / period, s.outer);
        if (c->repeat > even) /* whole vectors */
            c->repeat = c->repeat / even * even;
        c->steps = divided(s.outer, c->repeat);
    } else {
        c->channels = least(s.inner == 1 ? summed : widest / s.inner, s.axis);
    }

    /* Segments of a size that pays. They are the same for any number of threads, for they make the
     * order of the sums; channels do not. */
    const size_t few = divided(s.axis, c->channels), work = s.outer * period / few / ACT_PIECE_MIN;
    const size_t segments = least(most(rooms, 1), least(most(64 / few, 1), most(work, 1)));
    c->segment_steps = divided(c->steps, segments);
    c->segments = divided(c->steps, c->segment_steps);
    const size_t threads = (size_t)act_get_num_threads();
    if (c->segments < threads && few < threads && !c->repeat)
        c->channels = least(c->channels, (divided(s.axis, threads) + 15) / 16 * 16);
    c->tiles = divided(s.axis, c->channels);
}

/* ---- parameters and sums of a tile --------------------------------------------------------------
 */

static void spread(const struct learned *c, size_t channel, size_t channels, size_t ld, char *tile)
{
    const size_t size = c->type.work, inner = c->shape.inner;
    const size_t once = channels * inner * size, wide = ld * size;
    for (size_t j = 0; j < c->rows; j++, tile += wide) {
        const char *from = c->theta + (j * c->shape.axis + channel) * size;
        char *to = tile;
        if (inner == 1)
            memcpy(to, from, once);
        else
            for (size_t k = 0; k < channels; k++, from += size)
                for (size_t i = 0; i < inner; i++, to += size)
                    memcpy(to, from, size);
        size_t filled = once;
        const size_t all = c->repeat ? c->repeat * once : once;
        for (; filled < all; filled += least(filled, all - filled))
            memcpy(tile + filled, tile, least(filled, all - filled));
        for (; filled < wide; filled += size) /* for the lanes past the end: something harmless */
            memcpy(tile + filled, tile + filled - size, size);
    }
}

static double tree(const double *lane) /* LANES of them */
{
    double sum[LANES / 2];
    for (size_t i = 0; i < LANES / 2; i++)
        sum[i] = lane[i] + lane[i + LANES / 2];
    for (size_t half = LANES / 4; half; half /= 2)
        for (size_t i = 0; i < half; i++)
            sum[i] += sum[i + half];
    return sum[0];
}

/* The sums of the tile's channels from those of its positions, in their place. */
static void fold(double *sums, size_t copies, size_t channels, size_t inner)
{
    for (size_t k = 0; (copies > 1 || inner > 1) && k < channels; k++) {
        double sum = 0;
        for (size_t r = 0; r < copies; r++)
            for (size_t i = 0; i < inner; i++)
                sum += sums[(r * channels + k) * inner + i];
        sums[k] = sum;
    }
}

static void keep_sums(const struct learned *c, size_t segment, size_t j, size_t channel,
                      const double *sums, size_t n)
{
    const size_t axis = c->shape.axis;
    if (c->partial)
        memcpy(c->partial + (segment * c->rows + j) * axis + channel, sums, n * sizeof *sums);
    else
        act_store_sums(&c->type, sums, c->dtheta + (j * axis + channel) * c->type.work, n,
                       c->accumulate);
}

/* ---- blocks -------------------------------------------------------------------------------------
 */

/* rows of columns, `step` apart, from element `at` on; b has the rest. */
static void run_half(const struct learned *c, struct act_theta_block b, size_t at, size_t rows,
                     size_t columns, size_t step)
{
    _Alignas(64) float x[HALF], g[HALF];
    const int gapless = step == columns;
    const size_t width = gapless ? columns : padded(columns), group = HALF / width;
    float *const y = b.g ? g : x; /* in place */
    b.x = x, b.g = b.g ? g : NULL, b.step = width, b.cols = columns;
    b.out = b.out ? y : NULL;
    for (size_t r = 0; r < rows; r += group) {
        const size_t some = least(group, rows - r);
        /* Without gaps all at once. */
        const size_t turns = gapless ? 1 : some, n = gapless ? some * columns : columns;
        for (size_t k = 0; k < turns; k++) {
            const size_t from = (at + (r + k) * step) * sizeof(uint16_t);
            act_widen(&c->type, c->in + from, x + k * width, n);
            if (b.g)
                act_widen(&c->type, c->grad_out + from, g + k * width, n);
        }
        b.rows = some;
        c->run(&b);
        for (size_t k = 0; b.out && k < turns; k++) {
            char *const to = c->out + (at + (r + k) * step) * c->out_size;
            if (c->out_size == sizeof(float))
                memcpy(to, y + k * width, n * sizeof *y);
            else
                act_narrow(&c->type, y + k * width, to, n);
        }
    }
}

/* The same of any number of columns. */
static void run_halves(const struct learned *c, struct act_theta_block b, size_t at, size_t rows,
                       size_t columns, size_t step)
{
    for (size_t j = 0; j < columns; j += HALF) {
        run_half(c, b, at + j, rows, least(HALF, columns - j), step);
        b.theta = (const char *)b.theta + (b.shared ? 0 : HALF * c->type.work);
        b.sums = b.sums ? b.sums + HALF : NULL;
    }
}

static void run_block(const struct learned *c, struct act_theta_block b, size_t at, size_t rows,
                      size_t columns, size_t step)
{
    const size_t size = c->type.size;
    b.count = c->rows;
    b.g = c->grad_out, b.out = c->out;
    if (rows == 0 || columns == 0)
        return;
    if (c->type.convert) {
        run_halves(c, b, at, rows, columns, step);
        return;
    }
    b.rows = rows, b.cols = columns, b.step = step;
    b.ahead = divided(DISTANCE, columns) * step * size;
    b.x = c->in + at * size;
    b.g = b.g ? c->grad_out + at * size : NULL;
    b.out = b.out ? c->out + at * size : NULL;
    c->run(&b);
}

/* n elements of a channel: rows of LANES, and the rest. */
static void run_lanes(const struct learned *c, const struct act_theta_block *b, size_t at, size_t n)
{
    const size_t rows = n / LANES;
    run_block(c, *b, at, rows, LANES, LANES);
    run_block(c, *b, at + rows * LANES, 1, n % LANES, LANES);
}

static void run_channels(const struct learned *c, struct scratch *s, size_t tile, size_t segment)
{
    const size_t first = tile * c->channels, rows = c->rows;
    const size_t channels = least(c->channels, c->shape.axis - first);
    const size_t begin = segment * c->segment_steps,
                 end = least(begin + c->segment_steps, c->steps);
    size_t loaded = SIZE_MAX;
    struct act_theta_block b = {.theta = s->tile, .ld = 1, .shared = 1, .sums_ld = LANES};
    for (size_t step = begin; step < end; step++)
        for (size_t k = 0; k < channels; k++) {
            const size_t from = step % c->pieces * PIECE, inner = c->shape.inner;
            const size_t run = (step / c->pieces * c->shape.axis + first + k) * inner;
            if (loaded != k)
                for (size_t j = 0, size = c->type.work; j < c->rows; j++)
                    memcpy((char *)s->tile + j * size,
                           c->theta + (j * c->shape.axis + first + k) * size, size);
            loaded = k;
            b.sums = c->dtheta ? s->sums + k * rows * LANES : NULL;
            const size_t n = c->pieces > 1 ? least(PIECE, inner - from) : inner;
            run_lanes(c, &b, run + from, n);
        }
    for (size_t k = 0; c->dtheta && k < channels; k++)
        for (size_t j = 0; j < rows; j++) {
            const double sum = tree(s->sums + (k * rows + j) * LANES);
            keep_sums(c, segment, j, first + k, &sum, 1);
        }
}

/* Positions with their parameters spread out. */
static void run_spread(const struct learned *c, struct scratch *s, struct act_theta_block b,
                       size_t channel, size_t channels, size_t begin, size_t end)
{
    const size_t inner = c->shape.inner, period = c->shape.axis * inner;
    const size_t columns = c->repeat ? c->repeat * period : channels * inner;
    b.theta = s->tile, b.ld = padded(columns);
    spread(c, channel, channels, b.ld, (char *)s->tile);
    if (!c->repeat) {
        run_block(c, b, begin * period + channel * inner, end - begin, columns, period);
        return;
    }
    const size_t n = c->shape.outer * period, whole = least(end, n / columns);
    run_block(c, b, begin * columns, whole - begin, columns, columns);
    if (end > whole)
        run_block(c, b, whole * columns, 1, n - whole * columns, columns);
}

/* Channels as columns, inner = 1: theta as it is, but for the last ones, which its loops would read
 * past the end of. */
static void run_direct(const struct learned *c, struct scratch *s, struct act_theta_block b,
                       size_t channel, size_t channels, size_t begin, size_t end)
{
    const size_t axis = c->shape.axis, most_of = vectors(channels), rest = channels - most_of;
    struct act_theta_block last = b;
    b.theta = c->theta + channel * c->type.work, b.ld = axis;
    last.theta = s->tile, last.ld = padded(rest);
    last.sums = b.sums ? b.sums + most_of : NULL;
    if (rest)
        spread(c, channel + most_of, rest, last.ld, (char *)s->tile);
    for (size_t r = begin; r < end; r += TOGETHER) {
        const size_t some = least(TOGETHER, end - r), at = r * axis + channel;
        run_block(c, b, at, some, most_of, axis);
        run_block(c, last, at + most_of, some, rest, axis);
    }
}

static void run_tile(const struct learned *c, struct scratch *s, size_t tile, size_t segment)
{
    const size_t first = tile * c->channels, inner = c->shape.inner;
    const size_t channels = least(c->channels, c->shape.axis - first);
    const size_t copies = c->repeat ? c->repeat : 1, ld = padded(copies * channels * inner);
    const size_t begin = segment * c->segment_steps,
                 end = least(begin + c->segment_steps, c->steps);
    const struct act_theta_block b = {.sums = c->dtheta ? s->sums : NULL, .sums_ld = ld};
    if (inner == 1 && !c->repeat)
        run_direct(c, s, b, first, channels, begin, end);
    else
        run_spread(c, s, b, first, channels, begin, end);
    for (size_t j = 0; c->dtheta && j < c->rows; j++) {
        fold(s->sums + j * ld, copies, channels, inner);
        keep_sums(c, segment, j, first, s->sums + j * ld, channels);
    }
}

static void run_items(const void *job, size_t first, size_t n)
{
    const struct learned *c = job;
    for (size_t i = first; i < first + n; i++) {
        struct scratch s;
        if (c->dtheta)
            memset(s.sums, 0, sizeof s.sums);
        if (c->lanes)
            run_channels(c, &s, i / c->segments, i % c->segments);
        else
            run_tile(c, &s, i / c->segments, i % c->segments);
    }
}

static void run(struct learned *c, unsigned flags)
{
    plan(c);
    double partial[PARTIAL];
    const size_t items = c->tiles * c->segments,
                 n = c->shape.outer * c->shape.axis * c->shape.inner;
    c->partial = c->dtheta && c->segments > 1 ? partial : NULL;
    if (flags & ACT_SERIAL)
        run_items(c, 0, items);
    else
        act_run_parts(run_items, c, items, divided(n, items));
    if (!c->partial)
        return;
    const size_t all = c->rows * c->shape.axis;
    for (size_t k = 1; k < c->segments; k++)
        for (size_t i = 0; i < all; i++)
            partial[i] += partial[k * all + i];
    act_store_sums(&c->type, partial, c->dtheta, all, c->accumulate);
}

/* ---- the calls ----------------------------------------------------------------------------------
 */

static act_status check(act_dtype t, unsigned flags, unsigned allowed, act_kind k, act_shape s,
                        size_t rows, int backward, struct learned *c)
{
    struct act_choice choice;
    if (!act_kind_valid(k) && k != ACT_APL)
        return ACT_ERR_KIND;
    /* The mixed types come in as their 16-bit ones. */
    const int mixed = t == ACT_BF16_F32 || t == ACT_F16_F32;
    *c = (struct learned){.shape = s, .rows = rows};
    const act_status status =
        act_wide_check(mixed ? t - ACT_BF16_F32 + ACT_BF16 : t, flags, allowed, &choice, &c->type);
    if (status != ACT_OK)
        return status;
    c->out_size = mixed ? sizeof(float) : c->type.size;
    c->accumulate = (flags & ACT_ACCUMULATE) != 0;
    const struct act_table *table = act_tables[choice.isa];
    const struct act_apl_row *apl = table->apl[c->type.compute];
    if (k == ACT_APL) {
        c->run = backward ? apl->backward : apl->forward;
        if (rows < 2 || rows % 2 || rows > ROWS_MOST)
            return ACT_ERR_PARAM;
    } else {
        const struct act_theta_row *row = table->theta[c->type.compute][k];
        if (!row)
            return ACT_ERR_UNSUPPORTED;
        c->run = backward ? row->backward : row->forward;
        if (rows != row->count)
            return ACT_ERR_PARAM;
    }
    size_t n, parameters;
    if (!act_count(s.outer, s.axis, s.inner, most(c->type.size, c->out_size), &n) ||
        !act_count(rows, s.axis, 1, c->type.work, &parameters))
        return ACT_ERR_SIZE;
    return ACT_OK;
}

/* The elements of an array; NULL: it is not there. */
static struct act_span span(const void *data, size_t n, size_t size)
{
    return (struct act_span){data, n * size};
}

act_status act_theta_forward(act_dtype t, unsigned flags, act_kind k, act_shape s, size_t rows,
                             const void *theta, const void *in, void *out)
{
    struct learned c;
    const act_status status = check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL, k, s, rows, 0, &c);
    const size_t n = s.outer * s.axis * s.inner;
    if (status != ACT_OK || n == 0)
        return status;
    if (!theta || !in || !out)
        return ACT_ERR_NULL;
    const struct act_span x = span(in, n, c.type.size), y = span(out, n, c.out_size),
                          p = span(theta, rows * s.axis, c.type.work);
    if (!act_spans_same_or_disjoint(x, y) || !act_spans_disjoint(p, y))
        return ACT_ERR_OVERLAP;
    c.theta = theta, c.in = in, c.out = out;
    run(&c, flags);
    return ACT_OK;
}

act_status act_theta_backward(act_dtype t, unsigned flags, act_kind k, act_shape s, size_t rows,
                              const void *theta, const void *in, const void *grad_out,
                              void *grad_in, void *dtheta)
{
    struct learned c;
    const act_status status =
        check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL | ACT_ACCUMULATE, k, s, rows, 1, &c);
    const size_t n = s.outer * s.axis * s.inner, parameters = rows * s.axis;
    if (status != ACT_OK)
        return status;
    if (n == 0) { /* nothing to add up */
        if (dtheta && !c.accumulate)
            memset(dtheta, 0, parameters * c.type.work);
        return ACT_OK;
    }
    if (!theta || !in || !grad_out || (!grad_in && !dtheta))
        return ACT_ERR_NULL;
    const struct act_span x = span(in, n, c.type.size), g = span(grad_out, n, c.type.size),
                          d = span(grad_in, n, c.out_size),
                          p = span(theta, parameters, c.type.work),
                          dp = span(dtheta, parameters, c.type.work);
    if (!act_spans_same_or_disjoint(x, d) || !act_spans_same_or_disjoint(g, d) ||
        !act_spans_disjoint(p, d) || !act_spans_disjoint(dp, d) || !act_spans_disjoint(dp, x) ||
        !act_spans_disjoint(dp, g) || !act_spans_same_or_disjoint(dp, p))
        return ACT_ERR_OVERLAP;
    c.theta = theta, c.in = in, c.grad_out = grad_out, c.out = grad_in, c.dtheta = dtheta;
    run(&c, flags);
    return ACT_OK;
}
