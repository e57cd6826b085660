#!/bin/sh
# tcpdump on the TAP and our own capture have the same frames.
# SPDX-License-Identifier: MIT
need tcpdump
ip tuntap add dev tap0 mode tap
ip link set tap0 up
tcpdump --immediate-mode -i tap0 -s 0 -B 16384 -U -w "$DIRECTORY/kernel.pcap" 2>"$DIRECTORY/tcpdump.log" &
dumper=$!
wait_for grep -q listening "$DIRECTORY/tcpdump.log"
# Without offload the kernel counts in the same frames as we do.
bridge_up --set taps.tap0.offload=off "$(scenario)"
ping -q -c 3 -i 0.05 $US4
"$PEER" echo $US4 7 50000
"$PEER" echo $US6 7 50000
"$PEER" datagrams $US4 7 3000 5
sleep 0.3
stop
kill -INT $dumper
wait $dumper || true
dump() { tcpdump -r "$1" -t -n -xx 2>/dev/null; }
# What the kernel sent before our program was there only tcpdump has.
dump "$DIRECTORY/kernel.pcap" | grep '^	0x' | sort >"$DIRECTORY/kernel.txt"
dump "$DIRECTORY/out/tap0-eth0.pcapng" | grep '^	0x' | sort >"$DIRECTORY/ours.txt"
comm -13 "$DIRECTORY/kernel.txt" "$DIRECTORY/ours.txt" >"$DIRECTORY/difference"
[ ! -s "$DIRECTORY/difference" ] || fail "not seen by the kernel: $(head -5 "$DIRECTORY/difference")"
