// IPv6 forwarding: what a router does with packets for others (RFC 8200).
// SPDX-License-Identifier: MIT
#include "stack/net/ip.h"
#include "stack/net/ipv6/ipv6.h"

enum { HOP_LIMIT_OFFSET = 7 };

static void send_on(struct stack *stack, struct ip_path *path,
                    struct packet *packet)
{
    if (packet_make_writable(packet, path->iface->link->header_size)) {
        stack_drop(stack, packet, DROP_NO_BUFFER);
        return;
    }
    packet->data[HOP_LIMIT_OFFSET]--;
    packet->ip.ttl--;
    packet->flags |= PACKET_FORWARDED;
    stack_count(stack, COUNT_IP_FORWARDED);
    ip_link_output(stack, path, packet);
}

// RFC 4291 2.5.2, 2.5.6: neither may leave its link.
static bool is_forwardable(const struct packet_ip *ip)
{
    return !ip_addr_is_any(&ip->source) && !ip_addr_is_link_local(&ip->source);
}

// The checks that answer come before the first change: errors quote the packet
// as it came.
void ipv6_forward(struct stack *stack, struct packet *packet)
{
    struct ip_path path;
    if (!is_forwardable(&packet->ip))
        stack_drop(stack, packet, DROP_IP_BAD_SOURCE);
    else if (packet->ip.ttl <= 1)
        ip_send_error(stack, packet, ICMP_ERROR_TTL_EXCEEDED, 0,
                      DROP_IP_TTL_EXCEEDED);
    else if (ip_path_forward(stack, &packet->ip.destination, &path))
        ip_send_error(stack, packet, ICMP_ERROR_NET_UNREACHABLE, 0,
                      DROP_IP_NO_ROUTE);
    else if (packet->length > path.mtu)
        ip_send_error(stack, packet, ICMP_ERROR_TOO_BIG, path.mtu,
                      DROP_IP_TOO_BIG);
    else
        send_on(stack, &path, packet);
}
