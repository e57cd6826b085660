#!/bin/sh
# Runs every scenario; each asserts its own outcome.
#   tests/run_scenarios.sh PROGRAM FOLDER [OPTION...]   captures go to FOLDER/SCENARIO
# SPDX-License-Identifier: MIT
set -u
program=$1 folder=$2
shift 2
passed=0 failed=0
for scenario in scenarios/*.yaml scenarios/*.lua; do
    [ -e "$scenario" ] || continue
    name=$(basename "$scenario")
    name=${name%.*}
    # A Lua file beside a YAML file of the same name is that file's script.
    case $scenario in *.lua) [ -e "scenarios/$name.yaml" ] && continue ;; esac
    mkdir -p "$folder/$name"
    if "$program" run -q --out "$folder/$name" "$@" "$scenario"; then
        passed=$((passed + 1))
    else
        echo "FAILED (status $?): $program run $* $scenario"
        failed=$((failed + 1))
    fi
done
echo "scenarios: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
