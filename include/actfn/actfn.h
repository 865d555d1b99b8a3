/* libactfn: neural-network activation functions and their gradients on CPUs.
 *
 *   y  = f(x)            act_forward (kind, params, in, out, n)
 *   dx = dy * f'(x)      act_backward(kind, params, in, grad_out, grad_in, n)
 *
 * Rules of every call
 *   - Arrays hold n elements, need no alignment, and no byte outside them is read or written.
 *   - An output may be exactly one of the inputs, if their elements have the same size; any other
 *     overlap is ACT_ERR_OVERLAP.
 *   - Checked in this order: kind, type and flags, params, size (bytes above PTRDIFF_MAX), n == 0
 *     (ACT_OK, NULL allowed), NULL, overlap. An error writes nothing.
 *   - params == NULL means the kind's defaults. Parameters are rounded once to the element type, to
 *     float for the 16-bit types; those a kind does not have are ignored.
 *   - Reentrant from any thread. A call uses the ISA and mode that are set when it begins.
 *   - Results do not depend on n, position, alignment, neighbours or in-place use.
 *   - NaN in gives NaN out; +-inf give the limits; subnormals are kept. Bounds (act_kind_bound)
 *     hold for round-to-nearest with FTZ/DAZ off; the FP control word is never written.
 *
 * Every selector is an int, so that any value an FFI passes is defined and can be rejected.
 * The kinds, their formulas and bounds: actfn/kinds.inc and docs/. C99 and C++11.
 */
#ifndef ACTFN_H
#define ACTFN_H

#include <stddef.h>
#include <stdint.h>

#define ACTFN_VERSION_MAJOR 0
#define ACTFN_VERSION_MINOR 1
#define ACTFN_VERSION_PATCH 0

#if defined(_WIN32) || !defined(__GNUC__)
#define ACT_API
#else
#define ACT_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int act_status;
typedef int act_kind;
typedef int act_dtype;
typedef int act_isa;
typedef int act_mode;

typedef uint16_t act_bf16; /* the bits of a bfloat16 */
typedef uint16_t act_f16;  /* the bits of an IEEE binary16 */

/* Append only. */
enum {
    ACT_OK = 0,
    ACT_ERR_KIND,       /* no such kind */
    ACT_ERR_NULL,       /* a pointer is NULL and n > 0 */
    ACT_ERR_PARAM,      /* a parameter is outside its domain, or too large for the element type */
    ACT_ERR_SIZE,       /* n elements are more than PTRDIFF_MAX bytes */
    ACT_ERR_OVERLAP,    /* an output overlaps another array without being the same array */
    ACT_ERR_ISA,        /* no such ISA, or this machine cannot run it */
    ACT_ERR_UNSUPPORTED /* the kind, ISA or mode does not offer this operation */
};

enum {
    ACT_F32 = 0,
    ACT_F64,
    ACT_BF16,
    ACT_F16,
    ACT_BF16_F32, /* bf16 in, and grad_out; f32 out */
    ACT_F16_F32   /* the same of f16 */
};

/* Flags of one call: act_forward_t and its like. */
enum {
    ACT_REPRODUCIBLE = 1, /* as in reproducible mode */
    ACT_SERIAL = 2,       /* in the caller's thread */
    ACT_ACCUMULATE = 4    /* the gradient of a parameter is added to; act_*_backward of such */
};

/* ISAs the library may be built with. Further ones are reached by act_isa_from_name. */
enum { ACT_ISA_SCALAR = 0, ACT_ISA_SSE42, ACT_ISA_AVX2, ACT_ISA_AVX512, ACT_ISA_NEON };

/* ACT_MODE_REPRODUCIBLE: the same f32 bits on avx2, avx512 and neon. */
enum { ACT_MODE_FAST = 0, ACT_MODE_REPRODUCIBLE };

/* ACT_RELU, ACT_GELU ...: the ids of kinds.inc, append only. */
enum {
    ACT_KIND_INVALID = -1,
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds) ACT_##NAME = id,
#include "actfn/kinds.inc"
#undef ACT_KIND
    /* Of act_theta_forward and act_theta_backward alone; elsewhere ACT_ERR_KIND, and not among the
     * act_kind_count kinds. It has a name, and is described. */
    ACT_APL = 1024
};

