// The Internet checksum (RFC 1071) with its incremental form (RFC 1624).
// SPDX-License-Identifier: MIT
#ifndef WIRE_CHECKSUM_H
#define WIRE_CHECKSUM_H

#include "stack/wire/address.h"

// A running sum is a 32-bit one's-complement accumulation in network order;
// ranges may be added in any order as long as each starts at an even offset of
// the summed data.
uint32_t checksum_add(uint32_t sum, const void *bytes, size_t length);
// The same on every machine's baseline instructions, whatever the processor
// has: what tests and benchmarks compare checksum_add with.
uint32_t checksum_add_baseline(uint32_t sum, const void *bytes, size_t length);
// The same while copying length bytes to `to` (regions do not overlap).
uint32_t checksum_copy(uint32_t sum, void *restrict to,
                       const void *restrict from, size_t length);
// Folds and complements. The result goes into the header with put_be16.
uint16_t checksum_finish(uint32_t sum);
// Pseudo-header of TCP, UDP and ICMPv6 (RFC 9293 3.1, RFC 8200 8.1).
uint32_t checksum_pseudo(const struct ip_addr *source,
                         const struct ip_addr *destination, uint8_t protocol,
                         uint32_t length);
// RFC 1624 eqn. 3: the checksum after one aligned 16-bit field went from `from`
// to `to`.
uint16_t checksum_update(uint16_t checksum, uint16_t from, uint16_t to);

#endif
