/* GELU from tables of a Phi(-a) and gelu'(-a), a = |x|. Beyond -5.52, f' -5.422, the generic
 * kernel. */
#include "kernels/gelu.c"

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/gelu.h"
#include "kernels/avx512/tables/gelu_grad.h"

/* y = max(x, 0) - T(|x|), exact for x < 0. max(x, -0): y keeps its sign where T underflows. */
ACT_OP vec gelu_near(vec x, const struct table *t)
{
    const vec a = v_min(v_set(5.52f), v_abs(x));
    const vec number = table_number(a, 0x1.ap1f, 0x1.47ae14p-4f, 0x1.0e5604p-4f);
    return v_sub(v_max(v_set(-0.0f), x), table_value(t, 5, a, number));
}
ACT_OP vmask gelu_far(vec x)
{
    return v_lt(x, v_set(-5.52f));
}

/* f'(x) = T(|x|) for x < 0, 1 - T(|x|) above. */
ACT_OP vec gelu_near_grad(vec x, vec g, const struct table *t)
{
    const vec a = v_min(v_set(6.3f), v_abs(x));
    const vec number =
        v_min(table_number(a, 0x1.ap1f, 0x1.47ae14p-4f, 0x1.0e5604p-4f), v_set(LAST_ENTRY));
    return v_mul(g, table_mirrored(x, table_value(t, 5, a, number)));
}
ACT_OP vmask gelu_far_grad(vec x)
{
    return v_lt(x, v_set(-5.422f));
}

ACT_KERNEL_TABLE(gelu, gelu, gelu_grad, NULL)
