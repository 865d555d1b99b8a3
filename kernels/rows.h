/* Reductions along an axis: what kernels/softmax.c, softmax_backward.c and cross_entropy.c share.
 *
 * A row is the axis elements of one (outer, inner). With inner == 1 vectors run along the row
 * ("row" below); otherwise they run along inner, over tiles of up to TILE columns, and each lane is
 * a row of its own ("tile"). A sum takes its terms in one order in both, so that a row has the same
 * bits in either: element j belongs to virtual lane j % 16; eight consecutive elements of a lane
 * are a group, of which a chunk of 128 elements has one per lane; a lane adds its groups in order;
 * the lanes are added as a tree. f32 adds the elements of a group without error to speak
 * of, in two floats, and the groups in double; double adds everything compensated, as a + b. */
#ifndef ACT_KERNELS_ROWS_H
#define ACT_KERNELS_ROWS_H

#include "dispatch/parts.h"
#if !ACT_UNIT_F64 && !ACT_ISA_IS_SCALAR
#define ACT_UNIT_HALF 1 /* the 16-bit operations of the ISA's header */
#endif
#include "kernels/math.h"
#include "kernels/wide.h"

#ifndef ROWS_TILE
#define ROWS_TILE 96
#endif
enum {
    LANES = 16,
    GROUP = 8,
    CHUNK = LANES * GROUP,
    PARTS = LANES / VL,               /* vectors of a row that hold the lanes */
    TILE = V_DOUBLE ? 32 : ROWS_TILE, /* columns; the sums of 96 are 12 KiB on the stack */
    TILE_PARTS = TILE / VL
};

/* `how` of a function: what it is compiled for, a constant where it is passed on. HAS_MASKS: are
 * there scale, add or keep? IN_HALF: arrays that are read are bf16 or f16, not elem, and those
 * written too, or float (struct source says which). */
enum { HAS_MASKS = 1, IN_HALF = 2 };

/* ---- sums ------------------------------------------------------------------------------------ */
#if V_DOUBLE
typedef struct {
    vec a, b; /* a + b */
} vsum;

ACT_OP vsum s_set(double a, double b)
{
    return (vsum){v_set(a), v_set(b)};
}
/* a + x with its error (Knuth). */
ACT_OP vsum s_add(vsum s, vec x)
{
    const vec sum = v_add(s.a, x), back = v_sub(sum, s.a);
    const vec error = v_add(v_sub(s.a, v_sub(sum, back)), v_sub(x, back));
    return (vsum){sum, v_add(s.b, error)};
}
ACT_OP vsum s_merge(vsum s, vsum t)
{
    s = s_add(s, t.a);
    return (vsum){s.a, v_add(s.b, t.b)};
}
/* Once; an infinite sum has no error. */
ACT_OP vwide s_value(vsum s)
{
    return v_select(v_lt(v_abs(s.a), v_set(INFINITY)), v_add(s.a, s.b), s.a);
}
#else
typedef vwide vsum;

ACT_OP vsum s_set(double a, double b)
{
    (void)b;
    return w_set(a);
}
ACT_OP vsum s_merge(vsum s, vsum t)
{
    return w_add(s, t);
}
ACT_OP vwide s_value(vsum s)
{
    return s;
}
#endif

/* The elements of a group, from `from` every `step`, `rows` of them; each has `lanes` lanes, the
 * last one `last`. */
struct group {
    size_t from, step;
    int rows;
    size_t lanes, last;
};

ACT_OP struct group whole_group(size_t from, size_t step, size_t lanes)
{
    return (struct group){from, step, GROUP, lanes, lanes};
}
/* The last group of a lane of a row that ends at n. */
ACT_OP struct group last_group(size_t from, size_t n)
{
    const int rows = (int)((n - from + LANES - 1) / LANES);
    const size_t rest = n - from - (size_t)(rows - 1) * LANES;
    return (struct group){from, LANES, rows, VL, rest < VL ? rest : VL};
}
/* Of a tile's lane with `rest` elements left. */
ACT_OP struct group tile_group(size_t from, size_t inner, size_t rest, size_t lanes)
{
    const int rows = rest > CHUNK - LANES ? GROUP : (int)((rest + LANES - 1) / LANES);
    return (struct group){from, LANES * inner, rows, lanes, lanes};
}

