/* y = x for x > 0, slope x otherwise: leaky_relu, prelu, rrelu. One rounding. */
#ifndef ACT_KERNELS_SLOPE_H
#define ACT_KERNELS_SLOPE_H

#include "kernels/kernel.h"

/* slope == 0 makes x <= 0 a constant: +0, so x (or g) is replaced by +0, for 0 * inf is not 0. */
ACT_OP vec slope_forward(vec x, vec slope)
{
    slope = v_add(slope, v_set(0)); /* -0 becomes +0 */
    const vec lowest = v_drop(v_eq(slope, v_set(0)), v_set(-INFINITY));
    return v_mul(v_select(v_le(v_set(0), x), v_set(1), slope), v_max(lowest, x));
}

ACT_OP vec slope_backward(vec x, vec g, vec slope)
{
    slope = v_add(slope, v_set(0));
    const vmask above = v_lt(v_set(0), x); /* where slope g might overflow */
    const vec below = v_mul(slope, v_drop(above, v_drop(v_eq(slope, v_set(0)), g)));
    return v_select(above, g, v_or(below, v_zero_or_nan(x)));
}

#endif
