/* FReLU against the definition in long double, element by element. Which of in and t wins is
 * decided by rounded values, and asked of the library: a gradient of 1 through in alone. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "arrays.h"

static const act_image images[] = {
    /* batch, channels, height, width, kernel */
    {1, 1, 1, 1, 1, 1},   {1, 1, 1, 1, 3, 3},    {2, 3, 7, 7, 3, 3},  {1, 2, 5, 70, 3, 3},
    {2, 1, 14, 14, 5, 3}, {1, 2, 3, 4, 7, 7},    {1, 1, 9, 31, 1, 7}, {1, 1, 40, 3, 9, 1},
    {1, 1, 4, 900, 3, 3}, {1, 1, 6, 50, 19, 19}, {3, 2, 2, 16, 3, 5}, {1, 1, 3, 1500, 5, 5},
};
enum { IMAGES = sizeof images / sizeof *images };

static size_t elements(const act_image *m)
{
    return m->batch * m->channels * m->height * m->width;
}

struct arrays {
    act_dtype t, w;
    act_image m;
    size_t n, taps, weights;
    void *x, *y, *g, *d, *kernel, *bias, *dw, *dbias;
};

static struct arrays arrays_of(act_dtype t, const act_image *m, int at_end, int with_bias,
                               uint64_t *state)
{
    struct arrays a = {.t = t, .w = wide_of(t), .m = *m, .n = elements(m)};
    a.taps = m->kernel_h * m->kernel_w, a.weights = m->channels * a.taps;
    void **const of_elements[] = {&a.x, &a.y, &a.g, &a.d};
    for (int i = 0; i < 4; i++)
        *of_elements[i] = array_new(a.n * size_of[t], at_end);
    a.kernel = array_new(a.weights * size_of[a.w], at_end);
    a.dw = array_new(a.weights * size_of[a.w], at_end);
    a.dbias = array_new(m->channels * size_of[a.w], at_end);
    fill_normal(a.x, t, a.n, 0, 1, state);
    fill_normal(a.g, t, a.n, 0, 1, state);
    fill_normal(a.kernel, a.w, a.weights, 0, 0.5, state);
    fill_normal(a.dw, a.w, a.weights, 0, 1, state);
    fill_normal(a.dbias, a.w, m->channels, 0, 1, state);
    if (with_bias) {
        a.bias = array_new(m->channels * size_of[a.w], at_end);
        fill_normal(a.bias, a.w, m->channels, 0, 0.5, state);
    }
    return a;
}

/* The element that tap (u, v) of element i reads; -1 outside the image. */
static ptrdiff_t tap(const act_image *m, size_t i, size_t u, size_t v)
{
    const size_t x = i % m->width + v, y = i / m->width % m->height + u;
    const size_t left = m->kernel_w / 2, up = m->kernel_h / 2;
    if (x < left || x - left >= m->width || y < up || y - up >= m->height)
        return -1;
    return (ptrdiff_t)(i + v + u * m->width) - (ptrdiff_t)(left + up * m->width);
}

enum { MOST = 5000 };
static long double t_of[MOST], size_of_t[MOST], want_d[MOST], terms_d[MOST], want_w[MOST],
    terms_w[MOST], worst[4];
static char wins[MOST]; /* in does */

static void near(const char *what, int which, act_dtype t, size_t i, double got, long double want,
                 long double terms, long double most)
{
    const long double error = fabsl((long double)got - want);
    if (!(error <= most * terms + (t == ACT_F16 ? 0x1.01p-25L : 1e-38L)))
        fail_msg("%s %s[%zu]: %.17g, not %.17Lg (%Lg of the terms, %Lg allowed)", dtype_name[t],
                 what, i, got, want, error / terms, most);
    if (t == ACT_F32 && terms > 0 && error / terms * 0x1p24L > worst[which])
        worst[which] = error / terms * 0x1p24L;
}

