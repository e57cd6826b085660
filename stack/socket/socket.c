// The socket calls of stack.h: what all types share, then dispatch to the type.
// SPDX-License-Identifier: MIT
#include "stack/socket/socket.h"

#include <errno.h>
#include <stdlib.h>

// --- Life

int socket_init(struct stack *stack, struct socket *socket,
                const struct socket_ops *ops, enum socket_type type,
                uint8_t family)
{
    if ((int64_t)stack->socket_count >= stack->settings->limits_sockets)
        return -EMFILE;
    *socket = (struct socket){.ops = ops,
                              .stack = stack,
                              .settings = stack->settings,
                              .type = (uint8_t)type,
                              .family = family};
    list_init(&socket->ready);
    list_push_back(&stack->all_sockets, &socket->all);
    stack->socket_count++;
    return 0;
}

void socket_fini(struct socket *socket)
{
    must(socket->stack->socket_count > 0);
    list_remove(&socket->all);
    list_remove(&socket->ready);
    socket->stack->socket_count--;
    if (socket->owns_settings)
        free((void *)socket->settings);
    free(socket->icmp_error);
    socket->settings = NULL;
    socket->icmp_error = NULL;
}

void sockets_destroy(struct stack *stack)
{
    while (!list_is_empty(&stack->all_sockets)) {
        struct socket *socket =
            CONTAINER_OF(stack->all_sockets.next, struct socket, all);
        socket->ops->destroy(socket);
    }
}

static bool has_family(const struct stack *stack, uint8_t family)
{
    return (family == IP_V4 && stack->has_ipv4) ||
           (family == IP_V6 && stack->has_ipv6);
}

int socket_open(struct stack *stack, enum socket_type type, uint8_t family,
                uint8_t protocol, struct socket **out)
{
    if (!has_family(stack, family))
        return -EAFNOSUPPORT;
    if (type == SOCKET_RAW)
        return raw_socket_open(stack, family, protocol, out);
    if (protocol != 0)
        return -EPROTONOSUPPORT;
    if (type == SOCKET_STREAM)
        return tcp_socket_open(stack, family, out);
    return udp_socket_open(stack, family, out);
}

// From here on the application hears nothing more; the protocol may go on.
static void orphan(struct socket *socket)
{
    must(!socket->is_orphan);
    socket->is_orphan = true;
    socket->on_event = NULL;
    socket->context = NULL;
    socket->pending_events = 0;
    list_remove(&socket->ready);
}

void socket_close(struct socket *socket)
{
    struct stack *stack = socket->stack;
    stack_enter(stack);
    orphan(socket);
    socket->ops->close(socket);
    stack_leave(stack);
}

void socket_abort(struct socket *socket)
{
    struct stack *stack = socket->stack;
    stack_enter(stack);
    orphan(socket);
    (socket->ops->abort ? socket->ops->abort : socket->ops->close)(socket);
    stack_leave(stack);
}

// --- Events and errors

void socket_set_handler(struct socket *socket,
                        void (*on_event)(void *context, struct socket *socket,
                                         uint32_t events),
                        void *context)
{
    socket->on_event = on_event;
    socket->context = context;
}

void socket_notify(struct socket *socket, uint32_t events)
{
    if (socket->is_orphan || events == 0)
        return;
    socket->pending_events |= (uint8_t)events;
    if (list_is_empty(&socket->ready))
        list_push_back(&socket->stack->ready, &socket->ready);
}

// A handler may close its own or any other socket: nothing is touched after
// the call but the list's head.
void sockets_deliver_events(struct stack *stack)
{
    while (!list_is_empty(&stack->ready)) {
        struct socket *socket =
            CONTAINER_OF(stack->ready.next, struct socket, ready);
        uint32_t events = socket->pending_events;
        list_remove(&socket->ready);
        socket->pending_events = 0;
        if (socket->on_event)
            socket->on_event(socket->context, socket, events);
    }
}

uint32_t socket_events(const struct socket *socket)
{
    uint32_t events = socket->ops->events(socket);
    if (socket->error)
        events |= EVENT_ERROR | EVENT_READABLE;
    return events;
}

int socket_take_error(struct socket *socket)
{
    int error = socket->error;
    socket->error = 0;
    return error;
}

void socket_set_error(struct socket *socket, int error)
{
    must(error < 0);
    socket->error = error;
    socket_notify(socket, EVENT_ERROR | EVENT_READABLE);
}

// The ports of the quoted packet, where it has got ports.
static uint16_t quoted_port(const struct socket *socket,
                            const struct icmp_error *error)
{
    if (socket->type == SOCKET_RAW || error->transport_length < 4)
        return 0;
    return (uint16_t)(error->transport[2] << 8 | error->transport[3]);
}

