/* Hard sigmoid: y = clip(x + 3, 0, 6) / 6. Two roundings.
 * Derivative: x > -3 ? x < 3 ? 1 / 6 : 0 : 0.
 * Kinks: -3, 3.
 * f'(-3) = f'(3) = 0. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.0000 at x = 1.00000119
 * (got 0.666666806, want 0.6666668653488). */
#include "kernels/kernel.h"

ACT_OP vec hardsigmoid_forward(vec x, struct vparams p)
{
    (void)p;
    return v_div(v_min(v_set(6), v_max(v_set(0), v_add(x, v_set(3)))), v_set(6));
}

ACT_OP vec hardsigmoid_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    return v_select(v_inside(v_set(-3), x, v_set(3)), v_div(g, v_set(6)), v_zero_or_nan(x));
}

ACT_OP vec hardsigmoid_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    return v_select(v_inside(v_set(0), y, v_set(1)), v_div(g, v_set(6)), v_zero_or_nan(y));
}

ACT_KERNEL_FROM_OUTPUT(hardsigmoid)
ACT_TEST(hardsigmoid, .edge = {-3, 3});
