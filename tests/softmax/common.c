/* Failures, numbers, and the reference: the formulas in long double, for f32 and the 16-bit types
 * in double. */
#include "softmax/softmax.h"
#include "nearest.h"

#include <stdarg.h>

const char *const names[FUNCTIONS] = {"softmax", "log_softmax", "logsumexp"};
const size_t size_of[ACT_F16 + 1] = {sizeof(float), sizeof(double), 2, 2};
const char *const type_names[ACT_F16_F32 + 1] = {"f32", "f64",      "bf16",
                                                 "f16", "bf16_f32", "f16_f32"};

/* ---- failures, worst errors ------------------------------------------------------------------ */

int failures;
char context[300];

void fail(const char *format, ...)
{
    va_list args;
    if (failures++ >= 20)
        return;
    printf("%s %s: ", act_isa_name(act_get_isa()), context);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* ---- numbers --------------------------------------------------------------------------------- */

static uint64_t state = 1;
static double spare; /* of two normal numbers that come together the second */
static int has_spare;

void seed(uint64_t value)
{
    state = value;
    has_spare = 0;
}
uint64_t random_u64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}
double uniform(void)
{
    return (double)(random_u64() >> 11) * 0x1p-53;
}
double normal(void)
{
    if (has_spare) {
        has_spare = 0;
        return spare;
    }
    const double r = sqrt(-2 * log(1 - uniform())), angle = 6.283185307179586 * uniform();
    spare = r * sin(angle);
    has_spare = 1;
    return r * cos(angle);
}

/* Digits of a type, the exponent of its least number, and from where on it rounds to infinity. */
static const int digits[] = {24, 53, 8, 11}, least[] = {-149, -1074, -133, -24};
static const real overflow[] = {0x1.ffffffp127L, 0, 0x1.ffp127L, 0x1.ffep15L};

act_dtype wide_of(act_dtype type)
{
    return type == ACT_F64 ? ACT_F64 : ACT_F32;
}

double get(act_dtype type, const void *p, size_t i)
{
    if (type == ACT_F64)
        return ((const double *)p)[i];
    if (type == ACT_F32)
        return (double)((const float *)p)[i];
    const uint32_t half = ((const uint16_t *)p)[i], size = half & 0x7fff;
    uint32_t bits = half << 16;
    float value;
    if (type == ACT_F16 && size < 0x400)
        return (half >> 15 ? -0x1p-24 : 0x1p-24) * (double)size;
    if (type == ACT_F16)
        bits = (half & 0x8000) << 16 | ((size << 13) + ((size < 0x7c00 ? 112u : 224u) << 23));
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

void put(act_dtype type, void *p, size_t i, double x)
{
    if (type == ACT_F64) {
        ((double *)p)[i] = x;
        return;
    }
    if (type == ACT_F32) {
        ((float *)p)[i] = (float)x;
        return;
    }
    ((uint16_t *)p)[i] = nearest16(type, x);
}

double rounded(act_dtype type, double x)
{
    return type == ACT_F64 ? x : (double)(float)x;
}

double ulp_of(act_dtype type, real want)
{
    int exponent;
    frexpl(want, &exponent);
    const int e = exponent - digits[type];
    return ldexp(1, want == 0 || e < least[type] ? least[type] : e);
}

/* |got - want| in units; specials must match. */
static double off(act_dtype type, double got, real want, double unit)
{
    if (type != ACT_F64 && fabsl(want) >= overflow[type])
        want = want < 0 ? -(real)INFINITY : (real)INFINITY;
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want) ? 0 : INFINITY;
    if (isinf(got) || isinf(want))
        return (real)got == want ? 0 : INFINITY;
    return (double)(fabsl((real)got - want) / (real)unit);
}

void *new_array(act_dtype type, size_t n)
{
    void *p = malloc(n * size_of[type] + 1);
    if (!p)
        exit(2);
    memset(p, 0xa5, n * size_of[type] + 1);
    return p;
}

void fill(act_dtype type, void *x, size_t n, double sigma, double offset)
{
    for (size_t k = 0; k < n; k++)
        put(type, x, k, sigma * normal() + offset);
}

static const char *const measure_names[] = {
    "softmax (ULP)",
    "log_softmax (ULP)",
    "logsumexp (ULP, or 2^-24 (max + log n))",
    "softmax backward (2^-24 of the terms)",
    "log_softmax backward (2^-24 of the terms)",
    "cross-entropy loss (ULP, or 2^-24 (max + log n) T)",
    "cross-entropy gradient (2^-24 of the terms)",
};
static struct {
    double error;
    char where[300];
} worst[ACT_F16 + 1][MEASURES];

static double limit_of(act_dtype type, enum measure m)
{
    /* docs/softmax.md */
    static const double limit[2][MEASURES] = {{3, 3, 2, 4, 4, 2, 4}, {3, 3, 3, 4, 4, 4, 6}};
    return limit[wide_of(type) == ACT_F64][m];
}

