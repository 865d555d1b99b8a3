#!/bin/sh
# install.sh SOURCE_DIR BUILD_DIR: what cmake --install puts down is enough to build and run a program
# by find_package and one by pkg-config, and has the man pages of what it holds.
source=$1 build=$2
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
set -e
cmake --install "$build" --prefix "$dir/prefix" >"$dir/log"

cat >"$dir/main.c" <<'END'
#include <actfn/actfn.h>
#include <stdio.h>
int main(void)
{
    const float x[3] = {-1, 0, 2};
    float y[3] = {9, 9, 9};
    const act_status status = act_forward(ACT_RELU, NULL, x, y, 3);
    printf("%s %d %g %g %g\n", act_version(), status, (double)y[0], (double)y[1], (double)y[2]);
    return 0;
}
END
cat >"$dir/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(consumer C)
find_package(actfn REQUIRED)
add_executable(consumer main.c)
target_link_libraries(consumer PRIVATE actfn::actfn)
END
version=$(sed -n 's/^#define ACTFN_VERSION_[MP][A-Z]* *//p' "$source/include/actfn/actfn.h" | paste -sd.)
want="$version 0 0 0 2"
check() { [ "$2" = "$want" ] || { echo "$1: '$2', not '$want'"; exit 1; }; }

cmake -S "$dir" -B "$dir/build" -DCMAKE_PREFIX_PATH="$dir/prefix" >"$dir/log"
cmake --build "$dir/build" >"$dir/log"
check find_package "$("$dir/build/consumer")"

pc=$(dirname "$(find "$dir/prefix" -name actfn.pc)")
flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags --libs actfn)
# shellcheck disable=SC2086 # flags are words
cc "$dir/main.c" -o "$dir/consumer" $flags
check pkg-config "$(LD_LIBRARY_PATH=${pc%/pkgconfig} "$dir/consumer")"
[ "$(PKG_CONFIG_PATH=$pc pkg-config --modversion actfn)" = "$version" ]

# A page for the library and one for each program, of this version.
set -- libactfn.3
for program in "$dir"/prefix/bin/*; do
    [ ! -e "$program" ] || set -- "$@" "${program##*/}.1"
done
for page; do
    file=$dir/prefix/share/man/man${page##*.}/$page
    [ -f "$file" ] || { echo "no man page $page"; exit 1; }
    grep -q "^\.TH .*\"libactfn $version\"" "$file" || { echo "$page is not of $version"; exit 1; }
done
