// What UDP and raw sockets share: a queue of whole packets and a path.
// SPDX-License-Identifier: MIT
#include "stack/socket/datagram.h"

#include <errno.h>

// --- Receiving

static uint16_t scope_of(const struct ip_addr *addr,
                         const struct packet *packet)
{
    bool is_scoped = addr->family == IP_V6 && ip_addr_is_link_local(addr);
    return is_scoped ? packet->iface->index : 0;
}

void datagram_queue(struct datagram_socket *d, struct packet *packet,
                    uint16_t source_port, uint16_t destination_port)
{
    struct stack *stack = d->socket.stack;
    size_t size = packet_true_size(packet);
    int64_t limit = d->socket.settings->udp_receive_buffer;
    if (d->queue.head && (int64_t)(d->queue_used + size) > limit) {
        stack_drop(stack, packet, DROP_SOCKET_QUEUE_FULL);
        return;
    }
    packet->cb.datagram.from =
        (struct endpoint){.addr = packet->ip.source,
                          .port = source_port,
                          .scope = scope_of(&packet->ip.source, packet)};
    packet->cb.datagram.to =
        (struct endpoint){.addr = packet->ip.destination,
                          .port = destination_port,
                          .scope = scope_of(&packet->ip.destination, packet)};
    packet->iface = NULL; // it may go away before the application reads
    d->queue_used += (uint32_t)size;
    packet_queue_push(&d->queue, packet);
    socket_notify(&d->socket, EVENT_READABLE);
}

static struct packet *dequeue(struct datagram_socket *d)
{
    struct packet *packet = packet_queue_pop(&d->queue);
    must(d->queue_used >= packet_true_size(packet));
    d->queue_used -= (uint32_t)packet_true_size(packet);
    return packet;
}

void datagram_fini(struct datagram_socket *d)
{
    while (d->queue.head)
        stack_drop(d->socket.stack, dequeue(d), DROP_SOCKET_CLOSED);
    must(d->queue_used == 0);
}

bool datagram_accepts(const struct datagram_socket *d,
                      const struct packet *packet)
{
    const struct socket *s = &d->socket;
    if (s->bound_iface && s->bound_iface != packet->iface->index)
        return false;
    if (s->local.addr.family != IP_NONE && !ip_addr_is_any(&s->local.addr) &&
        !ip_addr_equal(&s->local.addr, &packet->ip.destination))
        return false;
    return s->remote.addr.family == IP_NONE ||
           ip_addr_equal(&s->remote.addr, &packet->ip.source);
}

// What a receive call answers when there is no datagram to give.
static int64_t nothing_to_receive(const struct datagram_socket *d)
{
    return d->shutdown & SHUTDOWN_RECEIVE ? 0 : -EAGAIN;
}

int64_t datagram_op_receive(struct socket *socket, void *bytes, size_t size,
                            int flags, struct endpoint *from,
                            struct endpoint *to)
{
    struct datagram_socket *d = datagram_of(socket);
    if (flags & ~(MESSAGE_PEEK | MESSAGE_TRUNCATE))
        return -EOPNOTSUPP;
    if (socket->error)
        return socket_take_error(socket);
    struct packet *packet = d->queue.head;
    if (!packet)
        return nothing_to_receive(d);
    size_t length = packet->length;
    size_t copied = length < size ? length : size;
    if (copied > 0)
        memcpy(bytes, packet->data, copied);
    if (from)
        *from = packet->cb.datagram.from;
    if (to)
        *to = packet->cb.datagram.to;
    if (!(flags & MESSAGE_PEEK))
        stack_deliver(socket->stack, dequeue(d));
    return (int64_t)(flags & MESSAGE_TRUNCATE ? length : copied);
}

int64_t datagram_op_receive_packet(struct socket *socket, struct packet **out)
{
    struct datagram_socket *d = datagram_of(socket);
    if (socket->error)
        return socket_take_error(socket);
    if (!d->queue.head) {
        int64_t result = nothing_to_receive(d);
        if (result == 0)
            *out = NULL;
        return result;
    }
    *out = dequeue(d);
    stack_release(socket->stack, *out);
    return (*out)->length;
}

uint32_t datagram_op_events(const struct socket *socket)
{
    const struct datagram_socket *d = datagram_of(socket);
    uint32_t events = EVENT_WRITABLE;
    if (d->queue.head || d->shutdown & SHUTDOWN_RECEIVE)
        events |= EVENT_READABLE;
    return events;
}

int datagram_op_shutdown(struct socket *socket, enum shutdown_how how)
{
    struct datagram_socket *d = datagram_of(socket);
    if (socket->remote.addr.family == IP_NONE)
        return -ENOTCONN;
    d->shutdown |= (uint8_t)how;
    if (how & SHUTDOWN_RECEIVE)
        socket_notify(socket, EVENT_READABLE);
    return 0;
}

