/* Statuses, and gradients by differences. */
#include "softmax/softmax.h"

/* ---- gradients by differences ---------------------------------------------------------------- */

/* sum g f(x) around x, f64. */
static double weighted(enum function f, const act_logits *z, size_t n, const double *x,
                       const double *g)
{
    double y[64], sum = 0;
    forward(f, ACT_F64, 0, (act_shape){1, n, 1}, z, x, y);
    for (size_t j = 0; j < n; j++)
        sum += isinf(y[j]) ? 0 : g[j] * y[j];
    return sum;
}

void differences(void)
{
    enum { N = 23 };
    const double h = 1e-6;
    double x[N], g[N], y[N], d[N], loss[1], prob[N];
    float add[N], weight[N];
    uint8_t keep[N];
    fill(ACT_F64, x, N, 2, 0);
    fill(ACT_F64, g, N, 1, 0);
    fill(ACT_F32, add, N, 1, 0);
    for (size_t j = 0; j < N; j++) {
        keep[j] = j % 5 != 2;
        weight[j] = (float)(j % 3 + 1) / 2;
        prob[j] = (double)(j % 4) / 10;
    }
    for (int masked = 0; masked < 2; masked++) {
        const act_logits z = {.struct_size = sizeof z,
                              .scale = 1.7,
                              .add = add,
                              .keep = keep,
                              .causal_rows = 1,
                              .causal_offset = N - 3};
        for (enum function f = SOFTMAX; f <= LOG_SOFTMAX; f++) {
            const act_logits *logits = masked ? &z : NULL;
            const act_shape s = {1, N, 1};
            snprintf(context, sizeof context, "differences of %s, masks %d", names[f], masked);
            forward(f, ACT_F64, 0, s, logits, x, y);
            if (f == SOFTMAX)
                act_softmax_backward(ACT_F64, 0, s, logits, y, g, d);
            else
                act_log_softmax_backward(ACT_F64, 0, s, logits, y, g, d);
            for (size_t j = 0; j < N; j++) {
                const double at = x[j];
                x[j] = at + h;
                const double more = weighted(f, logits, N, x, g);
                x[j] = at - h;
                const double less = weighted(f, logits, N, x, g);
                x[j] = at;
                if (!(fabs((more - less) / (2 * h) - d[j]) < 1e-7))
                    fail("%zu: %.9g, not %.9g", j, d[j], (more - less) / (2 * h));
            }
        }
    }
    for (int variant = 0; variant < 4; variant++) {
        const int64_t index = 4;
        act_targets q = {.struct_size = sizeof q, .ignore = -1, .class_weight = weight};
        q.index = variant < 2 ? &index : NULL;
        q.prob = variant < 2 ? NULL : prob;
        q.smoothing = variant % 2 ? .2 : 0;
        q.grad_scale = 1;
        const act_shape s = {1, N, 1};
        snprintf(context, sizeof context, "differences of cross-entropy %d", variant);
        act_cross_entropy(ACT_F64, 0, s, &q, x, loss, d);
        for (size_t j = 0; j < N; j++) {
            const double at = x[j];
            double more, less;
            x[j] = at + h;
            act_cross_entropy(ACT_F64, 0, s, &q, x, &more, NULL);
            x[j] = at - h;
            act_cross_entropy(ACT_F64, 0, s, &q, x, &less, NULL);
            x[j] = at;
            if (!(fabs((more - less) / (2 * h) - d[j]) < 1e-7))
                fail("%zu: %.9g, not %.9g", j, d[j], (more - less) / (2 * h));
        }
    }
}

/* ---- statuses -------------------------------------------------------------------------------- */

static void expect(act_status got, act_status want, const char *what)
{
    if (got != want)
        fail("%s: %s, not %s", what, act_status_string(got), act_status_string(want));
}

static unsigned char arena[4096], arena_before[4096];

