/* ELU and CELU with alpha = 1 from tables of e^-a - 1, a = |x|, and e^x; f' beyond -8.05 from the
 * tail. */
#ifndef ACT_KERNELS_AVX512_ELU_TABLE_H
#define ACT_KERNELS_AVX512_ELU_TABLE_H

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/elu.h"
#include "kernels/avx512/tables/elu_grad.h"

#define ELU_END      17.39f /* e^-17.39 = 2^-25.1 */
#define ELU_GRAD_END 8.05f

ACT_OP vec unit_elu(vec x, const struct table *t)
{
    const vec a = table_abs(x, ELU_END);
    const vec below = table_value(t, 4, a, table_octave(a, ELU_OCTAVES));
    const vmask above = _mm512_cmp_ps_mask(x, v_set(0), _CMP_NLT_UQ);
    return _mm512_mask_add_ps(below, above, x, v_set(-0.0f)); /* x, -0 too; a NaN quiet */
}
#define unit_elu_far  NULL
#define unit_elu_tail NULL

ACT_OP vec unit_elu_inner(vec x)
{
    return v_min(v_set(0), v_max(v_set(-ELU_GRAD_END), x));
}
ACT_OP vec unit_elu_grad(vec x, vec g, const struct table *t)
{
    const vec inner = unit_elu_inner(x); /* f'(0) = 1, exactly */
    return v_mul(g, table_value(t, 4, inner, table_number(inner, ELU_GRAD_INDEX)));
}
ACT_OP vmask unit_elu_far_grad(vec x)
{
    return _mm512_cmp_ps_mask(unit_elu_inner(x), v_set(-ELU_GRAD_END), _CMP_EQ_UQ);
}
ACT_OP vec unit_elu_tail_grad(vec x, vec g)
{
    const struct tail e = tail_exp(&tail_plain, tail_start(x), v_set(0));
    return tail_grad(x, g, v_fma(e.scale, e.p, e.scale));
}

#endif
