/* Norms around an activation, and the statistics of outputs, against MPFR. The gradients' formula
 * is held to differences of the norm's definition. test_norm.c has more shapes, test_stats.c the
 * counts, in long double. */
#include "tests/mpfr_check.h"

enum { MOST = 5000 };

/* One row, as actfn.h names it; A is f(in) or in, F its f', Z = norm gamma + beta. */
static mpfr_t X[MOST], GAMMA[MOST], BETA[MOST], DY[MOST], A[MOST], F[MOST], N[MOST], Z[MOST],
    OUT[MOST], FZ[MOST], G[MOST], DX[MOST], DGAMMA[MOST];
static mpfr_t mean, rstd, mean_h, mean_hn;
static size_t length;
static int silu, rms, act_last;
static const double eps = 0x1p-17;

/* y = x s, y' = s (1 + x (1 - s)), s = 1 / (1 + e^-x); or y = x. */
static void activate(mpfr_t y, mpfr_t slope, mpfr_t x, int on)
{
    mpfr_set(y, x, MPFR_RNDN);
    mpfr_set_ui(slope, 1, MPFR_RNDN);
    if (!on)
        return;
    mpfr_neg(s0, x, MPFR_RNDN);
    mpfr_exp(s0, s0, MPFR_RNDN);
    mpfr_add_ui(s0, s0, 1, MPFR_RNDN);
    mpfr_ui_div(s0, 1, s0, MPFR_RNDN);
    mpfr_mul(y, x, s0, MPFR_RNDN);
    mpfr_sub(slope, x, y, MPFR_RNDN);
    mpfr_add_ui(slope, slope, 1, MPFR_RNDN);
    mpfr_mul(slope, slope, s0, MPFR_RNDN);
}

static void statistics_exactly(void)
{
    mpfr_set_zero(mean, 1), mpfr_set_zero(s1, 1);
    for (size_t i = 0; i < length; i++) {
        activate(A[i], F[i], X[i], silu && !act_last);
        mpfr_add(mean, mean, A[i], MPFR_RNDN);
    }
    mpfr_div_ui(mean, mean, length, MPFR_RNDN);
    if (rms)
        mpfr_set_zero(mean, 1);
    for (size_t i = 0; i < length; i++) {
        mpfr_sub(s2, A[i], mean, MPFR_RNDN);
        mpfr_fma(s1, s2, s2, s1, MPFR_RNDN);
    }
    mpfr_div_ui(s1, s1, length, MPFR_RNDN);
    mpfr_add_d(s1, s1, eps, MPFR_RNDN);
    mpfr_rec_sqrt(rstd, s1, MPFR_RNDN);
}
static void apply_exactly(void)
{
    for (size_t i = 0; i < length; i++) {
        mpfr_sub(N[i], A[i], mean, MPFR_RNDN);
        mpfr_mul(N[i], N[i], rstd, MPFR_RNDN);
        mpfr_fma(Z[i], N[i], GAMMA[i], BETA[i], MPFR_RNDN);
        activate(OUT[i], FZ[i], Z[i], silu && act_last);
    }
}

/* f' rstd (h - mean of h - n mean of h n), h = g gamma, and g n; g = grad_out f'(Z). */
static void gradients_exactly(void)
{
    mpfr_set_zero(mean_h, 1), mpfr_set_zero(mean_hn, 1);
    for (size_t i = 0; i < length; i++) {
        mpfr_mul(G[i], DY[i], FZ[i], MPFR_RNDN);
        mpfr_mul(DGAMMA[i], G[i], N[i], MPFR_RNDN);
        mpfr_mul(s0, G[i], GAMMA[i], MPFR_RNDN);
        mpfr_add(mean_h, mean_h, s0, MPFR_RNDN);
        mpfr_fma(mean_hn, s0, N[i], mean_hn, MPFR_RNDN);
    }
    mpfr_div_ui(mean_h, mean_h, length, MPFR_RNDN);
    mpfr_div_ui(mean_hn, mean_hn, length, MPFR_RNDN);
    if (rms)
        mpfr_set_zero(mean_h, 1);
    for (size_t i = 0; i < length; i++) {
        mpfr_mul(s0, G[i], GAMMA[i], MPFR_RNDN);
        mpfr_sub(s0, s0, mean_h, MPFR_RNDN);
        mpfr_mul(s1, N[i], mean_hn, MPFR_RNDN);
        mpfr_sub(s0, s0, s1, MPFR_RNDN);
        mpfr_mul(s0, s0, rstd, MPFR_RNDN);
        mpfr_mul(DX[i], s0, F[i], MPFR_RNDN);
    }
}

