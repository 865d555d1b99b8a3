/* Log-sigmoid: y = -log1p(e^-x).
 * Derivative: 1 / (1 + exp(x)).
 * f' = sigmoid(-x) = 1 - e^y. f(inf) = -0; in f32 y is subnormal from 87.3365, -0 from 103.972. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.3154 at x = -0.0025930698
 * (got -0.694444478, want -0.6944445559626); g f' 1.4951 at x = 31.8377552, g = 3.7 (got
 * 5.51112636e-14, want 5.51112585232e-14). */
#include "kernels/eight.h"
#include "kernels/exp8.h"

ACT_OP vec logsigmoid_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x);
    const vec base = v_min(v_set((elem)-0.0), x); /* -0, so that a zero logarithm leaves -0 */
#if V_DOUBLE
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), a), v_set(0));
    const struct pair l = v_log1p_exp(e);
    return v_fnma(v_rounded(l), e.scale, base);
#else
    const struct scaled l = v_log1p_exp_eight(a);
    return v_fnma(l.value, l.scale, base);
#endif
}

#if V_DOUBLE
ACT_OP vec logsigmoid_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), mirrored = v_neg(x);
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), a), v_set(0));
    return v_grad_gated(mirrored, g, v_logistic(e), e.scale);
}
#else
ACT_OP vec logsigmoid_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    return v_grad_logistic(v_neg(x), g, v_reduce8(v_min(v_set(110), v_max(v_set(-40), x))));
}
#endif

ACT_OP vec logsigmoid_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    return v_mul(g, v_abs(v_expm1(v_max(v_set(-40), y))));
}

ACT_KERNEL_FROM_OUTPUT(logsigmoid)
ACT_TEST(logsigmoid, .edge = {-40, -41.6, 41.6, 87.3365402, 103.972076, 176, 708.4, 745.1, 50});
