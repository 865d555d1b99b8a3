/* The softmax family on every ISA of this machine, against the formulas in double (f32) and long
 * double (f64): accuracy, special rows, masks, one result wherever a row stands, memory, statuses,
 * gradients. test_softmax [options] [ISA]: -v prints the worst errors, --quick takes fewer shapes,
 * --bits only statuses, special rows, finite differences and the hash; --type=f32 or f64. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "actfn/actfn.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef long double real;

enum function { SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, FUNCTIONS };
static const char *const names[] = {"softmax", "log_softmax", "logsumexp"};
static const size_t size_of[] = {[ACT_F32] = sizeof(float), [ACT_F64] = sizeof(double)};
static const char *const type_names[] = {"f32", "f64"};

/* ---- failures, worst errors ------------------------------------------------------------------ */

static int failures, verbose;
static char context[300];

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void fail(const char *format, ...)
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

enum measure {
    ULP_SOFTMAX,
    ULP_LOG_SOFTMAX,
    ERR_LOGSUMEXP,
    ERR_BACKWARD,
    ERR_LOG_BACKWARD,
    ERR_LOSS,
    ERR_GRADIENT,
    MEASURES
};
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
} worst[2][MEASURES];

static double limit_of(act_dtype type, enum measure m)
{
    /* docs/softmax.md */
    static const double limit[2][MEASURES] = {{3, 3, 2, 4, 4, 2, 4}, {3, 3, 3, 4, 4, 4, 6}};
    return limit[type][m];
}

static void note(act_dtype type, enum measure m, double error, const char *what, size_t index)
{
    if (!(error <= limit_of(type, m)))
        fail("%s is %.3g off at %zu", what, error, index);
    if (!(error <= worst[type][m].error)) {
        worst[type][m].error = error;
        snprintf(worst[type][m].where, sizeof worst[type][m].where, "%s", context);
    }
}

/* ---- numbers --------------------------------------------------------------------------------- */

static uint64_t state = 1;
static uint64_t random_u64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}
static double uniform(void)
{
    return (double)(random_u64() >> 11) * 0x1p-53;
}
static double normal(void)
{
    const double r = sqrt(-2 * log(1 - uniform()));
    return r * cos(6.283185307179586 * uniform());
}

static double get(act_dtype type, const void *p, size_t i)
{
    return type == ACT_F64 ? ((const double *)p)[i] : (double)((const float *)p)[i];
}
static void put(act_dtype type, void *p, size_t i, double x)
{
    if (type == ACT_F64)
        ((double *)p)[i] = x;
    else
        ((float *)p)[i] = (float)x;
}
static double rounded(act_dtype type, double x)
{
    return type == ACT_F64 ? x : (double)(float)x;
}

static double ulp_of(act_dtype type, real want)
{
    int exponent;
    frexpl(want, &exponent);
    const int digits = type == ACT_F64 ? 53 : 24, least = type == ACT_F64 ? -1074 : -149;
    const int e = want == 0 || exponent - digits < least ? least : exponent - digits;
    return ldexp(1, e);
}

/* |got - want| in units; specials must match. */
static double off(act_dtype type, double got, real want, double unit)
{
    if (type == ACT_F32 && fabsl(want) > FLT_MAX)
        want = (real)(float)want;
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want) ? 0 : INFINITY;
    if (isinf(got) || isinf(want))
        return (real)got == want ? 0 : INFINITY;
    return (double)(fabsl((real)got - want) / (real)unit);
}

