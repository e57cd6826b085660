// The words for ICMP messages in scripts, for both families.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_ICMP_NAMES_H
#define PACKETDRILL_ICMP_NAMES_H

#include "stack/base.h"

// Words of the language, or "type_N" and "code_N". A code may be NULL: 0.
// false: the family has no such message.
bool icmp_type_find(uint8_t family, const char *name, uint8_t *type);
bool icmp_code_find(uint8_t family, uint8_t type, const char *name,
                    uint8_t *code);

#endif
