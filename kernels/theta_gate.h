/* What the parameter gradients of the gates x sigmoid(t) are made of, at t = +-a. */
#ifndef ACT_KERNELS_THETA_GATE_H
#define ACT_KERNELS_THETA_GATE_H

#include "kernels/swish.h"
#include "kernels/theta.h"

#if V_DOUBLE
#define THETA_FAR EXP_FAR
#else
/* From here on e^-a, below 2^-248, counts as 0. */
#define THETA_FAR GRAD_RANGE

/* 2^n for n from -252 to 254 */
ACT_OP vwide w_pow2(vint n)
{
    const vint half = i_sar(n, 1);
    return w_mul(w_from(v_pow2(half, 0)), w_from(v_pow2(i_sub(n, half), 0)));
}
#endif

/* sigmoid'(a) = slope scale, silu'(-a) = gate scale = 1 - silu'(a). scale is 0 at a = inf, in f32
 * from THETA_FAR on, the others are finite. f32: slope within 2^-22.7 of itself, gate 2^-24. The
 * exponential for limit THETA_FAR is that of gate_backward, and need not be made twice; that for
 * 350 is scaled_tanh_backward's. */
struct theta_gate {
    vwide slope, gate, scale;
};

ACT_OP struct theta_gate theta_gate(vec a, vec low, float limit)
{
#if V_DOUBLE
    (void)limit;
    const struct scaled e = v_exp_far(v_min(v_set(EXP_FAR), a), low);
    const vec near = v_min(v_set(EXP_FAR), a), slope = v_rounded(v_logistic_slope(e));
    const vec gate = v_rounded(v_silu_slope(e, near, low));
    return (struct theta_gate){slope, gate, v_drop(v_eq(a, v_set(INFINITY)), e.scale)};
#else
    const vec near = v_min(v_set(limit), a);
    struct reduced e = v_reduce_negative_low(near, low);
    if (limit > THETA_FAR)
        e.n = i_max(e.n, i_set(-250));
    const struct logistic l = v_logistic_of(e);
    const vwide scale = w_mul(w_from(v_drop(v_le(v_set(THETA_FAR), a), l.s1)), w_from(l.s2));
    const vwide one = w_set(1), inverse = w_add(w_from(l.inv), w_from(l.inv_low));
    const vwide rest = w_sub(one, w_mul(inverse, scale)); /* sigmoid(a) */
    const vwide sum = w_sub(one, w_mul(w_add(w_from(near), w_from(low)), rest));
    return (struct theta_gate){w_from(v_logistic_slope(l)), w_mul(inverse, sum), scale};
#endif
}

/* g x^2 sigmoid'(t): df/db of x sigmoid(b x). */
ACT_OP vwide theta_gate_gradient(vec x, vec g, struct gate_argument u)
{
    const vec a = v_abs(u.t);
    const struct theta_gate l = theta_gate(a, u.low, (float)THETA_FAR);
    const vwide inner = w_from(v_drop(v_eq(a, v_set(INFINITY)), x)); /* 0 inf: the former wins */
    return w_mul(w_mul(w_mul(w_mul(l.slope, inner), inner), l.scale), w_from(g));
}

#endif
