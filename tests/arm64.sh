#!/bin/sh
# arm64.sh SOURCE_DIR BUILD_DIR: the AArch64 build and its tests under qemu-aarch64, the NEON table's
# bits among them; without OpenMP, which is tested natively.
source=$1 build=$2
log=$build.log
for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
    command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
for file in pkgconfig/sleef.pc libcpu_features.a libcmocka.so libmpfr.so; do
    [ -e /usr/lib/aarch64-linux-gnu/$file ] ||
        { echo "skipped: no arm64 $file (./dev test --all installs it)"; exit 77; }
done
set -e
cmake -S "$source" --preset arm64 -B "$build" >"$log"
cmake --build "$build" >"$log" 2>&1 || { tail -n 20 "$log"; exit 1; }
# The sampled accuracy tests are run small below: emulation is 100 times slower. Neither NEON nor scalar has
# the loops of which the test stream is.
ctest --test-dir "$build" -j2 -E 'checkact|reference|half|huge|threads|hash|parallel|softmax|theta|norm|stream' \
    >"$log" 2>&1 ||
    { tail -n 40 "$log"; exit 1; }
run() { qemu-aarch64 -L / "$build/tests/$@" >"$log" 2>&1 || { tail -n 10 "$log"; exit 1; }; }
run checkact --quick --seed 1
run test_reference --points 150
run test_half --quick
run test_softmax --bits
run test_theta --quick
run test_norm --quick
run test_theta_calls
run test_mpfr_softmax
run test_mpfr_norm
run test_structured_half

# The NEON table has the bits that are checked in (of which avx2 and avx512 are held by the test hash).
run act-hash --isa neon --step 16384 --check "$source/tests/hashes.txt"
