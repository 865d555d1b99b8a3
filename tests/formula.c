/* A recursive-descent evaluator of dual numbers: value and derivative at once. Naive formulas are
 * fine, for the precision is whatever their cancellation needs. */
#include "tests/formula.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* v + d * (dx). pure: no x in it. constant: its derivative vanishes around the point, because x is
 * absent or a branch, a clip or a factor of zero has removed it. */
struct dual {
    mpfr_t v, d, av, ad; /* av, ad: sums of absolute terms */
    int pure, constant;
};

struct parser {
    const char *at, *error;
    double variable;
    const act_params *params;
    mpfr_prec_t precision;
};

static void dual_init(const struct parser *p, struct dual *a)
{
    mpfr_init2(a->v, p->precision);
    mpfr_init2(a->d, p->precision);
    mpfr_init2(a->av, 64);
    mpfr_init2(a->ad, 64);
    mpfr_set_zero(a->av, 1);
    mpfr_set_zero(a->ad, 1);
    mpfr_set_zero(a->v, 1);
    mpfr_set_zero(a->d, 1);
    a->pure = a->constant = 1;
}

static void dual_clear(struct dual *a)
{
    mpfr_clears(a->v, a->d, a->av, a->ad, (mpfr_ptr)0);
}

static void dual_set(struct dual *a, const struct dual *b)
{
    mpfr_set(a->v, b->v, MPFR_RNDN);
    mpfr_set(a->d, b->d, MPFR_RNDN);
    mpfr_set(a->av, b->av, MPFR_RNDN);
    mpfr_set(a->ad, b->ad, MPFR_RNDN);
    a->pure = b->pure;
    a->constant = b->constant;
}

static void skip_space(struct parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
}

static int accept(struct parser *p, const char *token)
{
    skip_space(p);
    const size_t length = strlen(token);
    if (strncmp(p->at, token, length) != 0)
        return 0;
    p->at += length;
    return 1;
}

static void expect(struct parser *p, const char *token)
{
    if (!accept(p, token) && !p->error)
        p->error = p->at;
}

/* The leaf's own value is its only term. */
static void set_terms(struct dual *a)
{
    mpfr_abs(a->av, a->v, MPFR_RNDN);
    mpfr_abs(a->ad, a->d, MPFR_RNDN);
}

static void set_constant_zero(struct dual *a)
{
    mpfr_set_zero(a->d, 1);
    mpfr_set_zero(a->ad, 1);
    a->constant = 1;
}

/* a = a (op) b. */
static void arithmetic(const struct parser *p, char op, struct dual *a, const struct dual *b)
{
    mpfr_t t;
    mpfr_init2(t, p->precision);
    const int pure = a->pure && b->pure;
    int constant = a->constant && b->constant;
    if (op == '+' || op == '-') {
        int (*f)(mpfr_t, const mpfr_t, const mpfr_t, mpfr_rnd_t) = op == '+' ? mpfr_add : mpfr_sub;
        f(a->d, a->d, b->d, MPFR_RNDN);
        f(a->v, a->v, b->v, MPFR_RNDN);
        mpfr_add(a->ad, a->ad, b->ad, MPFR_RNDN);
        mpfr_add(a->av, a->av, b->av, MPFR_RNDN);
    } else if (op == '*') {
        /* A parameter of exactly 0 makes the constant +0; a clip that is 0 keeps IEEE's sign. */
        const int pure_zero = (a->pure && mpfr_zero_p(a->v)) || (b->pure && mpfr_zero_p(b->v));
        constant |= (a->constant && mpfr_zero_p(a->v)) || (b->constant && mpfr_zero_p(b->v));
        mpfr_mul(t, a->v, b->d, MPFR_RNDN);
        mpfr_mul(a->d, a->d, b->v, MPFR_RNDN);
        mpfr_add(a->d, a->d, t, MPFR_RNDN);
        mpfr_mul(a->v, a->v, b->v, MPFR_RNDN);
        mpfr_mul(t, a->av, b->ad, MPFR_RNDN);
        mpfr_mul(a->ad, a->ad, b->av, MPFR_RNDN);
        mpfr_add(a->ad, a->ad, t, MPFR_RNDN);
        mpfr_mul(a->av, a->av, b->av, MPFR_RNDN);
        if (pure_zero)
            mpfr_set_zero(a->v, 1);
    } else {
        /* (a/b)' = (a' - (a/b) b') / b */
        constant |= a->constant && mpfr_zero_p(a->v);
        mpfr_div(a->v, a->v, b->v, MPFR_RNDN);
        mpfr_mul(t, a->v, b->d, MPFR_RNDN);
        mpfr_sub(t, a->d, t, MPFR_RNDN);
        mpfr_div(a->d, t, b->v, MPFR_RNDN);
        set_terms(a);
    }
    a->pure = pure;
    a->constant = constant;
    if (constant)
        set_constant_zero(a);
    mpfr_clear(t);
}

