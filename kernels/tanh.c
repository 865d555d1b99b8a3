/* Hyperbolic tangent.
 * f' = 1 - y^2 = 4 e^-2a / (1 + e^-2a)^2, a = |x|, even; subnormal from a = 44.36. */
#include "kernels/math.h"

#if V_DOUBLE
ACT_OP vec tanh_forward(vec x, struct vparams p)
{
    (void)p;
    return v_tanh(x);
}

ACT_OP vec tanh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x);
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_add(a, a)), v_set(0));
    const vec square = v_square_1p(v_mul(e.value, e.scale));
    return v_grad_even(x, g, v_div(v_mul(v_set(4), e.value), square), e.scale);
}
#else
/* tanh a = m / (m + 2), m = e^2a - 1 = S (1 + p) - 1: m keeps its relative accuracy down to 0. */
ACT_OP vec tanh_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(10), v_abs(x)); /* 1 - tanh 10 = 2^-27.9 */
    const struct reduced e = v_reduce(v_add(a, a));
    const vec s = v_pow2(e.n, 0);
    const vec m = v_fma(s, v_expm1_poly(e.r, 1), v_sub(s, v_set(1)));
    return v_or(v_div(m, v_add(m, v_set(2))), v_sign(x));
}

ACT_OP vec tanh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x);
    const struct logistic l = v_logistic(v_min(v_set(GRAD_RANGE), v_add(a, a)));
    /* 4 s (1 - s) at 2a = 2^(n + 2) (inv - inv^2 2^n) */
    const vec t = v_fnma(v_mul(l.inv, l.s1), v_mul(l.inv, l.s2), l.inv);
    return v_grad_even(x, g, t, i_add(l.n, i_set(2)));
}
#endif

ACT_OP vec tanh_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    const vec one = v_set(1);
    return v_mul(g, v_mul(v_sub(one, y), v_add(one, y)));
}

ACT_KERNEL_FROM_OUTPUT(tanh)
ACT_TEST(tanh, .odd_zero = 1,
         .edge = {0.1733, -0.1733, 0.5199, 9.0109, -9.0109, 10, 44.361416, 52.679184});
