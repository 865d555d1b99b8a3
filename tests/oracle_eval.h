/* The evaluation of oracle.h's trees in one type: real, with REAL(f) its function f, U its unit
 * roundoff. No includes here: oracle_long.c and oracle_quad.c have them.
 *
 * A value is |true - v| <= e, its derivative |true' - d| <= f. A bound is computed in the same type
 * with a few roundings of its own; that, and what is of second order, is in the factor SLACK. */

enum { CHUNK = 128 }; /* 8 KB of v, e, d, f each: a formula's depth of them is in L2 */

struct values {
    real v[CHUNK], e[CHUNK], d[CHUNK], f[CHUNK];
    unsigned char constant[CHUNK]; /* f does not depend on x here: d and f are 0 */
};

#define SLACK ((real)1.002L)
/* 8 ulp of the largest relative size. */
#define FUNCTION ((real)16 * U)
/* Nothing is known. Its square is finite: infinities cost an x87 a hundred cycles. */
#define UNKNOWN ((real)0x1p7000L)
/* Exponentials stop here, for their squares to be finite too. */
#define FAR ((real)5000)
/* Operands are known to this relative bound, or nothing is known of the result. */
#define KNOWN ((real)0x1p-10L)

static real magnitude(real x)
{
    return REAL(__builtin_fabs)(x);
}

/* s' * (d within f), with s known within t. */
static void chain_rule(struct values *a, int i, real s, real t)
{
    const real d = a->d[i], product = s * d;
    a->f[i] =
        magnitude(s) * a->f[i] + t * (magnitude(d) + a->f[i]) + U * SLACK * magnitude(product);
    a->d[i] = product;
}

static void unknown(struct values *a, int i)
{
    a->v[i] = a->d[i] = 1;
    a->e[i] = a->f[i] = UNKNOWN;
    a->constant[i] = 0;
}

/* exp(KNOWN) is within SLACK of 1. Each function f of a: y = f(v), s = f'(v) within t, and
 * the new e is the old one times the largest |f'| around v, and the rounding of y. */
static void exponential(struct values *a, int n)
{
    for (int i = 0; i < n; i++) {
        real x = a->v[i], e = a->e[i];
        if (magnitude(x) > FAR) {
            x = x < 0 ? -FAR : FAR;
            e = 0;
        }
        if (e > KNOWN) {
            unknown(a, i);
            continue;
        }
        const real y = REAL(exp)(x), bound = y * (e * SLACK + FUNCTION);
        a->v[i] = y;
        a->e[i] = bound;
        chain_rule(a, i, y, bound);
    }
}

static void exponential_minus_1(struct values *a, int n)
{
    for (int i = 0; i < n; i++) {
        real x = a->v[i], e = a->e[i];
        if (magnitude(x) > FAR) {
            x = x < 0 ? -FAR : FAR;
            e = 0;
        }
        if (e > KNOWN) {
            unknown(a, i);
            continue;
        }
        real y, s, own; /* exp(x) within own, its own rounding */
        if (x > (real)-0.7L) {
            y = REAL(expm1)(x);
            s = y + 1;
            own = FUNCTION * magnitude(y) + U * s;
            a->e[i] = s * e * SLACK + FUNCTION * magnitude(y) + own * e;
        } else {
            s = REAL(exp)(x);
            y = s - 1;
            own = FUNCTION * s;
            a->e[i] = s * e * SLACK + (own + U * magnitude(y)) * SLACK;
        }
        a->v[i] = y;
        chain_rule(a, i, s, s * e * SLACK + own);
    }
}

/* log(x + 1) or log(x). */
static void logarithm(struct values *a, int n, int plus_1)
{
    for (int i = 0; i < n; i++) {
        const real x = a->v[i], e = a->e[i], u = plus_1 ? x + 1 : x;
        if (!(u > 0) || e > KNOWN * u) {
            unknown(a, i);
            continue;
        }
        const real y = plus_1 ? REAL(log1p)(x) : REAL(log)(x), s = 1 / u;
        a->v[i] = y;
        a->e[i] = e * s * SLACK + FUNCTION * magnitude(y);
        chain_rule(a, i, s, s * (e * s + 2 * U) * SLACK);
    }
}

