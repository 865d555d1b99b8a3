#!/bin/sh
# promises.sh SOURCE_DIR: a new activation is one file and one line, a new ISA one header and one
# line. Adds one of each to a copy of the tree, builds it, and runs checkact on them.
source=$1
case $(uname -m) in x86_64) ;; *) echo "skipped: the toy ISA is one of x86-64"; exit 77 ;; esac
grep -q sse4_2 /proc/cpuinfo || { echo "skipped: no SSE4.2 here"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
set -e
copy() { (cd "$source" && git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$1"); }
mkdir "$dir/before" "$dir/tree"
copy "$dir/before"
copy "$dir/tree"

# The kind: half a ReLU. Its file and its line say everything.
cat >"$dir/tree/kernels/toy.c" <<'END'
/* Toy: y = x for x > 0, x / 2 otherwise.
 * Derivative: x > 0 ? 1 : 0.5.
 * Kinks: 0. */
#include "kernels/kernel.h"

ACT_OP vec toy_forward(vec x, struct vparams p)
{
    (void)p;
    return v_select(v_lt(v_set(0), x), x, v_mul(x, v_set(0.5f)));
}

ACT_OP vec toy_backward(vec x, vec g, struct vparams p)
{
    (void)p;
    return v_or(v_select(v_lt(v_set(0), x), g, v_mul(g, v_set(0.5f))), v_zero_or_nan(x));
}

ACT_KERNEL(toy)
ACT_TEST(toy, .odd_zero = 1);
END
# Ids are consecutive.
id=$(grep -c '^ACT_KIND(' "$source/include/actfn/kinds.inc")
echo "ACT_KIND($id, TOY, toy, \"half\", \"x > 0 ? x : x / 2\", NO_OUTPUT, NOPARAM," \
    "ULP(.5, .5, .5, .5, .5, .5, .5, .5))" >>"$dir/tree/include/actfn/kinds.inc"

# The ISA: SSE4.2 under another name. Beside it sse42 itself and scalar are built, and not the others.
cp "$dir/tree/kernels/isa/sse42.h" "$dir/tree/kernels/isa/toyisa.h"
sed -i '/^  act_isa(sse42 /a\  act_isa(toyisa SSE42 -msse4.2)' "$dir/tree/CMakeLists.txt"

cmake -S "$dir/tree" -B "$dir/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_FLAGS_RELEASE=-O1 "-DACTFN_ISAS=sse42;toyisa" >"$dir/log"
cmake --build "$dir/build" --target checkact test_reference act-bench \
    kind_facts >"$dir/log" 2>&1 ||
    { tail -n 20 "$dir/log"; exit 1; }
run() { "$@" >"$dir/log" 2>&1 || { tail -n 5 "$dir/log"; echo "failed: $*"; exit 1; }; }
checkact=$dir/build/tests/checkact
run "$checkact" --quick --seed 1 --kind relu --isa toyisa
run "$checkact" --quick --seed 1 --kind gelu --isa toyisa
run "$checkact" --quick --seed 1 --kind toy
run "$dir/build/tests/test_reference" --kind toy
"$checkact" --list | grep -qx 'kind toy'
"$checkact" --list | grep -qx 'isa toyisa'
"$dir/build/bench/act-bench" --list | grep -qx 'kind toy'

cd "$dir"
diff -rq before tree | sort >touched || :
cat >wanted <<'END'
Files before/CMakeLists.txt and tree/CMakeLists.txt differ
Files before/include/actfn/kinds.inc and tree/include/actfn/kinds.inc differ
Only in tree/kernels/isa: toyisa.h
Only in tree/kernels: toy.c
END
sort wanted | diff - touched
for file in CMakeLists.txt include/actfn/kinds.inc; do
    [ "$(diff "before/$file" "tree/$file" | grep -c '^[<>]')" = 1 ]
done
# Its page follows.
run python3 -B tree/docs/kinds_pages.py --facts build/docs/kind_facts
grep -qx "| in C | .ACT_TOY., $id |" tree/docs/kinds/toy.md

echo "a kind: kernels/toy.c ($(grep -c '' tree/kernels/toy.c) lines), 1 line of kinds.inc"
echo "an ISA: kernels/isa/toyisa.h ($(grep -c '' tree/kernels/isa/toyisa.h) lines), 1 line of CMakeLists.txt"
