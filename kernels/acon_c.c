/* ACON-C: y = (p1 - p2) x sigmoid(b (p1 - p2) x) + p2 x; p1, p2, b are alpha, beta, gamma.
 * Derivative: beta + d * s * (1 + gamma * d * x * (1 - s)), d = alpha - beta,
 * s = 1 / (1 + exp(-gamma * d * x)).
 * With the defaults 1, 0, 1 this is silu; otherwise the sum may cancel, and its error is relative
 * to |p1| + |p2|, times |x| for y. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 0.9985 at x =
 * 0.000976264651 (got 0.000488370657, want 0.000488370598848); g f' 0.8440 at x = 1.27871728, g =
 * 3.7 (got 3.7002039, want 3.70020369435). */
#include "kernels/swish.h"
#include "kernels/theta_gate.h"

#if ACT_UNIT_F64
#define ACON_C_MOST   0x1.fffffffffffffp1023
#define ACON_C_LITTLE 0x1p-500
#define ACON_C_UP     0x1p512
#else
#define ACON_C_MOST   0x1.fffffep127f
#define ACON_C_LITTLE 0x1p-60f
#define ACON_C_UP     0x1p64f
#endif

/* t = b (p1 - p2) x as c x, c = b (p1 - p2) to twice the precision; where c over- or underflows, x
 * takes the smaller factor first. */
ACT_OP struct gate_argument acon_c_argument(vec x, struct vparams p)
{
    const vec d = v_sub(p.alpha, p.beta), back = v_sub(d, p.alpha);
    const vec d_low = v_sub(v_sub(p.alpha, v_sub(d, back)), v_add(p.beta, back));
    const vec c = v_mul(p.gamma, d);
    const vec c_low = v_fma(p.gamma, d_low, v_mul_low_wide(p.gamma, d, c));
    const vmask sane = v_inside(v_set(0x1p-90f), v_abs(c), v_set(0x1p90f));

    /* p1 - p2 may itself overflow: then b takes the 2 of its halves; 2b too: t saturates or is 0.
     */
    const vec half = v_set(0.5f), halves = v_sub(v_mul(half, p.alpha), v_mul(half, p.beta));
    const vec inf = v_set(INFINITY);
    const vmask normal = v_lt(v_abs(d), inf);
    const vec twice = v_mul(p.gamma, v_select(normal, v_set(1), v_set(2)));
    const vec d2 = v_select(normal, d, halves);
    const vec b = v_select(v_lt(v_abs(twice), inf), twice, p.gamma);
    const vmask order = v_lt(v_abs(d2), v_abs(b));
    const vec first = v_select(sane, v_set(1), v_select(order, d2, b));
    const vec product = v_mul(v_drop(v_eq(first, v_set(0)), x), first);
    const vec most = v_set(ACON_C_MOST), clipped = v_max(v_neg(most), v_min(most, product));
    const vec inner = v_select(v_lt(v_abs(x), v_set(INFINITY)), clipped, product);
    return gate_argument(inner, v_select(sane, c, v_select(order, b, d2)), v_keep(sane, c_low));
}

ACT_OP vec acon_c_forward(vec x, struct vparams p)
{
    const struct gate_argument u = acon_c_argument(x, p);
    const vec most = v_set(ACON_C_MOST), one = v_set(1), up = v_set(ACON_C_UP);
    const vec down = v_set(1 / ACON_C_UP);
    /* A tiny x is made larger, for a large p would magnify the rounding of a subnormal gate; what
     * undoes that comes before p where p is large. */
    const vmask tiny = v_lt(v_abs(x), v_set(ACON_C_LITTLE));
    const vmask large = v_lt(one, v_max(v_abs(p.alpha), v_abs(p.beta)));
    const vec inner = v_mul(v_max(v_neg(most), v_min(most, x)), v_select(tiny, up, one));
    const vec back = v_select(tiny, down, one);
    const vec before = v_select(large, back, one), after = v_select(large, one, back);
    const vec p1 = v_mul(p.alpha, before), p2 = v_mul(p.beta, before);
    const vec s = gate_forward(inner, u);
    const vec left = v_mul(p1, s), both = v_fma_tight(p2, v_sub(inner, s), left);
    const vec y = v_mul(v_select(v_eq(p.beta, v_set(0)), left, both), after);

    const vec factor = gate_limit(u.t, p.alpha, p.beta), half = v_set(0.5f);
    const vec sum = v_add(v_mul(half, p.alpha), v_mul(half, p.beta));
    const vec zero = v_xor(v_sign(x), v_sign(sum)); /* of the factor that has faded away */
    const vec limit = v_select(v_eq(factor, v_set(0)), zero, v_mul(x, factor));
    return v_or(v_select(v_eq(v_abs(x), v_set(INFINITY)), limit, y), v_zero_or_nan(x));
}

#if !V_DOUBLE
ACT_OP int acon_c_is_near(const act_params *p)
{
    const float p1 = (float)p->alpha, p2 = (float)p->beta, b = fabsf((float)p->gamma);
    const float most = 0x1p40f, least = 0x1p-40f; /* no product of these over- or underflows */
    if (fabsf(p1) > most || fabsf(p2) > most || b < least || b > most)
        return 0;
    const float d = fabsf(p1 - p2);
    return d >= least && d * b >= GATE_LEAST_B && d * b <= GATE_MOST_B;
}