/* What each field means is the kind's business: act_kind_describe. 32 bytes for ever. */
typedef struct act_params {
    double alpha, beta, gamma, delta;
} act_params;

/* ---- elementwise ------------------------------------------------------------------------- */

/* out[i] = f(in[i]).  f32: see act_kind_bound for the error in ULP. bf16 and f16 are correctly
 * rounded (to nearest even) with default parameters, every input, on every ISA. */
ACT_API act_status act_forward(act_kind kind, const act_params *params, const float *in, float *out,
                               size_t n);
ACT_API act_status act_forward_f64(act_kind kind, const act_params *params, const double *in,
                                   double *out, size_t n);
ACT_API act_status act_forward_bf16(act_kind kind, const act_params *params, const act_bf16 *in,
                                    act_bf16 *out, size_t n);
ACT_API act_status act_forward_f16(act_kind kind, const act_params *params, const act_f16 *in,
                                   act_f16 *out, size_t n);

/* grad_in[i] = grad_out[i] * f'(in[i]), with the real f' and one rounding of the product.
 * Where f is constant grad_in is +0 whatever grad_out is. grad_in may be in or grad_out. */
ACT_API act_status act_backward(act_kind kind, const act_params *params, const float *in,
                                const float *grad_out, float *grad_in, size_t n);
ACT_API act_status act_backward_f64(act_kind kind, const act_params *params, const double *in,
                                    const double *grad_out, double *grad_in, size_t n);
ACT_API act_status act_backward_bf16(act_kind kind, const act_params *params, const act_bf16 *in,
                                     const act_bf16 *grad_out, act_bf16 *grad_in, size_t n);
ACT_API act_status act_backward_f16(act_kind kind, const act_params *params, const act_f16 *in,
                                    const act_f16 *grad_out, act_f16 *grad_in, size_t n);

/* grad_in[i] = grad_out[i] * f'(x), x = f^-1(out[i]): for kinds whose output determines the
 * derivative (act_kind_info.from_output); ACT_ERR_UNSUPPORTED for others, ACT_ERR_PARAM where the
 * parameters make f non-monotone (a negative slope). Accurate as a function of out: where out has
 * saturated the derivative is 0, and act_backward is the better choice. */
ACT_API act_status act_backward_from_output(act_kind kind, const act_params *params,
                                            const float *out, const float *grad_out, float *grad_in,
                                            size_t n);
ACT_API act_status act_backward_from_output_f64(act_kind kind, const act_params *params,
                                                const double *out, const double *grad_out,
                                                double *grad_in, size_t n);
ACT_API act_status act_backward_from_output_bf16(act_kind kind, const act_params *params,
                                                 const act_bf16 *out, const act_bf16 *grad_out,
                                                 act_bf16 *grad_in, size_t n);
ACT_API act_status act_backward_from_output_f16(act_kind kind, const act_params *params,
                                                const act_f16 *out, const act_f16 *grad_out,
                                                act_f16 *grad_in, size_t n);

/* The same by a type given at run time, with flags. ACT_ERR_UNSUPPORTED: no such type; a flag that
 * is not offered here; ACT_REPRODUCIBLE on a table without FMA. */
ACT_API act_status act_forward_t(act_dtype dtype, unsigned flags, act_kind kind,
                                 const act_params *params, const void *in, void *out, size_t n);
ACT_API act_status act_backward_t(act_dtype dtype, unsigned flags, act_kind kind,
                                  const act_params *params, const void *in, const void *grad_out,
                                  void *grad_in, size_t n);
ACT_API act_status act_backward_from_output_t(act_dtype dtype, unsigned flags, act_kind kind,
                                              const act_params *params, const void *out,
                                              const void *grad_out, void *grad_in, size_t n);

/* ---- gated units --------------------------------------------------------------------------- */

/* y = f(min(gate, limit)) (clamp(up, -limit, limit) + up_bias) for any kind f: GLU, ReGLU, GEGLU,
 * SwiGLU. gate[r * row + c * step], and up likewise, for r < rows and c < cols:
 *   separate arrays     row = cols,     step = 1
 *   two halves of one   row = 2 * cols, step = 1, up = gate + cols
 *   interleaved         row = 2 * cols, step = 2, up = gate + 1 */
typedef struct act_gate {
    size_t rows, cols, row, step;
    double limit; /* >= 0; 0 means none */
    double up_bias;
} act_gate;

