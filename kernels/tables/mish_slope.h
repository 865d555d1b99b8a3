/* mish: written by kernels/fit/slope_table.py. Relative error 2^-25.31. */
#define SLOPE_DEGREE  10
#define SLOPE_INVERSE 0.8f
#define SLOPE_END     18.7421875f
#include "kernels/slope_table.h"

static const struct slope_table slope_table = {
    .middle = {0x1.f2f8f6p+0f, 0x1.948044p+2f, 0x1.b9fffcp+3f, 0x1.96185ep-3f, 0x1.399bd2p+1f,
               0x1.998828p+2f, 0x1.ae0fa4p+3f, 0x1.1e7d2ap-1f},
    .value = {-0x1.7e620ap-1f, -0x1.53d4aep+2f, -0x1.99ffe0p+3f, 0x1.591bc0p-2f, -0x1.0323a8p-1f,
              -0x1.3fde7ap-5f, -0x1.3c34eep-14f, 0x1.cbbeecp-2f},
    .q = {{-0x1.0e0b7cp+0f, -0x1.02386ap+0f, -0x1.0000d0p+0f, -0x1.9394f2p-2f, 0x1.83f5cep-4f,
           0x1.07fea6p-5f, 0x1.23d708p-14f, -0x1.ff7918p-2f},
          {-0x1.8b368ap-5f, 0x1.c27b24p-9f, 0x1.7c79eep-18f, -0x1.800a64p-2f, 0x1.2139e0p-3f,
           -0x1.9e0f44p-7f, -0x1.0b3eccp-15f, -0x1.8dbb54p-2f},
          {0x1.53a338p-5f, -0x1.bb727cp-11f, -0x1.c90c06p-20f, 0x1.4ae244p-4f, -0x1.5793e6p-4f,
           0x1.8b0edcp-9f, 0x1.435f0ep-17f, 0x1.23b01ap-4f},
          {-0x1.0096a4p-6f, 0x1.1e25a4p-13f, 0x1.a3962cp-22f, 0x1.1135f2p-3f, 0x1.8671a2p-7f,
           -0x1.ca7226p-12f, -0x1.23d8f6p-19f, 0x1.6cf874p-5f},
          {0x1.8eb3b8p-9f, -0x1.9712ecp-17f, -0x1.37b3c4p-24f, -0x1.41b88ap-8f, 0x1.d9f95ep-8f,
           0x1.3f01e2p-16f, 0x1.a171a4p-22f, -0x1.a00154p-6f},
          {0x1.c63778p-13f, -0x1.1401bcp-21f, 0x1.57a598p-27f, -0x1.182ee4p-5f, -0x1.32d06ep-8f,
           0x1.3bd51cp-17f, -0x1.dcefd2p-25f, -0x1.2de652p-10f},
          {-0x1.b901f8p-12f, 0x1.a3558cp-22f, -0x1.236634p-30f, -0x1.44dc64p-8f, 0x1.1ad050p-10f,
           -0x1.d5c3f8p-19f, 0x1.c0582cp-28f, 0x1.51d168p-8f},
          {0x1.649baep-13f, -0x1.80fce2p-24f, 0x1.332fbap-33f, 0x1.adaf2ap-7f, 0x1.1aa294p-13f,
           0x1.b039d2p-21f, -0x1.98b9ccp-31f, -0x1.49359ap-10f},
          {-0x1.31d7a8p-15f, 0x1.84d096p-26f, -0x1.3438d4p-36f, -0x1.f40e24p-9f, -0x1.708738p-13f,
           -0x1.0657bap-23f, 0x1.57f812p-34f, -0x1.2873f0p-11f},
          {0x1.d04f3ep-19f, -0x1.dcb9dcp-29f, 0x1.ef6c8ep-41f, 0x1.91f93ep-13f, 0x1.528d00p-15f,
           0x1.0d3902p-27f, -0x1.2d43f4p-38f, 0x1.4240b0p-12f}}
};
