/* Hyperbolic tangent: y = tanh x.
 * Derivative: 1 - y * y.
 * f(-0) = -0, f(-inf) = -1, f(inf) = 1, f'(-a) = f'(a). f' is computed as 4 e^-2a / (1 + e^-2a)^2,
 * a = |x|: in f32 it is subnormal from a = 44.36. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 0.9986 at x = 0.125183001
 * (got 0.124533162, want 0.1245331689608); g f' 1.5996 at x = -1.27550006, g = 3.7 (got
 * 0.993427217, want 0.9934271216625). */
#include "kernels/exp8.h"

#if V_DOUBLE
ACT_OP vec tanh_forward(vec x, struct vparams p)
{
    (void)p;
    return v_tanh(x);
}
#else
/* tanh a = c0 + t (c1 + ... + c7 t^6), t = a - c: rows c, c0 .. c7, relative error 2^-25.7
 * (kernels/fit/eight.py). The intervals end at a = .208, .625, 1.04, 1.88, 2.71, 4.38, 6.04,
 * beginning with entry 5. */
static const float tanh_table[9][8] = {
    {0x1.7554660000000p+0f, 0x1.2555280000000p+1f, 0x1.c5535ep+1f, 0x1.4d5744p+2f, 0x1.e4863p+2f,
     0x0.0p+0f, 0x1.aaabfep-2f, 0x1.aaa9eep-1f},
    {0x1.cb6e44p-1f, 0x1.f5a3c4p-1f, 0x1.ff243ap-1f, 0x1.fff828p-1f, 0x1.ffffeep-1f, 0x0.0p+0f,
     0x1.9394fp-2f, 0x1.5d5106p-1f},
    {0x1.8ef6dp-3f, 0x1.482cd2p-5f, 0x1.b72d4cp-9f, 0x1.f5fb56p-14f, 0x1.1ce5c4p-20f,
     0x1.0000000000000p+0f, 0x1.b07838p-1f, 0x1.11acfep-1f},
    {-0x1.65ffccp-3f, -0x1.41888ap-5f, -0x1.b6831p-9f, -0x1.f60f4cp-14f, -0x1.1af9a6p-20f,
     -0x1.76042ap-27f, -0x1.54e45cp-2f, -0x1.756f7ep-2f},
    {0x1.7883800000000p-4f, 0x1.9b451ep-6f, 0x1.23575cp-9f, 0x1.4ea7aep-14f, 0x1.7f1e0ep-21f,
     -0x1.5555140000000p-2f, -0x1.33ec5ep-3f, 0x1.2151180000000p-4f},
    {-0x1.8d2cc6p-6f, -0x1.79575ap-7f, -0x1.2026240000000p-10f, -0x1.4cb504p-15f, -0x1.71e7fp-22f,
     -0x1.e4daa4p-16f, 0x1.5c8b2cp-3f, 0x1.2c9c92p-4f},
    {-0x1.2d820ap-8f, 0x1.f2aee8p-9f, 0x1.c799dep-12f, 0x1.0a48bp-16f, 0x1.1e931cp-23f,
     0x1.11dbe8p-3f, 0x1.f52732p-10f, -0x1.f9b8e6p-5f},
    {0x1.18df4ap-7f, -0x1.7650a8p-11f, -0x1.3ffd1p-13f, -0x1.879af4p-18f, -0x1.05fcep-24f,
     -0x1.467ee6p-9f, -0x1.037b8ap-4f, 0x1.1caddp-7f},
    {-0x1.0f84b8p-8f, -0x1.4990260000000p-14f, 0x1.510f4p-15f, 0x1.babd58p-20f, 0x1.34d42ap-26f,
     -0x1.835e4ap-5f, 0x1.2000720000000p-6f, 0x1.e192b8p-7f},
};

ACT_OP vec tanh_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(9.1f), v_abs(x)); /* 1 - tanh 9.1 = 2^-25.3 */
    const vint bits = v_bits(v_fma(a, v_set(1.2f), v_set(0.75f)));
    const vindex8 k = v_index8(i_sar(bits, 22));
    const vec t = v_sub(a, v_lookup8(tanh_table[0], k));
    const vec t2 = v_mul(t, t);
    vec q = v_fma(v_lookup8(tanh_table[8], k), t, v_lookup8(tanh_table[7], k));
    const vec low = v_fma(v_lookup8(tanh_table[6], k), t, v_lookup8(tanh_table[5], k));
    q = v_fma(q, t2, low);
    q = v_fma(q, t2, v_fma(v_lookup8(tanh_table[4], k), t, v_lookup8(tanh_table[3], k)));
    q = v_fma(q, t, v_lookup8(tanh_table[2], k));
    return v_or(v_fma(q, t, v_lookup8(tanh_table[1], k)), v_sign(x));
}
#endif

#if V_DOUBLE
ACT_OP vec tanh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), t = v_add(a, a);
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), t), v_set(0));
    return v_grad_even(x, g, v_mul(v_set(4), v_rounded(v_logistic_slope(e))), e.scale);
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
    /* (1 - a) (1 + a) = t (2 - t) with t + low = 1 - a, rounded once */
    const vec a = v_abs(y), t = v_sub(one, a), low = v_sub(v_sub(one, t), a);
    return v_mul(g, v_fma_tight(t, v_add(one, a), v_mul(low, v_add(one, a))));
#else
    return v_mul(g, v_fma_tight(v_neg(y), y, one)); /* rounded once before the product */
#endif
}

ACT_KERNEL_FROM_OUTPUT(tanh)
ACT_TEST(tanh, .odd_zero = 1,
         .edge = {0.1733, -0.1733, 0.5199, 9.0109, -9.0109, 10, 44.361416, 52.679184, 25, 55});
