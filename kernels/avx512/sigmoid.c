/* Sigmoid from tables of sigmoid(-a) and sigmoid'(a), a = |x|. Beyond -15.25, f' +-13.829, the
 * tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 0.8605 at x = 0.77980572 (got 0.685638189,
 * want 0.685638240608); g f' 1.6324 at x = 13.7878056, g = 3.7 (got 3.80393431e-06, want
 * 3.803933934163e-06). */
#include "kernels/sigmoid.c"

#include "kernels/avx512/logistic.h"

ACT_OP vec sigmoid_near(vec x, const struct table *t)
{
    return logistic_near(x, x, t);
}

#define sigmoid_watch table_low
#define sigmoid_far   (-LOGISTIC_END)

ACT_OP vec sigmoid_tail(vec x)
{
    return tail_result(tail_logistic(tail_start(x), 1));
}

ACT_OP vec sigmoid_near_grad(vec x, vec g, const struct table *t)
{
    return v_mul(g, logistic_near_grad(x, t));
}
#define sigmoid_watch_grad table_size
#define sigmoid_far_grad   LOGISTIC_GRAD_END

ACT_OP vec sigmoid_tail_grad(vec x, vec g)
{
    return tail_grad(x, g, tail_logistic(tail_start(v_neg(v_abs(x))), 2));
}

ACT_KERNEL_TABLE(sigmoid, sigmoid, sigmoid_grad, ACT_SYMBOL(sigmoid, out),
                 ACT_STREAM_SYMBOL(sigmoid, out))
