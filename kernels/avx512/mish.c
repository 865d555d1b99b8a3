/* Mish from tables of mish(x) / x and mish'(x). Beyond -6.67 the generic kernel. */
#include "kernels/mish.c"

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/mish.h"
#include "kernels/avx512/tables/mish_grad.h"

#define MISH_END 9.69f /* 1 - mish(x) / x = 2^-27 */

/* x c0 + x t q: t q > 0 at 0, so that -0 stays; x in the second term stays finite. */
ACT_OP vec mish_near(vec x, const struct table *t)
{
    const vec inner = v_min(v_set(MISH_END), x),
              number = table_number(inner, 0x1.2cccccp1f, -0x1.70a3d8p-5f, -0x1.0624dep-8f);
    const struct table_point p = table_point(t, 5, inner, number);
    return v_fma(x, table_row(t, 1, number), v_mul(v_mul(p.t, p.slope), inner));
}
ACT_OP vmask mish_far(vec x)
{
    return v_lt(x, v_set(-6.67f));
}

ACT_OP vec mish_near_grad(vec x, vec g, const struct table *t)
{
    const vec inner = v_min(v_set(MISH_END), x);
    return v_mul(g,
                 table_value(t, 6, inner,
                             table_number(inner, 0x1.2cccccp1f, -0x1.70a3d8p-5f, -0x1.0624dep-8f)));
}
#define mish_far_grad mish_far

ACT_KERNEL_TABLE(mish, mish, mish_grad, NULL)
