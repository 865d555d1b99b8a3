/* What the structured functions make of a kind: gated units, bias, learnable parameters, apl,
 * randomised leaky ReLU, against MPFR. All derivatives are differences of the kind's formula in 300
 * bits: nobody derived them. test_gate.c, test_bias.c, test_theta.c, test_rrelu.c have more shapes,
 * and f and f' of theta bit by bit against the elementwise calls. */
#include "tests/formula.h"
#include "tests/mpfr_check.h"
#include "tests/philox.h"

enum { MOST = 1024, FIELDS = 4, HINGES = 12 };

static struct formula_value exact; /* its value has BITS */

static const char *formula_of(act_kind kind)
{
    static act_kind_info info;
    info.struct_size = sizeof info;
    must(act_kind_describe(kind, &info));
    return info.formula;
}

static void evaluate(act_kind kind, const act_params *p, double x, mpfr_t value)
{
    const char *error = formula_eval_at(formula_of(kind), x, p, BITS, &exact);
    if (error) {
        printf("%s: the formula ends at '%s'\n", act_kind_name(kind), error);
        exit(1);
    }
    mpfr_set(value, exact.value, MPFR_RNDN);
}

/* (f(p + h) - f(p - h)) / 2h, h = 2^-45: off by h^2, 2^-90. By x, or a field of the parameters. */
enum { BY_X = -1 };
static void slope_by(int field, act_kind kind, const act_params *p, double x, mpfr_t slope)
{
    act_params q[2] = {*p, *p};
    double at[2] = {x, x};
    for (int k = 0; k < 2; k++) {
        double *const fields[FIELDS] = {&q[k].alpha, &q[k].beta, &q[k].gamma, &q[k].delta};
        *(field == BY_X ? &at[k] : fields[field]) += k ? 0x1p-45 : -0x1p-45;
        evaluate(kind, &q[k], at[k], k ? s1 : s0);
    }
    mpfr_sub(slope, s1, s0, MPFR_RNDN);
    mpfr_mul_2si(slope, slope, 44, MPFR_RNDN);
}

/* ---- around a kind: gated units, bias ------------------------------------------------------ */

/* Within .5 of a zero of f' its bound is absolute: actfn.h. */
static double slope_scale(act_kind kind, double x, double slope)
{
    const double zero = kind == ACT_SILU ? -1.27846454 : kind == ACT_GELU ? -.75179152 : 0;
    return zero != 0 && fabs(x - zero) < .5 ? 1 : fabs(slope);
}

/* f and f' have 2.5 ULP, up to 5 u, and a product or two a u each. */
enum { GATED, DGATE, DUP, BIASED, DBIAS, AROUND };
static struct worst around[AROUND] = {[GATED] = {"gated, out: f up", {6, 6}, {0}, {0}},
                                      [DGATE] = {"gated, dgate: f' up", {7, 7}, {0}, {0}},
                                      [DUP] = {"gated, dup: f", {6, 6}, {0}, {0}},
                                      [BIASED] = {"bias, out: f(x + b)", {5, 5}, {0}, {0}},
                                      [DBIAS] = {"bias, dbias: f'(x + b)", {6, 6}, {0}, {0}}};

static mpfr_t F[MOST], SLOPE[MOST], WANT[MOST];

