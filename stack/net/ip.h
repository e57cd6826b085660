// What transports see of IP: paths, packets towards a destination, errors.
// SPDX-License-Identifier: MIT
#ifndef NET_IP_H
#define NET_IP_H

// Theory of operation
//
// Sending starts at the bottom. A transport describes where it wants to go;
// ip_path_find picks route, source address and interface once. ip_prepare then
// hands out an empty packet with head room for every header below the
// transport's; the transport writes its payload and pushes its own header;
// ip_output pushes the IP header, fragments where it must and may, and gives
// the packet to the neighbour machine, which pushes the link header or queues
// the packet until the next hop's address is known.
//
// A path is a cache. It is valid while path->generation equals
// stack->path_generation; ip_path_refresh checks that in one comparison and
// looks up again otherwise.

#include "stack/internal.h"

struct neighbour;

struct ip_path {
    struct ip_addr source, destination, next_hop;
    struct iface *iface;
    struct neighbour
        *neighbour;      // NULL: the interface needs none (or group, broadcast)
    uint32_t mtu;        // path MTU: bytes of IP packet
    uint32_t generation; // 0: never looked up
    bool is_local;       // destination is our own address
    bool is_broadcast, is_multicast;
    bool is_forward; // somebody else's packet: source means nothing
    uint16_t bound;  // index of the interface asked for; 0: any
    bool is_locked;  // path MTU too small to believe: never set DF (IPv4)
};

// Fills *path. source IP_NONE or any: chosen (RFC 6724 / the interface's first
// address that matches); iface NULL: any. 0, -ENETUNREACH (no route),
// -EADDRNOTAVAIL (source not ours or none fits), -ENETDOWN. Starts no
// resolution.
int ip_path_find(struct stack *stack, const struct ip_addr *source,
                 const struct ip_addr *destination, struct iface *iface,
                 struct ip_path *path);
// Keeps source, destination (and iface when `bound`); looks the rest up again
// when stale.
int ip_path_refresh(struct stack *stack, struct ip_path *path,
                    struct iface *bound);

// The way of a packet that we forward: no source, the interface's MTU.
// -ENETUNREACH.
int ip_path_forward(struct stack *stack, const struct ip_addr *destination,
                    struct ip_path *path);

// Head room that the layers below a transport need on this path.
size_t ip_head_room(const struct ip_path *path);
// IP header bytes on this path (20 or 40).
static inline unsigned ip_header_size(const struct ip_path *path)
{
    return path->destination.family == IP_V4 ? 20 : 40;
}

// A packet towards path->destination with room for transport_size bytes of
// transport header and payload behind and ip_head_room + transport header room
// in front: data is where the payload starts after `header_size` bytes of
// transport header have room. Fills packet->ip (protocol, tos, ttl; ttl 0: the
// setting) and packet->iface. Starts neighbour resolution. -ENOBUFS;
// -EHOSTUNREACH when the next hop has failed lately.
int ip_prepare(struct stack *stack, struct ip_path *path, uint8_t protocol,
               uint8_t tos, uint8_t ttl, size_t header_size,
               size_t payload_size, struct packet **out);
// Sends a prepared packet whose data is at the transport header. Consumes. 0 or
// -EMSGSIZE (larger than the path MTU with PACKET_DONT_FRAGMENT), -ENOBUFS.
int ip_output(struct stack *stack, struct ip_path *path, struct packet *packet);

// Answers in place: turns a received packet (data at the transport header,
// addresses in packet->ip) round, from packet->ip.destination to
// packet->ip.source, and sends it with the ttl (0: the setting) and tos in
// packet->ip, and with DF when PACKET_DONT_FRAGMENT is set. The transport
// header must be final. A group or broadcast destination gives way to a source
// address of the interface. The received packet counts as delivered, the answer
// as created. Consumes.
void ip_reply(struct stack *stack, struct packet *packet);

// ICMP errors about a received packet (window anywhere; network_offset is
// right). Rate limited, never about errors, fragments other than the first,
// groups, broadcasts or unspecified sources (RFC 1122 3.2.2, RFC 4443 2.4(e)).
// Consumes the packet in any case and counts it as a drop for `reason`.
void ip_send_error(struct stack *stack, struct packet *packet,
                   enum icmp_error_kind kind, uint32_t mtu_or_pointer,
                   enum drop_reason reason);

