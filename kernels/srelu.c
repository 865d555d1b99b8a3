/* S-shaped ReLU: y = t_r + a_r (x - t_r) for x >= t_r (tested first), t_l + a_l (x - t_l) for
 * x <= t_l, x between; t_r, a_r, t_l, a_l are alpha, beta, gamma, delta.
 * Derivative: x >= alpha ? beta : x <= gamma ? delta : 1.
 * Kinks: gamma, alpha.
 * f'(alpha) = beta, f'(gamma) = delta. A slope of exactly 0 is a constant. Two roundings; the sum
 * may cancel, and its error is relative to the terms. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.0000 at x = 16777218 (got
 * 16777216, want 16777218). */
#include "kernels/math.h"
#include "kernels/theta.h"

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

#if ACT_UNIT_THETA
/* On either side g (1 - a) and g (x - t). */
ACT_OP void srelu_gradients(vec x, vec g, struct vparams p, vwide *d)
{
    const vmask right = v_le(p.alpha, x), low = v_le(x, p.gamma);
    const vec nan = v_zero_or_nan(x), x_l = v_drop(right, v_keep(low, x));
    const vec g_r = v_or(v_keep(right, g), nan), g_l = v_or(v_drop(right, v_keep(low, g)), nan);
    const vec t_r = v_keep(right, p.alpha), t_l = v_drop(right, v_keep(low, p.gamma));
    const vwide one = w_set(1), right_g = w_from(g_r), left_g = w_from(g_l);
    d[0] = w_mul(right_g, w_sub(one, w_from(p.beta)));
    d[1] = w_mul(right_g, w_sub(w_from(v_keep(right, x)), w_from(t_r)));
    d[2] = w_mul(left_g, w_sub(one, w_from(p.delta)));
    d[3] = w_mul(left_g, w_sub(w_from(x_l), w_from(t_l)));
}
#endif

ACT_KERNEL(srelu)
ACT_TEST(srelu, .cancels = 1, .edge = {1, -1});
ACT_THETA(srelu, BY_ROWS, srelu_forward, srelu_backward, srelu_gradients, alpha, beta, gamma,
          delta);