/* out is [rows][cols] without gaps; grad_out like out, dgate like gate, dup like up.
 *   dgate = grad_out u f'(min(gate, limit)), 0 where gate > limit;  u the second factor above
 *   dup   = grad_out f(min(gate, limit)),    0 where |up| > limit
 * All types; ACT_REPRODUCIBLE, ACT_SERIAL. An output may have the elements of an input under the
 * same indices. ACT_ERR_PARAM: limit or up_bias is no number, limit < 0; ACT_ERR_SIZE: step is 0 or
 * elements of one array coincide; checked in the order of the elementwise calls. Error of out and
 * dup: that of f, a rounding of u and of the product; 16-bit types: the f32 result, rounded. */
ACT_API act_status act_gated_forward(act_dtype type, unsigned flags, act_kind kind,
                                     const act_params *params, const act_gate *shape,
                                     const void *gate, const void *up, void *out);
ACT_API act_status act_gated_backward(act_dtype type, unsigned flags, act_kind kind,
                                      const act_params *params, const act_gate *shape,
                                      const void *gate, const void *up, const void *grad_out,
                                      void *dgate, void *dup);

/* ---- bias and activation --------------------------------------------------------------------- */

/* An array [outer][axis][inner] without gaps. Channels last: {rows, channels, 1}; NCHW:
 * {batch, channels, height * width}. */
typedef struct act_shape {
    size_t outer, axis, inner;
} act_shape;

/* out = f(in + bias); bias [axis] and dbias are float, double for ACT_F64. out may be in.
 *   grad_in = grad_out f'(in + bias), dbias = the sum of grad_in over outer and inner, in f64 and
 * rounded once (f64: within 2^-53 of the sum of the terms per term); ACT_ACCUMULATE adds it to what
 * dbias holds. grad_in may be in or grad_out, dbias may be bias. in + bias is rounded once. All
 * types (16-bit ones: the f32 results, rounded; dbias adds them up before that); ACT_REPRODUCIBLE,
 * ACT_SERIAL. Checked in the order of the elementwise calls. */
ACT_API act_status act_bias_forward(act_dtype type, unsigned flags, act_kind kind,
                                    const act_params *params, act_shape shape, const void *bias,
                                    const void *in, void *out);
ACT_API act_status act_bias_backward(act_dtype type, unsigned flags, act_kind kind,
                                     const act_params *params, act_shape shape, const void *bias,
                                     const void *in, const void *grad_out, void *grad_in,
                                     void *dbias);

/* ---- learnable parameters ------------------------------------------------------------------- */

/* out = f(in) of prelu, elu, celu, swish, softplus, scaled_tanh, swish_linear, acon_c, srelu, whose
 * parameters are data: theta is [rows][axis], row j the kind's j-th parameter in the order of the
 * fields of act_params that it has (act_kind_info.learnable is how many), column c that of channel
 * c. axis = 1 is one set for all. And of
 *   ACT_APL  y = max(0, x) + sum_s a_s max(0, b_s - x), rows = 2 S: the a_s, then the b_s; S to 12
 * theta and dtheta are float, double for ACT_F64. Values are not checked: NaN gives NaN wherever f
 * depends on it, and outside the domain that act_params has (celu's alpha <= 0, softplus' beta = 0)
 * the result is what the formula gives, or NaN. Every type; for the mixed ones out and grad_in are
 * f32, in and grad_out 16-bit. Bounds as of the elementwise calls, 16-bit ones within .501 ULP
 * (bf16) and .51 (f16): docs/theta.md.
 *   grad_in = grad_out f'(in), as act_backward
 *   dtheta  = the sum over outer and inner of grad_out df/dtheta, in f64, in an order that neither
 * ISA nor threads change. f32 and 16-bit: within 2^-22 of the sum of the absolute terms.
 * ACT_ACCUMULATE adds to what dtheta holds; n = 0: dtheta is 0, or stays. grad_in or dtheta may be
 * NULL, not both. out may be in, grad_in may be in or grad_out, where the elements have the same
 * size; dtheta may be theta. ACT_REPRODUCIBLE, ACT_SERIAL; backward
 * ACT_ACCUMULATE.
 * Checked in the order of the elementwise calls; ACT_ERR_UNSUPPORTED: a kind with nothing to learn;
 * ACT_ERR_PARAM: rows is not what the kind has. */
