#!/bin/sh
# verify_f64.sh ACT-VERIFY-F64 REPORT: all kinds, a process per CPU; see ./dev verify --dtype=f64.
set -eu
tool=$1 report=$2 points=${POINTS:-65536} seed=${SEED:-1}
root=$(dirname "$(dirname "$0")")
state=$root/build/verify-f64/$points-$seed
mkdir -p "$state"
# Many points are taken in slices of 2^20 and more, 16 at most, each of another part of the random numbers: 2^28
# of a kind take a minute and a half, and an interruption is to lose less. A slice's output is a file, complete once it
# has its name. The tool's status is 1 beyond a bound, which the report shows; any other ends the run.
slices=$((points >> 20))
[ "$slices" -ge 1 ] || slices=1
[ "$slices" -le 16 ] || slices=16
kinds=$(sed -n 's/^ACT_KIND([0-9]*, [A-Z0-9_]*, \([a-z0-9_]*\),.*/\1/p' "$root/include/actfn/kinds.inc")
part=$(((points + slices - 1) / slices))
export tool part seed state
for kind in $kinds; do
    for slice in $(seq 0 $((slices - 1))); do
        [ -f "$state/$kind.$slice" ] || echo "$kind $slice"
    done
done | xargs -r -n2 -P"$(nproc)" sh -c '
    "$tool" --kind "$0" --points "$part" --seed "$((seed + ($1 << 32)))" >"$state/$0.$1.part" || [ $? = 1 ] || exit 255
    mv "$state/$0.$1.part" "$state/$0.$1"'
{
    cat <<END
# Accuracy of f64

Written by \`POINTS=$points SEED=$seed ./dev verify --dtype=f64\` (tests/verify_f64.c) on $(date -u +%Y-%m-%d).

Every f64 kernel at default parameters against its formula in MPFR, $points stratified inputs a kind and some
thousands of hard ones: the worst error found, in ULP of the real result (of the product g f' for backward), with
its input. Beyond 2 ULP the absolute bounds of actfn.h are applied: 2^-52 |g| within .5 of a zero of f', for a
subnormal f' its rounding. A sample is no proof.

Every error below is MPFR's. MPFR was not asked where bounds in long double, or after it in _Float128, show that a
result is no worse than what is below (tests/oracle.h); the last table says how often, and how many of those
points MPFR has judged all the same, as an audit of the bounds.

| kind | op | ISA | ULP | x | g | got | want |
|---|---|---|---|---|---|---|---|
END
    # Of the slices the worst of each row, and the sums of the numbers.
    for kind in $kinds; do
        for slice in $(seq 0 $((slices - 1))); do
            cat "$state/$kind.$slice"
        done
    done | awk -F' *[|] *' '
        function size(ulp) { return ulp ~ /inf|nan/ ? 1e300 : ulp + 0 }
        /^[|]/ && $2 != "kind" && $2 !~ /^-/ {
            key = $2 SUBSEP $3 SUBSEP $4
            if (!(key in row)) order[++rows] = key
            if (!(key in row) || size($5) > worst[key]) { row[key] = $0; worst[key] = size($5) }
        }
        /^#/ {
            split($0, number, " ")
            kind = number[2]
            if (!(kind in done)) list[++kinds] = kind
            for (i = 3; i <= 7; i++) sum[kind, i] += number[i]
            done[kind] = 1
        }
        END {
            for (r = 1; r <= rows; r++) print row[order[r]]
            print "\n| kind | points | hard points | to _Float128 | to MPFR | audited |\n|---|---|---|---|---|---|"
            for (k = 1; k <= kinds; k++) {
                printf "| %s |", list[k]
                for (i = 3; i <= 7; i++) printf " %.0f |", sum[list[k], i]
                print ""
            }
        }'
} >"$report.new"
mv "$report.new" "$report"
awk -F'|' '/ward/ && ($5 + 0 > 2 || $5 ~ /inf|nan/) { print; bad = 1 } END { exit bad }' "$report"
