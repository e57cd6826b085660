// Reading the arguments of a script's system calls.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_SYSCALLS_H
#define PACKETDRILL_SYSCALLS_H

#include "sim/packetdrill/runner.h"

// The n-th argument from 0; NULL: there are fewer.
const struct script_value *call_argument(const struct script_call *call,
                                         unsigned n);
// An integer, also as [value]. false: the script is stopped.
bool call_integer(struct runner *r, const struct script_event *event,
                  unsigned n, int64_t *out);

#endif
