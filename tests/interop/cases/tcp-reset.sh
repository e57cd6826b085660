#!/bin/sh
# A reset by the kernel ends our side; the service goes on.
# SPDX-License-Identifier: MIT
host_up --serve echo
for _ in 1 2 3; do "$PEER" reset $US4 7; done
"$PEER" echo $US4 7 1000
stop
