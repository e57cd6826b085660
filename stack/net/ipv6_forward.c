// IPv6 forwarding: what a router does with packets for others (RFC 8200).
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/net/ip.h"
#include "stack/net/ipv6.h"
#include "stack/net/neighbour.h"
#include "stack/net/route.h"

enum { HOP_LIMIT_OFFSET = 7 };

// Where the packet goes on; 0 or as neighbour_resolve, -ENOBUFS: no room for
// the neighbour.
static int find_next_hop(struct stack *stack, const struct route *route,
                         const struct packet *packet, struct ip_path *path)
{
    *path = (struct ip_path){.source = packet->ip.source,
                             .destination = packet->ip.destination,
                             .next_hop = route->gateway.family == IP_NONE
                                             ? packet->ip.destination
                                             : route->gateway,
                             .iface = route->iface,
                             .mtu = route->iface->mtu};
    if (!(path->iface->flags & IFACE_NEEDS_NEIGHBOUR))
        return 0;
    path->neighbour = neighbour_get(stack, path->iface, &path->next_hop);
    if (!path->neighbour)
        return -ENOBUFS;
    return neighbour_resolve(stack, path->neighbour, NULL);
}

static void send_on(struct stack *stack, struct packet *packet,
                    const struct route *route)
{
    struct ip_path path;
    int error = find_next_hop(stack, route, packet, &path);
    if (error == -EHOSTUNREACH) {
        ip_send_error(stack, packet, ICMP_ERROR_HOST_UNREACHABLE, 0,
                      DROP_NEIGHBOUR_FAILED);
        return;
    }
    if (error) {
        stack_drop(stack, packet, DROP_NEIGHBOUR_TABLE_FULL);
        return;
    }
    if (packet_make_writable(packet, path.iface->link->header_size)) {
        stack_drop(stack, packet, DROP_NO_BUFFER);
        return;
    }
    packet->data[HOP_LIMIT_OFFSET]--;
    packet->ip.ttl--;
    packet->flags |= PACKET_FORWARDED;
    stack_count(stack, COUNT_IP_FORWARDED);
    ip_link_output(stack, &path, packet);
}

void ipv6_forward(struct stack *stack, struct packet *packet)
{
    const struct ip_addr *source = &packet->ip.source;
    // RFC 4291 2.5.2, 2.5.6: neither may leave its link.
    if (ip_addr_is_any(source) || ip_addr_is_link_local(source)) {
        stack_drop(stack, packet, DROP_IP_BAD_SOURCE);
        return;
    }
    if (packet->ip.ttl <= 1) {
        ip_send_error(stack, packet, ICMP_ERROR_TTL_EXCEEDED, 0,
                      DROP_IP_TTL_EXCEEDED);
        return;
    }
    const struct route *route =
        route_find(stack, &packet->ip.destination, NULL);
    if (!route) {
        ip_send_error(stack, packet, ICMP_ERROR_NET_UNREACHABLE, 0,
                      DROP_IP_NO_ROUTE);
        return;
    }
    if (packet->length > route->iface->mtu) {
        ip_send_error(stack, packet, ICMP_ERROR_TOO_BIG, route->iface->mtu,
                      DROP_IP_TOO_BIG);
        return;
    }
    send_on(stack, packet, route);
}
