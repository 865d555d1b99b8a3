/* silu(x) and silu'(x) from tables of a sigmoid(-a) and silu'(-a), a = |x|. Beyond -13.32 the
 * tail. */
#ifndef ACT_KERNELS_AVX512_SILU_TABLE_H
#define ACT_KERNELS_AVX512_SILU_TABLE_H

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/silu.h"
#include "kernels/avx512/tables/silu_grad.h"

#define SILU_FAR (-13.32f)

/* y = max(x, 0) - T(|x|), exact for x < 0. max(x, -0): y keeps its sign where T underflows. */
ACT_OP vec unit_silu(vec x, const struct table *t)
{
    const vec a = table_abs(x, 20);
    const vec number = v_min(table_number(a, SILU_INDEX), v_set(LAST_ENTRY));
    return v_sub(v_max(v_set(-0.0f), x), table_value(t, 5, a, number));
}

/* x e^h (1 - e^h), h + low = k x, and its derivative by k x: e^h (b - e^h (2b - 1)), b = h + 1,
 * exact but for low. */
ACT_OP vec gate_far(vec x, vec h, vec low)
{
    const struct tail e = tail_exp(&tail_plain, h, low);
    return tail_result(tail_times(x, tail_also(e.p, v_neg(tail_small(e, h))), e.scale));
}
ACT_OP vec gate_far_grad(vec x, vec g, vec h, vec low)
{
    const struct tail e = tail_exp(&tail_plain, h, low);
    const vec b = v_add(h, v_set(1));
    const vec m = v_mul(tail_small(e, h), v_fms(v_set(2), b, v_set(1)));
    const vec p = v_add(v_fms(v_sub(b, m), e.p, m), low);
    return tail_grad(x, g, v_fma(b, e.scale, v_mul(e.scale, p)));
}

ACT_OP vec unit_silu_tail(vec x)
{
    const vec h = tail_start(x);
    return gate_far(h, h, v_set(0));
}

/* f'(x) = T(|x|) for x < 0, 1 - T(|x|) above. */
ACT_OP vec unit_silu_grad(vec x, vec g, const struct table *t)
{
    const vec a = table_abs_nan(x, 20);
    const vec number = v_min(table_number(a, SILU_GRAD_INDEX), v_set(LAST_ENTRY));
    return table_mirrored_times(x, g, table_value(t, 5, a, number));
}

ACT_OP vec unit_silu_tail_grad(vec x, vec g)
{
    return gate_far_grad(x, g, tail_start(x), v_set(0));
}

#endif
