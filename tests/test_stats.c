/* Statistics of outputs against plain loops in long double; merging in any cut; limits of kinds. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "arrays.h"

static const size_t sizes[] = {1, 2, 15, 16, 17, 31, 100, 2047, 2048, 2049, 5000, 20000};
enum { SIZES = sizeof sizes / sizeof *sizes, MOST = 20000 };

static void fill(void *y, act_dtype t, size_t n, double mean, int special, uint64_t *state)
{
    static const double values[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1, -1};
    fill_normal(y, t, n, mean, 1, state);
    for (size_t i = 0; special && i < n; i += 1 + random_bits(state) % 9)
        put(y, t, i, values[random_bits(state) % 7]);
}

static void near(double got, long double want, long double terms, double most)
{
    if (!(fabsl((long double)got - want) <= (long double)most * terms))
        fail_msg("%.17g, not %.17Lg", got, want);
}

/* Of sigmoid, whose limits are 0 and 1. */
static void check(const act_stats *s, act_dtype t, const void *y, size_t n)
{
    static const double least[] = {0x1p-126, 0x1p-1022, 0x1p-126, 0x1p-14};
    uint64_t zero = 0, saturated = 0, nan = 0, inf = 0, finite = 0;
    long double sum = 0, sum_abs = 0, sum_sq = 0, m2 = 0, min = INFINITY, max = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        const double v = get(y, t, i);
        nan += isnan(v), inf += isinf(v) != 0, zero += v == 0;
        if (!isfinite(v))
            continue;
        finite++;
        saturated += fabs(v) < least[t] || fabs(v - 1) <= unit_of(t);
        sum += (long double)v, sum_abs += fabsl((long double)v);
        sum_sq += (long double)v * (long double)v;
        min = (long double)v < min ? (long double)v : min;
        max = (long double)v > max ? (long double)v : max;
    }
    const long double mean = finite ? sum / (long double)finite : 0;
    for (size_t i = 0; i < n; i++) {
        const long double d = (long double)get(y, t, i) - mean;
        m2 += isfinite((double)d) ? d * d : 0;
    }
    assert_int_equal(s->count, n);
    assert_int_equal(s->zero, zero);
    assert_int_equal(s->saturated, saturated);
    assert_int_equal(s->nan, nan);
    assert_int_equal(s->inf, inf);
    near(s->sum_abs, sum_abs, sum_abs, 1e-13);
    near(s->sum_sq, sum_sq, sum_sq, 1e-13);
    if (!finite) {
        assert_true(s->mean == 0 && s->m2 == 0 && s->min == 0 && s->max == 0);
        return;
    }
    assert_true((long double)s->min == min && (long double)s->max == max);
    near(s->mean, mean, sum_abs / (long double)finite, 1e-14);
    /* A mean that is off by e adds n e^2. */
    near(s->m2, m2, m2 + (long double)finite * 1e-28L * mean * mean * 1e12L, 1e-12);
}

static void every_size(void **state)
{
    (void)state;
    const act_isa before = act_get_isa();
    FOR_DTYPE(t)
    FOR_ENDS(at_end)
    for (size_t i = 0; i < SIZES * 3; i++) {
        const size_t n = sizes[i / 3];
        uint64_t seed = i + 1;
        void *const y = array_new(n * size_of[t], at_end);
        act_stats first = {0};
        int seen = 0;
        fill(y, t, n, i % 3 == 2 ? 1000 : 0.5, i % 3 == 1, &seed);
        FOR_ISA(isa)
        {
            act_stats all = {0}, parts = {0}, other = {0};
            act_set_isa(isa);
            assert_int_equal(act_stats_add(t, 0, ACT_SIGMOID, NULL, y, n, &all), ACT_OK);
            check(&all, t, y, n);
            if (seen++)
                assert_memory_equal(&all, &first, sizeof all);
            first = all;
            /* In two calls, and of two parts. */
            const size_t cut = n / 3;
            const char *const rest = (const char *)y + cut * size_of[t];
            act_stats_add(t, 0, ACT_SIGMOID, NULL, y, cut, &parts);
            act_stats_add(t, 0, ACT_SIGMOID, NULL, rest, n - cut, &parts);
            check(&parts, t, y, n);
            parts = (act_stats){0};
            act_stats_add(t, 0, ACT_SIGMOID, NULL, rest, n - cut, &parts);
            act_stats_add(t, 0, ACT_SIGMOID, NULL, y, cut, &other);
            assert_int_equal(act_stats_merge(&other, &parts), ACT_OK);
            check(&parts, t, y, n);
        }
        assert_true(arrays_free());
    }
    act_set_isa(before);
}

