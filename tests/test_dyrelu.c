/* Dynamic ReLU: every output against the largest piece in long double, every gradient against sums
 * over the piece that was taken, which a gradient of 1 tells. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "arrays.h"

static const act_shape shapes[] = {
    {1, 1, 1},  {3, 5, 1},  {2, 300, 1}, {2, 3, 2},    {1, 40, 7},
    {2, 9, 63}, {2, 3, 64}, {1, 2, 255}, {1, 3, 1000}, {5, 1, 49},
};
static const size_t pieces_of[] = {1, 2, 3, 2, 9};
enum { SHAPES = sizeof shapes / sizeof *shapes, PIECES = sizeof pieces_of / sizeof *pieces_of };

static size_t plane_of(act_shape s, size_t i)
{
    return i / s.inner;
}

/* Slopes that any type has, and no two pieces of a plane share. */
static double slope(size_t k, uint64_t *state)
{
    return 2 * (double)k - 1 + (double)(random_bits(state) % 8) / 4;
}

static long double worst_y, worst_da; /* f32, in units of the bounds' 2^-24 */

static void check(act_dtype t, size_t which, int at_end, uint64_t *state)
{
    const act_shape s = shapes[which / PIECES];
    const size_t pieces = pieces_of[which % PIECES];
    const unsigned flags = which % 2 ? ACT_ACCUMULATE : 0;
    const size_t n = s.outer * s.axis * s.inner, planes = s.outer * s.axis, count = pieces * planes;
    const act_dtype w = wide_of(t);
    const long double u = unit_of(w), last = t == w ? 0 : unit_of(t) * 1.01L;
    const long double tiny = t == ACT_F16 ? 0x1.01p-25L : 1e-38L;
    void *x = array_new(n * size_of[t], at_end), *y = array_new(n * size_of[t], at_end),
         *g = array_new(n * size_of[t], at_end), *d = array_new(n * size_of[t], at_end),
         *a = array_new(count * size_of[w], at_end), *b = array_new(count * size_of[w], at_end),
         *da = array_new(count * size_of[w], at_end), *db = array_new(count * size_of[w], at_end),
         *taken = array_new(n * size_of[t], at_end);
    fill_normal(x, t, n, 0, 2, state);
    put(x, t, 0, INFINITY);
    for (size_t i = 0; i < n; i++)
        put(g, t, i, 1);
    for (size_t i = 0; i < count; i++)
        put(a, w, i, slope(i / planes, state));
    fill_normal(b, w, count, 0, 2, state);
    fill_normal(da, w, count, 0, 1, state);
    memcpy(db, da, count * size_of[w]);
    double *before = malloc(count * sizeof *before);
    for (size_t i = 0; i < count; i++)
        before[i] = flags & ACT_ACCUMULATE ? get(da, w, i) : 0;
    assert_int_equal(act_dyrelu_forward(t, 0, s, pieces, a, b, x, y), ACT_OK);
    assert_int_equal(act_dyrelu_backward(t, 0, s, pieces, a, b, x, g, taken, NULL, NULL), ACT_OK);
    fill_normal(g, t, n, 0, 1, state);
    assert_int_equal(act_dyrelu_backward(t, flags, s, pieces, a, b, x, g, d, da, db), ACT_OK);

    long double *want_a = calloc(count, sizeof *want_a), *want_b = calloc(count, sizeof *want_b),
                *terms_a = calloc(count, sizeof *terms_a),
                *terms_b = calloc(count, sizeof *terms_b);
    for (size_t i = 0; i < n; i++) {
        const size_t p = plane_of(s, i);
        const long double v = get(x, t, i);
        size_t mine = pieces;
        long double best = -INFINITY, bound = 0;
        for (size_t k = 0; k < pieces; k++) {
            const long double ak = get(a, w, k * planes + p), bk = get(b, w, k * planes + p);
            const long double piece = ak == 0 ? bk : ak * v + bk;
            best = piece > best ? piece : best;
            if (get(taken, t, i) == (double)ak)
                mine = k;
        }
        if (mine == pieces)
            fail_msg("%s x[%zu]: slope %g is of no piece", dtype_name[t], i, get(taken, t, i));
        const long double ak = get(a, w, mine * planes + p), bk = get(b, w, mine * planes + p);
        const long double piece = ak == 0 ? bk : ak * v + bk;
        if (isinf((double)best)) {
            assert_true(piece == best && get(y, t, i) == (double)best);
        } else {
            /* The largest may be another by as much as two of them are off. */
            const long double product = ak == 0 ? 0 : ak * v;
            bound = 2 * u * fabsl(product) + (u + last) * fabsl(best) + tiny;
            assert_true(best - piece <= 4 * u * (fabsl(product) + fabsl(best)));
            const long double error = fabsl((long double)get(y, t, i) - best);
            if (!(error <= bound))
                fail_msg("%s y[%zu]: %.17g, not %.17Lg", dtype_name[t], i, get(y, t, i), best);
            if (t == ACT_F32 && error / (2 * fabsl(product) + fabsl(best)) * 0x1p24L > worst_y)
                worst_y = error / (2 * fabsl(product) + fabsl(best)) * 0x1p24L;
        }
        const long double gi = get(g, t, i), dx = ak * gi;
        assert_true(fabsl((long double)get(d, t, i) - dx) <= (u + last) * fabsl(dx) + tiny);
        want_a[mine * planes + p] += gi * v, terms_a[mine * planes + p] += fabsl(gi * v);
        want_b[mine * planes + p] += gi, terms_b[mine * planes + p] += fabsl(gi);
    }
    for (size_t i = 0; i < count; i++) {
        const long double wa = want_a[i] + (long double)before[i],
                          wb = want_b[i] + (long double)before[i];
        const long double ea = fabsl((long double)get(da, w, i) - wa),
                          eb = fabsl((long double)get(db, w, i) - wb);
        const long double ta = terms_a[i] + fabsl((long double)before[i]),
                          tb = terms_b[i] + fabsl((long double)before[i]);
        if (isinf((double)wa))
            assert_true(get(da, w, i) == (double)wa);
        else if (!(ea <= (t == ACT_F64 ? 64 : 1.01L) * u * ta + 1e-38L))
            fail_msg("%s da[%zu]: %.17g, not %.17Lg", dtype_name[t], i, get(da, w, i), wa);
        else if (t == ACT_F32 && ta > 0 && ea / ta * 0x1p24L > worst_da)
            worst_da = ea / ta * 0x1p24L;
        if (!(eb <= (t == ACT_F64 ? 64 : 1.01L) * u * tb + 1e-38L))
            fail_msg("%s db[%zu]: %.17g, not %.17Lg", dtype_name[t], i, get(db, w, i), wb);
    }
    /* In place. */
    memcpy(taken, x, n * size_of[t]);
    assert_int_equal(act_dyrelu_forward(t, 0, s, pieces, a, b, taken, taken), ACT_OK);
    assert_memory_equal(taken, y, n * size_of[t]);
    memcpy(taken, g, n * size_of[t]);
    assert_int_equal(act_dyrelu_backward(t, 0, s, pieces, a, b, x, taken, taken, da, NULL), ACT_OK);
    assert_memory_equal(taken, d, n * size_of[t]);
    assert_int_equal(act_dyrelu_backward(t, 0, s, pieces, a, b, x, g, x, NULL, db), ACT_OK);
    assert_memory_equal(x, d, n * size_of[t]);
    free(before), free(want_a), free(want_b), free(terms_a), free(terms_b);
}

