/* bf16 and f16 through the f32 kernels: chunks are widened, computed, and rounded. An f32 result so
 * close to a tie of the 16-bit type that its error could decide the rounding is computed again by
 * the f64 kernel, and rounded once from there. Of an f32 kernel within 1 ULP
 * that is one element in 16,000 of bf16 and 2,000 of f16. */
#include "src/half.h"
#include "src/info.h"

#include <math.h>
#include <string.h>

#ifdef __AVX__
#error "this runs on every CPU: compile it for the baseline, without -mavx or -march"
#endif

/* A chunk's arrays are on the stack, 16 KiB in all with those of the f64 kernel. */
enum { CHUNK = 1024, BATCH = 64, BLOCK = ACT_HALF_BLOCK };

/* Elements of a call that fills a table, 100 us of work, and of one that uses it. */
enum { TABLE_FILL_MIN = 32768, TABLE_USE_MIN = 1024 };

/* ---- what the f32 kernel's error may be ---------------------------------------------------------
 */

static int are_defaults(act_kind kind, const act_params *p)
{
    const act_kind_info *info = &act_kind_infos[kind];
    const act_params *d = &info->defaults;
    const double given[4] = {p->alpha, p->beta, p->gamma, p->delta};
    const double wanted[4] = {d->alpha, d->beta, d->gamma, d->delta};
    for (int i = 0; i < info->param_count; i++)
        if (info->param_domain[i] != ACT_DOMAIN_NONE &&
            (given[i] != (double)(float)wanted[i] || signbit(given[i]) != signbit(wanted[i])))
            return 0;
    return 1;
}

/* A multiple of the sum of the absolute terms, whatever x: kinds.inc's ACT_CANCELS. For g or 1 +
 * |x| to be multiplied with. */
static float terms(const act_params *p, enum act_operation op)
{
    const double sum = 1 + fabs(p->alpha) + fabs(p->beta) + fabs(p->gamma) + fabs(p->delta);
    return (float)(op == ACT_FORWARD ? sum * sum : sum);
}

static struct act_tolerance tolerance_of(struct act_choice choice, enum act_operation op,
                                         act_kind kind, const act_params *p)
{
    /* A tie is a float, a whole number of last places from the result: the fraction does not count.
     */
    const double bound = act_kind_bound(kind, ACT_F32, choice.isa, choice.mode, op != ACT_FORWARD);
    struct act_tolerance t = {.ulp = (int32_t)bound};
    double scale = 0;
    int cancels = -1;
    switch (kind) {
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)
#define ACT_ZERO(NAME, factor)                                                                     \
    case ACT_##NAME:                                                                               \
        scale = op == ACT_BACKWARD ? factor : 0;                                                   \
        break;
#include "actfn/kinds.inc"
#undef ACT_ZERO
    default:
        break;
    }
    switch (kind) {
#define ACT_CANCELS(NAME, always)                                                                  \
    case ACT_##NAME:                                                                               \
        cancels = always;                                                                          \
        break;
#include "actfn/kinds.inc"
#undef ACT_CANCELS
#undef ACT_KIND
    default:
        break;
    }
    if (cancels > 0 || (cancels == 0 && !are_defaults(kind, p))) {
        const float sum = terms(p, op);
        t.low = -INFINITY;
        t.high = INFINITY;
        t.each = (float)bound * 0x1p-24f * sum;
        /* each (1 + |x|), x being what v points at; the rounding of a subnormal term. */
        t.base = op == ACT_FORWARD ? t.each : 0x1p-149f * sum;
    } else if (scale != 0) {
        const float far = (float)(-2 / scale), near = (float)(-0.1 / scale);
        t.low = far < near ? far : near;
        t.high = far < near ? near : far;
        t.each = 0x1p-24f; /* of |g|: found are 2^-26.3 beyond the bound */
    }
    return t;
}

/* ---- one rounding from f64 ----------------------------------------------------------------------
 */

