/* LayerNorm and RMSNorm: statistics, and what is linear around them. Of a row, the elements run
 * along the axis (inner == 1); of a tile, each lane is a column of its own. Sums are in double:
 * a row has 16 lanes, element j in lane j % 16, added as a tree; a column
 * adds its elements in order. */
#include "dispatch/parts.h"
#include "kernels/lanes.h"

ACT_OP vwide w_elem(const elem *p, size_t lanes)
{
    return w_from(v_load_part(p, lanes));
}
/* Of a parameter, or of what it is without. */
ACT_OP vwide w_param(const elem *p, size_t at, size_t lanes, double without)
{
    return p ? w_elem(p + at, lanes) : w_set(without);
}
ACT_OP double param_at(const elem *p, size_t at, double without)
{
    return p ? (double)elem_at(p + at) : without;
}
ACT_OP void w_more(double *sum, vwide a)
{
    w_spread(sum, w_add(w_gather(sum), a));
}

/* As a tree. */
ACT_OP double total(const double lane[LANES])
{
    double a[8], b[4], c[2];
    for (int i = 0; i < 8; i++)
        a[i] = lane[i] + lane[i + 8];
    for (int i = 0; i < 4; i++)
        b[i] = a[i] + a[i + 4];
    for (int i = 0; i < 2; i++)
        c[i] = b[i] + b[i + 2];
    return c[0] + c[1];
}

/* ---- mean and variance -----------------------------------------------------------------------
 * From sums of d = a - shift and of its square. With an element of the row for the shift, the mean
 * of d^2 is at most n + 1 times the variance, of which that element has its part: the difference
 * below loses no more than n 2^-53 of it, nothing to f32. f64 takes a second pass from the mean. */

static void ACT_PART_SYMBOL(norm_moments_row)(const void *in, size_t n, double shift, double *sum,
                                              double *square)
{
    const elem *a = in;
    const vwide from = w_set(shift);
    vwide s[PARTS], q[PARTS];
    for (int i = 0; i < PARTS; i++)
        s[i] = w_gather(sum + i * VL), q[i] = w_gather(square + i * VL);
    size_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int i = 0; i < PARTS; i++) {
            const vwide d = w_sub(w_from(v_load(a + j + (size_t)i * VL)), from);
            s[i] = w_add(s[i], d);
            q[i] = w_fma(d, d, q[i]);
        }
    for (int i = 0; j < n; i++, j += VL) {
        const size_t lanes = part_of(n - j);
        const vec v = v_select(v_first(lanes), v_load_part(a + j, lanes), v_set((elem)shift));
        const vwide d = w_sub(w_from(v), from);
        s[i] = w_add(s[i], d);
        q[i] = w_fma(d, d, q[i]);
    }
    for (int i = 0; i < PARTS; i++)
        w_spread(sum + i * VL, s[i]), w_spread(square + i * VL, q[i]);
}

static void ACT_PART_SYMBOL(norm_moments_tile)(const void *in, size_t rows, size_t width,
                                               size_t stride, const double *shift, double *sum,
                                               double *square)
{
    for (size_t i = 0; i < width; i += VL) {
        const elem *a = (const elem *)in + i;
        const size_t lanes = part_of(width - i);
        const vwide from = w_gather(shift + i);
        vwide s = w_gather(sum + i), q = w_gather(square + i);
        for (size_t j = 0; j < rows; j++, a += stride) {
            const vwide d = w_sub(w_elem(a, lanes), from);
            s = w_add(s, d);
            q = w_fma(d, d, q);
        }
        w_spread(sum + i, s), w_spread(square + i, q);
    }
}

/* n elements, of which sum and square are known in each column: mean and rstd, the shift corrected.
 */
static void ACT_PART_SYMBOL(norm_finish)(size_t n, int rms, double eps, size_t width, double *mean,
                                         const double *sum, double *rstd)
{
    for (size_t i = 0; i < width; i++) {
        const double d = sum[i] / (double)n;
        double variance = rstd[i] / (double)n;
        if (!rms) {
            variance -= d * d;
            variance = variance < 0 ? 0 : variance;
            mean[i] += d;
        }
        rstd[i] = 1 / sqrt(variance + eps);
    }
}

