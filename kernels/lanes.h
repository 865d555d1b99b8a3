/* Sums over many elements, and arrays of any alignment and length, a vector at a time: what
 * kernels/rows.h and other structured operations (norm.c, dyrelu.c, frelu.c, stats.c) share.
 *
 * A sum takes its terms in one order whether vectors run along the row that is summed or across
 * several rows, of which each lane is one ("tile"): element j belongs to virtual lane j % 16; eight
 * consecutive elements of a lane are a group, of which a chunk of 128 elements has one per lane; a
 * lane adds its groups in order; the lanes are added as a tree. f32 adds the elements of a group
 * without error to speak of, in two floats, and the groups in double; double adds everything
 * compensated, as a + b. */
#ifndef ACT_KERNELS_LANES_H
#define ACT_KERNELS_LANES_H

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
    TILE = V_DOUBLE ? 32 : ROWS_TILE, /* columns */
    TILE_PARTS = TILE / VL,
    PANEL = V_DOUBLE ? 96 : 192, /* columns, 5 sums of each open at once: panel_merge */
    PANEL_PARTS = PANEL / VL,
    PANEL_SUMS = (V_DOUBLE ? 512 : 1024) / VL /* 8 KiB; LANES of each of 64 columns, or 32 */
};

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
 * EXP_ONE at most: 4 operations a term, where a tree of floats has 1 and errors up to 3 ULP. Loads
 * come before stores, eight where vectors run across rows: a load waits for a store whose
 * address has the same last 12 bits, as rows of 1024 floats have. */
#define G_AT(g, k)    ((g).from + (size_t)(k) * (g).step)
#define G_LANES(g, k) ((k) == (g).rows - 1 ? (g).last : (g).lanes)
#define G_TERM(s, g, load, r, e, k)                                                                \
    do {                                                                                           \
        const vec z_ = load(G_AT(g, k), G_LANES(g, k));                                            \
        (s) = G_PLUS(s, e(z_, exp_of(r, z_), G_AT(g, k), G_LANES(g, k), k));                       \
    } while (0)
#if V_DOUBLE
#define G_PLUS s_add
#define S_ADD_GROUP(s, g, across, load, r, e)                                                      \
    do {                                                                                           \
        (void)(across);                                                                            \
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
#define G_EIGHT(s, g, load, r, e)                                                                  \
    do {                                                                                           \
        vec z_[GROUP];                                                                             \
        _Pragma("GCC unroll 8") for (int k_ = 0; k_ < GROUP; k_++) z_[k_] =                        \
            load(G_AT(g, k_), G_LANES(g, k_));                                                     \
        _Pragma("GCC unroll 8") for (int k_ = 0; k_ < GROUP; k_++)(s) =                            \
            plus(s, e(z_[k_], exp_of(r, z_[k_]), G_AT(g, k_), G_LANES(g, k_), k_));                \
    } while (0)
#define S_ADD_GROUP(s, g, across, load, r, e)                                                      \
    do {                                                                                           \
        const vec base_ = v_set(16 * EXP_ONE);                                                     \
        struct high_low s_ = {base_, v_set(0)};                                                    \
        if ((across) && (g).rows == GROUP) {                                                       \
            G_EIGHT(s_, g, load, r, e);                                                            \
        } else if ((g).rows == GROUP) {                                                            \
            G_FOUR(s_, g, load, r, e, 0);                                                          \
            G_FOUR(s_, g, load, r, e, 4);                                                          \
        } else {                                                                                   \
            int k_ = 0;                                                                            \
            if ((g).rows >= 4) {                                                                   \
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

/* The lanes, added as a tree. */
ACT_OP double lanes_total(const double lanes[LANES])
{
    double a[8], b[4], c[2];
    for (int i = 0; i < 8; i++)
        a[i] = lanes[i] + lanes[i + 8];
    for (int i = 0; i < 4; i++)
        b[i] = a[i] + a[i + 4];
    for (int i = 0; i < 2; i++)
        c[i] = b[i] + b[i + 2];
    return c[0] + c[1];
}

/* The lanes of small whole numbers, added. */
ACT_OP double count_total(vec a)
{
    double lane[VL], sum[4] = {0, 0, 0, 0};
    w_spread(lane, w_from(a));
    for (int i = 0; i < VL; i++)
        sum[i % 4] += lane[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}
/* ... in every lane. */
ACT_OP vec v_total(vec a)
{
    return w_to(w_set(count_total(a)));
}

/* A sum of one row. */
struct row_sum {
    double a, b; /* b is f64's */
};

/* The lanes of a row, added. */
ACT_OP struct row_sum row_total(const vsum part[PARTS])
{
    double a[LANES], b[LANES];
#if V_DOUBLE
    for (int i = 0; i < PARTS; i++) {
        w_spread(a + i * VL, part[i].a);
        w_spread(b + i * VL, part[i].b);
    }
#pragma GCC unroll 4
    for (int half = LANES / 2; half > 0; half /= 2)
#pragma GCC unroll 8
        for (int i = 0; i < half; i++) {
            const double x = a[i + half], sum = a[i] + x, back = sum - a[i];
            const double error = (a[i] - (sum - back)) + (x - back);
            b[i] = (b[i] + error) + b[i + half];
            a[i] = sum;
        }
#else
    for (int i = 0; i < PARTS; i++)
        w_spread(a + i * VL, part[i]);
    a[0] = lanes_total(a);
    b[0] = 0;
#endif
    return (struct row_sum){a[0], b[0]};
}
/* ... in every lane. */
ACT_OP vsum s_total_row(const vsum part[PARTS])
{
    const struct row_sum sum = row_total(part);
    return s_set(sum.a, sum.b);
}
/* The sums of VL rows. */
ACT_OP vsum s_of_rows(const struct row_sum row[VL])
{
    double lane[VL];
    for (int i = 0; i < VL; i++)
        lane[i] = row[i].a;
    const vwide a = w_gather(lane);
#if V_DOUBLE
    for (int i = 0; i < VL; i++)
        lane[i] = row[i].b;
    return (vsum){a, w_gather(lane)};
#else
    return a;
#endif
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

/* The lanes of a panel in the order in which their tree can be added as they come:
 * those of the k-th's bits reversed. */
ACT_OP int panel_lane(int k, int lanes)
{
    int lane = 0;
    for (; lanes > 1; lanes /= 2, k /= 2)
        lane = 2 * lane + k % 2;
    return lane;
}
/* Where the sums of the k-th lane go: the ones of k's bits are sums that wait for others. */
ACT_OP int panel_level(int k)
{
    return __builtin_popcount((unsigned)k);
}
ACT_OP void panel_add(vsum *to, const vsum *from, int parts)
{
    for (int v = 0; v < parts; v++)
        to[v] = s_merge(to[v], from[v]);
}
/* After the k-th lane: every pair of the tree that is complete. In the end sums has all. */
ACT_OP void panel_merge(vsum *sums, int k, int parts)
{
    for (int level = panel_level(k); k % 2 == 1; level--, k /= 2)
        panel_add(sums + (level - 1) * parts, sums + level * parts, parts);
}
/* After all lanes of a narrow one. */
ACT_OP void panel_total(vsum *sums, int lanes, int parts)
{
    for (int half = lanes / 2; half > 0; half /= 2)
        panel_add(sums, sums + half * parts, half * parts);
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

/* ---- elements
 * ------------------------------------------------------------------------------------ */

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

#endif
