#!/bin/sh
# Fifty megabytes of ours reach the kernel, over both families.
# SPDX-License-Identifier: MIT
timeout 20 "$PEER" receive 9000 50000000 &
four=$!
timeout 20 "$PEER" receive 9001 20000000 &
six=$!
bridge_up "$(scenario "" "" "- {host: us, tcp-bulk: \"$KERNEL4:9000\", bytes: 50MB, start: 500ms}
- {host: us, tcp-bulk: \"[$KERNEL6]:9001\", bytes: 20MB, start: 500ms}")" --capture none
wait $four
wait $six
stop