static void check_gate(act_dtype t, act_kind kind)
{
    enum { N = 200 };
    static double gate[N], up[N], g[N], out[N], dgate[N], dup[N], x[N], u[N], dy[N];
    const act_gate shape = {.rows = 1, .cols = N, .row = N, .step = 1};
    act_params p;
    must(act_params_init(kind, &p));
    fill(t, gate, x, N, -9, 9), fill(t, up, u, N, -2, 2), fill(t, g, dy, N, -1, 1);
    for (size_t i = 0; i < N; i++) {
        evaluate(kind, &p, x[i], F[i]);
        slope_by(BY_X, kind, &p, x[i], SLOPE[i]);
    }
    FOR_ISA(isa)
    {
        must(act_gated_forward(t, 0, kind, NULL, &shape, gate, up, out));
        must(act_gated_backward(t, 0, kind, NULL, &shape, gate, up, g, dgate, dup));
        for (size_t i = 0; i < N; i++) {
            mpfr_mul_d(s0, F[i], u[i], MPFR_RNDN);
            hold(&around[GATED], t, get(t, out, i), s0, fabs(of(s0)));
            mpfr_mul_d(s0, SLOPE[i], dy[i], MPFR_RNDN);
            mpfr_mul_d(s0, s0, u[i], MPFR_RNDN);
            hold(&around[DGATE], t, get(t, dgate, i), s0,
                 fabs(dy[i] * u[i]) * slope_scale(kind, x[i], of(SLOPE[i])));
            mpfr_mul_d(s0, F[i], dy[i], MPFR_RNDN);
            hold(&around[DUP], t, get(t, dup, i), s0, fabs(of(s0)));
        }
    }
}

static void check_bias(act_dtype t, act_kind kind, act_shape s)
{
    static double in[MOST], g[MOST], out[MOST], bias[MOST], dbias[MOST];
    static double x[MOST], dy[MOST], b[MOST], z[MOST], before[MOST], terms[MOST];
    const size_t n = s.outer * s.axis * s.inner;
    act_params p;
    must(act_params_init(kind, &p));
    fill(t, in, x, n, -9, 9), fill(t, g, dy, n, -1, 1);
    fill(t, bias, b, s.axis, -1, 1), fill(t, dbias, before, s.axis, -1, 1);
    for (size_t i = 0; i < n; i++) {
        z[i] = x[i] + b[i / s.inner % s.axis];
        z[i] = t == ACT_F64 ? z[i] : (double)(float)z[i]; /* rounded to the type */
        evaluate(kind, &p, z[i], F[i]);
        slope_by(BY_X, kind, &p, z[i], SLOPE[i]);
    }
    FOR_ISA(isa)
    for (int add = 0; add < 2; add++) {
        must(act_bias_forward(t, 0, kind, NULL, s, bias, in, out));
        for (size_t i = 0; i < n; i++)
            hold(&around[BIASED], t, get(t, out, i), F[i], fabs(of(F[i])));
        for (size_t c = 0; c < s.axis; c++) {
            put(t, dbias, c, before[c]);
            set(WANT[c], add ? before[c] : 0);
            terms[c] = add ? fabs(before[c]) : 0;
        }
        must(
            act_bias_backward(t, add ? ACT_ACCUMULATE : 0, kind, NULL, s, bias, in, g, out, dbias));
        for (size_t i = 0; i < n; i++) {
            const size_t c = i / s.inner % s.axis;
            mpfr_mul_d(s1, SLOPE[i], dy[i], MPFR_RNDN);
            mpfr_add(WANT[c], WANT[c], s1, MPFR_RNDN);
            terms[c] += fabs(dy[i]) * slope_scale(kind, z[i], of(SLOPE[i]));
        }
        for (size_t c = 0; c < s.axis; c++)
            hold(&around[DBIAS], t, get(t, dbias, c), WANT[c], terms[c]);
    }
}

/* ---- learnable parameters ------------------------------------------------------------------ */

