/* LiSHT: y = x tanh x, even.
 * Derivative: tanh(x) + x * (1 - tanh(x) * tanh(x)).
 * f' is odd; f(-0) = 0. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 0.7665 at x = 1.19490147
 * (got 0.994268894, want 0.9942689398838); g f' 1.9867 at x = -2.29936862, g = 3.7 (got
 * -3.96197629, want -3.961975816085). */
#include "kernels/even.h"

#if V_DOUBLE
ACT_OP vec lisht_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(TANH_END), a);
    const struct pair t = v_tanh_pair(inner, v_set(0));
    return v_fma(t.high, a, v_mul(t.low, inner)); /* t.high is 1 from TANH_END on */
}

ACT_OP vec lisht_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    /* With m = e^2a - 1: (m (m + 2) + 4a (m + 1)) / (m + 2)^2, all terms positive; past 20.5 4a
     * e^-2a is below 2^-52.5. */
    const vec a = v_abs(x), inner = v_min(v_set(22), a), four = v_mul(v_set(4), inner);
    const struct pair m = v_expm1_pair(v_add(inner, inner), v_set(0));
    struct pair d = v_sum(m.high, v_set(2)), e = v_sum(m.high, v_set(1));
    d.low = v_add(d.low, m.low);
    e.low = v_add(e.low, m.low);
    const struct pair n = v_pair_add(v_pair_mul(m, d), v_times(e, four));
    const vec slope = v_rounded(v_pair_div(n, v_pair_mul(d, d)));
    return v_mul(g, v_or(slope, v_sign(x)));
}
#else
#include "kernels/tables/even_lisht_slope.h"
#include "kernels/tables/even_tanh.h"

ACT_OP vec lisht_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(EVEN_LAST), a);
    const struct even e = v_even(even_tanh, inner, v_set(0));
    /* 2^32 a w, so that only the last product can be subnormal. */
    const vec w = v_min(v_set(EVEN_TANH_END), a), up = v_mul(inner, v_set(0x1p32f));
    const vec z = v_mul(up, w);
    const vec y = v_mul(v_even_times(z, v_mul_low(up, w, z), e), v_set(0x1p-32f));
    return v_select(v_lt(a, v_set(EVEN_LAST)), y, a); /* 1 - tanh 10.6 = 2^-29.6 */
}

ACT_OP vec lisht_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(x), inner = v_min(v_set(EVEN_LAST), a);
    const struct even e = v_even(even_lisht_slope, inner, v_set(0));
    /* (4a - 2) e^-2a is 2^-25.2 at EVEN_LAST. */
    const vec w = v_min(v_set(EVEN_LISHT_SLOPE_END), a);
    const vec slope = v_fma_tight(w, e.value, v_mul(w, e.rest));
    return v_mul(g, v_or(slope, v_sign(x)));
}
#endif

ACT_KERNEL(lisht)
ACT_TEST(lisht, .edge = {9.01, 10.6, 25, 1, 1.29289, -1.29289, 7.29289});
