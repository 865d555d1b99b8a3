/* LiSHT: y = x tanh x, even.
 * Derivative: tanh(x) + x * (1 - tanh(x) * tanh(x)).
 * f' is odd; f(-0) = 0. */
#include "kernels/math.h"

ACT_OP vec lisht_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x);
    return v_mul(a, v_tanh(a));
}

ACT_OP vec lisht_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    /* Both terms are positive; past 25 the second, 100 e^-50, is gone in either type. */
    const vec a = v_abs(x), inner = v_min(v_set(25), a), t = v_add(inner, inner);
#if V_DOUBLE
    const vec z = v_exp(v_neg(t));
    const vec sech2 = v_div(v_mul(v_set(4), z), v_square_1p(z));
#else
    const struct logistic l = v_logistic(t);
    const vec sech2 = v_mul(v_logistic_slope(l), v_pow2(l.n, 2));
#endif
    return v_mul(g, v_or(v_fma(inner, sech2, v_tanh(a)), v_sign(x)));
}

ACT_KERNEL(lisht)
ACT_TEST(lisht, .edge = {9.01, 10, 25, 1});
