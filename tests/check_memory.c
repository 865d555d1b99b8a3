/* No byte outside the arrays; one element has one result, wherever it stands. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "tests/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A buffer between two pages that fault. */
struct guarded {
    unsigned char *data;
    size_t size;
};

static struct guarded guarded_new(size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inner = (size + page - 1) / page * page;
    unsigned char *base =
        mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + page, inner, PROT_READ | PROT_WRITE) != 0)
        exit(2);
    return (struct guarded){base + page, inner};
}

static void guarded_free(struct guarded b)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(b.data - page, b.size + 2 * page);
}

/* Equal bits, or both NaN (the payload is free). */
static int same(act_dtype dtype, const void *a, const void *b, size_t n)
{
    const size_t size = elem_size(dtype);
    for (size_t i = 0; i < n; i++) {
        const char *pa = (const char *)a + i * size, *pb = (const char *)b + i * size;
        if (memcmp(pa, pb, size) == 0)
            continue;
        double va, vb;
        if (dtype == ACT_BF16 || dtype == ACT_F16) {
            const uint16_t infinity = dtype == ACT_BF16 ? 0x7f80 : 0x7c00;
            uint16_t ha, hb;
            memcpy(&ha, pa, sizeof ha);
            memcpy(&hb, pb, sizeof hb);
            va = (ha & 0x7fff) > infinity ? NAN : 0;
            vb = (hb & 0x7fff) > infinity ? NAN : 0;
        } else if (dtype == ACT_F64) {
            memcpy(&va, pa, sizeof va);
            memcpy(&vb, pb, sizeof vb);
        } else {
            float fa, fb;
            memcpy(&fa, pa, sizeof fa);
            memcpy(&fb, pb, sizeof fb);
            va = (double)fa;
            vb = (double)fb;
        }
        if (!isnan(va) || !isnan(vb)) /* whatever else 16 bits are, they differ */
            return 0;
    }
    return 1;
}

enum { POOL = 4096, MAX_VL = 16, MAX_N = 4 * MAX_VL + 1, CANARY = 0xa5 };

struct memory_test {
    act_dtype dtype;
    enum op op;
    act_kind kind;
    const act_params *params;
    const char *x, *g, *want; /* POOL elements; want was computed in one call */
    struct guarded in, grad, out;
};

/* n elements starting at pool[first], the arrays at the given byte offset from the front of their
 * pages, or ending `offset` bytes before the back. */
static void run_one(const struct memory_test *t, size_t first, size_t n, size_t offset, int at_back,
                    int in_place)
{
    const size_t size = elem_size(t->dtype), bytes = n * size;
    const size_t start = at_back ? t->in.size - bytes - offset : offset;
    unsigned char *x = t->in.data + start, *g = t->grad.data + start, *out = t->out.data + start;
    where.n = n;
    where.offset = start;

    memcpy(x, t->x + first * size, bytes);
    memcpy(g, t->g + first * size, bytes);
    struct guarded target = t->out;
    if (in_place == 1) {
        out = x;
        target = t->in;
    } else if (in_place == 2) {
        out = g;
        target = t->grad;
    } else {
        memset(t->out.data, CANARY, t->out.size);
    }
    unsigned char before[64], after[64];
    const size_t lead = start < 64 ? start : 64;
    const size_t rest = target.size - start - bytes, trail = rest < 64 ? rest : 64;
    memcpy(before, out - lead, lead);
    memcpy(after, out + bytes, trail);

    call(t->dtype, t->op, t->kind, t->params, x, g, out, n);

    if (!same(t->dtype, out, t->want + first * size, n))
        fail("the result depends on n, position, alignment or neighbours (in place: %d)", in_place);
    if (memcmp(before, out - lead, lead) != 0 || memcmp(after, out + bytes, trail) != 0)
        fail("wrote outside the output");
    if (in_place != 1 && memcmp(x, t->x + first * size, bytes) != 0)
        fail("wrote to the input");
    if (in_place != 2 && memcmp(g, t->g + first * size, bytes) != 0)
        fail("wrote to grad_out");
}

static void check_one_op(const struct options *options, struct memory_test *t)
{
    uint64_t state = options->seed + (uint64_t)t->op;
    const size_t size = elem_size(t->dtype);
    /* Every n, at both ends of the page, in and out of place. */
    for (size_t n = 0; n <= MAX_N; n++)
        for (int at_back = 0; at_back < 2; at_back++)
            for (int in_place = 0; in_place < (t->op == OP_FORWARD ? 2 : 3); in_place++)
                run_one(t, random_u64(&state) % (POOL - n), n, 0, at_back, in_place);
    /* Every byte offset of a cache line; the neighbours are what earlier calls left. */
    for (size_t offset = 0; offset < 64; offset++)
        for (int at_back = 0; at_back < 2; at_back++) {
            const size_t n = 1 + random_u64(&state) % MAX_N;
            run_one(t, random_u64(&state) % (POOL - n), n, offset, at_back, 0);
            run_one(t, random_u64(&state) % (POOL - n), n, offset / size * size, at_back, 1);
        }
    /* Each hard input alone and inside a vector of others. */
    for (size_t i = 0; i + MAX_VL < 256; i++) {
        run_one(t, i, 1, 0, 1, 0);
        run_one(t, i, 1 + random_u64(&state) % MAX_VL, 0, 0, 0);
    }
}

void check_memory(const struct options *options, act_isa isa, act_kind kind, act_dtype dtype)
{
    static float x[POOL], g[POOL];
    static double wide_x[POOL], wide_g[POOL], want[POOL];
    static uint16_t half_x[POOL], half_g[POOL];
    uint64_t state = options->seed ^ (uint64_t)kind;
    fill_inputs(kind, x, POOL, &state);
    fill_grads(g, POOL, &state);
    for (int i = 0; i < POOL; i++) {
        wide_x[i] = (double)x[i];
        wide_g[i] = (double)g[i];
        half_x[i] = (uint16_t)(bits_of_float(x[i]) >> 16); /* an f16 of another value */
        half_g[i] = (uint16_t)(bits_of_float(g[i]) >> 16);
    }
    const size_t bytes = (MAX_N + 1) * elem_size(dtype) + 128;
    act_params params;
    for (int i = 0; i < 3 && params_of_grid(kind, i, &params); i++) /* defaults, 0, -0 */
        for (enum op op = 0; op < OP_COUNT; op++) {
            if (!op_offered(kind, op, &params))
                continue;
            where = (struct where){isa, kind, op, dtype, POOL, 0, params};
            const void *px = dtype == ACT_F64   ? (void *)wide_x
                             : dtype == ACT_F32 ? (void *)x
                                                : half_x;
            const void *pg = dtype == ACT_F64   ? (void *)wide_g
                             : dtype == ACT_F32 ? (void *)g
                                                : half_g;
            struct memory_test t = {dtype,
                                    op,
                                    kind,
                                    &params,
                                    px,
                                    pg,
                                    (const char *)want,
                                    guarded_new(bytes),
                                    guarded_new(bytes),
                                    guarded_new(bytes)};
            call(dtype, op, kind, &params, px, pg, want, POOL);
            check_one_op(options, &t);
            guarded_free(t.in);
            guarded_free(t.grad);
            guarded_free(t.out);
        }
}
