/* Squareplus: y = (x + sqrt(x^2 + beta)) / 2, beta >= 0 (0: relu).
 * Derivative: (1 + x / sqrt(x * x + beta)) / 2.
 * f' = y / sqrt(x^2 + beta). f(-inf) = 0. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.3326 at x =
 * -0.000488301215 (got 0.9997558, want 0.9997558791971); g f' 1.8875 at x = 6.97374435e-06, g = 3.7
 * (got 1.8500067, want 1.850006474555). */
#include "kernels/math.h"

#if V_DOUBLE
#define QUOTIENT_LEAST 0x1p-900
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
#define LAST      0x1.fffffffffffffp1023
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
#define LAST      0x1.fffffep127f
#endif

/* x and b scaled, x by s and b by s^2, so that x^2 + b and its root do not leave the range. */
struct squareplus_scaled {
    vec x, b, back;   /* |s x|, s^2 b, 1/s */
    struct pair root; /* sqrt(x^2 + b) */
    vmask large, little;
};

ACT_OP struct squareplus_scaled squareplus_scale(vec x, vec b)
{
    /* A finite x, for the low parts. */
    const vec a = v_min(v_set(LAST), v_abs(x)), one = v_set(1);
    struct squareplus_scaled r;
    /* LARGE_X squared < LARGE_B: either alone would overflow. */
    r.large = v_lt(one, v_max(v_mul(a, v_set(1 / LARGE_X)), v_mul(b, v_set(1 / LARGE_B))));
    r.little = v_both(v_lt(a, v_set(LITTLE_X)), v_lt(b, v_set(LITTLE_B)));
    const vec scale = v_select(r.large, v_set(DOWN), v_select(r.little, v_set(UP), one));
    r.back = v_select(r.large, v_set(1 / DOWN), v_select(r.little, v_set(1 / UP), one));
    r.x = v_mul(a, scale);
    r.b = v_mul(v_mul(b, scale), scale);
    struct pair square = v_times((struct pair){r.x, v_set(0)}, r.x);
    square = v_pair_add(square, (struct pair){r.b, v_set(0)});
    const vec root = v_sqrt(square.high), product = v_mul(root, root);
    const vec lost = v_sub(v_sub(square.high, product), v_mul_low(root, root, product));
    const vec twice = v_max(v_set(LEAST), v_add(root, root));
    r.root = (struct pair){root, v_div(v_add(lost, square.low), twice)};
    return r;
}

/* (|x| + root) / 2, which does not overflow: y for x >= 0. */
ACT_OP struct pair squareplus_sum(vec x, struct squareplus_scaled r)
{
    const vec half = v_set(0.5f), back = v_mul(half, r.back);
    struct pair s = v_fast_sum(v_mul(r.root.high, back), v_mul(half, v_abs(x)));
    s.low = v_fma(r.root.low, back, s.low);
    return s;
}

