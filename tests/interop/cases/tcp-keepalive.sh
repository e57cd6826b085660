#!/bin/sh
# Keepalive probes of the kernel are answered.
# SPDX-License-Identifier: MIT
host_up --serve echo
"$PEER" keepalive $US4 7
stop
