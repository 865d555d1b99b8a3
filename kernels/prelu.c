/* PReLU: y = x for x > 0, alpha x otherwise, alpha learnable (the shared parameter here). One
 * rounding.
 * Derivative: x > 0 ? 1 : alpha.
 * Kinks: 0.
 * f'(0) = alpha, f(-0) = -0. A slope of exactly 0 is the constant 0: relu, at -inf too. */
#include "kernels/slope.h"
#include "kernels/theta.h"

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

#if ACT_UNIT_THETA
/* g min(x, 0) */
ACT_OP void prelu_gradients(vec x, vec g, struct vparams p, vwide *d)
{
    const vmask above = v_le(v_set(0), x);
    (void)p;
    d[0] = w_mul(w_from(v_drop(above, g)), w_from(v_drop(above, x)));
}
#endif

ACT_KERNEL_FROM_OUTPUT(prelu)
ACT_TEST(prelu, .odd_zero = 1);
ACT_THETA(prelu, BY_ROWS, prelu_forward, prelu_backward, prelu_gradients, alpha);