static void of_norm(mpfr_t value)
{
    statistics_exactly();
    apply_exactly();
    mpfr_set_zero(value, 1);
    for (size_t i = 0; i < length; i++)
        mpfr_fma(value, DY[i], OUT[i], value, MPFR_RNDN);
}

static void check_gradients(size_t n)
{
    length = n;
    for (size_t i = 0; i < n; i++) {
        set(X[i], uniform(-2, 4)), set(DY[i], uniform(-1, 1));
        set(GAMMA[i], uniform(-2, 2)), set(BETA[i], uniform(-1, 1));
    }
    statistics_exactly();
    apply_exactly();
    gradients_exactly();
    for (size_t i = 0; i < n; i++) {
        difference(of_norm, X[i], s3), derived(DX[i], s3);
        difference(of_norm, GAMMA[i], s3), derived(DGAMMA[i], s3);
        difference(of_norm, BETA[i], s3), derived(G[i], s3);
    }
}

/* ---- the library ------------------------------------------------------------------------------
 */

enum { N_OUT, N_GRAD, N_GAMMA, N_BETA, N_MEAN, N_RSTD, NORMS };
/* f32: actfn.h's 2^-22; f64: it has 8 + axis / 64 for out, here 8 at every length. */
#define NORM_OF(name)                                                                              \
    {                                                                                              \
        {name ", out", {4, 8}, {0}, {0}}, {name ", grad_in", {4, 8}, {0}, {0}},                    \
            {name ", dgamma", {4, 8}, {0}, {0}}, {name ", dbeta", {4, 8}, {0}, {0}},               \
            {name ", mean", {4, 8}, {0}, {0}}, {name ", rstd", {4, 8}, {0}, {0}},                  \
    }
/* [act_last][silu][rms] */
static struct worst norms[2][2][2][NORMS] = {
    {{NORM_OF("LayerNorm"), NORM_OF("RMSNorm")},
     {NORM_OF("LayerNorm(silu)"), NORM_OF("RMSNorm(silu)")}},
    {{NORM_OF("normed LayerNorm"), NORM_OF("normed RMSNorm")},
     {NORM_OF("silu(LayerNorm)"), NORM_OF("silu(RMSNorm)")}}};

/* What is right for all rows, and the sums of absolute terms that errors are relative to. */
static mpfr_t ALL_A[MOST], ALL_F[MOST], ALL_OUT[MOST], ALL_DX[MOST], ALL_MEAN[MOST], ALL_RSTD[MOST],
    SUM_GAMMA[MOST], SUM_BETA[MOST];
static double x[MOST], dy[MOST], ga[MOST], be[MOST], out_terms[MOST], dx_terms[MOST],
    size_of_mean[MOST], rstd_terms[MOST], gamma_terms[MOST], beta_terms[MOST];
static act_shape shape;

static size_t at(size_t row, size_t i)
{
    return (row / shape.inner * shape.axis + i) * shape.inner + row % shape.inner;
}
/* Of Z. */
static double terms_of(act_dtype t, size_t row, size_t i)
{
    const double distance =
        t == ACT_F32 && !silu ? fabs(of(N[i])) : (fabs(of(A[i])) + size_of_mean[row]) * of(rstd);
    return distance * fabs(ga[i]) + fabs(be[i]);
}

