/* bf16 and f16 of learnable parameters, rrelu, dynamic ReLU, FReLU, norms and statistics: the f32
 * call on the same numbers, its elements rounded once, to nearest even; what is float in both calls
 * has the same bits. Gated units, bias and softmax have this in tests of their own, maxout is
 * exact.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "arrays.h"
#include "nearest.h"

static const act_shape shapes[] = {{1, 1, 1},    {3, 1, 1},    {1, 17, 1}, {2, 5, 7},
                                   {1, 1, 1000}, {1, 1000, 1}, {40, 3, 1}, {5, 33, 3},
                                   {2, 70, 130}, {1, 2, 3000}};
enum { SHAPES = sizeof shapes / sizeof *shapes, MOST = 20000, PARAMETERS = 4000 };

/* What is read, in the 16-bit type and as floats, and what is written; parameters are floats. */
static uint16_t x[MOST], g[MOST], y[MOST];
static float wide_x[MOST], wide_g[MOST], wide_y[MOST];
static float p[PARAMETERS], q[PARAMETERS], d1[PARAMETERS], d2[PARAMETERS], e1[PARAMETERS],
    e2[PARAMETERS];
static act_dtype t;
static size_t n;

/* Of a size that f32 has as normal numbers, or one where the 16-bit type's spacing no longer falls.
 */
static void fill(size_t count, int small)
{
    static uint64_t seed = 1;
    const double sigma = !small ? 2 : t == ACT_F16 ? 1e-6 : 1e-38;
    n = count;
    assert_true(n <= MOST);
    fill_normal(x, t, n, 0, sigma, &seed);
    fill_normal(g, t, n, 0, 1, &seed);
    for (size_t i = 0; i < n; i++)
        wide_x[i] = (float)get(x, t, i), wide_g[i] = (float)get(g, t, i);
    fill_normal(p, ACT_F32, PARAMETERS, 0, 1, &seed);
    fill_normal(q, ACT_F32, PARAMETERS, 0, small ? sigma : 1, &seed);
    for (size_t i = 0; i < PARAMETERS; i++)
        d1[i] = d2[i] = e1[i] = e2[i] = 0.5f;
}

static void same(act_status status, act_status wide_status, const char *what)
{
    assert_int_equal(status, ACT_OK);
    assert_int_equal(wide_status, ACT_OK);
    for (size_t i = 0; i < n; i++)
        if (isnan(wide_y[i]) ? !isnan(get(y, t, i)) : y[i] != nearest16(t, (double)wide_y[i]))
            fail_msg("%s %s %s at %zu of %zu: %.9g, not %.9g rounded", act_isa_name(act_get_isa()),
                     dtype_name[t], what, i, n, get(y, t, i), (double)wide_y[i]);
}
static void same_floats(const char *what)
{
    for (size_t i = 0; i < PARAMETERS; i++)
        if (memcmp(&d1[i], &d2[i], sizeof *d1) != 0 || memcmp(&e1[i], &e2[i], sizeof *e1) != 0)
            fail_msg("%s %s %s at %zu: %.9g and %.9g, not %.9g and %.9g",
                     act_isa_name(act_get_isa()), dtype_name[t], what, i, (double)d1[i],
                     (double)e1[i], (double)d2[i], (double)e2[i]);
}

static void theta(act_shape s, unsigned flags)
{
    static const act_kind kinds[] = {ACT_PRELU,        ACT_ELU,         ACT_CELU,   ACT_SWISH,
                                     ACT_SOFTPLUS,     ACT_SCALED_TANH, ACT_ACON_C, ACT_SRELU,
                                     ACT_SWISH_LINEAR, ACT_APL};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        act_kind_info info = {.struct_size = sizeof info};
        assert_int_equal(act_kind_describe(kinds[k], &info), ACT_OK);
        const size_t rows = info.learnable < 0 ? 4 : (size_t)info.learnable;
        assert_true(rows * s.axis <= PARAMETERS);
        same(act_theta_forward(t, 0, kinds[k], s, rows, p, x, y),
             act_theta_forward(ACT_F32, 0, kinds[k], s, rows, p, wide_x, wide_y), info.name);
        same(act_theta_backward(t, flags, kinds[k], s, rows, p, x, g, y, d1),
             act_theta_backward(ACT_F32, flags, kinds[k], s, rows, p, wide_x, wide_g, wide_y, d2),
             info.name);
        same_floats(info.name);
    }
}

static void rrelu(act_shape s, unsigned flags)
{
    const uint64_t seed = s.axis + 7 * flags;
    same(act_rrelu_forward(t, 0, 0.1, 0.3, seed, 31, x, y, n),
         act_rrelu_forward(ACT_F32, 0, 0.1, 0.3, seed, 31, wide_x, wide_y, n), "rrelu");
    same(act_rrelu_backward(t, 0, 0.1, 0.3, seed, 31, x, g, y, n),
         act_rrelu_backward(ACT_F32, 0, 0.1, 0.3, seed, 31, wide_x, wide_g, wide_y, n),
         "rrelu, backward");
}

