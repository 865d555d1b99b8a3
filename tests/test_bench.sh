#!/bin/sh
# test_bench.sh ACT_BENCH KINDS.INC [TEST_BOUND]: its options, its outputs, and what it says to bad
# input and, with bench/test_bound.c preloaded, to kernels that are wrong. No timing is judged.
bench=$1 kinds=$2 test_bound=$3
command -v python3 >/dev/null || { echo "skipped: no python3 to write .npy and read JSON"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
bad() { echo "$*"; failed=1; }

# Arrays as NumPy writes them, without NumPy.
python3 - <<'END'
import struct
def npy(name, descr, shape, order, data, version=1, cut=0):
    header = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, order, shape)
    size = 10 if version == 1 else 12
    header += ' ' * (-(size + len(header) + 1) % 64) + '\n'
    length = struct.pack('<H' if version == 1 else '<I', len(header))
    raw = b'\x93NUMPY' + bytes([version, 0]) + length + header.encode() + data
    open(name, 'wb').write(raw[:len(raw) - cut] if cut else raw)
f32 = struct.pack('<6f', -3, -1, 0, 1, 2, 30)
npy('good.npy', '<f4', '(2, 3)', 'False', f32)
npy('v2.npy', '<f4', '(6,)', 'False', f32, version=2)
npy('v3.npy', '<f4', '(6,)', 'False', f32, version=3)
npy('fortran.npy', '<f4', '(2, 3)', 'True', f32)
npy('scalar.npy', '<f4', '()', 'False', f32[:4])
npy('double.npy', '<f8', '(3,)', 'False', struct.pack('<3d', 1, 2, 3))
npy('big.npy', '>f4', '(6,)', 'False', f32)
npy('empty.npy', '<f4', '(0, 3)', 'False', b'')
npy('short.npy', '<f4', '(2, 3)', 'False', f32, cut=1)
npy('large.npy', '<f4', '(3000000000,)', 'False', f32)
npy('negative.npy', '<f4', '(-2, 3)', 'False', f32)
npy('float.npy', '<f4', '(2.3,)', 'False', f32)
npy('open.npy', '<f4', '(6, ', 'False', f32)
npy('lines.npy', '<f4\\n\\n', '(6,)', 'False', f32)
npy('huge.npy', '<f4', '(99999999999, 99999999999)', 'False', f32)
npy('v9.npy', '<f4', '(6,)', 'False', f32, version=9)
open('header.npy', 'wb').write(open('good.npy', 'rb').read()[:40])
open('magic.npy', 'wb').write(b'\x93NUM')
open('text.npy', 'w').write('not an array, but long enough to be one')
END

# Bad input: one line on stderr, nothing on stdout, exit status 2.
refuse() {
    "$bench" "$@" >out 2>err
    status=$?
    [ $status = 2 ] || bad "$*: exit status $status, not 2"
    [ ! -s out ] || bad "$*: wrote to stdout"
    [ "$(wc -l <err)" = 1 ] && grep -q '^act-bench: ' err || bad "$*: stderr: $(cat err)"
}
quick="--kind relu --isa scalar --n 64 --min-time 0.0001"
for option in --nonsense -x word "--isa" "--isa sse5" "--isa neon,avx2,scalar5" "--kind nosuch*" \
    "--op sideways" "--n 0" "--n -1" "--n +1" "--n 12x" "--n ," "--n 8,,9" "--n 99999999999" \
    "--kind ,relu" -xy --list=x --help=x --i "--dtype f8" "--dist cauchy" \
    "--threads 0" "--threads -1" "--threads 2x" "--threads 99999999999" "--min-time 0" \
    "--min-time x" "--min-time inf" "--json /nonexistent/x" "--csv /nonexistent/x" \
    "--compare /nonexistent/x" "--compare text.npy" "--input /nonexistent.npy" "--input ."; do
    # shellcheck disable=SC2086 # an option and its value
    refuse $quick $option
done
for option in --isa --kind --n --op --dtype --threads --min-time; do
    refuse $option ""
done
refuse --n " 5"
refuse --kind 'two
lines'
refuse --kind silu --op from-output
refuse --json - --csv -
refuse --row 64
refuse --structured=nosuch
refuse --structured=softmax --op from-output
refuse --structured=theta --kind relu
refuse --structured --n 1001
refuse --structured --n 4096 --row 100
refuse --structured --n 4096 --row 8
refuse --structured --n 4096 --row 1024x
for file in double big empty short large huge negative float open lines v9 header magic text; do
    refuse $quick --input $file.npy
done

accept() {
    "$bench" "$@" >out 2>err || bad "$*: exit status $?: $(head -n 3 err)"
    [ ! -s err ] || bad "$*: stderr: $(head -n 3 err)"
}
accept --list
names=$(sed -n 's/^ACT_KIND([^,]*,[^,]*, *\([a-z0-9_]*\),.*/\1/p' "$kinds")
[ -n "$names" ] || bad "no kinds in $kinds"
for kind in $names; do
    grep -qx "kind $kind" out || bad "--list does not name $kind"
done
for isa in scalar sse42 avx2 avx512 neon; do
    grep -qE "^isa  $isa( |\$)" out || bad "--list does not name $isa"
done
accept --help
grep -q -- --input out || bad "--help does not name --input"
accept --version
for file in good v2 v3 fortran scalar; do
    # shellcheck disable=SC2086
    accept --kind relu --isa scalar --min-time 0.0001 --input $file.npy
    grep -q "$file.npy" out || bad "$file.npy is not named in the output"
    [ "$file" = scalar ] && n=1 || n=6
    grep -qE "^relu +forward +scalar +$n " out || bad "$file.npy: no row of n = $n"
