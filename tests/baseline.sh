#!/bin/sh
# baseline.sh OBJECTS LIBRARY OBJDUMP NM: code that runs before the CPU is known, or on a CPU without
# AVX, has no instruction it may lack; an object of an ISA defines its kernels and nothing that a
# linker could prefer to a baseline definition. OBJECTS has lines "class path", see CMakeLists.txt.
objects=$1 lib=$2 objdump=$3 nm=$4
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
failed=0
bad() { echo "$*"; failed=1; }

# Instructions of a disassembly, as "function mnemonic operands".
code() {
    "$objdump" -d --no-show-raw-insn "$@" | awk -F '\t' '
        /^[0-9a-f]+ <.*>:$/ {gsub(/^.*<|>:$/, ""); name = $0}
        NF > 1 {$1 = name; print}'
}
# VEX and EVEX: the v mnemonics on vector registers, opmasks, and BMI, which -march=native brings.
vex='^[^ ]+ (v[a-z0-9]+ .*%[xyz]mm|v[a-z0-9]+ .*%k[0-7]|k[a-z]+[bwdq] .*%k[0-7]|vzero[a-z]+|.*%[yz]mm|(andn|bextr|bls[ir]|blsmsk|bzhi|pdep|pext|mulx|rorx|sarx|shlx|shrx)[lq]? )'
# SSE3 to SSE4.2: x86-64 alone promises SSE2.
sse3='^[^ ]+ (blendp[sd]|blendvp[sd]|pblend[a-z]+|roundp[sd]|rounds[sd]|pshufb|pmulld|pm(in|ax)(sd|ud|uw|sb)|insertps|extractps|pinsr[bdq]|pextr[bdq]|ptest|pcmp[eg][qt]q|palignr|pabs[bwd]|psign[bwd]|ph(add|sub)[a-z]+|h(add|sub)p[sd]|addsubp[sd]|movddup|movs[lh]dup|lddqu|crc32[a-z]*|popcnt[a-z]*|pmov[sz]x[a-z]+|packusdw|dpp[sd]|pmulhrsw|pmaddubsw|pmuldq) '

seen=
while read -r class object; do
    seen="$seen $class"
    case $class in
    baseline | scalar_*) forbidden="$vex|$sse3" ;;
    sse42_*) forbidden=$vex ;;
    *) forbidden= ;;
    esac
    if [ -n "$forbidden" ] && code "$object" | grep -E -m 3 -e "$forbidden"; then
        bad "  in $object ($class)"
    fi
    case $class in
    baseline) "$nm" "$object" | grep -E ' [WwVu] ' && bad "  weak in $object" ;;
    # also an allocated common, weak or unique symbol
    *) "$nm" -g --defined-only "$object" | awk -v isa="${class%_*}" '
           $2 !~ /^[RTD]$/ || $3 !~ "^act[kp]_[a-z0-9_]+_(f32|f64|half)_" isa "$" {print; bad = 1}
           END {exit !bad}' && bad "  global in $object" ;;
    esac
done <"$objects"
case $seen in *baseline*scalar_f32*) ;; *) bad "no objects to look at in $objects" ;; esac

# The same of what was linked, where link-time optimisation may have moved code. VEX is for the kernels
# of the other ISAs; a compiler may have split one into f and f.cold.
wide=$(sed -E '/^(baseline|scalar_|sse42_)/d; s/_(f32|f64|half|theta32|theta64|part32|part64) .*//' "$objects" | sort -u | paste -sd '|')
code "$lib" | grep -E -e "$vex" | awk -v kernel="^act[kp]_[a-z0-9_]+_(f32|f64|half)_($wide)([.]|$)" '
    $1 !~ kernel {print; bad = 1}
    END {exit !bad}' | head -n 3 | grep . && bad "  in $lib, outside the kernels of $wide"
exit $failed
