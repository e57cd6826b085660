#!/bin/sh
# Datagrams of many sizes come back from our echo service.
# SPDX-License-Identifier: MIT
host_up --serve echo
for size in 1 100 1472 1473 9000 60000; do
    "$PEER" datagrams $US4 7 $size 20
    "$PEER" datagrams $US6 7 $size 20
done
stop
