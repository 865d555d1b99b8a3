/* Learnable kinds. f and f' against the library's own elementwise calls, bit by bit; parameter
 * gradients against long double; those formulas against differences of the formula of f.
 * test_theta_calls.c has the rest. */
#include "theta_data.h"

/* Which field of act_params row j is. */
static const int first_field[KINDS] = {0, 0, 0, 1, 1, 0, 0, 0, 0, 0};
static double other[MOST];

/* ---- what is right ------------------------------------------------------------------------------
 */

static long double sigmoid(long double t)
{
    return t < 0 ? expl(t) / (1 + expl(t)) : 1 / (1 + expl(-t));
}

static long double formula(act_kind k, const long double *p, size_t rows, long double v)
{
    long double y;
    switch (k) {
    case ACT_PRELU:
        return v > 0 ? v : p[0] * v;
    case ACT_ELU:
        return v > 0 ? v : p[0] * expm1l(v);
    case ACT_CELU:
        return v > 0 ? v : p[0] * expm1l(v / p[0]);
    case ACT_SWISH:
        return v * sigmoid(p[0] * v);
    case ACT_SOFTPLUS:
        return (fmaxl(p[0] * v, 0) + log1pl(expl(-fabsl(p[0] * v)))) / p[0];
    case ACT_SCALED_TANH:
        return p[0] * tanhl(p[1] * v);
    case ACT_SWISH_LINEAR:
        return v * sigmoid(p[1] * v) + p[0] * v;
    case ACT_ACON_C:
        return (p[0] - p[1]) * v * sigmoid(p[2] * (p[0] - p[1]) * v) + p[1] * v;
    case ACT_SRELU:
        return v >= p[0] ? p[0] + p[1] * (v - p[0]) : v <= p[2] ? p[2] + p[3] * (v - p[2]) : v;
    default: /* apl */
        y = fmaxl(v, 0);
        for (size_t s = 0; s < rows / 2; s++)
            y += p[s] * fmaxl(0, p[rows / 2 + s] - v);
        return y;
    }
}

/* e^t - 1 - t e^t */
static long double celu_term(long double t)
{
    if (t < -0.02L)
        return expm1l(t) - t * expl(t);
    long double sum = 0, term = t;
    for (int k = 2; k < 16; k++) {
        term *= t / k;
        sum -= term * (k - 1);
    }
    return sum;
}

/* df/dp_j at v */
static long double slope_of(act_kind k, const long double *p, size_t rows, size_t j, long double v)
{
    const long double d = p[0] - p[1];
    long double s, t;
    switch (k) {
    case ACT_PRELU:
        return fminl(v, 0);
    case ACT_ELU:
        return v > 0 ? 0 : expm1l(v);
    case ACT_CELU:
        return v > 0 ? 0 : celu_term(v / p[0]);
    case ACT_SWISH:
        return v * v * sigmoid(p[0] * v) * sigmoid(-p[0] * v);
    case ACT_SOFTPLUS:
        t = fabsl(p[0] * v);
        return -(t * sigmoid(-t) + log1pl(expl(-t))) / (p[0] * p[0]);
    case ACT_SCALED_TANH:
        t = p[1] * v;
        return j == 0 ? tanhl(t) : p[0] * v * 4 * sigmoid(2 * t) * sigmoid(-2 * t);
    case ACT_SWISH_LINEAR:
        return j == 0 ? v : v * v * sigmoid(p[1] * v) * sigmoid(-p[1] * v);
    case ACT_ACON_C:
        t = p[2] * d * v;
        s = sigmoid(t) * (1 + t * sigmoid(-t));
        return j == 0   ? v * s
               : j == 1 ? v * sigmoid(-t) * (1 - t * sigmoid(t))
                        : d * d * v * v * sigmoid(t) * sigmoid(-t);
    case ACT_SRELU:
        if (v >= p[0])
            return j == 0 ? 1 - p[1] : j == 1 ? v - p[0] : 0;
        return v > p[2] ? 0 : j == 2 ? 1 - p[3] : j == 3 ? v - p[2] : 0;
    default:
        s = p[rows / 2 + j % (rows / 2)];
        return v >= s ? 0 : j < rows / 2 ? s - v : p[j - rows / 2];
    }
}

