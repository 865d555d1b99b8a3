/* The largest of several and which it is: the loops of maxout. NaN wins, then the first. Plain
 * loops, that the compiler makes vector code of (parts are compiled with -O3). */
#include "dispatch/parts.h"
#include "kernels/kernel.h"

ACT_OP elem elem_at(const elem *p)
{
    elem a;
    memcpy(&a, p, sizeof a);
    return a;
}

/* Does v take the place of best? */
ACT_OP int wins(elem v, elem best)
{
    return !(v <= best) & (best == best);
}

static void ACT_PART_SYMBOL(maxout_first)(const void *x, void *best, int32_t *arg, size_t n)
{
    memcpy(best, x, n * sizeof(elem));
    memset(arg, 0, n * sizeof *arg);
}

static void ACT_PART_SYMBOL(maxout_more)(const void *restrict x, int32_t k, void *restrict best,
                                         int32_t *restrict arg, size_t n)
{
    const elem *restrict v = x;
    elem *restrict b = best;
    for (size_t i = 0; i < n; i++) {
        const elem a = elem_at(v + i);
        const int take = wins(a, b[i]);
        b[i] = take ? a : b[i];
        arg[i] = take ? k : arg[i];
    }
}

/* NaN quiet. */
static void ACT_PART_SYMBOL(maxout_store)(const void *restrict best, void *restrict out, size_t n)
{
    const elem *b = best;
    elem *y = out;
    for (size_t i = 0; i < n; i++) {
        const elem a = b[i] == b[i] ? b[i] : (elem)NAN;
        memcpy(y + i, &a, sizeof a);
    }
}

/* ---- moving elements of any type, as bits ---------------------------------------------------- */
#define OF_SIZE(size, function, ...)                                                               \
    ((size) == sizeof(uint16_t)   ? function##_16(__VA_ARGS__)                                     \
     : (size) == sizeof(uint32_t) ? function##_32(__VA_ARGS__)                                     \
                                  : function##_64(__VA_ARGS__))

#define MOVES(bits)                                                                                \
    ACT_OP void gather_##bits(const void *restrict x, size_t stride, size_t rows, size_t inner,    \
                              void *restrict to)                                                   \
    {                                                                                              \
        const uint##bits##_t *restrict from = x;                                                   \
        uint##bits##_t *restrict t = to;                                                           \
        for (size_t r = 0; r < rows; r++, from += stride, t += inner)                              \
            for (size_t i = 0; i < inner; i++)                                                     \
                memcpy(t + i, from + i, sizeof *t);                                                \
    }                                                                                              \
    ACT_OP void route_##bits(const int32_t *restrict arg, const void *restrict gradient,           \
                             size_t first, size_t n, int32_t k, void *restrict grad_in)            \
    {                                                                                              \
        const uint##bits##_t *restrict g = gradient;                                               \
        uint##bits##_t *restrict d = grad_in;                                                      \
        for (size_t i = first; i < first + n; i++) {                                               \
            int32_t which;                                                                         \
            uint##bits##_t a;                                                                      \
            memcpy(&which, arg + i, sizeof which);                                                 \
            memcpy(&a, g + i, sizeof a);                                                           \
            a = which == k ? a : 0;                                                                \
            memcpy(d + i - first, &a, sizeof a);                                                   \
        }                                                                                          \
    }                                                                                              \
    ACT_OP void scatter_##bits(const int32_t *arg, const void *gradient, size_t rows, size_t axis, \
                               size_t inner, void *grad_in)                                        \
    {                                                                                              \
        uint##bits##_t *d = grad_in;                                                               \
        for (size_t r = 0; r < rows; r++)                                                          \
            for (size_t k = 0; k < axis; k++, d += inner)                                          \
                route_##bits(arg, gradient, r *inner, inner, (int32_t)k, d);                       \
    }
MOVES(16)
MOVES(32)
MOVES(64)

/* With steps known to the compiler these become vector code: of 4 pieces 1.6 times as fast. */
#define OF_STEP(n, call)                                                                           \
    do {                                                                                           \
        if ((n) == 2)                                                                              \
            call(2);                                                                               \
        else if ((n) == 3)                                                                         \
            call(3);                                                                               \
        else if ((n) == 4)                                                                         \
            call(4);                                                                               \
        else                                                                                       \
            call(n);                                                                               \
    } while (0)

static void ACT_PART_SYMBOL(maxout_gather)(const void *restrict x, size_t size, size_t stride,
                                           size_t rows, size_t inner, void *restrict to)
{
#define GATHER_1(n) OF_SIZE(size, gather, x, n, rows, 1, to)
#define GATHER(n)   OF_SIZE(size, gather, x, stride, rows, n, to)
    if (inner == 1 && stride == 8) /* not so when scattering: three times as slow */
        GATHER_1(8);
    else if (inner == 1)
        OF_STEP(stride, GATHER_1);
    else
        OF_STEP(inner, GATHER);
}

static void ACT_PART_SYMBOL(maxout_route)(const int32_t *arg, const void *gradient, size_t size,
                                          size_t n, int32_t k, void *grad_in)
{
    OF_SIZE(size, route, arg, gradient, 0, n, k, grad_in);
}

static void ACT_PART_SYMBOL(maxout_scatter)(const int32_t *restrict arg,
                                            const void *restrict gradient, size_t size, size_t rows,
                                            size_t axis, size_t inner, void *restrict grad_in)
{
#define SCATTER_1(n) OF_SIZE(size, scatter, arg, gradient, rows, n, 1, grad_in)
#define SCATTER(n)   OF_SIZE(size, scatter, arg, gradient, rows, axis, n, grad_in)
    if (inner == 1)
        OF_STEP(axis, SCATTER_1);
    else
        OF_STEP(inner, SCATTER);
}

ACT_PART_ROW(maxout) = {ACT_PART_SYMBOL(maxout_first), ACT_PART_SYMBOL(maxout_more),
                        ACT_PART_SYMBOL(maxout_store), ACT_PART_SYMBOL(maxout_gather),
                        ACT_PART_SYMBOL(maxout_route), ACT_PART_SYMBOL(maxout_scatter)};
