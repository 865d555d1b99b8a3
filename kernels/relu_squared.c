/* Squared ReLU: y = max(x, 0)^2. One rounding.
 * Derivative: 2 * max(x, 0).
 * From the output it is 2 sqrt(y). f(-0) = 0, for the square loses the sign. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): g f' 1.0000 at x =
 * 1.15463195e-14, g = -7.88861e-31 (got -1.68155816e-44, want -1.821688003622e-44). */
#include "kernels/kernel.h"

ACT_OP vec relu_squared_forward(vec x, struct vparams p)
{
    (void)p;
    const vec t = v_max(v_set(0), x);
    return v_mul(t, t);
}

ACT_OP vec relu_squared_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    /* x g first: 2 x alone may overflow. */
    const vmask above = v_lt(v_set(0), x);
    const vec half = v_mul(v_max(v_set(0), x), v_keep(above, g));
    return v_select(above, v_add(half, half), v_zero_or_nan(x));
}

ACT_OP vec relu_squared_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    const vmask above = v_lt(v_set(0), y);
    const vec half = v_mul(v_sqrt(v_max(v_set(0), y)), v_keep(above, g));
    return v_select(above, v_add(half, half), v_zero_or_nan(y));
}

ACT_KERNEL_FROM_OUTPUT(relu_squared)
ACT_TEST(relu_squared, .edge = {1});
