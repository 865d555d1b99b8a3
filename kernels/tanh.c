/* Hyperbolic tangent: y = tanh x.
 * Derivative: 1 - y * y.
 * f(-0) = -0, f(-inf) = -1, f(inf) = 1, f'(-a) = f'(a). f' is computed as 4 e^-2a / (1 + e^-2a)^2,
 * a = |x|: in f32 it is subnormal from a = 44.36. */
#include "kernels/exp8.h"

ACT_OP vec tanh_forward(vec x, struct vparams p)
{
    (void)p;
    return v_tanh(x);
}

#if V_DOUBLE
ACT_OP vec tanh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), t = v_add(a, a);
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), t), v_set(0));
    const vec square = v_square_1p(v_mul(e.value, e.scale));
    return v_grad_even(x, g, v_div(v_mul(v_set(4), e.value), square), e.scale);
}
#else
/* 4 s (1 - s) at 2a */
ACT_OP vec tanh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(55), a);
    return v_grad_logistic_slope(a, g, v_reduce8(v_add(inner, inner)), 1);
}
#endif

ACT_OP vec tanh_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    const vec one = v_set(1);
#if V_DOUBLE
    return v_mul(g, v_mul(v_sub(one, y), v_add(one, y)));
#else
    return v_mul(g, v_fma_tight(v_neg(y), y, one)); /* rounded once before the product */
#endif
}

ACT_KERNEL_FROM_OUTPUT(tanh)
ACT_TEST(tanh, .odd_zero = 1,
         .edge = {0.1733, -0.1733, 0.5199, 9.0109, -9.0109, 10, 44.361416, 52.679184, 25, 55});
