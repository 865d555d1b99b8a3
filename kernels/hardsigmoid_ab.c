/* Hard sigmoid with parameters: y = clip(alpha x + beta, 0, 1). One rounding of the sum.
 * Derivative: y > 0 ? y < 1 ? alpha : 0 : 0.
 * Kinks: -beta / alpha, (1 - beta) / alpha.
 * f' is 0 at the kinks. alpha == 0 is a constant. */
#include "kernels/math.h"

ACT_OP vec hardsigmoid_ab_forward(vec x, struct vparams p)
{
    const vec inner = v_drop(v_eq(p.alpha, v_set(0)), x); /* 0 * inf is not 0 */
    const vec t = v_fma_tight(p.alpha, inner, p.beta);
    return v_or(v_min(v_set(1), v_max(v_set(0), t)), v_zero_or_nan(x));
}

/* Is a x + b (b = high + low) below 0? Rounding the sum may take the sign away: high first, fused,
 * so that the sign is the real one; a small a is scaled up, lest the product underflow. */
ACT_OP vmask hardsigmoid_ab_below(vec a, vec x, vec high, vec low)
{
    const vec scale = v_select(v_lt(v_abs(a), v_set(1)), v_set(0x1p30f), v_set(1));
    const vec sum = v_fma_tight(v_mul(a, scale), x, v_mul(high, scale));
    return v_lt(v_add(sum, v_mul(low, scale)), v_set(0));
}

ACT_OP vec hardsigmoid_ab_backward(vec x, vec g, struct vparams p)
{
    const vec alpha = v_add(p.alpha, v_set(0)); /* -0 becomes +0 */
    /* beta - 1 = high + low exactly. */
    const vec high = v_sub(p.beta, v_set(1)), back = v_sub(high, p.beta);
    const vec low = v_sub(v_sub(p.beta, v_sub(high, back)), v_add(v_set(1), back));
    const vmask below_one = hardsigmoid_ab_below(alpha, x, high, low);
    const vmask above_zero = hardsigmoid_ab_below(v_neg(alpha), x, v_neg(p.beta), v_set(0));
    const vec d = v_keep(v_both(below_one, above_zero), v_mul(alpha, g));
    return v_or(v_drop(v_eq(alpha, v_set(0)), d), v_zero_or_nan(x));
}

/* 0 < y < 1: decreasing for alpha < 0, but as well determined. */
ACT_OP vec hardsigmoid_ab_from_output(vec y, vec g, struct vparams p)
{
    const vec d = v_select(v_inside(v_set(0), y, v_set(1)), v_mul(p.alpha, g), v_set(0));
    return v_or(v_drop(v_eq(p.alpha, v_set(0)), d), v_zero_or_nan(y));
}

ACT_KERNEL_FROM_OUTPUT(hardsigmoid_ab)
ACT_TEST(hardsigmoid_ab, .cancels = 1, .edge = {-2.5, 2.5});
