/* Gated units: against f and f' of the library's own f64 functions, layouts, aliasing, errors. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "nearest.h"
#include "ops.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arrays.h"

enum { MOST = 9000 };
static double gate[MOST], up[MOST], grad[MOST], out[MOST], dgate[MOST], dup_of[MOST];

/* A layout: rows x cols elements of gate at gate[r * row + c * step], of up at the same plus up_at.
 */
struct layout {
    const char *name;
    size_t rows, cols, row, step, up_at;
};
static const struct layout layouts[] = {
    {"separate", 1, 1, 1, 1, 0},          {"separate", 3, 7, 7, 1, 0},
    {"separate", 2, 1500, 1500, 1, 0},    {"halves", 3, 64, 128, 1, 64},
    {"halves", 2, 1025, 2050, 1, 1025},   {"interleaved", 3, 33, 66, 2, 1},
    {"interleaved", 1, 2049, 4098, 2, 1}, {"gaps", 4, 17, 100, 3, 0},
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static double draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(int32_t)*state * 0x1p-28; /* -8 to 8 */
}

static void fill(act_dtype t, uint32_t seed)
{
    for (size_t i = 0; i < MOST; i++) {
        put(gate, t, i, draw(&seed));
        put(up, t, i, draw(&seed));
        put(grad, t, i, draw(&seed));
        put(out, t, i, 77);
        put(dgate, t, i, 77);
        put(dup_of, t, i, 77);
    }
}

static act_gate shape_of(const struct layout *l, double limit, double up_bias)
{
    return (act_gate){l->rows, l->cols, l->row, l->step, limit, up_bias};
}

static void *at(act_dtype t, void *a, size_t i)
{
    return (char *)a + i * size_of[t];
}

/* |got - want| in ulps of want. */
static double ulps(act_dtype t, double got, double want)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got) ? 0 : INFINITY;
    int exponent;
    frexp(want, &exponent);
    static const int all_digits[] = {FLT_MANT_DIG, DBL_MANT_DIG, 8, 11};
    static const int all_least[] = {-149, -1074, -133, -24};
    const int digits = all_digits[t], least = all_least[t];
    return fabs(got - want) / ldexp(1, exponent - digits < least ? least : exponent - digits);
}

struct truth {
    double y, dgate, dup;
};

/* By the scalar table's f64 functions. */
static struct truth truth_of(act_kind k, const act_gate *s, double g, double u, double dy)
{
    const double limit = s->limit == 0 ? INFINITY : s->limit;
    const double x = g > limit ? limit : g;
    const double v = (u > limit ? limit : u < -limit ? -limit : u) + s->up_bias;
    double f, slope, one = 1;
    act_forward_f64(k, NULL, &x, &f, 1);
    act_backward_f64(k, NULL, &x, &one, &slope, 1);
    return (struct truth){f * v, g > limit ? 0 : slope * dy * v, fabs(u) > limit ? 0 : dy * f};
}

