#!/bin/sh
# sanitizers.sh SOURCE_DIR BUILD_DIR: the API tests, checkact, test_reference, test_softmax and act-verify with
# AddressSanitizer and UBSan.
source=$1 build=$2
log=$build.log
set -e
cmake -S "$source" --preset asan -B "$build" >"$log"
cmake --build "$build" --target checkact test_reference test_half act-verify test_api test_bias \
    test_gate test_maxout test_norm test_dyrelu test_frelu test_rrelu test_stats test_softmax test_theta test_theta_calls test_cpu \
    test_api_fake test_dispatch_fake >"$log" 2>&1 || { tail -n 20 "$log"; exit 1; }
cd "$build/tests"
# Leak detection needs ptrace, which a container may not have.
if ./checkact --list 2>&1 | grep -q 'LeakSanitizer has encountered a fatal error'; then
    echo "leaks not checked: no ptrace here"
    export ASAN_OPTIONS=detect_leaks=0
fi
rm -rf verify-state # else there would be nothing left to compute
for program in "./test_api" ./test_api_fake ./test_dispatch_fake ./test_cpu \
    "./checkact --quick --seed 1" "./test_reference --points 60" "./test_half --quick" \
    ./test_bias ./test_gate ./test_maxout "./test_norm --quick" ./test_dyrelu ./test_frelu ./test_stats ./test_rrelu \
    "./test_softmax --bits" "./test_theta --quick" ./test_theta_calls \
    "./act-verify --state verify-state --step 65536"; do
    # shellcheck disable=SC2086 # a program and its arguments
    $program >"$log" 2>&1 || { tail -n 30 "$log"; echo "failed: $program"; exit 1; }
done
