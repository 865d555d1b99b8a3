/* Soft shrinkage: y = x - alpha for x > alpha, x + alpha for x < -alpha, 0 otherwise. One rounding.
 * Derivative: abs(x) > alpha ? 1 : 0.
 * Kinks: -alpha, alpha.
 * f'(-alpha) = f'(alpha) = 0, f(-0) = -0. */
#include "kernels/kernel.h"

ACT_OP vec softshrink_forward(vec x, struct vparams p)
{
    /* Between the thresholds: +0, but -0 stays -0, and NaN stays NaN. */
    const vec a = v_abs(x), inner = v_drop(v_lt(v_set(0), a), x);
    /* a - alpha with the sign of x: positive where it is used. */
    return v_select(v_lt(p.alpha, a), v_or(v_sub(a, p.alpha), v_sign(x)), inner);
}

ACT_OP vec softshrink_backward(vec x, vec g, struct vparams p)
{
    return v_select(v_lt(p.alpha, v_abs(x)), g, v_zero_or_nan(x));
}

ACT_OP vec softshrink_from_output(vec y, vec g, struct vparams p)
{
    (void)p; /* y is 0 exactly between the thresholds */
    return v_select(v_lt(v_set(0), v_abs(y)), g, v_zero_or_nan(y));
}

ACT_KERNEL_FROM_OUTPUT(softshrink)
ACT_TEST(softshrink, .odd_zero = 1, .edge = {-0.5, 0.5});
