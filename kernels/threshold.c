/* Threshold: y = x for x > alpha, beta otherwise. Exact.
 * Derivative: x > alpha ? 1 : 0.
 * Kinks: alpha.
 * f(alpha) = f(-inf) = beta, f'(alpha) = 0. */
#include "kernels/kernel.h"

ACT_OP vec threshold_forward(vec x, struct vparams p)
{
    return v_select(v_le(x, p.alpha), p.beta, x);
}

ACT_OP vec threshold_backward(vec x, vec g, struct vparams p)
{
    return v_select(v_lt(p.alpha, x), g, v_zero_or_nan(x));
}

ACT_KERNEL(threshold)
ACT_TEST(threshold, .edge = {1, -1});
