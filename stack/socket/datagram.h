// What UDP and raw sockets share: a queue of whole packets and a path.
// SPDX-License-Identifier: MIT
#ifndef SOCKET_DATAGRAM_H
#define SOCKET_DATAGRAM_H

#include "stack/socket/socket.h"

// Theory of operation
//
// A datagram that arrives stays in the packet it came in: the socket's queue
// holds the packets, each with its addresses in packet->cb.datagram and its
// window on what the application will read. The budget (udp.receive-buffer)
// counts the memory that the packets keep busy, not the bytes in them, so that
// a flood of empty datagrams is bounded too; one datagram is always taken, or a
// buffer smaller than a block would never receive.
//
// Sending keeps the last path: a socket that sends to one destination,
// connected or not, looks routes up once.

struct datagram_socket {
    struct socket socket;
    struct packet_queue queue;
    uint32_t queue_used;   // true size of what is queued
    uint8_t shutdown;      // enum shutdown_how
    bool is_address_bound; // by the application, not by connect
    struct ip_path path;   // generation 0: none
};

// Queues a packet whose window is what the application shall read; takes the
// addresses from packet->ip and the ports given. Consumes.
void datagram_queue(struct datagram_socket *d, struct packet *packet,
                    uint16_t source_port, uint16_t destination_port);
void datagram_fini(struct datagram_socket *d); // drops what is unread

// Is the socket one that this packet may be for: local and remote address and
// interface? Ports are the caller's.
bool datagram_accepts(const struct datagram_socket *d,
                      const struct packet *packet);
// Brings d->path to point at `to`, from the socket's address and by its
// interface. As ip_path_find; -EACCES: broadcast without permission.
int datagram_path(struct datagram_socket *d, const struct endpoint *to);
// Binds the any-address of an unbound socket to the source that the path to
// the peer has, and undoes it.
void datagram_adopt_peer(struct datagram_socket *d,
                         const struct endpoint *remote);
// The TTL to send with: 0 stands for the setting.
uint8_t datagram_ttl(const struct datagram_socket *d);
// Is a packet of this many bytes (IP header included) sent with DF?
bool datagram_sets_df(const struct datagram_socket *d, size_t ip_length);
// An ICMP error about what this socket sent: recorded, and made the pending
// error where the socket's options and connection say so.
void datagram_error(struct datagram_socket *d, const struct icmp_error *error);

// Operations (struct socket_ops) of both.
uint32_t datagram_op_events(const struct socket *socket);
int datagram_op_shutdown(struct socket *socket, enum shutdown_how how);
int64_t datagram_op_receive(struct socket *socket, void *bytes, size_t size,
                            int flags, struct endpoint *from,
                            struct endpoint *to);
int64_t datagram_op_receive_packet(struct socket *socket, struct packet **out);
int datagram_op_set_option(struct socket *socket, enum socket_option option,
                           int64_t value);
int datagram_op_get_option(const struct socket *socket,
                           enum socket_option option, int64_t *out);

static inline struct datagram_socket *datagram_of(const struct socket *socket)
{
    return (struct datagram_socket *)socket;
}

#endif
