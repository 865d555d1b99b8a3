/* Randomised leaky ReLU: Philox against the published answers, the library against Philox. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "ops.h"
#include "philox.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 100000 };
static double x[MOST], grad[MOST], out[MOST], want[MOST];

/* The slope, in the compute type. */
static double slope_of(act_dtype t, double lower, double upper, uint32_t word)
{
    if (t == ACT_F64) {
        const double u = (double)word * 0x1p-32, product = (upper - lower) * u;
        const double r = lower + product;
        return r < upper ? r : upper;
    }
    const volatile float low = (float)lower, high = (float)upper, range = high - low;
    const volatile float product = range * ((float)(word >> 8) * 0x1p-24f), r = low + product;
    return (double)(r < high ? r : high);
}

static void published_answers(void **state)
{
    (void)state;
    /* Random123's kat_vectors, "philox4x32 10": counter, key, answer. */
    static const uint32_t known[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
         0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t counter[4];
        memcpy(counter, known[i], sizeof counter);
        philox(counter, known[i][4], known[i][5]);
        assert_memory_equal(counter, known[i] + 6, sizeof counter);
    }
    /* The first of them is elements 0, 16, 32 and 48 of seed 0. */
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    {
        act_set_isa(isa);
        for (int i = 0; i < 64; i++)
            x[i] = -0x1p32;
        assert_int_equal(act_rrelu_forward(ACT_F64, 0, 0, 1, 0, 0, x, out, 64), ACT_OK);
        for (int w = 0; w < 4; w++)
            assert_true(out[16 * w] == -(double)known[0][6 + w]);
    }
    act_set_isa(before);
}

static void fill(act_dtype t, size_t n)
{
    uint32_t state = 5;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        put(x, t, i, (double)(int32_t)state * 0x1p-29);
        put(grad, t, i, (double)(int32_t)(state * 2891336453u) * 0x1p-30);
    }
}

/* Every word of a range that goes past the end of the indices, every table and type. */
static void every_word(void **state)
{
    (void)state;
    static const uint64_t firsts[] = {0,          1,           63, 1000000007u, 0x3ffffffff0u,
                                      1ull << 62, 0u - 1234ull};
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    FOR_DTYPE(t)
    for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++) {
        const size_t n = f == 0 ? 70000 : 3001;
        const uint64_t seed = 0x123456789abcdef0u * (f + 1);
        const double lower = f == 2 ? -0.25 : 0.125, upper = f == 3 ? 0.125 : 1.0 / 3;
        act_set_isa(isa);
        fill(t, n);
        put(out, t, n, 77);
        for (int backward = 0; backward < 2; backward++) {
            const act_status status =
                backward ? act_rrelu_backward(t, 0, lower, upper, seed, firsts[f], x, grad, out, n)
                         : act_rrelu_forward(t, 0, lower, upper, seed, firsts[f], x, out, n);
            assert_int_equal(status, ACT_OK);
            for (size_t i = 0; i < n; i++) {
                const double v = get(x, t, i), r = get(out, t, i);
                const double factor = backward ? get(grad, t, i) : v;
                const double s = slope_of(t, lower, upper, word_of(seed, firsts[f] + i));
                const double exact = v > 0 ? factor : s * factor;
                const double unit = t == ACT_F64    ? 0x1p-53
                                    : t == ACT_F32  ? 0x1p-24
                                    : t == ACT_BF16 ? 0x1.0002p-8
                                                    : 0x1.002p-11;
                if (!(fabs(r - exact) <= unit * fabs(exact) + (t == ACT_F16 ? 0x1.01p-25 : 0)))
                    fail_msg("isa %d, type %d, first %llu, element %zu: %.17g, not %.17g", isa, t,
                             (unsigned long long)firsts[f], i, r, exact);
            }
            assert_true(get(out, t, n) == 77);
        }
    }
    act_set_isa(before);
}

static void pieces_are_the_whole(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, 7, 64, 65, 511, 513, 1000};
    const size_t n = 5000;
    FOR_DTYPE(t)
    {
        fill(t, n);
        act_rrelu_backward(t, 0, 0.1, 0.3, 99, 12345, x, grad, want, n);
        for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
            memset(out, 0, n * size_of[t]);
            for (size_t i = 0; i < n; i += cuts[c]) {
                const size_t some = n - i < cuts[c] ? n - i : cuts[c], at = i * size_of[t];
                act_rrelu_backward(t, 0, 0.1, 0.3, 99, 12345 + i, (char *)x + at, (char *)grad + at,
                                   (char *)out + at, some);
            }
            assert_memory_equal(out, want, n * size_of[t]);
        }
    }
}

