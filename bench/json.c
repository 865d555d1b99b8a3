/* JSON as Google Benchmark writes it, so that its compare.py reads ours; and our own comparison. */
#include "bench/bench.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add(cJSON *object, const char *key, double v)
{
    if (!isnan(v)) /* JSON has no NaN */
        cJSON_AddNumberToObject(object, key, v);
}

void report_json(FILE *f, const struct run *r)
{
    struct context c;
    context_read(&c, r);
    cJSON *root = cJSON_CreateObject(), *context = cJSON_AddObjectToObject(root, "context");
    cJSON_AddStringToObject(context, "date", c.date);
    cJSON_AddStringToObject(context, "executable", "act-bench");
    cJSON_AddStringToObject(context, "library_version", act_version());
    cJSON_AddStringToObject(context, "cpu", c.cpu);
    cJSON_AddStringToObject(context, "compiler", c.compiler);
    cJSON_AddStringToObject(context, "isa", act_isa_name(r->best));
    cJSON_AddStringToObject(context, "input", r->input);
    cJSON_AddNumberToObject(context, "num_cpus", c.cpus);
    cJSON_AddNumberToObject(context, "mhz_per_cpu", 1000 * c.ghz);
    cJSON_AddNumberToObject(context, "fma_slot_ns", c.slot);
    cJSON_AddNumberToObject(context, "copy_gb_per_s", c.copy_gb_per_s);
    cJSON_AddNumberToObject(context, "call_overhead_ns", r->overhead.median);
    cJSON_AddNumberToObject(context, "threads", fmax(1, (double)r->options->threads));
    cJSON_AddNumberToObject(context, "cpu_share", fmin(1, r->cpu_total / r->real_total));
    cJSON *list = cJSON_AddArrayToObject(root, "benchmarks");
    for (size_t i = 0; i < r->count; i++) {
        const struct cell *cell = &r->cells[i];
        if (cell->type != CELL_KERNEL)
            continue;
        char name[128];
        cJSON *b = cJSON_CreateObject();
        cJSON_AddItemToArray(list, b);
        cJSON_AddStringToObject(b, "name", cell_name(r, cell, name));
        cJSON_AddStringToObject(b, "run_name", name);
        cJSON_AddStringToObject(b, "run_type", "iteration");
        cJSON_AddNumberToObject(b, "repetitions", (double)cell->reps);
        cJSON_AddNumberToObject(b, "iterations", (double)cell->calls);
        if (cell->failed) {
            cJSON_AddTrueToObject(b, "error_occurred");
            cJSON_AddStringToObject(b, "error_message", "outside its error bound");
        }
        const struct figures v = figures_of(r, cell);
        add(b, "real_time", cell->failed ? 0 : cell->median);
        add(b, "cpu_time", cell->failed ? 0 : cell->cpu);
        cJSON_AddStringToObject(b, "time_unit", "ns");
        add(b, "items_per_second", 1e9 / v.ns_per_element);
        add(b, "bytes_per_second", 1e9 * v.gb_per_s);
        add(b, "mad", cell->mad);
        add(b, "fma_slots", v.slots);
        add(b, "copy_fraction", v.copy_fraction);
        add(b, "speedup_over_scalar", v.speedup);
        if (isfinite(cell->max_ulp))
            add(b, "max_ulp", cell->max_ulp);
    }
    char *text = cJSON_Print(root);
    fprintf(f, "%s\n", text);
    free(text);
    cJSON_Delete(root);
}

struct cJSON *json_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        die("%s: %s", path, strerror(errno));
    size_t size = 0, room = 1 << 16;
    char *text = malloc(room);
    for (size_t got; text && (got = fread(text + size, 1, room - size - 1, f)) > 0;) {
        size += got;
        if (size + 1 == room)
            text = realloc(text, room *= 2);
    }
    fclose(f);
    if (!text)
        die("out of memory");
    text[size] = '\0';
    cJSON *root = cJSON_Parse(text);
    free(text);
    if (!root || !cJSON_IsArray(cJSON_GetObjectItem(root, "benchmarks")))
        die("%s: not the JSON of act-bench", path);
    return root;
}

/* A ratio is noise while it is within three deviations of both runs, and a percent. */
void report_compare(FILE *f, struct cJSON *root, const struct run *r)
{
    int compared = 0, slower = 0;
    fprintf(f, "\n%-48s %12s %12s %7s\n", "against an earlier run", "ns then", "ns now", "ratio");
    for (size_t i = 0; i < r->count; i++) {
        const struct cell *c = &r->cells[i];
        char name[128];
        const cJSON *b;
        if (c->type != CELL_KERNEL || c->failed)
            continue;
        cell_name(r, c, name);
        cJSON_ArrayForEach(b, cJSON_GetObjectItem(root, "benchmarks"))
        {
            const cJSON *other = cJSON_GetObjectItem(b, "name");
            const cJSON *time = cJSON_GetObjectItem(b, "real_time");
            const cJSON *mad = cJSON_GetObjectItem(b, "mad");
            if (!cJSON_IsString(other) || strcmp(other->valuestring, name) != 0 ||
                !cJSON_IsNumber(time) || !(time->valuedouble > 0))
                continue;
            const double then = time->valuedouble, ratio = c->median / then;
            const double noise = 0.01 + 3 * c->mad / c->median +
                                 (cJSON_IsNumber(mad) ? 3 * mad->valuedouble / then : 0);
            const char *mark = ratio > 1 + noise ? "slower" : ratio < 1 - noise ? "faster" : "";
            fprintf(f, "%-48s %12.1f %12.1f %7.3f %s\n", name, then, c->median, ratio, mark);
            compared++;
            slower += ratio > 1 + noise;
        }
    }
    fprintf(f, "%d compared, %d slower beyond noise\n", compared, slower);
    cJSON_Delete(root);
}
