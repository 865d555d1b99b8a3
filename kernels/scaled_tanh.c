/* Scaled tanh: y = alpha tanh(beta x). Either parameter exactly 0 makes the constant 0.
 * f' = alpha beta (1 - tanh^2(beta x)) = alpha beta (1 - (y/alpha)^2). */
#include "kernels/swish.h"

ACT_OP vec scaled_tanh_forward(vec x, struct vparams p)
{
    const vec alpha = v_add(p.alpha, v_set(0)), beta = v_add(p.beta, v_set(0)); /* no -0 */
    const vec t = v_mul(beta, v_drop(v_eq(beta, v_set(0)), x));
    const vec y = v_mul(alpha, v_tanh(t));
    return v_or(v_drop(v_eq(alpha, v_set(0)), y), v_zero_or_nan(x));
}

#if !V_DOUBLE
/* A parameter as mantissa in [1, 2) and exponent, so that no product leaves the range of floats
 * before the result does. */
struct exponent {
    vec mantissa;
    vint exponent;
};

ACT_OP struct exponent v_exponent(vec a)
{
    const vmask tiny = v_lt(v_abs(a), v_set(0x1p-100f));
    const vec normal = v_select(tiny, v_mul(a, v_set(0x1p64f)), a);
    const vint exponent = i_sub(i_sar(v_bits(v_abs(normal)), 23), i_set(127));
    const vint unscale = v_bits(v_keep(tiny, v_from_bits(i_set(64))));
    return (struct exponent){v_or(v_and(normal, v_from_bits(i_set((int32_t)0x807fffff))), v_set(1)),
                             i_sub(exponent, unscale)};
}
#endif

ACT_OP vec scaled_tanh_backward(vec x, vec g, struct vparams p)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec t = u.t, low = u.low, a = v_abs(t);
    const vec twice = v_add(a, a), low2 = v_add(low, low);
#if V_DOUBLE
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), twice), low2);
    const vec q = v_div(v_mul(v_set(4), e.value), v_square_1p(v_mul(e.value, e.scale)));
    const vec d = v_grad_even(t, g, v_mul(v_mul(q, p.alpha), p.beta), e.scale);
#else
    const struct exponent ea = v_exponent(p.alpha), eb = v_exponent(p.beta);
    const struct logistic l =
        v_logistic_of(v_reduce_negative_low(v_min(v_set(GRAD_RANGE), twice), low2));
    const vec q = v_mul(v_mul(v_logistic_slope(l), ea.mantissa), eb.mantissa);
    const vint n = i_add(i_add(l.n, i_set(2)), i_add(ea.exponent, eb.exponent));
    const vec d = v_grad_even(t, g, q, i_max(i_set(-250), n));
#endif
    const vmask flat_a = v_eq(p.alpha, v_set(0)), flat_b = v_eq(p.beta, v_set(0));
    return v_or(v_drop(flat_a, v_drop(flat_b, d)), v_zero_or_nan(x));
}

ACT_OP vec scaled_tanh_from_output(vec y, vec g, struct vparams p)
{
    const vec r = v_div(y, p.alpha), one = v_set(1);
    const vec d = v_mul(v_mul(g, v_mul(v_sub(one, r), v_add(one, r))), v_mul(p.alpha, p.beta));
    const vmask flat_a = v_eq(p.alpha, v_set(0)), flat_b = v_eq(p.beta, v_set(0));
    return v_or(v_drop(flat_a, v_drop(flat_b, d)), v_zero_or_nan(y));
}

ACT_KERNEL_FROM_OUTPUT(scaled_tanh)
ACT_TEST(scaled_tanh, .edge = {9.01, -9.01, 44.361416, 52.679184, 0.1733});
