/* Arrays of the four element types for the structured operations, which compute in float or double:
 * their sizes, and 16-bit chunks widened and rounded. */
#ifndef ACT_SRC_WIDE_H
#define ACT_SRC_WIDE_H

#include "src/check.h"

/* An element type: of arrays, and of what is computed with and the parameters are. */
struct act_wide {
    act_dtype compute;              /* ACT_F32 or ACT_F64 */
    size_t size, work;              /* bytes of an element of each */
    const struct act_half *convert; /* of a 16-bit type, else NULL */
    int f16;
};

/* ACT_F32, ACT_F64, ACT_BF16, ACT_F16, and the flags among allowed; else ACT_ERR_UNSUPPORTED. */
act_status act_wide_check(act_dtype type, unsigned flags, unsigned allowed,
                          struct act_choice *choice, struct act_wide *wide);

/* n 16-bit elements to float, exactly, and back to nearest even. */
void act_widen(const struct act_wide *wide, const void *in, float *out, size_t n);
void act_narrow(const struct act_wide *wide, const float *in, void *out, size_t n);

/* The same of any type: copies what is not 16-bit. */
void act_fetch(const struct act_wide *wide, const void *in, void *work, size_t n);
void act_deliver(const struct act_wide *wide, const void *work, void *out, size_t n);

/* A parameter gradient: to[i] = sums[i], or += , rounded once; of the type that is computed with.
 */
void act_store_sums(const struct act_wide *wide, const double *sums, void *to, size_t n,
                    int accumulate);

#endif
