/* Thresholded ReLU: y = x for x > alpha, 0 otherwise. Exact.
 * Derivative: x > alpha ? 1 : 0.
 * Kinks: alpha.
 * f(alpha) = f'(alpha) = 0. */
#include "kernels/kernel.h"

ACT_OP vec trelu_forward(vec x, struct vparams p)
{
    return v_drop(v_le(x, p.alpha), x);
}

ACT_OP vec trelu_backward(vec x, vec g, struct vparams p)
{
    return v_select(v_lt(p.alpha, x), g, v_zero_or_nan(x));
}

ACT_KERNEL(trelu)
ACT_TEST(trelu, .edge = {1});
