/* The header alone, before any other, as strict C99; that it can be included twice; and that a C
 * program links. */
#include <actfn/actfn.h>
#include <actfn/actfn.h>

int main(void)
{
    const float x[3] = {-1, 0, 2};
    float y[3];
    act_kind_info info;
    info.struct_size = sizeof info;
    return !(act_forward(ACT_RELU, NULL, x, y, 3) == ACT_OK && y[0] == 0 && y[1] == 0 &&
             y[2] == 2 && act_kind_describe(ACT_RELU, &info) == ACT_OK && sizeof(act_params) == 32);
}