// --- Sending

// The source that packets must have; any: the path's choice.
static struct ip_addr source_for_path(const struct socket *socket)
{
    const struct ip_addr *local = &socket->local.addr;
    if (local->family == IP_NONE || socket_is_group_address(socket, local))
        return ip_addr_any(socket->family);
    return *local;
}

static bool path_is_current(const struct datagram_socket *d,
                            const struct ip_addr *destination, uint16_t iface)
{
    return d->path.generation != 0 &&
           d->path.generation == d->socket.stack->path_generation &&
           d->path.bound == iface &&
           ip_addr_equal(&d->path.destination, destination);
}

int datagram_path(struct datagram_socket *d, const struct endpoint *to)
{
    struct socket *s = &d->socket;
    uint16_t index = s->bound_iface ? s->bound_iface : to->scope;
    if (!path_is_current(d, &to->addr, index)) {
        struct iface *iface = socket_iface(s, to);
        struct ip_addr source = source_for_path(s);
        if (index && !iface)
            return -ENODEV;
        d->path.generation = 0;
        int error = ip_path_find(s->stack, &source, &to->addr, iface, &d->path);
        if (error) {
            d->path.generation = 0;
            return error;
        }
    }
    return d->path.is_broadcast && !s->may_broadcast ? -EACCES : 0;
}

void datagram_adopt_peer(struct datagram_socket *d,
                         const struct endpoint *remote)
{
    struct socket *s = &d->socket;
    d->shutdown = 0;
    if (remote->addr.family == IP_NONE) {
        s->remote = (struct endpoint){0};
        if (!d->is_address_bound && s->local.addr.family != IP_NONE)
            s->local.addr = ip_addr_any(s->family);
        d->path.generation = 0;
        return;
    }
    s->remote = *remote;
    if (!d->is_address_bound)
        s->local.addr = d->path.source;
}

// Groups are not left by accident: RFC 1112 6.1 wants a TTL of 1 unless the
// application says otherwise.
uint8_t datagram_ttl(const struct datagram_socket *d)
{
    if (d->socket.ttl == 0 && d->path.is_multicast)
        return 1;
    return d->socket.ttl ? d->socket.ttl : (uint8_t)d->socket.settings->ip_ttl;
}

// With path MTU discovery a packet that fits sets DF and one that does not is
// fragmented, as Linux does by default (IP_PMTUDISC_WANT).
bool datagram_sets_df(const struct datagram_socket *d, size_t ip_length)
{
    return d->socket.dont_fragment ||
           (d->socket.settings->ip_path_mtu_discovery &&
            ip_length <= d->path.mtu);
}

// --- Errors

// Does Linux call this error fatal (icmp_err_convert, icmpv6_err_convert)? The
// others may pass by themselves, and RFC 1122 3.2.2.1 forbids to take them for
// more than a hint.
static bool is_hard(const struct socket *s, enum icmp_error_kind kind)
{
    switch ((int)kind) {
    case ICMP_ERROR_PROTOCOL_UNREACHABLE:
    case ICMP_ERROR_PORT_UNREACHABLE:
    case ICMP_ERROR_PROHIBITED:
    case ICMP_ERROR_PARAMETER_PROBLEM:
        return true;
    case ICMP_ERROR_TOO_BIG:
        return s->dont_fragment ||
               (s->family == IP_V4 && s->settings->ip_path_mtu_discovery);
    default:
        return false;
    }
}

void datagram_error(struct datagram_socket *d, const struct icmp_error *error)
{
    struct socket *s = &d->socket;
    bool is_connected = s->remote.addr.family != IP_NONE;
    socket_record_icmp_error(s, error);
    if (error->error < 0 &&
        (s->error_queue || (is_connected && is_hard(s, error->kind))))
        socket_set_error(s, error->error);
}

// --- Options

static int set_receive_buffer(struct socket *socket, int64_t value)
{
    const struct setting_info *setting = setting_find("udp", "receive-buffer");
    int error = socket_set_setting(socket, setting, value);
    return error == -ERANGE ? -EINVAL : error;
}

int datagram_op_set_option(struct socket *socket, enum socket_option option,
                           int64_t value)
{
    switch ((int)option) {
    case OPTION_RECEIVE_BUFFER:
        return set_receive_buffer(socket, value);
    case OPTION_BIND_IFACE:
        datagram_of(socket)->path.generation = 0;
        return -ENOPROTOOPT; // the rest is socket_option.c's
    default:
        return -ENOPROTOOPT;
    }
}

int datagram_op_get_option(const struct socket *socket,
                           enum socket_option option, int64_t *out)
{
    switch ((int)option) {
    case OPTION_RECEIVE_BUFFER:
        *out = socket->settings->udp_receive_buffer;
        return 0;
    case OPTION_UNREAD:
        *out = datagram_of(socket)->queue.bytes;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}
