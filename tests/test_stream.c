/* Large arrays are written past the caches by loops of their own: the same bits as in small pieces,
 * whatever the alignment, and no byte beyond. Run with ACTFN_STREAM_BYTES=0. */
#define _GNU_SOURCE
#include "actfn/actfn.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { N = 65536 + 3 * 1024 + 77, PIECE = 4000, SLACK = 64, PAGE = 1 << 16 };

/* size bytes that end at a page without access. */
static unsigned char *ending_at_guard(size_t size)
{
    const size_t room = (size + PAGE - 1) / PAGE * PAGE;
    unsigned char *const base =
        mmap(NULL, room + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base, room, PROT_READ | PROT_WRITE) != 0) {
        perror("test_stream");
        exit(1);
    }
    return base + room - size;
}

static double element(size_t i)
{
    static const double special[] = {0, -0.0, 1e300, -1e300, 1e-300, 88, -88, -104, 3, -3};
    if (i % 97 < sizeof special / sizeof special[0])
        return special[i % 97];
    return ((double)((i * 2654435761u) % 1000003) / 1000003 - 0.5) * (i % 5 == 0 ? 240 : 16);
}

static void fill(act_dtype dtype, void *p, size_t n, size_t seed)
{
    for (size_t i = 0; i < n; i++) {
        const double v = element(i + seed);
        if (dtype == ACT_F64)
            ((double *)p)[i] = v;
        else if (dtype != ACT_F32) {
            /* No NaN: what its fraction holds is not promised. */
            const uint16_t bits = (uint16_t)((i + seed) * 2654435761u >> 13);
            const int nan = (bits & 0x7fff) > (dtype == ACT_F16 ? 0x7c00 : 0x7f80);
            ((uint16_t *)p)[i] = nan ? bits ^ 0x4000 : bits;
        } else
            ((float *)p)[i] = (float)v;
    }
}

/* op 0: forward, 1: backward, 2: from the output. */
static act_status call(int op, act_dtype dtype, act_kind kind, const unsigned char *x,
                       const unsigned char *g, unsigned char *y, size_t n)
{
    return op == 0   ? act_forward_t(dtype, 0, kind, NULL, x, y, n)
           : op == 1 ? act_backward_t(dtype, 0, kind, NULL, x, g, y, n)
                     : act_backward_from_output_t(dtype, 0, kind, NULL, x, g, y, n);
}

static int check(act_isa isa, act_dtype dtype, act_kind kind, int op)
{
    const size_t size = dtype == ACT_F64 ? 8 : dtype == ACT_F32 ? 4 : 2, bytes = N * size;
    static unsigned char *x, *g, *y, *want;
    if (!x) {
        x = ending_at_guard(N * 8);
        g = ending_at_guard(N * 8);
        y = ending_at_guard(N * 8 + SLACK);
        want = malloc(N * 8);
        fill(ACT_F64, x, N, 0); /* touched */
    }
    unsigned char *const in = x + (N * 8 - bytes), *const grad = g + (N * 8 - bytes);
    fill(dtype, in, N, 0);
    fill(dtype, grad, N, 1234);
    for (size_t i = 0; i < N; i += PIECE) {
        const size_t n = N - i < PIECE ? N - i : PIECE;
        const act_status status =
            call(op, dtype, kind, in + i * size, grad + i * size, want + i * size, n);
        if (status == ACT_ERR_UNSUPPORTED && op == 2)
            return 0;
        if (status != ACT_OK)
            return 1;
    }
    /* The end of y at the guard, by an element, by several, and by a byte that no element may be.
     */
    const size_t starts[] = {0, size, 5 * size, 3, SLACK};
    for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
        unsigned char *const end = y + N * 8 + SLACK, *const out = end - bytes - starts[s];
        unsigned char *const below = end - N * 8 - SLACK;
        memset(below, 0xa5, N * 8 + SLACK);
        if (call(op, dtype, kind, in, grad, out, N) != ACT_OK || memcmp(out, want, bytes) != 0) {
            printf("%s %s op %d type %d: other bits, %zu bytes before the end\n", act_isa_name(isa),
                   act_kind_name(kind), op, dtype, starts[s]);
            return 1;
        }
        for (const unsigned char *p = below; p < end; p++)
            if ((p < out || p >= out + bytes) && *p != 0xa5) {
                printf("%s %s op %d type %d: a byte beyond\n", act_isa_name(isa),
                       act_kind_name(kind), op, dtype);
                return 1;
            }
    }
    return 0;
}

int main(void)
{
    int failed = 0;
    for (act_isa isa = 0; isa < act_isa_count(); isa++) {
        if (!act_isa_available(isa) || act_set_isa(isa) != ACT_OK)
            continue;
        for (int reproducible = 0; reproducible < 2; reproducible++) {
            if (act_set_mode(reproducible ? ACT_MODE_REPRODUCIBLE : ACT_MODE_FAST) != ACT_OK)
                continue;
            for (act_kind kind = 0; kind < act_kind_count(); kind++)
                for (int op = 0; op < 3; op++)
                    for (act_dtype dtype = ACT_F32; dtype <= ACT_F16; dtype++)
                        failed |= check(isa, dtype, kind, op);
        }
        act_set_mode(ACT_MODE_FAST);
        printf("%s: %s\n", act_isa_name(isa), failed ? "FAILED" : "ok");
    }
    return failed;
}
