/* The largest of several - maxout, dynamic ReLU, FReLU - and its gradients against MPFR. All
 * gradients are differences of the definition in 300 bits: nobody derived them. Inputs are drawn
 * until no two pieces are so close that rounding may choose another; test_maxout.c, test_dyrelu.c
 * and test_frelu.c have ties, special values and more shapes. */
#include "tests/mpfr_check.h"

enum { MOST = 4096 };

/* What a call reads, and what it should write. */
static mpfr_t X[MOST], A[MOST], B[MOST], OUT[MOST], DX[MOST], DA[MOST], DB[MOST];
static double upstream[MOST];
static size_t at; /* of an element or a plane, for the functions that are differentiated */
static act_shape shape;
static size_t pieces;

static int has_fma(void) /* of the ISA that is set: what reproducible mode needs */
{
    const int has = act_set_mode(ACT_MODE_REPRODUCIBLE) == ACT_OK;
    must(act_set_mode(ACT_MODE_FAST));
    return has;
}

/* ---- maxout: exact ------------------------------------------------------------------------- */

enum { MAXOUT, MAXOUT_ARG, MAXOUT_BACK, MAXOUTS };
static struct worst maxout[MAXOUTS] = {[MAXOUT] = {"maxout, out", {0, 0}, {0}, {0}},
                                       [MAXOUT_ARG] = {"maxout, arg", {0, 0}, {0}, {0}},
                                       [MAXOUT_BACK] = {"maxout, grad_in", {0, 0}, {0}, {0}}};

/* Output i = o * inner + rest. */
static size_t maxout_exactly(size_t i, mpfr_t y)
{
    mpfr_t *const first = X + i / shape.inner * shape.axis * shape.inner + i % shape.inner;
    size_t best = 0;
    for (size_t k = 1; k < shape.axis; k++)
        if (mpfr_greater_p(first[k * shape.inner], first[best * shape.inner]))
            best = k;
    mpfr_set(y, first[best * shape.inner], MPFR_RNDN);
    return best;
}
static void of_maxout(mpfr_t value)
{
    maxout_exactly(at, value);
    mpfr_mul_d(value, value, upstream[at], MPFR_RNDN);
}

static void check_maxout(act_dtype t, act_shape s)
{
    static double in[MOST], g[MOST], out[MOST], dx[MOST], x[MOST];
    static int32_t arg[MOST];
    const size_t m = s.outer * s.inner, n = m * s.axis;
    shape = s;
    fill(t, in, x, n, -3, 3), fill(t, g, upstream, m, -1, 1);
    set_all(X, x, n);
    FOR_ISA(isa)
    {
        must(act_maxout_forward(t, 0, s, in, out, arg));
        must(act_maxout_backward(t, 0, s, arg, g, dx));
        for (size_t i = 0; i < m; i++) {
            mpfr_set_ui(s1, maxout_exactly(i, s0), MPFR_RNDN);
            hold(&maxout[MAXOUT_ARG], t, arg[i], s1, 0);
            hold(&maxout[MAXOUT], t, get(t, out, i), s0, 0);
        }
        for (size_t j = 0; j < n; j++) {
            at = j / (s.axis * s.inner) * s.inner + j % s.inner;
            difference(of_maxout, X[j], s0);
            hold(&maxout[MAXOUT_BACK], t, get(t, dx, j), s0, 0);
        }
    }
}

/* ---- dynamic ReLU -------------------------------------------------------------------------- */

/* out: actfn.h. grad_in is a product. da and db: doubles, rounded once; f64 of as many as inner. */
enum { DYRELU, DYRELU_BACK, DYRELU_A, DYRELU_B, DYRELUS };
static struct worst dyrelu[DYRELUS] = {
    [DYRELU] = {"dynamic ReLU, out", {1, 1}, {0}, {0}},
    [DYRELU_BACK] = {"dynamic ReLU, grad_in", {.5, .5}, {0}, {0}},
    [DYRELU_A] = {"dynamic ReLU, da", {1.01, 8}, {0}, {0}},
    [DYRELU_B] = {"dynamic ReLU, db", {1.01, 8}, {0}, {0}}};

