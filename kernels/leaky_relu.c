/* Leaky ReLU: y = x for x > 0, alpha x otherwise. One rounding.
 * f'(0) = alpha; -0 stays -0. A slope of exactly 0 is the constant 0: relu, at -inf too. */
#include "kernels/kernel.h"

/* alpha == 0 makes x <= 0 a constant: +0, so x (or g) is replaced by +0, for 0 * inf is not 0. */
ACT_OP vec leaky_relu_forward(vec x, struct vparams p)
{
    const vec alpha = v_add(p.alpha, v_set(0)); /* -0 becomes +0 */
    const vec lowest = v_drop(v_eq(alpha, v_set(0)), v_set(-INFINITY));
    return v_select(v_le(v_set(0), x), x, v_mul(alpha, v_max(lowest, x)));
}

ACT_OP vec leaky_relu_backward(vec x, vec g, struct vparams p)
{
    const vec alpha = v_add(p.alpha, v_set(0));
    const vec below = v_mul(alpha, v_drop(v_eq(alpha, v_set(0)), g));
    return v_select(v_lt(v_set(0), x), g, v_or(below, v_zero_or_nan(x)));
}

/* y > 0 exactly where x > 0, for alpha >= 0. */
ACT_OP vec leaky_relu_from_output(vec y, vec g, struct vparams p)
{
    return leaky_relu_backward(y, g, p);
}

ACT_KERNEL_FROM_OUTPUT(leaky_relu)
ACT_TEST(leaky_relu, .odd_zero = 1);
