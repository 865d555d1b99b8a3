/* Softplus with beta = 1 from a table of log1p(e^-a), a = |x|, f' = sigmoid(x) from sigmoid's.
 * Beyond -15.25 the tail. Any other beta of an ordinary size: the same tables, scaled.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.1122 at x = 0.250041038 (got 0.825962424,
 * want 0.8259624905717); g f' 1.9340 at x = 0.00312548527, g = 3.7 (got 1.85289133, want
 * 1.852891095396). */
#include "kernels/softplus.c"

#define ACT_TABLE_APPLIES(p) ((float)(p)->beta == 1)
#define ACT_TABLE_ELSE_FWD   fwd_scaled
#define ACT_TABLE_ELSE_BWD   bwd_scaled

#include "kernels/avx512/logistic.h"
#include "kernels/avx512/table_scaled.h"
#include "kernels/avx512/tables/softplus.h"

ACT_OP vec softplus_near(vec x, const struct table *t)
{
    const vec a = table_abs(x, 18);
    const vec number = v_min(table_number(a, SOFTPLUS_INDEX), v_set(LAST_ENTRY));
    return v_add(v_max(v_set(0), x), table_value(t, 5, a, number));
}
#define softplus_watch table_low
#define softplus_far   (-LOGISTIC_END)

ACT_OP vec softplus_tail(vec x)
{
    return tail_result(tail_logistic(tail_start(x), 0.5f));
}

ACT_OP vec softplus_near_grad(vec x, vec g, const struct table *t)
{
    return v_mul(g, logistic_near(x, x, t));
}
#define softplus_watch_grad table_low
#define softplus_far_grad   softplus_far

ACT_OP vec softplus_tail_grad(vec x, vec g)
{
    return tail_grad(x, g, tail_logistic(tail_start(x), 1));
}

ACT_OP int softplus_scales(const act_params *p)
{
    return table_scales((float)p->beta);
}

/* softplus(b x) / b */
ACT_OP struct table softplus_scaled_rows(const act_params *p)
{
    static const float index[3] = {SOFTPLUS_INDEX};
    const float b = (float)p->beta;
    return table_scaled(table_softplus, ROWS_OF(table_softplus), (struct table_ratio){b, 1},
                        (struct table_ratio){1, b}, index, 18, -LOGISTIC_END, p);
}
ACT_OP vec softplus_scaled_near(vec x, const struct table *t)
{
    const vec a = table_scaled_abs(t, x);
    const vec value = table_scaled_value(t, 5, a, table_scaled_number(t, 1, a));
    return v_add(v_max(v_set(0), x), value);
}
#define softplus_scaled_watch table_low

ACT_OP vec softplus_scaled_tail(vec x, const struct table *t)
{
    const struct tail_argument r = tail_argument(x, t->p.beta);
    return tail_result(v_div(tail_logistic_low(r.h, r.low, 0.5f), t->p.beta));
}

ACT_OP struct table softplus_scaled_rows_grad(const act_params *p)
{
    static const float index[3] = {SIGMOID_INDEX};
    return table_scaled(table_sigmoid, ROWS_OF(table_sigmoid),
                        (struct table_ratio){(float)p->beta, 1}, (struct table_ratio){1, 1}, index,
                        18, -LOGISTIC_END, p);
}
ACT_OP vec softplus_scaled_near_grad(vec x, vec g, const struct table *t)
{
    const vec a = table_scaled_abs_nan(t, x);
    const vec value = table_scaled_value(t, 5, a, table_scaled_number(t, 1, a));
    return table_mirrored_times(x, g, value);
}
#define softplus_scaled_watch_grad table_low

ACT_OP vec softplus_scaled_tail_grad(vec x, vec g, const struct table *t)
{
    const struct tail_argument r = tail_argument(x, t->p.beta);
    return tail_grad(x, g, tail_logistic_low(r.h, r.low, 1));
}

TABLE_SCALED_FORWARD(softplus, softplus_scales, fwd, softplus_scaled_watch)
TABLE_SCALED_BACKWARD(softplus, softplus_scales, bwd)

ACT_KERNEL_TABLE(softplus, softplus, sigmoid, ACT_SYMBOL(softplus, out),
                 ACT_STREAM_SYMBOL(softplus, out))
