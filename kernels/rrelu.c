/* Randomised ReLU, evaluation form: y = x for x > 0, otherwise x (alpha + beta) / 2, the mean of
 * the slopes that training draws from [alpha, beta].
 * Derivative: x > 0 ? 1 : (alpha + beta) / 2.
 * Kinks: 0.
 * f'(0) = (alpha + beta) / 2, f(-0) = -0. A slope of exactly 0 is the constant 0: relu, at -inf
 * too. */
#include "kernels/slope.h"

ACT_OP vec rrelu_slope(struct vparams p)
{
    const vec half = v_set(0.5f); /* the sum of the halves does not overflow */
    return v_add(v_mul(half, p.alpha), v_mul(half, p.beta));
}

ACT_OP vec rrelu_forward(vec x, struct vparams p)
{
    return slope_forward(x, rrelu_slope(p));
}

ACT_OP vec rrelu_backward(vec x, vec g, struct vparams p)
{
    return slope_backward(x, g, rrelu_slope(p));
}

/* y > 0 exactly where x > 0, for a slope >= 0. */
ACT_OP vec rrelu_from_output(vec y, vec g, struct vparams p)
{
    return slope_backward(y, g, rrelu_slope(p));
}

ACT_KERNEL_FROM_OUTPUT(rrelu)
ACT_TEST(rrelu, .odd_zero = 1);
