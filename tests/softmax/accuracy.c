/* Every function against the reference: shapes, special rows, masks, targets. */
#include "softmax/softmax.h"

/* ---- one call against the reference ---------------------------------------------------------- */

static double unit_of(act_dtype type, enum measure m, real want, const struct row *r)
{
    const double unit = ulp_of(wide_of(type), want);
    const double u = type == ACT_F64 ? 0x1p-53 : 0x1p-24;
    if (m != ERR_LOGSUMEXP || !isfinite((double)want))
        return unit;
    return fmax(unit, u * (fabs((double)r->max) + log((double)r->n)) / 2); /* bound 2: u (...) */
}

/* step: every step-th row only. */
static void check_forward(act_dtype type, act_shape s, const act_logits *z, const void *x,
                          size_t step)
{
    const size_t total = s.outer * s.axis * s.inner;
    void *y = new_array(type, total), *copy = new_array(type, total);
    struct row r = new_row(s.axis);
    for (enum function f = 0; f < FUNCTIONS; f++) {
        if (forward(f, type, 0, s, z, x, y) != ACT_OK)
            fail("%s: status", names[f]);
        for (size_t row = 0; row < s.outer * s.inner; row += step) {
            const size_t o = row / s.inner, i = row % s.inner;
            row_reference(type, s, z, x, o, i, &r);
            if (f == LOGSUMEXP) {
                const real want = want_of(type, f, z, &r, 0);
                judge(type, ERR_LOGSUMEXP, get(type, y, row), want,
                      unit_of(type, ERR_LOGSUMEXP, want, &r), names[f], row);
                continue;
            }
            for (size_t j = 0; j < s.axis; j++) {
                const double got = get(type, y, index_of(s, o, j, i));
                const real want = want_of(type, f, z, &r, j);
                judge(type, f == SOFTMAX ? ULP_SOFTMAX : ULP_LOG_SOFTMAX, got, want,
                      unit_of(type, (enum measure)f, want, &r), names[f], index_of(s, o, j, i));
                if (f == SOFTMAX && signbit(got) && !isnan(got))
                    fail("a negative probability");
            }
        }
        if (f == LOGSUMEXP)
            continue;
        memcpy(copy, x, total * size_of[type]); /* in place */
        if (forward(f, type, 0, s, z, copy, copy) != ACT_OK)
            fail("%s in place: status", names[f]);
        for (size_t k = 0; k < total; k++) {
            const double a = get(type, y, k), b = get(type, copy, k);
            if (a != b && !(isnan(a) && isnan(b))) {
                fail("%s in place differs at %zu", names[f], k);
                break;
            }
        }
    }
    free_row(&r);
    free(y);
    free(copy);
}

