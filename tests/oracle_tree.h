/* The tree of a formula, for oracle.c, which makes it, and oracle_eval.h, which evaluates it. */
#ifndef ACT_TESTS_ORACLE_TREE_H
#define ACT_TESTS_ORACLE_TREE_H

#include <mpfr.h>

enum oracle_op {
    O_X,
    O_CONST,
    O_NEG,
    O_ADD,
    O_MUL,
    O_DIV,
    O_MAX,
    O_MIN,
    O_CLIP,   /* child 0 between the constants 1 and 2 */
    O_SELECT, /* child 0 (compare) 1 ? 2 : 3 */
    O_FUNCTIONS,
    O_EXP = O_FUNCTIONS,
    O_EXPM1,
    O_LOG,
    O_LOG1P,
    O_SQRT,
    O_TANH,
    O_ERF,
    O_ERFC,
    O_ABS,
    O_TANHSHRINK, /* x - tanh(x) */
    O_LOGCOSH,
};

enum { ORACLE_NODES = 128, LESS = 1, OR_EQUAL = 2 }; /* compare: <, <=, or the two negated */

struct oracle_node {
    enum oracle_op op;
    int child[4], compare;
    int varies;            /* whether its derivative vanishes depends on x: a clip, a branch */
    mpfr_t value;          /* of a constant: to 300 bits, */
    long double high, low; /* and as a sum, to 2^-128 of it at least */
    int exact;             /* high alone is it */
    int power_of_two;      /* or its negative, or 0: products with it are exact */
};

struct oracle {
    struct oracle_node node[ORACLE_NODES];
    int count, root;
};

#endif
