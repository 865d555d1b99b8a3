/* act-bench: what its files share. */
#ifndef ACT_BENCH_H
#define ACT_BENCH_H

#include "actfn/actfn.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One line on stderr, exit status 2: the input was bad, or the machine said no. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *allocate(size_t bytes); /* page-aligned; dies when there is no memory */

enum { EXIT_WRONG_RESULT = 1, EXIT_BAD_INPUT = 2 };

/* ---- options.c ----------------------------------------------------------------------------- */

enum { OP_FORWARD, OP_BACKWARD, OP_FROM_OUTPUT, OP_COUNT };
extern const char *const op_names[OP_COUNT];
enum { DTYPE_COUNT = ACT_F16 + 1 };
extern const char *const dtype_names[DTYPE_COUNT];

enum { ISA_LIMIT = 32, KIND_LIMIT = 512, SIZE_LIMIT = 32 };

struct options {
    unsigned char kinds[KIND_LIMIT], isas[ISA_LIMIT], ops[OP_COUNT]; /* selected? */
    int kinds_given;                                                 /* by --kind */
    const char *structured; /* --structured: patterns of names, or NULL: the kinds themselves */
    size_t row;             /* --row; 0: chosen */
    size_t sizes[SIZE_LIMIT];
    int size_count;  /* 0: the default sizes */
    double min_time; /* seconds per cell; 0: chosen */
    long threads;    /* in a call; 0: one, and pinned */
    act_dtype dtype;
    int uniform; /* --dist uniform8: U[-8, 8] instead of N(0, 1.5) */
    const char *input, *json, *csv, *compare;
    int list;
};

/* Dies on anything it does not understand; --help and --version end here. */
void options_parse(struct options *o, int argc, char **argv);

/* ---- npy.c --------------------------------------------------------------------------------- */

/* The elements of an f32 .npy file in memory order, and how many. Dies on a file it cannot use. */
float *npy_read(const char *path, size_t *count);

/* ---- elements.c ----------------------------------------------------------------------------- */

size_t elem_size(act_dtype dtype);
/* Element i of an array; rounded to nearest. */
void elem_put(act_dtype dtype, void *array, size_t i, double value);
double elem_get(act_dtype dtype, const void *array, size_t i);
/* |got - want| in units of the last place that want has in the type; INFINITY where a NaN, an
 * infinity or an overflow is not the right one. */
double ulps(act_dtype dtype, double got, double want);

/* ---- probe.c, once per ISA and element type; probes.c ---------------------------------------- */

struct probe {
    size_t lanes; /* elements per vector */
    int fused;    /* a slot is one FMA; otherwise a multiplication and an addition */
    void (*fma)(size_t turns);
    void (*copy)(void *to, const void *from, size_t n); /* n elements, as the kernels loop */
};
enum { PROBE_FMAS = 12 };   /* independent chains per turn: latency times throughput is 8 to 10 */
enum { PROBE_TURNS = 512 }; /* per call, of fma and add_chain */

const struct probe *probe_find(act_isa isa,
                               act_dtype dtype);   /* of f32 for 16 bits; NULL: not built */
act_isa probe_best_isa(const unsigned char *isas); /* the most preferred selected; -1 */

void copy_nontemporal(void *to, const void *from, size_t bytes);
void add_chain(size_t turns); /* dependent additions, one cycle each */
enum { CHAIN_ADDS = 64 };     /* per turn */

/* ---- structured.c --------------------------------------------------------------------------- */

/* What a function makes of n elements in rows: rows of an axis, its columns (the axis first),
 * planes of a channel each, pieces, four to a row, or one set of parameters for all. */
enum { SHAPE_ROWS, SHAPE_COLUMNS, SHAPE_PLANES, SHAPE_PIECES, SHAPE_SHARED };
enum { OUT_ALL, OUT_HALF, OUT_QUARTER, OUT_ROWS, OUT_NONE }; /* results */

