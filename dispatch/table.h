/* The kernel table of an ISA: for each element type and kind a row of function pointers. */
#ifndef ACT_DISPATCH_TABLE_H
#define ACT_DISPATCH_TABLE_H

#include "actfn/actfn.h"

#include <stdatomic.h>
#include <stdint.h>

/* Element types with kernels of their own; the 16-bit ones go through f32 (src/half.c). */
enum { ACT_ROW_DTYPES = ACT_F64 + 1, ACT_MODE_COUNT = ACT_MODE_REPRODUCIBLE + 1 };

/* Arguments are checked before a kernel is called; n may be 0. */
typedef void act_forward_fn(const act_params *p, const void *in, void *out, size_t n);
typedef void act_backward_fn(const act_params *p, const void *in, const void *grad_out,
                             void *grad_in, size_t n);

/* Defined by kernels/<kind>.c as actk_<kind>_<dtype>_<isa>; a kind with a kernel that is for one ISA
 * and for fast mode alone has actk_<kind>_fast_f32_<isa> besides (kernels/<isa>/<kind>.c). */
struct act_row {
    act_forward_fn *forward;
    act_backward_fn *backward;
    act_backward_fn *from_output; /* NULL: the output does not determine the derivative */
};

enum {
    ACT_KIND_COUNT = 0
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds) +1
#include "actfn/kinds.inc"
#undef ACT_KIND
};

/* How far an f32 result may be from the real one: ulp units of its last place; for x between low and
 * high each * |v| + base besides. */
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
};

struct act_table {
    const struct act_row *row[ACT_MODE_COUNT][ACT_ROW_DTYPES][ACT_KIND_COUNT];
    const struct act_half *bf16, *f16;
};

/* Tables by ISA id, NULL where not built; the constant end of dispatch/select.c. */
enum { ACT_ISA_MAX = 32 };
extern const struct act_table *const act_tables[ACT_ISA_MAX];

/* isa | mode << 8: one word, so that a reader never sees half a change. */
extern _Atomic uint32_t act_state;

/* What a call uses from beginning to end. */
struct act_choice {
    act_isa isa;
    act_mode mode;
};

static inline struct act_choice act_current(void)
{
    const uint32_t state = atomic_load_explicit(&act_state, memory_order_relaxed);
    return (struct act_choice){(act_isa)(state & 0xff), (act_mode)(state >> 8)};
}

static inline const struct act_row *act_row_of(struct act_choice c, act_dtype dtype, act_kind kind)
{
    return act_tables[c.isa]->row[c.mode][dtype][kind];
}

#endif
