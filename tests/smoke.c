/* smoke            every entry point of every available ISA roughly against the scalar table
 * smoke settings   "isa mode", as chosen at load
 * smoke isas       the names of the ISAs, those this machine cannot run with a ! before them
 *
 * Small and without dependencies, for emulators and valgrind: checkact is the accurate one. */
#include "ops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 67, VALUES = 83 };

static double input(int i)
{
    static const double special[] = {0,  -0.0, INFINITY, -INFINITY, NAN,   1e-40, -1e-40, 3,
                                     -3, 1e-6, -1e-6,    3e38,      -3e38, -87.5, 104,    -104};
    enum { SPECIAL = sizeof special / sizeof special[0] };
    return i < SPECIAL ? special[i] : (i - 50) * 0.37;
}

static int close_to(double got, double want, act_dtype t)
{
    const double tolerance = t == ACT_F64   ? 1e-12
                             : t == ACT_F32 ? 1e-5
                             : t == ACT_F16 ? 1e-3
                                            : 1e-2;
    if (isnan(want) || isinf(want))
        return isnan(want) ? isnan(got) : got == want;
    return fabs(got - want) <= tolerance * (1 + fabs(want));
}

/* Arrays of exactly n elements on the heap, so that valgrind sees a stray access. */
static int check(act_isa isa, act_dtype t, int op, act_kind kind, int n, int first)
{
    const size_t bytes = (size_t)n * size_of[t];
    void *const in = malloc(bytes + !bytes), *const grad = malloc(bytes + !bytes);
    void *const want = malloc(bytes + !bytes), *const got = malloc(bytes + !bytes);
    int wrong = 0;
    for (int i = 0; i < n; i++) {
        put(in, t, (size_t)i, input((first + i) % VALUES));
        put(grad, t, (size_t)i, 1 - .25 * (i % 9));
    }
    act_set_isa(ACT_ISA_SCALAR);
    if (op == FROM_OUTPUT) {
        call(t, FORWARD, kind, NULL, in, NULL, got, (size_t)n);
        memcpy(in, got, bytes);
    }
    wrong += call(t, op, kind, NULL, in, grad, want, (size_t)n) != ACT_OK;
    wrong += act_set_isa(isa) != ACT_OK;
    wrong += call(t, op, kind, NULL, in, grad, got, (size_t)n) != ACT_OK;
    for (int i = 0; i < n && !wrong; i++)
        if (!close_to(get(got, t, (size_t)i), get(want, t, (size_t)i), t)) {
            printf("%s %s %s %s: n %d, %g -> %g, scalar has %g\n", act_isa_name(isa),
                   act_kind_name(kind), op_name[op], dtype_name[t], n, get(in, t, (size_t)i),
                   get(got, t, (size_t)i), get(want, t, (size_t)i));
            wrong++;
        }
    free(in), free(grad), free(want), free(got);
    return wrong;
}

int main(int argc, char **argv)
{
    const char *const what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "settings") == 0) {
        printf("%s %s\n", act_isa_name(act_get_isa()),
               act_get_mode() == ACT_MODE_REPRODUCIBLE ? "reproducible" : "fast");
        return 0;
    }
    if (strcmp(what, "isas") == 0) {
        for (act_isa isa = 0; isa < act_isa_count(); isa++)
            printf("%s%s\n", act_isa_available(isa) ? "" : "!", act_isa_name(isa));
        return 0;
    }
    int calls = 0, wrong = 0;
    FOR_ISA(isa) FOR_DTYPE(t) FOR_OP(op) FOR_KIND(kind) if (offers(kind, op))
    {
        for (int n = 0; n <= MOST; n++, calls++)
            wrong += check(isa, t, op, kind, n, n * 5) != 0;
    }
    printf("%d calls, %d wrong\n", calls, wrong);
    return wrong != 0;
}
