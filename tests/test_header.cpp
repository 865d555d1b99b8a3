// The header alone as strict C++11, and that a C++ program links.
#include <actfn/actfn.h>
#include <actfn/actfn.h>

int main()
{
    const double x[3] = {-1, 0, 2};
    double y[3];
    act_kind_info info = act_kind_info();
    info.struct_size = sizeof info;
    return !(act_forward_f64(ACT_RELU, nullptr, x, y, 3) == ACT_OK && y[0] == 0 && y[1] == 0 &&
             y[2] == 2 && act_kind_describe(ACT_RELU, &info) == ACT_OK &&
             sizeof(act_params) == 32);
}
