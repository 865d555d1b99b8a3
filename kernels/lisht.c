/* LiSHT: y = x tanh x, even.
 * Derivative: tanh(x) + x * (1 - tanh(x) * tanh(x)).
 * f' is odd; f(-0) = 0. */
#include "kernels/even.h"

#if V_DOUBLE
ACT_OP vec lisht_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x);
    return v_mul(a, v_tanh(v_min(v_set(25), a))); /* SLEEF's overflows */
}

ACT_OP vec lisht_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    /* Both terms are positive; past 25 the second, 100 e^-50, is gone. */
    const vec a = v_abs(x), inner = v_min(v_set(25), a);
    const vec z = v_exp(v_neg(v_add(inner, inner)));
    const vec sech2 = v_div(v_mul(v_set(4), z), v_square_1p(z));
    return v_mul(g, v_or(v_fma(inner, sech2, v_tanh(inner)), v_sign(x)));
}
#else
#include "kernels/tables/even_lisht_slope.h"
#include "kernels/tables/even_tanh.h"

ACT_OP vec lisht_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(EVEN_LAST), a);
    const struct even e = v_even(even_tanh, inner, v_set(0));
    /* 2^32 a w, so that only the last product can be subnormal. */
    const vec w = v_min(v_set(EVEN_TANH_END), a), up = v_mul(inner, v_set(0x1p32f));
    const vec z = v_mul(up, w);
    const vec y = v_mul(v_even_times(z, v_mul_low(up, w, z), e), v_set(0x1p-32f));
    return v_select(v_lt(a, v_set(EVEN_LAST)), y, a); /* 1 - tanh 10.6 = 2^-29.6 */
}

ACT_OP vec lisht_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(EVEN_LAST), a);
    const struct even e = v_even(even_lisht_slope, inner, v_set(0));
    /* (4a - 2) e^-2a is 2^-25.2 at EVEN_LAST. */
    const vec w = v_min(v_set(EVEN_LISHT_SLOPE_END), a);
    const vec slope = v_fma_tight(w, e.value, v_mul(w, e.rest));
    return v_mul(g, v_or(slope, v_sign(x)));
}
#endif

ACT_KERNEL(lisht)
ACT_TEST(lisht, .edge = {9.01, 10.6, 25, 1, 1.29289, -1.29289, 7.29289});
