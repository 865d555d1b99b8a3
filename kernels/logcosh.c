/* Log-cosh: y = log cosh x, even; x^2/2 near 0, |x| - ln 2 far out.
 * Derivative: tanh(x). */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 0.8983 at x = 7.23144245
 * (got 6.53829622, want 6.538295794335); g f' 1.4516 at x = 0.276501924, g = 3.7 (got 0.997758567,
 * want 0.997758480812). */
#include "kernels/even.h"

#if V_DOUBLE
#define LOGCOSH_NEAR 1.1

ACT_OP vec logcosh_forward(vec x, struct vparams p)
{
    (void)p;
    /* 2 atanh(s) with s = tanh^2(a/2) = (m / (m + 2))^2, m = e^a - 1, near 0; a - ln 2 +
     * 2 atanh(z / (2 + z)), z = e^-2a, elsewhere. */
    const vec a = v_abs(x), inner = v_min(v_set(25), a);
    const vmask near = v_lt(a, v_set(LOGCOSH_NEAR));
    const vec t = v_select(near, inner, v_neg(v_add(inner, inner)));
    const struct pair m = v_expm1_pair(t, v_set(0));
    struct pair z = v_sum(m.high, v_set(1));
    z.low = v_add(z.low, m.low);
    /* m^2 / (m + 2)^2 or z / (2 + z) = z / (m + 3) */
    struct pair d = v_sum(m.high, v_select(near, v_set(2), v_set(3)));
    d.low = v_add(d.low, m.low);
    const struct pair top = {v_select(near, m.high, z.high), v_select(near, m.low, z.low)};
    const struct pair q = v_pair_div(top, d), square = v_pair_mul(q, q);
    const struct pair s = {v_select(near, square.high, q.high), v_select(near, square.low, q.low)};
    const struct pair l = v_atanh_twice(s, v_mul(s.high, s.high));
    const struct pair base = v_sum(v_min(v_set(0x1p60), a), v_set(-0x1.62e42fefa39efp-1));
    const vec rest = v_add(l.high, v_add(v_sub(base.low, v_set(0x1.abc9e3b39803fp-56)), l.low));
    const vec far = v_select(v_lt(v_set(0x1p60), a), a, v_add(base.high, rest));
    const vec y = v_select(near, v_rounded(l), far);
#if ACT_UNIT_F64
    /* x^2/2 (1 - x^2/6): one rounding where it is subnormal. */
    return v_select(v_lt(a, v_set(0x1p-28)), v_mul(v_mul(v_set(0.5), a), a), y);
#else
    return y;
#endif
}

ACT_OP vec logcosh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    return v_mul(g, v_tanh(x));
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
    /* w times the rest may be subnormal, and tanh is x. */
    const vec size = v_select(v_lt(a, v_set(0x1p-60f)), a, slope);
    return v_mul(g, v_or(size, v_sign(x)));
}
#endif

ACT_KERNEL(logcosh)
ACT_TEST(logcosh, .edge = {1.1, -1.1, 25, 9.01, 10.6, -10.6, 1.29289, 7.29289});
