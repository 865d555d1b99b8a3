/* Where strided arrays overlap. */
#include "src/check.h"

#include <stdint.h>

/* Elements from the first to the last. */
static size_t extent(const struct act_view *v)
{
    return (v->rows - 1) * v->row + (v->cols - 1) * v->step + 1;
}

int act_view_valid(const struct act_view *v)
{
    size_t within, before, bytes;
    if (v->rows == 0 || v->cols == 0)
        return 1;
    if (v->step == 0 || __builtin_mul_overflow(v->cols - 1, v->step, &within) ||
        (v->rows > 1 && v->row <= within))
        return 0;
    return !__builtin_mul_overflow(v->rows - 1, v->row, &before) &&
           !__builtin_add_overflow(before, within, &bytes) &&
           !__builtin_add_overflow(bytes, 1, &bytes) &&
           !__builtin_mul_overflow(bytes, v->size, &bytes) && bytes <= PTRDIFF_MAX;
}

/* Is there an element of the second view distance elements behind the first one's, dr rows and some
 * columns away? 0 <= distance - dr * row, or as far below 0. */
static int meets(const struct act_view *v, size_t dr, size_t off)
{
    return dr < v->rows && off % v->step == 0 && off / v->step < v->cols;
}

int act_views_disjoint(const struct act_view *a, const struct act_view *b)
{
    if (a->rows == 0 || a->cols == 0 || b->rows == 0 || b->cols == 0)
        return 1;
    const uintptr_t first = (uintptr_t)a->base, second = (uintptr_t)b->base;
    if (first > second)
        return act_views_disjoint(b, a);
    const uintptr_t bytes = second - first;
    if (bytes >= extent(a) * a->size)
        return 1;
    if (a->size != b->size || a->row != b->row || a->step != b->step || a->rows != b->rows ||
        a->cols != b->cols || bytes % a->size != 0)
        return 0;
    const size_t distance = bytes / a->size;
    if (a->rows == 1)
        return !meets(a, 0, distance);
    const size_t dr = distance / a->row, off = distance % a->row;
    return !meets(a, dr, off) && !meets(a, dr + 1, a->row - off);
}

int act_views_same_or_disjoint(const struct act_view *a, const struct act_view *b)
{
    const int same = a->base == b->base && a->size == b->size && a->rows == b->rows &&
                     a->cols == b->cols && a->row == b->row && a->step == b->step;
    return same || act_views_disjoint(a, b);
}
