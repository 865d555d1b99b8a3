/* Swish with beta = 1 is SiLU; with any other of an ordinary size it comes from SiLU's tables,
 * scaled: silu(b x) / b.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.0924 at x = -0.131926283 (got
 * -0.0616183095, want -0.0616183053984); g f' 1.8945 at x = -0.695796132, g = 0.7 (got 0.124782182,
 * want 0.1247821963916). */
#include "kernels/swish.c"

#define ACT_TABLE_APPLIES(p) ((float)(p)->beta == 1)
#define ACT_TABLE_ELSE_FWD   fwd_scaled
#define ACT_TABLE_ELSE_BWD   bwd_scaled

#include "kernels/avx512/silu_table.h"
#include "kernels/avx512/table_scaled.h"

ACT_OP int swish_scales(const act_params *p)
{
    return table_scales((float)p->beta);
}

ACT_OP struct table swish_scaled_rows(const act_params *p)
{
    static const float index[3] = {SILU_INDEX};
    const float k = fabsf((float)p->beta);
    return table_scaled(table_silu, ROWS_OF(table_silu), (struct table_ratio){k, 1},
                        (struct table_ratio){1, k}, index, 20, SILU_FAR, p);
}

/* With b's sign. */
ACT_OP vec swish_flip(vec x, const struct table *t)
{
    return v_xor(x, v_sign(t->p.beta));
}

/* As unit_silu, of -x and with the other sign for b < 0. */
ACT_OP vec swish_scaled_near(vec x, const struct table *t)
{
    const vec inner = swish_flip(x, t), a = table_scaled_abs(t, inner);
    const vec value = table_scaled_value(t, 5, a, table_scaled_number(t, 0, a));
    return swish_flip(v_sub(v_max(v_set(-0.0f), inner), value), t);
}
#define swish_scaled_watch swish_flip

ACT_OP vec swish_scaled_tail(vec x, const struct table *t)
{
    const struct tail_argument r = tail_argument(swish_flip(x, t), v_abs(t->p.beta));
    return swish_flip(gate_far(r.x, r.h, r.low), t);
}

ACT_OP struct table swish_scaled_rows_grad(const act_params *p)
{
    static const float index[3] = {SILU_GRAD_INDEX};
    const float k = fabsf((float)p->beta);
    return table_scaled(table_silu_grad, ROWS_OF(table_silu_grad), (struct table_ratio){k, 1},
                        (struct table_ratio){1, 1}, index, 20, SILU_FAR, p);
}

ACT_OP vec swish_scaled_near_grad(vec x, vec g, const struct table *t)
{
    const vec inner = swish_flip(x, t), a = table_scaled_abs_nan(t, inner);
    const vec value = table_scaled_value(t, 5, a, table_scaled_number(t, 0, a));
    return table_mirrored_times(inner, g, value);
}
#define swish_scaled_watch_grad swish_flip

ACT_OP vec swish_scaled_tail_grad(vec x, vec g, const struct table *t)
{
    const struct tail_argument r = tail_argument(swish_flip(x, t), v_abs(t->p.beta));
    return gate_far_grad(x, g, r.h, r.low);
}

TABLE_SCALED_FORWARD(swish, swish_scales, fwd, swish_scaled_watch)
TABLE_SCALED_BACKWARD(swish, swish_scales, bwd)

#define swish_near       unit_silu
#define swish_watch      table_low
#define swish_far        SILU_FAR
#define swish_tail       unit_silu_tail
#define swish_near_grad  unit_silu_grad
#define swish_watch_grad table_low
#define swish_far_grad   SILU_FAR
#define swish_tail_grad  unit_silu_tail_grad
ACT_KERNEL_TABLE(swish, silu, silu_grad, NULL, NULL)
