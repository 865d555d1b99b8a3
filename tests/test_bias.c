/* Bias and activation: against the library's own calls on x + bias, element by element, and sums in
 * long double. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "nearest.h"
#include "ops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arrays.h"

enum { MOST = 40000 };
static double x[MOST], grad[MOST], out[MOST], want[MOST], sum[MOST], bias[5000], dbias[5000];
static double wide_grad[MOST];

static const act_shape shapes[] = {
    {1, 1, 1},   {5, 3, 1},    {100, 64, 1}, {3, 5000, 1}, {2, 1100, 1}, {7, 3, 5},   {2, 600, 3},
    {3, 7, 100}, {2, 2, 3136}, {1, 3, 1025}, {4, 513, 2},  {1, 1, 4096}, {30, 1, 40}, {3, 17, 0},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void fill(act_dtype t)
{
    uint32_t state = 7;
    for (size_t i = 0; i < MOST; i++) {
        state = state * 1664525u + 1013904223u;
        put(x, t, i, (double)(int32_t)state * 0x1p-29);
        put(grad, t, i, (double)(int32_t)(state * 2891336453u) * 0x1p-30);
        put(out, t, i, 77);
        if (i < 5000) {
            put(bias, wide_of(t), i, (double)(int32_t)(state * 747796405u) * 0x1p-30);
            put(dbias, wide_of(t), i, 0.5);
        }
    }
}

static size_t channel(act_shape s, size_t i)
{
    return i / s.inner % s.axis;
}

/* out is want, which is of the type computed with, rounded to nearest even if it is a 16-bit array.
 */
static void check_results(act_dtype t, size_t n)
{
    if (t == ACT_F32 || t == ACT_F64) {
        assert_memory_equal(out, want, n * size_of[t]);
    } else {
        for (size_t i = 0; i < n; i++)
            if (((uint16_t *)out)[i] != nearest16(t, get(want, ACT_F32, i)))
                fail_msg("%s at %zu: %.9g, not %.9g", dtype_name[t], i, get(out, t, i),
                         get(want, ACT_F32, i));
    }
    assert_true(get(out, t, n) == 77);
}

static void check_shape(act_dtype t, act_kind k, act_shape s, unsigned flags)
{
    const size_t n = s.outer * s.axis * s.inner;
    const act_dtype wide = wide_of(t);
    fill(t);
    for (size_t i = 0; i < n; i++) { /* rounded once */
        put(sum, wide, i, get(x, t, i) + get(bias, wide, channel(s, i)));
        put(wide_grad, wide, i, get(grad, t, i));
    }
    assert_int_equal(call(wide, FORWARD, k, NULL, sum, NULL, want, n), ACT_OK);
    assert_int_equal(
        act_bias_forward(t, flags & ~(unsigned)ACT_ACCUMULATE, k, NULL, s, bias, x, out), ACT_OK);
    check_results(t, n);

    assert_int_equal(call(wide, BACKWARD, k, NULL, sum, wide_grad, want, n), ACT_OK);
    assert_int_equal(act_bias_backward(t, flags, k, NULL, s, bias, x, grad, out, dbias), ACT_OK);
    check_results(t, n);
    for (size_t c = 0; c < s.axis; c++) {
        long double total = flags & ACT_ACCUMULATE ? 0.5L : 0, terms = 0;
        for (size_t o = 0; o < s.outer; o++)
            for (size_t i = 0; i < s.inner; i++) {
                const double d = get(want, wide, (o * s.axis + c) * s.inner + i);
                total += (long double)d;
                terms += fabsl((long double)d);
            }
        /* f32: f64 sums rounded once; f64: the error of adding them up. */
        const long double bound = t == ACT_F64 ? 0x1p-53L * (fabsl(total) + 100 * terms)
                                               : 0x1.01p-24L * fabsl(total) + 0x1p-45L * terms;
        const double got = get(dbias, wide, c);
        if (!(fabsl((long double)got - total) <= bound + 0x1p-149L))
            fail_msg("channel %zu: %.17g, not %.17g", c, got, (double)total);
    }
    if (s.axis < 5000)
        assert_true(get(dbias, wide, s.axis) == 0.5);
    if (t != ACT_BF16 && t != ACT_F16)
        return;
    /* 16-bit arrays read, float ones written: the results before they are rounded. */
    const act_dtype mixed = t == ACT_BF16 ? ACT_BF16_F32 : ACT_F16_F32;
    fill(t);
    put(out, ACT_F32, n, 77);
    assert_int_equal(act_bias_backward(mixed, flags, k, NULL, s, bias, x, grad, out, dbias),
                     ACT_OK);
    assert_memory_equal(out, want, n * sizeof(float));
    assert_true(get(out, ACT_F32, n) == 77);
    assert_int_equal(call(wide, FORWARD, k, NULL, sum, NULL, want, n), ACT_OK);
    assert_int_equal(act_bias_forward(mixed, 0, k, NULL, s, bias, x, out), ACT_OK);
    assert_memory_equal(out, want, n * sizeof(float));
    assert_true(get(out, ACT_F32, n) == 77);
}

