/* Swish: y = x sigmoid(beta x), beta finite: 0 is x/2, negative allowed.
 * Derivative: s * (1 + beta * x * (1 - s)), s = 1 / (1 + exp(-beta * x)).
 * Zero of f' at x = -1.27846454 / beta; f(-inf) = -0. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.0683 at x = -0.29207024
 * (got -0.124859177, want -0.1248591845354); g f' 1.4005 at x = -1.80181026, g = -100000 (got
 * 7741.80127, want 7741.801953355). */
#include "kernels/swish.h"
#include "kernels/theta_gate.h"

ACT_OP vec swish_forward(vec x, struct vparams p)
{
    return gate_forward(x, gate_argument(x, p.beta, v_set(0)));
}

#if !V_DOUBLE
ACT_OP int swish_is_near(const act_params *p)
{
    const float b = fabsf((float)p->beta);
    return b >= GATE_LEAST_B && b <= GATE_MOST_B;
}

/* max(x, 0) - a sigmoid(-b a), a = |x|; for b < 0 all of it with both signs changed. */
ACT_OP vec swish_near(vec x, struct vparams p)
{
    const vec b = v_abs(p.beta), flip = v_sign(p.beta);
    const vec size = v_min(v_div(v_set(LOGISTIC_MOST), b), v_abs(x));
    const vec above = v_max(v_set(-0.0f), v_xor(x, flip));
    return v_xor(v_fnma(gate_tail(size, b, v_set(0)), v_set(LOGISTIC_SCALE), above), flip);
}
#endif

ACT_OP vec swish_backward(vec x, vec g, struct vparams p)
{
    return v_or(gate_backward(g, gate_argument(x, p.beta, v_set(0))), v_zero_or_nan(x));
}

#if ACT_UNIT_THETA
ACT_OP void swish_gradients(vec x, vec g, struct vparams p, vwide *d)
{
    d[0] = theta_gate_gradient(x, g, gate_argument(x, p.beta, v_set(0)));
}
#endif

ACT_KERNEL_GATE(swish)
ACT_TEST(swish, .odd_zero = 1, .zero = -1.27846454, .zero_over = 'b',
         .edge = {-108.660301, -91.8567734, -87.3365402, -16.6, 16.6, 40, -708.4, -720, -752});
ACT_THETA(swish, BY_ROWS, swish_forward, swish_backward, swish_gradients, beta);