/* a = f(a), slope f'(a) a'. */
static int apply(const struct parser *p, const char *name, struct dual *a)
{
    mpfr_t y, s; /* f(a), f'(a) */
    mpfr_init2(y, p->precision);
    mpfr_init2(s, p->precision);
    int known = 1;
    if (strcmp(name, "exp") == 0) {
        mpfr_exp(y, a->v, MPFR_RNDN);
        mpfr_set(s, y, MPFR_RNDN);
    } else if (strcmp(name, "expm1") == 0) {
        mpfr_expm1(y, a->v, MPFR_RNDN);
        mpfr_exp(s, a->v, MPFR_RNDN);
    } else if (strcmp(name, "log") == 0) {
        mpfr_log(y, a->v, MPFR_RNDN);
        mpfr_ui_div(s, 1, a->v, MPFR_RNDN);
    } else if (strcmp(name, "log1p") == 0) {
        mpfr_log1p(y, a->v, MPFR_RNDN);
        mpfr_add_ui(s, a->v, 1, MPFR_RNDN);
        mpfr_ui_div(s, 1, s, MPFR_RNDN);
    } else if (strcmp(name, "sqrt") == 0) {
        mpfr_sqrt(y, a->v, MPFR_RNDN);
        mpfr_mul_ui(s, y, 2, MPFR_RNDN);
        mpfr_ui_div(s, 1, s, MPFR_RNDN);
    } else if (strcmp(name, "tanh") == 0) {
        mpfr_tanh(y, a->v, MPFR_RNDN);
        mpfr_cosh(s, a->v, MPFR_RNDN); /* sech^2, which does not cancel */
        mpfr_sqr(s, s, MPFR_RNDN);
        mpfr_ui_div(s, 1, s, MPFR_RNDN);
    } else if (strcmp(name, "erf") == 0 || strcmp(name, "erfc") == 0) {
        mpfr_const_pi(s, MPFR_RNDN);
        mpfr_sqrt(s, s, MPFR_RNDN);
        mpfr_ui_div(s, 2, s, MPFR_RNDN);
        mpfr_sqr(y, a->v, MPFR_RNDN);
        mpfr_neg(y, y, MPFR_RNDN);
        mpfr_exp(y, y, MPFR_RNDN);
        mpfr_mul(s, s, y, MPFR_RNDN);
        if (name[3] == 'c') {
            mpfr_neg(s, s, MPFR_RNDN);
            mpfr_erfc(y, a->v, MPFR_RNDN);
        } else {
            mpfr_erf(y, a->v, MPFR_RNDN);
        }
    } else if (strcmp(name, "abs") == 0) {
        mpfr_abs(y, a->v, MPFR_RNDN);
        mpfr_set_si(s, mpfr_sgn(a->v), MPFR_RNDN);
    } else {
        known = 0;
    }
    if (known) {
        mpfr_set(a->v, y, MPFR_RNDN);
        mpfr_mul(a->d, a->d, s, MPFR_RNDN);
        set_terms(a);
        if (a->constant)
            set_constant_zero(a);
    }
    mpfr_clear(y);
    mpfr_clear(s);
    return known;
}