ACT_OP vec squareplus_forward(vec x, struct vparams p)
{
    const struct squareplus_scaled r = squareplus_scale(x, p.beta);
    const vmask flat = v_eq(p.beta, v_set(0)), far = v_eq(v_abs(x), v_set(INFINITY));
    const struct pair sum = squareplus_sum(v_drop(far, x), r);
    /* beta / (4 sum), with beta = 0 apart: 0/0 at 0. The rest of the quotient where all is
     * ordinary. */
    const vec least = v_set(QUOTIENT_LEAST), most = v_set(1 / QUOTIENT_LEAST);
    const vec d = v_select(flat, v_set(1), sum.high), b = v_mul(v_set(0.25f), p.beta);
    const vec q = v_div(b, d);
    const vmask some = v_both(v_inside(least, q, most), v_inside(least, d, most));
    const vec inner = v_keep(some, q), safe = v_keep(some, d), product = v_mul(inner, safe);
    const vec rest = v_sub(v_sub(v_keep(some, b), product), v_mul_low(inner, safe, product));
    const vec more = v_div(v_fnma(inner, v_keep(some, sum.low), rest), d);
    const vec below = v_drop(far, v_drop(flat, v_add(q, v_keep(some, more))));
    /* beta = 0 apart again: the halves of a subnormal x are not exact. */
    const vec above = v_select(flat, v_abs(x), v_select(far, x, v_rounded(sum)));
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
    const vmask flat = v_eq(p.beta, v_set(0));
    const struct pair size = {r.x, v_set(0)};
    struct pair d =
        v_pair_add((struct pair){r.b, v_set(0)}, v_pair_mul(size, v_pair_add(size, r.root)));
    d = (struct pair){v_select(flat, one, d.high), v_drop(flat, d.low)};
    const vec least = v_select(lifted, v_set(LEAST * (LIFT / 32)), v_set(LEAST));
    const vec t = v_max(v_rounded(v_pair_div((struct pair){b, v_set(0)}, d)), least);
    /* 1 / lift before g where t is large, in halves around it where it is small. */
    const vmask small = v_lt(t, one);
    const vec first = v_select(small, v_set(1 / HALF_LIFT), v_set(1 / LIFT));
    const vec last = v_select(v_both(lifted, small), v_set(1 / HALF_LIFT), one);
    const vec below = v_mul(v_mul(v_mul(t, v_select(lifted, first, one)), g), last);

    const vmask far = v_eq(v_abs(x), v_set(INFINITY));
    /* (1 +- a / root) / 2 where that does not cancel: nearer, as sum is not in it. */
    const vmask none = v_eq(r.root.high, v_set(0));
    const struct pair root = {v_select(none, one, r.root.high), v_drop(none, r.root.low)};
    const struct pair q = v_pair_div((struct pair){v_drop(far, r.x), v_set(0)}, root);
    const vec ratio = v_select(far, one, q.high), ratio_low = v_drop(far, q.low);
    const vmask negative = v_lt(x, v_set(0));
    const vec sign = v_sign(x), signed_half = v_or(half, sign);
    const struct pair sum = v_sum(half, v_mul(signed_half, ratio));
    const vec above = v_mul(g, v_add(sum.high, v_fma(signed_half, ratio_low, sum.low)));
    const vec relu_grad = v_keep(v_lt(v_set(0), x), g);
    const vmask end = v_eq(x, v_set(-INFINITY));
    const vec limit = v_mul(v_keep(end, g), v_set(0)); /* f'(-inf) = 0 */
    vec grad = v_select(v_both(negative, v_lt(half, ratio)), below, above);
    grad = v_select(end, limit, grad);
    return v_or(v_select(flat, relu_grad, grad), v_zero_or_nan(x));
}

#else
/* y(x; b) = 2^k y(2^-k x; 4^-k b), f' likewise without the 2^k: k = 0 for b from 2^-48 to 2^48,
 * otherwise such that b becomes 1 to 4. b = 0 is 1 here, with 0 for 2^k. */
struct squareplus_unit {
    vec b, down, up, most; /* 4^-k b, 2^-k, 2^k; the largest |x| whose 2^-k x is finite */
};

ACT_OP struct squareplus_unit squareplus_unit(vec beta)
{
    const vec one = v_set(1), b = v_select(v_eq(beta, v_set(0)), one, beta);
    const vmask little = v_lt(b, v_set(0x1p-48f)), large = v_lt(v_set(0x1p48f), b);
    const vmask subnormal = v_lt(b, v_set(0x1p-100f));
    const vec normal = v_mul(b, v_select(subnormal, v_set(0x1p64f), one));
    /* k = floor(exponent / 2) */
    const vint unlift = v_bits(v_keep(subnormal, v_from_bits(i_set(32))));
    const vint floor = i_sub(i_sar(i_sub(i_sar(v_bits(normal), 23), i_set(127)), 1), unlift);
    const vec inside = v_select(little, v_pow2(floor, 0), one);
    const vec up = v_select(large, v_pow2(floor, 0), inside), down = v_div(one, up);
    const vec last = v_drop(v_eq(beta, v_set(0)), up);
    /* Where 2^-k x would overflow, y is 0 in f32 for x < 0 (k < -23), and x above. */
    const vec most = v_mul(v_set(0x1.fffffep127f), v_min(one, up));
    return (struct squareplus_unit){v_mul(v_mul(b, down), down), down, last, most};
}

/* sqrt(a^2 + b) = root + low / (2 root) */
struct squareplus_root {
    vec root, low;
};

ACT_OP struct squareplus_root squareplus_root(vec a, vec b)
{
    const vec square = v_mul(a, a), sum = v_add(square, b), back = v_sub(sum, square);
    const vec lost = v_add(v_sub(square, v_sub(sum, back)), v_sub(b, back));
    const vec low = v_add(lost, v_mul_low(a, a, square)), root = v_sqrt(sum);
    return (struct squareplus_root){root, v_add(v_fma_tight(v_neg(root), root, sum), low)};
}

