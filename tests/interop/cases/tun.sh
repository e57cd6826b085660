#!/bin/sh
# A TUN carries bare IP on a point-to-point link.
# SPDX-License-Identifier: MIT
start host --tap tun0 --kind tun --address "$US4/24,$US6/64" --serve echo
wait_for ip link show tun0
kernel_addresses tun0
ping -q -c 2 -i 0.05 -W 1 $US4
ping -q -c 2 -i 0.05 -W 1 $US6
ping -q -c 2 -i 0.05 -W 1 -s 5000 $US4
"$PEER" echo $US4 7 1000000
"$PEER" echo $US6 7 1000000
stop
