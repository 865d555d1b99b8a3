/* The loops over a chunk of inputs. They are compiled -O3, so that those without a call become
 * vector code: a chunk with nothing new costs about as much as one kernel. */
#include "tests/verify.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* gcc picks one when the program starts; this is no library. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
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

/* What a chunk has, as far as a few operations tell. */
struct glance {
    double top;     /* the largest error of the plain results */
    int64_t above1; /* plain results with more than 1 ULP */
    int64_t odd;    /* not plain: wrong specials, and what an absolute bound may excuse */
};

CLONES static struct glance look(const float *restrict x, const float *restrict got,
                                 const float *restrict nearest, const double *restrict want,
                                 const double *restrict slope, double zero, double quiet, int n)
{
    double top = 0;
    int64_t above1 = 0, odd = 0;
    const double window = zero != 0 ? 0.5 : -1;
    for (int k = 0; k < n; k++) {
        const double w = want[k], q = (double)got[k];
        int64_t w_bits, q_bits;
        memcpy(&w_bits, &w, sizeof w_bits);
        memcpy(&q_bits, &q, sizeof q_bits);
        int64_t exponent = w_bits >> 52 & 0x7ff; /* 1 / ulp, as in ulp_error */
        exponent = exponent < 1023 - 126 ? 1023 - 126 : exponent;
        const int64_t inverse_bits = (2 * 1023 + 23 - exponent) * ((int64_t)1 << 52);
        double inverse;
        memcpy(&inverse, &inverse_bits, sizeof inverse);
        const double error = fabs(q - w) * inverse;
        const int same_sign = (w_bits ^ q_bits) >= 0;
        const int plain = (fabs(w) <= (double)FLT_MAX) & (fabs(q) <= (double)FLT_MAX) & same_sign;
        const int excusable = (fabs(slope[k]) < 0x1p-126) | (fabs((double)x[k] - zero) <= window);
        const int right = ((w != w) & (q != q)) | ((q == (double)nearest[k]) & same_sign);
        const int counts = plain & !(excusable & (error > quiet));
        odd |= !counts & !right;
        const double counted = counts ? error : 0;
        top = counted > top ? counted : top;
        above1 += counted > 1;
    }
    return (struct glance){top, above1, odd};
}

/* Result by result: after a glance that found something. */
static void judge_each(struct chunk *c, struct record *r, double suspect, int *suspects)
{
    const enum op op = c->pass->op;
    for (int k = 0; k < c->n; k++) {
        const double terms = terms_of(c->pass->kind, &c->pass->params, c->x[k]);
        const double error = op == OP_FORWARD ? forward_error(terms, c->got[k], c->want[k])
                                              : backward_error(terms, c->zero, c->x[k], c->g[k],
                                                               c->got[k], c->want[k], c->slope[k]);
        note(&r->worst, error, c->x[k], c->g[k], c->got[k], c->want[k]);
        r->special += isinf(error) != 0;
        if (error > suspect && *suspects > 0) {
            --*suspects;
            audit_value(&r->audit, c->pass, op, c->x[k], c->g[k], c->want[k]);
        }
    }
}

void chunk_judge(struct chunk *c, struct record *r, double bound, int *suspects)
{
    const double suspect = *suspects > 0 ? 0.95 * bound : INFINITY;
    /* Correctly rounded, all of it: at most half an ULP, which is no news or no error at all. */
    if (memcmp(c->got, c->nearest, (size_t)c->n * sizeof *c->got) == 0 &&
        (c->exact || (r->worst.ulp > 0.4999 && suspect >= 0.5)))
        return;
    /* Of a derivative an absolute bound may hold; forward there is none. */
    static double none[CHUNK];
    if (none[0] == 0)
        for (int k = 0; k < CHUNK; k++)
            none[k] = 1;
    const double *slope = c->pass->op == OP_FORWARD ? none : c->slope;
    const double quiet = bound < 0.5 ? 0 : 0.5;
    const struct glance seen = look(c->x, c->got, c->nearest, c->want, slope, c->zero, quiet, c->n);
    if (seen.odd || seen.top > r->worst.ulp || seen.top > suspect)
        judge_each(c, r, suspect, suspects);
    else
        r->worst.above1 += (uint64_t)seen.above1;
}
