/* Activation and normalisation: act_norm_* (the activation first), act_normed_* (the norm first).
 * In chunks that stay in the first cache; the kind's own kernel does f and f'. */
#include "src/norm.h"
#include "src/info.h"
#include "src/parallel.h"

#include <math.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

typedef void part_fn(const void *job, size_t first, size_t count);

static void run(part_fn *part, const struct norm *m, unsigned flags, size_t count, size_t unit)
{
    if (flags & ACT_SERIAL)
        part(m, 0, count);
    else
        act_run_parts(part, m, count, unit);
}

static size_t threads_of(unsigned flags)
{
    return flags & ACT_SERIAL ? 1 : (size_t)act_get_num_threads();
}

static size_t tiles_of(const struct norm *m, size_t most)
{
    return m->shape.outer * ((m->shape.inner + most - 1) / most);
}
static size_t tile_elements(const struct norm *m, size_t most)
{
    return m->shape.axis * (m->shape.inner < most ? m->shape.inner : most);
}

/* Spans: the array, the parameters, what is saved. */
struct spans {
    size_t n, array, param, saved;
};

static act_status check(act_dtype t, unsigned flags, unsigned allowed, act_kind k,
                        const act_params **p, act_shape s, int rms, double eps, struct norm *m,
                        struct spans *bytes)
{
    if (!act_kind_valid(k))
        return ACT_ERR_KIND;
    struct act_choice choice;
    act_status status = act_wide_check(t, flags, allowed, &choice, &m->wide);
    if (status == ACT_OK)
        status = act_check_params(k, t, p);
    if (status != ACT_OK)
        return status;
    m->eps = act_round_to(t, eps);
    if (!(m->eps >= 0) || !isfinite(m->eps))
        return ACT_ERR_PARAM;
    size_t rows;
    if (!act_count(s.outer, s.axis, s.inner, m->wide.work, &bytes->n) ||
        !act_count(s.outer, 1, s.inner, m->wide.work, &rows) || s.axis > PTRDIFF_MAX / m->wide.work)
        return ACT_ERR_SIZE;
    bytes->array = bytes->n * m->wide.size;
    bytes->param = s.axis * m->wide.work;
    bytes->saved = rows * m->wide.work;
    const struct act_table *table = act_tables[choice.isa];
    m->row = table->row[choice.mode][m->wide.compute][k];
    m->loops = table->norm[m->wide.compute];
    m->params = *p;
    m->shape = s;
    m->identity = strcmp(act_kind_infos[k].name, "identity") == 0;
    m->rms = rms != 0;
    m->accumulate = (flags & ACT_ACCUMULATE) != 0;
    return ACT_OK;
}

/* No output overlaps another array: but for the pair, which may be the same. */
static int overlap_ok(const struct act_span *out, int outputs, const struct act_span *in,
                      int inputs)
{
    for (int o = 0; o < outputs; o++) {
        for (int i = 0; i < inputs; i++) {
            const int may_be_same = o == 0 && i < 2; /* the array, grad_out */
            if (may_be_same ? !act_spans_same_or_disjoint(in[i], out[o])
                            : !act_spans_disjoint(in[i], out[o]))
                return 0;
        }
        for (int other = o + 1; other < outputs; other++)
            if (!act_spans_disjoint(out[o], out[other]))
                return 0;
    }
    return 1;
}

static act_status forward(int act_first, act_dtype t, unsigned flags, act_kind k,
                          const act_params *p, act_shape s, int rms, double eps, const void *gamma,
                          const void *beta, const void *in, void *out, void *mean, void *rstd)
{
    struct norm m = {.act_first = act_first,
                     .gamma = gamma,
                     .beta = beta,
                     .in = in,
                     .out = out,
                     .mean = mean,
                     .rstd = rstd};
    struct spans bytes;
    const act_status status =
        check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL, k, &p, s, rms, eps, &m, &bytes);
    if (status != ACT_OK || bytes.n == 0)
        return status;
    if (!in || !out)
        return ACT_ERR_NULL;
    const struct act_span outputs[] = {
        {out, bytes.array}, {m.rms ? NULL : mean, bytes.saved}, {rstd, bytes.saved}};
    const struct act_span inputs[] = {
        {in, bytes.array}, {NULL, 0}, {gamma, bytes.param}, {beta, bytes.param}};
    if (!overlap_ok(outputs, 3, inputs, 4))
        return ACT_ERR_OVERLAP;
    if (act_norm_forward_fits_planes(&m, threads_of(flags)))
        run(act_norm_forward_planes, &m, flags, s.outer, s.axis * s.inner);
    else
        run(act_norm_forward_part, &m, flags, tiles_of(&m, FORWARD), tile_elements(&m, FORWARD));
    return ACT_OK;
}

