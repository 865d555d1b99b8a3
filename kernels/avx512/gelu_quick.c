/* GELU, quick form, from tables of a sigmoid(-1.702 a) and gelu_quick'(-a), a = |x|. Beyond -8.05
 * the tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.1670 at x = -0.116850376 (got
 * -0.0526344851, want -0.05263448071841); g f' 1.6800 at x = -0.235189199, g = -100000 (got
 * -30507.3301, want -30507.32679696). */
#include "kernels/gelu_quick.c"

#include "kernels/avx512/silu_table.h"
#include "kernels/avx512/tables/gelu_quick.h"
#include "kernels/avx512/tables/gelu_quick_grad.h"

/* y = max(x, 0) - T(|x|), exact for x < 0. max(x, -0): y keeps its sign where T underflows. The
 * last entry is for x > 8.05: T is below an ULP of x from 10.2 on. */
ACT_OP vec gelu_quick_near(vec x, const struct table *t)
{
    const vec a = table_abs(x, 12);
    const vec number = v_min(table_number(a, GELU_QUICK_INDEX), v_set(LAST_ENTRY));
    return v_sub(v_max(v_set(-0.0f), x), table_value(t, 5, a, number));
}
#define gelu_quick_watch table_low
#define gelu_quick_far   (-8.05f)

/* 1.702 x as h + low */
struct gelu_quick_tail {
    vec x, h, low;
};
ACT_OP struct gelu_quick_tail gelu_quick_tail_of(vec x)
{
    const vec inner = v_max(v_set((float)(-TAIL_END / 1.702)), x), h = v_mul(inner, v_set(FACTOR));
    const vec low = v_fma(inner, v_set(FACTOR_LOW), v_fms(inner, v_set(FACTOR), h));
    return (struct gelu_quick_tail){inner, h, low};
}
ACT_OP vec gelu_quick_tail(vec x)
{
    const struct gelu_quick_tail r = gelu_quick_tail_of(x);
    return gate_far(r.x, r.h, r.low);
}

/* f'(x) = T(|x|) for x < 0, 1 - T(|x|) above. */
ACT_OP vec gelu_quick_near_grad(vec x, vec g, const struct table *t)
{
    const vec a = table_abs_nan(x, 12);
    const vec number = v_min(table_number(a, GELU_QUICK_GRAD_INDEX), v_set(LAST_ENTRY));
    return table_mirrored_times(x, g, table_value(t, 5, a, number));
}
#define gelu_quick_watch_grad table_low
#define gelu_quick_far_grad   gelu_quick_far
ACT_OP vec gelu_quick_tail_grad(vec x, vec g)
{
    const struct gelu_quick_tail r = gelu_quick_tail_of(x);
    return gate_far_grad(x, g, r.h, r.low);
}

ACT_KERNEL_TABLE(gelu_quick, gelu_quick, gelu_quick_grad, NULL, NULL)
