/* Hard swish: y = x clip(x + 3, 0, 6) / 6.
 * Derivative: x > -3 ? x < 3 ? (2 * x + 3) / 6 : 1 : 0.
 * Kinks: -3, 3.
 * f'(-3) = 0, f'(3) = 1, f(-inf) = -0. */
/* Worst of all 2^32 floats on avx2 and neon, in ULP (docs/ACCURACY.md): 1.4927 at x = 0.00388222933
 * (got 0.00194362644, want 0.001943626614837); g f' 1.8857 at x = 2.78559279, g = 0.7 (got
 * 0.999971747, want 0.9999716350015). */
#include "kernels/math.h"

ACT_OP vec hardswish_forward(vec x, struct vparams p)
{
    (void)p;
    /* u = (x + 3)/6, 1/6 in two parts, has one rounding and is 1 from 3 on; x u has another. (To
     * take u's low part along would save the first, but it is subnormal with x long before y is.)
     */
    const vec three = v_set(3), above = v_max(v_set(-3), x), inner = v_min(three, above);
    const vec s = v_add(inner, three), s_low = v_sub(inner, v_sub(s, three));
#if V_DOUBLE
    const vec sixth = v_set(0x1.5555555555555p-3), sixth_low = v_set(0x1.5555555555555p-57);
#else
    const vec sixth = v_set(0x1.555556p-3f), sixth_low = v_set(-0x1.555556p-28f);
#endif
    const vec rest = v_fma(sixth, s_low, v_mul(sixth_low, s));
#if ACT_UNIT_F64 && !V_HAS_FMA
    const vec product = v_mul(sixth, s);
    return v_mul(above, v_add(product, v_add(v_mul_low(sixth, s, product), rest)));
#else
    return v_mul(above, v_fma(sixth, s, rest));
#endif
}

ACT_OP vec hardswish_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    /* 2x + 3 is exact near its zero at -1.5; a clipped x does not overflow there. */
    const vec t = v_fma(v_set(2), v_min(v_set(3), v_max(v_set(-3), x)), v_set(3));
#if V_DOUBLE
    const vec slope = v_div(t, v_set(6));
#else
    const vec slope = v_fma(t, v_set(0x1.555556p-3f), v_mul(t, v_set(-0x1.555556p-28f)));
#endif
    const vec d = v_select(v_le(v_set(3), x), g, v_mul(g, slope));
    return v_drop(v_le(x, v_set(-3)), d);
}

ACT_KERNEL(hardswish)
ACT_TEST(hardswish, .odd_zero = 1, .edge = {-3, 3, -1.5});
