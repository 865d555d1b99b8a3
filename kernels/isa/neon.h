/* NEON (AArch64). kernels/kernel.h says what each operation means. */
#include <arm_neon.h>

#define V_HAS_FMA   1
#define V_REGISTERS 32

#if !ACT_UNIT_F64
enum { VL = 4 };
typedef float32x4_t vec;
typedef int32x4_t vint;
typedef uint32x4_t vmask;
typedef uint32x4_t vraw;

#define V_(op)     op##q_f32
#define V_RAW(op)  op##q_u32
#define V_TO_RAW   vreinterpretq_u32_f32
#define V_FROM_RAW vreinterpretq_f32_u32

ACT_OP vint v_bits(vec a) { return vreinterpretq_s32_f32(a); }
ACT_OP vec v_from_bits(vint a) { return vreinterpretq_f32_s32(a); }
ACT_OP vint i_set(int32_t a) { return vdupq_n_s32(a); }
ACT_OP vint i_add(vint a, vint b) { return vaddq_s32(a, b); }
ACT_OP vint i_sub(vint a, vint b) { return vsubq_s32(a, b); }
ACT_OP vint i_max(vint a, vint b) { return vmaxq_s32(a, b); }
#define i_shl(a, count) vshlq_n_s32(a, count)
#define i_sar(a, count) vshrq_n_s32(a, count)

#if ACT_UNIT_HALF
#define H_HAS_F16    1
#define H_HAS_GATHER 0
#define H_HAS_PICK   0
ACT_OP vint h_load(const void *p)
{
    return vreinterpretq_s32_u32(vmovl_u16(vreinterpret_u16_u8(vld1_u8(p))));
}
ACT_OP void h_store(unsigned char *p, vint a, vint b)
{
    const uint16x8_t low = vuzp1q_u16(vreinterpretq_u16_s32(a), vreinterpretq_u16_s32(b));
    vst1q_u8(p, vreinterpretq_u8_u16(low));
}
ACT_OP vint h_shr16(vint a)
{
    return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), 16));
}
ACT_OP vmask h_clear(vint a, vint bits) { return vceqzq_s32(vandq_s32(a, bits)); }
ACT_OP uint32_t h_lanes(vmask m)
{
    static const uint32_t bit[4] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(m, vld1q_u32(bit)));
}
ACT_OP vec h_load_f16(const void *p) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p))); }
ACT_OP void h_store_f16(unsigned char *p, vec a, vec b)
{
    vst1q_u8(p, vreinterpretq_u8_f16(vcvt_high_f16_f32(vcvt_f16_f32(a), b)));
}
#endif
typedef uint8x16_t vindex8; /* the bytes of each lane in a table of 32 */
ACT_OP vindex8 v_index8(vint a)
{
    const uint32x4_t i = vandq_u32(vreinterpretq_u32_s32(a), vdupq_n_u32(7));
    return vreinterpretq_u8_u32(vmlaq_n_u32(vdupq_n_u32(0x03020100), i, 0x04040404));
}
ACT_OP vec v_lookup8(const float *table, vindex8 i)
{
    const uint8x16x2_t bytes = {
        {vreinterpretq_u8_f32(vld1q_f32(table)), vreinterpretq_u8_f32(vld1q_f32(table + 4))}};
    return vreinterpretq_f32_u8(vqtbl2q_u8(bytes, i));
}

ACT_OP vec v_load_n(const elem *p, size_t n)
{
    float32x2_t low = vdup_n_f32(0), last = vdup_n_f32(0);
    if (n & 2)
        low = vld1_f32(p);
    if (n & 1)
        last = vld1_lane_f32(p + (n & 2), last, 0);
    return n & 2 ? vcombine_f32(low, last) : vcombine_f32(last, low);
}
ACT_OP void v_store_n(elem *p, vec a, size_t n)
{
    float32x2_t part = vget_low_f32(a);
    if (n & 2) {
        vst1_f32(p, part);
        part = vget_high_f32(a);
    }
    if (n & 1)
        vst1_lane_f32(p + (n & 2), part, 0);
}
#else
#include <sleef.h>

enum { VL = 2 };
typedef float64x2_t vec;
typedef uint64x2_t vmask;
typedef uint64x2_t vraw;

#define V_(op)     op##q_f64
#define V_RAW(op)  op##q_u64
#define V_TO_RAW   vreinterpretq_u64_f64
#define V_FROM_RAW vreinterpretq_f64_u64

ACT_OP vec v_load_n(const elem *p, size_t n)
{
    return n ? vld1q_lane_f64(p, vdupq_n_f64(0), 0) : vdupq_n_f64(0);
}
ACT_OP void v_store_n(elem *p, vec a, size_t n)
{
    if (n)
        vst1q_lane_f64(p, a, 0);
}

ACT_OP vec v_shl52(vec a) { return V_FROM_RAW(vshlq_n_u64(V_TO_RAW(a), 52)); }
ACT_OP vec v_exp(vec a) { return Sleef_expd2_u10advsimd(a); }
ACT_OP vec v_log1p(vec a) { return Sleef_log1pd2_u10advsimd(a); }
#endif

ACT_OP vec v_load(const elem *p) { return V_(vld1)(p); }
ACT_OP void v_store(elem *p, vec a) { V_(vst1)(p, a); }
#if !ACT_UNIT_F64
ACT_OP vec v_set(elem a) { return vdupq_n_f32(a); }
#else
ACT_OP vec v_set(elem a) { return vdupq_n_f64(a); }
#endif

