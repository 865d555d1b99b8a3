/* One result wherever a row stands, with any number of threads, on any table with FMA; and what the
 * 16-bit types give is what f32 gives, rounded. */
#include "softmax/softmax.h"
#include "nearest.h"

/* All functions by number; index targets are x's. */
act_status run(int op, act_dtype type, unsigned flags, act_shape s, const act_logits *z,
               const void *x, const void *g, const int64_t *index, void *out, void *out2)
{
    act_targets q = {.struct_size = sizeof q, .index = index, .ignore = -1};
    switch (op) {
    case 0:
    case 1:
    case 2:
        return forward((enum function)op, type, flags, s, z, x, out);
    case 3:
        return act_softmax_backward(type, flags, s, z, x, g, out);
    case 4:
        return act_log_softmax_backward(type, flags, s, z, x, g, out);
    case 5:
        return act_cross_entropy(type, flags, s, &q, x, out2, out);
    case 6:
        q.smoothing = 0.2;
        return act_cross_entropy(type, flags, s, &q, x, out2, out);
    case 7:
        q.index = NULL;
        q.prob = g;
        return act_cross_entropy(type, flags, s, &q, x, out2, out);
    default:
        q.smoothing = 0.2;
        return act_cross_entropy(type, flags, s, &q, x, out2, NULL);
    }
}

void positions(act_dtype type)
{
    static const size_t axes[] = {1, 2, 5, 16, 17, 100, 128, 130, 1000},
                        inners[] = {2, 3, 16, 33, 64, 100, 272};
    for (size_t a = 0; a < 9; a++)
        for (size_t n = 0; n < 7; n++)
            for (int op = 0; op < OPS; op++) {
                const size_t axis = axes[a], inner = inners[n], total = axis * inner;
                const act_shape wide = {1, axis, inner}, row = {1, axis, 1},
                                rows = {inner, axis, 1};
                char *x = new_array(type, total), *g = new_array(type, total);
                char *y = new_array(type, total), *y2 = new_array(type, inner);
                char *x1 = new_array(type, axis + 1), *g1 = new_array(type, axis + 1);
                char *got = new_array(type, axis + 1), *got2 = new_array(type, 1);
                char *xt = new_array(type, total), *gt = new_array(type, total);
                char *yt = new_array(type, total), *yt2 = new_array(type, inner);
                int64_t index[272];
                const size_t size = size_of[type];
                snprintf(context, sizeof context, "%s [%zu][%zu] function %d", type_names[type],
                         axis, inner, op);
                fill(type, x, total, 5, op == 3 || op == 4 ? -10 : 0);
                fill(type, g, total, 1, 0);
                for (size_t i = 0; i < inner; i++)
                    index[i] = (int64_t)(random_u64() % axis);
                if (inner > 2) /* a neighbour that must not matter */
                    put(type, x, 1, NAN);
                run(op, type, 0, wide, NULL, x, g, index, y, y2);
                for (size_t i = 0; i < inner; i++) /* and beside each other */
                    for (size_t j = 0; j < axis; j++) {
                        memcpy(xt + (i * axis + j) * size, x + (j * inner + i) * size, size);
                        memcpy(gt + (i * axis + j) * size, g + (j * inner + i) * size, size);
                    }
                run(op, type, 0, rows, NULL, xt, gt, index, yt, yt2);
                for (size_t i = 0; i < inner; i++) {
                    /* alone, at an odd address */
                    char *xi = x1 + i % 4, *gi = g1 + i % 3;
                    for (size_t j = 0; j < axis; j++) {
                        memcpy(xi + j * size, x + (j * inner + i) * size, size);
                        memcpy(gi + j * size, g + (j * inner + i) * size, size);
                    }
                    run(op, type, 0, row, NULL, xi, gi, index + i, got, got2);
                    int same = 1;
                    const size_t count = op == 2 ? 1 : op == 8 ? 0 : axis;
                    int beside = 1;
                    for (size_t j = 0; j < count; j++) {
                        const char *own = got + j * size;
                        if (isnan(get(type, got, j)))
                            continue;
                        same &= memcmp(own, y + (j * inner + i) * size, size) == 0;
                        beside &= memcmp(own, yt + (i * count + j) * size, size) == 0;
                    }
                    if (op >= 5 && !isnan(get(type, got2, 0))) {
                        same &= memcmp(got2, y2 + i * size, size) == 0;
                        beside &= memcmp(got2, yt2 + i * size, size) == 0;
                    }
                    if (!same)
                        fail("column %zu has other bits alone", i);
                    if (!beside)
                        fail("row %zu has other bits alone", i);
                }
                free(x);
                free(g);
                free(y);
                free(y2);
                free(x1);
                free(g1);
                free(got);
                free(got2);
                free(xt);
                free(gt);
                free(yt);
                free(yt2);
            }
}

