/* Activation and normalisation against long double, from the library's own f(x) and f'(x): what is
 * tested is the norm around them. And central differences of the whole in f64. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "arrays.h"

static const act_shape shapes[] = {
    {1, 1, 1},   {5, 2, 1},     {3, 17, 1},  {2, 768, 1}, {1, 1031, 1}, {70, 33, 1}, {2, 5, 3},
    {3, 300, 2}, {2, 40, 16},   {1, 7, 130}, {2, 3, 257}, {1, 600, 65}, {3, 1, 20},  {1, 4, 1000},
    {4, 512, 1}, {1, 260, 128}, {2, 9, 5},   {5, 8, 600}, {4, 19, 513},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

struct arrays {
    act_dtype t, w;
    act_shape s;
    size_t n, m; /* elements, rows */
    int act_first, rms;
    act_kind k;
    double eps;
    void *x, *y, *g, *d, *gamma, *beta, *mean, *rstd, *dgamma, *dbeta;
};

static size_t row_of(act_shape s, size_t i)
{
    return i / (s.axis * s.inner) * s.inner + i % s.inner;
}
static size_t channel_of(act_shape s, size_t i)
{
    return i / s.inner % s.axis;
}

static act_status forward(const struct arrays *a, unsigned flags, void *out)
{
    return (a->act_first ? act_norm_forward : act_normed_forward)(a->t, flags, a->k, NULL, a->s,
                                                                  a->rms, a->eps, a->gamma, a->beta,
                                                                  a->x, out, a->mean, a->rstd);
}
static act_status backward(const struct arrays *a, unsigned flags, const void *g, void *d)
{
    if (a->act_first)
        return act_norm_backward(a->t, flags, a->k, NULL, a->s, a->rms, a->gamma, a->x, a->mean,
                                 a->rstd, g, d, a->dgamma, a->dbeta);
    return act_normed_backward(a->t, flags, a->k, NULL, a->s, a->rms, a->gamma, a->beta, a->x,
                               a->mean, a->rstd, g, d, a->dgamma, a->dbeta);
}

/* gamma and beta: with bits 1 and 2 of `given`. */
static struct arrays arrays_of(act_dtype t, act_shape s, int at_end, int given, double mean,
                               uint64_t *state)
{
    struct arrays a = {.t = t, .w = wide_of(t), .s = s, .eps = 1e-5};
    a.n = s.outer * s.axis * s.inner, a.m = s.outer * s.inner;
    a.x = array_new(a.n * size_of[t], at_end);
    a.y = array_new(a.n * size_of[t], at_end);
    a.g = array_new(a.n * size_of[t], at_end);
    a.d = array_new(a.n * size_of[t], at_end);
    a.mean = array_new(a.m * size_of[a.w], at_end);
    a.rstd = array_new(a.m * size_of[a.w], at_end);
    a.dgamma = array_new(s.axis * size_of[a.w], at_end);
    a.dbeta = array_new(s.axis * size_of[a.w], at_end);
    fill_normal(a.x, t, a.n, mean, 1.5, state);
    fill_normal(a.g, t, a.n, 0, 1, state);
    fill_normal(a.dgamma, a.w, s.axis, 0, 1, state);
    fill_normal(a.dbeta, a.w, s.axis, 0, 1, state);
    if (given & 1) {
        a.gamma = array_new(s.axis * size_of[a.w], at_end);
        fill_normal(a.gamma, a.w, s.axis, 1, 0.5, state);
    }
    if (given & 2) {
        a.beta = array_new(s.axis * size_of[a.w], at_end);
        fill_normal(a.beta, a.w, s.axis, 0, 0.5, state);
    }
    return a;
}

static long double worst[ACT_F16 + 1][5]; /* by type: out, mean and rstd, grad_in, dgamma, dbeta */
static const char *const what[5] = {"out", "statistics", "grad_in", "dgamma", "dbeta"};

