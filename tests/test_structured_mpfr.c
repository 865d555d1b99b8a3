/* The structured functions with transcendental parts, and their gradients, against MPFR on a
 * sample, on every ISA, in f32 and f64: softmax and its relatives, cross-entropy, gated units,
 * bias, learnable parameters, norms. Prints the worst error of each. The other tests use long
 * double, and more shapes; maxout, rrelu, dynamic ReLU, FReLU and apl are sums of a few products,
 * for which that is exact enough. Derivatives by a parameter are differences of the kind's formula
 * in 300 bits: nobody derived them. */
#include "tests/formula.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 300, MOST = 1024, FIELDS = 4 };
static const double unit[] = {0x1p-24, 0x1p-53};
static const char *const type_name[] = {"f32", "f64"};
static int failures;

/* ---- numbers ------------------------------------------------------------------------------- */

static uint64_t state = 1;
static double uniform(double low, double high) /* splitmix64 */
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return low + (high - low) * (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static void put(act_dtype t, void *array, size_t i, double v)
{
    if (t == ACT_F64)
        ((double *)array)[i] = v;
    else
        ((float *)array)[i] = (float)v;
}
static double get(act_dtype t, const void *array, size_t i)
{
    return t == ACT_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}
/* Random elements, and what they are after rounding. */
static void fill(act_dtype t, void *array, double *exact, size_t n, double low, double high)
{
    for (size_t i = 0; i < n; i++) {
        put(t, array, i, uniform(low, high));
        exact[i] = get(t, array, i);
    }
}

static mpfr_t vector[6][MOST];
static mpfr_t s0, s1, s2, s3, s4;

static void numbers_init(void)
{
    mpfr_set_default_prec(BITS);
    for (int v = 0; v < 6; v++)
        for (int i = 0; i < MOST; i++)
            mpfr_init(vector[v][i]);
    mpfr_inits(s0, s1, s2, s3, s4, (mpfr_ptr)0);
}

static double of(mpfr_t a)
{
    return mpfr_get_d(a, MPFR_RNDN);
}

/* ---- errors -------------------------------------------------------------------------------- */

struct worst {
    const char *name;
    double bound[2], error[2]; /* f32, f64 */
};

static void must(act_status status)
{
    if (status == ACT_OK)
        return;
    printf("a call: %s\n", act_status_string(status));
    exit(1);
}

/* |got - want| in units of u times scale. */
static void hold(struct worst *w, act_dtype t, double got, mpfr_t want, double scale)
{
    mpfr_sub_d(s4, want, got, MPFR_RNDN);
    const double error = fabs(of(s4)) / (unit[t] * scale);
    if (!(error <= w->error[t]))
        w->error[t] = error;
}
/* ... of the last place of want, which is 2 u of a power of two. */
static double last_place(mpfr_t want)
{
    return 2 * ldexp(1, ilogb(of(want)));
}

static void report(struct worst *w)
{
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++) {
        const int bad = !(w->error[t] <= w->bound[t]);
        failures += bad;
        printf("%-28s %s  worst %6.3f  bound %4.1f%s\n", w->name, type_name[t], w->error[t],
               w->bound[t], bad ? "  FAIL" : "");
    }
}

#define FOR_ISA(isa)                                                                               \
    for (act_isa isa = 0; isa < act_isa_count(); isa++)                                            \
        if (act_isa_available(isa) && act_set_isa(isa) == ACT_OK)

/* ---- softmax and its relatives ------------------------------------------------------------- */

