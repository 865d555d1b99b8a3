/* 2^31 + 17 elements in place: no 32-bit count or byte offset. 2 MiB of memory mapped 4097 times
 * stand in for the 8 GiB; relu is idempotent, so it does not matter that they alias. The pages that
 * are looked at are real ones: the first, the last before the end, and those at 2^32 bytes. */
#define _GNU_SOURCE
#include "actfn/actfn.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SKIP = 77, PAGE = 1 << 16 /* at least the machine's */, CHUNK = 1 << 21 };

int main(void)
{
    const size_t n = ((size_t)1 << 31) + 17, bytes = n * sizeof(float);
    const size_t room = (bytes + CHUNK - 1) / CHUNK * CHUNK;
    /* The guard beyond stays PROT_NONE. */
    char *const base =
        mmap(NULL, room + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const int fd = memfd_create("test_huge", 0);
    if (base == MAP_FAILED || fd < 0 || ftruncate(fd, CHUNK) != 0) {
        perror("test_huge: skipped: 8 GiB of address space");
        return SKIP;
    }
    for (size_t at = 0; at < room; at += CHUNK)
        if (mmap(base + at, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
            MAP_FAILED) {
            perror("test_huge: skipped: mapping a file 4097 times");
            return SKIP;
        }

    /* The array ends where the guard begins. */
    float *const x = (float *)(base + room - bytes);
    const size_t look[] = {0, ((size_t)1 << 30) - 64, n - 128};
    enum { LOOKS = sizeof look / sizeof look[0], LENGTH = 128 };
    for (int i = 0; i < LOOKS; i++) {
        char *const at = (char *)(x + look[i]);
        char *const page = base + (size_t)(at - base) / PAGE * PAGE;
        if (mmap(page, 2 * PAGE < base + room - page ? 2 * PAGE : (size_t)(base + room - page),
                 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                 0) == MAP_FAILED) {
            perror("test_huge: skipped");
            return SKIP;
        }
        for (int j = 0; j < LENGTH; j++)
            x[look[i] + (size_t)j] = j % 3 ? (float)-j : (float)j;
    }
    if ((char *)x - base >= (ptrdiff_t)sizeof(float))
        x[-1] = -1; /* just before the array */

    if (act_forward(ACT_RELU, NULL, x, x, n) != ACT_OK) {
        puts("act_forward failed");
        return 1;
    }
    for (int i = 0; i < LOOKS; i++)
        for (int j = 0; j < LENGTH; j++)
            if (x[look[i] + (size_t)j] != (j % 3 ? 0 : (float)j)) {
                printf("element %zu is %g\n", look[i] + (size_t)j, (double)x[look[i] + (size_t)j]);
                return 1;
            }
    if (x[-1] != -1) {
        puts("the element before the array was written");
        return 1;
    }
    return 0;
}
