/* Softplus: y = log1p(e^(beta x)) / beta, beta > 0; no threshold.
 * Derivative: 1 / (1 + exp(-beta * x)).
 * f' = sigmoid(beta x). f(-inf) = 0. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.3154 at x = 0.0025930698
 * (got 0.694444478, want 0.6944445559626); g f' 1.4787 at x = -23.516304, g = 3.7 (got
 * 2.26569111e-10, want 2.265690901743e-10). */
#include "kernels/eight.h"
#include "kernels/exp8.h"
#include "kernels/swish.h"
#include "kernels/theta_gate.h"

#if V_DOUBLE
ACT_OP vec softplus_forward(vec x, struct vparams p)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec a = v_abs(u.t), relu = v_max(v_set(0), x);
    /* max(x, 0) + log1p(e^-a) / beta; what the quotient lost, where it is an ordinary number. */
    const struct scaled e = v_exp_far(v_min(v_set(EXP_FAR), a), u.low);
    const struct pair l = v_log1p_exp(e);
    const vec q = v_div(l.high, p.beta), least = v_set(0x1p-900), most = v_set(0x1p900);
    const vmask some = v_both(v_inside(least, q, most), v_inside(least, p.beta, most));
    const vec inner = v_keep(some, q), b = v_select(some, p.beta, v_set(1)),
              product = v_mul(inner, b);
    const vec rest = v_sub(v_sub(v_keep(some, l.high), product), v_mul_low(inner, b, product));
    const vec part = v_add(q, v_div(v_add(rest, v_keep(some, l.low)), b));
    return v_fma(part, e.scale, relu);
}

ACT_OP vec softplus_unit(vec x, struct vparams p)
{
    (void)p;
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_abs(x)), v_set(0));
    return v_fma(v_rounded(v_log1p_exp(e)), e.scale, v_max(v_set(0), x));
}
#else
/* max(x, 0) + log1p(e^-a) / beta, a = beta |x|. With beta = m 2^k, m in [1, 2), z = e^-a is scaled
 * by 2^40 / 2^k (k up to +-86), for what counts as tail depends on beta; all of the first part of
 * this is computed once. log1p(z) and 1/m are taken with their low parts. */
ACT_OP vec softplus_forward(vec x, struct vparams p)
{
    const vec power = v_max(v_set(0x1p-126f), v_and(p.beta, v_set(INFINITY)));
    const vec inner = v_min(v_set(0x1p86f), v_max(v_set(0x1p-86f), power));
    const vec m = v_mul(p.beta, v_div(v_set(1), power)), inverse = v_div(v_set(1), m);
    const vec inverse_low = v_mul(v_fma_tight(v_neg(m), inverse, v_set(1)), inverse);
    const vec scale = v_mul(v_div(inner, power), v_set(EIGHT_SCALE));
    const vec unscale = v_mul(inner, v_set(EIGHT_SCALE));
    const vint k8 = i_sub(i_sar(v_bits(inner), 20), i_set(8 * 127));
    const vec magic = v_from_bits(i_sub(v_bits(v_set(ROUND_MAGIC)), k8));
    /* z / beta < 2^-151 past (151 - k) ln 2. Past e^-172 only 1/beta > 2^97 could lift it. */
    const vec number = v_from_bits(i_add(v_bits(v_set(ROUND_MAGIC)), i_sar(v_bits(power), 23)));
    const vec exponent = v_sub(number, v_set(ROUND_MAGIC + 127));
    const vec most = v_min(v_set(172), v_fnma(exponent, v_set(LN2_HIGH), v_set(104.67f)));

    /* |x| no larger than matters, or beta |x| and its low part would overflow. */
    const vec small = v_set(0x1p-118f), largest = v_div(v_set(400), v_max(small, p.beta));
    const vec end = v_select(v_lt(p.beta, small), v_set(INFINITY), largest);

    const vec size = v_min(end, v_abs(x)), a = v_mul(size, p.beta);
    const vec finite = v_min(v_set(0x1.fffffep127f), size);
    const vmask inside = v_lt(a, most);
    const vec low = v_keep(inside, v_mul_low_wide(finite, p.beta, a));
    const struct exp_eight e = v_exp_eight_low(v_min(most, a), low, magic);
    const struct eight l = v_log1p_eight(e, unscale);
    const vec value = v_fma_tight(e.s, l.high, l.rest);
    const vec value_low = v_add(v_fma_tight(e.s, l.high, v_neg(value)), l.rest);
    const vec part = v_fma(value, inverse, v_fma(value_low, inverse, v_mul(value, inverse_low)));
    return v_fma(part, v_keep(inside, scale), v_max(v_set(0), x));
}

/* beta = 1 */
ACT_OP vec softplus_unit(vec x, struct vparams p)
{
    (void)p;
    const struct scaled l = v_log1p_exp_eight(v_abs(x));
    return v_fma(l.value, l.scale, v_max(v_set(0), x));
}
#endif

