// UDP header (RFC 768).
// SPDX-License-Identifier: MIT
#ifndef WIRE_UDP_H
#define WIRE_UDP_H

#include "stack/wire/address.h"

enum { UDP_HEADER_SIZE = 8 };

struct udp_header {
    uint16_t source_port, destination_port;
    uint16_t length;   // header included
    uint16_t checksum; // 0: none (IPv4 only)
};

// 8, or -EINVAL: cut short, length below 8 or beyond the buffer.
int udp_parse(const uint8_t *bytes, size_t length, struct udp_header *out);
size_t udp_emit(const struct udp_header *header, uint8_t *bytes);
// Computes and writes the checksum of a whole datagram (0 becomes 0xffff).
void udp_fill_checksum(uint8_t *datagram, size_t length,
                       const struct ip_addr *source,
                       const struct ip_addr *destination);
// A zero checksum is good over IPv4 and bad over IPv6 (RFC 8200 8.1).
bool udp_checksum_is_good(const uint8_t *datagram, size_t length,
                          const struct ip_addr *source,
                          const struct ip_addr *destination);

#endif
