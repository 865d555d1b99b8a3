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
    /* The same by gathers, where the ISA has them, else NULL. */
    void (*gather)(const uint16_t *table, const void *in, void *out, size_t n);
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

/* best and arg of n outputs, from one piece after the other; x, best and out of the element type.
 */
struct act_maxout_row {
    void (*first)(const void *x, void *best, int32_t *arg, size_t n);
    void (*more)(const void *x, int32_t k, void *best, int32_t *arg, size_t n);
    void (*store)(const void *best, void *out, size_t n);
    /* Elements of size bytes. to[r][i] = x[r * stride + i] */
    void (*gather)(const void *x, size_t size, size_t stride, size_t rows, size_t inner, void *to);
    /* grad_in[i] = arg[i] == k ? gradient[i] : 0 */
    void (*route)(const int32_t *arg, const void *gradient, size_t size, size_t n, int32_t k,
                  void *grad_in);
    /* grad_in[r][k][i] = arg[r][i] == k ? gradient[r][i] : 0 */
    void (*scatter)(const int32_t *arg, const void *gradient, size_t size, size_t rows, size_t axis,
                    size_t inner, void *grad_in);
};

/* A chunk of dynamic ReLU; arrays of the element type. best, which (the index as a number) and
 * slope have room for whole vectors. */
struct act_dyrelu_row {
    /* Piece k, of a, b [n] if each, else of one element; which may be NULL, with slope. */
    void (*piece)(const void *x, const void *a, const void *b, int each, size_t n, size_t k,
                  void *best, void *which, void *slope);
    /* out = the larger of two pieces, the second's a and b step elements after the first's */
    void (*two)(const void *x, const void *a, const void *b, size_t step, int each, size_t n,
                void *out);
    /* Its gradient, and the sums of both pieces, of 16 lanes each: sums += {gradient x of the
     * first, of the second, gradient of the first, of the second}. out may be an input, or NULL. */
    void (*two_gradients)(const void *x, const void *gradient, const void *a, const void *b,
                          size_t step, size_t n, void *out, double *sums);
    void (*spread)(const void *from, size_t channels, size_t inner, void *to);
    void (*gradient)(const void *x, const void *slope, const void *gradient, size_t n, void *out);
    /* product += gradient x, sum += gradient where which is k: of 16 lanes, which total() adds; n
     * is a multiple of that in all calls for a plane but the last */
    void (*sums)(const void *x, const void *gradient, const void *which, size_t n, size_t k,
                 double *product, double *sum);
    /* The same of short planes: a sum for each, written. */
    void (*channels)(const void *x, const void *gradient, const void *which, size_t channels,
                     size_t inner, size_t k, double *product, double *sum);
    double (*total)(const double *lanes);
};

/* A row of FReLU. Columns of scratch: rows[u][i + v] meets weight [u][v] for column i, NULL outside
 * the image; centre is in. There is room, and zeros, for n rounded up to 16 columns. */
enum { ACT_FRELU_KERNEL = 19, ACT_FRELU_LANES = 16 };
struct act_frelu_row_of {
    const void *rows[ACT_FRELU_KERNEL], *centre;
    size_t n, kernel_h, kernel_w;
};
struct act_frelu_row {
    /* out [n] exactly; bias is one element, or NULL */
    void (*forward)(const struct act_frelu_row_of *r, const void *w, const void *bias, void *out);
    /* gradient to where the convolution wins, or to where x does (or NULL) */
    void (*split)(const struct act_frelu_row_of *r, const void *w, const void *bias,
                  const void *gradient, void *to_t, void *to_x);
    /* sums[i] += gradient[i + kernel_w - 1 - v] weights[v] */
    void (*push)(const void *gradient, const void *weights, size_t kernel_w, size_t n, void *sums);
    void (*add)(const void *from, size_t n, void *sums);
    /* dw [kernel_h][kernel_w] += gradient rows, each of 16 lanes if `lanes`, as dbias += gradient
     * is; r->n is a multiple of 16 */
    void (*weights)(const struct act_frelu_row_of *r, const void *gradient, int lanes, double *dw,
                    double *dbias);
    double (*total)(const double *lanes);
};

/* From the least to the largest number that counts as at a limit of f. */
struct act_stats_limits {
    double low[2], high[2];
};
struct act_stats_row {
    /* The statistics of 1 to 4096 elements. */
    void (*block)(const void *out, size_t n, const struct act_stats_limits *limits, act_stats *to);
};

