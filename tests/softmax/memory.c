/* No byte outside the arrays is touched. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "softmax/softmax.h"

#include <sys/mman.h>
#include <unistd.h>

/* n bytes that end (or begin) at a page that faults. */
static unsigned char *guarded(size_t n, int at_end)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (n + page - 1) / page * page;
    unsigned char *p = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + page, room, PROT_READ | PROT_WRITE) != 0)
        exit(2);
    return p + page + (at_end ? room - n : 0);
}
static void unguard(unsigned char *p, size_t n)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (n + page - 1) / page * page;
    munmap((unsigned char *)((uintptr_t)p / page * page) - page, room + 2 * page);
}

void memory(act_dtype type)
{
    static const size_t inners[] = {1, 2, 3, 17, 66};
    const act_dtype from = type == ACT_BF16_F32 ? ACT_BF16 : type == ACT_F16_F32 ? ACT_F16 : type;
    const size_t size = size_of[from], out_size = from == type ? size : sizeof(float);
    for (size_t axis = 1; axis <= 140; axis += axis < 40 ? 1 : 9)
        for (size_t n = 0; n < 5; n++)
            for (int at_end = 0; at_end < 2; at_end++) {
                const size_t inner = inners[n], total = axis * inner, bytes = total * size;
                const act_shape s = {1, axis, inner};
                unsigned char *x = guarded(bytes, at_end), *g = guarded(bytes, at_end);
                const size_t out_bytes = total * out_size;
                unsigned char *y = guarded(out_bytes, at_end);
                unsigned char *y2 = guarded(inner * out_size, at_end);
                unsigned char *index = guarded(inner * sizeof(int64_t), at_end);
                unsigned char *keep = guarded(total, at_end);
                unsigned char *add = guarded(total * sizeof(float), at_end);
                unsigned char *weight = guarded(axis * sizeof(float), at_end);
                snprintf(context, sizeof context, "%s memory [%zu][%zu]", type_names[type], axis,
                         inner);
                fill(from, x, total, 1, 0);
                fill(from, g, total, 1, 0);
                fill(ACT_F32, add, total, 1, 0);
                fill(ACT_F32, weight, axis, 1, 0);
                for (size_t k = 0; k < total; k++)
                    keep[k] = (uint8_t)(random_u64() % 2);
                for (size_t i = 0; i < inner; i++) {
                    const int64_t class = (int64_t)(random_u64() % axis);
                    memcpy(index + i * sizeof class, &class, sizeof class);
                }
                for (int op = 0; op < OPS; op++) {
                    /* logsumexp has one result a column: into y2, whose page ends there */
                    run(op, type, 0, s, NULL, x, g, (int64_t *)index, op == 2 ? y2 : y, y2);
                    const int64_t *target = op < 7 ? (int64_t *)index : NULL;
                    act_logits z = {.struct_size = sizeof z, .scale = 2};
                    z.add = (float *)add;
                    z.keep = keep;
                    act_targets q = {.struct_size = sizeof q, .index = target};
                    q.class_weight = (float *)weight;
                    q.prob = target ? NULL : g;
                    q.ignore = -1;
                    q.smoothing = op == 6 ? .5 : 0;
                    if (op < 3)
                        forward((enum function)op, type, 0, s, &z, x, op == 2 ? y2 : y);
                    else if (op == 3)
                        act_softmax_backward(type, 0, s, &z, x, g, y);
                    else if (op == 4)
                        act_log_softmax_backward(type, 0, s, &z, x, g, y);
                    else
                        act_cross_entropy(type, 0, s, &q, x, y2, y);
                }
                unguard(x, bytes);
                unguard(g, bytes);
                unguard(y, out_bytes);
                unguard(y2, inner * out_size);
                unguard(index, inner * sizeof(int64_t));
                unguard(keep, total);
                unguard(add, total * sizeof(float));
                unguard(weight, axis * sizeof(float));
            }
    /* Nothing beside the output within a page either. */
    for (size_t inner = 1; inner <= 20; inner += 19)
        for (int op = 0; op < OPS; op++) {
            double x[200], g[200], y[400], y2[400];
            int64_t index[20] = {0};
            const act_shape s = {1, 9, inner};
            const size_t count = 9 * inner * out_size, rows = inner * out_size;
            fill(from, x, 200, 1, 0);
            fill(from, g, 200, 1, 0);
            memset(y, 0xa5, sizeof y);
            memset(y2, 0xa5, sizeof y2);
            run(op, type, 0, s, NULL, x, g, index, (char *)y + 64, (char *)y2 + 64);
            const size_t wrote = op == 8 ? 0 : op == 2 ? rows : count, wrote2 = op >= 5 ? rows : 0;
            snprintf(context, sizeof context, "%s function %d, inner %zu", type_names[type], op,
                     inner);
            for (size_t k = 0; k < sizeof y; k++)
                if ((k < 64 || k >= 64 + wrote) && ((unsigned char *)y)[k] != 0xa5)
                    fail("wrote to byte %zu", k);
            for (size_t k = 0; k < sizeof y2; k++)
                if ((k < 64 || k >= 64 + wrote2) && ((unsigned char *)y2)[k] != 0xa5)
                    fail("wrote to byte %zu of the losses", k);
        }
}
