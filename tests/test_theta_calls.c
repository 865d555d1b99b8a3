/* Learnable kinds: threads, in place, memory, alignment; special values; statuses and what
 * act_kind_describe says. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "theta_data.h"

#include <sys/mman.h>
#include <unistd.h>

/* ---- what must not matter -----------------------------------------------------------------------
 */

static void results_do_not_depend_on_threads(void **state)
{
    (void)state;
    enum { N = 600000 };
    static float a[N], g[N], one[N], two[N];
    const act_shape all[] = {{200, 3000, 1}, {9000, 64, 1},  {1, 1, N},
                             {20, 100, 300}, {200000, 3, 1}, {4, 10, 15000}};
    for (int i = 0; i < N; i++)
        a[i] = (float)(i * 37 % 1001) / 100 - 5, g[i] = (float)(i * 59 % 997) / 500 - 1;
    if (act_set_num_threads(3) != ACT_OK)
        skip();
    for (size_t i = 0; i < KINDS; i++)
        for (int s = 0; s < 6; s++) {
            const size_t rows = row_count[i];
            fill(ACT_F32, i, (act_shape){1, all[s].axis, 1}, rows);
            act_theta_forward(ACT_F32, 0, kinds[i], all[s], rows, theta, a, one);
            act_theta_forward(ACT_F32, ACT_SERIAL, kinds[i], all[s], rows, theta, a, two);
            assert_memory_equal(one, two, sizeof one);
            for (int threads = 2; threads < 8; threads += 3) {
                act_set_num_threads(threads);
                act_theta_backward(ACT_F32, 0, kinds[i], all[s], rows, theta, a, g, one, dtheta);
                act_theta_backward(ACT_F32, ACT_SERIAL, kinds[i], all[s], rows, theta, a, g, two,
                                   dother);
                assert_memory_equal(one, two, sizeof one);
                assert_memory_equal(dtheta, dother, rows * all[s].axis * sizeof(float));
            }
        }
    act_set_num_threads(1);
}

static void in_place(void **state)
{
    (void)state;
    const act_shape all[] = {{3, 100, 30}, {1, 1, 9000}, {900, 10, 1}, {2, 2, 2250}};
    for (act_dtype t = ACT_F32; t <= ACT_F16; t++)
        for (size_t i = 0; i < KINDS; i++)
            for (int s = 0; s < 4; s++) {
                const size_t n = 9000, rows = row_count[i];
                const act_kind k = kinds[i];
                fill(t, i, all[s], rows);
                act_theta_forward(t, 0, k, all[s], rows, theta, x, want);
                assert_int_equal(act_theta_forward(t, 0, k, all[s], rows, theta, x, x), ACT_OK);
                assert_memory_equal(x, want, n * size_of[t]);
                fill(t, i, all[s], rows);
                act_theta_backward(t, 0, k, all[s], rows, theta, x, grad, want, dother);
                assert_int_equal(
                    act_theta_backward(t, 0, k, all[s], rows, theta, x, grad, grad, theta), ACT_OK);
                assert_memory_equal(grad, want, n * size_of[t]);
                assert_memory_equal(theta, dother, rows * all[s].axis * theta_size(t));
                fill(t, i, all[s], rows);
                act_theta_backward(t, 0, k, all[s], rows, theta, x, grad, x, dtheta);
                assert_memory_equal(x, want, n * size_of[t]);
                assert_memory_equal(dtheta, dother, rows * all[s].axis * theta_size(t));
            }
}

/* Bytes that end (or begin) where nothing may be touched. */
static char *fenced(size_t bytes, int at_end)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
    char *p =
        mmap(NULL, whole + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    mprotect(p, page, PROT_NONE);
    mprotect(p + page + whole, page, PROT_NONE);
    return at_end ? p + page + whole - bytes : p + page;
}
static void unfenced(char *p, size_t bytes, int at_end)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
    munmap(at_end ? p + bytes - whole - page : p - page, whole + 2 * page);
}

