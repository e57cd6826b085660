#!/bin/sh
# A thousand connections at once are served.
# SPDX-License-Identifier: MIT
ulimit -n 4096
host_up --serve echo
"$PEER" many $US4 7 1000
stop