/* x >= 0: sum = (a + root) / 2. x < 0: b / 4 over that. Past 2^50 the sum is a. What x^2 + b loses
 * is up to half an ULP of the result, and is left. */
ACT_OP vec squareplus_forward(vec x, struct vparams p)
{
    const struct squareplus_unit u = squareplus_unit(p.beta);
    const vec a = v_mul(v_min(u.most, v_abs(x)), u.down), half = v_set(0.5f);
    const vec end = v_set(0x1p50f), inner = v_min(end, a);
    const vec square = v_fma_tight(inner, inner, u.b), root = v_sqrt(square);
    const vec root_low = v_fma_tight(v_neg(root), root, square); /* over 2 root */
    const vec half_root = v_mul(half, v_select(v_lt(end, a), a, root));
    const vec sum = v_fma_tight(half, a, half_root),
              rounding = v_fma(half, a, v_sub(half_root, sum));
    const vec inverse = v_div(v_set(1), sum);
    /* 1 / 4 root is 1/8 to 1/4 of 1 / sum. */
    const vec low = v_fma(v_mul(root_low, v_set(1 / 6.0f)), inverse, rounding);

    const vec quarter = v_drop(v_eq(x, v_set(-INFINITY)), v_mul(u.b, v_set(0.25f)));
    const vec y = v_mul(quarter, inverse);
    const vec rest = v_fnma(low, y, v_fma_tight(v_neg(sum), y, quarter));
    const vec unit = v_select(v_lt(x, v_set(0)), v_fma(rest, inverse, y), v_add(sum, low));
    return v_max(v_max(x, v_set(0)), v_mul(unit, u.up)); /* y > x; relu for b = 0, where up is 0 */
}

/* f'(-a) = b / 4 over root (a + root) / 2, f'(a) = 1 - f'(-a). Past 2^40, where both factors are a,
 * a takes 2^-66 and f'(-a) 2^132. */
ACT_OP vec squareplus_backward(vec x, vec g, struct vparams p)
{
    const struct squareplus_unit u = squareplus_unit(p.beta);
    const vec size = v_mul(v_min(u.most, v_abs(x)), u.down), half = v_set(0.5f), one = v_set(1);
    const vmask far = v_lt(v_set(0x1p40f), size);
    const vec back = v_select(far, v_set(0x1p-66f), one), a = v_mul(size, back);
    const struct squareplus_root r = squareplus_root(a, v_drop(far, u.b));
    const vec half_root = v_mul(half, r.root), sum = v_fma_tight(half, a, half_root);
    const vec rounding = v_fma(half, a, v_sub(half_root, sum));
    const vec d = v_mul(r.root, sum), inverse = v_div(one, d);
    /* root sum = d + d_low; the roots' low parts are low / (2 root) and half of it, and sum / (2
     * root) = sum^2 / 2d. */
    const vec ratio = v_fma(v_mul(sum, half), v_mul(sum, inverse), v_set(0.25f));
    const vec d_low = v_fma(r.low, ratio, v_fma(r.root, rounding, v_mul_low(r.root, sum, d)));
    const vec quarter = v_mul(u.b, v_set(0.25f)), first = v_mul(quarter, inverse);
    const vec rest = v_fnma(d_low, first, v_fma_tight(v_neg(d), first, quarter));
    const vec q = v_mul(v_fma(rest, inverse, first), back);
    /* Not 0, for an infinite g, but at -inf. */
    const vec below = v_drop(v_eq(x, v_set(-INFINITY)), v_max(v_set(0x1p-149f), q));
    const vmask negative = v_lt(x, v_set(0));
    const vec slope = v_select(negative, below, v_fnma(q, back, one));
    const vec grad = v_mul(v_mul(slope, g), v_select(negative, back, one));
    const vec relu_grad = v_keep(v_lt(v_set(0), x), g);
    return v_or(v_select(v_eq(p.beta, v_set(0)), relu_grad, grad), v_zero_or_nan(x));
}
#endif

ACT_KERNEL(squareplus)
ACT_TEST(squareplus,
         .edge = {2, -2, 1e12, -1e12, 1.1e15, -1.1e15, 1e18, -1e18, 1e19, -1e19, 1e-3, -1e-3});
