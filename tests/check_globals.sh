#!/bin/sh
# Proves that the given libraries have no mutable global and no static variable.
# SPDX-License-Identifier: MIT
#
# nm's letters: b, B (zeroed), d, D (initialised), C (common), s, S, g, G (small
# data). Constant tables of pointers are r or R, or live in .data.rel.ro, which
# nm also calls d: the section tells them apart.
set -u

bad=0
for library in "$@"; do
    found=$(objdump -t "$library" | awk -v library="$library" '
        /file format/ { object = $1; sub(/:$/, "", object) }
        / O / || /\*COM\*/ {
            for (i = 1; i <= NF; i++)
                if ($i ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ &&
                    $i !~ /^\.data\.rel\.ro/)
                    print "  " library ": " object ": " $NF " in " $i
        }')
    if [ -n "$found" ]; then
        echo 'mutable globals:'
        echo "$found"
        bad=1
    fi
done
[ $bad -eq 0 ] && echo 'globals: none'
exit $bad
