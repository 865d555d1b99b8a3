/* The library's own src/ and dispatch/ with other kinds and kernels (tests/fake): does a call reach
 * the kernel of its ISA, kind, type and operation, with the parameters and arrays given? */
#include "dispatch/cpu.h"
#include "dispatch/table.h"
#include "fake/fake.h"
#include "ops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    act_isa id;
    const char *name;
} isas[] = {
#define ACT_ISA(id, name, needs) {id, #name},
#include "isas.inc"
#undef ACT_ISA
};
enum { ISAS = sizeof isas / sizeof isas[0] };

/* First in main's list: nothing has been changed yet. */
static void best_usable_is_chosen_at_load(void **state)
{
    (void)state;
    const uint32_t usable = act_cpu_usable_isas(act_cpu_detect());
    int best = 0;
    for (int i = 0; i < ISAS; i++) {
        assert_string_equal(act_isa_name(isas[i].id), isas[i].name);
        assert_int_equal(act_isa_available(isas[i].id), usable >> isas[i].id & 1);
        if (usable >> isas[i].id & 1)
            best = i;
    }
    assert_int_equal(act_get_isa(), isas[best].id);
    assert_int_equal(act_get_mode(), ACT_MODE_FAST);
}

static void call_reaches_its_kernel(void **state)
{
    (void)state;
    const act_params given = {2, 3, .5, 5};
    const double in[5] = {1, 2, 3, 4, 5}, grad[5] = {6, 7, 8, 9, 10};
    double out[5];
    FOR_ISA(isa)
    {
        assert_int_equal(act_set_isa(isa), ACT_OK);
        FOR_DTYPE(t) FOR_KIND(kind) FOR_OP(op) for (int own = 0; own < 2; own++)
        {
            if (!offers(kind, op))
                continue;
            const act_params defaults = describe(kind).defaults;
            memset(&fake_last, 0, sizeof fake_last);
            assert_int_equal(call(t, op, kind, own ? &given : NULL, in, grad, out, 5), ACT_OK);
            assert_string_equal(fake_last.isa, act_isa_name(isa));
            assert_string_equal(fake_last.kind, act_kind_name(kind));
            assert_string_equal(fake_last.op, op_name[op]);
            assert_int_equal(fake_last.dtype, t == ACT_F64 ? ACT_F64 : ACT_F32);
            assert_memory_equal(&fake_last.params, own ? &given : &defaults, sizeof given);
            if (t == ACT_BF16 || t == ACT_F16) { /* through f32 */
                const void *result = op == FORWARD ? in : grad;
                assert_memory_equal(out, result, 5 * size_of[t]);
                continue;
            }
            assert_ptr_equal(fake_last.in, in);
            assert_ptr_equal(fake_last.out, out);
            assert_ptr_equal(fake_last.grad_out, op == FORWARD ? NULL : grad);
            assert_int_equal(fake_last.n, 5);
        }
    }
}

/* As it was at load, unless ACTFN_STREAM_BYTES said otherwise. */
static void large_is_set_at_load(void **state)
{
    (void)state;
    const char *text = getenv("ACTFN_STREAM_BYTES");
    const size_t bytes = atomic_load(&act_stream_bytes);
    if (!text)
        assert_in_range(bytes, 8 << 20, 48 << 20); /* dispatch/select.c */
}

/* Out of place, from act_stream_bytes on of all arrays and 65536 elements on; else, and on scalar,
 * the ordinary loop. */