/* The largest piece of element i, and which; second: what comes next. */
static size_t dyrelu_exactly(size_t i, mpfr_t y, double *second)
{
    const size_t planes = shape.outer * shape.axis, p = i / shape.inner;
    size_t best = 0;
    *second = -INFINITY;
    for (size_t k = 0; k < pieces; k++) {
        mpfr_fma(s0, A[k * planes + p], X[i], B[k * planes + p], MPFR_RNDN);
        const int wins = k == 0 || mpfr_greater_p(s0, y);
        if (k > 0)
            *second = larger(*second, wins ? of(y) : of(s0));
        if (wins) {
            mpfr_set(y, s0, MPFR_RNDN);
            best = k;
        }
    }
    return best;
}
static void of_element(mpfr_t value)
{
    double second;
    dyrelu_exactly(at, value, &second);
    mpfr_mul_d(value, value, upstream[at], MPFR_RNDN);
}
static void of_plane(mpfr_t value)
{
    double second;
    mpfr_set_zero(value, 1);
    for (size_t i = at * shape.inner; i < (at + 1) * shape.inner; i++) {
        dyrelu_exactly(i, s1, &second);
        mpfr_mul_d(s1, s1, upstream[i], MPFR_RNDN);
        mpfr_add(value, value, s1, MPFR_RNDN);
    }
}

static void check_dyrelu(act_dtype t, act_shape s, size_t count)
{
    static double in[MOST], g[MOST], out[MOST], dx[MOST], a[MOST], b[MOST], da[MOST], db[MOST];
    static double x[MOST], av[MOST], bv[MOST], scale[MOST], terms_a[MOST], terms_b[MOST];
    static double before[MOST];
    const size_t planes = s.outer * s.axis, n = planes * s.inner, m = planes * count;
    shape = s, pieces = count;
    fill(t, in, x, n, -3, 3), fill(t, g, upstream, n, -1, 1);
    fill(t, a, av, m, -2, 2), fill(t, b, bv, m, -2, 2);
    for (size_t j = 0; j < m; j += 7) /* constant pieces */
        put(t, a, j, av[j] = 0);
    fill(t, da, before, m, -1, 1);
    set_all(A, av, m), set_all(B, bv, m), set_all(X, x, n);
    memset(terms_a, 0, sizeof terms_a), memset(terms_b, 0, sizeof terms_b);
    for (size_t i = 0; i < n; i++) {
        size_t k;
        for (;;) {
            double second;
            k = dyrelu_exactly(i, OUT[i], &second);
            if (of(OUT[i]) - second > 32 * unit[t] * 8)
                break;
            put(t, in, i, uniform(-3, 3));
            set(X[i], x[i] = get(t, in, i));
        }
        const size_t j = k * planes + i / s.inner;
        scale[i] = 2 * fabs(av[j] * x[i]) + fabs(of(OUT[i]));
        terms_a[j] += fabs(upstream[i] * x[i]), terms_b[j] += fabs(upstream[i]);
        at = i;
        difference(of_element, X[i], DX[i]);
    }
    for (size_t j = 0; j < m; j++) {
        at = j % planes;
        difference(of_plane, A[j], DA[j]), difference(of_plane, B[j], DB[j]);
    }
    FOR_ISA(isa)
    for (int add = 0; add < 2; add++) {
        must(act_dyrelu_forward(t, 0, s, count, a, b, in, out));
        for (size_t j = 0; j < m; j++)
            put(t, da, j, before[j]), put(t, db, j, before[j]);
        must(act_dyrelu_backward(t, add ? ACT_ACCUMULATE : 0, s, count, a, b, in, g, dx, da, db));
        for (size_t i = 0; i < n; i++) {
            hold(&dyrelu[DYRELU], t, get(t, out, i), OUT[i], scale[i]);
            hold(&dyrelu[DYRELU_BACK], t, get(t, dx, i), DX[i], last_place(DX[i]));
        }
        for (size_t j = 0; j < m; j++) {
            const double old = add ? before[j] : 0;
            mpfr_add_d(s0, DA[j], old, MPFR_RNDN);
            hold(&dyrelu[DYRELU_A], t, get(t, da, j), s0, terms_a[j] + fabs(old));
            mpfr_add_d(s0, DB[j], old, MPFR_RNDN);
            hold(&dyrelu[DYRELU_B], t, get(t, db, j), s0, terms_b[j] + fabs(old));
        }
    }
}

/* ---- FReLU --------------------------------------------------------------------------------- */

static act_image image;

/* The element that tap k of element i reads; -1 outside the image. */
static ptrdiff_t tap(size_t i, size_t k)
{
    const size_t x = i % image.width + k % image.kernel_w,
                 y = i / image.width % image.height + k / image.kernel_w;
    const size_t left = image.kernel_w / 2, up = image.kernel_h / 2;
    if (x < left || x - left >= image.width || y < up || y - up >= image.height)
        return -1;
    return (ptrdiff_t)(i - i % (image.width * image.height) + (y - up) * image.width + x - left);
}
static size_t channel_of(size_t i)
{
    return i / (image.width * image.height) % image.channels;
}

