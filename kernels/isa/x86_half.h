/* What sse42.h, avx2.h and avx512.h share for 16 bits. */
#ifndef ACT_KERNELS_ISA_X86_HALF_H
#define ACT_KERNELS_ISA_X86_HALF_H

#if ACT_UNIT_HALF
#define H_HAS_PICK 1
/* Eight numbers of the table into to, those that p names: an insertion from memory each. */
ACT_OP void h_pick(unsigned char *to, const uint16_t *table, const unsigned char *p)
{
    uint64_t i, k;
    memcpy(&i, p, sizeof i);
    memcpy(&k, p + 8, sizeof k);
    __m128i y = _mm_cvtsi32_si128(table[i & 0xffff]);
    y = _mm_insert_epi16(y, table[i >> 16 & 0xffff], 1);
    y = _mm_insert_epi16(y, table[i >> 32 & 0xffff], 2);
    y = _mm_insert_epi16(y, table[i >> 48], 3);
    y = _mm_insert_epi16(y, table[k & 0xffff], 4);
    y = _mm_insert_epi16(y, table[k >> 16 & 0xffff], 5);
    y = _mm_insert_epi16(y, table[k >> 32 & 0xffff], 6);
    y = _mm_insert_epi16(y, table[k >> 48], 7);
    _mm_storeu_si128((__m128i *)(void *)to, y);
}
#endif

#endif
