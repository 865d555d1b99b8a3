/* GELU, quick form: y = x sigmoid(1.702 x), 1.702 the real number.
 * Derivative: s * (1 + 1.702 * x * (1 - s)), s = 1 / (1 + exp(-1.702 * x)).
 * f'(-a) = 1 - f'(a); zero at x = -.751154255. f(-inf) = -0. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.2340 at x = -47.4733658
 * (got -3.85123357e-34, want -3.851233287386e-34); g f' 1.4222 at x = -1.34951591, g = 0.001 (got
 * -9.93306821e-05, want -9.933069248058e-05). */
#include "kernels/swish.h"

#if V_DOUBLE
#define FACTOR     0x1.b3b645a1cac08p+0
#define FACTOR_LOW 0x1.89374bc6a7efap-55
#else
#define FACTOR     0x1.b3b646p+0f
#define FACTOR_LOW -0x1.78d4fep-26f
#endif

ACT_OP vec gelu_quick_forward(vec x, struct vparams p)
{
    (void)p;
#if V_DOUBLE
    return gate_forward(x, gate_argument(x, v_set(FACTOR), v_set(FACTOR_LOW)));
#else
    /* max(x, 0) - a sigmoid(-1.702 a), a = |x| */
    const vec size = v_min(v_set((float)(LOGISTIC_MOST / 1.702)), v_abs(x));
    const vec tail = gate_tail(size, v_set(FACTOR), v_set(FACTOR_LOW));
    return v_fnma(tail, v_set(LOGISTIC_SCALE), v_max(v_set(-0.0f), x));
#endif
}

ACT_OP vec gelu_quick_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    return gate_backward(g, gate_argument(x, v_set(FACTOR), v_set(FACTOR_LOW)));
}

ACT_KERNEL(gelu_quick)
ACT_TEST(gelu_quick, .odd_zero = 1, .zero = -0.751154255,
         .edge = {-70, -64.1, -54.3, -51.3, -9.7, 9.7, 18, -416, -438});
