/* GELU from tables of a Phi(-a) and gelu'(-a), a = |x|. Beyond -8.05 the tail.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.2824 at x = -5.6196661 (got
 * -5.37596492e-08, want -5.375965373267e-08); g f' 1.7842 at x = -6.66346693, g = -100000 (got
 * 5.93201949e-05, want 5.932018835951e-05). */
#include "kernels/gelu.c"

#include "kernels/avx512/table.h"
#include "kernels/avx512/tables/gelu.h"
#include "kernels/avx512/tables/gelu_grad.h"

#define GELU_END 8.05f

/* y = max(x, 0) - T(|x|), exact for x < 0. max(x, -0): y keeps its sign where T underflows. */
ACT_OP vec gelu_near(vec x, const struct table *t)
{
    const vec a = table_abs(x, GELU_END);
    return v_sub(v_max(v_set(-0.0f), x), table_value(t, 6, a, table_number(a, GELU_INDEX)));
}
#define gelu_watch table_low
#define gelu_far   (-GELU_END)

/* With e^(-a^2/2) / sqrt(2 pi) and d = 1 - a Mills(a), by w = 1/a^2 within 2^-30.6 on [8.05, 14.9]
 * (kernels/fit/exp_tail.py). */
struct gelu_tail {
    struct tail e;
    vec a, w, d;
};
ACT_OP struct gelu_tail gelu_tail_of(vec x)
{
    struct gelu_tail r;
    r.a = v_min(v_set(14.8f), v_abs(x));
    const vec square = v_mul(r.a, r.a), low = v_fms(r.a, r.a, square);
    r.e = tail_exp(&tail_normal, v_mul(v_set(-0.5f), square), v_mul(v_set(-0.5f), low));
    const vec inverse = _mm512_rcp14_ps(square);
    r.w = v_fma(v_fnma(square, inverse, v_set(1)), inverse, inverse);
    vec d = v_fma(r.w, v_set(-74.7787807f), v_set(14.5893273f));
    d = v_fma(d, r.w, v_set(-2.99754079f));
    d = v_fma(d, r.w, v_set(0.99999473f));
    r.d = v_mul(d, r.w);
    return r;
}

/* -phi(a) (1 - d) */
ACT_OP vec gelu_tail(vec x)
{
    const struct gelu_tail r = gelu_tail_of(x);
    const vec q = v_fnma(r.d, r.e.p, v_sub(r.e.p, r.d));
    return v_neg(tail_result(v_fma(r.e.scale, q, r.e.scale)));
}

/* f'(x) = T(|x|) for x < 0, 1 - T(|x|) above. */
ACT_OP vec gelu_near_grad(vec x, vec g, const struct table *t)
{
    const vec a = table_abs_nan(x, GELU_END);
    const vec value = table_value(t, 7, a, table_number(a, GELU_GRAD_INDEX));
    return table_mirrored_times(x, g, value);
}
#define gelu_watch_grad table_low
#define gelu_far_grad   gelu_far
/* Q(a) - a phi(a) = -a phi(a) (1 - w (1 - d)) */
ACT_OP vec gelu_tail_grad(vec x, vec g)
{
    const struct gelu_tail r = gelu_tail_of(x);
    const vec d = v_fnma(r.w, r.d, r.w), q = v_fnma(d, r.e.p, v_sub(r.e.p, d));
    const vec s = v_fma(r.a, r.e.scale, v_mul(r.a, v_mul(r.e.scale, q)));
    return tail_grad(x, g, v_neg(s));
}

ACT_KERNEL_TABLE(gelu, gelu, gelu_grad, NULL, NULL)
