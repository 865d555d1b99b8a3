/* SELU: y = lambda x for x > 0, lambda alpha (e^x - 1) otherwise, lambda = 1.0507009873554805,
 * lambda alpha = 1.7580993408473768: the real constants, as high + low.
 * Derivative: x > 0 ? 1.0507009873554805 : 1.7580993408473768 * exp(x).
 * Kinks: 0.
 * f'(0) = 1.7580993408473768, the left side; f(-0) = -0. */
#include "kernels/math.h"

#if V_DOUBLE
#define LAMBDA           0x1.0cfabd6a91132p+0
#define LAMBDA_LOW       0x1.6fc7d272f2695p-55
#define LAMBDA_ALPHA     0x1.c212cc640f031p+0
#define LAMBDA_ALPHA_LOW 0x1.05161b045a1fep-56
#else
#define LAMBDA           0x1.0cfabcp+0f
#define LAMBDA_LOW       0x1.6a9114000000p-24f
#define LAMBDA_ALPHA     0x1.c212ccp+0f
#define LAMBDA_ALPHA_LOW 0x1.903c0cp-26f
#endif

/* a (high + low): high's product last, so that it alone may be subnormal. Both parts are positive:
 * neither an infinite a nor one of -0 may meet its opposite. */
#define selu_times(a, constant) v_fma(a, v_set(constant), v_mul(a, v_set(constant##_LOW)))

/* lambda alpha (e^x - 1): e^x - 1 = S (1 + p) - 1 as m + low, so that the constant's product is the
 * rounding that counts. */
ACT_OP vec selu_below(vec x)
{
    const vec inner = v_min(v_set(1), v_max(v_set(-40), x));
#if V_DOUBLE
    return selu_times(v_expm1(inner), LAMBDA_ALPHA);
#else
    const struct reduced e = v_reduce(inner);
    const vec s = v_pow2(e.n, 0), p = v_expm1_poly(e.r, 1), minus = v_sub(s, v_set(1));
    const vec m = v_fma_tight(s, p, minus), low = v_fma_tight(s, p, v_sub(minus, m));
    const vec rest = v_fma(m, v_set(LAMBDA_ALPHA_LOW), v_mul(low, v_set(LAMBDA_ALPHA)));
    return v_fma_tight(m, v_set(LAMBDA_ALPHA), rest);
#endif
}

ACT_OP vec selu_forward(vec x, struct vparams p)
{
    (void)p;
    const vec y = v_select(v_lt(v_set(0), x), selu_times(x, LAMBDA), selu_below(x));
    return v_or(v_abs(y), v_sign(x)); /* -0, which m has lost */
}

ACT_OP vec selu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x);
    const vmask above = v_lt(v_set(0), x);
#if V_DOUBLE
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), a), v_set(0));
    const vec t = selu_times(e.value, LAMBDA_ALPHA);
    const vec below = v_grad_even(x, g, t, e.scale);
#else
    /* lambda alpha (1 + p), rounded once */
    const struct reduced e = v_reduce_negative(v_min(v_set(GRAD_RANGE), a));
    const vec product = v_fma(v_expm1_poly(e.r, -1), v_set(LAMBDA_ALPHA), v_set(LAMBDA_ALPHA_LOW));
    const vec below = v_grad_even(x, g, v_add(product, v_set(LAMBDA_ALPHA)), e.n);
#endif
    /* +-0 for the lanes below, lest g lambda overflow there. */
    return v_select(above, selu_times(v_keep(above, g), LAMBDA), below);
}

/* lambda alpha e^x = y + lambda alpha. */
ACT_OP vec selu_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    const vec slope = v_add(v_add(y, v_set(LAMBDA_ALPHA)), v_set(LAMBDA_ALPHA_LOW));
    const vmask above = v_lt(v_set(0), y);
    return v_select(above, selu_times(v_keep(above, g), LAMBDA), v_mul(v_drop(above, g), slope));
}

ACT_KERNEL_FROM_OUTPUT(selu)
ACT_TEST(selu, .odd_zero = 1,
         .edge = {-0.3466, -17.33, -40, -87.9, -104.536, -172, -709, -745.1, 3.2386e38});
