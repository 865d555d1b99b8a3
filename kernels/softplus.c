/* Softplus: y = log1p(e^(beta x)) / beta, beta > 0; no threshold.
 * Derivative: 1 / (1 + exp(-beta * x)).
 * f' = sigmoid(beta x). f(-inf) = 0. */
#include "kernels/exp8.h"
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
    /* value / beta, value up to 2^68, by a small beta made larger: 1/beta would overflow. Past
     * e^-176 only 1/beta > 2^100 could lift it. */
    const vec up = v_select(v_lt(p.beta, v_set(0x1p-64f)), v_set(0x1p127f),
                            v_select(v_lt(p.beta, v_set(1)), v_set(0x1p64f), v_set(1)));
    const vec part = v_drop(v_lt(v_set(176), a), v_div(l.value, v_mul(p.beta, up)));
    return v_fma(part, v_mul(l.scale, up), relu);
#endif
}

#if V_DOUBLE
ACT_OP vec softplus_backward(vec x, vec g, struct vparams p)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_abs(u.t)), u.low);
    const vec t = v_div(e.value, v_fma(e.value, e.scale, v_set(1)));
    return v_grad_gated(u.t, g, t, e.scale);
}
#else
ACT_OP vec softplus_backward(vec x, vec g, struct vparams p)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec t = v_neg(v_min(v_set(40), v_max(v_set(-110), u.t)));
    return v_grad_logistic(u.t, g, v_reduce8_low(t, v_xor(u.low, v_sign(t))));
}
#endif

/* sigmoid(beta x) = 1 - e^(-beta y). */
ACT_OP vec softplus_from_output(vec y, vec g, struct vparams p)
{
    /* A product that underflows is not 0 for an infinite g. */
    const vec least = v_set(ACT_UNIT_F64 ? (elem)0x1p-1074 : (elem)0x1p-149);
    const vec product = v_max(v_mul(p.beta, y), v_keep(v_lt(v_set(0), y), least));
    const vec t = v_min(v_set(40), v_or(product, v_zero_or_nan(y)));
    return v_mul(g, v_abs(v_expm1(v_neg(t))));
}

ACT_KERNEL_FROM_OUTPUT(softplus)
ACT_TEST(softplus,
         .edge = {-50, 40, -41.6, 41.6, -87.3365402, -103.972076, 16.6, -176, -708.4, -745.1, 50});
