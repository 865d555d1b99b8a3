/* AVX-512, f64: functions from tables of 16 polynomials, picked by vpermi2pd (1 cycle each). Rows
 * c, c0
 * .. cn: f(a) = c0 + t (c1 + t (c2 + ...)), t = a - c, where f(c) is nearly a double
 * (kernels/fit/table64.py). */
#ifndef ACT_KERNELS_AVX512_TABLE64_H
#define ACT_KERNELS_AVX512_TABLE64_H

#include "kernels/kernel.h"

/* floor(a (i1 + a (i2 + a i3))) in the low bits. */
ACT_OP __m512i table64_number(vec a, double i1, double i2, double i3)
{
    enum { DOWN = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC };
    const vec p = v_fma(v_fma(v_set(i3), a, v_set(i2)), a, v_set(i1));
    return _mm512_castpd_si512(_mm512_fmadd_round_pd(p, a, v_set(0x1.8p52), DOWN));
}

ACT_OP vec table64_row(const double row[16], __m512i number)
{
    return _mm512_permutex2var_pd(v_load(row), number, v_load(row + 8));
}

ACT_OP vec table64_value(const double (*rows)[16], int degree, vec a, __m512i number)
{
    const vec t = v_sub(a, table64_row(rows[0], number));
    vec q = table64_row(rows[degree + 1], number);
#pragma GCC unroll 16
    for (int i = degree; i > 0; i--)
        q = v_fma(q, t, table64_row(rows[i], number));
    return q;
}

#endif