static void formulas_agree_with_differences(void **state)
{
    (void)state;
    static const long double at[] = {-20,   -5,   -2.3L, -1.1L, -0.4L, -0.03L,
                                     0.02L, 0.3L, 1.7L,  4,     30};
    static const long double sets[][4] = {{0.7L, 0.3L, -0.5L, 0.2L}, {1.3L, -0.6L, 0.4L, -0.9L}};
    for (size_t i = 0; i < KINDS; i++)
        for (size_t j = 0; j < row_count[i]; j++)
            for (size_t s = 0; s < 2; s++)
                for (size_t v = 0; v < sizeof at / sizeof *at; v++) {
                    long double up[4], down[4];
                    const long double h = 0x1p-20L;
                    memcpy(up, sets[s], sizeof up), memcpy(down, sets[s], sizeof down);
                    up[j] += h, down[j] -= h;
                    const long double difference = (formula(kinds[i], up, row_count[i], at[v]) -
                                                    formula(kinds[i], down, row_count[i], at[v])) /
                                                   (2 * h);
                    const long double slope = slope_of(kinds[i], sets[s], row_count[i], j, at[v]);
                    if (!(fabsl(difference - slope) <= 1e-8L * (1 + fabsl(slope) + at[v] * at[v])))
                        fail_msg("%s, parameter %zu at %Lg: %Lg, not %Lg", act_kind_name(kinds[i]),
                                 j, at[v], slope, difference);
                }
}

static act_params params_of(act_dtype t, size_t i, act_shape s, size_t c)
{
    double field[4] = {0, 0, 0, 0};
    for (size_t j = 0; j < row_count[i] && kinds[i] != ACT_APL; j++)
        field[first_field[i] + (int)j] = get(theta, theta_type(t), j * s.axis + c);
    return (act_params){field[0], field[1], field[2], field[3]};
}

static void long_params(act_dtype t, size_t rows, act_shape s, size_t c, long double *p)
{
    for (size_t j = 0; j < rows; j++)
        p[j] = (long double)get(theta, theta_type(t), j * s.axis + c);
}

/* ---- every kind, shape, type, table -------------------------------------------------------------
 */

static void check_apl(act_dtype t, act_shape s, size_t rows, size_t r, size_t c)
{
    long double p[64];
    long_params(t, rows, s, c, p);
    for (size_t k = 0; k < s.inner; k++) {
        const size_t at = (r * s.axis + c) * s.inner + k;
        const long double v = (long double)get(x, t, at), y = formula(ACT_APL, p, rows, v);
        long double slope = v > 0, terms = fmaxl(v, 0);
        for (size_t m = 0; m < rows / 2; m++) {
            slope -= v < p[rows / 2 + m] ? p[m] : 0;
            terms += fabsl(p[m] * fmaxl(0, p[rows / 2 + m] - v));
        }
        const long double d = slope * (long double)get(grad, t, at);
        const long double ulp = t == ACT_F64 ? 0x1p-52L : 0x1.01p-24L;
        if (!(fabsl((long double)get(want, t, at) - y) <=
              ulp * (fabsl(y) + 0x1p-20L * terms) + (t == ACT_F64 ? ulp * 4 * terms : 0)))
            fail_msg("apl(%Lg) = %.17g, not %.17Lg", v, get(want, t, at), y);
        if (!(fabsl((long double)get(out, t, at) - d) <= 4 * ulp * (fabsl(d) + 4 * 0x1p-24L)))
            fail_msg("apl'(%Lg) g = %.17g, not %.17Lg", v, get(out, t, at), d);
    }
}

static void check_sums(act_dtype t, size_t i, act_shape s, size_t rows, int accumulate)
{
    long double p[64];
    for (size_t c = 0; c < s.axis; c++) {
        long_params(t, rows, s, c, p);
        for (size_t j = 0; j < rows; j++) {
            long double sum = accumulate ? 0.5L : 0, terms = fabsl(sum);
            for (size_t r = 0; r < s.outer; r++)
                for (size_t k = 0; k < s.inner; k++) {
                    const size_t at = (r * s.axis + c) * s.inner + k;
                    const long double d =
                        (long double)get(grad, t, at) *
                        slope_of(kinds[i], p, rows, j, (long double)get(x, t, at));
                    sum += d, terms += fabsl(d);
                }
            const double found = get(dtheta, theta_type(t), j * s.axis + c);
            const long double bound = (t == ACT_F64 ? 0x1p-48L : 0x1p-22L) * terms + 0x1p-149L;
            if (!(fabsl((long double)found - sum) <= bound))
                fail_msg(
                    "%s, isa %d, type %d, {%zu, %zu, %zu}: row %zu, channel %zu: %.17g, not %.17Lg",
                    act_kind_name(kinds[i]), act_get_isa(), t, s.outer, s.axis, s.inner, j, c,
                    found, sum);
        }
    }
}

