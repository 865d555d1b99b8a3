/* The scalar table: one element at a time, evaluated in double for every type and rounded once, on
 * any machine. It is the reference that checks the vector ISAs. kernels/kernel.h says what each
 * operation means. */
#include <sleef.h>

#define V_HAS_FMA 0

enum { VL = 1 };
typedef double vec;
typedef int vmask;

ACT_OP vec v_exp(vec a) { return Sleef_expd1_u10purec(a); }
ACT_OP vec v_expm1(vec a) { return Sleef_expm1d1_u10purec(a); }
ACT_OP vec v_log1p(vec a) { return Sleef_log1pd1_u10purec(a); }
ACT_OP vec v_tanh(vec a) { return Sleef_tanhd1_u10purec(a); }
ACT_OP vec v_erfc(vec a) { return Sleef_erfcd1_u15purec(a); }

ACT_OP vec v_load(const elem *p) /* memcpy: p may have any alignment */
{
    elem a;
    memcpy(&a, p, sizeof a);
    return (double)a;
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
ACT_OP vec v_set(double a) { return a; }

ACT_OP vec v_add(vec a, vec b) { return a + b; }
ACT_OP vec v_sub(vec a, vec b) { return a - b; }
ACT_OP vec v_mul(vec a, vec b) { return a * b; }
ACT_OP vec v_div(vec a, vec b) { return a / b; }
ACT_OP vec v_sqrt(vec a) { return sqrt(a); }
ACT_OP vec v_fma(vec a, vec b, vec c) { return a * b + c; }
ACT_OP vec v_fms(vec a, vec b, vec c) { return a * b - c; }
ACT_OP vec v_fnma(vec a, vec b, vec c) { return c - a * b; }
ACT_OP vec v_min(vec a, vec b) { return a < b ? a : b; }
ACT_OP vec v_max(vec a, vec b) { return a > b ? a : b; }

ACT_OP uint64_t v_raw(vec a)
{
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}
ACT_OP vec v_from_raw(uint64_t bits)
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
