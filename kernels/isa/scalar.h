/* The scalar table: one element at a time, evaluated in double for every type and rounded once, on
 * any machine. It is the reference that checks the vector ISAs. Only kernels/half.c has floats.
 * kernels/kernel.h says what each operation means. */
#define V_HAS_FMA 0

enum { VL = 1 };
typedef int vmask;

#if ACT_UNIT_HALF
typedef float vec;
typedef int32_t vint;
typedef uint32_t vraw;

ACT_OP vint v_bits(vec a)
{
    vint bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}
ACT_OP vec v_from_bits(vint bits)
{
    vec a;
    memcpy(&a, &bits, sizeof a);
    return a;
}
ACT_OP vint i_set(int32_t a) { return a; }
ACT_OP vint i_add(vint a, vint b) { return (vint)((uint32_t)a + (uint32_t)b); }
ACT_OP vint i_sub(vint a, vint b) { return (vint)((uint32_t)a - (uint32_t)b); }
ACT_OP vint i_max(vint a, vint b) { return a > b ? a : b; }
#define i_shl(a, count) ((vint)((uint32_t)(a) << (count)))
#define i_sar(a, count) ((a) >> (count))

#define H_HAS_F16 0
#define H_HAS_GATHER 0
#define H_HAS_PICK   0
ACT_OP vint h_load(const void *p)
{
    uint16_t a;
    memcpy(&a, p, sizeof a);
    return a;
}
ACT_OP void h_store(unsigned char *p, vint a, vint b)
{
    const uint16_t low[2] = {(uint16_t)a, (uint16_t)b};
    memcpy(p, low, sizeof low);
}
ACT_OP vint h_shr16(vint a) { return (vint)((uint32_t)a >> 16); }
ACT_OP vmask h_clear(vint a, vint bits) { return (a & bits) == 0; }
ACT_OP uint32_t h_lanes(vmask m) { return (uint32_t)m; }
#else
#include <sleef.h>

typedef double vec;
typedef uint64_t vraw;

ACT_OP vec v_shl52(vec a)
{
    vraw bits;
    memcpy(&bits, &a, sizeof bits);
    bits <<= 52;
    memcpy(&a, &bits, sizeof a);
    return a;
}
ACT_OP vec v_exp(vec a) { return Sleef_expd1_u10purec(a); }
ACT_OP vec v_log1p(vec a) { return Sleef_log1pd1_u10purec(a); }
#endif

ACT_OP vec v_load(const elem *p) /* memcpy: p may have any alignment */
{
    elem a;
    memcpy(&a, p, sizeof a);
    return (vec)a;
}
ACT_OP void v_store(elem *p, vec a)
{
    const elem rounded = (elem)a;
    memcpy(p, &rounded, sizeof rounded);
}
ACT_OP vec v_load_n(const elem *p, size_t n) { return n ? v_load(p) : 0; }
ACT_OP void v_store_n(elem *p, vec a, size_t n)
{
    if (n)
        v_store(p, a);
}
ACT_OP vec v_set(vec a) { return a; }

ACT_OP vec v_add(vec a, vec b) { return a + b; }
ACT_OP vec v_sub(vec a, vec b) { return a - b; }
ACT_OP vec v_mul(vec a, vec b) { return a * b; }
ACT_OP vec v_div(vec a, vec b) { return a / b; }
ACT_OP vec v_sqrt(vec a) { return (vec)sqrt((double)a); }
ACT_OP vec v_fma(vec a, vec b, vec c) { return a * b + c; }
ACT_OP vec v_fms(vec a, vec b, vec c) { return a * b - c; }
ACT_OP vec v_fnma(vec a, vec b, vec c) { return c - a * b; }
ACT_OP vec v_min(vec a, vec b) { return a < b ? a : b; }
ACT_OP vec v_max(vec a, vec b) { return a > b ? a : b; }

ACT_OP vraw v_raw(vec a)
{
    vraw bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}
ACT_OP vec v_from_raw(vraw bits)
{
    vec a;
    memcpy(&a, &bits, sizeof a);
    return a;
}
ACT_OP vec v_and(vec a, vec b) { return v_from_raw(v_raw(a) & v_raw(b)); }
ACT_OP vec v_andnot(vec a, vec b) { return v_from_raw(~v_raw(a) & v_raw(b)); }
ACT_OP vec v_or(vec a, vec b) { return v_from_raw(v_raw(a) | v_raw(b)); }
ACT_OP vec v_xor(vec a, vec b) { return v_from_raw(v_raw(a) ^ v_raw(b)); }

ACT_OP vmask v_lt(vec a, vec b) { return a < b; }
ACT_OP vmask v_le(vec a, vec b) { return a <= b; }
ACT_OP vmask v_eq(vec a, vec b) { return a == b; }
ACT_OP vmask v_both(vmask a, vmask b) { return a & b; }
ACT_OP vec v_select(vmask m, vec a, vec b) { return m ? a : b; }
ACT_OP vec v_keep(vmask m, vec a) { return m ? a : 0; }
ACT_OP vec v_drop(vmask m, vec a) { return m ? 0 : a; }

/* ---- for sums along an axis ------------------------------------------------------------------ */
ACT_OP vec v_load_float(const float *p)
{
    float a;
    memcpy(&a, p, sizeof a);
    return (double)a;
}
ACT_OP vmask v_load_keep(const uint8_t *p) { return *p != 0; }
ACT_OP elem v_max_of(vec a) { return (elem)a; }

enum { QL = 1 };
typedef uint64_t vquad;
ACT_OP vquad q_set(uint64_t a) { return a; }
ACT_OP vquad q_lanes(void) { return 0; }
ACT_OP vquad q_add(vquad a, vquad b) { return a + b; }
ACT_OP vquad q_xor(vquad a, vquad b) { return a ^ b; }
ACT_OP vquad q_mul32(vquad a, vquad b) { return (a & 0xffffffff) * (b & 0xffffffff); }
ACT_OP vquad q_high(vquad a) { return a >> 32; }
ACT_OP void q_store_low(uint32_t *p, vquad a) { *p = (uint32_t)a; }
