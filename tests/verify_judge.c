/* The loops over a chunk of inputs. They are compiled -O3, so that those without a call become
 * vector code: a chunk with nothing new costs about as much as one kernel. */
#include "tests/verify.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* gcc picks one when the program starts; this is no library. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

static uint32_t mix(uint32_t i)
{
    i = (i ^ i >> 16) * 0x7feb352du;
    i = (i ^ i >> 15) * 0x846ca68bu;
    return i ^ i >> 16;
}

static uint64_t bits_at(const struct pass *pass, uint64_t i)
{
    return i * pass->step + mix((uint32_t)i) % pass->step;
}

static void consecutive(float *restrict x, uint32_t first, int n)
{
    for (int k = 0; k < n; k++) {
        const uint32_t bits = first + (uint32_t)k;
        memcpy(&x[k], &bits, sizeof bits);
    }
}

void chunk_inputs(struct chunk *c, uint64_t first)
{
    if (c->pass->step == 1)
        consecutive(c->x, (uint32_t)first, c->n);
    else
        for (int k = 0; k < c->n; k++)
            c->x[k] = float_of_bits((uint32_t)bits_at(c->pass, first + (uint64_t)k));
}

CLONES static void widen(double *restrict wide, const float *restrict x, int n)
{
    for (int k = 0; k < n; k++)
        wide[k] = (double)x[k];
}

void chunk_widen(struct chunk *c)
{
    widen(c->wide_x, c->x, c->n);
}

/* Which g an input gets hangs on its bits alone. */
CLONES static void mixed_grads(float *restrict g, const float *restrict x, int n)
{
    static const float values[16] = {1,         -1,        0x1p100f, 0x1p-100f, INFINITY,   0,
                                     -0x1p100f, -INFINITY, 0.7f,     -1.3f,     -0x1p-100f, -0.0f,
                                     3.7f,      NAN,       1e-3f,    -1e5f};
    for (int k = 0; k < n; k++) {
        uint32_t bits;
        memcpy(&bits, &x[k], sizeof bits);
        g[k] = values[(bits * 0x9e3779b1u) >> 28];
    }
}

void chunk_grads(struct chunk *c, int mixed)
{
    if (mixed)
        mixed_grads(c->g, c->x, c->n);
    else
        for (int k = 0; k < c->n; k++)
            c->g[k] = 1;
    widen(c->wide_g, c->g, c->n);
}

CLONES static int round_all(float *restrict nearest, const double *restrict want, int n)
{
    int64_t differ = 0;
    for (int k = 0; k < n; k++) {
        nearest[k] = (float)want[k];
        differ |= (double)nearest[k] != want[k];
    }
    return !differ;
}

void chunk_nearest(struct chunk *c)
{
    c->exact = round_all(c->nearest, c->want, c->n);
}

/* The errors of some results at once, as forward_error and backward_error have them. */
struct glance {
    double top;     /* the largest */
    int64_t above1; /* how many are above 1 ULP */
    int64_t odd;    /* some result is no finite one of the right sign, nor right */
};

/* Forward the slope is 1 and no absolute bound holds.
 * All in int64_t and double, of one width, and the maximum one of integers, which bits of positive
 * doubles are ordered as: else gcc 12 makes no vector code of it. */
