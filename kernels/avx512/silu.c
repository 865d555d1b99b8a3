/* SiLU from tables of a sigmoid(-a) and silu'(-a), a = |x|. Beyond -13.32 the generic kernel. */
#include "kernels/silu.c"

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/silu.h"
#include "kernels/avx512/tables/silu_grad.h"

/* y = max(x, 0) - T(|x|), exact for x < 0. max(x, -0): y keeps its sign where T underflows. */
ACT_OP vec silu_near(vec x, const struct table *t)
{
    const vec a = v_min(v_set(20), v_abs(x));
    const vec number = v_min(table_number(a, 0x1.4cccccp1f, -0x1.7dbf48p-6f, 0), v_set(LAST_ENTRY));
    return v_sub(v_max(v_set(-0.0f), x), table_value(t, 5, a, number));
}
ACT_OP vmask silu_far(vec x)
{
    return v_lt(x, v_set(-13.32f));
}

/* f'(x) = T(|x|) for x < 0, 1 - T(|x|) above. */
ACT_OP vec silu_near_grad(vec x, vec g, const struct table *t)
{
    const vec a = v_min(v_set(20), v_abs(x));
    const vec number = v_min(table_number(a, 0x1.4cccccp1f, -0x1.7dbf48p-6f, 0), v_set(LAST_ENTRY));
    return v_mul(g, table_mirrored(x, table_value(t, 5, a, number)));
}
ACT_OP vmask silu_far_grad(vec x)
{
    return v_lt(x, v_set(-13.32f));
}

ACT_KERNEL_TABLE(silu, silu, silu_grad, NULL)
