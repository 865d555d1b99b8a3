/* Dynamic ReLU: the largest of a[k] x + b[k] and which it is, piece after piece. NaN wins, then the
 * first. */
#include "dispatch/parts.h"
#include "kernels/lanes.h"

/* A piece of slope 0 is its b, also at an infinite x; NaN stays NaN. */
ACT_OP vec piece_at(vec x, vec a, vec b)
{
    const vmask constant = v_both(v_eq(a, v_set(0)), v_eq(x, x));
    return v_round(v_select(constant, b, v_fma(a, x, b)));
}

/* `each`: a and b have an element for each x, else one for all. */
ACT_OP void piece(const elem *x, const elem *a, const elem *b, int each, size_t n, size_t k,
                  elem *best, elem *which, elem *slope)
{
    const vec a0 = v_set(elem_at(a)), b0 = v_set(elem_at(b)), index = v_set((elem)k);
    for (size_t i = 0; i < n; i += VL) {
        const size_t lanes = part_of(n - i);
        const vec ak = each ? v_load_part(a + i, lanes) : a0;
        const vec bk = each ? v_load_part(b + i, lanes) : b0;
        const vec y = piece_at(v_load_part(x + i, lanes), ak, bk);
        const vec old = v_load(best + i);
        if (k == 0) {
            v_store(best + i, y);
            if (which) {
                v_store(which + i, index);
                v_store(slope + i, ak);
            }
            continue;
        }
        /* y wins: it is not <= old, and old is no NaN. */
        const vmask stays = v_le(y, old), number = v_eq(old, old);
        v_store(best + i, v_select(number, v_select(stays, old, y), old));
        if (which) {
            const vec w = v_load(which + i), s = v_load(slope + i);
            v_store(which + i, v_select(number, v_select(stays, w, index), w));
            v_store(slope + i, v_select(number, v_select(stays, s, ak), s));
        }
    }
}

static void ACT_PART_SYMBOL(dyrelu_piece)(const void *x, const void *a, const void *b, int each,
                                          size_t n, size_t k, void *best, void *which, void *slope)
{
    if (each)
        piece(x, a, b, 1, n, k, best, which, slope);
    else
        piece(x, a, b, 0, n, k, best, which, slope);
}

/* to[c][i] = from[c] */
static void ACT_PART_SYMBOL(dyrelu_spread)(const void *from, size_t channels, size_t inner,
                                           void *to)
{
    const elem *p = from;
    elem *q = to;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < inner; i++)
            *q++ = elem_at(p + c);
}

/* Of two pieces, elementwise in one go: the usual case. */
ACT_OP vec larger(vec x, vec a0, vec b0, vec a1, vec b1)
{
    const vec y0 = piece_at(x, a0, b0), y1 = piece_at(x, a1, b1);
    return v_select(v_eq(y0, y0), v_select(v_le(y1, y0), y0, y1), y0);
}

static void ACT_PART_SYMBOL(dyrelu_two)(const void *in, const void *a, const void *b, size_t step,
                                        int each, size_t n, void *out)
{
    const elem *x = in, *pa = a, *pb = b;
    elem *y = out;
    if (!each) {
        const vec a0 = v_set(elem_at(pa)), a1 = v_set(elem_at(pa + step));
        const vec b0 = v_set(elem_at(pb)), b1 = v_set(elem_at(pb + step));
        size_t i = 0;
        for (; i + VL <= n; i += VL)
            v_store(y + i, larger(v_load(x + i), a0, b0, a1, b1));
        if (i < n)
            v_store_n(y + i, larger(v_load_n(x + i, n - i), a0, b0, a1, b1), n - i);
        return;
    }
    for (size_t i = 0; i < n; i += VL) {
        const size_t lanes = part_of(n - i);
        v_store_part(y + i,
                     larger(v_load_part(x + i, lanes), v_load_part(pa + i, lanes),
                            v_load_part(pb + i, lanes), v_load_part(pa + step + i, lanes),
                            v_load_part(pb + step + i, lanes)),
                     lanes);
    }
}

/* Of one plane. Both pieces' sums stay in registers. */
static void ACT_PART_SYMBOL(dyrelu_two_gradients)(const void *in, const void *gradient,
                                                  const void *a, const void *b, size_t step,
                                                  size_t n, void *out, double *sums)
{
    const elem *x = in, *g = gradient, *pa = a, *pb = b;
    elem *d = out;
    const vec a0 = v_set(elem_at(pa)), a1 = v_set(elem_at(pa + step));
    const vec b0 = v_set(elem_at(pb)), b1 = v_set(elem_at(pb + step));
    vwide s[4][PARTS];
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < PARTS; i++)
            s[k][i] = w_gather(sums + k * LANES + i * VL);
    for (size_t j = 0; j < n;)
        for (int i = 0; i < PARTS && j < n; i++, j += VL) {
            const size_t lanes = part_of(n - j);
            const vec v = v_load_part(x + j, lanes), h = v_load_part(g + j, lanes);
            const vec y0 = piece_at(v, a0, b0), y1 = piece_at(v, a1, b1);
            const vmask first = v_le(y1, y0), number = v_eq(y0, y0);
            const vec slope = v_select(number, v_select(first, a0, a1), a0);
            if (d) {
                const vec product = v_drop(v_eq(slope, v_set(0)), v_mul(slope, h));
                v_store_part(d + j, v_select(v_eq(v, v), product, v), lanes);
            }
            /* Of the second: y0 is a number and y1 is not <= it. */
            const vec h1 = v_keep(number, v_drop(first, h));
            const vec x1 = v_keep(number, v_drop(first, v));
            const vec h0 = v_select(number, v_keep(first, h), h);
            const vec x0 = v_select(number, v_keep(first, v), v);
            s[0][i] = w_fma(w_from(h0), w_from(x0), s[0][i]);
            s[1][i] = w_fma(w_from(h1), w_from(x1), s[1][i]);
            s[2][i] = w_add(s[2][i], w_from(h0));
            s[3][i] = w_add(s[3][i], w_from(h1));
        }
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < PARTS; i++)
            w_spread(sums + k * LANES + i * VL, s[k][i]);
}

