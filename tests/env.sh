#!/bin/sh
# env.sh SMOKE...: ACTFN_ISA and ACTFN_MODE choose what is usable, anything else changes nothing, and
# the getters tell the truth. SMOKE may be preceded by an emulator.
failed=0
unset ACTFN_ISA ACTFN_MODE
expect() { # expect WHAT WANTED GOT
    [ "$2" = "$3" ] || { echo "$1: '$3', not '$2'"; failed=1; }
}
best=$("$@" settings) || exit 1
best=${best% *}
expect "no variables" "$best fast" "$("$@" settings)"

for isa in $("$@" isas); do
    case $isa in
    !*) expect "unusable ${isa#!}" "$best fast" "$(ACTFN_ISA=${isa#!} "$@" settings)" ;;
    *) expect "$isa" "$isa fast" "$(ACTFN_ISA=$isa "$@" settings)"
       case $isa in scalar | sse42) mode=fast ;; *) mode=reproducible ;; esac
       expect "$isa reproducible" "$isa $mode" \
              "$(ACTFN_ISA=$isa ACTFN_MODE=reproducible "$@" settings)" ;;
    esac
done

long=$(printf '%010000d' 0)
for isa in "" " " SCALAR Scalar " scalar" "scalar " "scalar,sse42" 0 1 -1 nonsense "$long"; do
    expect "ACTFN_ISA='$isa'" "$best fast" "$(ACTFN_ISA="$isa" "$@" settings)"
done
for mode in "" fast 0 1 Reproducible "reproducible " nonsense "$long"; do
    expect "ACTFN_MODE='$mode'" "$best fast" "$(ACTFN_MODE="$mode" "$@" settings)"
done

# A set-user-id program does not let its caller choose. Making one takes root and no emulator.
if [ "$(id -u)" = 0 ] && [ $# = 1 ]; then
    dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && chmod 755 "$dir"
    cp "$1" "$dir/smoke" && chown 65534 "$dir/smoke" && chmod 4755 "$dir/smoke"
    if secure=$(ACTFN_ISA=scalar "$dir/smoke" settings 2>&1); then
        expect "ACTFN_ISA=scalar, set-user-id" "$best fast" "$secure"
    else
        echo "set-user-id programs not checked: $secure"
    fi
else
    echo "set-user-id programs not checked: that takes root, and no emulator"
fi
exit $failed