/* The same f32 bits on every table with FMA, whatever the machine: FNV-1a of all results. */
static const uint64_t fma_bits = 0x84da900a4f64c149;

void reproducible(void)
{
    enum { AXIS = 777, INNER = 5, TOTAL = AXIS * INNER };
    static float x[TOTAL], g[TOTAL], y[TOTAL], loss[TOTAL];
    int64_t index[AXIS];
    uint64_t bits = 0xcbf29ce484222325;
    snprintf(context, sizeof context, "reproducible");
    seed(99);
    for (size_t k = 0; k < TOTAL; k++) { /* without libm, which differs between machines */
        x[k] = (float)((double)(random_u64() % 4001) / 100 - 20);
        g[k] = (float)((double)(random_u64() % 4001) / 1000 - 2);
    }
    for (size_t i = 0; i < AXIS; i++)
        index[i] = (int64_t)(random_u64() % INNER);
    for (int op = 0; op < OPS; op++)
        for (int last = 0; last < 2; last++) {
            const act_shape s = last ? (act_shape){AXIS, INNER, 1} : (act_shape){1, AXIS, INNER};
            memset(y, 0, sizeof y);
            memset(loss, 0, sizeof loss);
            run(op, ACT_F32, 0, s, NULL, x, g, index, y, loss);
            for (size_t k = 0; k < 2 * TOTAL; k++) {
                uint32_t word;
                memcpy(&word, k < TOTAL ? y + k : loss + k - TOTAL, sizeof word);
                bits = (bits ^ word) * 0x100000001b3;
            }
        }
    if (bits != fma_bits)
        fail("the bits are %#llx", (unsigned long long)bits);
}

/* ---- threads --------------------------------------------------------------------------------- */

/* Enough elements to be cut; rows, tiles, and columns that no tile divides. */
void threads(act_dtype type)
{
    static const act_shape all[] = {{700, 130, 1}, {3, 100, 301}, {1, 70, 1200}, {40000, 1, 1}};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        const act_shape s = all[k];
        const size_t rows = s.outer * s.inner, total = rows * s.axis, size = size_of[type];
        void *x = new_array(type, total), *g = new_array(type, total);
        void *y[2] = {new_array(type, total), new_array(type, total)};
        void *y2[2] = {new_array(type, rows), new_array(type, rows)};
        int64_t *index = malloc(rows * sizeof *index);
        if (!index)
            exit(2);
        fill(type, x, total, 2, -5);
        fill(type, g, total, 1, 0);
        for (size_t i = 0; i < rows; i++)
            index[i] = (int64_t)(random_u64() % s.axis);
        for (int op = 0; op < OPS; op++) {
            snprintf(context, sizeof context, "%s threads, shape %zu, function %d",
                     type_names[type], k, op);
            for (int serial = 0; serial < 2; serial++)
                if (run(op, type, serial ? ACT_SERIAL : 0, s, NULL, x, g, index, y[serial],
                        y2[serial]) != ACT_OK)
                    fail("status");
            if (memcmp(y[0], y[1], total * size) != 0 || memcmp(y2[0], y2[1], rows * size) != 0)
                fail("threads change a result");
        }
        free(x), free(g), free(index);
        for (int serial = 0; serial < 2; serial++)
            free(y[serial]), free(y2[serial]);
    }
}

/* ---- 16-bit types ---------------------------------------------------------------------------- */

/* `narrow` holds a rounded to nearest even; `wide` holds a itself. */
static void compare(act_dtype type, const float *a, const void *narrow, const float *wide, size_t n)
{
    uint16_t want;
    for (size_t k = 0; k < n; k++) {
        put(type, &want, 0, (double)a[k]);
        const double got = get(type, narrow, k);
        const int same = isnan(a[k]) ? isnan(got) && isnan(wide[k])
                                     : memcmp(&want, (const uint16_t *)narrow + k, 2) == 0 &&
                                           memcmp(a + k, wide + k, sizeof *a) == 0;
        if (!same) {
            fail("at %zu: %.9g, %.9g, not %.9g rounded", k, got, (double)wide[k], (double)a[k]);
            return;
        }
    }
}

