/* What actfn.h promises besides numbers: statuses and their order, nothing written on an error,
 * overlap, parameter domains, names, settings. Iterates over the kinds there are; built twice,
 * with the library and with tests/fake, whose kinds have every domain. */
#include "ops.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N = 7, AT = 256 };
static union {
    unsigned char byte[768];
    double align;
} arena, before;

static void fill(void)
{
    for (size_t i = 0; i < sizeof arena.byte; i++)
        arena.byte[i] = (unsigned char)(0xa5 ^ i * 7); /* no exponent of all ones: no NaN */
    before = arena;
}
static void *at(ptrdiff_t offset)
{
    return &arena.byte[offset];
}
#define assert_untouched() assert_memory_equal(&arena, &before, sizeof arena)

/* A set of parameters the kind refuses whatever the type: NaN. */
static int bad_params(act_kind kind, act_params *p)
{
    act_params_init(kind, p);
    *p = (act_params){NAN, NAN, NAN, NAN};
    return describe(kind).param_count > 0;
}

static const act_kind no_kinds[] = {-1, -2, INT_MIN, INT_MAX, 1000000};

/* Every call here has all the faults that come later in the order as well. */
static void statuses_come_in_the_promised_order(void **state)
{
    (void)state;
    act_params bad;
    fill();
    void *const x = at(AT), *const near = at(AT + 1); /* overlaps x */
    FOR_DTYPE(t) FOR_OP(op) {
        const size_t most = PTRDIFF_MAX / size_of[t];
        for (size_t i = 0; i < sizeof no_kinds / sizeof *no_kinds; i++) {
            bad_params(0, &bad);
            assert_int_equal(call(t, op, no_kinds[i], &bad, NULL, x, near, SIZE_MAX), ACT_ERR_KIND);
            assert_int_equal(call(t, op, no_kinds[i], NULL, NULL, NULL, NULL, 0), ACT_ERR_KIND);
        }
        assert_int_equal(call(t, op, act_kind_count(), NULL, x, x, x, N), ACT_ERR_KIND);
        FOR_KIND(kind) {
            const int has_params = bad_params(kind, &bad);
            const act_status huge = has_params ? ACT_ERR_PARAM : ACT_ERR_SIZE;
            if (!offers(kind, op)) {
                assert_int_equal(call(t, op, kind, &bad, NULL, x, near, SIZE_MAX),
                                 ACT_ERR_UNSUPPORTED);
                assert_int_equal(call(t, op, kind, NULL, NULL, NULL, NULL, 0), ACT_ERR_UNSUPPORTED);
                assert_int_equal(call(t, op, kind, NULL, x, x, x, N), ACT_ERR_UNSUPPORTED);
                continue;
            }
            assert_int_equal(call(t, op, kind, &bad, NULL, x, near, SIZE_MAX), huge);
            if (has_params)
                assert_int_equal(call(t, op, kind, &bad, NULL, NULL, NULL, 0), ACT_ERR_PARAM);
            assert_int_equal(call(t, op, kind, NULL, NULL, x, near, SIZE_MAX), ACT_ERR_SIZE);
            assert_int_equal(call(t, op, kind, NULL, NULL, x, near, most + 1), ACT_ERR_SIZE);
            /* n that wraps to a small number of bytes */
            assert_int_equal(call(t, op, kind, NULL, x, x, x, SIZE_MAX / size_of[t] + 2),
                             ACT_ERR_SIZE);
            assert_int_equal(call(t, op, kind, NULL, NULL, x, near, most), ACT_ERR_NULL);
            assert_int_equal(call(t, op, kind, NULL, NULL, NULL, NULL, 0), ACT_OK);
            assert_int_equal(call(t, op, kind, NULL, x, x, near, 0), ACT_OK);
            assert_int_equal(call(t, op, kind, NULL, NULL, x, near, N), ACT_ERR_NULL);
            assert_int_equal(call(t, op, kind, NULL, near, x, NULL, N), ACT_ERR_NULL);
            if (op != FORWARD)
                assert_int_equal(call(t, op, kind, NULL, x, NULL, near, N), ACT_ERR_NULL);
            assert_int_equal(call(t, op, kind, NULL, x, x, near, N), ACT_ERR_OVERLAP);
        }
    }
    assert_untouched();
}

