#!/bin/sh
# A pure simulation follows the clock at a factor.
# SPDX-License-Identifier: MIT
cat >"$DIRECTORY/s.yaml" <<END
hosts: {a: , b: }
links: {wire: {ends: [a, b], delay: 10ms}}
apps: [{host: a, ping: b, count: 3, interval: 1s}]
stop: 4s
END
"$WIREBED" run --speed 4 --capture none "$DIRECTORY/s.yaml" >"$DIRECTORY/log"
log_has "4 s simulated in 1.0. s"
log_has "lateness:"
