/* Loads and stores of less than one xmm, shared by sse42.h and avx2.h. By halves and single lanes:
 * vmaskmov faults on masked-out lanes in emulators, a byte copy costs 30 ns. The integer forms
 * have no alignment requirement. */
#ifndef ACT_KERNELS_ISA_X86_TAIL_H
#define ACT_KERNELS_ISA_X86_TAIL_H

#if !ACT_UNIT_F64
/* The first n & 3 floats; the other lanes are 0. */
ACT_OP __m128 xmm_load_n(const elem *p, size_t n)
{
    const __m128i low = n & 2 ? _mm_loadl_epi64((const __m128i *)p) : _mm_setzero_si128();
    const __m128i last = n & 1 ? _mm_loadu_si32(p + (n & 2)) : _mm_setzero_si128();
    return _mm_castsi128_ps(n & 2 ? _mm_unpacklo_epi64(low, last) : last);
}
ACT_OP void xmm_store_n(elem *p, __m128 a, size_t n)
{
    __m128i part = _mm_castps_si128(a);
    if (n & 2) {
        _mm_storel_epi64((__m128i *)p, part);
        part = _mm_unpackhi_epi64(part, part);
    }
    if (n & 1)
        _mm_storeu_si32(p + (n & 2), part);
}
#else
/* The first n & 1 doubles. */
ACT_OP __m128d xmm_load_n(const elem *p, size_t n)
{
    return _mm_castsi128_pd(n & 1 ? _mm_loadl_epi64((const __m128i *)p) : _mm_setzero_si128());
}
ACT_OP void xmm_store_n(elem *p, __m128d a, size_t n)
{
    if (n & 1)
        _mm_storel_epi64((__m128i *)p, _mm_castpd_si128(a));
}
#endif

#endif