static void any_partial_overlap_is_an_error(void **state)
{
    (void)state;
    FOR_DTYPE(t) FOR_OP(op) FOR_KIND(kind) {
        const ptrdiff_t bytes = (ptrdiff_t)(N * size_of[t]);
        if (!offers(kind, op))
            continue;
        fill();
        void *const out = at(AT), *const apart = at(AT + 256);
        for (ptrdiff_t delta = 1 - bytes; delta < bytes; delta++) {
            if (delta == 0)
                continue;
            assert_int_equal(call(t, op, kind, NULL, at(AT + delta), apart, out, N),
                             ACT_ERR_OVERLAP);
            if (op != FORWARD) {
                assert_int_equal(call(t, op, kind, NULL, apart, at(AT + delta), out, N),
                                 ACT_ERR_OVERLAP);
                assert_int_equal(call(t, op, kind, NULL, out, at(AT + delta), out, N),
                                 ACT_ERR_OVERLAP);
            }
        }
        assert_untouched();
    }
}

/* Adjacent arrays, in-place use and inputs that overlap each other are fine, write N elements and
 * give the bits of the call with disjoint arrays. */
static void allowed_layouts_give_the_same_bits(void **state)
{
    (void)state;
    FOR_DTYPE(t) FOR_OP(op) FOR_KIND(kind) {
        const ptrdiff_t size = (ptrdiff_t)size_of[t], bytes = N * size;
        /* offsets from AT of in, grad_out; the output is at AT */
        const ptrdiff_t layout[][2] = {{-bytes, bytes}, {bytes, -bytes}, {0, bytes}, {-bytes, 0},
                                       {0, 0},          {bytes, bytes + size}};
        if (!offers(kind, op))
            continue;
        for (size_t i = 0; i < sizeof layout / sizeof *layout; i++) {
            fill();
            double in[N], grad[N], want[N];
            void *const x = at(AT + layout[i][0]), *const g = at(AT + layout[i][1]);
            memcpy(in, x, (size_t)bytes);
            memcpy(grad, g, (size_t)bytes);
            assert_int_equal(call(t, op, kind, NULL, in, grad, want, N), ACT_OK);
            assert_int_equal(call(t, op, kind, NULL, x, g, at(AT), N), ACT_OK);
            assert_memory_equal(at(AT), want, (size_t)bytes);
            memcpy(&before.byte[AT], want, (size_t)bytes);
            assert_untouched();
        }
    }
}

/* ---- parameters ---- */

static double *field(act_params *p, int i)
{
    double *const fields[] = {&p->alpha, &p->beta, &p->gamma, &p->delta};
    return fields[i];
}

/* The domains that accept a value as f32 and as f64, when alpha is 1: F finite, P positive,
 * N non-negative, E extended, A at least alpha, B at most alpha, a and b the same but finite. */
static const char domain_letter[] = {[ACT_DOMAIN_NONE] = '-',
                                     [ACT_DOMAIN_FINITE] = 'F',
                                     [ACT_DOMAIN_POSITIVE] = 'P',
                                     [ACT_DOMAIN_NONNEGATIVE] = 'N',
                                     [ACT_DOMAIN_EXTENDED] = 'E',
                                     [ACT_DOMAIN_ABOVE_ALPHA] = 'A',
                                     [ACT_DOMAIN_BELOW_ALPHA] = 'B',
                                     [ACT_DOMAIN_FINITE_ABOVE_ALPHA] = 'a',
                                     [ACT_DOMAIN_FINITE_BELOW_ALPHA] = 'b'};
static const struct {
    double value;
    const char *accepted[2];
} param_cases[] = {
    {NAN, {"-", "-"}},
    {INFINITY, {"-EA", "-EA"}},
    {-INFINITY, {"-EB", "-EB"}},
    {0, {"-FNEBb", "-FNEBb"}},
    {-0.0, {"-FNEBb", "-FNEBb"}},
    {1, {"-FPNEABab", "-FPNEABab"}},
    {2, {"-FPNEAa", "-FPNEAa"}},
    {-1, {"-FEBb", "-FEBb"}},
    {1e39, {"-", "-FPNEAa"}}, /* finite, but infinite as float */
    {-1e39, {"-", "-FEBb"}},
    {0x1.ffffffp127, {"-", "-FPNEAa"}}, /* halfway above FLT_MAX: rounds to infinity */
    {0x1.fffffefffffffp127, {"-FPNEAa", "-FPNEAa"}},
    {1e-60, {"-FNEBb", "-FPNEBb"}}, /* 0 as float */
    {-1e-60, {"-FNEBb", "-FEBb"}},  /* -0 as float */
    {1 + 0x1p-30, {"-FPNEABab", "-FPNEAa"}}, /* 1 as float */
};

