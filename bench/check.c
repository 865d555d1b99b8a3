/* Accuracy on a sample, before anything is timed. */
#include "bench/bench.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLE = 16384 };

void call(act_dtype dtype, int op, act_kind kind, const act_params *p, const void *x, const void *g,
          void *out, size_t n)
{
    const act_status status = op == OP_FORWARD ? act_forward_t(dtype, 0, kind, p, x, out, n)
                              : op == OP_BACKWARD
                                  ? act_backward_t(dtype, 0, kind, p, x, g, out, n)
                                  : act_backward_from_output_t(dtype, 0, kind, p, x, g, out, n);
    if (status != ACT_OK)
        die("%s %s: %s", act_kind_name(kind), op_names[op], act_status_string(status));
}

void use_isa(act_isa isa)
{
    if (act_set_isa(isa) != ACT_OK)
        die("the library does not switch to %s", act_isa_name(isa));
}

/* The arrays of a check. */
struct sample {
    size_t n;
    void *x, *g, *y, *got;
    double *wide_x, *wide_g, *want, *slope, *ones;
};

/* Kernels against the scalar f64 table; f64 has no wider type here: test_reference. */
static void check_cell(struct cell *c, act_dtype dtype, const struct sample *s, const void *x)
{
    act_params p;
    act_params_init(c->kind, &p);
    const act_params rounded = {(float)p.alpha, (float)p.beta, (float)p.gamma, (float)p.delta};
    for (size_t i = 0; i < s->n; i++)
        s->wide_x[i] = elem_get(dtype, x, i);
    use_isa(ACT_ISA_SCALAR);
    call(ACT_F64, c->op, c->kind, &rounded, s->wide_x, s->wide_g, s->want, s->n);
    if (c->op != OP_FORWARD)
        call(ACT_F64, c->op, c->kind, &rounded, s->wide_x, s->ones, s->slope, s->n);
    use_isa(c->isa);
    call(dtype, c->op, c->kind, NULL, x, s->g, s->got, s->n);
    const double bound = act_kind_bound(c->kind, dtype, c->isa, ACT_MODE_FAST, c->op != OP_FORWARD);
    /* Beside a tie double cannot tell, and test_half does. */
    const double allowed = dtype == ACT_F32 ? bound : bound + 1e-9;
    c->max_ulp = 0;
    for (size_t i = 0; i < s->n; i++) {
        const double got = elem_get(dtype, s->got, i), off = fabs(got - s->want[i]);
        const double error = ulps(dtype, got, s->want[i]);
        /* the absolute bounds: near a zero of f', and where f' is subnormal */
        const double size = fabs(s->wide_g[i]);
        if (c->op != OP_FORWARD && !(error <= allowed) &&
            ((dtype == ACT_F32 && off <= 0x1p-22 * size) ||
             (fabs(s->slope[i]) < 0x1p-126 && off <= 0x1p-148 * fmax(1, size))))
            continue;
        if (!(error <= c->max_ulp)) {
            c->max_ulp = error;
            c->worst_x = s->wide_x[i];
        }
    }
    c->failed = !(c->max_ulp <= allowed);
}

/* A structured function against the scalar table in double, on the first rows of the input. */
static int check_structured(const struct run *r, struct cell *c)
{
    struct work w = work_of(r, c);
    const size_t sample = SAMPLE / w.row * w.row, least = sample ? sample : w.row;
    w.n = least < c->n ? least : c->n;
    const size_t wide = w.n * sizeof(double), results = structured_results(c->fn, w.n, w.row);
    if (results == 0)
        return 0;
    double *const x = allocate(wide), *const g = allocate(wide), *const want = allocate(wide);
    for (size_t i = 0; i < w.n; i++)
        x[i] = elem_get(r->dtype, r->x, i), g[i] = elem_get(r->dtype, r->grad, i);
    struct work exact = w;
    exact.type = ACT_F64;
    exact.x = x, exact.grad = g, exact.out = want;
    exact.y = allocate(wide), exact.side = allocate(structured_side(w.n, w.row));
    struct work *const both[] = {&exact, &w};
    for (int k = 0; k < 2; k++) {
        use_isa(k ? c->isa : ACT_ISA_SCALAR);
        if (c->fn->ready)
            c->fn->ready(both[k]);
        if (c->fn->run(both[k]) != ACT_OK)
            die("%s: the library refuses the call", c->fn->name);
    }
    double largest = 0, off = 0;
    for (size_t i = 0; i < results; i++) {
        const double error = fabs(elem_get(r->dtype, w.out, i) - want[i]);
        off = error <= off ? off : error; /* NaN stays */
        largest = fmax(largest, fabs(want[i]));
    }
    c->max_ulp = ulps(r->dtype, largest + off, largest);
    c->failed = !(c->max_ulp <= STRUCTURED_ULP);
    free(x), free(g), free(want), free(exact.y), free(exact.side);
    return c->failed;
}

size_t run_check(struct run *r)
{
    if (r->dtype == ACT_F64)
        return 0;
    if (r->options->structured) {
        size_t wrong = 0;
        for (size_t k = 0; k < r->count; k++)
            if (r->cells[k].type == CELL_KERNEL)
                wrong += (size_t)check_structured(r, &r->cells[k]);
        return wrong;
    }
    enum { EDGES = 32 };
    static const float edges[EDGES] = {
        0,     -0.0f, 1,      -1,     INFINITY, -INFINITY, 88,     -88,   -104, 104,   -14,
        14,    3e38f, -3e38f, 1e-40f, -1e-40f,  1e-8f,     -1e-8f, -20,   20,   -5.5f, 5.5f,
        -9.5f, 9.5f,  -91,    -100,   -13,      -10.5f,    0.5f,   -0.5f, 2,    -2};
    const size_t n = SAMPLE, wide = n * sizeof(double);
    struct sample s = {n,
                       allocate(wide),
                       allocate(wide),
                       allocate(wide),
                       allocate(wide),
                       allocate(wide),
                       allocate(wide),
                       allocate(wide),
                       allocate(wide),
                       allocate(wide)};
    size_t failed = 0, most = 0;
    for (size_t i = 0; i < r->count; i++)
        most = r->cells[i].n > most ? r->cells[i].n : most;
    /* Values spread over the inputs that are timed, and the places where kernels go wrong. */
    for (size_t i = 0; i < n; i++) {
        elem_put(r->dtype, s.x, i,
                 i < EDGES ? (double)edges[i] : elem_get(r->dtype, r->x, i * 7919 % most));
        s.wide_g[i] = elem_get(r->dtype, r->grad, i * 7919 % most);
        elem_put(r->dtype, s.g, i, s.wide_g[i]);
        s.ones[i] = 1;
    }
    for (size_t k = 0; k < r->count; k++) {
        struct cell *c = &r->cells[k];
        if (c->type != CELL_KERNEL)
            continue;
        if (c->op == OP_FROM_OUTPUT) {
            use_isa(c->isa);
            call(r->dtype, OP_FORWARD, c->kind, NULL, s.x, NULL, s.y, n);
        }
        check_cell(c, r->dtype, &s, c->op == OP_FROM_OUTPUT ? s.y : s.x);
        failed += (size_t)c->failed;
    }
    free(s.x), free(s.g), free(s.y), free(s.got), free(s.wide_x), free(s.wide_g);
    free(s.want), free(s.slope), free(s.ones);
    return failed;
}
