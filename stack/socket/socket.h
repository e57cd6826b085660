// Sockets as the stack's own files know them: what is common to all types.
// SPDX-License-Identifier: MIT
#ifndef SOCKET_SOCKET_H
#define SOCKET_SOCKET_H

// Theory of operation
//
// Each type of socket embeds struct socket as its first member and fills a
// table of operations; socket.c holds the calls of stack.h, checks what is
// common and dispatches. Protocol code says what happened with socket_notify;
// the events are collected in the socket, which is put on stack->ready once,
// and stack_leave calls the handlers when no protocol code is running any more.
// A socket whose application has closed it has is_orphan set, no handler, and
// lives on until its protocol lets it go.
//
// What the operations may rely on: endpoints that socket.c passes down have the
// socket's family (IP_NONE only where a datagram socket's connect dissolves),
// an any-address as destination has become the loopback address, a local
// address is the any-address, a group, a broadcast address (datagram and raw
// only) or one of ours that may be used, and a link-local IPv6 address carries
// its scope if that is known. bind is called once only, on a socket without a
// local port. set_option and get_option come first and answer -ENOPROTOOPT for
// what socket_option.c shall handle.
//
// A socket of family IPv6 never carries IPv4: OPTION_IPV6_ONLY is always on,
// because endpoints say their family here and mapped addresses would give one
// peer two names.

#include "stack/internal.h"
#include "stack/net/ip.h"

struct socket_ops {
    void (*close)(
        struct socket *socket); // the application is gone: destroy now or later
    void (*abort)(struct socket *socket);
    uint32_t (*events)(const struct socket *socket);
    int (*bind)(struct socket *socket, const struct endpoint *local);
    int (*listen)(struct socket *socket,
                  int backlog); // NULL: -EOPNOTSUPP, as for all below
    int (*accept)(struct socket *socket, struct socket **out);
    int (*connect)(struct socket *socket, const struct endpoint *remote);
    int (*shutdown)(struct socket *socket, enum shutdown_how how);
    int64_t (*send)(struct socket *socket, const void *bytes, size_t length,
                    int flags,
                    const struct endpoint *to); // to NULL: the connected peer
    int64_t (*receive)(struct socket *socket, void *bytes, size_t size,
                       int flags, struct endpoint *from, struct endpoint *to);
    int64_t (*receive_packet)(struct socket *socket, struct packet **out);
    int (*set_source)(struct socket *socket, source_fn *source, void *context,
                      uint64_t length);
    int (*set_option)(struct socket *socket, enum socket_option option,
                      int64_t value);
    int (*get_option)(const struct socket *socket, enum socket_option option,
                      int64_t *out);
    int (*get_info)(const struct socket *socket, struct tcp_info *out);
    // A setting of this socket has got another value; NULL: of no interest
    // before it is read.
    void (*settings_changed)(struct socket *socket);
    void (*destroy)(
        struct socket *socket); // stack_destroy: free all, say nothing
};

struct socket {
    const struct socket_ops *ops;
    struct stack *stack;
    struct list all;   // stack->all_sockets
    struct list ready; // stack->ready while pending_events is not 0
    const struct stack_settings
        *settings; // the stack's, or own (owns_settings)
    void (*on_event)(void *context, struct socket *socket, uint32_t events);
    void *context;
    struct endpoint local, remote; // family IP_NONE: not bound, not connected
    int error;                     // pending, negative errno; 0
    uint16_t bound_iface;          // index; 0: any
    uint8_t type;                  // enum socket_type
    uint8_t family;
    uint8_t ttl, tos; // ttl 0: the setting
    uint8_t pending_events;
    bool owns_settings, is_orphan, reuse_address, may_broadcast, dont_fragment;
    bool error_queue; // every ICMP error becomes the pending error
    bool has_icmp_error;
    struct socket_icmp_error *icmp_error; // NULL until the first
};

// For the types: links into the stack's list, sets defaults. -EMFILE.
int socket_init(struct stack *stack, struct socket *socket,
                const struct socket_ops *ops, enum socket_type type,
                uint8_t family);
void socket_fini(struct socket *socket); // unlinks; frees own settings
void socket_notify(struct socket *socket, uint32_t events);
void socket_set_error(struct socket *socket,
                      int error); // and notifies EVENT_ERROR
void socket_record_icmp_error(struct socket *socket,
                              const struct icmp_error *error);
void sockets_deliver_events(struct stack *stack); // stack_leave
// The interface that packets towards `remote` must use: the socket's own or the
// scope of the address. NULL: any.
struct iface *socket_iface(const struct socket *socket,
                           const struct endpoint *remote);
// A multicast or (limited or directed) broadcast address?
bool socket_is_group_address(const struct socket *socket,
                             const struct ip_addr *address);
// May a socket of this family and type be bound to, or send from, the address?
// Fills the scope of a link-local address. -EAFNOSUPPORT, -EADDRNOTAVAIL,
// -EINVAL (scope against the socket's interface).
int socket_check_local(const struct socket *socket, struct endpoint *local);
// Frees the errors, settings and sockets of a stack that ends: calls every
// socket's destroy.
void sockets_destroy(struct stack *stack);

// The options that all types share. -ENOPROTOOPT, -EINVAL, -ENODEV.
int socket_set_common_option(struct socket *socket, enum socket_option option,
                             int64_t value);
int socket_get_common_option(const struct socket *socket,
                             enum socket_option option, int64_t *out);

// The types' constructors (a list in socket.c).
int tcp_socket_open(struct stack *stack, uint8_t family, struct socket **out);
int udp_socket_open(struct stack *stack, uint8_t family, struct socket **out);
int raw_socket_open(struct stack *stack, uint8_t family, uint8_t protocol,
                    struct socket **out);

// An ephemeral port for which is_free answers true: RFC 6056 algorithm 3
// (SipHash over the addresses and the stack's secret), stepping through
// limits.port-min..port-max. remote NULL: for a bind without a peer. 0: none.
uint16_t socket_pick_port(struct socket *socket, const struct endpoint *remote,
                          bool (*is_free)(struct socket *socket,
                                          uint16_t port));

#endif
