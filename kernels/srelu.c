/* S-shaped ReLU: y = t_r + a_r (x - t_r) for x >= t_r (tested first), t_l + a_l (x - t_l) for
 * x <= t_l, x between; t_r, a_r, t_l, a_l are alpha, beta, gamma, delta.
 * Derivative: x >= alpha ? beta : x <= gamma ? delta : 1.
 * Kinks: gamma, alpha.
 * f'(alpha) = beta, f'(gamma) = delta. A slope of exactly 0 is a constant. Two roundings; the sum
 * may cancel, and its error is relative to the terms. */
#include "kernels/math.h"

/* t + a (x - t), t and a those of x's side; a == 0: t, at infinite x too. Between the sides x - t
 * is not computed, for it may overflow. */
ACT_OP vec srelu_forward(vec x, struct vparams p)
{
    const vmask right = v_le(p.alpha, x);
    const vec t = v_select(right, p.alpha, p.gamma), a = v_select(right, p.beta, p.delta);
    const vec side = v_select(right, x, v_min(x, p.gamma));
    const vec off = v_drop(v_eq(a, v_set(0)), v_sub(side, t)), y = v_fma_tight(a, off, t);
    const vec inner = v_select(v_le(x, p.gamma), y, x);
    return v_or(v_select(right, y, inner), v_zero_or_nan(x));
}

ACT_OP vec srelu_backward(vec x, vec g, struct vparams p)
{
    const vec a_r = v_add(p.beta, v_set(0)), a_l = v_add(p.delta, v_set(0)); /* -0 becomes +0 */
    const vec other = v_select(v_le(x, p.gamma), a_l, v_set(1));
    const vec slope = v_select(v_le(p.alpha, x), a_r, other);
    return v_or(v_mul(slope, v_drop(v_eq(slope, v_set(0)), g)), v_zero_or_nan(x));
}

ACT_KERNEL(srelu)
ACT_TEST(srelu, .cancels = 1, .edge = {1, -1});
