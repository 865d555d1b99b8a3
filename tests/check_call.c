/* What checkact and test_reference share: the call under test, its name, its failures. */
#define _GNU_SOURCE /* strsignal */
#include "tests/check.h"

#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const op_names[OP_COUNT] = {"forward", "backward", "from_output"};
static const char *const dtype_names[] = {"f32", "f64", "bf16", "f16", "bf16_f32", "f16_f32"};

#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    extern const struct act_test act_test_##name;
#include "actfn/kinds.inc"
#undef ACT_KIND
const struct act_test *const act_tests[] = {
#define ACT_KIND(id, NAME, name, aliases, formula, from_output, params, bounds)                    \
    [id] = &act_test_##name,
#include "actfn/kinds.inc"
#undef ACT_KIND
};

struct where where;
int failures;

static void describe_where(char *text, size_t size)
{
    snprintf(text, size, "%s %s %s %s n %zu offset %zu alpha %g beta %g", act_isa_name(where.isa),
             act_kind_name(where.kind), dtype_names[where.dtype], op_names[where.op], where.n,
             where.offset, where.params.alpha, where.params.beta);
}

void fail(const char *format, ...)
{
    /* The first few of each ISA x kind are enough to see what is wrong. */
    static int shown;
    static struct where last = {.isa = -1};
    failures++;
    if (last.isa != where.isa || last.kind != where.kind)
        shown = 0;
    last = where;
    if (++shown > 8)
        return;
    char text[256];
    describe_where(text, sizeof text);
    printf("FAIL %s: ", text);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

static void on_crash(int signal_number)
{
    char text[300];
    describe_where(text, sizeof text - 40);
    strcat(text, ": ");
    strcat(text, strsignal(signal_number));
    strcat(text, "\n");
    const ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
    _exit(1);
}

void catch_crashes(void)
{
    const int crashes[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE};
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++)
        signal(crashes[i], on_crash);
}

size_t elem_size(act_dtype dtype)
{
    return dtype == ACT_F64 ? sizeof(double) : dtype == ACT_F32 ? sizeof(float) : sizeof(act_bf16);
}

void use_isa(act_isa isa)
{
    if (act_set_isa(isa) != ACT_OK || act_get_isa() != isa)
        fail("act_set_isa(%d) did not take", isa);
}

void use_mode(act_mode mode)
{
    if (act_set_mode(mode) != ACT_OK || act_get_mode() != mode)
        fail("act_set_mode(%d) did not take", mode);
}

int op_offered(act_kind kind, enum op op, const act_params *params)
{
    act_kind_info info = {.struct_size = sizeof info};
    act_kind_describe(kind, &info);
    return op != OP_FROM_OUTPUT ||
           (info.from_output && (info.param_count == 0 || !(params->alpha < 0)));
}

void call(act_dtype dtype, enum op op, act_kind kind, const act_params *params, const void *x,
          const void *g, void *out, size_t n)
{
    act_status status = ACT_ERR_UNSUPPORTED;
    if (dtype == ACT_F32)
        status = op == OP_FORWARD    ? act_forward(kind, params, x, out, n)
                 : op == OP_BACKWARD ? act_backward(kind, params, x, g, out, n)
                                     : act_backward_from_output(kind, params, x, g, out, n);
    else if (dtype == ACT_F64)
        status = op == OP_FORWARD    ? act_forward_f64(kind, params, x, out, n)
                 : op == OP_BACKWARD ? act_backward_f64(kind, params, x, g, out, n)
                                     : act_backward_from_output_f64(kind, params, x, g, out, n);
    else if (dtype == ACT_BF16)
        status = op == OP_FORWARD    ? act_forward_bf16(kind, params, x, out, n)
                 : op == OP_BACKWARD ? act_backward_bf16(kind, params, x, g, out, n)
                                     : act_backward_from_output_bf16(kind, params, x, g, out, n);
    else if (dtype == ACT_F16)
        status = op == OP_FORWARD    ? act_forward_f16(kind, params, x, out, n)
                 : op == OP_BACKWARD ? act_backward_f16(kind, params, x, g, out, n)
                                     : act_backward_from_output_f16(kind, params, x, g, out, n);
    else
        status = op == OP_FORWARD ? act_forward_t(dtype, 0, kind, params, x, out, n)
                 : op == OP_BACKWARD
                     ? act_backward_t(dtype, 0, kind, params, x, g, out, n)
                     : act_backward_from_output_t(dtype, 0, kind, params, x, g, out, n);
    if (status != ACT_OK)
        fail("status %d: %s", status, act_status_string(status));
}

int selected(const char *pattern, const char *name)
{
    return !pattern || fnmatch(pattern, name, 0) == 0;
}
