#!/bin/sh
# verify_f64.sh ACT-VERIFY-F64 REPORT: all kinds, a process per CPU; see ./dev verify --dtype=f64.
set -eu
tool=$1 report=$2 points=${POINTS:-65536} seed=${SEED:-1}
root=$(dirname "$(dirname "$0")")
state=$root/build/verify-f64/$points-$seed
mkdir -p "$state"
# Each kind's rows are a file, complete once it has its name. The tool's status is 1 beyond 2 ULP, which
# the report shows.
kinds=$(sed -n 's/^ACT_KIND([0-9]*, [A-Z0-9_]*, \([a-z0-9_]*\),.*/\1/p' "$root/include/actfn/kinds.inc")
export tool points seed state
for kind in $kinds; do
    [ -f "$state/$kind" ] || echo "$kind"
done | xargs -r -n1 -P"$(nproc)" sh -c '
    "$tool" --kind "$0" --points "$points" --seed "$seed" >"$state/$0.part" || [ $? = 1 ]
    mv "$state/$0.part" "$state/$0"'
{
    cat <<END
# Accuracy of f64

Written by \`POINTS=$points SEED=$seed ./dev verify --dtype=f64\` (tests/verify_f64.c) on $(date -u +%Y-%m-%d).

Every f64 kernel at default parameters against its formula in MPFR, $points stratified inputs a kind: the worst
error found, in ULP of the real result (of the product g f' for backward), with its input. Beyond 2 ULP the
absolute bounds of actfn.h are applied: 2^-52 |g| within .5 of a zero of f', for a subnormal f' its rounding.
A sample is no proof.

| kind | op | ISA | ULP | x | g | got | want |
|---|---|---|---|---|---|---|---|
END
    for kind in $kinds; do
        tail -n +3 "$state/$kind"
    done
} >"$report.new"
mv "$report.new" "$report"
awk -F'|' '$5 + 0 > 2 || $5 ~ /inf|nan/ { print; bad = 1 } END { exit bad }' "$report"