/* A: the weights, B: the bias. value = t */
static void convolve(size_t i, mpfr_t value)
{
    const size_t c = channel_of(i), taps = image.kernel_h * image.kernel_w;
    mpfr_set(value, B[c], MPFR_RNDN);
    for (size_t k = 0; k < taps; k++) {
        const ptrdiff_t from = tap(i, k);
        if (from >= 0)
            mpfr_fma(value, A[c * taps + k], X[from], value, MPFR_RNDN);
    }
}
static void add_output(size_t i, mpfr_t value)
{
    convolve(i, s0);
    mpfr_mul_d(s0, mpfr_greater_p(s0, X[i]) ? s0 : X[i], upstream[i], MPFR_RNDN);
    mpfr_add(value, value, s0, MPFR_RNDN);
}
/* The outputs that see element `at`; those of channel `at` that at_tap (-1: the bias) has a part
 * in. */
static ptrdiff_t at_tap;
static void of_window(mpfr_t value)
{
    const size_t plane = image.width * image.height, first = at - at % plane;
    const ptrdiff_t w = (ptrdiff_t)image.width, x = (ptrdiff_t)(at % image.width),
                    y = (ptrdiff_t)(at % plane) / w;
    mpfr_set_zero(value, 1);
    for (ptrdiff_t i = 0; i < (ptrdiff_t)plane; i++)
        if (labs((long)(i % w - x)) <= (long)image.kernel_w / 2 &&
            labs((long)(i / w - y)) <= (long)image.kernel_h / 2)
            add_output(first + (size_t)i, value);
}
static void of_channel(mpfr_t value)
{
    mpfr_set_zero(value, 1);
    for (size_t i = 0; i < image.batch * image.channels * image.width * image.height; i++)
        if (channel_of(i) == at && (at_tap < 0 || tap(i, (size_t)at_tap) >= 0))
            add_output(i, value);
}

enum { FRELU, FRELU_BACK, FRELU_W, FRELU_B, FRELUS };

static void check_frelu(act_dtype t, act_image m, struct worst *w)
{
    static double in[MOST], g[MOST], out[MOST], dx[MOST], a[MOST], b[MOST], da[MOST], db[MOST];
    static double x[MOST], av[MOST], bv[MOST], terms[MOST], terms_x[MOST], terms_a[MOST],
        terms_b[MOST], before[MOST];
    const size_t n = m.batch * m.channels * m.height * m.width, taps = m.kernel_h * m.kernel_w;
    const size_t weights = m.channels * taps;
    image = m;
    for (int clear = 0; !clear;) {
        fill(t, in, x, n, -2, 2), fill(t, a, av, weights, -1, 1), fill(t, b, bv, m.channels, -1, 1);
        set_all(X, x, n), set_all(A, av, weights), set_all(B, bv, m.channels);
        clear = 1;
        for (size_t i = 0; i < n; i++) {
            const size_t c = channel_of(i);
            terms[i] = fabs(bv[c]);
            for (size_t k = 0; k < taps; k++)
                terms[i] += tap(i, k) < 0 ? 0 : fabs(av[c * taps + k] * x[tap(i, k)]);
            convolve(i, s0);
            clear &= fabs(of(s0) - x[i]) > 2 * (double)taps * unit[t] * (terms[i] + fabs(x[i]));
        }
    }
    fill(t, g, upstream, n, -1, 1);
    fill(t, da, before, weights, -1, 1);
    memset(terms_x, 0, sizeof terms_x);
    memset(terms_a, 0, sizeof terms_a), memset(terms_b, 0, sizeof terms_b);
    for (size_t i = 0; i < n; i++) {
        const size_t c = channel_of(i);
        const double size = fabs(upstream[i]);
        convolve(i, OUT[i]);
        if (mpfr_cmp_d(OUT[i], x[i]) <= 0) {
            set(OUT[i], x[i]);
            terms[i] = 0;
            terms_x[i] += size;
            continue;
        }
        terms_b[c] += size;
        for (size_t k = 0; k < taps; k++)
            if (tap(i, k) >= 0) {
                terms_x[tap(i, k)] += size * fabs(av[c * taps + k]);
                terms_a[c * taps + k] += size * fabs(x[tap(i, k)]);
            }
    }
    for (at = 0; at < n; at++)
        difference(of_window, X[at], DX[at]);
    for (size_t j = 0; j < weights; j++) {
        at = j / taps, at_tap = (ptrdiff_t)(j % taps);
        difference(of_channel, A[j], DA[j]);
    }
    at_tap = -1;
    for (at = 0; at < m.channels; at++)
        difference(of_channel, B[at], DB[at]);

    FOR_ISA(isa)
    for (int add = 0; add < 2; add++) {
        const double twice = has_fma() ? 1 : 2;
        must(act_frelu_forward(t, 0, &m, a, b, in, out));
        for (size_t j = 0; j < weights; j++)
            put(t, da, j, before[j]), put(t, db, j, before[j]);
        must(act_frelu_backward(t, add ? ACT_ACCUMULATE : 0, &m, a, b, in, g, dx, da, db));
        for (size_t i = 0; i < n; i++) {
            hold(&w[FRELU], t, get(t, out, i), OUT[i], twice * terms[i]);
            hold(&w[FRELU_BACK], t, get(t, dx, i), DX[i], terms_x[i]);
        }
        for (size_t j = 0; j < weights; j++) {
            const double old = add ? before[j] : 0;
            mpfr_add_d(s0, DA[j], old, MPFR_RNDN);
            hold(&w[FRELU_W], t, get(t, da, j), s0, terms_a[j] + fabs(old));
            if (j >= m.channels)
                continue;
            mpfr_add_d(s0, DB[j], old, MPFR_RNDN);
            hold(&w[FRELU_B], t, get(t, db, j), s0, terms_b[j] + fabs(old));
        }
    }
}