#if V_DOUBLE
ACT_OP vec softplus_backward(vec x, vec g, struct vparams p)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const struct scaled e = v_exp_scaled(v_min(v_set(EXP_RANGE), v_abs(u.t)), u.low);
    return v_grad_gated(u.t, g, v_logistic(e), e.scale);
}
#else
ACT_OP vec softplus_backward(vec x, vec g, struct vparams p)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec t = v_neg(v_min(v_set(40), v_max(v_set(-110), u.t)));
    return v_grad_logistic(u.t, g, v_reduce8_low(t, v_xor(u.low, v_sign(t))));
}
#endif

/* sigmoid(beta x) = 1 - e^(-beta y). */
ACT_OP vec softplus_from_output(vec y, vec g, struct vparams p)
{
    /* A product that underflows is not 0 for an infinite g. */
    const vec least = v_set(ACT_UNIT_F64 ? (elem)0x1p-1074 : (elem)0x1p-149);
    const vec most = v_set(ACT_UNIT_F64 ? (elem)0x1p1023 : (elem)0x1p127);
    const vmask large = v_lt(v_set(1), p.beta); /* beta y may overflow */
    const vec inner =
        v_min(v_select(large, v_div(most, v_max(v_set(1), p.beta)), v_set(INFINITY)), y);
    const vec product = v_max(v_mul(p.beta, inner), v_keep(v_lt(v_set(0), y), least));
#if V_DOUBLE
    /* An infinite y is past any beta. */
    const vec end = v_keep(v_eq(y, v_set(INFINITY)), v_set(40));
    const vec t = v_min(v_set(40), v_or(v_max(end, product), v_zero_or_nan(y)));
#else
    const vec t = v_min(v_set(40), v_or(product, v_zero_or_nan(y)));
#endif
    return v_mul(g, v_abs(v_expm1(v_neg(t))));
}

#if ACT_UNIT_THETA
/* A negative beta, which act_params does not take: log1p(e^(-c x)) / -c = -f(-x) with c. */
ACT_OP vec softplus_theta_forward(vec x, struct vparams p)
{
    const vec sign = v_sign(p.beta);
    p.beta = v_abs(p.beta);
    return v_xor(softplus_forward(v_xor(x, sign), p), sign);
}

/* -g (a s(-a) + log1p(e^-a)) / beta^2, a = |beta x|: of either sign, and nothing cancels. e^-a
 * comes out of the sum. */
ACT_OP void softplus_gradients(vec x, vec g, struct vparams p, vwide *d)
{
    const struct gate_argument u = gate_argument(x, p.beta, v_set(0));
    const vec size = v_abs(u.t), most = v_set(THETA_FAR), a = v_min(most, size);
    const vmask far = v_le(most, size);
#if V_DOUBLE
    const struct scaled e = v_exp_far(a, u.low);
    const vec value = v_rounded(v_value(e)), scale = v_drop(far, e.scale);
    const vec z = v_mul(value, e.scale);
    const vmask tiny = v_lt(z, v_set(0x1p-60));
    const vec quotient = v_select(tiny, v_set(1), v_div(v_log1p(z), v_select(tiny, v_set(1), z)));
    const vec reciprocal = v_div(v_set(1), v_add(v_set(1), z));
#else
    const struct reduced e = v_reduce_negative_low(a, u.low);
    const vec poly = v_exp_poly(e.r, -1, 1);
    const vwide value = w_from(poly), scale = w_pow2(e.n);
    const vec z = v_mul(poly, v_pow2(i_max(e.n, i_set(-60)), 0)); /* 1 + z needs no more */
    const vec quotient = v_log1p_quotient(z);
    /* 1 / (1 + z), a step of Newton for what 1 + z has been rounded by. */
    const vwide about = w_from(v_div(v_set(1), v_add(v_set(1), z)));
    const vwide error = w_sub(w_set(1), w_fma(about, w_from(z), about));
    const vwide reciprocal = w_fma(about, error, about);
#endif
    const vwide inverse = w_div(w_set(1), w_from(p.beta));
    const vwide exact = w_add(w_from(a), w_from(v_drop(far, u.low)));
    const vwide sum = w_fma(exact, reciprocal, w_from(quotient));
    const vwide term = w_mul(w_mul(w_mul(value, sum), inverse), inverse);
    d[0] = w_mul(w_mul(term, scale), w_from(v_neg(v_drop(far, g))));
}
#endif

ACT_KERNEL_UNIT_FROM_OUTPUT(softplus, beta)
ACT_TEST(softplus,
         .edge = {-50, 40, -41.6, 41.6, -87.3365402, -103.972076, 16.6, -176, -708.4, -745.1, 50});
ACT_THETA(softplus, BY_COLUMNS_BUT_SLOPE, softplus_theta_forward, softplus_backward,
          softplus_gradients, beta);
