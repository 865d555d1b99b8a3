/* AVX-512 F, BW, DQ, VL. kernels/kernel.h says what each operation means. */
#include <immintrin.h>

#include "kernels/isa/x86_half.h"

#define V_HAS_FMA   1
#define V_REGISTERS 32
#define V_UNROLL    (ACT_UNIT_F64 ? 3 : 2)

#if !ACT_UNIT_F64
enum { VL = 16 };
typedef __m512 vec;
typedef __m512i vint;
typedef __mmask16 vmask;

#define V_TAIL(n) ((__mmask16)((1u << (n)) - 1))
#define V_(op)    _mm512_##op##_ps
#define V_CMP     _mm512_cmp_ps_mask

ACT_OP vint v_bits(vec a) { return _mm512_castps_si512(a); }
ACT_OP vec v_from_bits(vint a) { return _mm512_castsi512_ps(a); }
ACT_OP vint i_set(int32_t a) { return _mm512_set1_epi32(a); }
ACT_OP vint i_add(vint a, vint b) { return _mm512_add_epi32(a, b); }
ACT_OP vint i_sub(vint a, vint b) { return _mm512_sub_epi32(a, b); }
ACT_OP vint i_max(vint a, vint b) { return _mm512_max_epi32(a, b); }
#define i_shl(a, count) _mm512_slli_epi32(a, count)
#define i_sar(a, count) _mm512_srai_epi32(a, count)

#if ACT_UNIT_HALF
#define H_HAS_F16 1
ACT_OP vint h_load(const void *p) { return _mm512_cvtepu16_epi32(_mm256_loadu_si256(p)); }
ACT_OP void h_store(unsigned char *p, vint a, vint b)
{
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi64(order, _mm512_packus_epi32(a, b)));
}
#define H_HAS_GATHER 1
ACT_OP vint h_gather(const uint16_t *table, vint i) /* and the element after it, then cut off */
{
    return _mm512_and_si512(_mm512_i32gather_epi32(i, table, 2), i_set(0xffff));
}
ACT_OP vint h_shr16(vint a) { return _mm512_srli_epi32(a, 16); }
ACT_OP vmask h_clear(vint a, vint bits) { return _mm512_testn_epi32_mask(a, bits); }
ACT_OP uint32_t h_lanes(vmask m) { return m; }
ACT_OP vec h_load_f16(const void *p) { return _mm512_cvtph_ps(_mm256_loadu_si256(p)); }
ACT_OP void h_store_f16(unsigned char *p, vec a, vec b)
{
    enum { NEAREST = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(a, NEAREST));
    _mm256_storeu_si256((__m256i *)(p + 32), _mm512_cvtps_ph(b, NEAREST));
}
#endif
typedef vint vindex8;
ACT_OP vindex8 v_index8(vint a) { return a; } /* vpermps reads four bits, of a table held twice */
ACT_OP vec v_lookup8(const float *table, vindex8 i)
{
    return _mm512_permutexvar_ps(i, _mm512_broadcast_f32x8(_mm256_loadu_ps(table)));
}
#else
#include <sleef.h>

enum { VL = 8 };
typedef __m512d vec;
typedef __mmask8 vmask;

#define V_TAIL(n) ((__mmask8)((1u << (n)) - 1))
#define V_(op)    _mm512_##op##_pd
#define V_CMP     _mm512_cmp_pd_mask

ACT_OP vec v_shl52(vec a)
{
    return _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(a), 52));
}
ACT_OP vec v_exp(vec a) { return Sleef_expd8_u10avx512f(a); }
ACT_OP vec v_log1p(vec a) { return Sleef_log1pd8_u10avx512f(a); }
#endif

ACT_OP vec v_load(const elem *p) { return V_(loadu)(p); }
ACT_OP void v_store(elem *p, vec a) { V_(storeu)(p, a); }
#define V_STREAM 1
ACT_OP void v_stream(elem *p, vec a) { V_(stream)(p, a); }
ACT_OP void v_stream_end(void) { _mm_sfence(); }
ACT_OP vec v_load_n(const elem *p, size_t n) { return V_(maskz_loadu)(V_TAIL(n), p); }
ACT_OP void v_store_n(elem *p, vec a, size_t n) { V_(mask_storeu)(p, V_TAIL(n), a); }
ACT_OP vec v_set(elem a) { return V_(set1)(a); }

