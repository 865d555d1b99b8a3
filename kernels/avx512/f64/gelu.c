/* gelu in f64: 2 Q(a) e^(a^2/2) from a table, not from two quotients, and 2^(j/16) in the
 * exponential. */
#include "kernels/gelu.c"

#include "kernels/avx512/f64/table.h"
#include "kernels/avx512/tables/gelu64.h"

ACT_OP struct pair gelu_table_ratio(vec a)
{
    return table64_pair(gelu_rows, 13, a, table64_octave(a, GELU_SCALE));
}

/* e^(-a^2/2) */
ACT_OP struct table64_exp gelu_table_exp(vec a)
{
    const vec half = v_mul(a, v_set(0.5)), square = v_mul(half, a);
    return table64_exp(square, v_mul_low(half, a, square));
}

/* r e without e's power of two. */
ACT_OP struct pair gelu_table_times(struct pair r, struct table64_exp e)
{
    const vec high = v_mul(r.high, e.high), rounding = v_fms(r.high, e.high, high);
    const vec low = v_fma(r.high, e.low, v_fma(r.low, e.high, rounding));
    return (struct pair){high, v_fma(high, e.p, low)};
}

ACT_OP vec gelu_table(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(GELU_RANGE), v_abs(x));
    const struct table64_exp e = gelu_table_exp(a);
    const struct pair r = v_times(gelu_table_ratio(a), v_mul(a, v_set(0.5)));
    const vec aq = table64_scaled(v_rounded(gelu_table_times(r, e)), e.n);
    return v_sub(v_max(v_set(-0.0), x), aq);
}

ACT_OP vec gelu_table_grad(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(GELU_RANGE), v_abs(x)), half = v_set(0.5);
    const struct table64_exp e = gelu_table_exp(a);
    const struct pair c = {v_set(INV_SQRT2PI), v_set(INV_SQRT2PI_LOW)}, r = gelu_table_ratio(a);
    const struct pair q = {v_mul(r.high, half), v_mul(r.low, half)};
    const struct pair t = gelu_table_times(v_pair_add(q, v_times(c, v_neg(a))), e);
    /* 2^n in two factors, around g: a large g may lift what is below 2^-1074. */
    const vec most = v_max(v_set(-512), e.n);
    const struct pair near = {table64_scaled(t.high, most), table64_scaled(t.low, most)};
    return v_grad_gated(x, g, near, table64_scaled(v_set(1), v_sub(e.n, most)));
}

ACT_LOOP1(gelu_table, gelu, fwd_fast)
ACT_LOOP2(gelu_table_grad, gelu, bwd_fast)
ACT_KERNEL_ROW(gelu_fast, gelu, fwd_fast, bwd_fast, NULL, NULL)