/* ---- forward ----------------------------------------------------------------------------------
 * In the element type: a - mean is rounded once, what the mean's own rounding leaves goes to beta.
 * Of |a - mean| rstd |gamma| that is 4 roundings, of |beta| 2. */

struct column {
    vec mean, low, rstd;
};

ACT_OP struct column column_of(vwide mean, vwide rstd)
{
    const vec high = w_to(mean);
    return (struct column){high, w_to(w_sub(mean, w_from(high))), w_to(rstd)};
}

ACT_OP vec v_param(const elem *p, size_t at, size_t lanes, elem without)
{
    return p ? v_load_part(p + at, lanes) : v_set(without);
}

ACT_OP vec normed(vec a, struct column c, vec gamma, vec beta)
{
    const vec scale = v_mul(c.rstd, gamma);
    return v_fma_tight(v_sub(a, c.mean), scale, v_fnma(c.low, scale, beta));
}

static void ACT_PART_SYMBOL(norm_apply_row)(const void *in, size_t n, double mean, double rstd,
                                            const void *gamma, const void *beta, void *out)
{
    const elem *a = in;
    elem *y = out;
    const struct column c = column_of(w_set(mean), w_set(rstd));
    size_t j = 0;
    for (; j + VL <= n; j += VL)
        v_store(y + j, normed(v_load(a + j), c, v_param(gamma, j, VL, 1), v_param(beta, j, VL, 0)));
    if (j < n)
        v_store_n(y + j,
                  normed(v_load_n(a + j, n - j), c, v_param(gamma, j, n - j, 1),
                         v_param(beta, j, n - j, 0)),
                  n - j);
}

static void ACT_PART_SYMBOL(norm_apply_tile)(const void *in, size_t rows, size_t width,
                                             size_t stride, const double *mean, const double *rstd,
                                             const void *gamma, const void *beta, void *out,
                                             size_t out_stride)
{
    for (size_t i = 0; i < width; i += VL) {
        const size_t lanes = part_of(width - i);
        const struct column c = column_of(w_gather(mean + i), w_gather(rstd + i));
        const elem *a = (const elem *)in + i;
        elem *y = (elem *)out + i;
        for (size_t j = 0; j < rows; j++, a += stride, y += out_stride)
            v_store_part(y,
                         normed(v_load_part(a, lanes), c, v_set((elem)param_at(gamma, j, 1)),
                                v_set((elem)param_at(beta, j, 0))),
                         lanes);
    }
}

/* ---- backward ---------------------------------------------------------------------------------
 * h = g gamma, d = a - mean; sums of h, h d and d, the last to correct a mean that was rounded. */

static void ACT_PART_SYMBOL(norm_sums_row)(const void *in, const void *gradient, size_t n,
                                           double mean, const void *gamma, double *sums)
{
    const elem *a = in, *g = gradient;
    const vwide m = w_set(mean);
    vwide sh[PARTS], shd[PARTS], sd[PARTS];
    for (int i = 0; i < PARTS; i++) {
        sh[i] = w_gather(sums + i * VL);
        shd[i] = w_gather(sums + LANES + i * VL);
        sd[i] = w_gather(sums + 2 * LANES + i * VL);
    }
    size_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int i = 0; i < PARTS; i++) {
            const size_t at = j + (size_t)i * VL;
            const vwide h = w_mul(w_from(v_load(g + at)), w_param(gamma, at, VL, 1));
            const vwide d = w_sub(w_from(v_load(a + at)), m);
            sh[i] = w_add(sh[i], h);
            shd[i] = w_fma(h, d, shd[i]);
            sd[i] = w_add(sd[i], d);
        }
    for (int i = 0; j < n; i++, j += VL) {
        const size_t lanes = part_of(n - j);
        const vec v = v_select(v_first(lanes), v_load_part(a + j, lanes), v_set((elem)mean));
        const vwide h = w_mul(w_elem(g + j, lanes), w_param(gamma, j, lanes, 1));
        const vwide d = w_sub(w_from(v), m);
        sh[i] = w_add(sh[i], h);
        shd[i] = w_fma(h, d, shd[i]);
        sd[i] = w_add(sd[i], d);
    }
    for (int i = 0; i < PARTS; i++) {
        w_spread(sums + i * VL, sh[i]);
        w_spread(sums + LANES + i * VL, shd[i]);
        w_spread(sums + 2 * LANES + i * VL, sd[i]);
    }
}