static void check_theta(act_kind kind)
{
    enum { N = 240 };
    static double in[N], g[N], theta[FIELDS * N], dx[N], dtheta[FIELDS * N], x[N], dy[N];
    static double value[FIELDS * N];
    static mpfr_t *const slope = F; /* [rows][N] */
    act_kind_info info = {.struct_size = sizeof info};
    must(act_kind_describe(kind, &info));
    const size_t rows = (size_t)info.learnable;
    int fields[FIELDS], count = 0;
    for (int i = 0; i < info.param_count; i++)
        if (info.param_name[i])
            fields[count++] = i;
    char name[64];
    snprintf(name, sizeof name, "%s, dtheta", info.name);
    struct worst w = {name, {4, 8}, {0}, {0}};
    FOR_TYPE(t)
    {
        fill(t, in, x, N, -8, 8);
        fill(t, g, dy, N, -1, 1);
        fill(t, theta, value, rows * N, 0.25, 1.5); /* acon_c: p1 from 1.5 on, below */
        for (size_t i = 0; kind == ACT_ACON_C && i < N; i++) {
            put(t, theta, i, value[i] + 1.5);
            value[i] = get(t, theta, i);
        }
        for (size_t i = 0; kind == ACT_SRELU && i < N; i++) /* thresholds in order */
            for (size_t j = 0; j < 3; j += 2) {
                put(t, theta, j * N + i, j ? value[j * N + i] - 2 : value[i]);
                value[j * N + i] = get(t, theta, j * N + i);
            }
        for (size_t i = 0; i < N; i++) {
            act_params p = {0};
            double *const to[FIELDS] = {&p.alpha, &p.beta, &p.gamma, &p.delta};
            for (size_t j = 0; j < rows; j++)
                *to[fields[j]] = value[j * N + i];
            for (size_t j = 0; j < rows; j++) {
                slope_by(fields[j], kind, &p, x[i], slope[j * N + i]);
                mpfr_mul_d(slope[j * N + i], slope[j * N + i], dy[i], MPFR_RNDN);
            }
        }
        FOR_ISA(isa)
        {
            /* Channels of one element: each sum is one term. */
            must(act_theta_backward(t, 0, kind, (act_shape){1, N, 1}, rows, theta, in, g, dx,
                                    dtheta));
            for (size_t j = 0; j < rows; j++)
                for (size_t i = 0; i < N; i++) {
                    const double term = fabs(of(slope[j * N + i]));
                    /* beside the zero of silu' the bound is relative to x */
                    const double least = kind == ACT_ACON_C && j < 2 ? fabs(dy[i] * x[i]) / 4 : 0;
                    hold(&w, t, get(t, dtheta, j * N + i), slope[j * N + i], larger(term, least));
                }
        }
    }
    report(&w);
}

/* ---- apl ------------------------------------------------------------------------------------ */

/* Bounds of out and grad_in as kernels/apl.c has them: a rounding of what is computed in double,
 * within 2^-50 of the absolute terms, and one of the product. */
enum { APL, APL_BACK, APL_SUMS, APLS };
static struct worst apl[APLS] = {[APL] = {"apl, out", {1, 1}, {0}, {0}},
                                 [APL_BACK] = {"apl, grad_in", {2, 2}, {0}, {0}},
                                 [APL_SUMS] = {"apl, dtheta", {4, 8}, {0}, {0}}};

static mpfr_t X[MOST], THETA[2 * HINGES * 8], APL_DX[MOST], APL_DTHETA[2 * HINGES * 8];
static double upstream[MOST];
static act_shape apl_shape;
static size_t hinges, apl_at; /* an element, or a channel */

/* max(0, x) + sum of a max(0, b - x) */
static void apl_exactly(size_t i, mpfr_t y)
{
    const size_t c = i / apl_shape.inner % apl_shape.axis;
    mpfr_set(y, X[i], MPFR_RNDN);
    if (mpfr_sgn(y) < 0)
        mpfr_set_zero(y, 1);
    for (size_t k = 0; k < hinges; k++) {
        mpfr_sub(s0, THETA[(hinges + k) * apl_shape.axis + c], X[i], MPFR_RNDN);
        if (mpfr_sgn(s0) > 0)
            mpfr_fma(y, THETA[k * apl_shape.axis + c], s0, y, MPFR_RNDN);
    }
}
static void of_element(mpfr_t value)
{
    apl_exactly(apl_at, value);
    mpfr_mul_d(value, value, upstream[apl_at], MPFR_RNDN);
}
static void of_channel(mpfr_t value)
{
    mpfr_set_zero(value, 1);
    for (size_t i = 0; i < apl_shape.outer * apl_shape.axis * apl_shape.inner; i++)
        if (i / apl_shape.inner % apl_shape.axis == apl_at) {
            apl_exactly(i, s1);
            mpfr_mul_d(s1, s1, upstream[i], MPFR_RNDN);
            mpfr_add(value, value, s1, MPFR_RNDN);
        }
}

