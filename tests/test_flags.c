/* N8: no f32 kernel raises FE_INVALID, FE_DIVBYZERO or FE_OVERFLOW that its operation has not
 * earned. Each table, mode and kind, with the default parameters and others, over every exponent.
 *
 * Earned are an overflow of a result whose real value is beyond the floats, and an invalid
 * operation of an infinite g with a derivative of 0 (or below the error of a sum that cancels) or
 * of a g of 0 with an infinite derivative. A NaN in x may raise FE_INVALID on x86: minps, maxps and
 * the comparisons of SSE do so for quiet NaNs, and to screen them would cost an operation or two in
 * each kernel. One in g may not, but in the scalar table, where the comparisons are C's.
 *
 * test_flags [kind]: only this one, and all of its flags are shown. */
#include "ops.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

static const struct {
    int flag;
    const char *name;
} flags[] = {
    {FE_INVALID, "invalid"}, {FE_DIVBYZERO, "division by zero"}, {FE_OVERFLOW, "overflow"}};
enum { FLAGS = sizeof flags / sizeof *flags, WATCHED = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW };

enum { STEPS = 4, EDGES = 40, ZEROS = 5, SIDE = 32 };
enum { INPUTS = 2 * (255 * STEPS + EDGES) + ZEROS * (2 * SIDE + 1) + 4 };
static float inputs[INPUTS];

/* Of each sign every exponent with STEPS significands, numbers where kernels change their ways, the
 * largest, 0, infinity; the floats about the zeros of f', where the parts of a derivative may have
 * opposite signs and an infinite g would make them inf - inf; a NaN. */
static void fill(void)
{
    static const float edges[] = {1.702f, 2.5f,   3,   6,     9,   9.1f,   10,  10.6f,
                                  13,     15,     17,  18,    20,  25,     30,  40,
                                  44.4f,  50,     54,  60,    64,  70,     80,  87.3f,
                                  88,     88.8f,  90,  91.9f, 100, 103.9f, 104, 105,
                                  108.7f, 109.5f, 110, 120,   172, 200,    350, 0x1.fffffep127f};
    size_t n = 0;
    /* silu, gelu, gelu_tanh, mish, gelu_quick */
    static const float zeros[ZEROS] = {-1.27846454f, -.75179152f, -.75246142f, -1.19243121f,
                                       -.751154255f};
    for (int i = 0; i < ZEROS; i++)
        for (uint32_t k = 0; k <= 2 * SIDE; k++) {
            uint32_t bits;
            memcpy(&bits, &zeros[i], sizeof bits);
            bits += k - SIDE;
            memcpy(&inputs[n++], &bits, sizeof bits);
        }
    for (uint32_t sign = 0; sign < 2; sign++) {
        for (uint32_t exponent = 0; exponent < 255; exponent++)
            for (uint32_t step = 0; step < STEPS; step++) {
                const uint32_t bits =
                    sign << 31 | exponent << 23 | step * (0x7fffffu / STEPS) | step;
                memcpy(&inputs[n++], &bits, sizeof bits);
            }
        for (int i = 0; i < EDGES; i++)
            inputs[n++] = sign ? -edges[i] : edges[i];
        inputs[n++] = sign ? -INFINITY : INFINITY;
    }
    inputs[n++] = NAN;
    inputs[n++] = -NAN;
}

static const float grads[] = {1,         -1,  0,    -0.0f, 0x1p100f, -0x1p-100f, INFINITY,
                              -INFINITY, NAN, 0.7f, -1.3f, 1e-40f,   FLT_MAX,    -1e38f};
enum { GRADS = sizeof grads / sizeof *grads };

/* The real result as a double, of f, or of f' and of g f'. */
struct real {
    double slope, result;
};

static struct real real_of(int op, act_kind kind, const act_params *p, float x, float g)
{
    const double in = (double)x, one = 1;
    struct real r = {1, 0};
    if (op == FORWARD) {
        act_forward_f64(kind, p, &in, &r.result, 1);
        return r;
    }
    call(ACT_F64, op, kind, p, &in, &one, &r.slope, 1);
    r.result = r.slope * (double)g;
    return r;
}

static int cancels(act_kind kind)
{
    const char *name = act_kind_name(kind);
    return strcmp(name, "acon_c") == 0 || strcmp(name, "swish_linear") == 0;
}

