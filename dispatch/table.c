/* One kernel table; compiled once per ISA with ACT_ISA_NAME set and no -m flags. Data only. */
#include "dispatch/table.h"

#ifdef __AVX__
#error "tables are read on every CPU: compile them for the baseline, without -mavx or -march"
#endif

#define CAT3_(a, b, c) a##b##c
#define CAT3(a, b, c)  CAT3_(a, b, c)

#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    extern const struct act_row CAT3(actk_##name, _f32_, ACT_ISA_NAME);                            \
    extern const struct act_row CAT3(actk_##name, _f64_, ACT_ISA_NAME);
#include "actfn/kinds.inc"
#undef ACT_KIND

extern const struct act_table CAT3(act_table, _, ACT_ISA_NAME);
const struct act_table CAT3(act_table, _, ACT_ISA_NAME) = {{
    [ACT_F32] =
        {
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    [id] = &CAT3(actk_##name, _f32_, ACT_ISA_NAME),
#include "actfn/kinds.inc"
#undef ACT_KIND
        },
    [ACT_F64] =
        {
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    [id] = &CAT3(actk_##name, _f64_, ACT_ISA_NAME),
#include "actfn/kinds.inc"
#undef ACT_KIND
        },
}};
