/* GELU, tanh form: y = x/2 (1 + tanh u) = x sigmoid(2u), u = sqrt(2/pi) (x + .044715 x^3), the real
 * constants: rounding .044715 to float would move the tail by 27 ULP.
 * Derivative: s * (1 + x * d * (1 - s)), d = 2 * sqrt(2 / pi) * (1 + 0.134145 * x * x),
 * s = 1 / (1 + exp(-2 * sqrt(2 / pi) * (x + 0.044715 * x * x * x))).
 * f'(-a) = 1 - f'(a); zero at x = -.75246142. f(-inf) = -0; in f32 y is
 * subnormal from -10.1006, -0 from -10.7709.
 *
 * t = 2u = K3 x (x^2 + A), A = 1/.044715: as t + low, for the exponential multiplies its absolute
 * error, 2^-17 in the tail if t were rounded. */
#include "kernels/logistic.h"

#if V_DOUBLE
#define K3      0x1.2444f2a4d8b4bp-4
#define K3_LOW  -0x1.6c843a29d1c70p-61
#define A       0x1.65d25edd9ed82p+4
#define A_LOW   -0x1.586cc71ee31dep-55
#define K1      0x1.9884533d43651p+0 /* 2 sqrt(2/pi): t' = K1 + 3 K3 x^2 */
#define K33     0x1.b6676bf7450f0p-3
#define K1_LOW  -0x1.cbc0d30ebfd15p-54
#define K33_LOW 0x1.bba7351828aabp-57
#else
#define K3      0x1.2444f2p-4f
#define K3_LOW  0x1.49b16ap-29f
#define A       0x1.65d25ep+4f
#define A_LOW   0x1.bb3db0p-21f
#define K1      0x1.988454p+0f
#define K33     0x1.b6676cp-3f
#define K1_LOW  -0x1.857936p-25f
#define K33_LOW -0x1.175e20p-32f
#endif

struct gelu_tanh_argument {
    vec t, low;
};

ACT_OP struct gelu_tanh_argument gelu_tanh_argument(vec x)
{
    const vec u = v_mul(x, x), u_low = v_mul_low(x, x, u);
    /* k + k_low = u + A: the exact error of a sum, whichever term is larger. */
    const vec k = v_add(u, v_set(A)), back = v_sub(k, u);
    const vec error = v_add(v_sub(u, v_sub(k, back)), v_sub(v_set(A), back));
    const vec k_low = v_add(error, v_add(u_low, v_set(A_LOW)));
    const vec v = v_mul(x, k), v_low = v_fma(x, k_low, v_mul_low(x, k, v));
    const vec t = v_mul(v, v_set(K3));
    const vec low = v_fma(v, v_set(K3_LOW), v_fma(v_low, v_set(K3), v_mul_low(v, v_set(K3), t)));
    return (struct gelu_tanh_argument){t, low};
}

#if V_DOUBLE
ACT_OP vec gelu_tanh_forward(vec x, struct vparams p)
{
    (void)p;
    const vec inner = v_min(v_set(21.6), v_max(v_set(-21.6), x)); /* t(21.6) = 754 */
    const struct gelu_tanh_argument u = gelu_tanh_argument(v_abs(inner));
    const struct scaled e = v_exp_scaled(u.t, u.low);
    const vmask negative = v_lt(x, v_set(0));
    const vec d = v_fma(e.value, e.scale, v_set(1));
    const vec below = v_mul(v_mul(inner, v_div(e.value, d)), e.scale);
    return v_select(negative, below, v_div(x, d));
}
#else
/* For y = max(x, 0) - a sigmoid(-t(a)), a = |x|, t stays without its factor K3: v + low = a (a^2 +
 * A), reduced by ln 2 / K3, whose 14 leading bits make n times them exact; the polynomial of e^(K3
 * r) is v_expm1_quotient's. A's 14 leading bits make k - A_HIGH exact. */