CLONES static struct glance look(const struct chunk *c, const double *restrict slope, int from,
                                 int n)
{
    const float *restrict x = c->x + from, *restrict got = c->got + from;
    const float *restrict g = c->g + from, *restrict nearest = c->nearest + from;
    const double *restrict want = c->want + from, zero = c->zero;
    const double window = zero_window(zero);
    int64_t top = 0, above1 = 0, odd = 0;
    slope += from;
    for (int k = 0; k < n; k++) {
        const double w = want[k], q = (double)got[k], size = fabs((double)g[k]);
        const double off = fabs(q - w);
        int64_t w_bits, q_bits;
        memcpy(&w_bits, &w, sizeof w_bits);
        memcpy(&q_bits, &q, sizeof q_bits);
        int64_t exponent = w_bits >> 52 & 0x7ff; /* 1 / ulp, as in ulp_error */
        exponent = exponent < 1023 - 126 ? 1023 - 126 : exponent;
        const int64_t inverse_bits = (int64_t)((uint64_t)(2 * 1023 + 23 - exponent) << 52);
        double inverse;
        memcpy(&inverse, &inverse_bits, sizeof inverse);
        const double error = off * inverse;
        int64_t error_bits;
        memcpy(&error_bits, &error, sizeof error_bits);
        const int64_t same_sign = (w_bits ^ q_bits) >= 0 ? -1 : 0;
        const int64_t w_finite = fabs(w) <= (double)FLT_MAX ? -1 : 0;
        const int64_t q_finite = fabs(q) <= (double)FLT_MAX ? -1 : 0;
        const int64_t w_nan = w != w ? -1 : 0, q_nan = q != q ? -1 : 0;
        const int64_t rounded = q == (double)nearest[k] ? -1 : 0;
        const int64_t flat = fabs(slope[k]) < 0x1p-126 ? -1 : 0;
        const int64_t tiny = off <= 0x1p-148 * (size > 1 ? size : 1) ? -1 : 0;
        const int64_t signed_right = q != 0 ? -1 : same_sign;
        const int64_t near = fabs((double)x[k] - zero) <= window ? -1 : 0;
        const int64_t close = off <= 0x1p-22 * size ? -1 : 0;
        const int64_t much = error > 1 ? -1 : 0;
        const int64_t excused = (flat & tiny & signed_right) | (near & close);
        const int64_t counts = w_finite & q_finite & same_sign & ~excused;
        const int64_t counted = error_bits & counts;
        odd |=
            ~(counts | (w_finite & q_finite & excused) | (w_nan & q_nan) | (rounded & same_sign));
        top = counted > top ? counted : top;
        above1 -= much & counts;
    }
    struct glance seen = {0, above1, odd};
    memcpy(&seen.top, &top, sizeof seen.top);
    return seen;
}

/* Result by result: those that a glance cannot judge, or that are to be audited. */
static void judge_each(struct chunk *c, struct record *r, double suspect, struct budget *budget)
{
    const enum op op = c->pass->op;
    for (int k = 0; k < c->n; k++) {
        double terms = terms_of(c->pass->kind, op, &c->pass->params, (double)c->x[k]);
        /* Their bound is lax: for some of those that need it, drawn by their bits, the sum itself.
         */
        if (terms > 0 && budget->terms > 0 && isfinite(c->x[k]) &&
            mix(bits_of_float(c->x[k])) % 8 == 0 && ulp_error(c->got[k], c->want[k]) > 1) {
            budget->terms--;
            terms = exact_terms(c->pass, op, c->x[k]);
        }
        const double error = op == OP_FORWARD ? forward_error(terms, c->got[k], c->want[k])
                                              : backward_error(terms, c->zero, c->x[k], c->g[k],
                                                               c->got[k], c->want[k], c->slope[k]);
        note(&r->worst, error, c->x[k], c->g[k], c->got[k], c->want[k]);
        r->special += isinf(error) != 0;
        if (error > suspect && budget->suspects > 0) {
            budget->suspects--;
            audit_value(&r->audit, c->pass, op, c->x[k], c->g[k], c->want[k]);
        }
    }
}

/* A new worst error, and no more than that: whose it is, by halving. An error that grows slowly
 * with x is a new worst one in every chunk. */
static void find_worst(const struct chunk *c, const double *slope, double top, struct worst *worst)
{
    int from = 0, n = c->n;
    while (n > 1) {
        const int half = n / 2;
        if (look(c, slope, from, half).top < top) {
            from += half;
            n -= half;
        } else {
            n = half;
        }
    }
    worst->ulp = top;
    worst->x = c->x[from];
    worst->g = c->g[from];
    worst->got = c->got[from];
    worst->want = c->want[from];
}

void chunk_judge(struct chunk *c, struct record *r, double bound, struct budget *budget)
{
    const double suspect = budget->suspects > 0 ? 0.95 * bound : INFINITY;
    /* Correctly rounded, all of it: at most half an ULP, which is no news or no error at all. */
    if (memcmp(c->got, c->nearest, (size_t)c->n * sizeof *c->got) == 0 &&
        (c->exact || (r->worst.ulp > 0.4999 && suspect >= 0.5)))
        return;
    static double ones[CHUNK];
    if (ones[0] == 0)
        for (int k = 0; k < CHUNK; k++)
            ones[k] = 1;
    const double *slope = c->pass->op == OP_FORWARD ? ones : c->slope;
    const struct glance seen = look(c, slope, 0, c->n);
    const int cancels = seen.top > r->worst.ulp && act_tests[c->pass->kind]->cancels;
    if (seen.odd || cancels || seen.top > suspect) {
        judge_each(c, r, suspect, budget);
        return;
    }
    r->worst.above1 += (uint64_t)seen.above1;
    if (seen.top > r->worst.ulp)
        find_worst(c, slope, seen.top, &r->worst);
}
