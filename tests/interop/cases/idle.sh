#!/bin/sh
# An idle host sleeps.
# SPDX-License-Identifier: MIT
host_up --for 3s
wait $HOST_PID || fail "$(cat "$DIRECTORY/log")"
HOST_PID=
sed -n 's/.*processor: \([0-9]*\)\..*/\1/p' "$DIRECTORY/log" |
    { read -r percent; [ "$percent" -lt 1 ]; } || fail "$(cat "$DIRECTORY/log")"