static void nothing_outside_is_touched(void **state)
{
    (void)state;
    const act_shape all[] = {{1, 1, 37}, {5, 3, 1},   {3, 7, 5},
                             {2, 37, 1}, {1, 700, 1}, {2, 3, 331}};
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    for (act_dtype t = ACT_F32; t <= ACT_F16; t++)
        for (size_t i = 0; i < KINDS; i++)
            for (int s = 0; s < 6; s++)
                for (int at_end = 0; at_end < 2; at_end++) {
                    const size_t n = all[s].outer * all[s].axis * all[s].inner * size_of[t];
                    const size_t m = row_count[i] * all[s].axis * theta_size(t);
                    act_set_isa(isa);
                    fill(t, i, all[s], row_count[i]);
                    char *const a = fenced(n, at_end), *const g = fenced(n, at_end),
                                *const d = fenced(n, at_end), *const p = fenced(m, at_end),
                                *const dp = fenced(m, at_end);
                    memcpy(a, x, n), memcpy(g, grad, n), memcpy(p, theta, m);
                    assert_int_equal(
                        act_theta_forward(t, 0, kinds[i], all[s], row_count[i], p, a, d), ACT_OK);
                    act_theta_forward(t, 0, kinds[i], all[s], row_count[i], theta, x, want);
                    assert_memory_equal(d, want, n);
                    act_theta_backward(t, 0, kinds[i], all[s], row_count[i], p, a, g, d, dp);
                    act_theta_backward(t, 0, kinds[i], all[s], row_count[i], theta, x, grad, want,
                                       dtheta);
                    assert_memory_equal(d, want, n);
                    assert_memory_equal(dp, dtheta, m);
                    unfenced(a, n, at_end), unfenced(g, n, at_end), unfenced(d, n, at_end);
                    unfenced(p, m, at_end), unfenced(dp, m, at_end);
                }
    act_set_isa(before);
}

static void unaligned(void **state)
{
    (void)state;
    const act_shape s = {3, 41, 17};
    const size_t n = 3 * 41 * 17;
    for (act_dtype t = ACT_F32; t <= ACT_F16; t++)
        for (size_t i = 0; i < KINDS; i++) {
            const size_t size = n * size_of[t], m = row_count[i] * 41 * theta_size(t);
            static char a[32000], g[32000], d[32000], p[3000], dp[3000];
            fill(t, i, s, row_count[i]);
            memcpy(a + 1, x, size), memcpy(g + 1, grad, size), memcpy(p + 1, theta, m);
            act_theta_backward(t, 0, kinds[i], s, row_count[i], theta, x, grad, want, dother);
            act_theta_backward(t, 0, kinds[i], s, row_count[i], p + 1, a + 1, g + 1, d + 1, dp + 1);
            assert_memory_equal(d + 1, want, size);
            assert_memory_equal(dp + 1, dother, m);
        }
}

/* ---- special values -----------------------------------------------------------------------------
 */

/* A parameter that is NaN makes NaN wherever f depends on it; x that is NaN makes NaN everywhere.
 */
static void nan_flows(void **state)
{
    (void)state;
    const act_shape s = {1, 1, 3};
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
        for (size_t i = 0; i < KINDS; i++)
            for (size_t j = 0; j < row_count[i]; j++) {
                const act_kind k = kinds[i];
                act_set_isa(isa);
                fill(t, i, s, row_count[i]);
                put(x, t, 0, -0.75), put(x, t, 1, 1.5), put(x, t, 2, -30);
                if (k == ACT_SRELU)
                    put(theta, t, 0, 1), put(theta, t, 2, 0);
                if (k == ACT_APL)
                    put(theta, t, 2, 1), put(theta, t, 3, 1);
                put(theta, t, j, NAN);
                act_theta_forward(t, 0, k, s, row_count[i], theta, x, out);
                act_theta_backward(t, 0, k, s, row_count[i], theta, x, grad, want, dtheta);
                const int one_sided = k == ACT_PRELU || k == ACT_ELU || k == ACT_CELU;
                const int compared = (k == ACT_SRELU && j % 2 == 0) || (k == ACT_APL && j >= 2);
                for (size_t e = 0; e < 3; e++) {
                    if (compared || (k == ACT_SRELU && (e == 1) != (j == 1)) ||
                        (k == ACT_APL && e == 1))
                        continue;
                    const int nan = !(one_sided && e == 1);
                    if ((isnan(get(out, t, e)) != 0) != nan || (isnan(get(want, t, e)) != 0) != nan)
                        fail_msg("%s, isa %d, type %d, row %zu NaN: f(%g) = %g, g f' = %g",
                                 act_kind_name(k), isa, t, j, get(x, t, e), get(out, t, e),
                                 get(want, t, e));
                }
                fill(t, i, s, row_count[i]);
                put(x, t, 1, NAN);
                act_theta_forward(t, 0, k, s, row_count[i], theta, x, out);
                act_theta_backward(t, 0, k, s, row_count[i], theta, x, grad, want, dtheta);
                assert_true(isnan(get(out, t, 1)) && isnan(get(want, t, 1)));
                assert_true(!isnan(get(out, t, 0)) && !isnan(get(want, t, 2)));
                if (!isnan(get(dtheta, t, j)))
                    fail_msg("%s, isa %d, type %d: row %zu is %g for an x that is NaN",
                             act_kind_name(k), isa, t, j, get(dtheta, t, j));
            }
    act_set_isa(before);
}

