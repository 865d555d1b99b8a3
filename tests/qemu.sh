#!/bin/sh
# qemu.sh SMOKE: on each of these CPUs the library takes the right table, and no instruction the CPU
# lacks is executed: qemu faults on it. Exit status 77 without qemu.
smoke=$1 failed=0
qemu=$(command -v qemu-x86_64 || command -v qemu-x86_64-static) || {
    echo "skipped: no qemu-x86_64 (package qemu-user)"
    exit 77
}
unset ACTFN_ISA ACTFN_MODE
on() { # on CPU WANTED [ACTFN_ISA]
    if [ $# = 3 ]; then export ACTFN_ISA="$3"; else unset ACTFN_ISA; fi
    # qemu warns of features it cannot emulate.
    got=$("$qemu" -cpu "$1" "$smoke" settings 2>&1 | grep -v "qemu.*warning:")
    [ "$got" = "$2 fast" ] || { echo "$1 $3: $got, not $2 fast"; failed=1; }
    [ $# = 2 ] || return
    out=$("$qemu" -cpu "$1" "$smoke" 2>&1) || { echo "$1: $out"; failed=1; }
}
on Conroe scalar
on Nehalem sse42
on SandyBridge sse42      # AVX, no AVX2
on Haswell avx2
on Haswell,-fma sse42     # AVX2, no FMA
on Haswell,-f16c sse42    # AVX2 and FMA, no F16C
on Haswell,-avx2 sse42
on Haswell,-xsave sse42   # AVX2 and FMA that the OS does not save: no xgetbv either
on max,-avx sse42         # claims AVX2 and FMA without AVX
on Nehalem sse42 avx512   # the environment cannot raise
on Conroe scalar sse42
on Haswell scalar scalar
exit $failed