/* Within `most` of terms, of which the worst is kept; NaN is never within. */
static void near(act_dtype t, int which, double got, long double want, long double terms,
                 long double most, size_t i)
{
    const long double error = fabsl((long double)got - want), tiny = t == ACT_F64   ? 1e-300L
                                                                     : t == ACT_F16 ? 0x1.01p-25L
                                                                                    : 1e-38L;
    if (!(error <= most * terms + tiny))
        fail_msg("%s %s[%zu]: %.17g, not %.17Lg (%Lg of the terms, %Lg allowed)", dtype_name[t],
                 what[which], i, got, want, error / terms, most);
    if (error > tiny && error / terms > worst[t][which])
        worst[t][which] = error / terms;
}

enum { MOST = 70000 };
static double wide_x[MOST], f[MOST], df[MOST], one[MOST], z[MOST], dz[MOST];
/* size_of_mean: of its absolute terms. */
static long double norm[MOST], mean_of[MOST], size_of_mean[MOST], rstd_of[MOST], h_mean[MOST],
    hn_mean[MOST], h_terms[MOST], hn_terms[MOST];

/* f and f' by the scalar f64 table, which is right to an ULP or two of double. */
static void evaluate(act_kind k, const double *at, double *value, double *slope, size_t n)
{
    const act_isa isa = act_get_isa();
    for (size_t i = 0; i < n; i++)
        one[i] = 1;
    act_set_isa(ACT_ISA_SCALAR);
    act_forward_f64(k, NULL, at, value, n);
    act_backward_f64(k, NULL, at, one, slope, n);
    act_set_isa(isa);
}

