/* f with parameters per column, and the gradients of those: what a kind's file with learnable
 * parameters has besides, in units with ACT_UNIT_THETA alone.
 *
 * ACT_OP void <kind>_gradients(vec x, vec g, struct vparams p, vwide *d)
 *     d[j] = g df/dp_j, the parameters in the order of the fields. NaN where x is; 0, whatever g,
 *     where f does not depend on the parameter.
 *
 * ACT_THETA(kind, order, forward, backward, gradients, fields ...)
 *     at the beginning of a line: cmake/ActIsa.cmake finds it by that. forward and backward are
 *     mostly <kind>_forward and <kind>_backward. These see parameters that nobody has checked: NaN
 *     has to come out where f depends on it, elsewhere the formula is enough. order is BY_ROWS, or
 *     BY_COLUMNS where what depends on the parameters alone takes many operations: then that is
 *     computed for THETA_TURN rows at a time; BY_COLUMNS_BUT_SLOPE where in backward it does not.
 *
 * The terms are doubles. So their products are rounded to no float, and do not leave its range:
 * what is left of error is that of the factors, 1 to 2 ULP of float. */
#ifndef ACT_KERNELS_THETA_H
#define ACT_KERNELS_THETA_H

#include "dispatch/parts.h"
#include "kernels/wide.h"

ACT_OP vec theta_load(const struct act_theta_block *b, size_t parameter, size_t column)
{
    const elem *t = (const elem *)b->theta + parameter * b->ld;
    return b->shared ? v_set(*t) : v_load(t + column);
}

/* n elements of row r of x or g from column j on; VL of them, or fewer. */
ACT_OP vec theta_in(const struct act_theta_block *b, const void *array, size_t r, size_t j,
                    size_t n)
{
    const elem *p = (const elem *)array + r * b->step + j;
    __builtin_prefetch((const void *)((uintptr_t)p + b->ahead)); /* may be past the end */
    return n == VL ? v_load(p) : v_load_n(p, n);
}
ACT_OP void theta_out(const struct act_theta_block *b, size_t r, size_t j, size_t n, vec y)
{
    elem *p = (elem *)b->out + r * b->step + j;
    __builtin_prefetch((const void *)((uintptr_t)p + b->ahead), 1);
    if (n == VL)
        v_store(p, y);
    else
        v_store_n(p, y, n);
}
ACT_OP void theta_sum(const struct act_theta_block *b, size_t parameter, size_t j, vwide term)
{
    double *const sum = b->sums + parameter * b->sums_ld + j;
    w_store(sum, w_add(w_load(sum), term));
}

/* Every vector of a block by step(b, p, r, j, n), p the parameters of its columns. Shared ones are
 * loaded once. A row after the other: down the columns of a power of two, a store would meet the
 * next row's load at its place in another page. */
enum { BY_ROWS, BY_COLUMNS, BY_COLUMNS_BUT_SLOPE, THETA_TURN = 8 };
#define THETA_LOOP(b, order, params, step)                                                         \
    do {                                                                                           \
        const size_t whole = (b)->cols / VL * VL, rest = (b)->cols - whole;                        \
        const size_t turn = (b)->shared ? (b)->rows : THETA_TURN;                                  \
        for (size_t first = 0, end; first < (b)->rows; first = end) {                              \
            end = (b)->rows - first < turn ? (b)->rows : first + turn;                             \
            if ((b)->shared) {                                                                     \
                const struct vparams p = params(b, 0);                                             \
                for (size_t r = first; r < end; r++)                                               \
                    for (size_t j = 0; j < whole; j += VL)                                         \
                        step(b, p, r, j, VL);                                                      \
            } else if ((order) == BY_ROWS) {                                                       \
                for (size_t r = first; r < end; r++)                                               \
                    for (size_t j = 0; j < whole; j += VL)                                         \
                        step(b, params(b, j), r, j, VL);                                           \
            } else {                                                                               \
                for (size_t j = 0; j < whole; j += VL) {                                           \
                    const struct vparams p = params(b, j);                                         \
                    for (size_t r = first; r < end; r++)                                           \
                        step(b, p, r, j, VL);                                                      \
                }                                                                                  \
            }                                                                                      \
            if (rest) {                                                                            \
                const struct vparams p = params(b, whole);                                         \
                for (size_t r = first; r < end; r++)                                               \
                    step(b, p, r, whole, rest);                                                    \
            }                                                                                      \
        }                                                                                          \
    } while (0)