static void expression(struct parser *p, struct dual *a);

/* max and min: on a tie the value of the first and the derivative of the second. clip(t, lo, hi):
 * derivative 1 strictly inside. */
static void choose(struct parser *p, const char *name, struct dual *a)
{
    struct dual b;
    dual_init(p, &b);
    expect(p, ",");
    expression(p, &b);
    const int order = mpfr_cmp(a->v, b.v);
    if (strcmp(name, "clip") == 0) {
        struct dual high;
        dual_init(p, &high);
        expect(p, ",");
        expression(p, &high);
        const int below = order <= 0, above = mpfr_cmp(a->v, high.v) >= 0;
        if (below || above)
            set_constant_zero(a);
        if (order < 0)
            mpfr_set(a->v, b.v, MPFR_RNDN);
        else if (above)
            mpfr_set(a->v, high.v, MPFR_RNDN);
        set_terms(a);
        dual_clear(&high);
    } else if (order == 0) {
        mpfr_set(a->d, b.d, MPFR_RNDN);
        a->constant = b.constant;
    } else if ((order < 0) == (strcmp(name, "max") == 0)) {
        dual_set(a, &b);
        a->pure = 0; /* which branch it is depends on x */
    }
    dual_clear(&b);
}

static void primary(struct parser *p, struct dual *a)
{
    static const struct {
        const char *name;
        size_t offset;
    } params[] = {{"alpha", offsetof(act_params, alpha)},
                  {"beta", offsetof(act_params, beta)},
                  {"gamma", offsetof(act_params, gamma)},
                  {"delta", offsetof(act_params, delta)}};
    skip_space(p);
    if (accept(p, "(")) {
        expression(p, a);
        expect(p, ")");
        return;
    }
    if (isdigit((unsigned char)*p->at) || *p->at == '.') {
        char *end;
        mpfr_strtofr(a->v, p->at, &end, 10, MPFR_RNDN);
        p->at = end;
        set_terms(a);
        return;
    }
    char name[16] = "";
    size_t n = 0;
    while (isalnum((unsigned char)*p->at) && n + 1 < sizeof name)
        name[n++] = *p->at++;
    if (strcmp(name, "x") == 0 || strcmp(name, "y") == 0) {
        mpfr_set_d(a->v, p->variable, MPFR_RNDN);
        mpfr_set_ui(a->d, 1, MPFR_RNDN);
        a->pure = a->constant = 0;
        set_terms(a);
        return;
    }
    if (strcmp(name, "pi") == 0) {
        mpfr_const_pi(a->v, MPFR_RNDN);
        set_terms(a);
        return;
    }
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++)
        if (strcmp(name, params[i].name) == 0) {
            double value;
            memcpy(&value, (const char *)p->params + params[i].offset, sizeof value);
            mpfr_set_d(a->v, value, MPFR_RNDN);
            set_terms(a);
            return;
        }
    expect(p, "(");
    if (p->error)
        return;
    expression(p, a);
    if (strcmp(name, "max") == 0 || strcmp(name, "min") == 0 || strcmp(name, "clip") == 0)
        choose(p, name, a);
    else if (!apply(p, name, a) && !p->error)
        p->error = p->at;
    expect(p, ")");
}

static void unary(struct parser *p, struct dual *a)
{
    if (!accept(p, "-")) {
        primary(p, a);
        return;
    }
    unary(p, a);
    mpfr_neg(a->v, a->v, MPFR_RNDN);
    mpfr_neg(a->d, a->d, MPFR_RNDN);
}

static void chain(struct parser *p, struct dual *a, const char *operators,
                  void (*operand)(struct parser *, struct dual *))
{
    operand(p, a);
    for (skip_space(p); !p->error && *p->at && strchr(operators, *p->at); skip_space(p)) {
        const char op = *p->at++;
        struct dual b;
        dual_init(p, &b);
        operand(p, &b);
        arithmetic(p, op, a, &b);
        dual_clear(&b);
    }
}

static void term(struct parser *p, struct dual *a)
{
    chain(p, a, "*/", unary);
}

