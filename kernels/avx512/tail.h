/* Where the tables of kernels/avx512/ end, f and f' are small: e^(-u) times a simple factor. They
 * come here scaled by 2^64, as normal floats, and leave rounded to what they are, so that a
 * subnormal result costs no microcode assist (150 cycles a vector on Intel), and one beyond all
 * floats neither.
 *
 * e^-u = 2^-64 (scale + scale p): 2^(k/16) from a register, e^r - 1 = r + r^2 (c2 + c3 r) for
 * |r| <= ln 2 / 32 within 2^-29.2 (kernels/fit/exp_tail.py). */
#ifndef ACT_KERNELS_AVX512_TAIL_H
#define ACT_KERNELS_AVX512_TAIL_H

#include "kernels/math.h"

/* Beyond u = 110 (2^-158) e^-u stays: smaller, the products here would be subnormal. */
#define TAIL_END 110.0f

/* 2^(64 + k/16) as bits less k << 19, and its relative rounding error. */
struct tail_table {
    float value[16], rest[16];
};
static const struct tail_table tail_plain = {
    {0x1.000000p+64f, 0x1.fb5586p+63f, 0x1.f72b84p+63f, 0x1.f387a6p+63f, 0x1.f06fe0p+63f,
     0x1.edea64p+63f, 0x1.ebfdaep+63f, 0x1.eab07ep+63f, 0x1.ea09e6p+63f, 0x1.ea1148p+63f,
     0x1.eace54p+63f, 0x1.ec4918p+63f, 0x1.ee89fap+63f, 0x1.f199bep+63f, 0x1.f5818ep+63f,
     0x1.fa4afap+63f},
    {0x0.0p+0f, 0x1.8d96d4p-25f, -0x1.9c0c22p-27f, 0x1.964904p-25f, 0x1.125002p-25f,
     0x1.370be4p-25f, -0x1.0a3550p-25f, -0x1.00d8acp-27f, 0x1.26055cp-26f, -0x1.05cb44p-25f,
     0x1.67a1cap-28f, 0x1.a3b5e4p-28f, -0x1.f9c304p-27f, -0x1.6961b4p-28f, -0x1.a5217cp-28f,
     0x1.61428ep-28f},
};
/* The same over sqrt(2 pi). */
static const struct tail_table tail_normal = {
    {0x1.988454p+62f, 0x1.9a9a7ep+62f, 0x1.9d7da8p+62f, 0x1.a136e2p+62f, 0x1.a5cfaap+62f,
     0x1.ab51e4p+62f, 0x1.a8e3f4p+62f, 0x1.a49e3ep+62f, 0x1.a0dd76p+62f, 0x1.9da77ap+62f,
     0x1.9b0274p+62f, 0x1.98f4cep+62f, 0x1.978538p+62f, 0x1.96bab6p+62f, 0x1.969c94p+62f,
     0x1.973276p+62f},
    {-0x1.e821f2p-26f, -0x1.28f1b8p-28f, -0x1.c1b8d4p-26f, 0x1.a11cf2p-26f, 0x1.74e3b8p-26f,
     0x1.a17ef2p-26f, -0x1.f4b030p-26f, 0x1.024ad6p-27f, -0x1.be5e9ap-25f, 0x1.2d092cp-25f,
     0x1.625576p-26f, -0x1.5af78cp-25f, 0x1.5b4876p-26f, 0x1.44ab80p-31f, 0x1.0201d0p-25f,
     0x1.05caf0p-26f},
};

struct tail {
    vec scale, p;
};

/* e^(h + low), -TAIL_END <= h <= 0. */
ACT_OP struct tail tail_exp(const struct tail_table *t, vec h, vec low)
{
    const vec shifted = v_fma(h, v_set(0x1.715476p+4f), v_set(ROUND_MAGIC));
    const vec n = v_sub(shifted, v_set(ROUND_MAGIC));
    /* ln 2 / 16: 12 bits, so that the product is exact, and the rest. */
    const vec high = v_fnma(n, v_set(0x1.62ep-5f), h);
    const vec rest = _mm512_permutexvar_ps(v_bits(shifted), v_load(t->rest));
    const vec r = v_add(high, v_add(v_fnma(n, v_set(0x1.0bfbe8p-19f), rest), low));
    const vec p = v_fma(v_mul(r, r), v_fma(v_set(0x1.555748p-3f), r, v_set(0x1.00022ap-1f)), r);
    const vint value = v_bits(_mm512_permutexvar_ps(v_bits(shifted), v_load(t->value)));
    const vec scale = v_from_bits(i_add(value, _mm512_slli_epi32(v_bits(shifted), 19)));
    return (struct tail){scale, p};
}

/* e^h itself, 0 where that is below 2^-43: what a correction of second order needs. */
ACT_OP vec tail_small(struct tail e, vec h)
{
    const vmask counts = _mm512_cmp_ps_mask(h, v_set(-30), _CMP_GT_OQ);
    const vec scale = _mm512_maskz_mul_ps(counts, e.scale, v_set(0x1p-64f));
    return v_fma(scale, e.p, scale);
}

/* 2^-64 s, rounded: 2^-62 + |s| has the last place of a subnormal. */
ACT_OP vec tail_result(vec s)
{
    const vec a = v_abs(s), base = v_set(0x1p-62f);
    const vint subnormal = _mm512_sub_epi32(v_bits(v_add(base, a)), v_bits(base));
    const vmask tiny = _mm512_cmp_ps_mask(a, base, _CMP_LT_OQ);
    const vec y = _mm512_mask_mul_ps(v_from_bits(subnormal), (vmask)~tiny, a, v_set(0x1p-64f));
    return v_or(y, v_sign(s));
}

/* 2^-64 g s, and 2^-64 g 0 where x is infinite. g beyond 2^60, rare, is scaled first. */
ACT_OP vec tail_grad(vec x, vec g, vec s)
{
    const vmask limit = _mm512_cmp_ps_mask(v_abs(x), v_set(INFINITY), _CMP_EQ_OQ);
    const vmask large = _mm512_cmp_ps_mask(v_abs(g), v_set(0x1p60f), _CMP_GT_OQ);
    s = _mm512_mask_and_ps(s, limit, s, v_set(-0.0f));
    const vec d = tail_result(v_mul(_mm512_maskz_mov_ps((vmask)~large, g), s));
    if (__builtin_expect(large != 0, 0))
        return _mm512_mask_mul_ps(d, large, _mm512_maskz_mul_ps(large, g, v_set(0x1p-64f)), s);
    return d;
}

/* (1 + p) (1 + m) - 1 */
ACT_OP vec tail_also(vec p, vec m)
{
    return v_fma(p, m, v_add(p, m));
}

/* factor e^h (1 + p) */
ACT_OP vec tail_times(vec factor, vec p, vec scale)
{
    return v_fma(factor, scale, v_mul(factor, v_mul(scale, p)));
}

/* sigmoid(h) and log1p(e^h): e^h (1 - e^h k), k = 1 and 1/2. sigmoid'(h): k = 2. */
ACT_OP vec tail_logistic_low(vec h, vec low, float k)
{
    const struct tail e = tail_exp(&tail_plain, h, low);
    return v_fma(e.scale, tail_also(e.p, v_mul(v_set(-k), tail_small(e, h))), e.scale);
}
ACT_OP vec tail_logistic(vec h, float k)
{
    return tail_logistic_low(h, v_set(0), k);
}

ACT_OP vec tail_start(vec x) /* x < 0 */
{
    return v_max(v_set(-TAIL_END), x);
}

#endif
