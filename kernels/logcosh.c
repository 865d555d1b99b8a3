/* Log-cosh: y = log cosh x, even; x^2/2 near 0, |x| - ln 2 far out.
 * Derivative: tanh(x). */
#include "kernels/math.h"

ACT_OP vec logcosh_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(25), a);
    const vmask small = v_lt(a, v_set(1.3f));
    const vec m = v_expm1(inner), e = v_add(m, v_set(1));
    /* cosh a - 1 = m^2 / 2e^a, at most .98, and e^-2a. */
    const vec argument =
        v_div(v_select(small, v_mul(m, m), v_set(1)), v_mul(e, v_select(small, v_set(2), e)));
#if V_DOUBLE
    const vec l = v_log1p(argument);
    const vec far =
        v_add(v_sub(a, v_set(0x1.62e42fefa39efp-1)), v_sub(l, v_set(0x1.abc9e3b39803fp-56)));
#else
    const vec l = v_mul(argument, v_log1p_quotient(argument));
    const vec far = v_add(v_sub(a, v_set(LN2_HIGH)), v_sub(l, v_set(LN2_LOW)));
#endif
    return v_select(small, l, far);
}

ACT_OP vec logcosh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    return v_mul(g, v_tanh(x));
}

ACT_KERNEL(logcosh)
ACT_TEST(logcosh, .edge = {1.3, -1.3, 25, 9.01});