static void square_root(struct values *a, int n)
{
    for (int i = 0; i < n; i++) {
        const real x = a->v[i], e = a->e[i];
        if (!(x > 0) || e > KNOWN * x) {
            unknown(a, i);
            continue;
        }
        const real y = REAL(sqrt)(x), s = 1 / (y + y);
        a->v[i] = y;
        a->e[i] = (e * s + U * y) * SLACK;
        chain_rule(a, i, s, s * (e * s / y + 2 * U) * SLACK);
    }
}

/* tanh and its derivative, sech^2, by one function each, and how far off they may be. */
static real tanh_of(real x, real *slope, real *slope_bound, real *bound)
{
    const real m = magnitude(x);
    if (m < (real)0.55L) {
        const real y = REAL(tanh)(x);
        *bound = FUNCTION * magnitude(y);
        *slope = 1 - y * y; /* y < .51 */
        *slope_bound = 2 * (FUNCTION + U);
        return y;
    }
    const real q = REAL(exp)(-2 * (m < FAR / 2 ? m : FAR / 2)), r = 1 / (1 + q), y = (1 - q) * r;
    *bound = (FUNCTION + 4 * U) * y; /* by q, 2 q / (1 - q^2) < .75 of FUNCTION */
    *slope = 4 * q * r * r;
    *slope_bound = (FUNCTION + 8 * U) * *slope;
    return x < 0 ? -y : y;
}

static void hyperbolic_tangent(struct values *a, int n)
{
    for (int i = 0; i < n; i++) {
        real e = a->e[i], s, t, own;
        if (magnitude(a->v[i]) > FAR / 2)
            e = 0;
        if (e > KNOWN) {
            unknown(a, i);
            continue;
        }
        a->v[i] = tanh_of(a->v[i], &s, &t, &own);
        a->e[i] = (s + t) * e * (1 + 4 * KNOWN) + own;
        /* |tanh''| = 2 |tanh| sech^2 */
        chain_rule(a, i, s, t + 2 * s * e * (1 + 4 * KNOWN));
    }
}

/* erf or erfc. */
static void error_function(struct values *a, int n, int complement)
{
    const real limit = 70, two_over_root_pi = (real)0x1.20dd750429b6dp+0 +
                                              (real)0x1.1ae3a914fed8p-56 -
                                              (real)0x1.3cbbebf65f145p-111;
    for (int i = 0; i < n; i++) {
        real x = a->v[i], e = a->e[i];
        if (magnitude(x) > limit) { /* and the derivative is that there: their ratio stays right */
            x = x < 0 ? -limit : limit;
            e = 0;
        }
        const real m = magnitude(x);
        if ((2 * m + 1) * e > KNOWN) {
            unknown(a, i);
            continue;
        }
        const real square = x * x, y = complement ? REAL(erfc)(x) : REAL(erf)(x);
        const real s = two_over_root_pi * REAL(exp)(-square);
        a->v[i] = y;
        a->e[i] = s * e * SLACK + FUNCTION * magnitude(y);
        chain_rule(a, i, complement ? -s : s,
                   s * (FUNCTION + U * (square + 4) + (2 * m + 1) * e) * SLACK);
    }
}

static void absolute(struct values *a, int n)
{
    for (int i = 0; i < n; i++) {
        const real x = a->v[i];
        if (x == 0 && a->e[i] == 0)
            a->d[i] = a->f[i] = 0;
        else if (magnitude(x) <= a->e[i])
            unknown(a, i);
        else if (x < 0)
            a->d[i] = -a->d[i];
        a->v[i] = magnitude(a->v[i]);
    }
}