ACT_API act_status act_theta_forward(act_dtype type, unsigned flags, act_kind kind, act_shape shape,
                                     size_t rows, const void *theta, const void *in, void *out);
ACT_API act_status act_theta_backward(act_dtype type, unsigned flags, act_kind kind,
                                      act_shape shape, size_t rows, const void *theta,
                                      const void *in, const void *grad_out, void *grad_in,
                                      void *dtheta);

/* Randomised leaky ReLU in training: out[i] = in[i] for in[i] > 0, r_i in[i] otherwise; grad_in[i]
 * = grad_out[i] or r_i grad_out[i] (in place and types as above), with
 *   r_i = min(lower + (upper - lower) u, upper)  each operation rounded to the compute type
 *   u   = (w >> 8) 2^-24, for ACT_F64 w 2^-32;   w is uniform on the 2^32 words
 * w depends on seed and j = first + i (mod 2^64) alone, and so on no n, thread, ISA or type: it is
 * word (j / 16) % 4 of Philox 4x32-10 (Salmon et al. 2011) with the key {seed, seed >> 32} and the
 * counter {b, b >> 32, 0, 0}, b = j / 64 * 16 + j % 16. A tensor in pieces: first is where the
 * piece begins. Use another seed, or the indices that follow, for each call that is to be drawn
 * anew. ACT_ERR_PARAM: lower, upper, upper - lower not finite (in the type); lower > upper. */
ACT_API act_status act_rrelu_forward(act_dtype type, unsigned flags, double lower, double upper,
                                     uint64_t seed, uint64_t first, const void *in, void *out,
                                     size_t n);
ACT_API act_status act_rrelu_backward(act_dtype type, unsigned flags, double lower, double upper,
                                      uint64_t seed, uint64_t first, const void *in,
                                      const void *grad_out, void *grad_in, size_t n);

/* ---- along an axis: softmax and its relatives --------------------------------------------- */

/* A row is the axis elements of one outer and one inner index. Softmax over the last of the
 * dimensions [a][b][c]: {a * b, c, 1}; over the first: {1, a, b * c}. */

/* What a row all of whose logits are -inf or masked becomes. */
enum { ACT_EMPTY_ZERO = 0, ACT_EMPTY_NAN, ACT_EMPTY_UNIFORM };

/* z = scale x + add, rounded once, over the elements that take part. NULL, or all zero: z = x.
 * A masked element (keep 0, add -inf, or beyond the causal limit) has probability exactly 0 and
 * takes no gradient, whatever x is. */
typedef struct act_logits {
    size_t struct_size;  /* sizeof(act_logits) */
    double scale;        /* finite; 0 means 1 */
    const float *add;    /* [mask_outer][axis][inner] or NULL; row o uses o % mask_outer */
    const uint8_t *keep; /* the same shape, or NULL: 0 masks the element, even NaN */
    size_t mask_outer;   /* 0 means 1 */
    size_t causal_rows;  /* not 0: with q = o % causal_rows row o sees j <= q + causal_offset */
    int64_t causal_offset;
    int empty; /* ACT_EMPTY_* */
} act_logits;

/* The functions below take all types. 16-bit ones give the f32 results of the same numbers, rounded
 * once more, to nearest even. Every result depends on its row alone: not on the shape around it,
 * alignment, position, threads or in-place use.
 *   - A row with +inf or NaN among its z is NaN throughout. An empty row is 0, NaN or 1/axis
 *     (logits.empty); its log_softmax -inf, NaN or -log(axis), its logsumexp -inf, NaN or -inf.
 *   - An output may be exactly an input of the same size and element type.
 *   - Checked in this order: type, flags (ACT_ERR_UNSUPPORTED: ACT_ACCUMULATE, an unknown one, or
 *     ACT_REPRODUCIBLE on a table without FMA), sizes (ACT_ERR_SIZE: arrays above PTRDIFF_MAX
 *     bytes), the structs (ACT_ERR_PARAM; ACT_ERR_SIZE: struct_size is not
 *     set; ACT_ERR_UNSUPPORTED: a larger struct whose further fields are not 0), a size of 0
 *     (ACT_OK), NULL, overlap, target indices (ACT_ERR_PARAM). An error writes nothing.
 * Bounds: docs/softmax.md. */