/* Any function, with every pointer into the arena. */
static act_status any(int f, act_dtype type, unsigned flags, act_shape s, const act_logits *z,
                      const act_targets *q, const void *in, const void *g, void *out)
{
    switch (f) {
    case 0:
        return act_softmax_forward(type, flags, s, z, in, out);
    case 1:
        return act_log_softmax_forward(type, flags, s, z, in, out);
    case 2:
        return act_logsumexp(type, flags, s, z, in, out);
    case 3:
        return act_softmax_backward(type, flags, s, z, in, g, out);
    case 4:
        return act_log_softmax_backward(type, flags, s, z, in, g, out);
    default:
        return act_cross_entropy(type, flags, s, q, in, NULL, out);
    }
}

void statuses(void)
{
    const act_shape s = {2, 5, 3}, huge = {SIZE_MAX / 2, 3, 3}, wraps = {(size_t)1 << 62, 4, 1};
    const act_shape none[] = {{0, 5, 3}, {2, 0, 3}, {2, 5, 0}};
    float *x = (float *)arena, *y = x + 100, *g = x + 200;
    int64_t *index = (int64_t *)(void *)(arena + 3200);
    const act_logits plain = {.struct_size = sizeof plain},
                     bad = {.struct_size = sizeof bad, .scale = NAN};
    const act_targets ok = {.struct_size = sizeof ok, .index = index, .ignore = -1};
    act_targets bad_q = ok;
    bad_q.smoothing = -.1;
    for (size_t i = 0; i < sizeof arena; i++)
        arena[i] = (unsigned char)(0x35 ^ i * 7);
    for (int i = 0; i < 6; i++)
        index[i] = i % 5;
    memcpy(arena_before, arena, sizeof arena);
    snprintf(context, sizeof context, "statuses");
    for (int f = 0; f < 6; f++) {
        const act_logits *z = &bad;
        const act_targets *q = &bad_q;
        char what[60];
        snprintf(what, sizeof what, "function %d", f);
        /* in the promised order: each call has the later faults as well */
        static const act_dtype types[] = {-1, 6, 1000};
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            expect(any(f, types[i], 64, huge, z, q, NULL, NULL, NULL), ACT_ERR_UNSUPPORTED, what);
        expect(any(f, ACT_F32, 64, huge, z, q, NULL, NULL, NULL), ACT_ERR_UNSUPPORTED, what);
        expect(any(f, ACT_F32, 1u << 31, s, &plain, &ok, x, g, y), ACT_ERR_UNSUPPORTED, what);
        expect(any(f, ACT_F32, ACT_ACCUMULATE, huge, z, q, NULL, NULL, NULL), ACT_ERR_UNSUPPORTED,
               what);
        expect(any(f, ACT_F32, ACT_SERIAL, huge, z, q, NULL, NULL, NULL), ACT_ERR_SIZE, what);
        expect(any(f, ACT_F64, 0, wraps, z, q, NULL, NULL, NULL), ACT_ERR_SIZE, what);
        expect(any(f, ACT_F64, 0, s, z, q, NULL, NULL, NULL), ACT_ERR_PARAM, what);
        for (int i = 0; i < 3; i++) {
            expect(any(f, ACT_F32, 0, none[i], z, q, NULL, NULL, NULL), ACT_ERR_PARAM, what);
            expect(any(f, ACT_F32, 0, none[i], NULL, NULL, NULL, NULL, NULL), ACT_OK, what);
            expect(any(f, ACT_F32, 0, none[i], &plain, &ok, x, g, x + 1), ACT_OK, what);
        }
        expect(any(f, ACT_F32, 0, s, &plain, &ok, NULL, x + 1, x), ACT_ERR_NULL, what);
        expect(any(f, ACT_F32, 0, s, NULL, &ok, x, x + 1, NULL), ACT_ERR_NULL, what);
        if (f == 3 || f == 4)
            expect(any(f, ACT_F32, 0, s, NULL, &ok, x, NULL, x + 1), ACT_ERR_NULL, what);
        expect(any(f, ACT_F32, 0, s, NULL, &ok, x, g, x + 1), ACT_ERR_OVERLAP, what);
        expect(any(f, ACT_F32, 0, s, NULL, &ok, x + 20, g, (char *)x + 1),
               f == 2 ? ACT_OK : ACT_ERR_OVERLAP, what);
        if (f == 2) {
            memcpy(arena, arena_before, sizeof arena);
            expect(any(f, ACT_F32, 0, s, NULL, &ok, x, g, x), ACT_ERR_OVERLAP, what);
        }
        if (f == 3 || f == 4)
            expect(any(f, ACT_F32, 0, s, NULL, &ok, x, g, g - 1), ACT_ERR_OVERLAP, what);
        const int fma = act_get_isa() != ACT_ISA_SCALAR && act_get_isa() != ACT_ISA_SSE42;
        expect(any(f, ACT_F32, ACT_REPRODUCIBLE, huge, NULL, &ok, x, g, y),
               fma ? ACT_ERR_SIZE : ACT_ERR_UNSUPPORTED, what);
    }
    /* logits */
    for (int f = 0; f < 5; f++) {
        struct {
            act_logits z;
            size_t more;
        } newer = {{.struct_size = sizeof newer}, 0};
        act_logits z = plain;
#define LOGITS(want, ...)                                                                          \
    do {                                                                                           \
        z = (act_logits){__VA_ARGS__};                                                             \
        if (z.struct_size == 0)                                                                    \
            z.struct_size = sizeof z;                                                              \
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, x + 1), want, #__VA_ARGS__);                  \
    } while (0)
        LOGITS(ACT_ERR_PARAM, .scale = INFINITY);
        LOGITS(ACT_ERR_PARAM, .scale = 1e300);
        LOGITS(ACT_ERR_PARAM, .empty = 3);
        LOGITS(ACT_ERR_PARAM, .empty = -1);
        LOGITS(ACT_ERR_SIZE, .add = x, .mask_outer = SIZE_MAX / 8);
        LOGITS(ACT_ERR_SIZE, .struct_size = 8);
        z = (act_logits){.scale = 2}; /* no struct_size */
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, x + 1), ACT_ERR_SIZE, "no struct_size");
        z = (act_logits){.scale = 0}; /* all zero: plain */
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, x + 1), ACT_ERR_OVERLAP, "all zero");
        LOGITS(ACT_ERR_OVERLAP, .scale = -1);
        newer.more = 1;
        expect(any(f, ACT_F32, 0, s, &newer.z, NULL, x, g, x + 1), ACT_ERR_UNSUPPORTED, "newer");
        newer.more = 0;
        expect(any(f, ACT_F32, 0, s, &newer.z, NULL, x, g, x + 1), ACT_ERR_OVERLAP, "newer, zero");
        /* an output over a mask */
        z = (act_logits){.struct_size = sizeof z, .add = y};
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, y), ACT_ERR_OVERLAP, "add");
        z = (act_logits){.struct_size = sizeof z, .keep = (uint8_t *)y + 3};
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, y), ACT_ERR_OVERLAP, "keep");
        /* an older caller's struct ends after add */
        z = (act_logits){.struct_size = offsetof(act_logits, keep), .empty = 77};
        expect(any(f, ACT_F32, 0, s, &z, NULL, x, g, x + 1), ACT_ERR_OVERLAP, "older");
    }
    /* targets */
    float *loss = (float *)(void *)(arena + 3600);
    act_targets q;
