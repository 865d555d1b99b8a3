/* Hard swish: y = x clip(x + 3, 0, 6) / 6.
 * Derivative: x > -3 ? x < 3 ? (2 * x + 3) / 6 : 1 : 0.
 * Kinks: -3, 3.
 * f'(-3) = 0, f'(3) = 1, f(-inf) = -0. */
#include "kernels/kernel.h"

/* 1/6 in two parts. u = (x + 3)/6 has one rounding, y = x u another. (Taking u's low part along
 * would save the first, but it is subnormal with x long before y is.) */
#define SIXTH     (V_DOUBLE ? 0x1.5555555555555p-3 : 0x1.555556p-3f)
#define SIXTH_LOW (V_DOUBLE ? 0x1.5555555555555p-57 : -0x1.555556p-28f)

ACT_OP vec hardswish_forward(vec x, struct vparams p)
{
    (void)p;
    /* Clipping x instead of x + 3 leaves -3 * 0 at -inf, and no overflow; u is 1 from 3 on. */
    const vec three = v_set(3), above = v_max(v_set(-3), x), inner = v_min(three, above);
    const vec s = v_add(inner, three), s_low = v_sub(inner, v_sub(s, three));
    const vec u = v_fma(v_set(SIXTH), s, v_fma(v_set(SIXTH), s_low, v_mul(v_set(SIXTH_LOW), s)));
    return v_mul(above, u);
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
