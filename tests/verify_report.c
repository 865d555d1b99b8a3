/* docs/ACCURACY.md, or the same on stdout: results against their bounds. */
#include "tests/verify.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

/* One row: what an operation of a kind did on an ISA over all slices, or over the whole grid. */
struct row {
    int passes, missing;
    struct worst worst;
    uint64_t special;
    act_params params; /* of the worst */
    double bound;
};

static const char *const op_titles[OP_COUNT][2] = {
    {"forward", "forward"},
    {"backward, g = 1", "backward, g mixed"},
    {"from output, g = 1", "from output, g mixed"},
};

static int out_of_bounds, missing_records;

static void add_slices(struct row *row, const struct pass *pass, int isa_index, int mixed)
{
    row->passes++;
    for (int slice = 0; slice < pass->slices; slice++) {
        const struct record *r = record_of(pass, slice, isa_index, mixed);
        const uint64_t above1 = row->worst.above1 + r->worst.above1;
        if (!r->wanted || !r->done) {
            row->passes -= !r->wanted && slice == 0;
            row->missing += r->wanted;
            continue;
        }
        if (r->worst.ulp > row->worst.ulp) {
            row->worst = r->worst;
            row->params = pass->params;
        }
        row->worst.above1 = above1;
        row->special += r->special;
    }
}

static struct row row_of(act_kind kind, enum op op, int grid, int isa_index, int mixed)
{
    struct row row = {0};
    const act_isa isa = plan.isas[isa_index];
    row.bound = act_kind_bound(kind, ACT_F32, isa, ACT_MODE_FAST, op != OP_FORWARD);
    for (int p = 0; p < plan.pass_count; p++) {
        const struct pass *pass = &plan.passes[p];
        if (pass->kind == kind && pass->op == op && pass->group != AUDIT &&
            is_grid(pass->group) == grid && pass_tests(pass, isa))
            add_slices(&row, pass, isa_index, mixed);
    }
    missing_records += row.missing;
    return row;
}

static int same_row(const struct row *a, const struct row *b)
{
    const struct worst *v = &a->worst, *w = &b->worst;
    return a->passes == b->passes && a->missing == b->missing && a->special == b->special &&
           a->bound == b->bound && v->ulp == w->ulp && v->above1 == w->above1 &&
           (v->ulp == 0 || (bits_of_float(v->x) == bits_of_float(w->x) &&
                            bits_of_float(v->g) == bits_of_float(w->g) &&
                            bits_of_float(v->got) == bits_of_float(w->got))) &&
           memcmp(&a->params, &b->params, sizeof a->params) == 0;
}

static void print_params(FILE *out, act_kind kind, const act_params *params)
{
    act_kind_info info = {.struct_size = sizeof info};
    act_kind_describe(kind, &info);
    const double *fields = &params->alpha;
    const char *comma = "";
    for (int f = 0; f < info.param_count; f++)
        if (info.param_domain[f] != ACT_DOMAIN_NONE) {
            fprintf(out, "%s%s %.9g", comma, info.param_name[f], fields[f]);
            comma = ", ";
        }
}

static void print_row(FILE *out, act_kind kind, const char *op, int grid, const char *isas,
                      const struct row *row)
{
    const struct worst *w = &row->worst;
    const int out_here = !(w->ulp <= row->bound);
    out_of_bounds += out_here;
    fprintf(out, "| %s | %s | %s | %g | %.4f |", act_kind_name(kind), op, isas, row->bound, w->ulp);
    if (grid) {
        fprintf(out, " %d | ", row->passes);
        if (w->ulp > 0)
            print_params(out, kind, &row->params);
        fprintf(out, " |");
    }
    if (w->ulp == 0)
        fprintf(out, " | | | |");
    else
        fprintf(out, " %.9g | %.6g | %.9g | %.13g |", (double)w->x, (double)w->g, (double)w->got,
                w->want);
    fprintf(out, " %" PRIu64 " |", w->above1);
    if (row->missing)
        fprintf(out, " INCOMPLETE, %d slices missing |", row->missing);
    else if (row->special)
        fprintf(out, " OUT OF BOUNDS, %" PRIu64 " wrong specials |", row->special);
    else
        fprintf(out, "%s |", out_here ? " OUT OF BOUNDS" : "");
    fputc('\n', out);
}

