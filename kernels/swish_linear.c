/* Swish plus a line: y = x sigmoid(beta x) + alpha x.
 * Derivative: s * (1 + beta * x * (1 - s)) + alpha, s = 1 / (1 + exp(-beta * x)).
 * The sum may cancel, and its error is relative to the terms. Where the factor of x at +-inf is
 * exactly 0, y is +0 there. */
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

ACT_OP vec swish_linear_backward(vec x, vec g, struct vparams p)
{
    /* f' first, as the two products with an infinite g could be opposite; alpha == 0 is swish. */
    const vmask plain = v_eq(p.alpha, v_set(0));
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec slope = gate_backward(v_select(plain, g, v_set(1)), u);
    const vec d = v_select(plain, slope, v_mul(g, v_add(slope, p.alpha)));
    return v_or(d, v_zero_or_nan(x));
}

#if ACT_UNIT_THETA
ACT_OP void swish_linear_gradients(vec x, vec g, struct vparams p, vwide *d)
{
    d[0] = w_mul(w_from(g), w_from(x));
    d[1] = theta_gate_gradient(x, g, gate_argument(x, p.beta, v_set(0)));
}
#endif

ACT_KERNEL(swish_linear)
ACT_TEST(swish_linear, .zero = -1.27846454, .zero_over = 'B', .cancels = 2,
         .edge = {-1.66, -104, -91.9, -87.3365402, 16.6, 40, -708.4});
ACT_THETA(swish_linear, BY_ROWS, swish_linear_forward, swish_linear_backward,
          swish_linear_gradients, alpha, beta);
