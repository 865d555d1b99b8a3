/* CELU: y = x for x > 0, alpha (e^(x/alpha) - 1) otherwise, alpha > 0.
 * Derivative: x > 0 ? 1 : exp(x / alpha).
 * f'(0) = 1, from both sides; f(-0) = -0, f(-inf) = -alpha. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 0.9531 at x = -0.3871454
 * (got -0.321007609, want -0.3210076377726); g f' 1.6470 at x = -26.7713432, g = -100000 (got
 * -2.36239984e-07, want -2.36239960614e-07). */
#include "kernels/math.h"
#include "kernels/theta_gate.h"

/* min(x, 0), but no less than makes x/alpha 2^20: nothing overflows. */
ACT_OP vec celu_inner(vec x, vec alpha)
{
#if ACT_UNIT_F64
    const vec large = v_set(0x1p1000), last = v_set(0x1.fffffffffffffp1023);
#else
    const vec large = v_set(0x1p100f), last = v_set(0x1.fffffep127f);
#endif
    const vec least = v_mul(v_min(large, alpha), v_set(0x1p20f));
    return v_min(v_set(0), v_max(v_neg(v_select(v_lt(alpha, large), least, last)), x));
}

#if !V_DOUBLE
/* x/alpha = t + low, |low| up to 1.5 ULP of t; x and alpha are scaled together so that 1/alpha, and
 * the remainder of a tiny alpha, are normal numbers. Where |t| < 2^-13 only t's size is right. */
struct celu_quotient {
    vec t, low;
};
ACT_OP struct celu_quotient celu_quotient(vec x, vec alpha)
{
    const vmask small = v_lt(alpha, v_set(0x1p-64f)), large = v_lt(v_set(0x1p64f), alpha);
    const vec up = v_select(small, v_set(0x1p64f), v_set(1));
    const vec scale = v_select(large, v_set(0x1p-64f), up), a = v_mul(alpha, scale);
    const vec inverse = v_div(v_set(1), a), inner = v_mul(x, scale), t = v_mul(inner, inverse);
    return (struct celu_quotient){t, v_mul(v_fma_tight(v_neg(a), t, inner), inverse)};
}
#endif

ACT_OP vec celu_forward(vec x, struct vparams p)
{
    const vec inner = celu_inner(x, p.alpha);
#if V_DOUBLE
    const vec t = v_div(inner, p.alpha);
#else
    const struct celu_quotient u = celu_quotient(inner, p.alpha);
    const vec t = u.t;
#endif
    /* e^-40 - 1 = -1 in either type. */
    const vec last = v_set(-40), far = v_select(v_eq(x, v_set(-INFINITY)), last, v_max(last, t));
#if V_DOUBLE
    /* What the quotient t lost, where it is an ordinary number. */
    const vec least = v_set(0x1p-100f), most = v_set(0x1p100f);
    const vmask some = v_both(v_inside(least, p.alpha, most), v_inside(v_set(-40), t, v_set(0)));
    const vec q = v_keep(some, t), a = v_select(some, p.alpha, v_set(1)), product = v_mul(q, a);
    const vec rest = v_sub(v_sub(v_keep(some, inner), product), v_mul_low(q, a, product));
    const vec y = v_times_plus(v_expm1_pair(far, v_div(rest, a)), p.alpha, v_set(-0.0));
#else
    const vec low = v_keep(v_lt(last, t), u.low);
    const struct expm1 e = v_expm1_sum(far, &low);
    vec y = v_fma(p.alpha, e.high, v_mul(p.alpha, e.low));
#if !V_HAS_FMA
    y = v_or(y, v_sign(inner)); /* -0 + 0, of products that underflowed */
#endif
#endif
    /* Where t is tiny it may be subnormal, and x is nearly the answer: x + x t/2, 2^-28 squared. */
    const vec near = v_fma(v_mul(v_set(0.5f), inner), v_max(v_set(-1), t), inner);
    const vec below = v_select(v_lt(v_abs(t), v_set(V_DOUBLE ? 0x1p-28f : 0x1p-13f)), near, y);
    return v_select(v_le(v_set(0), x), x, below);
}

/* alpha = 1 */
ACT_OP vec celu_unit(vec x, struct vparams p)
{
#if V_DOUBLE
    return celu_forward(x, p);
#else
    (void)p;
    return v_unit_elu(x);
#endif
}

ACT_OP vec celu_backward(vec x, vec g, struct vparams p)
{
    const vmask above = v_lt(v_set(0), x);
    const vec inner = celu_inner(x, p.alpha), side = v_drop(above, g);
    /* x/alpha = t + low: rounding t would cost |t|/2 ULP. */
#if V_DOUBLE
    /* A tiny alpha is scaled up, and x with it, so that the remainder is a normal number. */
    const vec scale = v_select(v_lt(p.alpha, v_set(0x1p-64f)), v_set(0x1p64f), v_set(1));
    const vec scaled = v_mul(inner, scale), alpha = v_mul(p.alpha, scale);
    const vec t = v_div(scaled, alpha), a = v_abs(t), product = v_mul(t, alpha);
    const vec rest = v_sub(v_sub(scaled, product), v_mul_low_wide(t, alpha, product));
    const vec low = v_keep(v_inside(v_set(0.5f), a, v_set(2000)), v_div(v_neg(rest), alpha));
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), a), low);
    const vec below = v_grad_even(x, side, v_rounded(v_value(e)), e.scale);
