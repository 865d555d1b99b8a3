/* GELU, exact: y = x Phi(x), Phi the standard normal distribution function.
 * Derivative: erfc(-x / sqrt(2)) / 2 + x * exp(-x * x / 2) / sqrt(2 * pi).
 * f'(-a) = 1 - f'(a); zero at x = -.75179152. f(-inf) = -0; in f32 y is subnormal from -13.1462,
 * -0 from -14.3561.
 *
 * With Q(a) = 1 - Phi(a), a = |x|: y = max(x, 0) - a Q(a), which keeps the negative tail; and
 * Q(a) = e^(-a^2/2) times an algebraic function. The rounding of a^2 alone would cost a^2/4 ULP in
 * the tail (48 at -13.9): its low part goes into the exponential. */
#include "kernels/math.h"

#if V_DOUBLE
#define INV_SQRT2       0x1.6a09e667f3bcdp-1
#define INV_SQRT2_LOW   -0x1.bdd3413b26456p-55
#define TWO_BY_SQRTPI   0x1.20dd750429b6dp+0
#define INV_SQRT2PI     0x1.9884533d43651p-2
#define INV_SQRT2PI_LOW -0x1.cbc0d30ebfd15p-56
#define FAR             20.0  /* beyond, Q's asymptotic series has 2^-57 relative error with w^10 */
#define GELU_RANGE      38.98 /* a^2/2 = 759.7 */

struct gauss {
    struct scaled e; /* e^(-a^2/2) */
    vec q;           /* Q(a), for a < FAR */
    vec series;      /* Q(a) a / phi(a) = 1 - w + 3w^2 - ..., w = 1/a^2, for a >= FAR */
    vec w;
    vmask far;
};

ACT_OP struct gauss v_gauss(vec a)
{
    struct gauss r;
    const vec square = v_mul(a, a), half = v_set(0.5);
    r.e = v_exp_scaled(v_mul(square, half), v_mul(v_mul_low(a, a, square), half));
    r.far = v_le(v_set(FAR), a);

    /* erfc(z + low) = erfc(z) - low (2/sqrt pi) e^(-z^2), z + low = a / sqrt 2. */
    const vec near = v_min(v_set(FAR), a);
    const vec z = v_mul(near, v_set(INV_SQRT2));
    const vec low = v_fma(near, v_set(INV_SQRT2_LOW), v_mul_low(near, v_set(INV_SQRT2), z));
    const vec slope = v_mul(v_mul(low, v_set(TWO_BY_SQRTPI)), r.e.value);
    r.q = v_mul(half, v_sub(v_erfc(z), slope));

    r.w = v_div(v_set(1), square);
    vec s = v_set(654729075);
    s = v_fma(s, r.w, v_set(-34459425));
    s = v_fma(s, r.w, v_set(2027025));
    s = v_fma(s, r.w, v_set(-135135));
    s = v_fma(s, r.w, v_set(10395));
    s = v_fma(s, r.w, v_set(-945));
    s = v_fma(s, r.w, v_set(105));
    s = v_fma(s, r.w, v_set(-15));
    s = v_fma(s, r.w, v_set(3));
    s = v_fma(s, r.w, v_set(-1));
    r.series = v_fma(s, r.w, v_set(1));
    return r;
}

ACT_OP vec gelu_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(GELU_RANGE), v_abs(x));
    const struct gauss n = v_gauss(a);
    const vec tail = v_mul(v_mul(v_set(INV_SQRT2PI), n.series), n.e.value);
    const vec aq = v_mul(v_select(n.far, tail, v_mul(a, n.q)), n.e.scale);
    return v_sub(v_max(v_set(-0.0), x), aq); /* -0, so that a zero aq leaves -0 */
}

/* f'(-a) = Q(a) - a phi(a). */
ACT_OP vec gelu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(GELU_RANGE), v_abs(x));
    const struct gauss n = v_gauss(a);
    /* a phi(a) as high + low: Q cancels part of it, and its own rounding errors would grow. */
    const vec ac = v_mul(a, v_set(INV_SQRT2PI)), high = v_mul(ac, n.e.value);
    const vec ac_low = v_fma(a, v_set(INV_SQRT2PI_LOW), v_mul_low(a, v_set(INV_SQRT2PI), ac));
    const vec low = v_fma(ac_low, n.e.value, v_mul_low(ac, n.e.value, high));
    const vec tail = v_mul(high, v_fms(n.w, n.series, v_set(1)));
    const vec near = v_sub(v_sub(n.q, high), low);
    return v_grad_gated(x, g, v_select(n.far, tail, near), n.e.scale);
}
#else
#define SQRT_2PI 0x1.40d932p+1f /* 2e-3 half-ULP from sqrt(2 pi) */

