/* act-bench: the speed of every kernel on the ISAs of this machine, after a check of its accuracy.
 */
#include "bench/bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void die(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (char *c = line; *c; c++) /* what was given may hold a line feed */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    fprintf(stderr, "act-bench: %s\n", line);
    exit(EXIT_BAD_INPUT);
}

void *allocate(size_t bytes)
{
    enum { PAGE = 4096 };
    void *p = bytes > SIZE_MAX - PAGE ? NULL : aligned_alloc(PAGE, (bytes + PAGE) / PAGE * PAGE);
    if (!p)
        die("no memory for %zu bytes", bytes);
    memset(p, 0, bytes);
    return p;
}

/* "-" is standard output. Opened before the run: a bad name is found out at once. */
static FILE *open_output(const char *path)
{
    if (!path)
        return NULL;
    FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (!f)
        die("%s: %s", path, strerror(errno));
    return f;
}

static void close_output(FILE *f, const char *path)
{
    if (f && (fflush(f) != 0 || (f != stdout && fclose(f) != 0)))
        die("%s: %s", path, strerror(errno));
}

int main(int argc, char **argv)
{
    struct options o;
    struct run r;
    options_parse(&o, argc, argv);
    if (o.list) {
        report_list();
        return 0;
    }
    act_set_mode(ACT_MODE_FAST); /* ACTFN_MODE=reproducible would refuse scalar and sse42 */
    size_t tensor_count = 0;
    float *tensor = o.input ? npy_read(o.input, &tensor_count) : NULL;
    struct cJSON *earlier = o.compare ? json_read(o.compare) : NULL;
    FILE *json = open_output(o.json), *csv = open_output(o.csv);

    run_plan(&r, &o, tensor_count);
    run_inputs(&r, tensor, tensor_count);
    free(tensor);
    const size_t failed = run_check(&r);
    run_measure(&r);

    if (json != stdout && csv != stdout)
        report_table(stdout, &r);
    if (json)
        report_json(json, &r);
    if (csv)
        report_csv(csv, &r);
    if (earlier)
        report_compare(json == stdout || csv == stdout ? stderr : stdout, earlier, &r);
    close_output(json, o.json);
    close_output(csv, o.csv);
    close_output(stdout, "standard output");
    run_free(&r);
    return failed ? EXIT_WRONG_RESULT : 0;
}
