/* The checks that calls share. */
#include "src/check.h"
#include "dispatch/cpu.h"
#include "src/info.h"

#include <math.h>
#include <stdint.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

act_status act_check_type(act_dtype dtype, unsigned flags, unsigned allowed,
                          struct act_choice *choice)
{
    *choice = act_current();
    if (dtype < ACT_F32 || dtype > ACT_F16_F32 || (flags & ~allowed))
        return ACT_ERR_UNSUPPORTED;
    if (flags & ACT_REPRODUCIBLE) {
        choice->mode = ACT_MODE_REPRODUCIBLE;
        if (!(act_cpu_fma_isas() >> choice->isa & 1))
            return ACT_ERR_UNSUPPORTED;
    }
    return ACT_OK;
}

double act_round_to(act_dtype dtype, double value)
{
    return dtype == ACT_F64 ? value : (double)(float)value;
}

static int in_domain(int domain, double value, double alpha)
{
    switch (domain) {
    case ACT_DOMAIN_FINITE:
        return isfinite(value);
    case ACT_DOMAIN_POSITIVE:
        return isfinite(value) && value > 0;
    case ACT_DOMAIN_NONNEGATIVE:
        return isfinite(value) && value >= 0;
    case ACT_DOMAIN_EXTENDED:
        return !isnan(value);
    case ACT_DOMAIN_ABOVE_ALPHA:
        return value >= alpha;
    case ACT_DOMAIN_BELOW_ALPHA:
        return value <= alpha;
    case ACT_DOMAIN_FINITE_ABOVE_ALPHA:
        return isfinite(value) && value >= alpha;
    case ACT_DOMAIN_FINITE_BELOW_ALPHA:
        return isfinite(value) && value <= alpha;
    default:
        return 1;
    }
}

static int params_valid(const act_kind_info *info, act_dtype dtype, const act_params *p)
{
    const double given[4] = {p->alpha, p->beta, p->gamma, p->delta};
    for (int i = 0; i < info->param_count; i++) {
        if (info->param_domain[i] == ACT_DOMAIN_NONE)
            continue; /* may hold anything */
        const double value = act_round_to(dtype, given[i]);
        if (isinf(value) && !isinf(given[i]))
            return 0; /* too large for the type, even where infinity is meaningful */
        if (!in_domain(info->param_domain[i], value, act_round_to(dtype, given[0])))
            return 0;
    }
    return 1;
}

act_status act_check_params(act_kind kind, act_dtype dtype, const act_params **p)
{
    const act_kind_info *info = &act_kind_infos[kind];
    if (!*p)
        *p = &info->defaults;
    else if (!params_valid(info, dtype, *p))
        return ACT_ERR_PARAM;
    return ACT_OK;
}

int act_count(size_t a, size_t b, size_t c, size_t size, size_t *elements)
{
    size_t bytes;
    *elements = 0;
    if (a == 0 || b == 0 || c == 0)
        return 1;
    if (__builtin_mul_overflow(a, b, elements) || __builtin_mul_overflow(*elements, c, elements) ||
        __builtin_mul_overflow(*elements, size, &bytes))
        return 0;
    return bytes <= PTRDIFF_MAX;
}

int act_spans_disjoint(struct act_span a, struct act_span b)
{
    if (!a.data || !b.data || !a.bytes || !b.bytes)
        return 1;
    const uintptr_t p = (uintptr_t)a.data, q = (uintptr_t)b.data;
    return p > q ? p - q >= b.bytes : q - p >= a.bytes;
}

int act_spans_same_or_disjoint(struct act_span a, struct act_span b)
{
    return (a.data == b.data && a.bytes == b.bytes) || act_spans_disjoint(a, b);
}