ACT_OP vec v_add(vec a, vec b) { return V_(vadd)(a, b); }
ACT_OP vec v_sub(vec a, vec b) { return V_(vsub)(a, b); }
ACT_OP vec v_mul(vec a, vec b) { return V_(vmul)(a, b); }
ACT_OP vec v_div(vec a, vec b) { return V_(vdiv)(a, b); }
ACT_OP vec v_sqrt(vec a) { return V_(vsqrt)(a); }
ACT_OP vec v_fma(vec a, vec b, vec c) { return V_(vfma)(c, a, b); }
ACT_OP vec v_fms(vec a, vec b, vec c) { return V_(vfma)(V_(vneg)(c), a, b); }
ACT_OP vec v_fnma(vec a, vec b, vec c) { return V_(vfms)(c, a, b); }

ACT_OP vec v_and(vec a, vec b) { return V_FROM_RAW(V_RAW(vand)(V_TO_RAW(a), V_TO_RAW(b))); }
ACT_OP vec v_andnot(vec a, vec b) { return V_FROM_RAW(V_RAW(vbic)(V_TO_RAW(b), V_TO_RAW(a))); }
ACT_OP vec v_or(vec a, vec b) { return V_FROM_RAW(V_RAW(vorr)(V_TO_RAW(a), V_TO_RAW(b))); }
ACT_OP vec v_xor(vec a, vec b) { return V_FROM_RAW(V_RAW(veor)(V_TO_RAW(a), V_TO_RAW(b))); }

ACT_OP vmask v_lt(vec a, vec b) { return V_(vclt)(a, b); }
ACT_OP vmask v_le(vec a, vec b) { return V_(vcle)(a, b); }
ACT_OP vmask v_eq(vec a, vec b) { return V_(vceq)(a, b); }
ACT_OP vmask v_both(vmask a, vmask b) { return V_RAW(vand)(a, b); }
ACT_OP vec v_select(vmask m, vec a, vec b) { return V_(vbsl)(m, a, b); }
ACT_OP vec v_keep(vmask m, vec a) { return V_FROM_RAW(V_RAW(vand)(m, V_TO_RAW(a))); }
ACT_OP vec v_drop(vmask m, vec a) { return V_FROM_RAW(V_RAW(vbic)(V_TO_RAW(a), m)); }

/* Not FMIN/FMAX: those order -0 below +0 and return NaN for either operand; x86 returns b. */
ACT_OP vec v_min(vec a, vec b) { return v_select(v_lt(a, b), a, b); }
ACT_OP vec v_max(vec a, vec b) { return v_select(v_lt(b, a), a, b); }

/* ---- for sums along an axis ------------------------------------------------------------------ */
#if !ACT_UNIT_F64
ACT_OP vec v_load_float(const float *p) { return v_load(p); }
ACT_OP vmask v_load_keep(const uint8_t *p)
{
    uint32_t bytes;
    memcpy(&bytes, p, sizeof bytes);
    const uint16x8_t wide = vmovl_u8(vcreate_u8(bytes));
    const uint32x4_t lanes = vmovl_u16(vget_low_u16(wide));
    return vtstq_u32(lanes, lanes);
}
ACT_OP elem v_max_of(vec a)
{
    const float32x2_t m = vmax_f32(vget_low_f32(a), vget_high_f32(a));
    return vget_lane_f32(vpmax_f32(m, m), 0);
}

typedef struct {
    float64x2_t a, b;
} vwide;

ACT_OP vwide w_set(double x) { return (vwide){vdupq_n_f64(x), vdupq_n_f64(x)}; }
ACT_OP vwide w_load(const double *p) { return (vwide){vld1q_f64(p), vld1q_f64(p + 2)}; }
ACT_OP void w_store(double *p, vwide x) { vst1q_f64(p, x.a), vst1q_f64(p + 2, x.b); }
ACT_OP vwide w_from(vec x) { return (vwide){vcvt_f64_f32(vget_low_f32(x)), vcvt_high_f64_f32(x)}; }
ACT_OP vec w_to(vwide x) { return vcvt_high_f32_f64(vcvt_f32_f64(x.a), x.b); }
#define W_OP(name, op)                                                                             \
    ACT_OP vwide name(vwide x, vwide y) { return (vwide){op(x.a, y.a), op(x.b, y.b)}; }
W_OP(w_add, vaddq_f64)
W_OP(w_sub, vsubq_f64)
W_OP(w_mul, vmulq_f64)
W_OP(w_div, vdivq_f64)
ACT_OP vwide w_fma(vwide x, vwide y, vwide z)
{
    return (vwide){vfmaq_f64(z.a, x.a, y.a), vfmaq_f64(z.b, x.b, y.b)};
}

enum { QL = 2 };
typedef uint64x2_t vquad;
ACT_OP vquad q_set(uint64_t a) { return vdupq_n_u64(a); }
ACT_OP vquad q_lanes(void) { return vcombine_u64(vcreate_u64(0), vcreate_u64(1)); }
ACT_OP vquad q_add(vquad a, vquad b) { return vaddq_u64(a, b); }
ACT_OP vquad q_xor(vquad a, vquad b) { return veorq_u64(a, b); }
ACT_OP vquad q_mul32(vquad a, vquad b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
ACT_OP vquad q_high(vquad a) { return vshrq_n_u64(a, 32); }
ACT_OP void q_store_low(uint32_t *p, vquad a) { vst1_u32(p, vmovn_u64(a)); }
#else
ACT_OP vec v_load_float(const float *p) { return vcvt_f64_f32(vld1_f32(p)); }
ACT_OP vmask v_load_keep(const uint8_t *p)
{
    const uint64x2_t lanes = {p[0], p[1]};
    return vtstq_u64(lanes, lanes);
}
ACT_OP elem v_max_of(vec a) { return vmaxvq_f64(a); }
#endif
