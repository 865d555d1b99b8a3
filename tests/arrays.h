/* What the tests of the structured operations start from: cmocka; arrays between two pages that
 * fault; random numbers; the type of parameters; one case after the other on every table. Include
 * after _GNU_SOURCE is defined. */
#ifndef ACT_TESTS_ARRAYS_H
#define ACT_TESTS_ARRAYS_H

#include "ops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define FOR_ENDS(at_end) for (int at_end = 0; at_end < 2; at_end++)

enum { ARRAYS_MOST = 64 };
static struct {
    unsigned char *base, *data;
    size_t room, bytes;
} arrays[ARRAYS_MOST];
static int array_count;

/* bytes of 0xa5, against the page before or behind. */
static inline void *array_new(size_t bytes, int at_end)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t room = bytes / page * page + page;
    unsigned char *base =
        mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (array_count == ARRAYS_MOST || base == MAP_FAILED ||
        mprotect(base + page, room, PROT_READ | PROT_WRITE) != 0)
        exit(2);
    memset(base + page, 0xa5, room);
    arrays[array_count].base = base;
    arrays[array_count].data = base + page + (at_end ? room - bytes : 0);
    arrays[array_count].room = room + 2 * page;
    arrays[array_count].bytes = bytes;
    return arrays[array_count++].data;
}

/* Frees all; 0 if a byte beside one of them has changed. */
static inline int arrays_free(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int untouched = 1;
    for (; array_count > 0; array_count--) {
        const unsigned char *base = arrays[array_count - 1].base,
                            *data = arrays[array_count - 1].data;
        const size_t room = arrays[array_count - 1].room;
        for (const unsigned char *p = base + page; p < base + room - page; p++)
            untouched &= (p >= data && p < data + arrays[array_count - 1].bytes) || *p == 0xa5;
        munmap(arrays[array_count - 1].base, room);
    }
    return untouched;
}

static inline uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
/* About N(0, 1): the sum of 12 numbers of [-.5, .5]. */
static inline double random_normal(uint64_t *state)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += (double)(random_bits(state) >> 11) * 0x1p-53 - 0.5;
    return sum;
}
static inline void fill_normal(void *array, act_dtype t, size_t n, double mean, double sigma,
                               uint64_t *state)
{
    for (size_t i = 0; i < n; i++)
        put(array, t, i, mean + sigma * random_normal(state));
}

/* check(t, i, at_end, seed) for i < count, of every type, on every table, its arrays at either
 * page. */
static inline void every_case(size_t count,
                              void (*check)(act_dtype t, size_t i, int at_end, uint64_t *seed))
{
    const act_isa before = act_get_isa();
    uint64_t seed = 1;
    FOR_ISA(isa)
    FOR_DTYPE(t)
    FOR_ENDS(at_end)
    for (size_t i = 0; i < count; i++) {
        act_set_isa(isa);
        check(t, i, at_end, &seed);
        assert_true(arrays_free());
    }
    act_set_isa(before);
}

/* Of parameters, their gradients and statistics. */
static inline act_dtype wide_of(act_dtype t)
{
    return t == ACT_F64 ? ACT_F64 : ACT_F32;
}
/* Half a unit of the last place of 1. */
static inline double unit_of(act_dtype t)
{
    return t == ACT_F64 ? 0x1p-53 : t == ACT_F32 ? 0x1p-24 : t == ACT_BF16 ? 0x1p-8 : 0x1p-11;
}

#endif