static void ACT_PART_SYMBOL(norm_sums_tile)(const void *in, size_t stride, const void *gradient,
                                            size_t gradient_stride, size_t rows, size_t width,
                                            const double *mean, const void *gamma, double *sums_h,
                                            double *sums_hd, double *sums_d)
{
    for (size_t i = 0; i < width; i += VL) {
        const elem *a = (const elem *)in + i, *g = (const elem *)gradient + i;
        const size_t lanes = part_of(width - i);
        const vwide m = w_gather(mean + i);
        vwide sh = w_gather(sums_h + i), shd = w_gather(sums_hd + i), sd = w_gather(sums_d + i);
        for (size_t j = 0; j < rows; j++, a += stride, g += gradient_stride) {
            const vwide h = w_mul(w_elem(g, lanes), w_set(param_at(gamma, j, 1)));
            const vwide d = w_sub(w_elem(a, lanes), m);
            sh = w_add(sh, h);
            shd = w_fma(h, d, shd);
            sd = w_add(sd, d);
        }
        w_spread(sums_h + i, sh), w_spread(sums_hd + i, shd), w_spread(sums_d + i, sd);
    }
}

static void ACT_PART_SYMBOL(norm_coefficients)(size_t n, int rms, size_t width, const double *rstd,
                                               double *c0, double *c1, double *d)
{
    const double count = (double)n;
    for (size_t i = 0; i < width; i++) {
        const double off = rms ? 0 : d[i] / count, h = c0[i];
        const double hn = (c1[i] - off * h) * rstd[i] / count; /* mean of h norm(a) */
        d[i] = off;
        c0[i] = rms ? 0 : rstd[i] * (h / count);
        c1[i] = rstd[i] * hn * rstd[i];
    }
}

/* In the element type: 3 roundings of each term. */
struct line {
    vec mean, rstd, c0, c1; /* what mean is off is in c0 */
};

ACT_OP struct line line_of(vwide mean, vwide rstd, vwide c0, vwide c1)
{
    const vec high = w_to(mean);
    const vwide low = w_sub(mean, w_from(high));
    return (struct line){high, w_to(rstd), w_to(w_sub(c0, w_mul(low, c1))), w_to(c1)};
}

ACT_OP vec slope(vec a, vec g, vec gamma, struct line c)
{
    const vec h = v_fms(g, v_mul(c.rstd, gamma), c.c0);
    return v_fnma(v_sub(a, c.mean), c.c1, h);
}

static void ACT_PART_SYMBOL(norm_gradient_row)(const void *in, const void *gradient, size_t n,
                                               const struct act_norm_column *column,
                                               const void *gamma, void *out)
{
    const elem *a = in, *g = gradient;
    elem *y = out;
    const struct line c =
        line_of(w_set(column->mean), w_set(column->rstd), w_set(column->c0), w_set(column->c1));
    size_t j = 0;
    for (; j + VL <= n; j += VL)
        v_store(y + j, slope(v_load(a + j), v_load(g + j), v_param(gamma, j, VL, 1), c));
    if (j < n)
        v_store_n(
            y + j,
            slope(v_load_n(a + j, n - j), v_load_n(g + j, n - j), v_param(gamma, j, n - j, 1), c),
            n - j);
}