#else
    const struct celu_quotient u = celu_quotient(inner, p.alpha);
    const vec a = v_abs(u.t);
    const vec low = v_keep(v_inside(v_set(0.5f), a, v_set(2000)), v_neg(u.low));
    const struct reduced e = v_reduce_negative_low(v_min(v_set(GRAD_RANGE), a), low);
    const vec below = v_grad_even(x, side, v_exp_poly(e.r, -1, 1), e.n);
#endif
    return v_select(above, g, below);
}

/* e^(x/alpha) = (y + alpha) / alpha. */
ACT_OP vec celu_from_output(vec y, vec g, struct vparams p)
{
    const vmask above = v_lt(v_set(0), y);
    const vec slope = v_div(v_add(v_drop(above, y), p.alpha), p.alpha);
    return v_select(above, g, v_mul(v_drop(above, g), slope));
}

#if ACT_UNIT_THETA
/* alpha < 0 makes x < 0 NaN. */
ACT_OP struct vparams celu_checked(struct vparams p)
{
    p.alpha = v_select(v_lt(p.alpha, v_set(0)), v_set(NAN), p.alpha);
    return p;
}

ACT_OP vec celu_theta_forward(vec x, struct vparams p)
{
    return celu_forward(x, celu_checked(p));
}

ACT_OP vec celu_theta_backward(vec x, vec g, struct vparams p)
{
    return celu_backward(x, g, celu_checked(p));
}

/* sum over k of a^k / (k + 2)! for a in [0, 1.25], within 2^-28 (f64 2^-55) of itself. */
ACT_OP vec celu_series(vec a)
{
    static const double c[18] = {1 / 2.0,
                                 1 / 6.0,
                                 1 / 24.0,
                                 1 / 120.0,
                                 1 / 720.0,
                                 1 / 5040.0,
                                 1 / 40320.0,
                                 1 / 362880.0,
                                 1 / 3628800.0,
                                 1 / 39916800.0,
                                 1 / 479001600.0,
                                 1 / 6227020800.0,
                                 1 / 87178291200.0,
                                 1 / 1307674368000.0,
                                 1 / 20922789888000.0,
                                 1 / 355687428096000.0,
                                 1 / 6402373705728000.0,
                                 1 / 121645100408832000.0};
    enum { DEGREE = V_DOUBLE ? 17 : 10 };
    vec q = v_set((elem)c[DEGREE]);
#pragma GCC unroll 18
    for (int k = DEGREE - 1; k >= 0; k--)
        q = v_fma(q, a, v_set((elem)c[k]));
    return q;
}

/* g (e^t - 1 - t e^t), t = x / alpha = -a: it cancels near 0, where it is e^-a (1 + a - e^a) with
 * e^a - 1 - a as a series; from 1.25 on e^-a (1 + a) - 1 has 1.8 times the error of e^-a. */
ACT_OP void celu_gradients(vec x, vec g, struct vparams p, vwide *d)
{
    const vmask above = v_le(v_set(0), x);
    const vec alpha = celu_checked(p).alpha;
    const vwide quotient = w_mul(w_from(v_drop(above, x)), w_div(w_set(1), w_from(alpha)));
    const vec t = w_to(quotient), most = v_set(THETA_FAR), size = v_drop(above, v_abs(t));
    const vec a = v_min(most, size);
#if V_DOUBLE
    const struct scaled e = v_exp_far(a, v_set(0));
    const vec exponential = v_mul(v_rounded(v_value(e)), e.scale), low = v_set(0);
#else
    const vec rest = v_xor(w_to(w_sub(quotient, w_from(t))), v_sign(t));
    const vec low = v_keep(v_lt(size, most), rest);
    const struct reduced e = v_reduce_negative_low(a, low);
    const vwide exponential = w_mul(w_from(v_exp_poly(e.r, -1, 1)), w_pow2(e.n));
#endif
    const vwide exact = w_add(w_from(a), w_from(low)), one = w_set(1);
    const vmask close = v_lt(a, v_set(1.25f));
    const vec series = celu_series(v_min(v_set(1.25f), a));
    const vwide near = w_mul(w_mul(w_mul(exact, exact), w_from(series)), exponential);
    const vwide far = w_sub(one, w_mul(exponential, w_add(one, exact)));
    const vwide is_near = w_from(v_keep(close, v_set(1)));
    const vwide h = w_add(w_mul(near, is_near), w_mul(far, w_sub(one, is_near)));
    d[0] = w_mul(w_from(v_neg(v_drop(above, g))), h);
}
#endif

ACT_KERNEL_UNIT_FROM_OUTPUT(celu, alpha)
ACT_TEST(celu, .odd_zero = 1, .edge = {-0.3466, -17.33, -87.3365402, -103.972076, -172, -745.1});
ACT_THETA(celu, BY_ROWS, celu_theta_forward, celu_theta_backward, celu_gradients, alpha);
