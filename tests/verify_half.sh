#!/bin/sh
# verify_half.sh ACT-VERIFY-HALF TEST_HALF REPORT TYPE: see ./dev verify --dtype=bf16.
set -eu
tool=$1 forward=$2 report=$3 type=$4 slices=${SLICES:-256}
root=$(dirname "$(dirname "$0")")
state=$root/build/verify-half
mkdir -p "$state"
# The tools' status is 1 where a result is out of bounds, which the report shows.
"$tool" --dtype "$type" --slices "$slices" --state "$state" >"$state/$type.part" || [ $? = 1 ]
mv "$state/$type.part" "$state/$type"
echo "\`SLICES=$slices ./dev verify --dtype=$type\` on $(date -u +%Y-%m-%d)" >"$state/$type.command"
"$forward" --forward >"$state/forward.part" || [ $? = 1 ]
mv "$state/forward.part" "$state/forward"
{
    cat <<'END'
# Accuracy of bf16 and f16

## Forward

Every input, default parameters, against the formula in MPFR wherever double does not decide: how many of the
65,536 are not rounded to nearest, in both modes, computed as well as looked up (`test_half --forward`).

END
    sed '1{p;s/[a-z0-9]\{1,\}/---/g}' "$state/forward"
    cat <<'END'

## g f'(x), all pairs

All g with every x (tests/verify_half.c), against the f64 kernels: results that are not the nearest, and the worst
of these; those of |f'| < 2^-126 that are not the nearest, but within 2^-148 max(1, |g|), the absolute bound of
actfn.h; and results beyond the bounds, the other of which is .501 ULP. There are 2^32 = 4,294,967,296
pairs; where fewer are said, it is all g with fewer x, evenly spaced.

END
    for type in bf16 f16; do
        [ ! -f "$state/$type" ] || printf -- '- %s: %s\n' "$type" "$(cat "$state/$type.command")"
    done
    printf '\n| type | kind | ISA | pairs | not nearest | ULP | x | g | tiny | beyond |\n'
    printf '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n'
    for type in bf16 f16; do
        [ ! -f "$state/$type" ] || cat "$state/$type"
    done
} >"$report.new"
mv "$report.new" "$report"
awk -F'|' 'NF == 12 && $11 + 0 > 0 { print; bad = 1 } END { exit bad }' "$report"
