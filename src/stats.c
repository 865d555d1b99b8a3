/* What an activation's outputs are like: act_stats_add, act_stats_merge. */
#include "src/info.h"
#include "src/wide.h"

#include <math.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* A block: in the first cache, and its counts are exact in float. Widened: 8 KiB. */
enum { BLOCK = 2048 };

/* As near to a limit as the type tells: as actfn.h says. */
static void bounds_of(act_dtype t, double limit, double bounds[2])
{
    static const double unit[] = {
        [ACT_F32] = 0x1p-24, [ACT_F64] = 0x1p-53, [ACT_BF16] = 0x1p-8, [ACT_F16] = 0x1p-11};
    static const double subnormal[] = {[ACT_F32] = 0x1p-126 - 0x1p-149,
                                       [ACT_F64] = 0x1p-1022 - 0x1p-1074,
                                       [ACT_BF16] = 0x1p-126 - 0x1p-149,
                                       [ACT_F16] = 0x1p-14 - 0x1p-24};
    const double off = limit == 0 ? subnormal[t] : unit[t] * fabs(limit);
    bounds[0] = limit - off;
    bounds[1] = limit + off;
    if (!isfinite(limit))
        bounds[0] = INFINITY, bounds[1] = -INFINITY; /* nothing */
}

static void limits_of(act_dtype t, const struct act_row *row_f64, const act_params *p,
                      struct act_stats_limits *limits)
{
    const act_params rounded = {act_round_to(t, p->alpha), act_round_to(t, p->beta),
                                act_round_to(t, p->gamma), act_round_to(t, p->delta)};
    const double ends[2] = {-INFINITY, INFINITY};
    double values[2];
    row_f64->forward(&rounded, ends, values, 2);
    bounds_of(t, values[0], limits->low);
    bounds_of(t, values[1], limits->high);
}

act_status act_stats_merge(const act_stats *more, act_stats *io)
{
    if (!more || !io)
        return ACT_ERR_NULL;
    const act_stats a = *io, b = *more;
    const double na = (double)(a.count - a.nan - a.inf), nb = (double)(b.count - b.nan - b.inf);
    io->count += b.count;
    io->zero += b.zero;
    io->saturated += b.saturated;
    io->nan += b.nan;
    io->inf += b.inf;
    io->sum_abs += b.sum_abs;
    io->sum_sq += b.sum_sq;
    if (nb == 0)
        return ACT_OK;
    if (na == 0) {
        io->mean = b.mean, io->m2 = b.m2, io->min = b.min, io->max = b.max;
        return ACT_OK;
    }
    /* Chan, Golub and LeVeque. */
    const double d = b.mean - a.mean, share = nb / (na + nb);
    io->mean = a.mean + d * share;
    io->m2 = a.m2 + b.m2 + d * d * (na * share);
    io->min = b.min < a.min ? b.min : a.min;
    io->max = b.max > a.max ? b.max : a.max;
    return ACT_OK;
}

act_status act_stats_add(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                         const void *out, size_t n, act_stats *io)
{
    if (!act_kind_valid(k))
        return ACT_ERR_KIND;
    struct act_choice choice;
    struct act_wide wide;
    act_status status = act_wide_check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL, &choice, &wide);
    if (status == ACT_OK)
        status = act_check_params(k, t, &p);
    if (status != ACT_OK)
        return status;
    size_t elements;
    if (!act_count(n, 1, 1, wide.size, &elements))
        return ACT_ERR_SIZE;
    if (n == 0)
        return ACT_OK;
    if (!out || !io)
        return ACT_ERR_NULL;
    if (!act_spans_disjoint((struct act_span){out, n * wide.size},
                            (struct act_span){io, sizeof *io}))
        return ACT_ERR_OVERLAP;
    struct act_stats_limits limits;
    limits_of(t, act_row_of(choice, ACT_F64, k), p, &limits);
    float block[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t count = n - i < BLOCK ? n - i : BLOCK;
        const char *y = (const char *)out + i * wide.size;
        if (wide.convert) {
            act_widen(&wide, y, block, count);
            y = (const char *)block;
        }
        act_stats part;
        act_tables[choice.isa]->stats[wide.compute]->block(y, count, &limits, &part);
        act_stats_merge(&part, io);
    }
    return ACT_OK;
}
