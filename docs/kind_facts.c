/* kind_facts: f and f' at given points, for docs/kinds_pages.py. It reads
 *
 *   KIND f32|f64 ALPHA BETA GAMMA DELTA COUNT X ... X
 *
 * from standard input until its end, and answers each with a line of f(X) f'(X) for every X; an
 * empty line if there is no such kind or it refuses its parameters. On the scalar table, which
 * every machine has. */
#include <actfn/actfn.h>

#include <stdio.h>
#include <string.h>

static act_status at(act_kind kind, int f32, const act_params *p, double x, double *y, double *d)
{
    if (!f32) {
        const double one = 1;
        const act_status status = act_forward_f64(kind, p, &x, y, 1);
        return status == ACT_OK ? act_backward_f64(kind, p, &x, &one, d, 1) : status;
    }
    const float in = (float)x, one = 1;
    float out, grad;
    act_status status = act_forward(kind, p, &in, &out, 1);
    if (status == ACT_OK)
        status = act_backward(kind, p, &in, &one, &grad, 1);
    if (status == ACT_OK) {
        *y = (double)out;
        *d = (double)grad;
    }
    return status;
}

int main(void)
{
    char name[64], type[8];
    act_params p;
    long count;
    if (act_set_isa(ACT_ISA_SCALAR) != ACT_OK)
        return 2;
    while (scanf("%63s %7s %lf %lf %lf %lf %ld", name, type, &p.alpha, &p.beta, &p.gamma, &p.delta,
                 &count) == 7) {
        const act_kind kind = act_kind_from_name(name);
        double x, y, d;
        for (; count > 0 && scanf("%lf", &x) == 1; count--)
            if (at(kind, strcmp(type, "f32") == 0, &p, x, &y, &d) == ACT_OK)
                printf("%.17g %.17g ", y, d);
        putchar('\n');
        fflush(stdout);
    }
    return 0;
}
