/* The state file: a line for each finished record, found again by its key. */
#include "tests/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    uint64_t key;
    struct record *record;
};

static int compare(const void *a, const void *b)
{
    const uint64_t x = ((const struct entry *)a)->key, y = ((const struct entry *)b)->key;
    return (x > y) - (x < y);
}

void save_record(FILE *state, const struct pass *pass, int slice, int isa_index, int mixed)
{
    const struct record *r = record_of(pass, slice, isa_index, mixed);
    const struct worst *w = &r->worst;
    const struct audit *a = &r->audit;
    char line[1024];
    /* In one write, for both workers append. The names at the end are for a reader. */
    const int n = snprintf(line, sizeof line,
                           "%016" PRIx64 " %" PRId64 " %a %a %a %a %a %" PRIu64 " %" PRIu64
                           " %" PRIu64 " %" PRIu64 " %a %a %a %a %a %s %s %s %d %d %d\n",
                           r->key, r->time, w->ulp, (double)w->x, (double)w->g, (double)w->got,
                           w->want, w->above1, r->special, a->inputs, a->bad, a->ulp, a->x, a->g,
                           a->got, a->want, act_kind_name(pass->kind), op_names[pass->op],
                           act_isa_name(plan.isas[isa_index]), pass->grid, mixed, slice);
    fwrite(line, 1, (size_t)n, state);
    fflush(state);
}

static int parse(const char *line, struct record *r)
{
    double x, g, got;
    struct worst *w = &r->worst;
    struct audit *a = &r->audit;
    char end[2];
    const int n =
        sscanf(line,
               "%" SCNx64 " %" SCNd64 " %la %la %la %la %la %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %la %la %la %la %la %1s",
               &r->key, &r->time, &w->ulp, &x, &g, &got, &w->want, &w->above1, &r->special,
               &a->inputs, &a->bad, &a->ulp, &a->x, &a->g, &a->got, &a->want, end);
    w->x = (float)x;
    w->g = (float)g;
    w->got = (float)got;
    return n == 17 && strchr(line, '\n'); /* not the half line of a crash */
}

void load_state(const char *path)
{
    FILE *state = fopen(path, "r");
    struct entry *entries = malloc(plan.record_count * sizeof *entries);
    if (!entries)
        exit(2);
    size_t count = 0;
    for (size_t i = 0; i < plan.record_count; i++)
        if (plan.records[i].wanted)
            entries[count++] = (struct entry){plan.records[i].key, &plan.records[i]};
    qsort(entries, count, sizeof *entries, compare);
    char line[1024];
    while (state && fgets(line, sizeof line, state)) {
        struct record r = {.wanted = 1, .done = 1};
        if (!parse(line, &r))
            continue;
        const struct entry key = {r.key, NULL};
        const struct entry *found = bsearch(&key, entries, count, sizeof *entries, compare);
        if (found)
            *found->record = r;
    }
    if (state)
        fclose(state);
    free(entries);
}
