/* AVX2 + FMA. kernels/kernel.h says what each operation means. */
#include <immintrin.h>

#include "kernels/isa/x86_half.h"
#include "kernels/isa/x86_tail.h"

#define V_HAS_FMA 1

#if !ACT_UNIT_F64
enum { VL = 8 };
typedef __m256 vec;
typedef __m256i vint;
typedef __m256 vmask;

#define V_(op) _mm256_##op##_ps
#define V_CMP  _mm256_cmp_ps

ACT_OP vint v_bits(vec a) { return _mm256_castps_si256(a); }
ACT_OP vec v_from_bits(vint a) { return _mm256_castsi256_ps(a); }
ACT_OP vint i_set(int32_t a) { return _mm256_set1_epi32(a); }
ACT_OP vint i_add(vint a, vint b) { return _mm256_add_epi32(a, b); }
ACT_OP vint i_sub(vint a, vint b) { return _mm256_sub_epi32(a, b); }
ACT_OP vint i_max(vint a, vint b) { return _mm256_max_epi32(a, b); }
#define i_shl(a, count) _mm256_slli_epi32(a, count)
#define i_sar(a, count) _mm256_srai_epi32(a, count)

#if ACT_UNIT_HALF
#define H_HAS_F16 1
ACT_OP vint h_load(const void *p) { return _mm256_cvtepu16_epi32(_mm_loadu_si128(p)); }
ACT_OP void h_store(unsigned char *p, vint a, vint b)
{
    _mm256_storeu_si256((__m256i *)p, _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xd8));
}
#define H_HAS_GATHER 1
ACT_OP vint h_gather(const uint16_t *table, vint i) /* and the element after it, then cut off */
{
    return _mm256_and_si256(_mm256_i32gather_epi32((const int *)table, i, 2), i_set(0xffff));
}
ACT_OP vint h_shr16(vint a) { return _mm256_srli_epi32(a, 16); }
ACT_OP vmask h_clear(vint a, vint bits)
{
    const vint zero = _mm256_setzero_si256();
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(a, bits), zero));
}
ACT_OP uint32_t h_lanes(vmask m) { return (uint32_t)_mm256_movemask_ps(m); }
ACT_OP vec h_load_f16(const void *p) { return _mm256_cvtph_ps(_mm_loadu_si128(p)); }
ACT_OP void h_store_f16(unsigned char *p, vec a, vec b)
{
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128((__m128i *)(p + 16), _mm256_cvtps_ph(b, _MM_FROUND_TO_NEAREST_INT));
}
#endif
typedef vint vindex8;
ACT_OP vindex8 v_index8(vint a) { return a; } /* vpermps reads three bits */
ACT_OP vec v_lookup8(const float *table, vindex8 i)
{
    return _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), i);
}

ACT_OP vec v_load_n(const elem *p, size_t n)
{
    return n & 4 ? _mm256_set_m128(xmm_load_n(p + 4, n), _mm_loadu_ps(p))
                 : _mm256_zextps128_ps256(xmm_load_n(p, n));
}
ACT_OP void v_store_n(elem *p, vec a, size_t n)
{
    __m128 part = _mm256_castps256_ps128(a);
    if (n & 4) {
        _mm_storeu_ps(p, part);
        part = _mm256_extractf128_ps(a, 1);
        p += 4;
    }
    xmm_store_n(p, part, n);
}
#else
#include <sleef.h>

enum { VL = 4 };
typedef __m256d vec;
typedef __m256d vmask;

#define V_(op) _mm256_##op##_pd
#define V_CMP  _mm256_cmp_pd

ACT_OP vec v_load_n(const elem *p, size_t n)
{
    return n & 2 ? _mm256_set_m128d(xmm_load_n(p + 2, n), _mm_loadu_pd(p))
                 : _mm256_zextpd128_pd256(xmm_load_n(p, n));
}
ACT_OP void v_store_n(elem *p, vec a, size_t n)
{
    __m128d part = _mm256_castpd256_pd128(a);
    if (n & 2) {
        _mm_storeu_pd(p, part);
        part = _mm256_extractf128_pd(a, 1);
        p += 2;
    }
    xmm_store_n(p, part, n);
}

