// Bit errors and congestion marks.
// SPDX-License-Identifier: MIT

#include "sim/link/mangle.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"

enum { ECN_MASK = 3, ECN_CE = 3 };

static uint32_t link_header_length(const struct packet *frame,
                                   bool starts_with_ip)
{
    if (starts_with_ip)
        return 0;
    if (frame->length >= ETHERNET_HEADER_SIZE + ETHERNET_TAG_SIZE &&
        get_be16(frame->data + 12) == ETHERTYPE_VLAN)
        return ETHERNET_HEADER_SIZE + ETHERNET_TAG_SIZE;
    return min_u32(frame->length, ETHERNET_HEADER_SIZE);
}

uint32_t mangle_packet_length(const struct packet *frame, bool starts_with_ip)
{
    return frame->length - link_header_length(frame, starts_with_ip);
}

int mangle_flip_bit(struct packet *frame, uint32_t bit)
{
    must(bit / 8 < frame->length);
    if (packet_make_writable(frame, 0) < 0)
        return -ENOBUFS;
    frame->data[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    frame->flags &= ~(uint32_t)PACKET_CHECKSUM_GOOD;
    return 0;
}

static bool is_capable(uint8_t field)
{
    return (field & ECN_MASK) != 0 && (field & ECN_MASK) != ECN_CE;
}

static int mark_ipv4(struct packet *frame, uint32_t offset)
{
    if (frame->length < offset + IPV4_HEADER_SIZE ||
        !is_capable(frame->data[offset + 1]))
        return -EINVAL;
    if (packet_make_writable(frame, 0) < 0)
        return -ENOBUFS;
    uint8_t *ip = frame->data + offset;
    uint16_t before = get_be16(ip);

    ip[1] |= ECN_CE;
    put_be16(ip + 10, checksum_update(get_be16(ip + 10), before, get_be16(ip)));
    return 0;
}

// The traffic class lies across the first two bytes (RFC 8200 3).
static int mark_ipv6(struct packet *frame, uint32_t offset)
{
    if (!is_capable((uint8_t)(get_be16(frame->data + offset) >> 4)))
        return -EINVAL;
    if (packet_make_writable(frame, 0) < 0)
        return -ENOBUFS;
    frame->data[offset + 1] |= ECN_CE << 4;
    return 0;
}

int mangle_mark(struct packet *frame, bool starts_with_ip)
{
    uint32_t offset = link_header_length(frame, starts_with_ip);

    if (frame->length < offset + 2)
        return -EINVAL;
    switch (frame->data[offset] >> 4) {
    case 4:
        if (!starts_with_ip &&
            get_be16(frame->data + offset - 2) != ETHERTYPE_IPV4)
            return -EINVAL;
        return mark_ipv4(frame, offset);
    case 6:
        if (!starts_with_ip &&
            get_be16(frame->data + offset - 2) != ETHERTYPE_IPV6)
            return -EINVAL;
        return mark_ipv6(frame, offset);
    default:
        return -EINVAL;
    }
}