static void *new_array(act_dtype type, size_t n)
{
    void *p = malloc(n * size_of[type] + 1);
    if (!p)
        exit(2);
    memset(p, 0xa5, n * size_of[type] + 1);
    return p;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* One row, gathered. */
struct row {
    size_t n;
    real *z; /* -inf where masked */
    unsigned char *masked;
    real max, rest, sum; /* sum of e^(z - max), and without one maximum */
    int empty, bad;
};

static size_t index_of(act_shape s, size_t o, size_t j, size_t i)
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
static real exp_of(act_dtype type, real x)
{
    return type == ACT_F64 ? expl(x) : (real)exp((double)x);
}

static void row_reference(act_dtype type, act_shape s, const act_logits *z, const void *x, size_t o,
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

static struct row new_row(size_t n)
{
    struct row r = {.n = n, .z = malloc(n * sizeof(real) + 1), .masked = malloc(n + 1)};
    if (!r.z || !r.masked)
        exit(2);
    return r;
}
static void free_row(struct row *r)
{
    free(r->z);
    free(r->masked);
}

static real want_of(act_dtype type, enum function f, const act_logits *z, const struct row *r,
                    size_t j)
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

/* ---- one call against the reference ---------------------------------------------------------- */

static act_status forward(enum function f, act_dtype type, act_shape s, const act_logits *z,
                          const void *in, void *out)
{
    switch (f) {
    case SOFTMAX:
        return act_softmax_forward(type, 0, s, z, in, out);
    case LOG_SOFTMAX:
        return act_log_softmax_forward(type, 0, s, z, in, out);
    default:
        return act_logsumexp(type, 0, s, z, in, out);
    }
}

static double error_of(act_dtype type, enum measure m, double got, real want, const struct row *r)
{
    double unit = ulp_of(type, want);
    if (m == ERR_LOGSUMEXP && isfinite((double)want)) {
        const double u = type == ACT_F64 ? 0x1p-53 : 0x1p-24;
        unit =
            fmax(unit, u * (fabs((double)r->max) + log((double)r->n)) / 2); /* bound 2: u (...) */
    }
    return off(type, got, want, unit);
}

/* step: every step-th row only. */
static void check_forward(act_dtype type, act_shape s, const act_logits *z, const void *x,
                          size_t step)
{
    const size_t total = s.outer * s.axis * s.inner;
    void *y = new_array(type, total), *copy = new_array(type, total);
    struct row r = new_row(s.axis);
    for (enum function f = 0; f < FUNCTIONS; f++) {
        if (forward(f, type, s, z, x, y) != ACT_OK)
            fail("%s: status", names[f]);
        for (size_t row = 0; row < s.outer * s.inner; row += step) {
            const size_t o = row / s.inner, i = row % s.inner;
            row_reference(type, s, z, x, o, i, &r);
            if (f == LOGSUMEXP) {
                note(type, ERR_LOGSUMEXP,
                     error_of(type, ERR_LOGSUMEXP, get(type, y, row), want_of(type, f, z, &r, 0),
                              &r),
                     names[f], row);
                continue;
            }
            for (size_t j = 0; j < s.axis; j++) {
                const double got = get(type, y, index_of(s, o, j, i));
                const real want = want_of(type, f, z, &r, j);
                note(type, f == SOFTMAX ? ULP_SOFTMAX : ULP_LOG_SOFTMAX,
                     error_of(type, (enum measure)f, got, want, &r), names[f],
                     index_of(s, o, j, i));
                if (f == SOFTMAX && signbit(got) && !isnan(got))
                    fail("a negative probability");
            }
        }
        if (f == LOGSUMEXP)
            continue;
        memcpy(copy, x, total * size_of[type]); /* in place */
        if (forward(f, type, s, z, copy, copy) != ACT_OK)
            fail("%s in place: status", names[f]);
        for (size_t k = 0; k < total; k++) {
            const double a = get(type, y, k), b = get(type, copy, k);
            if (a != b && !(isnan(a) && isnan(b))) {
                fail("%s in place differs at %zu", names[f], k);
                break;
            }
        }
    }
    free_row(&r);
    free(y);
    free(copy);
}

static void check_backward(act_dtype type, act_shape s, const act_logits *z, const void *x,
                           size_t step)
{
    const size_t total = s.outer * s.axis * s.inner;
    void *y = new_array(type, total), *g = new_array(type, total), *d = new_array(type, total);
    struct row r = new_row(s.axis);
    const double u = type == ACT_F64 ? 0x1p-53 : 0x1p-24;
    const double scale = z && z->scale != 0 ? rounded(type, z->scale) : 1;
    for (enum function f = SOFTMAX; f <= LOG_SOFTMAX; f++) {
        forward(f, type, s, z, x, y);
        for (size_t k = 0; k < total; k++)
            put(type, g, k, normal() * exp2(floor(4 * normal())));
        for (size_t row = 0; row < s.outer * s.inner; row++) { /* no gradient through a mask */
            row_reference(type, s, z, x, row / s.inner, row % s.inner, &r);
            for (size_t j = 0; j < s.axis; j++)
                if (r.masked[j] && row % 2)
                    put(type, g, index_of(s, row / s.inner, j, row % s.inner), NAN);
        }
        const act_status status = f == SOFTMAX ? act_softmax_backward(type, 0, s, z, y, g, d)
                                               : act_log_softmax_backward(type, 0, s, z, y, g, d);
        if (status != ACT_OK)
            fail("%s backward: status", names[f]);
        for (size_t row = 0; row < s.outer * s.inner; row += step) {
            const size_t o = row / s.inner, i = row % s.inner;
            row_reference(type, s, z, x, o, i, &r);
            real sum = 0, terms = 0;
            for (size_t j = 0; j < s.axis; j++) {
                if (r.masked[j])
                    continue;
                const real gj = get(type, g, index_of(s, o, j, i));
                const real yj = get(type, y, index_of(s, o, j, i));
                sum += f == SOFTMAX ? gj * yj : gj;
                terms += fabsl(f == SOFTMAX ? gj * yj : gj);
            }
            for (size_t j = 0; j < s.axis; j++) {
                const size_t k = index_of(s, o, j, i);
                const real gj = get(type, g, k), yj = get(type, y, k);
                const double got = get(type, d, k);
                if (r.masked[j]) {
                    if (got != 0 || signbit(got))
                        fail("%s backward: a masked element has a gradient", names[f]);
                    continue;
                }
                const real p = f == SOFTMAX ? yj : exp_of(type, yj);
                const real want = f == SOFTMAX ? scale * yj * (gj - sum) : scale * (gj - p * sum);
                const real size = f == SOFTMAX ? yj * (fabsl(gj) + terms) : fabsl(gj) + p * terms;
                const double unit =
                    fmax(u * fabs(scale) * (double)size,
                         fmax(1, fabs(scale)) * (type == ACT_F64 ? 0x1p-1074 : 0x1p-149));
                note(type, f == SOFTMAX ? ERR_BACKWARD : ERR_LOG_BACKWARD,
                     off(type, got, want, unit),
                     f == SOFTMAX ? "softmax backward" : "log_softmax backward", k);
            }
        }
    }
    free_row(&r);
    free(y);
    free(g);
    free(d);
}

static void fill(act_dtype type, void *x, size_t n, double sigma, double offset)
{
    for (size_t k = 0; k < n; k++)
        put(type, x, k, sigma * normal() + offset);
}

/* ---- cross-entropy --------------------------------------------------------------------------- */

/* t[j] of a row. */
static real target_of(act_dtype type, const act_targets *q, act_shape s, size_t o, size_t j,
                      size_t i)
{
    const size_t row = o * s.inner + i;
    real p = q->prob ? (real)get(type, q->prob, index_of(s, o, j, i))
                     : (real)(q->index[row] == (int64_t)j);
    p = (1 - (real)q->smoothing) * p + (real)q->smoothing / (real)s.axis;
    return q->class_weight ? p * (real)q->class_weight[j] : p;
}

static void check_cross_entropy(act_dtype type, act_shape s, const act_targets *q, const void *x,
                                size_t step)
{
    const size_t rows = s.outer * s.inner, total = rows * s.axis;
    void *loss = new_array(type, rows), *d = new_array(type, total);
    void *loss2 = new_array(type, rows), *d2 = new_array(type, total);
    struct row r = new_row(s.axis);
    const double u = type == ACT_F64 ? 0x1p-53 : 0x1p-24;
    const double scale = q->grad_scale == 0 ? 1 : rounded(type, q->grad_scale);
    memcpy(d2, x, total * size_of[type]);
    if (act_cross_entropy(type, 0, s, q, x, loss, d) != ACT_OK ||
        act_cross_entropy(type, 0, s, q, x, loss2, NULL) != ACT_OK ||
        act_cross_entropy(type, 0, s, q, d2, NULL, d2) != ACT_OK)
        fail("cross-entropy: status");
    for (size_t k = 0; k < total; k++)
        if (get(type, d, k) != get(type, d2, k) && !isnan(get(type, d, k))) {
            fail("cross-entropy gradient in place differs at %zu", k);
            break;
        }
    for (size_t k = 0; k < rows; k++)
        if (get(type, loss, k) != get(type, loss2, k) && !isnan(get(type, loss, k))) {
            fail("loss without gradient differs at %zu", k);
            break;
        }
    for (size_t row = 0; row < rows; row += step) {
        const size_t o = row / s.inner, i = row % s.inner;
        if (q->index && q->index[row] == q->ignore) {
            if (get(type, loss, row) != 0)
                fail("an ignored row has a loss");
            for (size_t j = 0; j < s.axis; j++)
                if (get(type, d, index_of(s, o, j, i)) != 0)
                    fail("an ignored row has a gradient");
            continue;
        }
        row_reference(type, s, NULL, x, o, i, &r);
        real t_sum = 0, want = 0;
        for (size_t j = 0; j < s.axis; j++)
            t_sum += target_of(type, q, s, o, j, i);
        for (size_t j = 0; j < s.axis; j++) {
            const real t = target_of(type, q, s, o, j, i);
            if (t != 0)
                want += t * ((r.max - r.z[j]) + log1pl(r.rest));
        }
        if (r.bad || r.empty)
            want = NAN;
        const double got = get(type, loss, row);
        double unit = ulp_of(type, want);
        if (isfinite((double)want))
            unit =
                fmax(unit, u * (fabs((double)r.max) + log((double)r.n)) * fabs((double)t_sum) / 2);
        note(type, ERR_LOSS, off(type, got, want, unit), "loss", row);
        for (size_t j = 0; j < s.axis; j++) {
            const size_t k = index_of(s, o, j, i);
            const real t = target_of(type, q, s, o, j, i);
            const real p = exp_of(type, r.z[j] - r.max) / r.sum;
            real slope = scale * (p * t_sum - t);
            if (r.bad || r.empty)
                slope = NAN;
            const real terms = fabsl(scale * p * t_sum) + fabsl(scale * t);
            note(type, ERR_GRADIENT,
                 off(type, get(type, d, k), slope,
                     fmax(u * (double)terms, type == ACT_F64 ? 0x1p-1074 : 0x1p-149)),
                 "cross-entropy gradient", k);
        }
        /* An index alone: the gradient at the target does not cancel. */
        if (q->index && q->smoothing == 0 && !r.bad && !r.empty) {
            const size_t j = (size_t)q->index[row], k = index_of(s, o, j, i);
            const real p = exp_of(type, r.z[j] - r.max) / r.sum;
            const real others = r.z[j] == r.max ? r.rest / r.sum : 1 - p;
            const real slope = -scale * t_sum * others;
            if (off(type, get(type, d, k), slope, ulp_of(type, slope)) > 4)
                fail("gradient at the target: %.9g, not %.9g", get(type, d, k), (double)slope);
        }
    }
    free_row(&r);
    free(loss);
    free(d);
    free(loss2);
    free(d2);
}

static void check_targets(act_dtype type, act_shape s, const void *x, size_t step)
{
    const size_t rows = s.outer * s.inner, total = rows * s.axis;
    int64_t *index = malloc(rows * sizeof *index + 1);
    float *weight = malloc(s.axis * sizeof *weight + 1);
    void *prob = new_array(type, total);
    if (!index || !weight)
        exit(2);
    for (size_t k = 0; k < rows; k++)
        index[k] = random_u64() % 8 == 0 ? -100 : (int64_t)(random_u64() % s.axis);
    /* now and then the maximum, which a trained model predicts */
    for (size_t k = 0; k < rows; k += 2) {
        size_t best = 0;
        for (size_t j = 0; j < s.axis; j++)
            if (get(type, x, index_of(s, k / s.inner, j, k % s.inner)) >
                get(type, x, index_of(s, k / s.inner, best, k % s.inner)))
                best = j;
        index[k] = (int64_t)best;
    }
    for (size_t j = 0; j < s.axis; j++)
        weight[j] = (float)(random_u64() % 16) / 8;
    for (size_t k = 0; k < total; k++)
        put(type, prob, k, random_u64() % 4 ? uniform() / (double)s.axis : 0);
    for (int variant = 0; variant < 6; variant++) {
        act_targets q = {.struct_size = sizeof q, .ignore = -100};
        if (variant < 4)
            q.index = index;
        else
            q.prob = prob;
        q.smoothing = variant == 2 || variant == 3 ? 0.1 : variant == 5 ? 0.25 : 0;
        q.class_weight = variant % 2 ? weight : NULL;
        q.grad_scale = variant == 1 ? 1.0 / 1024 : variant == 5 ? -3 : 0;
        check_cross_entropy(type, s, &q, x, step);
    }
    free(index);
    free(weight);
    free(prob);
}

/* ---- what is checked ------------------------------------------------------------------------- */

static void shapes(act_dtype type, int quick)
{
    static const size_t axes[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 127, 128, 129, 257, 1000, 4097};
    static const size_t inners[] = {1, 3, 7, 16, 65, 100};
    static const double sigmas[] = {1, 4, 20, 100}, offsets[] = {0, 150, -1000};
    const size_t most = type == ACT_F64 ? 1000 : 4097;
    for (size_t a = 0; a < sizeof axes / sizeof *axes && axes[a] <= most; a++)
        for (size_t n = 0; n < sizeof inners / sizeof *inners; n++)
            for (size_t k = 0; k < 12; k += quick ? 5 : axes[a] > 300 ? 5 : 2) {
                const double sigma = sigmas[(k + a + n) % 4], offset = offsets[(k / 4 + n) % 3];
                const act_shape s = {inners[n] == 1 ? 5 : 2, axes[a], inners[n]};
                const size_t total = s.outer * s.axis * s.inner;
                const size_t step = total > 20000 ? 7 : 1;
                snprintf(context, sizeof context, "%s [%zu][%zu][%zu] sigma %g offset %g",
                         type_names[type], s.outer, s.axis, s.inner, sigma, offset);
                void *x = new_array(type, total);
                fill(type, x, total, sigma, offset);
                check_forward(type, s, NULL, x, step);
                if (k % 3 == 0) {
                    check_backward(type, s, NULL, x, step);
                    check_targets(type, s, x, step * 3);
                }
                free(x);
            }
}

/* Long rows; all equal, one far above the rest, many small beside one. */
static void long_rows(act_dtype type, size_t n)
{
    const act_shape s = {1, n, 1};
    void *x = new_array(type, n);
    for (int what = 0; what < 5; what++) {
        snprintf(context, sizeof context, "%s %zu elements, case %d", type_names[type], n, what);
        fill(type, x, n, what == 1 ? 20 : 1, 0);
        if (what >= 2)
            for (size_t k = 0; k < n; k++)
                put(type, x, k, what == 2 ? 0.7 : what == 3 ? -31.3 : -20.1);
        if (what >= 3)
            put(type, x, n / 3, 0.2);
        check_forward(type, s, NULL, x, 1);
        check_backward(type, s, NULL, x, 1);
        if (type == ACT_F64 ? what < 4 : what == 3)
            check_targets(type, s, x, 1);
    }
    free(x);
}

static void special_rows(act_dtype type)
{
    static const size_t inners[] = {1, 3, 40};
    enum { N = 21 };
    for (size_t n = 0; n < 3; n++)
        for (int what = 0; what < 10; what++)
            for (int empty = 0; empty < 3; empty++) {
                const act_shape s = {3, N, inners[n]};
                const size_t total = 3 * N * inners[n];
                const act_logits z = {.struct_size = sizeof z, .empty = empty};
                void *x = new_array(type, total);
                fill(type, x, total, 2, 0);
                snprintf(context, sizeof context, "%s special row %d, inner %zu, empty %d",
                         type_names[type], what, inners[n], empty);
                const size_t i = random_u64() % inners[n], at = random_u64() % N;
                for (size_t j = 0; j < N; j++) {
                    const size_t k = index_of(s, 1, j, i);
                    const double other = get(type, x, k);
                    const double values[10][2] = {
                        {-INFINITY, -INFINITY}, {INFINITY, other}, {NAN, other},  {NAN, -INFINITY},
                        {INFINITY, -INFINITY},  {0, -INFINITY},    {3e38, other}, {-3e38, -3e38},
                        {INFINITY, INFINITY},   {-0.0, -3e38}};
                    put(type, x, k, values[what][j != at]);
                }
                check_forward(type, s, &z, x, 1);
                if (empty == 0)
                    check_targets(type, s, x, 1);
                free(x);
            }
}

static void masks(act_dtype type)
{
    static const size_t axes[] = {1, 5, 16, 33, 200}, inners[] = {1, 3, 20, 70};
    for (size_t a = 0; a < 5; a++)
        for (size_t n = 0; n < 4; n++)
            for (int what = 0; what<64; what += a + n> 4 ? 3 : 1) {
                const act_shape s = {4, axes[a], inners[n]};
                const size_t plane = s.axis * s.inner, outers = what & 8 ? 2 : what & 16 ? 3 : 1;
                float *add = malloc(outers * plane * sizeof *add);
                uint8_t *keep = malloc(outers * plane);
                void *x = new_array(type, 4 * plane);
                if (!add || !keep)
                    exit(2);
                fill(type, x, 4 * plane, 3, 0);
                for (size_t k = 0; k < outers * plane; k++) {
                    add[k] = random_u64() % 3 ? (float)normal() : random_u64() % 2 ? -INFINITY : 0;
                    keep[k] = random_u64() % 3 ? (uint8_t)(1u << random_u64() % 8) : 0;
                }
                act_logits z = {.struct_size = sizeof z, .empty = what % 3};
                z.scale = what & 1 ? 0.3 : 0;
                z.add = what & 2 ? add : NULL;
                z.keep = what & 4 ? keep : NULL;
                z.mask_outer = outers == 1 && what & 1 ? 0 : outers;
                if (what & 32) {
                    z.causal_rows = 1 + (size_t)(what & 3);
                    z.causal_offset = (int64_t)(what % 7) - 3;
                }
                if (z.keep) /* what is masked may be anything */
                    for (size_t k = 0; k < plane; k++) {
                        size_t masked = 0;
                        for (size_t o = 0; o < 4; o++)
                            masked += !keep[o % outers * plane + k];
                        if (masked == 4)
                            for (size_t o = 0; o < 4; o++)
                                put(type, x, o * plane + k, k % 2 ? NAN : INFINITY);
                    }
                snprintf(context, sizeof context, "%s [4][%zu][%zu] masks %d", type_names[type],
                         s.axis, s.inner, what);
                check_forward(type, s, &z, x, 1);
                check_backward(type, s, &z, x, 1);
                free(add);
                free(keep);
                free(x);
            }
    /* limits that no arithmetic should overflow */
    enum { N = 9 };
    double x[3 * N];
    static const int64_t offsets[] = {INT64_MIN, INT64_MAX, INT64_MIN + 1, -2, N, 0};
    for (size_t k = 0; k < 6; k++) {
        const act_logits z = {
            .struct_size = sizeof z, .causal_rows = SIZE_MAX, .causal_offset = offsets[k]};
        float y[3 * N];
        fill(ACT_F32, x, 3 * N, 1, 0);
        snprintf(context, sizeof context, "causal offset %lld", (long long)offsets[k]);
        if (act_softmax_forward(ACT_F32, 0, (act_shape){3, N, 1}, &z, x, y) != ACT_OK)
            fail("status");
        for (size_t o = 0; o < 3; o++)
            for (size_t j = 0; j < N; j++) {
                const int sees = offsets[k] > 100 ||
                                 (offsets[k] > -100 && (int64_t)j <= (int64_t)o + offsets[k]);
                if ((y[o * N + j] > 0) != sees)
                    fail("row %zu, element %zu", o, j);
            }
    }
}

/* ---- one result wherever a row stands -------------------------------------------------------- */

enum { OPS = 9 };

/* All functions by number; index targets are x's. */
static act_status run(int op, act_dtype type, act_shape s, const void *x, const void *g,
                      const int64_t *index, void *out, void *out2)
{
    act_targets q = {.struct_size = sizeof q, .index = index, .ignore = -1};
    switch (op) {
    case 0:
    case 1:
    case 2:
        return forward((enum function)op, type, s, NULL, x, out);
    case 3:
        return act_softmax_backward(type, 0, s, NULL, x, g, out);
    case 4:
        return act_log_softmax_backward(type, 0, s, NULL, x, g, out);
    case 5:
        return act_cross_entropy(type, 0, s, &q, x, out2, out);
    case 6:
        q.smoothing = 0.2;
        return act_cross_entropy(type, 0, s, &q, x, out2, out);
    case 7:
        q.index = NULL;
        q.prob = g;
        return act_cross_entropy(type, 0, s, &q, x, out2, out);
    default:
        q.smoothing = 0.2;
        return act_cross_entropy(type, 0, s, &q, x, out2, NULL);
    }
}

static void positions(act_dtype type)
{
    static const size_t axes[] = {1, 2, 5, 16, 17, 100, 128, 130, 1000},
                        inners[] = {2, 3, 16, 33, 64, 100};
    for (size_t a = 0; a < 9; a++)
        for (size_t n = 0; n < 6; n++)
            for (int op = 0; op < OPS; op++) {
                const size_t axis = axes[a], inner = inners[n], total = axis * inner;
                const act_shape wide = {1, axis, inner}, row = {1, axis, 1};
                char *x = new_array(type, total), *g = new_array(type, total);
                char *y = new_array(type, total), *y2 = new_array(type, inner);
                char *x1 = new_array(type, axis + 1), *g1 = new_array(type, axis + 1);
                char *got = new_array(type, axis + 1), *got2 = new_array(type, 1);
                int64_t index[100];
                const size_t size = size_of[type];
                snprintf(context, sizeof context, "%s [%zu][%zu] function %d", type_names[type],
                         axis, inner, op);
                fill(type, x, total, 5, op == 3 || op == 4 ? -10 : 0);
                fill(type, g, total, 1, 0);
                for (size_t i = 0; i < inner; i++)
                    index[i] = (int64_t)(random_u64() % axis);
                if (inner > 2) /* a neighbour that must not matter */
                    put(type, x, 1, NAN);
                run(op, type, wide, x, g, index, y, y2);
                for (size_t i = 0; i < inner; i++) {
                    /* alone, at an odd address */
                    char *xi = x1 + i % 4, *gi = g1 + i % 3;
                    for (size_t j = 0; j < axis; j++) {
                        memcpy(xi + j * size, x + (j * inner + i) * size, size);
                        memcpy(gi + j * size, g + (j * inner + i) * size, size);
                    }
                    run(op, type, row, xi, gi, index + i, got, got2);
                    int same = 1;
                    const size_t count = op == 2 ? 1 : op == 8 ? 0 : axis;
                    for (size_t j = 0; j < count; j++)
                        if (memcmp(got + j * size, y + (j * inner + i) * size, size) != 0 &&
                            !isnan(get(type, got, j)))
                            same = 0;
                    if (op >= 5 && memcmp(got2, y2 + i * size, size) != 0 &&
                        !isnan(get(type, got2, 0)))
                        same = 0;
                    if (!same)
                        fail("column %zu has other bits alone", i);
                }
                free(x);
                free(g);
                free(y);
                free(y2);
                free(x1);
                free(g1);
                free(got);
                free(got2);
            }
}

/* The same f32 bits on every table with FMA, whatever the machine: FNV-1a of all results. */
static const uint64_t fma_bits = 0xa205dba82c88064e;

static void reproducible(void)
{
    enum { AXIS = 777, INNER = 5, TOTAL = AXIS * INNER };
    static float x[TOTAL], g[TOTAL], y[TOTAL], loss[TOTAL];
    int64_t index[AXIS];
    uint64_t bits = 0xcbf29ce484222325;
    snprintf(context, sizeof context, "reproducible");
    state = 99;
    for (size_t k = 0; k < TOTAL; k++) { /* without libm, which differs between machines */
        x[k] = (float)((double)(random_u64() % 4001) / 100 - 20);
        g[k] = (float)((double)(random_u64() % 4001) / 1000 - 2);
    }
    for (size_t i = 0; i < AXIS; i++)
        index[i] = (int64_t)(random_u64() % INNER);
    for (int op = 0; op < OPS; op++)
        for (int last = 0; last < 2; last++) {
            const act_shape s = last ? (act_shape){AXIS, INNER, 1} : (act_shape){1, AXIS, INNER};
            memset(y, 0, sizeof y);
            memset(loss, 0, sizeof loss);
            run(op, ACT_F32, s, x, g, index, y, loss);
            for (size_t k = 0; k < 2 * TOTAL; k++) {
                uint32_t word;
                memcpy(&word, k < TOTAL ? y + k : loss + k - TOTAL, sizeof word);
                bits = (bits ^ word) * 0x100000001b3;
            }
        }
    if (bits != fma_bits)
        fail("the bits are %#llx", (unsigned long long)bits);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* n bytes that end (or begin) at a page that faults. */
static unsigned char *guarded(size_t n, int at_end)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (n + page - 1) / page * page;
    unsigned char *p = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + page, room, PROT_READ | PROT_WRITE) != 0)
        exit(2);
    return p + page + (at_end ? room - n : 0);
}
static void unguard(unsigned char *p, size_t n)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (n + page - 1) / page * page;
    munmap((unsigned char *)((uintptr_t)p / page * page) - page, room + 2 * page);
}