ACT_OP vec v_shl52(vec a)
{
    return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a), 52));
}
ACT_OP vec v_exp(vec a) { return Sleef_expd4_u10avx2(a); }
ACT_OP vec v_log1p(vec a) { return Sleef_log1pd4_u10avx2(a); }
#endif

ACT_OP vec v_load(const elem *p) { return V_(loadu)(p); }
ACT_OP void v_store(elem *p, vec a) { V_(storeu)(p, a); }
#define V_STREAM 1
ACT_OP void v_stream(elem *p, vec a) { V_(stream)(p, a); }
ACT_OP void v_stream_end(void) { _mm_sfence(); }
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
ACT_OP vmask v_both(vmask a, vmask b) { return V_(and)(a, b); }
ACT_OP vec v_select(vmask m, vec a, vec b) { return V_(blendv)(b, a, m); }
ACT_OP vec v_keep(vmask m, vec a) { return V_(and)(m, a); }
ACT_OP vec v_drop(vmask m, vec a) { return V_(andnot)(m, a); }

/* ---- for sums along an axis ------------------------------------------------------------------ */
#if !ACT_UNIT_F64
ACT_OP vec v_load_float(const float *p) { return v_load(p); }
ACT_OP vmask v_load_keep(const uint8_t *p)
{
    const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(bytes, _mm256_setzero_si256()));
}
ACT_OP elem v_max_of(vec a)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
}

typedef struct {
    __m256d a, b;
} vwide;

ACT_OP vwide w_set(double x) { return (vwide){_mm256_set1_pd(x), _mm256_set1_pd(x)}; }
ACT_OP vwide w_load(const double *p) { return (vwide){_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
ACT_OP void w_store(double *p, vwide x) { _mm256_storeu_pd(p, x.a), _mm256_storeu_pd(p + 4, x.b); }
ACT_OP vwide w_from(vec x)
{
    return (vwide){_mm256_cvtps_pd(_mm256_castps256_ps128(x)),
                   _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
}
ACT_OP vec w_to(vwide x) { return _mm256_set_m128(_mm256_cvtpd_ps(x.b), _mm256_cvtpd_ps(x.a)); }
#define W_OP(name, op)                                                                             \
    ACT_OP vwide name(vwide x, vwide y)                                                            \
    {                                                                                              \
        return (vwide){_mm256_##op##_pd(x.a, y.a), _mm256_##op##_pd(x.b, y.b)};                    \
    }
ACT_OP vwide w_fma(vwide x, vwide y, vwide z)
{
    return (vwide){_mm256_fmadd_pd(x.a, y.a, z.a), _mm256_fmadd_pd(x.b, y.b, z.b)};
}
W_OP(w_add, add)
W_OP(w_sub, sub)
W_OP(w_mul, mul)
W_OP(w_div, div)

enum { QL = 4 };
typedef __m256i vquad;
ACT_OP vquad q_set(uint64_t a) { return _mm256_set1_epi64x((long long)a); }
ACT_OP vquad q_lanes(void) { return _mm256_setr_epi64x(0, 1, 2, 3); }
ACT_OP vquad q_add(vquad a, vquad b) { return _mm256_add_epi64(a, b); }
ACT_OP vquad q_xor(vquad a, vquad b) { return _mm256_xor_si256(a, b); }
ACT_OP vquad q_mul32(vquad a, vquad b) { return _mm256_mul_epu32(a, b); }
ACT_OP vquad q_high(vquad a) { return _mm256_srli_epi64(a, 32); }
ACT_OP void q_store_low(uint32_t *p, vquad a)
{
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    const __m256i low = _mm256_permutevar8x32_epi32(a, order);
    _mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(low));
}
#else
ACT_OP vec v_load_float(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
ACT_OP vmask v_load_keep(const uint8_t *p)
{
    const __m256i bytes = _mm256_cvtepu8_epi64(_mm_loadu_si32(p));
    return _mm256_castsi256_pd(_mm256_cmpgt_epi64(bytes, _mm256_setzero_si256()));
}
ACT_OP elem v_max_of(vec a)
{
    const __m128d m = _mm_max_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_max_sd(m, _mm_unpackhi_pd(m, m)));
}
#endif
