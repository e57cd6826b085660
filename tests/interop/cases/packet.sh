#!/bin/sh
# A host on an interface that exists, by AF_PACKET, offload included.
# SPDX-License-Identifier: MIT
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
start host --tap v1 --kind packet --address "$US4/24,$US6/64" --serve echo,discard \
    --set hosts.host.ip.dad-transmits=0
kernel_addresses v0
sleep 0.3
ping -q -c 2 -i 0.05 -W 1 $US4
ping -q -c 2 -i 0.05 -W 1 $US6
"$PEER" echo $US4 7 3000000
"$PEER" echo $US6 7 3000000
"$PEER" send $US4 9 20000000
"$PEER" datagrams $US4 7 1000 10
stop
