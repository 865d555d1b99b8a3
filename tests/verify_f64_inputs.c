/* The inputs of act-verify-f64. */
#include "tests/reference.h"
#include "tests/verify_f64.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- strata --------------------------------------------------------------------------------- */

static double uniform(uint64_t *state)
{
    return (double)(random_u64(state) >> 11) * 0x1p-53;
}

/* 1 to 2, every mantissa. */
static double mantissa(uint64_t *state)
{
    return 1 + (double)(random_u64(state) >> 12) * 0x1p-52;
}

/* m 2^exponent, rounded once where that is subnormal; of ldexp the time would be seen. */
static double scale(double m, int exponent)
{
    const int half = exponent < -1000 ? exponent + 60 : exponent;
    const uint64_t bits = (uint64_t)(half + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return exponent < -1000 ? m * power * 0x1p-60 : m * power;
}

static double edge_of(act_kind kind, uint64_t *state)
{
    double edges[16];
    int count = 0;
    if (act_tests[kind]->zero != 0)
        edges[count++] = act_tests[kind]->zero;
    for (int e = 0; e < 15; e++)
        if (act_tests[kind]->edge[e] != 0)
            edges[count++] = act_tests[kind]->edge[e];
    return count ? edges[random_u64(state) % (unsigned)count] : 1;
}

double stratified_input(act_kind kind, uint64_t *state)
{
    const unsigned stratum = (unsigned)(random_u64(state) >> 60);
    const double sign = random_u64(state) >> 63 ? -1 : 1;
    if (stratum < 5)
        return sign * scale(mantissa(state), (int)(random_u64(state) % 2098) - 1074);
    if (stratum < 11)
        return sign * scale(mantissa(state), (int)(random_u64(state) % 41) - 30);
    if (stratum < 14) {
        const int distance = (int)(random_u64(state) % 43) - 52;
        return edge_of(kind, state) * (1 + sign * scale(mantissa(state), distance));
    }
    return sign * 20 * uniform(state);
}

double random_gradient(uint64_t *state)
{
    const unsigned choice = (unsigned)(random_u64(state) >> 60);
    const double sign = random_u64(state) >> 63 ? -1 : 1;
    if (choice == 0)
        return sign;
    return sign * scale(mantissa(state), choice < 4 ? (int)(random_u64(state) % 401) - 200 : 0);
}

/* ---- hard points ---------------------------------------------------------------------------- */

/* Where some kind's f or f' gets subnormal or rounds to 0 in f32, where exp does in f64, and where
 * f64 results of well-known libraries were lost (notes on reliability, section 4.2). */
static const double known[] = {
    87.3365402,
    103.972076,
    91.8567734,
    108.660301,
    91.8457,
    108.651,
    13.146246,
    14.356068,
    13.341882,
    14.541349,
    10.100637,
    10.770867,
    10.235,
    10.894538,
    44.361416,
    52.679184,
    87.9,
    104.536,
    88.72,
    5.6,
    5.2,
    14.6,
    20,
    9.01,
    37.4,
    709,
    11.09,
    709.782712893384,
    708.3964185322641,
    745.1332191019412,
    1e-8,
    1,
};
enum { KNOWN = sizeof known / sizeof known[0] };

struct list {
    double *x;
    size_t count, size;
};

static void push(struct list *l, double x)
{
    if (l->count == l->size) {
        l->size = l->size ? 2 * l->size : 4096;
        l->x = realloc(l->x, l->size * sizeof *l->x);
        if (!l->x)
            exit(2);
    }
    l->x[l->count++] = x;
}

/* Doubles in order as integers, 0 for both zeros. */
static int64_t place_of(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? INT64_MIN - bits : bits;
}

static double at_place(int64_t place)
{
    double x;
    if (place < 0)
        place = INT64_MIN - place;
    memcpy(&x, &place, sizeof x);
    return x;
}

static void push_around(struct list *l, double x, int neighbours)
{
    for (int k = -neighbours; k <= neighbours; k++) {
        const double beside = at_place(place_of(x) + k);
        if (isfinite(beside))
            push(l, beside);
    }
}

/* Whether f (op forward) or f' is past a limit at x: |.| below it, or, of limit 0, negative. */
static int past(act_kind kind, enum op op, const act_params *params, double x, double limit)
{
    struct formula_value v;
    formula_init(&v);
    reference_at(kind, OP_BACKWARD, x, params, &v);
    mpfr_ptr at = op == OP_FORWARD ? v.value : v.slope;
    int result = limit == 0 ? mpfr_sgn(at) < 0 : 0;
    if (limit != 0) {
        mpfr_abs(at, at, MPFR_RNDN);
        result = mpfr_cmp_d(at, limit) < 0;
    }
    formula_clear(&v);
    return result;
}

/* The doubles around the place between a and b where that changes, if it does. */
static void push_change(struct list *l, act_kind kind, enum op op, const act_params *params,
                        double a, double b, double limit, int neighbours)
{
    const int at_a = past(kind, op, params, a, limit);
    if (at_a == past(kind, op, params, b, limit))
        return;
    int64_t low = place_of(a), high = place_of(b);
    while (low - high > 1 || high - low > 1) { /* both on one side of 0 */
        const int64_t middle = low + (high - low) / 2;
        if (past(kind, op, params, at_place(middle), limit) == at_a)
            low = middle;
        else
            high = middle;
    }
    push_around(l, at_place(low), neighbours);
}

size_t hard_points(act_kind kind, const act_params *params, int neighbours, double **x)
{
    struct list l = {NULL, 0, 0};
    const struct act_test *test = act_tests[kind];
    for (int e = 0; e < 15; e++)
        for (int sign = -1; sign <= 1 && test->edge[e] != 0; sign += 2)
            push_around(&l, sign * test->edge[e], neighbours);
    for (int k = 0; k < KNOWN; k++) {
        push_around(&l, known[k], neighbours);
        push_around(&l, -known[k], neighbours);
    }
    /* A zero of f' to the last bit. */
    const double root = zero_of(kind, params);
    if (root != 0)
        push_change(&l, kind, OP_BACKWARD, params, root * 0.99, root * 1.01, 0, neighbours);
    /* Where f and f' get subnormal, and where they round to 0. */
    for (int sign = -1; sign <= 1; sign += 2)
        for (enum op op = OP_FORWARD; op <= OP_BACKWARD; op++) {
            push_change(&l, kind, op, params, sign, sign * 4096.0, DBL_MIN, neighbours);
            push_change(&l, kind, op, params, sign, sign * 4096.0, 0x1p-1074, neighbours);
            push_change(&l, kind, op, params, sign * 1e-300, sign, DBL_MIN, neighbours);
        }
    /* Around 0, where results may be ties between subnormals, and at the ends. */
    push_around(&l, 0, 4 * neighbours);
    for (int sign = -1; sign <= 1; sign += 2) {
        push_around(&l, sign * DBL_MIN, neighbours);
        push_around(&l, sign * DBL_MAX, neighbours);
    }
    /* The powers of two and what is beside them. */
    for (int e = -1074; e < 1024; e += neighbours < 64 ? 16 : 1) {
        push_around(&l, scale(1, e), 1);
        push_around(&l, -scale(1, e), 1);
    }
    push(&l, -0.0);
    push(&l, INFINITY);
    push(&l, -INFINITY);
    push(&l, NAN);
    *x = l.x;
    return l.count;
}
