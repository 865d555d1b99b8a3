/* Reductions along an axis: what kernels/softmax.c, softmax_backward.c and cross_entropy.c share.
 *
 * A row is the axis elements of one (outer, inner). With inner == 1 vectors run along the row
 * ("row" below); otherwise they run along inner, over tiles of up to TILE columns, and each lane is
 * a row of its own ("tile"). A row has the same bits in either: kernels/lanes.h. A tile of up to
 * PANEL columns takes its sums lane after lane: where rows are 2^n bytes apart, and in pages of
 * their own, a wide tile has more of each. */
#ifndef ACT_KERNELS_ROWS_H
#define ACT_KERNELS_ROWS_H

#include "kernels/lanes.h"

/* `how` of a function: what it is compiled for, a constant where it is passed on. HAS_MASKS: are
 * there scale, add or keep? IN_HALF: arrays that are read are bf16 or f16, not elem, and those
 * written too, or float (struct source says which). */
enum { HAS_MASKS = 1, IN_HALF = 2 };

/* ---- logits ---------------------------------------------------------------------------------- */

/* Bytes of an element that is read, and of one that is written. */
ACT_OP size_t in_size(int how)
{
    return how & IN_HALF ? 2 : sizeof(elem);
}
ACT_OP size_t out_size(int how, int to_float)
{
    return (how & IN_HALF) && !to_float ? 2 : sizeof(elem);
}

/* One outer index. */
struct source {
    const void *x;
    const float *add;
    const uint8_t *keep;
    elem scale;
    int affine;
    size_t n;          /* elements of the axis that take part: the causal limit */
    int f16, to_float; /* for IN_HALF */
};

ACT_OP size_t causal_limit(const struct act_softmax_job *job, size_t o)
{
    const act_logits *z = &job->logits;
    const size_t axis = job->shape.axis;
    if (!z->causal_rows)
        return axis;
    const size_t seen = o % z->causal_rows + 1; /* with offset 0 */
    if (z->causal_offset >= 0) {
        const uint64_t more = (uint64_t)z->causal_offset;
        return more >= axis || seen >= axis - more ? axis : seen + (size_t)more;
    }
    const uint64_t less = -(uint64_t)z->causal_offset;
    return less >= seen ? 0 : seen - (size_t)less < axis ? seen - (size_t)less : axis;
}

ACT_OP struct source source_of(const struct act_softmax_job *job, size_t o, int how)
{
    const act_logits *z = &job->logits;
    const size_t plane = job->shape.axis * job->shape.inner;
    const size_t first = z->add || z->keep ? o % z->mask_outer * plane : 0;
    return (struct source){.x = (const char *)job->in + o * plane * in_size(how),
                           .add = z->add ? z->add + first : NULL,
                           .keep = z->keep ? z->keep + first : NULL,
                           .scale = (elem)z->scale,
                           .affine = z->scale != 1 || z->add,
                           .n = causal_limit(job, o),
                           .f16 = job->in_type == ACT_F16,
                           .to_float = job->to_float};
}

/* ---- arrays ----------------------------------------------------------------------------------
 * 16-bit elements are widened as they are read, and f32 results rounded as they are written: a
 * 16-bit call gives what the f32 call gives on the widened arrays, rounded to nearest even,
 * whatever the length of a row, without scratch. */
#include "kernels/rows_half.h"

ACT_OP vec x_load(const struct source *s, const void *p, size_t at, size_t lanes, int how)
{
#if !ACT_UNIT_F64
    if (how & IN_HALF)
        return half_load((const char *)p + 2 * at, lanes, s->f16);
#endif
    (void)s, (void)how;
    return v_load_part((const elem *)p + at, lanes);
}
ACT_OP void y_store(const struct source *s, void *p, size_t at, vec a, size_t lanes, int how)
{
#if !ACT_UNIT_F64
    if ((how & IN_HALF) && !s->to_float) {
        half_store((char *)p + 2 * at, a, lanes, s->f16);
        return;
    }
#endif
    (void)s, (void)how;
    v_store_part((elem *)p + at, a, lanes);
}
ACT_OP elem x_one(const struct source *s, const void *p, size_t at, int how)
{
#if !ACT_UNIT_F64
    if (how & IN_HALF)
        return half_one((const char *)p + 2 * at, s->f16);
#endif
    (void)s, (void)how;
    return elem_at((const elem *)p + at);
}
ACT_OP void y_one(const struct source *s, void *p, size_t at, elem a, int how)
{
#if !ACT_UNIT_F64
    if ((how & IN_HALF) && !s->to_float) {
        half_store((char *)p + 2 * at, v_load_n(&a, 1), 1, s->f16);
        return;
    }
#endif
    (void)s, (void)how;
    memcpy((elem *)p + at, &a, sizeof a);
}