/* out: actfn.h has a u for each tap, two without FMA, where the scale is twice the terms; held to 4
 * at most, which numbers of random signs keep to. dw and dbias: 2^-22; f64 sums of as many as the
 * image has. */
static void check_kernel(size_t height, size_t width)
{
    static const size_t images[][4] = {
        {1, 1, 1, 1}, {1, 3, 1, 3}, {1, 1, 1, 17}, {2, 2, 4, 17}, {1, 1, 20, 50}};
    const double taps = (double)(height * width), each = taps < 4 ? taps : 4;
    static const char *const what[FRELUS] = {"out", "grad_in", "dw", "dbias"};
    const double bounds[FRELUS][2] = {{each, each}, {4, 4}, {4, 8}, {4, 8}};
    char name[FRELUS][32];
    struct worst w[FRELUS] = {{0}};
    for (int i = 0; i < FRELUS; i++) {
        snprintf(name[i], sizeof name[i], "FReLU %zu x %zu, %s", height, width, what[i]);
        w[i].name = name[i];
        memcpy(w[i].bound, bounds[i], sizeof bounds[i]);
    }
    FOR_TYPE(t)
    for (size_t i = 0; i < LENGTH_OF(images); i++)
        if (taps < 100 || i < 4)
            check_frelu(
                t,
                (act_image){images[i][0], images[i][1], images[i][2], images[i][3], height, width},
                w);
    for (int i = 0; i < FRELUS; i++)
        report(&w[i]);
}

int main(int argc, char **argv)
{
    static const act_shape shapes[] = {{1, 1, 1}, {1, 3, 1},  {17, 1, 1},   {1, 1, 17},
                                       {3, 5, 7}, {2, 2, 65}, {1000, 1, 1}, {1, 1, 1000}};
    static const size_t counts[] = {1, 2, 4};
    mpfr_t *const arrays[] = {X, A, B, OUT, DX, DA, DB};
    numbers_init(argc, argv);
    for (size_t i = 0; i < LENGTH_OF(arrays); i++)
        init_all(arrays[i], MOST);
    FOR_TYPE(t)
    for (size_t i = 0; i < LENGTH_OF(shapes); i++)
        for (size_t k = 0; k < LENGTH_OF(counts); k++) {
            const act_shape s = shapes[i];
            /* Maxout's axis are the pieces. */
            check_maxout(t, (act_shape){s.outer * s.axis, counts[k], s.inner});
            check_dyrelu(t, s, counts[k]);
        }
    for (int i = 0; i < MAXOUTS; i++)
        report(&maxout[i]);
    for (int i = 0; i < DYRELUS; i++)
        report(&dyrelu[i]);
    check_kernel(1, 1), check_kernel(3, 3), check_kernel(5, 3), check_kernel(19, 19);
    return finish();
}
