/* ELU and CELU from tables of e^-a - 1, a = |x|, and e^x; f' beyond -8.05 from the tail. With alpha
 * = 1 (unit_), and with another of an ordinary size from these tables scaled (scaled_). */
#ifndef ACT_KERNELS_AVX512_ELU_TABLE_H
#define ACT_KERNELS_AVX512_ELU_TABLE_H

#include "kernels/avx512/table_scaled.h"
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

ACT_OP vec unit_elu_inner(vec x)
{
    return v_min(v_set(0), v_max(v_set(-ELU_GRAD_END), x));
}
ACT_OP vec unit_elu_grad(vec x, vec g, const struct table *t)
{
    const vec inner = unit_elu_inner(x); /* f'(0) = 1, exactly */
    return v_mul(g, table_value(t, 4, inner, table_number(inner, ELU_GRAD_INDEX)));
}
ACT_OP vec unit_elu_tail_grad(vec x, vec g)
{
    const struct tail e = tail_exp(&tail_plain, tail_start(x), v_set(0));
    return tail_grad(x, g, v_fma(e.scale, e.p, e.scale));
}

/* m (e^(k x) - 1), and m e^(k x). */
ACT_OP struct table scaled_elu_rows(const act_params *p, struct table_ratio k, struct table_ratio m)
{
    static const float index[2] = {ELU_OCTAVES};
    return table_scaled(table_elu, ROWS_OF(table_elu), k, m, index, ELU_END, -ELU_END, p);
}
ACT_OP vec scaled_elu(vec x, const struct table *t)
{
    static const float index[2] = {ELU_OCTAVES};
    const vec a = table_scaled_abs(t, x), octave = v_fma(a, t->index[0], v_set(index[1]));
    const vec number = v_from_bits(_mm512_srli_epi32(v_bits(octave), 20));
    const vec below = table_scaled_value(t, 4, a, number);
    const vmask above = _mm512_cmp_ps_mask(x, v_set(0), _CMP_NLT_UQ);
    return _mm512_mask_add_ps(below, above, x, v_set(-0.0f));
}

ACT_OP struct table scaled_elu_rows_grad(const act_params *p, struct table_ratio k,
                                         struct table_ratio m)
{
    static const float index[3] = {ELU_GRAD_INDEX};
    return table_scaled(table_elu_grad, ROWS_OF(table_elu_grad), k, m, index, -ELU_GRAD_END,
                        -ELU_GRAD_END, p);
}
ACT_OP vec scaled_elu_inner(vec x, const struct table *t)
{
    return v_min(v_set(0), v_max(t->end, x));
}
/* m e^(k x) for x <= 0, 1 above. */
ACT_OP vec scaled_elu_grad(vec x, vec g, const struct table *t)
{
    const vec inner = scaled_elu_inner(x, t);
    const vec number = v_fma(inner, t->index[0], v_set(ROUND_MAGIC));
    const vec below = table_scaled_value(t, 4, inner, number);
    const vmask above = _mm512_cmp_ps_mask(x, v_set(0), _CMP_GT_OQ);
    return _mm512_mask_mul_ps(g, (vmask)~above, g, below);
}

#endif