static void check_layout(act_isa isa, act_dtype t, act_kind k, const struct layout *l,
                         const act_gate *s)
{
    /* The error of f and of f', a rounding of u, one of each product; that of f32 in 16-bit last
     * places, and half a one. */
    const act_dtype wide = wide_of(t);
    const double half = t == wide ? 0 : 0.5, unit = t == wide ? 1 : unit_of(wide) / unit_of(t);
    const double f_bound = half + unit * (2 * act_kind_bound(k, wide, isa, ACT_MODE_FAST, 0) + 2);
    const double d_bound = half + unit * (2 * act_kind_bound(k, wide, isa, ACT_MODE_FAST, 1) + 3);
    fill(t, 1);
    void *const g = gate, *const u = l->up_at ? at(t, gate, l->up_at) : (void *)up;
    void *const du = l->up_at ? at(t, dgate, l->up_at) : (void *)dup_of;
    act_set_isa(isa);
    assert_int_equal(act_gated_forward(t, 0, k, NULL, s, g, u, out), ACT_OK);
    assert_int_equal(act_gated_backward(t, 0, k, NULL, s, g, u, grad, dgate, du), ACT_OK);
    act_set_isa(ACT_ISA_SCALAR);
    size_t written = 0;
    for (size_t r = 0; r < s->rows; r++)
        for (size_t c = 0; c < s->cols; c++) {
            const size_t i = r * s->row + c * s->step, flat = r * s->cols + c;
            const struct truth want =
                truth_of(k, s, get(g, t, i), get(u, t, i), get(grad, t, flat));
            if (ulps(t, get(out, t, flat), want.y) > f_bound ||
                ulps(t, get(du, t, i), want.dup) > f_bound)
                fail_msg("%s %s %s %s: at %zu y %g want %g, dup %g want %g", act_isa_name(isa),
                         dtype_name[t], act_kind_name(k), l->name, flat, get(out, t, flat), want.y,
                         get(du, t, i), want.dup);
            /* Beside a zero of f' an absolute bound, 2^-22 |g|. */
            const double near = (t == ACT_F64 ? 0x1p-50 : 0x1p-22) *
                                fabs(get(grad, t, flat) * (fabs(get(u, t, i)) + fabs(s->up_bias)));
            const double last = fabs(want.dgate) * 2 * unit_of(t) + 0x1p-24; /* of 16-bit types */
            if (ulps(t, get(dgate, t, i), want.dgate) > d_bound &&
                fabs(get(dgate, t, i) - want.dgate) > near + half * last)
                fail_msg("%s %s %s %s: at %zu dgate %.9g want %.9g", act_isa_name(isa),
                         dtype_name[t], act_kind_name(k), l->name, flat, get(dgate, t, i),
                         want.dgate);
            written++;
        }
    /* Nothing else was written. */
    size_t changed = 0;
    for (size_t i = 0; i < MOST; i++)
        changed += get(dgate, t, i) != 77;
    assert_true(changed <= written * (l->up_at ? 2 : 1));
    for (size_t i = s->rows * s->cols; i < MOST; i++)
        assert_true(get(out, t, i) == 77);
}

/* 16-bit arrays: what f32 gives on the same numbers, rounded to nearest even or, as the mixed
 * types, not at all. */
static void check_half(act_dtype t, act_kind k, const struct layout *l, const act_gate *s)
{
    static float wide[3][MOST], y[MOST], dg[MOST], du[MOST], mixed[3][MOST];
    const act_dtype to_float = t == ACT_BF16 ? ACT_BF16_F32 : ACT_F16_F32;
    const size_t first = l->up_at;
    fill(t, 2);
    for (size_t i = 0; i < MOST; i++) {
        wide[0][i] = (float)get(gate, t, i);
        wide[1][i] = (float)get(up, t, i);
        wide[2][i] = (float)get(grad, t, i);
        mixed[0][i] = mixed[1][i] = mixed[2][i] = y[i] = dg[i] = du[i] = 77;
    }
    void *const u = first ? at(t, gate, first) : (void *)up;
    const float *const wide_u = first ? wide[0] + first : wide[1];
    void *const dup_at = first ? at(t, dgate, first) : (void *)dup_of;
    float *const wide_du = first ? dg + first : du, *const mixed_du =
                                                        first ? mixed[1] + first : mixed[2];
    act_gated_forward(ACT_F32, 0, k, NULL, s, wide[0], wide_u, y);
    act_gated_backward(ACT_F32, 0, k, NULL, s, wide[0], wide_u, wide[2], dg, wide_du);
    assert_int_equal(act_gated_forward(t, 0, k, NULL, s, gate, u, out), ACT_OK);
    assert_int_equal(act_gated_backward(t, 0, k, NULL, s, gate, u, grad, dgate, dup_at), ACT_OK);
    assert_int_equal(act_gated_forward(to_float, 0, k, NULL, s, gate, u, mixed[0]), ACT_OK);
    assert_int_equal(act_gated_backward(to_float, 0, k, NULL, s, gate, u, grad, mixed[1], mixed_du),
                     ACT_OK);
    assert_memory_equal(mixed[0], y, sizeof y); /* also where nothing was written */
    assert_memory_equal(mixed[1], dg, sizeof dg);
    assert_memory_equal(mixed[2], du, sizeof du);
    const float *const want[] = {y, dg, du};
    const void *const got[] = {out, dgate, dup_of};
    for (int a = 0; a < 3; a++)
        for (size_t i = 0; i < MOST; i++)
            if (((const uint16_t *)got[a])[i] != nearest16(t, (double)want[a][i]))
                fail_msg("%s %s %s: array %d at %zu: %g, not %.9g", dtype_name[t], act_kind_name(k),
                         l->name, a, i, get(got[a], t, i), (double)want[a][i]);
}

