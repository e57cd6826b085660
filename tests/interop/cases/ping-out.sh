#!/bin/sh
# Our echo requests are answered by the kernel.
# SPDX-License-Identifier: MIT
bridge_up --for 2s "$(scenario "" "" "- {host: us, ping: $KERNEL4, count: 5, interval: 100ms, start: 300ms}
- {host: us, name: six, ping: \"$KERNEL6\", count: 5, interval: 100ms, start: 300ms}
- {host: us, name: big, ping: $KERNEL4, size: 20000, count: 3, interval: 100ms, start: 300ms}")"
cat >>"$DIRECTORY/scenario.yaml" <<END
expect:
  - {app: us/ping, messages-received: 5}
  - {app: six, messages-received: 5}
  - {app: big, messages-received: 3}
END
wait "$HOST_PID" || fail "$(cat "$DIRECTORY/log")"
HOST_PID=
