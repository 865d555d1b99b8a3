/* tanh from a table, f needs no tail; f' from its own, beyond +-8.05 the tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.0324 at x = 0.0309315287 (got
 * 0.0309216697, want 0.03092166775386); g f' 1.7755 at x = -7.5135622, g = -100000 (got
 * -0.119086511, want -0.1190864982044). */
#include "kernels/tanh.c"

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/tanh.h"
#include "kernels/avx512/tables/tanh_grad.h"

ACT_OP vec tanh_near(vec x, const struct table *t)
{
    const vec a = v_min(v_set(9.12f), v_abs(x)); /* 1 - tanh 9.12 = 2^-25.3 */
    return v_or(table_value(t, 4, a, table_octave(a, TANH_OCTAVES)), v_sign(x));
}
#define tanh_watch table_nowhere
#define tanh_far   0
#define tanh_tail  table_no_tail

#define TANH_GRAD_END 8.05f

ACT_OP vec tanh_near_grad(vec x, vec g, const struct table *t)
{
    const vec a = table_abs(x, TANH_GRAD_END);
    return v_mul(g, table_value(t, 5, a, table_number(a, TANH_GRAD_INDEX)));
}
#define tanh_watch_grad table_size
#define tanh_far_grad   TANH_GRAD_END

/* 4 e^(-2a) (1 - 2 e^(-2a)) */
ACT_OP vec tanh_tail_grad(vec x, vec g)
{
    const vec h = tail_start(v_mul(v_set(-2), v_min(v_set(TAIL_END), v_abs(x))));
    return tail_grad(x, g, v_mul(v_set(4), tail_logistic(h, 2)));
}

ACT_KERNEL_TABLE(tanh, tanh, tanh_grad, ACT_SYMBOL(tanh, out), ACT_STREAM_SYMBOL(tanh, out))
