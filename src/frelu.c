/* FReLU: act_frelu_forward, act_frelu_backward. A strip of columns at a time goes down an image;
 * the rows that its convolution needs are kept in scratch, widened, with zeros around the image. */
#include "src/parallel.h"
#include "src/wide.h"

#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* Bytes of a strip's rows: 14 columns of doubles still fit with a kernel of 19 x 19. What is
 * computed is a multiple of UNIT columns, the largest vector, or the lanes of a sum. Up to
 * LANE_TAPS weights have a sum for each lane as long as an image takes. */
enum {
    SCRATCH = 11264,
    UNIT = 16,
    KERNEL = ACT_FRELU_KERNEL,
    LANES = ACT_FRELU_LANES,
    LANE_TAPS = 25
};

struct frelu {
    const struct act_frelu_row *loops;
    struct act_wide wide;
    act_image image;
    size_t plane;    /* elements */
    size_t up, left; /* half a kernel */
    size_t strip;    /* columns at once */
    const char *w, *bias, *in, *grad_out;
    char *out, *dw, *dbias; /* out: grad_in of a backward call */
    int accumulate;
};

static size_t whole(size_t n)
{
    return (n + UNIT - 1) / UNIT * UNIT;
}

/* Elements of a strip of n columns. t: columns whose convolution is computed. */
static size_t forward_elements(const act_image *m, size_t n)
{
    const size_t x_row = whole(n) + m->kernel_w - 1;
    return m->kernel_h * x_row + whole(n);
}
static size_t backward_elements(const act_image *m, size_t n)
{
    const size_t t = whole(n + m->kernel_w - 1), x_row = t + m->kernel_w - 1;
    return m->kernel_h * (x_row + whole(n)) + 2 * t + t + UNIT + m->kernel_w;
}

static size_t widest(const act_image *m, size_t work, size_t (*elements)(const act_image *, size_t))
{
    size_t n = m->width < 1024 ? m->width : 1024;
    while (n > 1 && elements(m, n) * work > SCRATCH)
        n--;
    return n;
}

/* What a row of scratch holds of an image's: n columns from `first` on, behind `skip` that are left
 * of it. What is beside them stays 0, as scratch began. */
struct window {
    size_t first, skip, n;
};

/* `columns` from `start` on, which is `left` columns further left. */
static struct window window_of(const struct frelu *m, size_t start, size_t left, size_t columns)
{
    const size_t skip = start < left ? left - start : 0, first = start < left ? 0 : start - left;
    const size_t rest = m->image.width - first, most = columns - skip;
    return (struct window){first, skip, rest < most ? rest : most};
}

/* Row y of the plane at element `at`. */
static void fetch(const struct frelu *m, const char *array, size_t at, size_t y,
                  const struct window *s, char *to)
{
    act_fetch(&m->wide, array + (at + y * m->image.width + s->first) * m->wide.size,
              to + s->skip * m->wide.work, s->n);
}

/* A ring of the rows that a kernel needs; row y of the image is in slot y % kernel_h. */
static size_t slot_of(const struct frelu *m, size_t slot, size_t further)
{
    slot += further; /* both below kernel_h */
    return slot < m->image.kernel_h ? slot : slot - m->image.kernel_h;
}

/* Of row y + u - up, y being in the slot. */
static size_t slot_around(const struct frelu *m, size_t slot, size_t u)
{
    return u < m->up ? slot_of(m, slot, m->image.kernel_h - m->up + u)
                     : slot_of(m, slot, u - m->up);
}

/* The rows around row y, which is in the slot, that are in the image. */
static void point_at(const struct frelu *m, struct act_frelu_row_of *r, const char *ring,
                     size_t row_bytes, size_t y, size_t slot)
{
    for (size_t u = 0; u < m->image.kernel_h; u++) {
        const int inside = y + u >= m->up && y + u - m->up < m->image.height;
        r->rows[u] = inside ? ring + slot_around(m, slot, u) * row_bytes : NULL;
    }
    r->centre = ring + slot * row_bytes + m->left * m->wide.work;
    r->kernel_h = m->image.kernel_h;
    r->kernel_w = m->image.kernel_w;
}

static const char *weights(const struct frelu *m, size_t channel)
{
    return m->w + channel * m->image.kernel_h * m->image.kernel_w * m->wide.work;
}
static const char *bias(const struct frelu *m, size_t channel)
{
    return m->bias ? m->bias + channel * m->wide.work : NULL;
}

/* ---- forward ----------------------------------------------------------------------------------
 */

