/* Rows of the structured operations: loops of one ISA and element type over at most a chunk. Arrays
 * are of the element type; n may be 0. */
#ifndef ACT_DISPATCH_PARTS_H
#define ACT_DISPATCH_PARTS_H

#include "actfn/actfn.h"

#include <stddef.h>
#include <stdint.h>

/* How far an f32 result may be from the real one: ulp units of its last place; for x between low
 * and high each * |v| + base besides. */
struct act_tolerance {
    int32_t ulp;
    float low, high, each, base;
};

/* A 16-bit type of an ISA, defined by kernels/half.c as actk_<type>_half_<isa>. n is a multiple of
 * ACT_HALF_BLOCK and at most 65,536; the 16-bit array has any alignment. */
enum { ACT_HALF_BLOCK = 32 };
struct act_half {
    void (*widen)(const void *in, float *out, size_t n);
    /* Rounds y to nearest even. Which lanes the tolerance t may put on the other side of a tie is
     * noted in doubtful, ascending; returns how many. x and v are read if t->high > t->low. */
    size_t (*narrow)(const float *y, const float *x, const float *v, const struct act_tolerance *t,
                     void *out, uint16_t *doubtful, size_t n);
    /* max(x, 0) as act_forward has it, on the bits. Any n. */
    void (*relu)(const void *in, void *out, size_t n);
    /* out[i] = table[in[i]], table of 65,536 results and one element more that may be read. NULL:
     * this ISA always computes. */
    void (*look_up)(const uint16_t *table, const void *in, void *out, size_t n);
};

/* The clamps of a gated unit. limit: infinite for none; up_bias 0 adds nothing, not even to -0. */
struct act_gate_clamp {
    double limit, up_bias;
};

/* gate and up are read, dgate and dup written, at every step-th element. Outputs may be inputs
 * under the same indices. */
struct act_gate_row {
    /* dst = min(gate, limit) */
    void (*take)(const struct act_gate_clamp *c, const void *gate, size_t step, void *dst,
                 size_t n);
    /* out = f * u, u = clamp(up, +-limit) + up_bias */
    void (*multiply)(const struct act_gate_clamp *c, const void *f, const void *up, size_t step,
                     void *out, size_t n);
    /* dup = gradient * (f where |up| <= limit, else 0) */
    void (*up_gradient)(const struct act_gate_clamp *c, const void *gradient, const void *f,
                        const void *up, void *dup, size_t step, size_t n);
    /* dgate = slope where gate <= limit, else 0 */
    void (*gate_gradient)(const struct act_gate_clamp *c, const void *slope, const void *gate,
                          size_t step, void *dgate, size_t dgate_step, size_t n);
};

/* x, z and gradients are [rows][channels][inner], bias and tile of the same element type. */
struct act_bias_row {
    /* z = x + bias, element by element */
    void (*add)(const void *x, const void *bias, void *z, size_t n);
    /* tile[c][i] = bias[c] */
    void (*spread)(const void *bias, size_t channels, size_t inner, void *tile);
    /* sums[c] += sum of gradient[r][c][i], in an order that the ISA does not change */
    void (*accumulate)(const void *gradient, size_t rows, size_t channels, size_t inner,
                       double *sums);
};

/* Columns with parameters of their own, or shared ones, over rows: x[r * step + c], and g and out
 * likewise, for r < rows and c < cols. Parameter j of column c is theta[j * ld + c], of all columns
 * theta[j * ld]; up to 15 columns past cols are read, and their sums written. */
struct act_theta_block {
    const void *theta;
    size_t ld;
    int shared;
    size_t count; /* parameters of a column: what the kind has, but for apl */
    const void *x, *g;
    void *out; /* y; g f'(x), or NULL: it is not asked for */
    /* sums[j * sums_ld + c] += the terms g df/dtheta_j in the order of r; or NULL */
    double *sums;
    size_t sums_ld;
    size_t rows, cols, step;
    size_t ahead; /* bytes from what is read to what may be fetched */
};
typedef void act_theta_fn(const struct act_theta_block *b);

/* Defined by kernels/<kind>.c as actk_<kind>_theta_<dtype>_<isa> where that has ACT_THETA. */
struct act_theta_row {
    act_theta_fn *forward, *backward; /* out may be x, or g */
    size_t count;                     /* rows of theta */
};
struct act_apl_row {
    act_theta_fn *forward, *backward;
};

/* Philox's words for n / 64 groups of 64 elements from group on, and what is done with them.
 * n is a multiple of 64. */
struct act_rrelu_train_row {
    /* Fetches bytes of each of the arrays for a group besides. Of the f32 row alone. */
    void (*words)(uint64_t seed, uint64_t group, uint32_t *words, size_t n,
                  const void *const arrays[3], size_t bytes);
    /* slope[i] = min(lower + (upper - lower) u_i, upper) */
    void (*slopes)(double lower, double upper, const uint32_t *words, void *slope, size_t n);
    void (*forward)(const void *slope, const void *x, void *y, size_t n); /* any n */
    void (*backward)(const void *slope, const void *x, const void *g, void *d, size_t n);
};

/* A call of the softmax family, its arguments checked: no size is 0, the structs are whole (fields
 * that the caller's header did not have are 0), scale and grad_scale are set, a mask has rows. */
struct act_softmax_job {
    act_shape shape;
    act_logits logits;
    act_targets targets;
    const void *in;       /* forward: x; backward: the output */
    const void *grad_out; /* backward */
    void *out;            /* y, the sums, the losses (or NULL); backward: grad_in */
    void *grad_in;        /* cross-entropy (or NULL) */
};
typedef void act_softmax_fn(const struct act_softmax_job *job);

/* Defined by kernels/softmax.c, softmax_backward.c and cross_entropy.c. */
struct act_softmax_row {
    act_softmax_fn *forward, *log_forward, *logsumexp;
};
struct act_softmax_backward_row {
    act_softmax_fn *backward, *log_backward;
};
struct act_cross_entropy_row {
    act_softmax_fn *cross_entropy;
};

#endif
