// Raw sockets: copies of all packets of an IP protocol, packets made by hand.
// SPDX-License-Identifier: MIT

// Theory of operation
//
// As on Linux (raw(7)): an IPv4 raw socket receives the IP header too, an IPv6
// one only what follows the headers. What is sent gets its IP header from the
// stack unless OPTION_HEADER_INCLUDED is set (always set with protocol 255,
// which receives nothing); then total length, checksum and, where they are
// zero, source address and identification are filled in. The ICMPv6 checksum is
// always the stack's, because it covers addresses that the stack chooses.
//
// A socket never takes the packet away from its protocol: it gets a clone.

#include <errno.h>
#include <stdlib.h>

#include "stack/socket/socket_table.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"

enum { IP_PROTOCOL_RAW = 255, MAX_PACKET = 65535 };

static struct raw_socket *raw_of(const struct socket *socket)
{
    return (struct raw_socket *)socket;
}

static struct raw_socket *of_node(const struct list *node)
{
    return CONTAINER_OF(node, struct raw_socket, node);
}

// --- Input

static void give_copy(struct raw_socket *raw, struct packet *packet)
{
    struct stack *stack = raw->datagram.socket.stack;
    const uint8_t *network = packet_network_header(packet);
    struct packet *copy = packet_clone(packet);
    if (!copy)
        return;
    stack_adopt(stack, copy);
    if (packet->ip.source.family == IP_V4)
        packet_push(copy, (size_t)(packet->data - network));
    datagram_queue(&raw->datagram, copy, 0, 0);
}

bool raw_input(struct stack *stack, struct packet *packet)
{
    bool was_wanted = false;
    if (!stack->sockets)
        return false;
    const struct list *head = &stack->sockets->raw;
    for (struct list *node = head->next; node != head; node = node->next) {
        struct raw_socket *raw = of_node(node);
        if (raw->protocol != packet->ip.protocol ||
            raw->protocol == IP_PROTOCOL_RAW ||
            raw->datagram.socket.family != packet->ip.source.family ||
            !datagram_accepts(&raw->datagram, packet))
            continue;
        give_copy(raw, packet);
        was_wanted = true;
    }
    return was_wanted;
}

static bool has_sent(const struct raw_socket *raw, uint8_t protocol,
                     const struct icmp_error *error)
{
    const struct socket *s = &raw->datagram.socket;
    if (raw->protocol != protocol || s->family != error->source.family)
        return false;
    if (s->local.addr.family != IP_NONE && !ip_addr_is_any(&s->local.addr) &&
        !ip_addr_equal(&s->local.addr, &error->source))
        return false;
    return s->remote.addr.family == IP_NONE ||
           ip_addr_equal(&s->remote.addr, &error->destination);
}

void raw_error(struct stack *stack, uint8_t protocol,
               const struct icmp_error *error)
{
    if (!stack->sockets)
        return;
    const struct list *head = &stack->sockets->raw;
    for (struct list *node = head->next; node != head; node = node->next)
        if (has_sent(of_node(node), protocol, error))
            datagram_error(&of_node(node)->datagram, error);
}

// --- Output

static int check_send(struct socket *s, size_t length, int flags,
                      const struct endpoint *to)
{
    const struct raw_socket *raw = raw_of(s);
    size_t header =
        s->family == IP_V4 && !raw->has_header ? IPV4_HEADER_SIZE : 0;
    if (s->error)
        return socket_take_error(s);
    if (flags)
        return -EOPNOTSUPP;
    if (raw->datagram.shutdown & SHUTDOWN_SEND)
        return -EPIPE;
    if (to->addr.family == IP_NONE)
        return -EDESTADDRREQ;
    return length + header > MAX_PACKET ? -EMSGSIZE : 0;
}

static int check_included_header(const struct raw_socket *raw,
                                 const uint8_t *bytes, size_t length)
{
    bool is_v4 = raw->datagram.socket.family == IP_V4;
    size_t minimum = is_v4 ? IPV4_HEADER_SIZE : IPV6_HEADER_SIZE;
    if (length < minimum || bytes[0] >> 4 != (is_v4 ? 4 : 6))
        return -EINVAL;
    if (is_v4 && ((bytes[0] & 0x0f) * 4u < IPV4_HEADER_SIZE ||
                  (bytes[0] & 0x0f) * 4u > length))
        return -EINVAL;
    return length > raw->datagram.path.mtu ? -EMSGSIZE : 0;
}

static void finish_ipv4(struct packet *packet, struct stack *stack,
                        const struct ip_path *path)
{
    uint8_t *header = packet->data;
    put_be16(header + 2, (uint16_t)packet->length);
    if (get_be16(header + 4) == 0)
        put_be16(header + 4, ++stack->next_ip_id);
    if (get_be32(header + 12) == 0)
        memcpy(header + 12, path->source.bytes, 4);
    put_be16(header + 10, 0);
    put_be16(header + 10,
             checksum_finish(checksum_add(0, header, (header[0] & 0x0f) * 4u)));
}

static void finish_ipv6(struct packet *packet, const struct ip_path *path)
{
    uint8_t *header = packet->data;
    struct ip_addr source = ip_addr_from_bytes(IP_V6, header + 8);
    put_be16(header + 4, (uint16_t)(packet->length - IPV6_HEADER_SIZE));
    if (ip_addr_is_any(&source))
        memcpy(header + 8, path->source.bytes, 16);
}