static void check_apl(act_dtype t, act_shape s, size_t segments)
{
    static double in[MOST], g[MOST], out[MOST], dx[MOST], x[MOST], terms[2 * HINGES * 8];
    static double theta[2 * HINGES * 8], dtheta[2 * HINGES * 8], before[2 * HINGES * 8],
        value[2 * HINGES * 8];
    const size_t n = s.outer * s.axis * s.inner, half = segments * s.axis;
    const double rest = 0x1p-50 / unit[t];
    apl_shape = s, hinges = segments;
    fill(t, g, upstream, n, -1, 1), fill(t, in, x, n, -3, 3);
    fill(t, theta, value, 2 * half, -2, 2);
    fill(t, dtheta, before, 2 * half, -1, 1);
    set_all(X, x, n), set_all(THETA, value, 2 * half);
    for (size_t i = 0; i < n; i++) {
        apl_at = i;
        apl_exactly(i, F[i]);
        difference(of_element, X[i], APL_DX[i]);
    }
    for (size_t j = 0; j < 2 * half; j++) {
        apl_at = j % s.axis;
        difference(of_channel, THETA[j], APL_DTHETA[j]);
        terms[j] = 0;
        for (size_t i = 0; i < n; i++) {
            const size_t other = j < half ? j + half : j - half;
            const double height = value[j < half ? other : j] - x[i];
            if (i / s.inner % s.axis == apl_at && height > 0)
                terms[j] += fabs(upstream[i]) * (j < half ? height : fabs(value[other]));
        }
    }
    FOR_ISA(isa)
    for (int add = 0; add < 2; add++) {
        must(act_theta_forward(t, 0, ACT_APL, s, 2 * segments, theta, in, out));
        for (size_t j = 0; j < 2 * half; j++)
            put(t, dtheta, j, before[j]);
        must(act_theta_backward(t, add ? ACT_ACCUMULATE : 0, ACT_APL, s, 2 * segments, theta, in, g,
                                dx, dtheta));
        for (size_t i = 0; i < n; i++) {
            double size = larger(x[i], 0), slope = x[i] > 0;
            for (size_t k = i / s.inner % s.axis; k < half; k += s.axis)
                if (value[half + k] > x[i]) {
                    size += fabs(value[k]) * (value[half + k] - x[i]);
                    slope += fabs(value[k]);
                }
            hold(&apl[APL], t, get(t, out, i), F[i], fabs(of(F[i])) + rest * size);
            hold(&apl[APL_BACK], t, get(t, dx, i), APL_DX[i],
                 fabs(of(APL_DX[i])) + rest * slope * fabs(upstream[i]));
        }
        for (size_t j = 0; j < 2 * half; j++) {
            mpfr_add_d(s0, APL_DTHETA[j], add ? before[j] : 0, MPFR_RNDN);
            hold(&apl[APL_SUMS], t, get(t, dtheta, j), s0, terms[j] + (add ? fabs(before[j]) : 0));
        }
    }
}

/* ---- randomised leaky ReLU in training ------------------------------------------------------- */

enum { RRELU, RRELU_BACK, RRELUS };
static struct worst rrelu[RRELUS] = {[RRELU] = {"rrelu, out", {.5, .5}, {0}, {0}},
                                     [RRELU_BACK] = {"rrelu, grad_in", {.5, .5}, {0}, {0}}};
static mpfr_t R;
static size_t rrelu_at;

static void of_rrelu(mpfr_t value)
{
    mpfr_set(value, X[rrelu_at], MPFR_RNDN);
    if (mpfr_sgn(value) <= 0)
        mpfr_mul(value, value, R, MPFR_RNDN);
    mpfr_mul_d(value, value, upstream[rrelu_at], MPFR_RNDN);
}

