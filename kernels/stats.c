/* What outputs are like: counts, sums and extremes of a block, which stays in the first cache for a
 * second pass around its mean. Every ISA adds in the same order, of 16 lanes, without FMA: the bits
 * are the same. */
#include "dispatch/parts.h"
#include "kernels/lanes.h"

ACT_OP vec one_if(vmask m)
{
    return v_keep(m, v_set(1));
}

struct lanes {
    vec zero[PARTS], saturated[PARTS], nan[PARTS], infinite[PARTS], min[PARTS], max[PARTS];
    vwide sum[PARTS], size[PARTS], square[PARTS];
};

/* In the bounds, a limit's. */
ACT_OP vec near(vec y, const double *bounds)
{
    const vmask inside = v_both(v_le(v_set((elem)bounds[0]), y), v_le(y, v_set((elem)bounds[1])));
    return one_if(inside);
}

ACT_OP void visit(struct lanes *l, int i, vec y, vec there, const struct act_stats_limits *limits)
{
    const vec size = v_abs(y);
    const vmask finite = v_lt(size, v_set(INFINITY));
    const vmask exists = v_lt(v_set(0), there), counts = v_both(finite, exists);
    const vec value = v_keep(counts, y);
    l->zero[i] = v_add(l->zero[i], v_keep(exists, one_if(v_eq(y, v_set(0)))));
    l->nan[i] = v_add(l->nan[i], v_keep(exists, v_drop(v_eq(y, y), v_set(1))));
    l->infinite[i] = v_add(l->infinite[i], one_if(v_both(exists, v_eq(size, v_set(INFINITY)))));
    l->saturated[i] =
        v_add(l->saturated[i], v_keep(counts, v_max(near(y, limits->low), near(y, limits->high))));
    l->min[i] = v_min(v_select(counts, y, v_set(INFINITY)), l->min[i]);
    l->max[i] = v_max(v_select(counts, y, v_set(-INFINITY)), l->max[i]);
    const vwide a = w_from(value);
    l->sum[i] = w_add(l->sum[i], a);
    l->size[i] = w_add(l->size[i], w_from(v_abs(value)));
    l->square[i] = w_add(l->square[i], w_mul(a, a));
}

ACT_OP double total(double a[LANES])
{
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            a[i] += a[i + half];
    return a[0];
}
ACT_OP double total_wide(const vwide s[PARTS])
{
    double a[LANES];
    for (int i = 0; i < PARTS; i++)
        w_spread(a + i * VL, s[i]);
    return total(a);
}
ACT_OP uint64_t count_of(const vec s[PARTS])
{
    double a[LANES];
    for (int i = 0; i < PARTS; i++)
        w_spread(a + i * VL, w_from(s[i]));
    return (uint64_t)total(a);
}

/* The sum of (y - mean)^2 of the finite elements. */
ACT_OP double around(const elem *y, size_t n, double mean)
{
    const vwide centre = w_set(mean);
    vwide s[PARTS];
    for (int i = 0; i < PARTS; i++)
        s[i] = w_set(0);
    for (size_t j = 0; j < n;)
        for (int i = 0; i < PARTS && j < n; i++, j += VL) {
            const size_t lanes = part_of(n - j);
            const vec v = v_load_part(y + j, lanes);
            const vmask counts = v_both(v_lt(v_abs(v), v_set(INFINITY)), v_first(lanes));
            const vwide d = w_sub(w_from(v_keep(counts, v)), centre);
            const vwide kept = w_mul(d, w_from(one_if(counts)));
            s[i] = w_add(s[i], w_mul(kept, kept));
        }
    return total_wide(s);
}

static void ACT_PART_SYMBOL(stats_block)(const void *out, size_t n,
                                         const struct act_stats_limits *limits, act_stats *to)
{
    const elem *y = out;
    struct lanes l;
    for (int i = 0; i < PARTS; i++) {
        l.zero[i] = l.saturated[i] = l.nan[i] = l.infinite[i] = v_set(0);
        l.min[i] = v_set(INFINITY), l.max[i] = v_set(-INFINITY);
        l.sum[i] = l.size[i] = l.square[i] = w_set(0);
    }
    size_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int i = 0; i < PARTS; i++)
            visit(&l, i, v_load(y + j + (size_t)i * VL), v_set(1), limits);
    for (int i = 0; j < n; i++, j += VL) {
        const size_t lanes = part_of(n - j);
        visit(&l, i, v_load_part(y + j, lanes), one_if(v_first(lanes)), limits);
    }
    *to = (act_stats){.count = n,
                      .zero = count_of(l.zero),
                      .saturated = count_of(l.saturated),
                      .nan = count_of(l.nan),
                      .inf = count_of(l.infinite),
                      .sum_abs = total_wide(l.size),
                      .sum_sq = total_wide(l.square)};
    const uint64_t finite = n - to->nan - to->inf;
    if (finite == 0)
        return;
    double min[LANES], max[LANES];
    for (int i = 0; i < PARTS; i++)
        w_spread(min + i * VL, w_from(l.min[i])), w_spread(max + i * VL, w_from(l.max[i]));
    for (int i = 1; i < LANES; i++) {
        min[0] = min[i] < min[0] ? min[i] : min[0];
        max[0] = max[i] > max[0] ? max[i] : max[0];
    }
    to->min = min[0], to->max = max[0];
    to->mean = total_wide(l.sum) / (double)finite;
    to->m2 = around(y, n, to->mean);
}

ACT_PART_ROW(stats) = {ACT_PART_SYMBOL(stats_block)};
