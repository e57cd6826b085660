// Neighbour discovery messages with their options (RFC 4861 4).
// SPDX-License-Identifier: MIT
#ifndef WIRE_ND_H
#define WIRE_ND_H

#include "stack/wire/address.h"

enum {
    ND_OPTION_SOURCE_LINK_ADDR = 1,
    ND_OPTION_TARGET_LINK_ADDR = 2,
    ND_OPTION_PREFIX = 3,
    ND_OPTION_REDIRECTED = 4,
    ND_OPTION_MTU = 5,
    ND_OPTION_RDNSS = 25,
    ND_OPTION_DNSSL = 31
};
enum { ND_NEIGHBOUR_SIZE = 24, ND_LINK_OPTION_SIZE = 8 };

// Neighbour solicitation or advertisement, ICMPv6 header included.
struct nd_neighbour {
    uint8_t type; // ICMP6_NEIGHBOUR_SOLICITATION or _ADVERTISEMENT
    bool is_router, is_solicited, is_override; // advertisement only
    struct ip_addr target;
    bool has_link_addr; // source (solicitation) or target (advertisement)
                        // link-layer address
    struct mac_addr link_addr;
};

// Walks the options; unknown ones are skipped, a zero length is -EINVAL (RFC
// 4861 4.6). Does not check the checksum or the hop limit.
int nd_neighbour_parse(const uint8_t *message, size_t length,
                       struct nd_neighbour *out);
// Writes 24 or 32 bytes, checksum zero (see icmp_fill_checksum); returns how
// many.
size_t nd_neighbour_emit(const struct nd_neighbour *message, uint8_t *bytes);

struct nd_option {
    uint8_t type;
    const uint8_t *data; // after type and length
    size_t length;       // of data
};
// Returns the whole option's length or -EINVAL.
int nd_option_parse(const uint8_t *bytes, size_t length, struct nd_option *out);

#endif
