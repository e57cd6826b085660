#!/bin/sh
# Checks that every C file looks as clang-format would write it.
# SPDX-License-Identifier: MIT
set -u
cd "$(dirname "$0")/.." || exit 3

git ls-files -z '*.c' '*.h' | xargs -0 -P 2 -n 16 clang-format --dry-run -Werror \
    && echo 'format: good'
