/* Log-sigmoid from a table of log1p(e^-a), a = |x|, f' = sigmoid(-x) from sigmoid's. Beyond 15.25
 * the tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.1122 at x = -0.250041038 (got
 * -0.825962424, want -0.8259624905717); g f' 1.9290 at x = -0.0028346146, g = 3.7 (got 1.85262227,
 * want 1.852622040624). */
#include "kernels/logsigmoid.c"

#include "kernels/avx512/logistic.h"
#include "kernels/avx512/tables/softplus.h"

ACT_OP vec logsigmoid_near(vec x, const struct table *t)
{
    const vec a = table_abs(x, 18);
    const vec number = v_min(table_number(a, SOFTPLUS_INDEX), v_set(LAST_ENTRY));
    return v_sub(v_min(v_set(0), x), table_value(t, 5, a, number));
}
#define logsigmoid_watch table_high
#define logsigmoid_far   (-LOGISTIC_END)

ACT_OP vec logsigmoid_tail(vec x)
{
    return v_neg(tail_result(tail_logistic(tail_start(v_neg(x)), 0.5f)));
}

ACT_OP vec logsigmoid_near_grad(vec x, vec g, const struct table *t)
{
    return v_mul(g, logistic_near(x, v_neg(x), t));
}
#define logsigmoid_watch_grad table_high
#define logsigmoid_far_grad   logsigmoid_far

ACT_OP vec logsigmoid_tail_grad(vec x, vec g)
{
    return tail_grad(x, g, tail_logistic(tail_start(v_neg(x)), 1));
}

ACT_KERNEL_TABLE(logsigmoid, softplus, sigmoid, ACT_SYMBOL(logsigmoid, out),
                 ACT_STREAM_SYMBOL(logsigmoid, out))
