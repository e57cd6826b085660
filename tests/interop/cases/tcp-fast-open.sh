#!/bin/sh
# Linux sends data with its SYN, ours takes it.
# SPDX-License-Identifier: MIT
sysctl -qw net.ipv4.tcp_fastopen=3
bridge_up "$(scenario "" "tcp: {fast-open: 3, fast-open-listeners: on}")"
"$PEER" fast-open $US4 7
"$PEER" fast-open $US6 7
stop
