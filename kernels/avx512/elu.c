/* ELU from tables; for alpha other than 1 they are scaled by it. Where they end, and for a tiny or
 * huge alpha, f' is alpha e^x g in 20 operations: the generic form needs 35 to keep products from
 * over- and underflowing before the result does, here vscalefps takes the exponent last.
 *
 * Worst of all 2^32 floats, in ULP (docs/ACCURACY.md): 1.0056 at x = -0.0317062549 (got
 * -0.031208884, want -0.03120888209793); g f' 1.8102 at x = -0.625047982, g = 3.7 (got 1.98037207,
 * want 1.980372287058). */
#include "kernels/elu.c"

#define ACT_TABLE_APPLIES(p) ((float)(p)->alpha == 1)
#define ACT_TABLE_ELSE_FWD   fwd_scaled
#define ACT_TABLE_ELSE_BWD   bwd_scaled

#include "kernels/avx512/elu_table.h"

/* 2^(k/16) / 2 and its relative rounding error. */
static const struct tail_table elu_table = {
    {0x1.000000p-1f, 0x1.0b5586p-1f, 0x1.172b84p-1f, 0x1.2387a6p-1f, 0x1.306fe0p-1f, 0x1.3dea64p-1f,
     0x1.4bfdaep-1f, 0x1.5ab07ep-1f, 0x1.6a09e6p-1f, 0x1.7a1148p-1f, 0x1.8ace54p-1f, 0x1.9c4918p-1f,
     0x1.ae89fap-1f, 0x1.c199bep-1f, 0x1.d5818ep-1f, 0x1.ea4afap-1f},
    {0x0.0p+0f, 0x1.8d96d4p-25f, -0x1.9c0c22p-27f, 0x1.964904p-25f, 0x1.125002p-25f,
     0x1.370be4p-25f, -0x1.0a3550p-25f, -0x1.00d8acp-27f, 0x1.26055cp-26f, -0x1.05cb44p-25f,
     0x1.67a1cap-28f, 0x1.a3b5e4p-28f, -0x1.f9c304p-27f, -0x1.6961b4p-28f, -0x1.a5217cp-28f,
     0x1.61428ep-28f},
};

/* alpha e^x g for x <= 0, 0 g at -inf: two roundings, the last one where it is subnormal. e^x =
 * 2^(n/16) (1 + p) as in tail.h. */
ACT_OP vec elu_fast_backward(vec x, vec g, struct vparams p)
{
    const vec mantissa = _mm512_getmant_ps(p.alpha, _MM_MANT_NORM_p5_1, _MM_MANT_SIGN_src);
    const vec exponent = v_add(_mm512_getexp_ps(p.alpha), v_set(2));
    const vmask above = _mm512_cmp_ps_mask(x, v_set(0), _CMP_GT_OQ);
    const vmask finite = _mm512_cmp_ps_mask(x, v_set(-INFINITY), _CMP_NEQ_UQ);
    /* FLT_MAX e^-262 = 2^-250. 0, not x, where e^x is not needed: it would overflow. */
    const vec inner = v_max(v_set(-262), _mm512_maskz_mov_ps((vmask)~above, x));
    const vec shifted = v_fma(inner, v_set(0x1.715476p+4f), v_set(ROUND_MAGIC));
    const vec n = v_sub(shifted, v_set(ROUND_MAGIC));
    const vec rest = _mm512_permutexvar_ps(v_bits(shifted), v_load(elu_table.rest));
    const vec high = v_fnma(n, v_set(0x1.62ep-5f), inner);
    const vec r = v_add(high, v_fnma(n, v_set(0x1.0bfbe8p-19f), rest));
    const vec q = v_fma(v_mul(r, r), v_fma(v_set(0x1.555748p-3f), r, v_set(0x1.00022ap-1f)), r);
    const vec half = _mm512_permutexvar_ps(v_bits(shifted), v_load(elu_table.value));
    /* half mantissa to twice the precision, < 1: no product overflows. */
    const vec t = v_mul(half, mantissa), low = v_fms(half, mantissa, t);
    const vec slope = _mm512_mask_add_ps(v_sign(t), finite, t, v_fma(t, q, low));
    /* vscalefps rounds the exponent down. */
    return _mm512_mask_scalef_ps(g, (vmask)~above, v_mul(slope, g),
                                 v_fma(n, v_set(1 / 16.0f), exponent));
}

ACT_LOOP2(elu_fast_backward, elu, bwd_exponent)

/* alpha == 0 is the constant 0 below. */
ACT_EITHER2(elu, bwd_other, (float)p->alpha == 0, bwd, bwd_exponent)

/* Coefficients, and the second parts of c0, are normal floats. */
ACT_OP int elu_scales(const act_params *p)
{
    const float a = fabsf((float)p->alpha);
    return a >= 0x1p-100f && a <= 0x1p100f;
}
/* What stands in for the tail's result, alpha e^-8.05 g, must not overflow either. */
ACT_OP int elu_scales_grad(const act_params *p)
{
    return elu_scales(p) && fabsf((float)p->alpha) <= 0x1p11f;
}
ACT_OP struct table elu_scaled_rows(const act_params *p)
{
    return scaled_elu_rows(p, (struct table_ratio){1, 1}, (struct table_ratio){(float)p->alpha, 1});
}
ACT_OP struct table elu_scaled_rows_grad(const act_params *p)
{
    return scaled_elu_rows_grad(p, (struct table_ratio){1, 1},
                                (struct table_ratio){(float)p->alpha, 1});
}
#define elu_scaled_near       scaled_elu
#define elu_scaled_tail       NULL
#define elu_scaled_near_grad  scaled_elu_grad
#define elu_scaled_watch_grad table_low
ACT_OP vec elu_scaled_tail_grad(vec x, vec g, const struct table *t)
{
    return elu_fast_backward(x, g, t->p);
}
TABLE_SCALED_FORWARD(elu, elu_scales, fwd, NULL)
TABLE_SCALED_BACKWARD(elu, elu_scales_grad, bwd_other)

#define elu_near       unit_elu
#define elu_watch      table_nowhere
#define elu_far        0
#define elu_tail       table_no_tail
#define elu_near_grad  unit_elu_grad
#define elu_watch_grad table_low
#define elu_far_grad   (-ELU_GRAD_END)
#define elu_tail_grad  unit_elu_tail_grad
ACT_KERNEL_TABLE(elu, elu, elu_grad, ACT_SYMBOL(elu, out), ACT_STREAM_SYMBOL(elu, out))
