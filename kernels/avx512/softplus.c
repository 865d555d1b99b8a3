/* Softplus with beta = 1 from a table of log1p(e^-a), a = |x|, f' = sigmoid(x) from sigmoid's.
 * Beyond -15.25, and for any other beta, the tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.1122 at x = 0.250041038 (got 0.825962424,
 * want 0.8259624905717); g f' 1.9340 at x = 0.00312548527, g = 3.7 (got 1.85289133, want
 * 1.852891095396). */
#include "kernels/softplus.c"

#define ACT_TABLE_APPLIES(p) ((float)(p)->beta == 1)

#include "kernels/avx512/logistic.h"
#include "kernels/avx512/tables/softplus.h"

ACT_OP vec softplus_near(vec x, const struct table *t)
{
    const vec a = table_abs(x, 18);
    const vec number = v_min(table_number(a, SOFTPLUS_INDEX), v_set(LAST_ENTRY));
    return v_add(v_max(v_set(0), x), table_value(t, 5, a, number));
}
ACT_OP vmask softplus_far(vec x)
{
    return table_below(x, -LOGISTIC_END);
}

ACT_OP vec softplus_tail(vec x)
{
    return tail_result(tail_logistic(tail_start(x), 0.5f));
}

ACT_OP vec softplus_near_grad(vec x, vec g, const struct table *t)
{
    return v_mul(g, logistic_near(x, x, t));
}
#define softplus_far_grad softplus_far

ACT_OP vec softplus_tail_grad(vec x, vec g)
{
    return tail_grad(x, g, tail_logistic(tail_start(x), 1));
}

ACT_KERNEL_TABLE(softplus, softplus, sigmoid, ACT_SYMBOL(softplus, out),
                 ACT_STREAM_SYMBOL(softplus, out))
