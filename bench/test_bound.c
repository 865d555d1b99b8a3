/* For tests/test_bench.sh, preloaded: no error is allowed, so that kernels fail their check; and
 * the softmax of floats is 0. */
#include "actfn/actfn.h"

#include <dlfcn.h>
#include <string.h>

double act_kind_bound(act_kind kind, act_dtype dtype, act_isa isa, act_mode mode, int backward)
{
    (void)kind, (void)dtype, (void)isa, (void)mode, (void)backward;
    return 0;
}

act_status act_softmax_forward(act_dtype type, unsigned flags, act_shape s,
                               const act_logits *logits, const void *in, void *out)
{
    act_status (*real)(act_dtype, unsigned, act_shape, const act_logits *, const void *, void *);
    void *const found = dlsym(RTLD_NEXT, "act_softmax_forward");
    memcpy(&real, &found, sizeof real);
    const act_status status = real(type, flags, s, logits, in, out);
    if (type == ACT_F32)
        memset(out, 0, s.outer * s.axis * s.inner * sizeof(float));
    return status;
}