static void every_layout(void **state)
{
    (void)state;
    static const act_kind kinds[] = {ACT_SIGMOID, ACT_RELU, ACT_GELU, ACT_SILU, ACT_GELU_QUICK};
    const act_isa before = act_get_isa();
    FOR_ISA(isa)
    FOR_DTYPE(t)
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t l = 0; l < LAYOUTS; l++) {
            const act_gate plain = shape_of(&layouts[l], 0, 0),
                           clamped = shape_of(&layouts[l], 7, 1);
            check_layout(isa, t, kinds[k], &layouts[l], &plain);
            check_layout(isa, t, kinds[k], &layouts[l], &clamped);
            act_set_isa(isa);
            if (t == ACT_BF16 || t == ACT_F16) {
                check_half(t, kinds[k], &layouts[l], &plain);
                check_half(t, kinds[k], &layouts[l], &clamped);
            }
        }
    act_set_isa(before);
}

/* f' by differences of the outputs, in f64. */
static void gradients_are_those_of_the_outputs(void **state)
{
    (void)state;
    const act_gate s = {1, 1, 1, 1, 7, 1};
    const double h = 1e-6, one = 1;
    uint32_t seed = 5;
    for (int i = 0; i < 200; i++) {
        const double g = draw(&seed), u = draw(&seed);
        if (fabs(g - 7) < 0.01 || fabs(fabs(u) - 7) < 0.01)
            continue;
        double y[4], dg, du;
        const double gs[] = {g - h, g + h, g, g}, us[] = {u, u, u - h, u + h};
        for (int j = 0; j < 4; j++)
            act_gated_forward(ACT_F64, 0, ACT_SILU, NULL, &s, &gs[j], &us[j], &y[j]);
        act_gated_backward(ACT_F64, 0, ACT_SILU, NULL, &s, &g, &u, &one, &dg, &du);
        assert_true(fabs(dg - (y[1] - y[0]) / (2 * h)) < 1e-7);
        assert_true(fabs(du - (y[3] - y[2]) / (2 * h)) < 1e-7);
    }
}

/* Outputs that are inputs: the bits of the call with arrays of its own. */
static void in_place(void **state)
{
    (void)state;
    static double own[2][MOST];
    enum { N = 3000 };
    const act_gate s = {3, N / 3, N / 3, 1, 7, 1};
    FOR_DTYPE(t)
    {
        const size_t bytes = N * size_of[t];
        fill(t, 9);
        act_gated_forward(t, 0, ACT_SILU, NULL, &s, gate, up, out);
        act_gated_backward(t, 0, ACT_SILU, NULL, &s, gate, up, grad, own[0], own[1]);
        void *const inputs[] = {gate, up, grad};
        for (int a = 0; a < 2; a++) {
            assert_int_equal(act_gated_forward(t, 0, ACT_SILU, NULL, &s, gate, up, inputs[a]),
                             ACT_OK);
            assert_memory_equal(inputs[a], out, bytes);
            fill(t, 9);
            act_gated_forward(t, 0, ACT_SILU, NULL, &s, gate, up, out);
        }
        for (int a = 0; a < 4; a++)
            for (int b = 0; b < 4; b++) {
                if (a == b)
                    continue;
                fill(t, 9);
                void *const dg = a < 3 ? inputs[a] : dgate, *const du = b < 3 ? inputs[b] : dup_of;
                assert_int_equal(
                    act_gated_backward(t, 0, ACT_SILU, NULL, &s, gate, up, grad, dg, du), ACT_OK);
                assert_memory_equal(dg, own[0], bytes);
                assert_memory_equal(du, own[1], bytes);
            }
        /* Interleaved: both gradients into the array of both inputs. */
        const act_gate pairs = {2, 700, 1400, 2, 0, 0};
        fill(t, 9);
        act_gated_backward(t, 0, ACT_GELU, NULL, &pairs, gate, at(t, gate, 1), grad, dgate,
                           at(t, dgate, 1));
        assert_int_equal(act_gated_backward(t, 0, ACT_GELU, NULL, &pairs, gate, at(t, gate, 1),
                                            grad, gate, at(t, gate, 1)),
                         ACT_OK);
        assert_memory_equal(gate, dgate, 2800 * size_of[t]);
        /* ... and crosswise. */
        memcpy(own[0], dgate, 2800 * size_of[t]);
        fill(t, 9);
        assert_int_equal(act_gated_backward(t, 0, ACT_GELU, NULL, &pairs, gate, at(t, gate, 1),
                                            grad, at(t, gate, 1), gate),
                         ACT_OK);
        for (size_t i = 0; i < 2800; i++)
            assert_true(get(gate, t, i) == get(own[0], t, i ^ 1));
    }
}

