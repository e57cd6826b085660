// The constants that scripts may name, with Linux's values.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_SYMBOLS_H
#define PACKETDRILL_SYMBOLS_H

#include "stack/base.h"

// Constants of system calls; false: unknown.
bool symbol_find(const char *name, size_t length, int64_t *value);
// Constants of %{ }% alone: TCP_*, TCPI_*.
bool symbol_find_code(const char *name, size_t length, int64_t *value);
// "ECONNRESET" for 104; NULL: unknown.
const char *symbol_errno_name(int error);

#endif
