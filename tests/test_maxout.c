/* Maxout against plain loops over the doubles of every type: exact. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "arrays.h"

static const act_shape shapes[] = {
    {1, 1, 1},  {7, 2, 1},    {3, 5, 1},    {33, 4, 1},   {2, 3, 2},    {5, 2, 7},    {600, 2, 3},
    {2, 9, 16}, {1, 3, 1000}, {3, 4, 70},   {1, 700, 1},  {2, 1, 65},   {600, 3, 1},  {1, 5000, 2},
    {4, 1, 1},  {2, 2, 511},  {13, 17, 31}, {2, 100, 64}, {1, 33, 600}, {2, 2048, 1}, {3, 4999, 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Few values, so that there are ties, zeros of both signs, NaN and infinities. */
static double value(uint64_t *state)
{
    static const double special[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1, -1, 2};
    const uint64_t r = random_bits(state);
    return r % 3 ? (double)(r >> 8 & 15) - 8 : special[r >> 8 & 7] + 0.0 * (double)(r >> 60);
}

static size_t input(act_shape s, size_t i, size_t k)
{
    return (i / s.inner * s.axis + k) * s.inner + i % s.inner;
}

static void check(act_dtype t, size_t which, int at_end, uint64_t *state)
{
    const act_shape s = shapes[which];
    const size_t n = s.outer * s.axis * s.inner, m = s.outer * s.inner, size = size_of[t];
    void *x = array_new(n * size, at_end), *y = array_new(m * size, at_end),
         *z = array_new(m * size, at_end), *g = array_new(m * size, at_end),
         *d = array_new(n * size, at_end);
    int32_t *arg = array_new(m * sizeof *arg, at_end);
    for (size_t i = 0; i < n; i++)
        put(x, t, i, value(state));
    fill_normal(g, t, m, 0, 1, state);
    put(g, t, 0, NAN);
    assert_int_equal(act_maxout_forward(t, 0, s, x, y, arg), ACT_OK);
    assert_int_equal(act_maxout_forward(t, 0, s, x, z, NULL), ACT_OK);
    assert_memory_equal(y, z, m * size);
    for (size_t i = 0; i < m; i++) {
        size_t best = 0;
        for (size_t k = 1; k < s.axis; k++) {
            const double a = get(x, t, input(s, i, k)), b = get(x, t, input(s, i, best));
            if (a > b || (isnan(a) && !isnan(b)))
                best = k;
        }
        assert_int_equal(arg[i], best);
        const double want = get(x, t, input(s, i, best)), got = get(y, t, i);
        if (isnan(want))
            assert_true(isnan(got));
        else
            assert_true(got == want && signbit(got) == signbit(want));
    }
    /* Indices that are no piece: nothing gets the gradient. */
    if (m > 2)
        arg[1] = -1, arg[2] = (int32_t)s.axis;
    assert_int_equal(act_maxout_backward(t, 0, s, arg, g, d), ACT_OK);
    for (size_t i = 0; i < m; i++)
        for (size_t k = 0; k < s.axis; k++) {
            const char *got = (char *)d + input(s, i, k) * size;
            const uint64_t zero = 0;
            assert_memory_equal(got, arg[i] == (int32_t)k ? (char *)g + i * size : (char *)&zero,
                                size);
        }
}

static void every_shape(void **state)
{
    (void)state;
    every_case(SHAPES, check);
}

/* Central differences of sum(g y), away from ties. */
static void gradient_is_the_slope(void **state)
{
    (void)state;
    enum { OUTER = 3, AXIS = 4, INNER = 5, N = OUTER * AXIS * INNER, M = OUTER * INNER };
    const act_shape s = {OUTER, AXIS, INNER};
    const double h = 0x1p-20;
    uint64_t seed = 5;
    double x[N], g[M], y[M], d[N];
    int32_t arg[M];
    fill_normal(x, ACT_F64, N, 0, 1, &seed);
    fill_normal(g, ACT_F64, M, 0, 1, &seed);
    act_maxout_forward(ACT_F64, 0, s, x, y, arg);
    act_maxout_backward(ACT_F64, 0, s, arg, g, d);
    for (int i = 0; i < N; i++) {
        const double old = x[i];
        double change = 0;
        for (int side = -1; side <= 1; side += 2) {
            x[i] = old + side * h;
            act_maxout_forward(ACT_F64, 0, s, x, y, NULL);
            for (int j = 0; j < M; j++)
                change += side * g[j] * y[j];
        }
        x[i] = old;
        assert_true(fabs(change / (2 * h) - d[i]) <= 1e-8);
    }
}