static void check(struct arrays *a, unsigned flags)
{
    const act_shape s = a->s;
    const size_t n = a->n;
    const act_dtype t = a->t, w = a->w;
    /* Of the terms: f32 kernels of 1.5 to 2.5 ULP come before or after; 16-bit: a rounding besides.
     */
    const long double u = unit_of(w), last = t == w ? 0 : unit_of(t) * 1.01L;
    /* Sums of doubles, a column's in order: their errors grow with the axis. */
    const long double grown = t == ACT_F64 ? 8 + (long double)s.axis / 64 : 0;
    const long double f_error = a->k == ACT_IDENTITY ? 0 : t == ACT_F64 ? 8 : 4;
    void *const before_gamma = array_new(s.axis * size_of[w], 1), *const before_beta = array_new(
                                                                      s.axis * size_of[w], 1);
    memcpy(before_gamma, a->dgamma, s.axis * size_of[w]);
    memcpy(before_beta, a->dbeta, s.axis * size_of[w]);
    assert_int_equal(forward(a, 0, a->y), ACT_OK);
    assert_int_equal(backward(a, flags, a->g, a->d), ACT_OK);

    for (size_t i = 0; i < n; i++)
        wide_x[i] = get(a->x, t, i);
    evaluate(a->k, wide_x, f, df, n);
    const double *const v = a->act_first ? f : wide_x;
    long double sum[5] = {0};
    for (size_t r = 0; r < a->m; r++) {
        const size_t at = r / s.inner * s.axis * s.inner + r % s.inner;
        sum[0] = sum[1] = sum[2] = 0;
        for (size_t j = 0; j < s.axis; j++) {
            sum[0] += (long double)v[at + j * s.inner];
            sum[2] += fabsl((long double)v[at + j * s.inner]);
        }
        mean_of[r] = a->rms ? 0 : sum[0] / (long double)s.axis;
        for (size_t j = 0; j < s.axis; j++) {
            const long double d = (long double)v[at + j * s.inner] - mean_of[r];
            sum[1] += d * d;
        }
        rstd_of[r] = 1 / sqrtl(sum[1] / (long double)s.axis +
                               (long double)(t == ACT_F64 ? a->eps : (double)(float)a->eps));
        size_of_mean[r] = a->rms ? 0 : sum[2] / (long double)s.axis;
        if (!a->rms)
            near(t, 1, get(a->mean, w, r), mean_of[r], sum[2] / (long double)s.axis,
                 u * ((t == ACT_F64 ? grown : 1.01L) + f_error), r);
        /* f's errors, relative to f, move it by as much of |f| rstd. */
        near(t, 1, get(a->rstd, w, r), rstd_of[r],
             rstd_of[r] * (1 + f_error * sum[2] / (long double)s.axis * rstd_of[r]),
             (t == ACT_F64 ? grown : 3) * u, r);
    }
    for (size_t i = 0; i < n; i++) {
        const size_t r = row_of(s, i);
        norm[i] = ((long double)v[i] - mean_of[r]) * rstd_of[r];
        const double gamma = a->gamma ? get(a->gamma, w, channel_of(s, i)) : 1;
        const double beta = a->beta ? get(a->beta, w, channel_of(s, i)) : 0;
        z[i] = (double)(norm[i] * (long double)gamma + (long double)beta);
    }
    if (!a->act_first)
        evaluate(a->k, z, f, dz, n);
    /* What the rounding of f, and of the mean that is saved, may do to norm. */
    for (size_t i = 0; i < n; i++) {
        const size_t r = row_of(s, i), c = channel_of(s, i);
        const long double gamma = a->gamma ? (long double)get(a->gamma, w, c) : 1;
        const long double beta = a->beta ? (long double)get(a->beta, w, c) : 0;
        /* In double a mean has an error of its own: a and the mean's terms are terms. */
        const long double size = t == ACT_F64
                                     ? (fabsl((long double)v[i]) + size_of_mean[r]) * rstd_of[r]
                                     : fabsl(norm[i]);
        const long double terms = size * fabsl(gamma) + fabsl(beta);
        if (a->act_first)
            near(t, 0, get(a->y, t, i), (long double)z[i],
                 terms + f_error * fabsl(gamma) * (fabsl((long double)v[i]) + size_of_mean[r]) *
                             rstd_of[r],
                 (t == ACT_F64 ? grown : 4) * u + last, i);
        else /* the slope of f is below 1.2 for the kinds here */
            near(t, 0, get(a->y, t, i), (long double)f[i], fabsl((long double)f[i]) + 2 * terms,
                 ((t == ACT_F64 ? grown : 2) + f_error) * u + last, i);
    }
    for (size_t r = 0; r < a->m; r++)
        h_mean[r] = hn_mean[r] = h_terms[r] = hn_terms[r] = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t r = row_of(s, i);
        const long double gamma = a->gamma ? (long double)get(a->gamma, w, channel_of(s, i)) : 1;
        const long double g =
            (long double)get(a->g, t, i) * (a->act_first ? 1 : (long double)dz[i]);
        const long double h = g * gamma / (long double)s.axis;
        if (!a->rms)
            h_mean[r] += h;
        hn_mean[r] += h * norm[i];
        h_terms[r] += fabsl((long double)get(a->g, t, i) * gamma) / (long double)s.axis;
        hn_terms[r] += fabsl((long double)get(a->g, t, i) * gamma * norm[i]) / (long double)s.axis;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t r = row_of(s, i);
        const long double gamma = a->gamma ? (long double)get(a->gamma, w, channel_of(s, i)) : 1;
        const long double beta = a->beta ? (long double)get(a->beta, w, channel_of(s, i)) : 0;
        const long double whole = (long double)get(a->g, t, i);
        const long double g = whole * (a->act_first ? 1 : (long double)dz[i]);
        const long double d = rstd_of[r] * (g * gamma - h_mean[r] - norm[i] * hn_mean[r]);
        const long double outer = a->act_first ? (long double)df[i] : 1;
        /* norm's own error in front of hn_mean: its terms. */
        const long double size = (fabsl((long double)v[i]) + size_of_mean[r]) * rstd_of[r];
        const long double terms = rstd_of[r] * (fabsl(whole * gamma) + h_terms[r] +
                                                (size + fabsl(norm[i])) * hn_terms[r]);
        /* f'(z) moves with the error of z: f'' is below 1. */
        const long double shift =
            a->act_first ? 0 : 2 * (fabsl(norm[i] * gamma) + fabsl(beta) + size * fabsl(gamma));
        near(t, 2, get(a->d, t, i), d * outer,
             (a->k == ACT_IDENTITY ? 1 : 1.2L) * terms * (1 + shift) +
                 (t == w ? 0 : fabsl(d * outer)) * 0,
             ((a->k == ACT_IDENTITY ? 3 : 12) + grown) * u + last, i);
    }
    for (size_t c = 0; c < s.axis; c++) {
        const int add = (flags & ACT_ACCUMULATE) != 0;
        long double dgamma = add ? (long double)get(before_gamma, w, c) : 0,
                    dbeta = add ? (long double)get(before_beta, w, c) : 0;
        long double terms_gamma = fabsl(dgamma), terms_beta = fabsl(dbeta);
        for (size_t o = 0; o < s.outer; o++)
            for (size_t k = 0; k < s.inner; k++) {
                const size_t i = (o * s.axis + c) * s.inner + k, r = row_of(s, i);
                const long double whole = (long double)get(a->g, t, i);
                const long double g = whole * (a->act_first ? 1 : (long double)dz[i]);
                const long double size = (fabsl((long double)v[i]) + size_of_mean[r]) * rstd_of[r];
                dgamma += g * norm[i];
                dbeta += g;
                terms_gamma +=
                    fabsl(whole) * (size + fabsl(norm[i])) * (a->act_first ? 1 : 2 + 2 * size);
                terms_beta += fabsl(whole) * (a->act_first ? 1 : 2 + 2 * size);
            }
        near(t, 3, get(a->dgamma, w, c), dgamma, terms_gamma,
             ((a->k == ACT_IDENTITY ? 3 : 12) + grown) * u, c);
        near(t, 4, get(a->dbeta, w, c), dbeta, terms_beta, ((a->act_first ? 3 : 12) + grown) * u,
             c);
    }
}

