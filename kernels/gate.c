/* Gated units, y = f(min(gate, limit)) (clamp(up, +-limit) + up_bias): the loops around f and f' of
 * a kind. A product has two roundings (three with up_bias) besides the error of f. */
#include "dispatch/parts.h"
#include "kernels/kernel.h"

struct clamp {
    vec limit, up_bias;
    int biased;
};

ACT_OP struct clamp clamp_of(const struct act_gate_clamp *c)
{
    return (struct clamp){v_set((elem)c->limit), v_set((elem)c->up_bias), c->up_bias != 0};
}

/* NaN stays NaN: v_min and v_max return their second operand then. */
ACT_OP vec clamped_up(vec up, struct clamp c)
{
    const vec u = v_min(c.limit, v_max(v_neg(c.limit), up));
    return c.biased ? v_add(u, c.up_bias) : u;
}

/* Vectors where step is 1, then single elements: those of a vector's first lane. */
#define LOOP(n, step, vectors, single)                                                             \
    do {                                                                                           \
        size_t i = 0;                                                                              \
        if ((step) == 1)                                                                           \
            for (; i + VL <= (n); i += VL)                                                         \
                vectors;                                                                           \
        for (; i < (n); i++)                                                                       \
            single;                                                                                \
    } while (0)

static void ACT_PART_SYMBOL(gate_take)(const struct act_gate_clamp *clamps, const void *gate,
                                       size_t step, void *dst, size_t n)
{
    const struct clamp c = clamp_of(clamps);
    const elem *g = gate;
    elem *d = dst;
    LOOP(n, step, v_store(d + i, v_min(c.limit, v_load(g + i))),
         v_store_n(d + i, v_min(c.limit, v_load_n(g + i * step, 1)), 1));
}

static void ACT_PART_SYMBOL(gate_multiply)(const struct act_gate_clamp *clamps, const void *f,
                                           const void *up, size_t step, void *out, size_t n)
{
    const struct clamp c = clamp_of(clamps);
    const elem *v = f, *u = up;
    elem *y = out;
    LOOP(n, step, v_store(y + i, v_mul(v_load(v + i), clamped_up(v_load(u + i), c))),
         v_store_n(y + i, v_mul(v_load_n(v + i, 1), clamped_up(v_load_n(u + i * step, 1), c)), 1));
}

/* Where up is NaN so is the gradient. */
ACT_OP vec up_slope(vec gradient, vec f, vec up, struct clamp c)
{
    const vec d = v_drop(v_lt(c.limit, v_abs(up)), v_mul(gradient, f));
    return v_select(v_eq(up, up), d, up);
}

static void ACT_PART_SYMBOL(gate_up_gradient)(const struct act_gate_clamp *clamps,
                                              const void *gradient, const void *f, const void *up,
                                              void *dup, size_t step, size_t n)
{
    const struct clamp c = clamp_of(clamps);
    const elem *g = gradient, *v = f, *u = up;
    elem *d = dup;
    LOOP(n, step, v_store(d + i, up_slope(v_load(g + i), v_load(v + i), v_load(u + i), c)),
         v_store_n(d + i * step,
                   up_slope(v_load_n(g + i, 1), v_load_n(v + i, 1), v_load_n(u + i * step, 1), c),
                   1));
}

static void ACT_PART_SYMBOL(gate_gate_gradient)(const struct act_gate_clamp *clamps,
                                                const void *slope, const void *gate, size_t step,
                                                void *dgate, size_t dgate_step, size_t n)
{
    const struct clamp c = clamp_of(clamps);
    const elem *s = slope, *g = gate;
    elem *d = dgate;
    LOOP(n, step > dgate_step ? step : dgate_step,
         v_store(d + i, v_drop(v_lt(c.limit, v_load(g + i)), v_load(s + i))),
         v_store_n(d + i * dgate_step,
                   v_drop(v_lt(c.limit, v_load_n(g + i * step, 1)), v_load_n(s + i, 1)), 1));
}

ACT_PART_ROW(gate) = {ACT_PART_SYMBOL(gate_take), ACT_PART_SYMBOL(gate_multiply),
                      ACT_PART_SYMBOL(gate_up_gradient), ACT_PART_SYMBOL(gate_gate_gradient)};
