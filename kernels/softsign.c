/* Softsign: y = x / (1 + |x|). Two roundings.
 * Derivative: (1 - abs(y)) * (1 - abs(y)).
 * f(-0) = -0, f(-inf) = -1, f(inf) = 1. */
#include "kernels/kernel.h"

ACT_OP vec softsign_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(0x1p60f), v_abs(x)); /* past any rounding of 1 - y, before inf/inf */
    return v_or(v_div(a, v_add(v_set(1), a)), v_sign(x));
}

ACT_OP vec softsign_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec d = v_add(v_set(1), v_abs(x)); /* its square may overflow */
    return v_div(v_div(g, d), d);
}

ACT_OP vec softsign_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    const vec t = v_sub(v_set(1), v_abs(y));
    return v_mul(v_mul(g, t), t);
}

ACT_KERNEL_FROM_OUTPUT(softsign)
ACT_TEST(softsign, .odd_zero = 1);
