/* One kernel table; compiled once per ISA with ACT_ISA_NAME set and no -m flags. Data only. */
#include "dispatch/table.h"

#ifdef __AVX__
#error "tables are read on every CPU: compile them for the baseline, without -mavx or -march"
#endif

#define CAT4_(a, b, c, d) a##b##c##d
#define CAT4(a, b, c, d)  CAT4_(a, b, c, d)

/* _fast for a kind that has a fast kernel (ACT_FAST_<kind>, of f64 ACT_FAST64_<kind>, is then
 * "_,_fast"), else nothing. */
#define SECOND_(a, b, ...) b
#define SECOND(...)        SECOND_(__VA_ARGS__)
#define FAST(name)         SECOND(ACT_FAST_##name, , )
#define FAST64(name)       SECOND(ACT_FAST64_##name, , )

#define GENERIC_ROW(name)  CAT4(actk_##name, , _f32_, ACT_ISA_NAME)
#define FAST_ROW(name)     CAT4(actk_##name, FAST(name), _f32_, ACT_ISA_NAME)
#define F64_ROW(name)      CAT4(actk_##name, , _f64_, ACT_ISA_NAME)
#define FAST_F64_ROW(name) CAT4(actk_##name, FAST64(name), _f64_, ACT_ISA_NAME)

#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    extern const struct act_row GENERIC_ROW(name), FAST_ROW(name), F64_ROW(name),                  \
        FAST_F64_ROW(name);
#include "actfn/kinds.inc"
#undef ACT_KIND

/* &row for a kind whose file has ACT_THETA (ACT_THETA_<kind> is then "_,THETA_ROW"), else NULL. */
#define THETA(name, dtype)        THETA_(SECOND(ACT_THETA_##name, THETA_NONE, ), name, dtype)
#define THETA_(what, name, dtype) what(name, dtype)
#define THETA_NONE(name, dtype)   NULL
#define THETA_ROW(name, dtype)    &CAT4(actk_##name, _theta, dtype, ACT_ISA_NAME)

#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    extern const struct act_theta_row CAT4(actk_##name, _theta, _f32_, ACT_ISA_NAME),              \
        CAT4(actk_##name, _theta, _f64_, ACT_ISA_NAME);
#include "actfn/kinds.inc"
#undef ACT_KIND

#define HALF(type) CAT4(actk_##type, , _half_, ACT_ISA_NAME)
extern const struct act_half HALF(bf16), HALF(f16);
extern const struct act_half_stream HALF(stream);

#define PART_ROW(name, dtype) CAT4(actp_##name, , dtype, ACT_ISA_NAME)
#define ACT_PART(name)                                                                             \
    extern const struct act_##name##_row PART_ROW(name, _f32_), PART_ROW(name, _f64_);
#include "dispatch/parts.inc"
#undef ACT_PART

extern const struct act_table CAT4(act_table, _, ACT_ISA_NAME, );
const struct act_table CAT4(act_table, _, ACT_ISA_NAME, ) = {
    .bf16 = &HALF(bf16),
    .f16 = &HALF(f16),
    .half_stream = &HALF(stream),
#define ACT_PART(name)                                                                             \
    .name = {[ACT_F32] = &PART_ROW(name, _f32_), [ACT_F64] = &PART_ROW(name, _f64_)},
#include "dispatch/parts.inc"
#undef ACT_PART
    .theta =
        {
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    [ACT_F32][id] = THETA(name, _f32_), [ACT_F64][id] = THETA(name, _f64_),
#include "actfn/kinds.inc"
#undef ACT_KIND
        },
    .row =
        {
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    [ACT_MODE_FAST][ACT_F32][id] = &FAST_ROW(name),                                                \
    [ACT_MODE_FAST][ACT_F64][id] = &FAST_F64_ROW(name),                                            \
    [ACT_MODE_REPRODUCIBLE][ACT_F32][id] = &GENERIC_ROW(name),                                     \
    [ACT_MODE_REPRODUCIBLE][ACT_F64][id] = &F64_ROW(name),
#include "actfn/kinds.inc"
#undef ACT_KIND
        },
};
