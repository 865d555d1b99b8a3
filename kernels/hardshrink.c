/* Hard shrinkage: y = x for |x| > alpha, 0 otherwise. Exact.
 * Derivative: abs(x) > alpha ? 1 : 0.
 * Kinks: -alpha, alpha.
 * f'(-alpha) = f'(alpha) = 0, f(-0) = -0. */
#include "kernels/kernel.h"

ACT_OP vec hardshrink_forward(vec x, struct vparams p)
{
    /* Between the thresholds: +0, but -0 stays -0, and NaN stays NaN. */
    const vec a = v_abs(x), inner = v_drop(v_lt(v_set(0), a), x);
    return v_select(v_lt(p.alpha, a), x, inner);
}

ACT_OP vec hardshrink_backward(vec x, vec g, struct vparams p)
{
    return v_select(v_lt(p.alpha, v_abs(x)), g, v_zero_or_nan(x));
}

ACT_OP vec hardshrink_from_output(vec y, vec g, struct vparams p)
{
    (void)p; /* y is 0 exactly between the thresholds */
    return v_select(v_lt(v_set(0), v_abs(y)), g, v_zero_or_nan(y));
}

ACT_KERNEL_FROM_OUTPUT(hardshrink)
ACT_TEST(hardshrink, .odd_zero = 1, .edge = {-0.5, 0.5});
