/* gelu: written by kernels/fit/slope_table.py. Relative error 2^-27.73. */
#define SLOPE_DEGREE  7
#define SLOPE_INVERSE 1.0f
#define SLOPE_END     14.9921875f
#include "kernels/slope_table.h"

static const struct slope_table slope_table = {
    .middle = {0x1.7ecceap+0f, 0x1.43cd9ep+1f, 0x1.ff999cp+1f, 0x1.82666cp+2f, 0x1.1c6696p+3f,
               0x1.9f999cp+3f, 0x0.0p+0f, 0x1.800000p-1f},
    .value = {-0x1.8fb532p-2f, -0x1.bd0a92p-1f, -0x1.8002f8p+0f, -0x1.2c0f56p+1f, -0x1.c02992p+1f,
              -0x1.49a57ap+2f, 0x1.000000p-1f, 0x1.0ce50ep-10f},
    .q = {{-0x1.f54b0ep-2f, -0x1.c667c6p-2f, -0x1.ae5b78p-2f, -0x1.a2e898p-2f, -0x1.9d80f8p-2f,
           -0x1.9ae5a0p-2f, -0x1.988452p-1f, -0x1.253a46p-1f},
          {0x1.21b1f4p-5f, 0x1.b435b6p-7f, 0x1.2e71ccp-8f, 0x1.99e652p-10f, 0x1.153e30p-11f,
           0x1.70e908p-13f, 0x1.ffff3ep-3f, 0x1.5bf7f4p-4f},
          {-0x1.9c0ce6p-7f, -0x1.e6918cp-9f, -0x1.f7f14cp-11f, -0x1.ee9fd8p-13f, -0x1.dc62cep-15f,
           -0x1.bba5c6p-17f, -0x1.104d42p-3f, -0x1.2c8438p-5f},
          {0x1.0f3280p-8f, 0x1.00dedep-10f, 0x1.94e018p-13f, 0x1.2469acp-15f, 0x1.940b40p-18f,
           0x1.093f68p-20f, 0x1.fec21ap-5f, 0x1.d6863cp-7f},
          {-0x1.4dae00p-10f, -0x1.03c798p-12f, -0x1.3ab9c4p-15f, -0x1.5617f2p-18f,
           -0x1.531f9ep-21f, -0x1.5c8910p-24f, -0x1.a9ac4ep-6f, -0x1.53ff04p-8f},
          {0x1.940e32p-12f, 0x1.0048c4p-14f, 0x1.fe3188p-18f, 0x1.93842ep-21f, 0x1.328210p-24f,
           0x1.9ce6f8p-28f, 0x1.2615dap-7f, 0x1.cedfe6p-10f},
          {-0x1.dc03eap-14f, -0x1.8f94eep-17f, -0x1.86467cp-20f, -0x1.70d0cep-24f,
           -0x1.fa2a2ap-28f, 0x1.29d9f2p-31f, -0x1.f0994cp-10f, -0x1.0e37aap-11f}}
};