static void forward_exactly(act_dtype t, size_t row)
{
    for (size_t i = 0; i < length; i++)
        set(X[i], x[at(row, i)]);
    statistics_exactly();
    apply_exactly();
    size_of_mean[row] = 0;
    for (size_t i = 0; i < length; i++)
        size_of_mean[row] += fabs(of(A[i])) / (double)length;
    /* A that is off by a u adds n rstd of that to rstd, which may be much where elements are near.
     */
    rstd_terms[row] = of(rstd);
    for (size_t i = 0; silu && !act_last && i < length; i++)
        rstd_terms[row] += of(rstd) * of(rstd) * fabs(of(N[i]) * of(A[i])) / (double)length;
    for (size_t i = 0; i < length; i++) {
        out_terms[at(row, i)] = terms_of(t, row, i);
        mpfr_set(ALL_OUT[at(row, i)], OUT[i], MPFR_RNDN);
        mpfr_set(ALL_A[at(row, i)], A[i], MPFR_RNDN);
        mpfr_set(ALL_F[at(row, i)], F[i], MPFR_RNDN);
    }
    mpfr_set(ALL_MEAN[row], mean, MPFR_RNDN), mpfr_set(ALL_RSTD[row], rstd, MPFR_RNDN);
}

/* From the rstd that the library has saved; it finds the mean again. n has the terms a rstd and
 * mean rstd. Beside a zero of f' its bound is absolute; f' of a Z that is off by e is off by at
 * most e / 2. */
static void backward_exactly(act_dtype t, size_t row, double saved)
{
    static double g[MOST];
    for (size_t i = 0; i < length; i++) {
        mpfr_set(A[i], ALL_A[at(row, i)], MPFR_RNDN), mpfr_set(F[i], ALL_F[at(row, i)], MPFR_RNDN);
        set(DY[i], dy[at(row, i)]);
    }
    mpfr_set(mean, ALL_MEAN[row], MPFR_RNDN), set(rstd, saved);
    apply_exactly();
    gradients_exactly();
    double h = 0, hn = 0;
    for (size_t i = 0; i < length; i++) {
        const double n = (fabs(of(A[i])) + fabs(of(mean))) * saved;
        g[i] = fabs(of(DY[i]));
        if (silu && act_last)
            g[i] *= larger(fabs(of(FZ[i])), .5) + terms_of(t, row, i) / 2;
        h += g[i] * fabs(ga[i]) / (double)length;
        hn += g[i] * fabs(ga[i]) * n / (double)length;
        gamma_terms[i] += g[i] * n, beta_terms[i] += g[i];
        mpfr_add(SUM_GAMMA[i], SUM_GAMMA[i], DGAMMA[i], MPFR_RNDN);
        mpfr_add(SUM_BETA[i], SUM_BETA[i], G[i], MPFR_RNDN);
        mpfr_set(ALL_DX[at(row, i)], DX[i], MPFR_RNDN);
    }
    for (size_t i = 0; i < length; i++) {
        const double n = (fabs(of(A[i])) + fabs(of(mean))) * saved;
        dx_terms[at(row, i)] = larger(fabs(of(F[i])), silu && !act_last ? .5 : 0) * saved *
                               (g[i] * fabs(ga[i]) + (rms ? 0 : h) + n * hn);
    }
}