#define THETA_PICK_(a, b, c, d, n, ...) n
#define THETA_COUNT(...)                THETA_PICK_(__VA_ARGS__, 4, 3, 2, 1, 0)
#define THETA_FIELDS_1(a)               .a = theta_load(b, 0, j)
#define THETA_FIELDS_2(a, c)            THETA_FIELDS_1(a), .c = theta_load(b, 1, j)
#define THETA_FIELDS_3(a, c, d)         THETA_FIELDS_2(a, c), .d = theta_load(b, 2, j)
#define THETA_FIELDS_4(a, c, d, e)      THETA_FIELDS_3(a, c, d), .e = theta_load(b, 3, j)
#define THETA_FIELDS__(n, ...)          THETA_FIELDS_##n(__VA_ARGS__)
#define THETA_FIELDS_(n, ...)           THETA_FIELDS__(n, __VA_ARGS__)
#define THETA_FIELDS(...)               THETA_FIELDS_(THETA_COUNT(__VA_ARGS__), __VA_ARGS__)

#define THETA_SYMBOL_(kind, dtype, isa)  actk_##kind##_theta_##dtype##_##isa
#define THETA_SYMBOL__(kind, dtype, isa) THETA_SYMBOL_(kind, dtype, isa)
#define THETA_SYMBOL(kind)               THETA_SYMBOL__(kind, ACT_DTYPE_NAME, ACT_ISA_NAME)

#if ACT_UNIT_THETA
#define ACT_THETA(kind, order, f, df, gradients, ...)                                              \
    ACT_OP struct vparams kind##_theta_params(const struct act_theta_block *b, size_t j)           \
    {                                                                                              \
        return (struct vparams){THETA_FIELDS(__VA_ARGS__)};                                        \
    }                                                                                              \
    ACT_OP void kind##_step(const struct act_theta_block *b, struct vparams p, size_t r, size_t j, \
                            size_t n)                                                              \
    {                                                                                              \
        theta_out(b, r, j, n, f(theta_in(b, b->x, r, j, n), p));                                   \
    }                                                                                              \
    ACT_OP void kind##_slope_step(const struct act_theta_block *b, struct vparams p, size_t r,     \
                                  size_t j, size_t n)                                              \
    {                                                                                              \
        theta_out(b, r, j, n, df(theta_in(b, b->x, r, j, n), theta_in(b, b->g, r, j, n), p));      \
    }                                                                                              \
    ACT_OP void kind##_sum_step(const struct act_theta_block *b, struct vparams p, size_t r,       \
                                size_t j, size_t n)                                                \
    {                                                                                              \
        enum { COUNT = THETA_COUNT(__VA_ARGS__) };                                                 \
        vwide d[COUNT];                                                                            \
        const vec x = theta_in(b, b->x, r, j, n), g = theta_in(b, b->g, r, j, n);                  \
        gradients(x, g, p, d);                                                                     \
        if (b->out)                                                                                \
            theta_out(b, r, j, n, df(x, g, p));                                                    \
        for (size_t i = 0; i < COUNT; i++)                                                         \
            theta_sum(b, i, j, d[i]);                                                              \
    }                                                                                              \
    static void ACT_SYMBOL(kind, theta_fwd)(const struct act_theta_block *block)                   \
    {                                                                                              \
        const struct act_theta_block b = *block;                                                   \
        THETA_LOOP(&b, order, kind##_theta_params, kind##_step);                                   \
    }                                                                                              \
    static void ACT_SYMBOL(kind, theta_bwd)(const struct act_theta_block *block)                   \
    {                                                                                              \
        const struct act_theta_block b = *block;                                                   \
        if (b.sums)                                                                                \
            THETA_LOOP(&b, order, kind##_theta_params, kind##_sum_step);                           \
        else                                                                                       \
            THETA_LOOP(&b, (order) % BY_COLUMNS_BUT_SLOPE, kind##_theta_params,                    \
                       kind##_slope_step);                                                         \
    }                                                                                              \
    extern const struct act_theta_row THETA_SYMBOL(kind);                                          \
    const struct act_theta_row THETA_SYMBOL(kind) = {                                              \
        ACT_SYMBOL(kind, theta_fwd), ACT_SYMBOL(kind, theta_bwd), THETA_COUNT(__VA_ARGS__)}
#else
#define ACT_THETA(kind, ...) struct act_row
#endif

#endif
