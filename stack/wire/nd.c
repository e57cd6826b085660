// Neighbour discovery messages as bytes.
// SPDX-License-Identifier: MIT
#include "stack/wire/nd.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/icmp.h"

enum { ROUTER = 0x80, SOLICITED = 0x40, OVERRIDE = 0x20 };

int nd_option_parse(const uint8_t *bytes, size_t length, struct nd_option *out)
{
    if (length < 2 || bytes[1] == 0 || (size_t)bytes[1] * 8 > length)
        return -EINVAL;
    out->type = bytes[0];
    out->data = bytes + 2;
    out->length = (size_t)bytes[1] * 8 - 2;
    return bytes[1] * 8;
}

// RFC 4861 4.3: the source's address is told in solicitations, the target's in
// advertisements.
static uint8_t link_option_of(uint8_t message_type)
{
    return message_type == ICMP6_NEIGHBOUR_SOLICITATION
               ? ND_OPTION_SOURCE_LINK_ADDR
               : ND_OPTION_TARGET_LINK_ADDR;
}

static int parse_options(const uint8_t *bytes, size_t length,
                         struct nd_neighbour *message)
{
    while (length > 0) {
        struct nd_option option;
        int size = nd_option_parse(bytes, length, &option);
        if (size < 0)
            return size;
        if (option.type == link_option_of(message->type) &&
            option.length == 6) {
            message->has_link_addr = true;
            memcpy(message->link_addr.bytes, option.data, 6);
        }
        bytes += size;
        length -= (size_t)size;
    }
    return 0;
}

// OFFSET SIZE MEANING
//      0    4 ICMPv6 type, code, checksum
//      4    4 advertisement: R, S, O in the highest bits; otherwise reserved
//      8   16 target
//     24      options
int nd_neighbour_parse(const uint8_t *message, size_t length,
                       struct nd_neighbour *out)
{
    if (length < ND_NEIGHBOUR_SIZE)
        return -EINVAL;
    struct nd_neighbour parsed = {.type = message[0]};
    if (parsed.type == ICMP6_NEIGHBOUR_ADVERTISEMENT) {
        parsed.is_router = message[4] & ROUTER;
        parsed.is_solicited = message[4] & SOLICITED;
        parsed.is_override = message[4] & OVERRIDE;
    } else if (parsed.type != ICMP6_NEIGHBOUR_SOLICITATION) {
        return -EINVAL;
    }
    parsed.target = ip_addr_from_bytes(IP_V6, message + 8);
    int error = parse_options(message + ND_NEIGHBOUR_SIZE,
                              length - ND_NEIGHBOUR_SIZE, &parsed);
    if (error)
        return error;
    *out = parsed;
    return 0;
}

static uint8_t flags_of(const struct nd_neighbour *message)
{
    if (message->type != ICMP6_NEIGHBOUR_ADVERTISEMENT)
        return 0;
    return (uint8_t)((message->is_router ? ROUTER : 0) |
                     (message->is_solicited ? SOLICITED : 0) |
                     (message->is_override ? OVERRIDE : 0));
}

size_t nd_neighbour_emit(const struct nd_neighbour *message, uint8_t *bytes)
{
    memset(bytes, 0, ND_NEIGHBOUR_SIZE);
    bytes[0] = message->type;
    bytes[4] = flags_of(message);
    memcpy(bytes + 8, message->target.bytes, 16);
    if (!message->has_link_addr)
        return ND_NEIGHBOUR_SIZE;
    bytes[24] = link_option_of(message->type);
    bytes[25] = ND_LINK_OPTION_SIZE / 8;
    memcpy(bytes + 26, message->link_addr.bytes, 6);
    return ND_NEIGHBOUR_SIZE + ND_LINK_OPTION_SIZE;
}
