/* Softmax and its relatives, cross-entropy and their gradients against MPFR. A backward call starts
 * from outputs as the library has rounded them, and so does the formula it is held to; the formula
 * is held to differences of the function, from exact outputs. softmax/ has masks, more shapes and
 * special rows, in long double. */
#include "tests/mpfr_check.h"

enum { MOST = 1024 };

/* A row, what becomes of it, the target, what comes from above, the gradient. */
static mpfr_t X[MOST], P[MOST], LOG[MOST], TARGET[MOST], DY[MOST], D[MOST], Y[MOST];
static mpfr_t log_sum, loss;
static size_t length;

static void softmax_exactly(void)
{
    mpfr_set_zero(log_sum, 1);
    for (size_t i = 0; i < length; i++) {
        mpfr_exp(P[i], X[i], MPFR_RNDN);
        mpfr_add(log_sum, log_sum, P[i], MPFR_RNDN);
    }
    for (size_t i = 0; i < length; i++)
        mpfr_div(P[i], P[i], log_sum, MPFR_RNDN);
    mpfr_log(log_sum, log_sum, MPFR_RNDN);
    for (size_t i = 0; i < length; i++)
        mpfr_sub(LOG[i], X[i], log_sum, MPFR_RNDN);
    if (length == 1)
        mpfr_set_zero(LOG[0], 1); /* not what 300 bits leave of x - log e^x */
}

/* 7/8 at the label, in the middle, and 1/8 of an nth. */
static void target_exactly(void)
{
    for (size_t i = 0; i < length; i++) {
        mpfr_set_d(TARGET[i], 0.125, MPFR_RNDN);
        mpfr_div_ui(TARGET[i], TARGET[i], length, MPFR_RNDN);
        mpfr_add_d(TARGET[i], TARGET[i], i == length / 2 ? 0.875 : 0, MPFR_RNDN);
    }
}
static void dot(mpfr_t sum, mpfr_t *a, mpfr_t *b)
{
    mpfr_set_zero(sum, 1);
    for (size_t i = 0; i < length; i++)
        mpfr_fma(sum, a[i], b[i], sum, MPFR_RNDN);
}
static void loss_exactly(void)
{
    dot(loss, TARGET, LOG);
    mpfr_neg(loss, loss, MPFR_RNDN);
}

/* ---- gradients, into D ---------------------------------------------------------------------- */

static void softmax_gradient(mpfr_t *y)
{
    dot(s0, y, DY);
    for (size_t i = 0; i < length; i++) {
        mpfr_sub(D[i], DY[i], s0, MPFR_RNDN);
        mpfr_mul(D[i], D[i], y[i], MPFR_RNDN);
    }
}
static void log_softmax_gradient(mpfr_t *y)
{
    mpfr_set_zero(s0, 1);
    for (size_t i = 0; i < length; i++)
        mpfr_add(s0, s0, DY[i], MPFR_RNDN);
    for (size_t i = 0; i < length; i++) {
        mpfr_exp(s1, y[i], MPFR_RNDN);
        mpfr_mul(s1, s1, s0, MPFR_RNDN);
        mpfr_sub(D[i], DY[i], s1, MPFR_RNDN);
    }
}
static void loss_gradient(void)
{
    for (size_t i = 0; i < length; i++)
        mpfr_sub(D[i], P[i], TARGET[i], MPFR_RNDN);
}

static void of_softmax(mpfr_t value)
{
    softmax_exactly();
    dot(value, P, DY);
}
static void of_log_softmax(mpfr_t value)
{
    softmax_exactly();
    dot(value, LOG, DY);
}
static void of_loss(mpfr_t value)
{
    softmax_exactly();
    loss_exactly();
    mpfr_set(value, loss, MPFR_RNDN);
}

static void check_gradients(size_t n)
{
    void (*const functions[])(mpfr_t) = {of_softmax, of_log_softmax, of_loss};
    length = n;
    for (size_t i = 0; i < n; i++) {
        set(X[i], uniform(-3, 3));
        set(DY[i], uniform(-1, 1));
    }
    target_exactly();
    for (int k = 0; k < 3; k++) {
        softmax_exactly();
        if (k == 0)
            softmax_gradient(P);
        else if (k == 1)
            log_softmax_gradient(LOG);
        else
            loss_gradient();
        for (size_t i = 0; i < n; i++) {
            difference(functions[k], X[i], s2);
            derived(D[i], s2);
        }
    }
}

/* ---- the library ------------------------------------------------------------------------------
 */