/* The limits of the terms at infinity. */
static void infinite_inputs(void **state)
{
    (void)state;
    const act_shape s = {1, 2, 1};
    const act_isa before = act_get_isa();
    static const struct {
        size_t i;
        double p[4], below[4], above[4];
    } all[] = {
        {0, {0.25}, {-INFINITY}, {0}},
        {1, {0.5}, {-1}, {0}},
        {2, {0.5}, {-1}, {0}},
        {3, {1.5}, {0}, {0}},
        {3, {-1.5}, {0}, {0}},
        {4, {1.5}, {0}, {0}},
        {5, {1.5, 2}, {-1, 0}, {1, 0}},
        {6, {1.5, 2}, {-INFINITY, 0}, {INFINITY, 0}},
        {7, {1.5, 0.5, 2}, {0, -INFINITY, 0}, {INFINITY, 0, 0}},
        {8, {1, 0.5, -1, 0.25}, {0, 0, 0.75, -INFINITY}, {0.5, INFINITY, 0, 0}},
        {9, {0.5, 0.25, 1, -1}, {INFINITY, INFINITY, 0.5, 0.25}, {0, 0, 0, 0}},
    };
    FOR_ISA(isa)
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
        for (size_t a = 0; a < sizeof all / sizeof *all; a++) {
            act_set_isa(isa);
            for (size_t j = 0; j < 4; j++)
                put(theta, t, 2 * j, all[a].p[j]), put(theta, t, 2 * j + 1, all[a].p[j]);
            put(x, t, 0, -INFINITY), put(x, t, 1, INFINITY);
            put(grad, t, 0, 1), put(grad, t, 1, 1);
            act_theta_backward(t, 0, kinds[all[a].i], s, row_count[all[a].i], theta, x, grad, out,
                               dtheta);
            for (size_t j = 0; j < row_count[all[a].i]; j++)
                if (get(dtheta, t, 2 * j) != all[a].below[j] ||
                    get(dtheta, t, 2 * j + 1) != all[a].above[j])
                    fail_msg("%s, isa %d, type %d, row %zu: %g, %g", act_kind_name(kinds[all[a].i]),
                             isa, t, j, get(dtheta, t, 2 * j), get(dtheta, t, 2 * j + 1));
        }
    act_set_isa(before);
}

static void apl_at_infinity(void **state)
{
    (void)state;
    const act_shape s = {1, 1, 2};
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    {
        const float p[4] = {0.5f, -0.5f, 1, 3}, q[4] = {0.5f, -0.25f, 1, 3};
        const float v[2] = {-INFINITY, INFINITY};
        float y[2];
        act_set_isa(isa);
        act_theta_forward(ACT_F32, 0, ACT_APL, s, 4, p, v, y);
        assert_true(y[0] == 0 && y[1] == INFINITY);
        act_theta_forward(ACT_F32, 0, ACT_APL, s, 4, q, v, y);
        assert_true(y[0] == INFINITY && y[1] == INFINITY);
    }
    act_set_isa(before);
}

/* ---- errors -------------------------------------------------------------------------------------
 */

