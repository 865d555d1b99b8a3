/* 16-bit loops that write past the caches, for arrays that no cache holds: kernels/half.c, one each
 * ISA. */
#ifndef ACT_DISPATCH_HALF_STREAM_H
#define ACT_DISPATCH_HALF_STREAM_H

#include <stddef.h>
#include <stdint.h>

/* n is a multiple of 32, out aligned to 64 bytes. NULL: this ISA has no such stores. */
struct act_half_stream {
    void (*look_up)(const uint16_t *table, const void *in, void *out, size_t n); /* as act_half's */
    void (*gather)(const uint16_t *table, const void *in, void *out, size_t n);
    void (*relu_bf16)(const void *in, void *out, size_t n);
    void (*relu_f16)(const void *in, void *out, size_t n);
};

#endif
