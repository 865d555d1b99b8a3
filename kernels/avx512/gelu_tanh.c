/* GELU, tanh form, from tables of a sigmoid(-2u(a)) and gelu_tanh'(-a), a = |x|. Beyond -8.05 the
 * tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.3369 at x = -0.325663835 (got
 * -0.121260889, want -0.121260898835); g f' 1.9504 at x = -6.38290739, g = -1.3 (got
 * 2.77738128e-11, want 2.777381614701e-11). */
#include "kernels/gelu_tanh.c"

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/gelu_tanh.h"
#include "kernels/avx512/tables/gelu_tanh_grad.h"

#define GELU_TANH_END 8.05f

/* y = max(x, 0) - T(|x|), exact for x < 0. max(x, -0): y keeps its sign where T underflows. */
ACT_OP vec gelu_tanh_near(vec x, const struct table *t)
{
    const vec a = table_abs(x, GELU_TANH_END);
    return v_sub(v_max(v_set(-0.0f), x), table_value(t, 7, a, table_number(a, GELU_TANH_INDEX)));
}
#define gelu_tanh_watch table_low
#define gelu_tanh_far   (-GELU_TANH_END)

/* 2u = a (k1 + k3 a^2), k1 = 2 sqrt(2 / pi), k3 = .044715 k1, and a 2u'(a) = a (k1 + 3 k3 a^2),
 * each with what its rounding lost: the former is an exponent, up to 130. Each factor k as high +
 * low. */
struct gelu_tanh_tail {
    vec a, value, low;
};
ACT_OP struct gelu_tanh_tail gelu_tanh_cubic(vec a, float k3, float k3_low)
{
    const vec k1 = v_set(0x1.9884540000000p+0f), k1_low = v_set(-0x1.8579360000000p-25f);
    const vec square = v_mul(a, a), square_low = v_fms(a, a, square);
    const vec high = v_mul(square, v_set(k3)), high_low = v_fms(square, v_set(k3), high);
    const vec sum = v_add(high, k1); /* high > k1 for a > 4.8 */
    vec low = v_add(v_add(v_sub(high, sum), k1), v_add(high_low, k1_low));
    low = v_fma(square_low, v_set(k3), v_fma(square, v_set(k3_low), low));
    const vec value = v_mul(a, sum);
    return (struct gelu_tanh_tail){a, value, v_fma(a, low, v_fms(a, sum, value))};
}
#define GELU_TANH_K3  0x1.2444f20000000p-4f, 0x1.49b16a0000000p-29f
#define GELU_TANH_3K3 0x1.b6676c0000000p-3f, -0x1.175e200000000p-32f

ACT_OP struct tail gelu_tanh_exp(vec a)
{
    const struct gelu_tanh_tail u = gelu_tanh_cubic(a, GELU_TANH_K3);
    return tail_exp(&tail_plain, v_neg(u.value), v_neg(u.low));
}
ACT_OP vec gelu_tanh_tail(vec x)
{
    const vec a = v_min(v_set(10.9f), v_abs(x));
    const struct tail e = gelu_tanh_exp(a);
    return v_neg(tail_result(tail_times(a, e.p, e.scale)));
}

/* f'(x) = T(|x|) for x < 0, 1 - T(|x|) above. */
ACT_OP vec gelu_tanh_near_grad(vec x, vec g, const struct table *t)
{
    const vec a = table_abs_nan(x, GELU_TANH_END);
    const vec value = table_value(t, 7, a, table_number(a, GELU_TANH_GRAD_INDEX));
    return table_mirrored_times(x, g, value);
}
#define gelu_tanh_watch_grad table_low
#define gelu_tanh_far_grad   gelu_tanh_far
/* e^-2u (1 - a 2u'(a)) */
ACT_OP vec gelu_tanh_tail_grad(vec x, vec g)
{
    const vec a = v_min(v_set(10.9f), v_abs(x));
    const struct tail e = gelu_tanh_exp(a);
    const struct gelu_tanh_tail c = gelu_tanh_cubic(a, GELU_TANH_3K3);
    const vec factor = v_sub(v_set(1), c.value);
    const vec low = v_sub(v_sub(v_sub(v_set(1), factor), c.value), c.low);
    return tail_grad(x, g, v_fma(factor, e.scale, v_mul(e.scale, v_fma(factor, e.p, low))));
}

ACT_KERNEL_TABLE(gelu_tanh, gelu_tanh, gelu_tanh_grad, NULL, NULL)
