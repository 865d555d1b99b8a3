/* Randomised leaky ReLU in training: act_rrelu_forward, act_rrelu_backward. In chunks of whole
 * groups of 64 elements, counted from index 0 and not from the beginning of the array. */
#include "src/parallel.h"
#include "src/wide.h"

#include <math.h>
#include <string.h>

#ifdef __AVX__
#error "the API is called on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* Scratch, in all 6 KiB, or 8 for a 16-bit type. */
enum { GROUP = 64, CHUNK = 8 * GROUP };

struct randomised {
    const struct act_rrelu_train_row *loops;
    const struct act_rrelu_train_row *generator;
    struct act_wide type;
    size_t out_size;
    double lower, upper;
    uint64_t seed, first;
    const char *in, *grad_out; /* grad_out NULL: forward */
    char *out;
};

static void apply(const struct randomised *r, const void *slope, const void *x, const void *g,
                  void *y, size_t n)
{
    if (r->grad_out)
        r->loops->backward(slope, x, g, y, n);
    else
        r->loops->forward(slope, x, y, n);
}

/* The same through float. */
__attribute__((noinline)) static void apply_half(const struct randomised *r, const float *slope,
                                                 size_t i, size_t n)
{
    float x[CHUNK], g[CHUNK];
    char *const to = r->out + i * r->out_size;
    act_widen(&r->type, r->in + i * sizeof(uint16_t), x, n);
    if (r->grad_out)
        act_widen(&r->type, r->grad_out + i * sizeof(uint16_t), g, n);
    apply(r, slope, x, g, x, n);
    if (r->out_size == sizeof(float))
        memcpy(to, x, n * sizeof *x);
    else
        act_narrow(&r->type, x, to, n);
}

static void run_part(const void *job, size_t first, size_t n)
{
    const struct randomised *r = job;
    _Alignas(64) uint32_t words[CHUNK];
    _Alignas(64) double slopes[CHUNK]; /* of the compute type */
    for (size_t i = first, end = first + n, some; i < end; i += some) {
        const uint64_t index = r->first + i;
        const size_t before = index % GROUP;
        some = CHUNK - before < end - i ? CHUNK - before : end - i;
        const size_t whole = (before + some + GROUP - 1) / GROUP * GROUP;
        const void *const arrays[3] = {r->in + i * r->type.size, r->out + i * r->out_size,
                                       (r->grad_out ? r->grad_out : r->in) + i * r->type.size};
        r->generator->words(r->seed, index / GROUP, words, whole, arrays, GROUP * r->type.size);
        r->loops->slopes(r->lower, r->upper, words, slopes, whole);
        const char *const slope = (const char *)slopes + before * r->type.work;
        if (r->type.convert)
            apply_half(r, (const float *)(const void *)slope, i, some);
        else
            apply(r, slope, r->in + i * r->type.size,
                  r->grad_out ? r->grad_out + i * r->type.size : NULL, r->out + i * r->out_size,
                  some);
    }
}

static act_status run(act_dtype t, unsigned flags, double lower, double upper, uint64_t seed,
                      uint64_t first, const void *in, const void *grad_out, int backward, void *out,
                      size_t n)
{
    /* The mixed types come in as their 16-bit ones. */
    const int mixed = t == ACT_BF16_F32 || t == ACT_F16_F32;
    struct act_choice choice;
    struct randomised r = {.seed = seed, .first = first, .in = in, .out = out};
    const act_status status = act_wide_check(mixed ? t - ACT_BF16_F32 + ACT_BF16 : t, flags,
                                             ACT_REPRODUCIBLE | ACT_SERIAL, &choice, &r.type);
    if (status != ACT_OK)
        return status;
    r.out_size = mixed ? sizeof(float) : r.type.size;
    r.lower = act_round_to(r.type.compute, lower);
    r.upper = act_round_to(r.type.compute, upper);
    if (!(r.lower <= r.upper) || !isfinite(r.lower) || !isfinite(r.upper) ||
        !isfinite(act_round_to(r.type.compute, r.upper - r.lower)))
        return ACT_ERR_PARAM;
    if (n > PTRDIFF_MAX / (r.out_size > r.type.size ? r.out_size : r.type.size))
        return ACT_ERR_SIZE;
    if (n == 0)
        return ACT_OK;
    if (!in || !out || (backward && !grad_out))
        return ACT_ERR_NULL;
    const struct act_span x = {in, n * r.type.size}, y = {out, n * r.out_size},
                          g = {grad_out, n * r.type.size};
    if (!act_spans_same_or_disjoint(x, y) || (backward && !act_spans_same_or_disjoint(g, y)))
        return ACT_ERR_OVERLAP;
    const struct act_table *table = act_tables[choice.isa];
    r.loops = table->rrelu_train[r.type.compute];
    r.generator = table->rrelu_train[ACT_F32];
    r.grad_out = grad_out;
    if (flags & ACT_SERIAL)
        run_part(&r, 0, n);
    else
        act_run_parts(run_part, &r, n, 1);
    return ACT_OK;
}

act_status act_rrelu_forward(act_dtype t, unsigned flags, double lower, double upper, uint64_t seed,
                             uint64_t first, const void *in, void *out, size_t n)
{
    return run(t, flags, lower, upper, seed, first, in, NULL, 0, out, n);
}

act_status act_rrelu_backward(act_dtype t, unsigned flags, double lower, double upper,
                              uint64_t seed, uint64_t first, const void *in, const void *grad_out,
                              void *grad_in, size_t n)
{
    return run(t, flags, lower, upper, seed, first, in, grad_out, 1, grad_in, n);
}