/* x - tanh(x), of x itself. Below 1/2 by the continued fraction: tanh(x) = x / (1 + c),
 * c = x^2 / (3 + x^2 / (5 + ...)), all of it positive, and x - tanh(x) = x c / (1 + c). With t the
 * fraction's tail from 2 k + 1 on, t = p[k] / p[k+1] and p[k] = (2 k + 1) p[k+1] + x^2 p[k+2]. */
static void tanh_shrink(struct values *a, int n)
{
    for (int i = 0; i < n; i++) {
        const real x = a->v[i];
        real s, t, own;
        if (a->e[i] != 0) {
            unknown(a, i);
            continue;
        }
        const real y = tanh_of(x, &s, &t, &own);
        if (magnitude(x) < (real)0.5L) {
            const real z = x * x;
            real p = 2 * TANH_TERMS + 1, next = 1;
            for (int k = TANH_TERMS - 1; k >= 1; k--) {
                const real before = (real)(2 * k + 1) * p + z * next;
                next = p;
                p = before;
            }
            next *= z;
            a->v[i] = x * (next / (p + next));
            a->e[i] = (4 * TANH_TERMS + 10) * U * magnitude(a->v[i]);
        } else {
            a->v[i] = x - y;
            a->e[i] = own + U * SLACK * magnitude(a->v[i]);
        }
        const real square = y * y;
        chain_rule(a, i, square, (2 * own * magnitude(y) + U * square) * SLACK);
    }
}

/* log(cosh(x)), of x itself: below 1 by log1p(2 sinh^2(x / 2)). */
static void log_cosh(struct values *a, int n)
{
    const real log_2 =
        (real)0x1.62e42fefa39efp-1 + (real)0x1.abc9e3b39803fp-56 + (real)0x1.7b57a079a1934p-111;
    for (int i = 0; i < n; i++) {
        const real x = a->v[i], m = magnitude(x);
        real s, t, own;
        if (a->e[i] != 0) {
            unknown(a, i);
            continue;
        }
        const real y = tanh_of(x, &s, &t, &own);
        if (m < 1) {
            const real h = REAL(sinh)(x / 2);
            a->v[i] = REAL(log1p)(2 * h * h);
            a->e[i] = 4 * FUNCTION * a->v[i];
        } else {
            a->v[i] = m - log_2 + REAL(log1p)(REAL(exp)(-2 * (m < FAR ? m : FAR)));
            a->e[i] = 4 * FUNCTION + 2 * U * SLACK * m; /* of the terms below 1, and of the sums */
        }
        chain_rule(a, i, y, own);
    }
}

static void function(enum oracle_op op, struct values *a, int n)
{
    if (op == O_EXP)
        exponential(a, n);
    else if (op == O_EXPM1)
        exponential_minus_1(a, n);
    else if (op == O_LOG || op == O_LOG1P)
        logarithm(a, n, op == O_LOG1P);
    else if (op == O_SQRT)
        square_root(a, n);
    else if (op == O_TANH)
        hyperbolic_tangent(a, n);
    else if (op == O_ERF || op == O_ERFC)
        error_function(a, n, op == O_ERFC);
    else if (op == O_ABS)
        absolute(a, n);
    else if (op == O_TANHSHRINK)
        tanh_shrink(a, n);
    else
        log_cosh(a, n);
}

/* ---- arithmetic ----------------------------------------------------------------------------- */

/* By how much sum is not a + b: exactly that, and 0 for the many sums that are exact. */
static real rounding(real a, real b, real sum)
{
    const real part = sum - a;
    return magnitude((a - (sum - part)) + (b - part));
}

static void add_constant(struct values *a, real c, real ec, int n)
{
    for (int i = 0; i < n; i++) {
        const real sum = a->v[i] + c;
        a->e[i] = (a->e[i] + ec + rounding(a->v[i], c, sum)) * SLACK;
        a->v[i] = sum;
    }
}

