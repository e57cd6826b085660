// ICMP headers as bytes, with the names of the messages.
// SPDX-License-Identifier: MIT
#include "stack/wire/icmp.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

int icmp_parse(const uint8_t *bytes, size_t length, struct icmp_header *out)
{
    if (length < ICMP_HEADER_SIZE)
        return -EINVAL;
    out->type = bytes[0];
    out->code = bytes[1];
    out->checksum = get_be16(bytes + 2);
    out->rest = get_be32(bytes + 4);
    return ICMP_HEADER_SIZE;
}

size_t icmp_emit(const struct icmp_header *header, uint8_t *bytes)
{
    bytes[0] = header->type;
    bytes[1] = header->code;
    put_be16(bytes + 2, header->checksum);
    put_be32(bytes + 4, header->rest);
    return ICMP_HEADER_SIZE;
}

// Only ICMPv6 has a pseudo-header (RFC 4443 2.3).
static uint16_t compute(const uint8_t *message, size_t length,
                        const struct ip_addr *source,
                        const struct ip_addr *destination)
{
    uint32_t sum = 0;
    if (source && destination)
        sum = checksum_pseudo(source, destination, IP_PROTOCOL_ICMPV6,
                              (uint32_t)length);
    return checksum_finish(checksum_add(sum, message, length));
}

void icmp_fill_checksum(uint8_t *message, size_t length,
                        const struct ip_addr *source,
                        const struct ip_addr *destination)
{
    put_be16(message + 2, 0);
    put_be16(message + 2, compute(message, length, source, destination));
}

bool icmp_checksum_is_good(const uint8_t *message, size_t length,
                           const struct ip_addr *source,
                           const struct ip_addr *destination)
{
    return compute(message, length, source, destination) == 0;
}

enum { ICMP4_SOURCE_QUENCH = 4 }; // deprecated by RFC 6633, still an error

bool icmp_is_error(uint8_t family, uint8_t type)
{
    // RFC 4443 2.1; 2.4(e) counts redirects in.
    if (family == IP_V6)
        return type < 128 || type == ICMP6_REDIRECT;
    switch (type) { // RFC 1122 3.2.2
    case ICMP4_UNREACHABLE:
    case ICMP4_SOURCE_QUENCH:
    case ICMP4_REDIRECT:
    case ICMP4_TIME_EXCEEDED:
    case ICMP4_PARAMETER_PROBLEM:
        return true;
    default:
        return false;
    }
}

enum { ANY_CODE = -1 };
struct name {
    uint8_t family, type;
    int code;
    const char *text;
};

// The first row that fits counts.
// clang-format off
static const struct name names[] = {
    {IP_V4, ICMP4_ECHO_REPLY, ANY_CODE, "echo reply"},
    {IP_V4, ICMP4_ECHO, ANY_CODE, "echo request"},
    {IP_V4, ICMP4_UNREACHABLE, ICMP4_NET_UNREACHABLE, "net unreachable"},
    {IP_V4, ICMP4_UNREACHABLE, ICMP4_HOST_UNREACHABLE, "host unreachable"},
    {IP_V4, ICMP4_UNREACHABLE, ICMP4_PROTOCOL_UNREACHABLE, "protocol unreachable"},
    {IP_V4, ICMP4_UNREACHABLE, ICMP4_PORT_UNREACHABLE, "port unreachable"},
    {IP_V4, ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED, "unreachable - need to frag"},
    {IP_V4, ICMP4_UNREACHABLE, ICMP4_ADMIN_PROHIBITED, "unreachable - admin prohibited filter"},
    {IP_V4, ICMP4_UNREACHABLE, ANY_CODE, "unreachable"},
    {IP_V4, ICMP4_SOURCE_QUENCH, ANY_CODE, "source quench"},
    {IP_V4, ICMP4_REDIRECT, ANY_CODE, "redirect"},
    {IP_V4, ICMP4_TIME_EXCEEDED, ICMP_TTL_EXCEEDED, "time exceeded in-transit"},
    {IP_V4, ICMP4_TIME_EXCEEDED, ICMP_REASSEMBLY_TIMEOUT, "ip reassembly time exceeded"},
    {IP_V4, ICMP4_TIME_EXCEEDED, ANY_CODE, "time exceeded"},
    {IP_V4, ICMP4_PARAMETER_PROBLEM, ANY_CODE, "parameter problem"},
    {IP_V6, ICMP6_UNREACHABLE, ICMP6_NO_ROUTE, "unreachable route"},
    {IP_V6, ICMP6_UNREACHABLE, ICMP6_ADMIN_PROHIBITED, "unreachable prohibited"},
    {IP_V6, ICMP6_UNREACHABLE, ICMP6_ADDRESS_UNREACHABLE, "unreachable address"},
    {IP_V6, ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE, "unreachable port"},
    {IP_V6, ICMP6_UNREACHABLE, ANY_CODE, "unreachable"},
    {IP_V6, ICMP6_PACKET_TOO_BIG, ANY_CODE, "packet too big"},
    {IP_V6, ICMP6_TIME_EXCEEDED, ICMP_TTL_EXCEEDED, "time exceeded in-transit"},
    {IP_V6, ICMP6_TIME_EXCEEDED, ICMP_REASSEMBLY_TIMEOUT, "time exceeded in-reassembly"},
    {IP_V6, ICMP6_TIME_EXCEEDED, ANY_CODE, "time exceeded"},
    {IP_V6, ICMP6_PARAMETER_PROBLEM, ANY_CODE, "parameter problem"},
    {IP_V6, ICMP6_ECHO, ANY_CODE, "echo request"},
    {IP_V6, ICMP6_ECHO_REPLY, ANY_CODE, "echo reply"},
    {IP_V6, ICMP6_ROUTER_SOLICITATION, ANY_CODE, "router solicitation"},
    {IP_V6, ICMP6_ROUTER_ADVERTISEMENT, ANY_CODE, "router advertisement"},
    {IP_V6, ICMP6_NEIGHBOUR_SOLICITATION, ANY_CODE, "neighbor solicitation"},
    {IP_V6, ICMP6_NEIGHBOUR_ADVERTISEMENT, ANY_CODE, "neighbor advertisement"},
    {IP_V6, ICMP6_REDIRECT, ANY_CODE, "redirect"},
};
// clang-format on

const char *icmp_type_name(uint8_t family, uint8_t type, uint8_t code)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct name *name = &names[i];
        if (name->family == family && name->type == type &&
            (name->code == ANY_CODE || name->code == code))
            return name->text;
    }
    return "unknown";
}
