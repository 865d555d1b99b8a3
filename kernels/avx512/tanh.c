/* tanh from a table over quarter octaves from 1/16 on, f' = 4 sigmoid'(2x) from sigmoid's. f needs
 * no other kernel; f' beyond +-6.9145 the generic one. */
#include "kernels/tanh.c"

#include "kernels/avx512/logistic.h"
#include "kernels/avx512/tables/tanh.h"

ACT_OP vec tanh_near(vec x, const struct table *t)
{
    /* 1 - tanh 9.99 = 2^-27.8. The entry: exponent and two bits of the significand. */
    const vec a = v_min(v_set(9.99f), v_abs(x));
    const vint bits = _mm512_srli_epi32(v_bits(v_max(v_set(0.0625f), a)), 21);
    return v_or(table_value(t, 5, a, v_from_bits(bits)), v_sign(x));
}
#define tanh_far NULL

ACT_OP vec tanh_near_grad(vec x, vec g, const struct table *t)
{
    return v_mul(g, v_mul(v_set(4), logistic_near_grad(v_add(x, x), t)));
}
ACT_OP vmask tanh_far_grad(vec x)
{
    return v_lt(v_set(LOGISTIC_GRAD_END / 2), v_abs(x));
}

ACT_KERNEL_TABLE(tanh, tanh, sigmoid_grad, ACT_SYMBOL(tanh, out))
