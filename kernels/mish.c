/* Mish: y = x tanh(log1p(e^x)) = x e(e + 2) / (e(e + 2) + 2), e = e^x.
 * Derivative: t + x * s * (1 - t * t), t = tanh(log1p(exp(x))), s = 1 / (1 + exp(-x)).
 * Zero of f' at x = -1.19243121. f(-inf) = -0; in f32 y is subnormal from -91.8568, -0 from
 * -108.66. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.4709 at x = 0.554435849
 * (got 0.424177289, want 0.4241773328454); g f' 1.6669 at x = -3.08175588, g = -1.3 (got
 * 0.117111437, want 0.1171114494418). */
#include "kernels/eight.h"

#if V_DOUBLE
/* With z = e^-a, a = |x|: y = max(x, 0) - a q, q = z (2 + z) / (2 + z (2 + z)) for x < 0,
 * z (2z) / (1 + z (2 + 2z)) for x > 0. */
ACT_OP vec mish_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(EXP_RANGE), v_abs(x)), two = v_set(2), one = v_set(1);
    const vmask negative = v_lt(x, v_set(0));
    const struct scaled e = v_exp_scaled(a, v_set(0));
    const struct pair z = {v_mul(e.value, e.scale), v_mul(e.low, e.scale)};
    const vec d2 = v_select(negative, one, two);
    const struct pair z2 = {v_mul(z.high, d2), v_mul(z.low, d2)};
    struct pair h = v_fast_sum(two, z2.high);
    h.low = v_add(h.low, z2.low);
    const struct pair f = {v_select(negative, h.high, z2.high), v_select(negative, h.low, z2.low)};
    const struct pair d =
        v_pair_add((struct pair){v_select(negative, two, one), v_set(0)}, v_pair_mul(h, z));
    const struct pair q = v_pair_div(v_pair_mul(v_value(e), f), d);
    return v_fnma(v_times_plus(q, a, v_set(0)), e.scale, v_max(v_set(-0.0), x));
}
#else
/* z = e^-|x|: y = x z h(z) for x < 0, x - x z h(z) for x > 0, h from a table of relative error
 * 2^-23.8 (kernels/fit/eight.py); the entry from the leading bits of 3 +- .998 z. */
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
    /* The numerator by Horner's scheme, the last steps with their low parts: it cancels beside the
     * zero of f'. */
    const struct pair zp = {z, v_mul(e.low, e.scale)};
    const struct pair plus = v_sum(inner, one);
    const struct pair c1 = {v_mul(four, plus.high), v_mul(four, plus.low)};
    const struct pair c2 = v_sum(v_mul(four, inner), v_set(6));
    const struct pair ends = {v_select(negative, one, c1.high), v_drop(negative, c1.low)};
    const struct pair third = {v_select(negative, four, c2.high), v_drop(negative, c2.low)};
    const struct pair second = {v_select(negative, c2.high, four), v_keep(negative, c2.low)};
    const struct pair first = {v_select(negative, c1.high, one), v_keep(negative, c1.low)};
    struct pair w = v_pair_add(v_pair_mul(ends, zp), third);
    w = v_pair_add(v_pair_mul(w, zp), second);
    w = v_pair_add(v_pair_mul(w, zp), first);
    const vec d0 = v_select(negative, two, one), d2 = v_select(negative, one, two);
    struct pair h = v_fast_sum(two, v_mul(d2, z));
    h.low = v_fma(d2, zp.low, h.low);
    const struct pair d = v_pair_add((struct pair){d0, v_set(0)}, v_pair_mul(h, zp));
    const struct pair whole = {v_select(negative, e.value, one), v_keep(negative, e.low)};
    const vec q = v_rounded(v_pair_div(v_pair_mul(w, whole), v_pair_mul(d, d)));
    const vec t = v_select(v_eq(v_abs(x), v_set(INFINITY)), v_sign(q), q);
    const vec below = v_mul(v_mul(t, g), e.scale);
    return v_select(negative, below, v_mul(g, q));
}
#else
#include "kernels/tables/mish_slope.h"

/* f'(-a) = e^-a R(a), f'(a) = 1 - e^-a R'(a): four polynomials each. Past the tables' end R(a) =
 * 1 - a, and R' does not matter. */
ACT_OP vec mish_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(v_min(v_set(50), v_max(v_set(-110), x)));
    const vec inner = v_min(v_set(SLOPE_END), a), past = v_sub(inner, a);
    const vec above = v_andnot(v_from_bits(i_sar(v_bits(x), 31)), v_from_bits(i_set(4 << 23)));
    const vint place = v_bits(v_fma(inner, v_set(SLOPE_INVERSE), v_set(1)));
    const vindex8 number = v_index8(i_sar(i_add(place, v_bits(above)), 23));
    const struct slope s = v_slope(&slope_table, inner, number, v_reduce8(a), &past, NULL);
    return v_grad_slope(x, g, s, 50);
}
#endif

ACT_KERNEL(mish)
ACT_TEST(mish, .odd_zero = 1, .zero = -1.19243121,
         .edge = {-50, -1.25, -18.742, -110, -108.660301, -91.8567734, -16.6, 14, -0.3466, 0.3466,
                  -708.4, -745.1, -752});