static void every_shape(void **state)
{
    (void)state;
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    FOR_DTYPE(t)
    for (size_t s = 0; s < SHAPES; s++) {
        act_set_isa(isa);
        check_shape(t, ACT_GELU, shapes[s], 0);
        check_shape(t, ACT_RELU, shapes[s], ACT_ACCUMULATE);
    }
    act_set_isa(before);
}

static void results_do_not_depend_on_threads(void **state)
{
    (void)state;
    static float a[400000], g[400000], one[400000], two[400000], b[5000], d1[5000], d2[5000];
    const act_shape all[] = {{200, 2000, 1}, {4000, 100, 1}, {20, 100, 200}};
    for (int i = 0; i < 400000; i++)
        a[i] = (float)(i * 37 % 1001) / 100 - 5, g[i] = (float)(i * 59 % 997) / 500 - 1;
    for (int i = 0; i < 5000; i++)
        b[i] = (float)i / 5000;
    if (act_set_num_threads(3) != ACT_OK)
        skip();
    for (int s = 0; s < 3; s++) {
        act_bias_forward(ACT_F32, 0, ACT_SILU, NULL, all[s], b, a, one);
        act_bias_forward(ACT_F32, ACT_SERIAL, ACT_SILU, NULL, all[s], b, a, two);
        assert_memory_equal(one, two, sizeof one);
        act_bias_backward(ACT_F32, 0, ACT_SILU, NULL, all[s], b, a, g, one, d1);
        act_bias_backward(ACT_F32, ACT_SERIAL, ACT_SILU, NULL, all[s], b, a, g, two, d2);
        assert_memory_equal(one, two, sizeof one);
        assert_memory_equal(d1, d2, all[s].axis * sizeof *d1);
    }
    act_set_num_threads(1);
}

/* Between pages that fault, at either end. */
static void memory(void **state)
{
    (void)state;
    static const act_shape all[] = {{1, 1, 1},   {3, 5, 1},   {2, 33, 1},  {2, 3, 31},
                                    {1, 1, 769}, {1, 770, 1}, {5, 7, 110}, {1, 2, 1025}};
    for (act_dtype t = ACT_F32; t <= ACT_F16_F32; t++)
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            FOR_ENDS(at_end)
            {
                const act_shape s = all[k];
                const act_dtype from = t > ACT_F16 ? t - 2 : t, to = t > ACT_F16 ? ACT_F32 : t;
                const size_t n = s.outer * s.axis * s.inner, size = size_of[wide_of(from)];
                void *in = array_new(n * size_of[from], at_end);
                void *g = array_new(n * size_of[from], at_end);
                void *y = array_new(n * size_of[to], at_end);
                void *b = array_new(s.axis * size, at_end), *db = array_new(s.axis * size, at_end);
                for (size_t i = 0; i < n; i++)
                    put(in, from, i, 1), put(g, from, i, 2);
                for (size_t i = 0; i < s.axis; i++)
                    put(b, wide_of(from), i, 1);
                assert_int_equal(act_bias_forward(t, 0, ACT_RELU, NULL, s, b, in, y), ACT_OK);
                for (size_t i = 0; i < n; i++)
                    assert_true(get(y, to, i) == 2);
                assert_int_equal(act_bias_backward(t, 0, ACT_RELU, NULL, s, b, in, g, y, db),
                                 ACT_OK);
                for (size_t i = 0; i < n; i++)
                    assert_true(get(y, to, i) == 2);
                for (size_t c = 0; c < s.axis; c++)
                    assert_true(get(db, wide_of(from), c) == 2 * (double)(s.outer * s.inner));
                assert_true(arrays_free());
            }
}

static void in_place(void **state)
{
    (void)state;
    const act_shape s = {3, 100, 30};
    const size_t n = 9000;
    FOR_DTYPE(t)
    {
        fill(t);
        act_bias_backward(t, 0, ACT_SILU, NULL, s, bias, x, grad, want, sum);
        assert_int_equal(act_bias_backward(t, 0, ACT_SILU, NULL, s, bias, x, grad, grad, bias),
                         ACT_OK);
        assert_memory_equal(grad, want, n * size_of[t]);
        assert_memory_equal(bias, sum, 100 * size_of[wide_of(t)]);
        fill(t);
        assert_int_equal(act_bias_backward(t, 0, ACT_SILU, NULL, s, bias, x, grad, x, dbias),
                         ACT_OK);
        assert_memory_equal(x, want, n * size_of[t]);
        fill(t);
        act_bias_forward(t, 0, ACT_SILU, NULL, s, bias, x, want);
        assert_int_equal(act_bias_forward(t, 0, ACT_SILU, NULL, s, bias, x, x), ACT_OK);
        assert_memory_equal(x, want, n * size_of[t]);
    }
}

