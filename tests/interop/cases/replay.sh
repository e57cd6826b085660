#!/bin/sh
# A recorded run gives the same frames again, in virtual time and without a device.
# SPDX-License-Identifier: MIT
bridge_up "$(scenario "delay: 1ms, jitter: 500us, loss: 1%" "" "- {host: us, echo: 7}
- {host: us, http: 80}")"
ping -q -c 3 -i 0.05 -W 1 $US4 || true
"$PEER" echo $US4 7 300000
"$PEER" echo $US6 7 300000
"$PEER" refused $US4 99
stop
ip link show tap0 2>/dev/null && fail "tap0 is left"
"$WIREBED" replay "$DIRECTORY/out" >"$DIRECTORY/log" 2>&1 || fail "$(cat "$DIRECTORY/log")"
log_has "those to the outside are the same"
