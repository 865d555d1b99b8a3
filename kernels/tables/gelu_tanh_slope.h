/* gelu_tanh: written by kernels/fit/slope_table.py. Relative error 2^-27.37. */
#define SLOPE_DEGREE  8
#define SLOPE_INVERSE 1.3157894736842106f
#define SLOPE_END     11.3921875f
#include "kernels/slope_table.h"

static const struct slope_table slope_table = {
    .middle = {0x1.1c6fd4p+0f, 0x1.e701f0p+0f, 0x1.86f004p+1f, 0x1.20761cp+2f, 0x1.b038cep+2f,
               0x1.3eb942p+3f, 0x0.0p+0f, 0x1.4f2c6cp-1f},
    .value = {-0x1.5ee5b0p-1f, -0x1.a461aap+1f, -0x1.3e7326p+3f, -0x1.9cafd4p+4f, -0x1.2eda72p+6f,
              -0x1.c4d086p+7f, 0x1.000000p-1f, 0x1.0fed82p-3f},
    .q = {{-0x1.2ca986p+1f, -0x1.0d6988p+2f, -0x1.e95accp+2f, -0x1.d48cd8p+3f, -0x1.ee2c1cp+4f,
           -0x1.053722p+6f, -0x1.fef8b4p-32f, -0x1.3dc822p+0f},
          {-0x1.36d3e4p+0f, -0x1.30c61ep+0f, -0x1.e41bd8p+0f, -0x1.726590p+1f, -0x1.1591e6p+2f,
           -0x1.995d5ap+2f, -0x1.45f306p-1f, -0x1.2c9a3ep+0f},
          {0x1.42b058p-5f, -0x1.515f0ap-4f, -0x1.02dbfep-2f, -0x1.b8d658p-3f, -0x1.b6681cp-3f,
           -0x1.b66810p-3f, -0x1.7f4b58p-2f, -0x1.0012ccp-3f},
          {0x1.400d94p-5f, -0x1.3a89a6p-4f, 0x1.00c4b6p-8f, 0x1.43e548p-10f, -0x1.73dea6p-19f,
           0x1.22d754p-18f, 0x1.5bfef4p-6f, 0x1.023118p-3f},
          {-0x1.a6fd3cp-5f, 0x1.0ed5cap-9f, 0x1.ebb036p-8f, -0x1.ce8122p-11f, 0x1.e009c8p-21f,
           0x1.039bdep-20f, 0x1.f4aaeap-5f, -0x1.ac3cecp-7f},
          {-0x1.60ee12p-11f, 0x1.804a12p-7f, -0x1.0991d0p-8f, 0x1.970106p-12f, 0x1.a9b720p-20f,
           -0x1.0bf87ep-19f, -0x1.8e5c4ep-10f, -0x1.60d896p-6f},
          {0x1.0ea5aap-7f, -0x1.b2506ep-9f, 0x1.c4e6c0p-13f, -0x1.2e4bf0p-14f, -0x1.aad95ap-23f,
           -0x1.f52c9cp-23f, -0x1.700576p-7f, 0x1.0d1d34p-6f},
          {-0x1.fa8ef6p-11f, -0x1.f5aef0p-10f, 0x1.7ec7b2p-12f, -0x1.e847d6p-19f,
           -0x1.30bb92p-22f, 0x1.41ab52p-22f, 0x1.c5f914p-10f, 0x1.3f4a7ap-6f}}
};
