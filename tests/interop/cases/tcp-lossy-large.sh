#!/bin/sh
# Ten megabytes through one per cent of loss, both ways, at a fair rate.
# SPDX-License-Identifier: MIT
timeout 25 "$PEER" receive 9000 10000000 &
receiver=$!
bridge_up "$(scenario "delay: 1ms, loss: 1%" "" "- {host: us, tcp-bulk: \"$KERNEL4:9000\", bytes: 10MB, start: 300ms}
- {host: us, echo: 7}")" --capture none
timeout 25 "$PEER" echo $US4 7 10000000
wait $receiver
stop