static void dyrelu(act_shape s, unsigned flags)
{
    for (size_t pieces = 1; pieces <= 4; pieces++) {
        same(act_dyrelu_forward(t, 0, s, pieces, p, q, x, y),
             act_dyrelu_forward(ACT_F32, 0, s, pieces, p, q, wide_x, wide_y), "dynamic ReLU");
        same(act_dyrelu_backward(t, flags, s, pieces, p, q, x, g, y, d1, e1),
             act_dyrelu_backward(ACT_F32, flags, s, pieces, p, q, wide_x, wide_g, wide_y, d2, e2),
             "dynamic ReLU, backward");
        same_floats("dynamic ReLU");
    }
}

static void frelu(act_shape s, unsigned flags)
{
    static const size_t kernels[][2] = {{1, 1}, {3, 3}, {5, 3}, {19, 19}};
    for (size_t k = 0; k < 4; k++) {
        const act_image m = {1,
                             s.axis < 10 ? s.axis : 1,
                             s.outer,
                             n / s.outer / s.axis,
                             kernels[k][0],
                             kernels[k][1]};
        const size_t whole = n;
        n = m.channels * m.height * m.width;
        same(act_frelu_forward(t, 0, &m, p, q, x, y),
             act_frelu_forward(ACT_F32, 0, &m, p, q, wide_x, wide_y), "FReLU");
        same(act_frelu_backward(t, flags, &m, p, q, x, g, y, d1, e1),
             act_frelu_backward(ACT_F32, flags, &m, p, q, wide_x, wide_g, wide_y, d2, e2),
             "FReLU, backward");
        same_floats("FReLU");
        n = whole;
    }
}

static void norm(act_shape s, unsigned flags)
{
    static const act_kind kinds[] = {ACT_IDENTITY, ACT_SILU, ACT_RELU, ACT_MISH};
    static float mean[2][MOST], rstd[2][MOST];
    for (int what = 0; what < 16; what++) {
        const act_kind k = kinds[what / 4];
        const int rms = what & 1;
        const size_t m = s.outer * s.inner * sizeof(float);
        memset(mean, 0, sizeof mean);
        if (what & 2) {
            same(act_norm_forward(t, 0, k, NULL, s, rms, 1e-5, p, q, x, y, mean[0], rstd[0]),
                 act_norm_forward(ACT_F32, 0, k, NULL, s, rms, 1e-5, p, q, wide_x, wide_y, mean[1],
                                  rstd[1]),
                 "norm");
            same(act_norm_backward(t, flags, k, NULL, s, rms, p, x, mean[0], rstd[0], g, y, d1, e1),
                 act_norm_backward(ACT_F32, flags, k, NULL, s, rms, p, wide_x, mean[0], rstd[0],
                                   wide_g, wide_y, d2, e2),
                 "norm, backward");
        } else {
            same(act_normed_forward(t, 0, k, NULL, s, rms, 1e-5, p, q, x, y, mean[0], rstd[0]),
                 act_normed_forward(ACT_F32, 0, k, NULL, s, rms, 1e-5, p, q, wide_x, wide_y,
                                    mean[1], rstd[1]),
                 "normed");
            same(act_normed_backward(t, flags, k, NULL, s, rms, p, q, x, mean[0], rstd[0], g, y, d1,
                                     e1),
                 act_normed_backward(ACT_F32, flags, k, NULL, s, rms, p, q, wide_x, mean[0],
                                     rstd[0], wide_g, wide_y, d2, e2),
                 "normed, backward");
        }
        assert_memory_equal(mean[0], mean[1], m);
        assert_memory_equal(rstd[0], rstd[1], m);
        same_floats("norm");
    }
}

static void statistics(act_shape s, unsigned flags)
{
    act_stats a = {0}, b = {0};
    (void)s, (void)flags;
    assert_int_equal(act_stats_add(t, 0, ACT_IDENTITY, NULL, x, n, &a), ACT_OK);
    assert_int_equal(act_stats_add(ACT_F32, 0, ACT_IDENTITY, NULL, wide_x, n, &b), ACT_OK);
    assert_memory_equal(&a, &b, sizeof a);
}

static void every_case_of(void (*check)(act_shape s, unsigned flags))
{
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    for (t = ACT_BF16; t <= ACT_F16; t++)
        for (size_t i = 0; i < SHAPES; i++)
            for (int small = 0; small < 2; small++) {
                act_set_isa(isa);
                fill(shapes[i].outer * shapes[i].axis * shapes[i].inner, small);
                check(shapes[i], i % 2 ? ACT_ACCUMULATE : 0);
            }
    act_set_isa(before);
}

#define TEST(name)                                                                                 \
    static void name##_is_rounded_once(void **state)                                               \
    {                                                                                              \
        (void)state;                                                                               \
        every_case_of(name);                                                                       \
    }
TEST(theta)
TEST(rrelu)
TEST(dyrelu)
TEST(frelu)
TEST(norm)
TEST(statistics)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(theta_is_rounded_once),  cmocka_unit_test(rrelu_is_rounded_once),
        cmocka_unit_test(dyrelu_is_rounded_once), cmocka_unit_test(frelu_is_rounded_once),
        cmocka_unit_test(norm_is_rounded_once),   cmocka_unit_test(statistics_is_rounded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