static void check(struct arrays *a, unsigned flags)
{
    const act_image *const m = &a->m;
    const act_dtype t = a->t, w = a->w;
    const long double u = unit_of(w), last = t == w ? 0 : unit_of(t) * 1.01L;
    const int add = (flags & ACT_ACCUMULATE) != 0;
    for (size_t i = 0; i < a->weights; i++) {
        want_w[i] = add ? (long double)get(a->dw, w, i) : 0;
        terms_w[i] = fabsl(want_w[i]);
    }
    long double want_bias[8], terms_bias[8];
    for (size_t c = 0; c < m->channels; c++) {
        want_bias[c] = add ? (long double)get(a->dbias, w, c) : 0;
        terms_bias[c] = fabsl(want_bias[c]);
    }
    assert_int_equal(act_frelu_forward(t, 0, m, a->kernel, a->bias, a->x, a->y), ACT_OK);
    assert_int_equal(
        act_frelu_backward(t, flags, m, a->kernel, a->bias, a->x, a->g, a->d, a->dw, a->dbias),
        ACT_OK);
    for (size_t i = 0; i < a->n; i++) {
        const size_t c = i / (m->width * m->height) % m->channels;
        const long double x = get(a->x, t, i);
        t_of[i] = a->bias ? (long double)get(a->bias, w, c) : 0;
        size_of_t[i] = fabsl(t_of[i]);
        for (size_t k = 0; k < a->taps; k++) {
            const ptrdiff_t from = tap(m, i, k / m->kernel_w, k % m->kernel_w);
            const long double product = from < 0 ? 0
                                                 : (long double)get(a->kernel, w, c * a->taps + k) *
                                                       (long double)get(a->x, t, (size_t)from);
            t_of[i] += product, size_of_t[i] += fabsl(product);
        }
        /* In 16 bits both may be rounded to the same. */
        const int clear =
            fabsl(x - t_of[i]) > (long double)a->taps * 2 * u * (size_of_t[i] + fabsl(x));
        wins[i] = t != w && clear ? x >= t_of[i] : get(a->y, t, i) == (double)x;
        const long double y = x >= t_of[i] ? x : t_of[i];
        const long double most = (long double)a->taps * 2 * u;
        assert_true(fabsl(x - t_of[i]) <= (most + last) * (size_of_t[i] + fabsl(x)) ||
                    wins[i] == (x >= t_of[i]));
        near("y", 0, t, i, get(a->y, t, i), y, size_of_t[i] + fabsl(y), most + last);
        want_d[i] = terms_d[i] = 0;
    }
    for (size_t i = 0; i < a->n; i++) {
        const size_t c = i / (m->width * m->height) % m->channels;
        const long double g = get(a->g, t, i);
        if (wins[i]) {
            want_d[i] += g, terms_d[i] += fabsl(g);
            continue;
        }
        want_bias[c] += g, terms_bias[c] += fabsl(g);
        for (size_t k = 0; k < a->taps; k++) {
            const ptrdiff_t from = tap(m, i, k / m->kernel_w, k % m->kernel_w);
            if (from < 0)
                continue;
            const long double to_x = g * (long double)get(a->kernel, w, c * a->taps + k);
            const long double to_w = g * (long double)get(a->x, t, (size_t)from);
            want_d[from] += to_x, terms_d[from] += fabsl(to_x);
            want_w[c * a->taps + k] += to_w, terms_w[c * a->taps + k] += fabsl(to_w);
        }
    }
    const long double grown = t == ACT_F64 ? 200 : 4; /* 2^-22 */
    for (size_t i = 0; i < a->n; i++)
        near("grad_in", 1, t, i, get(a->d, t, i), want_d[i], terms_d[i],
             (long double)(a->taps + 1) * 2 * u + last);
    for (size_t i = 0; i < a->weights; i++)
        near("dw", 2, t, i, get(a->dw, w, i), want_w[i], terms_w[i], grown * u);
    for (size_t c = 0; c < m->channels; c++)
        near("dbias", 3, t, c, get(a->dbias, w, c), want_bias[c], terms_bias[c], grown * u);
}

static void check_image(act_dtype t, size_t i, int at_end, uint64_t *state)
{
    struct arrays a = arrays_of(t, &images[i], at_end, (int)i % 3, state);
    check(&a, i % 2 ? ACT_ACCUMULATE : 0);
}

static void every_shape(void **state)
{
    (void)state;
    every_case(IMAGES, check_image);
    printf("f32, in 2^-24 of the terms: y %.2Lf, grad_in %.2Lf, dw %.2Lf, dbias %.2Lf\n", worst[0],
           worst[1], worst[2], worst[3]);
}