static void check_backward(act_dtype type, act_shape s, const act_logits *z, const void *x,
                           size_t step)
{
    const size_t total = s.outer * s.axis * s.inner;
    void *y = new_array(type, total), *g = new_array(type, total), *d = new_array(type, total);
    struct row r = new_row(s.axis);
    const double u = type == ACT_F64 ? 0x1p-53 : 0x1p-24;
    const double scale = z && z->scale != 0 ? rounded(type, z->scale) : 1;
    for (enum function f = SOFTMAX; f <= LOG_SOFTMAX; f++) {
        forward(f, type, 0, s, z, x, y);
        for (size_t k = 0; k < total; k++)
            put(type, g, k, normal() * exp2(fmin(floor(4 * normal()), 12))); /* finite in f16 */
        for (size_t row = 0; row < s.outer * s.inner; row++) { /* no gradient through a mask */
            row_reference(type, s, z, x, row / s.inner, row % s.inner, &r);
            for (size_t j = 0; j < s.axis; j++)
                if (r.masked[j] && row % 2)
                    put(type, g, index_of(s, row / s.inner, j, row % s.inner), NAN);
        }
        const act_status status = f == SOFTMAX ? act_softmax_backward(type, 0, s, z, y, g, d)
                                               : act_log_softmax_backward(type, 0, s, z, y, g, d);
        if (status != ACT_OK)
            fail("%s backward: status", names[f]);
        for (size_t row = 0; row < s.outer * s.inner; row += step) {
            const size_t o = row / s.inner, i = row % s.inner;
            row_reference(type, s, z, x, o, i, &r);
            real sum = 0, terms = 0;
            for (size_t j = 0; j < s.axis; j++) {
                if (r.masked[j])
                    continue;
                const real gj = get(type, g, index_of(s, o, j, i));
                const real yj = get(type, y, index_of(s, o, j, i));
                sum += f == SOFTMAX ? gj * yj : gj;
                terms += fabsl(f == SOFTMAX ? gj * yj : gj);
            }
            for (size_t j = 0; j < s.axis; j++) {
                const size_t k = index_of(s, o, j, i);
                const real gj = get(type, g, k), yj = get(type, y, k);
                const double got = get(type, d, k);
                if (r.masked[j]) {
                    if (got != 0 || signbit(got))
                        fail("%s backward: a masked element has a gradient", names[f]);
                    continue;
                }
                const real p = f == SOFTMAX ? yj : exp_of(type, yj);
                const real want = f == SOFTMAX ? scale * yj * (gj - sum) : scale * (gj - p * sum);
                const real size = f == SOFTMAX ? yj * (fabsl(gj) + terms) : fabsl(gj) + p * terms;
                const double unit =
                    fmax(u * fabs(scale) * (double)size,
                         fmax(1, fabs(scale)) * (type == ACT_F64 ? 0x1p-1074 : 0x1p-149));
                judge(type, f == SOFTMAX ? ERR_BACKWARD : ERR_LOG_BACKWARD, got, want, unit,
                      f == SOFTMAX ? "softmax backward" : "log_softmax backward", k);
            }
        }
    }
    free_row(&r);
    free(y);
    free(g);
    free(d);
}

/* ---- cross-entropy --------------------------------------------------------------------------- */

/* t[j] of a row. */
static real target_of(act_dtype type, const act_targets *q, act_shape s, size_t o, size_t j,
                      size_t i)
{
    const size_t row = o * s.inner + i;
    real p = q->prob ? (real)get(type, q->prob, index_of(s, o, j, i))
                     : (real)(q->index[row] == (int64_t)j);
    p = (1 - (real)q->smoothing) * p + (real)q->smoothing / (real)s.axis;
    return q->class_weight ? p * (real)q->class_weight[j] : p;
}