/* Between pages that fault, at either end. */
static void memory(void **state)
{
    (void)state;
    static const size_t cols[] = {1, 2, 5, 31, 32, 33, 255, 257, 513};
    for (act_dtype t = ACT_F32; t <= ACT_F16_F32; t++)
        for (size_t k = 0; k < sizeof cols / sizeof *cols; k++)
            for (size_t step = 1; step <= 3; step++)
                FOR_ENDS(at_end)
                {
                    const act_dtype from = t > ACT_F16 ? t - 2 : t, to = t > ACT_F16 ? ACT_F32 : t;
                    const size_t n = 2 * cols[k], row = (cols[k] - 1) * step + 1, all = 2 * row;
                    const act_gate s = {2, cols[k], row, step, 1.5, 0};
                    void *const g = array_new(all * size_of[from], at_end);
                    void *const u = array_new(all * size_of[from], at_end);
                    void *const d = array_new(n * size_of[from], at_end);
                    void *const y = array_new(n * size_of[to], at_end);
                    void *const dg = array_new(all * size_of[to], at_end);
                    void *const du = array_new(all * size_of[to], at_end);
                    for (size_t i = 0; i < all; i++) {
                        put(g, from, i, i % row % step ? 99 : 1), put(u, from, i, 1.5);
                        put(dg, to, i, 77), put(du, to, i, 77);
                    }
                    for (size_t i = 0; i < n; i++)
                        put(d, from, i, 2);
                    assert_int_equal(act_gated_forward(t, 0, ACT_RELU, NULL, &s, g, u, y), ACT_OK);
                    assert_int_equal(act_gated_backward(t, 0, ACT_RELU, NULL, &s, g, u, d, dg, du),
                                     ACT_OK);
                    for (size_t i = 0; i < n; i++)
                        assert_true(get(y, to, i) == 1.5);
                    for (size_t i = 0; i < all; i++) {
                        assert_true(get(dg, to, i) == (i % row % step ? 77 : 3));
                        assert_true(get(du, to, i) == (i % row % step ? 77 : 2));
                    }
                    assert_true(arrays_free());
                }
}

static void specials(void **state)
{
    (void)state;
    const act_gate s = {1, 4, 4, 1, 7, 1};
    const float g[4] = {NAN, 8, INFINITY, -INFINITY}, u[4] = {1, NAN, INFINITY, 2};
    const float dy[4] = {1, 1, 1, 1};
    float y[4], dg[4], du[4];
    FOR_ISA(isa)
    {
        act_set_isa(isa);
        assert_int_equal(act_gated_forward(ACT_F32, 0, ACT_SILU, NULL, &s, g, u, y), ACT_OK);
        assert_true(isnan(y[0]) && isnan(y[1]));
        float seven = 7, at_limit, at_low = -INFINITY;
        act_forward(ACT_SILU, NULL, &seven, &at_limit, 1);
        assert_true(fabsf(y[2] - 8 * at_limit) < 1e-4f);
        act_forward(ACT_SILU, NULL, &at_low, &at_low, 1);
        assert_true(y[3] == 3 * at_low);
        act_gated_backward(ACT_F32, 0, ACT_SILU, NULL, &s, g, u, dy, dg, du);
        assert_true(isnan(dg[0]) && isnan(du[0]) && isnan(du[1]));
        assert_true(dg[2] == 0 && du[2] == 0);
    }
}

