#!/bin/sh
# A receiver that does not read for a while gets everything in the end.
# SPDX-License-Identifier: MIT
timeout 20 "$PEER" receive-late 9000 1000000 1500 &
receiver=$!
bridge_up "$(scenario "" "" "- {host: us, tcp-bulk: \"$KERNEL4:9000\", bytes: 1MB, start: 300ms}")"
wait $receiver
stop