static void ACT_PART_SYMBOL(norm_gradient_tile)(const void *in, size_t stride, const void *gradient,
                                                size_t gradient_stride, size_t rows, size_t width,
                                                const double *mean, const double *d,
                                                const double *rstd, const double *c0,
                                                const double *c1, const void *gamma, void *out,
                                                size_t out_stride)
{
    for (size_t i = 0; i < width; i += VL) {
        const size_t lanes = part_of(width - i);
        const struct line c = line_of(w_add(w_gather(mean + i), w_gather(d + i)),
                                      w_gather(rstd + i), w_gather(c0 + i), w_gather(c1 + i));
        const elem *a = (const elem *)in + i, *g = (const elem *)gradient + i;
        elem *y = (elem *)out + i;
        for (size_t j = 0; j < rows; j++, a += stride, g += gradient_stride, y += out_stride)
            v_store_part(y,
                         slope(v_load_part(a, lanes), v_load_part(g, lanes),
                               v_set((elem)param_at(gamma, j, 1)), c),
                         lanes);
    }
}

/* ---- gradients of gamma and beta ------------------------------------------------------------ */

/* Of one row: a sum for each element. */
static void ACT_PART_SYMBOL(norm_params_row)(const void *in, const void *gradient, size_t n,
                                             double mean, double rstd, double *dgamma,
                                             double *dbeta)
{
    const elem *a = in, *g = gradient;
    const vwide m = w_set(mean), r = w_set(rstd);
    for (size_t j = 0; j < n; j += VL) {
        const size_t lanes = part_of(n - j);
        const vwide scale = w_elem(g + j, lanes);
        const vwide norm = w_mul(w_sub(w_elem(a + j, lanes), m), r);
        w_spread(dgamma + j, w_fma(scale, norm, w_gather(dgamma + j)));
        w_more(dbeta + j, scale);
    }
}

/* Of [rows][n]: a sum for each row, of 16 lanes. mean (or NULL: 0) and rstd are [n]. */
static void ACT_PART_SYMBOL(norm_params_tile)(const void *in, size_t stride, const void *gradient,
                                              size_t gradient_stride, size_t rows, size_t n,
                                              const void *mean, const void *rstd, double *dgamma,
                                              double *dbeta)
{
    const elem *a = in, *g = gradient, *r = rstd;
    for (size_t k = 0; k < rows; k++, a += stride, g += gradient_stride) {
        double lane[LANES] = {0}, lane_b[LANES] = {0};
        vwide sg[PARTS], sb[PARTS];
        for (int i = 0; i < PARTS; i++)
            sg[i] = sb[i] = w_set(0);
        for (size_t j = 0; j < n;)
            for (int i = 0; i < PARTS && j < n; i++, j += VL) {
                const size_t lanes = part_of(n - j);
                const vwide scale = w_elem(g + j, lanes);
                const vwide d = w_sub(w_elem(a + j, lanes), w_param(mean, j, lanes, 0));
                sg[i] = w_fma(scale, w_mul(d, w_elem(r + j, lanes)), sg[i]);
                sb[i] = w_add(sb[i], scale);
            }
        for (int i = 0; i < PARTS; i++)
            w_spread(lane + i * VL, sg[i]), w_spread(lane_b + i * VL, sb[i]);
        dgamma[k] += total(lane);
        dbeta[k] += total(lane_b);
    }
}

static double ACT_PART_SYMBOL(norm_total)(const double *lanes)
{
    return total(lanes);
}

ACT_PART_ROW(norm) = {ACT_PART_SYMBOL(norm_moments_row),  ACT_PART_SYMBOL(norm_moments_tile),
                      ACT_PART_SYMBOL(norm_finish),       ACT_PART_SYMBOL(norm_apply_row),
                      ACT_PART_SYMBOL(norm_apply_tile),   ACT_PART_SYMBOL(norm_sums_row),
                      ACT_PART_SYMBOL(norm_sums_tile),    ACT_PART_SYMBOL(norm_coefficients),
                      ACT_PART_SYMBOL(norm_gradient_row), ACT_PART_SYMBOL(norm_gradient_tile),
                      ACT_PART_SYMBOL(norm_params_row),   ACT_PART_SYMBOL(norm_params_tile),
                      ACT_PART_SYMBOL(norm_total)};
