#!/bin/sh
# A hundred megabytes reach our sink.
# SPDX-License-Identifier: MIT
host_up --serve discard -v
"$PEER" send $US4 9 100000000
"$PEER" send $US6 9 20000000
stop
