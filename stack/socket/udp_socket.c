// UDP sockets: binding, connecting, sending.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "stack/socket/socket_table.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/udp.h"

enum {
    // What the 16-bit lengths leave: IPv4 counts its own header, IPv6 does not.
    MAX_PAYLOAD_V4 = 65535 - 20 - UDP_HEADER_SIZE,
    MAX_PAYLOAD_V6 = 65535 - UDP_HEADER_SIZE
};

static struct udp_socket *udp_of(const struct socket *socket)
{
    return (struct udp_socket *)socket;
}

// --- Binding

static bool share_address(const struct socket *a, const struct socket *b)
{
    return ip_addr_is_any(&a->local.addr) || ip_addr_is_any(&b->local.addr) ||
           ip_addr_equal(&a->local.addr, &b->local.addr);
}

static bool conflict(const struct socket *a, const struct socket *b)
{
    if (a == b || a->family != b->family)
        return false;
    if (a->reuse_address && b->reuse_address)
        return false;
    if (a->bound_iface && b->bound_iface && a->bound_iface != b->bound_iface)
        return false;
    return share_address(a, b);
}

static bool is_port_free(struct socket *socket, uint16_t port)
{
    struct udp_socket *u = NULL;
    while ((u = socket_table_next(socket->stack, port, u)))
        if (conflict(socket, &u->datagram.socket))
            return false;
    return true;
}

// Gives the socket, whose local address is set, a port (0: an ephemeral one)
// and enters it.
static int take_port(struct udp_socket *u, uint16_t port,
                     const struct endpoint *remote)
{
    struct socket *s = &u->datagram.socket;
    if (port == 0)
        port = socket_pick_port(s, remote, is_port_free);
    else if (!is_port_free(s, port))
        return -EADDRINUSE;
    if (port == 0)
        return -EADDRINUSE;
    s->local.port = port;
    int error = socket_table_insert(u);
    if (error)
        s->local.port = 0;
    return error;
}

static int udp_bind(struct socket *socket, const struct endpoint *local)
{
    struct udp_socket *u = udp_of(socket);
    struct endpoint before = socket->local;
    socket->local = *local;
    socket->local.port = 0;
    int error = take_port(u, local->port, NULL);
    if (error) {
        socket->local = before;
        return error;
    }
    u->is_port_bound = true;
    u->datagram.is_address_bound = !ip_addr_is_any(&local->addr);
    return 0;
}

// The first send of a socket that nobody has bound.
static int bind_for_send(struct udp_socket *u, const struct endpoint *to)
{
    struct socket *s = &u->datagram.socket;
    if (s->local.port != 0)
        return 0;
    s->local.addr = ip_addr_any(s->family);
    int error = take_port(u, 0, to);
    if (error)
        s->local.addr = (struct ip_addr){0};
    return error;
}

// --- Connecting

static void disconnect(struct udp_socket *u, const struct endpoint *nobody)
{
    struct socket *s = &u->datagram.socket;
    socket_table_remove(u);
    datagram_adopt_peer(&u->datagram, nobody);
    if (!u->is_port_bound)
        s->local.port = 0;
    if (s->local.port != 0)
        must(socket_table_insert(u) == 0);
}

// Enters an unbound socket under the path's source, so that an ephemeral port
// is free for that address.
static int bind_for_connect(struct udp_socket *u, const struct endpoint *remote)
{
    struct socket *s = &u->datagram.socket;
    if (s->local.port != 0)
        return 0;
    s->local.addr = u->datagram.path.source;
    int error = take_port(u, 0, remote);
    if (error)
        s->local.addr = (struct ip_addr){0};
    return error;
}

// A socket that is connected again chooses its source again; on failure it
// stays as it was.
static int udp_connect(struct socket *socket, const struct endpoint *remote)
{
    struct udp_socket *u = udp_of(socket);
    struct endpoint before = socket->local;
    if (remote->addr.family == IP_NONE) {
        disconnect(u, remote);
        return 0;
    }
    if (remote->port == 0)
        return -EINVAL;
    socket_table_remove(u);
    if (!u->datagram.is_address_bound)
        socket->local.addr = ip_addr_any(socket->family);
    u->datagram.path.generation = 0;
    int error = datagram_path(&u->datagram, remote);
    if (!error)
        error = bind_for_connect(u, remote);
    if (error)
        socket->local = before;
    else {
        socket_table_remove(u);
        datagram_adopt_peer(&u->datagram, remote);
    }
    if (socket->local.port != 0)
        must(socket_table_insert(u) == 0);
    return error;
}

