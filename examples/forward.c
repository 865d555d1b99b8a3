/* GELU and its gradient. cc forward.c $(pkg-config --cflags --libs actfn) */
#include <actfn/actfn.h>
#include <stdio.h>

int main(void)
{
    const float x[5] = {-6, -1, 0, 1, 6}, dy[5] = {1, 1, 1, 1, 1};
    float y[5], dx[5];

    act_status status = act_forward(ACT_GELU, NULL, x, y, 5);
    if (status == ACT_OK)
        status = act_backward(ACT_GELU, NULL, x, dy, dx, 5);
    if (status != ACT_OK) {
        fprintf(stderr, "%s\n", act_status_string(status));
        return 1;
    }
    printf("%s on %s\n", act_kind_name(ACT_GELU), act_isa_name(act_get_isa()));
    for (int i = 0; i < 5; i++)
        printf("x %4g  y %12.6g  dy/dx %12.6g\n", (double)x[i], (double)y[i], (double)dx[i]);
    return 0;
}
