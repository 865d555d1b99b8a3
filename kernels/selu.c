/* SELU: y = lambda x for x > 0, lambda alpha (e^x - 1) otherwise, lambda = 1.0507009873554805,
 * lambda alpha = 1.7580993408473768: the real constants, as high + low.
 * Derivative: x > 0 ? 1.0507009873554805 : 1.7580993408473768 * exp(x).
 * Kinks: 0.
 * f'(0) = 1.7580993408473768, the left side; f(-0) = -0. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.0270 at x = -0.13026461
 * (got -0.214728773, want -0.2147287879443); g f' 1.4735 at x = -0.558682919, g = 3.7 (got
 * 3.72059393, want 3.720593577992). */
#include "kernels/exp8.h"

#if V_DOUBLE
#define LAMBDA           0x1.0cfabd6a91132p+0
#define LAMBDA_LOW       0x1.6fc7d272f2695p-55
#define LAMBDA_ALPHA     0x1.c212cc640f031p+0
#define LAMBDA_ALPHA_LOW 0x1.05161b045a1fep-56
#else
#define LAMBDA           0x1.0cfabcp+0f /* below the constant: both parts positive */
#define LAMBDA_LOW       0x1.6a9114000000p-24f
#define LAMBDA_NEAREST   0x1.0cfabep+0f
#define LAMBDA_ALPHA     0x1.c212ccp+0f
#define LAMBDA_ALPHA_LOW 0x1.903c0cp-26f
#endif

/* a (high + low): high's product last, so that it alone may be subnormal. Both parts are positive:
 * neither an infinite a nor one of -0 may meet its opposite. */
#define selu_times(a, constant) v_fma(a, v_set(constant), v_mul(a, v_set(constant##_LOW)))

#if V_DOUBLE
#if V_HAS_FMA
#define selu_times_pair(m, constant)                                                               \
    v_times_plus(m, v_set(constant), v_mul((m).high, v_set(constant##_LOW)))
#else
ACT_OP vec selu_plus(struct pair product, vec low)
{
    return v_add(product.high, v_add(product.low, low));
}
#define selu_times_pair(m, constant)                                                               \
    selu_plus(v_times(m, v_set(constant)), v_mul((m).high, v_set(constant##_LOW)))
#endif

ACT_OP vec selu_forward(vec x, struct vparams p)
{
    (void)p;
    const struct pair m = v_expm1_pair(v_min(v_set(1), v_max(v_set(-40), x)), v_set(0));
    const vec below = selu_times_pair(m, LAMBDA_ALPHA);
    const vec y = v_select(v_lt(v_set(0), x), selu_times(x, LAMBDA), below);
    return v_or(v_abs(y), v_sign(x)); /* -0, which m has lost */
}

ACT_OP vec selu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_abs(x)), v_set(0));
    const vec t = selu_times_pair(v_value(e), LAMBDA_ALPHA);
    const vec below = v_grad_even(x, g, t, e.scale);
    return v_select(v_lt(v_set(0), x), selu_times(g, LAMBDA), below);
}
#else
/* lambda alpha 2^(k/8) = scale (1 + rest): its bits less k << 20, and the rests, of which the first
 * makes scale rest the float LAMBDA_ALPHA_LOW (kernels/fit/selu_eight.py). */
static const float selu_scale[8] = {0x1.c212ccp+0f, 0x1.cacefep+0f, 0x1.cb9d82p+0f, 0x1.c3d626p+0f,
                                    0x1.be3ffep+0f, 0x1.bb0dd6p+0f, 0x1.ba7714p+0f, 0x1.bcb81ap+0f};
static const float selu_rest[8] = {0x1.c74dc0p-27f,  -0x1.b09bc4p-27f, -0x1.88f958p-28f,
                                   -0x1.7f9cf2p-27f, 0x1.38a004p-26f,  0x1.311232p-25f,
                                   -0x1.3d522cp-25f, 0x1.8a53c6p-26f};

/* Below 0: K e^r - C with x = n ln 2 / 8 + r, K = C 2^(n/8), |r| < .0434: (K - C) + K (r + r^2/2 +
 * ...), of which only two roundings count; for n = 0 the first is exactly 0. */
ACT_OP vec selu_forward(vec x, struct vparams p)
{
    (void)p;
    const vec inner = v_min(v_set(0), v_max(v_set(-18), x)), magic = v_set(ROUND_MAGIC);
    const vec shifted = v_fma(inner, v_set(LOG2E_8), magic), n = v_sub(shifted, magic);
    const vec r = v_fnma(n, v_set(LN2_8_LOW), v_fnma(n, v_set(LN2_8_HIGH), inner));
    const vindex8 i = v_index8(v_bits(shifted));
    const vec scale = v_lookup8(selu_scale, i), high = v_set(LAMBDA_ALPHA);
    const vec k = v_from_bits(i_add(v_bits(scale), i_shl(v_bits(shifted), 20)));
    /* Degree 5: 2^-31 of e^r - 1. The constant's low part is a factor of r too. */
    vec q = v_fma(r, v_set(1 / 120.0f), v_set(1 / 24.0f));
    q = v_fma(q, r, v_set(1 / 6.0f));
    q = v_fma(q, r, v_set(0.5f));
    q = v_fma(q, r, v_set(LAMBDA_ALPHA_LOW / LAMBDA_ALPHA));
    const vec low = v_sub(v_mul(k, v_lookup8(selu_rest, i)), v_set(LAMBDA_ALPHA_LOW));
    const vec below = v_add(v_sub(k, high), v_fma_tight(k, r, v_fma(k, v_mul(q, r), low)));

    /* Below is 0 for x > 0, and above for x < 0. */
    const vec above = v_max(v_set(0), x);
    const vec y = v_fma(above, v_set(LAMBDA), v_fma(above, v_set(LAMBDA_LOW), below));
    return v_or(v_abs(y), v_sign(x)); /* -0, which k r has lost */
}

ACT_OP vec selu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vmask above = v_lt(v_set(0), x);
    const vec a = v_drop(above, v_abs(x));
    const struct reduced8 u = v_reduce8(v_min(v_set(110), a));
    const vindex8 i = v_index8(u.n);
    const vint scale = i_add(v_bits(v_lookup8(selu_scale, i)), i_shl(u.n, 20));
    const struct lifted w = v_lift(scale, v_lt(v_set(50), a), v_eq(a, v_set(INFINITY)));
    const vec below = v_fma(w.scale, v_exp8_poly(u, v_lookup8(selu_rest, i)), w.scale);
    return v_mul(v_mul(v_select(above, v_set(LAMBDA_NEAREST), below), g), w.back);
}
#endif

/* lambda alpha e^x = y + lambda alpha. */
ACT_OP vec selu_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    const vec slope = v_add(v_add(y, v_set(LAMBDA_ALPHA)), v_set(LAMBDA_ALPHA_LOW));
#if V_DOUBLE
    return v_select(v_lt(v_set(0), y), selu_times(g, LAMBDA), v_mul(g, slope));
#else
    return v_mul(g, v_select(v_lt(v_set(0), y), v_set(LAMBDA_NEAREST), slope));
#endif
}

ACT_KERNEL_FROM_OUTPUT(selu)
ACT_TEST(selu, .odd_zero = 1,
         .edge = {-0.0433, -0.3466, -18, -17.33, -40, -87.9, -104.536, -172, -709, -745.1,
                  3.2386e38});
