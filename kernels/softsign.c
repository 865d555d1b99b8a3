/* Softsign: y = x / (1 + |x|). Two roundings.
 * Derivative: (1 - abs(y)) * (1 - abs(y)).
 * f(-0) = -0, f(-inf) = -1, f(inf) = 1. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.4992 at x = 2047.37488
 * (got 0.999511719, want 0.9995118081115); g f' 1.7632 at x = 5.51277758e+18, g = 0.7 (got
 * 2.30333517e-38, want 2.303334918083e-38). */
#include "kernels/math.h"

ACT_OP vec softsign_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(0x1p60f), v_abs(x)); /* past any rounding of 1 - y, before inf/inf */
    return v_or(v_div(a, v_add(v_set(1), a)), v_sign(x));
}

#if V_DOUBLE
ACT_OP vec softsign_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec size = v_abs(x), a = v_min(v_set(0x1.fffffffffffffp1023), size), one = v_set(1);
    /* 1 / (1 + a) = i + low; (g i) (i + 2 low), where its low product is an ordinary number. */
    const struct pair i = v_pair_div((struct pair){one, v_set(0)}, v_sum(a, one));
    const vec high = v_drop(v_eq(size, v_set(INFINITY)), i.high), first = v_mul(g, high);
    const vec finite = v_keep(v_lt(v_abs(first), v_set(INFINITY)), first);
    /* Dekker's splitting ends at 2^996. */
    const vec low = v_keep(v_lt(a, v_set(ACT_UNIT_F64 ? 0x1p990 : 0x1p500)), i.low);
    return v_or(v_fma(first, high, v_mul(finite, v_add(low, low))), v_sign(g));
}
#else
/* 1 / (1 + a)^2 = i (i + 2 e i), e = 1 - i (1 + a). i is 2^-22 below the quotient, so that e > 0
 * and the sum's terms are of one sign where g is infinite. */
ACT_OP vec softsign_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec size = v_abs(x), a = v_min(v_set(0x1.fffffep127f), size), one = v_set(1);
    const vec below = v_div(v_set(0x1.fffff8p-1f), v_add(one, a));
    const vec i = v_drop(v_eq(size, v_set(INFINITY)), below);
    const vec t = v_sub(one, below), low = v_sub(v_sub(one, t), below); /* 1 - i */
    /* Past 2^126, where i is subnormal, e may be 0 or less. */
    const vec e = v_max(v_set(0x1p-40f), v_add(v_fma_tight(v_neg(below), a, t), low));
    const vec first = v_mul(g, i);
    return v_fma(first, i, v_mul(v_mul(first, v_add(e, e)), i));
}
#endif

ACT_OP vec softsign_from_output(vec y, vec g, struct vparams p)
{
    (void)p;
    const vec one = v_set(1), a = v_abs(y), t = v_sub(one, a), low = v_sub(v_sub(one, t), a);
    /* t^2 + 2 t low, rounded once */
    return v_mul(g, v_fma_tight(t, t, v_mul(v_add(t, t), low)));
}

ACT_KERNEL_FROM_OUTPUT(softsign)
ACT_TEST(softsign, .odd_zero = 1);
