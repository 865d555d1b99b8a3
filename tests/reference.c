/* What a formula of kinds.inc says of any input, infinities and overflowing ones included. */
#include "tests/reference.h"

#include <math.h>
#include <stdlib.h>

const char *reference_formula(act_kind kind, enum op op)
{
    static act_kind_info info;
    info.struct_size = sizeof info;
    act_kind_describe(kind, &info);
    return op == OP_FROM_OUTPUT ? info.from_output : info.formula;
}

static void evaluate(act_kind kind, enum op op, double x, const act_params *params,
                     struct formula_value *v)
{
    const char *error = formula_eval(reference_formula(kind, op), x, params, v);
    if (error) {
        fprintf(stderr, "%s: formula does not parse at '%s'\n", act_kind_name(kind), error);
        exit(1);
    }
}

/* f and f' at x; where MPFR's exponents overflow on the way to f', f' of the nearest point towards
 * 0 where they do not: as small, and of the same sign. */
static void evaluate_finite(act_kind kind, enum op op, double x, const act_params *params,
                            struct formula_value *v)
{
    struct formula_value near;
    evaluate(kind, op, x, params, v);
    if (v->constant || op == OP_FORWARD || !v->underflowed ||
        (mpfr_number_p(v->slope) && !mpfr_zero_p(v->slope)))
        return;
    if (mpfr_zero_p(v->slope) && mpfr_cmp_d(v->slope_terms, 0x1p-100) > 0)
        return; /* terms that cancel */
    formula_init(&near);
    /* MPFR's exponents end at 2^62: 16 bits nearer is e^-(2^46), of a cube e^-(2^14), still
     * nothing. */
    for (double at = x; fabs(at) > 0x1p-200; at *= 0x1p-16) {
        evaluate(kind, op, at * 0x1p-16, params, &near);
        if (mpfr_number_p(near.slope) && !mpfr_zero_p(near.slope))
            break;
    }
    mpfr_set(v->slope, near.slope, MPFR_RNDN);
    formula_clear(&near);
}

/* The limit of a quantity that is a at 2^400 and b at 2^401: infinite if it still grows, 0 with its
 * sign if it vanishes. */
static void limit_of(mpfr_t a, const mpfr_t b)
{
    const double at = mpfr_get_d(a, MPFR_RNDN), next = mpfr_get_d(b, MPFR_RNDN);
    if (fabs(next) > 0x1p100 && fabs(next / at) > 1.2)
        mpfr_set_inf(a, mpfr_sgn(b));
    else if (fabs(at) < 0x1p-300 || (fabs(at) < 0x1p-150 && fabs(next) < 0.75 * fabs(at)))
        mpfr_set_zero(a, mpfr_signbit(a) ? -1 : 1);
    else
        mpfr_set_d(a, at, MPFR_RNDN);
}

/* f and f' at x, which may be infinite. */
static void evaluate_limit(act_kind kind, enum op op, double x, const act_params *params,
                           struct formula_value *v)
{
    if (!isinf(x)) {
        evaluate_finite(kind, op, x, params, v);
        return;
    }
    struct formula_value next;
    formula_init(&next);
    evaluate_finite(kind, op, copysign(0x1p400, x), params, v);
    evaluate_finite(kind, op, copysign(0x1p401, x), params, &next);
    limit_of(v->value, next.value);
    limit_of(v->slope, next.slope);
    formula_clear(&next);
}

/* The formula of the output is f' itself, and 0 written as such is constant. */
static void value_is_slope(struct formula_value *v)
{
    mpfr_set(v->slope, v->value, MPFR_RNDN);
    v->constant = v->constant && mpfr_zero_p(v->value);
}

void reference_at(act_kind kind, enum op op, double x, const act_params *params,
                  struct formula_value *v)
{
    evaluate_limit(kind, op, x, params, v);
    if (op == OP_FROM_OUTPUT)
        value_is_slope(v);
}

void reference_quick(act_kind kind, enum op op, double x, const act_params *params,
                     struct formula_value *v)
{
    formula_eval_quick(reference_formula(kind, op), x, params, v);
    if (op == OP_FROM_OUTPUT)
        value_is_slope(v);
}