static void errors(void **state)
{
    (void)state;
    const act_shape s = {2, 5, 10};
    float *const a = (float *)x, *const b = (float *)bias, *const y = (float *)out,
                 *const g = (float *)grad, *const d = (float *)dbias;
    const act_params nan = {NAN, NAN, NAN, NAN};
    fill(ACT_F32);
#define FORWARD_IS(status, ...)  assert_int_equal(act_bias_forward(__VA_ARGS__), status)
#define BACKWARD_IS(status, ...) assert_int_equal(act_bias_backward(__VA_ARGS__), status)
    FORWARD_IS(ACT_ERR_KIND, ACT_F32, 0, 999, NULL, s, b, a, y);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, -1, 0, ACT_SILU, NULL, s, b, a, y);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, ACT_F32, ACT_ACCUMULATE, ACT_SILU, NULL, s, b, a, y);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, ACT_F16_F32 + 1, 0, ACT_SILU, NULL, s, b, a, y);
    FORWARD_IS(ACT_ERR_PARAM, ACT_BF16, 0, ACT_ELU, &nan, s, b, a, y);
    FORWARD_IS(ACT_ERR_SIZE, ACT_F16, 0, ACT_SILU, NULL, ((act_shape){0, SIZE_MAX / 6, 1}), b, a,
               y); /* of bias, which is float */
    FORWARD_IS(ACT_ERR_SIZE, ACT_F16_F32, 0, ACT_SILU, NULL, ((act_shape){SIZE_MAX / 6, 1, 1}), b,
               a, y); /* of out */
    FORWARD_IS(ACT_ERR_NULL, ACT_F16, 0, ACT_SILU, NULL, ((act_shape){SIZE_MAX / 6, 1, 1}), b, NULL,
               y);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_BF16_F32, 0, ACT_SILU, NULL, s, b, a, a);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_BF16, 0, ACT_SILU, NULL, s, b, a, b + 4);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F16_F32, 0, ACT_SILU, NULL, s, b, a, g, g, d);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F16, 0, ACT_SILU, NULL, s, b, a, g, d + 4, d);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, ACT_ELU, &nan, s, b, a, y);
    FORWARD_IS(ACT_ERR_SIZE, ACT_F32, 0, ACT_SILU, NULL, ((act_shape){SIZE_MAX / 4, 5, 1}), b, a,
               y);
    FORWARD_IS(ACT_ERR_SIZE, ACT_F32, 0, ACT_SILU, NULL, ((act_shape){0, SIZE_MAX / 2, 1}), b, a,
               y);
    FORWARD_IS(ACT_OK, ACT_F32, 0, ACT_SILU, NULL, ((act_shape){0, 5, 1}), NULL, NULL, NULL);
    FORWARD_IS(ACT_OK, ACT_F32, 0, ACT_SILU, NULL, ((act_shape){SIZE_MAX / 4, 5, 0}), NULL, NULL,
               NULL);
    FORWARD_IS(ACT_ERR_NULL, ACT_F32, 0, ACT_SILU, NULL, s, NULL, a, y);
    FORWARD_IS(ACT_ERR_NULL, ACT_F32, 0, ACT_SILU, NULL, s, b, NULL, y);
    FORWARD_IS(ACT_ERR_NULL, ACT_F32, 0, ACT_SILU, NULL, s, b, a, NULL);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, s, b, a, a + 1);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, s, y + 99, a, y);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, s, b, a, g, y, y + 95);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, s, b, a, g, y, g);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, s, b, a, g, y, b + 1);
    BACKWARD_IS(ACT_ERR_NULL, ACT_F32, 0, ACT_SILU, NULL, s, b, a, g, y, NULL);
    for (int i = 0; i < 100; i++)
        assert_true(y[i] == 77);
    /* Nothing to add up: the gradient of the bias is 0, or stays. */
    const act_shape none = {0, 5, 10};
    BACKWARD_IS(ACT_OK, ACT_F32, ACT_ACCUMULATE, ACT_SILU, NULL, none, NULL, NULL, NULL, NULL, d);
    assert_true(d[0] == 0.5f && d[4] == 0.5f);
    BACKWARD_IS(ACT_OK, ACT_F32, 0, ACT_SILU, NULL, none, NULL, NULL, NULL, NULL, d);
    assert_true(d[0] == 0 && d[4] == 0 && d[5] == 0.5f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape), cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(memory),      cmocka_unit_test(in_place),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
