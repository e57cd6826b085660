#!/bin/sh
# A closed port refuses at once, over TCP and UDP.
# SPDX-License-Identifier: MIT
host_up
"$PEER" refused $US4 1
"$PEER" refused $US6 1
"$PEER" datagram-refused $US4 1
"$PEER" datagram-refused $US6 1
stop