static void check_cross_entropy(act_dtype type, act_shape s, const act_targets *q, const void *x,
                                size_t step)
{
    const size_t rows = s.outer * s.inner, total = rows * s.axis;
    void *loss = new_array(type, rows), *d = new_array(type, total);
    void *loss2 = new_array(type, rows), *d2 = new_array(type, total);
    struct row r = new_row(s.axis);
    const double u = type == ACT_F64 ? 0x1p-53 : 0x1p-24;
    const double scale = q->grad_scale == 0 ? 1 : rounded(type, q->grad_scale);
    memcpy(d2, x, total * size_of[type]);
    if (act_cross_entropy(type, 0, s, q, x, loss, d) != ACT_OK ||
        act_cross_entropy(type, 0, s, q, x, loss2, NULL) != ACT_OK ||
        act_cross_entropy(type, 0, s, q, d2, NULL, d2) != ACT_OK)
        fail("cross-entropy: status");
    for (size_t k = 0; k < total; k++)
        if (get(type, d, k) != get(type, d2, k) && !isnan(get(type, d, k))) {
            fail("cross-entropy gradient in place differs at %zu", k);
            break;
        }
    for (size_t k = 0; k < rows; k++)
        if (get(type, loss, k) != get(type, loss2, k) && !isnan(get(type, loss, k))) {
            fail("loss without gradient differs at %zu", k);
            break;
        }
    for (size_t row = 0; row < rows; row += step) {
        const size_t o = row / s.inner, i = row % s.inner;
        if (q->index && q->index[row] == q->ignore) {
            if (get(type, loss, row) != 0)
                fail("an ignored row has a loss");
            for (size_t j = 0; j < s.axis; j++)
                if (get(type, d, index_of(s, o, j, i)) != 0)
                    fail("an ignored row has a gradient");
            continue;
        }
        row_reference(type, s, NULL, x, o, i, &r);
        real t_sum = 0, want = 0;
        for (size_t j = 0; j < s.axis; j++)
            t_sum += target_of(type, q, s, o, j, i);
        for (size_t j = 0; j < s.axis; j++) {
            const real t = target_of(type, q, s, o, j, i);
            if (t != 0)
                want += t * ((r.max - r.z[j]) + log1pl(r.rest));
        }
        if (r.bad || r.empty)
            want = NAN;
        const double got = get(type, loss, row);
        double unit = ulp_of(wide_of(type), want);
        if (isfinite((double)want))
            unit =
                fmax(unit, u * (fabs((double)r.max) + log((double)r.n)) * fabs((double)t_sum) / 2);
        judge(type, ERR_LOSS, got, want, unit, "loss", row);
        for (size_t j = 0; j < s.axis; j++) {
            const size_t k = index_of(s, o, j, i);
            const real t = target_of(type, q, s, o, j, i);
            const real p = exp_of(type, r.z[j] - r.max) / r.sum;
            real slope = scale * (p * t_sum - t);
            if (r.bad || r.empty)
                slope = NAN;
            const real terms = fabsl(scale * p * t_sum) + fabsl(scale * t);
            judge(type, ERR_GRADIENT, get(type, d, k), slope,
                  fmax(u * (double)terms, type == ACT_F64 ? 0x1p-1074 : 0x1p-149),
                  "cross-entropy gradient", k);
        }
        /* An index alone: the gradient at the target does not cancel. */
        if (q->index && q->smoothing == 0 && !r.bad && !r.empty) {
            const size_t j = (size_t)q->index[row], k = index_of(s, o, j, i);
            const real p = exp_of(type, r.z[j] - r.max) / r.sum;
            const real others = r.z[j] == r.max ? r.rest / r.sum : 1 - p;
            const real slope = -scale * t_sum * others;
            const double got_slope = get(type, d, k), ulp = ulp_of(wide_of(type), slope);
            const double more = type == ACT_BF16 || type == ACT_F16 ? ulp_of(type, slope) / 2 : 0;
            if (!(fabsl((real)got_slope - slope) <= 4 * ulp + more))
                fail("gradient at the target: %.9g, not %.9g", got_slope, (double)slope);
        }
    }
    free_row(&r);
    free(loss);
    free(d);
    free(loss2);
    free(d2);
}

static void check_targets(act_dtype type, act_shape s, const void *x, size_t step)
{
    const size_t rows = s.outer * s.inner, total = rows * s.axis;
    int64_t *index = malloc(rows * sizeof *index + 1);
    float *weight = malloc(s.axis * sizeof *weight + 1);
    void *prob = new_array(type, total);
    if (!index || !weight)
        exit(2);
    for (size_t k = 0; k < rows; k++)
        index[k] = random_u64() % 8 == 0 ? -100 : (int64_t)(random_u64() % s.axis);
    /* now and then the maximum, which a trained model predicts */
    for (size_t k = 0; k < rows; k += 2) {
        size_t best = 0;
        for (size_t j = 0; j < s.axis; j++)
            if (get(type, x, index_of(s, k / s.inner, j, k % s.inner)) >
                get(type, x, index_of(s, k / s.inner, best, k % s.inner)))
                best = j;
        index[k] = (int64_t)best;
    }
    for (size_t j = 0; j < s.axis; j++)
        weight[j] = (float)(random_u64() % 16) / 8;
    for (size_t k = 0; k < total; k++)
        put(type, prob, k, random_u64() % 4 ? uniform() / (double)s.axis : 0);
    for (int variant = 0; variant < 6; variant++) {
        act_targets q = {.struct_size = sizeof q, .ignore = -100};
        if (variant < 4)
            q.index = index;
        else
            q.prob = prob;
        q.smoothing = variant == 2 || variant == 3 ? 0.1 : variant == 5 ? 0.25 : 0;
        q.class_weight = variant % 2 ? weight : NULL;
        q.grad_scale = variant == 1 ? 1.0 / 1024 : variant == 5 ? -3 : 0;
        check_cross_entropy(type, s, &q, x, step);
    }
    free(index);
    free(weight);
    free(prob);
}

