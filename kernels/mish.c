/* Mish: y = x tanh(log1p(e^x)) = x e(e + 2) / (e(e + 2) + 2), e = e^x.
 * Derivative: t + x * s * (1 - t * t), t = tanh(log1p(exp(x))), s = 1 / (1 + exp(-x)).
 * Zero of f' at x = -1.19243121. f(-inf) = -0; in f32 y is subnormal from -91.8568, -0 from
 * -108.66. */
#include "kernels/eight.h"

#if V_DOUBLE
ACT_OP vec mish_forward(vec x, struct vparams p)
{
    (void)p;
    const vec inner = v_max(v_set(-EXP_RANGE), x);
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_abs(x)), v_set(0));
    const vec z = v_mul(e.value, e.scale), two = v_set(2);
    const vec sum = v_add(z, two), d = v_fma(z, sum, two);
    const vec below = v_mul(v_mul(inner, v_div(v_mul(e.value, sum), d)), e.scale);
    /* With f = e^-x: x (1 + 2f) / (1 + 2f + 2f^2). */
    const vec n = v_fma(two, z, v_set(1));
    const vec above = v_mul(x, v_div(n, v_fma(v_mul(two, z), z, n)));
    return v_select(v_lt(x, v_set(0)), below, above);
}
#else
/* z = e^-|x|: y = x z h(z) for x < 0, x - x z h(z) for x > 0, h from a table of relative error
 * 2^-23.8 (kernels/fit/eight.py); the entry from the leading bits of 3 +- .998 z.
 * 1.47 ULP at .554436. */
static const float mish_eight[7][8] = {
    {-0x1.bffe7ep-1f, -0x1.40c642p-1f, -0x1.8106220000000p-2f, -0x1.0106c4p-3f, -0x1.0107c6p-3f,
     -0x1.81051cp-2f, -0x1.40c388p-1f, -0x1.bffe66p-1f},
    {0x1.45fb26p-1f, 0x1.70e1bcp-1f, 0x1.a4728p-1f, 0x1.e0184ep-1f, 0x1.90d312p-3f, 0x1.7a725ap-2f,
     0x1.a6570ap-2f, 0x1.a291fp-2f},
    {-0x1.3aa74p-2f, -0x1.796fe8p-2f, -0x1.bde51cp-2f, -0x1.f5c54p-2f, 0x1.2d7a54p+0f,
     0x1.62ccf8p-2f, 0x1.7db2cap-5f, -0x1.dad9d2p-5f},
    {0x1.d3b31p-4f, 0x1.0cda0ep-3f, 0x1.0af79ap-3f, 0x1.2ac2f4p-4f, -0x1.4d2e3ap+1f,
     -0x1.eb78c6p-1f, -0x1.5cc74ap-2f, -0x1.dd199p-4f},
    {-0x1.b6b9d4p-6f, -0x1.06b33p-6f, 0x1.b27376p-6f, 0x1.26675cp-3f, 0x1.9e238p+1f,
     0x1.5017580000000p+0f, 0x1.e60d8cp-2f, 0x1.69fe06p-3f},
    {-0x1.a22548p-9f, -0x1.6934ecp-6f, -0x1.229a6p-4f, -0x1.67acf8p-3f, -0x1.15914cp+1f,
     -0x1.532b06p+0f, -0x1.f16ee6p-2f, -0x1.65f03ap-3f},
    {0x1.1a2c5ap-7f, 0x1.88bbfp-6f, 0x1.d8c592p-5f, 0x1.c0d7aep-4f, -0x1.de87a4p-2f, 0x1.e950cap-1f,
     0x1.95d94cp-2f, 0x1.1cc08cp-3f},
};

ACT_OP vec mish_forward(vec x, struct vparams p)
{
    (void)p;
    const vec most = v_set(109), size = v_abs(x), a = v_min(most, size); /* 109 e^-109 = 2^-150.5 */
    const vec scale = v_set(EIGHT_SCALE);
    struct exp_eight e = v_exp_eight(a, v_set(ROUND_MAGIC));
    /* A small z must not round to the other side of 3. */
    const vec sided = v_or(v_set(0.998f * EIGHT_SCALE), v_sign(x));
    const vec number = v_fma(v_max(v_set(0x1p-21f / EIGHT_SCALE), e.near), sided, v_set(3));
    const vindex8 k = v_index8(i_sar(v_bits(number), 20));
    const vec d = v_fma(v_add(e.s, e.sp), scale, v_lookup8(mish_eight[0], k));
    /* a z = s + sp again. */
    const vec s = v_mul(a, e.s);
    e.sp = v_fma(a, e.sp, v_mul_low(a, e.s, s));
    e.s = s;
    const struct eight h = v_eight(mish_eight, 5, k, e, v_add(e.s, e.sp), d);
    const vec t = v_fma(e.s, h.high, h.rest);
    return v_fnma(t, v_keep(v_lt(size, most), scale), v_max(v_set(-0.0f), x));
}
#endif