static void results_do_not_depend_on_threads_or_place(void **state)
{
    (void)state;
    const size_t n = MOST;
    if (act_set_num_threads(3) != ACT_OK)
        skip();
    FOR_DTYPE(t)
    {
        act_set_num_threads(3);
        fill(t, n);
        act_rrelu_forward(t, 0, 0.1, 0.3, 7, 31, x, out, n);
        act_rrelu_forward(t, ACT_SERIAL, 0.1, 0.3, 7, 31, x, want, n);
        assert_memory_equal(out, want, n * size_of[t]);
        act_rrelu_forward(t, 0, 0.1, 0.3, 7, 31, x, x, n);
        assert_memory_equal(x, want, n * size_of[t]);
        fill(t, n);
        act_rrelu_backward(t, ACT_SERIAL, 0.1, 0.3, 7, 31, x, grad, want, n);
        act_rrelu_backward(t, 0, 0.1, 0.3, 7, 31, x, grad, x, n);
        assert_memory_equal(x, want, n * size_of[t]);
        fill(t, n);
        act_rrelu_backward(t, 0, 0.1, 0.3, 7, 31, x, grad, grad, n);
        assert_memory_equal(grad, want, n * size_of[t]);
    }
    act_set_num_threads(1);
}

/* The slopes of f32 are the same on every table, those of 16 bits f32's. */
static void mixed_types(void **state)
{
    (void)state;
    static float wide[3000], y[3000], mixed[3000];
    for (act_dtype t = ACT_BF16; t <= ACT_F16; t++) {
        fill(t, 3000);
        for (size_t i = 0; i < 3000; i++)
            wide[i] = (float)get(x, t, i);
        act_rrelu_forward(ACT_F32, 0, 0.1, 0.3, 7, 31, wide, y, 3000);
        assert_int_equal(act_rrelu_forward(t == ACT_BF16 ? ACT_BF16_F32 : ACT_F16_F32, 0, 0.1, 0.3,
                                           7, 31, x, mixed, 3000),
                         ACT_OK);
        assert_memory_equal(mixed, y, sizeof y);
    }
}

static void slopes_are_uniform(void **state)
{
    (void)state;
    enum { N = 1 << 16, BINS = 16 };
    static float v[N], r[N];
    int bin[BINS] = {0};
    for (int i = 0; i < N; i++)
        v[i] = -1;
    act_rrelu_forward(ACT_F32, 0, 0.125, 0.375, 2024, 0, v, r, N);
    for (int i = 0; i < N; i++) {
        assert_true(-r[i] >= 0.125f && -r[i] <= 0.375f);
        const int b = (int)((-r[i] - 0.125f) * 4 * BINS);
        bin[b < BINS ? b : BINS - 1]++;
    }
    double chi = 0;
    for (int b = 0; b < BINS; b++)
        chi += (bin[b] - N / BINS) * (double)(bin[b] - N / BINS) / (N / BINS);
    assert_true(chi < 45); /* 15 degrees of freedom: one in 10^4 beyond */
    act_rrelu_forward(ACT_F32, 0, 0.125, 0.375, 2025, 0, v, v, N);
    int same = 0;
    for (int i = 0; i < N; i++)
        same += v[i] == r[i];
    assert_true(same < 10);
}

static void special_values(void **state)
{
    (void)state;
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    {
        const float v[6] = {-0.0f, 0, -INFINITY, INFINITY, NAN, -1},
                    g[6] = {1, 1, 1, 1, 1, INFINITY};
        float r[6];
        act_set_isa(isa);
        act_rrelu_forward(ACT_F32, 0, 0.25, 0.25, 1, 0, v, r, 6);
        assert_true(r[0] == 0 && signbit(r[0]) && r[1] == 0 && !signbit(r[1]));
        assert_true(r[2] == -INFINITY && r[3] == INFINITY && isnan(r[4]) && r[5] == -0.25f);
        act_rrelu_backward(ACT_F32, 0, 0.25, 0.25, 1, 0, v, g, r, 6);
        assert_true(r[0] == 0.25f && r[1] == 0.25f && r[2] == 0.25f && r[3] == 1);
        assert_true(isnan(r[4]) && r[5] == INFINITY);
        /* A slope of 0 is the constant 0. */
        act_rrelu_forward(ACT_F32, 0, 0, 0, 1, 0, v, r, 6);
        assert_true(r[2] == 0);
        act_rrelu_backward(ACT_F32, 0, 0, 0, 1, 0, v, g, r, 6);
        assert_true(r[5] == 0);
    }
    act_set_isa(before);
}