static void sum(struct parser *p, struct dual *a)
{
    chain(p, a, "+-", term);
}

/* sum [(< | <= | > | >=) sum ? expression : expression] */
static void expression(struct parser *p, struct dual *a)
{
    sum(p, a);
    const int or_equal = accept(p, "<=") ? -1 : accept(p, ">=") ? 1 : 0;
    const int side = or_equal ? or_equal : accept(p, "<") ? -1 : accept(p, ">") ? 1 : 0;
    if (!side || p->error)
        return;
    struct dual b, no;
    dual_init(p, &b);
    dual_init(p, &no);
    sum(p, &b);
    const int order = mpfr_cmp(a->v, b.v);
    const int yes = or_equal ? order * side >= 0 : order * side > 0;
    dual_clear(&b);
    dual_clear(a);
    dual_init(p, a);
    expect(p, "?");
    expression(p, a);
    expect(p, ":");
    expression(p, &no);
    if (!yes)
        dual_set(a, &no);
    dual_clear(&no);
}

static const char *evaluate(const char *text, double variable, const act_params *params,
                            mpfr_prec_t precision, struct formula_value *result)
{
    struct parser p = {text, NULL, variable, params, precision};
    struct dual a;
    mpfr_clear_flags();
    dual_init(&p, &a);
    expression(&p, &a);
    result->underflowed = mpfr_underflow_p() || mpfr_overflow_p();
    skip_space(&p);
    if (*p.at && !p.error)
        p.error = p.at;
    mpfr_set(result->value, a.v, MPFR_RNDN);
    mpfr_set(result->slope, a.d, MPFR_RNDN);
    mpfr_set(result->terms, a.av, MPFR_RNDN);
    mpfr_set(result->slope_terms, a.ad, MPFR_RNDN);
    result->constant = a.constant;
    dual_clear(&a);
    return p.error;
}

void formula_init(struct formula_value *v)
{
    mpfr_init2(v->value, 90);
    mpfr_init2(v->slope, 90);
    mpfr_init2(v->terms, 64);
    mpfr_init2(v->slope_terms, 64);
    v->constant = 0;
}

void formula_clear(struct formula_value *v)
{
    mpfr_clears(v->value, v->slope, v->terms, v->slope_terms, (mpfr_ptr)0);
}

/* e^(-2^39) is not 0. */
static void widen_exponents(void)
{
    mpfr_set_emin(mpfr_get_emin_min());
    mpfr_set_emax(mpfr_get_emax_max());
}

/* |exponent|; ilogb of 0, infinity and NaN has no absolute value. */
static int exponent_of(double variable)
{
    return variable != 0 && isfinite(variable) ? abs(ilogb(variable)) : 0;
}

const char *formula_eval_quick(const char *text, double variable, const act_params *params,
                               struct formula_value *result)
{
    widen_exponents();
    return evaluate(text, variable, params, 96 + exponent_of(variable), result);
}

const char *formula_eval_at(const char *text, double variable, const act_params *params,
                            int precision, struct formula_value *result)
{
    widen_exponents();
    return evaluate(text, variable, params, precision, result);
}

const char *formula_eval(const char *text, double variable, const act_params *params,
                         struct formula_value *result)
{
    widen_exponents();
    struct formula_value previous;
    formula_init(&previous);
    /* Enough to tell x + 1 from 1 and 1 / (1 + x)^2 from 1 / x^2; then until two precisions agree.
     */
    mpfr_prec_t precision = 256 + 2 * exponent_of(variable);
    const char *error = evaluate(text, variable, params, precision, &previous);
    for (precision *= 2; !error && precision <= 32768; precision *= 2) {
        error = evaluate(text, variable, params, precision, result);
        if (mpfr_equal_p(previous.value, result->value) &&
            mpfr_equal_p(previous.slope, result->slope))
            break;
        mpfr_set(previous.value, result->value, MPFR_RNDN);
        mpfr_set(previous.slope, result->slope, MPFR_RNDN);
    }
    formula_clear(&previous);
    return error;
}