#define TARGETS(want, ...)                                                                         \
    do {                                                                                           \
        q = (act_targets){.ignore = -7, __VA_ARGS__};                                              \
        if (q.struct_size == 0)                                                                    \
            q.struct_size = sizeof q;                                                              \
        expect(act_cross_entropy(ACT_F32, 0, s, &q, x, loss, y), want, #__VA_ARGS__);              \
    } while (0)
    TARGETS(ACT_ERR_PARAM, .index = index, .prob = g);
    TARGETS(ACT_ERR_NULL, .smoothing = 0);
    TARGETS(ACT_ERR_PARAM, .index = index, .smoothing = 1.5);
    TARGETS(ACT_ERR_PARAM, .index = index, .smoothing = NAN);
    TARGETS(ACT_ERR_PARAM, .index = index, .grad_scale = INFINITY);
    TARGETS(ACT_ERR_SIZE, .index = index, .struct_size = 8);
    TARGETS(ACT_ERR_OVERLAP, .prob = y);
    TARGETS(ACT_ERR_OVERLAP, .prob = y + 1);
    TARGETS(ACT_ERR_OVERLAP, .index = (int64_t *)(void *)y);
    TARGETS(ACT_ERR_OVERLAP, .index = index, .class_weight = loss + 1);
    expect(act_cross_entropy(ACT_F32, 0, s, &ok, x, NULL, NULL), ACT_ERR_NULL, "no output");
    expect(act_cross_entropy(ACT_F32, 0, s, NULL, x, loss, y), ACT_ERR_NULL, "no targets");
    expect(act_cross_entropy(ACT_F32, 0, s, &ok, x, x + 2, NULL), ACT_ERR_OVERLAP, "loss in x");
    expect(act_cross_entropy(ACT_F32, 0, s, &ok, x, y + 2, y), ACT_ERR_OVERLAP, "loss in grad_in");
    static const int64_t bad_indices[] = {-1, 5, INT64_MIN, INT64_MAX, -8};
    for (size_t i = 0; i < 5; i++) {
        index[5] = bad_indices[i];
        memcpy(arena_before, arena, sizeof arena);
        TARGETS(ACT_ERR_PARAM, .index = index);
        if (memcmp(arena, arena_before, sizeof arena) != 0)
            fail("an error wrote something");
    }
    index[5] = 0;
    memcpy(arena_before + 3200, arena + 3200, 48);
    if (memcmp(arena, arena_before, sizeof arena) != 0)
        fail("an error wrote something");
    TARGETS(ACT_OK, .index = index);
    /* 16-bit types: an output that is float may not be an array that is not, of as many bytes. */
    for (act_dtype t = ACT_BF16; t <= ACT_F16_F32; t++) {
        const int mixed = t > ACT_F16;
        const act_shape pair = {2, 2, 3};
        act_targets prob = {.struct_size = sizeof prob, .prob = g};
        for (int f = 0; f < 6; f++) {
            expect(any(f, t, 0, s, NULL, &ok, NULL, g, y), ACT_ERR_NULL, "16 bits");
            expect(any(f, t, 0, huge, NULL, &ok, x, g, y), ACT_ERR_SIZE, "16 bits");
            expect(any(f, t, 0, s, NULL, &ok, x, g, (char *)x + 2), ACT_ERR_OVERLAP, "16 bits");
        }
        /* 2^62 - 1 elements: too many floats only */
        const act_shape many = {1, 1, ((size_t)1 << 62) - 1};
        expect(act_softmax_forward(t, 0, many, NULL, NULL, NULL),
               mixed ? ACT_ERR_SIZE : ACT_ERR_NULL, "too many to write");
        expect(act_softmax_forward(t, 0, s, NULL, x, x), mixed ? ACT_ERR_OVERLAP : ACT_OK,
               "16 bits in place");
        expect(act_logsumexp(t, 0, pair, NULL, x, x), ACT_ERR_OVERLAP, "as many bytes");
        expect(act_softmax_backward(t, 0, s, NULL, x, y, y), mixed ? ACT_ERR_OVERLAP : ACT_OK,
               "over a 16-bit grad_out");
        expect(act_cross_entropy(t, 0, s, &prob, x, NULL, (char *)g - 2), ACT_ERR_OVERLAP, "prob");
        expect(act_cross_entropy(t, 0, s, &prob, x, (char *)g + 58, NULL), ACT_ERR_OVERLAP, "prob");
        expect(act_cross_entropy(t, 0, s, &prob, x, (char *)g + 60, NULL), ACT_OK, "behind prob");
        expect(act_cross_entropy(t, 0, s, &prob, x, NULL, (char *)x + 60), ACT_OK, "behind x");
        memcpy(arena, arena_before, sizeof arena);
    }
    expect(act_softmax_forward(ACT_F32, ACT_SERIAL, s, &plain, x, x), ACT_OK, "in place");
    expect(act_softmax_backward(ACT_F32, 0, s, &plain, x, y, y), ACT_OK, "over grad_out");
    expect(act_softmax_backward(ACT_F32, 0, s, &plain, x, y, x), ACT_OK, "over the output");
    expect(act_logsumexp(ACT_F32, 0, (act_shape){2, 1, 3}, NULL, x, x), ACT_OK, "axis 1 in place");
}