// The bytes are a whole IP packet. Where it goes is `to`'s affair, as on Linux,
// whatever destination the header names.
static int send_included(struct raw_socket *raw, const uint8_t *bytes,
                         size_t length)
{
    struct datagram_socket *d = &raw->datagram;
    struct stack *stack = d->socket.stack;
    struct packet *packet;
    int error = check_included_header(raw, bytes, length);
    if (!error)
        error = ip_prepare(stack, &d->path, raw->protocol, 0, 0, 0, length,
                           &packet);
    if (error)
        return error;
    memcpy(packet_put(packet, length), bytes, length);
    packet_set_network_header(packet);
    if (d->socket.family == IP_V4)
        finish_ipv4(packet, stack, &d->path);
    else
        finish_ipv6(packet, &d->path);
    stack_count(stack, COUNT_IP_OUT);
    ip_link_output(stack, &d->path, packet);
    return 0;
}

static int send_payload(struct raw_socket *raw, const void *bytes,
                        size_t length)
{
    struct datagram_socket *d = &raw->datagram;
    struct socket *s = &d->socket;
    struct packet *packet;
    bool is_icmpv6 = s->family == IP_V6 && raw->protocol == IP_PROTOCOL_ICMPV6;
    size_t ip_length = length + ip_header_size(&d->path);
    if (is_icmpv6 && length < 4)
        return -EINVAL;
    if (s->dont_fragment && ip_length > d->path.mtu)
        return -EMSGSIZE;
    int error = ip_prepare(s->stack, &d->path, raw->protocol, s->tos,
                           datagram_ttl(d), 0, length, &packet);
    if (error)
        return error;
    if (length > 0)
        memcpy(packet_put(packet, length), bytes, length);
    if (is_icmpv6)
        icmp_fill_checksum(packet->data, length, &packet->ip.source,
                           &packet->ip.destination);
    if (datagram_sets_df(d, ip_length))
        packet->flags |= PACKET_DONT_FRAGMENT;
    return ip_output(s->stack, &d->path, packet);
}

static int64_t raw_send(struct socket *socket, const void *bytes, size_t length,
                        int flags, const struct endpoint *to)
{
    struct raw_socket *raw = raw_of(socket);
    if (!to)
        to = &socket->remote;
    int error = check_send(socket, length, flags, to);
    if (!error)
        error = datagram_path(&raw->datagram, to);
    if (!error)
        error = raw->has_header ? send_included(raw, bytes, length)
                                : send_payload(raw, bytes, length);
    return error ? error : (int64_t)length;
}

// --- Addresses and options

static int raw_bind(struct socket *socket, const struct endpoint *local)
{
    struct datagram_socket *d = datagram_of(socket);
    socket->local = *local;
    socket->local.port = 0; // there are no ports here
    d->is_address_bound = !ip_addr_is_any(&local->addr);
    d->path.generation = 0;
    return 0;
}

static int raw_connect(struct socket *socket, const struct endpoint *remote)
{
    struct datagram_socket *d = datagram_of(socket);
    struct ip_addr before = socket->local.addr;
    if (remote->addr.family != IP_NONE) {
        if (!d->is_address_bound)
            socket->local.addr = ip_addr_any(socket->family);
        d->path.generation = 0;
        int error = datagram_path(d, remote);
        if (error) {
            socket->local.addr = before;
            return error;
        }
    }
    datagram_adopt_peer(d, remote);
    return 0;
}

static int raw_set_option(struct socket *socket, enum socket_option option,
                          int64_t value)
{
    if (option != OPTION_HEADER_INCLUDED)
        return datagram_op_set_option(socket, option, value);
    if (value != 0 && value != 1)
        return -EINVAL;
    raw_of(socket)->has_header = value == 1;
    return 0;
}

static int raw_get_option(const struct socket *socket,
                          enum socket_option option, int64_t *out)
{
    if (option != OPTION_HEADER_INCLUDED)
        return datagram_op_get_option(socket, option, out);
    *out = raw_of(socket)->has_header;
    return 0;
}

// --- Life

static void raw_destroy(struct socket *socket)
{
    struct raw_socket *raw = raw_of(socket);
    list_remove(&raw->node);
    datagram_fini(&raw->datagram);
    socket_fini(socket);
    free(raw);
}

static const struct socket_ops raw_ops = {.close = raw_destroy,
                                          .events = datagram_op_events,
                                          .bind = raw_bind,
                                          .connect = raw_connect,
                                          .shutdown = datagram_op_shutdown,
                                          .send = raw_send,
                                          .receive = datagram_op_receive,
                                          .receive_packet =
                                              datagram_op_receive_packet,
                                          .set_option = raw_set_option,
                                          .get_option = raw_get_option,
                                          .destroy = raw_destroy};

int raw_socket_open(struct stack *stack, uint8_t family, uint8_t protocol,
                    struct socket **out)
{
    if (protocol == 0)
        return -EPROTONOSUPPORT;
    if (socket_table_need(stack))
        return -ENOMEM;
    struct raw_socket *raw = calloc(1, sizeof *raw);
    if (!raw)
        return -ENOMEM;
    int error =
        socket_init(stack, &raw->datagram.socket, &raw_ops, SOCKET_RAW, family);
    if (error) {
        free(raw);
        return error;
    }
    raw->protocol = protocol;
    raw->has_header = protocol == IP_PROTOCOL_RAW;
    list_push_back(&stack->sockets->raw, &raw->node);
    *out = &raw->datagram.socket;
    return 0;
}