#if V_DOUBLE
/* With z = e^-a, a = |x|:
 *   x < 0: z (4(x+1) + z(4x+6) + 4z^2 + z^3) / (2 + 2z + z^2)^2
 *   x > 0: (1 + 4z + z^2 (4x+6) + 4(x+1) z^3) / (1 + 2z + 2z^2)^2 */
ACT_OP vec mish_backward(vec x, vec g, struct vparams params)
{
    (void)params;
    const vmask negative = v_lt(x, v_set(0));
    const vec one = v_set(1), two = v_set(2), four = v_set(4);
    const vec a = v_min(v_set(EXP_RANGE), v_abs(x));
    const struct scaled e = v_exp_scaled(a, v_set(0));
    const vec z = v_mul(e.value, e.scale);
    const vec inner = v_or(a, v_sign(x));
    /* The numerator, with the low part of x + 1: it cancels beside the zero of f'. */
    const vec plus = v_add(inner, one), plus_low = v_sub(inner, v_sub(plus, one));
    const vec c1 = v_mul(four, plus), c1_low = v_mul(four, plus_low);
    const vec c2 = v_fma(four, inner, v_set(6));
    vec w = v_select(negative, one, c1);
    w = v_fma(w, z, v_select(negative, four, c2));
    w = v_fma(w, z, v_select(negative, c2, four));
    w = v_fma_tight(w, z, v_keep(negative, c1_low));
    w = v_add(w, v_select(negative, c1, one));
    /* w / D^2 with the roundings of D and D^2 taken back: they would come to 1.5 ULP. */
    const vec d0 = v_select(negative, two, one), d2 = v_select(negative, one, two);
    const vec h = v_fma(d2, z, two), h_low = v_fma(d2, z, v_sub(two, h));
    const vec d = v_fma_tight(h, z, d0);
    const vec d_low = v_fma(h_low, z, v_fma_tight(h, z, v_sub(d0, d)));
    const vec square = v_mul(d, d), low = v_fma(v_add(d, d), d_low, v_mul_low(d, d, square));
    const vec plain = v_div(w, square);
    const vec rest = v_fnma(low, plain, v_fma_tight(v_neg(square), plain, w));
    const vec q = v_fma(rest, v_div(one, square), plain);
    vec t = v_mul(e.value, q);
    t = v_select(v_eq(v_abs(x), v_set(INFINITY)), v_sign(t), t);
    const vec below = v_mul(v_mul(t, g), e.scale);
    return v_select(negative, below, v_mul(g, q));
}
#else
#include "kernels/tables/mish_slope.h"

/* f'(-a) = e^-a R(a), f'(a) = 1 - e^-a R'(a): four polynomials each. Past the tables' end R(a) =
 * 1 - a, and R' does not matter. 2.22 ULP of g f'(x) (at -2.9612, g = -1.3), 1.50 for g = 1. */
ACT_OP vec mish_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(v_min(v_set(50), v_max(v_set(-110), x)));
    const vec inner = v_min(v_set(SLOPE_END), a), past = v_sub(inner, a);
    const vec above = v_andnot(v_from_bits(i_sar(v_bits(x), 31)), v_from_bits(i_set(4 << 23)));
    const vint place = v_bits(v_fma(inner, v_set(SLOPE_INVERSE), v_set(1)));
    const vindex8 number = v_index8(i_sar(i_add(place, v_bits(above)), 23));
    const struct slope s = v_slope(&slope_table, inner, number, v_reduce8(a), &past);
    return v_grad_slope(x, g, s, 50);
}
#endif

ACT_KERNEL(mish)
ACT_TEST(mish, .odd_zero = 1, .zero = -1.19243121,
         .edge = {-50, -1.25, -18.742, -110, -108.660301, -91.8567734, -16.6, 14, -0.3466, 0.3466,
                  -708.4, -745.1, -752});
