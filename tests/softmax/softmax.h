/* What the parts of test_softmax share. */
#ifndef ACT_TESTS_SOFTMAX_H
#define ACT_TESTS_SOFTMAX_H

#include "actfn/actfn.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef long double real;

enum function { SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, FUNCTIONS };
extern const char *const names[FUNCTIONS];
extern const char *const type_names[ACT_F16_F32 + 1];
extern const size_t size_of[ACT_F16 + 1];

/* ---- common.c: failures, worst errors */

extern char context[300];
extern int failures;
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

enum measure {
    ULP_SOFTMAX,
    ULP_LOG_SOFTMAX,
    ERR_LOGSUMEXP,
    ERR_BACKWARD,
    ERR_LOG_BACKWARD,
    ERR_LOSS,
    ERR_GRADIENT,
    MEASURES
};
/* f32, f64: the error in units is within that of docs/softmax.md. 16-bit types: it is within half
 * a ULP of theirs beside that. */
void judge(act_dtype type, enum measure m, double got, real want, double unit, const char *what,
           size_t index);
void forget_worst(void);
void print_worst(act_dtype type);

/* ---- common.c: numbers; of the four types without a second one */

uint64_t random_u64(void);
void seed(uint64_t state);
double uniform(void);
double normal(void);
double get(act_dtype type, const void *p, size_t i);
void put(act_dtype type, void *p, size_t i, double x); /* to nearest even */
double rounded(act_dtype type, double x);              /* a parameter: to what is computed with */
double ulp_of(act_dtype type, real want);
act_dtype wide_of(act_dtype type); /* what is computed with, ACT_F32 or ACT_F64 */
void *new_array(act_dtype type, size_t n);
void fill(act_dtype type, void *x, size_t n, double sigma, double offset);

/* ---- common.c: reference */

/* One row, gathered. */
struct row {
    size_t n;
    real *z; /* -inf where masked */
    unsigned char *masked;
    real max, rest, sum; /* sum of e^(z - max), and without one maximum */
    int empty, bad;
};

size_t index_of(act_shape s, size_t o, size_t j, size_t i);
real exp_of(act_dtype type, real x);
void row_reference(act_dtype type, act_shape s, const act_logits *z, const void *x, size_t o,
                   size_t i, struct row *r);
struct row new_row(size_t n);
void free_row(struct row *r);
real want_of(act_dtype type, enum function f, const act_logits *z, const struct row *r, size_t j);

act_status forward(enum function f, act_dtype type, unsigned flags, act_shape s,
                   const act_logits *z, const void *in, void *out);

/* ---- rows.c: all functions by number; index targets are x's */

enum { OPS = 9 };
act_status run(int op, act_dtype type, unsigned flags, act_shape s, const act_logits *z,
               const void *x, const void *g, const int64_t *index, void *out, void *out2);

/* ---- the tests */

void special_rows(act_dtype type);
void roundings(void);
void table(act_dtype type);
void print_table(void);
/* full: all that there is, else every case with some shape (test_softmax.c) */
void masks(act_dtype type, int full);
void shapes(act_dtype type, int full);
void long_rows(act_dtype type, size_t n);
void positions(act_dtype type);
void reproducible(void);
void threads(act_dtype type);
void sixteen_bits(act_dtype type, int full);
void memory(act_dtype type);
void differences(void);
void statuses(void);

#endif