static int earned(int op, act_kind kind, const act_params *p, float x, float g)
{
    const struct real r = real_of(op, kind, p, x, g);
    int flag = 0;
    const double terms = cancels(kind) ? 1 + fabs(p->alpha) + fabs(p->beta) : 0;
    if (op != FORWARD && isinf(g) && fabs(r.slope) <= 0x1p-22 * terms)
        flag |= FE_INVALID;
    if (op != FORWARD && g == 0 && isinf(r.slope))
        flag |= FE_INVALID;
    /* Of an infinite x too: f'(inf) may be above 1. As near to the largest float as the bounds. */
    const double most = (double)FLT_MAX * (1 - 0x1p-22);
    if (op == FORWARD ? isfinite(x) : isfinite(g))
        flag |= fabs(r.result) >= most ? FE_OVERFLOW : 0;
    if (isnan(x) || (isnan(g) && act_get_isa() == ACT_ISA_SCALAR))
        flag |= FE_INVALID;
    return flag;
}

static size_t failures, calls;
static int show_all;

static void check(int op, act_kind kind, const act_params *p, float x, float g)
{
    float out;
    calls++;
    feclearexcept(FE_ALL_EXCEPT);
    call(ACT_F32, op, kind, p, &x, &g, &out, 1);
    const int raised = fetestexcept(WATCHED);
    if (!raised)
        return;
    const int spurious = raised & ~earned(op, kind, p, x, g);
    for (int i = 0; i < FLAGS; i++) {
        static act_kind last = -1;
        static int last_op, shown;
        if (!(spurious & flags[i].flag))
            continue;
        failures++;
        if (last != kind || last_op != op)
            shown = 0;
        last = kind, last_op = op;
        if (++shown <= 3 || show_all)
            printf(
                "FAIL %s%s %s %s alpha %g beta %g gamma %g delta %g: %s at x %.9g, g %g, got %g\n",
                act_isa_name(act_get_isa()), act_get_mode() ? " reproducible" : "",
                act_kind_name(kind), op_name[op], p->alpha, p->beta, p->gamma, p->delta,
                flags[i].name, (double)x, (double)g, (double)out);
    }
}

/* Every stride-th input; the others of every mode and parameter are the same code. */
static void check_kind(act_kind kind, const act_params *p, size_t stride)
{
    for (size_t i = 0; i < INPUTS; i += i + 6 < INPUTS ? stride : 1) {
        check(FORWARD, kind, p, inputs[i], 0);
        for (size_t g = 0; g < GRADS; g++) {
            check(BACKWARD, kind, p, inputs[i], grads[g]);
            float y;
            if (!offers(kind, FROM_OUTPUT) ||
                act_backward_from_output(kind, p, &inputs[i], &grads[g], &y, 0) != ACT_OK)
                continue;
            act_forward(kind, p, &inputs[i], &y, 1);
            check(FROM_OUTPUT, kind, p, y, grads[g]);
        }
    }
}

/* The i-th parameter set, the defaults first; 0 past the last, -1 for one that is not allowed. */
static int params_at(act_kind kind, int i, act_params *p)
{
    static const double values[] = {0, -1, 0.5, 3, 100, 1e-30, 1e30, -1e30, 1e-40, 3e38};
    enum { VALUES = sizeof values / sizeof *values };
    const act_kind_info info = describe(kind);
    act_params_init(kind, p);
    for (int f = 0; f < 4; f++) /* what the kernels take them for */
        (&p->alpha)[f] = (double)(float)(&p->alpha)[f];
    if (i == 0)
        return 1;
    if (i > VALUES * info.param_count)
        return 0;
    (&p->alpha)[(i - 1) / VALUES] = (double)(float)values[(i - 1) % VALUES];
    const float x = 0;
    float y;
    return act_forward(kind, p, &x, &y, 0) == ACT_OK ? 1 : -1;
}

int main(int argc, char **argv)
{
    if (math_errhandling == 0 || WATCHED == 0) {
        printf("no floating-point flags here\n");
        return 77;
    }
    fill();
    show_all = argc > 1;
    FOR_ISA(isa)
    for (act_mode mode = ACT_MODE_FAST; mode <= ACT_MODE_REPRODUCIBLE; mode++) {
        act_set_mode(ACT_MODE_FAST);
        if (act_set_isa(isa) != ACT_OK || act_set_mode(mode) != ACT_OK)
            continue;
        FOR_KIND(kind)
        {
            act_params p;
            if (argc > 1 && strcmp(argv[1], act_kind_name(kind)) != 0)
                continue;
            for (int i = 0, ok; (ok = params_at(kind, i, &p)) != 0; i++)
                if (ok > 0)
                    check_kind(kind, &p, i == 0 && mode == ACT_MODE_FAST ? 1 : 19);
        }
    }
    printf("%zu calls, %zu spurious flags\n", calls, failures);
    return failures != 0;
}