static void same_as_f32(int op, act_dtype type, act_shape s, const act_logits *z, double sigma,
                        int special)
{
    const size_t rows = s.outer * s.inner, total = rows * s.axis;
    void *x = new_array(type, total), *g = new_array(type, total);
    float *wide_x = new_array(ACT_F32, total), *wide_g = new_array(ACT_F32, total);
    void *y = new_array(type, total), *y2 = new_array(type, rows);
    float *mixed = new_array(ACT_F32, total), *mixed2 = new_array(ACT_F32, rows);
    float *want = new_array(ACT_F32, total), *want2 = new_array(ACT_F32, rows);
    int64_t *index = malloc(rows * sizeof *index);
    if (!index)
        exit(2);
    fill(type, x, total, sigma, op == 3 || op == 4 ? -10 : 0);
    fill(type, g, total, 1, 0);
    for (size_t k = 0; special && k < total; k++) {
        const uint64_t draw = random_u64() % 64, bits = random_u64(); /* all kinds of bits */
        if (draw < 8)
            ((uint16_t *)x)[k] = draw < 2   ? (uint16_t)bits
                                 : draw < 5 ? nearest16(type, -INFINITY)
                                            : (uint16_t)(1u << draw);
        if (draw == 9)
            ((uint16_t *)g)[k] = (uint16_t)bits;
    }
    for (size_t i = 0; i < rows; i++)
        index[i] = random_u64() % 9 ? (int64_t)(random_u64() % s.axis) : -1;
    for (size_t k = 0; k < total; k++) {
        wide_x[k] = (float)get(type, x, k);
        wide_g[k] = (float)get(type, g, k);
    }
    const act_dtype to_float = type == ACT_BF16 ? ACT_BF16_F32 : ACT_F16_F32;
    if (run(op, ACT_F32, 0, s, z, wide_x, wide_g, index, want, want2) != ACT_OK ||
        run(op, type, 0, s, z, x, g, index, y, y2) != ACT_OK ||
        run(op, to_float, 0, s, z, x, g, index, mixed, mixed2) != ACT_OK)
        fail("status");
    if (op != 8)
        compare(type, want, y, mixed, op == 2 ? rows : total);
    if (op >= 5)
        compare(type, want2, y2, mixed2, rows);
    if (op != 2 && op != 8) { /* in place, of either input */
        void *const copy = op == 7 || op == 3 ? g : x;
        if (op != 7) {
            run(op, type, 0, s, z, x, g, index, copy, y2);
            if (memcmp(copy, y, total * size_of[type]) != 0)
                fail("in place differs");
        }
    }
    free(x), free(g), free(wide_x), free(wide_g), free(y), free(y2);
    free(mixed), free(mixed2), free(want), free(want2), free(index);
}

void sixteen_bits(act_dtype type, int full)
{
    static const size_t axes[] = {1, 2, 7, 15, 16, 17, 33, 127, 128, 300, 5000};
    static const size_t inners[] = {1, 2, 5, 16, 31, 64, 65, 130};
    for (size_t a = 0; a < sizeof axes / sizeof *axes; a++) {
        /* Each axis of many elements with a third of the inner sizes, a different one each time. */
        const int all = full || axes[a] <= 100;
        for (size_t n = all ? 0 : a % 3; n < sizeof inners / sizeof *inners; n += all ? 1 : 3)
            for (int op = 0; op < OPS; op++)
                for (int special = 0; special < 2; special++) {
                    const act_shape s = {3, axes[a], axes[a] > 300 ? inners[n] % 3 : inners[n]};
                    const double sigma = (a + n) % 3 == 0 ? 1 : (a + n) % 3 == 1 ? 6 : 60;
                    snprintf(context, sizeof context, "%s as f32 [3][%zu][%zu] function %d%s",
                             type_names[type], s.axis, s.inner, op, special ? " special" : "");
                    same_as_f32(op, type, s, NULL, sigma, special);
                    if (op >= 5)
                        continue;
                    const size_t plane = s.axis * s.inner;
                    float *add = malloc(2 * plane * sizeof *add);
                    uint8_t *keep = malloc(2 * plane);
                    if (!add || !keep)
                        exit(2);
                    for (size_t k = 0; k < 2 * plane; k++) {
                        add[k] = random_u64() % 3 ? (float)normal() : -INFINITY;
                        keep[k] = (uint8_t)(random_u64() % 4);
                    }
                    const act_logits z = {.struct_size = sizeof z,
                                          .scale = 0.7,
                                          .add = (a + n) % 2 ? add : NULL,
                                          .keep = (a + n) % 3 ? keep : NULL,
                                          .mask_outer = 2,
                                          .causal_rows = special ? 3 : 0,
                                          .causal_offset = 5,
                                          .empty = (int)(a % 3)};
                    same_as_f32(op, type, s, &z, sigma, special);
                    free(add), free(keep);
                }
    }
}
