#!/bin/sh
# The kernel learns our hardware address, we learn its own; silence means unreachable.
# SPDX-License-Identifier: MIT
host_up
ping -q -c 1 -W 1 $US4
ping -q -c 1 -W 1 $US6
ip neighbour show $US4 | grep -q -e REACHABLE -e DELAY -e STALE
ip neighbour show $US6 | grep -q -e REACHABLE -e DELAY -e STALE
ip neighbour flush dev tap0
ping -q -c 1 -W 1 $US4
# Nobody is there: our host must not answer for others.
if ping -q -c 1 -W 1 10.9.0.3; then fail "somebody answered for 10.9.0.3"; fi
if ping -q -c 1 -W 1 fd00::3; then fail "somebody answered for fd00::3"; fi
stop
