/* Mish from tables of mish(x) / x and mish'(x). Beyond -8.05 the tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.1800 at x = -5.96864319 (got
 * -0.0152465329, want -0.01524653175849); g f' 1.6432 at x = -7.95880795, g = -100000 (got
 * 243.167633, want 243.1676079833). */
#include "kernels/mish.c"

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/mish.h"
#include "kernels/avx512/tables/mish_grad.h"

#define MISH_START 8.05f
#define MISH_END   9.69f /* 1 - mish(x) / x = 2^-27 */

/* x c0 + x t q: t q > 0 at 0, so that -0 stays; x in the second term stays finite. */
ACT_OP vec mish_near(vec x, const struct table *t)
{
    const vec inner = v_max(v_set(-MISH_START), v_min(v_set(MISH_END), x)),
              number = table_number(inner, MISH_INDEX);
    const struct table_point p = table_point(t, 5, inner, number);
    return v_fma(x, table_row(t, 1, number), v_mul(v_mul(p.t, p.slope), inner));
}
#define mish_watch table_low
#define mish_far   (-MISH_START)
/* x tanh(log1p(w)) = x w (1 - w/2 + w^3/4 ...), w = e^x */
ACT_OP vec mish_tail(vec x)
{
    const vec h = tail_start(x);
    const struct tail e = tail_exp(&tail_plain, h, v_set(0));
    return tail_result(
        tail_times(h, tail_also(e.p, v_mul(v_set(-0.5f), tail_small(e, h))), e.scale));
}

ACT_OP vec mish_near_grad(vec x, vec g, const struct table *t)
{
    const vec inner = v_max(v_set(-MISH_START), v_min(v_set(10.25f), x)); /* f' = 1 + 2^-24.1 */
    return v_mul(g, table_value(t, 6, inner, table_number(inner, MISH_GRAD_INDEX)));
}
#define mish_watch_grad table_low
#define mish_far_grad   mish_far
/* w (b - w (b - 1/2)), b = x + 1, exact */
ACT_OP vec mish_tail_grad(vec x, vec g)
{
    const vec h = tail_start(x), b = v_add(h, v_set(1));
    const struct tail e = tail_exp(&tail_plain, h, v_set(0));
    const vec m = v_mul(tail_small(e, h), v_sub(b, v_set(0.5f)));
    const vec p = v_fms(v_sub(b, m), e.p, m);
    return tail_grad(x, g, v_fma(b, e.scale, v_mul(e.scale, p)));
}

ACT_KERNEL_TABLE(mish, mish, mish_grad, NULL, NULL)
