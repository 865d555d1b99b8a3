/* act-verify: every float through every f32 kernel, against the f64 functions of the best table,
 * and those against MPFR. See act-verify.c for the parts. */
#ifndef ACT_TESTS_VERIFY_H
#define ACT_TESTS_VERIFY_H

#include "tests/check.h"

enum {
    CHUNK = 4096,
    SLICES = 64,
    MAX_ISAS = 8,
    MAX_SUSPECTS = 1000,
    MAX_TERMS = 4000,
    GRID_EXTRA = 2 * CHUNK
};

struct verify_options {
    const char *isa, *kind; /* shell patterns, NULL: all */
    const char *state;      /* directory of results, kept from run to run */
    const char *objects;    /* list of the library's objects, whose contents key the results */
    const char *report;     /* Markdown file to write, NULL: print only */
    int jobs;
    uint64_t step;                                /* 1, or one input in so many (the test) */
    uint64_t audit_step, scalar_step, sse42_step; /* of those of the audit, of these tables */
};

/* ---- the plan ------------------------------------------------------------------------------ */

/* In the order they are run. The scalar table calls libm, so it comes late and on its own, and so
 * does sse42 if it is thinned: its fused operations are emulated. */
enum group {
    AT_DEFAULTS,
    AUDIT,
    ON_GRID,
    SCALAR_AT_DEFAULTS,
    SCALAR_ON_GRID,
    SSE42_AT_DEFAULTS,
    SSE42_ON_GRID,
    GROUPS
};

/* One way through the inputs. Of a derivative, with g = 1 and with g mixed at once, for the slope
 * is needed for both. An audit takes f and f' from one evaluation, of op OP_FORWARD. */
struct pass {
    act_kind kind;
    enum op op;
    enum group group;
    int grid; /* index of params_of_grid */
    act_params params;
    uint64_t step; /* one input of each step consecutive ones */
    int slices;
    size_t first; /* its records */
};

/* How far the oracle, the best f64 table, is from MPFR, in f32 ULP. */
struct audit {
    uint64_t inputs, bad; /* bad: by more than AUDIT_TOLERANCE */
    double ulp, x, g, got, want;
};
#define AUDIT_TOLERANCE 0.001

/* What one ISA did on one slice of a pass. No bound is in it: the report judges. */
struct record {
    uint64_t key; /* of what it was measured with */
    int wanted, done;
    int64_t time;
    struct worst worst;
    uint64_t special; /* wrong specials and signs of zero */
    struct audit audit;
};

struct plan {
    struct pass *passes;
    int pass_count, isa_count;
    act_isa isas[MAX_ISAS], oracle;
    int sse42_apart;
    size_t record_count;
    struct record *records; /* shared by the workers */
};
extern struct plan plan;

/* 0, or an exit status. */
int make_plan(const struct verify_options *options);

/* mixed: with g mixed, or of an audit the derivative. */
struct record *record_of(const struct pass *pass, int slice, int isa_index, int mixed);
int is_grid(enum group group);
/* Is this ISA's f32 table what the pass is of? (Its f64 table, if it is an audit.) */
int pass_tests(const struct pass *pass, act_isa isa);
act_params rounded_params(const act_params *params);

/* ---- running ------------------------------------------------------------------------------- */

/* Fills in what is missing and appends it to the state file; what crashed stays missing. */
void run_missing(const struct verify_options *options);
void run_slice(const struct pass *pass, int slice);

void load_state(const char *path);
void save_record(FILE *state, const struct pass *pass, int slice, int isa_index, int mixed);

/* ---- a chunk of inputs ----------------------------------------------------------------------- */

struct chunk {
    const struct pass *pass;
    act_params params;
    double zero; /* of f', 0 if there is none */
    int n;
    float x[CHUNK], g[CHUNK], got[CHUNK], nearest[CHUNK];
    double wide_x[CHUNK], wide_g[CHUNK], want[CHUNK], slope[CHUNK];
    int exact; /* nearest is want, everywhere */
};

void chunk_inputs(struct chunk *c, uint64_t first); /* x, from the first-th input on */
void chunk_widen(struct chunk *c);                  /* wide_x */
void wide_inputs(struct chunk *c);                  /* wide_x; for OP_FROM_OUTPUT x becomes f(x) */
void chunk_grads(struct chunk *c, int mixed);       /* g and wide_g */
/* The oracle: the best f64 table, on the rounded parameters. */
void oracle(const struct chunk *c, enum op op, const double *g, double *out);
void chunk_nearest(struct chunk *c); /* want rounded */
/* What MPFR may still be asked for this slice. */
struct budget {
    int suspects; /* results near their bound */
    int terms;    /* results of a sum that cancelled */
};
/* got against want, of a kernel of this bound. */
void chunk_judge(struct chunk *c, struct record *r, double bound, struct budget *budget);

/* ---- the oracle against MPFR --------------------------------------------------------------- */

void audit_slice(struct chunk *c, int slice);
/* One value of the oracle: at x, g, got. */
void audit_value(struct audit *audit, const struct pass *pass, enum op op, float x, float g,
                 double got);
/* The sum of the absolute terms of f or f' at x, exactly; terms_of has an upper bound. */
double exact_terms(const struct pass *pass, enum op op, float x);

/* Prints, and writes options->report if the results are complete and the kinds and ISAs are all.
 * The exit status. */
int report(const struct verify_options *options);

#endif