static size_t stride = 1;

static void every_shape(void **state)
{
    (void)state;
    static const act_kind kinds[] = {ACT_IDENTITY, ACT_SILU, ACT_RELU};
    const act_isa before = act_get_isa();
    uint64_t seed = 1;
    FOR_ISA(isa)
    FOR_DTYPE(t)
    for (size_t i = 0; i < SHAPES * 12; i += stride) {
        struct arrays a = arrays_of(t, shapes[i / 12], i % 2, (int)(i / 12 + i) % 4, 0.25, &seed);
        a.act_first = i % 12 >= 6, a.rms = i % 4 >= 2, a.k = kinds[i % 3];
        act_set_isa(isa);
        check(&a, i % 5 ? 0 : ACT_ACCUMULATE);
        assert_true(arrays_free());
    }
    act_set_isa(before);
    FOR_DTYPE(t)
    for (int i = 0; i < 5; i++)
        printf("%s %s: %.2Lf 2^%d of the terms\n", dtype_name[t], what[i],
               worst[t][i] / (long double)unit_of(t),
               t == ACT_F64    ? -53
               : t == ACT_F32  ? -24
               : t == ACT_BF16 ? -8
                               : -11);
}

/* A mean far from 0, an outlier, a first element that is one: plain f32 sums lose all of it. */
static void no_cancellation(void **state)
{
    (void)state;
    uint64_t seed = 9;
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
        for (int i = 0; i < 6; i++) {
            const act_shape s = i < 3 ? (act_shape){3, 1000, 1} : (act_shape){1, 1000, 20};
            struct arrays a = arrays_of(t, s, 0, 3, i % 3 == 0 ? 10000 : 0, &seed);
            a.k = ACT_IDENTITY, a.act_first = i % 2;
            if (i % 3 == 1)
                put(a.x, t, 0, 1e6);
            if (i % 3 == 2)
                put(a.x, t, 500 * s.inner, -1e6);
            act_set_isa(isa);
            check(&a, 0);
            assert_true(arrays_free());
        }
    act_set_isa(before);
}

