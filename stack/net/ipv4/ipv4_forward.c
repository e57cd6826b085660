// IPv4 packets for somebody else (RFC 1812 5.2).
// SPDX-License-Identifier: MIT
#include "stack/net/ipv4/ipv4.h"

#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

// Addresses that mean something on one link only (RFC 3927 7) or that nobody
// has (RFC 1812 5.3.7).
static bool is_forwardable(const struct packet_ip *ip)
{
    return ip->destination.bytes[0] < 224 &&
           !ip_addr_is_link_local(&ip->destination) &&
           !ip_addr_is_link_local(&ip->source) && !ip_addr_is_any(&ip->source);
}

static bool has_df(const struct packet *packet)
{
    return packet->data[6] & 0x40;
}

// RFC 1624: TTL is the high byte of its 16-bit field.
static void decrement_ttl(struct packet *packet)
{
    uint8_t *header = packet->data;
    uint16_t from = get_be16(header + 8);
    header[8]--;
    put_be16(header + 10, checksum_update(get_be16(header + 10), from,
                                          get_be16(header + 8)));
    packet->ip.ttl--;
}

static void send_on(struct stack *stack, struct ip_path *path,
                    struct packet *packet)
{
    if (packet_make_writable(packet, path->iface->link->header_size) != 0) {
        stack_drop(stack, packet, DROP_NO_BUFFER);
        return;
    }
    decrement_ttl(packet);
    packet->flags |= PACKET_FORWARDED;
    stack_count(stack, COUNT_IP_FORWARDED);
    if (packet->length > path->mtu)
        ipv4_fragment(stack, path, packet);
    else
        ip_link_output(stack, path, packet);
}

// The checks that answer come before the first change: errors quote the packet
// as it came.
void ipv4_forward(struct stack *stack, struct packet *packet)
{
    struct ip_path path;
    if (!is_forwardable(&packet->ip)) {
        stack_drop(stack, packet, DROP_IP_BAD_DESTINATION);
        return;
    }
    if (packet->ip.ttl <= 1)
        ip_send_error(stack, packet, ICMP_ERROR_TTL_EXCEEDED, 0,
                      DROP_IP_TTL_EXCEEDED);
    else if (ip_path_forward(stack, &packet->ip.destination, &path) != 0)
        ip_send_error(stack, packet, ICMP_ERROR_NET_UNREACHABLE, 0,
                      DROP_IP_NO_ROUTE);
    else if (path.is_broadcast) // RFC 2644
        stack_drop(stack, packet, DROP_IP_BAD_DESTINATION);
    else if (packet->length > path.mtu && has_df(packet))
        ip_send_error(stack, packet, ICMP_ERROR_TOO_BIG, path.mtu,
                      DROP_IP_TOO_BIG);
    else
        send_on(stack, &path, packet);
}