static void memory(act_dtype type)
{
    static const size_t inners[] = {1, 2, 3, 17, 66};
    const size_t size = size_of[type];
    for (size_t axis = 1; axis <= 140; axis += axis < 40 ? 1 : 9)
        for (size_t n = 0; n < 5; n++)
            for (int at_end = 0; at_end < 2; at_end++) {
                const size_t inner = inners[n], total = axis * inner, bytes = total * size;
                const act_shape s = {1, axis, inner};
                unsigned char *x = guarded(bytes, at_end), *g = guarded(bytes, at_end);
                unsigned char *y = guarded(bytes, at_end), *y2 = guarded(inner * size, at_end);
                unsigned char *index = guarded(inner * sizeof(int64_t), at_end);
                unsigned char *keep = guarded(total, at_end);
                unsigned char *add = guarded(total * sizeof(float), at_end);
                unsigned char *weight = guarded(axis * sizeof(float), at_end);
                snprintf(context, sizeof context, "%s memory [%zu][%zu]", type_names[type], axis,
                         inner);
                fill(type, x, total, 1, 0);
                fill(type, g, total, 1, 0);
                fill(ACT_F32, add, total, 1, 0);
                fill(ACT_F32, weight, axis, 1, 0);
                for (size_t k = 0; k < total; k++)
                    keep[k] = (uint8_t)(random_u64() % 2);
                for (size_t i = 0; i < inner; i++) {
                    const int64_t class = (int64_t)(random_u64() % axis);
                    memcpy(index + i * sizeof class, &class, sizeof class);
                }
                for (int op = 0; op < OPS; op++) {
                    /* logsumexp has one result a column: into y2, whose page ends there */
                    run(op, type, s, x, g, (int64_t *)index, op == 2 ? y2 : y, y2);
                    const int64_t *target = op < 7 ? (int64_t *)index : NULL;
                    act_logits z = {.struct_size = sizeof z, .scale = 2};
                    z.add = (float *)add;
                    z.keep = keep;
                    act_targets q = {.struct_size = sizeof q, .index = target};
                    q.class_weight = (float *)weight;
                    q.prob = target ? NULL : g;
                    q.ignore = -1;
                    q.smoothing = op == 6 ? .5 : 0;
                    if (op < 3)
                        forward((enum function)op, type, s, &z, x, op == 2 ? y2 : y);
                    else if (op == 3)
                        act_softmax_backward(type, 0, s, &z, x, g, y);
                    else if (op == 4)
                        act_log_softmax_backward(type, 0, s, &z, x, g, y);
                    else
                        act_cross_entropy(type, 0, s, &q, x, y2, y);
                }
                unguard(x, bytes);
                unguard(g, bytes);
                unguard(y, bytes);
                unguard(y2, inner * size);
                unguard(index, inner * sizeof(int64_t));
                unguard(keep, total);
                unguard(add, total * sizeof(float));
                unguard(weight, axis * sizeof(float));
            }
    /* Nothing beside the output within a page either. */
    for (size_t inner = 1; inner <= 20; inner += 19)
        for (int op = 0; op < OPS; op++) {
            double x[200], g[200], y[400], y2[400];
            int64_t index[20] = {0};
            const act_shape s = {1, 9, inner};
            const size_t count = 9 * inner * size, rows = inner * size;
            fill(type, x, 200, 1, 0);
            fill(type, g, 200, 1, 0);
            memset(y, 0xa5, sizeof y);
            memset(y2, 0xa5, sizeof y2);
            run(op, type, s, x, g, index, (char *)y + 64, (char *)y2 + 64);
            const size_t wrote = op == 8 ? 0 : op == 2 ? rows : count, wrote2 = op >= 5 ? rows : 0;
            snprintf(context, sizeof context, "%s function %d, inner %zu", type_names[type], op,
                     inner);
            for (size_t k = 0; k < sizeof y; k++)
                if ((k < 64 || k >= 64 + wrote) && ((unsigned char *)y)[k] != 0xa5)
                    fail("wrote to byte %zu", k);
            for (size_t k = 0; k < sizeof y2; k++)
                if ((k < 64 || k >= 64 + wrote2) && ((unsigned char *)y2)[k] != 0xa5)
                    fail("wrote to byte %zu of the losses", k);
        }
}

