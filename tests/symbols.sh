#!/bin/sh
# symbols.sh LIBRARY SOURCE_DIR NM READELF: what the library exports is what cmake/actfn.map lists
# and actfn.h declares, nothing is resolved by code at load, and it asks nothing odd of its loader.
lib=$1 source=$2 nm=$3 readelf=$4
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
failed=0
bad() { echo "$*"; failed=1; }

"$nm" -D --defined-only "$lib" | awk '$2 != "A" {sub("@@ACTFN_1$", "", $3); print $2, $3}' |
    sort >"$dir/exported"
sed -n 's/^ *\(act_[a-z0-9_]*\);.*/T \1/p' "$source/cmake/actfn.map" | sort >"$dir/map"
# A declaration may be broken after its return type: take the first name before a parenthesis.
tr '\n' ' ' <"$source/include/actfn/actfn.h" | sed 's/ACT_API /\n/g' |
    sed -n 's/^[a-z][^();]*[ *]\(act_[a-z0-9_]*\)(.*/T \1/p' | sort >"$dir/header"
[ -s "$dir/exported" ] || bad "nothing is exported"
diff "$dir/map" "$dir/exported" || bad "the library does not export what actfn.map lists (<)"
diff "$dir/map" "$dir/header" || bad "actfn.h does not declare (>) what actfn.map lists (<)"

major=$(sed -n 's/.*ACTFN_VERSION_MAJOR \([0-9]*\).*/\1/p' "$source/include/actfn/actfn.h")
"$readelf" -dW "$lib" >"$dir/dynamic"
grep -q "SONAME.*\[libactfn\.so\.$major\]" "$dir/dynamic" || bad "SONAME is not libactfn.so.$major"
grep -E 'TEXTREL|RPATH' "$dir/dynamic" && bad "text relocations or RPATH"
awk '/NEEDED/ {print $NF}' "$dir/dynamic" |
    grep -vE '^\[(libc\.so\.6|libm\.so\.6|libsleef\.so\.[0-9]+|lib(gomp|omp)\.so\.[0-9]+|ld-linux-.*)\]$' &&
    bad "needs other libraries"

"$readelf" -lW "$lib" | awk '$1 == "GNU_STACK" {found = 1; if ($0 ~ /E/ && $7 ~ /E/) exit 1}
                             END {if (!found) exit 1}' || bad "the stack is executable"
"$readelf" -rW "$lib" | grep IRELATIVE && bad "relocated by code at load"
"$readelf" -sW "$lib" | grep -w IFUNC && bad "IFUNC symbols"
# -ffast-math links a constructor that flushes subnormals in the whole process.
"$nm" "$lib" | grep -E 'set_fast_math|__crt_fast' && bad "crtfastmath is linked in"
# cpu_features 0.7 for AArch64 has a puts, for a /proc/self/auxv that cannot be opened.
prints='printf|puts'
"$readelf" -hW "$lib" | grep -q AArch64 && prints=printf
"$nm" -D --undefined-only "$lib" |
    grep -wE "$prints"'|malloc|calloc|fesetround|fesetenv|feupdateenv|pthread_mutex_lock' &&
    bad "the library prints, allocates, locks or changes the FP environment"
exit $failed
