// Where a stack finds the UDP and raw sockets that a packet is for.
// SPDX-License-Identifier: MIT
#ifndef SOCKET_SOCKET_TABLE_H
#define SOCKET_SOCKET_TABLE_H

#include "stack/socket/datagram.h"

// Theory of operation
//
// A UDP socket with a local port is in two hash tables. `keys` is for packets:
// its key is the whole pair of endpoints, with an any-address or no peer where
// the socket has none, so that a datagram finds its socket in at most three
// probes however many sockets there are: the connected one, the one bound to
// the address, the one bound to the port alone. `ports` is for what concerns
// every socket of a port: conflicts at bind, and groups and broadcasts, of
// which each gets a copy.
//
// Both tables start without memory and double. A chain is newest first, also
// after growing: of two sockets that share an address (OPTION_REUSE_ADDRESS)
// the one bound last gets the unicast datagrams, and copies go round in the
// same order in every run. Nothing else depends on a chain's order.
//
// Raw sockets are a list: every one that matches gets a copy anyway.

struct hash_link {
    struct hash_link *next, **previous; // previous NULL: not linked
};
struct socket_hash {
    struct hash_link **buckets; // NULL until the first
    uint32_t size, count;       // size: a power of two
};

struct udp_socket {
    struct datagram_socket datagram;
    struct hash_link by_key, by_port;
    bool is_port_bound; // by the application, not by connect or send
};

struct raw_socket {
    struct datagram_socket datagram;
    struct list node; // table->raw
    uint8_t protocol;
    bool has_header; // OPTION_HEADER_INCLUDED
};

struct socket_table {
    struct socket_hash keys, ports;
    uint32_t connected; // sockets in keys with a peer
    uint32_t specific;  // sockets in keys with an address and no peer
    struct list raw;
};

// Makes the stack's table when it has none. -ENOMEM.
int socket_table_need(struct stack *stack);
void socket_table_destroy(struct stack *stack); // must be empty

// Enters a socket that has its local port (and peer); -ENOMEM. Whoever changes
// socket->local or socket->remote takes it out before and puts it in after,
// which then cannot fail.
int socket_table_insert(struct udp_socket *u);
void socket_table_remove(struct udp_socket *u); // harmless twice
static inline bool socket_table_has(const struct udp_socket *u)
{
    return u->by_key.previous != NULL;
}

// The one socket for a unicast datagram; NULL: none. iface 0: any will do.
struct udp_socket *socket_table_find(const struct stack *stack,
                                     const struct ip_addr *local,
                                     uint16_t local_port,
                                     const struct ip_addr *remote,
                                     uint16_t remote_port, uint16_t iface);
// Walks the sockets of a port: previous NULL starts, NULL ends.
struct udp_socket *socket_table_next(const struct stack *stack, uint16_t port,
                                     struct udp_socket *previous);

#endif