/* z of up to VL elements; -inf where masked and beyond `lanes`. */
ACT_OP vec z_at(const struct source *s, size_t at, size_t lanes, int how)
{
    vec z = x_load(s, s->x, at, lanes, how);
    if ((how & HAS_MASKS) && s->affine) {
        const vec add = s->add ? v_load_float_part(s->add + at, lanes) : v_set(0);
        z = v_round(v_fma_tight(v_set(s->scale), z, add));
    }
    if ((how & HAS_MASKS) && s->keep)
        z = v_select(v_load_keep_part(s->keep + at, lanes), z, v_set(-INFINITY));
    if (lanes != VL)
        z = v_select(v_first(lanes), z, v_set(-INFINITY));
    return z;
}

/* a, or +0 where the element is masked. */
ACT_OP vec keep_live(const struct source *s, size_t at, size_t lanes, int how, vec a)
{
    if ((how & HAS_MASKS) && s->keep)
        a = v_keep(v_load_keep_part(s->keep + at, lanes), a);
    if ((how & HAS_MASKS) && s->add) {
        const vec add = v_load_float_part(s->add + at, lanes);
        a = v_drop(v_eq(add, v_set(-INFINITY)), a);
    }
    return a;
}

/* The elements of a row of n before p is aligned to a vector: what passes whose order does not
 * matter begin with. None of 16 bits, nor of a short row, which has a vector more then. */
ACT_OP size_t until_aligned(const void *p, size_t n, int how)
{
    return (how & IN_HALF) || n <= 16 * VL ? 0 : v_misaligned(p, 0);
}

/* The statement for every vector of a row of n elements, from `at` on, with its lanes, a constant
 * VL but for the first, which ends where array is aligned, and the last one. */