// --- Sending

static int check_send(struct socket *s, size_t length, int flags,
                      const struct endpoint *to)
{
    size_t limit = s->family == IP_V4 ? MAX_PAYLOAD_V4 : MAX_PAYLOAD_V6;
    if (s->error)
        return socket_take_error(s);
    if (flags)
        return -EOPNOTSUPP;
    if (datagram_of(s)->shutdown & SHUTDOWN_SEND)
        return -EPIPE;
    if (to->addr.family == IP_NONE)
        return -EDESTADDRREQ;
    if (to->port == 0)
        return -EINVAL;
    return length > limit ? -EMSGSIZE : 0;
}

// Payload and header into an empty packet; the bytes are read once, for the
// copy and the checksum together.
static void fill(struct packet *packet, const struct socket *s,
                 const struct endpoint *to, const void *bytes, size_t length)
{
    struct udp_header header = {.source_port = s->local.port,
                                .destination_port = to->port,
                                .length = (uint16_t)(length + UDP_HEADER_SIZE)};
    bool has_checksum = s->family == IP_V6 || s->settings->udp_checksum;
    uint8_t *payload = packet_put(packet, length);
    uint32_t sum = checksum_pseudo(&packet->ip.source, &packet->ip.destination,
                                   IP_PROTOCOL_UDP, header.length);
    if (length > 0)
        sum = checksum_copy(sum, payload, bytes, length);
    uint8_t *data = packet_push(packet, UDP_HEADER_SIZE);
    udp_emit(&header, data);
    if (!has_checksum)
        return;
    uint16_t checksum =
        checksum_finish(checksum_add(sum, data, UDP_HEADER_SIZE));
    put_be16(data + 6, checksum ? checksum : 0xffff);
}

static int64_t udp_send(struct socket *socket, const void *bytes, size_t length,
                        int flags, const struct endpoint *to)
{
    struct udp_socket *u = udp_of(socket);
    struct datagram_socket *d = &u->datagram;
    struct packet *packet;
    if (!to)
        to = &socket->remote;
    int error = check_send(socket, length, flags, to);
    if (!error)
        error = datagram_path(d, to);
    if (!error)
        error = bind_for_send(u, to);
    if (error)
        return error;
    size_t ip_length = length + UDP_HEADER_SIZE + ip_header_size(&d->path);
    if (socket->dont_fragment && ip_length > d->path.mtu)
        return -EMSGSIZE;
    error = ip_prepare(socket->stack, &d->path, IP_PROTOCOL_UDP, socket->tos,
                       datagram_ttl(d), UDP_HEADER_SIZE, length, &packet);
    if (error)
        return error;
    fill(packet, socket, to, bytes, length);
    if (datagram_sets_df(d, ip_length))
        packet->flags |= PACKET_DONT_FRAGMENT;
    stack_count(socket->stack, COUNT_UDP_OUT);
    error = ip_output(socket->stack, &d->path, packet);
    return error ? error : (int64_t)length;
}

// --- Life

static void udp_destroy(struct socket *socket)
{
    struct udp_socket *u = udp_of(socket);
    socket_table_remove(u);
    datagram_fini(&u->datagram);
    socket_fini(socket);
    free(u);
}

static const struct socket_ops udp_ops = {.close = udp_destroy,
                                          .events = datagram_op_events,
                                          .bind = udp_bind,
                                          .connect = udp_connect,
                                          .shutdown = datagram_op_shutdown,
                                          .send = udp_send,
                                          .receive = datagram_op_receive,
                                          .receive_packet =
                                              datagram_op_receive_packet,
                                          .set_option = datagram_op_set_option,
                                          .get_option = datagram_op_get_option,
                                          .destroy = udp_destroy};

int udp_socket_open(struct stack *stack, uint8_t family, struct socket **out)
{
    if (socket_table_need(stack))
        return -ENOMEM;
    struct udp_socket *u = calloc(1, sizeof *u);
    if (!u)
        return -ENOMEM;
    int error = socket_init(stack, &u->datagram.socket, &udp_ops,
                            SOCKET_DATAGRAM, family);
    if (error) {
        free(u);
        return error;
    }
    *out = &u->datagram.socket;
    return 0;
}
