/* ELU and CELU with alpha = 1 from tables of e^-a - 1 and e^-a, a = |x|; f' beyond -8.05 from the
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
    return v_select(v_lt(x, v_set(0)), below, x); /* NaN and -0 stay */
}
#define unit_elu_far  NULL
#define unit_elu_tail NULL

ACT_OP vec unit_elu_grad(vec x, vec g, const struct table *t)
{
    const vec a = table_abs(x, ELU_GRAD_END);
    const vec value = table_value(t, 4, a, table_number(a, ELU_GRAD_INDEX));
    return _mm512_mask_mul_ps(g, v_lt(x, v_set(0)), g, value);
}
ACT_OP vmask unit_elu_far_grad(vec x)
{
    return table_below(x, -ELU_GRAD_END);
}
ACT_OP vec unit_elu_tail_grad(vec x, vec g)
{
    const struct tail e = tail_exp(&tail_plain, tail_start(x), v_set(0));
    return tail_grad(x, g, v_fma(e.scale, e.p, e.scale));
}

#endif
