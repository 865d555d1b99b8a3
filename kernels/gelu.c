/* GELU, exact: y = x Phi(x), Phi the standard normal distribution function.
 * Derivative: erfc(-x / sqrt(2)) / 2 + x * exp(-x * x / 2) / sqrt(2 * pi).
 * f'(-a) = 1 - f'(a); zero at x = -.75179152. f(-inf) = -0; in f32 y is subnormal from -13.1462,
 * -0 from -14.3561.
 *
 * With Q(a) = 1 - Phi(a), a = |x|: y = max(x, 0) - a Q(a), which keeps the negative tail; and
 * Q(a) = e^(-a^2/2) times an algebraic function. The rounding of a^2 alone would cost a^2/4 ULP in
 * the tail (48 at -13.9): its low part goes into the exponential. */
#include "kernels/eight.h"

#if V_DOUBLE
#define INV_SQRT2       0x1.6a09e667f3bcdp-1
#define INV_SQRT2_LOW   -0x1.bdd3413b26456p-55
#define TWO_BY_SQRTPI   0x1.20dd750429b6dp+0
#define INV_SQRT2PI     0x1.9884533d43651p-2
#define INV_SQRT2PI_LOW -0x1.cbc0d30ebfd15p-56
#define FAR             20.0  /* beyond, Q's asymptotic series has 2^-57 relative error with w^10 */
#define GELU_RANGE      38.98 /* a^2/2 = 759.7 */

struct gauss {
    struct scaled e; /* e^(-a^2/2) */
    vec q;           /* Q(a), for a < FAR */
    vec series;      /* Q(a) a / phi(a) = 1 - w + 3w^2 - ..., w = 1/a^2, for a >= FAR */
    vec w;
    vmask far;
};

ACT_OP struct gauss v_gauss(vec a)
{
    struct gauss r;
    const vec square = v_mul(a, a), half = v_set(0.5);
    r.e = v_exp_scaled(v_mul(square, half), v_mul(v_mul_low(a, a, square), half));
    r.far = v_le(v_set(FAR), a);

    /* erfc(z + low) = erfc(z) - low (2/sqrt pi) e^(-z^2), z + low = a / sqrt 2. */
    const vec near = v_min(v_set(FAR), a);
    const vec z = v_mul(near, v_set(INV_SQRT2));
    const vec low = v_fma(near, v_set(INV_SQRT2_LOW), v_mul_low(near, v_set(INV_SQRT2), z));
    const vec slope = v_mul(v_mul(low, v_set(TWO_BY_SQRTPI)), r.e.value);
    /* SLEEF's divides by z; erfc is 1 below 2^-54. */
    r.q = v_mul(half, v_sub(v_erfc(v_max(v_set(0x1p-100), z)), slope));

    r.w = v_div(v_set(1), v_max(v_set(1), square)); /* for a >= FAR */
    vec s = v_set(654729075);
    s = v_fma(s, r.w, v_set(-34459425));
    s = v_fma(s, r.w, v_set(2027025));
    s = v_fma(s, r.w, v_set(-135135));
    s = v_fma(s, r.w, v_set(10395));
    s = v_fma(s, r.w, v_set(-945));
    s = v_fma(s, r.w, v_set(105));
    s = v_fma(s, r.w, v_set(-15));
    s = v_fma(s, r.w, v_set(3));
    s = v_fma(s, r.w, v_set(-1));
    r.series = v_fma(s, r.w, v_set(1));
    return r;
}

ACT_OP vec gelu_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(GELU_RANGE), v_abs(x));
    const struct gauss n = v_gauss(a);
    const vec tail = v_mul(v_mul(v_set(INV_SQRT2PI), n.series), n.e.value);
    const vec aq = v_mul(v_select(n.far, tail, v_mul(a, n.q)), n.e.scale);
    return v_sub(v_max(v_set(-0.0), x), aq); /* -0, so that a zero aq leaves -0 */
}

/* f'(-a) = Q(a) - a phi(a). */
ACT_OP vec gelu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(GELU_RANGE), v_abs(x));
    const struct gauss n = v_gauss(a);
    /* a phi(a) as high + low: Q cancels part of it, and its own rounding errors would grow. */
    const vec ac = v_mul(a, v_set(INV_SQRT2PI)), high = v_mul(ac, n.e.value);
    const vec ac_low = v_fma(a, v_set(INV_SQRT2PI_LOW), v_mul_low(a, v_set(INV_SQRT2PI), ac));
    const vec low = v_fma(ac_low, n.e.value, v_mul_low(ac, n.e.value, high));
    const vec tail = v_mul(high, v_fms(n.w, n.series, v_set(1)));
    const vec near = v_sub(v_sub(n.q, high), low);
    return v_grad_gated(x, g, v_select(n.far, tail, near), n.e.scale);
}
#else
/* a Q(a) up to a = .5, then a Q(a) e^(a^2/2) as rows -c, h(c), c1 .. c7; relative error 2^-26.5
 * (kernels/fit/eight.py).
 * The intervals end at .5, 1, 2, 3, 5, 7, 11, beginning with entry 6; a + 1 rounds to 1.5 from
 * .5 - 2^-24 on. 1.40 ULP at -.335979. */