static void threads_change_nothing(void **state)
{
    (void)state;
    enum { N = 600000 };
    static float x[N], g[N], y1[N], y2[N];
    static int32_t a1[N], a2[N];
    const act_shape all[] = {{1, 2, 300000}, {100000, 6, 1}, {3, 4, 50000}, {1000, 20, 30}};
    uint64_t seed = 3;
    for (int i = 0; i < N; i++)
        x[i] = (float)value(&seed), g[i] = (float)i;
    if (act_set_num_threads(3) != ACT_OK)
        skip();
    for (int i = 0; i < 4; i++) {
        const size_t m = all[i].outer * all[i].inner, n = m * all[i].axis;
        act_maxout_forward(ACT_F32, 0, all[i], x, y1, a1);
        act_maxout_forward(ACT_F32, ACT_SERIAL, all[i], x, y2, a2);
        assert_memory_equal(y1, y2, m * sizeof *y1);
        assert_memory_equal(a1, a2, m * sizeof *a1);
        act_maxout_backward(ACT_F32, 0, all[i], a1, g, y1);
        act_maxout_backward(ACT_F32, ACT_SERIAL, all[i], a1, g, y2);
        assert_memory_equal(y1, y2, n * sizeof *y1);
    }
    act_set_num_threads(1);
}

static void errors(void **state)
{
    (void)state;
    static float x[64], y[64];
    static int32_t a[64];
    const act_shape s = {2, 3, 4}, one = {2, 1, 4};
    for (int i = 0; i < 64; i++)
        y[i] = 77, a[i] = 0;
#define FORWARD_IS(status, ...)  assert_int_equal(act_maxout_forward(__VA_ARGS__), status)
#define BACKWARD_IS(status, ...) assert_int_equal(act_maxout_backward(__VA_ARGS__), status)
    FORWARD_IS(ACT_ERR_UNSUPPORTED, -1, 0, s, x, y, a);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, ACT_BF16_F32, 0, s, x, y, a);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, ACT_F32, ACT_ACCUMULATE, s, x, y, a);
    FORWARD_IS(ACT_ERR_SIZE, ACT_F32, 0, ((act_shape){SIZE_MAX / 4, 5, 1}), x, y, a);
    FORWARD_IS(ACT_ERR_SIZE, ACT_F32, 0, ((act_shape){1, (size_t)1 << 31, 1}), NULL, y, a);
    FORWARD_IS(ACT_OK, ACT_F32, 0, ((act_shape){0, 5, 1}), NULL, NULL, NULL);
    FORWARD_IS(ACT_OK, ACT_F32, 0, ((act_shape){5, 0, 1}), x, y, NULL);
    FORWARD_IS(ACT_ERR_NULL, ACT_F32, 0, s, NULL, y, a);
    FORWARD_IS(ACT_ERR_NULL, ACT_F32, 0, s, x, NULL, a);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, s, y, y, a);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, s, x, y, (int32_t *)(void *)(y + 7));
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, s, y + 30, y, (int32_t *)(void *)(y + 53));
    BACKWARD_IS(ACT_ERR_NULL, ACT_F32, 0, s, NULL, x, y);
    BACKWARD_IS(ACT_ERR_NULL, ACT_F32, 0, s, a, NULL, y);
    BACKWARD_IS(ACT_ERR_NULL, ACT_F32, 0, s, a, x, NULL);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, s, a, y, y);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, s, a, y + 23, y);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, s, (int32_t *)(void *)y, x, y);
    for (int i = 0; i < 64; i++)
        assert_true(y[i] == 77);
    FORWARD_IS(ACT_OK, ACT_F32, 0, one, y, y, a);
    BACKWARD_IS(ACT_OK, ACT_F32, 0, one, a, y, y);
    for (int i = 0; i < 64; i++)
        assert_true(y[i] == 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape),
        cmocka_unit_test(gradient_is_the_slope),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
