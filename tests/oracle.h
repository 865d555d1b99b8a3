/* Formulas of kinds.inc evaluated with an error bound, for act-verify-f64 to ask MPFR only where it
 * has to. gelu_tanh takes .4 us here and 1 ms there, on the strata's inputs.
 *
 * A formula is compiled once to a tree whose constants are folded in MPFR. The tree is evaluated
 * for arrays of x, value and derivative together, and each of the two carries a bound of its
 * absolute error: of every operation the errors of its operands through it, and its own rounding.
 * The functions of libm are taken to be within 8 ulp (glibc lists 5 for the worst, erfc). What
 * the bound cannot settle, a comparison that may go either way, a divisor that may be 0, gets a
 * bound that nobody accepts.
 *
 * oracle_long is in long double, where that is wider than double, and oracle_quad in _Float128, for
 * what the former leaves open. Both have exponents of 15 bits: no result of double over- or
 * underflows. Exponentials do, and an argument beyond 5000 counts as 5000: the formulas are at
 * their limits there, either 1e-2171 from them or vanishing. That is an assumption; act-verify-f64
 * audits it like everything here. */
#ifndef ACT_TESTS_ORACLE_H
#define ACT_TESTS_ORACLE_H

#include "actfn/actfn.h"

#include <float.h>
#include <stdint.h>

#if (LDBL_MANT_DIG == 64 || LDBL_MANT_DIG == 113) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ORACLE_LONG 1
#else
#define ORACLE_LONG 0
#endif

enum { ORACLE_BATCH = 1024 };

/* What a result has to be, of a batch. In units of 2^exponent, which is the last place of a double
 * of that size: high + low, within bound. unit_a * unit_b is 2^-exponent, which may be no double.
 * bound is infinite if nothing is known. */
struct oracle_wants {
    double high[ORACLE_BATCH], low[ORACLE_BATCH], bound[ORACLE_BATCH];
    double unit_a[ORACLE_BATCH], unit_b[ORACLE_BATCH];
    uint64_t sign[ORACLE_BATCH]; /* the sign bit of a double */
    int exponent[ORACLE_BATCH];
    unsigned char tiny[ORACLE_BATCH]; /* |f'| < 2^-1022, certainly */
};

struct oracle;

/* NULL if the formula has something that only MPFR can do. */
struct oracle *oracle_new(const char *formula, const act_params *params);
void oracle_free(struct oracle *o);

/* f(x) and g f'(x) of n <= ORACLE_BATCH finite x and g. */
void oracle_long(const struct oracle *o, const double *x, const double *g, int n,
                 struct oracle_wants *forward, struct oracle_wants *backward);
/* 0 if this platform has no _Float128. */
int oracle_quad(const struct oracle *o, const double *x, const double *g, int n,
                struct oracle_wants *forward, struct oracle_wants *backward);

#endif