/* out = e^z / sum e^z;  log of it;  log sum e^z, out [outer][inner]. */
ACT_API act_status act_softmax_forward(act_dtype type, unsigned flags, act_shape shape,
                                       const act_logits *logits, const void *in, void *out);
ACT_API act_status act_log_softmax_forward(act_dtype type, unsigned flags, act_shape shape,
                                           const act_logits *logits, const void *in, void *out);
ACT_API act_status act_logsumexp(act_dtype type, unsigned flags, act_shape shape,
                                 const act_logits *logits, const void *in, void *out);

/* From the output: grad_in = scale out (g - sum(g out)), and scale (g - e^out sum(g)). */
ACT_API act_status act_softmax_backward(act_dtype type, unsigned flags, act_shape shape,
                                        const act_logits *logits, const void *out,
                                        const void *grad_out, void *grad_in);
ACT_API act_status act_log_softmax_backward(act_dtype type, unsigned flags, act_shape shape,
                                            const act_logits *logits, const void *out,
                                            const void *grad_out, void *grad_in);

/* What cross-entropy compares with: t[j] = class_weight[j] ((1 - smoothing) q[j] + smoothing /
 * axis), where q is prob, or 1 at the index and 0 elsewhere. */
typedef struct act_targets {
    size_t struct_size;        /* sizeof(act_targets) */
    const int64_t *index;      /* [outer][inner], or NULL */
    const void *prob;          /* [outer][axis][inner] like in, or NULL: one of the two. Data,
                                  not checked */
    int64_t ignore;            /* rows of this index have loss and gradient 0. Some index is always
                                  ignored: -1, say, for none of the classes; {0} ignores class 0 */
    double smoothing;          /* 0 to 1 */
    double grad_scale;         /* finite; 0 means 1 */
    const float *class_weight; /* [axis], or NULL: 1 */
} act_targets;

/* loss = -sum t log softmax(in), [outer][inner]; grad_in = grad_scale (softmax(in) sum(t) - t) in
 * the same call. Either may be NULL. grad_in may be in. An index that is neither a class nor
 * ignored is ACT_ERR_PARAM. */
ACT_API act_status act_cross_entropy(act_dtype type, unsigned flags, act_shape shape,
                                     const act_targets *targets, const void *in, void *loss,
                                     void *grad_in);

/* ---- the largest of several: maxout, dynamic ReLU, FReLU ---------------------------------------
 */

/* Rules of this section and the two after it: ACT_F32, ACT_F64, ACT_BF16, ACT_F16, by way of f32
 * for the last two. Flags: ACT_REPRODUCIBLE, ACT_SERIAL, and ACT_ACCUMULATE where parameter
 * gradients are written: they are added to what the arrays hold. Parameters and their gradients are
 * float, double for ACT_F64. Checked in the order of the elementwise calls; a size of 0 is ACT_OK
 * (and parameter gradients, sums of nothing, are 0 or stay). Sums are of doubles, in an order that
 * depends on the shape alone: threads and ISAs do not change it. The largest of several: NaN wins,
 * then the first of equals (-0 equals +0). */

/* out[o][i] = max over k of in[o][k][i], the pieces being shape.axis; arg, int32 [outer][inner] or
 * NULL, gets the k. Exact. ACT_ERR_SIZE: more than INT32_MAX pieces. out may be in if axis is 1.
 * backward: grad_in[o][k][i] = grad_out[o][i] for the k of arg, +0 for the others: for all of them
 * if arg is no piece. grad_in may be grad_out if axis is 1. */
ACT_API act_status act_maxout_forward(act_dtype type, unsigned flags, act_shape shape,
                                      const void *in, void *out, int32_t *arg);
ACT_API act_status act_maxout_backward(act_dtype type, unsigned flags, act_shape shape,
                                       const int32_t *arg, const void *grad_out, void *grad_in);

/* Dynamic ReLU: out[o][c][i] = max over k of a[k][o][c] in[o][c][i] + b[k][o][c], a and b
 * [pieces][outer][axis]; within 2^-23 |a in| + 2^-24 |out| (f64: 2^-52, 2^-53), one rounding where
 * the ISA has FMA.
 * backward, k being the piece that is largest:
 *   grad_in = grad_out a[k];  da[k][o][c] = sum over i of grad_out in, db[k][o][c] of grad_out
 * ACT_ACCUMULATE adds to da and db; grad_in, da and db may each be NULL. ACT_ERR_PARAM: no pieces,
 * or more than 2^15. in may be out, and grad_in may be in or grad_out; nothing else may overlap an
 * output. A piece of slope 0 is its b whatever in is. */
