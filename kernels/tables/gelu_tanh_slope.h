/* gelu_tanh: written by kernels/fit/slope_table.py. Relative error 2^-26.53. */
#define SLOPE_DEGREE  8
#define SLOPE_INVERSE 1.3333333333333333f
#define SLOPE_END     11.2421875f
#include "kernels/slope_table.h"

static const struct slope_table slope_table = {
    .middle = {0x1.21cb28p+0f, 0x1.e04cc6p+0f, 0x1.863956p+1f, 0x1.1f8ca4p+2f, 0x1.b91daep+2f,
               0x1.34d18cp+3f, 0x0.0p+0f, 0x1.209966p-1f},
    .value = {-0x1.78559cp-1f, -0x1.965e24p+1f, -0x1.3d166ep+3f, -0x1.995b9cp+4f, -0x1.405bfep+6f,
              -0x1.9d9992p+7f, 0x1.000000p-1f, 0x1.e37f16p-3f},
    .q = {{-0x1.3328cep+1f, -0x1.096e10p+2f, -0x1.e801bcp+2f, -0x1.d1ea52p+3f, -0x1.00d42cp+5f,
           -0x1.eb3eacp+5f, -0x1.cbcaf6p-32f, -0x1.07fc4ep+0f},
          {-0x1.362b66p+0f, -0x1.2f32c0p+0f, -0x1.e306c8p+0f, -0x1.7137d8p+1f, -0x1.1b481cp+2f,
           -0x1.8ca478p+2f, -0x1.45f306p-1f, -0x1.223ef6p+0f},
          {0x1.5b939ap-5f, -0x1.30533ep-4f, -0x1.02f08ep-2f, -0x1.b8fe5cp-3f, -0x1.b66a7cp-3f,
           -0x1.b666f8p-3f, -0x1.7f4b58p-2f, -0x1.5f866ep-3f},
          {0x1.13a642p-5f, -0x1.3ad00ap-4f, 0x1.e77ab6p-9f, 0x1.4cdd86p-10f, -0x1.6b1dc6p-19f,
           0x1.5d6974p-21f, 0x1.5bfe34p-6f, 0x1.083c3ep-3f},
          {-0x1.a679e4p-5f, 0x1.24a428p-14f, 0x1.f2e756p-8f, -0x1.da6b24p-11f, 0x1.68b456p-18f,
           -0x1.5c7c18p-21f, 0x1.f4afbap-5f, 0x1.3fc5cep-10f},
          {0x1.7cf964p-11f, 0x1.7975d8p-7f, -0x1.0cfd5ep-8f, 0x1.eda8dap-12f, 0x1.681164p-19f,
           -0x1.4ff30ep-22f, -0x1.9153eep-10f, -0x1.d4c1a4p-6f},
          {0x1.00aa60p-7f, -0x1.4e894ap-9f, 0x1.e0638cp-13f, -0x1.4efe78p-14f, -0x1.921906p-20f,
           0x1.419f54p-23f, -0x1.6f33cap-7f, -0x1.468e9ap-8f},
          {-0x1.bf505ap-10f, 0x1.15edfep-11f, 0x1.b12ba2p-12f, -0x1.17e576p-14f, -0x1.a23e00p-21f,
           0x1.7cf7f4p-25f, 0x1.c08cdep-10f, 0x1.36ed24p-5f}}
};