#define A_HIGH      0x1.65d0p+4f
#define A_REST      0x1.2f6ed0p-11f
#define K3_LOG2E    0x1.a5a7d0p-4f
#define LN2_K3_HIGH 0x1.36d80p+3f
#define LN2_K3_LOW  0x1.d56d78p-13f

ACT_OP vec gelu_tanh_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(10.9f), v_abs(x)), u = v_mul(a, a); /* t(10.9) = 109.8: n = -158 */
    const vec k = v_add(u, v_set(A_HIGH)), error = v_sub(u, v_sub(k, v_set(A_HIGH)));
    const vec k_low = v_add(error, v_add(v_mul_low(a, a, u), v_set(A_REST)));
    const vec v = v_mul(a, k), low = v_fma(a, k_low, v_mul_low(a, k, v));

    const vec shifted = v_fnma(v, v_set(K3_LOG2E), v_set(LOGISTIC_MAGIC));
    const vec n = v_sub(shifted, v_set(LOGISTIC_MAGIC));
    const vec r = v_add(v_fma(n, v_set(LN2_K3_HIGH), v), v_fma(n, v_set(LN2_K3_LOW), low));
    vec q = v_set(0x1.926ac0p-33f);
    q = v_fma(q, r, v_set(0x1.09e0c6p-26f));
    q = v_fma(q, r, v_set(0x1.21f478p-20f));
    q = v_fma(q, r, v_set(0x1.fbee84p-15f));
    q = v_fma(q, r, v_set(0x1.4dad5ap-9f));
    q = v_fma(q, r, v_set(0x1.2444f2p-4f));
    const struct half_logistic l = v_half_logistic(shifted, q, r);
    const vec t = v_quotient(v_mul(a, l.s), (struct denominator){l.d, l.low});
    return v_fnma(t, v_set(LOGISTIC_SCALE), v_max(v_set(-0.0f), x));
}
#endif

/* f'(-a) = s (1 - a t'(a) (1 - s)), s = sigmoid(-t(a)). */
ACT_OP vec gelu_tanh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
#if V_DOUBLE
    const vec a = v_min(v_set(21.6), v_abs(x));
    const struct gelu_tanh_argument u = gelu_tanh_argument(a);
    const struct scaled e = v_exp_scaled(u.t, u.low);
    const vec slope = v_fma(v_set(K33), v_mul(a, a), v_set(K1));
    const vec z = v_mul(e.value, e.scale);
    /* 1 - a t' + z, in the order in which the rounding of a sum is small. */
    const vmask small = v_lt(a, v_set(1));
    const vec base = v_select(small, v_set(1), v_add(v_set(1), z));
    const vec sum = v_add(v_fma_tight(v_neg(a), slope, base), v_keep(small, z));
    return v_grad_gated(x, g, v_mul(e.value, v_div(sum, v_square_1p(z))), e.scale);
#else
    const vec a = v_min(v_set(12.8f), v_abs(x)); /* t(12.8) = 170.3 */
    const struct gelu_tanh_argument u = gelu_tanh_argument(a);
    const struct logistic l = v_logistic_of(v_reduce_negative_low(u.t, u.low));
    /* w = a t'(a), to twice the precision: each of its roundings would cost half an ULP. */
    const vec q = v_mul(a, a), slope = v_fma_tight(v_set(K33), q, v_set(K1)), w = v_mul(a, slope);
    vec low = v_fma_tight(v_set(K33), q, v_sub(v_set(K1), slope));
    low = v_fma(v_set(K33), v_mul_low(a, a, q), low);
    low = v_add(v_fma(v_set(K33_LOW), q, v_set(K1_LOW)), low);
    low = v_fma(a, low, v_mul_low(a, slope, w));
    return v_grad_gated(x, g, v_silu_slope_low(l, w, low), l.n);
#endif
}

ACT_KERNEL(gelu_tanh)
ACT_TEST(gelu_tanh, .odd_zero = 1, .zero = -0.75246142,
         .edge = {-11, -10.770867, -10.100637, -10.235, -10.894538, 6, -12.8, -21, -21.6, -5.5});