static void every_shape(void **state)
{
    (void)state;
    every_case(SHAPES * PIECES, check);
    printf("f32: y within %.2Lf of 2^-24 (2 |a x| + |y|), da %.2Lf 2^-24 of its terms\n", worst_y,
           worst_da);
}

/* The first of equals, NaN, an infinite x at slope 0. */
static void special_values(void **state)
{
    (void)state;
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
        for (size_t inner = 1; inner <= 100; inner += 99)
            for (int i = 0; i < 5; i++) {
                static const double ax[5][3] = {/* a0, a1, x; b is 0, 1 */
                                                {1, 1, 3},
                                                {2, 1, 1},
                                                {0, 1, INFINITY},
                                                {0, 1, -INFINITY},
                                                {1, 2, NAN}};
                static const double want[5][2] = {/* y, dx for g = 2 */
                                                  {4, 2},
                                                  {2, 4},
                                                  {INFINITY, 2},
                                                  {0, 0},
                                                  {NAN, NAN}};
                const act_shape s = {1, 1, inner};
                double x[100], y[100], a[2], b[2], g[100], d[100], da[2], db[2];
                for (size_t j = 0; j < inner; j++)
                    put(x, t, j, ax[i][2]), put(g, t, j, 2);
                put(a, t, 0, ax[i][0]), put(a, t, 1, ax[i][1]);
                put(b, t, 0, 0), put(b, t, 1, 1);
                act_set_isa(isa);
                if (i == 1)
                    put(b, t, 1, 1); /* a tie of 2 */
                assert_int_equal(act_dyrelu_forward(t, 0, s, 2, a, b, x, y), ACT_OK);
                assert_int_equal(act_dyrelu_backward(t, 0, s, 2, a, b, x, g, d, da, db), ACT_OK);
                for (size_t j = 0; j < inner; j++) {
                    if (isnan(want[i][0])) {
                        assert_true(isnan(get(y, t, j)) && isnan(get(d, t, j)));
                    } else {
                        assert_true(get(y, t, j) == want[i][0]);
                        assert_true(get(d, t, j) == want[i][1]);
                    }
                }
                /* Of the piece not taken: +0, though x is infinite. */
                const int taken = i == 0 || i == 2;
                if (i < 3)
                    assert_true(get(da, t, !taken) == 0 && get(db, t, !taken) == 0 &&
                                get(db, t, taken) == 2.0 * (double)inner);
            }
    act_set_isa(before);
}

