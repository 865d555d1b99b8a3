/* A library of somebody else that calls actfn in its constructor, for test_load.c. */
#include "actfn/actfn.h"

ACT_API extern float load_user_result[4];
float load_user_result[4];

__attribute__((constructor)) static void use(void)
{
    const float x[4] = {-1, 0, 2, 3};
    act_forward(ACT_RELU, NULL, x, load_user_result, 4);
}
