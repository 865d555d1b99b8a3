/* Inputs, parameters and gradients that find bugs, and the measure of error. */
#include "tests/check.h"

#include <math.h>
#include <string.h>

uint64_t random_u64(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static const float specials[] = {
    0.0f,      -0.0f,      1.0f,       -1.0f,       INFINITY,    -INFINITY,    NAN,
    0x1p-149f, -0x1p-149f, 0x1p-126f,  -0x1p-126f,  0x1.8p-130f, -0x1.8p-130f, 0x1.fffffep+127f,
    -1e-8f,    1e-8f,      3.0f,       -3.0f,       6.0f,        -6.0f,        -0x1.fffffep+127f,
    88.0f,     -88.0f,     -103.0f,    -104.0f,     -1e5f,       1e5f,         -200.0f,
    0.5f,      -0.5f,      5.9999995f, -5.9999995f, 1e30f,       -1e30f,       -126.0f,
};
enum { SPECIALS = sizeof specials / sizeof specials[0] };

void fill_inputs(act_kind kind, float *x, size_t count, uint64_t *state)
{
    size_t i = 0;
    for (int s = 0; s < SPECIALS && i < count; s++)
        x[i++] = specials[s];

    /* 32 floats on both sides of every edge and of the zero of f'. */
    for (int e = -1; e < 15; e++) {
        const double edge = e < 0 ? act_tests[kind]->zero : act_tests[kind]->edge[e];
        if (edge == 0)
            continue;
        const uint32_t bits = bits_of_float((float)edge);
        for (uint32_t k = 0; k <= 64 && i < count; k++)
            x[i++] = float_of_bits(bits - 32 + k);
    }

    const size_t rest = count - i, linear = rest / 2;
    for (size_t k = 0; k < linear; k++)
        x[i++] = (float)(-20 + 40.0 * ((double)k + (double)(random_u64(state) >> 11) * 0x1p-53) /
                                   (double)linear);
    while (i < count)
        x[i++] = float_of_bits((uint32_t)random_u64(state));
}

void fill_grads(float *g, size_t count, uint64_t *state)
{
    static const float fixed[] = {1,         -1,       0,         -0.0f, 0x1p100f,  -0x1p100f,
                                  0x1p-100f, INFINITY, -INFINITY, NAN,   -0x1p-100f};
    enum { FIXED = sizeof fixed / sizeof fixed[0] };
    for (size_t i = 0; i < count; i++) {
        const uint64_t r = random_u64(state);
        const unsigned choice = (unsigned)(r >> 32) % 32;
        const double normal = (double)(int32_t)(uint32_t)r * 0x1p-30;
        g[i] = choice < FIXED ? fixed[choice] : (float)normal;
    }
}

/* The i-th value to try for a parameter: of either sign, or of a domain that has no negative ones.
 */
static double grid_value(int domain, int i, double by_default)
{
    static const double any[] = {0, -0.0, 1, -1, 0.5, -0.3, 3, 1e-30, 1e30, -1e30, 1e-40, 3e38};
    static const double positive[] = {1, 0.5, 0.3, 2, 3, 10, 1e-3, 100, 1e-30, 1e30, 1e-40, 3e38};
    const int last = sizeof any / sizeof any[0];
    if (i >= last) /* beside the default, where a kernel may have a shortcut */
        return (double)nextafterf((float)by_default, i == last ? -INFINITY : INFINITY);
    if (domain == ACT_DOMAIN_NONNEGATIVE && i == 0)
        return 0;
    return domain == ACT_DOMAIN_POSITIVE || domain == ACT_DOMAIN_NONNEGATIVE ? positive[i] : any[i];
}

int params_of_grid(act_kind kind, int i, act_params *params)
{
    enum { VALUES = 14 };
    act_kind_info info = {.struct_size = sizeof info};
    act_kind_describe(kind, &info);
    *params = info.defaults;
    if (i == 0)
        return 1;
    if (i > VALUES * info.param_count)
        return 0;
    const int varied = (i - 1) / VALUES, domain = info.param_domain[varied];
    if (domain == ACT_DOMAIN_NONE)
        return 1; /* the defaults again */
    double *fields = &params->alpha;
    fields[varied] = grid_value(domain, (i - 1) % VALUES, fields[varied]);
    if (fields[varied] < 0 && (domain == ACT_DOMAIN_POSITIVE || domain == ACT_DOMAIN_NONNEGATIVE))
        fields[varied] = 0x1p-149; /* beside a default of 0 */
    /* Ordered parameters move along. */
    for (int f = 1; f < info.param_count; f++) {
        const int order = info.param_domain[f] == ACT_DOMAIN_ABOVE_ALPHA ||
                                  info.param_domain[f] == ACT_DOMAIN_FINITE_ABOVE_ALPHA
                              ? 1
                          : info.param_domain[f] == ACT_DOMAIN_BELOW_ALPHA ||
                                  info.param_domain[f] == ACT_DOMAIN_FINITE_BELOW_ALPHA
                              ? -1
                              : 0;
        if (order == 0 || order * (fields[f] - params->alpha) >= 0)
            continue;
        if (varied == f)
            params->alpha = fields[f] - order;
        else
            fields[f] = params->alpha + order;
    }
    return 1;
}

/* 1 / ulp(v) as a float's, for finite v. */
static double inverse_ulp(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    if (exponent < -126)
        exponent = -126;
    bits = (uint64_t)(1023 + 23 - exponent) << 52;
    memcpy(&v, &bits, sizeof v);
    return v;
}

double ulp_error(float got, double want)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got) ? 0 : INFINITY;
    if (!signbit(got) != !signbit(want))
        return INFINITY; /* also of a zero */
    if (isinf(want))
        return (double)got == want ? 0 : INFINITY;
    /* Past the largest float the next one would be 2^128. */
    const double value = isinf(got) ? copysign(0x1p128, (double)got) : (double)got;
    const double limit = fabs(want) > 0x1p128 ? copysign(0x1p128, want) : want;
    if (want == 0)
        return got == 0 ? 0 : fabs(value) * 0x1p149;
    return fabs(value - limit) * inverse_ulp(fabs(limit) >= 0x1p128 ? 0x1p127 : limit);
}

