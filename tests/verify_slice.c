/* One slice of a pass: the inputs, the oracle's results, the kernels' results. */
#include "tests/verify.h"

#include <math.h>
#include <string.h>

/* Kinks and their neighbours: GRID_EXTRA floats. */
static void grid_extra(const struct pass *pass, float *x)
{
    uint64_t seed = 1;
    fill_inputs(pass->kind, x, CHUNK, &seed);
    /* Kinks that parameters move are at one of them or at an edge of its own. */
    double centre[2 * 4 + 15 + 1];
    int centres = 0;
    const double *fields = &pass->params.alpha;
    for (int f = 0; f < 4; f++)
        if (fields[f] != 0 && isfinite((float)fields[f])) {
            centre[centres++] = fields[f];
            centre[centres++] = -fields[f];
        }
    for (int e = 0; e < 15; e++)
        if (act_tests[pass->kind]->edge[e] != 0)
            centre[centres++] = act_tests[pass->kind]->edge[e];
    centre[centres++] = 1; /* as good as any, if there is no other */
    for (int k = CHUNK; k < GRID_EXTRA; k++) {
        const int c = (k - CHUNK) % centres, step = (k - CHUNK) / centres;
        const uint32_t bits = bits_of_float((float)centre[c]);
        x[k] = float_of_bits(bits + (uint32_t)(step - CHUNK / centres / 2));
    }
}

void oracle(const struct chunk *c, enum op op, const double *g, double *out)
{
    where = (struct where){plan.oracle, c->pass->kind, op, ACT_F64, (size_t)c->n, 0, c->params};
    use_isa(plan.oracle);
    call(ACT_F64, op, c->pass->kind, &c->params, c->wide_x, g, out, (size_t)c->n);
}

void wide_inputs(struct chunk *c)
{
    chunk_widen(c);
    if (c->pass->op != OP_FROM_OUTPUT)
        return;
    /* The outputs there are: f(x) rounded, whichever kernel's own may be a neighbour. */
    oracle(c, OP_FORWARD, NULL, c->want);
    chunk_nearest(c);
    memcpy(c->x, c->nearest, sizeof c->x);
    chunk_widen(c);
}

static int missing(const struct pass *pass, int slice, int isa_index, int mixed)
{
    const struct record *r = record_of(pass, slice, isa_index, mixed);
    return r->wanted && !r->done;
}

static int any_missing(const struct pass *pass, int slice, int mixed)
{
    for (int i = 0; i < plan.isa_count; i++)
        if (missing(pass, slice, i, mixed))
            return 1;
    return 0;
}

/* The kernels on the inputs and g of c, whose oracle is known. */
static void run_kernels(struct chunk *c, int slice, int mixed, struct budget *budget)
{
    const struct pass *pass = c->pass;
    chunk_nearest(c);
    for (int i = 0; i < plan.isa_count; i++) {
        if (!missing(pass, slice, i, mixed))
            continue;
        const act_isa isa = plan.isas[i];
        where = (struct where){isa, pass->kind, pass->op, ACT_F32, (size_t)c->n, 0, pass->params};
        use_isa(isa);
        call(ACT_F32, pass->op, pass->kind, &pass->params, c->x, c->g, c->got, (size_t)c->n);
        const double bound =
            act_kind_bound(pass->kind, ACT_F32, isa, ACT_MODE_FAST, pass->op != OP_FORWARD);
        chunk_judge(c, record_of(pass, slice, i, mixed), bound, budget);
    }
}

static void run_chunk(struct chunk *c, int slice, int need_one, int need_mixed,
                      struct budget *budget)
{
    wide_inputs(c);
    if (c->pass->op == OP_FORWARD) {
        memset(c->g, 0, sizeof c->g);
        oracle(c, OP_FORWARD, NULL, c->want);
        run_kernels(c, slice, 0, budget);
        return;
    }
    chunk_grads(c, 0);
    oracle(c, c->pass->op, c->wide_g, c->slope);
    if (need_one) {
        memcpy(c->want, c->slope, sizeof c->want);
        run_kernels(c, slice, 0, budget);
    }
    if (need_mixed) {
        chunk_grads(c, 1);
        oracle(c, c->pass->op, c->wide_g, c->want);
        run_kernels(c, slice, 1, budget);
    }
}

void run_slice(const struct pass *pass, int slice)
{
    static struct chunk c;
    static float extra[GRID_EXTRA];
    c.pass = pass;
    c.params = rounded_params(&pass->params);
    c.zero = pass->op == OP_BACKWARD ? zero_of(pass->kind, &pass->params) : 0;
    if (pass->group == AUDIT) {
        audit_slice(&c, slice);
        return;
    }
    struct budget budget = {MAX_SUSPECTS, MAX_TERMS};
    const int one = any_missing(pass, slice, 0), mixed = any_missing(pass, slice, 1);
    if (is_grid(pass->group)) {
        grid_extra(pass, extra);
        for (int k = 0; k < GRID_EXTRA; k += CHUNK) {
            c.n = CHUNK;
            memcpy(c.x, extra + k, sizeof c.x);
            run_chunk(&c, slice, one, mixed, &budget);
        }
    }
    const uint64_t all = ((uint64_t)1 << 32) / pass->step;
    const uint64_t first = all * (uint64_t)slice / (uint64_t)pass->slices;
    const uint64_t end = all * (uint64_t)(slice + 1) / (uint64_t)pass->slices;
    for (uint64_t at = first; at < end; at += (uint64_t)c.n) {
        c.n = end - at < CHUNK ? (int)(end - at) : CHUNK;
        chunk_inputs(&c, at);
        run_chunk(&c, slice, one, mixed, &budget);
    }
}