/* Laplace's continued fraction, Q(a) = phi(a) / (a + f(a)), f algebraic:
 *     Q(a) = (1 + p) 2^n K / (sqrt(2 pi) a K + M),   e^(-a^2/2) = (1 + p) 2^n.
 * In the tail the errors of a K cancel in the quotient and those of M hardly count; a plain
 * quotient of polynomials left 5 ULP there. K and M: relative error of the quotient 2^-25.7 with
 * float coefficients on [0, 14.8] (kernels/fit/mills.py). */
struct gauss {
    vec k, m, p; /* K, (M - M(0)) / a, p */
    vint n;
};

ACT_OP struct gauss v_gauss(vec a)
{
    struct gauss r;
    /* -a^2/2 = n ln 2 - rho/2: the reduction for a^2 with every constant doubled. */
    const vec square = v_mul(a, a);
    const vec shifted = v_fnma(square, v_set(LOG2E / 2), v_set(ROUND_MAGIC));
    const vec n = v_sub(shifted, v_set(ROUND_MAGIC));
    vec rho = v_fma(n, v_set(2 * LN2_HIGH), square);
    rho = v_fma(n, v_set(2 * LN2_LOW), rho);
    rho = v_add(rho, v_mul_low(a, a, square));
    r.p = v_expm1_poly(rho, -0.5f);
    r.n = i_sub(v_bits(shifted), i_set(0x4b400000));

    vec k = v_set(0x1.db7068p-7f);
    k = v_fma(k, a, v_set(0x1.17045ap-3f));
    k = v_fma(k, a, v_set(0x1.2f0554p-1f));
    k = v_fma_tight(k, a, v_set(0x1.5efdp+0f));
    r.k = v_fma_tight(k, a, v_set(1.5f));
    vec m = v_set(0x1.e02a6cp-19f);
    m = v_fma(m, a, v_set(0x1.28983cp-5f));
    m = v_fma(m, a, v_set(0x1.60f2b2p-2f));
    r.m = v_fma_tight(m, a, v_set(0x1.60350cp+0f));
    return r;
}

ACT_OP vec gelu_forward(vec x, struct vparams p)
{
    (void)p;
    const vec a = v_min(v_set(14.8f), v_abs(x)); /* 14.8 phi(14.8) < 2^-156 */
    const struct gauss n = v_gauss(a);
    const vec ak = v_mul(a, n.k);
    const vec q = v_div(ak, v_fma_tight(ak, v_set(SQRT_2PI), v_fma(n.m, a, v_set(3))));
    /* q + q p has one rounding, q (1 + p) two. 2^64 keeps every factor normal; the last operation
     * takes it back. */
    const vec aq = v_mul(v_fma(q, n.p, q), v_pow2(n.n, 64));
    return v_fnma(aq, v_set(0x1p-64f), v_max(v_set(-0.0f), x)); /* -0: a zero aq leaves -0 */
}

#include "kernels/tables/gelu_slope.h"

/* 1.98 ULP of g f'(x) for any g (at 2.3e-4), 1.09 for g = 1. The tables end where f' is below
 * 2^-158. */
ACT_OP vec gelu_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    const vec a = v_abs(v_min(v_set(9.9f), v_max(v_set(-SLOPE_END), x)));
    const vec half = v_mul(a, v_set(0.5f)), square = v_mul(half, a);
    const struct reduced8 e = v_reduce8_low(square, v_mul_low(half, a, square));
    const struct slope s = v_slope(&slope_table, a, v_slope_number(a), e, NULL);
    return v_grad_slope(x, g, s, 10);
}
#endif

ACT_KERNEL(gelu)
ACT_TEST(gelu, .odd_zero = 1, .zero = -0.75179152,
         .edge = {-14.8, -14.356068, -13.341882, -13.146246, -14.9921875, -10, -0.5, -20, -26.8,
                  -37.5, -38.4, -38.98, 20, 5.5});
