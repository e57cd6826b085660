#!/bin/sh
# A flood of mutated, truncated and random frames leaves our host answering.
# SPDX-License-Identifier: MIT
bridge_up "$(scenario "" "" "- {host: us, echo: 7}
- {host: us, http: 80}")" --capture none --set taps.tap0.offload=off
# What the flood mutates: a bit of everything, in both directions.
"$PEER" flood tap0 "${FLOOD:-200000}" 1 &
flood=$!
sleep 0.1
ping -q -c 2 -i 0.02 -s 3000 $US4
ping -q -c 1 $US6
"$PEER" echo $US4 7 20000
"$PEER" refused $US4 99
"$PEER" datagrams $US6 7 100 3
wait $flood
"$PEER" flood tap0 "${FLOOD:-200000}" 2
ip neighbour flush dev tap0
wait_for "$PEER" echo $US4 7 20000
wait_for "$PEER" echo $US6 7 20000
stop