void socket_record_icmp_error(struct socket *socket,
                              const struct icmp_error *error)
{
    if (!socket->icmp_error)
        socket->icmp_error = calloc(1, sizeof *socket->icmp_error);
    if (!socket->icmp_error)
        return;
    *socket->icmp_error = (struct socket_icmp_error){
        .type = error->type,
        .code = error->code,
        .from = error->reporter,
        .to = {.addr = error->destination, .port = quoted_port(socket, error)},
        .mtu = error->mtu,
        .error = error->error};
    socket->has_icmp_error = true;
}

bool socket_take_icmp_error(struct socket *socket,
                            struct socket_icmp_error *out)
{
    if (!socket->has_icmp_error)
        return false;
    *out = *socket->icmp_error;
    socket->has_icmp_error = false;
    return true;
}

// --- Addresses

static bool needs_scope(const struct ip_addr *addr)
{
    return addr->family == IP_V6 &&
           (ip_addr_is_link_local(addr) ||
            (addr->bytes[0] == 0xff && (addr->bytes[1] & 0x0f) == 2));
}

bool socket_is_group_address(const struct socket *socket,
                             const struct ip_addr *address)
{
    struct stack *stack = socket->stack;
    if (ip_addr_is_multicast(address) || ip_addr_is_broadcast(address))
        return true;
    if (address->family != IP_V4)
        return false;
    for (struct iface *i = iface_next(stack, NULL); i; i = iface_next(stack, i))
        if (iface_is_broadcast(i, address))
            return true;
    return false;
}

static struct iface_addr *find_own(const struct socket *socket,
                                   const struct endpoint *local)
{
    struct iface *iface = socket_iface(socket, local);
    return iface ? iface_address_find(iface, &local->addr)
                 : stack_address_find(socket->stack, &local->addr);
}

static bool has_scope_conflict(const struct socket *socket,
                               const struct endpoint *endpoint)
{
    return endpoint->scope && socket->bound_iface &&
           endpoint->scope != socket->bound_iface;
}

int socket_check_local(const struct socket *socket, struct endpoint *local)
{
    if (local->addr.family == IP_NONE)
        local->addr = ip_addr_any(socket->family);
    if (local->addr.family != socket->family)
        return -EAFNOSUPPORT;
    if (has_scope_conflict(socket, local))
        return -EINVAL;
    if (ip_addr_is_any(&local->addr))
        return 0;
    if (socket->type != SOCKET_STREAM &&
        socket_is_group_address(socket, &local->addr))
        return 0;
    if (socket->family == IP_V4 && ip_addr_is_loopback(&local->addr))
        return 0; // all of 127/8 is ours (RFC 1122 3.2.1.3(g))
    struct iface_addr *own = find_own(socket, local);
    if (!own || own->state != ADDRESS_PREFERRED)
        return -EADDRNOTAVAIL;
    if (needs_scope(&local->addr))
        local->scope = own->iface->index;
    return 0;
}

struct iface *socket_iface(const struct socket *socket,
                           const struct endpoint *remote)
{
    unsigned index = socket->bound_iface ? socket->bound_iface : remote->scope;
    return index ? iface_find_index(socket->stack, index) : NULL;
}

// Where a packet shall go, made whole. Sending to the any-address means this
// host, as on Linux and BSD.
static int check_remote(const struct socket *socket, struct endpoint *remote)
{
    if (remote->addr.family != socket->family)
        return -EAFNOSUPPORT;
    if (has_scope_conflict(socket, remote))
        return -EINVAL;
    if (ip_addr_is_any(&remote->addr)) {
        if (socket->family == IP_V4)
            remote->addr = ip_addr_v4(127, 0, 0, 1);
        else
            remote->addr.bytes[15] = 1;
    }
    if (needs_scope(&remote->addr) && !remote->scope)
        remote->scope = socket->bound_iface;
    if (remote->scope && !iface_find_index(socket->stack, remote->scope))
        return -ENODEV;
    return 0;
}

int socket_bind(struct socket *socket, const struct endpoint *local)
{
    struct endpoint checked = *local;
    uint16_t bound_iface = socket->bound_iface;
    if (socket->local.port != 0)
        return -EINVAL;
    int error = socket_check_local(socket, &checked);
    if (error)
        return error;
    // A link-local address ties the socket to its link (RFC 4007 6).
    if (checked.scope)
        socket->bound_iface = checked.scope;
    stack_enter(socket->stack);
    error = socket->ops->bind(socket, &checked);
    if (error)
        socket->bound_iface = bound_iface;
    stack_leave(socket->stack);
    return error;
}

