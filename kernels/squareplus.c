/* Squareplus: y = (x + sqrt(x^2 + beta)) / 2, beta >= 0 (0: relu).
 * f' = (1 + x / sqrt(x^2 + beta)) / 2. y -> +0 at -inf. */
#include "kernels/math.h"

/* sqrt(x^2 + b) without over- or underflow of the square: scaled by 2^64 either way. */
ACT_OP vec squareplus_root(vec x, vec b)
{
    const elem up = ACT_UNIT_F64 ? 0x1p500 : 0x1p60, down = 1 / up;
    const vec a = v_abs(x);
    const vmask large = v_lt(v_set(up), v_max(a, v_mul(b, v_set(down))));
    const vmask little = v_both(v_lt(a, v_set(down)), v_lt(b, v_set(down)));
    const vec scale = v_select(large, v_set(down), v_select(little, v_set(up), v_set(1)));
    const vec back = v_select(large, v_set(up), v_select(little, v_set(down), v_set(1)));
    const vec s = v_mul(x, scale);
    return v_mul(v_sqrt(v_fma_tight(s, s, v_mul(v_mul(b, scale), scale))), back);
}

ACT_OP vec squareplus_forward(vec x, struct vparams p)
{
    const vec root = squareplus_root(x, p.beta), a = v_abs(x), half = v_set(0.5f);
    const vec sum = v_fma(half, a, v_mul(half, root)); /* (a + root) / 2, which may not overflow */
    const vec below = v_div(v_mul(v_set(0.25f), p.beta), sum);
    const vec zero = v_drop(v_eq(p.beta, v_set(0)), below); /* beta = 0: 0/0 at -0 aside */
    return v_select(v_lt(x, v_set(0)), zero, v_or(sum, v_zero_or_nan(x)));
}

/* x < 0: beta / (2 root (root + a)); its factors are kept apart, g with the second. */
ACT_OP vec squareplus_backward(vec x, vec g, struct vparams p)
{
    const vec root = squareplus_root(x, p.beta), a = v_abs(x), half = v_set(0.5f);
    const vec least = v_set(ACT_UNIT_F64 ? (elem)0x1p-1022 : (elem)0x1p-126f);
    const vec first = v_max(v_div(v_mul(half, p.beta), root), least);
    const vec below = v_mul(first, v_div(v_mul(half, g), v_fma(half, root, v_mul(half, a))));
    const vec above = v_mul(g, v_fma(half, v_div(a, root), half));
    const vmask flat = v_eq(p.beta, v_set(0));
    const vec d = v_select(v_lt(v_set(0), x), v_select(flat, g, above), v_drop(flat, below));
    const vec limit = v_select(v_eq(x, v_set(INFINITY)), g, d);
    return v_or(limit, v_zero_or_nan(x));
}

ACT_KERNEL(squareplus)
ACT_TEST(squareplus, .edge = {2, -2, 1e19, -1e19});