/* Columns [first, first + n) of the plane at element `at`. */
static void forward_strip(const struct frelu *m, size_t channel, size_t at, size_t first, size_t n)
{
    _Alignas(64) char scratch[SCRATCH];
    const size_t work = m->wide.work, row = whole(n) + m->image.kernel_w - 1;
    char *const narrow = scratch + m->image.kernel_h * row * work;
    const struct window x = window_of(m, first, m->left, n + m->image.kernel_w - 1);
    struct act_frelu_row_of r = {.n = n};
    memset(scratch, 0, m->image.kernel_h * row * work);
    size_t next = 0, next_slot = 0, slot = 0;
    for (size_t y = 0; y < m->image.height; y++, slot = slot_of(m, slot, 1)) {
        for (; next <= y + m->up && next < m->image.height; next++) {
            fetch(m, m->in, at, next, &x, scratch + next_slot * row * work);
            next_slot = slot_of(m, next_slot, 1);
        }
        point_at(m, &r, scratch, row * work, y, slot);
        char *const out = m->out + (at + y * m->image.width + first) * m->wide.size;
        m->loops->forward(&r, weights(m, channel), bias(m, channel),
                          m->wide.convert ? narrow : out);
        if (m->wide.convert)
            act_narrow(&m->wide, (const float *)(const void *)narrow, out, n);
    }
}

static void forward_part(const void *job, size_t first, size_t count)
{
    const struct frelu *m = job;
    for (size_t p = first; p < first + count; p++)
        for (size_t i = 0; i < m->image.width; i += m->strip) {
            const size_t rest = m->image.width - i;
            forward_strip(m, p % m->image.channels, p * m->plane, i,
                          rest < m->strip ? rest : m->strip);
        }
}

/* ---- backward -----------------------------------------------------------------------------------
 * Row by row the gradient of t, with columns beside the strip as far as the kernel reaches, is
 * pushed into the rows of grad_in around it, which are kept until the last has come. */

struct sums {
    double dw[LANE_TAPS * LANES], dbias[LANES]; /* dw: or one for each tap */
    int lanes;
};
_Static_assert(LANE_TAPS *LANES >= KERNEL * KERNEL, "a sum for each tap");

static void backward_strip(const struct frelu *m, size_t channel, size_t at, size_t first, size_t n,
                           struct sums *sum)
{
    _Alignas(64) char scratch[SCRATCH];
    const size_t work = m->wide.work, kernel_h = m->image.kernel_h, kernel_w = m->image.kernel_w;
    const size_t columns = n + kernel_w - 1, t = whole(columns);
    const size_t x_row = (t + kernel_w - 1) * work, d_row = whole(n) * work;
    char *const sums = scratch + kernel_h * x_row, *const gradient = sums + kernel_h * d_row;
    char *const to_t = gradient + t * work, *const to_x = to_t + t * work;
    const struct window x = window_of(m, first, 2 * m->left, columns + kernel_w - 1);
    const struct window g = window_of(m, first, m->left, columns);
    struct act_frelu_row_of r;
    size_t next = 0, next_slot = 0, slot = 0;
    memset(scratch, 0, (size_t)(to_x - scratch) + (t + UNIT + kernel_w) * work);
    for (size_t y = 0; y < m->image.height + m->up; y++, slot = slot_of(m, slot, 1)) {
        for (; next <= y + m->up && next < m->image.height; next++) {
            fetch(m, m->in, at, next, &x, scratch + next_slot * x_row);
            next_slot = slot_of(m, next_slot, 1);
        }
        if (y < m->image.height) {
            fetch(m, m->grad_out, at, y, &g, gradient);
            point_at(m, &r, scratch, x_row, y, slot);
            r.n = t;
            m->loops->split(&r, weights(m, channel), bias(m, channel), gradient, to_t, to_x);
            for (size_t u = 0; m->out && u < kernel_h; u++)
                if (r.rows[u])
                    m->loops->push(to_t, weights(m, channel) + u * kernel_w * work, kernel_w, n,
                                   sums + slot_around(m, slot, u) * d_row);
            if (m->out)
                m->loops->add(to_x + m->left * work, n, sums + slot * d_row);
        }
        if (y < m->image.height && (m->dw || m->dbias)) {
            /* The strip's own columns. */
            memcpy(to_x, to_t + m->left * work, n * work);
            memset(to_x + n * work, 0, d_row - n * work);
            for (size_t u = 0; u < kernel_h; u++)
                if (r.rows[u])
                    r.rows[u] = (const char *)r.rows[u] + m->left * work;
            r.n = whole(n);
            m->loops->weights(&r, to_x, sum->lanes, sum->dw, sum->dbias);
        }
        if (y < m->up || !m->out)
            continue;
        char *const done = sums + slot_around(m, slot, 0) * d_row;
        act_deliver(&m->wide, done,
                    m->out + (at + (y - m->up) * m->image.width + first) * m->wide.size, n);
        memset(done, 0, d_row);
    }
}

static void store(const struct frelu *m, size_t channel, struct sums *sum)
{
    const size_t taps = m->image.kernel_h * m->image.kernel_w;
    const double dbias = m->loops->total(sum->dbias);
    for (size_t i = 0; sum->lanes && i < taps; i++)
        sum->dw[i] = m->loops->total(sum->dw + i * LANES);
    if (m->dw)
        act_store_sums(&m->wide, sum->dw, m->dw + channel * taps * m->wide.work, taps,
                       m->accumulate);
    if (m->dbias)
        act_store_sums(&m->wide, &dbias, m->dbias + channel * m->wide.work, 1, m->accumulate);
}

