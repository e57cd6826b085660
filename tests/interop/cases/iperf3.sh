#!/bin/sh
# iperf3 measures our server: TCP both ways, four streams, UDP.
# SPDX-License-Identifier: MIT
need iperf3
host_up --serve iperf3
run() { timeout 10 iperf3 -c "$@" >"$DIRECTORY/iperf" 2>&1 || fail "$(cat "$DIRECTORY/iperf")"; }
run $US4 -t 1
grep -q "receiver" "$DIRECTORY/iperf"
run $US4 -t 1 -R
run $US6 -t 1 -P 4
run $US4 -t 1 -u -b 50M
grep "receiver" "$DIRECTORY/iperf"
stop