int socket_connect(struct socket *socket, const struct endpoint *remote)
{
    struct stack *stack = socket->stack;
    struct endpoint checked = *remote;
    if (!socket->ops->connect)
        return -EOPNOTSUPP;
    if (remote->addr.family == IP_NONE) {
        if (socket->type == SOCKET_STREAM)
            return -EAFNOSUPPORT;
    } else {
        int error = check_remote(socket, &checked);
        if (error)
            return error;
    }
    stack_enter(stack);
    int result = socket->ops->connect(socket, &checked);
    stack_leave(stack);
    return result;
}

// --- Dispatch

int socket_listen(struct socket *socket, int backlog)
{
    struct stack *stack = socket->stack;
    if (!socket->ops->listen)
        return -EOPNOTSUPP;
    stack_enter(stack);
    int result = socket->ops->listen(socket, backlog);
    stack_leave(stack);
    return result;
}

int socket_accept(struct socket *socket, struct socket **out)
{
    struct stack *stack = socket->stack;
    if (!socket->ops->accept)
        return -EOPNOTSUPP;
    stack_enter(stack);
    int result = socket->ops->accept(socket, out);
    stack_leave(stack);
    return result;
}

int socket_shutdown(struct socket *socket, enum shutdown_how how)
{
    struct stack *stack = socket->stack;
    if (!socket->ops->shutdown)
        return -EOPNOTSUPP;
    if (how != SHUTDOWN_RECEIVE && how != SHUTDOWN_SEND && how != SHUTDOWN_BOTH)
        return -EINVAL;
    stack_enter(stack);
    int result = socket->ops->shutdown(socket, how);
    stack_leave(stack);
    return result;
}

int64_t socket_send_to(struct socket *socket, const void *bytes, size_t length,
                       int flags, const struct endpoint *to)
{
    struct stack *stack = socket->stack;
    struct endpoint checked;
    if (!socket->ops->send)
        return -EOPNOTSUPP;
    if (to) {
        checked = *to;
        int error = check_remote(socket, &checked);
        if (error == -EAFNOSUPPORT && flags & MESSAGE_FAST_OPEN)
            return -EOPNOTSUPP; // as Linux
        if (error)
            return error;
        to = &checked;
    }
    stack_enter(stack);
    int64_t result = socket->ops->send(socket, bytes, length, flags, to);
    stack_leave(stack);
    return result;
}

int64_t socket_send(struct socket *socket, const void *bytes, size_t length,
                    int flags)
{
    return socket_send_to(socket, bytes, length, flags, NULL);
}

int64_t socket_receive_from(struct socket *socket, void *bytes, size_t size,
                            int flags, struct endpoint *from,
                            struct endpoint *to)
{
    struct stack *stack = socket->stack;
    if (!socket->ops->receive)
        return -EOPNOTSUPP;
    stack_enter(stack);
    int64_t result = socket->ops->receive(socket, bytes, size, flags, from, to);
    stack_leave(stack);
    return result;
}

int64_t socket_receive(struct socket *socket, void *bytes, size_t size,
                       int flags)
{
    return socket_receive_from(socket, bytes, size, flags, NULL, NULL);
}

int64_t socket_receive_packet(struct socket *socket, struct packet **out)
{
    struct stack *stack = socket->stack;
    if (!socket->ops->receive_packet)
        return -EOPNOTSUPP;
    stack_enter(stack);
    int64_t result = socket->ops->receive_packet(socket, out);
    stack_leave(stack);
    return result;
}

int socket_set_source(struct socket *socket, source_fn *source, void *context,
                      uint64_t length)
{
    struct stack *stack = socket->stack;
    if (!socket->ops->set_source)
        return -EOPNOTSUPP;
    stack_enter(stack);
    int result = socket->ops->set_source(socket, source, context, length);
    stack_leave(stack);
    return result;
}

// --- Questions

int socket_get_tcp_info(const struct socket *socket, struct tcp_info *out)
{
    return socket->ops->get_info ? socket->ops->get_info(socket, out) : -EINVAL;
}

enum socket_type socket_get_type(const struct socket *socket)
{
    return (enum socket_type)socket->type;
}

struct stack *socket_stack(const struct socket *socket)
{
    return socket->stack;
}

struct endpoint socket_local(const struct socket *socket)
{
    return socket->local;
}

struct endpoint socket_remote(const struct socket *socket)
{
    return socket->remote;
}

struct socket *socket_next(struct stack *stack, struct socket *previous)
{
    struct list *next = previous ? previous->all.next : stack->all_sockets.next;
    return next == &stack->all_sockets ? NULL
                                       : CONTAINER_OF(next, struct socket, all);
}
