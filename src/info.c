/* Names, versions, and what each kind is: all from kinds.inc. */
#include "src/info.h"
#include "dispatch/cpu.h"

#include <math.h>
#include <string.h>

/* clang-format off */
#define NAME_OF_(name, value, domain)   #name
#define VALUE_OF_(name, value, domain)  value
#define DOMAIN_OF_(name, value, domain) ACT_DOMAIN_##domain
#define NAME(p)   NAME_OF_ p
#define VALUE(p)  VALUE_OF_ p
#define DOMAIN(p) DOMAIN_OF_ p

/* param_count, param_name, param_domain, defaults */
#define NOPARAM   0, {0}, {0}, {0, 0, 0, 0}
#define PARAM1(a) 1, {NAME(a)}, {DOMAIN(a)}, {VALUE(a), 0, 0, 0}
#define BETA(b)   2, {NULL, NAME(b)}, {ACT_DOMAIN_NONE, DOMAIN(b)}, {0, VALUE(b), 0, 0}
#define PARAM2(a, b) \
    2, {NAME(a), NAME(b)}, {DOMAIN(a), DOMAIN(b)}, {VALUE(a), VALUE(b), 0, 0}
#define PARAM3(a, b, c) \
    3, {NAME(a), NAME(b), NAME(c)}, {DOMAIN(a), DOMAIN(b), DOMAIN(c)}, \
    {VALUE(a), VALUE(b), VALUE(c), 0}
#define PARAM4(a, b, c, d) \
    4, {NAME(a), NAME(b), NAME(c), NAME(d)}, {DOMAIN(a), DOMAIN(b), DOMAIN(c), DOMAIN(d)}, \
    {VALUE(a), VALUE(b), VALUE(c), VALUE(d)}

#define NO_OUTPUT       NULL
#define OUTPUT(f)       f
#define SLOPE_OUTPUT(f) f

const act_kind_info act_kind_infos[ACT_KIND_COUNT] = {
#define ACT_KIND(id, NAME_, name, aliases, formula, from_output, params, bounds) \
    [id] = {sizeof(act_kind_info), #name, aliases, formula, from_output, params},
#include "actfn/kinds.inc"
#undef ACT_KIND
};

#undef OUTPUT
#undef NO_OUTPUT
#undef SLOPE_OUTPUT
#define NO_OUTPUT       0
#define OUTPUT(f)       0
#define SLOPE_OUTPUT(f) 1

const unsigned char act_kind_output_needs_slope[ACT_KIND_COUNT] = {
#define ACT_KIND(id, NAME_, name, aliases, formula, from_output, params, bounds) \
    [id] = from_output,
#include "actfn/kinds.inc"
#undef ACT_KIND
};
/* clang-format on */

#define ULP(fs, f2, f5, bs, b2, b5, f64, b64)                                                      \
    {                                                                                              \
        {fs, f2, f5}, {bs, b2, b5}, f64, b64                                                       \
    }
static const struct act_bounds bounds_of[ACT_KIND_COUNT] = {
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds) [id] = bounds,
#include "actfn/kinds.inc"
#undef ACT_KIND
};

/* Of act_theta_* alone. */
static const act_kind_info apl_info = {.struct_size = sizeof(act_kind_info),
                                       .name = "apl",
                                       .aliases = "",
                                       .formula = "max(0, x) + sum(a_s * max(0, b_s - x))",
                                       .learnable = -1};

int act_kind_count(void)
{
    return ACT_KIND_COUNT;
}

const char *act_kind_name(act_kind kind)
{
    if (kind == ACT_APL)
        return apl_info.name;
    return act_kind_valid(kind) ? act_kind_infos[kind].name : NULL;
}

/* Is name one of the space-separated words? */
static int is_word_of(const char *name, const char *words)
{
    const size_t length = strlen(name);
    for (const char *w = words; *w;) {
        const size_t word = strcspn(w, " ");
        if (word == length && length > 0 && memcmp(w, name, length) == 0)
            return 1;
        w += word + (w[word] == ' ');
    }
    return 0;
}