static const float gelu_eight[9][8] = {
    {-0x1.8000f8p+0f, -0x1.4001340000000p+1f, -0x1.0001dep+2f, -0x1.8001720000000p+2f,
     -0x1.1ffe3ep+3f, -0x1.96643cp+3f, 0x0.0p+0f, -0x1.7fff6ep-1f},
    {0x1.3c1486p-2f, 0x1.69cf2ap-2f, 0x1.82b502p-2f, 0x1.8e012p-2f, 0x1.93a64p-2f, 0x1.96079ap-2f,
     0x0.0p+0f, 0x1.cd27d2p-3f},
    {0x1.203f0ep-4f, 0x1.bf3614p-6f, 0x1.2dd47cp-7f, 0x1.a0ea9ap-9f, 0x1.0b72acp-10f,
     0x1.89f054p-12f, 0x1.0000000000000p-1f, 0x1.5bf872p-3f},
    {-0x1.331f2p-5f, -0x1.7899eep-7f, -0x1.78f562p-9f, -0x1.7b54d4p-11f, -0x1.54b70ep-13f,
     -0x1.6b7b3p-15f, -0x1.98845ep-2f, -0x1.c2c7bcp-4f},
    {0x1.0d5f9p-6f, 0x1.0abec2p-8f, 0x1.9436c2p-11f, 0x1.2ca75ap-13f, 0x1.7dc894p-16f,
     0x1.286bfcp-18f, 0x1.86c69cp-18f, 0x1.d68e42p-5f},
    {-0x1.9ea2a8p-8f, -0x1.5145c4p-10f, -0x1.88a74ep-13f, -0x1.b5f9fap-16f, -0x1.8b7102p-19f,
     -0x1.c27f76p-22f, 0x1.100c4ap-4f, -0x1.a88d44p-6f},
    {0x1.216e28p-9f, 0x1.8821800000000p-12f, 0x1.640cf6p-15f, 0x1.2cdbecp-18f, 0x1.8651fap-22f,
     0x1.46d65p-25f, 0x1.ba85cap-12f, 0x1.56c7d2p-7f},
    {-0x1.860b62p-11f, -0x1.b73452p-14f, -0x1.4bdb64p-17f, -0x1.9e934cp-21f, -0x1.9d55aep-25f,
     -0x1.dd1cd6p-29f, -0x1.704fbep-7f, -0x1.0154f6p-8f},
    {0x1.dc7438p-13f, 0x1.bfc96cp-16f, 0x1.1316cap-19f, 0x1.082ae6p-23f, 0x1.8208d6p-28f,
     0x1.49d6c6p-32f, 0x1.f6211ap-10f, 0x1.7a408cp-10f},
};

ACT_OP vec gelu_forward(vec x, struct vparams p)
{
    (void)p;
    const vec all = v_abs(x), a = v_min(v_set(14.4f), all);
    const vec b = v_drop(v_lt(all, v_set(0.5f - 0x1p-24f)), a), square = v_mul(b, b);
    const struct exp_eight e = v_exp_eight_half(square, v_mul_low(b, b, square));
    const vindex8 k = v_index8(i_sar(v_bits(v_add(a, v_set(1))), 22));
    const vec d = v_add(a, v_lookup8(gelu_eight[0], k));
    const struct eight h = v_eight(gelu_eight, 7, k, e, v_add(e.s, e.sp), d);
    const vec aq = v_fma(e.s, h.high, h.rest);
    const vec scale = v_keep(v_lt(all, v_set(14.4f)), v_set(EIGHT_SCALE)); /* 2^-151 */
    return v_fnma(aq, scale, v_max(v_set(-0.0f), x)); /* -0: a zero aq leaves -0 */
}

#include "kernels/tables/gelu_slope.h"

/* 1.98 ULP of g f'(x) for any g (at 2.3e-4), 1.09 for g = 1. The tables end where f' is below
 * 2^-158. */
ACT_OP vec gelu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(v_min(v_set(9.9f), v_max(v_set(-SLOPE_END), x)));
    const vec half = v_mul(a, v_set(0.5f)), square = v_mul(half, a);
    const struct reduced8 e = v_reduce8_low(square, v_mul_low(half, a, square));
    const struct slope s = v_slope(&slope_table, a, v_slope_number(a), e, NULL);
    return v_grad_slope(x, g, s, 10);
}
#endif

ACT_KERNEL(gelu)
ACT_TEST(gelu, .odd_zero = 1, .zero = -0.75179152,
         .edge = {-14.8, -14.356068, -13.341882, -13.146246, -14.9921875, -10, -0.5, -20, -26.8,
                  -37.5, -38.4, -38.98, 20, 5.5});