ACT_OP vec v_add(vec a, vec b) { return V_(add)(a, b); }
ACT_OP vec v_sub(vec a, vec b) { return V_(sub)(a, b); }
ACT_OP vec v_mul(vec a, vec b) { return V_(mul)(a, b); }
ACT_OP vec v_div(vec a, vec b) { return V_(div)(a, b); }
ACT_OP vec v_sqrt(vec a) { return V_(sqrt)(a); }
ACT_OP vec v_fma(vec a, vec b, vec c) { return V_(fmadd)(a, b, c); }
ACT_OP vec v_fms(vec a, vec b, vec c) { return V_(fmsub)(a, b, c); }
ACT_OP vec v_fnma(vec a, vec b, vec c) { return V_(fnmadd)(a, b, c); }
ACT_OP vec v_min(vec a, vec b) { return V_(min)(a, b); }
ACT_OP vec v_max(vec a, vec b) { return V_(max)(a, b); }

ACT_OP vec v_and(vec a, vec b) { return V_(and)(a, b); }
ACT_OP vec v_andnot(vec a, vec b) { return V_(andnot)(a, b); }
ACT_OP vec v_or(vec a, vec b) { return V_(or)(a, b); }
ACT_OP vec v_xor(vec a, vec b) { return V_(xor)(a, b); }

ACT_OP vmask v_lt(vec a, vec b) { return V_CMP(a, b, _CMP_LT_OQ); }
ACT_OP vmask v_le(vec a, vec b) { return V_CMP(a, b, _CMP_LE_OQ); }
ACT_OP vmask v_eq(vec a, vec b) { return V_CMP(a, b, _CMP_EQ_OQ); }
ACT_OP vmask v_both(vmask a, vmask b) { return (vmask)(a & b); }
ACT_OP vec v_select(vmask m, vec a, vec b) { return V_(mask_blend)(m, b, a); }
ACT_OP vec v_keep(vmask m, vec a) { return V_(maskz_mov)(m, a); }
ACT_OP vec v_drop(vmask m, vec a) { return V_(maskz_mov)((__typeof__(m))~m, a); }

/* ---- for sums along an axis ------------------------------------------------------------------ */
#if !ACT_UNIT_F64
ACT_OP vec v_load_float(const float *p) { return v_load(p); }
ACT_OP vmask v_load_keep(const uint8_t *p)
{
    const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm512_test_epi32_mask(bytes, bytes);
}

typedef struct {
    __m512d a, b;
} vwide;

ACT_OP vwide w_set(double x) { return (vwide){_mm512_set1_pd(x), _mm512_set1_pd(x)}; }
ACT_OP vwide w_load(const double *p) { return (vwide){_mm512_loadu_pd(p), _mm512_loadu_pd(p + 8)}; }
ACT_OP void w_store(double *p, vwide x) { _mm512_storeu_pd(p, x.a), _mm512_storeu_pd(p + 8, x.b); }
ACT_OP vwide w_from(vec x)
{
    return (vwide){_mm512_cvtps_pd(_mm512_castps512_ps256(x)),
                   _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))};
}
ACT_OP vec w_to(vwide x)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(x.a)), _mm512_cvtpd_ps(x.b),
                              1);
}
#define W_OP(name, op)                                                                             \
    ACT_OP vwide name(vwide x, vwide y)                                                            \
    {                                                                                              \
        return (vwide){_mm512_##op##_pd(x.a, y.a), _mm512_##op##_pd(x.b, y.b)};                    \
    }
ACT_OP vwide w_fma(vwide x, vwide y, vwide z)
{
    return (vwide){_mm512_fmadd_pd(x.a, y.a, z.a), _mm512_fmadd_pd(x.b, y.b, z.b)};
}
W_OP(w_add, add)
W_OP(w_sub, sub)
W_OP(w_mul, mul)
W_OP(w_div, div)

enum { QL = 8 };
typedef __m512i vquad;
ACT_OP vquad q_set(uint64_t a) { return _mm512_set1_epi64((long long)a); }
ACT_OP vquad q_lanes(void) { return _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7); }
ACT_OP vquad q_add(vquad a, vquad b) { return _mm512_add_epi64(a, b); }
ACT_OP vquad q_xor(vquad a, vquad b) { return _mm512_xor_si512(a, b); }
ACT_OP vquad q_mul32(vquad a, vquad b) { return _mm512_mul_epu32(a, b); }
ACT_OP vquad q_high(vquad a) { return _mm512_srli_epi64(a, 32); }
ACT_OP void q_store_low(uint32_t *p, vquad a)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi64_epi32(a));
}
#else
ACT_OP vec v_load_float(const float *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
ACT_OP vmask v_load_keep(const uint8_t *p)
{
    const __m512i bytes = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)p));
    return _mm512_test_epi64_mask(bytes, bytes);
}
#endif
ACT_OP elem v_max_of(vec a) { return V_(reduce_max)(a); }