/* The kinds whose output determines the derivative for alpha >= 0 only. */
#define NO_OUTPUT       0
#define OUTPUT(f)       0
#define SLOPE_OUTPUT(f) 1
static const unsigned char output_needs_slope[] = {
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds) [id] = from_output,
#include "actfn/kinds.inc"
#undef ACT_KIND
};

static void params_outside_their_domain_are_refused(void **state)
{
    (void)state;
    FOR_DTYPE(t) FOR_OP(op) FOR_KIND(kind) {
        const act_kind_info info = describe(kind);
        if (!offers(kind, op))
            continue;
        for (int i = 0; i < 4; i++)
            for (size_t c = 0; c < sizeof param_cases / sizeof *param_cases; c++) {
                const char letter = domain_letter[info.param_domain[i]];
                act_params p = info.defaults;
                if (strchr("ABab", letter))
                    p.alpha = 1;
                else if (i == 0) /* the others must stay on their side of alpha */
                    for (int other = 1; other < 4; other++)
                        if (strchr("ABab", domain_letter[info.param_domain[other]]))
                            *field(&p, other) = param_cases[c].value;
                *field(&p, i) = param_cases[c].value;

                int ok = strchr(param_cases[c].accepted[t == ACT_F64], letter) != NULL;
                if (op == FROM_OUTPUT && output_needs_slope[kind] && p.alpha < 0)
                    ok = 0; /* a negative slope folds two inputs onto one output */
                fill();
                act_status status = call(t, op, kind, &p, at(AT), at(0), at(512), N);
                if (status != (ok ? ACT_OK : ACT_ERR_PARAM))
                    fail_msg("%s %s %s: parameter %d = %g gives %d", act_kind_name(kind),
                             op_name[op], dtype_name[t], i, param_cases[c].value,
                             status);
                if (!ok)
                    assert_untouched();
                status = call(t, op, kind, &p, NULL, NULL, NULL, SIZE_MAX);
                assert_int_equal(status, ok ? ACT_ERR_SIZE : ACT_ERR_PARAM);
                status = call(t, op, kind, &p, NULL, NULL, NULL, 0);
                assert_int_equal(status, ok ? ACT_OK : ACT_ERR_PARAM);
            }
    }
}

static void null_params_are_the_defaults(void **state)
{
    (void)state;
    FOR_DTYPE(t) FOR_OP(op) FOR_KIND(kind) {
        act_params p;
        const act_kind_info info = describe(kind);
        if (!offers(kind, op))
            continue;
        assert_int_equal(act_params_init(kind, &p), ACT_OK);
        assert_memory_equal(&p, &info.defaults, sizeof p);
        for (int i = info.param_count; i < 4; i++) {
            assert_true(*field(&p, i) == 0);
            *field(&p, i) = 77; /* ignored */
        }
        fill();
        assert_int_equal(call(t, op, kind, NULL, at(AT), at(0), at(400), N), ACT_OK);
        assert_int_equal(call(t, op, kind, &p, at(AT), at(0), at(512), N), ACT_OK);
        assert_memory_equal(at(400), at(512), N * size_of[t]);
    }
    act_params p = {5, 5, 5, 5};
    const act_params same = p;
    for (size_t i = 0; i < sizeof no_kinds / sizeof *no_kinds; i++)
        assert_int_equal(act_params_init(no_kinds[i], &p), ACT_ERR_KIND);
    assert_int_equal(act_params_init(-1, NULL), ACT_ERR_KIND);
    assert_int_equal(act_params_init(0, NULL), ACT_ERR_NULL);
    assert_memory_equal(&p, &same, sizeof p);
}

/* ---- what there is ---- */

static void describe_respects_the_callers_struct_size(void **state)
{
    (void)state;
    struct {
        act_kind_info info;
        unsigned char beyond[64];
    } got, want;
    FOR_KIND(kind) {
        const act_kind_info whole = describe(kind);
        assert_int_equal(whole.struct_size, sizeof whole);
        for (size_t size = 0; size <= sizeof got; size++) {
            memset(&got, 0x5a, sizeof got);
            got.info.struct_size = size;
            want = got;
            if (size > sizeof size) {
                memset(&want, 0, size); /* a caller of a newer header: zeros beyond */
                memcpy(&want, &whole, size < sizeof whole ? size : sizeof whole);
                want.info.struct_size = size;
            }
            assert_int_equal(act_kind_describe(kind, &got.info),
                             size > sizeof size ? ACT_OK : ACT_ERR_SIZE);
            assert_memory_equal(&got, &want, sizeof got);
        }
        assert_int_equal(act_kind_describe(kind, NULL), ACT_ERR_NULL);
    }
    memset(&got, 0x5a, sizeof got);
    want = got;
    for (size_t i = 0; i < sizeof no_kinds / sizeof *no_kinds; i++)
        assert_int_equal(act_kind_describe(no_kinds[i], &got.info), ACT_ERR_KIND);
    assert_int_equal(act_kind_describe(-1, NULL), ACT_ERR_KIND);
    assert_memory_equal(&got, &want, sizeof got);
}

