// ICMP headers of both families (RFC 792, RFC 4443).
// SPDX-License-Identifier: MIT
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include "stack/wire/address.h"

enum { ICMP_HEADER_SIZE = 8 };

enum {
    ICMP4_ECHO_REPLY = 0,
    ICMP4_UNREACHABLE = 3,
    ICMP4_REDIRECT = 5,
    ICMP4_ECHO = 8,
    ICMP4_TIME_EXCEEDED = 11,
    ICMP4_PARAMETER_PROBLEM = 12
};
enum { // codes of ICMP4_UNREACHABLE
    ICMP4_NET_UNREACHABLE = 0,
    ICMP4_HOST_UNREACHABLE = 1,
    ICMP4_PROTOCOL_UNREACHABLE = 2,
    ICMP4_PORT_UNREACHABLE = 3,
    ICMP4_FRAGMENTATION_NEEDED = 4,
    ICMP4_ADMIN_PROHIBITED = 13
};
enum {
    ICMP6_UNREACHABLE = 1,
    ICMP6_PACKET_TOO_BIG = 2,
    ICMP6_TIME_EXCEEDED = 3,
    ICMP6_PARAMETER_PROBLEM = 4,
    ICMP6_ECHO = 128,
    ICMP6_ECHO_REPLY = 129,
    ICMP6_ROUTER_SOLICITATION = 133,
    ICMP6_ROUTER_ADVERTISEMENT = 134,
    ICMP6_NEIGHBOUR_SOLICITATION = 135,
    ICMP6_NEIGHBOUR_ADVERTISEMENT = 136,
    ICMP6_REDIRECT = 137
};
enum { // codes of ICMP6_UNREACHABLE
    ICMP6_NO_ROUTE = 0,
    ICMP6_ADMIN_PROHIBITED = 1,
    ICMP6_ADDRESS_UNREACHABLE = 3,
    ICMP6_PORT_UNREACHABLE = 4
};
enum {
    ICMP_TTL_EXCEEDED = 0,
    ICMP_REASSEMBLY_TIMEOUT = 1
}; // codes of time exceeded, both families

// OFFSET SIZE MEANING
//      0    1 type
//      1    1 code
//      2    2 checksum over the whole message (ICMPv6: with pseudo-header)
//      4    4 rest: echo identifier and sequence; MTU; pointer; flags
struct icmp_header {
    uint8_t type, code;
    uint16_t checksum;
    uint32_t rest; // the four bytes as one big-endian number
};

int icmp_parse(const uint8_t *bytes, size_t length,
               struct icmp_header *out); // 8 or -EINVAL
// Writes the header with header->checksum as it is given; see
// icmp_fill_checksum.
size_t icmp_emit(const struct icmp_header *header, uint8_t *bytes);
// Computes the checksum of a whole message in place. Both addresses are NULL
// for IPv4.
void icmp_fill_checksum(uint8_t *message, size_t length,
                        const struct ip_addr *source,
                        const struct ip_addr *destination);
bool icmp_checksum_is_good(const uint8_t *message, size_t length,
                           const struct ip_addr *source,
                           const struct ip_addr *destination);
// Is it an error message (never answered with another one)?
bool icmp_is_error(uint8_t family, uint8_t type);
const char *icmp_type_name(uint8_t family, uint8_t type,
                           uint8_t code); // tcpdump's words

#endif
