#!/bin/sh
# Thousands of short connections on few ports, which come back in TIME-WAIT.
# SPDX-License-Identifier: MIT
host_up --serve http
sysctl -qw net.ipv4.ip_local_port_range="40000 40400"
"$PEER" short $US4 80 3000
"$PEER" short $US6 80 1000
stop
