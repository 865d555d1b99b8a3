/* Identity: y = x.
 * Derivative: 1.
 * f(-0) = -0. */
#include "kernels/kernel.h"

ACT_OP vec identity_forward(vec x, struct vparams p)
{
    (void)p;
    return x;
}

ACT_OP vec identity_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    return v_or(g, v_zero_or_nan(x));
}

ACT_OP vec identity_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    return v_or(g, v_zero_or_nan(y));
}

ACT_KERNEL_FROM_OUTPUT(identity)
ACT_TEST(identity, .odd_zero = 1);