static void gradients_are_the_slopes(void **state)
{
    (void)state;
    const act_shape all[] = {{2, 3, 4}, {1, 2, 70}};
    const double step = 0x1p-20;
    uint64_t seed = 6;
    double most = 0;
    for (int which = 0; which < 2; which++) {
        const act_shape s = all[which];
        enum { MOST = 200 };
        double x[MOST], y[MOST], g[MOST], d[MOST], a[MOST], b[MOST], da[MOST], db[MOST];
        const size_t n = s.outer * s.axis * s.inner, count = 3 * s.outer * s.axis;
        fill_normal(x, ACT_F64, n, 0, 1, &seed);
        fill_normal(g, ACT_F64, n, 0, 1, &seed);
        fill_normal(a, ACT_F64, count, 0, 1, &seed);
        fill_normal(b, ACT_F64, count, 0, 1, &seed);
        assert_int_equal(act_dyrelu_backward(ACT_F64, 0, s, 3, a, b, x, g, d, da, db), ACT_OK);
        double *const in[3] = {x, a, b}, *const out[3] = {d, da, db};
        for (int v = 0; v < 3; v++)
            for (size_t j = 0; j < (v ? count : n); j++) {
                const double old = in[v][j];
                double change = 0;
                for (int side = -1; side <= 1; side += 2) {
                    in[v][j] = old + side * step;
                    act_dyrelu_forward(ACT_F64, 0, s, 3, a, b, x, y);
                    for (size_t e = 0; e < n; e++)
                        change += side * g[e] * y[e];
                }
                in[v][j] = old;
                const double error = fabs(change / (2 * step) - out[v][j]);
                most = error > most ? error : most;
                if (!(error <= 1e-7))
                    fail_msg("input %d[%zu]: %g, differences give %g", v, j, out[v][j],
                             change / (2 * step));
            }
    }
    printf("gradients against differences: %.1e\n", most);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    enum { N = 600000 };
    static float x[N], g[N], y1[N], y2[N], a[2 * N], b[2 * N], d1[2 * N], d2[2 * N], e[2 * N];
    const act_shape all[] = {{100, 6000, 1}, {30, 40, 500}, {100, 200, 30}};
    uint64_t seed = 3;
    fill_normal(x, ACT_F32, N, 0, 1, &seed);
    fill_normal(g, ACT_F32, N, 0, 1, &seed);
    fill_normal(a, ACT_F32, 2 * N, 0, 1, &seed);
    fill_normal(b, ACT_F32, 2 * N, 0, 1, &seed);
    if (act_set_num_threads(3) != ACT_OK)
        skip();
    for (int i = 0; i < 3; i++) {
        act_dyrelu_forward(ACT_F32, 0, all[i], 2, a, b, x, y1);
        act_dyrelu_forward(ACT_F32, ACT_SERIAL, all[i], 2, a, b, x, y2);
        assert_memory_equal(y1, y2, sizeof y1);
        act_dyrelu_backward(ACT_F32, 0, all[i], 2, a, b, x, g, y1, d1, e);
        act_dyrelu_backward(ACT_F32, ACT_SERIAL, all[i], 2, a, b, x, g, y2, d2, e);
        assert_memory_equal(y1, y2, sizeof y1);
        assert_memory_equal(d1, d2, 2 * all[i].outer * all[i].axis * sizeof *d1);
    }
    act_set_num_threads(1);
}

