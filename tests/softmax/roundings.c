/* Gradients whose roundings are nearly as large as they can be, and may add up: products, sums and
 * differences just above a power of two. Random rows hardly find them: an f32 softmax gradient was
 * 4.96 2^-24 of its terms off where --full had met 4.2 and the other shapes 3.8. */
#include "softmax/softmax.h"

enum { ROWS = 20000, N = 32, PAIR = 16 }; /* elements 0 and 16 are added to one another */

static double above(double x, double part)
{
    return x + x * part * uniform();
}

/* Element 1 takes what the others give; of e^y or of y itself. */
static void make_row(int logarithm, float *y, float *g)
{
    for (int j = 0; j < N; j++) {
        y[j] = logarithm ? -90 : 0;
        g[j] = 0;
    }
    const double p[3] = {above(0.5, 0.04), above(logarithm ? 0.5 : 0.0625, 0.04), 0.01 * uniform()};
    const int at[3] = {0, 1, PAIR};
    for (int k = 0; k < 3; k++)
        y[at[k]] = (float)(logarithm ? log(p[k]) : p[k]);
    g[0] = (float)above(1, 0.02);
    g[1] = (float)(-0.01 * uniform());
    g[PAIR] = (float)(logarithm ? 0.01 * uniform() : uniform());
}

void roundings(void)
{
    static float y[ROWS * N], g[ROWS * N], d[ROWS * N];
    static const float scales[] = {0, 0.26f, 0.3f};
    for (int logarithm = 0; logarithm < 2; logarithm++)
        for (int k = 0; k < 3; k++) {
            const act_logits z = {.struct_size = sizeof z, .scale = (double)scales[k]};
            const act_shape s = {ROWS, N, 1};
            const real scale = scales[k] != 0 ? (real)scales[k] : 1;
            snprintf(context, sizeof context, "f32 roundings, scale %g", (double)scales[k]);
            for (size_t i = 0; i < ROWS; i++)
                make_row(logarithm, y + i * N, g + i * N);
            if ((logarithm ? act_log_softmax_backward(ACT_F32, 0, s, &z, y, g, d)
                           : act_softmax_backward(ACT_F32, 0, s, &z, y, g, d)) != ACT_OK)
                fail("status");
            for (size_t i = 0; i < ROWS; i++) {
                const float *const row = g + i * N;
                real sum = 0, terms = 0;
                for (size_t j = 0; j < N; j++) {
                    const real term = logarithm ? (real)row[j] : (real)row[j] * (real)y[i * N + j];
                    sum += term, terms += fabsl(term);
                }
                const real p = logarithm ? expl((real)y[i * N + 1]) : (real)y[i * N + 1];
                const real own = logarithm ? 1 : p, size = own * fabsl((real)row[1]) + p * terms;
                judge(ACT_F32, logarithm ? ERR_LOG_BACKWARD : ERR_BACKWARD, (double)d[i * N + 1],
                      scale * (own * (real)row[1] - p * sum), 0x1p-24 * (double)(scale * size),
                      logarithm ? "log_softmax backward" : "softmax backward", i);
            }
        }
}
