/* Tanh shrinkage: y = x - tanh x; x^3/3 near 0.
 * Derivative: tanh(x) * tanh(x).
 * f(-0) = -0. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.2835 at x = 2.94870448
 * (got 1.95418239, want 1.954182539407); g f' 1.7882 at x = 1.26515436, g = -1.3 (got -0.944736421,
 * want -0.9447363145246). */
#include "kernels/even.h"

#if V_DOUBLE
/* x - tanh x for |x| < 1: x z / (3 + z + z P(z)), z = x^2, which cancels nothing: the continued
 * fraction of tanh x from its level 5 on, P to 2^-50 (kernels/fit/tanhshrink.sollya). */
ACT_OP vec tanhshrink_near(vec x)
{
    const struct pair z = v_times((struct pair){x, v_set(0)}, x);
    vec p = v_set(-0x1.47705ef23e77ep-42);
    p = v_fma(p, z.high, v_set(0x1.299a9c0447842p-38));
    p = v_fma(p, z.high, v_set(-0x1.447a03804c723p-34));
    p = v_fma(p, z.high, v_set(0x1.9282cf6805fbp-30));
    p = v_fma(p, z.high, v_set(-0x1.fbf1333d28da4p-26));
    p = v_fma(p, z.high, v_set(0x1.4175deb5253bp-21));
    p = v_fma(p, z.high, v_set(-0x1.997cb8e61c9a9p-17));
    p = v_fma(p, z.high, v_set(0x1.0a4e1585639a1p-12));
    p = v_fma(p, z.high, v_set(-0x1.767dce434acadp-8));
    p = v_fma(p, z.high, v_set(0x1.999999999999ap-3));
    struct pair d = v_sum(v_set(3), z.high);
    d.low = v_add(d.low, v_fma(z.high, p, z.low));
    return v_rounded(v_pair_div(v_times(z, x), v_fast_sum(d.high, d.low)));
}

ACT_OP vec tanhshrink_forward(vec x, struct vparams p)
{
    (void)p;
    /* a - tanh a = (a - 1) + 2 sigmoid(-2a). */
    const vec a = v_abs(x), inner = v_min(v_set(25), a);
    const struct pair s = v_logistic(v_exp_scaled(v_add(inner, inner), v_set(0)));
    const struct pair base = v_sum(v_min(v_set(0x1p60), a), v_set(-1));
    const vec low = v_fma(v_set(2), s.low, base.low);
    const vec sum = v_add(base.high, v_fma(v_set(2), s.high, low));
    const vec far = v_select(v_lt(v_set(0x1p60), a), a, sum);
    const vec near = tanhshrink_near(v_min(v_set(1), v_max(v_set(-1), x)));
    return v_or(v_select(v_lt(a, v_set(1)), near, far), v_sign(x));
}

ACT_OP vec tanhshrink_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x);
    const struct pair t = v_tanh_pair(v_min(v_set(TANH_END), a), v_set(0));
    /* t^2 may underflow where its product with g does not: below 2^-60 f' is a^2. */
    const vmask little = v_lt(a, v_set(0x1p-60f));
    const struct pair slope = v_pair_mul(t, t);
    /* g t^2 rounded once: t has an error of .1 ULP already. */
    const vec finite = v_keep(v_lt(v_abs(g), v_set(INFINITY)), g);
    const vec low = v_mul(v_drop(little, slope.low), finite);
    const vec d = v_fma_tight(v_select(little, a, slope.high), g, low);
    return v_or(v_abs(v_mul(d, v_select(little, a, v_set(1)))), v_sign(g));
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
