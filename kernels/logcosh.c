/* Log-cosh: y = log cosh x, even; x^2/2 near 0, |x| - ln 2 far out.
 * Derivative: tanh(x). */
#include "kernels/math.h"

#define LOGCOSH_NEAR 1.1f

#if V_DOUBLE
ACT_OP vec logcosh_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(25), a);
    const vmask near = v_lt(a, v_set(LOGCOSH_NEAR));
    const vec m = v_expm1(inner), e = v_add(m, v_set(1));
    /* cosh a - 1 = m^2 / 2e^a, and e^-2a. */
    const vec argument =
        v_div(v_select(near, v_mul(m, m), v_set(1)), v_mul(e, v_select(near, v_set(2), e)));
    const vec l = v_log1p(argument);
    const vec far =
        v_add(v_sub(a, v_set(0x1.62e42fefa39efp-1)), v_sub(l, v_set(0x1.abc9e3b39803fp-56)));
    return v_select(near, l, far);
}
#else
/* a^2/2 + a^4 q(a^2) near 0: relative error 2^-28.8 (kernels/fit/logcosh.sollya). */
ACT_OP vec logcosh_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(LOGCOSH_NEAR), a), z = v_mul(inner, inner);
    vec q = v_set(-0x1.5c8b32p-16f);
    q = v_fma(q, z, v_set(0x1.4db9d8p-13f));
    q = v_fma(q, z, v_set(-0x1.57eecap-11f));
    q = v_fma(q, z, v_set(0x1.193a72p-9f));
    q = v_fma(q, z, v_set(-0x1.b95adep-8f));
    q = v_fma(q, z, v_set(0x1.6c1042p-6f));
    q = v_fma(q, z, v_set(-0x1.555542p-4f));
    const vec near = v_fma(v_mul(z, z), q, v_mul(v_set(0.5f), z));
    /* |x| - ln 2 + log1p(e^-2a): at 25 that is below 2^-72. */
    const vec b = v_min(v_set(25), a);
    const struct scaled l = v_log1p_exp(v_add(b, b), v_set(0));
    const vec far = v_add(v_sub(a, v_set(LN2_HIGH)), v_fms(l.value, l.scale, v_set(LN2_LOW)));
    return v_select(v_lt(a, v_set(LOGCOSH_NEAR)), near, far);
}
#endif

ACT_OP vec logcosh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    return v_mul(g, v_tanh(x));
}

ACT_KERNEL(logcosh)
ACT_TEST(logcosh, .edge = {1.1, -1.1, 25, 9.01});