done
# shellcheck disable=SC2086
accept $quick --input good.npy --op forward,backward,from-output
[ "$(grep -cE '^relu +(forward|backward|from-output) +scalar +64 ' out)" = 3 ] ||
    bad "not one row per operation"

accept --kind relu,gelu --isa scalar --n 100,64,100 --min-time 0.0001 --csv out.csv
[ "$(wc -l <out.csv)" = 9 ] || bad "--csv: not a header and 2 kinds x 2 operations x 2 sizes"
! grep -q nan out.csv || bad "--csv: a nan where there is no figure"
accept --kind silu --isa scalar --n 65536 --min-time 0.0001 --threads 1
if "$bench" --kind silu --isa scalar --n 65536 --min-time 0.0001 --threads 2 >out 2>err; then
    grep -q '^threads: 2 ' out || bad "--threads 2: not said in the table"
else
    grep -q 'does not offer' err || bad "--threads 2: $(cat err)" # built without OpenMP
fi
accept --kind silu --isa scalar --n 64 --min-time 0.0001 --dtype f64 --csv -
[ "$(wc -l <out)" = 3 ] || bad "--csv -: more than the rows on stdout"

accept --kind relu,silu --isa scalar --n 64 --min-time 0.0001 --json first.json
"$bench" --kind relu --isa scalar --n 64 --min-time 0.0001 --json - 2>err | python3 -m json.tool >/dev/null ||
    bad "--json -: not JSON alone on stdout"
python3 - <<'END' || bad "--json: not what Google Benchmark writes"
import json
r = json.load(open('first.json'))
assert {'date', 'cpu', 'compiler', 'library_version', 'num_cpus', 'mhz_per_cpu'} <= set(r['context'])
assert len(r['benchmarks']) == 4
for b in r['benchmarks']:
    assert b['name'].startswith(('relu/', 'silu/')) and b['run_type'] == 'iteration'
    assert b['time_unit'] == 'ns' and b['real_time'] > 0 and b['cpu_time'] > 0
    assert b['run_name'] == b['name'] and b['repetitions'] >= 3 and b['max_ulp'] >= 0
    assert {'mad', 'fma_slots', 'copy_fraction', 'speedup_over_scalar'} <= set(b)
    assert b['iterations'] >= 1 and b['items_per_second'] > 0 and b['bytes_per_second'] > 0
END
accept --kind relu,silu --isa scalar --n 64 --min-time 0.0001 --compare first.json
grep -q '^4 compared' out || bad "--compare: not 4 compared"

# The structured functions: all of them, and a name filter.
accept --structured --isa scalar --n 64 --min-time 0.0001 --csv structured.csv
accept --list
for name in $(sed -n 's/^structured \([a-z0-9_]*\) .*/\1/p' out | sort -u); do
    grep -qE "^$name(:[a-z0-9_]+)?,(for|back)ward,f32,scalar,64,[0-9]" structured.csv ||
        bad "--structured: no figures of $name"
done
[ "$(sed -n 's/^theta:\([a-z_]*\),forward,.*/\1/p' structured.csv | wc -l)" = 10 ] ||
    bad "--structured: not ten learnable kinds"
accept --structured='softmax*,norm' --kind gelu --op forward --isa scalar --n 2000 --row 1000 \
    --min-time 0.0001 --json structured.json
[ "$(grep -cE '^(softmax|softmax_first|norm:gelu) +forward +scalar +2000 ' out)" = 3 ] ||
    bad "--structured=GLOB: not its functions"
grep -q '^rows of 1000 ' out || bad "--row: not said"
python3 -c "
import json
b = json.load(open('structured.json'))['benchmarks']
assert [i['name'] for i in b] == [n + '/forward/f32/scalar/2000' for n in ('softmax', 'softmax_first', 'norm:gelu')]
assert all(i['max_ulp'] < 32 and i['copy_fraction'] > 0 for i in b)" || bad "--structured: --json"
accept --structured --isa scalar --n 64 --min-time 0.0001 --dtype bf16
accept --structured --isa scalar --n 64 --min-time 0.0001 --dtype f64

# A kernel outside its bound: marked, not timed, exit status 1. relu has no error, silu has.
if [ -n "$test_bound" ]; then
    LD_PRELOAD=$test_bound "$bench" --kind relu,silu --op forward --isa scalar --n 64 \
        --min-time 0.0001 --json fail.json --csv fail.csv >out 2>err
    status=$?
    [ $status = 1 ] || bad "a wrong kernel: exit status $status, not 1"
    [ ! -s err ] || bad "a wrong kernel: stderr: $(cat err)"
    grep -qE '^silu +forward +scalar +64 +FAIL' out || bad "a wrong kernel is not marked"
    ! grep -qE '^relu .*FAIL' out || bad "a right kernel is marked"
    grep -qE '^silu,forward,f32,scalar,64,,,,,,,,[0-9.e-]+,1$' fail.csv || bad "a wrong kernel in --csv"
    python3 - <<'END' || bad "a wrong kernel in --json"
import json
relu, silu = json.load(open('fail.json'))['benchmarks']
assert silu['error_occurred'] and silu['real_time'] == 0 and 'error_occurred' not in relu
END
    LD_PRELOAD=$test_bound "$bench" --structured='softmax,norm' --op forward --isa scalar --n 64 \
        --min-time 0.0001 >out 2>err
    [ $? = 1 ] || bad "a wrong structured function: exit status is not 1"
    grep -qE '^softmax +forward +scalar +64 +FAIL' out || bad "a wrong structured function is not marked"
    ! grep -qE '^norm.*FAIL' out || bad "a right structured function is marked"
fi
exit $failed