static void check_norm(act_dtype t, act_shape s)
{
    static double in[MOST], g[MOST], gamma[MOST], beta[MOST], out[MOST], dgamma[MOST], dbeta[MOST];
    static double before[MOST], means[MOST], rstds[MOST];
    const act_kind k = silu ? ACT_SILU : ACT_IDENTITY;
    const size_t rows = s.outer * s.inner, n = rows * s.axis;
    struct worst *const w = norms[act_last][silu][rms];
    fill(t, in, x, n, -2, 4), fill(t, g, dy, n, -1, 1);
    fill(t, gamma, ga, s.axis, -2, 2), fill(t, beta, be, s.axis, -1, 1);
    fill(t, dgamma, before, s.axis, -1, 1);
    shape = s, length = s.axis;
    set_all(GAMMA, ga, length), set_all(BETA, be, length);
    for (size_t row = 0; row < rows; row++)
        forward_exactly(t, row);
    FOR_ISA(isa)
    {
        must(
            act_last
                ? act_normed_forward(t, 0, k, NULL, s, rms, eps, gamma, beta, in, out, means, rstds)
                : act_norm_forward(t, 0, k, NULL, s, rms, eps, gamma, beta, in, out, means, rstds));
        for (size_t i = 0; i < n; i++)
            hold(&w[N_OUT], t, get(t, out, i), ALL_OUT[i], out_terms[i]);
        for (size_t i = 0; i < length; i++) {
            mpfr_set_zero(SUM_GAMMA[i], 1), mpfr_set_zero(SUM_BETA[i], 1);
            gamma_terms[i] = beta_terms[i] = 0;
        }
        for (size_t row = 0; row < rows; row++) {
            hold(&w[N_MEAN], t, rms ? 0 : get(t, means, row), ALL_MEAN[row], size_of_mean[row]);
            hold(&w[N_RSTD], t, get(t, rstds, row), ALL_RSTD[row], rstd_terms[row]);
            backward_exactly(t, row, get(t, rstds, row));
        }
        for (int add = 0; add < 2; add++) {
            const unsigned flags = add ? ACT_ACCUMULATE : 0;
            for (size_t i = 0; i < length; i++)
                put(t, dgamma, i, before[i]), put(t, dbeta, i, before[i]);
            must(act_last ? act_normed_backward(t, flags, k, NULL, s, rms, gamma, beta, in, means,
                                                rstds, g, out, dgamma, dbeta)
                          : act_norm_backward(t, flags, k, NULL, s, rms, gamma, in, means, rstds, g,
                                              out, dgamma, dbeta));
            for (size_t i = 0; i < n; i++)
                hold(&w[N_GRAD], t, get(t, out, i), ALL_DX[i], dx_terms[i]);
            for (size_t i = 0; i < length; i++) {
                const double old = add ? before[i] : 0;
                mpfr_add_d(s0, SUM_GAMMA[i], old, MPFR_RNDN);
                hold(&w[N_GAMMA], t, get(t, dgamma, i), s0, gamma_terms[i] + fabs(old));
                mpfr_add_d(s0, SUM_BETA[i], old, MPFR_RNDN);
                hold(&w[N_BETA], t, get(t, dbeta, i), s0, beta_terms[i] + fabs(old));
            }
        }
    }
}

/* ---- what outputs are like --------------------------------------------------------------------
 */

/* In 2^-53 for both types; docs/stats.md: an m2 around 1000 is within 1e-12. A lane adds up to 128
 * elements. Squares of floats end in 00 or 01, so that where two bits are lost they all round down:
 * 8 to 12 around 1000. */
enum { EXACT, MEAN, M2, SUM_ABS, SUM_SQ, M2_FAR, STATS };
static struct worst stats[STATS] = {{"stats, count, min, max", {0, 0}, {0}, {0}},
                                    {"stats, mean", {8, 8}, {0}, {0}},
                                    {"stats, m2", {8, 8}, {0}, {0}},
                                    {"stats, sum_abs", {8, 8}, {0}, {0}},
                                    {"stats, sum_sq", {32, 8}, {0}, {0}},
                                    {"stats, m2 around 1000", {9007, 9007}, {0}, {0}}};

