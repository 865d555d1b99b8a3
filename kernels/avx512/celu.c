/* CELU from ELU's tables, scaled where alpha is not 1.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.0056 at x = -0.0317062549 (got
 * -0.031208884, want -0.03120888209793); g f' 1.8102 at x = -0.625047982, g = 3.7 (got 1.98037207,
 * want 1.980372287058). */
#include "kernels/celu.c"

#define ACT_TABLE_APPLIES(p) ((float)(p)->alpha == 1)
#define ACT_TABLE_ELSE_FWD   fwd_scaled
#define ACT_TABLE_ELSE_BWD   bwd_scaled

#include "kernels/avx512/elu_table.h"

ACT_OP int celu_scales(const act_params *p)
{
    return table_scales((float)p->alpha);
}
ACT_OP struct table celu_scaled_rows(const act_params *p)
{
    return scaled_elu_rows(p, (struct table_ratio){1, (float)p->alpha},
                           (struct table_ratio){(float)p->alpha, 1});
}
ACT_OP struct table celu_scaled_rows_grad(const act_params *p)
{
    return scaled_elu_rows_grad(p, (struct table_ratio){1, (float)p->alpha},
                                (struct table_ratio){1, 1});
}
#define celu_scaled_near       scaled_elu
#define celu_scaled_tail       NULL
#define celu_scaled_near_grad  scaled_elu_grad
#define celu_scaled_watch_grad table_low
ACT_OP vec celu_scaled_tail_grad(vec x, vec g, const struct table *t)
{
    return celu_backward(x, g, t->p);
}
TABLE_SCALED_FORWARD(celu, celu_scales, fwd, NULL)
TABLE_SCALED_BACKWARD(celu, celu_scales, bwd)

#define celu_near       unit_elu
#define celu_watch      table_nowhere
#define celu_far        0
#define celu_tail       table_no_tail
#define celu_near_grad  unit_elu_grad
#define celu_watch_grad table_low
#define celu_far_grad   (-ELU_GRAD_END)
#define celu_tail_grad  unit_elu_tail_grad
ACT_KERNEL_TABLE(celu, elu, elu_grad, ACT_SYMBOL(celu, out), ACT_STREAM_SYMBOL(celu, out))