/* Loops of act_norm_* and act_normed_*. Arrays of the element type but for the doubles. A row has
 * its elements one after the other, and sums of ACT_NORM_LANES lanes, of which total() makes one: n
 * is a multiple of that in all calls for a row but the last. A tile is [rows][width] with a stride;
 * an array of doubles for its columns has room for whole vectors. gamma and beta may be NULL. */
enum { ACT_NORM_LANES = 16 };
struct act_norm_column {
    double mean, rstd, c0, c1;
};
struct act_norm_row {
    /* sum += in - shift, square += (in - shift)^2; shift is of the element type */
    void (*moments_row)(const void *in, size_t n, double shift, double *sum, double *square);
    void (*moments_tile)(const void *in, size_t rows, size_t width, size_t stride,
                         const double *shift, double *sum, double *square);
    /* Of n elements: mean holds the shift, rstd the square. */
    void (*finish)(size_t n, int rms, double eps, size_t width, double *mean, const double *sum,
                   double *rstd);
    /* out = (in - mean) rstd gamma + beta */
    void (*apply_row)(const void *in, size_t n, double mean, double rstd, const void *gamma,
                      const void *beta, void *out);
    void (*apply_tile)(const void *in, size_t rows, size_t width, size_t stride, const double *mean,
                       const double *rstd, const void *gamma, const void *beta, void *out,
                       size_t out_stride);
    /* h = gradient gamma: sums += {h, h (in - mean), in - mean}, three arrays one after the other;
     * mean is of the element type */
    void (*sums_row)(const void *in, const void *gradient, size_t n, double mean, const void *gamma,
                     double *sums);
    void (*sums_tile)(const void *in, size_t stride, const void *gradient, size_t gradient_stride,
                      size_t rows, size_t width, const double *mean, const void *gamma, double *h,
                      double *hd, double *d);
    /* The sums h and hd become what the gradient is made of, h rstd - c0 - (in - mean - d) c1; d
     * what mean is off. */
    void (*coefficients)(size_t n, int rms, size_t width, const double *rstd, double *h, double *hd,
                         double *d);
    void (*gradient_row)(const void *in, const void *gradient, size_t n,
                         const struct act_norm_column *c, const void *gamma, void *out);
    void (*gradient_tile)(const void *in, size_t stride, const void *gradient,
                          size_t gradient_stride, size_t rows, size_t width, const double *mean,
                          const double *d, const double *rstd, const double *c0, const double *c1,
                          const void *gamma, void *out, size_t out_stride);
    /* dgamma += gradient (in - mean) rstd, dbeta += gradient: a sum for each element of a row, for
     * each row of a tile, whose mean (or NULL) and rstd are [n] of the element type. */
    void (*params_row)(const void *in, const void *gradient, size_t n, double mean, double rstd,
                       double *dgamma, double *dbeta);
    void (*params_tile)(const void *in, size_t stride, const void *gradient, size_t gradient_stride,
                        size_t rows, size_t n, const void *mean, const void *rstd, double *dgamma,
                        double *dbeta);
    double (*total)(const double *lanes);
};

/* A call of the softmax family, its arguments checked: no size is 0, the structs are whole (fields
 * that the caller's header did not have are 0), scale and grad_scale are set, a mask has rows. */
struct act_softmax_job {
    act_dtype in_type; /* ACT_BF16 or ACT_F16: the f32 functions' arrays are of that type */
    int to_float;      /* ... but those they write are float */
    act_shape shape;
    act_logits logits;
    act_targets targets;
    const void *in;       /* forward: x; backward: the output */
    const void *grad_out; /* backward */
    void *out;            /* y, the sums, the losses (or NULL); backward: grad_in */
    void *grad_in;        /* cross-entropy (or NULL) */
};
/* Units [first, first + count) of the outer * act_softmax_units(inner) there are: up to that many
 * columns each of an outer index, which side by side do not meet. */
enum { ACT_SOFTMAX_UNIT = 192 /* whole tiles: 192, 96, 64, 32, 16 or 8 columns */ };
static inline size_t act_softmax_units(size_t inner)
{
    return (inner + ACT_SOFTMAX_UNIT - 1) / ACT_SOFTMAX_UNIT;
}
typedef void act_softmax_fn(const struct act_softmax_job *job, size_t first, size_t count);

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