/* Central differences in f64 of sum(g y), in x, gamma and beta. */
static void gradients_are_the_slopes(void **state)
{
    (void)state;
    const act_shape all[] = {{3, 7, 1}, {2, 5, 3}};
    const double step = 0x1p-18;
    uint64_t seed = 4;
    double most = 0;
    for (int i = 0; i < 2 * 2 * 2 * 4; i++) {
        const act_kind k = ((const act_kind[]){ACT_SILU, ACT_TANH, ACT_GELU, ACT_IDENTITY})[i / 8];
        struct arrays a = arrays_of(ACT_F64, all[i % 2], 0, 3, 0.3, &seed);
        a.act_first = i / 2 % 2, a.rms = i / 4 % 2, a.k = k;
        assert_int_equal(forward(&a, 0, a.y), ACT_OK);
        assert_int_equal(backward(&a, 0, a.g, a.d), ACT_OK);
        double *const in[3] = {a.x, a.gamma, a.beta}, *const out[3] = {a.d, a.dgamma, a.dbeta};
        for (int v = 0; v < 3; v++)
            for (size_t j = 0; j < (v ? a.s.axis : a.n); j++) {
                const double old = in[v][j];
                double slope = 0;
                for (int side = -1; side <= 1; side += 2) {
                    in[v][j] = old + side * step;
                    forward(&a, 0, a.y);
                    for (size_t e = 0; e < a.n; e++)
                        slope += side * ((double *)a.g)[e] * ((double *)a.y)[e];
                }
                in[v][j] = old;
                const double error = fabs(slope / (2 * step) - out[v][j]);
                most = error > most ? error : most;
                if (!(error <= 1e-7))
                    fail_msg("%s, input %d[%zu]: %g, differences give %g", act_kind_name(k), v, j,
                             out[v][j], slope / (2 * step));
            }
        arrays_free();
    }
    printf("gradients against differences: %.1e\n", most);
}

static void threads_and_places_change_nothing(void **state)
{
    (void)state;
    uint64_t seed = 8;
    const act_shape all[] = {
        {300, 400, 1}, {3, 2000, 30}, {1, 40, 3000}, {20, 9000, 1}, {14, 11, 530}};
    enum { ALL = sizeof all / sizeof *all };
    if (act_set_num_threads(3) != ACT_OK)
        skip();
    for (int i = 0; i < 4 * ALL; i++) {
        const act_dtype t = (act_dtype)(i / ALL);
        struct arrays a = arrays_of(t, all[i % ALL], 0, 3, 0.3, &seed);
        const size_t bytes = a.n * size_of[t], channels = a.s.axis * size_of[a.w];
        void *const y = array_new(bytes, 1), *const dgamma = array_new(channels, 1),
                    *const dbeta = array_new(channels, 1);
        a.k = ACT_SILU, a.act_first = i % 2;
        forward(&a, ACT_SERIAL, a.y);
        forward(&a, 0, y);
        assert_memory_equal(a.y, y, bytes);
        backward(&a, ACT_SERIAL, a.g, a.d);
        memcpy(dgamma, a.dgamma, channels), memcpy(dbeta, a.dbeta, channels);
        backward(&a, 0, a.g, y);
        assert_memory_equal(a.d, y, bytes);
        assert_memory_equal(a.dgamma, dgamma, channels);
        assert_memory_equal(a.dbeta, dbeta, channels);
        /* In place: of grad_out, of in. */
        memcpy(y, a.g, bytes);
        assert_int_equal(backward(&a, 0, y, y), ACT_OK);
        assert_memory_equal(a.d, y, bytes);
        assert_memory_equal(a.dgamma, dgamma, channels);
        void *const x = a.x;
        memcpy(y, x, bytes);
        a.x = y;
        assert_int_equal(backward(&a, 0, a.g, y), ACT_OK);
        assert_memory_equal(a.d, y, bytes);
        memcpy(y, x, bytes);
        assert_int_equal(forward(&a, 0, y), ACT_OK);
        assert_memory_equal(a.y, y, bytes);
        assert_true(arrays_free());
    }
    act_set_num_threads(1);
}

