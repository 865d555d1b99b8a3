/* GELU, tanh form: y = x/2 (1 + tanh u) = x sigmoid(2u), u = sqrt(2/pi) (x + .044715 x^3), the real
 * constants: rounding .044715 to float would move the tail by 27 ULP.
 * Derivative: s * (1 + x * d * (1 - s)), d = 2 * sqrt(2 / pi) * (1 + 0.134145 * x * x),
 * s = 1 / (1 + exp(-2 * sqrt(2 / pi) * (x + 0.044715 * x * x * x))).
 * f'(-a) = 1 - f'(a); zero at x = -.75246142. f(-inf) = -0; in f32 y is
 * subnormal from -10.1006, -0 from -10.7709.
 *
 * t = 2u = K3 x (x^2 + A), A = 1/.044715: as t + low, for the exponential multiplies its absolute
 * error, 2^-17 in the tail if t were rounded. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.2531 at x = -5.64395046
 * (got -1.85706439e-09, want -1.857064530278e-09); g f' 1.3577 at x = -5.38347435, g = 7.88861e-31
 * (got -8.78529387e-38, want -8.785294627033e-38). */
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
    const vec a = v_min(v_set(21.6), v_abs(x)); /* t(21.6) = 754 */
    const struct gelu_tanh_argument u = gelu_tanh_argument(a);
    return v_gate(x, x, v_exp_scaled(u.t, u.low), v_set(21.6));
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
    /* t(10.9) = 109.8: n = -158 */
    const vec all = v_abs(x), a = v_min(v_set(10.9f), all), u = v_mul(a, a);
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
    const vec scale = v_keep(v_lt(all, v_set(10.9f)), v_set(LOGISTIC_SCALE)); /* no assist beyond */
    return v_fnma(t, scale, v_max(v_set(-0.0f), x));
}
#endif

#if V_DOUBLE
/* f'(-a) = s (1 - a t'(a) (1 - s)), s = sigmoid(-t(a)). */
ACT_OP vec gelu_tanh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(21.6), v_abs(x));
    const struct gelu_tanh_argument u = gelu_tanh_argument(a);
    const struct scaled e = v_exp_scaled(u.t, u.low);
    /* f'(-a) / scale = z (1 + z - a t') / (1 + z)^2, a t' = a (K1 + 3 K3 a^2) */
    const struct pair k1 = {v_set(K1), v_set(K1_LOW)}, k33 = {v_set(K33), v_set(K33_LOW)};
    const struct pair size = {a, v_set(0)};
    const struct pair slope = v_pair_add(k1, v_pair_mul(v_times(size, a), k33));
    const struct pair at = v_times(slope, a);
    return v_grad_gated(x, g, v_silu_slope(e, at.high, at.low), e.scale);
}
#else
#include "kernels/tables/gelu_tanh_slope.h"

#define A_SHORT      0x1.65dp+4f /* 13 bits: x^2 + it - it is exact */
#define A_REST       0x1.2f6ed0p-11f
#define LOG2E_8_K3   0x1.a5a7d0p-1f /* 8 K3 / ln 2 */
#define LN2_8_K3     0x1.36ep+0f    /* ln 2 / (8 K3), 12 bits and the rest */
#define LN2_8_K3_LOW -0x1.8aa4a2p-14f

/* t(a) = r - n ln 2 / 8, reduced before K3 multiplies it: 6 operations less. */
ACT_OP struct reduced8 gelu_tanh_reduced(vec a)
{
    const vec u = v_mul(a, a), k = v_add(u, v_set(A_SHORT));
    const vec k_low =
        v_add(v_sub(u, v_sub(k, v_set(A_SHORT))), v_add(v_mul_low(a, a, u), v_set(A_REST)));
    const vec v = v_mul(a, k), low = v_fma(a, k_low, v_mul_low(a, k, v));
    const vec shifted = v_fnma(v, v_set(LOG2E_8_K3), v_set(ROUND_MAGIC));
    const vec n = v_sub(shifted, v_set(ROUND_MAGIC));
    const vec r = v_fma(n, v_set(LN2_8_K3_LOW), v_fma(n, v_set(LN2_8_K3), v));
    return (struct reduced8){v_mul(v_add(r, low), v_set(K3)), v_bits(shifted)};
}

ACT_OP vec gelu_tanh_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(v_min(v_set(8.3f), v_max(v_set(-SLOPE_END), x)));
    const vindex8 number = v_slope_number(a);
    const struct slope s = v_slope(&slope_table, a, number, gelu_tanh_reduced(a), NULL, NULL);
    return v_grad_slope(x, g, s, 8.5f);
}
#endif

ACT_KERNEL(gelu_tanh)
ACT_TEST(gelu_tanh, .odd_zero = 1, .zero = -0.75246142,
         .edge = {-11, -10.770867, -10.100637, -10.235, -10.894538, 6, -11.3921875, -8.5, -21,
                  -21.6, -5.5});
