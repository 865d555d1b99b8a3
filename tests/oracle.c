/* Formulas to trees: the grammar of docs/FORMULAS.md. */
#include "tests/oracle.h"
#include "tests/formula.h"
#include "tests/oracle_tree.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Formulas, as kinds.inc has them, that cancel so much that 113 bits do not do, and the same
 * functions otherwise. A formula that is changed there is evaluated as it stands. */
static const struct {
    const char *formula, *instead;
} rewritten[] = {
    {"x - tanh(x)", "tanhshrink(x)"},
    {"abs(x) - log(2) + log1p(exp(-2 * abs(x)))", "logcosh(x)"},
    /* The derivative, 1 - abs(x) / (1 + abs(x)), cancels. */
    {"x / (1 + abs(x))",
     "abs(x) < 1 ? x / (1 + abs(x)) : x > 0 ? 1 - 1 / (1 + x) : 1 / (1 - x) - 1"},
};

struct parser {
    struct oracle *o;
    const char *at;
    const act_params *params;
    int failed;
};

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
    p->failed |= !accept(p, token);
}

static struct oracle_node *node_at(const struct parser *p, int i)
{
    return &p->o->node[i];
}

static int is_constant(const struct parser *p, int i)
{
    return node_at(p, i)->op == O_CONST;
}

static int is_zero(const struct parser *p, int i)
{
    return is_constant(p, i) && mpfr_zero_p(node_at(p, i)->value);
}

static int new_node(struct parser *p, enum oracle_op op, int a, int b)
{
    if (p->o->count == ORACLE_NODES) {
        p->failed = 1;
        return 0;
    }
    struct oracle_node *node = node_at(p, p->o->count);
    *node = (struct oracle_node){.op = op, .child = {a, b, 0, 0}};
    mpfr_init2(node->value, 300);
    return p->o->count++;
}

/* Makes what both evaluators need of a constant's value. */
static int new_constant(struct parser *p, const mpfr_t value)
{
    const int i = new_node(p, O_CONST, 0, 0);
    struct oracle_node *node = node_at(p, i);
    if (p->failed)
        return i;
    mpfr_set(node->value, value, MPFR_RNDN);
    p->failed |= !mpfr_number_p(node->value);
    node->high = mpfr_get_ld(node->value, MPFR_RNDN);
    mpfr_t rest;
    mpfr_init2(rest, 300);
    mpfr_set_ld(rest, node->high, MPFR_RNDN);
    mpfr_sub(rest, node->value, rest, MPFR_RNDN);
    node->exact = mpfr_zero_p(rest);
    node->low = mpfr_get_ld(rest, MPFR_RNDN);
    node->power_of_two = mpfr_zero_p(node->value) || mpfr_min_prec(node->value) == 1;
    mpfr_clear(rest);
    return i;
}

static int zero(struct parser *p)
{
    mpfr_t value;
    mpfr_init2(value, 53);
    mpfr_set_zero(value, 1);
    const int i = new_constant(p, value);
    mpfr_clear(value);
    return i;
}

/* The constant that the text from start on has been: tests/formula.c says what it is. */
static int fold(struct parser *p, const char *start)
{
    char text[256];
    const size_t length = (size_t)(p->at - start);
    struct formula_value v;
    formula_init(&v);
    mpfr_set_prec(v.value, 300);
    int i = 0;
    if (length >= sizeof text || p->failed) {
        p->failed = 1;
    } else {
        memcpy(text, start, length);
        text[length] = 0;
        p->failed |= formula_eval_at(text, 0, p->params, 400, &v) != NULL;
        i = new_constant(p, v.value);
    }
    formula_clear(&v);
    return i;
}

/* 1 / the constant. */
static int reciprocal(struct parser *p, int constant)
{
    mpfr_t value;
    mpfr_init2(value, 300);
    mpfr_ui_div(value, 1, node_at(p, constant)->value, MPFR_RNDN);
    const int i = new_constant(p, value);
    mpfr_clear(value);
    return i;
}

static int negative(struct parser *p, int a)
{
    if (!is_constant(p, a)) {
        const int i = new_node(p, O_NEG, a, 0);
        node_at(p, i)->varies = node_at(p, a)->varies;
        return i;
    }
    mpfr_t value;
    mpfr_init2(value, 300);
    mpfr_neg(value, node_at(p, a)->value, MPFR_RNDN);
    const int i = new_constant(p, value);
    mpfr_clear(value);
    return i;
}

/* Its derivative may vanish: everywhere, or where a branch or a clip has removed x. */
static int may_vanish(const struct parser *p, int i)
{
    return is_constant(p, i) || node_at(p, i)->varies;
}

/* a (op) b. A constant of a sum, product or quotient comes second, but of 1 / x. */
static int arithmetic(struct parser *p, char op, int a, int b)
{
    if (op == '-')
        return arithmetic(p, '+', a, negative(p, b));
    if (op == '/' && is_constant(p, b))
        return arithmetic(p, '*', a, reciprocal(p, b));
    if (op == '*' && (is_zero(p, a) || is_zero(p, b)))
        return zero(p); /* docs/FORMULAS.md: the constant +0 */
    if (op == '/' && is_zero(p, a))
        return zero(p);
    if (op == '+' && is_zero(p, b))
        return a;
    if (op != '/' && is_constant(p, a) && !is_constant(p, b))
        return arithmetic(p, op, b, a);
    const int i = new_node(p, op == '+' ? O_ADD : op == '*' ? O_MUL : O_DIV, a, b);
    const struct oracle_node *first = node_at(p, a), *second = node_at(p, b);
    node_at(p, i)->varies = op == '+'   ? may_vanish(p, a) && may_vanish(p, b)
                            : op == '*' ? first->varies || second->varies
                                        : first->varies || (is_constant(p, a) && second->varies);
    return i;
}