act_kind act_kind_from_name(const char *name)
{
    for (act_kind kind = 0; name && kind < ACT_KIND_COUNT; kind++)
        if (strcmp(name, act_kind_infos[kind].name) == 0 ||
            is_word_of(name, act_kind_infos[kind].aliases))
            return kind;
    return name && strcmp(name, apl_info.name) == 0 ? ACT_APL : ACT_KIND_INVALID;
}

act_status act_kind_describe(act_kind kind, act_kind_info *info)
{
    if (!act_kind_valid(kind) && kind != ACT_APL)
        return ACT_ERR_KIND;
    if (!info)
        return ACT_ERR_NULL;
    act_kind_info all = apl_info;
    if (kind != ACT_APL) {
        all = act_kind_infos[kind];
        const struct act_theta_row *row = act_tables[ACT_ISA_SCALAR]->theta[ACT_F32][kind];
        all.learnable = row ? (int)row->count : 0;
    }
    const size_t size = info->struct_size;
    if (size <= sizeof size)
        return ACT_ERR_SIZE;
    /* A caller built against an older header gets the fields it knows; against a newer one, zeros
     * beyond ours. */
    const size_t known = size < sizeof *info ? size : sizeof *info;
    memset(info, 0, size);
    memcpy(info, &all, known);
    info->struct_size = size;
    return ACT_OK;
}

act_status act_params_init(act_kind kind, act_params *params)
{
    if (!act_kind_valid(kind))
        return ACT_ERR_KIND;
    if (!params)
        return ACT_ERR_NULL;
    *params = act_kind_infos[kind].defaults;
    return ACT_OK;
}

double act_kind_bound(act_kind kind, act_dtype dtype, act_isa isa, act_mode mode, int backward)
{
    if (!act_kind_valid(kind) || !act_isa_name(isa))
        return NAN;
    if (mode != ACT_MODE_FAST &&
        (mode != ACT_MODE_REPRODUCIBLE || isa == ACT_ISA_SCALAR || isa == ACT_ISA_SSE42))
        return NAN;
    const struct act_bounds *b = &bounds_of[kind];
    if (dtype == ACT_F64)
        return backward ? b->backward_f64 : b->forward_f64;
    if (dtype == ACT_BF16 || dtype == ACT_F16)
        return backward ? 0.501 : 0.5; /* src/half.c: rounded once */
    if (dtype != ACT_F32 && dtype != ACT_BF16_F32 && dtype != ACT_F16_F32)
        return NAN;
    if (isa == ACT_ISA_SCALAR)
        return 0.51; /* evaluated in double and rounded once */
    /* An ISA beyond the five: with FMA the bits of avx2, without at most the error of sse42. */
    const int unfused = isa > ACT_ISA_NEON && !(act_cpu_fma_isas() >> isa & 1);
    /* Reproducible mode: the bits of avx2. */
    const int column = isa == ACT_ISA_SSE42 || unfused                  ? 0
                       : isa == ACT_ISA_AVX512 && mode == ACT_MODE_FAST ? 2
                                                                        : 1;
    return backward ? b->backward_f32[column] : b->forward_f32[column];
}

const char *act_status_string(act_status status)
{
    static const char *const text[] = {
        [ACT_OK] = "ok",
        [ACT_ERR_KIND] = "no such activation kind",
        [ACT_ERR_NULL] = "a pointer is NULL",
        [ACT_ERR_PARAM] = "a parameter is outside its domain",
        [ACT_ERR_SIZE] = "a size is out of range",
        [ACT_ERR_OVERLAP] = "arrays overlap without being the same array",
        [ACT_ERR_ISA] = "no such ISA, or this machine cannot run it",
        [ACT_ERR_UNSUPPORTED] = "not offered for this kind, ISA or mode",
    };
    return (unsigned)status < sizeof text / sizeof text[0] ? text[status] : "unknown status";
}

#define STR_(x) #x
#define STR(x)  STR_(x)

const char *act_version(void)
{
    return STR(ACTFN_VERSION_MAJOR) "." STR(ACTFN_VERSION_MINOR) "." STR(ACTFN_VERSION_PATCH);
}
