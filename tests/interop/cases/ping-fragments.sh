#!/bin/sh
# Echo requests in fragments are answered in fragments.
# SPDX-License-Identifier: MIT
host_up
for size in 1473 2952 2953 8000 65507; do
    ping -q -c 2 -i 0.01 -W 1 -s $size $US4
    ping -q -c 2 -i 0.01 -W 1 -s $((size < 65000 ? size : 65487)) $US6
done
stop