/* ---- what is checked ------------------------------------------------------------------------- */

void shapes(act_dtype type, int full)
{
    static const size_t axes[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 127, 128, 129, 257, 1000, 4097};
    static const size_t inners[] = {1, 3, 7, 16, 65, 100};
    static const double sigmas[] = {1, 4, 20, 100}, offsets[] = {0, 150, -1000};
    const size_t most = type == ACT_F64 ? 1000 : 4097;
    for (size_t a = 0; a < sizeof axes / sizeof *axes && axes[a] <= most; a++)
        for (size_t n = 0; n < sizeof inners / sizeof *inners; n++) {
            if (type >= ACT_BF16 && !full && (a + n) % 2)
                continue; /* sixteen_bits has them all, as f32 rounded */
            for (size_t k = 0; k < 12; k += type >= ACT_BF16 ? 12 : full ? 2 : 5) {
                const double sigma = sigmas[(k + a + n) % 4], offset = offsets[(k / 4 + n) % 3];
                const act_shape s = {inners[n] == 1 ? 5 : 2, axes[a], inners[n]};
                const size_t total = s.outer * s.axis * s.inner;
                const size_t step = total > 20000 ? 7 : 1;
                snprintf(context, sizeof context, "%s [%zu][%zu][%zu] sigma %g offset %g",
                         type_names[type], s.outer, s.axis, s.inner, sigma, offset);
                void *x = new_array(type, total);
                fill(type, x, total, sigma, offset);
                check_forward(type, s, NULL, x, step);
                if (k % 3 == 0) {
                    check_backward(type, s, NULL, x, step);
                    check_targets(type, s, x, step * 3);
                }
                free(x);
            }
        }
}

/* Long rows; all equal, one far above the rest, many small beside one. */
void long_rows(act_dtype type, size_t n)
{
    const act_shape s = {1, n, 1};
    void *x = new_array(type, n);
    for (int what = 0; what < 5; what++) {
        snprintf(context, sizeof context, "%s %zu elements, case %d", type_names[type], n, what);
        fill(type, x, n, what == 1 ? 20 : 1, 0);
        if (what >= 2)
            for (size_t k = 0; k < n; k++)
                put(type, x, k, what == 2 ? 0.7 : what == 3 ? -31.3 : -20.1);
        if (what >= 3)
            put(type, x, n / 3, 0.2);
        check_forward(type, s, NULL, x, 1);
        check_backward(type, s, NULL, x, 1);
        if (type == ACT_F64 ? what < 4 : what == 3)
            check_targets(type, s, x, 1);
    }
    free(x);
}

void special_rows(act_dtype type)
{
    static const size_t inners[] = {1, 3, 40};
    enum { N = 21 };
    for (size_t n = 0; n < 3; n++)
        for (int what = 0; what < 10; what++)
            for (int empty = 0; empty < 3; empty++) {
                const act_shape s = {3, N, inners[n]};
                const size_t total = 3 * N * inners[n];
                const act_logits z = {.struct_size = sizeof z, .empty = empty};
                void *x = new_array(type, total);
                fill(type, x, total, 2, 0);
                snprintf(context, sizeof context, "%s special row %d, inner %zu, empty %d",
                         type_names[type], what, inners[n], empty);
                const size_t i = random_u64() % inners[n], at = random_u64() % N;
                for (size_t j = 0; j < N; j++) {
                    const size_t k = index_of(s, 1, j, i);
                    const double other = get(type, x, k);
                    const double values[10][2] = {
                        {-INFINITY, -INFINITY}, {INFINITY, other}, {NAN, other},  {NAN, -INFINITY},
                        {INFINITY, -INFINITY},  {0, -INFINITY},    {3e38, other}, {-3e38, -3e38},
                        {INFINITY, INFINITY},   {-0.0, -3e38}};
                    put(type, x, k, values[what][j != at]);
                }
                check_forward(type, s, &z, x, 1);
                if (empty == 0)
                    check_targets(type, s, x, 1);
                free(x);
            }
}

