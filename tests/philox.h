/* Philox 4x32-10 (Salmon et al. 2011), and the word that act_rrelu_* draw for an element. */
#ifndef ACT_TESTS_PHILOX_H
#define ACT_TESTS_PHILOX_H

#include <stdint.h>

static inline void philox(uint32_t counter[4], uint32_t key_0, uint32_t key_1)
{
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)counter[0] * 0xD2511F53u,
                       b = (uint64_t)counter[2] * 0xCD9E8D57u;
        counter[0] = (uint32_t)(b >> 32) ^ counter[1] ^ key_0;
        counter[1] = (uint32_t)b;
        counter[2] = (uint32_t)(a >> 32) ^ counter[3] ^ key_1;
        counter[3] = (uint32_t)a;
        key_0 += 0x9E3779B9u;
        key_1 += 0xBB67AE85u;
    }
}

/* As actfn.h has it. */
static inline uint32_t word_of(uint64_t seed, uint64_t j)
{
    const uint64_t block = j / 64 * 16 + j % 16;
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
    philox(counter, (uint32_t)seed, (uint32_t)(seed >> 32));
    return counter[j / 16 % 4];
}

#endif
