#!/bin/sh
# Echo requests of many sizes are answered, over both families.
# SPDX-License-Identifier: MIT
host_up
for size in 0 1 8 56 1472; do
    ping -q -c 2 -i 0.01 -W 1 -s $size $US4
    ping -q -c 2 -i 0.01 -W 1 -s $((size < 1452 ? size : 1452)) $US6
done
stop