static void results_do_not_depend_on_threads(void **state)
{
    (void)state;
    enum { N = 200000 };
    static float a[N], b[N], one[N], two[N];
    uint32_t seed = 3;
    for (int i = 0; i < N; i++)
        a[i] = (float)draw(&seed), b[i] = (float)draw(&seed);
    const act_gate s = {200, 1000, 1000, 1, 0, 0}, rows = {100, 1000, 2000, 1, 0, 0};
    if (act_set_num_threads(3) != ACT_OK)
        skip();
    act_gated_forward(ACT_F32, 0, ACT_GELU, NULL, &s, a, b, two);
    act_gated_forward(ACT_F32, ACT_SERIAL, ACT_GELU, NULL, &s, a, b, one);
    assert_memory_equal(one, two, sizeof one);
    for (act_dtype t = ACT_BF16; t <= ACT_F16; t++) { /* a and b as 16-bit arrays of any bits */
        memset(one, 0, sizeof one), memset(two, 0, sizeof two);
        act_gated_backward(t, 0, ACT_GELU, NULL, &s, a, b, a, two, at(t, two, N));
        act_gated_backward(t, ACT_SERIAL, ACT_GELU, NULL, &s, a, b, a, one, at(t, one, N));
        assert_memory_equal(one, two, sizeof one);
    }
    act_gated_forward(ACT_F32, 0, ACT_GELU, NULL, &rows, a, a + 1000, two);
    act_gated_forward(ACT_F32, ACT_SERIAL, ACT_GELU, NULL, &rows, a, a + 1000, one);
    assert_memory_equal(one, two, sizeof one);
    act_set_num_threads(1);
}

#define REFUSES(status, ...)      assert_int_equal(act_gated_forward(__VA_ARGS__), status)
#define REFUSES_BACK(status, ...) assert_int_equal(act_gated_backward(__VA_ARGS__), status)