static void errors(void **state)
{
    (void)state;
    static float x[64], y[64], a[64], b[64], g[64], p[64], q[64];
    const act_shape s = {2, 3, 4}, none = {2, 3, 0};
    for (int i = 0; i < 64; i++)
        y[i] = p[i] = q[i] = 77;
#define F(status, ...) assert_int_equal(act_dyrelu_forward(__VA_ARGS__), status)
#define B(status, ...) assert_int_equal(act_dyrelu_backward(__VA_ARGS__), status)
    F(ACT_ERR_UNSUPPORTED, -1, 0, s, 2, a, b, x, y);
    F(ACT_ERR_UNSUPPORTED, ACT_F16_F32, 0, s, 2, a, b, x, y);
    F(ACT_ERR_UNSUPPORTED, ACT_F32, ACT_ACCUMULATE, s, 2, a, b, x, y);
    F(ACT_ERR_PARAM, ACT_F32, 0, s, 0, a, b, x, y);
    F(ACT_ERR_PARAM, ACT_F32, 0, s, 32769, a, b, x, y);
    F(ACT_ERR_SIZE, ACT_F32, 0, ((act_shape){SIZE_MAX / 4, 5, 1}), 2, a, b, x, y);
    F(ACT_ERR_SIZE, ACT_F32, 0, ((act_shape){SIZE_MAX / 8, 1, 0}), 32768, a, b, x, y);
    F(ACT_OK, ACT_F32, 0, none, 2, NULL, NULL, NULL, NULL);
    F(ACT_ERR_NULL, ACT_F32, 0, s, 2, NULL, b, x, y);
    F(ACT_ERR_NULL, ACT_F32, 0, s, 2, a, NULL, x, y);
    F(ACT_ERR_NULL, ACT_F32, 0, s, 2, a, b, NULL, y);
    F(ACT_ERR_NULL, ACT_F32, 0, s, 2, a, b, x, NULL);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, s, 2, a, b, y + 1, y);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, s, 2, y + 23, b, x, y);
    F(ACT_ERR_OVERLAP, ACT_F32, 0, s, 2, a, y, x, y);
    B(ACT_ERR_NULL, ACT_F32, 0, s, 2, a, b, x, NULL, y, p, q);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, s, 2, a, b, x, y + 1, y, p, q);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, s, 2, a, b, x, g, y, p, p + 11);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, s, 2, p, b, x, g, y, p, q);
    B(ACT_ERR_OVERLAP, ACT_F32, 0, s, 2, a, b, x, g, y, y + 23, q);
    for (int i = 0; i < 64; i++)
        assert_true(y[i] == 77 && p[i] == 77 && q[i] == 77);
    B(ACT_OK, ACT_F32, ACT_ACCUMULATE, none, 2, NULL, NULL, NULL, NULL, NULL, p, q);
    assert_true(p[0] == 77);
    B(ACT_OK, ACT_F32, 0, none, 2, NULL, NULL, NULL, NULL, NULL, p, NULL);
    assert_true(p[0] == 0 && p[11] == 0 && p[12] == 77 && q[0] == 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape),
        cmocka_unit_test(special_values),
        cmocka_unit_test(gradients_are_the_slopes),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
