/* SSE4.2. kernels/kernel.h says what each operation means. */
#include <nmmintrin.h>

#include "kernels/isa/x86_half.h"
#include "kernels/isa/x86_tail.h"

#define V_HAS_FMA 0

#if !ACT_UNIT_F64
enum { VL = 4 };
typedef __m128 vec;
typedef __m128i vint;
typedef __m128 vmask;

#define V_(op) _mm_##op##_ps

ACT_OP vint v_bits(vec a) { return _mm_castps_si128(a); }
ACT_OP vec v_from_bits(vint a) { return _mm_castsi128_ps(a); }
ACT_OP vint i_set(int32_t a) { return _mm_set1_epi32(a); }
ACT_OP vint i_add(vint a, vint b) { return _mm_add_epi32(a, b); }
ACT_OP vint i_sub(vint a, vint b) { return _mm_sub_epi32(a, b); }
ACT_OP vint i_max(vint a, vint b) { return _mm_max_epi32(a, b); }
#define i_shl(a, count) _mm_slli_epi32(a, count)
#define i_sar(a, count) _mm_srai_epi32(a, count)

#if ACT_UNIT_HALF
#define H_HAS_F16 0
#define H_HAS_GATHER 0
ACT_OP vint h_load(const void *p) { return _mm_cvtepu16_epi32(_mm_loadl_epi64(p)); }
ACT_OP void h_store(unsigned char *p, vint a, vint b)
{
    _mm_storeu_si128((__m128i *)p, _mm_packus_epi32(a, b));
}
ACT_OP vint h_shr16(vint a) { return _mm_srli_epi32(a, 16); }
ACT_OP vmask h_clear(vint a, vint bits)
{
    return _mm_castsi128_ps(_mm_cmpeq_epi32(_mm_and_si128(a, bits), _mm_setzero_si128()));
}
ACT_OP uint32_t h_lanes(vmask m) { return (uint32_t)_mm_movemask_ps(m); }
#endif
/* The bytes of each lane in a table of 32. pshufb reads four bits, and gives 0 where bit 7 is set:
 * from 16 on in low, below 16 in high. */
typedef struct {
    vint low, high;
} vindex8;
ACT_OP vindex8 v_index8(vint a)
{
    const vint first = _mm_slli_epi32(_mm_and_si128(a, i_set(7)), 2);
    const vint lane = _mm_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);
    const vint bytes = _mm_add_epi8(_mm_shuffle_epi8(first, lane), i_set(0x03020100));
    return (vindex8){_mm_add_epi8(bytes, i_set(0x70707070)),
                     _mm_sub_epi8(bytes, i_set(0x10101010))};
}
ACT_OP vec v_lookup8(const float *table, vindex8 i)
{
    const vint low = _mm_shuffle_epi8(v_bits(_mm_loadu_ps(table)), i.low);
    const vint high = _mm_shuffle_epi8(v_bits(_mm_loadu_ps(table + 4)), i.high);
    return v_from_bits(_mm_or_si128(low, high));
}

/* Through double, where the product is exact: 14 instructions for a rounding less. */
ACT_OP vec v_fma_tight(vec a, vec b, vec c)
{
    const __m128d low = _mm_add_pd(_mm_mul_pd(_mm_cvtps_pd(a), _mm_cvtps_pd(b)), _mm_cvtps_pd(c));
    a = _mm_movehl_ps(a, a);
    b = _mm_movehl_ps(b, b);
    c = _mm_movehl_ps(c, c);
    const __m128d high = _mm_add_pd(_mm_mul_pd(_mm_cvtps_pd(a), _mm_cvtps_pd(b)), _mm_cvtps_pd(c));
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}
#else
#include <sleef.h>

enum { VL = 2 };
typedef __m128d vec;
typedef __m128d vmask;

#define V_(op) _mm_##op##_pd

/* SLEEF dropped its sse4 names after 3.9: CMake probes for them. */
#if ACT_SLEEF_SSE4
#define V_SLEEF(name) name##sse4
#else
#define V_SLEEF(name) name##sse2
#endif
ACT_OP vec v_shl52(vec a) { return _mm_castsi128_pd(_mm_slli_epi64(_mm_castpd_si128(a), 52)); }
ACT_OP vec v_exp(vec a) { return V_SLEEF(Sleef_expd2_u10)(a); }
ACT_OP vec v_log1p(vec a) { return V_SLEEF(Sleef_log1pd2_u10)(a); }
#endif

ACT_OP vec v_load(const elem *p) { return V_(loadu)(p); }
ACT_OP void v_store(elem *p, vec a) { V_(storeu)(p, a); }
#define V_STREAM 1
ACT_OP void v_stream(elem *p, vec a) { V_(stream)(p, a); }
ACT_OP void v_stream_end(void) { _mm_sfence(); }
ACT_OP vec v_load_n(const elem *p, size_t n) { return xmm_load_n(p, n); }
ACT_OP void v_store_n(elem *p, vec a, size_t n) { xmm_store_n(p, a, n); }
ACT_OP vec v_set(elem a) { return V_(set1)(a); }

