/* ELU: y = x for x > 0, alpha (e^x - 1) otherwise.
 * Derivative: x > 0 ? 1 : alpha * exp(x).
 * Kinks: 0.
 * f'(0) = alpha, f(-0) = -0, f(-inf) = -alpha. alpha == 0 is the constant 0 below: relu. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 0.9531 at x = -0.3871454
 * (got -0.321007609, want -0.3210076377726); g f' 1.4979 at x = -0.64052254, g = 3.7 (got
 * 1.94996297, want 1.94996279503). */
#include "kernels/exp8.h"
#include "kernels/theta.h"

ACT_OP vec elu_forward(vec x, struct vparams p)
{
    /* e^-40 - 1 = -1 in either type. alpha == 0: the product must be +0, not -0. */
    const vec lowest = v_drop(v_eq(p.alpha, v_set(0)), v_set(-40));
    const vec inner = v_min(v_set(0), v_max(lowest, x)), alpha = v_add(p.alpha, v_set(0));
#if V_DOUBLE
    const vec product = v_times_plus(v_expm1_pair(inner, v_set(0)), alpha, v_set(-0.0));
    const vec y = v_or(v_abs(product), v_sign(v_xor(inner, alpha))); /* of an underflow too */
#else
    const struct expm1 e = v_expm1_sum(inner, NULL);
    vec y = v_fma(alpha, e.high, v_mul(alpha, e.low));
#if !V_HAS_FMA
    y = v_or(y, v_sign(v_xor(inner, alpha))); /* -0 + 0, of products that underflowed */
#endif
#endif
    return v_select(v_le(v_set(0), x), x, y);
}

/* alpha = 1 */
ACT_OP vec elu_unit(vec x, struct vparams p)
{
#if V_DOUBLE
    return elu_forward(x, p);
#else
    (void)p;
    return v_unit_elu(x);
#endif
}

/* alpha e^x g for x <= 0. */
ACT_OP vec elu_grad_below(vec x, vec g, vec alpha)
{
#if V_DOUBLE
    const struct scaled e = v_exp_far(v_min(v_set(EXP_FAR), v_abs(x)), v_set(0));
    /* alpha before g, but one last that would take e^x out of the range: what comes before the
     * result stays normal. */
    const vec least = v_select(v_lt(v_set(-400), x), v_set(0x1p-400), v_set(1));
    const vmask large = v_le(least, v_abs(alpha));
    const vec first = v_select(large, alpha, v_set(1)), last = v_select(large, v_set(1), alpha);
    const vec t = v_times_plus(v_value(e), first, v_set(-0.0));
    return v_mul(last, v_grad_even(x, g, t, e.scale));
#else
    /* alpha's exponent joins n, so that no product over- or underflows before the result. */
    const vmask tiny = v_lt(v_abs(alpha), v_set(0x1p-100f));
    const vec normal = v_mul(alpha, v_select(tiny, v_set(0x1p64f), v_set(1)));
    const vint exponent = i_sub(i_sar(v_bits(v_abs(normal)), 23), i_set(127));
    const vint unscale = v_bits(v_keep(tiny, v_from_bits(i_set(64))));
    const vec mantissa = v_or(v_and(normal, v_from_bits(i_set((int32_t)0x807fffff))), v_set(1));

    /* FLT_MAX e^-262 = 2^-250. alpha 2^(k/8) to twice the precision: g's is the only other rounding
     * that counts. */
    const struct reduced8 u = v_reduce8(v_min(v_set(262), v_abs(x)));
    const vindex8 i = v_index8(u.n);
    const vint whole = i_sar(i_sub(u.n, i_set(0x4b400000)), 3);
    const vec t = v_from_bits(
        i_sub(i_add(v_bits(v_lookup8(exp8_scale, i)), i_shl(u.n, 20)), i_shl(whole, 23)));
    const vec high = v_mul(t, mantissa), p = v_exp8_poly(u, v_lookup8(exp8_rest, i));
    const vec slope = v_add(high, v_fma(high, p, v_mul_low(t, mantissa, high)));
    const vint n = i_max(i_set(-250), i_add(whole, i_sub(exponent, unscale)));
    return v_grad_even(x, g, slope, n);
#endif
}

ACT_OP vec elu_backward(vec x, vec g, struct vparams p)
{
    const vmask above = v_lt(v_set(0), x); /* whose g is no business of the exponential */
    const vec side = elu_grad_below(x, v_drop(above, g), p.alpha);
    const vec below = v_select(v_eq(p.alpha, v_set(0)), v_zero_or_nan(x), side);
    return v_select(above, g, below);
}

/* alpha e^x = y + alpha: cancels where y is near -alpha, and so is for this entry point only. */
ACT_OP vec elu_from_output(vec y, vec g, struct vparams p)
{
    const vmask above = v_lt(v_set(0), y);
    const vec side = v_mul(v_drop(above, g), v_add(v_drop(above, y), p.alpha));
    return v_select(above, g, v_select(v_eq(p.alpha, v_set(0)), v_zero_or_nan(y), side));
}

#if ACT_UNIT_THETA
/* elu_grad_below takes alpha to pieces: what is no number has to come in again. */
ACT_OP vec elu_theta_backward(vec x, vec g, struct vparams p)
{
    const vec d = elu_backward(x, g, p);
    return v_select(v_lt(v_set(0), x), d, v_or(d, v_sub(p.alpha, p.alpha)));
}

/* g (e^x - 1) for x <= 0 */
ACT_OP void elu_gradients(vec x, vec g, struct vparams p, vwide *d)
{
    const vmask above = v_le(v_set(0), x);
    (void)p;
    const vec h = v_expm1(v_min(v_set(1), v_max(v_set(-40), x)));
    d[0] = w_mul(w_from(v_drop(above, g)), w_from(h));
}
#endif

ACT_KERNEL_UNIT_FROM_OUTPUT(elu, alpha)
ACT_TEST(elu, .odd_zero = 1,
         .edge = {-0.3466, -17.33, -40, -87.3365402, -103.972076, -172, -708.4, -745.1});
ACT_THETA(elu, BY_ROWS, elu_forward, elu_theta_backward, elu_gradients, alpha);