enum { SOFTMAX, SOFTMAX_BACK, LOG_SOFTMAX, LOG_SOFTMAX_BACK, LOGSUMEXP, LOSS, LOSS_BACK, FAMILY };
static struct worst family[FAMILY] = {[SOFTMAX] = {"softmax", {3, 3}, {0}},
                                      [SOFTMAX_BACK] = {"softmax, grad_in", {4, 4}, {0}},
                                      [LOG_SOFTMAX] = {"log_softmax", {3, 3}, {0}},
                                      [LOG_SOFTMAX_BACK] = {"log_softmax, grad_in", {4, 4}, {0}},
                                      [LOGSUMEXP] = {"logsumexp", {2, 3}, {0}},
                                      [LOSS] = {"cross-entropy, loss", {2, 4}, {0}},
                                      [LOSS_BACK] = {"cross-entropy, grad_in", {4, 6}, {0}}};

/* vector[0] = probabilities, vector[1] = their logarithms, s0 = log sum. */
static void softmax_exactly(const double *x, size_t n)
{
    mpfr_set_zero(s0, 1);
    for (size_t i = 0; i < n; i++) {
        mpfr_set_d(s1, x[i], MPFR_RNDN);
        mpfr_exp(vector[0][i], s1, MPFR_RNDN);
        mpfr_add(s0, s0, vector[0][i], MPFR_RNDN);
    }
    for (size_t i = 0; i < n; i++)
        mpfr_div(vector[0][i], vector[0][i], s0, MPFR_RNDN);
    mpfr_log(s0, s0, MPFR_RNDN);
    for (size_t i = 0; i < n; i++) {
        mpfr_sub_d(vector[1][i], s0, x[i], MPFR_RNDN);
        mpfr_neg(vector[1][i], vector[1][i], MPFR_RNDN);
    }
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void check_family(act_dtype t, size_t n, double low, double high)
{
    static double in[MOST], g[MOST], out[MOST], y[MOST], other[MOST], x[MOST], dy[MOST];
    const act_shape s = {1, n, 1};
    const int64_t label = (int64_t)(n / 2);
    const act_targets target = {
        .struct_size = sizeof target, .index = &label, .ignore = -1, .smoothing = 0.125};
    fill(t, in, x, n, low, high);
    fill(t, g, dy, n, -1, 1);
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = larger(most, fabs(x[i]));
    const double near = (most + log((double)n)) / 2;

    FOR_ISA(isa)
    {
        softmax_exactly(x, n);
        must(act_softmax_forward(t, 0, s, NULL, in, y));
        for (size_t i = 0; i < n; i++)
            hold(&family[SOFTMAX], t, get(t, y, i), vector[0][i], last_place(vector[0][i]));
        must(act_log_softmax_forward(t, 0, s, NULL, in, other));
        for (size_t i = 0; n > 1 && i < n; i++)
            hold(&family[LOG_SOFTMAX], t, get(t, other, i), vector[1][i], last_place(vector[1][i]));
        must(act_logsumexp(t, 0, s, NULL, in, out));
        hold(&family[LOGSUMEXP], t, get(t, out, 0), s0, larger(last_place(s0), 2 * near));

        /* t = 7/8 at the label, and 1/8 of an nth; the loss -sum t log p, the gradient p - t. */
        must(act_cross_entropy(t, 0, s, &target, in, out, NULL));
        mpfr_set_zero(s1, 1);
        for (size_t i = 0; i < n; i++) {
            mpfr_set_d(s2, 0.125, MPFR_RNDN);
            mpfr_div_ui(s2, s2, n, MPFR_RNDN);
            mpfr_add_d(vector[2][i], s2, i == n / 2 ? 0.875 : 0, MPFR_RNDN);
            mpfr_mul(s3, vector[2][i], vector[1][i], MPFR_RNDN);
            mpfr_sub(s1, s1, s3, MPFR_RNDN);
        }
        if (n > 1)
            hold(&family[LOSS], t, get(t, out, 0), s1, larger(last_place(s1), 2 * near));
        must(act_cross_entropy(t, 0, s, &target, in, NULL, out));
        for (size_t i = 0; i < n; i++) {
            mpfr_sub(s2, vector[0][i], vector[2][i], MPFR_RNDN);
            hold(&family[LOSS_BACK], t, get(t, out, i), s2, of(vector[0][i]) + of(vector[2][i]));
        }

        /* From the outputs as the library has rounded them: y (g - sum(g y)), g - e^y sum(g). */
        must(act_softmax_backward(t, 0, s, NULL, y, g, out));
        double terms = 0, sum = 0;
        mpfr_set_zero(s0, 1), mpfr_set_zero(s1, 1);
        for (size_t i = 0; i < n; i++) {
            mpfr_set_d(s2, get(t, y, i), MPFR_RNDN);
            mpfr_mul_d(s2, s2, dy[i], MPFR_RNDN);
            mpfr_add(s0, s0, s2, MPFR_RNDN);
            mpfr_add_d(s1, s1, dy[i], MPFR_RNDN);
            terms += fabs(of(s2)), sum += fabs(dy[i]);
        }
        for (size_t i = 0; i < n; i++) {
            mpfr_d_sub(s2, dy[i], s0, MPFR_RNDN);
            mpfr_mul_d(s2, s2, get(t, y, i), MPFR_RNDN);
            hold(&family[SOFTMAX_BACK], t, get(t, out, i), s2,
                 get(t, y, i) * (fabs(dy[i]) + terms) + 0x1p-149);
        }
        must(act_log_softmax_backward(t, 0, s, NULL, other, g, out));
        for (size_t i = 0; i < n; i++) {
            mpfr_set_d(s2, get(t, other, i), MPFR_RNDN);
            mpfr_exp(s2, s2, MPFR_RNDN);
            const double p = of(s2);
            mpfr_mul(s2, s2, s1, MPFR_RNDN);
            mpfr_d_sub(s2, dy[i], s2, MPFR_RNDN);
            hold(&family[LOG_SOFTMAX_BACK], t, get(t, out, i), s2, fabs(dy[i]) + p * sum);
        }
    }
}

/* ---- around a kind: gated units, bias ------------------------------------------------------ */

static struct formula_value f;

static const char *formula_of(act_kind kind)
{
    static act_kind_info info;
    info.struct_size = sizeof info;
    must(act_kind_describe(kind, &info));
    return info.formula;
}

static void evaluate(act_kind kind, const act_params *p, double x)
{
    const char *error = formula_eval(formula_of(kind), x, p, &f);
    if (!error)
        return;
    printf("%s: the formula ends at '%s'\n", act_kind_name(kind), error);
    exit(1);
}

/* Within .5 of a zero of f' its bound is absolute: actfn.h. */
static double slope_scale(act_kind kind, double x)
{
    const double zero = kind == ACT_SILU ? -1.27846454 : kind == ACT_GELU ? -.75179152 : 0;
    return zero != 0 && fabs(x - zero) < .5 ? 1 : fabs(of(f.slope));
}

/* f and f' have 2.5 ULP, up to 5 u, and two products a u each. */
enum { DGATE, DUP, DBIAS, AROUND };
static struct worst around[AROUND] = {[DGATE] = {"gated, dgate: f' up", {7, 7}, {0}},
                                      [DUP] = {"gated, dup: f", {6, 6}, {0}},
                                      [DBIAS] = {"bias, dbias: f'(x + b)", {6, 6}, {0}}};

static void check_around(act_dtype t, act_kind kind)
{
    enum { N = 200 };
    static double gate[N], up[N], g[N], dgate[N], dup[N], x[N], u[N], dy[N], bias[1], b[1];
    const act_gate shape = {.rows = 1, .cols = N, .row = N, .step = 1};
    act_params p;
    must(act_params_init(kind, &p));
    fill(t, gate, x, N, -9, 9);
    fill(t, up, u, N, -2, 2);
    fill(t, g, dy, N, -1, 1);
    put(t, bias, 0, 0.25);
    b[0] = 0.25;
    FOR_ISA(isa)
    {
        must(act_gated_backward(t, 0, kind, NULL, &shape, gate, up, g, dgate, dup));
        for (size_t i = 0; i < N; i++) {
            evaluate(kind, &p, x[i]);
            mpfr_mul_d(s0, f.slope, dy[i], MPFR_RNDN);
            mpfr_mul_d(s0, s0, u[i], MPFR_RNDN);
            hold(&around[DGATE], t, get(t, dgate, i), s0,
                 fabs(dy[i] * u[i]) * slope_scale(kind, x[i]));
            mpfr_mul_d(s0, f.value, dy[i], MPFR_RNDN);
            hold(&around[DUP], t, get(t, dup, i), s0, fabs(dy[i] * of(f.value)));
        }
        must(act_bias_backward(t, 0, kind, NULL, (act_shape){1, 1, N}, bias, gate, g, dgate, dup));
        double terms = 0;
        mpfr_set_zero(s0, 1);
        for (size_t i = 0; i < N; i++) {
            const double z = x[i] + b[0]; /* rounded to the type */
            evaluate(kind, &p, t == ACT_F64 ? z : (double)(float)z);
            mpfr_mul_d(s1, f.slope, dy[i], MPFR_RNDN);
            mpfr_add(s0, s0, s1, MPFR_RNDN);
            terms += fabs(dy[i]) * slope_scale(kind, z);
        }
        hold(&around[DBIAS], t, get(t, dup, 0), s0, terms);
    }
}

/* ---- learnable parameters ------------------------------------------------------------------ */

static struct formula_value exact; /* its value has BITS */

/* (f(p + h) - f(p - h)) / 2h, h = 2^-45: off by h^2, 2^-90. */
static void by_parameter(act_kind kind, const act_params *p, int field, double x, mpfr_t slope)
{
    act_params q[2] = {*p, *p};
    const char *const text = formula_of(kind);
    for (int k = 0; k < 2; k++) {
        double *const fields[FIELDS] = {&q[k].alpha, &q[k].beta, &q[k].gamma, &q[k].delta};
        *fields[field] += k ? 0x1p-45 : -0x1p-45;
        if (formula_eval_at(text, x, &q[k], BITS, &exact))
            exit(1);
        mpfr_set(k ? s1 : s0, exact.value, MPFR_RNDN);
    }
    mpfr_sub(slope, s1, s0, MPFR_RNDN);
    mpfr_mul_2si(slope, slope, 44, MPFR_RNDN);
}

static void check_theta(act_kind kind)
{
    enum { N = 240 };
    static double in[N], g[N], theta[FIELDS * N], dx[N], dtheta[FIELDS * N], x[N], dy[N];
    static double value[FIELDS * N];
    act_kind_info info = {.struct_size = sizeof info};
    must(act_kind_describe(kind, &info));
    const size_t rows = (size_t)info.learnable;
    int fields[FIELDS], count = 0;
    for (int i = 0; i < info.param_count; i++)
        if (info.param_name[i])
            fields[count++] = i;
    char name[64];
    snprintf(name, sizeof name, "%s, dtheta", info.name);
    struct worst w = {name, {4, 8}, {0}};
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++) {
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
                by_parameter(kind, &p, fields[j], x[i], vector[j][i]);
                mpfr_mul_d(vector[j][i], vector[j][i], dy[i], MPFR_RNDN);
            }
        }
        FOR_ISA(isa)
        {
            /* Channels of one element: each sum is one term. */
            must(act_theta_backward(t, 0, kind, (act_shape){1, N, 1}, rows, theta, in, g, dx,
                                    dtheta));
            for (size_t j = 0; j < rows; j++)
                for (size_t i = 0; i < N; i++) {
                    const double term = fabs(of(vector[j][i]));
                    /* beside the zero of silu' the bound is relative to x */
                    const double least = kind == ACT_ACON_C && j < 2 ? fabs(dy[i] * x[i]) / 4 : 0;
                    if (term == 0 && get(t, dtheta, j * N + i) == 0)
                        continue;
                    hold(&w, t, get(t, dtheta, j * N + i), vector[j][i], larger(term, least));
                }
        }
    }
    report(&w);
}

