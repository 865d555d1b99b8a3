/* What tests/test_theta.c and test_theta_calls.c share: the learnable kinds, arrays, and what is in
 * them. */
#ifndef ACT_TESTS_THETA_DATA_H
#define ACT_TESTS_THETA_DATA_H

#include "ops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 80000, CHANNELS = 5000 };
static const act_kind kinds[] = {ACT_PRELU,    ACT_ELU,         ACT_CELU,         ACT_SWISH,
                                 ACT_SOFTPLUS, ACT_SCALED_TANH, ACT_SWISH_LINEAR, ACT_ACON_C,
                                 ACT_SRELU,    ACT_APL};
enum { KINDS = sizeof kinds / sizeof *kinds };
static const size_t row_count[KINDS] = {1, 1, 1, 1, 1, 2, 2, 3, 4, 4};

static double x[MOST], grad[MOST], out[MOST], want[MOST];
static double theta[8 * CHANNELS], dtheta[8 * CHANNELS], dother[8 * CHANNELS];

static inline size_t theta_size(act_dtype t)
{
    return t == ACT_F64 ? sizeof(double) : sizeof(float);
}
static inline act_dtype theta_type(act_dtype t)
{
    return t == ACT_F64 ? ACT_F64 : ACT_F32;
}

static uint32_t random_state;
static inline double uniform(double low, double high)
{
    random_state = random_state * 1664525u + 1013904223u;
    return low + (high - low) * (double)random_state * 0x1p-32;
}

/* Element by element what put makes of it, so that get gives what the library sees. */
static inline void fill(act_dtype t, size_t i, act_shape s, size_t rows)
{
    random_state = 11;
    const size_t n = s.outer * s.axis * s.inner;
    for (size_t k = 0; k < n + 8 && k < MOST; k++) {
        put(x, t, k, uniform(-6, 6)), put(grad, t, k, uniform(-2, 2));
        put(out, t, k, 77);
    }
    for (size_t j = 0; j < rows; j++)
        for (size_t c = 0; c < s.axis; c++) {
            const act_kind k = kinds[i];
            double value = uniform(-1.5, 1.5);
            if (k == ACT_CELU || k == ACT_SOFTPLUS)
                value = uniform(0.3, 2);
            else if (k == ACT_SRELU && j == 0)
                value = uniform(0.2, 2);
            else if (k == ACT_SRELU && j == 2)
                value = uniform(-2, 0.1);
            put(theta, theta_type(t), j * s.axis + c, value);
        }
    for (size_t c = 0; c < rows * s.axis + 8; c++)
        put(dtheta, theta_type(t), c, 0.5);
}

#endif
