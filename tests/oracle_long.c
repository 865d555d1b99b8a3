/* The oracle in long double. */
#include "tests/oracle.h"
#include "tests/oracle_tree.h"

#include <math.h>
#include <string.h>

#if ORACLE_LONG
typedef long double real;
#define REAL(function) function##l
#define U              (LDBL_EPSILON / 2)
#if LDBL_MANT_DIG == 64
enum { TOP = 8, TANH_TERMS = 9 }; /* where sign and exponent are; 2^-79 */

static int is_power(const real *x)
{
    uint64_t mantissa;
    memcpy(&mantissa, x, sizeof mantissa);
    return mantissa == (uint64_t)1 << 63;
}
#else
enum { TOP = 14, TANH_TERMS = 13 };

static int is_power(const real *x)
{
    uint64_t half[2];
    memcpy(half, x, sizeof half);
    return half[0] == 0 && half[1] << 16 == 0;
}
#endif
#include "tests/oracle_eval.h"
#endif

void oracle_long(const struct oracle *o, const double *x, const double *g, int n,
                 struct oracle_wants *forward, struct oracle_wants *backward)
{
#if ORACLE_LONG
    for (int i = 0; i < n; i += CHUNK)
        chunk(o, x + i, g + i, n - i < CHUNK ? n - i : CHUNK, i, forward, backward);
#else
    (void)o, (void)x, (void)g;
    for (int i = 0; i < n; i++)
        forward->bound[i] = backward->bound[i] = HUGE_VAL;
#endif
}
