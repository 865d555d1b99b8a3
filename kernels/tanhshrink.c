/* Tanh shrinkage: y = x - tanh x; x^3/3 near 0.
 * Derivative: tanh(x) * tanh(x).
 * f(-0) = -0. */
#include "kernels/math.h"

/* x - tanh x for |x| < 1, from tanh x = x / (1 + c), c = x^2 / (3 + x^2 / (5 + ...)): x c / (1 +
 * c), which cancels nothing. */
ACT_OP vec tanhshrink_near(vec x)
{
    const vec z = v_mul(x, x);
#if V_DOUBLE
    vec c = v_set(0); /* to the level of 19: 2^-62 */
    for (int level = 19; level >= 3; level -= 2)
        c = v_div(z, v_add(v_set(level), c));
    return v_div(v_mul(x, c), v_add(v_set(1), c));
#else
    /* To the level of 11, as one quotient: 2^-29. */
    vec n = v_add(z, v_set(189));
    n = v_fma_tight(n, z, v_set(3465));
    vec d = v_add(z, v_set(210));
    d = v_fma(d, z, v_set(4725));
    d = v_fma_tight(d, z, v_set(10395));
    return v_mul(x, v_div(v_mul(z, n), d)); /* z n has no power of x to underflow but z */
#endif
}

ACT_OP vec tanhshrink_forward(vec x, struct vparams p)
{
    (void)p;
    /* a - tanh a = (a - 1) + 2 sigmoid(-2a). */
    const vec a = v_abs(x), inner = v_min(v_set(25), a), t = v_add(inner, inner);
#if V_DOUBLE
    const vec z = v_exp(v_neg(t)), s = v_div(z, v_add(v_set(1), z));
#else
    const struct logistic l = v_logistic(t);
    const vec s = v_mul(l.inv, v_pow2(l.n, 0));
#endif
    const vec far = v_fma(v_set(2), s, v_sub(a, v_set(1)));
    return v_select(v_lt(a, v_set(1)), tanhshrink_near(x), v_or(far, v_sign(x)));
}

ACT_OP vec tanhshrink_backward(vec x, vec g, struct vparams p)
{
    (void)p;
#if V_DOUBLE
    const vec t = v_tanh(x);
    return v_mul(v_mul(g, t), t); /* t t may underflow where its product with g does not */
#else
    /* tanh^2 = C / (C + 2), C = cosh 2a - 1 = 2a^2 + (2/3) a^4 + ... for a < 1, degree 8: 2^-29. */
    const vec a = v_min(v_set(1), v_abs(x)), z = v_mul(a, a);
    vec q = v_set(2 * 65536.0f / 20922789888000.0f); /* 2^(2k+1).. / (2k)!: (4z)^8/16! */
    q = v_fma(q, z, v_set(16384.0f / 87178291200.0f));
    q = v_fma(q, z, v_set(4096.0f / 479001600.0f));
    q = v_fma(q, z, v_set(1024.0f / 3628800.0f));
    q = v_fma(q, z, v_set(256.0f / 40320.0f));
    q = v_fma(q, z, v_set(64.0f / 720.0f));
    q = v_fma(q, z, v_set(16.0f / 24.0f));
    /* a times the rest: a^2 may underflow where its product with g does not. */
    const vec zq = v_mul(q, z), c = v_fma(zq, z, v_add(z, z)); /* cosh 2a - 1 = z (2 + zq) */
    const vec d = v_add(c, v_set(2)), low = v_sub(c, v_sub(d, v_set(2)));
    const vec numerator = v_fma_tight(a, zq, v_add(a, a));
    const vec rest = v_quotient(numerator, (struct denominator){d, low});
    /* 1 - 4 s (1 - s) beyond. */
    const vec inner = v_min(v_set(25), v_abs(x));
    const struct logistic l = v_logistic(v_add(inner, inner));
    const vec far = v_fnma(v_logistic_slope(l), v_pow2(l.n, 2), v_set(1));
    const vmask near = v_lt(v_abs(x), v_set(1));
    return v_mul(v_select(near, v_mul(g, a), g), v_select(near, rest, far));
#endif
}

ACT_KERNEL(tanhshrink)
ACT_TEST(tanhshrink, .odd_zero = 1, .edge = {1, -1, 25, 9.01});
