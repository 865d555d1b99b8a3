/* Mish: y = x tanh(log1p(e^x)) = x e(e + 2) / (e(e + 2) + 2), e = e^x.
 * Derivative: t + x * s * (1 - t * t), t = tanh(log1p(exp(x))), s = 1 / (1 + exp(-x)).
 * Zero of f' at x = -1.19243121. f(-inf) = -0; in f32 y is subnormal from -91.8568, -0 from
 * -108.66. */
#include "kernels/math.h"

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
/* tanh(log1p(1/f)) = 1 / (1 + f - h), h = f / (1 + 2f), f = e^-x = M / S: x S / (S + M - S h). */
ACT_OP vec mish_forward(vec x, struct vparams p)
{
    (void)p;
    const vec inner = v_min(v_set(14), v_max(v_set(-110), x)); /* 1 - tanh(...) = 2e^-28 at 14 */
    const struct reduced e = v_reduce(inner);
    const struct denominator plain = v_denominator(e);
    const vec m = v_exp_poly(e.r, -1, 1), s = v_pow2(i_max(e.n, i_set(-100)), 0);
    const vec h = v_div(m, v_fma(v_set(2), m, s)), d = v_fnma(s, h, plain.d);
    const vec low = v_add(v_fnma(s, h, v_sub(plain.d, d)), plain.low);
    const vec w = v_mul(inner, v_pow2(e.n, 64));
    const vec y = v_quotient(w, (struct denominator){d, low});
    return v_select(v_lt(v_set(14), x), x, v_or(v_mul(y, v_set(0x1p-64f)), v_sign(x)));
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
