#!/bin/sh
# f32_kernels.sh OBJECTS OBJDUMP NM: the f32 kernels of the wide ISAs are single functions in f32: no
# call of another function (its spills cost more than the kernel), but for the loops that write past the
# caches, which call the ordinary one for the ends of the array, and table_scale, once a call
# (kernels/avx512/table_scaled.h); no vectors of double. Scalars become double where there is such a
# table, before the loop. Those along an axis, whose sums are in double, are not looked at. On x86-64
# each kind has such loops, forward and backward (src/api.c calls them for large arrays:
# test_dispatch), and their stores go past the caches.
objects=$1 objdump=$2 nm=$3
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
failed=0 kernels=0
while read -r class object; do
    case $class in avx2_f32 | avx512_f32 | neon_f32) ;; *) continue ;; esac
    case $object in */softmax.c.o | */softmax_backward.c.o | */cross_entropy.c.o) continue ;; esac # sums
    "$objdump" -d --no-show-raw-insn "$object" | sed '/^[0-9a-f]* <actk_table_scale_[.a-z0-9_]*>:$/,/^$/d' >"$dir/code"
    kernels=$((kernels + $(grep -cE '^[0-9a-f]+ <actk_[a-z0-9_]+>:$' "$dir/code")))
    if "$nm" -u "$object" | grep -v _GLOBAL_OFFSET_TABLE_; then # also what it jumps to
        echo "  called by $object" && failed=1
    fi
    if awk -F '\t' '{print $3 "\t" $4 "\t" $2}' "$dir/code" |
        grep -v '<actk_' | grep -E '(^|[[:space:]])(call|callq|bl|blr)\b|vcvtps2pd|vcvtss2sd|vcvtp[hs]2pd|fcvtl|fcvt	d[0-9]+, [hs]' ||
        awk -F '\t' '{print $2}' "$dir/code" | grep -v '<actk_' |
        grep -E '^(call|bl|blr)|^v?cvt(ps2pd|ss2sd)|^fcvtl|^fcvt +d[0-9]+, [hs]'; then
        echo "  in $object" && failed=1
    fi
    case $class in neon_f32) continue ;; esac
    for op in fwd bwd; do
        grep -qE "^[0-9a-f]+ <actk_[a-z0-9_]+_${op}_(fast_)?stream_f32_" "$dir/code" ||
            { echo "no $op loop past the caches in $object"; failed=1; }
    done
    grep -q '	v\?movnt' "$dir/code" || { echo "no store past the caches in $object"; failed=1; }
done <"$objects"
[ $kernels -gt 1 ] || { echo "no kernels found in the objects of $objects"; failed=1; }
echo "$kernels kernels"
exit $failed