double note(struct worst *worst, double error, float x, float g, float got, double want)
{
    if (error > 1)
        worst->above1++;
    if (error > worst->ulp) {
        worst->ulp = error;
        worst->x = x;
        worst->g = g;
        worst->got = got;
        worst->want = want;
    }
    return error;
}

double zero_of(act_kind kind, const act_params *params)
{
    const struct act_test *t = act_tests[kind];
    const double by = t->zero_over == 'b'   ? params->beta
                      : t->zero_over == 'c' ? params->gamma * (params->alpha - params->beta)
                      : t->zero_over == 'B' ? (fabs(params->alpha) < 1e-3 ? params->beta : 0)
                                            : 1;
    return t->zero == 0 || by == 0 ? 0 : t->zero / by;
}

double zero_window(double zero)
{
    return zero == 0 ? -1 : 0.4 * fmax(1.25, fabs(zero));
}

int beside_zero(double x, double zero)
{
    return fabs(x - zero) <= zero_window(zero);
}

double terms_of(act_kind kind, enum op op, const act_params *params, double x)
{
    act_params defaults;
    act_params_init(kind, &defaults);
    const int cancels = act_tests[kind]->cancels;
    if (!cancels || (cancels == 1 && memcmp(&defaults, params, sizeof defaults) == 0))
        return 0;
    if (cancels == 3)
        return (op == OP_FORWARD ? fabs(x) : 1) * (fabs(params->alpha) + fabs(params->beta));
    const double sum =
        fabs(params->alpha) + fabs(params->beta) + fabs(params->gamma) + fabs(params->delta);
    return op == OP_FORWARD ? (1 + fabs(x)) * (1 + sum) * (1 + sum) : 1 + sum;
}

double forward_error(double terms, float got, double want)
{
    const double error = ulp_error(got, want);
    /* Relative to the terms, and one rounding of a subnormal one. */
    const double off = fmax(0, fabs((double)got - want) - 0x1p-149);
    return terms > 0 && error > 0.5 ? fmin(error, off * 0x1p24 / terms) : error;
}

double backward_error(double terms, double zero, float x, float g, float got, double want,
                      double slope)
{
    double error = ulp_error(got, want);
    if (terms > 0 && (isinf(g) || g == 0) && fabs(slope) <= 0x1p-22 * terms)
        return 0; /* the sign of f' is lost in its terms, and with it the product's */
    if (isinf(g) && beside_zero((double)x, zero) && fabs(slope) <= 0x1p-22)
        return 0; /* the sign of f', or that it is not 0, may be lost */
    if (error == 0 || isnan(want) || isnan(got))
        return error;
    const double size = fabs((double)g), off = fabs((double)got - want);
    if (terms > 0 && error > 0.5)
        error = isinf(g) ? 0 : fmin(error, off * 0x1p24 / (terms * size));
    if (beside_zero((double)x, zero) && (off <= 0x1p-22 * size || isinf(g)))
        return 0; /* actfn.h: an absolute bound beside a zero of f' */
    if (fabs(slope) < 0x1p-126 && off <= 0x1p-148 * fmax(1, size) &&
        (got != 0 || !signbit(got) == !signbit(want)))
        return 0;
    return error;
}

int judge_forward(struct worst *worst, double bound, double terms, float x, float got, double want)
{
    return note(worst, forward_error(terms, got, want), x, 0, got, want) <= bound;
}

int judge_backward(struct worst *worst, double bound, double terms, double zero, float x, float g,
                   float got, double want, double slope)
{
    return note(worst, backward_error(terms, zero, x, g, got, want, slope), x, g, got, want) <=
           bound;
}
