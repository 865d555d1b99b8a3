/* The table, CSV, and the machine's description. */
#include "bench/bench.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void report_list(void)
{
    for (act_isa isa = 0; isa < act_isa_count(); isa++)
        printf("isa  %s%s\n", act_isa_name(isa), act_isa_available(isa) ? "" : " (not here)");
    for (act_kind kind = 0; kind < act_kind_count(); kind++)
        printf("kind %s\n", act_kind_name(kind));
    for (size_t k = 0; k < structured_count; k++)
        printf("structured %s %s\n", structured_list[k].name, op_names[structured_list[k].op]);
}

const char *cell_kind(const struct cell *c, char name[64])
{
    const char *const kind = c->kind < 0 ? NULL : act_kind_name(c->kind);
    snprintf(name, 64, "%s%s%s", c->fn ? c->fn->name : "", c->fn && kind ? ":" : "",
             kind ? kind : "");
    return name;
}

const char *cell_name(const struct run *r, const struct cell *c, char name[128])
{
    char kind[64];
    snprintf(name, 128, "%s/%s/%s/%s/%zu", cell_kind(c, kind), op_names[c->op],
             dtype_names[r->dtype], act_isa_name(c->isa), c->n);
    return name;
}

void context_read(struct context *c, const struct run *r)
{
    *c = (struct context){.cpu = "unknown CPU", .cpus = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "model name : %127[^\n]", c->cpu) == 1)
            break;
    if (f)
        fclose(f);
#ifdef __clang__
    snprintf(c->compiler, sizeof c->compiler, "clang %s", __clang_version__);
#else
    snprintf(c->compiler, sizeof c->compiler, "gcc %s", __VERSION__);
#endif
    const time_t now = time(NULL);
    strftime(c->date, sizeof c->date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    const size_t n = r->cells[0].n;
    c->ghz = (double)PROBE_TURNS * CHAIN_ADDS / yardstick(r, CELL_ADD, n, -1)->median;
    c->slot = slot_ns(r, n, r->best);
    const size_t largest = r->cells[r->count - 1].n;
    c->copy_gb_per_s = 2 * (double)(largest * r->elem) / copy_ns(r, largest);
}

static void number(FILE *f, int width, int digits, double v)
{
    if (isnan(v))
        fprintf(f, " %*s", width, "-");
    else
        fprintf(f, " %*.*f", width, digits, v);
}

void report_table(FILE *f, const struct run *r)
{
    struct context c;
    context_read(&c, r);
    fprintf(f, "act-bench %s, %s\n%s, %d CPUs, %.2f GHz by a chain of additions; built by %s\n",
            act_version(), c.date, c.cpu, c.cpus, c.ghz, c.compiler);
    fprintf(f, "input %s; best ISA %s, one FMA slot %.4f ns; copy of the largest n %.1f GB/s\n",
            r->input, act_isa_name(r->best), c.slot, c.copy_gb_per_s);
    fprintf(f, "call overhead: relu forward of %zu elements %.1f ns\n", r->overhead.n,
            r->overhead.median);
    const long threads = r->options->threads;
    if (threads > 1)
        fprintf(f, "threads: %ld in a call of the library; slots and copies are of one\n", threads);
    const double others = 1 - r->cpu_total / r->real_total;
    if (others > 0.02 && threads < 2)
        fprintf(f, "note: others had this CPU for %.0f%% of the time; the times are noisy\n",
                100 * others);
    fputc('\n', f);
    const int width = r->options->structured ? 27 : 15;
    char kind[64];
    fprintf(f, "%-*s %-11s %-7s %9s %9s %6s %7s %6s %6s %7s %8s\n", width, "kind", "operation",
            "isa", "n", "ns/elem", "+-%", "GB/s", "slots", "copy", "scalar", "max ULP");
    for (size_t i = 0; i < r->count; i++) {
        const struct cell *cell = &r->cells[i];
        if (cell->type != CELL_KERNEL)
            continue;
        fprintf(f, "%-*s %-11s %-7s %9zu", width, cell_kind(cell, kind), op_names[cell->op],
                act_isa_name(cell->isa), cell->n);
        if (cell->failed && cell->fn) {
            fprintf(f, "  FAIL: %g ULP of the largest result, more than %d\n", cell->max_ulp,
                    STRUCTURED_ULP);
            continue;
        }
        if (cell->failed) {
            fprintf(f, "  FAIL: %g ULP at x = %a, more than %g\n", cell->max_ulp, cell->worst_x,
                    act_kind_bound(cell->kind, r->dtype, cell->isa, ACT_MODE_FAST,
                                   cell->op != OP_FORWARD));
            continue;
        }
        const struct figures v = figures_of(r, cell);
        number(f, 9, 4, v.ns_per_element);
        number(f, 6, 1, 100 * cell->mad / cell->median);
        number(f, 7, 1, v.gb_per_s);
        number(f, 6, 1, v.slots);
        number(f, 6, 2, v.copy_fraction);
        number(f, 7, 1, v.speedup);
        number(f, 8, 3, cell->max_ulp);
        fputc('\n', f);
    }
    if (r->options->structured)
        fprintf(
            f,
            "\nrows of %zu elements at the largest n. max ULP: of the largest result, against the "
            "scalar table in double.\n",
            row_of(r->options, r->cells[r->count - 1].n));
    fprintf(f, "\nslots: time of one vector in FMA slots of its ISA. copy: bandwidth as a share of "
               "the best copy of\nn elements: memcpy, a loop of vectors, non-temporal. scalar: "
               "speed-up over the scalar table. +-%%:\nmedian absolute deviation. max ULP: on a "
               "sample of the input and edges.\n");
}

/* A field, empty where there is no figure: printf's nan may have a sign. */
static void field(FILE *f, double v)
{
    if (isnan(v))
        fputc(',', f);
    else
        fprintf(f, ",%.6g", v);
}

void report_csv(FILE *f, const struct run *r)
{
    fprintf(f, "kind,operation,dtype,isa,n,ns_per_call,mad_ns,ns_per_element,gb_per_s,fma_slots,"
               "copy_fraction,speedup_over_scalar,max_ulp,failed\n");
    char kind[64];
    for (size_t i = 0; i < r->count; i++) {
        const struct cell *c = &r->cells[i];
        if (c->type != CELL_KERNEL)
            continue;
        const struct figures v = figures_of(r, c);
        fprintf(f, "%s,%s,%s,%s,%zu", cell_kind(c, kind), op_names[c->op], dtype_names[r->dtype],
                act_isa_name(c->isa), c->n);
        const double fields[] = {c->median, c->mad,          v.ns_per_element, v.gb_per_s,
                                 v.slots,   v.copy_fraction, v.speedup,        c->max_ulp};
        for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++)
            field(f, fields[k]);
        fprintf(f, ",%d\n", c->failed);
    }
}
