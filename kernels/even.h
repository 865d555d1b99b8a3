/* f32: odd and even functions of a = |x| by tables of eight (kernels/fit/eight.py even): w^k E(a),
 * w = min(a, end), k from 1 to 3. So much as E is accurate, f is down to 0, and is rounded once:
 * w^k is kept with its low part, and of E all but the polynomial's rest, below .36 of it, is a
 * float. */
#ifndef ACT_KERNELS_EVEN_H
#define ACT_KERNELS_EVEN_H

#include "kernels/math.h"

#if !V_DOUBLE
#define EVEN_START 0x1.6a09e8p-1f /* its square is just above 1/2, and begins entry 6 */
#define EVEN_LAST  10.6f

/* The interval of a <= EVEN_LAST. No fused operation: the ends are the same floats on every ISA. */
ACT_OP vindex8 v_even_number(vec a)
{
    const vec v = v_add(a, v_set(EVEN_START));
    return v_index8(i_sar(v_bits(v_mul(v, v)), 23));
}

/* E(a + low) = value + rest. */
struct even {
    vec value, rest;
};

ACT_OP struct even v_even(const float table[9][8], vec a, vec low)
{
    const vindex8 k = v_even_number(a);
#define ROW(i) v_lookup8(table[i], k)
    const vec d = v_add(v_add(a, ROW(0)), low), d2 = v_mul(d, d);
    vec q = v_fma(ROW(8), d, ROW(7));
    q = v_fma(q, d2, v_fma(ROW(6), d, ROW(5)));
    q = v_fma(q, d2, v_fma(ROW(4), d, ROW(3)));
    q = v_fma(q, d, ROW(2));
    const struct even e = {ROW(1), v_mul(d, q)};
#undef ROW
    return e;
}

/* (w + low) (value + rest) >= 0 as one float. */
ACT_OP vec v_even_times(vec w, vec low, struct even e)
{
    const vec y = v_fma_tight(w, e.value, v_fma(w, e.rest, v_mul(low, e.value)));
#if V_HAS_FMA
    return y;
#else
    return v_abs(y); /* where w is subnormal, Dekker's low may be more than w */
#endif
}
#endif
#endif
