/* tanhshrink / w^3, w = min(a, END): written by kernels/fit/eight.py. Relative error
 * 2^-25.0; value and rest differ by up to 0.36 of the value. */
#define EVEN_TANHSHRINK_END 0x1.a57d840000000p+1f
static const float even_tanhshrink[9][8] = {
    {-0x1.00003ap+0f, -0x1.b5070ap+0f, -0x1.5a804ap+1f, -0x1.07c4eep+2f, -0x1.87c5c4p+2f,
     -0x1.1e6656p+3f, -0x1.2becfap-3f, -0x1.fffee0p-2f},
    {0x1.e84114p-3f, 0x1.3d5072p-3f, 0x1.624c82p-4f, 0x1.662308p-4f, 0x1.25c230p-3f, 0x1.c7ffbap-3f,
     0x1.526e28p-2f, 0x1.365634p-2f},
    {-0x1.14df72p-3f, -0x1.8982fap-4f, -0x1.7b9dccp-5f, 0x1.ca6272p-6f, 0x1.cadbc4p-6f,
     0x1.cade06p-6f, -0x1.3a701ap-5f, -0x1.c26306p-4f},
    {0x1.4e8330p-7f, 0x1.0aa784p-5f, 0x1.13abb0p-6f, 0x1.ee2ac0p-16f, 0x1.224d7ep-21f,
     0x1.20c0a6p-29f, -0x1.0325dap-3f, -0x1.1ce6c4p-4f},
    {0x1.0ddb7cp-5f, -0x1.7e836ep-9f, -0x1.2e6162p-8f, -0x1.491834p-16f, -0x1.848db8p-22f,
     -0x1.6f393ap-29f, 0x1.f00094p-6f, 0x1.0e17b4p-4f},
    {-0x1.68013cp-6f, -0x1.131e72p-8f, 0x1.b959e6p-11f, 0x1.46ba30p-17f, 0x1.7a0790p-23f,
     0x1.d841bap-32f, 0x1.82b9c0p-5f, 0x1.519a10p-10f},
    {0x1.9dfc68p-9f, 0x1.a4b52ep-9f, 0x1.f747d4p-18f, -0x1.044e6ep-18f, -0x1.272708p-24f,
     0x1.5ca0a0p-31f, -0x1.22b474p-6f, -0x1.9509cap-6f},
    {0x1.2e3b8ep-8f, -0x1.3f2d66p-10f, -0x1.ab8b82p-14f, 0x1.79ce28p-20f, 0x1.efc482p-26f,
     0x1.49142ep-33f, -0x1.10b300p-6f, 0x1.0ca94ep-7f},
    {-0x1.b26c82p-9f, 0x1.61493cp-13f, 0x1.a8655ap-15f, -0x1.a7a790p-22f, -0x1.30f1fep-27f,
     -0x1.ae6cf2p-33f, 0x1.3b1e7ap-7f, 0x1.7d46a2p-8f},
};
