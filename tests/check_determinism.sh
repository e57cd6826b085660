#!/bin/sh
# The same scenarios with programs built differently must give the same bytes.
#   tests/check_determinism.sh WORK PROGRAM PROGRAM...
# SPDX-License-Identifier: MIT
set -u
work=$1 first=$2
shift
rm -rf "$work"
passed=0 failed=0 number=0
for program; do
    number=$((number + 1))
    tests/run_scenarios.sh "$program" "$work/$number" >"$work.log" || cat "$work.log"
    (cd "$work/$number" && find . -type f | LC_ALL=C sort | xargs sha256sum) >"$work/$number.sums"
    [ $number -eq 1 ] && continue
    if cmp -s "$work/1.sums" "$work/$number.sums" && [ -s "$work/1.sums" ]; then
        passed=$((passed + 1))
    else
        echo "FAILED: $program differs from $first:"
        diff "$work/1.sums" "$work/$number.sums" | head -n 10
        failed=$((failed + 1))
    fi
done
rm -f "$work.log"
echo "determinism: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