/* s += the terms e(z, exp_of(r, z), at, lanes, k) of the group's elements z = load(at, lanes), in
 * order. f32,
 * terms from 0 to 2^.5 EXP_ONE: high, from a power of two that is above the sum of 8, stays a
 * multiple of 2^-19 EXP_ONE, and low, which collects what high's roundings leave, loses 2^-40
 * EXP_ONE at most: 4 operations a term, where a tree of floats has 1 and errors up to 3 ULP. Four
 * loads come before their stores: rows a multiple of 4096 bytes apart would wait for each other. */
#define G_AT(g, k)    ((g).from + (size_t)(k) * (g).step)
#define G_LANES(g, k) ((k) == (g).rows - 1 ? (g).last : (g).lanes)
#define G_TERM(s, g, load, r, e, k)                                                                \
    do {                                                                                           \
        const vec z_ = load(G_AT(g, k), G_LANES(g, k));                                            \
        (s) = G_PLUS(s, e(z_, exp_of(r, z_), G_AT(g, k), G_LANES(g, k), k));                       \
    } while (0)
#if V_DOUBLE
#define G_PLUS s_add
#define S_ADD_GROUP(s, g, load, r, e)                                                              \
    do {                                                                                           \
        for (int k_ = 0; k_ < (g).rows; k_++)                                                      \
            G_TERM(s, g, load, r, e, k_);                                                          \
    } while (0)
#else
struct high_low {
    vec high, low;
};
ACT_OP struct high_low plus(struct high_low s, vec e)
{
    const vec high = v_add(s.high, e);
    return (struct high_low){high, v_add(s.low, v_sub(e, v_sub(high, s.high)))};
}
#define G_PLUS plus
#define G_FOUR(s, g, load, r, e, k)                                                                \
    do {                                                                                           \
        const vec z0_ = load(G_AT(g, k), (g).lanes), z1_ = load(G_AT(g, k + 1), (g).lanes);        \
        const vec z2_ = load(G_AT(g, k + 2), (g).lanes);                                           \
        const vec z3_ = load(G_AT(g, k + 3), G_LANES(g, k + 3));                                   \
        (s) = plus(s, e(z0_, exp_of(r, z0_), G_AT(g, k), (g).lanes, k));                           \
        (s) = plus(s, e(z1_, exp_of(r, z1_), G_AT(g, k + 1), (g).lanes, k + 1));                   \
        (s) = plus(s, e(z2_, exp_of(r, z2_), G_AT(g, k + 2), (g).lanes, k + 2));                   \
        (s) = plus(s, e(z3_, exp_of(r, z3_), G_AT(g, k + 3), G_LANES(g, k + 3), k + 3));           \
    } while (0)
#define S_ADD_GROUP(s, g, load, r, e)                                                              \
    do {                                                                                           \
        const vec base_ = v_set(16 * EXP_ONE);                                                     \
        struct high_low s_ = {base_, v_set(0)};                                                    \
        if ((g).rows == GROUP) {                                                                   \
            G_FOUR(s_, g, load, r, e, 0);                                                          \
            G_FOUR(s_, g, load, r, e, 4);                                                          \
        } else {                                                                                   \
            int k_ = 0;                                                                            \
            if ((g).rows > 4) {                                                                    \
                G_FOUR(s_, g, load, r, e, 0);                                                      \
                k_ = 4;                                                                            \
            }                                                                                      \
            for (; k_ < (g).rows; k_++)                                                            \
                G_TERM(s_, g, load, r, e, k_);                                                     \
        }                                                                                          \
        (s) = w_add(s, w_add(w_from(v_sub(s_.high, base_)), w_from(s_.low)));                      \
    } while (0)
#endif

/* VL doubles one by one. */
ACT_OP void w_spread(double out[VL], vwide a)
{
#if !V_DOUBLE
    w_store(out, a);
#elif ACT_ISA_IS_SCALAR
    out[0] = a;
#else
    v_store(out, a);
#endif
}
ACT_OP vwide w_gather(const double in[VL])
{
#if !V_DOUBLE
    return w_load(in);
#elif ACT_ISA_IS_SCALAR
    return in[0];
#else
    return v_load(in);
#endif
}