ACT_API act_status act_dyrelu_forward(act_dtype type, unsigned flags, act_shape shape,
                                      size_t pieces, const void *a, const void *b, const void *in,
                                      void *out);
ACT_API act_status act_dyrelu_backward(act_dtype type, unsigned flags, act_shape shape,
                                       size_t pieces, const void *a, const void *b, const void *in,
                                       const void *grad_out, void *grad_in, void *da, void *db);

/* Images [batch][channels][height][width] (NCHW) and odd kernels of 1 to 19. */
typedef struct act_image {
    size_t batch, channels, height, width, kernel_h, kernel_w;
} act_image;

/* FReLU: out = max(in, t), t = bias[c] + sum over u, v of w[c][u][v] in at (y + u - kernel_h / 2,
 * x + v - kernel_w / 2), 0 outside the image. bias may be NULL. Where in = t it is in. Error of t:
 * 2 kernel_h kernel_w 2^-24 (f64: 2^-53) of the sum of the absolute terms; half of that with FMA.
 * backward: where in is the larger grad_out goes to grad_in alone; elsewhere to dbias, times in to
 * dw, times w to grad_in. dw and dbias are within 2^-22 of the sum of their absolute terms.
 * ACT_ACCUMULATE adds to dw and dbias; grad_in, dw and dbias may each be NULL. ACT_ERR_PARAM: a
 * kernel of an even size or beyond 19. No output may overlap another array: an element needs its
 * neighbours. An infinity in in or w makes NaN of what it meets, also of dw. */
ACT_API act_status act_frelu_forward(act_dtype type, unsigned flags, const act_image *image,
                                     const void *w, const void *bias, const void *in, void *out);
ACT_API act_status act_frelu_backward(act_dtype type, unsigned flags, const act_image *image,
                                      const void *w, const void *bias, const void *in,
                                      const void *grad_out, void *grad_in, void *dw, void *dbias);

/* ---- activation and normalisation ------------------------------------------------------------ */

/* out = norm(f(in)) gamma + beta. Over the axis elements a = f(in) of one outer and inner index:
 *   norm(a) = (a - mean) rstd, rstd = 1 / sqrt(mean of (a - mean)^2 + eps)   rms == 0: LayerNorm
 *   norm(a) = a rstd,          rstd = 1 / sqrt(mean of a^2 + eps)            else:     RMSNorm
 * gamma and beta are [axis], NULL for 1 and 0. mean and rstd, [outer][inner] of the type of gamma,
 * are written for the backward call; NULL where not wanted; RMSNorm has no mean. ACT_IDENTITY gives
 * the plain norms. Statistics are in double. With a counting as exact, out is within
 *   2^-22 (|a - mean| rstd |gamma| + |beta|)                                              f32
 *   (8 + axis / 64) 2^-53 ((|a| + mean of |a|) rstd |gamma| + |beta|)                     f64
 * ACT_ERR_PARAM: eps is no finite number >= 0. With eps 0 equal elements give NaN; so does NaN or
 * infinity among them, throughout (RMSNorm: an infinity gives NaN, the others 0). f64 elements are
 * to be below 2^500. out may be in.
 *
 * backward, with h = grad_out gamma and n = norm(a), mean of h for LayerNorm only:
 *   grad_in = f'(in) rstd (h - mean of h - n mean of h n)
 *   dgamma[c] = sum of grad_out n, dbeta[c] = sum of grad_out, over outer and inner
 * within 2^-22 of the sum of the absolute terms (those of n: a rstd, mean rstd), a, f' and the rstd
 * given counting as exact. ACT_ACCUMULATE adds to dgamma and dbeta; grad_in, dgamma and dbeta may
 * each be NULL. grad_in may be in or grad_out. */
ACT_API act_status act_norm_forward(act_dtype type, unsigned flags, act_kind kind,
                                    const act_params *params, act_shape shape, int rms, double eps,
                                    const void *gamma, const void *beta, const void *in, void *out,
                                    void *mean, void *rstd);
