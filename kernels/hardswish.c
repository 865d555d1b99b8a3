/* Hard swish: y = x clip(x + 3, 0, 6) / 6. Three roundings.
 * Derivative: x > -3 ? x < 3 ? (2 * x + 3) / 6 : 1 : 0.
 * Kinks: -3, 3.
 * f'(-3) = 0, f'(3) = 1, f(-inf) = -0. */
#include "kernels/kernel.h"

ACT_OP vec hardswish_forward(vec x, struct vparams p)
{
    (void)p;
    /* Clipping x instead of x + 3 leaves -3 * 0 at -inf, and no overflow. */
    const vec inner = v_min(v_set(3), v_max(v_set(-3), x));
    const vec y = v_div(v_mul(inner, v_add(inner, v_set(3))), v_set(6));
    return v_select(v_lt(v_set(3), x), x, y);
}

ACT_OP vec hardswish_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    /* 2x + 3 is exact near its zero at -1.5. */
    const vec slope = v_div(v_fma(v_set(2), x, v_set(3)), v_set(6));
    const vec d = v_select(v_le(v_set(3), x), g, v_mul(g, slope));
    return v_drop(v_le(x, v_set(-3)), d);
}

ACT_KERNEL(hardswish)
ACT_TEST(hardswish, .odd_zero = 1, .edge = {-3, 3, -1.5});