/* ---- gradients by differences ---------------------------------------------------------------- */

/* sum g f(x) around x, f64. */
static double weighted(enum function f, const act_logits *z, size_t n, const double *x,
                       const double *g)
{
    double y[64], sum = 0;
    forward(f, ACT_F64, (act_shape){1, n, 1}, z, x, y);
    for (size_t j = 0; j < n; j++)
        sum += isinf(y[j]) ? 0 : g[j] * y[j];
    return sum;
}

static void differences(void)
{
    enum { N = 23 };
    const double h = 1e-6;
    double x[N], g[N], y[N], d[N], loss[1], prob[N];
    float add[N], weight[N];
    uint8_t keep[N];
    fill(ACT_F64, x, N, 2, 0);
    fill(ACT_F64, g, N, 1, 0);
    fill(ACT_F32, add, N, 1, 0);
    for (size_t j = 0; j < N; j++) {
        keep[j] = j % 5 != 2;
        weight[j] = (float)(j % 3 + 1) / 2;
        prob[j] = (double)(j % 4) / 10;
    }
    for (int masked = 0; masked < 2; masked++) {
        const act_logits z = {.struct_size = sizeof z,
                              .scale = 1.7,
                              .add = add,
                              .keep = keep,
                              .causal_rows = 1,
                              .causal_offset = N - 3};
        for (enum function f = SOFTMAX; f <= LOG_SOFTMAX; f++) {
            const act_logits *logits = masked ? &z : NULL;
            const act_shape s = {1, N, 1};
            snprintf(context, sizeof context, "differences of %s, masks %d", names[f], masked);
            forward(f, ACT_F64, s, logits, x, y);
            if (f == SOFTMAX)
                act_softmax_backward(ACT_F64, 0, s, logits, y, g, d);
            else
                act_log_softmax_backward(ACT_F64, 0, s, logits, y, g, d);
            for (size_t j = 0; j < N; j++) {
                const double at = x[j];
                x[j] = at + h;
                const double more = weighted(f, logits, N, x, g);
                x[j] = at - h;
                const double less = weighted(f, logits, N, x, g);
                x[j] = at;
                if (!(fabs((more - less) / (2 * h) - d[j]) < 1e-7))
                    fail("%zu: %.9g, not %.9g", j, d[j], (more - less) / (2 * h));
            }
        }
    }
    for (int variant = 0; variant < 4; variant++) {
        const int64_t index = 4;
        act_targets q = {.struct_size = sizeof q, .ignore = -1, .class_weight = weight};
        q.index = variant < 2 ? &index : NULL;
        q.prob = variant < 2 ? NULL : prob;
        q.smoothing = variant % 2 ? .2 : 0;
        q.grad_scale = 1;
        const act_shape s = {1, N, 1};
        snprintf(context, sizeof context, "differences of cross-entropy %d", variant);
        act_cross_entropy(ACT_F64, 0, s, &q, x, loss, d);
        for (size_t j = 0; j < N; j++) {
            const double at = x[j];
            double more, less;
            x[j] = at + h;
            act_cross_entropy(ACT_F64, 0, s, &q, x, &more, NULL);
            x[j] = at - h;
            act_cross_entropy(ACT_F64, 0, s, &q, x, &less, NULL);
            x[j] = at;
            if (!(fabs((more - less) / (2 * h) - d[j]) < 1e-7))
                fail("%zu: %.9g, not %.9g", j, d[j], (more - less) / (2 * h));
        }
    }
}