ACT_API act_status act_norm_backward(act_dtype type, unsigned flags, act_kind kind,
                                     const act_params *params, act_shape shape, int rms,
                                     const void *gamma, const void *in, const void *mean,
                                     const void *rstd, const void *grad_out, void *grad_in,
                                     void *dgamma, void *dbeta);

/* The other order: out = f(norm(in) gamma + beta), the rest as above: a = in, and backward
 * grad_out f'(norm(in) gamma + beta) takes the place of grad_out, for which beta is needed. */
ACT_API act_status act_normed_forward(act_dtype type, unsigned flags, act_kind kind,
                                      const act_params *params, act_shape shape, int rms,
                                      double eps, const void *gamma, const void *beta,
                                      const void *in, void *out, void *mean, void *rstd);
ACT_API act_status act_normed_backward(act_dtype type, unsigned flags, act_kind kind,
                                       const act_params *params, act_shape shape, int rms,
                                       const void *gamma, const void *beta, const void *in,
                                       const void *mean, const void *rstd, const void *grad_out,
                                       void *grad_in, void *dgamma, void *dbeta);

/* ---- what an activation's outputs are like -----------------------------------------------------
 */

/* Starts from {0}. mean, m2 (the sum of (y - mean)^2), min, max and the sums are over the finite
 * elements: count - nan - inf of them. */
typedef struct act_stats {
    uint64_t count, zero; /* all elements; those that are +-0 */
    uint64_t saturated;   /* finite, and at a finite limit of f towards -inf or +inf */
    uint64_t nan, inf;
    double mean, m2, min, max, sum_abs, sum_sq;
} act_stats;

/* Adds the n outputs of a kind to *io, in the caller's thread. Saturated is an output within u
 * |limit| of a finite limit of f, u the distance from 1 to the next smaller number (2^-24 for f32,
 * 2^-53, 2^-8 for bf16, 2^-11 for f16), or below the smallest normal number where the limit is 0:
 * relu's zeros, sigmoid's 0 and 1. merge adds what another part was found to hold: *io becomes the
 * statistics of both, whatever their sizes. The bits of f32 and f64 do not depend on the ISA.
 * ACT_ERR_NULL: no out or io. io may not overlap out. */
ACT_API act_status act_stats_add(act_dtype type, unsigned flags, act_kind kind,
                                 const act_params *params, const void *out, size_t n,
                                 act_stats *io);
ACT_API act_status act_stats_merge(const act_stats *more, act_stats *io);

/* ---- what there is ----------------------------------------------------------------------- */

/* A parameter's domain; a value outside it, or NaN, is ACT_ERR_PARAM. */
enum {
    ACT_DOMAIN_NONE = 0, /* the kind does not use this field */
    ACT_DOMAIN_FINITE,
    ACT_DOMAIN_POSITIVE,           /* finite, > 0 */
    ACT_DOMAIN_NONNEGATIVE,        /* finite, >= 0 */
    ACT_DOMAIN_EXTENDED,           /* -inf and +inf allowed */
    ACT_DOMAIN_ABOVE_ALPHA,        /* -inf and +inf allowed, >= alpha */
    ACT_DOMAIN_BELOW_ALPHA,        /* -inf and +inf allowed, <= alpha */
    ACT_DOMAIN_FINITE_ABOVE_ALPHA, /* finite, >= alpha */
    ACT_DOMAIN_FINITE_BELOW_ALPHA  /* finite, <= alpha */
};

typedef struct act_kind_info {
    size_t struct_size;  /* set by the caller to sizeof(act_kind_info); first for ever */
    const char *name;    /* "gelu" */
    const char *aliases; /* space-separated, may be "" */
    const char *formula; /* f in x, alpha, beta, gamma, delta: docs/FORMULAS.md has the syntax */
    const char *from_output;   /* f' in y, or NULL: act_backward_from_output is not offered */
    int param_count;           /* the kind uses fields among the first param_count of act_params */
    const char *param_name[4]; /* the field's name in the literature, NULL when unused */
    int param_domain[4];       /* ACT_DOMAIN_* */
    act_params defaults;       /* unused fields are 0 */
    int learnable;             /* rows of theta in act_theta_*: 0 if not offered, -1: 2 S (apl) */
} act_kind_info;