/* r = min(lower + (upper - lower) u, upper), each operation in the type's precision. */
static void draw_exactly(act_dtype t, double lower, double upper, uint32_t word)
{
    mpfr_t low, high, r;
    mpfr_inits2(t == ACT_F64 ? 53 : 24, low, high, r, (mpfr_ptr)0);
    set(low, lower), set(high, upper);
    mpfr_sub(r, high, low, MPFR_RNDN);
    mpfr_mul_d(r, r, t == ACT_F64 ? word * 0x1p-32 : (word >> 8) * 0x1p-24, MPFR_RNDN);
    mpfr_add(r, r, low, MPFR_RNDN);
    mpfr_set(R, mpfr_less_p(r, high) ? r : high, MPFR_RNDN);
    mpfr_clears(low, high, r, (mpfr_ptr)0);
}

static void check_rrelu(act_dtype t, size_t n, uint64_t seed, uint64_t first, double lower,
                        double upper)
{
    static double in[MOST], g[MOST], out[MOST], dx[MOST], x[MOST];
    fill(t, in, x, n, -3, 3), fill(t, g, upstream, n, -1, 1);
    set_all(X, x, n);
    FOR_ISA(isa)
    {
        must(act_rrelu_forward(t, 0, lower, upper, seed, first, in, out, n));
        must(act_rrelu_backward(t, 0, lower, upper, seed, first, in, g, dx, n));
        for (size_t i = 0; i < n; i++) {
            rrelu_at = i;
            draw_exactly(t, lower, upper, word_of(seed, first + i));
            mpfr_set_d(s0, x[i], MPFR_RNDN);
            if (x[i] <= 0)
                mpfr_mul(s0, s0, R, MPFR_RNDN);
            hold(&rrelu[RRELU], t, get(t, out, i), s0, x[i] > 0 ? 0 : last_place(s0));
            difference(of_rrelu, X[i], s0);
            hold(&rrelu[RRELU_BACK], t, get(t, dx, i), s0, x[i] > 0 ? 0 : last_place(s0));
        }
    }
}

int main(int argc, char **argv)
{
    static const act_kind inside[] = {ACT_SILU, ACT_GELU, ACT_SIGMOID, ACT_TANH};
    static const act_shape shapes[] = {{1, 1, 1}, {1, 1, 17}, {3, 1, 1},   {33, 6, 1},
                                       {2, 3, 5}, {5, 2, 20}, {1, 1, 1000}};
    static const size_t segments[] = {1, 3, HINGES}, lengths[] = {1, 3, 17, 1000};
    mpfr_t *const arrays[] = {F, SLOPE, WANT, X, APL_DX};
    numbers_init(argc, argv);
    mpfr_init(R);
    for (size_t i = 0; i < LENGTH_OF(arrays); i++)
        init_all(arrays[i], MOST);
    init_all(THETA, LENGTH_OF(THETA)), init_all(APL_DTHETA, LENGTH_OF(APL_DTHETA));
    formula_init(&exact);
    mpfr_set_prec(exact.value, BITS);

    FOR_TYPE(t)
    for (size_t k = 0; k < LENGTH_OF(inside); k++) {
        check_gate(t, inside[k]);
        for (size_t i = 0; i + 1 < LENGTH_OF(shapes); i++)
            check_bias(t, inside[k], shapes[i]);
    }
    for (int i = 0; i < AROUND; i++)
        report(&around[i]);

    for (act_kind kind = 0; kind < act_kind_count(); kind++) {
        act_kind_info info = {.struct_size = sizeof info};
        must(act_kind_describe(kind, &info));
        if (info.learnable > 0)
            check_theta(kind);
    }

    FOR_TYPE(t)
    for (size_t i = 0; i < LENGTH_OF(shapes); i++)
        for (size_t k = 0; k < LENGTH_OF(segments); k++)
            check_apl(t, shapes[i], segments[k]);
    for (int i = 0; i < APLS; i++)
        report(&apl[i]);

    FOR_TYPE(t)
    for (size_t k = 0; k < LENGTH_OF(lengths); k++) {
        check_rrelu(t, lengths[k], 7, 0, 1. / 8, 1. / 3);
        check_rrelu(t, lengths[k], 0x123456789abcdef0u, 0u - 500ull, -.25, .1);
    }
    for (int i = 0; i < RRELUS; i++)
        report(&rrelu[i]);
    return finish();
}