void masks(act_dtype type, int full)
{
    static const size_t axes[] = {1, 5, 16, 33, 200}, inners[] = {1, 3, 20, 70};
    for (size_t a = 0; a < 5; a++)
        for (size_t n = 0; n < 4; n++)
            /* Odd steps and not 3: every switch is seen on and off, and every `empty`. */
            for (int what = 0; what < 64; what += type >= ACT_BF16     ? 11
                                                  : a + n <= 4 || full ? 1
                                                                       : 7) {
                const act_shape s = {4, axes[a], inners[n]};
                const size_t plane = s.axis * s.inner, outers = what & 8 ? 2 : what & 16 ? 3 : 1;
                float *add = malloc(outers * plane * sizeof *add);
                uint8_t *keep = malloc(outers * plane);
                void *x = new_array(type, 4 * plane);
                if (!add || !keep)
                    exit(2);
                fill(type, x, 4 * plane, 3, 0);
                for (size_t k = 0; k < outers * plane; k++) {
                    add[k] = random_u64() % 3 ? (float)normal() : random_u64() % 2 ? -INFINITY : 0;
                    keep[k] = random_u64() % 3 ? (uint8_t)(1u << random_u64() % 8) : 0;
                }
                act_logits z = {.struct_size = sizeof z, .empty = what % 3};
                z.scale = what & 1 ? 0.3 : 0;
                z.add = what & 2 ? add : NULL;
                z.keep = what & 4 ? keep : NULL;
                z.mask_outer = outers == 1 && what & 1 ? 0 : outers;
                if (what & 32) {
                    z.causal_rows = 1 + (size_t)(what & 3);
                    z.causal_offset = (int64_t)(what % 7) - 3;
                }
                if (z.keep) /* what is masked may be anything */
                    for (size_t k = 0; k < plane; k++) {
                        size_t masked = 0;
                        for (size_t o = 0; o < 4; o++)
                            masked += !keep[o % outers * plane + k];
                        if (masked == 4)
                            for (size_t o = 0; o < 4; o++)
                                put(type, x, o * plane + k, k % 2 ? NAN : INFINITY);
                    }
                snprintf(context, sizeof context, "%s [4][%zu][%zu] masks %d", type_names[type],
                         s.axis, s.inner, what);
                check_forward(type, s, &z, x, 1);
                check_backward(type, s, &z, x, 1);
                free(add);
                free(keep);
                free(x);
            }
    /* limits that no arithmetic should overflow */
    enum { N = 9 };
    double x[3 * N];
    static const int64_t offsets[] = {INT64_MIN, INT64_MAX, INT64_MIN + 1, -2, N, 0};
    for (size_t k = 0; k < 6; k++) {
        const act_logits z = {
            .struct_size = sizeof z, .causal_rows = SIZE_MAX, .causal_offset = offsets[k]};
        float y[3 * N];
        fill(ACT_F32, x, 3 * N, 1, 0);
        snprintf(context, sizeof context, "causal offset %lld", (long long)offsets[k]);
        if (act_softmax_forward(ACT_F32, 0, (act_shape){3, N, 1}, &z, x, y) != ACT_OK)
            fail("status");
        for (size_t o = 0; o < 3; o++)
            for (size_t j = 0; j < N; j++) {
                const int sees = offsets[k] > 100 ||
                                 (offsets[k] > -100 && (int64_t)j <= (int64_t)o + offsets[k]);
                if ((y[o * N + j] > 0) != sees)
                    fail("row %zu, element %zu", o, j);
            }
    }
}
