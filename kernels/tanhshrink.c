/* Tanh shrinkage: y = x - tanh x; x^3/3 near 0.
 * Derivative: tanh(x) * tanh(x).
 * f(-0) = -0. */
#include "kernels/even.h"

#if V_DOUBLE
/* x - tanh x for |x| < 1, from tanh x = x / (1 + c), c = x^2 / (3 + x^2 / (5 + ...)): x c / (1 +
 * c), which cancels nothing. */
ACT_OP vec tanhshrink_near(vec x)
{
    const vec z = v_mul(x, x);
    vec c = v_set(0); /* to the level of 19: 2^-62 */
    for (int level = 19; level >= 3; level -= 2)
        c = v_div(z, v_add(v_set(level), c));
    return v_div(v_mul(x, c), v_add(v_set(1), c));
}

ACT_OP vec tanhshrink_forward(vec x, struct vparams p)
{
    (void)p;
    /* a - tanh a = (a - 1) + 2 sigmoid(-2a). */
    const vec a = v_abs(x), inner = v_min(v_set(25), a), t = v_add(inner, inner);
    const vec z = v_exp(v_neg(t)), s = v_div(z, v_add(v_set(1), z));
    const vec far = v_fma(v_set(2), s, v_sub(a, v_set(1)));
    const vec near = tanhshrink_near(v_min(v_set(1), v_max(v_set(-1), x)));
    return v_select(v_lt(a, v_set(1)), near, v_or(far, v_sign(x)));
}

ACT_OP vec tanhshrink_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec t = v_tanh(v_min(v_set(25), v_max(v_set(-25), x))); /* SLEEF's overflows */
    return v_mul(v_mul(g, t), t); /* t t may underflow where its product with g does not */
}
#else
#include "kernels/tables/even_tanh_square.h"
#include "kernels/tables/even_tanhshrink.h"

ACT_OP vec tanhshrink_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(EVEN_LAST), a);
    const struct even e = v_even(even_tanhshrink, inner, v_set(0));
    /* 2^64 w^3, so that only the last product can be subnormal. */
    const vec w = v_min(v_set(EVEN_TANHSHRINK_END), a), up = v_mul(w, v_set(0x1p64f));
    const vec z = v_mul(up, w), cube = v_mul(z, w);
    const vec low = v_fma(v_mul_low(up, w, z), w, v_mul_low(z, w, cube));
    const vec y = v_mul(v_even_times(cube, low, e), v_set(0x1p-64f));
    /* 1 - tanh 10.6 = 2^-29.6 */
    return v_or(v_select(v_lt(a, v_set(EVEN_LAST)), y, v_sub(a, v_set(1))), v_sign(x));
}

ACT_OP vec tanhshrink_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(EVEN_LAST), a);
    const struct even e = v_even(even_tanh_square, inner, v_set(0));
    const vec w = v_min(v_set(EVEN_TANH_SQUARE_END), a), z = v_mul(w, w);
    const vec slope = v_even_times(z, v_mul_low(w, w, z), e);
    /* a^2 may underflow where its product with g does not: below 2^-40 it is f'. */
    const vmask little = v_lt(a, v_set(0x1p-40f));
    return v_mul(v_mul(g, v_select(little, a, slope)), v_select(little, a, v_set(1)));
}
#endif

ACT_KERNEL(tanhshrink)
ACT_TEST(tanhshrink, .odd_zero = 1, .edge = {1, -1, 25, 9.01});