/* want[at ...] against other, the elementwise call: the same bits, but of the kinds with a sigmoid
 * of b x, which has a shorter form where the whole call has one b. */
static void check_forward(act_dtype t, act_kind k, const act_params *p, size_t at, size_t n)
{
    const size_t size = size_of[t];
    if (k != ACT_SWISH && k != ACT_SWISH_LINEAR && k != ACT_ACON_C) {
        assert_memory_equal((char *)want + at * size, other, n * size);
        return;
    }
    const double unit = t == ACT_F64    ? 0x1p-50
                        : t == ACT_BF16 ? 0x1p-7
                        : t == ACT_F16  ? 0x1p-10
                                        : 0x1p-21;
    const double least = t == ACT_F64    ? 0x1p-1073
                         : t == ACT_F16  ? 0x1p-24
                         : t == ACT_BF16 ? 0x1p-133
                                         : 0x1p-148;
    for (size_t i = 0; i < n; i++) {
        const double a = get(want, t, at + i), b = get(other, t, i);
        /* alpha and beta are factors of terms that may cancel, but for swish. */
        const double terms = k == ACT_SWISH ? 0 : fabs(p->alpha) + fabs(p->beta);
        const double size_of_terms = fabs(b) + terms * fabs(get(x, t, at + i));
        if (!(fabs(a - b) <= unit * size_of_terms + least) && !(a == b) && !(a != a && b != b))
            fail_msg("%s, isa %d, type %d: %a, elementwise %a", act_kind_name(k), act_get_isa(), t,
                     a, b);
    }
}

static void check_shape(act_dtype t, size_t i, act_shape s, size_t rows, unsigned flags)
{
    const size_t n = s.outer * s.axis * s.inner, size = size_of[t];
    const act_kind k = kinds[i];
    const int fma = act_get_isa() == ACT_ISA_AVX512;
    fill(t, i, s, rows);
    assert_int_equal(act_theta_forward(t, 0, k, s, rows, theta, x, want), ACT_OK);
    assert_int_equal(act_theta_backward(t, flags, k, s, rows, theta, x, grad, out, dtheta), ACT_OK);
    for (size_t r = 0; r < s.outer; r++)
        for (size_t c = 0; c < s.axis; c++) {
            if (k == ACT_APL) {
                check_apl(t, s, rows, r, c);
                continue;
            }
            const size_t at = (r * s.axis + c) * s.inner * size;
            const act_params p = params_of(t, i, s, c);
            /* AVX-512's fast kernels are other ones. */
            assert_int_equal(act_set_mode(fma ? ACT_MODE_REPRODUCIBLE : ACT_MODE_FAST), ACT_OK);
            assert_int_equal(call(t, FORWARD, k, &p, (char *)x + at, NULL, other, s.inner), ACT_OK);
            check_forward(t, k, &p, at / size, s.inner);
            assert_int_equal(
                call(t, BACKWARD, k, &p, (char *)x + at, (char *)grad + at, other, s.inner),
                ACT_OK);
            assert_memory_equal((char *)out + at, other, s.inner * size);
            act_set_mode(ACT_MODE_FAST);
        }
    assert_true(get(out, t, n) == 77);
    check_sums(t, i, s, rows, (flags & ACT_ACCUMULATE) != 0);
    assert_true(get(dtheta, theta_type(t), rows * s.axis) == 0.5);

    /* One without the other: the same. */
    memcpy(want, out, n * size), memcpy(dother, dtheta, rows * s.axis * theta_size(t));
    fill(t, i, s, rows);
    assert_int_equal(act_theta_backward(t, 0, k, s, rows, theta, x, grad, out, NULL), ACT_OK);
    assert_memory_equal(out, want, n * size);
    assert_int_equal(act_theta_backward(t, flags, k, s, rows, theta, x, grad, NULL, dtheta),
                     ACT_OK);
    assert_memory_equal(dtheta, dother, rows * s.axis * theta_size(t));
}

static const act_shape shapes[] = {
    {1, 1, 1},    {1, 1, 31},   {1, 1, 33},   {3, 1, 700},  {1, 1, 40000}, {5, 3, 1},
    {100, 64, 1}, {601, 3, 1},  {3, 5000, 1}, {2, 1100, 1}, {7, 3, 5},     {2, 600, 3},
    {3, 7, 100},  {2, 2, 3136}, {1, 3, 1025}, {4, 40, 130}, {9, 33, 49},   {2, 70, 300},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };
