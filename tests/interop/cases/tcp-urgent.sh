#!/bin/sh
# Urgent data of the kernel does not stop the stream.
# SPDX-License-Identifier: MIT
host_up --serve echo
"$PEER" urgent $US4 7
stop
