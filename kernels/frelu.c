/* FReLU: max(x, depthwise convolution of x + bias), a row of an image at a time. Rows come in
 * scratch, with zeros around them, in whole vectors. */
#include "dispatch/parts.h"
#include "kernels/lanes.h"

enum { WIDE = 4 }; /* vectors side by side: as many sums as hide the latency of FMA */

/* bias + the products, for `count` vectors from column i on. */
ACT_OP void products(const struct act_frelu_row_of *r, const elem *w, vec bias, size_t i, int count,
                     vec t[WIDE])
{
    for (int c = 0; c < count; c++)
        t[c] = bias;
    for (size_t u = 0; u < r->kernel_h; u++) {
        const elem *x = r->rows[u];
        if (!x)
            continue;
        for (size_t v = 0; v < r->kernel_w; v++) {
            const vec a = v_set(elem_at(w + u * r->kernel_w + v));
            for (int c = 0; c < count; c++)
                t[c] = v_fma(a, v_load(x + i + v + (size_t)c * VL), t[c]);
        }
    }
    for (int c = 0; c < count; c++)
        t[c] = v_round(t[c]);
}

/* x where it is the larger, or NaN. */
ACT_OP vmask x_wins(vec x, vec t)
{
    return v_le(t, x);
}

ACT_OP vec larger(vec x, vec t)
{
    return v_select(v_eq(x, x), v_select(x_wins(x, t), x, t), x);
}

