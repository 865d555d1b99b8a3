/* logcosh / w^2, w = min(a, END): written by kernels/fit/eight.py. Relative error
 * 2^-27.6; value and rest differ by up to 0.17 of the value. */
#define EVEN_LOGCOSH_END 0x1.5369480000000p+3f
static const float even_logcosh[9][8] = {
    {-0x1.000238p+0f, -0x1.b50700p+0f, -0x1.5a834cp+1f, -0x1.07c1cep+2f, -0x1.87c532p+2f,
     -0x1.1e65bep+3f, -0x1.2bedf0p-3f, -0x1.ffff2cp-2f},
    {0x1.bc301ap-2f, 0x1.6fa888p-2f, 0x1.1a0782p-2f, 0x1.9d649ap-3f, 0x1.28ae12p-3f, 0x1.a636a0p-4f,
     0x1.fe2e22p-2f, 0x1.ebfd40p-2f},
    {-0x1.b20bd4p-4f, -0x1.96fbecp-4f, -0x1.177cb2p-4f, -0x1.4065a2p-5f, -0x1.5238ecp-6f,
     -0x1.59b7ecp-7f, -0x1.8b6034p-6f, -0x1.2c7ed2p-4f},
    {-0x1.8481f8p-7f, 0x1.d6e7bcp-7f, 0x1.cbd89ap-7f, 0x1.d30e48p-8f, 0x1.795ad8p-9f,
     0x1.18b4c4p-10f, -0x1.49cee8p-4f, -0x1.c68456p-5f},
    {0x1.79ef36p-6f, 0x1.094ea2p-8f, -0x1.e5b75ap-10f, -0x1.346600p-10f, -0x1.98d568p-12f,
     -0x1.c3326ap-14f, 0x1.9cf3dap-7f, 0x1.f8cb6ep-6f},
    {-0x1.12789ap-7f, -0x1.01652ep-8f, -0x1.43e69ap-13f, 0x1.536c62p-13f, 0x1.a8c816p-15f,
     0x1.65d196p-17f, 0x1.499ef6p-6f, 0x1.265790p-8f},
    {-0x1.98a842p-11f, 0x1.950d92p-10f, 0x1.c6afacp-13f, -0x1.bec59cp-17f, -0x1.9e544ap-18f,
     -0x1.178ca0p-20f, -0x1.6d1a74p-8f, -0x1.35fc18p-7f},
    {0x1.1fcae8p-9f, -0x1.0e2dd2p-12f, -0x1.936746p-14f, -0x1.2e7068p-19f, 0x1.6e2f12p-21f,
     0x1.bee5e4p-24f, -0x1.619e98p-8f, 0x1.a86a50p-10f},
    {-0x1.c31f2ep-11f, -0x1.462346p-14f, 0x1.ce5540p-16f, 0x1.66ff88p-20f, -0x1.f80ffep-25f,
     -0x1.486ff0p-27f, 0x1.5b525ap-9f, 0x1.211b42p-9f},
};
