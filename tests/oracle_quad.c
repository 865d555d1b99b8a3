/* The oracle in _Float128, of glibc. */
#define _GNU_SOURCE /* expf128 */
#include "tests/oracle.h"
#include "tests/oracle_tree.h"

#include <math.h>
#include <string.h>

#if ORACLE_LONG && LDBL_MANT_DIG == 64 && defined __HAVE_DISTINCT_FLOAT128
#if __HAVE_DISTINCT_FLOAT128
#define HAVE_QUAD 1
#endif
#endif

#ifdef HAVE_QUAD
__extension__ typedef _Float128 real;
#define REAL(function) function##f128
#define U              ((real)0x1p-113)
enum { TOP = 14, TANH_TERMS = 13 }; /* where sign and exponent are; 2^-124 */

static int is_power(const real *x)
{
    uint64_t half[2];
    memcpy(half, x, sizeof half);
    return half[0] == 0 && half[1] << 16 == 0;
}
#include "tests/oracle_eval.h"
#endif

int oracle_quad(const struct oracle *o, const double *x, const double *g, int n,
                struct oracle_wants *forward, struct oracle_wants *backward)
{
#ifdef HAVE_QUAD
    for (int i = 0; i < n; i += CHUNK)
        chunk(o, x + i, g + i, n - i < CHUNK ? n - i : CHUNK, i, forward, backward);
    return 1;
#else
    (void)o, (void)x, (void)g, (void)n, (void)forward, (void)backward;
    return 0;
#endif
}