#define FOR_VECTORS(n, i, count, ...)                                                              \
    do {                                                                                           \
        size_t i = 0;                                                                              \
        for (; i + WIDE * VL <= (n); i += WIDE * VL) {                                             \
            enum { count = WIDE };                                                                 \
            __VA_ARGS__                                                                            \
        }                                                                                          \
        for (; i < (n); i += VL) {                                                                 \
            enum { count = 1 };                                                                    \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    } while (0)

static void ACT_PART_SYMBOL(frelu_forward)(const struct act_frelu_row_of *r, const void *w,
                                           const void *bias, void *out)
{
    const vec b = v_set(bias ? elem_at(bias) : 0);
    const elem *x = r->centre;
    elem *y = out;
    FOR_VECTORS(r->n, i, count, {
        vec t[WIDE];
        products(r, w, b, i, count, t);
        for (int c = 0; c < count; c++) {
            const size_t at = i + (size_t)c * VL;
            v_store_part(y + at, larger(v_load(x + at), t[c]), part_of(r->n - at));
        }
    });
}

static void ACT_PART_SYMBOL(frelu_split)(const struct act_frelu_row_of *r, const void *w,
                                         const void *bias, const void *gradient, void *to_t,
                                         void *to_x)
{
    const vec b = v_set(bias ? elem_at(bias) : 0);
    const elem *x = r->centre, *g = gradient;
    elem *gt = to_t, *gx = to_x;
    FOR_VECTORS(r->n, i, count, {
        vec t[WIDE];
        products(r, w, b, i, count, t);
        for (int c = 0; c < count; c++) {
            const size_t at = i + (size_t)c * VL;
            const vec v = v_load(x + at), a = v_load(g + at);
            const vmask mine = x_wins(v, t[c]), number = v_eq(v, v);
            v_store(gt + at, v_keep(number, v_drop(mine, a)));
            if (gx)
                v_store(gx + at, v_select(number, v_keep(mine, a), a));
        }
    });
}

/* d += the products of the gradients of t around a column with the weights of one kernel row:
 * backwards, t's column i + kernel_w - 1 - v with weight v. */
static void ACT_PART_SYMBOL(frelu_push)(const void *gradient, const void *weights, size_t kernel_w,
                                        size_t n, void *sums)
{
    const elem *g = gradient, *w = weights;
    elem *d = sums;
    FOR_VECTORS(n, i, count, {
        vec t[WIDE];
        for (int c = 0; c < count; c++)
            t[c] = v_load(d + i + (size_t)c * VL);
        for (size_t v = 0; v < kernel_w; v++) {
            const vec a = v_set(elem_at(w + v));
            for (int c = 0; c < count; c++)
                t[c] = v_fma(a, v_load(g + i + (kernel_w - 1 - v) + (size_t)c * VL), t[c]);
        }
        for (int c = 0; c < count; c++)
            v_store(d + i + (size_t)c * VL, t[c]);
    });
}

static void ACT_PART_SYMBOL(frelu_add)(const void *from, size_t n, void *sums)
{
    const elem *a = from;
    elem *d = sums;
    for (size_t i = 0; i < n; i += VL)
        v_store(d + i, v_add(v_load(d + i), v_load(a + i)));
}

static double ACT_PART_SYMBOL(frelu_total)(const double *lanes)
{
    return lanes_total(lanes);
}

/* Adds up `taps` weights of one kernel row, so that a gradient is loaded once. f32 adds three
 * products as floats before they go to double, which may cost 3 2^-24 of them. */
ACT_OP void dots(const elem *g, const elem *x, size_t n, int taps, int lanes, double *dw)
{
    vwide s[3][PARTS];
    for (int c = 0; c < taps; c++)
        for (int i = 0; i < PARTS; i++)
            s[c][i] = lanes ? w_gather(dw + c * LANES + i * VL) : w_set(0);
    size_t j = 0;
    for (; !V_DOUBLE && j + 3 * LANES <= n; j += 3 * LANES)
        for (int i = 0; i < PARTS; i++) {
            const size_t at = j + (size_t)i * VL;
            const vec g0 = v_load(g + at), g1 = v_load(g + at + LANES);
            const vec g2 = v_load(g + at + 2 * LANES);
            for (int c = 0; c < taps; c++) {
                const elem *v = x + at + (size_t)c;
                vec t = v_mul(g0, v_load(v));
                t = v_fma(g1, v_load(v + LANES), t);
                t = v_fma(g2, v_load(v + 2 * LANES), t);
                s[c][i] = w_add(s[c][i], w_from(t));
            }
        }
    for (; j < n; j += LANES)
        for (int i = 0; i < PARTS; i++) {
            const size_t at = j + (size_t)i * VL;
            const vec a = v_load(g + at);
            for (int c = 0; c < taps; c++) {
                if (V_DOUBLE)
                    s[c][i] = w_fma(w_from(a), w_from(v_load(x + at + (size_t)c)), s[c][i]);
                else
                    s[c][i] = w_add(s[c][i], w_from(v_mul(a, v_load(x + at + (size_t)c))));
            }
        }
    for (int c = 0; c < taps; c++) {
        double sum[LANES], *const to = lanes ? dw + c * LANES : sum;
        for (int i = 0; i < PARTS; i++)
            w_spread(to + i * VL, s[c][i]);
        if (!lanes)
            dw[c] += lanes_total(sum);
    }
}

ACT_OP void weights(const struct act_frelu_row_of *r, const elem *g, int lanes, double *dw)
{
    const size_t step = lanes ? LANES : 1;
    for (size_t u = 0; u < r->kernel_h; u++) {
        const elem *x = r->rows[u];
        if (!x)
            continue;
        double *to = dw + u * r->kernel_w * step;
        size_t v = 0;
        for (; v + 3 <= r->kernel_w; v += 3)
            dots(g, x + v, r->n, 3, lanes, to + v * step);
        for (; v < r->kernel_w; v++)
            dots(g, x + v, r->n, 1, lanes, to + v * step);
    }
}

static void ACT_PART_SYMBOL(frelu_weights)(const struct act_frelu_row_of *r, const void *gradient,
                                           int lanes, double *dw, double *dbias)
{
    const elem *g = gradient;
    for (size_t j = 0; j < r->n; j += LANES)
        for (int i = 0; i < PARTS; i++) {
            double *const to = dbias + i * VL;
            w_spread(to, w_add(w_gather(to), w_from(v_load(g + j + (size_t)i * VL))));
        }
    if (lanes)
        weights(r, g, 1, dw);
    else
        weights(r, g, 0, dw);
}

ACT_PART_ROW(frelu) = {ACT_PART_SYMBOL(frelu_forward), ACT_PART_SYMBOL(frelu_split),
                       ACT_PART_SYMBOL(frelu_push),    ACT_PART_SYMBOL(frelu_add),
                       ACT_PART_SYMBOL(frelu_weights), ACT_PART_SYMBOL(frelu_total)};