#define FOR_ROW(array, n, how, at, lanes, ...)                                                     \
    do {                                                                                           \
        const size_t n_ = (n), head_ = until_aligned(array, n_, how);                              \
        size_t at = 0;                                                                             \
        if (head_ > 0) {                                                                           \
            const size_t lanes = head_;                                                            \
            __VA_ARGS__                                                                            \
            at = head_;                                                                            \
        }                                                                                          \
        _Pragma("GCC unroll 2") for (size_t whole_ = (n_ - at) / VL; whole_ > 0;                   \
                                     whole_--, at += VL)                                           \
        {                                                                                          \
            const size_t lanes = VL;                                                               \
            __VA_ARGS__                                                                            \
        }                                                                                          \
        if (at < n_) {                                                                             \
            const size_t lanes = n_ - at;                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    } while (0)

/* The largest z that is no NaN; -inf if there is none. */
ACT_OP elem max_of_row(const struct source *s, int how)
{
    const vec none = v_set(-INFINITY);
    vec m0 = none, m1 = none, m2 = none, m3 = none;
    size_t at = until_aligned(s->x, s->n, how);
    if (at > 0)
        m3 = v_max(z_at(s, 0, at, how), m3);
    for (; at + 4 * VL <= s->n; at += 4 * VL) {
        m0 = v_max(z_at(s, at, VL, how), m0);
        m1 = v_max(z_at(s, at + VL, VL, how), m1);
        m2 = v_max(z_at(s, at + 2 * VL, VL, how), m2);
        m3 = v_max(z_at(s, at + 3 * VL, VL, how), m3);
    }
    for (; at < s->n; at += VL)
        m0 = v_max(z_at(s, at, part_of(s->n - at), how), m0);
    return v_max_of(v_max(v_max(m0, m1), v_max(m2, m3)));
}

/* Columns first to end of a tile. */
struct tile {
    size_t first, inner;
    int parts;   /* vectors */
    size_t last; /* lanes of the last one */
};

/* end - first <= most, a constant, for which gcc makes loops of their own. */
ACT_OP struct tile tile_of(size_t first, size_t end, size_t inner, size_t most)
{
    const size_t width = end - first < most ? end - first : most;
    const int parts = (int)((width + VL - 1) / VL);
    if (parts < 1)
        __builtin_unreachable(); /* for warnings of what one part at least sets */
    return (struct tile){first, inner, parts, width - (size_t)(parts - 1) * VL};
}

/* Rows of a tile are in pages of their own where inner is large: no hardware prefetcher sees them
 * coming, and 2^n bytes apart they share a few cache sets, so that each pass finds them gone. ahead
 * is the first of `rows` rows, `step` apart, of elements of `size` bytes. */
static __attribute__((noinline, unused)) void prefetch_rows(const struct tile *t, const void *array,
                                                            size_t ahead, size_t step, int rows,
                                                            size_t size)
{
    const size_t width = ((size_t)(t->parts - 1) * VL + t->last) * size;
    if (t->inner * size < 1024)
        return;
    for (int r = 0; r < rows; r++) {
        const char *line = (const char *)array + (ahead * t->inner + t->first) * size;
        for (size_t i = 0; i < width; i += 64)
            __builtin_prefetch(line + i);
        ahead += step;
    }
}
/* The group of each column after that of lane l of a chunk. */
ACT_OP void prefetch_group(const struct tile *t, const void *array, size_t chunk, size_t l,
                           size_t size)
{
    prefetch_rows(t, array, l + 1 < LANES ? chunk + l + 1 : chunk + CHUNK, LANES, GROUP, size);
}
/* The group of each column of a panel after that of row j. */
ACT_OP void prefetch_panel(const struct tile *t, const void *array, size_t j, size_t size)
{
    prefetch_rows(t, array, j + CHUNK, LANES, GROUP, size);
}

/* The statement for every vector v of a tile, with its lanes, a constant VL but for a short one. */
#define FOR_PARTS(t, v, lanes, ...)                                                                \
    do {                                                                                           \
        const int whole_ = (t).parts - ((t).last != VL);                                           \
        int v = 0;                                                                                 \
        for (; v < whole_; v++) {                                                                  \
            const size_t lanes = VL;                                                               \
            __VA_ARGS__                                                                            \
        }                                                                                          \
        if (v < (t).parts) {                                                                       \
            const size_t lanes = (t).last;                                                         \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    } while (0)

/* The statement for the first row j of every group of a tile's n rows; it adds the group to sum[0
 * .. t.parts). In the end sums, PANEL_SUMS of them, has the totals. used is lanes_used(n). The
 * lanes of a narrow tile are taken together: its rows may be one array, of which they are 8
 * streams. */
#define FOR_PANEL_GROUPS(t, n, used, sums, sum, j, ...)                                            \
    do {                                                                                           \
        const int each_ = (t).parts * LANES <= PANEL_SUMS ? (used) : 1;                            \
        for (int k_ = 0; k_ < (used); k_ += each_) {                                               \
            vsum *const sums_ = (sums) + (each_ == 1 ? panel_level(k_) * (t).parts : 0);           \
            for (int i_ = 0; i_ < each_ * (t).parts; i_++)                                         \
                sums_[i_] = s_set(0, 0);                                                           \
            size_t chunk_ = each_ == 1 ? (size_t)panel_lane(k_, used) : 0;                         \
            for (; chunk_ < (n); chunk_ += CHUNK)                                                  \
                for (int l_ = 0; l_ < each_ && chunk_ + (size_t)l_ < (n); l_++) {                  \
                    const size_t j = chunk_ + (size_t)l_;                                          \
                    vsum *const sum = sums_ + l_ * (t).parts;                                      \
                    __VA_ARGS__                                                                    \
                }                                                                                  \
            if (each_ == 1)                                                                        \
                panel_merge(sums, k_, (t).parts);                                                  \
            else                                                                                   \
                panel_total(sums, used, (t).parts);                                                \
        }                                                                                          \
    } while (0)

_Static_assert(5 * PANEL_PARTS <= PANEL_SUMS, "the sums of a panel that are open at once");

/* Rows of a panel whose loads come before their stores. */
enum { ROWS_AT_ONCE = V_REGISTERS / 4 };
#define EACH_ROW(i) _Pragma("GCC unroll 8") for (size_t i = 0; i < ROWS_AT_ONCE; i++)

ACT_OP void max_tile(const struct source *s, const struct tile *t, vec *max, int how)
{
    FOR_PARTS(*t, v, lanes, {
        (void)lanes;
        max[v] = v_set(-INFINITY);
    });
    size_t j = 0;
    for (; j + 4 <= s->n; j += 4) {
        const size_t at = j * t->inner + t->first;
        prefetch_rows(t, s->x, j + 16, 1, 4, in_size(how));
        FOR_PARTS(*t, v, lanes, {
            const size_t here = at + (size_t)v * VL;
            vec m = max[v];
            m = v_max(z_at(s, here, lanes, how), m);
            m = v_max(z_at(s, here + t->inner, lanes, how), m);
            m = v_max(z_at(s, here + 2 * t->inner, lanes, how), m);
            m = v_max(z_at(s, here + 3 * t->inner, lanes, how), m);
            max[v] = m;
        });
    }
    for (; j < s->n; j++) {
        const size_t at = j * t->inner + t->first;
        FOR_PARTS(*t, v, lanes,
                  { max[v] = v_max(z_at(s, at + (size_t)v * VL, lanes, how), max[v]); });
    }
}

/* ---- the kernels -----------------------------------------------------------------------------
 * ROWS_VARIANT: f_row and f_tile as functions of (type *, size_t first, size_t end), compiled for
 * one `how`. ROWS_VARIANTS: all there are, also with masks; ROWS_OF: the one for a call. */
#define ROWS_VARIANT(f, name, type, how)                                                           \
    static void ACT_SYMBOL(f, name##_row)(type * t, size_t first, size_t end)                      \
    {                                                                                              \
        (void)first, (void)end;                                                                    \
        f##_row(t, how);                                                                           \
    }                                                                                              \
    static void ACT_SYMBOL(f, name##_tile)(type * t, size_t first, size_t end)                     \
    {                                                                                              \
        f##_tile(t, first, end, how);                                                              \
    }
#define ROWS_CHOICE(f, name, inner)                                                                \
    ((inner) == 1 ? ACT_SYMBOL(f, name##_row) : ACT_SYMBOL(f, name##_tile))
#if ACT_UNIT_F64
#define ROWS_UNMASKED(f, type, how)     ROWS_VARIANT(f, plain, type, 0)
#define ROWS_UNMASKED_OF(f, how, inner) ROWS_CHOICE(f, plain, inner)
#else
#define ROWS_UNMASKED(f, type, how)                                                                \
    ROWS_VARIANT(f, plain, type, 0)                                                                \
    ROWS_VARIANT(f, half, type, IN_HALF | (how))
#define ROWS_UNMASKED_OF(f, how, inner)                                                            \
    ((how)&IN_HALF ? ROWS_CHOICE(f, half, inner) : ROWS_CHOICE(f, plain, inner))
#endif
/* The 16-bit one looks whether there are masks as it goes. */
#define ROWS_VARIANTS(f, type)                                                                     \
    ROWS_UNMASKED(f, type, HAS_MASKS)                                                              \
    ROWS_VARIANT(f, masked, type, HAS_MASKS)
#define ROWS_OF(f, how, inner)                                                                     \
    ((how) == HAS_MASKS ? ROWS_CHOICE(f, masked, inner) : ROWS_UNMASKED_OF(f, how, inner))

ACT_OP int how_of(const struct act_softmax_job *job)
{
    const act_logits *z = &job->logits;
    const int masks = z->scale != 1 || z->add || z->keep ? HAS_MASKS : 0;
    return masks | (job->in_type == ACT_BF16 || job->in_type == ACT_F16 ? IN_HALF : 0);
}

/* Columns before those whose vectors are aligned in array, in every row of it: a tile of their own.
 */
ACT_OP size_t head_columns(const struct act_softmax_job *job, const void *array, int how)
{
    const size_t inner = job->shape.inner;
    return inner % VL ? 0 : until_aligned(array, inner, how);
}

/* The units [from, from + count) of a call (act_softmax_fn): outer index o, and of it the columns
 * left to right, where units end `head` columns later. */
#define FOR_UNITS(job, head, from, count, o, left, right, ...)                                     \
    do {                                                                                           \
        const size_t inner_ = (job)->shape.inner, each_ = act_softmax_units(inner_);               \
        for (size_t unit_ = (from); unit_ < (from) + (count); unit_++) {                           \
            const size_t o = each_ == 1 ? unit_ : unit_ / each_;                                   \
            const size_t edge_ = (unit_ - o * each_) * ACT_SOFTMAX_UNIT + (head);                  \
            const size_t left = edge_ == (head) ? 0 : edge_;                                       \
            const size_t right =                                                                   \
                inner_ < edge_ + ACT_SOFTMAX_UNIT ? inner_ : edge_ + ACT_SOFTMAX_UNIT;             \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    } while (0)
/* Their tiles, of up to `width` columns first to end. */
#define FOR_TILES(head, left, right, width, first, end, ...)                                       \
    do {                                                                                           \
        for (size_t first = (left), end; first < (right); first = end) {                           \
            end = (right)-first < (width) ? (right) : first + (width);                             \
            if (first == 0 && (head) > 0)                                                          \
                end = (head);                                                                      \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    } while (0)

#endif