static void metadata_is_consistent(void **state)
{
    (void)state;
    assert_true(act_kind_count() > 0);
    FOR_KIND(kind) {
        const act_kind_info info = describe(kind);
        assert_string_equal(info.name, act_kind_name(kind));
        assert_true(info.formula[0] != 0);
        assert_in_range(info.param_count, 0, 4);
        for (int i = 0; i < 4; i++) {
            const int used = info.param_name[i] != NULL;
            assert_true(!used || i < info.param_count);
            assert_true(used || i != info.param_count - 1); /* the last one counted is used */
            assert_int_equal(info.param_domain[i] != ACT_DOMAIN_NONE, used);
            assert_in_range(info.param_domain[i], ACT_DOMAIN_NONE, ACT_DOMAIN_FINITE_BELOW_ALPHA);
        }
    }
}

static void names_and_aliases_find_their_kind(void **state)
{
    (void)state;
    char seen[4096] = " ";
    FOR_KIND(kind) {
        char words[512];
        const act_kind_info info = describe(kind);
        snprintf(words, sizeof words, "%s %s", info.name, info.aliases);
        if (strchr(info.aliases, ' ')) /* the list is not itself a name */
            assert_int_equal(act_kind_from_name(info.aliases), ACT_KIND_INVALID);
        for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
            char text[128];
            assert_int_equal(act_kind_from_name(word), kind);
            snprintf(text, sizeof text, " %s ", word);
            assert_null(strstr(seen, text)); /* no name means two kinds */
            strcat(seen, text);
            assert_int_equal(act_kind_from_name(text), ACT_KIND_INVALID);
            snprintf(text, sizeof text, "%sx", word);
            assert_int_equal(act_kind_from_name(text), ACT_KIND_INVALID);
            snprintf(text, sizeof text, "%c%s", word[0] - 'a' + 'A', word + 1);
            assert_int_equal(act_kind_from_name(text), ACT_KIND_INVALID);
        }
    }
    const char *const unknown[] = {"", " ", "no such kind", NULL};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(act_kind_from_name(unknown[i]), ACT_KIND_INVALID);
    for (size_t i = 0; i < sizeof no_kinds / sizeof *no_kinds; i++)
        assert_null(act_kind_name(no_kinds[i]));
    assert_null(act_kind_name(act_kind_count()));
}

static void texts(void **state)
{
    (void)state;
    for (act_status a = ACT_OK; a <= ACT_ERR_UNSUPPORTED; a++) {
        assert_string_not_equal(act_status_string(a), act_status_string(-1));
        for (act_status b = ACT_OK; b < a; b++)
            assert_string_not_equal(act_status_string(a), act_status_string(b));
    }
    const act_status unknown[] = {-1, ACT_ERR_UNSUPPORTED + 1, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_string_equal(act_status_string(unknown[i]), act_status_string(-1));

    char version[64];
    snprintf(version, sizeof version, "%d.%d.%d", ACTFN_VERSION_MAJOR, ACTFN_VERSION_MINOR,
             ACTFN_VERSION_PATCH);
    assert_string_equal(act_version(), version);
}

static void bound_is_nan_exactly_where_nothing_is_promised(void **state)
{
    (void)state;
    for (act_kind kind = -1; kind <= act_kind_count(); kind++)
        for (act_dtype t = -1; t <= ACT_F16_F32 + 1; t++)
            for (act_isa isa = -1; isa <= act_isa_count(); isa++)
                for (act_mode mode = -1; mode <= ACT_MODE_REPRODUCIBLE + 1; mode++) {
                    const int promised =
                        kind >= 0 && kind < act_kind_count() && t >= 0 && t <= ACT_F16_F32 &&
                        isa >= 0 && isa < act_isa_count() &&
                        (mode == ACT_MODE_FAST ||
                         (mode == ACT_MODE_REPRODUCIBLE && isa != ACT_ISA_SCALAR &&
                          isa != ACT_ISA_SSE42));
                    for (int back = 0; back < 2; back++) {
                        const double bound = act_kind_bound(kind, t, isa, mode, back);
                        assert_int_equal(!isnan(bound), promised);
                        assert_true(!promised || (bound >= 0 && isfinite(bound)));
                    }
                }
    assert_true(isnan(act_kind_bound(0, ACT_F32, INT_MAX, ACT_MODE_FAST, 0)));
    assert_true(isnan(act_kind_bound(INT_MIN, ACT_F32, 0, ACT_MODE_FAST, 0)));
}

/* ---- settings ---- */

static void isa_names_and_ids(void **state)
{
    (void)state;
    const char *const public_names[] = {"scalar", "sse42", "avx2", "avx512", "neon"};
    for (act_isa isa = ACT_ISA_SCALAR; isa <= ACT_ISA_NEON; isa++)
        assert_string_equal(act_isa_name(isa), public_names[isa]);
    for (act_isa isa = 0; isa < act_isa_count(); isa++)
        assert_int_equal(act_isa_from_name(act_isa_name(isa)), isa);
    const char *const unknown[] = {"", "AVX2", "avx2 ", " avx2", "avx", "mmx", NULL};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(act_isa_from_name(unknown[i]), -1);
    const act_isa none[] = {-1, INT_MIN, INT_MAX, act_isa_count(), 32, 64, 256};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_null(act_isa_name(none[i]));
        assert_int_equal(act_isa_available(none[i]), 0);
    }
    assert_int_equal(act_isa_available(ACT_ISA_SCALAR), 1);
    assert_int_equal(act_isa_available(act_get_isa()), 1);
}

