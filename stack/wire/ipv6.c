// IPv6 headers as bytes.
// SPDX-License-Identifier: MIT
#include "stack/wire/ipv6.h"

#include <errno.h>

#include "stack/wire/bytes.h"

enum { FLOW_LABEL_MASK = 0xfffff };

// OFFSET SIZE MEANING
//      0    4 version 6 (4 bits), traffic class (8), flow label (20)
//      4    2 payload length
//      6    1 next header
//      7    1 hop limit
//      8   16 source
//     24   16 destination
int ipv6_parse_quoted(const uint8_t *bytes, size_t length,
                      struct ipv6_header *out)
{
    if (length < IPV6_HEADER_SIZE || bytes[0] >> 4 != 6)
        return -EINVAL;
    uint32_t first = get_be32(bytes);
    out->traffic_class = (uint8_t)(first >> 20);
    out->flow_label = first & FLOW_LABEL_MASK;
    out->payload_length = get_be16(bytes + 4);
    out->next_header = bytes[6];
    out->hop_limit = bytes[7];
    out->source = ip_addr_from_bytes(IP_V6, bytes + 8);
    out->destination = ip_addr_from_bytes(IP_V6, bytes + 24);
    return IPV6_HEADER_SIZE;
}

int ipv6_parse(const uint8_t *bytes, size_t length, struct ipv6_header *out)
{
    if (length < IPV6_HEADER_SIZE ||
        get_be16(bytes + 4) > length - IPV6_HEADER_SIZE)
        return -EINVAL;
    return ipv6_parse_quoted(bytes, length, out);
}

size_t ipv6_emit(const struct ipv6_header *header, uint8_t *bytes)
{
    put_be32(bytes, UINT32_C(6) << 28 | (uint32_t)header->traffic_class << 20 |
                        (header->flow_label & FLOW_LABEL_MASK));
    put_be16(bytes + 4, header->payload_length);
    bytes[6] = header->next_header;
    bytes[7] = header->hop_limit;
    memcpy(bytes + 8, header->source.bytes, 16);
    memcpy(bytes + 24, header->destination.bytes, 16);
    return IPV6_HEADER_SIZE;
}

// OFFSET SIZE MEANING (RFC 8200 4.5)
//      0    1 next header
//      1    1 reserved
//      2    2 offset in units of 8 bytes (13 bits), reserved (2), more (1)
//      4    4 identification
int ipv6_fragment_parse(const uint8_t *bytes, size_t length,
                        struct ipv6_fragment *out)
{
    if (length < IPV6_FRAGMENT_SIZE)
        return -EINVAL;
    uint16_t offset = get_be16(bytes + 2);
    out->next_header = bytes[0];
    out->offset = offset & 0xfff8;
    out->more = offset & 1;
    out->id = get_be32(bytes + 4);
    return IPV6_FRAGMENT_SIZE;
}

size_t ipv6_fragment_emit(const struct ipv6_fragment *fragment, uint8_t *bytes)
{
    bytes[0] = fragment->next_header;
    bytes[1] = 0;
    put_be16(bytes + 2, (uint16_t)((fragment->offset & 0xfff8) |
                                   (fragment->more ? 1 : 0)));
    put_be32(bytes + 4, fragment->id);
    return IPV6_FRAGMENT_SIZE;
}

int ipv6_extension_length(const uint8_t *bytes, size_t length)
{
    if (length < 8)
        return -EINVAL;
    int size = (bytes[1] + 1) * 8; // the first 8 bytes do not count
    return (size_t)size > length ? -EINVAL : size;
}

int ipv6_option_parse(const uint8_t *bytes, size_t length,
                      struct ipv6_option *out)
{
    if (length < 1)
        return -EINVAL;
    if (bytes[0] == 0) { // Pad1 is one byte, without a length
        *out = (struct ipv6_option){.data = bytes + 1};
        return 1;
    }
    if (length < 2 || (size_t)bytes[1] + 2 > length)
        return -EINVAL;
    *out = (struct ipv6_option){bytes[0], bytes[1], bytes + 2};
    return bytes[1] + 2;
}