/* In reproducible mode; what is around f has no other mode. */
static void avx2_and_avx512_agree(void **state)
{
    (void)state;
    const act_isa before = act_get_isa();
    uint64_t seed = 12;
    if (!act_isa_available(ACT_ISA_AVX512))
        skip();
    for (size_t i = 0; i < SHAPES * 2; i++) {
        struct arrays a = arrays_of(ACT_F32, shapes[i / 2], 0, 3, 0.3, &seed);
        const size_t bytes = a.n * sizeof(float), channels = a.s.axis * sizeof(float);
        void *const y = array_new(bytes, 1), *const dgamma = array_new(channels, 1);
        a.k = ACT_SILU, a.act_first = (int)(i % 2);
        act_set_isa(ACT_ISA_AVX2);
        forward(&a, ACT_REPRODUCIBLE, a.y);
        backward(&a, ACT_REPRODUCIBLE, a.g, a.d);
        memcpy(dgamma, a.dgamma, channels);
        act_set_isa(ACT_ISA_AVX512);
        forward(&a, ACT_REPRODUCIBLE, y);
        assert_memory_equal(a.y, y, bytes);
        backward(&a, ACT_REPRODUCIBLE, a.g, y);
        assert_memory_equal(a.d, y, bytes);
        assert_memory_equal(a.dgamma, dgamma, channels);
        assert_true(arrays_free());
    }
    act_set_isa(before);
}

static void special_rows(void **state)
{
    (void)state;
    const act_shape s = {1, 4, 1};
    float y[4], mean, rstd;
    const float same[4] = {3, 3, 3, 3}, nan[4] = {1, NAN, 2, 3}, inf[4] = {1, INFINITY, 2, 3};
#define NORM(rms, eps, x)                                                                          \
    assert_int_equal(act_norm_forward(ACT_F32, 0, ACT_IDENTITY, NULL, s, rms, eps, NULL, NULL, x,  \
                                      y, &mean, &rstd),                                            \
                     ACT_OK)
    NORM(0, 0.25, same);
    assert_true(y[0] == 0 && y[3] == 0 && mean == 3 && rstd == 2);
    NORM(0, 0, same);
    assert_true(isnan(y[0]) && rstd == INFINITY);
    NORM(0, 1e-5, nan);
    assert_true(isnan(y[0]) && isnan(y[3]));
    NORM(0, 1e-5, inf);
    assert_true(isnan(y[0]) && isnan(y[1]));
    NORM(1, 1e-5, inf);
    assert_true(y[0] == 0 && isnan(y[1]));
    mean = 7;
    NORM(1, 0, same);
    assert_true(y[0] == 1 && mean == 7);
    const act_shape single = {2, 1, 1};
    assert_int_equal(act_norm_forward(ACT_F32, 0, ACT_IDENTITY, NULL, single, 0, 1e-5, NULL, NULL,
                                      same, y, NULL, NULL),
                     ACT_OK);
    assert_true(y[0] == 0 && y[1] == 0);
}

