/* Swish plus a line: y = x sigmoid(beta x) + alpha x.
 * Derivative: s * (1 + beta * x * (1 - s)) + alpha, s = 1 / (1 + exp(-beta * x)).
 * The sum may cancel, and its error is relative to the terms. Where the factor of x at +-inf is
 * exactly 0, y is +0 there. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.3524 at x =
 * 0.000802611699 (got 0.000481728028, want 0.000481728067169); g f' 2.9247 at x = -1.25002956, g =
 * -1.26765e+30 (got -1.34767093e+29, want -1.347670654047e+29). */
#include "kernels/swish.h"
#include "kernels/theta_gate.h"

ACT_OP vec swish_linear_forward(vec x, struct vparams p)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec s = gate_forward(x, u);
    const vec y = v_select(v_eq(p.alpha, v_set(0)), s, v_fma_tight(p.alpha, x, s));
    /* alpha x may be infinite against the other term, or 0 inf. */
    const vec factor = v_add(p.alpha, gate_limit(u.t, v_set(1), v_set(0)));
    const vec limit = v_drop(v_eq(factor, v_set(0)), v_mul(x, factor));
    return v_select(v_eq(v_abs(x), v_set(INFINITY)), limit, y);
}

#if !V_DOUBLE
ACT_OP int swish_linear_is_near(const act_params *p)
{
    const float b = fabsf((float)p->beta);
    return b >= GATE_LEAST_B && b <= GATE_MOST_B;
}

/* (1 + alpha) x - x sigmoid(-|beta x|) on beta's side, alpha x + x sigmoid(-|beta x|) on the other:
 * one rounding counts. */
ACT_OP vec swish_linear_near(vec x, struct vparams p)
{
    const vec b = v_abs(p.beta), flip = v_sign(p.beta), one = v_set(1), inf = v_set(INFINITY);
    const vec alpha = v_add(p.alpha, v_set(0)), more = v_add(one, alpha), part = v_sub(more, alpha);
    const vec more_low = v_add(v_sub(one, part), v_sub(alpha, v_sub(more, part)));
    const vmask above = v_lt(v_set(0), v_xor(x, flip)), infinite = v_eq(v_abs(x), inf);
    const vec factor = v_select(above, more, alpha);
    const vmask lost = v_both(infinite, v_eq(factor, v_set(0)));
    const vec size = v_min(v_div(v_set(LOGISTIC_MOST), b), v_abs(x));
    const vec plus = v_keep(above, v_mul(size, v_mul(more_low, v_set(-1 / LOGISTIC_SCALE))));
    const vec tail = gate_tail_plus(size, b, v_set(0), &plus);
    const vec rest = v_mul(tail, v_xor(v_set(-LOGISTIC_SCALE), flip));
    const vec y = v_drop(lost, v_fma_tight(factor, v_drop(lost, x), rest));
    /* At 0 the zero of x + alpha x. */
    const vec none = v_sign(x);
    return v_select(v_eq(x, v_set(0)), v_fma(alpha, none, none), y);
}
#endif

ACT_OP vec swish_linear_backward(vec x, vec g, struct vparams p)
{
    /* f' first, as the two products with an infinite g could be opposite; alpha == 0 is swish. */
    const vmask plain = v_eq(p.alpha, v_set(0));
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec slope = gate_backward(v_select(plain, g, v_set(1)), u);
    /* -0 changes no sum. */
    const vec sum = v_add(slope, v_select(plain, v_set((elem)-0.0), p.alpha));
    return v_or(v_mul(v_select(plain, v_set(1), g), sum), v_zero_or_nan(x));
}

#if ACT_UNIT_THETA
ACT_OP void swish_linear_gradients(vec x, vec g, struct vparams p, vwide *d)
{
    d[0] = w_mul(w_from(g), w_from(x));
    d[1] = theta_gate_gradient(x, g, gate_argument(x, p.beta, v_set(0)));
}
#endif

ACT_KERNEL_GATE(swish_linear)
ACT_TEST(swish_linear, .zero = -1.27846454, .zero_over = 'B', .cancels = 2,
         .edge = {-1.66, -104, -91.9, -87.3365402, 16.6, 40, -708.4});
ACT_THETA(swish_linear, BY_ROWS, swish_linear_forward, swish_linear_backward,
          swish_linear_gradients, alpha, beta);