/* slope g: 0 where the slope is, NaN where x is. */
static void ACT_PART_SYMBOL(dyrelu_gradient)(const void *in, const void *slope,
                                             const void *gradient, size_t n, void *out)
{
    const elem *x = in, *s = slope, *g = gradient;
    elem *d = out;
    for (size_t i = 0; i < n; i += VL) {
        const size_t lanes = part_of(n - i);
        const vec v = v_load_part(x + i, lanes), a = v_load(s + i);
        const vec product = v_drop(v_eq(a, v_set(0)), v_mul(a, v_load_part(g + i, lanes)));
        v_store_part(d + i, v_select(v_eq(v, v), product, v), lanes);
    }
}

/* Element i of a plane is in lane i % 16 if the calls before had multiples of 16. */
static void ACT_PART_SYMBOL(dyrelu_sums)(const void *in, const void *gradient, const void *which,
                                         size_t n, size_t k, double *product, double *sum)
{
    const elem *x = in, *g = gradient, *w = which;
    const vec index = v_set((elem)k);
    vwide p[PARTS], s[PARTS];
    for (int i = 0; i < PARTS; i++)
        p[i] = w_gather(product + i * VL), s[i] = w_gather(sum + i * VL);
    for (size_t j = 0; j < n;)
        for (int i = 0; i < PARTS && j < n; i++, j += VL) {
            const size_t lanes = part_of(n - j);
            const vmask mine = v_eq(v_load(w + j), index);
            const vwide gm = w_from(v_keep(mine, v_load_part(g + j, lanes)));
            p[i] = w_fma(gm, w_from(v_keep(mine, v_load_part(x + j, lanes))), p[i]);
            s[i] = w_add(s[i], gm);
        }
    for (int i = 0; i < PARTS; i++)
        w_spread(product + i * VL, p[i]), w_spread(sum + i * VL, s[i]);
}

/* The terms of elements [0, n), in whole vectors. */
ACT_OP void terms(const elem *x, const elem *g, const elem *w, vec index, size_t n, double *product,
                  double *sum)
{
    for (size_t j = 0; j < n; j += VL) {
        const size_t lanes = part_of(n - j);
        const vmask mine = v_eq(v_load(w + j), index);
        const vwide gm = w_from(v_keep(mine, v_load_part(g + j, lanes)));
        const vwide xm = w_from(v_keep(mine, v_load_part(x + j, lanes)));
        w_spread(product + j, w_mul(gm, xm));
        w_spread(sum + j, gm);
    }
}

/* Of channels of a few elements, in order. product and sum have room for whole vectors. */
static void ACT_PART_SYMBOL(dyrelu_channels)(const void *in, const void *gradient,
                                             const void *which, size_t channels, size_t inner,
                                             size_t k, double *product, double *sum)
{
    enum { SOME = 64 };
    const elem *x = in, *g = gradient, *w = which;
    const vec index = v_set((elem)k);
    if (inner == 1) {
        terms(x, g, w, index, channels, product, sum);
        return;
    }
    double p[SOME + LANES], s[SOME + LANES];
    const size_t most = SOME / inner;
    for (size_t c = 0; c < channels; c += most) {
        const size_t rest = channels - c, count = rest < most ? rest : most, at = c * inner;
        terms(x + at, g + at, w + at, index, count * inner, p, s);
        for (size_t i = 0; i < count; i++) {
            double a = 0, b = 0;
            for (size_t e = i * inner; e < (i + 1) * inner; e++)
                a += p[e], b += s[e];
            product[c + i] = a;
            sum[c + i] = b;
        }
    }
}

static double ACT_PART_SYMBOL(dyrelu_total)(const double *lanes)
{
    return lanes_total(lanes);
}

ACT_PART_ROW(dyrelu) = {ACT_PART_SYMBOL(dyrelu_piece),         ACT_PART_SYMBOL(dyrelu_two),
                        ACT_PART_SYMBOL(dyrelu_two_gradients), ACT_PART_SYMBOL(dyrelu_spread),
                        ACT_PART_SYMBOL(dyrelu_gradient),      ACT_PART_SYMBOL(dyrelu_sums),
                        ACT_PART_SYMBOL(dyrelu_channels),      ACT_PART_SYMBOL(dyrelu_total)};