static void add(struct values *restrict a, const struct values *restrict b, int n)
{
    for (int i = 0; i < n; i++) {
        const real v = a->v[i] + b->v[i], d = a->d[i] + b->d[i];
        a->e[i] = (a->e[i] + b->e[i] + rounding(a->v[i], b->v[i], v)) * SLACK;
        a->f[i] = (a->f[i] + b->f[i] + rounding(a->d[i], b->d[i], d)) * SLACK;
        a->v[i] = v;
        a->d[i] = d;
    }
}

/* By a constant within ec of c, exact: a power of two. */
static void multiply_constant(struct values *a, real c, real ec, int exact, int n)
{
    const real size = magnitude(c), own = ec + (exact ? 0 : U * SLACK * size);
    for (int i = 0; i < n; i++) {
        a->e[i] = a->e[i] * size * SLACK + magnitude(a->v[i]) * own;
        a->f[i] = a->f[i] * size * SLACK + magnitude(a->d[i]) * own;
        a->v[i] *= c;
        a->d[i] *= c;
    }
}

static void multiply(struct values *restrict a, const struct values *restrict b, int n)
{
    for (int i = 0; i < n; i++) {
        const real x = a->v[i], ex = a->e[i], dx = a->d[i], fx = a->f[i];
        const real y = b->v[i], ey = b->e[i], dy = b->d[i], fy = b->f[i];
        const real ax = magnitude(x), ay = magnitude(y), left = dx * y, right = x * dy,
                   product = x * y, slope = left + right;
        a->v[i] = product;
        a->e[i] = ax * ey + ex * (ay + ey) + U * SLACK * magnitude(product);
        a->d[i] = slope;
        a->f[i] = fx * (ay + ey) + magnitude(dx) * ey + fy * (ax + ex) + magnitude(dy) * ex +
                  U * SLACK * (magnitude(left) + magnitude(right) + magnitude(slope));
    }
}

/* (a / b)' = (a' - (a / b) b') / b */
static void divide(struct values *restrict a, const struct values *restrict b, int n)
{
    for (int i = 0; i < n; i++) {
        const real y = b->v[i], ey = b->e[i], dy = b->d[i], ay = magnitude(y);
        if (!(ey <= KNOWN * ay) || y == 0) {
            unknown(a, i);
            continue;
        }
        const real inverse = 1 / y, size = magnitude(inverse) * SLACK;
        const real q = a->v[i] * inverse, aq = magnitude(q);
        const real e = (a->e[i] + aq * ey) * size + 2 * U * SLACK * aq;
        const real back = q * dy, t = a->d[i] - back, d = t * inverse;
        const real ft = a->f[i] + aq * b->f[i] + e * (magnitude(dy) + b->f[i]) +
                        U * SLACK * (magnitude(back) + magnitude(t));
        a->v[i] = q;
        a->e[i] = e;
        a->d[i] = d;
        a->f[i] = (ft + magnitude(d) * ey) * size + 2 * U * SLACK * magnitude(d);
    }
}

/* ---- what depends on x ---------------------------------------------------------------------- */

static void copy(struct values *a, int i, const struct values *b, int k)
{
    a->v[i] = b->v[k];
    a->e[i] = b->e[k];
    a->d[i] = b->d[k];
    a->f[i] = b->f[k];
    a->constant[i] = b->constant[k];
}

/* a < b: -1, a = b: 0, a > b: 1; 2 if the bounds do not tell. */
static int order(const struct values *a, const struct values *b, int i)
{
    const real off = a->v[i] - b->v[i], bound = a->e[i] + b->e[i];
    if (off == 0 && bound == 0)
        return 0;
    /* The difference is rounded, to 0 only if it is 0. */
    return magnitude(off) <= bound * SLACK ? 2 : off < 0 ? -1 : 1;
}

static void larger(struct values *a, const struct values *b, int n, int side)
{
    for (int i = 0; i < n; i++) {
        const int o = order(a, b, i);
        if (o == 2) {
            unknown(a, i);
        } else if (o == 0) {
            a->d[i] = b->d[i];
            a->f[i] = b->f[i];
            a->constant[i] = b->constant[i];
        } else if (o == -side) {
            copy(a, i, b, i);
        }
    }
}

