/* Accuracy on a sample, before anything is timed. */
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLE = 16384 };

static act_status status_of(act_dtype dtype, int op, act_kind kind, const act_params *p,
                            const void *x, const void *g, void *out, size_t n)
{
    if (dtype == ACT_F64)
        return op == OP_FORWARD    ? act_forward_f64(kind, p, x, out, n)
               : op == OP_BACKWARD ? act_backward_f64(kind, p, x, g, out, n)
                                   : act_backward_from_output_f64(kind, p, x, g, out, n);
    return op == OP_FORWARD    ? act_forward(kind, p, x, out, n)
           : op == OP_BACKWARD ? act_backward(kind, p, x, g, out, n)
                               : act_backward_from_output(kind, p, x, g, out, n);
}

void call(act_dtype dtype, int op, act_kind kind, const act_params *p, const void *x, const void *g,
          void *out, size_t n)
{
    const act_status status = status_of(dtype, op, kind, p, x, g, out, n);
    if (status != ACT_OK)
        die("%s %s: %s", act_kind_name(kind), op_names[op], act_status_string(status));
}

void use_isa(act_isa isa)
{
    if (act_set_isa(isa) != ACT_OK)
        die("the library does not switch to %s", act_isa_name(isa));
}

static double ulp_of(double v)
{
    const int exponent = v == 0 ? -126 : ilogb(v);
    return ldexp(1, (exponent < -126 ? -126 : exponent) - 23);
}

/* f32 kernels against the scalar f64 table; f64 has no wider type here: test_reference. */
static void check_cell(struct cell *c, const float *x, const float *g, const double *wide_x,
                       const double *wide_g, double *want, double *slope, double *ones, float *got,
                       size_t n)
{
    act_params p;
    act_params_init(c->kind, &p);
    const act_params rounded = {(float)p.alpha, (float)p.beta, (float)p.gamma, (float)p.delta};
    use_isa(ACT_ISA_SCALAR);
    call(ACT_F64, c->op, c->kind, &rounded, wide_x, wide_g, want, n);
    if (c->op != OP_FORWARD)
        call(ACT_F64, c->op, c->kind, &rounded, wide_x, ones, slope, n);
    use_isa(c->isa);
    call(ACT_F32, c->op, c->kind, NULL, x, g, got, n);
    const double bound =
        act_kind_bound(c->kind, ACT_F32, c->isa, ACT_MODE_FAST, c->op != OP_FORWARD);
    c->max_ulp = 0;
    for (size_t i = 0; i < n; i++) {
        const double off = fabs((double)got[i] - want[i]);
        double ulp = off / ulp_of(want[i]);
        if (isnan(want[i]) || isinf(want[i]) || fabs(want[i]) > 0x1.fffffep127)
            ulp = isnan(want[i]) ? (isnan(got[i]) ? 0 : INFINITY)
                                 : ((double)got[i] == (double)(float)want[i] ? 0 : INFINITY);
        /* the absolute bounds: near a zero of f', and where f' is subnormal */
        const double size = fabs((double)g[i]);
        if (c->op != OP_FORWARD && !(ulp <= bound) &&
            (off <= 0x1p-22 * size ||
             (fabs(slope[i]) < 0x1p-126 && off <= 0x1p-148 * fmax(1, size))))
            continue;
        if (!(ulp <= c->max_ulp)) {
            c->max_ulp = ulp;
            c->worst_x = (double)x[i];
        }
    }
    c->failed = !(c->max_ulp <= bound);
}

size_t run_check(struct run *r)
{
    if (r->dtype != ACT_F32)
        return 0;
    enum { EDGES = 32 };
    static const float edges[EDGES] = {
        0,     -0.0f, 1,      -1,     INFINITY, -INFINITY, 88,     -88,   -104, 104,   -14,
        14,    3e38f, -3e38f, 1e-40f, -1e-40f,  1e-8f,     -1e-8f, -20,   20,   -5.5f, 5.5f,
        -9.5f, 9.5f,  -91,    -100,   -13,      -10.5f,    0.5f,   -0.5f, 2,    -2};
    const size_t n = SAMPLE;
    float *x = allocate(n * sizeof *x), *g = allocate(n * sizeof *g),
          *got = allocate(n * sizeof *g);
    float *y = allocate(n * sizeof *y);
    double *wide_x = allocate(n * 8), *wide_g = allocate(n * 8), *want = allocate(n * 8),
           *slope = allocate(n * 8), *ones = allocate(n * 8);
    size_t failed = 0, most = 0;
    for (size_t i = 0; i < r->count; i++)
        most = r->cells[i].n > most ? r->cells[i].n : most;
    /* Values spread over the inputs that are timed, and the places where kernels go wrong. */
    for (size_t i = 0; i < n; i++) {
        x[i] = i < EDGES ? edges[i] : ((float *)r->x)[i * 7919 % most];
        g[i] = ((float *)r->grad)[i * 7919 % most];
        wide_g[i] = (double)g[i];
        ones[i] = 1;
    }
    for (size_t k = 0; k < r->count; k++) {
        struct cell *c = &r->cells[k];
        if (c->type != CELL_KERNEL)
            continue;
        const float *in = x;
        if (c->op == OP_FROM_OUTPUT) {
            use_isa(c->isa);
            call(ACT_F32, OP_FORWARD, c->kind, NULL, x, NULL, y, n);
            in = y;
        }
        for (size_t i = 0; i < n; i++)
            wide_x[i] = (double)in[i];
        check_cell(c, in, g, wide_x, wide_g, want, slope, ones, got, n);
        failed += (size_t)c->failed;
    }
    free(x), free(g), free(got), free(y), free(wide_x), free(wide_g), free(want), free(slope);
    free(ones);
    return failed;
}