static size_t stride = 1;

static void every_shape(void **state)
{
    (void)state;
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
        for (size_t i = 0; i < KINDS; i++)
            for (size_t s = 0; s < SHAPES; s += stride) {
                act_set_isa(isa);
                check_shape(t, i, shapes[s], row_count[i], s % 2 ? ACT_ACCUMULATE : 0);
            }
    act_set_isa(before);
}

static void apl_of_many_segments(void **state)
{
    (void)state;
    static const size_t rows[] = {2, 6, 10, 16, 18, 24};
    static const act_shape few[] = {{40, 7, 1}, {3, 5, 20}, {1, 1, 5000}, {2, 3, 600}};
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
        for (size_t r = 0; r < 6; r++)
            for (size_t s = 0; s < 4; s++)
                check_shape(t, KINDS - 1, few[s], rows[r], r % 2 ? ACT_ACCUMULATE : 0);
}

/* 16-bit types: the f32 call on the same values, rounded once. */
static void half_types(void **state)
{
    (void)state;
    static float wide_x[MOST], wide_g[MOST], y[MOST], d[MOST], mixed[MOST];
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    for (act_dtype t = ACT_BF16; t <= ACT_F16; t++)
        for (size_t i = 0; i < KINDS; i++)
            for (size_t s = 0; s < SHAPES; s += stride) {
                const act_shape shape = shapes[s];
                const size_t n = shape.outer * shape.axis * shape.inner, rows = row_count[i];
                const size_t bytes = rows * shape.axis * sizeof(float);
                act_set_isa(isa);
                fill(t, i, shape, rows);
                for (size_t k = 0; k < n; k++)
                    wide_x[k] = (float)get(x, t, k), wide_g[k] = (float)get(grad, t, k);
                act_theta_forward(ACT_F32, 0, kinds[i], shape, rows, theta, wide_x, y);
                act_theta_backward(ACT_F32, 0, kinds[i], shape, rows, theta, wide_x, wide_g, d,
                                   dother);
                const act_dtype to_f32 = t == ACT_BF16 ? ACT_BF16_F32 : ACT_F16_F32;
                for (int backward = 0; backward < 2; backward++) {
                    const float *f = backward ? d : y;
                    act_status status =
                        backward
                            ? act_theta_backward(to_f32, 0, kinds[i], shape, rows, theta, x, grad,
                                                 mixed, dtheta)
                            : act_theta_forward(to_f32, 0, kinds[i], shape, rows, theta, x, mixed);
                    assert_int_equal(status, ACT_OK);
                    assert_memory_equal(mixed, f, n * sizeof *f);
                    status = backward
                                 ? act_theta_backward(t, 0, kinds[i], shape, rows, theta, x, grad,
                                                      out, dtheta)
                                 : act_theta_forward(t, 0, kinds[i], shape, rows, theta, x, out);
                    assert_int_equal(status, ACT_OK);
                    for (size_t k = 0; k < n; k++) {
                        const double r = get(out, t, k), unit = t == ACT_BF16 ? 0x1p-8 : 0x1p-11;
                        /* Half a last place, which is at most unit of the value. */
                        if (!(fabs(r - (double)f[k]) <= unit * fabs((double)f[k]) + 0x1p-25))
                            fail_msg("%s, type %d: %g for %g", act_kind_name(kinds[i]), t, r,
                                     (double)f[k]);
                    }
                    assert_true(get(out, t, n) == 77);
                }
                assert_memory_equal(dtheta, dother, bytes);
                assert_true(get(dtheta, ACT_F32, rows * shape.axis) == 0.5);
            }
    act_set_isa(before);
}

static void fused_tables_agree(void **state)
{
    (void)state;
    if (!act_isa_available(ACT_ISA_AVX512))
        skip();
    const act_isa before = act_get_isa();
    for (size_t i = 0; i < KINDS; i++)
        for (size_t s = 0; s < SHAPES; s += stride) {
            const size_t n = shapes[s].outer * shapes[s].axis * shapes[s].inner;
            fill(ACT_F32, i, shapes[s], row_count[i]);
            act_set_isa(ACT_ISA_AVX2);
            act_theta_backward(ACT_F32, 0, kinds[i], shapes[s], row_count[i], theta, x, grad, want,
                               dother);
            act_set_isa(ACT_ISA_AVX512);
            act_theta_backward(ACT_F32, 0, kinds[i], shapes[s], row_count[i], theta, x, grad, out,
                               dtheta);
            act_set_isa(before);
            assert_memory_equal(out, want, n * sizeof(float));
            assert_memory_equal(dtheta, dother, row_count[i] * shapes[s].axis * sizeof(float));
        }
}

