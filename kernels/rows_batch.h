/* Rows along the last axis, a batch at a time: each stage is of all rows, so that none waits for
 * its own maximum, sum and division, some 200 cycles; and what is one number a row, as the
 * reference of its exponentials, is computed for VL rows at once. What kernels/softmax.c goes
 * through. */
#ifndef ACT_KERNELS_ROWS_BATCH_H
#define ACT_KERNELS_ROWS_BATCH_H

#include "kernels/rows_exp.h"

/* Rows at most, and of long ones what is in the L2 cache: on a Zen 4 rows of 4096 took .96 of the
 * time of one by one with 64 KiB, .97 with 32, .99 with 16; of 1000 1.00, 1.00 and 1.01. */
enum { BATCH = 16, BATCH_PARTS = BATCH / VL, BATCH_BYTES = 65536 };

#if ACT_ISA_IS_SCALAR
typedef double lane; /* of a vec */
#else
typedef elem lane;
#endif

/* Outer indices of a call, and their results, `stride` elements apart. */
struct batch {
    const struct act_softmax_job *job;
    size_t rows, stride;
    void *out;
    struct source s[BATCH];
};

/* Those from `from` on, `count` at most; job and stride are set. */
ACT_OP void batch_of(struct batch *b, size_t from, size_t count, int how)
{
    const size_t most = BATCH_BYTES / (b->job->shape.axis * in_size(how));
    const size_t rows = most < 1 ? 1 : most < BATCH ? most : BATCH;
    b->rows = rows < count ? rows : count;
    b->out = (char *)b->job->out + from * b->stride * out_size(how, b->job->to_float);
    for (size_t i = 0; i < b->rows; i++)
        b->s[i] = source_of(b->job, from + i, how);
}

ACT_OP void *row_out(const struct batch *b, size_t i, int how)
{
    return (char *)b->out + i * b->stride * out_size(how, b->job->to_float);
}

/* Lane i of consecutive vectors. */
ACT_OP void set_lane(vec *a, size_t i, lane value)
{
    memcpy((char *)a + i * sizeof value, &value, sizeof value);
}
ACT_OP vec lane_set(const vec *a, size_t i) /* in every lane */
{
    lane value;
    memcpy(&value, (const char *)a + i * sizeof value, sizeof value);
    return v_set(value);
}

/* The maxima, and 0 beyond the last row. */
ACT_OP void batch_max(const struct batch *b, vec max[BATCH_PARTS], int how)
{
    for (int v = 0; v < BATCH_PARTS; v++)
        max[v] = v_set(0);
    for (size_t i = 0; i < b->rows; i++)
        set_lane(max, i, max_of_row(&b->s[i], how));
}

/* Row i's reference. */
ACT_OP struct reference row_reference(const struct reference ref[BATCH_PARTS], size_t i)
{
    const struct reference *const r = &ref[i / VL];
#if V_DOUBLE
    return (struct reference){.top = lane_set(&r->top, i % VL), .floor = r->floor};
#else
    return (struct reference){.shift = lane_set(&r->shift, i % VL),
                              .magic = lane_set(&r->magic, i % VL),
                              .floor = lane_set(&r->floor, i % VL),
                              .top = lane_set(&r->top, i % VL)};
#endif
}

ACT_OP int row_is_shifted(const struct reference ref[BATCH_PARTS], size_t i)
{
#if V_DOUBLE
    (void)ref, (void)i;
    return 0;
#else
    lane shift;
    memcpy(&shift, (const char *)&ref[i / VL].shift + i % VL * sizeof shift, sizeof shift);
    return shift != 0;
#endif
}

/* The statement for the vectors v of `rows` rows. */
#define FOR_ROW_PARTS(v, rows, ...)                                                                \
    do {                                                                                           \
        for (size_t v = 0; v * VL < (rows); v++) {                                                 \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    } while (0)

#endif
