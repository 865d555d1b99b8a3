/* PReLU: y = x for x > 0, alpha x otherwise, alpha learnable (the shared parameter here). One
 * rounding.
 * Derivative: x > 0 ? 1 : alpha.
 * Kinks: 0.
 * f'(0) = alpha, f(-0) = -0. A slope of exactly 0 is the constant 0: relu, at -inf too. */
#include "kernels/slope.h"

ACT_OP vec prelu_forward(vec x, struct vparams p)
{
    return slope_forward(x, p.alpha);
}

ACT_OP vec prelu_backward(vec x, vec g, struct vparams p)
{
    return slope_backward(x, g, p.alpha);
}

/* y > 0 exactly where x > 0, for a slope >= 0. */
ACT_OP vec prelu_from_output(vec y, vec g, struct vparams p)
{
    return slope_backward(y, g, p.alpha);
}

ACT_KERNEL_FROM_OUTPUT(prelu)
ACT_TEST(prelu, .odd_zero = 1);
