/* GELU, tanh form, from tables of a sigmoid(-2u(a)) and gelu_tanh'(-a), a = |x|. Beyond -5.009, f'
 * -4.928, the generic kernel. */
#include "kernels/gelu_tanh.c"

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/gelu_tanh.h"
#include "kernels/avx512/tables/gelu_tanh_grad.h"

/* y = max(x, 0) - T(|x|), exact for x < 0. max(x, -0): y keeps its sign where T underflows. */
ACT_OP vec gelu_tanh_near(vec x, const struct table *t)
{
    const vec a = v_min(v_set(5.009f), v_abs(x));
    const vec number = table_number(a, 0x1.99999ap1f, 0, 0x1.f7cedap-4f);
    return v_sub(v_max(v_set(-0.0f), x), table_value(t, 5, a, number));
}
ACT_OP vmask gelu_tanh_far(vec x)
{
    return v_lt(x, v_set(-5.009f));
}

/* f'(x) = T(|x|) for x < 0, 1 - T(|x|) above. */
ACT_OP vec gelu_tanh_near_grad(vec x, vec g, const struct table *t)
{
    const vec a = v_min(v_set(5.75f), v_abs(x));
    const vec number = v_min(table_number(a, 0x1.99999ap1f, 0, 0x1.f7cedap-4f), v_set(LAST_ENTRY));
    return v_mul(g, table_mirrored(x, table_value(t, 5, a, number)));
}
ACT_OP vmask gelu_tanh_far_grad(vec x)
{
    return v_lt(x, v_set(-4.928f));
}

ACT_KERNEL_TABLE(gelu_tanh, gelu_tanh, gelu_tanh_grad, NULL)