/* ---- statuses -------------------------------------------------------------------------------- */

static void expect(act_status got, act_status want, const char *what)
{
    if (got != want)
        fail("%s: %s, not %s", what, act_status_string(got), act_status_string(want));
}

static unsigned char arena[4096], arena_before[4096];

/* Any function, with every pointer into the arena. */
static act_status any(int f, act_dtype type, unsigned flags, act_shape s, const act_logits *z,
                      const act_targets *q, const void *in, const void *g, void *out)
{
    switch (f) {
    case 0:
        return act_softmax_forward(type, flags, s, z, in, out);
    case 1:
        return act_log_softmax_forward(type, flags, s, z, in, out);
    case 2:
        return act_logsumexp(type, flags, s, z, in, out);
    case 3:
        return act_softmax_backward(type, flags, s, z, in, g, out);
    case 4:
        return act_log_softmax_backward(type, flags, s, z, in, g, out);
    default:
        return act_cross_entropy(type, flags, s, q, in, NULL, out);
    }
}

static void statuses(void)
{
    const act_shape s = {2, 5, 3}, huge = {SIZE_MAX / 2, 3, 3}, wraps = {(size_t)1 << 62, 4, 1};
    const act_shape none[] = {{0, 5, 3}, {2, 0, 3}, {2, 5, 0}};
    float *x = (float *)arena, *y = x + 100, *g = x + 200;
    int64_t *index = (int64_t *)(void *)(arena + 3200);
    const act_logits plain = {.struct_size = sizeof plain},
                     bad = {.struct_size = sizeof bad, .scale = NAN};
    const act_targets ok = {.struct_size = sizeof ok, .index = index, .ignore = -1};
    act_targets bad_q = ok;
    bad_q.smoothing = -.1;
    for (size_t i = 0; i < sizeof arena; i++)
        arena[i] = (unsigned char)(0x35 ^ i * 7);
    for (int i = 0; i < 6; i++)
        index[i] = i % 5;
    memcpy(arena_before, arena, sizeof arena);
    snprintf(context, sizeof context, "statuses");
    for (int f = 0; f < 6; f++) {
        const act_logits *z = &bad;
        const act_targets *q = &bad_q;
        char what[60];
        snprintf(what, sizeof what, "function %d", f);
        /* in the promised order: each call has the later faults as well */
        static const act_dtype types[] = {-1, 2, 3, 4, 5, 6, 1000};
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            expect(any(f, types[i], 64, huge, z, q, NULL, NULL, NULL), ACT_ERR_UNSUPPORTED, what);
        expect(any(f, ACT_F32, 64, huge, z, q, NULL, NULL, NULL), ACT_ERR_UNSUPPORTED, what);
        expect(any(f, ACT_F32, 1u << 31, s, &plain, &ok, x, g, y), ACT_ERR_UNSUPPORTED, what);
        expect(any(f, ACT_F32, ACT_ACCUMULATE, huge, z, q, NULL, NULL, NULL), ACT_ERR_UNSUPPORTED,
               what);
        expect(any(f, ACT_F32, ACT_SERIAL, huge, z, q, NULL, NULL, NULL), ACT_ERR_SIZE, what);
        expect(any(f, ACT_F64, 0, wraps, z, q, NULL, NULL, NULL), ACT_ERR_SIZE, what);
        expect(any(f, ACT_F64, 0, s, z, q, NULL, NULL, NULL), ACT_ERR_PARAM, what);
        for (int i = 0; i < 3; i++) {
            expect(any(f, ACT_F32, 0, none[i], z, q, NULL, NULL, NULL), ACT_ERR_PARAM, what);
            expect(any(f, ACT_F32, 0, none[i], NULL, NULL, NULL, NULL, NULL), ACT_OK, what);
            expect(any(f, ACT_F32, 0, none[i], &plain, &ok, x, g, x + 1), ACT_OK, what);
        }
        expect(any(f, ACT_F32, 0, s, &plain, &ok, NULL, x + 1, x), ACT_ERR_NULL, what);
        expect(any(f, ACT_F32, 0, s, NULL, &ok, x, x + 1, NULL), ACT_ERR_NULL, what);
        if (f == 3 || f == 4)
            expect(any(f, ACT_F32, 0, s, NULL, &ok, x, NULL, x + 1), ACT_ERR_NULL, what);
        expect(any(f, ACT_F32, 0, s, NULL, &ok, x, g, x + 1), ACT_ERR_OVERLAP, what);
        expect(any(f, ACT_F32, 0, s, NULL, &ok, x + 20, g, (char *)x + 1),
               f == 2 ? ACT_OK : ACT_ERR_OVERLAP, what);
        if (f == 2) {
            memcpy(arena, arena_before, sizeof arena);
            expect(any(f, ACT_F32, 0, s, NULL, &ok, x, g, x), ACT_ERR_OVERLAP, what);
        }
        if (f == 3 || f == 4)
            expect(any(f, ACT_F32, 0, s, NULL, &ok, x, g, g - 1), ACT_ERR_OVERLAP, what);
        const int fma = act_get_isa() != ACT_ISA_SCALAR && act_get_isa() != ACT_ISA_SSE42;
        expect(any(f, ACT_F32, ACT_REPRODUCIBLE, huge, NULL, &ok, x, g, y),
               fma ? ACT_ERR_SIZE : ACT_ERR_UNSUPPORTED, what);
    }
    /* logits */
    for (int f = 0; f < 5; f++) {
        struct {
            act_logits z;
            size_t more;
        } newer = {{.struct_size = sizeof newer}, 0};
        act_logits z = plain;
#define LOGITS(want, ...)                                                                          \
    do {                                                                                           \
        z = (act_logits){__VA_ARGS__};                                                             \
        if (z.struct_size == 0)                                                                    \
            z.struct_size = sizeof z;                                                              \
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, x + 1), want, #__VA_ARGS__);                  \
    } while (0)
        LOGITS(ACT_ERR_PARAM, .scale = INFINITY);
        LOGITS(ACT_ERR_PARAM, .scale = 1e300);
        LOGITS(ACT_ERR_PARAM, .empty = 3);
        LOGITS(ACT_ERR_PARAM, .empty = -1);
        LOGITS(ACT_ERR_SIZE, .add = x, .mask_outer = SIZE_MAX / 8);
        LOGITS(ACT_ERR_SIZE, .struct_size = 8);
        z = (act_logits){.scale = 2}; /* no struct_size */
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, x + 1), ACT_ERR_SIZE, "no struct_size");
        z = (act_logits){.scale = 0}; /* all zero: plain */
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, x + 1), ACT_ERR_OVERLAP, "all zero");
        LOGITS(ACT_ERR_OVERLAP, .scale = -1);
        newer.more = 1;
        expect(any(f, ACT_F32, 0, s, &newer.z, NULL, x, g, x + 1), ACT_ERR_UNSUPPORTED, "newer");
        newer.more = 0;
        expect(any(f, ACT_F32, 0, s, &newer.z, NULL, x, g, x + 1), ACT_ERR_OVERLAP, "newer, zero");
        /* an output over a mask */
        z = (act_logits){.struct_size = sizeof z, .add = y};
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, y), ACT_ERR_OVERLAP, "add");
        z = (act_logits){.struct_size = sizeof z, .keep = (uint8_t *)y + 3};
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, y), ACT_ERR_OVERLAP, "keep");
        /* an older caller's struct ends after add */
        z = (act_logits){.struct_size = offsetof(act_logits, keep), .empty = 77};
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, x + 1), ACT_ERR_OVERLAP, "older");
    }
    /* targets */
    float *loss = (float *)(void *)(arena + 3600);
    act_targets q;
