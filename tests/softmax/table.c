/* What special rows become, of every function: the table of docs/structured.md, which is printed
 * from here (test_softmax --table) and held to the library. */
#include "softmax/softmax.h"

enum { RESULTS = 7, AXIS = 4, OUTER = 3, MOST_INNER = 5, MOST = OUTER * AXIS * MOST_INNER };
static const char *const result_names[RESULTS] = {
    "softmax", "log_softmax", "logsumexp", "softmax grad_in", "log_softmax grad_in",
    "loss",    "its grad_in"};

/* The row's elements; length 0 has none. */
enum what { MASKED, LOW, HIGH, NOT_A_NUMBER, ALONE, NONE };
static const struct line {
    const char *row;
    enum what what;
    int empty;
    const char *cell[RESULTS]; /* as value_of reads them */
} lines[] = {
    {"all masked, `ACT_EMPTY_ZERO`", MASKED, 0, {"0", "-inf", "-inf", "0", "0", "", ""}},
    {"`ACT_EMPTY_NAN`", MASKED, 1, {"NaN", "NaN", "NaN", "0", "0", "", ""}},
    {"`ACT_EMPTY_UNIFORM`", MASKED, 2, {"1/axis", "-log axis", "-inf", "0", "0", "", ""}},
    {"all -inf, `ACT_EMPTY_ZERO`", LOW, 0, {"0", "-inf", "-inf", "0", "g", "NaN", "NaN"}},
    {"`ACT_EMPTY_NAN`", LOW, 1, {"NaN", "NaN", "NaN", "NaN", "NaN", "NaN", "NaN"}},
    {"`ACT_EMPTY_UNIFORM`",
     LOW,
     2,
     {"1/axis", "-log axis", "-inf", "(g - mean)/axis", "g - mean", "NaN", "NaN"}},
    {"one +inf", HIGH, 0, {"NaN", "NaN", "NaN", "NaN", "NaN", "NaN", "NaN"}},
    {"one NaN", NOT_A_NUMBER, 0, {"NaN", "NaN", "NaN", "NaN", "NaN", "NaN", "NaN"}},
    {"length 1", ALONE, 0, {"1", "0", "x", "0", "0", "0", "0"}},
    {"length 0", NONE, 0, {"stays", "stays", "stays", "stays", "stays", "stays", "stays"}},
};
enum { LINES = sizeof lines / sizeof *lines };

static const double upstream[AXIS] = {1, 2, 3, 6}; /* mean 3 */
static const double alone = 5, before = 77;

void print_table(void)
{
    printf("| row |");
    for (int r = 0; r < RESULTS; r++)
        printf(" %s |", result_names[r]);
    printf("\n|%s\n", " --- | --- | --- | --- | --- | --- | --- | --- |");
    for (int i = 0; i < LINES; i++) {
        printf("| %s |", lines[i].row);
        for (int r = 0; r < RESULTS; r++)
            printf(" %s |", lines[i].cell[r]);
        printf("\n");
    }
}

static double value_of(const char *cell, size_t j)
{
    const char *const text[] = {
        "0", "1",    "-inf", "NaN", "1/axis", "-log axis", "g", "g - mean", "(g - mean)/axis",
        "x", "stays"};
    const double value[] = {0,
                            1,
                            -INFINITY,
                            NAN,
                            1. / AXIS,
                            -log(AXIS),
                            upstream[j],
                            upstream[j] - 3,
                            (upstream[j] - 3) / AXIS,
                            alone,
                            before};
    for (size_t k = 0; k < sizeof value / sizeof *value; k++)
        if (strcmp(cell, text[k]) == 0)
            return value[k];
    fail("no such cell: %s", cell);
    return 0;
}

/* Row o = 1 of [3][axis][inner] is the special one; the others are finite. */
static void check_line(const struct line *l, act_dtype type, size_t inner)
{
    const size_t axis = l->what == ALONE ? 1 : l->what == NONE ? 0 : AXIS;
    const act_shape s = {OUTER, axis, inner};
    const double tolerance = type >= ACT_BF16 ? 0.02 : 1e-5;
    double in[MOST], g[MOST], y[RESULTS][MOST];
    uint8_t keep[MOST];
    int64_t index[OUTER * MOST_INNER] = {0};
    for (size_t k = 0; k < MOST; k++) {
        const size_t o = axis == 0 ? 0 : k / (axis * inner), j = axis == 0 ? 0 : k / inner % axis;
        const double other = (double)j / 4 - 1;
        const int at = o == 1, one = at && j == 1;
        put(type, in, k,
            !at                              ? other
            : l->what == LOW                 ? -INFINITY
            : l->what == HIGH && one         ? INFINITY
            : l->what == NOT_A_NUMBER && one ? NAN
            : l->what == ALONE               ? alone
                                             : other);
        keep[k] = !(at && l->what == MASKED);
        put(type, g, k, upstream[j]);
        for (int r = 0; r < RESULTS; r++)
            put(type, y[r], k, before);
    }
    const act_logits z = {
        .struct_size = sizeof z, .keep = keep, .mask_outer = OUTER, .empty = l->empty};
    const act_targets q = {.struct_size = sizeof q, .index = index, .ignore = -1};
    if (act_softmax_forward(type, 0, s, &z, in, y[0]) != ACT_OK ||
        act_log_softmax_forward(type, 0, s, &z, in, y[1]) != ACT_OK ||
        act_logsumexp(type, 0, s, &z, in, y[2]) != ACT_OK ||
        act_softmax_backward(type, 0, s, &z, y[0], g, y[3]) != ACT_OK ||
        act_log_softmax_backward(type, 0, s, &z, y[1], g, y[4]) != ACT_OK ||
        act_cross_entropy(type, 0, s, &q, in, y[5], y[6]) != ACT_OK)
        fail("status");
    for (int r = 0; r < RESULTS; r++) {
        const size_t length = r == 2 || r == 5 || axis == 0 ? 1 : axis; /* one for a row */
        for (size_t k = 0; *l->cell[r] && k < OUTER * length * inner; k++) {
            const size_t j = k / inner % length;
            const double got = get(type, y[r], k), want = value_of(l->cell[r], j);
            if (axis > 0 && k / (length * inner) != 1) {
                if (!isfinite(got))
                    fail("%s, %s: another row has %g", l->row, result_names[r], got);
            } else if (!(fabs(got - want) <= tolerance) && !(got == want) &&
                       !(isnan(got) && isnan(want)))
                fail("%s, %s: %g, not %s", l->row, result_names[r], got, l->cell[r]);
        }
    }
}

void table(act_dtype type)
{
    for (int i = 0; i < LINES; i++)
        for (size_t inner = 1; inner <= MOST_INNER; inner += MOST_INNER - 1) {
            snprintf(context, sizeof context, "%s special rows, inner %zu", type_names[type],
                     inner);
            check_line(&lines[i], type, inner);
        }
}
