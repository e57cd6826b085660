#!/bin/sh
# A megabyte goes to our echo service and comes back, over both families.
# SPDX-License-Identifier: MIT
host_up --serve echo
"$PEER" echo $US4 7 1000000
"$PEER" echo $US6 7 1000000
"$PEER" echo $US4 7 1
"$PEER" echo $US4 7 0
stop
