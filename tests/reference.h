/* The formulas of kinds.inc as the reference: f and f' anywhere, and the distance to them. */
#ifndef ACT_TESTS_REFERENCE_H
#define ACT_TESTS_REFERENCE_H

#include "tests/check.h"
#include "tests/formula.h"

/* The text in x, or for OP_FROM_OUTPUT in y; NULL if the kind has none. */
const char *reference_formula(act_kind kind, enum op op);

/* f and f' at x, which may be infinite or NaN. For OP_FROM_OUTPUT x is the output, and the
 * slope is f' there. */
void reference_at(act_kind kind, enum op op, double x, const act_params *params,
                  struct formula_value *v);
/* The same by formula_eval_quick, for finite x. */
void reference_quick(act_kind kind, enum op op, double x, const act_params *params,
                     struct formula_value *v);

/* f(x), or what grad_in must be for g. */
void reference_want(const struct formula_value *v, enum op op, double x, double g, mpfr_t want);

/* |got - want| in ulps of want in a format of this precision and least exponent; specials and signs
 * of zero must match. */
double reference_ulps(double got, const mpfr_t want, int precision, int emin);

/* This error of y, or 0 where it is beyond the bound but one of the absolute bounds of actfn.h
 * holds: beside a zero of f', of a sum that cancels, of a subnormal f'. */
double reference_allows(act_kind kind, enum op op, const act_params *params, act_dtype dtype,
                        double x, double g, double y, const struct formula_value *v,
                        const mpfr_t want, double error, double bound);

#endif