static void errors(void **state)
{
    (void)state;
    const act_shape s = {2, 5, 10}, none = {0, 5, 10};
    float *const a = (float *)x, *const p = (float *)theta, *const y = (float *)out,
                 *const g = (float *)grad, *const d = (float *)dtheta;
    fill(ACT_F32, 7, s, 3);
#define FORWARD_IS(status, ...)  assert_int_equal(act_theta_forward(__VA_ARGS__), status)
#define BACKWARD_IS(status, ...) assert_int_equal(act_theta_backward(__VA_ARGS__), status)
    FORWARD_IS(ACT_ERR_KIND, ACT_F32, 0, 999, s, 1, p, a, y);
    FORWARD_IS(ACT_ERR_KIND, ACT_F32, 0, -1, s, 1, p, a, y);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, -1, 0, ACT_PRELU, s, 1, p, a, y);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, 6, 0, ACT_PRELU, s, 1, p, a, y);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, ACT_F32, ACT_ACCUMULATE, ACT_PRELU, s, 1, p, a, y);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, ACT_F32, 0, ACT_RELU, s, 0, p, a, y);
    FORWARD_IS(ACT_ERR_UNSUPPORTED, ACT_F32, 0, ACT_LEAKY_RELU, s, 1, p, a, y);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, ACT_PRELU, s, 0, p, a, y);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, ACT_PRELU, s, 2, p, a, y);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, ACT_APL, s, 0, p, a, y);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, ACT_APL, s, 3, p, a, y);
    FORWARD_IS(ACT_ERR_PARAM, ACT_F32, 0, ACT_APL, s, 26, p, a, y);
    FORWARD_IS(ACT_ERR_SIZE, ACT_F32, 0, ACT_PRELU, ((act_shape){SIZE_MAX / 4, 5, 1}), 1, p, a, y);
    FORWARD_IS(ACT_ERR_SIZE, ACT_BF16_F32, 0, ACT_PRELU, ((act_shape){SIZE_MAX / 5, 1, 1}), 1, p, a,
               y);
    FORWARD_IS(ACT_ERR_SIZE, ACT_F32, 0, ACT_SRELU, ((act_shape){0, SIZE_MAX / 8, 1}), 4, p, a, y);
    FORWARD_IS(ACT_OK, ACT_F32, 0, ACT_PRELU, none, 1, NULL, NULL, NULL);
    FORWARD_IS(ACT_ERR_NULL, ACT_F32, 0, ACT_PRELU, s, 1, NULL, a, y);
    FORWARD_IS(ACT_ERR_NULL, ACT_F32, 0, ACT_PRELU, s, 1, p, NULL, y);
    FORWARD_IS(ACT_ERR_NULL, ACT_F32, 0, ACT_PRELU, s, 1, p, a, NULL);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_PRELU, s, 1, p, a, a + 1);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_BF16_F32, 0, ACT_PRELU, s, 1, p, a, a);
    FORWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_PRELU, s, 1, y + 99, a, y);
    BACKWARD_IS(ACT_ERR_NULL, ACT_F32, 0, ACT_PRELU, s, 1, p, a, g, NULL, NULL);
    BACKWARD_IS(ACT_ERR_NULL, ACT_F32, 0, ACT_PRELU, s, 1, p, a, NULL, y, d);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_PRELU, s, 1, p, a, g, y, y + 95);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_PRELU, s, 1, p, a, g, y, g);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_PRELU, s, 1, p, a, g, y, a + 3);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_PRELU, s, 1, p, a, g, y, p + 1);
    BACKWARD_IS(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_PRELU, s, 1, p, a, g, a + 2, d);
    for (int i = 0; i < 100; i++)
        assert_true(y[i] == 77);
    for (int i = 0; i < 15; i++)
        assert_true(d[i] == 0.5f);
    /* Nothing to add up. */
    BACKWARD_IS(ACT_OK, ACT_F32, ACT_ACCUMULATE, ACT_ACON_C, none, 3, NULL, NULL, NULL, NULL, d);
    assert_true(d[0] == 0.5f && d[14] == 0.5f);
    BACKWARD_IS(ACT_OK, ACT_F32, 0, ACT_ACON_C, none, 3, NULL, NULL, NULL, NULL, d);
    assert_true(d[0] == 0 && d[14] == 0 && d[15] == 0.5f);
    BACKWARD_IS(ACT_OK, ACT_F32, 0, ACT_ACON_C, none, 3, NULL, NULL, NULL, NULL, NULL);
}

static void described(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < KINDS; i++)
        assert_int_equal(describe(kinds[i]).learnable, row_count[i]);
    assert_int_equal(describe(ACT_RELU).learnable, 0);
    assert_int_equal(describe(ACT_RRELU).learnable, 0);
    assert_int_equal(describe(ACT_APL).learnable, -1);
    assert_int_equal(act_kind_from_name("apl"), ACT_APL);
    assert_string_equal(act_kind_name(ACT_APL), "apl");
    assert_true(act_kind_count() <= ACT_APL);
    assert_int_equal(act_forward(ACT_APL, NULL, NULL, NULL, 0), ACT_ERR_KIND);
    act_params p;
    assert_int_equal(act_params_init(ACT_APL, &p), ACT_ERR_KIND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(in_place),
        cmocka_unit_test(nothing_outside_is_touched),
        cmocka_unit_test(unaligned),
        cmocka_unit_test(nan_flows),
        cmocka_unit_test(infinite_inputs),
        cmocka_unit_test(apl_at_infinity),
        cmocka_unit_test(errors),
        cmocka_unit_test(described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
