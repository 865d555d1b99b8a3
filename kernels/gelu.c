/* GELU, exact: y = x Phi(x), Phi the standard normal distribution function.
 * Derivative: erfc(-x / sqrt(2)) / 2 + x * exp(-x * x / 2) / sqrt(2 * pi).
 * f'(-a) = 1 - f'(a); zero at x = -.75179152. f(-inf) = -0; in f32 y is subnormal from -13.1462,
 * -0 from -14.3561.
 *
 * With Q(a) = 1 - Phi(a), a = |x|: y = max(x, 0) - a Q(a), which keeps the negative tail; and
 * Q(a) = e^(-a^2/2) times an algebraic function. The rounding of a^2 alone would cost a^2/4 ULP in
 * the tail (48 at -13.9): its low part goes into the exponential. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.3983 at x = -0.335978925
 * (got -0.123789221, want -0.1237892106301); g f' 1.0972 at x = -6.1413765, g = -7.88861e-31 (got
 * 1.21552076e-38, want 1.215520913647e-38). */
#if !ACT_UNIT_F64
#define ACT_UNROLL 2 /* 3 spill registers on AVX2: .89 times as fast */
#endif
#include "kernels/eight.h"

#if V_DOUBLE
#define INV_SQRT2PI     0x1.9884533d43651p-2
#define INV_SQRT2PI_LOW -0x1.cbc0d30ebfd15p-56
#define GELU_RANGE      38.98 /* a^2/2 = 759.7 */
#define MILLS_K         5.0
#define MILLS_C         1.09375

/* 2 Q(a) e^(a^2/2) for a in [0, 40]: (1 + h(t)) / (1 + C a), t = (a - K) / (a + K), to 2^-56
 * (kernels/fit/gelu_mills.py). |h| <= .11; the low part of t moves it by h'(t), which seven
 * coefficients give to 2^-12. */
static const double gelu_mills[25] = {
    -0x1.3e4669d2b2d20p-8,  -0x1.6311078bcfebbp-3,  0x1.79c852633f86ap-5,   0x1.2f7ad3882b453p-5,
    -0x1.114e66c33639ap-4,  0x1.dbaa87a88afcdp-5,   -0x1.1daa22846abfdp-5,  0x1.e21cd522f5215p-7,
    -0x1.e5f58a2da2cc3p-9,  -0x1.10e34995e15abp-17, 0x1.ae1c78b3bb042p-12,  -0x1.ec9c1aa87b5d1p-14,
    -0x1.801608baa7187p-16, 0x1.50851e40f5d36p-16,  -0x1.db942e855b5ebp-26, -0x1.867c2d69baffcp-19,
    0x1.1cfdce7d03275p-22,  0x1.dabfee5ef56b3p-22,  -0x1.d68973076bcacp-25, -0x1.3daceddb730dap-24,
    0x1.ac8ace7c8e38cp-28,  0x1.b1c068e2b7de0p-27,  0x1.2763ad4152d98p-31,  -0x1.aa367e27eaf13p-30,
    -0x1.8463fe01a7329p-32,
};
static const double gelu_mills_slope[7] = {
    -0x1.634cb211fc6e8p-3, 0x1.769b7eba5e84bp-4,  0x1.d51e963cb5f1ap-4, -0x1.07f5670f2bf49p-2,
    0x1.1a6945f36cc0bp-2,  -0x1.e82a3f0affbc9p-3, 0x1.e396c540164cep-4,
};

ACT_OP struct pair gelu_mills_ratio(vec a)
{
    const struct pair t = v_pair_div(v_sum(a, v_set(-MILLS_K)), v_sum(a, v_set(MILLS_K)));
    const vec u = v_mul(t.high, t.high);
    vec even = v_set(gelu_mills[24]), odd = v_set(gelu_mills[23]);
    for (int i = 22; i > 0; i -= 2) {
        even = v_fma(even, u, v_set(gelu_mills[i]));
        odd = v_fma(odd, u, v_set(gelu_mills[i - 1]));
    }
    vec slope = v_set(gelu_mills_slope[6]);
    for (int i = 5; i >= 0; i--)
        slope = v_fma(slope, t.high, v_set(gelu_mills_slope[i]));
    const vec h = v_fma(v_fma(even, t.high, odd), t.high, v_set(gelu_mills[0]));
    struct pair n = v_fast_sum(v_set(1), h);
    n.low = v_fma(slope, t.low, n.low);
    const vec ca = v_mul(a, v_set(MILLS_C));
    struct pair d = v_sum(v_set(1), ca);
    d.low = v_add(d.low, v_mul_low(a, v_set(MILLS_C), ca));
    return v_pair_div(n, d);
}

/* e^(-a^2/2) */
ACT_OP struct scaled gelu_exp(vec a)
{
    const vec half = v_mul(a, v_set(0.5)), square = v_mul(half, a);
    return v_exp_scaled(square, v_mul_low(half, a, square));
}

ACT_OP vec gelu_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(GELU_RANGE), v_abs(x));
    const struct scaled e = gelu_exp(a);
    const struct pair r = v_times(gelu_mills_ratio(a), v_mul(a, v_set(0.5)));
    const vec aq = v_rounded(v_pair_mul(r, v_value(e)));
    return v_fnma(aq, e.scale, v_max(v_set(-0.0), x)); /* -0, so that a zero aq leaves -0 */
}

/* f'(-a) = Q(a) - a phi(a). */
ACT_OP vec gelu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(GELU_RANGE), v_abs(x)), half = v_set(0.5), minus = v_neg(a);
    const struct scaled e = gelu_exp(a);
    const struct pair r = gelu_mills_ratio(a), c = {v_set(INV_SQRT2PI), v_set(INV_SQRT2PI_LOW)};
    const struct pair q = {v_mul(r.high, half), v_mul(r.low, half)};
    const struct pair sum = v_pair_add(q, v_times(c, minus));
    return v_grad_gated(x, g, v_pair_mul(sum, v_value(e)), e.scale);
}
#else
/* a Q(a) up to a = .5, then a Q(a) e^(a^2/2) as rows -c, h(c), c1 .. c7; relative error 2^-26.5
 * (kernels/fit/eight.py).
 * The intervals end at .5, 1, 2, 3, 5, 7, 11, beginning with entry 6; a + 1 rounds to 1.5 from
 * .5 - 2^-24 on. */
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

/* The tables end where f' is below
 * 2^-158. */
ACT_OP vec gelu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(v_min(v_set(9.9f), v_max(v_set(-SLOPE_END), x)));
    const vec half = v_mul(a, v_set(0.5f)), square = v_mul(half, a);
    const struct reduced8 e = v_reduce8_low(square, v_mul_low(half, a, square));
    const struct slope s = v_slope(&slope_table, a, v_slope_number(a), e, NULL, NULL);
    return v_grad_slope(x, g, s, 10);
}
#endif

ACT_KERNEL(gelu)
ACT_TEST(gelu, .odd_zero = 1, .zero = -0.75179152,
         .edge = {-14.8, -14.356068, -13.341882, -13.146246, -14.9921875, -10, -0.5, -20, -26.8,
                  -37.5, -38.4, -38.98, 20, 5.5});
