/* SiLU from tables of a sigmoid(-a) and silu'(-a), a = |x|. Beyond -13.32 the tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.0924 at x = -0.131926283 (got
 * -0.0616183095, want -0.0616183053984); g f' 2.1724 at x = 16.4736938, g = 3.7 (got 3.70000458,
 * want 3.700004059687). */
#include "kernels/silu.c"

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/silu.h"
#include "kernels/avx512/tables/silu_grad.h"

/* y = max(x, 0) - T(|x|), exact for x < 0. max(x, -0): y keeps its sign where T underflows. */
ACT_OP vec silu_near(vec x, const struct table *t)
{
    const vec a = table_abs(x, 20);
    const vec number = v_min(table_number(a, SILU_INDEX), v_set(LAST_ENTRY));
    return v_sub(v_max(v_set(-0.0f), x), table_value(t, 5, a, number));
}
ACT_OP vmask silu_far(vec x)
{
    return table_below(x, -13.32f);
}

/* x e^x (1 - e^x) */
ACT_OP vec silu_tail(vec x)
{
    const vec h = tail_start(x);
    const struct tail e = tail_exp(&tail_plain, h, v_set(0));
    return tail_result(tail_times(h, tail_also(e.p, v_neg(tail_small(e, h))), e.scale));
}

/* f'(x) = T(|x|) for x < 0, 1 - T(|x|) above. */
ACT_OP vec silu_near_grad(vec x, vec g, const struct table *t)
{
    const vec a = table_abs(x, 20);
    const vec number = v_min(table_number(a, SILU_GRAD_INDEX), v_set(LAST_ENTRY));
    return v_mul(g, table_mirrored(x, table_value(t, 5, a, number)));
}
#define silu_far_grad silu_far

/* e^x (b - e^x (2b - 1)), b = x + 1, exact */
ACT_OP vec silu_tail_grad(vec x, vec g)
{
    const vec h = tail_start(x), b = v_add(h, v_set(1));
    const struct tail e = tail_exp(&tail_plain, h, v_set(0));
    const vec m = v_mul(tail_small(e, h), v_fms(v_set(2), b, v_set(1)));
    const vec p = v_fms(v_sub(b, m), e.p, m);
    return tail_grad(x, g, v_fma(b, e.scale, v_mul(e.scale, p)));
}

ACT_KERNEL_TABLE(silu, silu, silu_grad, NULL, NULL)
