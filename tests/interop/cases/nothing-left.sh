#!/bin/sh
# Nothing is left after the end, a signal, a crash; a persistent TAP stays as it was.
# SPDX-License-Identifier: MIT
for signal in INT TERM KILL; do
    host_up
    ip link show tap0 >/dev/null
    kill -$signal $HOST_PID
    wait $HOST_PID 2>/dev/null || true
    HOST_PID=
    if ip link show tap0 2>/dev/null; then fail "tap0 is left after SIG$signal"; fi
done
ip tuntap add dev keep0 mode tap
start host --tap keep0 --address 10.9.0.2/24 --for 300ms
wait $HOST_PID || fail "$(cat "$DIRECTORY/log")"
HOST_PID=
ip link show keep0 >/dev/null
