/* The elementwise entry points: check the arguments, load the table, call. */
#include "src/info.h"
#include "src/parallel.h"

#include <math.h>
#include <stdint.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* Parameters as a kernel of this type sees them: rounded once to the type. */
static double round_to(act_dtype dtype, double value)
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
        const double value = round_to(dtype, given[i]);
        if (isinf(value) && !isinf(given[i]))
            return 0; /* too large for the type, even where infinity is meaningful */
        if (!in_domain(info->param_domain[i], value, round_to(dtype, given[0])))
            return 0;
    }
    return 1;
}

/* The same array or disjoint: anything else would be read after it is written. */
static int overlap_ok(const void *in, const void *out, size_t bytes)
{
    const uintptr_t a = (uintptr_t)in, b = (uintptr_t)out;
    return a == b || (a > b ? a - b : b - a) >= bytes;
}

static size_t size_of(act_dtype dtype)
{
    return dtype == ACT_F64 ? sizeof(double) : sizeof(float);
}

/* The checks that come before the pointers, in the order actfn.h promises. On ACT_OK *p is never
 * NULL. */
static act_status check(act_kind kind, act_dtype dtype, const act_params **p, size_t n)
{
    if (!act_kind_valid(kind))
        return ACT_ERR_KIND;
    if (!*p)
        *p = &act_kind_infos[kind].defaults;
    else if (!params_valid(&act_kind_infos[kind], dtype, *p))
        return ACT_ERR_PARAM;
    return n > PTRDIFF_MAX / size_of(dtype) ? ACT_ERR_SIZE : ACT_OK;
}

static act_status forward(act_dtype dtype, act_kind kind, const act_params *p, const void *in,
                          void *out, size_t n)
{
    const act_status status = check(kind, dtype, &p, n);
    if (status != ACT_OK || n == 0)
        return status;
    if (!in || !out)
        return ACT_ERR_NULL;
    if (!overlap_ok(in, out, n * size_of(dtype)))
        return ACT_ERR_OVERLAP;
    const struct act_job job = {.forward = act_current_row(dtype, kind)->forward,
                                .params = p,
                                .in = in,
                                .out = out,
                                .n = n,
                                .size = size_of(dtype)};
    act_run(&job);
    return ACT_OK;
}

static act_status call_backward(act_backward_fn *kernel, act_dtype dtype, const act_params *p,
                                const void *in, const void *grad_out, void *grad_in, size_t n)
{
    if (n == 0)
        return ACT_OK;
    if (!in || !grad_out || !grad_in)
        return ACT_ERR_NULL;
    const size_t bytes = n * size_of(dtype);
    if (!overlap_ok(in, grad_in, bytes) || !overlap_ok(grad_out, grad_in, bytes))
        return ACT_ERR_OVERLAP;
    const struct act_job job = {.backward = kernel,
                                .params = p,
                                .in = in,
                                .grad_out = grad_out,
                                .out = grad_in,
                                .n = n,
                                .size = size_of(dtype)};
    act_run(&job);
    return ACT_OK;
}

static act_status backward(act_dtype dtype, act_kind kind, const act_params *p, const void *in,
                           const void *grad_out, void *grad_in, size_t n)
{
    const act_status status = check(kind, dtype, &p, n);
    if (status != ACT_OK)
        return status;
    return call_backward(act_current_row(dtype, kind)->backward, dtype, p, in, grad_out, grad_in,
                         n);
}

static act_status from_output(act_dtype dtype, act_kind kind, const act_params *p, const void *out,
                              const void *grad_out, void *grad_in, size_t n)
{
    if (act_kind_valid(kind)) {
        if (!act_kind_infos[kind].from_output)
            return ACT_ERR_UNSUPPORTED;
        if (p && act_kind_output_needs_slope[kind] && p->alpha < 0)
            return ACT_ERR_PARAM; /* a negative slope folds two inputs onto one output */
    }
    const act_status status = check(kind, dtype, &p, n);
    if (status != ACT_OK)
        return status;
    return call_backward(act_current_row(dtype, kind)->from_output, dtype, p, out, grad_out,
                         grad_in, n);
}

act_status act_forward(act_kind kind, const act_params *params, const float *in, float *out,
                       size_t n)
{
    return forward(ACT_F32, kind, params, in, out, n);
}

act_status act_forward_f64(act_kind kind, const act_params *params, const double *in, double *out,
                           size_t n)
{
    return forward(ACT_F64, kind, params, in, out, n);
}

act_status act_backward(act_kind kind, const act_params *params, const float *in,
                        const float *grad_out, float *grad_in, size_t n)
{
    return backward(ACT_F32, kind, params, in, grad_out, grad_in, n);
}

act_status act_backward_f64(act_kind kind, const act_params *params, const double *in,
                            const double *grad_out, double *grad_in, size_t n)
{
    return backward(ACT_F64, kind, params, in, grad_out, grad_in, n);
}

act_status act_backward_from_output(act_kind kind, const act_params *params, const float *out,
                                    const float *grad_out, float *grad_in, size_t n)
{
    return from_output(ACT_F32, kind, params, out, grad_out, grad_in, n);
}

act_status act_backward_from_output_f64(act_kind kind, const act_params *params, const double *out,
                                        const double *grad_out, double *grad_in, size_t n)
{
    return from_output(ACT_F64, kind, params, out, grad_out, grad_in, n);
}
