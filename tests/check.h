/* checkact: every ISA x kind against the double reference (the scalar f64 table). */
#ifndef ACT_TESTS_CHECK_H
#define ACT_TESTS_CHECK_H

#include "actfn/actfn.h"
#include "kernels/test_data.h"

#include <stdint.h>
#include <stdio.h>

enum op { OP_FORWARD, OP_BACKWARD, OP_FROM_OUTPUT, OP_COUNT };
extern const char *const op_names[OP_COUNT];

extern const struct act_test *const act_tests[];

struct options {
    const char *isa, *kind; /* shell patterns, NULL: all */
    uint64_t seed;
    int quick;
};

/* The call under test, for the crash handler and failure messages. */
struct where {
    act_isa isa;
    act_kind kind;
    enum op op;
    act_dtype dtype;
    size_t n, offset;
    act_params params;
};
extern struct where where;

/* A failed check: printed (the first few of each ISA x kind) and counted. */
extern int failures;
void catch_crashes(void); /* a crash names the call under test */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- calling ------------------------------------------------------------------------------- */

/* Any operation on any type; g is ignored for OP_FORWARD. Fails the check on a status. */
void call(act_dtype dtype, enum op op, act_kind kind, const act_params *params, const void *x,
          const void *g, void *out, size_t n);
int op_offered(act_kind kind, enum op op, const act_params *params);
size_t elem_size(act_dtype dtype); /* of an input */
void use_isa(act_isa isa);
void use_mode(act_mode mode);

/* ---- inputs -------------------------------------------------------------------------------- */

uint64_t random_u64(uint64_t *state);
float float_of_bits(uint32_t bits);
uint32_t bits_of_float(float value);
/* Hard inputs for a kind: specials, each edge with its neighbours, a linear grid over [-20, 20],
 * random bit patterns. Returns count floats. */
void fill_inputs(act_kind kind, float *x, size_t count, uint64_t *state);
/* +-1, 0, 2^+-100, inf, NaN, random. */
void fill_grads(float *g, size_t count, uint64_t *state);
/* The i-th parameter set to try; 0 is the defaults. Returns 0 past the last. */
int params_of_grid(act_kind kind, int i, act_params *params);

/* ---- measuring ----------------------------------------------------------------------------- */

/* |got - want| in units of the last place of want as a float. Special values and signs of zero must
 * be equal: INFINITY if not. NaN equals NaN. */
double ulp_error(float got, double want);

struct worst {
    double ulp;
    float x, g, got;
    double want;
    uint64_t above1; /* inputs with more than 1 ULP */
};

/* The error of one result in the units its bound is given in. terms: of a kind that cancels, the
 * sum of the absolute terms, to whose last place the error may be relative instead; 0 for others.
 * Of a derivative of slope f', g f' = want: 0 where one of the absolute bounds of actfn.h holds,
 * near a zero of f' (0: none) and for subnormal f'. */
double forward_error(double terms, float got, double want);
double backward_error(double terms, double zero, float x, float g, float got, double want,
                      double slope);

/* Updates *worst with a result of this error, which is returned. */
double note(struct worst *worst, double error, float x, float g, float got, double want);

/* Both; 0 if the error is beyond the bound. */
int judge_forward(struct worst *worst, double bound, double terms, float x, float got, double want);
int judge_backward(struct worst *worst, double bound, double terms, double zero, float x, float g,
                   float got, double want, double slope);
/* An upper bound of the sum of the absolute terms; test_reference has the sum itself. */
double terms_of(act_kind kind, enum op op, const act_params *params, double x);

/* The zero of f' for these parameters, 0 if there is none. */
double zero_of(act_kind kind, const act_params *params);
/* How far from it the bound is absolute: -1 without one. A zero far out, of swish with a small beta, has
 * a wider one. */
double zero_window(double zero);
int beside_zero(double x, double zero);

/* ---- the checks ---------------------------------------------------------------------------- */

void check_accuracy(const struct options *options, act_isa isa, act_kind kind, size_t count);
void check_memory(const struct options *options, act_isa isa, act_kind kind, act_dtype dtype);
/* f(-0), and the FP control word, which no call may change. */
void check_contract(act_isa isa, act_kind kind);

int selected(const char *pattern, const char *name);

#endif