static void clip(struct values *a, const struct values *low, const struct values *high, int n)
{
    for (int i = 0; i < n; i++) {
        const int below = order(a, low, i), above = order(a, high, i);
        if (below == 2 || above == 2) {
            unknown(a, i);
            continue;
        }
        if (below < 0)
            copy(a, i, low, i);
        else if (above > 0)
            copy(a, i, high, i);
        if (below <= 0 || above >= 0) {
            a->d[i] = a->f[i] = 0;
            a->constant[i] = 1;
        }
    }
}

static void evaluate(const struct oracle *o, int index, const real *x, int n, struct values *a);

/* Each branch for its own points. */
static void branch(const struct oracle *o, const struct oracle_node *node, const real *x, int n,
                   struct values *a)
{
    struct values b;
    real own[CHUNK];
    unsigned char side[CHUNK];
    evaluate(o, node->child[0], x, n, a);
    evaluate(o, node->child[1], x, n, &b);
    for (int i = 0; i < n; i++) {
        const int known = order(a, &b, i);
        side[i] = known == 2   ? 2
                  : known == 0 ? (node->compare & OR_EQUAL) != 0
                               : (known < 0) == (node->compare & LESS);
        if (known == 2)
            unknown(a, i);
    }
    for (int yes = 0; yes < 2; yes++) {
        int count = 0;
        for (int i = 0; i < n; i++)
            if (side[i] == yes)
                own[count++] = x[i];
        if (count == 0)
            continue;
        evaluate(o, node->child[yes ? 2 : 3], own, count, &b);
        for (int i = 0, k = 0; i < n; i++)
            if (side[i] == yes)
                copy(a, i, &b, k++);
    }
}

/* ---- the tree ------------------------------------------------------------------------------- */

static void fill(struct values *a, real v, real e, real d, int constant, int n)
{
    for (int i = 0; i < n; i++) {
        a->v[i] = v;
        a->e[i] = e;
        a->d[i] = d;
        a->f[i] = 0;
    }
    memset(a->constant, constant, (size_t)n);
}

static real value_of(const struct oracle_node *node, real *bound)
{
    const real v = (real)node->high + (real)node->low;
    *bound = node->exact ? 0 : U * SLACK * magnitude(v);
    return v;
}

static void negate(struct values *a, int n)
{
    for (int i = 0; i < n; i++) {
        a->v[i] = -a->v[i];
        a->d[i] = -a->d[i];
    }
}

/* Before the operation: where its result is a constant. */
static void constants(const struct oracle_node *node, struct values *a, const struct values *b,
                      int n)
{
    if (!node->varies) {
        memset(a->constant, 0, (size_t)n);
        return;
    }
    for (int i = 0; i < n; i++) {
        const int both = a->constant[i] & b->constant[i];
        if (node->op == O_ADD)
            a->constant[i] = (unsigned char)both;
        else
            a->constant[i] = both || (a->constant[i] && a->v[i] == 0 && a->e[i] == 0) ||
                             (node->op == O_MUL && b->constant[i] && b->v[i] == 0 && b->e[i] == 0);
    }
}