/* p1 x - d x sigmoid(-|c x|) on c's side, p2 x + d x sigmoid(-|c x|) on the other; d = p1 - p2,
 * c = b d. */
ACT_OP vec acon_c_near(vec x, struct vparams p)
{
    const vec d = v_sub(p.alpha, p.beta), back = v_sub(d, p.alpha), zero = v_set(0);
    const vec d_low = v_sub(v_sub(p.alpha, v_sub(d, back)), v_add(p.beta, back));
    const vec c = v_mul(p.gamma, d), flip = v_sign(c), b = v_abs(c);
    const vec c_low = v_xor(v_fma(p.gamma, d_low, v_mul_low(p.gamma, d, c)), flip);
    /* A p of 0 has the sign of what its x is added to. */
    const vec p1 = v_select(v_eq(p.alpha, zero), v_sign(v_neg(d)), p.alpha);
    const vec p2 = v_select(v_eq(p.beta, zero), v_sign(d), p.beta);
    const vec factor = v_select(v_lt(zero, v_xor(x, flip)), p1, p2);
    const vmask infinite = v_eq(v_abs(x), v_set(INFINITY));
    const vmask lost = v_both(infinite, v_eq(factor, zero));
    const vec size = v_min(v_div(v_set(LOGISTIC_MOST), b), v_abs(x));
    const vec scale = v_xor(v_mul(d, v_set(-LOGISTIC_SCALE)), flip);
    const vec inner = v_or(v_drop(lost, x), v_sign(x));
    const vec y = v_fma_tight(factor, inner, v_mul(gate_tail(size, b, c_low), scale));
    /* At 0 the zero of p1 s + p2 (x - s), s = x sigmoid(0). */
    const vec second = v_drop(v_lt(zero, p.beta), v_set(-0.0f));
    const vec none = v_add(v_sign(v_xor(x, p.alpha)), second);
    return v_select(v_eq(x, zero), none, y);
}
#endif

ACT_OP vec acon_c_backward(vec x, vec g, struct vparams p)
{
    const vec one = v_set(1), half = v_set(0.5f);
    const vmask plain = v_eq(p.beta, v_set(0)), none = v_both(plain, v_eq(p.alpha, v_set(0)));
    /* f' is up to 1.1: g f' might overflow before a small alpha. */
    const vmask halved = v_both(plain, v_lt(v_abs(p.alpha), one));
    const vec first = v_mul(g, v_select(halved, half, one));
    const vec alpha = v_mul(p.alpha, v_select(halved, v_set(2), one));
    const vec s = gate_backward(v_select(plain, first, one), acon_c_argument(x, p));
    /* With p2 = 0, s has g in it, and may be infinite; -0 changes no sum. */
    const vec p2 = v_select(plain, v_set((elem)-0.0), p.beta);
    const vec sum = v_fma_tight(alpha, s, v_mul(p2, v_sub(one, v_drop(plain, s))));
    return v_or(v_drop(none, v_mul(v_select(plain, one, g), sum)), v_zero_or_nan(x));
}

#if ACT_UNIT_THETA
/* With s = silu'(t), t = b (p1 - p2) x: g x s, g x (1 - s), g ((p1 - p2) x)^2 sigmoid'(t). */
ACT_OP void acon_c_gradients(vec x, vec g, struct vparams p, vwide *d)
{
    const struct gate_argument u = acon_c_argument(x, p);
    const vec a = v_abs(u.t);
    const struct theta_gate l = theta_gate(a, u.low, (float)THETA_FAR);
    const vmask below = v_lt(u.t, v_set(0));
    const vec inner = v_drop(v_eq(a, v_set(INFINITY)), x); /* 0 inf: the former wins */
    const vwide gradient = w_from(g), rest = w_sub(w_set(1), w_mul(l.gate, l.scale));
    /* x s is fading below 0, and x (1 - s) above; the other of them is x times the rest. */
    const vwide fading_1 = w_mul(w_mul(l.gate, w_from(v_keep(below, inner))), l.scale);
    const vwide fading_2 = w_mul(w_mul(l.gate, w_from(v_drop(below, inner))), l.scale);
    d[0] = w_mul(w_fma(w_from(v_drop(below, x)), rest, fading_1), gradient);
    d[1] = w_mul(w_fma(w_from(v_keep(below, x)), rest, fading_2), gradient);
    const vwide product = w_mul(w_sub(w_from(p.alpha), w_from(p.beta)), w_from(inner));
    d[2] = w_mul(w_mul(w_mul(w_mul(l.slope, product), product), l.scale), gradient);
}
#endif

ACT_KERNEL_GATE(acon_c)
ACT_TEST(acon_c, .cancels = 3, .zero = -1.27846454, .zero_over = 'c',
         .edge = {-108.660301, -91.8567734, -87.3365402, -16.6, 16.6, 40, -708.4, -720, -752});
ACT_THETA(acon_c, BY_COLUMNS, acon_c_forward, acon_c_backward, acon_c_gradients, alpha, beta,
          gamma);