ACT_OP vec v_add(vec a, vec b) { return V_(add)(a, b); }
ACT_OP vec v_sub(vec a, vec b) { return V_(sub)(a, b); }
ACT_OP vec v_mul(vec a, vec b) { return V_(mul)(a, b); }
ACT_OP vec v_div(vec a, vec b) { return V_(div)(a, b); }
ACT_OP vec v_sqrt(vec a) { return V_(sqrt)(a); }
ACT_OP vec v_fma(vec a, vec b, vec c) { return v_add(v_mul(a, b), c); }
ACT_OP vec v_fms(vec a, vec b, vec c) { return v_sub(v_mul(a, b), c); }
ACT_OP vec v_fnma(vec a, vec b, vec c) { return v_sub(c, v_mul(a, b)); }
ACT_OP vec v_min(vec a, vec b) { return V_(min)(a, b); }
ACT_OP vec v_max(vec a, vec b) { return V_(max)(a, b); }

ACT_OP vec v_and(vec a, vec b) { return V_(and)(a, b); }
ACT_OP vec v_andnot(vec a, vec b) { return V_(andnot)(a, b); }
ACT_OP vec v_or(vec a, vec b) { return V_(or)(a, b); }
ACT_OP vec v_xor(vec a, vec b) { return V_(xor)(a, b); }

ACT_OP vmask v_lt(vec a, vec b) { return V_(cmplt)(a, b); }
ACT_OP vmask v_le(vec a, vec b) { return V_(cmple)(a, b); }
ACT_OP vmask v_eq(vec a, vec b) { return V_(cmpeq)(a, b); }
ACT_OP vmask v_both(vmask a, vmask b) { return V_(and)(a, b); }
ACT_OP vec v_select(vmask m, vec a, vec b) { return V_(blendv)(b, a, m); }
ACT_OP vec v_keep(vmask m, vec a) { return V_(and)(m, a); }
ACT_OP vec v_drop(vmask m, vec a) { return V_(andnot)(m, a); }

/* ---- for sums along an axis ------------------------------------------------------------------ */
#if !ACT_UNIT_F64
ACT_OP vec v_load_float(const float *p) { return v_load(p); }
ACT_OP vmask v_load_keep(const uint8_t *p)
{
    const __m128i bytes = _mm_cvtepu8_epi32(_mm_loadu_si32(p));
    return _mm_castsi128_ps(_mm_cmpgt_epi32(bytes, _mm_setzero_si128()));
}
ACT_OP elem v_max_of(vec a)
{
    const __m128 m = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
}

typedef struct {
    __m128d a, b;
} vwide;

ACT_OP vwide w_set(double x) { return (vwide){_mm_set1_pd(x), _mm_set1_pd(x)}; }
ACT_OP vwide w_load(const double *p) { return (vwide){_mm_loadu_pd(p), _mm_loadu_pd(p + 2)}; }
ACT_OP void w_store(double *p, vwide x) { _mm_storeu_pd(p, x.a), _mm_storeu_pd(p + 2, x.b); }
ACT_OP vwide w_from(vec x) { return (vwide){_mm_cvtps_pd(x), _mm_cvtps_pd(_mm_movehl_ps(x, x))}; }
ACT_OP vec w_to(vwide x) { return _mm_movelh_ps(_mm_cvtpd_ps(x.a), _mm_cvtpd_ps(x.b)); }
#define W_OP(name, op)                                                                             \
    ACT_OP vwide name(vwide x, vwide y)                                                            \
    {                                                                                              \
        return (vwide){_mm_##op##_pd(x.a, y.a), _mm_##op##_pd(x.b, y.b)};                          \
    }
W_OP(w_add, add)
W_OP(w_sub, sub)
W_OP(w_mul, mul)
W_OP(w_div, div)
ACT_OP vwide w_fma(vwide x, vwide y, vwide z) { return w_add(w_mul(x, y), z); }

enum { QL = 2 };
typedef __m128i vquad;
ACT_OP vquad q_set(uint64_t a) { return _mm_set1_epi64x((long long)a); }
ACT_OP vquad q_lanes(void) { return _mm_set_epi64x(1, 0); }
ACT_OP vquad q_add(vquad a, vquad b) { return _mm_add_epi64(a, b); }
ACT_OP vquad q_xor(vquad a, vquad b) { return _mm_xor_si128(a, b); }
ACT_OP vquad q_mul32(vquad a, vquad b) { return _mm_mul_epu32(a, b); }
ACT_OP vquad q_high(vquad a) { return _mm_srli_epi64(a, 32); }
ACT_OP void q_store_low(uint32_t *p, vquad a)
{
    _mm_storel_epi64((__m128i *)p, _mm_shuffle_epi32(a, 0x88));
}
#else
ACT_OP vec v_load_float(const float *p)
{
    return _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)p)));
}
ACT_OP vmask v_load_keep(const uint8_t *p)
{
    const __m128i bytes = _mm_set_epi64x(p[1], p[0]);
    return _mm_castsi128_pd(_mm_cmpgt_epi64(bytes, _mm_setzero_si128()));
}
ACT_OP elem v_max_of(vec a) { return _mm_cvtsd_f64(_mm_max_sd(a, _mm_unpackhi_pd(a, a))); }
#endif