/* Outputs that are not wanted change nothing in the others. */
static void some_gradients(void **state)
{
    (void)state;
    uint64_t seed = 2;
    struct arrays a = arrays_of(ACT_F32, &images[2], 1, 1, &seed);
    float d[2 * 3 * 49], dw[27], dbias[3];
    assert_int_equal(
        act_frelu_backward(ACT_F32, 0, &a.m, a.kernel, a.bias, a.x, a.g, a.d, a.dw, a.dbias),
        ACT_OK);
    assert_int_equal(
        act_frelu_backward(ACT_F32, 0, &a.m, a.kernel, a.bias, a.x, a.g, d, NULL, NULL), ACT_OK);
    assert_int_equal(
        act_frelu_backward(ACT_F32, 0, &a.m, a.kernel, a.bias, a.x, a.g, NULL, dw, NULL), ACT_OK);
    assert_int_equal(
        act_frelu_backward(ACT_F32, 0, &a.m, a.kernel, a.bias, a.x, a.g, NULL, NULL, dbias),
        ACT_OK);
    assert_memory_equal(a.d, d, sizeof d);
    assert_memory_equal(a.dw, dw, sizeof dw);
    assert_memory_equal(a.dbias, dbias, sizeof dbias);
    assert_true(arrays_free());
}

static void special_values(void **state)
{
    (void)state;
    const act_image m = {1, 1, 1, 3, 1, 1};
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    {
        const float w = 1, x[3] = {2, NAN, -3}, g[3] = {1, 1, 1};
        float y[3], d[3], dw, dbias, bias = 0;
        act_set_isa(isa);
        act_frelu_forward(ACT_F32, 0, &m, &w, NULL, x, y);
        assert_true(y[0] == 2 && isnan(y[1]) && y[2] == -3);
        act_frelu_backward(ACT_F32, 0, &m, &w, NULL, x, g, d, &dw, &dbias);
        assert_true(d[0] == 1 && d[1] == 1 && d[2] == 1 &&
                    dbias == 0); /* in is the first of equals */
        bias = NAN;
        act_frelu_forward(ACT_F32, 0, &m, &w, &bias, x, y);
        assert_true(isnan(y[0]) && isnan(y[2]));
    }
    act_set_isa(before);
}

static void gradients_are_the_slopes(void **state)
{
    (void)state;
    const double step = 0x1p-20;
    uint64_t seed = 6;
    double most = 0;
    for (int i = 0; i < 2; i++) {
        struct arrays a = arrays_of(ACT_F64, &images[i ? 5 : 2], 0, 1, &seed);
        act_frelu_backward(ACT_F64, 0, &a.m, a.kernel, a.bias, a.x, a.g, a.d, a.dw, a.dbias);
        double *const in[3] = {a.x, a.kernel, a.bias}, *const out[3] = {a.d, a.dw, a.dbias};
        const size_t count[3] = {a.n, a.weights, a.m.channels};
        for (int v = 0; v < 3; v++)
            for (size_t j = 0; j < count[v]; j++) {
                const double old = in[v][j];
                double change = 0;
                for (int side = -1; side <= 1; side += 2) {
                    in[v][j] = old + side * step;
                    act_frelu_forward(ACT_F64, 0, &a.m, a.kernel, a.bias, a.x, a.y);
                    for (size_t e = 0; e < a.n; e++)
                        change += side * ((double *)a.g)[e] * ((double *)a.y)[e];
                }
                in[v][j] = old;
                const double error = fabs(change / (2 * step) - out[v][j]);
                most = error > most ? error : most;
                if (!(error <= 1e-7))
                    fail_msg("input %d[%zu]: %g, differences give %g", v, j, out[v][j],
                             change / (2 * step));
            }
        arrays_free();
    }
    printf("gradients against differences: %.1e\n", most);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    const act_image m = {3, 8, 50, 60, 3, 3};
    enum { N = 3 * 8 * 50 * 60 };
    static float x[N], g[N], y1[N], y2[N], w[72], b[8], d1[72], d2[72], e1[8], e2[8];
    uint64_t seed = 3;
    fill_normal(x, ACT_F32, N, 0, 1, &seed);
    fill_normal(g, ACT_F32, N, 0, 1, &seed);
    fill_normal(w, ACT_F32, 72, 0, 1, &seed);
    fill_normal(b, ACT_F32, 8, 0, 1, &seed);
    if (act_set_num_threads(3) != ACT_OK)
        skip();
    act_frelu_forward(ACT_F32, 0, &m, w, b, x, y1);
    act_frelu_forward(ACT_F32, ACT_SERIAL, &m, w, b, x, y2);
    assert_memory_equal(y1, y2, sizeof y1);
    act_frelu_backward(ACT_F32, 0, &m, w, b, x, g, y1, d1, e1);
    act_frelu_backward(ACT_F32, ACT_SERIAL, &m, w, b, x, g, y2, d2, e2);
    assert_memory_equal(y1, y2, sizeof y1);
    assert_memory_equal(d1, d2, sizeof d1);
    assert_memory_equal(e1, e2, sizeof e1);
    act_set_num_threads(1);
}

