/* Log-cosh: y = log cosh x, even; x^2/2 near 0, |x| - ln 2 far out.
 * Derivative: tanh(x). */
#include "kernels/even.h"

#if V_DOUBLE
#define LOGCOSH_NEAR 1.1

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

ACT_OP vec logcosh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec inner = v_min(v_set(25), v_max(v_set(-25), x)); /* SLEEF's overflows */
    return v_mul(g, v_tanh(inner));
}
#else
#include "kernels/tables/even_logcosh.h"
#include "kernels/tables/even_tanh.h"

ACT_OP vec logcosh_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), w = v_min(v_set(EVEN_LAST), a);
    const struct even e = v_even(even_logcosh, w, v_set(0));
    /* 2^32 a^2, so that only the last product can be subnormal. */
    const vec up = v_mul(w, v_set(0x1p32f)), z = v_mul(up, w);
    const vec y = v_mul(v_even_times(z, v_mul_low(up, w, z), e), v_set(0x1p-32f));
    /* log1p(e^-2a) is 2^-30.6 at EVEN_LAST. */
    return v_select(v_lt(a, v_set(EVEN_LAST)), y, v_sub(a, v_set(0x1.62e43p-1f)));
}

ACT_OP vec logcosh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), w = v_min(v_set(EVEN_TANH_END), a);
    const struct even e = v_even(even_tanh, v_min(v_set(EVEN_LAST), a), v_set(0));
    const vec slope = v_fma_tight(w, e.value, v_mul(w, e.rest));
    return v_mul(g, v_or(slope, v_sign(x)));
}
#endif

ACT_KERNEL(logcosh)
ACT_TEST(logcosh, .edge = {1.1, -1.1, 25, 9.01, 10.6, -10.6, 1.29289, 7.29289});