static void evaluate(const struct oracle *o, int index, const real *x, int n, struct values *a)
{
    const struct oracle_node *node = &o->node[index], *second = &o->node[node->child[1]];
    real bound, c;
    if (node->op == O_X) {
        fill(a, 0, 0, 1, 0, n);
        memcpy(a->v, x, (size_t)n * sizeof *x);
        return;
    }
    if (node->op == O_CONST) {
        c = value_of(node, &bound);
        fill(a, c, bound, 0, 1, n);
        return;
    }
    if (node->op == O_SELECT) {
        branch(o, node, x, n, a);
        return;
    }
    evaluate(o, node->child[0], x, n, a);
    if (node->op == O_NEG) {
        negate(a, n);
    } else if (node->op >= O_FUNCTIONS) {
        function(node->op, a, n);
    } else if (node->op == O_ADD && second->op == O_CONST) {
        c = value_of(second, &bound);
        add_constant(a, c, bound, n);
    } else if (node->op == O_MUL && second->op == O_CONST) {
        c = value_of(second, &bound);
        multiply_constant(a, c, bound, second->power_of_two, n);
    } else {
        struct values b;
        evaluate(o, node->child[1], x, n, &b);
        if (node->op == O_CLIP) {
            struct values high;
            evaluate(o, node->child[2], x, n, &high);
            clip(a, &b, &high, n);
        } else if (node->op == O_MAX || node->op == O_MIN) {
            larger(a, &b, n, node->op == O_MAX ? 1 : -1);
        } else {
            constants(node, a, &b, n);
            if (node->op == O_ADD)
                add(a, &b, n);
            else if (node->op == O_MUL)
                multiply(a, &b, n);
            else
                divide(a, &b, n);
        }
    }
}

/* ---- results -------------------------------------------------------------------------------- */

static int exponent_of(const real *x)
{
    uint16_t top;
    memcpy(&top, (const unsigned char *)x + TOP, sizeof top);
    return (top & 0x7fff) - 16383;
}

static double power(int exponent)
{
    const uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

static void want(struct oracle_wants *w, int i, const real *v, real e)
{
    uint16_t top;
    memcpy(&top, (const unsigned char *)v + TOP, sizeof top);
    const int size = exponent_of(v);
    int q = size < -1022 ? -1074 : size > 1100 ? 1048 : size - 52;
    double a = power(-(q / 2)), b = power(-(q - q / 2));
    const real scaled = *v * (real)a * (real)b, scaled_bound = e * (real)a * (real)b * SLACK;
    double high = (double)scaled, low = (double)(scaled - (real)high);
    double bound = (double)scaled_bound + (low == 0 ? 0 : 0x1p-50); /* low is rounded */
    if (magnitude(*v) <= e && !(*v == 0 && e == 0)) {
        bound = INFINITY;     /* the sign is not known */
    } else if (size > 1100) { /* every double is equally far */
        high = copysign(0x1p60, high);
        low = 0;
        bound = e < magnitude(*v) / 2 ? 0 : INFINITY;
    }
    if (q > -1074 && fabs(high) - fabs(low) - bound < 0x1p52) {
        /* It may be in the binade below, whose unit is half as large. */
        q--;
        a *= 2;
        high *= 2;
        low *= 2;
        bound *= 2;
    }
    w->high[i] = high;
    w->low[i] = low;
    w->bound[i] = bound;
    w->unit_a[i] = a;
    w->unit_b[i] = b;
    w->exponent[i] = q;
    w->sign[i] = (uint64_t)(top >> 15) << 63;
}

static void chunk(const struct oracle *o, const double *x, const double *g, int n, int first,
                  struct oracle_wants *forward, struct oracle_wants *backward)
{
    struct values a;
    real in[CHUNK], product[CHUNK], bound[CHUNK];
    for (int i = 0; i < n; i++)
        in[i] = (real)x[i];
    evaluate(o, o->root, in, n, &a);
    for (int i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &g[i], sizeof bits);
        /* A product with a power of two, or 0, is exact. */
        const int exact = !(bits << 12) || is_power(&a.d[i]) || a.d[i] == 0;
        product[i] = a.constant[i] ? 0 : a.d[i] * (real)g[i]; /* 0 whatever g is */
        bound[i] = a.f[i] * magnitude((real)g[i]) * SLACK +
                   (exact ? 0 : U * SLACK * magnitude(product[i]));
        backward->tiny[i + first] = magnitude(a.d[i]) + a.f[i] < (real)0x1p-1022L;
    }
    for (int i = 0; i < n; i++) {
        want(forward, i + first, &a.v[i], a.e[i]);
        want(backward, i + first, &product[i], bound[i]);
    }
}
