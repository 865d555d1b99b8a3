/* Calls on 16-bit arrays: what src/api.c prepares and src/parallel.h's pieces run. */
#ifndef ACT_SRC_HALF_H
#define ACT_SRC_HALF_H

#include "dispatch/table.h"

enum act_operation { ACT_FORWARD, ACT_BACKWARD, ACT_FROM_OUTPUT };

/* One call, the same for all its pieces. */
struct act_half_call {
    const struct act_half *convert;
    const struct act_row *row, *row_f64;
    enum act_operation op;
    int f16;           /* the 16-bit type, else bf16 */
    int to_f32;        /* the output is f32 */
    act_params params; /* rounded to float */
    struct act_tolerance tolerance;
    const uint16_t *table;                               /* of all results, or NULL */
    int gathers;                                         /* reads it by gathers */
    void (*direct)(const void *in, void *out, size_t n); /* a loop on the bits, or NULL */
    const struct act_half_stream *stream;                /* NULL: not past the caches */
};

/* dtype: one of the 16-bit ones. params: within their domain. n: the elements of the whole call.
 * streamed: no cache holds the arrays, and out is none of the others. */
void act_half_prepare(struct act_half_call *call, struct act_choice choice, act_dtype dtype,
                      enum act_operation op, act_kind kind, const act_params *params, size_t n,
                      int streamed);

/* grad_out is not used by ACT_FORWARD. out may be in or grad_out if it is a 16-bit array. */
void act_half_run(const struct act_half_call *call, const void *in, const void *grad_out, void *out,
                  size_t n);

#endif
