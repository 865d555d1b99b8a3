/* ReLU6: y = min(max(x, 0), 6). Exact.
 * Derivative: x > 0 ? x < 6 ? 1 : 0 : 0.
 * Kinks: 0, 6.
 * f'(0) = f'(6) = 0, f(-0) = -0. */
#include "kernels/kernel.h"

ACT_OP vec relu6_forward(vec x, struct vparams p)
{
    (void)p;
    return v_min(v_set(6), v_max(v_set(0), x));
}

ACT_OP vec relu6_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    return v_select(v_inside(v_set(0), x, v_set(6)), g, v_zero_or_nan(x));
}

ACT_OP vec relu6_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    return v_select(v_inside(v_set(0), y, v_set(6)), g, v_zero_or_nan(y));
}

ACT_KERNEL_FROM_OUTPUT(relu6)
ACT_TEST(relu6, .odd_zero = 1, .edge = {6});
