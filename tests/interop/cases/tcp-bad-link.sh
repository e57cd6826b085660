#!/bin/sh
# A megabyte survives loss, reordering, duplication and corruption, both ways.
# SPDX-License-Identifier: MIT
timeout 25 "$PEER" receive 9000 1000000 &
receiver=$!
bridge_up "$(scenario "delay: 5ms, jitter: 2ms, loss: 2%, reorder: 2%, duplicate: 1%, corrupt: 0.5%" "" "- {host: us, tcp-bulk: \"$KERNEL4:9000\", bytes: 1MB, start: 300ms}
- {host: us, echo: 7}")"
timeout 25 "$PEER" echo $US4 7 1000000
timeout 25 "$PEER" echo $US6 7 300000
wait $receiver
stop
