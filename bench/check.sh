#!/bin/sh
# Counts the instructions of six short workloads; compares or renews a baseline.
# SPDX-License-Identifier: MIT
#
#   bench/check.sh WORKLOADS BASELINE           fails on more than 3 % growth
#   bench/check.sh WORKLOADS BASELINE --renew   writes the baseline
#
# A count of instructions is the same on a busy machine as on an idle one, which
# no time is. It depends on compiler and C library, though, so the baseline names
# those it was made with and is renewed where they change. callgrind counts; perf
# where there is no valgrind (the two agree to about 1 %).
set -eu

workloads=$1
baseline=$2
renew=${3:-}
limit_percent=3
runs='flow:10000000 captured-flow:5000000 flows-300ms:10 datagrams:1000
      connections:500 hosts:300'

made_with() {
    printf '# %s, %s\n' "$(${CC:-gcc} --version | head -n 1)" \
        "$(ldd --version 2>&1 | head -n 1)"
}

count() {
    if command -v valgrind >/dev/null; then
        valgrind --tool=callgrind --callgrind-out-file=/dev/null \
            "$workloads" -i "$1" 2>&1 | sed -n 's/.*Collected : //p'
    else
        perf stat -x, -e instructions:u "$workloads" -i "$1" 2>&1 |
            sed -n 's/,.*instructions.*//p'
    fi
}

if [ "$renew" = --renew ]; then
    {
        made_with
        for run in $runs; do
            printf '%s %s\n' "$run" "$(count "$run")"
        done
    } >"$baseline.new"
    mv "$baseline.new" "$baseline"
    cat "$baseline"
    exit
fi

if [ "$(head -n 1 "$baseline")" != "$(made_with)" ]; then
    echo "another compiler or C library than the baseline's:" >&2
    head -n 1 "$baseline" >&2
fi
failed=0
for run in $runs; do
    before=$(sed -n "s/^$run //p" "$baseline")
    now=$(count "$run")
    if [ -z "$before" ] || [ -z "$now" ]; then
        echo "$run: baseline '$before', now '$now'" >&2
        failed=1
        continue
    fi
    awk -v run="$run" -v before="$before" -v now="$now" \
        -v limit=$limit_percent 'BEGIN {
            growth = (now / before - 1) * 100
            printf "%-22s %12d %12d %+6.2f %%%s\n", run, before, now, growth,
                   (growth > limit) ? "  too much" : ""
            exit (growth > limit)
        }' || failed=1
done
[ $failed = 0 ] || {
    echo 'if it has to be: make bench-baseline, and say why in the commit' >&2
    exit 1
}