struct work {
    const struct structured *fn;
    act_dtype type;
    act_kind kind; /* -1 if the function takes none */
    size_t n, row; /* n is a multiple of row, and row of 4 */
    const void *x, *grad;
    void *y, *out;
    char *side; /* structured_side() bytes: parameters and their gradients */
};
struct structured {
    const char *name;
    int op, shape;
    double arrays, bytes; /* read and written: arrays of n elements; bytes per element besides */
    int out;
    const char *kinds; /* that it is measured with, or NULL: it takes none */
    act_status (*run)(const struct work *w);
    void (*ready)(const struct work *w); /* parameters, and what the forward call leaves; or NULL */
};
extern const struct structured structured_list[];
extern const size_t structured_count;

size_t structured_side(size_t n, size_t row);
int structured_kinds(const struct structured *f, const struct options *o,
                     act_kind kinds[KIND_LIMIT]);
size_t structured_results(const struct structured *f, size_t n, size_t row); /* elements of out */

/* ---- cells.c ------------------------------------------------------------------------------- */

enum cell_type { CELL_KERNEL, CELL_FMA, CELL_MEMCPY, CELL_LOOP_COPY, CELL_NT_COPY, CELL_ADD };

struct times {
    double real, cpu; /* ns per call */
};

/* Something timed: a kernel, or a yardstick of the machine timed between the kernels. */
struct cell {
    enum cell_type type;
    const struct structured *fn; /* or NULL: the kind itself */
    act_kind kind;
    int op;
    act_isa isa;
    size_t n;
    double max_ulp, worst_x; /* on the sample; NaN: not compared */
    int failed;              /* outside its published bound: not timed */
    size_t calls, reps;      /* calls per repetition */
    double median, mad, cpu; /* ns per call, over the repetitions; cpu: the median of CPU time */
    struct times *sample;
};

struct run {
    const struct options *options;
    act_isa best;
    struct cell *cells; /* sorted by n; the yardsticks of each n come first */
    size_t count;
    act_dtype dtype;
    size_t elem;
    void *x, *grad, *out, *y;     /* the largest n */
    char *side;                   /* of structured functions */
    char input[160];              /* what the inputs are */
    struct cell overhead;         /* relu forward, n = 16, best table */
    double real_total, cpu_total; /* of all repetitions, ns: apart when others had the CPU */
};

void run_plan(struct run *r, const struct options *o, size_t tensor_count);
void run_inputs(struct run *r, const float *tensor, size_t tensor_count);
void run_free(struct run *r);

struct work work_of(const struct run *r, const struct cell *c);
size_t row_of(const struct options *o, size_t n); /* length of a row of structured functions */

/* Figures of a measured kernel cell; NaN where there is none. */
struct figures {
    double ns_per_element, gb_per_s, slots, copy_fraction, speedup;
};
struct figures figures_of(const struct run *r, const struct cell *c);
/* A yardstick of the cells with this n; isa only matters to CELL_FMA. NULL: not measured. */
const struct cell *yardstick(const struct run *r, enum cell_type type, size_t n, act_isa isa);
double slot_ns(const struct run *r, size_t n, act_isa isa);
double copy_ns(const struct run *r, size_t n); /* the faster copy of n elements */

/* ---- check.c, measure.c -------------------------------------------------------------------- */

/* Of structured functions: in ULP of the largest result. Their own tests have the bounds. */
enum { STRUCTURED_ULP = 32 };
size_t run_check(struct run *r); /* accuracy on a sample; the number that failed */
void run_measure(struct run *r);

/* The library's function; dies if it refuses. g is not used by OP_FORWARD. */
void call(act_dtype dtype, int op, act_kind kind, const act_params *p, const void *x, const void *g,
          void *out, size_t n);
void use_isa(act_isa isa);

/* ---- report.c, json.c ---------------------------------------------------------------------- */

struct context {
    char cpu[128], compiler[64], date[40];
    double ghz, slot, copy_gb_per_s;
    int cpus;
};
void context_read(struct context *c, const struct run *r);
const char *cell_name(const struct run *r, const struct cell *c, char name[128]);
const char *cell_kind(const struct cell *c, char name[64]); /* "gelu", or "norm:gelu" */

void report_list(void);
void report_table(FILE *f, const struct run *r);
void report_csv(FILE *f, const struct run *r);
void report_json(FILE *f, const struct run *r);

/* An earlier --json, read before the run, which may write to the same file. Dies if it is none. */
struct cJSON *json_read(const char *path);
void report_compare(FILE *f, struct cJSON *earlier, const struct run *r);

#endif
