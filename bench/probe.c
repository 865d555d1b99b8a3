/* The FMA rate and a copy loop of one ISA and element type, compiled like its kernels. */
#include "kernels/kernel.h"

#include "bench/bench.h"

#define CAT(a, b, c)  CAT_(a, b, c)
#define CAT_(a, b, c) a##b##c

/* The values stay near b / (1 - a): neither subnormal nor infinite at any length. */
static void fma_chains(size_t turns)
{
    static volatile double factor = 0.875, addend = 0.125;
    static volatile elem sink;
    const vec a = v_set((elem)factor), b = v_set((elem)addend);
    vec c[PROBE_FMAS];
    for (int i = 0; i < PROBE_FMAS; i++)
        c[i] = v_set((elem)i);
    for (; turns > 0; turns--) {
        /* Written out: a loop over an array is kept in memory at -O2. */
        c[0] = v_fma(c[0], a, b), c[1] = v_fma(c[1], a, b), c[2] = v_fma(c[2], a, b);
        c[3] = v_fma(c[3], a, b), c[4] = v_fma(c[4], a, b), c[5] = v_fma(c[5], a, b);
        c[6] = v_fma(c[6], a, b), c[7] = v_fma(c[7], a, b), c[8] = v_fma(c[8], a, b);
        c[9] = v_fma(c[9], a, b), c[10] = v_fma(c[10], a, b), c[11] = v_fma(c[11], a, b);
    }
    elem lane[VL];
    for (int i = 1; i < PROBE_FMAS; i++)
        c[0] = v_add(c[0], c[i]);
    v_store(lane, c[0]);
    sink = lane[0];
    (void)sink;
}

static void copy(void *to, const void *from, size_t n)
{
    elem *out = to;
    const elem *in = from;
    for (; n >= 2 * VL; n -= 2 * VL, in += 2 * VL, out += 2 * VL) {
        const vec a = v_load(in), b = v_load(in + VL);
        v_store(out, a);
        v_store(out + VL, b);
        __asm__ volatile("" ::: "memory"); /* not to become a call of memcpy */
    }
    memcpy(out, in, n * sizeof *out);
}

#define PROBE CAT(probe_, ACT_ISA_NAME, CAT(_, ACT_DTYPE_NAME, ))
extern const struct probe PROBE;
const struct probe PROBE = {VL, V_HAS_FMA, fma_chains, copy};
