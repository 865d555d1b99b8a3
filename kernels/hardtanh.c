/* Hard tanh: y = clip(x, alpha, beta). Exact; the bounds may be infinite.
 * Derivative: x > alpha ? x < beta ? 1 : 0 : 0.
 * Kinks: alpha, beta.
 * f'(alpha) = f'(beta) = 0. Inside, -0 stays -0. */
#include "kernels/kernel.h"

ACT_OP vec hardtanh_forward(vec x, struct vparams p)
{
    return v_min(p.beta, v_max(p.alpha, x));
}

ACT_OP vec hardtanh_backward(vec x, vec g, struct vparams p)
{
    return v_select(v_inside(p.alpha, x, p.beta), g, v_zero_or_nan(x));
}

ACT_OP vec hardtanh_from_output(vec y, vec g, struct vparams p)
{
    return v_select(v_inside(p.alpha, y, p.beta), g, v_zero_or_nan(y));
}

ACT_KERNEL_FROM_OUTPUT(hardtanh)
ACT_TEST(hardtanh, .edge = {-1, 1});