static int has_fma(act_isa isa)
{
    return isa != ACT_ISA_SCALAR && isa != ACT_ISA_SSE42;
}

/* Every step from every state, the impossible ones too. */
static void settings_change_only_to_what_exists(void **state)
{
    (void)state;
    const act_isa isa_at_load = act_get_isa();
    const act_isa isas[] = {-1,      INT_MIN, INT_MAX, act_isa_count(), 256, 256 + ACT_ISA_SCALAR,
                            1 << 16, 0,       1,       2,               3,   4};
    const act_mode modes[] = {-1, 2, 256, INT_MIN, INT_MAX, ACT_MODE_FAST, ACT_MODE_REPRODUCIBLE};
    FOR_ISA(from) for (act_mode in = ACT_MODE_FAST; in <= ACT_MODE_REPRODUCIBLE; in++) {
        if (in == ACT_MODE_REPRODUCIBLE && !has_fma(from))
            continue;
        for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
            assert_int_equal(act_set_mode(ACT_MODE_FAST), ACT_OK);
            assert_int_equal(act_set_isa(from), ACT_OK);
            assert_int_equal(act_set_mode(in), ACT_OK);
            const act_status want = !act_isa_available(isas[i])                       ? ACT_ERR_ISA
                                    : in == ACT_MODE_REPRODUCIBLE && !has_fma(isas[i]) ? ACT_ERR_UNSUPPORTED
                                                                                      : ACT_OK;
            assert_int_equal(act_set_isa(isas[i]), want);
            assert_int_equal(act_get_isa(), want == ACT_OK ? isas[i] : from);
            assert_int_equal(act_get_mode(), in);
        }
        assert_int_equal(act_set_mode(ACT_MODE_FAST), ACT_OK);
        assert_int_equal(act_set_isa(from), ACT_OK);
        for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
            const act_mode old = act_get_mode(), mode = modes[i];
            const act_status want = mode != ACT_MODE_FAST && mode != ACT_MODE_REPRODUCIBLE
                                        ? ACT_ERR_PARAM
                                    : mode == ACT_MODE_REPRODUCIBLE && !has_fma(from)
                                        ? ACT_ERR_UNSUPPORTED
                                        : ACT_OK;
            assert_int_equal(act_set_mode(mode), want);
            assert_int_equal(act_get_mode(), want == ACT_OK ? mode : old);
            assert_int_equal(act_get_isa(), from);
        }
    }
    act_set_mode(ACT_MODE_FAST);
    assert_int_equal(act_set_isa(isa_at_load), ACT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_come_in_the_promised_order),
        cmocka_unit_test(any_partial_overlap_is_an_error),
        cmocka_unit_test(allowed_layouts_give_the_same_bits),
        cmocka_unit_test(params_outside_their_domain_are_refused),
        cmocka_unit_test(null_params_are_the_defaults),
        cmocka_unit_test(describe_respects_the_callers_struct_size),
        cmocka_unit_test(metadata_is_consistent),
        cmocka_unit_test(names_and_aliases_find_their_kind),
        cmocka_unit_test(texts),
        cmocka_unit_test(bound_is_nan_exactly_where_nothing_is_promised),
        cmocka_unit_test(isa_names_and_ids),
        cmocka_unit_test(settings_change_only_to_what_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
