/* What the tests of the structured functions against MPFR share: numbers, differences, and the
 * worst error of each result, which they print and hold to a bound. f32 and f64; every ISA. */
#ifndef ACT_TESTS_MPFR_CHECK_H
#define ACT_TESTS_MPFR_CHECK_H

#include "actfn/actfn.h"

#include <math.h>
#include <mpfr.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 300 };
static const double unit[] = {0x1p-24, 0x1p-53};
static const char *const type_name[] = {"f32", "f64"};
static int failures;

#define FOR_ISA(isa)                                                                               \
    for (act_isa isa = 0; isa < act_isa_count(); isa++)                                            \
        if (act_isa_available(isa) && act_set_isa(isa) == ACT_OK)
#define FOR_TYPE(t)  for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
#define LENGTH_OF(a) (sizeof(a) / sizeof *(a))

/* ---- numbers ------------------------------------------------------------------------------- */

static uint64_t state = 1;
static inline double uniform(double low, double high) /* splitmix64 */
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return low + (high - low) * (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static inline void put(act_dtype t, void *array, size_t i, double v)
{
    if (t == ACT_F64)
        ((double *)array)[i] = v;
    else
        ((float *)array)[i] = (float)v;
}
static inline double get(act_dtype t, const void *array, size_t i)
{
    return t == ACT_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}
/* Random elements, and what they are after rounding. */
static inline void fill(act_dtype t, void *array, double *exact, size_t n, double low, double high)
{
    for (size_t i = 0; i < n; i++) {
        put(t, array, i, uniform(low, high));
        exact[i] = get(t, array, i);
    }
}

static inline double larger(double a, double b)
{
    return a > b ? a : b;
}
static inline double of(mpfr_t a)
{
    return mpfr_get_d(a, MPFR_RNDN);
}
static inline void set(mpfr_t to, double v)
{
    mpfr_set_d(to, v, MPFR_RNDN);
}
static inline void set_all(mpfr_t *to, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        set(to[i], v[i]);
}
static inline void init_all(mpfr_t *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mpfr_init2(a[i], BITS);
}

/* For whoever needs a number for a few lines. */
static mpfr_t s0, s1, s2, s3;
static mpfr_t own[3]; /* of the functions below */

/* An argument of main is another seed than 1. */
static inline void numbers_init(int argc, char **argv)
{
    if (argc > 1)
        state = strtoull(argv[1], NULL, 0);
    mpfr_set_default_prec(BITS);
    mpfr_inits(s0, s1, s2, s3, (mpfr_ptr)0);
    init_all(own, 3);
}

/* slope = (f(p + h) - f(p - h)) / 2h, h = 2^-45: off by a sixth of h^2 f''', 2^-92 f'''. f reads p
 * where it is. */
static inline void difference(void (*f)(mpfr_t value), mpfr_t p, mpfr_t slope)
{
    mpfr_set(own[0], p, MPFR_RNDN);
    mpfr_add_d(p, own[0], 0x1p-45, MPFR_RNDN);
    f(own[1]);
    mpfr_sub_d(p, own[0], 0x1p-45, MPFR_RNDN);
    f(own[2]);
    mpfr_set(p, own[0], MPFR_RNDN);
    mpfr_sub(slope, own[1], own[2], MPFR_RNDN);
    mpfr_mul_2si(slope, slope, 44, MPFR_RNDN);
}

/* ---- errors -------------------------------------------------------------------------------- */

struct worst {
    const char *name;
    double bound[2], error[2]; /* f32, f64 */
    size_t count[2];
};

static inline void must(act_status status)
{
    if (status == ACT_OK)
        return;
    printf("a call: %s\n", act_status_string(status));
    exit(1);
}

/* |got - want| in units of u times scale; NaN is infinitely far. Where scale is 0 nothing may be
 * off. */
static inline void hold(struct worst *w, act_dtype t, double got, mpfr_t want, double scale)
{
    mpfr_sub_d(own[0], want, got, MPFR_RNDN);
    const double distance = fabs(of(own[0]));
    const double error = distance == 0 ? 0 : distance / (unit[t] * scale);
    w->count[t]++;
    if (!(error <= w->error[t]))
        w->error[t] = isnan(error) ? INFINITY : error;
}
/* ... of the last place of want, which is 2 u of a power of two. */
static inline double last_place(mpfr_t want)
{
    return mpfr_zero_p(want) ? 0 : 2 * ldexp(1, ilogb(of(want)));
}

static inline void report(const struct worst *w)
{
    FOR_TYPE(t)
    {
        const int bad = !(w->error[t] <= w->bound[t]) || w->count[t] == 0;
        failures += bad;
        printf("%-28s %s  worst %6.3f  bound %4.1f%s\n", w->name, type_name[t], w->error[t],
               w->bound[t], bad ? "  FAIL" : "");
    }
}

/* A derivative that somebody derived, against differences of what it is the derivative of, which
 * are good to 2^-80 where third derivatives are below 4000. */
static double farthest;
static inline void derived(mpfr_t slope, mpfr_t by_differences)
{
    mpfr_sub(own[0], slope, by_differences, MPFR_RNDN);
    const double distance = fabs(of(own[0]));
    if (!(distance <= farthest))
        farthest = isnan(distance) ? INFINITY : distance;
}
static inline int finish(void)
{
    if (farthest > 0) {
        const int bad = !(farthest <= 0x1p-80);
        failures += bad;
        printf("derivatives, from differences of their functions: 2^%.1f at most%s\n",
               log2(farthest), bad ? "  FAIL" : "");
    }
    printf("%d out of bounds\n", failures);
    return failures != 0;
}

#endif
