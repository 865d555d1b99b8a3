/* tanh_square / w^2, w = min(a, END): written by kernels/fit/eight.py. Relative error
 * 2^-25.7; value and rest differ by up to 0.31 of the value. */
#define EVEN_TANH_SQUARE_END 0x1.4afb0a0000000p+0f
static const float even_tanh_square[9][8] = {
    {-0x1.ffffe8p-1f, -0x1.b5054ep+0f, -0x1.5a82b8p+1f, -0x1.07c232p+2f, -0x1.879418p+2f,
     -0x1.1eec08p+3f, -0x1.2bed4ep-3f, -0x1.00021ep-1f},
    {0x1.28f92cp-1f, 0x1.0c83b2p-1f, 0x1.2ce424p-1f, 0x1.31f9e0p-1f, 0x1.324ae0p-1f, 0x1.324c64p-1f,
     0x1.f8c470p-1f, 0x1.b559d0p-1f},
    {-0x1.0a6b86p-1f, 0x1.1b03ccp-3f, 0x1.56fef6p-6f, 0x1.49e86ep-10f, 0x1.8545b0p-16f,
     0x1.4dfa1ap-24f, -0x1.8657c8p-3f, -0x1.04cf9ap-1f},
    {0x1.32ec54p-3f, -0x1.ecadc8p-4f, -0x1.50e410p-6f, -0x1.499e78p-10f, -0x1.85f822p-16f,
     -0x1.53be20p-24f, -0x1.3d1ff4p-1f, -0x1.fda2e8p-3f},
    {0x1.c1aaa2p-4f, 0x1.db6a72p-5f, 0x1.b11440p-7f, 0x1.b68abep-11f, 0x1.03d8e2p-16f,
     0x1.c66d6ap-25f, 0x1.aca2eep-3f, 0x1.97bfb4p-2f},
    {-0x1.1a9552p-3f, -0x1.317e32p-7f, -0x1.92065cp-8f, -0x1.b2a828p-12f, -0x1.fb5c40p-18f,
     -0x1.929052p-26f, 0x1.4517c2p-2f, -0x1.b05c98p-5f},
    {0x1.ac7432p-5f, -0x1.3332ecp-7f, 0x1.10a8b4p-9f, 0x1.594634p-13f, 0x1.98148ep-19f,
     0x1.4027e0p-27f, -0x1.407d7cp-3f, -0x1.5ff0acp-3f},
    {0x1.271efap-6f, 0x1.3dd6a0p-7f, -0x1.a4e87ap-12f, -0x1.ed462cp-15f, -0x1.4d60c0p-20f,
     -0x1.58040cp-28f, -0x1.1f4508p-3f, 0x1.7f49c2p-4f},
    {-0x1.cd709ap-6f, -0x1.1e1ea8p-8f, -0x1.29f1a2p-15f, 0x1.0b440ap-16f, 0x1.73d332p-22f,
     0x1.8be3e4p-30f, 0x1.820ed6p-4f, 0x1.30e8e0p-5f},
};