/* ---- norms --------------------------------------------------------------------------------- */

enum { N_OUT, N_GRAD, N_GAMMA, NORMS };
#define NORM_OF(name, bound)                                                                       \
    {                                                                                              \
        {name ", out", {bound, bound + 10}, {0}},                                                  \
            {name ", grad_in", {bound, 3 * bound + 16}, {0}},                                      \
            {name ", dgamma", {bound, bound + 8}, {0}},                                            \
    }
static struct worst norms[2][2][NORMS] = {
    {NORM_OF("LayerNorm", 4), NORM_OF("RMSNorm", 4)},
    {NORM_OF("LayerNorm(silu)", 6), NORM_OF("RMSNorm(silu)", 6)}};

/* One row: out = norm(f(in)) gamma + beta. vector: a, n, h, f'. */
static void check_norm(act_dtype t, int silu, int rms, size_t n)
{
    static double in[MOST], g[MOST], gamma[MOST], beta[MOST], out[MOST], dgamma[MOST], dbeta[MOST];
    static double x[MOST], dy[MOST], ga[MOST], be[MOST];
    const act_kind kind = silu ? ACT_SILU : ACT_IDENTITY;
    const act_shape s = {1, n, 1};
    struct worst *const w = norms[silu][rms];
    const double eps = 0x1p-17;
    double mean[1], rstd[1];
    fill(t, in, x, n, -2, 4);
    fill(t, g, dy, n, -1, 1);
    fill(t, gamma, ga, n, -2, 2);
    fill(t, beta, be, n, -1, 1);
    double size = 0; /* mean of |a| */
    mpfr_set_zero(s0, 1);
    for (size_t i = 0; i < n; i++) {
        act_params p;
        must(act_params_init(kind, &p));
        evaluate(kind, &p, x[i]);
        mpfr_set(vector[0][i], f.value, MPFR_RNDN);
        mpfr_set(vector[3][i], f.slope, MPFR_RNDN);
        mpfr_add(s0, s0, f.value, MPFR_RNDN);
        size += fabs(of(f.value)) / (double)n;
    }
    mpfr_div_ui(s0, s0, n, MPFR_RNDN);
    if (rms)
        mpfr_set_zero(s0, 1);
    mpfr_set_zero(s1, 1);
    for (size_t i = 0; i < n; i++) {
        mpfr_sub(vector[1][i], vector[0][i], s0, MPFR_RNDN);
        mpfr_sqr(s2, vector[1][i], MPFR_RNDN);
        mpfr_add(s1, s1, s2, MPFR_RNDN);
    }
    mpfr_div_ui(s1, s1, n, MPFR_RNDN);
    mpfr_add_d(s1, s1, eps, MPFR_RNDN);
    mpfr_rec_sqrt(s1, s1, MPFR_RNDN); /* rstd */
    const double r = of(s1), m = fabs(of(s0));
    for (size_t i = 0; i < n; i++)
        mpfr_mul(vector[1][i], vector[1][i], s1, MPFR_RNDN);
    /* means of h, h n */
    double mean_h = 0, mean_hn = 0;
    mpfr_set_zero(s2, 1), mpfr_set_zero(s3, 1);
    for (size_t i = 0; i < n; i++) {
        mpfr_set_d(vector[2][i], dy[i], MPFR_RNDN);
        mpfr_mul_d(vector[2][i], vector[2][i], ga[i], MPFR_RNDN);
        mpfr_add(s2, s2, vector[2][i], MPFR_RNDN);
        mpfr_mul(s4, vector[2][i], vector[1][i], MPFR_RNDN);
        mpfr_add(s3, s3, s4, MPFR_RNDN);
        const double terms_of_n = (fabs(of(vector[0][i])) + m) * r;
        mean_h += fabs(dy[i] * ga[i]) / (double)n;
        mean_hn += fabs(dy[i] * ga[i]) * terms_of_n / (double)n;
    }
    mpfr_div_ui(s2, s2, n, MPFR_RNDN);
    mpfr_div_ui(s3, s3, n, MPFR_RNDN);
    if (rms)
        mpfr_set_zero(s2, 1), mean_h = 0;

    FOR_ISA(isa)
    {
        must(act_norm_forward(t, 0, kind, NULL, s, rms, eps, gamma, beta, in, out, mean, rstd));
        for (size_t i = 0; i < n; i++) {
            mpfr_mul_d(vector[4][i], vector[1][i], ga[i], MPFR_RNDN);
            mpfr_add_d(vector[4][i], vector[4][i], be[i], MPFR_RNDN);
            const double a = fabs(of(vector[0][i]));
            const double distance = t == ACT_F32 && !silu ? fabs(of(vector[1][i])) : (a + size) * r;
            hold(&w[N_OUT], t, get(t, out, i), vector[4][i], distance * fabs(ga[i]) + fabs(be[i]));
        }
        must(act_norm_backward(t, 0, kind, NULL, s, rms, gamma, in, mean, rstd, g, out, dgamma,
                               dbeta));
        for (size_t i = 0; i < n; i++) {
            const double terms_of_n = (fabs(of(vector[0][i])) + m) * r;
            /* f' r (h - mean of h - n mean of h n) */
            mpfr_mul(s4, vector[1][i], s3, MPFR_RNDN);
            mpfr_sub(s4, vector[2][i], s4, MPFR_RNDN);
            mpfr_sub(s4, s4, s2, MPFR_RNDN);
            mpfr_mul(s4, s4, s1, MPFR_RNDN);
            mpfr_mul(vector[4][i], s4, vector[3][i], MPFR_RNDN);
            hold(&w[N_GRAD], t, get(t, out, i), vector[4][i],
                 larger(fabs(of(vector[3][i])), silu ? .5 : 0) * r *
                     (fabs(dy[i] * ga[i]) + mean_h + terms_of_n * mean_hn));
            mpfr_mul_d(vector[5][i], vector[1][i], dy[i], MPFR_RNDN);
            hold(&w[N_GAMMA], t, get(t, dgamma, i), vector[5][i], fabs(dy[i]) * terms_of_n);
        }
    }
}

