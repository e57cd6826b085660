#!/bin/sh
# The kernel's duplicate detection sees our address, and ours sees the kernel's.
# SPDX-License-Identifier: MIT
host_up
sysctl -qw net.ipv6.conf.tap0.accept_dad=1
ping -q -c 1 -W 1 $US6
ip -6 address add $US6/64 dev tap0
wait_for sh -c "ip -6 address show dev tap0 | grep -q 'dadfailed'"
stop
