/* Logistic sigmoid: y = 1 / (1 + e^-x).
 * Derivative: y * (1 - y).
 * f'(-a) = f'(a), f(-inf) = 0. In f32 y is subnormal from x = -87.3365, 0 from -103.97. */
#include "kernels/exp8.h"

#if V_DOUBLE
ACT_OP vec sigmoid_forward(vec x, struct vparams p)
{
    (void)p;
    const vec z = v_exp(v_neg(v_abs(x)));
    return v_div(v_select(v_lt(x, v_set(0)), z, v_set(1)), v_add(v_set(1), z));
}

ACT_OP vec sigmoid_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_abs(x)), v_set(0));
    const vec square = v_square_1p(v_mul(e.value, e.scale));
    return v_grad_even(x, g, v_div(e.value, square), e.scale);
}
#else
/* e^x = S / P: y = S / (S + P). S carries 2^64 over the clamp's n of -159, so that only the last
 * product can be subnormal. */
ACT_OP vec sigmoid_forward(vec x, struct vparams p)
{
    (void)p;
    const struct reduced e = v_reduce(v_min(v_set(40), v_max(v_set(-110), x)));
    return v_mul(v_quotient(v_pow2(e.n, 64), v_denominator(e)), v_set(0x1p-64f));
}

ACT_OP vec sigmoid_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x);
    return v_grad_logistic_slope(a, g, v_reduce8(v_min(v_set(110), a)), 0);
}
#endif

ACT_OP vec sigmoid_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
#if V_DOUBLE
    return v_mul(g, v_mul(y, v_sub(v_set(1), y)));
#else
    return v_mul(g, v_fma_tight(v_neg(y), y, y)); /* rounded once before the product */
#endif
}

ACT_KERNEL_FROM_OUTPUT(sigmoid)
ACT_TEST(sigmoid, .edge = {-50, -110, -103.972076, -87.3365402, 16.6, 40, -708.4, -745.1});
