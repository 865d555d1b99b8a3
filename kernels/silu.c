/* SiLU: y = x sigmoid(x).
 * Derivative: s * (1 + x * (1 - s)), s = 1 / (1 + exp(-x)).
 * f'(-a) = 1 - f'(a); zero at x = -1.27846454. f(-inf) = -0; in f32 y is subnormal from -91.8568,
 * -0 from -108.66. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.0683 at x = -0.29207024
 * (got -0.124859177, want -0.1248591845354); g f' 1.4005 at x = -1.80181026, g = -100000 (got
 * 7741.80127, want 7741.801953355). */
#include "kernels/half_logistic64.h"
#include "kernels/logistic.h"

#if V_DOUBLE
ACT_OP vec silu_forward(vec x, struct vparams p)
{
    (void)p;
#if ACT_UNIT_F64
    /* max(x, 0) - a sigmoid(-a) */
    const vec a = v_min(v_set(EXP_RANGE), v_abs(x));
    const struct half_logistic l = v_half_logistic(a);
    return v_fnma(v_over(v_mul(a, l.power), l), l.scale, v_max(v_set(-0.0), x));
#else
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_abs(x)), v_set(0));
    return v_gate(x, x, e, v_set(EXP_RANGE));
#endif
}

ACT_OP vec silu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(EXP_RANGE), v_abs(x));
    const struct scaled e = v_exp_scaled(a, v_set(0));
    return v_grad_gated(x, g, v_silu_slope(e, a, v_set(0)), e.scale);
}
#else
/* y = max(x, 0) - a sigmoid(-a) */
ACT_OP vec silu_forward(vec x, struct vparams p)
{
    (void)p;
    const vec size = v_abs(x), a = v_min(v_set(LOGISTIC_MOST), size);
    const vec shifted = v_fnma(a, v_set(LOG2E), v_set(LOGISTIC_MAGIC));
    const vec n = v_sub(shifted, v_set(LOGISTIC_MAGIC));
    const vec r = v_fma(n, v_set(LN2_LOW), v_fma(n, v_set(LN2_HIGH), a));
    const struct half_logistic l = v_half_logistic(shifted, v_expm1_quotient(r), r);
    const vec t = v_quotient(v_mul(a, l.s), (struct denominator){l.d, l.low});
    return v_fnma(t, v_set(LOGISTIC_SCALE), v_max(v_set(-0.0f), x));
}

#include "kernels/tables/silu_slope.h"

/* Past the tables' end R(a) = 1 - a. */
ACT_OP vec silu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(v_min(v_set(50), v_max(v_set(-110), x)));
    const vec inner = v_min(v_set(SLOPE_END), a), past = v_sub(inner, a);
    const struct slope s =
        v_slope(&slope_table, inner, v_slope_number(inner), v_reduce8(a), &past, NULL);
    return v_grad_slope(x, g, s, 50);
}
#endif

ACT_KERNEL(silu)
ACT_TEST(silu, .odd_zero = 1, .zero = -1.27846454,
         .edge = {-50, -0.625, -1.25, -18.742, -110, -108.660301, -91.8567734, -87.3365402, -16.6,
                  16.6, 40, -708.4, -720, -752});