void judge(act_dtype type, enum measure m, double got, real want, double unit, const char *what,
           size_t index)
{
    const int half = type == ACT_BF16 || type == ACT_F16;
    double error, limit = limit_of(type, m);
    if (half) { /* what rounding to 16 bits adds */
        error = off(type, got, want, 1);
        if (isfinite(error) && error > 0) {
            error = fmax(0, error - limit * unit) / ulp_of(type, want);
            limit = 0.5 + 0x1p-30;
        }
    } else {
        error = off(type, got, want, unit);
    }
    if (!(error <= limit))
        fail("%s is %.9g, not %.9g: %.3g off at %zu", what, got, (double)want, error, index);
    if (!(error <= worst[type][m].error)) {
        worst[type][m].error = error;
        snprintf(worst[type][m].where, sizeof worst[type][m].where, "%s", context);
    }
}

void forget_worst(void)
{
    memset(worst, 0, sizeof worst);
}

void print_worst(act_dtype type)
{
    for (enum measure m = 0; m < MEASURES; m++)
        printf("%s %s %s: %.3f at %s\n", act_isa_name(act_get_isa()), type_names[type],
               type == ACT_BF16 || type == ACT_F16 ? "ULP beyond the f32 bound" : measure_names[m],
               worst[type][m].error, worst[type][m].where);
}

/* ---- reference ------------------------------------------------------------------------------- */

size_t index_of(act_shape s, size_t o, size_t j, size_t i)
{
    return (o * s.axis + j) * s.inner + i;
}

static real scaled_logit(act_dtype type, const act_logits *z, double x, size_t mask)
{
    const double scale = z && z->scale != 0 ? rounded(type, z->scale) : 1;
    const double add = z && z->add ? (double)z->add[mask] : 0;
    if (scale == 1 && add == 0)
        return x;
    return type == ACT_F64 ? fma(scale, x, add) : (double)fmaf((float)scale, (float)x, (float)add);
}

/* double is enough for f32. */
real exp_of(act_dtype type, real x)
{
    return type == ACT_F64 ? expl(x) : (real)exp((double)x);
}

void row_reference(act_dtype type, act_shape s, const act_logits *z, const void *x, size_t o,
                   size_t i, struct row *r)
{
    r->n = s.axis;
    r->max = -INFINITY;
    r->bad = 0;
    size_t at_max = 0;
    for (size_t j = 0; j < s.axis; j++) {
        const size_t outer = z && z->mask_outer ? o % z->mask_outer : 0;
        const size_t mask = (outer * s.axis + j) * s.inner + i;
        r->masked[j] = 0;
        if (z && z->keep && !z->keep[mask])
            r->masked[j] = 1;
        if (z && z->causal_rows && (int64_t)j > (int64_t)(o % z->causal_rows) + z->causal_offset)
            r->masked[j] = 1;
        r->z[j] = r->masked[j] ? -(real)INFINITY
                               : scaled_logit(type, z, get(type, x, index_of(s, o, j, i)), mask);
        if (z && z->add && isinf(z->add[mask]) && z->add[mask] < 0)
            r->masked[j] = 1;
        if (isnan(r->z[j]) || (isinf(r->z[j]) && r->z[j] > 0))
            r->bad = 1;
        if (r->z[j] > r->max) {
            r->max = r->z[j];
            at_max = j;
        }
    }
    r->empty = !r->bad && isinf(r->max);
    r->rest = 0;
    for (size_t j = 0; !r->bad && !r->empty && j < s.axis; j++)
        if (j != at_max && !isinf(r->z[j]))
            r->rest += exp_of(type, r->z[j] - r->max);
    r->sum = 1 + r->rest;
}

struct row new_row(size_t n)
{
    struct row r = {.n = n, .z = malloc(n * sizeof(real) + 1), .masked = malloc(n + 1)};
    if (!r.z || !r.masked)
        exit(2);
    return r;
}
void free_row(struct row *r)
{
    free(r->z);
    free(r->masked);
}

real want_of(act_dtype type, enum function f, const act_logits *z, const struct row *r, size_t j)
{
    const int empty = z ? z->empty : ACT_EMPTY_ZERO;
    if (r->bad || (r->empty && empty == ACT_EMPTY_NAN))
        return NAN;
    if (r->empty) {
        if (f == SOFTMAX)
            return empty == ACT_EMPTY_UNIFORM ? 1 / (real)r->n : 0;
        return f == LOG_SOFTMAX && empty == ACT_EMPTY_UNIFORM ? -logl((real)r->n) : -(real)INFINITY;
    }
    switch (f) {
    case SOFTMAX:
        return exp_of(type, r->z[j] - r->max) / r->sum;
    case LOG_SOFTMAX:
        return (r->z[j] - r->max) - log1pl(r->rest);
    default:
        return r->max + log1pl(r->rest);
    }
}

act_status forward(enum function f, act_dtype type, unsigned flags, act_shape s,
                   const act_logits *z, const void *in, void *out)
{
    switch (f) {
    case SOFTMAX:
        return act_softmax_forward(type, flags, s, z, in, out);
    case LOG_SOFTMAX:
        return act_log_softmax_forward(type, flags, s, z, in, out);
    default:
        return act_logsumexp(type, flags, s, z, in, out);
    }
}