static void errors(void **state)
{
    (void)state;
    const act_gate good = {2, 8, 16, 1, 0, 0};
    act_gate bad = good;
    float *const g = (float *)gate, *const u = (float *)up, *const y = (float *)out,
                 *const d = (float *)grad;
    fill(ACT_F32, 1);
    REFUSES(ACT_ERR_KIND, ACT_F32, 0, -1, NULL, &good, g, u, y);
    REFUSES(ACT_ERR_UNSUPPORTED, 99, 0, ACT_SILU, NULL, &good, g, u, y);
    REFUSES(ACT_ERR_UNSUPPORTED, ACT_F32, ACT_ACCUMULATE, ACT_SILU, NULL, &good, g, u, y);
    REFUSES(ACT_ERR_UNSUPPORTED, ACT_F16_F32 + 1, 0, ACT_SILU, NULL, &good, g, u, y);
    bad = good, bad.up_bias = 1e39; /* 16-bit types: float parameters */
    REFUSES(ACT_ERR_PARAM, ACT_BF16, 0, ACT_SILU, NULL, &bad, g, u, y);
    bad = (act_gate){1, SIZE_MAX / 6, SIZE_MAX / 6, 1, 0, 0};
    REFUSES(ACT_ERR_NULL, ACT_F16, 0, ACT_SILU, NULL, &bad, NULL, u, y);
    REFUSES(ACT_ERR_SIZE, ACT_F16_F32, 0, ACT_SILU, NULL, &bad, NULL, u, y);
    bad = (act_gate){1, 8, 8, 1, 0, 0};
    REFUSES(ACT_ERR_OVERLAP, ACT_BF16_F32, 0, ACT_SILU, NULL, &bad, g, u, g);
    REFUSES(ACT_ERR_OVERLAP, ACT_BF16_F32, 0, ACT_SILU, NULL, &bad, g, u, (char *)g + 14);
    REFUSES(ACT_ERR_OVERLAP, ACT_F16, 0, ACT_SILU, NULL, &bad, g, u, (char *)g + 14);
    REFUSES_BACK(ACT_ERR_OVERLAP, ACT_F16_F32, 0, ACT_SILU, NULL, &bad, g, u, d, d, y);
    bad = good;
    const act_params nan = {NAN, NAN, NAN, NAN};
    REFUSES(ACT_ERR_PARAM, ACT_F32, 0, ACT_SWISH, &nan, &good, g, u, y);
    REFUSES(ACT_ERR_NULL, ACT_F32, 0, ACT_SILU, NULL, NULL, g, u, y);
    bad.limit = -1;
    REFUSES(ACT_ERR_PARAM, ACT_F32, 0, ACT_SILU, NULL, &bad, g, u, y);
    bad = good, bad.limit = NAN;
    REFUSES(ACT_ERR_PARAM, ACT_F32, 0, ACT_SILU, NULL, &bad, g, u, y);
    bad = good, bad.up_bias = INFINITY;
    REFUSES(ACT_ERR_PARAM, ACT_F32, 0, ACT_SILU, NULL, &bad, g, u, y);
    bad = good, bad.step = 0;
    REFUSES(ACT_ERR_SIZE, ACT_F32, 0, ACT_SILU, NULL, &bad, g, u, y);
    bad = good, bad.row = 7; /* rows share elements */
    REFUSES(ACT_ERR_SIZE, ACT_F32, 0, ACT_SILU, NULL, &bad, g, u, y);
    bad = good, bad.rows = SIZE_MAX / 2;
    REFUSES(ACT_ERR_SIZE, ACT_F32, 0, ACT_SILU, NULL, &bad, g, u, y);
    bad = good, bad.rows = 0;
    REFUSES(ACT_OK, ACT_F32, 0, ACT_SILU, NULL, &bad, NULL, NULL, NULL);
    REFUSES(ACT_ERR_NULL, ACT_F32, 0, ACT_SILU, NULL, &good, NULL, u, y);
    REFUSES(ACT_ERR_NULL, ACT_F32, 0, ACT_SILU, NULL, &good, g, NULL, y);
    REFUSES(ACT_ERR_NULL, ACT_F32, 0, ACT_SILU, NULL, &good, g, u, NULL);
    REFUSES(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, &good, g, u, g); /* other layout */
    REFUSES(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, &good, g, g + 8, g + 12);
    REFUSES(ACT_OK, ACT_F32, 0, ACT_SILU, NULL, &good, g, g + 8, g + 32); /* right behind */
    REFUSES(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, &good, g, g + 8, g + 31);
    REFUSES_BACK(ACT_ERR_NULL, ACT_F32, 0, ACT_SILU, NULL, &good, g, u, NULL, y, y + 100);
    REFUSES_BACK(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, &good, g, u, d, y, y);
    REFUSES_BACK(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, &good, g, u, d, y, y + 7);
    /* its first row lies across the other's second */
    REFUSES_BACK(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, &good, g, u, d, y, y + 12);
    REFUSES_BACK(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, &good, g, u, d, y + 12, y);
    REFUSES_BACK(ACT_OK, ACT_F32, 0, ACT_SILU, NULL, &good, g, u, d, y, y + 8);
    REFUSES_BACK(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, &good, g, u, d, g + 1, y);
    fill(ACT_F32, 1);
    REFUSES_BACK(ACT_ERR_OVERLAP, ACT_F32, 0, ACT_SILU, NULL, &good, g, u, d, y, y + 7);
    for (int i = 0; i < 100; i++)
        assert_true(y[i] == 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layout), cmocka_unit_test(gradients_are_those_of_the_outputs),
        cmocka_unit_test(in_place),     cmocka_unit_test(memory),
        cmocka_unit_test(specials),     cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