static void nothing_outside_is_touched(void **state)
{
    (void)state;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const act_isa before = act_get_isa();
    char *area[3];
    for (int i = 0; i < 3; i++) {
        area[i] = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(area[i] != MAP_FAILED);
        mprotect(area[i], page, PROT_NONE), mprotect(area[i] + 2 * page, page, PROT_NONE);
    }
    FOR_ISA(isa)
    FOR_DTYPE(t)
    for (size_t n = 1; n < 150; n += 1 + n / 20)
        for (int at_end = 0; at_end < 2; at_end++) {
            const size_t at = at_end ? 2 * page - n * size_of[t] : page;
            act_set_isa(isa);
            fill(t, n);
            memcpy(area[0] + at, x, n * size_of[t]), memcpy(area[1] + at, grad, n * size_of[t]);
            act_rrelu_forward(t, 0, 0.1, 0.3, 7, 31, area[0] + at, area[2] + at, n);
            act_rrelu_backward(t, 0, 0.1, 0.3, 7, 31, area[0] + at, area[1] + at, area[2] + at, n);
            act_rrelu_backward(t, 0, 0.1, 0.3, 7, 31, x, grad, want, n);
            assert_memory_equal(area[2] + at, want, n * size_of[t]);
        }
    for (int i = 0; i < 3; i++)
        munmap(area[i], 3 * page);
    act_set_isa(before);
}

static void errors(void **state)
{
    (void)state;
    float *const a = (float *)x, *const g = (float *)grad, *const y = (float *)out;
    fill(ACT_F32, 200);
    for (int i = 0; i < 200; i++)
        y[i] = 77;
#define FORWARD_IS(status, ...)  assert_int_equal(act_rrelu_forward(__VA_ARGS__), status)
#define BACKWARD_IS(status, ...) assert_int_equal(act_rrelu_backward(__VA_ARGS__), status)
    FORWARD_IS(ACT_ERR_UNSUPPORTED, -1, 0, 0.1, 0.3, 1, 0, a, y, 100);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, 6, 0, 0.1, 0.3, 1, 0, a, y, 100);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, ACT_F32, ACT_ACCUMULATE, 0.1, 0.3, 1, 0, a, y, 100);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, 0.3, 0.1, 1, 0, a, y, 100);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, NAN, 0.1, 1, 0, a, y, 100);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, 0.1, NAN, 1, 0, a, y, 100);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, 0.1, INFINITY, 1, 0, a, y, 100);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, 0.1, 1e39, 1, 0, a, y, 100);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, -3e38, 3e38, 1, 0, a, y, 100);
    FORWARD_IS(ACT_ERR_SIZE, ACT_F32, 0, 0.1, 0.3, 1, 0, a, y, SIZE_MAX / 4);
    FORWARD_IS(ACT_OK, ACT_F32, 0, 0.1, 0.3, 1, 0, NULL, NULL, 0);
    FORWARD_IS(ACT_ERR_NULL, ACT_F32, 0, 0.1, 0.3, 1, 0, NULL, y, 100);
    FORWARD_IS(ACT_ERR_NULL, ACT_F32, 0, 0.1, 0.3, 1, 0, a, NULL, 100);
    BACKWARD_IS(ACT_ERR_NULL, ACT_F32, 0, 0.1, 0.3, 1, 0, a, NULL, y, 100);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, 0.1, 0.3, 1, 0, a, a + 1, 100);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_BF16_F32, 0, 0.1, 0.3, 1, 0, a, a, 100);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, 0.1, 0.3, 1, 0, a, g, g + 99, 100);
    for (int i = 0; i < 200; i++)
        assert_true(y[i] == 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_answers),
        cmocka_unit_test(every_word),
        cmocka_unit_test(pieces_are_the_whole),
        cmocka_unit_test(results_do_not_depend_on_threads_or_place),
        cmocka_unit_test(mixed_types),
        cmocka_unit_test(slopes_are_uniform),
        cmocka_unit_test(special_values),
        cmocka_unit_test(nothing_outside_is_touched),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