/* The lanes of small whole numbers, added; in every lane. */
ACT_OP vec v_total(vec a)
{
    double lane[VL], sum = 0;
    w_spread(lane, w_from(a));
    for (int i = 0; i < VL; i++)
        sum += lane[i];
    return w_to(w_set(sum));
}

/* The lanes of a row, added; in every lane. */
ACT_OP vsum s_total_row(const vsum part[PARTS])
{
    double a[LANES], b[LANES];
#if V_DOUBLE
    for (int i = 0; i < PARTS; i++) {
        w_spread(a + i * VL, part[i].a);
        w_spread(b + i * VL, part[i].b);
    }
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) {
            const double x = a[i + half], sum = a[i] + x, back = sum - a[i];
            const double error = (a[i] - (sum - back)) + (x - back);
            b[i] = (b[i] + error) + b[i + half];
            a[i] = sum;
        }
#else
    for (int i = 0; i < PARTS; i++)
        w_spread(a + i * VL, part[i]);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            a[i] += a[i + half];
    b[0] = 0;
#endif
    return s_set(a[0], b[0]);
}

/* Lanes that may hold something, rounded up to a power of two: the others are not even cleared. */
ACT_OP int lanes_used(size_t n)
{
    int lanes = 1;
    while (lanes < LANES && (size_t)lanes < n)
        lanes *= 2;
    return lanes;
}

ACT_OP void s_clear_tile(vsum sum[LANES][TILE_PARTS], int lanes, int parts)
{
    for (int l = 0; l < lanes; l++)
        for (int v = 0; v < parts; v++)
            sum[l][v] = s_set(0, 0);
}

ACT_OP vsum s_total_tile(vsum sum[LANES][TILE_PARTS], int lanes, int v)
{
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            sum[l][v] = s_merge(sum[l][v], sum[l + half][v]);
    return sum[0][v];
}

/* One element; arrays need no alignment. */
ACT_OP elem elem_at(const elem *p)
{
    elem a;
    memcpy(&a, p, sizeof a);
    return a;
}
ACT_OP float float_at(const float *p)
{
    float a;
    memcpy(&a, p, sizeof a);
    return a;
}
ACT_OP int64_t index_at(const int64_t *p)
{
    int64_t a;
    memcpy(&a, p, sizeof a);
    return a;
}

/* ---- where elements are ---------------------------------------------------------------------- */