#define TARGETS(want, ...)                                                                         \
    do {                                                                                           \
        q = (act_targets){.ignore = -7, __VA_ARGS__};                                              \
        if (q.struct_size == 0)                                                                    \
            q.struct_size = sizeof q;                                                              \
        expect(act_cross_entropy(ACT_F32, 0, s, &q, x, loss, y), want, #__VA_ARGS__);              \
    } while (0)
    TARGETS(ACT_ERR_PARAM, .index = index, .prob = g);
    TARGETS(ACT_ERR_NULL, .smoothing = 0);
    TARGETS(ACT_ERR_PARAM, .index = index, .smoothing = 1.5);
    TARGETS(ACT_ERR_PARAM, .index = index, .smoothing = NAN);
    TARGETS(ACT_ERR_PARAM, .index = index, .grad_scale = INFINITY);
    TARGETS(ACT_ERR_SIZE, .index = index, .struct_size = 8);
    TARGETS(ACT_ERR_OVERLAP, .prob = y);
    TARGETS(ACT_ERR_OVERLAP, .prob = y + 1);
    TARGETS(ACT_ERR_OVERLAP, .index = (int64_t *)(void *)y);
    TARGETS(ACT_ERR_OVERLAP, .index = index, .class_weight = loss + 1);
    expect(act_cross_entropy(ACT_F32, 0, s, &ok, x, NULL, NULL), ACT_ERR_NULL, "no output");
    expect(act_cross_entropy(ACT_F32, 0, s, NULL, x, loss, y), ACT_ERR_NULL, "no targets");
    expect(act_cross_entropy(ACT_F32, 0, s, &ok, x, x + 2, NULL), ACT_ERR_OVERLAP, "loss in x");
    expect(act_cross_entropy(ACT_F32, 0, s, &ok, x, y + 2, y), ACT_ERR_OVERLAP, "loss in grad_in");
    static const int64_t bad_indices[] = {-1, 5, INT64_MIN, INT64_MAX, -8};
    for (size_t i = 0; i < 5; i++) {
        index[5] = bad_indices[i];
        memcpy(arena_before, arena, sizeof arena);
        TARGETS(ACT_ERR_PARAM, .index = index);
        if (memcmp(arena, arena_before, sizeof arena) != 0)
            fail("an error wrote something");
    }
    index[5] = 0;
    memcpy(arena_before + 3200, arena + 3200, 48);
    if (memcmp(arena, arena_before, sizeof arena) != 0)
        fail("an error wrote something");
    TARGETS(ACT_OK, .index = index);
    expect(act_softmax_forward(ACT_F32, ACT_SERIAL, s, &plain, x, x), ACT_OK, "in place");
    expect(act_softmax_backward(ACT_F32, 0, s, &plain, x, y, y), ACT_OK, "over grad_out");
    expect(act_softmax_backward(ACT_F32, 0, s, &plain, x, y, x), ACT_OK, "over the output");
    expect(act_logsumexp(ACT_F32, 0, (act_shape){2, 1, 3}, NULL, x, x), ACT_OK, "axis 1 in place");
}

