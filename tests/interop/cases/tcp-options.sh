#!/bin/sh
# Timestamps, SACK, window scaling and the MSS are negotiated with Linux.
# SPDX-License-Identifier: MIT
host_up --serve echo
"$PEER" info $US4 7 | grep "timestamps sack window-scaling mss=1448"
"$PEER" info $US6 7 | grep "timestamps sack window-scaling mss=1428"
sysctl -qw net.ipv4.tcp_ecn=1
"$PEER" info $US4 7 | grep "timestamps sack ecn window-scaling"
sysctl -qw net.ipv4.tcp_sack=0 net.ipv4.tcp_timestamps=0 net.ipv4.tcp_window_scaling=0
"$PEER" info $US4 7 | grep "^ecn mss=1460"
"$PEER" echo $US4 7 1000000
stop
