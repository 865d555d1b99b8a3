/* tanh / w^1, w = min(a, END): written by kernels/fit/eight.py. Relative error
 * 2^-26.9; value and rest differ by up to 0.15 of the value. */
#define EVEN_TANH_END 0x1.4afb0a0000000p+0f
static const float even_tanh[9][8] = {
    {-0x1.0000a0p+0f, -0x1.b50544p+0f, -0x1.5a8364p+1f, -0x1.07c4e8p+2f, -0x1.87dc2ep+2f,
     -0x1.162ceep+3f, -0x1.2bee74p-3f, -0x1.0001c0p-1f},
    {0x1.85ef3ep-1f, 0x1.72c838p-1f, 0x1.88800cp-1f, 0x1.8bcd80p-1f, 0x1.8c01dep-1f, 0x1.8c02d6p-1f,
     0x1.fc5ee6p-1f, 0x1.d934c2p-1f},
    {-0x1.5dd17ap-2f, 0x1.86ce42p-4f, 0x1.bf67cap-7f, 0x1.aa9e66p-11f, 0x1.f2def0p-17f,
     0x1.77e122p-24f, -0x1.89229cp-4f, -0x1.1a3114p-2f},
    {0x1.64b7cap-6f, -0x1.6de7d0p-4f, -0x1.bb7004p-7f, -0x1.aa7a00p-11f, -0x1.f3cb5cp-17f,
     -0x1.77225ap-24f, -0x1.442372p-2f, -0x1.67da48p-3f},
    {0x1.4f3038p-4f, 0x1.a8a720p-5f, 0x1.225db0p-7f, 0x1.1c01a4p-11f, 0x1.4d1ce6p-17f,
     0x1.e45f84p-25f, 0x1.325f6ap-4f, 0x1.4de0ecp-3f},
    {-0x1.bb79cep-5f, -0x1.33b74ep-6f, -0x1.180122p-8f, -0x1.19f848p-12f, -0x1.45142ap-18f,
     -0x1.dea810p-26f, 0x1.ddcd8ap-4f, 0x1.b2cdfap-9f},
    {0x1.fed3f6p-8f, 0x1.3c365ep-9f, 0x1.9fafd8p-10f, 0x1.c1c1d6p-14f, 0x1.04e88ep-19f,
     0x1.bf66f8p-27f, -0x1.664974p-5f, -0x1.f366e6p-5f},
    {0x1.74d1e8p-7f, 0x1.277446p-9f, -0x1.d1f43ep-12f, -0x1.461606p-15f, -0x1.aba49cp-21f,
     -0x1.54fcf8p-28f, -0x1.50c694p-5f, 0x1.4b7994p-6f},
    {-0x1.11fbe4p-7f, -0x1.d7142cp-10f, 0x1.3aa96ep-14f, 0x1.69ad02p-17f, 0x1.e1bafep-23f,
     0x1.e61452p-31f, 0x1.70b846p-6f, 0x1.c1255ep-7f},
};
