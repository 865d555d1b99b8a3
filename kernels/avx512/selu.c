/* SELU from tables of lambda alpha (e^-a - 1), a = |x|, and lambda alpha e^x; f' beyond -8.05 from
 * the tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.2814 at x = -3.4513916e-05 (got
 * -6.06778412e-05, want -6.067784590923e-05); g f' 1.7985 at x = -0.487763673, g = 3.7 (got
 * 3.99403644, want 3.994036864871). */
#include "kernels/selu.c"

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/selu.h"
#include "kernels/avx512/tables/selu_grad.h"

#define SELU_END      17.39f /* e^-17.39 = 2^-25.1 */
#define SELU_GRAD_END 8.05f

ACT_OP vec selu_near(vec x, const struct table *t)
{
    const vec a = table_abs(x, SELU_END);
    const vec below = table_value(t, 4, a, table_octave(a, SELU_OCTAVES));
    const vmask above = _mm512_cmp_ps_mask(x, v_set(0), _CMP_NLT_UQ); /* NaN and -0, too */
    return _mm512_mask_mul_ps(below, above, x, v_set(LAMBDA_NEAREST));
}
#define selu_watch table_nowhere
#define selu_far   0
#define selu_tail  table_no_tail

ACT_OP vec selu_inner(vec x)
{
    return v_min(v_set(0), v_max(v_set(-SELU_GRAD_END), x));
}
ACT_OP vec selu_near_grad(vec x, vec g, const struct table *t)
{
    const vec inner = selu_inner(x);
    const vec below = table_value(t, 4, inner, table_number(inner, SELU_GRAD_INDEX));
    return v_mul(g, v_select(v_lt(v_set(0), x), v_set(LAMBDA_NEAREST), below));
}
#define selu_watch_grad table_low
#define selu_far_grad   (-SELU_GRAD_END)
/* lambda alpha e^x */
ACT_OP vec selu_tail_grad(vec x, vec g)
{
    const struct tail e = tail_exp(&tail_plain, tail_start(x), v_set(0));
    const vec p = v_add(e.p, v_set(LAMBDA_ALPHA_LOW / LAMBDA_ALPHA));
    return tail_grad(x, g, tail_times(v_set(LAMBDA_ALPHA), p, e.scale));
}

ACT_KERNEL_TABLE(selu, selu, selu_grad, ACT_SYMBOL(selu, out), ACT_STREAM_SYMBOL(selu, out))