/* ---- accuracy -----------------------------------------------------------------------------------
 */

/* Each channel has one element: dtheta is one term, and its error that of the term. */
static void single_terms(void **state)
{
    (void)state;
    enum { N = 4001 };
    const act_shape s = {1, N, 1};
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
        for (size_t i = 0; i < KINDS; i++) {
            const size_t rows = row_count[i];
            long double worst[4] = {0}, where[4] = {0};
            act_set_isa(isa);
            for (int round = 0; round < 6; round++) {
                fill(t, i, s, rows);
                /* Around 0, and out to where the terms fade away. */
                const double width[] = {1e-6, 0.02, 1, 8, 60, 800};
                for (size_t k = 0; k < N; k++)
                    put(x, t, k, uniform(-1, 1) * width[round]);
                act_theta_backward(t, 0, kinds[i], s, rows, theta, x, grad, NULL, dtheta);
                for (size_t k = 0; k < N; k++) {
                    long double p[4];
                    long_params(t, rows, s, k, p);
                    for (size_t j = 0; j < rows; j++) {
                        const long double v = (long double)get(x, t, k),
                                          d = (long double)get(grad, t, k) *
                                              slope_of(kinds[i], p, rows, j, v);
                        /* acon_c: beside the zero of silu' relative to g x. */
                        const long double tt = p[2] * (p[0] - p[1]) * v;
                        const long double size =
                            kinds[i] == ACT_ACON_C && j < 2 && fabsl(fabsl(tt) - 1.278L) < 0.5L
                                ? fabsl((long double)get(grad, t, k) * v)
                                : fabsl(d);
                        const long double error =
                            fabsl((long double)get(dtheta, t, j * N + k) - d) /
                            (size + (t == ACT_F64 ? 0x1p-1020L : 0x1p-124L));
                        if (!(error <= worst[j]))
                            worst[j] = error, where[j] = v;
                    }
                }
            }
            for (size_t j = 0; j < rows; j++) {
                const double bits = (double)log2l(worst[j]);
                if (getenv("ACT_SHOW"))
                    printf("%s %s %s[%zu]: 2^%.2f at %Lg\n", act_isa_name(isa), dtype_name[t],
                           act_kind_name(kinds[i]), j, bits, where[j]);
                if (!(bits <= (t == ACT_F64 ? -49 : -22)))
                    fail_msg("%s %s %s, row %zu: 2^%.2f at %Lg", act_isa_name(isa), dtype_name[t],
                             act_kind_name(kinds[i]), j, bits, where[j]);
            }
        }
    act_set_isa(before);
}

/* beta < 0 is no domain of softplus, but has a meaning. */
static void softplus_of_negative_beta(void **state)
{
    (void)state;
    const act_shape s = {1, 1, 500};
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++) {
        fill(t, 4, s, 1);
        put(theta, t, 0, -0.625);
        act_theta_forward(t, 0, ACT_SOFTPLUS, s, 1, theta, x, want);
        act_theta_backward(t, 0, ACT_SOFTPLUS, s, 1, theta, x, grad, out, dtheta);
        const long double p[1] = {-0.625L}, ulp = t == ACT_F32 ? 0x1p-22L : 0x1p-50L;
        for (size_t k = 0; k < 500; k++) {
            const long double v = (long double)get(x, t, k), y = formula(ACT_SOFTPLUS, p, 1, v);
            assert_true(fabsl((long double)get(want, t, k) - y) <= ulp * fabsl(y));
            const long double d = (long double)get(grad, t, k) * sigmoid(-0.625L * v);
            assert_true(fabsl((long double)get(out, t, k) - d) <= 2 * ulp * fabsl(d));
        }
        check_sums(t, 4, s, 1, 0);
    }
}

/* --quick: every fifth shape, for emulators. */
int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--quick") == 0)
        stride = 5;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_agree_with_differences),
        cmocka_unit_test(every_shape),
        cmocka_unit_test(apl_of_many_segments),
        cmocka_unit_test(half_types),
        cmocka_unit_test(fused_tables_agree),
        cmocka_unit_test(single_terms),
        cmocka_unit_test(softplus_of_negative_beta),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
