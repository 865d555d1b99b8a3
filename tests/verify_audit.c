/* The oracle of the sweep, the f64 functions of the best table, against the formulas in MPFR: on
 * one input of 1024, and where a kernel comes close to its bound. */
#include "tests/reference.h"
#include "tests/verify.h"

#include <math.h>

/* What the error of a kind that cancels is relative to. */
static double sum_of_terms(const struct pass *pass, enum op op, const struct formula_value *v,
                           double x)
{
    const double terms = mpfr_get_d(op == OP_BACKWARD ? v->slope_terms : v->terms, MPFR_RNDU);
    return act_tests[pass->kind]->cancels == 3
               ? fmax(terms, terms_of(pass->kind, op, &pass->params, x))
               : terms;
}

/* How far the oracle's value is off what the formula gives, in f32 ULP or, where an absolute bound
 * of actfn.h holds for the kernels, in units of that. */
static double oracle_error(const struct pass *pass, enum op op, const struct formula_value *v,
                           double x, double g, double got, double *want)
{
    static mpfr_t exact;
    static int ready;
    if (!ready++)
        mpfr_init2(exact, 90);
    reference_want(v, op, x, g, exact);
    *want = mpfr_get_d(exact, MPFR_RNDN);
    double error = reference_ulps(got, exact, 24, -126);
    if (op == OP_FORWARD && x == 0 && got == 0 && *want == 0)
        return 0; /* the sign of f(-0) is a convention: check_contract */
    if (error == 0 || !isfinite(got) || !isfinite(*want))
        return error;
    const double off = fabs(got - *want), size = fabs(g);
    if (act_tests[pass->kind]->cancels) {
        const double terms = sum_of_terms(pass, op, v, x);
        error = fmin(error, off * 0x1p24 / (terms * (op == OP_FORWARD ? 1 : size)));
    }
    if (op == OP_FORWARD)
        return error;
    const double zero = op == OP_BACKWARD ? zero_of(pass->kind, &pass->params) : 0;
    if (beside_zero(x, zero))
        error = fmin(error, off / (0x1p-22 * size));
    if (fabs(mpfr_get_d(v->slope, MPFR_RNDN)) < 0x1p-126 && !signbit(got) == !signbit(*want))
        error = fmin(error, off / (0x1p-148 * fmax(1, size)));
    return error;
}

/* A value and what it is off. */
static void note_audit(struct audit *audit, double error, double x, double g, double got,
                       double want)
{
    audit->bad += !(error <= AUDIT_TOLERANCE);
    if (!(error <= audit->ulp)) {
        audit->ulp = error;
        audit->x = x;
        audit->g = g;
        audit->got = got;
        audit->want = want;
    }
}

/* A few bits may do. An exact 0 may be what cancellation left, so it is never taken from them. */
static int settled(enum op op, const struct formula_value *v, double error)
{
    return error <= AUDIT_TOLERANCE / 2 &&
           (v->constant || !mpfr_zero_p(op == OP_FORWARD ? v->value : v->slope));
}

void audit_value(struct audit *audit, const struct pass *pass, enum op op, float x, float g,
                 double got)
{
    static struct formula_value v;
    static int ready;
    if (!ready++)
        formula_init(&v);
    const act_params params = rounded_params(&pass->params);
    double error = INFINITY, want = 0;
    if (isfinite(x)) {
        reference_quick(pass->kind, op, (double)x, &params, &v);
        error = oracle_error(pass, op, &v, (double)x, (double)g, got, &want);
    }
    if (!isfinite(x) || !settled(op, &v, error)) {
        reference_at(pass->kind, op, (double)x, &params, &v);
        error = oracle_error(pass, op, &v, (double)x, (double)g, got, &want);
    }
    audit->inputs++;
    note_audit(audit, error, (double)x, (double)g, got, want);
}

double exact_terms(const struct pass *pass, enum op op, float x)
{
    static struct formula_value v;
    static int ready;
    if (!ready++)
        formula_init(&v);
    const act_params params = rounded_params(&pass->params);
    reference_at(pass->kind, op, (double)x, &params, &v);
    return sum_of_terms(pass, op, &v, (double)x);
}

/* f, f' and g f' at x, from one evaluation. f is NULL for a from-output form. */
static void audit_point(const struct pass *pass, const struct chunk *c, int k, const double *value,
                        struct audit *f, struct audit *slope)
{
    static struct formula_value v;
    static int ready;
    if (!ready++)
        formula_init(&v);
    const enum op op = pass->op == OP_FORWARD ? OP_BACKWARD : pass->op;
    const double x = (double)c->x[k];
    double error[3] = {0}, want[3];
    for (int full = isfinite(x) ? 0 : 1; full < 2; full++) {
        (full ? reference_at : reference_quick)(pass->kind, op, x, &c->params, &v);
        error[0] = f ? oracle_error(pass, OP_FORWARD, &v, x, 0, value[k], &want[0]) : 0;
        error[1] = oracle_error(pass, op, &v, x, 1, c->slope[k], &want[1]);
        error[2] = oracle_error(pass, op, &v, x, c->wide_g[k], c->want[k], &want[2]);
        if ((!f || settled(OP_FORWARD, &v, error[0])) && settled(op, &v, error[1]) &&
            settled(op, &v, error[2]))
            break;
    }
    if (f) {
        f->inputs++;
        note_audit(f, error[0], x, 0, value[k], want[0]);
    }
    slope->inputs++;
    note_audit(slope, error[1], x, 1, c->slope[k], want[1]);
    note_audit(slope, error[2], x, c->wide_g[k], c->want[k], want[2]);
}

void audit_slice(struct chunk *c, int slice)
{
    static double value[CHUNK];
    const struct pass *pass = c->pass;
    int oracle_index = 0;
    while (plan.isas[oracle_index] != plan.oracle)
        oracle_index++;
    struct audit *slope = &record_of(pass, slice, oracle_index, 1)->audit;
    struct audit *f =
        pass->op == OP_FORWARD ? &record_of(pass, slice, oracle_index, 0)->audit : NULL;
    const uint64_t per_slice = ((uint64_t)1 << 32) / pass->step / (uint64_t)pass->slices;
    const uint64_t end = per_slice * (uint64_t)(slice + 1);
    for (uint64_t at = end - per_slice; at < end; at += (uint64_t)c->n) {
        c->n = end - at < CHUNK ? (int)(end - at) : CHUNK;
        chunk_inputs(c, at);
        wide_inputs(c);
        if (f)
            oracle(c, OP_FORWARD, NULL, value);
        const enum op op = f ? OP_BACKWARD : pass->op;
        chunk_grads(c, 0);
        oracle(c, op, c->wide_g, c->slope);
        chunk_grads(c, 1);
        oracle(c, op, c->wide_g, c->want);
        for (int k = 0; k < c->n; k++)
            audit_point(pass, c, k, value, f, slope);
    }
}
