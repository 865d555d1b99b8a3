/* Softplus: y = log1p(e^(beta x)) / beta, beta > 0; no threshold.
 * f' = sigmoid(beta x). y -> +0 at -inf. */
#include "kernels/swish.h"

ACT_OP vec softplus_forward(vec x, struct vparams p)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec a = v_abs(u.t), relu = v_max(v_set(0), x);
#if V_DOUBLE
    /* max(x, 0) + log1p(e^-a) / beta; in the tail log1p(z) is z. */
    const struct scaled e = v_exp_far(v_min(v_set(EXP_FAR), a), u.low);
    const vec tail = v_mul(v_div(e.value, p.beta), e.scale);
    const vec near = v_div(v_log1p(v_mul(e.value, e.scale)), p.beta);
    return v_add(relu, v_select(v_lt(v_set(50), a), tail, near));
#else
    const struct scaled l = v_log1p_exp(v_min(v_set(176), a), u.low);
    /* Past e^-176 only 1/beta > 2^100 could lift it. */
    const vec part = v_drop(v_lt(v_set(176), a), v_div(l.value, p.beta));
    return v_fma(part, l.scale, relu);
#endif
}

ACT_OP vec softplus_backward(vec x, vec g, struct vparams p)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec a = v_abs(u.t);
#if V_DOUBLE
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), a), u.low);
    const vec t = v_div(e.value, v_fma(e.value, e.scale, v_set(1)));
    return v_grad_gated(u.t, g, t, e.scale);
#else
    const struct logistic l =
        v_logistic_of(v_reduce_negative_low(v_min(v_set(GRAD_RANGE), a), u.low));
    return v_grad_gated(u.t, g, l.inv, l.n);
#endif
}

/* sigmoid(beta x) = 1 - e^(-beta y). */
ACT_OP vec softplus_from_output(vec y, vec g, struct vparams p)
{
    return v_mul(g, v_abs(v_expm1(v_max(v_set(-40), v_neg(v_mul(p.beta, y))))));
}

ACT_KERNEL_FROM_OUTPUT(softplus)
ACT_TEST(softplus, .edge = {-41.6, 41.6, -87.3365402, -103.972076, 16.6, -176, -708.4, -745.1, 50});
