/* silu: written by kernels/fit/slope_table.py. Relative error 2^-24.59. */
#define SLOPE_DEGREE  7
#define SLOPE_INVERSE 0.8f
#define SLOPE_END     18.7421875f
#include "kernels/slope_table.h"

static const struct slope_table slope_table = {
    .middle = {0x1.f2554ep+0f, 0x1.8d8024p+1f, 0x1.3d8066p+2f, 0x1.e54040p+2f, 0x1.61c00ep+3f,
               0x1.080002p+4f, 0x0.0p+0f, 0x1.e3fbbep-1f},
    .value = {-0x1.3b2ae8p-1f, -0x1.e3421cp+0f, -0x1.f316a2p+1f, -0x1.a4ca1ap+2f, -0x1.41bd52p+3f,
              -0x1.f00000p+3f, 0x1.000000p-1f, 0x1.d6d99ap-3f},
    .q = {{-0x1.076436p+0f, -0x1.1e77eap+0f, -0x1.0c1bc2p+0f, -0x1.01957ep+0f, -0x1.0013cep+0f,
           -0x1.000024p+0f, 0x1.13f55ep-24f, -0x1.2ed824p-1f},
          {-0x1.dab6d8p-4f, 0x1.25f8cep-7f, 0x1.095fe8p-6f, 0x1.521f02p-9f, 0x1.1bd3cep-13f,
           0x1.73428ep-20f, -0x1.0000aap-2f, -0x1.401e96p-2f},
          {0x1.fd5c3ap-5f, 0x1.baf542p-7f, -0x1.719f3ap-9f, -0x1.6855d6p-11f, -0x1.4d7fc6p-15f,
           -0x1.4e64a0p-23f, -0x1.5531b6p-4f, 0x1.5e1c2cp-5f},
          {-0x1.585d28p-7f, -0x1.bede3ap-8f, 0x1.f99fa8p-16f, 0x1.0ceddep-13f, 0x1.1f1186p-17f,
           -0x1.a10b1ap-24f, 0x1.51cc64p-6f, 0x1.b915a6p-6f},
          {-0x1.4fce82p-9f, 0x1.a24674p-10f, 0x1.218528p-13f, -0x1.19fb88p-16f, -0x1.8d827cp-20f,
           -0x1.1cd7e4p-24f, 0x1.b16af8p-7f, -0x1.2cd55ap-7f},
          {0x1.b6f19ap-10f, -0x1.8e0bf0p-14f, -0x1.b2c672p-15f, 0x1.2f50ecp-20f, 0x1.dc6368p-23f,
           0x1.5d32cap-26f, -0x1.bd4afep-9f, -0x1.b38adep-10f},
          {-0x1.717968p-13f, -0x1.033774p-14f, 0x1.555114p-17f, 0x1.03ab56p-23f, -0x1.68589cp-26f,
           0x1.8e1c04p-28f, -0x1.21627ap-11f, 0x1.635234p-10f}}
};
