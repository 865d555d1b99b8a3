/* bf16 and f16. Forward with default parameters is correctly rounded: every input, kind and table,
 * against the formula in MPFR wherever double does not decide. The derivative, from x and from the
 * output, on pairs (x, g); other parameters; the types given at run time, flags; one result
 * wherever an element stands.
 *
 * test_half [--kind PATTERN] [--pairs N] [--quick]
 * test_half --forward [--kind PATTERN]      the first of these alone, a Markdown row a kind */
#include "tests/check.h"
#include "tests/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALL = 65536, LIMIT = 1 << 18, PIECE = 512 };

static const char *kind_pattern;
static size_t pairs = 1 << 16, grid_step = 16;
static int forward_alone;

/* ---- the two formats, by their definition
 * --------------------------------------------------------- */

struct format {
    act_dtype dtype, to_f32;
    const char *name;
    int digits, least; /* of the significand; exponent of the smallest normal number */
    double limit;      /* where the next power of two would be infinity */
    uint16_t infinity;
    double forward, other; /* bounds with default parameters, otherwise and of derivatives */
    double value[ALL];     /* of the bits; limit for infinity */
};
static struct format formats[] = {
    {.dtype = ACT_BF16,
     .to_f32 = ACT_BF16_F32,
     .name = "bf16",
     .digits = 8,
     .least = -126,
     .limit = 0x1p128,
     .infinity = 0x7f80,
     .forward = 0.5,
     .other = 0.501},
    {.dtype = ACT_F16,
     .to_f32 = ACT_F16_F32,
     .name = "f16",
     .digits = 11,
     .least = -14,
     .limit = 0x1p16,
     .infinity = 0x7c00,
     .forward = 0.5,
     .other = 0.51},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

static void fill_values(struct format *f)
{
    for (unsigned i = 0; i < ALL; i++) {
        const unsigned size = i & 0x7fff, fraction = size & ((1u << (f->digits - 1)) - 1);
        const int exponent = (int)(size >> (f->digits - 1));
        double v = exponent ? ldexp((double)(fraction + (1u << (f->digits - 1))),
                                    exponent - 1 + f->least - f->digits + 1)
                            : ldexp((double)fraction, f->least - f->digits + 1);
        if (size > f->infinity)
            v = NAN;
        f->value[i] = i & 0x8000 ? -v : v;
    }
}

static int is_nan(const struct format *f, uint16_t a)
{
    return (a & 0x7fff) > f->infinity;
}

static int both_nan(const struct format *f, uint16_t a, uint16_t b)
{
    return is_nan(f, a) && is_nan(f, b);
}

static double value_of(const struct format *f, uint16_t a)
{
    return (a & 0x7fff) == f->infinity ? copysign(INFINITY, a & 0x8000 ? -1.0 : 1.0) : f->value[a];
}

/* The number below |y| or equal to it. */
static uint16_t below(const struct format *f, double y)
{
    uint16_t low = 0, high = f->infinity;
    while (high - low > 1) {
        const uint16_t middle = (uint16_t)((low + high) / 2);
        *(f->value[middle] <= fabs(y) ? &low : &high) = middle;
    }
    return low;
}

/* The nearest number to the result of which y is a good approximation. */
static uint16_t nearest(const struct format *f, act_kind kind, double x, double y,
                        const act_params *p)
{
    const uint16_t sign = signbit(y) ? 0x8000 : 0, low = below(f, y);
    if (isnan(y) || fabs(y) >= f->limit)
        return isnan(y) ? (uint16_t)(f->infinity + 1) : sign | f->infinity;
    const double tie = (f->value[low] + f->value[low + 1]) / 2, a = fabs(y);
    if (fabs(a - tie) > 0x1p-45 * tie)
        return (uint16_t)(sign | (a > tie ? low + 1 : low));
    /* The formula less the tie, in MPFR. */
    char text[1024];
    const double signed_tie = copysign(tie, y);
    snprintf(text, sizeof text, "(%s) - %.200g", reference_formula(kind, OP_FORWARD), signed_tie);
    struct formula_value v;
    formula_init(&v);
    const char *error = formula_eval(text, x, p, &v);
    if (!error && mpfr_zero_p(v.value)) /* x - tanh x is x - 1 to 5900 bits */
        error = formula_eval_at(text, x, p, 12000, &v);
    if (error) {
        fprintf(stderr, "%s does not parse at %s\n", text, error);
        exit(1);
    }
    const int side = signbit(y) ? -mpfr_sgn(v.value) : mpfr_sgn(v.value);
    formula_clear(&v);
    const uint16_t even = low & 1 ? low + 1 : low;
    return sign | (side > 0 ? low + 1 : side < 0 ? low : even);
}

/* |got - want| in units of want's last place. */
static double half_ulps(const struct format *f, uint16_t got, double want)
{
    if (isnan(want) || is_nan(f, got))
        return isnan(want) && is_nan(f, got) ? 0 : INFINITY;
    if ((got >> 15) != (signbit(want) != 0))
        return INFINITY;
    const double limited = fmin(fabs(want), f->limit);
    const double unit = ldexp(1, (limited < ldexp(1, f->least) ? f->least
                                  : limited == f->limit        ? ilogb(limited) - 1
                                                               : ilogb(limited)) -
                                     f->digits + 1);
    return fabs(f->value[got & 0x7fff] - limited) / unit;
}

/* ---- what is computed
 * ----------------------------------------------------------------------------- */

static uint16_t in[LIMIT], grad[LIMIT], got[LIMIT], want16[ALL], looked_up[ALL];
static double wide_in[LIMIT], wide_grad[LIMIT], ones[LIMIT], want[LIMIT], slope[LIMIT];

static act_params rounded(const act_params *p)
{
    return (act_params){(float)p->alpha, (float)p->beta, (float)p->gamma, (float)p->delta};
}

/* The scalar f64 table, which test_reference checks. */
static void reference(enum op op, act_kind kind, const act_params *params, const double *g,
                      double *result, size_t n)
{
    const act_params p = rounded(params);
    use_isa(ACT_ISA_SCALAR);
    call(ACT_F64, op, kind, &p, wide_in, g, result, n);
}

/* Every table and mode. */
#define FOR_TABLE(isa, mode)                                                                       \
    for (act_isa isa = 0; isa < act_isa_count(); isa++)                                            \
        for (act_mode mode = 0; mode <= ACT_MODE_REPRODUCIBLE; mode++)                             \
            if (take_table(isa, mode))

static int take_table(act_isa isa, act_mode mode)
{
    act_set_mode(ACT_MODE_FAST);
    if (!act_isa_available(isa) || act_set_isa(isa) != ACT_OK)
        return 0;
    if (mode == ACT_MODE_REPRODUCIBLE && isa == ACT_ISA_SCALAR)
        return 0;
    return act_set_mode(mode) == ACT_OK;
}

static size_t wrong_of[FORMATS][8];

static void check_forward(int which, act_kind kind)
{
    const struct format *f = &formats[which];
    act_params p;
    act_params_init(kind, &p);
    const act_params exact = rounded(&p);
    for (int i = 0; i < ALL; i++) {
        in[i] = (uint16_t)i;
        wide_in[i] = value_of(f, (uint16_t)i);
    }
    act_set_mode(ACT_MODE_FAST);
    reference(OP_FORWARD, kind, &p, NULL, want, ALL);
    for (int i = 0; i < ALL; i++)
        want16[i] = nearest(f, kind, wide_in[i], want[i], &exact);
    FOR_TABLE(isa, mode)
    {
        where = (struct where){isa, kind, OP_FORWARD, f->dtype, ALL, 0, p};
        /* Too few at a time for the table of results (src/half.c), then all by it. */
        for (size_t i = 0; i < ALL; i += PIECE)
            call(f->dtype, OP_FORWARD, kind, NULL, in + i, NULL, got + i, PIECE);
        for (int again = 0; again < 2; again++) {
            call(f->dtype, OP_FORWARD, kind, NULL, in, NULL, looked_up, ALL);
            for (int i = 0; i < ALL; i++)
                if (looked_up[i] != got[i] && !both_nan(f, looked_up[i], got[i])) {
                    fail("%s %04x: %04x looked up, %04x computed", f->name, in[i], looked_up[i],
                         got[i]);
                    break;
                }
        }
        for (int i = 0; i < ALL; i++) {
            const int quiet = got[i] & 1u << (f->digits - 2);
            if (got[i] == want16[i] || (both_nan(f, got[i], want16[i]) && quiet))
                continue;
            wrong_of[which][isa & 7]++;
            fail("mode %d, x %a: %#x, not %#x (%a)", mode, wide_in[i], got[i], want16[i], want[i]);
        }
    }
}

static double worst[FORMATS][OP_COUNT][2]; /* [default, other parameters] */

/* n elements of in, and grad, against double. */
static void check_sample(int which, enum op op, act_kind kind, const act_params *p, int grid,
                         size_t n)
{
    const struct format *f = &formats[which];
    act_set_mode(ACT_MODE_FAST);
    if (op == OP_FROM_OUTPUT) { /* reachable outputs, as 16 bits have them */
        use_isa(ACT_ISA_SCALAR);
        call(f->dtype, OP_FORWARD, kind, p, in, NULL, in, n);
    }
    for (size_t i = 0; i < n; i++) {
        wide_in[i] = value_of(f, in[i]);
        wide_grad[i] = value_of(f, grad[i]);
        ones[i] = 1;
    }
    reference(op, kind, p, wide_grad, want, n);
    if (op != OP_FORWARD)
        reference(op, kind, p, ones, slope, n);
    FOR_TABLE(isa, mode)
    {
        where = (struct where){isa, kind, op, f->dtype, n, 0, *p};
        call(f->dtype, op, kind, p, in, grad, got, n);
        for (size_t i = 0; i < n; i++) {
            const double error = half_ulps(f, got[i], want[i]);
            if (error <= f->other) {
                worst[which][op][grid > 0] = fmax(worst[which][op][grid > 0], error);
                continue;
            }
            const double value = value_of(f, got[i]), off = fabs(value - want[i]);
            const double size = fabs(wide_grad[i]), terms = terms_of(kind, op, p, wide_in[i]);
            /* f' is subnormal: actfn.h's absolute bound. */
            if (op != OP_FORWARD && fabs(slope[i]) < 0x1p-126 &&
                (off <= 0x1p-148 * fmax(1, size) || isinf(size)))
                continue;
            /* Terms that cancel in double too. */
            if (terms > 0 &&
                (off <= 0x1p-45 * terms * (op == OP_FORWARD ? 1 : size) || isinf(size)))
                continue;
            /* The sign of a sum of terms that cancelled before the product underflowed. */
            if (terms > 0 && value == 0 && fabs(want[i]) <= f->value[1] / 2)
                continue;
            fail("mode %d, x %a g %a: %a, not %a, %.4f ULP, f' %a", mode, wide_in[i], wide_grad[i],
                 value, want[i], error, slope[i]);
        }
    }
}

/* Any x, or one of [-8, 8]; g +-1, 0, infinity, NaN, huge, tiny, or about 1. */
static void fill_pairs(const struct format *f, size_t n, uint64_t *state)
{
    const uint16_t one = below(f, 1);
    const uint16_t fixed[] = {one,
                              one | 0x8000,
                              0,
                              0x8000,
                              f->infinity,
                              f->infinity | 0x8000,
                              f->infinity + 1,
                              f->infinity - 1,
                              1,
                              below(f, 0x1p15),
                              0x8001};
    enum { FIXED = sizeof fixed / sizeof fixed[0] };
    for (size_t i = 0; i < n; i++) {
        const uint64_t r = random_u64(state), s = random_u64(state);
        const double near = (double)(int32_t)(uint32_t)s * 0x1p-28;
        in[i] = r & 1 ? (uint16_t)(r >> 1) : (uint16_t)(below(f, near) | (near < 0 ? 0x8000 : 0));
        const unsigned choice = (unsigned)(r >> 32) % 48;
        const double g = (double)(uint32_t)(s >> 32) * 0x1p-31;
        grad[i] = choice < FIXED ? fixed[choice] : (uint16_t)(below(f, g) | (r >> 48 & 0x8000));
        if (choice >= 44)
            grad[i] = (uint16_t)(r >> 40);
    }
}

static void check_backward(int which, act_kind kind)
{
    uint64_t state = 7 + (uint64_t)kind;
    act_params p;
    for (int i = 0; params_of_grid(kind, i, &p); i++)
        for (enum op op = OP_BACKWARD; op <= OP_FROM_OUTPUT; op++)
            for (size_t done = 0, n, all = i ? pairs / 32 : pairs;
                 op_offered(kind, op, &p) && done < all; done += n) {
                n = all - done < LIMIT ? all - done : LIMIT;
                fill_pairs(&formats[which], n, &state);
                check_sample(which, op, kind, &p, i, n);
            }
}

static void check_parameters(int which, act_kind kind)
{
    act_params p;
    for (int i = 1; params_of_grid(kind, i, &p); i++) {
        size_t n = 0;
        for (size_t a = (size_t)i % grid_step; a < ALL; a += grid_step)
            in[n++] = (uint16_t)a;
        check_sample(which, OP_FORWARD, kind, &p, i, n);
    }
}

/* ---- the same bits in every form
 * ------------------------------------------------------------------ */

/* 16-bit in and f32 out is the f32 kernel; the flag is the mode; ACT_SERIAL changes nothing; nor do
 * n and position. */
static void check_forms(int which, act_kind kind, enum op op)
{
    enum { N = 5000, CALLS = 60 };
    static float wide_x[N], wide_g[N], wide_want[N], wide_got[N];
    static uint16_t whole[N], part[N];
    const struct format *f = &formats[which];
    uint64_t state = 3 + (uint64_t)kind;
    act_params p;
    act_params_init(kind, &p);
    if (!op_offered(kind, op, &p))
        return;
    fill_pairs(f, N, &state);
    for (int i = 0; i < N; i++) {
        wide_x[i] = (float)value_of(f, in[i]);
        wide_g[i] = (float)value_of(f, grad[i]);
    }
    FOR_TABLE(isa, mode)
    {
        where = (struct where){isa, kind, op, f->dtype, N, 0, p};
        call(ACT_F32, op, kind, NULL, wide_x, wide_g, wide_want, N);
        call(f->to_f32, op, kind, NULL, in, grad, wide_got, N);
        for (int i = 0; i < N; i++)
            if (memcmp(&wide_got[i], &wide_want[i], 4) != 0 &&
                !(isnan(wide_got[i]) && isnan(wide_want[i])))
                fail("f32 out: x %a g %a: %a, not %a", (double)wide_x[i], (double)wide_g[i],
                     (double)wide_got[i], (double)wide_want[i]);

        call(f->dtype, op, kind, NULL, in, grad, whole, N);
        act_set_mode(ACT_MODE_FAST);
        const unsigned flags = ACT_SERIAL | (mode ? ACT_REPRODUCIBLE : 0);
        const act_status status =
            op == OP_FORWARD ? act_forward_t(f->dtype, flags, kind, &p, in, part, N)
            : op == OP_BACKWARD
                ? act_backward_t(f->dtype, flags, kind, &p, in, grad, part, N)
                : act_backward_from_output_t(f->dtype, flags, kind, &p, in, grad, part, N);
        if (status != ACT_OK)
            fail("flags %u: status %d", flags, status);
        for (int i = 0; i < N; i++)
            if (part[i] != whole[i] && !both_nan(f, part[i], whole[i]))
                fail("flags %u: other bits", flags);
        act_set_mode(mode);
        for (int c = 0; c < CALLS; c++) {
            const uint64_t r = random_u64(&state);
            const size_t n = c % 3 ? (r >> 32) % 70 : 1000 + (r >> 32) % 1100;
            const size_t first = r % (N - n);
            memset(part, 0x5a, sizeof part);
            call(f->dtype, op, kind, NULL, in + first, grad + first, part + 7, n);
            for (size_t k = 0; k < n; k++)
                if (part[7 + k] != whole[first + k] && !both_nan(f, part[7 + k], whole[first + k]))
                    fail("n %zu from %zu: element %zu, x %a g %a, is %#x, not %#x", n, first, k,
                         (double)wide_x[first + k], (double)wide_g[first + k], part[7 + k],
                         whole[first + k]);
            if (part[6] != 0x5a5a || part[7 + n] != 0x5a5a)
                fail("n %zu: wrote outside the output", n);
        }
    }
}

static void check_statuses(const struct format *f)
{
    static uint16_t a[64], b[64];
    float wide[64];
    const unsigned bad[] = {ACT_ACCUMULATE, 8, 1u << 31, ~0u, ACT_SERIAL | ACT_ACCUMULATE};
    const act_dtype none[] = {-1, ACT_F16_F32 + 1, 1000};
#define EXPECT(wanted, expression)                                                                 \
    if ((expression) != (wanted))                                                                  \
    fail("%s is not %d", #expression, wanted)
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        EXPECT(ACT_ERR_UNSUPPORTED, act_forward_t(f->dtype, bad[i], ACT_RELU, NULL, a, b, 64));
        EXPECT(ACT_ERR_UNSUPPORTED, act_forward_t(f->dtype, bad[i], ACT_RELU, NULL, a, b, 0));
        EXPECT(ACT_ERR_UNSUPPORTED, act_backward_t(ACT_F32, bad[i], ACT_RELU, NULL, a, b, a, 4));
        EXPECT(ACT_ERR_KIND, act_forward_t(f->dtype, bad[i], -1, NULL, a, b, 64));
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        EXPECT(ACT_ERR_UNSUPPORTED, act_forward_t(none[i], 0, ACT_RELU, NULL, a, b, 0));
        EXPECT(ACT_ERR_UNSUPPORTED,
               act_backward_from_output_t(none[i], 0, ACT_RELU, NULL, a, b, a, 1));
        EXPECT(ACT_ERR_KIND, act_forward_t(none[i], 0, 9999, NULL, a, b, 64));
    }
    act_set_mode(ACT_MODE_FAST);
    for (act_isa isa = 0; isa < act_isa_count(); isa++) {
        if (!act_isa_available(isa))
            continue;
        use_isa(isa);
        const int fma = isa != ACT_ISA_SCALAR && isa != ACT_ISA_SSE42;
        for (act_dtype t = ACT_F32; t <= ACT_F16_F32; t++)
            EXPECT(fma ? ACT_OK : ACT_ERR_UNSUPPORTED,
                   act_forward_t(t, ACT_REPRODUCIBLE, ACT_SILU, NULL, NULL, NULL, 0));
    }
    /* f32 out: no overlap at all, with the sizes of either. */
    EXPECT(ACT_ERR_OVERLAP, act_forward_t(f->to_f32, 0, ACT_RELU, NULL, wide, wide, 16));
    EXPECT(ACT_ERR_OVERLAP, act_forward_t(f->to_f32, 0, ACT_RELU, NULL, &wide[15], wide, 16));
    EXPECT(ACT_ERR_OVERLAP, act_forward_t(f->to_f32, 0, ACT_RELU, NULL, wide, &wide[7], 16));
    EXPECT(ACT_OK, act_forward_t(f->to_f32, 0, ACT_RELU, NULL, memset(wide, 0, 32), &wide[8], 16));
    EXPECT(ACT_OK, act_forward_t(f->to_f32, 0, ACT_RELU, NULL, memset(&wide[16], 0, 32), wide, 16));
    EXPECT(ACT_ERR_OVERLAP, act_backward_t(f->to_f32, 0, ACT_RELU, NULL, a, &wide[8], wide, 16));
    EXPECT(ACT_ERR_NULL, act_backward_t(f->to_f32, 0, ACT_RELU, NULL, a, NULL, wide, 16));
    EXPECT(ACT_ERR_SIZE, act_forward_t(f->to_f32, 0, ACT_RELU, NULL, a, wide, PTRDIFF_MAX / 4 + 1));
    EXPECT(ACT_ERR_SIZE, act_forward_t(f->dtype, 0, ACT_RELU, NULL, a, b, PTRDIFF_MAX / 2 + 1));
    EXPECT(ACT_ERR_NULL, act_forward_t(f->dtype, 0, ACT_RELU, NULL, NULL, b, PTRDIFF_MAX / 2));
    EXPECT(ACT_ERR_UNSUPPORTED,
           act_backward_from_output_t(f->dtype, 0, ACT_GELU, NULL, a, b, a, 4));
}

/* Inputs of a kind that any table or mode rounds wrong. */
static void print_forward(int which, act_kind kind)
{
    static size_t before[FORMATS][8];
    printf("| %s | %s |", formats[which].name, act_kind_name(kind));
    for (act_isa isa = 0; isa < act_isa_count() && isa < 8; isa++)
        if (act_isa_available(isa)) {
            printf(" %zu |", wrong_of[which][isa] - before[which][isa]);
            before[which][isa] = wrong_of[which][isa];
        }
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--forward") == 0) {
            forward_alone = 1;
        } else if (strcmp(argv[i], "--quick") == 0) {
            pairs = 1 << 11;
            grid_step = 256;
        } else if (strcmp(argv[i], "--kind") == 0 && i + 1 < argc) {
            kind_pattern = argv[++i];
        } else if (strcmp(argv[i], "--pairs") == 0 && i + 1 < argc) {
            pairs = strtoull(argv[++i], NULL, 0);
        } else {
            fprintf(stderr,
                    "usage: test_half [--kind PATTERN] [--pairs N] [--quick] [--forward]\n");
            return 2;
        }
    }
    catch_crashes();
    if (forward_alone) {
        printf("| type | kind |");
        for (act_isa isa = 0; isa < act_isa_count() && isa < 8; isa++)
            if (act_isa_available(isa))
                printf(" %s |", act_isa_name(isa));
        printf("\n");
    }
    for (int which = 0; which < FORMATS; which++) {
        fill_values(&formats[which]);
        if (!forward_alone)
            check_statuses(&formats[which]);
        for (act_kind kind = 0; kind < act_kind_count(); kind++) {
            if (!selected(kind_pattern, act_kind_name(kind)))
                continue;
            check_forward(which, kind);
            if (forward_alone) {
                print_forward(which, kind);
                continue;
            }
            check_parameters(which, kind);
            check_backward(which, kind);
            for (enum op op = 0; op < OP_COUNT; op++)
                check_forms(which, kind, op);
        }
        if (forward_alone)
            continue;
        for (act_isa isa = 0; isa < act_isa_count() && isa < 8; isa++)
            if (act_isa_available(isa))
                printf("%-4s %-7s forward, default parameters, all inputs: %zu wrong\n",
                       formats[which].name, act_isa_name(isa), wrong_of[which][isa]);
        for (enum op op = 0; op < OP_COUNT; op++)
            printf("%-4s %-11s worst %.6f ULP with default parameters, %.6f with others\n",
                   formats[which].name, op_names[op], op == OP_FORWARD ? 0.5 : worst[which][op][0],
                   worst[which][op][1]);
    }
    return failures ? 1 : 0;
}
