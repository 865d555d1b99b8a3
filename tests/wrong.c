/* Preloaded by verify.sh: elu wrong on [-4, -1], or for NaN, as ACT_TEST_WRONG says. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "actfn/actfn.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int wrong(const char *what, act_kind kind)
{
    const char *wanted = getenv("ACT_TEST_WRONG");
    return kind == ACT_ELU && wanted && strcmp(wanted, what) == 0;
}

/* By 16 ULP, in all tables but the scalar one. */
act_status act_forward(act_kind kind, const act_params *params, const float *in, float *out,
                       size_t n)
{
    act_status (*real)(act_kind, const act_params *, const float *, float *, size_t);
    *(void **)&real = dlsym(RTLD_NEXT, "act_forward");
    const act_status status = real(kind, params, in, out, n);
    for (size_t i = 0; i < n && act_get_isa() != ACT_ISA_SCALAR; i++) {
        if (wrong("f32", kind) && in[i] >= -4 && in[i] <= -1)
            out[i] *= 1 + 0x1p-20f;
        if (wrong("nan", kind) && isnan(in[i]))
            out[i] = 0;
    }
    return status;
}

/* By .004 f32 ULP, which no f32 kernel's bound feels. */
act_status act_forward_f64(act_kind kind, const act_params *params, const double *in, double *out,
                           size_t n)
{
    act_status (*real)(act_kind, const act_params *, const double *, double *, size_t);
    *(void **)&real = dlsym(RTLD_NEXT, "act_forward_f64");
    const act_status status = real(kind, params, in, out, n);
    for (size_t i = 0; i < n; i++)
        if (wrong("oracle", kind) && in[i] >= -4 && in[i] <= -1)
            out[i] *= 1 + 0x1p-32;
    return status;
}