static void large_arrays_are_written_past_the_caches(void **state)
{
    (void)state;
    enum { MIN = 65536, MOST = MIN + 4096 };
    const size_t old = atomic_load(&act_stream_bytes);
    double *const x = calloc(MOST, sizeof *x), *const g = calloc(MOST, sizeof *g);
    double *const y = calloc(MOST, sizeof *y);
    assert_true(x && g && y);
    FOR_ISA(isa)
    {
        assert_int_equal(act_set_isa(isa), ACT_OK);
        for (act_dtype t = ACT_F32; t <= ACT_F64; t++)
            FOR_KIND(kind) FOR_OP(op)
            {
                const size_t arrays = op == FORWARD ? 2 : 3;
                const struct {
                    size_t bytes, n;
                    void *out;
                    int streamed;
                } calls[] = {
                    {MOST * arrays * size_of[t], MOST, y, 1},
                    {MOST * arrays * size_of[t], MOST - 1, y, 0},
                    {MOST * arrays * size_of[t], MOST, x, 0},
                    {MOST * arrays * size_of[t], MOST, g, op == FORWARD},
                    {0, MIN, y, 1},
                    {0, MIN - 1, y, 0},
                    {SIZE_MAX, MOST, y, 0},
                };
                for (size_t i = 0; offers(kind, op) && i < sizeof calls / sizeof *calls; i++) {
                    atomic_store(&act_stream_bytes, calls[i].bytes);
                    assert_int_equal(call(t, op, kind, NULL, x, g, calls[i].out, calls[i].n),
                                     ACT_OK);
                    assert_int_equal(strstr(fake_last.op, ", streamed") != NULL,
                                     calls[i].streamed && isa != ACT_ISA_SCALAR);
                    assert_memory_equal(fake_last.op, op_name[op], strlen(op_name[op]));
                    assert_ptr_equal(fake_last.out, calls[i].out);
                    assert_int_equal(fake_last.n, calls[i].n);
                }
            }
    }
    atomic_store(&act_stream_bytes, old);
    free(x);
    free(g);
    free(y);
}

/* ULP(fs, f2, f5, bs, b2, b5, f64, b64) of the fake kinds is 10 kind + 1 .. 8. */
static void bound_is_its_column(void **state)
{
    (void)state;
    const int column[] = {
        [ACT_ISA_SSE42] = 1, [ACT_ISA_AVX2] = 2, [ACT_ISA_AVX512] = 3, [ACT_ISA_NEON] = 2};
    FOR_KIND(kind)
    {
        for (act_isa isa = ACT_ISA_SSE42; isa <= ACT_ISA_NEON; isa++)
            for (int back = 0; back < 2; back++)
                assert_true(act_kind_bound(kind, ACT_F32, isa, ACT_MODE_FAST, back) ==
                            10 * kind + column[isa] + 3 * back);
        for (act_isa isa = 0; isa <= ACT_ISA_NEON; isa++)
            for (int back = 0; back < 2; back++)
                assert_true(act_kind_bound(kind, ACT_F64, isa, ACT_MODE_FAST, back) ==
                            10 * kind + 7 + back);
        assert_true(act_kind_bound(kind, ACT_F32, ACT_ISA_SCALAR, ACT_MODE_FAST, 0) == .51);
    }
}

static void metadata_is_the_line_of_kinds_inc(void **state)
{
    (void)state;
    const act_kind_info above = describe(act_kind_from_name("above"));
    assert_string_equal(above.aliases, "a b c");
    assert_string_equal(above.from_output, "1");
    assert_int_equal(above.param_count, 3);
    assert_string_equal(above.param_name[1], "hi");
    assert_null(above.param_name[3]);
    assert_int_equal(above.param_domain[0], ACT_DOMAIN_EXTENDED);
    assert_int_equal(above.param_domain[1], ACT_DOMAIN_ABOVE_ALPHA);
    assert_int_equal(above.param_domain[2], ACT_DOMAIN_BELOW_ALPHA);
    assert_int_equal(above.param_domain[3], ACT_DOMAIN_NONE);
    assert_true(above.defaults.alpha == 1 && above.defaults.beta == 3 &&
                above.defaults.gamma == -3 && above.defaults.delta == 0);
    assert_null(describe(act_kind_from_name("plain")).from_output);
    assert_int_equal(act_kind_from_name("finit"), act_kind_from_name("finite"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_usable_is_chosen_at_load),
        cmocka_unit_test(large_is_set_at_load),
        cmocka_unit_test(call_reaches_its_kernel),
        cmocka_unit_test(large_arrays_are_written_past_the_caches),
        cmocka_unit_test(bound_is_its_column),
        cmocka_unit_test(metadata_is_the_line_of_kinds_inc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