void reference_want(const struct formula_value *v, enum op op, double x, double g, mpfr_t want)
{
    if (isnan(x))
        mpfr_set_nan(want);
    else if (op == OP_FORWARD)
        mpfr_set(want, v->value, MPFR_RNDN);
    else if (v->constant)
        mpfr_set_zero(want, 1); /* whatever g is */
    else
        mpfr_mul_d(want, v->slope, g, MPFR_RNDN);
}

double reference_ulps(double got, const mpfr_t want, int precision, int emin)
{
    const double rounded = mpfr_get_d(want, MPFR_RNDN);
    if (isnan(got) || isnan(rounded))
        return isnan(got) && isnan(rounded) ? 0 : INFINITY;
    if (!signbit(got) != !mpfr_signbit(want))
        return INFINITY;
    if (mpfr_inf_p(want))
        return isinf(got) ? 0 : INFINITY;
    const double limit = precision == 24 ? 0x1p128 : INFINITY;
    if (isinf(got)) /* right if want rounds to it */
        return fabs(rounded) >= limit - 0x1p103 ? 0 : INFINITY;
    mpfr_t off;
    mpfr_init2(off, 128);
    mpfr_sub_d(off, want, got, MPFR_RNDN);
    mpfr_abs(off, off, MPFR_RNDN);
    long exponent = mpfr_zero_p(want) ? emin : mpfr_get_exp(want) - 1;
    if (exponent < emin)
        exponent = emin;
    mpfr_mul_2si(off, off, precision - 1 - exponent, MPFR_RNDN);
    const double result = mpfr_get_d(off, MPFR_RNDN);
    mpfr_clear(off);
    return result;
}

double reference_allows(act_kind kind, enum op op, const act_params *params, act_dtype dtype,
                        double x, double g, double y, const struct formula_value *v,
                        const mpfr_t want, double error, double bound)
{
    const double zero = op == OP_BACKWARD ? zero_of(kind, params) : 0;
    if (error > bound && act_tests[kind]->cancels && mpfr_number_p(want)) {
        double terms = mpfr_get_d(op == OP_FORWARD ? v->terms : v->slope_terms, MPFR_RNDU);
        if (act_tests[kind]->cancels == 3)
            terms = fmax(terms, terms_of(kind, op, params, x));
        const double off = fabs(y - mpfr_get_d(want, MPFR_RNDN));
        const double scale = op == OP_FORWARD ? 1 : fabs(g);
        /* and one rounding of a subnormal term */
        if (off <= bound * terms * scale * (dtype == ACT_F64 ? 0x1p-53 : 0x1p-24) +
                       (dtype == ACT_F64 ? 0x1p-1074 : 0x1p-149))
            error = 0;
    }
    if (error > bound && act_tests[kind]->cancels && isinf(g) && mpfr_number_p(v->slope) &&
        fabs(mpfr_get_d(v->slope, MPFR_RNDN)) <=
            bound * 0x1p-24 * mpfr_get_d(v->slope_terms, MPFR_RNDU))
        error = 0; /* the sign of f' is lost in its terms, and with it the product's */
    if (error > bound && isinf(g) && beside_zero(x, zero) &&
        fabs(mpfr_get_d(v->slope, MPFR_RNDN)) <= 0x1p-22)
        error = 0; /* the same beside a zero of f' */
    if (error > bound && op != OP_FORWARD && isfinite(y) && mpfr_number_p(want)) {
        const double off = fabs(y - mpfr_get_d(want, MPFR_RNDN));
        const double slope = fabs(mpfr_get_d(v->slope, MPFR_RNDN));
        const double near = dtype == ACT_F64 ? 0x1p-52 : 0x1p-22;
        const double least = dtype == ACT_F64 ? 0x1p-1022 : 0x1p-126;
        if ((beside_zero(x, zero) && off <= near * fabs(g)) ||
            (slope < least && off <= least * 0x1p-22 * fmax(1, fabs(g)) && dtype == ACT_F32) ||
            (slope < least && off <= least * 0x1p-51 * fmax(1, fabs(g))))
            error = 0;
    }
    return error;
}
