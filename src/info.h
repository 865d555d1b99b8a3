/* Metadata of a kind, read from kinds.inc, for src/api.c and src/info.c. */
#ifndef ACT_SRC_INFO_H
#define ACT_SRC_INFO_H

#include "dispatch/table.h"

/* The published bounds of kinds.inc's column ULP(...), in ULP. */
struct act_bounds {
    double forward_f32[3], backward_f32[3]; /* sse42, avx2, avx512 */
    double forward_f64, backward_f64;
};

extern const act_kind_info act_kind_infos[ACT_KIND_COUNT];

/* Does act_backward_from_output take alpha >= 0 only? */
extern const unsigned char act_kind_output_needs_slope[ACT_KIND_COUNT];

static inline int act_kind_valid(act_kind kind)
{
    return (unsigned)kind < ACT_KIND_COUNT;
}

#endif
