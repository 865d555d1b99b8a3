/* AVX-512, f64: functions from tables of 16 polynomials, picked by vpermi2pd (1 cycle each). Rows
 * c, c0
 * .. cn: f(a) = c0 + t (c1 + t (c2 + ...)), t = a - c, where f(c) is nearly a double
 * (kernels/fit/table64.py). */
#ifndef ACT_KERNELS_AVX512_TABLE64_H
#define ACT_KERNELS_AVX512_TABLE64_H

#include "kernels/avx512/tables/exp64.h"
#include "kernels/math.h"

/* floor(a (i1 + a (i2 + a i3))) in the low bits. */
ACT_OP __m512i table64_number(vec a, double i1, double i2, double i3)
{
    enum { DOWN = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC };
    const vec p = v_fma(v_fma(v_set(i3), a, v_set(i2)), a, v_set(i1));
    return _mm512_castpd_si512(_mm512_fmadd_round_pd(p, a, v_set(0x1.8p52), DOWN));
}

/* Four entries to an octave of a / scale + 2. */
ACT_OP __m512i table64_octave(vec a, double scale)
{
    return _mm512_srli_epi64(_mm512_castpd_si512(v_fma(a, v_set(1 / scale), v_set(2))), 50);
}

ACT_OP vec table64_row(const double row[16], __m512i number)
{
    return _mm512_permutex2var_pd(v_load(row), number, v_load(row + 8));
}

/* c1 + t (c2 + ...), and t. */
struct table64_point {
    vec t, slope;
};

ACT_OP struct table64_point table64_point(const double (*rows)[16], int degree, vec a,
                                          __m512i number)
{
    const vec t = v_sub(a, table64_row(rows[0], number));
    vec q = table64_row(rows[degree + 1], number);
#pragma GCC unroll 16
    for (int i = degree; i > 1; i--)
        q = v_fma(q, t, table64_row(rows[i], number));
    return (struct table64_point){t, q};
}

ACT_OP vec table64_value(const double (*rows)[16], int degree, vec a, __m512i number)
{
    const struct table64_point p = table64_point(rows, degree, a, number);
    return v_fma(p.slope, p.t, table64_row(rows[1], number));
}

/* The same with what its last step is rounded by. */
ACT_OP struct pair table64_pair(const double (*rows)[16], int degree, vec a, __m512i number)
{
    const struct table64_point p = table64_point(rows, degree, a, number);
    return v_fast_sum(table64_row(rows[1], number), v_mul(p.slope, p.t));
}

/* ---- e^-(a + low) = 2^floor(n) (high + low) (1 + p), a from 0 to EXP_RANGE or NaN: 2^(j/16) as
 * high + low, |p| < 2^-5.5, its error 2^-55. */

struct table64_exp {
    vec high, low, p, n;
};

ACT_OP struct table64_exp table64_exp(vec a, vec low)
{
    const vec magic = v_set(0x1.8p48); /* its last place is 1/16 */
    const vec shifted = v_fnma(a, v_set(LOG2E), magic), n = v_sub(shifted, magic);
    const vec m = v_add(v_fma(n, v_set(LN2_LOW), v_fma(n, v_set(LN2_HIGH), a)), low);
    const vec z = v_mul(m, m);
    vec q = v_fma(v_set(exp_poly[4]), m, v_set(exp_poly[3]));
    q = v_fma(q, m, v_set(exp_poly[2]));
    q = v_fma(q, m, v_set(exp_poly[1]));
    q = v_fma(q, m, v_set(exp_poly[0]));
    const __m512i j = _mm512_castpd_si512(shifted);
    return (struct table64_exp){table64_row(exp_high, j), table64_row(exp_low, j), v_fms(q, z, m),
                                n};
}

/* a 2^floor(n), rounded once. */
ACT_OP vec table64_scaled(vec a, vec n)
{
    return _mm512_scalef_pd(a, n);
}

#endif
