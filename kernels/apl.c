/* Adaptive piecewise linear (APL): y = max(0, x) + sum_s a_s max(0, b_s - x), theta = a_1 .. a_S,
 * b_1 .. b_S.
 * Derivative: (x > 0) - sum_s a_s (x < b_s), 0 at the kink of max(0, x), and of a segment at its.
 * Sums are in double and rounded once: .5 ULP and 2^-50 of the absolute terms. At x = -inf y is the
 * limit; where the slopes cancel exactly, +0. */
#include "kernels/math.h"
#include "kernels/theta.h"

/* x < b: a segment that takes part has b - x > 0, the others 0 - 0. */
struct segment {
    vmask inside;
    vwide height; /* max(0, b - x) */
};

ACT_OP struct segment apl_segment(vec x, vec b)
{
    const vmask inside = v_lt(x, b);
    const vwide height = w_sub(w_from(v_keep(inside, b)), w_from(v_keep(inside, x)));
    return (struct segment){inside, height};
}

/* sum a_s max(0, b_s - x) from s on, over the finite x. */
ACT_OP vec apl_forward(vec x, const struct act_theta_block *b, size_t j)
{
    const vec far = v_set(ACT_UNIT_F64 ? (elem)0x1p900 : (elem)0x1p120f);
    const vmask infinite = v_eq(x, v_set(-INFINITY));
    const vec at = v_select(infinite, v_neg(far), x);
    vwide sum = w_from(v_keep(v_lt(v_set(0), x), x));
    for (size_t s = 0; s < b->count / 2; s++) {
        const struct segment g = apl_segment(at, theta_load(b, b->count / 2 + s, j));
        sum = w_fma(w_from(theta_load(b, s, j)), g.height, sum);
    }
    const vec y = w_to(sum);
    /* Where it is not exactly 0 the slope wins. */
    const vec limit = v_or(v_drop(v_eq(y, v_set(0)), v_set(INFINITY)), v_sign(y));
    const vec either = v_select(v_both(infinite, v_eq(y, y)), limit, y);
    return v_or(either, v_zero_or_nan(x));
}

/* g f'(x), and for sums the terms: da_s = g max(0, b_s - x), db_s = g a_s where x < b_s. */
ACT_OP vec apl_backward(vec x, vec g, const struct act_theta_block *b, size_t j)
{
    const size_t half = b->count / 2;
    const vec nan = v_zero_or_nan(x);
    vwide sum = w_from(v_keep(v_lt(v_set(0), x), v_set(1)));
    for (size_t s = 0; s < half; s++) {
        const struct segment at = apl_segment(x, theta_load(b, half + s, j));
        const vwide a = w_from(v_keep(at.inside, theta_load(b, s, j)));
        sum = w_sub(sum, a);
        if (b->sums) {
            const vwide gradient = w_from(v_or(v_keep(at.inside, g), nan));
            theta_sum(b, s, j, w_mul(gradient, at.height));
            theta_sum(b, half + s, j, w_mul(gradient, a));
        }
    }
    const vec slope = v_add(w_to(sum), v_set(0)); /* -0 becomes +0 */
    return v_or(v_mul(v_drop(v_eq(slope, v_set(0)), g), slope), nan);
}

static void ACT_PART_SYMBOL(apl_forward)(const struct act_theta_block *block)
{
    const struct act_theta_block b = *block;
    for (size_t r = 0; r < b.rows; r++)
        for (size_t j = 0; j < b.cols; j += VL) {
            const size_t n = b.cols - j < VL ? b.cols - j : VL;
            theta_out(&b, r, j, n, apl_forward(theta_in(&b, b.x, r, j, n), &b, j));
        }
}

static void ACT_PART_SYMBOL(apl_backward)(const struct act_theta_block *block)
{
    const struct act_theta_block b = *block;
    for (size_t r = 0; r < b.rows; r++)
        for (size_t j = 0; j < b.cols; j += VL) {
            const size_t n = b.cols - j < VL ? b.cols - j : VL;
            const vec x = theta_in(&b, b.x, r, j, n), g = theta_in(&b, b.g, r, j, n);
            const vec d = apl_backward(x, g, &b, j);
            if (b.out)
                theta_out(&b, r, j, n, d);
        }
}

ACT_PART_ROW(apl) = {ACT_PART_SYMBOL(apl_forward), ACT_PART_SYMBOL(apl_backward)};
