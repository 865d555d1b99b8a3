/* Hard sigmoid with parameters: y = clip(alpha x + beta, 0, 1). One rounding of the sum.
 * Derivative: y > 0 ? y < 1 ? alpha : 0 : 0.
 * Kinks: -beta / alpha, (1 - beta) / alpha.
 * f' is 0 at the kinks. alpha == 0 is a constant. */
#include "kernels/math.h"

#if ACT_UNIT_F64
#define AB_LARGE 0x1p900
#define AB_SMALL 0x1p800
#define AB_LAST  0x1.fffffffffffffp1021
#else
#define AB_LARGE 0x1p100f
#define AB_SMALL 0x1p60f
#define AB_LAST  0x1.fffffep125f
#endif

/* alpha and beta times 1, or 2^-4 where the sum might overflow; x as far as it takes to outdo beta.
 */
struct hardsigmoid_ab {
    vec alpha, beta, scale, most;
    vmask large;
};

/* Of x, so that alpha x is at most AB_LAST; infinite where it is less for every finite x; not for
 * alpha = 0. */
ACT_OP vec hardsigmoid_ab_most(vec alpha)
{
    const vec quarter = v_set(0.25f), size = v_abs(alpha);
    const vec most = v_div(v_set(AB_LAST), v_max(quarter, size));
    return v_select(v_inside(v_set(0), size, quarter), v_set(INFINITY), most);
}

ACT_OP struct hardsigmoid_ab hardsigmoid_ab_scale(struct vparams p)
{
    const vec down = v_set(0x1p-4f), one = v_set(1);
    const vmask large = v_lt(v_set(AB_LARGE), v_max(v_abs(p.alpha), v_abs(p.beta)));
    const vec scale = v_select(large, down, one), alpha = v_mul(p.alpha, scale);
    const vec most = hardsigmoid_ab_most(alpha);
    return (struct hardsigmoid_ab){alpha, v_mul(p.beta, scale), scale, most, large};
}

ACT_OP vec hardsigmoid_ab_forward(vec x, struct vparams p)
{
    const struct hardsigmoid_ab s = hardsigmoid_ab_scale(p);
    const vec inner = v_min(s.most, v_max(v_neg(s.most), x));
    const vec t = v_min(s.scale, v_max(v_set(0), v_fma_tight(s.alpha, inner, s.beta)));
    return v_or(v_mul(t, v_select(s.large, v_set(16), v_set(1))), v_zero_or_nan(x));
}

/* Is a x + b (b = high + low) below 0? Rounding the sum may take the sign away: high first, fused,
 * so that the sign is the real one. */
ACT_OP vmask hardsigmoid_ab_below(vec a, vec x, vec high, vec low)
{
    return v_lt(v_add(v_fma_tight(a, x, high), low), v_set(0));
}

ACT_OP vec hardsigmoid_ab_backward(vec x, vec g, struct vparams p)
{
    const vec alpha = v_add(p.alpha, v_set(0)), one = v_set(1); /* -0 becomes +0 */
    /* beta - 1 = high + low exactly. */
    const vec high = v_sub(p.beta, one), back = v_sub(high, p.beta);
    const vec low = v_sub(v_sub(p.beta, v_sub(high, back)), v_add(one, back));
    /* A small alpha is scaled up, lest the product underflow; beside a large beta it may. */
    const struct hardsigmoid_ab s = hardsigmoid_ab_scale(p);
    const vmask small = v_both(v_lt(v_abs(alpha), one), v_lt(v_abs(p.beta), v_set(AB_SMALL)));
    const vec scale = v_select(small, v_set(0x1p30f), s.scale), a = v_mul(alpha, scale);
    const vec most = hardsigmoid_ab_most(a);
    const vec inner = v_min(most, v_max(v_neg(most), x));
    const vmask below_one = hardsigmoid_ab_below(a, inner, v_mul(high, scale), v_mul(low, scale));
    const vec beta = v_mul(v_neg(p.beta), scale);
    const vmask above_zero = hardsigmoid_ab_below(v_neg(a), inner, beta, v_set(0));
    const vmask inside = v_both(below_one, above_zero);
    const vec d = v_keep(inside, v_mul(alpha, v_keep(inside, g)));
    return v_or(v_drop(v_eq(alpha, v_set(0)), d), v_zero_or_nan(x));
}

/* 0 < y < 1: decreasing for alpha < 0, but as well determined. */
ACT_OP vec hardsigmoid_ab_from_output(vec y, vec g, struct vparams p)
{
    const vmask inside = v_inside(v_set(0), y, v_set(1));
    const vec d = v_keep(inside, v_mul(p.alpha, v_keep(inside, g)));
    return v_or(v_drop(v_eq(p.alpha, v_set(0)), d), v_zero_or_nan(y));
}

ACT_KERNEL_FROM_OUTPUT(hardsigmoid_ab)
ACT_TEST(hardsigmoid_ab, .cancels = 1, .edge = {-2.5, 2.5});