// Path MTU (RFC 1191, RFC 8201). Lowering never goes under 552 (IPv4) or 1280.
uint32_t path_mtu_find(struct stack *stack, const struct ip_addr *destination,
                       uint32_t iface_mtu);
void path_mtu_update(struct stack *stack, const struct ip_addr *destination,
                     uint32_t mtu);

// A transport heard from the peer: the next hop is reachable (RFC 4861 7.3.1).
void ip_confirm_reachable(struct stack *stack, struct ip_path *path);

// --- Between IP's own files
// -----------------------------------------------------------------

// Common end of input: packet->ip is filled in, data at the transport header.
// Finds the transport or a raw socket. Consumes.
void ip_deliver(struct stack *stack, struct packet *packet);
// Why a packet that is not for us, nor to be forwarded, ends here.
static inline enum drop_reason ip_not_ours_reason(const struct packet *packet)
{
    return ip_addr_is_multicast(&packet->ip.destination) ? DROP_IP_NOT_OUR_GROUP
                                                         : DROP_IP_NOT_LOCAL;
}
// Gives a complete IP packet to the link of path->iface through the neighbour
// machine.
void ip_link_output(struct stack *stack, struct ip_path *path,
                    struct packet *packet);
int ipv4_output(struct stack *stack, struct ip_path *path,
                struct packet *packet);
int ipv6_output(struct stack *stack, struct ip_path *path,
                struct packet *packet);
// Each checks its family's rules and the rate, then turns the packet into the
// error or drops it. Consumes.
void icmpv4_send_error(struct stack *stack, struct packet *packet,
                       enum icmp_error_kind kind, uint32_t mtu_or_pointer,
                       enum drop_reason reason);
void icmpv6_send_error(struct stack *stack, struct packet *packet,
                       enum icmp_error_kind kind, uint32_t mtu_or_pointer,
                       enum drop_reason reason);
struct icmp_header;
// The last step of both, in place: the packet ends, dropped for `reason`, and
// at most `most` bytes of it, from its network header on, become the quotation
// of an ICMP error that leaves by `path`. Consumes.
void ip_turn_into_error(struct stack *stack, struct packet *packet,
                        struct ip_path *path, const struct icmp_header *icmp,
                        size_t most, uint8_t tos, enum drop_reason reason);
// A packet that waited for a next hop which does not answer: tells who sent it
// (RFC 1812 5.3.3, RFC 4861 7.2.2). Consumes.
void ip_fail(struct stack *stack, struct packet *packet);
// Token bucket of ip.icmp-rate and ip.icmp-burst.
bool icmp_may_send_error(struct stack *stack);
// Does the transport decide whether a path MTU is believed?
bool ip_transport_checks_errors(const struct stack *stack, uint8_t family,
                                uint8_t protocol);
// Calls the transport's error handler for a parsed error.
void ip_deliver_error(struct stack *stack, uint8_t protocol,
                      const struct icmp_error *error);
// ICMP rides on raw sockets for ping: a copy for each raw socket that matches.
// Borrows.
bool raw_input(struct stack *stack, struct packet *packet);
// The same for errors; ip_deliver_error calls it for every protocol.
void raw_error(struct stack *stack, uint8_t protocol,
               const struct icmp_error *error);

// Source address for an IPv6 destination on the interface that packets leave by
// (RFC 6724 5 reduced to rules 1, 2 and 8: same address, appropriate scope,
// longest matching prefix; never a tentative address). NULL: none fits.
struct iface_addr *ipv6_select_source(struct iface *iface,
                                      const struct ip_addr *destination);

// Reassembly, one for both families (reassembly.c). key: source, destination,
// id, protocol (IPv4 only). Consumes the packet, whose data is at the
// fragment's payload. Returns the whole packet (window: payload; metadata of
// the first fragment) when it is complete, otherwise NULL.
struct fragment_key {
    struct ip_addr source, destination;
    uint32_t id;
    uint8_t protocol;
};
struct packet *reassembly_input(struct stack *stack,
                                const struct fragment_key *key, uint32_t offset,
                                bool more, struct packet *packet);
// Drops what came by an interface that ends.
void reassembly_forget_iface(struct stack *stack, const struct iface *iface);
uint64_t reassembly_pending(const struct stack *stack); // packets that wait
void reassembly_destroy(struct stack *stack);

#endif