static act_status backward(int act_first, act_dtype t, unsigned flags, act_kind k,
                           const act_params *p, act_shape s, int rms, const void *gamma,
                           const void *beta, const void *in, const void *mean, const void *rstd,
                           const void *grad_out, void *grad_in, void *dgamma, void *dbeta)
{
    struct norm m = {.act_first = act_first,
                     .gamma = gamma,
                     .beta = beta,
                     .in = in,
                     .grad_out = grad_out,
                     .saved_mean = mean,
                     .saved_rstd = rstd,
                     .out = grad_in,
                     .dgamma = dgamma,
                     .dbeta = dbeta};
    struct spans bytes;
    const act_status status = check(t, flags, ACT_REPRODUCIBLE | ACT_SERIAL | ACT_ACCUMULATE, k, &p,
                                    s, rms, 0, &m, &bytes);
    if (status != ACT_OK || s.axis == 0)
        return status;
    if (bytes.n && (!in || !grad_out || !rstd || (!mean && !m.rms)))
        return ACT_ERR_NULL;
    const struct act_span outputs[] = {
        {grad_in, bytes.array}, {dgamma, bytes.param}, {dbeta, bytes.param}};
    const struct act_span inputs[] = {{in, bytes.array},
                                      {grad_out, bytes.array},
                                      {gamma, bytes.param},
                                      {beta, bytes.param},
                                      {m.rms ? NULL : mean, bytes.saved},
                                      {rstd, bytes.saved}};
    if (!overlap_ok(outputs, 3, inputs, 6))
        return ACT_ERR_OVERLAP;
    if (bytes.n == 0)
        m.shape.outer = 0; /* nothing to add up */
    if (((flags & ACT_SERIAL) || act_get_num_threads() == 1) && bytes.n &&
        act_norm_fits_fused(&m)) {
        act_norm_backward_fused(&m);
        return ACT_OK;
    }
    /* First what needs the inputs whole. */
    const size_t blocks = (s.axis + CHANNELS - 1) / CHANNELS;
    if (dgamma || dbeta)
        run(act_norm_params_part, &m, flags, blocks, bytes.n / blocks);
    if (bytes.n && act_norm_fits_planes(&m, threads_of(flags), 5))
        run(act_norm_backward_planes, &m, flags, s.outer, s.axis * s.inner);
    else if (grad_in && bytes.n)
        run(act_norm_backward_part, &m, flags, tiles_of(&m, BACKWARD), tile_elements(&m, BACKWARD));
    return ACT_OK;
}

act_status act_norm_forward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                            act_shape s, int rms, double eps, const void *gamma, const void *beta,
                            const void *in, void *out, void *mean, void *rstd)
{
    return forward(1, t, flags, k, p, s, rms, eps, gamma, beta, in, out, mean, rstd);
}

act_status act_norm_backward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                             act_shape s, int rms, const void *gamma, const void *in,
                             const void *mean, const void *rstd, const void *grad_out,
                             void *grad_in, void *dgamma, void *dbeta)
{
    return backward(1, t, flags, k, p, s, rms, gamma, NULL, in, mean, rstd, grad_out, grad_in,
                    dgamma, dbeta);
}

act_status act_normed_forward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                              act_shape s, int rms, double eps, const void *gamma, const void *beta,
                              const void *in, void *out, void *mean, void *rstd)
{
    return forward(0, t, flags, k, p, s, rms, eps, gamma, beta, in, out, mean, rstd);
}

act_status act_normed_backward(act_dtype t, unsigned flags, act_kind k, const act_params *p,
                               act_shape s, int rms, const void *gamma, const void *beta,
                               const void *in, const void *mean, const void *rstd,
                               const void *grad_out, void *grad_in, void *dgamma, void *dbeta)
{
    return backward(0, t, flags, k, p, s, rms, gamma, beta, in, mean, rstd, grad_out, grad_in,
                    dgamma, dbeta);
}