static void errors(void **state)
{
    (void)state;
    static float x[64], y[64], w[64], b[64], g[64], p[64], q[64];
    const act_image m = {1, 2, 3, 4, 3, 3}, even = {1, 2, 3, 4, 3, 2}, none = {0, 2, 3, 4, 3, 3},
                    large = {1, 2, 3, 4, 21, 3}, zero = {1, 2, 3, 4, 0, 3},
                    huge = {SIZE_MAX / 8, 2, 3, 4, 3, 3};
    for (int i = 0; i < 64; i++)
        y[i] = p[i] = q[i] = 77;
#define F(status, ...) assert_int_equal(act_frelu_forward(__VA_ARGS__), status)
#define B(status, ...) assert_int_equal(act_frelu_backward(__VA_ARGS__), status)
    F(ACT_ERR_UNSUPPORTED, -1, 0, &m, w, b, x, y);
    F(ACT_ERR_UNSUPPORTED, ACT_BF16_F32, 0, &m, w, b, x, y);
    F(ACT_ERR_UNSUPPORTED, ACT_F32, ACT_ACCUMULATE, &m, w, b, x, y);
    F(ACT_ERR_NULL, ACT_F32, 0, NULL, w, b, x, y);
    F(ACT_ERR_PARAM, ACT_F32, 0, &even, w, b, x, y);
    F(ACT_ERR_PARAM, ACT_F32, 0, &large, w, b, x, y);
    F(ACT_ERR_PARAM, ACT_F32, 0, &zero, w, b, x, y);
    F(ACT_ERR_SIZE, ACT_F32, 0, &huge, w, b, x, y);
    F(ACT_OK, ACT_F32, 0, &none, NULL, NULL, NULL, NULL);
    F(ACT_ERR_NULL, ACT_F32, 0, &m, NULL, b, x, y);
    F(ACT_ERR_NULL, ACT_F32, 0, &m, w, b, NULL, y);
    F(ACT_ERR_NULL, ACT_F32, 0, &m, w, b, x, NULL);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, &m, w, b, y, y);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, &m, w, b, y + 23, y);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, &m, y, b, x, y);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, &m, w, y + 22, x, y);
    B(ACT_ERR_NULL, ACT_F32, 0, &m, w, b, x, NULL, y, p, q);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, &m, w, b, x, y, y, p, q);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, &m, w, b, x, g, y, p, p + 17);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, &m, p, b, x, g, y, p, q);
    for (int i = 0; i < 64; i++)
        assert_true(y[i] == 77 && p[i] == 77 && q[i] == 77);
    B(ACT_OK, ACT_F32, ACT_ACCUMULATE, &none, NULL, NULL, NULL, NULL, NULL, p, q);
    assert_true(p[0] == 77 && q[0] == 77);
    B(ACT_OK, ACT_F32, 0, &none, NULL, NULL, NULL, NULL, NULL, p, q);
    assert_true(p[0] == 0 && p[17] == 0 && p[18] == 77 && q[1] == 0 && q[2] == 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape),
        cmocka_unit_test(some_gradients),
        cmocka_unit_test(special_values),
        cmocka_unit_test(gradients_are_the_slopes),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