ACT_API int act_kind_count(void);                      /* ids are 0 .. count-1 */
ACT_API act_kind act_kind_from_name(const char *name); /* aliases too; ACT_KIND_INVALID if none */
ACT_API const char *act_kind_name(act_kind kind);      /* NULL if there is no such kind */
/* Fills info->struct_size bytes at most: ACT_ERR_KIND, ACT_ERR_NULL, ACT_ERR_SIZE (too small). */
ACT_API act_status act_kind_describe(act_kind kind, act_kind_info *info);
/* Published error bound in ULP at default parameters: docs/ACCURACY.md. Within 0.5 of a zero of f'
 * the derivative's bound is absolute instead (2^-22 |grad_out| for f32, 2^-52 |grad_out| for f64).
 * For f32 on the scalar ISA it is 0.51 for every kind, what rounding a double once may cost, also
 * where the kernel is exact and the other ISAs have 0.
 * For bf16 and f16 it is 0.5, forward: correctly rounded; 0.501 (found: 0.500000) for the
 * derivative where |f'| >= 2^-126, and forward with other parameters. Where terms cancel, a result
 * that underflows to 0 may lose its sign. ACT_BF16_F32 and ACT_F16_F32 have f32's bounds.
 * NaN if there is no such kind, type, ISA or mode. */
ACT_API double act_kind_bound(act_kind kind, act_dtype dtype, act_isa isa, act_mode mode,
                              int backward);
ACT_API act_status act_params_init(act_kind kind, act_params *params); /* the defaults */
ACT_API const char *act_status_string(act_status status);              /* never NULL */
ACT_API const char *act_version(void);                                 /* "0.1.0" */

/* ---- process-wide settings: one atomic word (isa, mode) ------------------------------------ */

/* At load the best usable ISA is chosen. The environment variable ACTFN_ISA (a name) chooses
 * another usable one, ACTFN_MODE=reproducible the mode; an unknown or unusable name changes
 * nothing. A setter acts on calls that begin after it returns. */
ACT_API int act_isa_count(void);                     /* ids are 0 .. count-1 */
ACT_API act_isa act_isa_from_name(const char *name); /* -1 if there is none */
ACT_API const char *act_isa_name(act_isa isa);       /* NULL if there is none */
ACT_API int act_isa_available(act_isa isa);          /* 1: built in, and this machine can run it */
ACT_API act_isa act_get_isa(void);
/* ACT_ERR_ISA: unknown or not available. ACT_ERR_UNSUPPORTED: no FMA, in reproducible mode. */
ACT_API act_status act_set_isa(act_isa isa);
ACT_API act_mode act_get_mode(void);
/* ACT_ERR_PARAM: no such mode. ACT_ERR_UNSUPPORTED: reproducible needs avx2, avx512 or neon. */
ACT_API act_status act_set_mode(act_mode mode);

/* A call of 65,536 elements and over, not in place, whose arrays take ACTFN_STREAM_BYTES together or
 * more (at load: the size of the largest cache, 8 to 48 MiB) writes past the caches. The results are
 * the same. */

/* ---- threads inside a call ---------------------------------------------------------------- */

/* One by default: a call runs in its caller. With more, calls of 32,768 elements and over are cut
 * into at most that many pieces of at least 16,384; results do not depend on it. 0: as many as
 * there are CPUs to run on. ACTFN_NUM_THREADS sets it at load. A call in a child of fork() runs
 * whole, in its caller, since OpenMP's threads are not in the child. ACT_ERR_PARAM: negative or
 * above 1024. ACT_ERR_UNSUPPORTED: built without OpenMP, and there is no executor. */
ACT_API int act_get_num_threads(void);
ACT_API act_status act_set_num_threads(int count);

/* A pool of the caller's to run the pieces instead of OpenMP: run() calls task(arg, i) once for
 * each i below count, from whatever threads it likes, and returns when all have returned. It is
 * entered from any thread that makes a call, several at a time. The struct is kept by the caller
 * until after another executor, or NULL (OpenMP again), has been set and the calls begun before
 * have returned. ACT_ERR_NULL: run is NULL. */
typedef struct act_executor {
    void (*run)(void *self, void (*task)(void *arg, size_t i), void *arg, size_t count);
    void *self;
} act_executor;
ACT_API act_status act_set_executor(const act_executor *executor);

#ifdef __cplusplus
}
#endif
#endif
