#!/bin/sh
# verify.sh ACT_VERIFY OBJECTS WRONG: act-verify on one input of 4096. What is there already is not
# computed again, an ISA with a new object and only that one is, and wrong kernels are found.
program=$1 objects=$2 wrong=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
set -e

die() { echo "$*"; cat "$dir/out"; exit 1; }

# run EXIT_STATUS STATE KIND [OPTION...]
run() {
    expected=$1 state=$2 kind=$3
    shift 3
    status=0
    "$program" --state "$dir/$state" --kind "$kind" --step 4096 --jobs 2 "$@" >"$dir/out" 2>&1 ||
        status=$?
    [ $status = "$expected" ] || die "status $status of a run of $kind"
}
# computed PATTERN: of the last run.
computed() { grep -qx "$1 slices to compute" "$dir/out" || die "not: $1 slices computed"; }
tables() { grep '^|' "$dir/out" >"$dir/$1"; }

for kind in elu silu; do
    run 0 state $kind
    computed '\([1-9][0-9]*\) of \1'
    tables first.$kind
done
isas=$(cut -d ' ' -f 19 "$dir/state/results" | sort -u)
for kind in elu silu; do
    run 0 state $kind
    computed '0 of [1-9][0-9]*'
    tables second
    diff "$dir/first.$kind" "$dir/second"
done

# A key that is not the one asked for, and the half line of a crash: the same again.
cp "$dir/state/results" "$dir/results"
sed '/ elu forward scalar 0 0 7$/s/^./x/' "$dir/results" | head -c -12 >"$dir/state/results"
for kind in silu elu; do # silu's line is the last
    run 0 state $kind
    computed '1 of [1-9][0-9]*'
    tables second
    diff "$dir/first.$kind" "$dir/second"
    run 0 state $kind
    computed '0 of [1-9][0-9]*'
done

# Another object of one ISA's kernel.
cp "$dir/results" "$dir/state/results"
isa=$(echo "$isas" | grep -vx scalar | head -n 1)
if [ "$isa" ]; then
    object=$(sed -n "s,^${isa}_f32 \(.*/elu.c.o\)\$,\1,p" "$objects")
    cp "$object" "$dir/elu.c.o"
    echo >>"$dir/elu.c.o"
    sed "s,^${isa}_f32 .*/elu.c.o\$,${isa}_f32 $dir/elu.c.o," "$objects" >"$dir/objects"
    run 0 state elu --objects "$dir/objects"
    tables second
    diff "$dir/first.elu" "$dir/second"
    added=$(tail -n +"$(($(wc -l <"$dir/results") + 1))" "$dir/state/results" |
        cut -d ' ' -f 17,19 | sort -u)
    [ "$added" = "elu $isa" ] || die "computed for a new elu.c.o of $isa: $added"
    run 0 state silu --objects "$dir/objects"
    computed '0 of [1-9][0-9]*'
fi

run 0 state elu --report "$dir/report"
[ "$(grep -c '^|---' "$dir/report")" = 3 ] || die "three tables in the report"
status=0
flock "$dir/state/lock" "$program" --state "$dir/state" >"$dir/out" 2>&1 || status=$?
[ $status = 3 ] || die "status $status beside another run"

# Wrong results: of the kernels, of NaN, and of the oracle by less than any bound.
for what in f32 nan oracle; do
    [ $what = oracle ] || [ "$isa" ] || continue # it is the scalar table that stays right
    (export LD_PRELOAD="$wrong" ACT_TEST_WRONG=$what && run 1 $what elu)
    row='^| elu | forward |'
    case $what in
    f32) grep -q "$row.*OUT OF BOUNDS |\$" "$dir/out" ;;
    nan) grep -q "$row.* inf |.*OUT OF BOUNDS, [1-9][0-9]* wrong specials |\$" "$dir/out" ;;
    oracle) # one row of the audit, and none of the kernels
        ! grep -q "$row.*OUT OF BOUNDS" "$dir/out" &&
            grep -q "$row 1024 |.* [1-9][0-9]* |\$" "$dir/out" ;;
    esac || die "$what: the error is not reported"
done
