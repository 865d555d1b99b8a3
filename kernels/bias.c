/* A bias per channel before the activation, and its gradient: the loops around f and f' of a kind.
 */
#include "dispatch/parts.h"
#include "kernels/kernel.h"

static void ACT_PART_SYMBOL(bias_add)(const void *x, const void *bias, void *z, size_t n)
{
    const elem *a = x, *b = bias;
    elem *sum = z;
    for (; n >= VL; n -= VL, a += VL, b += VL, sum += VL)
        v_store(sum, v_add(v_load(a), v_load(b)));
    if (n)
        v_store_n(sum, v_add(v_load_n(a, n), v_load_n(b, n)), n);
}

/* Arrays need no alignment. */
static inline elem elem_at(const elem *p)
{
    elem a;
    memcpy(&a, p, sizeof a);
    return a;
}

static void ACT_PART_SYMBOL(bias_spread)(const void *bias, size_t channels, size_t inner,
                                         void *tile)
{
    const elem *b = bias;
    elem *to = tile;
    for (size_t c = 0; c < channels; c++) {
        size_t i = 0;
        const vec value = v_load_n(b + c, 1), all = v_set(elem_at(b + c));
        for (; i + VL <= inner; i += VL)
            v_store(to + i, all);
        for (; i < inner; i++)
            v_store_n(to + i, value, 1);
        to += inner;
    }
}

/* In the order of 16 lanes whatever the ISA. */
enum { LANES = 16 };

static double sum_of(const elem *x, size_t n)
{
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] += (double)elem_at(x + i + (size_t)l);
    for (int l = 0; i + (size_t)l < n; l++)
        lane[l] += (double)elem_at(x + i + (size_t)l);
    for (int half = LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

static void ACT_PART_SYMBOL(bias_accumulate)(const void *gradient, size_t rows, size_t channels,
                                             size_t inner, double *sums)
{
    const elem *g = gradient;
    for (size_t r = 0; r < rows; r++)
        if (inner == 1) {
            for (size_t c = 0; c < channels; c++)
                sums[c] += (double)elem_at(g + c);
            g += channels;
        } else {
            for (size_t c = 0; c < channels; c++, g += inner)
                sums[c] += sum_of(g, inner);
        }
}

ACT_PART_ROW(bias) = {ACT_PART_SYMBOL(bias_add), ACT_PART_SYMBOL(bias_spread),
                      ACT_PART_SYMBOL(bias_accumulate)};