int main(int argc, char **argv)
{
    const act_isa old = act_get_isa();
    int quick = 0, bits = 0;
    const char *only = NULL, *only_type = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0)
            verbose = 1;
        else if (strcmp(argv[i], "--quick") == 0)
            quick = 1;
        else if (strcmp(argv[i], "--bits") == 0)
            bits = 1;
        else if (strncmp(argv[i], "--type=", 7) == 0)
            only_type = argv[i] + 7;
        else
            only = argv[i];
    }
    for (act_isa isa = 0; isa < act_isa_count(); isa++) {
        if (act_set_isa(isa) != ACT_OK || (only && strcmp(only, act_isa_name(isa)) != 0))
            continue;
        memset(worst, 0, sizeof worst);
        if (isa != ACT_ISA_SCALAR && isa != ACT_ISA_SSE42)
            reproducible();
        state = 1;
        statuses();
        differences();
        for (act_dtype type = ACT_F32; type <= ACT_F64; type++) {
            if (only_type && strcmp(only_type, type_names[type]) != 0)
                continue;
            special_rows(type);
            if (bits)
                continue;
            masks(type);
            positions(type);
            memory(type);
            shapes(type, quick || isa == ACT_ISA_SCALAR);
            if (!quick)
                long_rows(type, type == ACT_F64 || isa == ACT_ISA_SCALAR ? 20000 : (size_t)1 << 20);
            for (enum measure m = 0; verbose && m < MEASURES; m++)
                printf("%s %s %s: %.3f at %s\n", act_isa_name(isa), type_names[type],
                       measure_names[m], worst[type][m].error, worst[type][m].where);
        }
    }
    act_set_isa(old);
    if (failures)
        printf("%d failures\n", failures);
    return failures != 0;
}