/* The ISAs of equal results share a row. */
static void print_rows(FILE *out, act_kind kind, enum op op, int grid)
{
    for (int mixed = 0; mixed < 2; mixed++) {
        struct row rows[MAX_ISAS];
        int printed[MAX_ISAS] = {0};
        for (int i = 0; i < plan.isa_count; i++)
            rows[i] = row_of(kind, op, grid, i, mixed);
        for (int i = 0; i < plan.isa_count; i++) {
            if (printed[i] || !rows[i].passes)
                continue;
            char isas[MAX_ISAS * 20] = "";
            for (int j = i; j < plan.isa_count; j++)
                if (!printed[j] && same_row(&rows[i], &rows[j])) {
                    printed[j] = 1;
                    if (*isas)
                        strcat(isas, ", ");
                    strncat(isas, act_isa_name(plan.isas[j]), 16);
                }
            print_row(out, kind, op_titles[op][mixed], grid, isas, &rows[i]);
        }
    }
}

static void print_table(FILE *out, const struct verify_options *options, int grid)
{
    fprintf(out, grid
                     ? "| kind | operation | ISA | bound | max ULP | values | worst at | x | g | "
                       "got | want | above 1 ULP | |\n"
                       "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n"
                     : "| kind | operation | ISA | bound | max ULP | at x | g | got | want | above "
                       "1 ULP | |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (act_kind kind = 0; kind < act_kind_count(); kind++)
        for (enum op op = 0; op < OP_COUNT; op++)
            if (selected(options->kind, act_kind_name(kind)))
                print_rows(out, kind, op, grid);
}

static void add_audit(struct audit *sum, const struct audit *a)
{
    const uint64_t inputs = sum->inputs + a->inputs, bad = sum->bad + a->bad;
    if (a->inputs && !(a->ulp <= sum->ulp))
        *sum = *a;
    sum->inputs = inputs;
    sum->bad = bad;
}

/* The audit of an operation: of its inputs in their sequence, and of those near the bound. */
static void print_audit(FILE *out, act_kind kind, enum op op)
{
    struct audit drawn = {0}, all = {0};
    for (int p = 0; p < plan.pass_count; p++) {
        const struct pass *pass = &plan.passes[p];
        for (int i = 0; i < plan.isa_count * 2 && pass->kind == kind; i++)
            for (int slice = 0; slice < pass->slices; slice++) {
                const struct record *r = record_of(pass, slice, i / 2, i % 2);
                const int derivative = op == OP_BACKWARD && pass->op == OP_FORWARD;
                if (!r->wanted)
                    continue;
                if (pass->group == AUDIT && (pass->op == op || derivative) &&
                    i % 2 == (op != OP_FORWARD)) {
                    missing_records += !r->done;
                    add_audit(&drawn, &r->audit);
                    add_audit(&all, &r->audit);
                } else if (pass->group != AUDIT && pass->op == op && r->done) {
                    add_audit(&all, &r->audit);
                }
            }
    }
    if (!all.inputs)
        return;
    out_of_bounds += all.bad != 0;
    fprintf(out, "| %s | %s | %" PRIu64 " | %" PRIu64 " | %.2e |", act_kind_name(kind),
            op_names[op], drawn.inputs, all.inputs - drawn.inputs, all.ulp);
    if (all.ulp == 0)
        fprintf(out, " | | | |");
    else
        fprintf(out, " %.9g | %.6g | %.17g | %.17g |", all.x, all.g, all.got, all.want);
    fprintf(out, " %" PRIu64 " |\n", all.bad);
}

static void print_audits(FILE *out, const struct verify_options *options)
{
    fprintf(out,
            "| kind | operation | inputs | near the bound | max f32 ULP | at x | g | got | "
            "want | above %g ULP |\n|---|---|---|---|---|---|---|---|---|---|\n",
            AUDIT_TOLERANCE);
    for (act_kind kind = 0; kind < act_kind_count(); kind++)
        for (enum op op = 0; op < OP_COUNT; op++)
            if (selected(options->kind, act_kind_name(kind)))
                print_audit(out, kind, op);
}

static void date_of(int64_t seconds, char *text, size_t size)
{
    const time_t t = (time_t)seconds;
    strftime(text, size, "%Y-%m-%d", gmtime(&t));
}

static void print_head(FILE *out)
{
    int64_t first = INT64_MAX, last = 0;
    for (size_t i = 0; i < plan.record_count; i++)
        if (plan.records[i].done) {
            first = plan.records[i].time < first ? plan.records[i].time : first;
            last = plan.records[i].time > last ? plan.records[i].time : last;
        }
    char from[32], to[32];
    date_of(first, from, sizeof from);
    date_of(last, to, sizeof to);
    fprintf(
        out,
        "# Accuracy\n\n"
        "Written by `./dev verify` (tests/act-verify.c), libactfn %s, from results of %s to %s: "
        "those of an\nunchanged kernel are kept.\n\n"
        "ULP is the distance to the real result in units of its last place (2^-149 for "
        "subnormal results);\na wrong special value or sign of zero counts as infinite. g "
        "mixed: +-1, +-0, 2^+-100, +-inf, NaN, 0.7,\n-1.3, 3.7, 1e-3 and -1e5, by a hash of the "
        "input; of a derivative the error is that of the product\n`g f'(x)`. Within 0.5 of a "
        "zero of f' an error up to 2^-22 |g|, and where |f'| < 2^-126 one up to\n2^-148 max(1, "
        "|g|), is in bounds and not shown. ISAs with equal rows share one.\n\n",
        act_version(), from, to);
}

static void print_all(FILE *out, const struct verify_options *options)
{
    out_of_bounds = missing_records = 0;
    const char *oracle = act_isa_name(plan.oracle);
    if (options->step > 1)
        fprintf(out, "NOT ALL INPUTS: one of %" PRIu64 " of those the texts below speak of\n\n",
                options->step);
    fprintf(out,
            "## Default parameters\n\n"
            "Every float, all 2^32, against the library's f64 functions of the %s table. The "
            "scalar table's g = 1\nis among its g mixed.\n\n",
            oracle);
    if (options->sse42_step > 1)
        fprintf(out, "sse42: one of each %" PRIu64 " consecutive floats.\n", options->sse42_step);
    if (options->scalar_step > 1)
        fprintf(out, "The scalar table: one of each %" PRIu64 " consecutive floats.\n\n",
                options->scalar_step);
    print_table(out, options, 0);
    fprintf(
        out,
        "\n## Other parameters\n\n"
        "2^24 floats, one of each 256 consecutive ones, and the neighbourhoods of kinks and "
        "breakpoints, for each\nof the values of `params_of_grid` (tests/check_inputs.c); the "
        "worst of them. Of a sum that cancels the\nerror is in units of 2^-24 of the sum of the "
        "absolute terms, where that is less.\n\n");
    print_table(out, options, 1);
    fprintf(out,
            "\n## The f64 functions against MPFR\n\n"
            "One input of each %" PRIu64
            " consecutive ones, and up to %d per slice whose error in the "
            "tables above came\nwithin 5%% of the bound: the f64 result of the %s table against "
            "the formula in MPFR, derivatives\nwith g = 1 and g mixed.\n\n",
            1024 * options->audit_step, MAX_SUSPECTS, oracle);
    print_audits(out, options);
}

int report(const struct verify_options *options)
{
    print_all(stdout, options);
    if (missing_records)
        printf("\nINCOMPLETE: %d results are missing, see above for the crash\n", missing_records);
    printf("\n%d rows out of bounds\n", out_of_bounds);
    const int status = out_of_bounds || missing_records ? 1 : 0;
    if (!options->report || missing_records)
        return status;
    FILE *out = fopen(options->report, "w");
    if (!out) {
        fprintf(stderr, "act-verify: cannot write %s\n", options->report);
        return 2;
    }
    print_head(out);
    print_all(out, options);
    return fclose(out) ? 2 : status;
}