/* Channels: a sum is one thread's, over the images in order. */
static void backward_part(const void *job, size_t first, size_t count)
{
    const struct frelu *m = job;
    struct sums sum;
    for (size_t c = first; c < first + count; c++) {
        memset(&sum, 0, sizeof sum);
        sum.lanes = m->image.kernel_h * m->image.kernel_w <= LANE_TAPS;
        for (size_t b = 0; b < m->image.batch; b++)
            for (size_t i = 0; i < m->image.width; i += m->strip) {
                const size_t rest = m->image.width - i;
                backward_strip(m, c, (b * m->image.channels + c) * m->plane, i,
                               rest < m->strip ? rest : m->strip, &sum);
            }
        store(m, c, &sum);
    }
}

/* ---- the calls ----------------------------------------------------------------------------------
 */

struct sizes {
    size_t n, array, w, bias; /* elements; bytes */
};

static act_status check(act_dtype t, unsigned flags, unsigned allowed, const act_image *image,
                        struct frelu *m, struct sizes *bytes)
{
    struct act_choice choice;
    const act_status status = act_wide_check(t, flags, allowed, &choice, &m->wide);
    if (status != ACT_OK)
        return status;
    if (!image)
        return ACT_ERR_NULL;
    m->image = *image;
    const size_t kh = image->kernel_h, kw = image->kernel_w;
    if (kh % 2 == 0 || kh > KERNEL || kw % 2 == 0 || kw > KERNEL)
        return ACT_ERR_PARAM;
    size_t planes;
    if (!act_count(image->height, image->width, 1, m->wide.work, &m->plane) ||
        !act_count(image->batch, image->channels, 1, m->wide.work, &planes) ||
        !act_count(planes, m->plane, 1, m->wide.work, &bytes->n) ||
        !act_count(image->channels, kh, kw, m->wide.work, &bytes->w))
        return ACT_ERR_SIZE;
    bytes->array = bytes->n * m->wide.size;
    bytes->w *= m->wide.work;
    bytes->bias = image->channels * m->wide.work;
    m->up = kh / 2;
    m->left = kw / 2;
    m->accumulate = (flags & ACT_ACCUMULATE) != 0;
    m->loops = act_tables[choice.isa]->frelu[m->wide.compute];
    return ACT_OK;
}

static void run(void (*part)(const void *, size_t, size_t), const struct frelu *m, unsigned flags,
                size_t count, size_t unit)
{
    if (flags & ACT_SERIAL)
        part(m, 0, count);
    else
        act_run_parts(part, m, count, unit);
}

act_status act_frelu_forward(act_dtype t, unsigned flags, const act_image *image, const void *w,
                             const void *bias_of, const void *in, void *out)
{
    struct frelu m = {.w = w, .bias = bias_of, .in = in, .out = out};
    struct sizes bytes;
    const act_status status = check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL, image, &m, &bytes);
    if (status != ACT_OK || bytes.n == 0)
        return status;
    if (!w || !in || !out)
        return ACT_ERR_NULL;
    const struct act_span y = {out, bytes.array};
    if (!act_spans_disjoint((struct act_span){in, bytes.array}, y) ||
        !act_spans_disjoint((struct act_span){w, bytes.w}, y) ||
        !act_spans_disjoint((struct act_span){bias_of, bytes.bias}, y))
        return ACT_ERR_OVERLAP;
    m.strip = widest(image, m.wide.work, forward_elements);
    run(forward_part, &m, flags, image->batch * image->channels, m.plane);
    return ACT_OK;
}

act_status act_frelu_backward(act_dtype t, unsigned flags, const act_image *image, const void *w,
                              const void *bias_of, const void *in, const void *grad_out,
                              void *grad_in, void *dw, void *dbias)
{
    struct frelu m = {.w = w,
                      .bias = bias_of,
                      .in = in,
                      .grad_out = grad_out,
                      .out = grad_in,
                      .dw = dw,
                      .dbias = dbias};
    struct sizes bytes;
    const act_status status =
        check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL | ACT_ACCUMULATE, image, &m, &bytes);
    if (status != ACT_OK || image->channels == 0)
        return status;
    if (bytes.n && (!w || !in || !grad_out))
        return ACT_ERR_NULL;
    const struct act_span outputs[] = {{grad_in, bytes.array}, {dw, bytes.w}, {dbias, bytes.bias}};
    const struct act_span inputs[] = {
        {in, bytes.array}, {grad_out, bytes.array}, {w, bytes.w}, {bias_of, bytes.bias}};
    for (int o = 0; o < 3; o++) {
        for (int i = 0; i < 4; i++)
            if (!act_spans_disjoint(inputs[i], outputs[o]))
                return ACT_ERR_OVERLAP;
        for (int other = o + 1; other < 3; other++)
            if (!act_spans_disjoint(outputs[o], outputs[other]))
                return ACT_ERR_OVERLAP;
    }
    if (bytes.n == 0)
        m.image.batch = 0; /* nothing to add up */
    m.strip = widest(image, m.wide.work, backward_elements);
    run(backward_part, &m, flags, image->channels, bytes.n / image->channels);
    return ACT_OK;
}
