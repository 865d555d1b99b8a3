/* ReLU: y = max(x, 0). Exact.
 * Derivative: x > 0 ? 1 : 0.
 * Kinks: 0.
 * f(-0) = -0; NaN stays NaN. */
#include "kernels/kernel.h"

ACT_OP vec relu_forward(vec x, struct vparams p)
{
    (void)p;
    return v_max(v_set(0), x);
}

ACT_OP vec relu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    return v_select(v_lt(v_set(0), x), g, v_zero_or_nan(x));
}

/* y > 0 exactly where x > 0. */
ACT_OP vec relu_from_output(vec y, vec g, struct vparams p)
{
    return relu_backward(y, g, p);
}

ACT_KERNEL_FROM_OUTPUT(relu)
ACT_TEST(relu, .odd_zero = 1);