int main(void)
{
    static const size_t lengths[] = {1, 2, 7, 33, 200, 1000};
    numbers_init();
    formula_init(&f);
    formula_init(&exact);
    mpfr_set_prec(exact.value, BITS);
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            check_family(t, lengths[k], -3, 3);
            check_family(t, lengths[k], -60, 20);
            check_family(t, lengths[k], 150, 170);
        }
    for (int i = 0; i < FAMILY; i++)
        report(&family[i]);

    static const act_kind inside[] = {ACT_SILU, ACT_GELU, ACT_SIGMOID, ACT_TANH};
    for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
        for (size_t k = 0; k < sizeof inside / sizeof *inside; k++)
            check_around(t, inside[k]);
    for (int i = 0; i < AROUND; i++)
        report(&around[i]);

    for (act_kind kind = 0; kind < act_kind_count(); kind++) {
        act_kind_info info = {.struct_size = sizeof info};
        must(act_kind_describe(kind, &info));
        if (info.learnable > 0)
            check_theta(kind);
    }

    for (int silu = 0; silu < 2; silu++)
        for (int rms = 0; rms < 2; rms++) {
            for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
                for (size_t k = 3; k < sizeof lengths / sizeof *lengths; k++)
                    check_norm(t, silu, rms, lengths[k]);
            for (int i = 0; i < NORMS; i++)
                report(&norms[silu][rms][i]);
        }
    printf("%d out of bounds\n", failures);
    return failures != 0;
}
