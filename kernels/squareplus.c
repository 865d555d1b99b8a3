/* Squareplus: y = (x + sqrt(x^2 + beta)) / 2, beta >= 0 (0: relu).
 * Derivative: (1 + x / sqrt(x * x + beta)) / 2.
 * f' = y / sqrt(x^2 + beta). f(-inf) = 0. */
#include "kernels/math.h"

#if ACT_UNIT_F64
#define LARGE_X   0x1p480
#define LARGE_B   0x1p1000
#define LITTLE_X  0x1p-100
#define LITTLE_B  0x1p-200
#define DOWN      0x1p-600
#define UP        0x1p540
#define LIFT      0x1p512
#define HALF_LIFT 0x1p256
#define LEAST     0x1p-1074
#else
#define LARGE_X   0x1p60f
#define LARGE_B   0x1p120f
#define LITTLE_X  0x1p-10f
#define LITTLE_B  0x1p-20f
#define DOWN      0x1p-70f
#define UP        0x1p70f
#define LIFT      0x1p64f
#define HALF_LIFT 0x1p32f
#define LEAST     0x1p-149f
#endif

/* x and b scaled, x by s and b by s^2, so that x^2 + b and its root do not leave the range. */
struct squareplus_scaled {
    vec x, b, root, back; /* |s x|, s^2 b, sqrt(x^2 + b), 1/s */
    vmask large, little;
};

ACT_OP struct squareplus_scaled squareplus_scale(vec x, vec b)
{
    const vec a = v_abs(x), one = v_set(1);
    struct squareplus_scaled r;
    /* LARGE_X squared < LARGE_B: either alone would overflow. */
    r.large = v_lt(one, v_max(v_mul(a, v_set(1 / LARGE_X)), v_mul(b, v_set(1 / LARGE_B))));
    r.little = v_both(v_lt(a, v_set(LITTLE_X)), v_lt(b, v_set(LITTLE_B)));
    const vec scale = v_select(r.large, v_set(DOWN), v_select(r.little, v_set(UP), one));
    r.back = v_select(r.large, v_set(1 / DOWN), v_select(r.little, v_set(1 / UP), one));
    r.x = v_mul(a, scale);
    r.b = v_mul(v_mul(b, scale), scale);
    r.root = v_sqrt(v_fma_tight(r.x, r.x, r.b));
    return r;
}

/* (|x| + root) / 2, which does not overflow: y for x >= 0. */
ACT_OP vec squareplus_sum(vec x, vec root)
{
    return v_fma(v_set(0.5f), v_abs(x), v_mul(v_set(0.5f), root));
}

ACT_OP vec squareplus_forward(vec x, struct vparams p)
{
    const struct squareplus_scaled r = squareplus_scale(x, p.beta);
    const vec sum = squareplus_sum(x, v_mul(r.root, r.back));
    /* beta / (4 sum), with beta = 0 apart: 0/0 at 0. */
    const vec below = v_drop(v_eq(p.beta, v_set(0)), v_mul(v_set(0.25f), v_div(p.beta, sum)));
    /* beta = 0 apart again: the halves of a subnormal x are not exact. */
    const vec above = v_select(v_eq(p.beta, v_set(0)), v_abs(x), sum);
    return v_or(v_select(v_lt(x, v_set(0)), below, above), v_zero_or_nan(x));
}

ACT_OP vec squareplus_backward(vec x, vec g, struct vparams p)
{
    const struct squareplus_scaled r = squareplus_scale(x, p.beta);
    const vec one = v_set(1), half = v_set(0.5f);
    /* x < 0: f' = beta / (2 (x^2 + beta + |x| root)) = t / lift, beta s^2 lift in one factor or
     * two. t is kept from 0 for an infinite g: what LEAST stands for is below 2^-149 (2^-1074 in
     * f64). */
    const vmask lifted = v_lt(p.beta, v_drop(r.little, v_set(LIFT / 2)));
    const vec lift = v_select(lifted, v_set(LIFT), one);
    const vec first_b =
        v_select(r.large, v_mul(lift, v_set(DOWN)), v_select(r.little, v_set(UP), lift));
    const vec second_b = v_select(r.large, v_set(DOWN), v_select(r.little, v_set(UP), one));
    const vec b = v_mul(v_mul(p.beta, first_b), v_mul(half, second_b));
    const vec d = v_fma_tight(r.x, v_add(r.x, r.root), r.b);
    const vec least = v_select(lifted, v_set(LEAST * (LIFT / 32)), v_set(LEAST));
    const vec t = v_max(v_div(b, d), least);
    /* 1 / lift before g where t is large, in halves around it where it is small. */
    const vmask small = v_lt(t, one);
    const vec first = v_select(small, v_set(1 / HALF_LIFT), v_set(1 / LIFT));
    const vec last = v_select(v_both(lifted, small), v_set(1 / HALF_LIFT), one);
    const vec below = v_mul(v_mul(v_mul(t, v_select(lifted, first, one)), g), last);

    const vmask flat = v_eq(p.beta, v_set(0));
    const vmask far = v_eq(x, v_set(INFINITY));
    /* (1 +- a / root) / 2 where that does not cancel: nearer, as sum is not in it. */
    const vec ratio = v_select(far, one, v_div(r.x, r.root));
    const vmask negative = v_lt(x, v_set(0));
    const vec above = v_mul(g, v_fma(half, v_select(negative, v_neg(ratio), ratio), half));
    const vec relu_grad = v_keep(v_lt(v_set(0), x), g);
    const vec limit = v_mul(g, v_set(0)); /* f'(-inf) = 0 */
    vec grad = v_select(v_both(negative, v_lt(half, ratio)), below, above);
    grad = v_select(v_eq(x, v_set(-INFINITY)), limit, grad);
    return v_or(v_select(flat, relu_grad, grad), v_zero_or_nan(x));
}

ACT_KERNEL(squareplus)
ACT_TEST(squareplus, .edge = {2, -2, 1e18, -1e18, 1e19, -1e19, 1e-3, -1e-3});