static int expression(struct parser *p);

static int apply(struct parser *p, const char *name)
{
    static const char *const functions[] = {"exp", "expm1", "log", "log1p",      "sqrt",   "tanh",
                                            "erf", "erfc",  "abs", "tanhshrink", "logcosh"};
    const int a = expression(p);
    int i = 0;
    if (strcmp(name, "max") == 0 || strcmp(name, "min") == 0) {
        expect(p, ",");
        i = new_node(p, name[1] == 'a' ? O_MAX : O_MIN, a, expression(p));
        node_at(p, i)->varies = may_vanish(p, a) || may_vanish(p, node_at(p, i)->child[1]);
    } else if (strcmp(name, "clip") == 0) {
        expect(p, ",");
        const int low = expression(p);
        expect(p, ",");
        const int high = expression(p);
        p->failed |= !is_constant(p, low) || !is_constant(p, high);
        i = new_node(p, O_CLIP, a, low);
        node_at(p, i)->child[2] = high;
        node_at(p, i)->varies = 1;
    } else {
        int f = 0;
        while (f <= O_LOGCOSH - O_FUNCTIONS && strcmp(name, functions[f]) != 0)
            f++;
        p->failed |= f > O_LOGCOSH - O_FUNCTIONS;
        i = new_node(p, (enum oracle_op)(O_FUNCTIONS + f), a, 0);
        node_at(p, i)->varies = node_at(p, a)->varies;
    }
    expect(p, ")");
    return i;
}

/* Whether all the nodes from first on are constants or made of such: then the text is one. */
static int made_of_constants(const struct parser *p, int first)
{
    for (int i = first; i < p->o->count; i++)
        if (node_at(p, i)->op == O_X)
            return 0;
    return 1;
}

static int primary(struct parser *p)
{
    skip_space(p);
    const char *start = p->at;
    const int first = p->o->count;
    int i = 0;
    if (accept(p, "(")) {
        i = expression(p);
        expect(p, ")");
        return i;
    }
    if (isdigit((unsigned char)*p->at) || *p->at == '.') {
        char *end;
        strtod(p->at, &end);
        p->at = end;
        return fold(p, start);
    }
    char name[16] = "";
    size_t n = 0;
    while (isalnum((unsigned char)*p->at) && n + 1 < sizeof name)
        name[n++] = *p->at++;
    if (strcmp(name, "x") == 0)
        return new_node(p, O_X, 0, 0);
    if (!accept(p, "("))
        return fold(p, start); /* a parameter or pi */
    i = apply(p, name);
    return made_of_constants(p, first) ? fold(p, start) : i;
}

static int unary(struct parser *p)
{
    return accept(p, "-") ? negative(p, unary(p)) : primary(p);
}

static int chain(struct parser *p, const char *operators, int (*operand)(struct parser *))
{
    skip_space(p);
    const char *start = p->at;
    int i = operand(p);
    for (skip_space(p); !p->failed && *p->at && strchr(operators, *p->at); skip_space(p)) {
        const char op = *p->at++;
        const int b = operand(p);
        i = is_constant(p, i) && is_constant(p, b) ? fold(p, start) : arithmetic(p, op, i, b);
    }
    return i;
}

static int term(struct parser *p)
{
    return chain(p, "*/", unary);
}

static int sum(struct parser *p)
{
    return chain(p, "+-", term);
}

static int expression(struct parser *p)
{
    const int a = sum(p);
    int compare = -1;
    if (accept(p, "<="))
        compare = LESS | OR_EQUAL;
    else if (accept(p, ">="))
        compare = OR_EQUAL;
    else if (accept(p, "<"))
        compare = LESS;
    else if (accept(p, ">"))
        compare = 0;
    if (compare < 0 || p->failed)
        return a;
    const int b = sum(p);
    expect(p, "?");
    const int yes = expression(p);
    expect(p, ":");
    const int no = expression(p);
    if (is_constant(p, a) && is_constant(p, b)) {
        const int order = mpfr_cmp(node_at(p, a)->value, node_at(p, b)->value);
        const int holds = order == 0 ? compare & OR_EQUAL : (order < 0) == (compare & LESS);
        return holds ? yes : no;
    }
    const int i = new_node(p, O_SELECT, a, b);
    struct oracle_node *node = node_at(p, i);
    node->child[2] = yes;
    node->child[3] = no;
    node->compare = compare;
    node->varies = may_vanish(p, yes) || may_vanish(p, no);
    return i;
}

struct oracle *oracle_new(const char *formula, const act_params *params)
{
    for (size_t i = 0; i < sizeof rewritten / sizeof rewritten[0]; i++)
        if (strcmp(formula, rewritten[i].formula) == 0)
            formula = rewritten[i].instead;
    struct oracle *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    struct parser p = {o, formula, params, 0};
    o->root = expression(&p);
    skip_space(&p);
    if (!p.failed && !*p.at)
        return o;
    oracle_free(o);
    return NULL;
}

void oracle_free(struct oracle *o)
{
    for (int i = 0; o && i < o->count; i++)
        mpfr_clear(o->node[i].value);
    free(o);
}
