// IPv6 header with its extension headers (RFC 8200).
// SPDX-License-Identifier: MIT
#ifndef WIRE_IPV6_H
#define WIRE_IPV6_H

#include "stack/wire/address.h"

enum { IPV6_HEADER_SIZE = 40, IPV6_FRAGMENT_SIZE = 8, IPV6_MIN_MTU = 1280 };
enum {
    IPV6_HOP_BY_HOP = 0,
    IPV6_ROUTING = 43,
    IPV6_FRAGMENT = 44,
    IPV6_NO_NEXT = 59,
    IPV6_DESTINATION = 60
};

struct ipv6_header {
    uint8_t traffic_class;   // DSCP 6 bits, ECN 2 bits
    uint32_t flow_label;     // 20 bits
    uint16_t payload_length; // bytes after the 40
    uint8_t next_header;
    uint8_t hop_limit;
    struct ip_addr source, destination;
};

struct ipv6_fragment {
    uint8_t next_header;
    uint16_t offset; // bytes, a multiple of 8
    bool more;
    uint32_t id;
};

// Returns 40, or -EINVAL (cut short, wrong version, payload_length beyond
// `length`).
int ipv6_parse(const uint8_t *bytes, size_t length, struct ipv6_header *out);
int ipv6_parse_quoted(const uint8_t *bytes, size_t length,
                      struct ipv6_header *out);
size_t ipv6_emit(const struct ipv6_header *header, uint8_t *bytes);

int ipv6_fragment_parse(const uint8_t *bytes, size_t length,
                        struct ipv6_fragment *out);
size_t ipv6_fragment_emit(const struct ipv6_fragment *fragment, uint8_t *bytes);

// Length in bytes of a hop-by-hop, routing or destination options header that
// starts at bytes, or -EINVAL.
int ipv6_extension_length(const uint8_t *bytes, size_t length);

// One option of a hop-by-hop or destination options header. Returns its whole
// length (Pad1 is 1), or -EINVAL. RFC 8200 4.2: the two highest bits of type
// say what to do when the type is unknown.
struct ipv6_option {
    uint8_t type;
    uint8_t length; // of data
    const uint8_t *data;
};
int ipv6_option_parse(const uint8_t *bytes, size_t length,
                      struct ipv6_option *out);

#endif
