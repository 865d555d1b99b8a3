# Cross build for AArch64 on Debian: gcc-aarch64-linux-gnu, arm64 libraries by multiarch, qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /) # /lib/ld-linux-aarch64.so.1 is libc6:arm64's
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
set(CpuFeatures_DIR /usr/lib/aarch64-linux-gnu/cmake/CpuFeatures CACHE PATH "arm64 cpu_features")
