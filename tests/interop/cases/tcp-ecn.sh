#!/bin/sh
# A marking link: both ends see the marks, data is whole.
# SPDX-License-Identifier: MIT
sysctl -qw net.ipv4.tcp_ecn=1
timeout 20 "$PEER" receive 9000 5000000 &
receiver=$!
bridge_up "$(scenario "delay: 2ms, impairments: [{mark: 1%}]" "tcp: {ecn: 1}" "- {host: us, tcp-bulk: \"$KERNEL4:9000\", bytes: 5MB, start: 300ms}
- {host: us, echo: 7}")" -v
"$PEER" echo $US4 7 5000000
wait $receiver
stop
log_has "marked"
