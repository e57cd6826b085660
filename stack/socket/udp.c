// UDP input (RFC 768): datagrams to their sockets, ICMP errors likewise.
// SPDX-License-Identifier: MIT
#include "stack/socket/socket_table.h"

#include <errno.h>

#include "stack/wire/bytes.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/udp.h"

static void deliver(struct udp_socket *u, struct packet *packet,
                    const struct udp_header *header)
{
    stack_count(u->datagram.socket.stack, COUNT_UDP_IN);
    datagram_queue(&u->datagram, packet, header->source_port,
                   header->destination_port);
}

static bool wants_group(const struct udp_socket *u, const struct packet *packet,
                        const struct udp_header *header)
{
    const struct socket *s = &u->datagram.socket;
    if (s->family != packet->ip.destination.family)
        return false;
    if (s->remote.addr.family != IP_NONE &&
        s->remote.port != header->source_port)
        return false;
    return datagram_accepts(&u->datagram, packet);
}

static struct udp_socket *next_for_group(struct stack *stack,
                                         const struct packet *packet,
                                         const struct udp_header *header,
                                         struct udp_socket *previous)
{
    do
        previous = socket_table_next(stack, header->destination_port, previous);
    while (previous && !wants_group(previous, packet, header));
    return previous;
}

// Broadcasts and multicasts go to every socket that matches (RFC 1122 4.1.3.5
// leaves it open; so do Linux and BSD): clones to all but the last.
static void input_group(struct stack *stack, struct packet *packet,
                        const struct udp_header *header)
{
    struct udp_socket *u = next_for_group(stack, packet, header, NULL);
    if (!u) {
        stack_drop(stack, packet, DROP_UDP_NO_SOCKET);
        return;
    }
    for (struct udp_socket *next;
         (next = next_for_group(stack, packet, header, u)); u = next) {
        struct packet *clone = packet_clone(packet);
        if (!clone)
            continue;
        stack_adopt(stack, clone);
        deliver(u, clone, header);
    }
    deliver(u, packet, header);
}

static void input_unicast(struct stack *stack, struct packet *packet,
                          const struct udp_header *header)
{
    struct udp_socket *u = socket_table_find(
        stack, &packet->ip.destination, header->destination_port,
        &packet->ip.source, header->source_port, packet->iface->index);
    if (u)
        deliver(u, packet, header);
    else
        ip_send_error(stack, packet, ICMP_ERROR_PORT_UNREACHABLE, 0,
                      DROP_UDP_NO_SOCKET);
}

static bool is_checksum_good(const struct packet *packet)
{
    return packet->flags & PACKET_CHECKSUM_GOOD ||
           udp_checksum_is_good(packet->data, packet->length,
                                &packet->ip.source, &packet->ip.destination);
}

static bool is_to_group(const struct packet *packet)
{
    const struct ip_addr *to = &packet->ip.destination;
    return ip_addr_is_multicast(to) ||
           (to->family == IP_V4 && iface_is_broadcast(packet->iface, to));
}

static void udp_input(struct stack *stack, struct packet *packet)
{
    struct udp_header header;
    if (udp_parse(packet->data, packet->length, &header) < 0 ||
        header.destination_port == 0) {
        stack_drop(stack, packet, DROP_UDP_BAD);
        return;
    }
    packet_trim(packet, header.length);
    if (!is_checksum_good(packet)) {
        stack_drop(stack, packet, DROP_UDP_BAD_CHECKSUM);
        return;
    }
    packet_pull(packet, UDP_HEADER_SIZE);
    if (is_to_group(packet))
        input_group(stack, packet, &header);
    else
        input_unicast(stack, packet, &header);
}

static void udp_error(struct stack *stack, const struct icmp_error *error)
{
    if (error->transport_length < 4)
        return;
    struct udp_socket *u = socket_table_find(
        stack, &error->source, get_be16(error->transport), &error->destination,
        get_be16(error->transport + 2), 0);
    if (u)
        datagram_error(&u->datagram, error);
}

const struct transport_protocol udp_protocol = {.name = "udp",
                                                .protocol = IP_PROTOCOL_UDP,
                                                .family = IP_NONE,
                                                .input = udp_input,
                                                .error = udp_error,
                                                .fini = socket_table_destroy};