enum { SOFTMAX, SOFTMAX_BACK, LOG_SOFTMAX, LOG_SOFTMAX_BACK, LOGSUMEXP, LOSS, LOSS_BACK, FAMILY };
static struct worst family[FAMILY] = {
    [SOFTMAX] = {"softmax", {3, 3}, {0}, {0}},
    [SOFTMAX_BACK] = {"softmax, grad_in", {4, 4}, {0}, {0}},
    [LOG_SOFTMAX] = {"log_softmax", {3, 3}, {0}, {0}},
    [LOG_SOFTMAX_BACK] = {"log_softmax, grad_in", {4, 4}, {0}, {0}},
    [LOGSUMEXP] = {"logsumexp", {2, 3}, {0}, {0}},
    [LOSS] = {"cross-entropy, loss", {2, 4}, {0}, {0}},
    [LOSS_BACK] = {"cross-entropy, grad_in", {4, 6}, {0}, {0}}};

static void check_family(act_dtype t, size_t n, double low, double high)
{
    static double in[MOST], g[MOST], out[MOST], y[MOST], other[MOST], x[MOST], dy[MOST];
    const act_shape s = {1, n, 1};
    const int64_t label = (int64_t)(n / 2);
    const act_targets target = {
        .struct_size = sizeof target, .index = &label, .ignore = -1, .smoothing = 0.125};
    fill(t, in, x, n, low, high);
    fill(t, g, dy, n, -1, 1);
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = larger(most, fabs(x[i]));
    const double near = (most + log((double)n)) / 2;
    length = n;
    set_all(X, x, n), set_all(DY, dy, n);
    softmax_exactly(), target_exactly(), loss_exactly();

    FOR_ISA(isa)
    {
        must(act_softmax_forward(t, 0, s, NULL, in, y));
        for (size_t i = 0; i < n; i++)
            hold(&family[SOFTMAX], t, get(t, y, i), P[i], last_place(P[i]));
        must(act_log_softmax_forward(t, 0, s, NULL, in, other));
        for (size_t i = 0; i < n; i++)
            hold(&family[LOG_SOFTMAX], t, get(t, other, i), LOG[i], last_place(LOG[i]));
        must(act_logsumexp(t, 0, s, NULL, in, out));
        hold(&family[LOGSUMEXP], t, get(t, out, 0), log_sum, larger(last_place(log_sum), 2 * near));

        must(act_cross_entropy(t, 0, s, &target, in, out, NULL));
        hold(&family[LOSS], t, get(t, out, 0), loss,
             n > 1 ? larger(last_place(loss), 2 * near) : 0);
        must(act_cross_entropy(t, 0, s, &target, in, NULL, out));
        loss_gradient();
        for (size_t i = 0; i < n; i++)
            hold(&family[LOSS_BACK], t, get(t, out, i), D[i], of(P[i]) + of(TARGET[i]));

        must(act_softmax_backward(t, 0, s, NULL, y, g, out));
        double terms = 0, sum = 0;
        for (size_t i = 0; i < n; i++) {
            set(Y[i], get(t, y, i));
            terms += fabs(dy[i] * get(t, y, i)), sum += fabs(dy[i]);
        }
        softmax_gradient(Y);
        for (size_t i = 0; i < n; i++)
            hold(&family[SOFTMAX_BACK], t, get(t, out, i), D[i],
                 get(t, y, i) * (fabs(dy[i]) + terms) + 0x1p-149);
        must(act_log_softmax_backward(t, 0, s, NULL, other, g, out));
        for (size_t i = 0; i < n; i++)
            set(Y[i], get(t, other, i));
        log_softmax_gradient(Y);
        for (size_t i = 0; i < n; i++)
            hold(&family[LOG_SOFTMAX_BACK], t, get(t, out, i), D[i],
                 fabs(dy[i]) + exp(get(t, other, i)) * sum);
    }
}

int main(int argc, char **argv)
{
    static const size_t lengths[] = {1, 2, 7, 33, 200, 1000};
    mpfr_t *const arrays[] = {X, P, LOG, TARGET, DY, D, Y};
    numbers_init(argc, argv);
    mpfr_inits(log_sum, loss, (mpfr_ptr)0);
    for (size_t i = 0; i < LENGTH_OF(arrays); i++)
        init_all(arrays[i], MOST);
    for (size_t k = 0; k < 4; k++)
        check_gradients(lengths[k]);
    FOR_TYPE(t)
    for (size_t k = 0; k < LENGTH_OF(lengths); k++) {
        check_family(t, lengths[k], -3, 3);
        check_family(t, lengths[k], -60, 20);
        check_family(t, lengths[k], 150, 170);
    }
    for (int i = 0; i < FAMILY; i++)
        report(&family[i]);
    return finish();
}
