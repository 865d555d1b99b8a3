/* f32: exponentials and what is made of them by tables of eight (v_lookup8). */
#ifndef ACT_KERNELS_EIGHT_H
#define ACT_KERNELS_EIGHT_H

#include "kernels/math.h"

#if !V_DOUBLE
#define EIGHT_SCALE 0x1p-40f

/* 2^40 e^shift 2^(k/8), less k << 20 in the bits; shift = .0237 makes all eight floats to 2^-27.5
 * (kernels/fit/exp_eight.py). */
static const float exp_eight[8] = {0x1.062632p+40f, 0x1.fde03p+39f,  0x1.f7bfecp+39f,
                                   0x1.f3f728p+39f, 0x1.f2bc26p+39f, 0x1.f44a12p+39f,
                                   0x1.f8e172p+39f, 0x1.00c8a4p+40f};

/* e^-a 2^40 = z = s + sp, |sp| < .068 s, for a up to 114 (s >= 2^-125). Relative
 * error 2^-25.7 by the polynomial, 2^-27.5 by the table (kernels/fit/exp_eight.py); a polynomial of
 * degree 4 would cost 2 slots. near is z to .2%, sooner. */
struct exp_eight {
    vec s, sp, near;
};

/* n = rint(-8 a / ln 2) in the low bits of shifted; -a = n ln 2 / 8 - f r, f a power of two. The
 * polynomial's two halves, and the second product in near, shorten the chain: that is what these
 * kernels wait for. */
ACT_OP struct exp_eight v_exp_eight_of(vec shifted, vec r, float f)
{
    const vint n = v_bits(shifted);
    const vec t = v_lookup8(exp_eight, v_index8(n));
    const vec s = v_from_bits(i_add(v_bits(t), i_shl(n, 20)));
    const vec first = v_fma(v_set(-0x1.f3fd76p-1f * f), r, v_set(-0x1.805158p-6f));
    vec p = v_fma(v_set(-0x1.4d5baap-3f * (f * f * f)), r, v_set(0x1.f41186p-2f * (f * f)));
    p = v_fma(p, v_mul(r, r), first);
    return (struct exp_eight){s, v_mul(s, p), v_fma(s, first, s)};
}

/* magic is ROUND_MAGIC, or with 8 k added to give z 2^k more. */
ACT_OP struct exp_eight v_exp_eight(vec a, vec magic)
{
    const vec shifted = v_fnma(a, v_set(LOG2E_8), magic), n = v_sub(shifted, magic);
    return v_exp_eight_of(shifted, v_fma(n, v_set(LN2_8_LOW), v_fma(n, v_set(LN2_8_HIGH), a)), 1);
}

ACT_OP struct exp_eight v_exp_eight_low(vec a, vec low, vec magic) /* e^-(a + low) */
{
    const vec shifted = v_fnma(a, v_set(LOG2E_8), magic), n = v_sub(shifted, magic);
    const vec r = v_fma(n, v_set(LN2_8_HIGH), a), r_low = v_fma(n, v_set(LN2_8_LOW), low);
    return v_exp_eight_of(shifted, v_add(r, r_low), 1);
}

ACT_OP struct exp_eight v_exp_eight_half(vec a, vec low) /* e^-(a + low)/2 */
{
    const vec magic = v_set(ROUND_MAGIC);
    const vec shifted = v_fnma(a, v_set(LOG2E_8 / 2), magic), n = v_sub(shifted, magic);
    const vec r = v_fma(n, v_set(2 * LN2_8_HIGH), a), r_low = v_fma(n, v_set(2 * LN2_8_LOW), low);
    return v_exp_eight_of(shifted, v_add(r, r_low), 0.5f);
}

/* (s + sp) h(x) for a table of rows -c, h(c), c1 .. c_degree, as s high + rest: h(c) is high,
 * nearly without error, and rest < s/4. z = s + sp. */
struct eight {
    vec high, rest;
};

