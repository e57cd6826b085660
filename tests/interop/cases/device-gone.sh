#!/bin/sh
# A device that goes away ends the run with a sentence; one that goes down does not.
# SPDX-License-Identifier: MIT
host_up
ip link del tap0
if wait "$HOST_PID"; then fail "ended well"; else [ $? -eq 3 ]; fi
HOST_PID=
log_has "the device 'tap0' is gone"
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
start host --tap v1 --kind packet --address "$US4/24"
ip address add $KERNEL4/24 dev v0
sleep 0.3
ip link set v1 down
sleep 0.1
ip link set v1 up
wait_for ping -q -c 1 -W 1 $US4
ip link del v0
if wait "$HOST_PID"; then fail "ended well"; else [ $? -eq 3 ]; fi
HOST_PID=
log_has "the device 'v1' is gone"
