/* Where a kind wants to be looked at closely: what its file says in ACT_TEST, for the tests. */
#ifndef ACT_KERNELS_TEST_DATA_H
#define ACT_KERNELS_TEST_DATA_H

struct act_test {
    double zero;     /* of f', where relative error is unbounded: an absolute bound within .5 */
    int zero_over;   /* the zero is at zero / field: 'b' beta, 'c' gamma (alpha - beta), 0 none;
                      * 'B' beta, and none unless alpha is tiny: it moves the zero */
    int cancels;     /* a sum of terms: error relative to them, not to the result; 1: except with the
                      * default parameters, 2: with those too, 3: as 1, and
                      * relative to |alpha| + |beta| where a term fades */
    int odd_zero;    /* f(-0) is -0, whatever the parameters */
    double edge[15]; /* kinks, breakpoints of the kernels, limits of the range; 0 is no edge */
};

#endif
