/* The kernel table of an ISA: for each element type and kind a row of function pointers. */
#ifndef ACT_DISPATCH_TABLE_H
#define ACT_DISPATCH_TABLE_H

#include "actfn/actfn.h"
#include "dispatch/half_stream.h"
#include "dispatch/parts.h"
#include "dispatch/row.h"

#include <stdatomic.h>
#include <stdint.h>

/* Element types with kernels of their own; the 16-bit ones go through f32 (src/half.c). */
enum { ACT_ROW_DTYPES = ACT_F64 + 1, ACT_MODE_COUNT = ACT_MODE_REPRODUCIBLE + 1 };

enum {
    ACT_KIND_COUNT = 0
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds) +1
#include "actfn/kinds.inc"
#undef ACT_KIND
};

struct act_table {
    const struct act_row *row[ACT_MODE_COUNT][ACT_ROW_DTYPES][ACT_KIND_COUNT];
    const struct act_half *bf16, *f16;
    const struct act_half_stream *half_stream;
    const struct act_theta_row *theta[ACT_ROW_DTYPES][ACT_KIND_COUNT]; /* NULL: nothing to learn */
#define ACT_PART(name) const struct act_##name##_row *name[ACT_ROW_DTYPES];
#include "dispatch/parts.inc"
#undef ACT_PART
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

/* From how many bytes on, of all its arrays, a call writes past the caches. Set at load, from the
 * size of the largest cache or ACTFN_STREAM_BYTES. */
extern _Atomic size_t act_stream_bytes;

/* Is a gather faster than a load for each element? Set at load, by the CPU or ACTFN_GATHER. */
extern _Atomic int act_gather_is_fast;

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
