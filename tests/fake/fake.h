/* What the kernels of tests/fake note down: which table's kernel was called, and with what. */
#ifndef ACT_TESTS_FAKE_H
#define ACT_TESTS_FAKE_H

#include "actfn/actfn.h"

struct fake_call {
    const char *isa, *kind, *op;
    act_dtype dtype;
    act_params params;
    const void *in, *grad_out, *out;
    size_t n;
};
extern struct fake_call fake_last;

#endif