static uint64_t bits_of(double a)
{
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static double power_of_two(int n) /* normal */
{
    const uint64_t bits = (uint64_t)(1023 + n) << 52;
    double a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* The sign of f(x) - tie, the two being the same as far as double tells: 0 if they are the same. f
 * is close to c x^p towards 0, and may be to a line towards infinity: x / 2 + x^2 / 4 is x / 2 in
 * double for an x of 2^-130. On which side of that f is shows nearer to 1. */
static double side_of_tie(const struct act_half_call *call, double x, double tie)
{
    const double size = fabs(x), one = 1;
    double slope, there;
    if (call->op != ACT_FORWARD || !((size > 0 && size < 0x1p-20) || size > 64))
        return 0;
    call->row_f64->backward(&call->params, &x, &one, &slope, 1);
    double near = copysign(8, x), line = tie + slope * (near - x);
    if (size < 1) {
        const double power = x * slope / tie;
        const int p = power < 3.5 ? (int)(power + 0.5) : 0;
        if (fabs(power - p) > 0x1p-10)
            return 0;
        const double scale = power_of_two(1023 - 13 - (int)(bits_of(size) >> 52));
        near = x * scale; /* from 2^-13 to 2^-12 */
        line = tie;
        for (int i = 0; i < p; i++)
            line *= scale;
    }
    call->row_f64->forward(&call->params, &near, &there, 1);
    const double off = there - line;
    return fabs(off) <= 0x1p-8 * fabs(there) ? off : 0; /* else f is something else */
}

/* y to 16 bits, a tie to the side where f(x) is, else to even. */
static uint16_t round_once(const struct act_half_call *call, double x, double y)
{
    const int digits = call->f16 ? 11 : 8, least = call->f16 ? -14 : -126;
    const uint16_t sign = (uint16_t)(bits_of(y) >> 48 & 0x8000);
    const double a = fabs(y);
    int exponent = (int)(bits_of(a) >> 52) - 1023;
    if (a != a)
        return call->f16 ? 0x7e00 : 0x7fc0;
    if (exponent > 128)
        return sign | (call->f16 ? 0x7c00 : 0x7f80);
    exponent = exponent < least ? least : exponent;
    const double unit = power_of_two(exponent - digits + 1), magic = 1.5 * 0x1p52 * unit;
    double r = a + magic - magic;
    /* A few last places of double are the error of the kernel. */
    if (fabs(fabs(a - r) - unit / 2) <= 0x1p-49 * a) {
        const double tie = r < a ? r + unit / 2 : r - unit / 2;
        const double side = (sign ? -1 : 1) * side_of_tie(call, x, sign ? -tie : tie);
        if (side != 0)
            r = tie + (side > 0 ? unit / 2 : -unit / 2);
    }
    if (r >= power_of_two(call->f16 ? 16 : 128))
        return sign | (call->f16 ? 0x7c00 : 0x7f80);
    if (r < power_of_two(least)) /* subnormal */
        return sign | (uint16_t)(r / unit);
    /* The bits of a double: its exponent has a bias of 1023. */
    const int bias = call->f16 ? 15 : 127;
    return sign |
           (uint16_t)((bits_of(r) >> (53 - digits)) - ((uint64_t)(1023 - bias) << (digits - 1)));
}

/* ---- chunks -------------------------------------------------------------------------------------
 */

static void widen(const struct act_half_call *call, const unsigned char *in, float *out, size_t n)
{
    const size_t whole = n / BLOCK * BLOCK;
    unsigned char rest[2 * BLOCK] = {0};
    call->convert->widen(in, out, whole);
    if (whole < n) {
        memcpy(rest, in + 2 * whole, 2 * (n - whole));
        call->convert->widen(rest, out + whole, BLOCK);
    }
}

static void evaluate(const struct act_row *row, const struct act_half_call *call, const void *x,
                     const void *g, void *y, size_t n)
{
    if (call->op == ACT_FORWARD)
        row->forward(&call->params, x, y, n);
    else if (call->op == ACT_BACKWARD)
        row->backward(&call->params, x, g, y, n);
    else
        row->from_output(&call->params, x, g, y, n);
}

/* The elements listed, again in f64. */
static void evaluate_doubtful(const struct act_half_call *call, const float *x, const float *g,
                              unsigned char *out, const uint16_t *doubtful, size_t count)
{
    double wide_x[BATCH], wide_g[BATCH], wide_y[BATCH];
    while (count > 0) {
        const size_t n = count < BATCH ? count : BATCH;
        for (size_t i = 0; i < n; i++) {
            wide_x[i] = (double)x[doubtful[i]];
            wide_g[i] = g ? (double)g[doubtful[i]] : 0;
        }
        evaluate(call->row_f64, call, wide_x, wide_g, wide_y, n);
        for (size_t i = 0; i < n; i++) {
            const uint16_t y = round_once(call, wide_x[i], wide_y[i]);
            memcpy(out + 2 * doubtful[i], &y, sizeof y);
        }
        doubtful += n;
        count -= n;
    }
}

static void narrow(const struct act_half_call *call, const float *x, const float *g, const float *y,
                   unsigned char *out, size_t n)
{
    const struct act_tolerance *t = &call->tolerance;
    const size_t whole = n / BLOCK * BLOCK;
    const float *v = g ? g : x;
    uint16_t doubtful[CHUNK];
    size_t count = call->convert->narrow(y, x, v, t, out, doubtful, whole);
    if (whole < n) {
        unsigned char rest[2 * BLOCK];
        uint16_t *const more = doubtful + count;
        const size_t found =
            call->convert->narrow(y + whole, x + whole, v + whole, t, rest, more, BLOCK);
        memcpy(out + 2 * whole, rest, 2 * (n - whole));
        for (size_t i = 0; i < found && whole + more[i] < n; i++, count++)
            more[i] = (uint16_t)(whole + more[i]);
    }
    if (count > 0)
        evaluate_doubtful(call, x, g, out, doubtful, count);
}

static void compute(const struct act_half_call *call, const void *in, const void *grad_out,
                    void *out, size_t n)
{
    float x[CHUNK], g[CHUNK], y[CHUNK];
    const float *const gradient = call->op == ACT_FORWARD ? NULL : g;
    const size_t out_size = call->to_f32 ? sizeof(float) : 2;
    for (size_t i = 0; i < n; i += CHUNK) {
        const size_t size = n - i < CHUNK ? n - i : CHUNK;
        const size_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
        unsigned char *const to = (unsigned char *)out + i * out_size;
        widen(call, (const unsigned char *)in + 2 * i, x, size);
        if (gradient)
            widen(call, (const unsigned char *)grad_out + 2 * i, g, size);
        if (call->to_f32) {
            evaluate(call->row, call, x, gradient, to, size);
        } else {
            evaluate(call->row, call, x, gradient, y, padded);
            narrow(call, x, gradient, y, to, size);
        }
    }
}

/* ---- tables -------------------------------------------------------------------------------------
 * A function of one 16-bit number has 65,536 results: at default parameters the first large call
 * notes them all, computed as ever, and from then on they are looked up. It takes .2 ns an element
 * on AVX-512 where computing takes .35 and more. 128 KiB for each kind and type, of which ordinary
 * data touch 4 to 12; pages that are never written take no memory. */

enum { TABLE_EMPTY, TABLE_BEGUN, TABLE_READY };
static _Atomic unsigned char table_states[2][ACT_KIND_COUNT];
static uint16_t tables[2][ACT_KIND_COUNT][65536 + 2];

/* NULL if it is not there: while another thread fills it, and for ever in a child that was forked
 * meanwhile, calls compute. */
static const uint16_t *table_of(const struct act_half_call *call, act_kind kind, size_t n)
{
    _Atomic unsigned char *const state = &table_states[call->f16][kind];
    uint16_t *const table = tables[call->f16][kind];
    unsigned char found = atomic_load_explicit(state, memory_order_acquire);
    if (found == TABLE_READY)
        return table;
    if (found != TABLE_EMPTY || n < TABLE_FILL_MIN ||
        !atomic_compare_exchange_strong_explicit(state, &found, TABLE_BEGUN, memory_order_relaxed,
                                                 memory_order_relaxed))
        return NULL;
    for (size_t first = 0; first < 65536; first += CHUNK) {
        uint16_t x[CHUNK];
        for (size_t i = 0; i < CHUNK; i++)
            x[i] = (uint16_t)(first + i);
        compute(call, x, NULL, table + first, CHUNK);
    }
    atomic_store_explicit(state, TABLE_READY, memory_order_release);
    return table;
}

static void look_up(const struct act_half_call *call, const unsigned char *in, unsigned char *out,
                    size_t n)
{
    const size_t whole = n / BLOCK * BLOCK;
    (call->gathers ? call->convert->gather : call->convert->look_up)(call->table, in, out, whole);
    for (size_t i = whole; i < n; i++) {
        uint16_t x;
        memcpy(&x, in + 2 * i, sizeof x);
        memcpy(out + 2 * i, &call->table[x], sizeof x);
    }
}

/* Which kind is relu, if there is one: the tests have lists of their own. */
#define SECOND_(a, b, ...) b
#define SECOND(...)        SECOND_(__VA_ARGS__)
#define IS_RELU_relu       _, 1
static const unsigned char is_relu[ACT_KIND_COUNT] = {
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    [id] = SECOND(IS_RELU_##name, 0, ),
#include "actfn/kinds.inc"
#undef ACT_KIND
};

void act_half_prepare(struct act_half_call *call, struct act_choice choice, act_dtype dtype,
                      enum act_operation op, act_kind kind, const act_params *p, size_t n,
                      int streamed)
{
    const struct act_table *table = act_tables[choice.isa];
    call->f16 = dtype == ACT_F16 || dtype == ACT_F16_F32;
    call->to_f32 = dtype == ACT_BF16_F32 || dtype == ACT_F16_F32;
    call->op = op;
    call->convert = call->f16 ? table->f16 : table->bf16;
    call->row = act_row_of(choice, ACT_F32, kind);
    call->row_f64 = act_row_of(choice, ACT_F64, kind);
    call->params = (act_params){(double)(float)p->alpha, (double)(float)p->beta,
                                (double)(float)p->gamma, (double)(float)p->delta};
    call->tolerance = tolerance_of(choice, op, kind, &call->params);
    call->table = NULL;
    call->gathers =
        call->convert->gather && atomic_load_explicit(&act_gather_is_fast, memory_order_relaxed);
    call->direct = op == ACT_FORWARD && is_relu[kind] && !call->to_f32 ? call->convert->relu : NULL;
    if (op == ACT_FORWARD && !call->to_f32 && n >= TABLE_USE_MIN && !call->direct &&
        call->convert->look_up && are_defaults(kind, &call->params))
        call->table = table_of(call, kind, n);
    call->stream = streamed && table->half_stream->look_up ? table->half_stream : NULL;
}

static void run(const struct act_half_call *call, const void *in, const void *grad_out, void *out,
                size_t n)
{
    if (call->direct)
        call->direct(in, out, n);
    else if (call->table)
        look_up(call, in, out, n);
    else
        compute(call, in, grad_out, out, n);
}

/* Past the caches, whole blocks from where out is aligned; returns how many elements from the
 * beginning are done. 16M elements of bf16 sigmoid: .28 ns each, .44 with plain stores. */
static size_t run_streamed(const struct act_half_call *call, const unsigned char *in,
                           unsigned char *out, size_t n)
{
    enum { LINE = 64 };
    const size_t past = (uintptr_t)out % LINE, head = past ? (LINE - past) / 2 : 0;
    if (past % 2 || head >= n)
        return 0;
    const size_t whole = (n - head) / BLOCK * BLOCK;
    const struct act_half_stream *const s = call->stream;
    run(call, in, NULL, out, head);
    in += 2 * head;
    out += 2 * head;
    if (call->direct)
        (call->f16 ? s->relu_f16 : s->relu_bf16)(in, out, whole);
    else
        (call->gathers ? s->gather : s->look_up)(call->table, in, out, whole);
    return head + whole;
}

void act_half_run(const struct act_half_call *call, const void *in, const void *grad_out, void *out,
                  size_t n)
{
    size_t done = 0;
    if (call->stream && (call->direct || call->table))
        done = run_streamed(call, in, out, n);
    run(call, (const char *)in + 2 * done, grad_out,
        (char *)out + (call->to_f32 ? sizeof(float) : 2) * done, n - done);
}
