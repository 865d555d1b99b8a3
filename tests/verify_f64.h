/* act-verify-f64: the inputs (verify_f64_inputs.c) and what they are for (verify_f64.c). */
#ifndef ACT_TESTS_VERIFY_F64_H
#define ACT_TESTS_VERIFY_F64_H

#include "tests/check.h"

/* A stratified x and g; state is of random_u64. */
double stratified_input(act_kind kind, uint64_t *state);
double random_gradient(uint64_t *state);

/* The hard points of a kind, each with as many doubles on both sides of it: those that are an exact
 * number of doubles from something, while strata are random. Returns how many, with *x to be
 * freed. */
size_t hard_points(act_kind kind, const act_params *params, int neighbours, double **x);

#endif
