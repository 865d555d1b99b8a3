/* The checks that calls share, each in its place of the order that actfn.h promises. */
#ifndef ACT_SRC_CHECK_H
#define ACT_SRC_CHECK_H

#include "dispatch/table.h"

/* The type exists, the flags are among allowed, and there is what they ask for:
 * ACT_ERR_UNSUPPORTED. choice becomes what the call uses from beginning to end. */
act_status act_check_type(act_dtype dtype, unsigned flags, unsigned allowed,
                          struct act_choice *choice);

/* The element type of the arrays that are read: a mixed type's differs from what is written. */
static inline act_dtype act_type_read(act_dtype dtype)
{
    return dtype == ACT_BF16_F32 ? ACT_BF16 : dtype == ACT_F16_F32 ? ACT_F16 : dtype;
}

/* A parameter as a kernel of this type sees it: rounded once, to float for the 16-bit types. */
double act_round_to(act_dtype dtype, double value);

/* The parameters are in their domains; NULL becomes the defaults. */
act_status act_check_params(act_kind kind, act_dtype dtype, const act_params **p);

/* Are a * b * c elements of size bytes at most PTRDIFF_MAX bytes? Then elements = a * b * c. None,
 * if one of them is 0, whatever the others. */
int act_count(size_t a, size_t b, size_t c, size_t size, size_t *elements);

/* An array of a call; NULL: not there. */
struct act_span {
    const void *data;
    size_t bytes;
};
int act_spans_disjoint(struct act_span a, struct act_span b);
/* The same, or disjoint. */
int act_spans_same_or_disjoint(struct act_span a, struct act_span b);

/* Elements base[r * row + c * step], r < rows, c < cols, of size bytes. */
struct act_view {
    const void *base;
    size_t rows, cols, row, step, size;
};

/* Can be counted in PTRDIFF_MAX bytes, and no two indices are one element. */
int act_view_valid(const struct act_view *v);
/* No element of one is, or overlaps, an element of the other. */
int act_views_disjoint(const struct act_view *a, const struct act_view *b);
/* The same elements under the same indices, or disjoint. */
int act_views_same_or_disjoint(const struct act_view *a, const struct act_view *b);

#endif
