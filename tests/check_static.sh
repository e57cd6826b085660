#!/bin/sh
# Runs cppcheck over the whole program.
# SPDX-License-Identifier: MIT
#
# Its results are kept in BUILD/cppcheck, so that only changed files are looked
# at again. Missing returns are the compilers' business: they know that a failed
# must() does not come back.
set -u
cd "$(dirname "$0")/.." || exit 3

cache=${BUILD:-build}/cppcheck
mkdir -p "$cache"
folders=
for folder in stack sim lua cli; do
    [ -n "$(find $folder -name '*.c' 2>/dev/null)" ] && folders="$folders $folder"
done
# shellcheck disable=SC2086
cppcheck --quiet -j 2 --std=c11 --error-exitcode=1 --inline-suppr \
    --enable=warning,performance,portability --cppcheck-build-dir="$cache" \
    --library=tests/cppcheck.cfg --suppress=missingReturn \
    --suppress=missingIncludeSystem -I. $folders && echo 'static analysis: good'
