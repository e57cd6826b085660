#!/bin/sh
# Proves from the #include lines that no layer looks up.
# SPDX-License-Identifier: MIT
#
# Each row: the files, then (as one extended regular expression) everything that
# they may include. lua -> sim -> stack -> stack/wire; the command line on top.
set -u
cd "$(dirname "$0")/.." || exit 3

libc='<(stdbool|stddef|stdint|string|stdlib|errno|limits)\.h>'
bad=0

# $1: what is being checked; $2: allowed; the rest: files.
check() {
    name=$1 allowed=$2
    shift 2
    [ $# -gt 0 ] || return 0
    found=$(grep -nHE '^[[:space:]]*#[[:space:]]*include' "$@" |
        grep -vE "#[[:space:]]*include[[:space:]]+($allowed)[[:space:]]*(//.*)?\$")
    [ -z "$found" ] && return 0
    echo "$name must not include:"
    echo "$found" | sed 's/^/  /'
    bad=1
}

files() { find "$@" -name '*.[ch]' 2>/dev/null | LC_ALL=C sort; }

check 'stack/wire' "\"stack/wire/[a-z0-9_]+\\.h\"|$libc" $(files stack/wire)
# The debug build tells AddressSanitizer which packets are free.
check 'stack' "\"stack/[a-z0-9_/]+\\.h\"|$libc|<sanitizer/asan_interface\\.h>" \
    $(files stack | grep -v '^stack/wire/')
check 'sim' '"(sim|stack)/[a-z0-9_/]+\.h"|<.*>' $(files sim)
check 'lua' '"(lua|sim|stack)/[a-z0-9_/]+\.h"|<.*>' $(files lua)
check 'cli' '"(cli|lua|sim|stack)/[a-z0-9_/]+\.h"|<.*>' $(files cli)
# Only lua/ knows the interpreter; only the simulator and above do I/O.
check 'sim (Lua)' '".*"|<([^l]|l[^ua]|lua[^.lx]).*>' $(files sim)

[ $bad -eq 0 ] && echo 'layers: good'
exit $bad
