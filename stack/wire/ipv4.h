// IPv4 header (RFC 791).
// SPDX-License-Identifier: MIT
#ifndef WIRE_IPV4_H
#define WIRE_IPV4_H

#include "stack/wire/address.h"

enum { IPV4_HEADER_SIZE = 20, IPV4_MAX_HEADER_SIZE = 60, IPV4_MIN_MTU = 68 };
enum {
    IP_PROTOCOL_ICMP = 1,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
    IP_PROTOCOL_ICMPV6 = 58
};

struct ipv4_header {
    uint8_t header_length; // bytes, 20..60
    uint8_t tos;           // DSCP 6 bits, ECN 2 bits
    uint16_t total_length; // bytes, header included
    uint16_t id;
    bool dont_fragment, more_fragments;
    bool reserved_flag;
    uint16_t fragment_offset; // bytes, a multiple of 8
    uint8_t ttl;
    uint8_t protocol;
    uint16_t checksum;
    struct ip_addr source, destination;
    const uint8_t *options; // header_length - 20 bytes inside the parsed
                            // buffer; NULL when emitted without
};

// Checks version, header length, total length against `length` (trailing
// padding is fine) and the header checksum. Returns the header length; -EINVAL:
// cut short or impossible; -EBADMSG: the checksum is wrong.
int ipv4_parse(const uint8_t *bytes, size_t length, struct ipv4_header *out);
// The same without the checksum and with total_length allowed beyond `length`:
// the quotation inside an ICMP error.
int ipv4_parse_quoted(const uint8_t *bytes, size_t length,
                      struct ipv4_header *out);
// Writes header_length bytes (0 means 20) with the right checksum; returns how
// many.
size_t ipv4_emit(const struct ipv4_header *header, uint8_t *bytes);

#endif
