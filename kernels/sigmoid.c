/* Logistic sigmoid: y = 1 / (1 + e^-x).
 * Derivative: y * (1 - y).
 * f'(-a) = f'(a), f(-inf) = 0. In f32 y is subnormal from x = -87.3365, 0 from -103.97. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 0.9015 at x = -5.84746885
 * (got 0.00287888572, want 0.002878885926107); g f' 1.5686 at x = 29.0612526, g = 3.7 (got
 * 8.85238172e-13, want 8.852380867944e-13). */
#include "kernels/exp8.h"
#include "kernels/half_logistic64.h"
#include "kernels/logistic.h"

#if V_DOUBLE
ACT_OP vec sigmoid_forward(vec x, struct vparams p)
{
    (void)p;
#if ACT_UNIT_F64
    const struct half_logistic l = v_half_logistic(v_min(v_set(EXP_RANGE), v_abs(x)));
    const vec tail = v_mul(v_over(l.power, l), l.scale);
    return v_select(v_lt(x, v_set(0)), tail, v_sub(v_set(1), tail));
#else
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_abs(x)), v_set(0));
    const vmask negative = v_lt(x, v_set(0));
    const struct pair n = {v_select(negative, e.value, v_set(1)), v_keep(negative, e.low)};
    const vec y = v_rounded(v_pair_div(n, v_one_plus(e)));
    return v_mul(y, v_select(negative, e.scale, v_set(1)));
#endif
}

ACT_OP vec sigmoid_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_abs(x)), v_set(0));
    return v_grad_even(x, g, v_rounded(v_logistic_slope(e)), e.scale);
}
#else
/* e^x = S / P: y = S / (S + P). S is scaled by 2^25, so that only the last product can be
 * subnormal, and is 0 at the clamp's n of -152. */
#define SIGMOID_MAGIC (ROUND_MAGIC + 127 + 25)
#define SIGMOID_SCALE 0x1p-25f

ACT_OP vec sigmoid_forward(vec x, struct vparams p)
{
    (void)p;
    const vec one = v_set(1), inner = v_min(v_set(40), v_max(v_set(-105.4f), x));
    const vec shifted = v_fma(inner, v_set(LOG2E), v_set(SIGMOID_MAGIC));
    const vec n = v_sub(shifted, v_set(SIGMOID_MAGIC));
    const vec minus = v_fma(n, v_set(LN2_LOW), v_fms(n, v_set(LN2_HIGH), inner));
    const vec q = v_expm1_quotient(minus), s = v_from_bits(i_shl(v_bits(shifted), 23));
    const vec base = v_fma(s, v_set(SIGMOID_SCALE), one), d = v_fma(q, minus, base);
    /* base - d, but with all of S: base has lost half an ULP of the result where S is near 2^-24.
     */
    const vec rest = v_fma(s, v_set(SIGMOID_SCALE), v_sub(one, d)), low = v_fma(q, minus, rest);
    const vec y = v_quotient(s, (struct denominator){d, low});
    /* Zen 4 takes its time over a product that is subnormal, none over such an fma. */
    return v_fma(y, v_set(SIGMOID_SCALE), v_set(0));
}

ACT_OP vec sigmoid_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x);
    return v_grad_logistic_slope(a, g, v_reduce8(v_min(v_set(110), a)), 0);
}
#endif

ACT_OP vec sigmoid_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
#if V_DOUBLE
    /* y (1 - y), rounded once */
    const vec one = v_set(1), t = v_sub(one, y), low = v_sub(v_sub(one, t), y);
    return v_mul(g, v_fma_tight(y, t, v_mul(y, low)));
#else
    return v_mul(g, v_fma_tight(v_neg(y), y, y)); /* rounded once before the product */
#endif
}

ACT_KERNEL_FROM_OUTPUT(sigmoid)
ACT_TEST(sigmoid, .edge = {-50, -110, -103.972076, -87.3365402, 16.6, 40, -708.4, -745.1});