ACT_OP struct eight v_eight(const float (*table)[8], int degree, vindex8 k, struct exp_eight e,
                            vec z, vec d)
{
    const vec high = v_lookup8(table[1], k);
    vec q = v_lookup8(table[degree + 1], k);
    int i = degree;
    if (degree >= 6) { /* a long chain by pairs */
        const vec d2 = v_mul(d, d);
        q = v_fma(q, d, v_lookup8(table[degree], k));
#pragma GCC unroll 8
        for (i = degree - 2; i > 3; i -= 2)
            q = v_fma(q, d2, v_fma(v_lookup8(table[i + 1], k), d, v_lookup8(table[i], k)));
        i++;
    }
#pragma GCC unroll 8
    for (; i > 1; i--)
        q = v_fma(q, d, v_lookup8(table[i], k));
    return (struct eight){high, v_fma(v_mul(z, d), q, v_mul(e.sp, high))};
}

/* log1p(z)/z, relative error 2^-26.9 (kernels/fit/eight.py); the entry is rint(7.49 z). */
static const float log1p_eight[6][8] = {
    {-0x1.116dd8p-5f, -0x1.116d8ep-3f, -0x1.1170b8p-2f, -0x1.9a23c4p-2f, -0x1.116c3ap-1f,
     -0x1.55c8bap-1f, -0x1.9a243cp-1f, -0x1.de2b7p-1f},
    {0x1.f7a40ep-1f, 0x1.e0969ap-1f, 0x1.c5cc6cp-1f, 0x1.ae995p-1f, 0x1.9a3f22p-1f, 0x1.8833a4p-1f,
     0x1.780feep-1f, 0x1.6994fap-1f},
    {-0x1.ea0a54p-2f, -0x1.b0d5cap-2f, -0x1.7445f8p-2f, -0x1.44aeep-2f, -0x1.1e71e8p-2f,
     -0x1.fe4f34p-3f, -0x1.ca516ep-3f, -0x1.9ebeecp-3f},
    {0x1.3d01fap-2f, 0x1.013ce6p-2f, 0x1.8f877cp-3f, 0x1.3ddba6p-3f, 0x1.01fp-3f, 0x1.a99d18p-4f,
     0x1.6420fep-4f, 0x1.2dda2ap-4f},
    {-0x1.cd52d2p-3f, -0x1.5790960000000p-3f, -0x1.dfd0c4p-4f, -0x1.5af8dap-4f, -0x1.022f62p-4f,
     -0x1.8989060000000p-5f, -0x1.3205520000000p-5f, -0x1.e4d788p-6f},
    {0x1.651f16p-3f, 0x1.e7180ep-4f, 0x1.324c64p-4f, 0x1.90eb8cp-5f, 0x1.116d0cp-5f, 0x1.8093aap-6f,
     0x1.157edcp-6f, 0x1.9b4bdep-7f},
};

/* log1p(z) = s high + rest, and in what z is scaled. unscale takes the scale back. */
ACT_OP struct eight v_log1p_eight(struct exp_eight e, vec unscale)
{
    const vec number = v_fma(e.near, v_mul(v_set(7.49f), unscale), v_set(ROUND_MAGIC));
    const vec z = v_add(e.s, e.sp);
    const vindex8 k = v_index8(v_bits(number));
    const vec d = v_fma(z, unscale, v_lookup8(log1p_eight[0], k));
    return v_eight(log1p_eight, 4, k, e, z, d);
}

/* log1p(e^-a) as value * scale, past 2^-151 as value * 0. */
ACT_OP struct scaled v_log1p_exp_eight(vec a)
{
    const vec most = v_set(104.7f), unscale = v_set(EIGHT_SCALE);
    const struct exp_eight e = v_exp_eight(v_min(most, a), v_set(ROUND_MAGIC));
    const struct eight l = v_log1p_eight(e, unscale);
    return (struct scaled){v_fma(e.s, l.high, l.rest), v_keep(v_lt(a, most), unscale)};
}
#endif
#endif