static void errors(void **state)
{
    (void)state;
    static float x[64], y[64], g[64], d[64], p[64], q[64], m[64], r[64];
    const act_shape s = {2, 3, 4}, none = {0, 3, 4};
    const act_params bad = {NAN, NAN, NAN, NAN};
    for (int i = 0; i < 64; i++)
        y[i] = d[i] = p[i] = q[i] = 77, r[i] = 1;
#define F(status, ...)  assert_int_equal(act_norm_forward(__VA_ARGS__), status)
#define B(status, ...)  assert_int_equal(act_norm_backward(__VA_ARGS__), status)
#define BN(status, ...) assert_int_equal(act_normed_backward(__VA_ARGS__), status)
    F(ACT_ERR_KIND, ACT_F32, 0, 999, NULL, s, 0, 0, p, q, x, y, m, r);
    F(ACT_ERR_UNSUPPORTED, 17, 0, ACT_RELU, NULL, s, 0, 0, p, q, x, y, m, r);
    F(ACT_ERR_UNSUPPORTED, ACT_BF16_F32, 0, ACT_RELU, NULL, s, 0, 0, p, q, x, y, m, r);
    F(ACT_ERR_UNSUPPORTED, ACT_F32, ACT_ACCUMULATE, ACT_RELU, NULL, s, 0, 0, p, q, x, y, m, r);
    F(ACT_ERR_PARAM, ACT_F32, 0, ACT_ELU, &bad, s, 0, 0, p, q, x, y, m, r);
    F(ACT_ERR_PARAM, ACT_F32, 0, ACT_RELU, NULL, s, 0, -1e-9, p, q, x, y, m, r);
    F(ACT_ERR_PARAM, ACT_F32, 0, ACT_RELU, NULL, s, 0, NAN, p, q, x, y, m, r);
    F(ACT_ERR_PARAM, ACT_F32, 0, ACT_RELU, NULL, s, 0, 1e39, p, q, x, y, m, r);
    F(ACT_ERR_SIZE, ACT_F32, 0, ACT_RELU, NULL, ((act_shape){SIZE_MAX / 4, 3, 3}), 0, 0, p, q, x, y,
      m, r);
    F(ACT_OK, ACT_F32, 0, ACT_RELU, NULL, none, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL);
    F(ACT_ERR_NULL, ACT_F32, 0, ACT_RELU, NULL, s, 0, 0, p, q, NULL, y, m, r);
    F(ACT_ERR_NULL, ACT_F32, 0, ACT_RELU, NULL, s, 0, 0, p, q, x, NULL, m, r);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_RELU, NULL, s, 0, 0, p, q, y + 1, y, m, r);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_RELU, NULL, s, 0, 0, y + 23, q, x, y, m, r);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_RELU, NULL, s, 0, 0, p, q, x, y, r + 7, r);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_RELU, NULL, s, 0, 0, p, y, x, d, NULL, y + 2);
    B(ACT_ERR_NULL, ACT_F32, 0, ACT_RELU, NULL, s, 0, p, x, NULL, r, g, d, NULL, NULL);
    B(ACT_ERR_NULL, ACT_F32, 0, ACT_RELU, NULL, s, 1, p, x, NULL, NULL, g, d, NULL, NULL);
    B(ACT_ERR_NULL, ACT_F32, 0, ACT_RELU, NULL, s, 0, p, x, m, r, NULL, d, NULL, NULL);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_RELU, NULL, s, 0, p, x, m, r, d + 1, d, NULL, NULL);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_RELU, NULL, s, 0, p, x, m, d + 20, g, d, NULL, NULL);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_RELU, NULL, s, 0, p, x, m, r, g, d, p, NULL);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_RELU, NULL, s, 0, NULL, x, m, r, g, d, p, p + 2);
    BN(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_RELU, NULL, s, 0, NULL, d, x, m, r, g, d, p, NULL);
    for (int i = 0; i < 64; i++)
        assert_true(y[i] == 77 && d[i] == 77 && p[i] == 77 && r[i] == 1);
    B(ACT_OK, ACT_F32, ACT_ACCUMULATE, ACT_RELU, NULL, none, 0, NULL, NULL, NULL, NULL, NULL, NULL,
      p, q);
    assert_true(p[0] == 77 && q[2] == 77);
    B(ACT_OK, ACT_F32, 0, ACT_RELU, NULL, none, 0, NULL, NULL, NULL, NULL, NULL, NULL, p, q);
    assert_true(p[0] == 0 && p[2] == 0 && p[3] == 77 && q[2] == 0 && q[3] == 77);
}

/* --quick: every fifth case, for emulators; each of the 12 of a shape is met with some shape. */
int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--quick") == 0)
        stride = 5;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape),
        cmocka_unit_test(no_cancellation),
        cmocka_unit_test(gradients_are_the_slopes),
        cmocka_unit_test(threads_and_places_change_nothing),
        cmocka_unit_test(avx2_and_avx512_agree),
        cmocka_unit_test(special_rows),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
