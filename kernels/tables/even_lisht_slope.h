/* lisht_slope / w^1, w = min(a, END): written by kernels/fit/eight.py. Relative error
 * 2^-24.4; value and rest differ by up to 0.28 of the value. */
#define EVEN_LISHT_SLOPE_END 0x1.4afb0a0000000p+0f
static const float even_lisht_slope[9][8] = {
    {-0x1.ffff34p-1f, -0x1.b50470p+0f, -0x1.5a80c6p+1f, -0x1.07c25ap+2f, -0x1.87c530p+2f,
     -0x1.212ddep+3f, -0x1.2bece0p-3f, -0x1.fffe32p-2f},
    {0x1.2e7baap+0f, 0x1.c62d2cp-1f, 0x1.9b6d46p-1f, 0x1.8d852cp-1f, 0x1.8c0dd4p-1f, 0x1.8c02e4p-1f,
     0x1.f8c5c6p+0f, 0x1.b5efb6p+0f},
    {-0x1.f67018p-1f, -0x1.d3ae4ep-4f, -0x1.789008p-5f, -0x1.4cc4fap-8f, -0x1.404996p-13f,
     -0x1.787866p-21f, -0x1.85c8d8p-2f, -0x1.009f2cp+0f},
    {0x1.5490a4p-2f, -0x1.4a0b38p-9f, 0x1.00fca4p-5f, 0x1.1707bcp-8f, 0x1.212df0p-13f,
     0x1.654602p-21f, -0x1.3bba02p+0f, -0x1.d556e0p-2f},
    {0x1.8aa5d4p-3f, 0x1.44abdcp-4f, -0x1.6254cap-7f, -0x1.2c01b4p-9f, -0x1.57c398p-14f,
     -0x1.c2d7bcp-22f, 0x1.c4f012p-2f, 0x1.a4b93ep-1f},
    {-0x1.24c3dcp-2f, -0x1.2cc0acp-4f, 0x1.b1c2acp-14f, 0x1.c7b2c8p-11f, 0x1.2b1934p-15f,
     0x1.7f9d3ap-23f, 0x1.55f228p-1f, -0x1.0f6d7ap-3f},
    {0x1.f018ecp-4f, 0x1.20194ap-5f, 0x1.267190p-9f, -0x1.ed5f6cp-13f, -0x1.9dca62p-17f,
     -0x1.06f68ap-24f, -0x1.5f1308p-2f, -0x1.73b872p-2f},
    {0x1.0ef27ep-5f, -0x1.528386p-8f, -0x1.bd4ba0p-10f, 0x1.1fb670p-15f, 0x1.04d868p-18f,
     0x1.f0b8ccp-26f, -0x1.384102p-2f, 0x1.af53aep-3f},
    {-0x1.f9eafep-5f, -0x1.3663e2p-8f, 0x1.7023eap-11f, 0x1.8930ecp-19f, -0x1.d4d536p-21f,
     -0x1.2a55a4p-27f, 0x1.c2126ap-3f, 0x1.33d7f2p-4f},
};