static uint64_t saturated(act_kind k, const act_params *p, float y)
{
    act_stats s = {0};
    assert_int_equal(act_stats_add(ACT_F32, 0, k, p, &y, 1, &s), ACT_OK);
    return s.saturated;
}

static void limits(void **state)
{
    (void)state;
    const act_params two = {.alpha = 2}, clip = {.alpha = -3, .beta = INFINITY};
    assert_int_equal(saturated(ACT_IDENTITY, NULL, 0), 0);
    assert_int_equal(saturated(ACT_RELU, NULL, 0), 1);
    assert_int_equal(saturated(ACT_RELU, NULL, 1), 0);
    assert_int_equal(saturated(ACT_RELU6, NULL, 6), 1);
    assert_int_equal(saturated(ACT_RELU6, NULL, 5.9999f), 0);
    assert_int_equal(saturated(ACT_TANH, NULL, -1), 1);
    assert_int_equal(saturated(ACT_TANH, NULL, 0x1.fffffep-1f), 1);
    assert_int_equal(saturated(ACT_TANH, NULL, 0x1.fffffcp-1f), 0);
    assert_int_equal(saturated(ACT_TANH, NULL, 0), 0);
    assert_int_equal(saturated(ACT_SIGMOID, NULL, 1e-39f), 1);
    assert_int_equal(saturated(ACT_SIGMOID, NULL, 1e-37f), 0);
    assert_int_equal(saturated(ACT_ELU, &two, -2), 1);
    assert_int_equal(saturated(ACT_ELU, &two, -1), 0);
    assert_int_equal(saturated(ACT_SELU, NULL, -1.7580993408473768f), 1);
    assert_int_equal(saturated(ACT_HARDTANH, &clip, -3), 1);
    assert_int_equal(saturated(ACT_HARDTANH, &clip, 3), 0);
    assert_int_equal(saturated(ACT_RELU, NULL, INFINITY), 0);
    assert_int_equal(saturated(ACT_SIGMOID, NULL, NAN), 0);
}

static void errors(void **state)
{
    (void)state;
    const act_params nan = {NAN, NAN, NAN, NAN};
    const float y[2] = {1, 2};
    act_stats s = {.count = 5}, same = s;
    union {
        act_stats s;
        float f[8];
    } both = {{0}};
#define IS(status, ...) assert_int_equal(act_stats_add(__VA_ARGS__), status)
    IS(ACT_ERR_KIND, ACT_F32, 0, -1, NULL, y, 2, &s);
    IS(ACT_ERR_UNSUPPORTED, 9, 0, ACT_RELU, NULL, y, 2, &s);
    IS(ACT_ERR_UNSUPPORTED, ACT_BF16_F32, 0, ACT_RELU, NULL, y, 2, &s);
    IS(ACT_ERR_UNSUPPORTED, ACT_F32, ACT_ACCUMULATE, ACT_RELU, NULL, y, 2, &s);
    IS(ACT_ERR_PARAM, ACT_F32, 0, ACT_ELU, &nan, y, 2, &s);
    IS(ACT_ERR_SIZE, ACT_F32, 0, ACT_RELU, NULL, y, SIZE_MAX / 4, &s);
    IS(ACT_OK, ACT_F32, 0, ACT_RELU, NULL, NULL, 0, NULL);
    IS(ACT_ERR_NULL, ACT_F32, 0, ACT_RELU, NULL, NULL, 2, &s);
    IS(ACT_ERR_NULL, ACT_F32, 0, ACT_RELU, NULL, y, 2, NULL);
    IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_RELU, NULL, both.f + 2, 2, &both.s);
    assert_int_equal(act_stats_merge(NULL, &s), ACT_ERR_NULL);
    assert_int_equal(act_stats_merge(&s, NULL), ACT_ERR_NULL);
    assert_memory_equal(&s, &same, sizeof s);
    s = (act_stats){0};
    IS(ACT_OK, ACT_F32, 0, ACT_RELU, NULL, y, 2, &s);
    assert_int_equal(act_stats_merge(&s, &s), ACT_OK); /* with itself */
    assert_true(s.count == 4 && s.mean == 1.5 && s.m2 == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size),
        cmocka_unit_test(limits),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