static void check_stats(act_dtype t, size_t n, double centre)
{
    static double y[MOST], exact[MOST];
    const double u = 0x1p-53 / unit[t];
    const char *const bytes = (const char *)y;
    const size_t size = t == ACT_F64 ? sizeof(double) : sizeof(float), cut = n / 3;
    fill(t, y, exact, n, centre - 2, centre + 2);
    double least = INFINITY, most = -INFINITY;
    mpfr_set_zero(s0, 1), mpfr_set_zero(s1, 1), mpfr_set_zero(s2, 1), mpfr_set_zero(s3, 1);
    for (size_t i = 0; i < n; i++) {
        set(A[i], exact[i]);
        least = exact[i] < least ? exact[i] : least, most = larger(exact[i], most);
        mpfr_add(s0, s0, A[i], MPFR_RNDN);
        mpfr_add_d(s1, s1, fabs(exact[i]), MPFR_RNDN);
        mpfr_fma(s2, A[i], A[i], s2, MPFR_RNDN);
    }
    mpfr_div_ui(s0, s0, n, MPFR_RNDN);
    for (size_t i = 0; i < n; i++) {
        mpfr_sub(A[i], A[i], s0, MPFR_RNDN);
        mpfr_fma(s3, A[i], A[i], s3, MPFR_RNDN);
    }
    FOR_ISA(isa)
    for (int how = 0; how < 3; how++) { /* in one call, in two, merged */
        act_stats all = {0}, part = {0};
        if (how == 0) {
            must(act_stats_add(t, 0, ACT_IDENTITY, NULL, y, n, &all));
        } else {
            must(act_stats_add(t, 0, ACT_IDENTITY, NULL, y, cut, &all));
            must(act_stats_add(t, 0, ACT_IDENTITY, NULL, bytes + cut * size, n - cut,
                               how == 1 ? &all : &part));
            if (how == 2)
                must(act_stats_merge(&part, &all));
        }
        set(A[0], (double)n);
        hold(&stats[EXACT], t, (double)all.count, A[0], 0);
        set(A[0], least), hold(&stats[EXACT], t, all.min, A[0], 0);
        set(A[0], most), hold(&stats[EXACT], t, all.max, A[0], 0);
        hold(&stats[MEAN], t, all.mean, s0, u * of(s1) / (double)n);
        hold(&stats[SUM_ABS], t, all.sum_abs, s1, u * of(s1));
        hold(&stats[SUM_SQ], t, all.sum_sq, s2, u * of(s2));
        hold(&stats[centre > 100 ? M2_FAR : M2], t, all.m2, s3, u * of(s3));
    }
}

int main(int argc, char **argv)
{
    static const size_t few[] = {7, 17, 33}, sizes[] = {3, 17, 1000, 5000};
    static const act_shape shapes[] = {{1, 1, 1},  {1, 2, 1},   {2, 3, 1},    {1, 17, 1},
                                       {4, 33, 1}, {1, 200, 1}, {1, 1000, 1}, {2, 17, 3},
                                       {1, 5, 70}, {2, 3, 17}};
    mpfr_t *const arrays[] = {X,     GAMMA,   BETA,   DY,       A,        F,         N,
                              Z,     OUT,     FZ,     G,        DX,       DGAMMA,    ALL_A,
                              ALL_F, ALL_OUT, ALL_DX, ALL_MEAN, ALL_RSTD, SUM_GAMMA, SUM_BETA};
    numbers_init(argc, argv);
    mpfr_inits(mean, rstd, mean_h, mean_hn, (mpfr_ptr)0);
    for (size_t i = 0; i < LENGTH_OF(arrays); i++)
        init_all(arrays[i], MOST);
    for (act_last = 0; act_last < 2; act_last++)
        for (silu = 0; silu < 2; silu++)
            for (rms = 0; rms < 2; rms++) {
                for (size_t k = 0; k < LENGTH_OF(few); k++)
                    check_gradients(few[k]);
                FOR_TYPE(t)
                for (size_t k = 0; k < LENGTH_OF(shapes); k++)
                    check_norm(t, shapes[k]);
                for (int i = 0; i < NORMS; i++)
                    if (i != N_MEAN || !rms)
                        report(&norms[act_last][silu][rms][i]);
            }
    FOR_TYPE(t)
    for (size_t k = 0; k < LENGTH_OF(sizes); k++) {
        check_stats(t, sizes[k], 0);
        check_stats(t, sizes[k], 0.5);
        check_stats(t, sizes[k], 1000);
    }
    for (int i = 0; i < STATS; i++)
        report(&stats[i]);
    return finish();
}