/* The first `lanes` lanes. */
ACT_OP vmask v_first(size_t lanes)
{
    static const elem index[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return v_lt(v_load(index), v_set((elem)lanes));
}
ACT_OP vec v_load_part(const elem *p, size_t lanes)
{
    return lanes == VL ? v_load(p) : v_load_n(p, lanes);
}
ACT_OP void v_store_part(elem *p, vec a, size_t lanes)
{
    if (lanes == VL)
        v_store(p, a);
    else
        v_store_n(p, a, lanes);
}
ACT_OP vec v_load_float_part(const float *p, size_t lanes)
{
    if (lanes == VL)
        return v_load_float(p);
    float part[VL] = {0};
    for (size_t i = 0; i < lanes; i++)
        part[i] = float_at(p + i);
    return v_load_float(part);
}
ACT_OP vmask v_load_keep_part(const uint8_t *p, size_t lanes)
{
    if (lanes == VL)
        return v_load_keep(p);
    uint8_t part[16] = {0};
    for (size_t i = 0; i < lanes; i++)
        part[i] = p[i];
    return v_load_keep(part);
}
ACT_OP size_t part_of(size_t rest)
{
    return rest < VL ? rest : VL;
}

/* To the element type: the scalar table computes in double. */
ACT_OP vec v_round(vec a)
{
#if ACT_ISA_IS_SCALAR
    return (vec)(elem)a;
#else
    return a;
#endif
}

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
    vec scale;
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
    const size_t plane = job->shape.axis * job->shape.inner, first = o % z->mask_outer * plane;
    return (struct source){.x = (const char *)job->in + o * plane * in_size(how),
                           .add = z->add ? z->add + first : NULL,
                           .keep = z->keep ? z->keep + first : NULL,
                           .scale = v_set((elem)z->scale),
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
        z = v_round(v_fma_tight(s->scale, z, add));
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

/* The largest z that is no NaN; -inf if there is none. */
ACT_OP vec max_row(const struct source *s, int how)
{
    const vec none = v_set(-INFINITY);
    vec m0 = none, m1 = none, m2 = none, m3 = none;
    size_t at = 0;
    for (; at + 4 * VL <= s->n; at += 4 * VL) {
        m0 = v_max(z_at(s, at, VL, how), m0);
        m1 = v_max(z_at(s, at + VL, VL, how), m1);
        m2 = v_max(z_at(s, at + 2 * VL, VL, how), m2);
        m3 = v_max(z_at(s, at + 3 * VL, VL, how), m3);
    }
    for (; at < s->n; at += VL)
        m0 = v_max(z_at(s, at, part_of(s->n - at), how), m0);
    return v_set(v_max_of(v_max(v_max(m0, m1), v_max(m2, m3))));
}

/* Columns first .. first + width of a tile. */
struct tile {
    size_t first, inner;
    int parts;   /* vectors */
    size_t last; /* lanes of the last one */
};

ACT_OP struct tile tile_of(size_t first, size_t inner, size_t most)
{
    const size_t width = inner - first < most ? inner - first : most;
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

ACT_OP void max_tile(const struct source *s, const struct tile *t, vec max[TILE_PARTS], int how)
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

/* ---- exponentials relative to the maximum ------------------------------------------------------
 * e = EXP_ONE e^(z - max), in f32 times e^r with |r| < ln2 / 2: there max is not subtracted, whose
 * rounding costs up to 64 ULP, but e^z = 2^n p(r) becomes 2^(n - N) p(r), N = rint(max / ln2).
 * Where |max| >= 200 the difference is exact for every z that matters, and it is subtracted.
 * EXP_ONE keeps e normal, so that only the last product of a result can be subnormal; far below the
 * maximum e is exactly 0, and products cost no microcode assist. */

#if V_DOUBLE
#define EXP_ONE   0x1p519
#define EXP_FLOOR (-800.0) /* 0 below: e^-800 < 2^-1154 */

struct reference {
    vec top; /* the maximum; 0 for a row of -inf, NaN for one with +inf */
    vec floor;
};

ACT_OP struct reference reference_of(vec max)
{
    const vec same = v_sub(max, max); /* 0, or NaN */
    return (struct reference){v_drop(v_eq(max, v_set(-INFINITY)), v_add(max, same)),
                              v_set(EXP_FLOOR)};
}

/* SLEEF's exp of a + SHIFT, an exact sum; e^-SHIFT is 6e-4 ULP from a double. */
#define EXP_SHIFT 359.375
#define EXP_SCALE 0x1.7205cad11c4edp-519

/* The rounding of z - max goes into e. */
ACT_OP vec exp_of(struct reference r, vec z)
{
    const vec t = v_neg(r.top), d = v_sub(z, r.top), back = v_sub(d, z);
    vec low = v_add(v_sub(z, v_sub(d, back)), v_sub(t, back));
    low = v_keep(v_lt(r.floor, d), low);
    const vec a = v_max(r.floor, d);
    const vmask far = v_lt(a, v_set(-EXP_SHIFT));
    vec e = v_exp(v_add(a, v_keep(far, v_set(EXP_SHIFT))));
    e = v_drop(v_le(d, r.floor), v_fma(e, low, e));
    return v_mul(e, v_select(far, v_set(EXP_SCALE * EXP_ONE), v_set(EXP_ONE)));
}
#else
#define EXP_ONE  0x1p49f
#define EXP_BIAS (127 + 49) /* n - N + EXP_BIAS is 0 for 2^-176: e is 0 */

struct reference {
    vec shift; /* subtracted */
    vec magic; /* ROUND_MAGIC + EXP_BIAS - N */
    vec floor; /* least argument: (N - EXP_BIAS) ln2 */
    vec top;   /* the maximum; 0 for a row of -inf, NaN for one with +inf */
};

ACT_OP struct reference reference_of(vec max)
{
    const vmask none = v_eq(max, v_set(-INFINITY));
    const vec shift = v_drop(none, v_keep(v_le(v_set(200), v_abs(max)), max));
    const vec rest = v_sub(v_drop(none, max), shift); /* 0 if subtracted, NaN for +inf */
    const vec n = v_sub(v_fma(rest, v_set(LOG2E), v_set(ROUND_MAGIC)), v_set(ROUND_MAGIC));
    const vec floor = v_mul(v_sub(n, v_set(EXP_BIAS)), v_set(LN2_HIGH));
    return (struct reference){shift, v_sub(v_set(ROUND_MAGIC + EXP_BIAS), n), floor,
                              v_add(shift, rest)};
}

/* n - N + EXP_BIAS, 0 to 177, is in the low bits of shifted, and becomes an exponent: at the floor
 * it is 0, and so is e. A NaN stays one in the polynomial. */
ACT_OP vec exp_of(struct reference r, vec z)
{
    const vec a = v_max(r.floor, v_sub(z, r.shift));
    const vec shifted = v_fma(a, v_set(LOG2E), r.magic), n = v_sub(shifted, r.magic);
    const vec rest = v_fnma(n, v_set(LN2_LOW), v_fnma(n, v_set(LN2_HIGH), a));
    return v_mul(v_exp_poly(rest, 1, 1), v_from_bits(i_shl(v_bits(shifted), 23)));
}

/* e^-r, r = max - N ln2, within 2^-42. */
ACT_OP vwide top_factor(struct reference r)
{
    const vwide n = w_from(v_sub(v_set(ROUND_MAGIC + EXP_BIAS), r.magic));
    const vwide rest = w_from(v_sub(r.top, r.shift));
    const vwide x = w_sub(w_mul(n, w_set(0.693147180559945309)), rest);
    vwide p = w_set(1.0 / 39916800);
    p = w_fma(p, x, w_set(1.0 / 3628800));
    p = w_fma(p, x, w_set(1.0 / 362880));
    p = w_fma(p, x, w_set(1.0 / 40320));
    p = w_fma(p, x, w_set(1.0 / 5040));
    p = w_fma(p, x, w_set(1.0 / 720));
    p = w_fma(p, x, w_set(1.0 / 120));
    p = w_fma(p, x, w_set(1.0 / 24));
    p = w_fma(p, x, w_set(1.0 / 6));
    p = w_fma(p, x, w_set(0.5));
    p = w_fma(p, x, w_set(1));
    return w_fma(p, x, w_set(1));
}
#endif

/* The exponentials of the second pass wait for the third in the output, unless that is too narrow:
 * then they are computed again. So are those of the scalar f32 table, which are doubles. */
#define EXP_KEPT(how) ((!V_DOUBLE || ACT_UNIT_F64) && !((how)&IN_HALF))

ACT_OP void exp_keep(void *kept, size_t at, vec e, size_t lanes, int how)
{
    if (EXP_KEPT(how))
        v_store_part((elem *)kept + at, e, lanes);
}

ACT_OP vec exp_again(const struct source *s, const void *kept, size_t at, size_t lanes,
                     struct reference r, int how)
{
    return EXP_KEPT(how) ? v_load_part((const elem *)kept + at, lanes)
                         : exp_of(r, z_at(s, at, lanes, how));
}

/* ---- the logarithm of a sum --------------------------------------------------------------------
 * With u = the sum of e^(z - max) without one maximum, log sum = max + log1p(u): beside one
 * dominant element all of a tiny u counts. Elements equal to the maximum are counted, not added. */
struct log_sum {
    vwide u, l;    /* l = log1p(u) */
    vwide inverse; /* of the sum: e * inverse / EXP_ONE is a probability */
};

#if V_DOUBLE
ACT_OP struct log_sum log_sum_of(struct reference r, vsum rest, vec count)
{
    const vec scale = v_set(1 / EXP_ONE), others = v_max(v_set(0), v_sub(count, v_set(1)));
    const vsum sum = s_add((vsum){v_mul(rest.a, scale), v_mul(rest.b, scale)}, others);
    const vec bad = v_sub(r.top, r.top);
    const vec u = v_add(v_add(sum.a, sum.b), bad), low = v_add(v_sub(sum.a, u), sum.b);
    const vec one = v_add(v_set(1), u);
    return (struct log_sum){u, v_add(v_log1p(u), v_div(low, one)), v_div(v_set(1), one)};
}
#else
/* log1p(u), u >= 0: u + 1 = 2^k (1 + f), 1 + f in [.707, 1.414], f = u for k = 0; then atanh's
 * series in s = f / (2 + f), within 2^-44. */
ACT_OP vwide w_log1p(vwide u)
{
    const vwide one = w_set(1);
    const vint bits = i_add(v_bits(w_to(w_add(u, one))), i_set(0x3f800000 - 0x3f3504f3));
    const vint k = i_sub(i_sar(bits, 23), i_set(127));
    const vwide power = w_from(v_pow2(i_sub(i_set(0), k), 0));
    const vwide f = w_add(w_mul(u, power), w_sub(power, one));
    const vwide s = w_div(f, w_add(f, w_set(2))), t = w_mul(s, s);
    vwide q = w_set(2.0 / 15);
    q = w_fma(q, t, w_set(2.0 / 13));
    q = w_fma(q, t, w_set(2.0 / 11));
    q = w_fma(q, t, w_set(2.0 / 9));
    q = w_fma(q, t, w_set(2.0 / 7));
    q = w_fma(q, t, w_set(2.0 / 5));
    q = w_fma(q, t, w_set(2.0 / 3));
    q = w_mul(w_fma(q, t, w_set(2)), s);
    const vec as_float = v_from_bits(i_add(k, i_set(0x4b400000)));
    return w_fma(w_from(v_sub(as_float, v_set(ROUND_MAGIC))), w_set(0.693147180559945309), q);
}

ACT_OP struct log_sum log_sum_of(struct reference r, vsum rest, vec count)
{
    const vwide factor = top_factor(r);
    const vwide others = w_from(v_max(v_set(0), v_sub(count, v_set(1))));
    const vwide u = w_fma(w_mul(rest, w_set(1 / (double)EXP_ONE)), factor, others);
    return (struct log_sum){u, w_log1p(u), w_div(factor, w_add(w_set(1), u))};
}
#endif

ACT_OP vwide log1p_of(vwide u)
{
#if V_DOUBLE
    return v_log1p(u);
#else
    return w_log1p(u);
#endif
}

/* What an element adds to the sum beside the maxima. */
ACT_OP vec beside_max(vec max, vec z, vec e)
{
    return v_drop(v_eq(z, max), e);
}

/* ---- the kernels -----------------------------------------------------------------------------
 * ROWS_VARIANT: f_row and f_tile as functions of (type *, size_t first), compiled for one `how`.
 * ROWS_VARIANTS: all there are, also with masks; ROWS_OF: the one for a call. */
#define ROWS_VARIANT(f, name, type, how)                                                           \
    static void ACT_SYMBOL(f, name##_row)(type * t, size_t first)                                  \
    {                                                                                              \
        (void)first;                                                                               \
        f##_row(t, how);                                                                           \
    }                                                                                              \
    static void ACT_SYMBOL(f, name##_tile)(type * t, size_t first)                                 \
    {                                                                                              \
        f##_tile(t, first, how);                                                                   \
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

/* The units [from, from + count) of a call (act_softmax_fn): outer index o, and of it the columns
 * first to end. */
#define FOR_UNITS(job, from, count, o, first, end, ...)                                            \
    do {                                                                                           \
        const size_t inner_ = (job)->shape.inner, each_ = act_softmax_units(inner_);               \
        for (size_t unit_ = (from); unit_ < (from) + (count); unit_++) {                           \
            const size_t o = each_ == 1 ? unit_ : unit_ / each_;                                   \
            const size_t first = (unit_ - o * each_) * ACT_SOFTMAX_UNIT;                           \
            const size_t end =                                                                     \
                inner_ - first < ACT_SOFTMAX_UNIT ? inner_ : first + ACT_SOFTMAX_UNIT;             \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    } while (0)

#endif
