/* The formulas of kinds.inc, evaluated with their derivative in MPFR. docs/FORMULAS.md has the
 * syntax. */
#ifndef ACT_TESTS_FORMULA_H
#define ACT_TESTS_FORMULA_H

#include "actfn/actfn.h"

#include <mpfr.h>

struct formula_value {
    mpfr_t value, slope;       /* f and f' in the formula's variable */
    mpfr_t terms, slope_terms; /* the same with every sum replaced by the sum of absolute values */
    int underflowed; /* MPFR's own exponent range was left on the way: a zero may not be one */
    int constant;    /* f does not depend on the variable near this point: f' is exactly 0 */
};

void formula_init(struct formula_value *v);
void formula_clear(struct formula_value *v);

/* Evaluates text at variable (x or y), a finite number, to at least 90 good bits of value and
 * slope: the precision is doubled until two evaluations agree. Returns NULL, or what is wrong with
 * the text. */
const char *formula_eval(const char *text, double variable, const act_params *params,
                         struct formula_value *result);

/* One evaluation in that many bits. */
const char *formula_eval_at(const char *text, double variable, const act_params *params,
                            int precision, struct formula_value *result);

/* One evaluation in few bits: right unless the formula cancels, and nothing says when it does. For
 * a reader who turns to formula_eval wherever the result is not the expected one. */
const char *formula_eval_quick(const char *text, double variable, const act_params *params,
                               struct formula_value *result);

#endif
