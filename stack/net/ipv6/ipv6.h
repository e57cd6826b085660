// What IPv6's own files know of each other.
// SPDX-License-Identifier: MIT
#ifndef NET_IPV6_H
#define NET_IPV6_H

#include "stack/internal.h"

enum { // codes of ICMP6_PARAMETER_PROBLEM (RFC 4443 3.4, RFC 7112 5)
    ICMP6_BAD_HEADER = 0,
    ICMP6_BAD_NEXT_HEADER = 1,
    ICMP6_BAD_OPTION = 2,
    ICMP6_SHORT_HEADER_CHAIN = 3
};

// Where a walk along the headers of a packet has come to. packet->data is at
// the header that `next` names.
struct ipv6_walk {
    uint8_t next;   // number of the header at data
    uint16_t field; // offset from the IPv6 header of the byte that said so
    uint16_t count; // extension headers passed
};

enum ipv6_step {
    IPV6_STEP_UPPER,    // at the transport header (or at nothing: IPV6_NO_NEXT)
    IPV6_STEP_FRAGMENT, // at a fragment header
    IPV6_STEP_ENDED     // the packet was refused and is gone
};

// Walks from the header after the IPv6 header, or from where the walk stopped,
// to the transport's or a fragment header (RFC 8200 4). Unknown options are
// treated as the two highest bits of their type say; what must not be skipped
// is answered with a parameter problem and dropped.
enum ipv6_step ipv6_walk(struct stack *stack, struct packet *packet,
                         struct ipv6_walk *walk);
// Hop-by-hop options alone, which routers look at too. false: packet is gone.
bool ipv6_walk_hop_by_hop(struct stack *stack, struct packet *packet,
                          struct ipv6_walk *walk);
// Finds the transport header in the quotation of an ICMPv6 error, or in the
// first fragment of a packet: bytes is after the IPv6 header, next its next
// header. Returns the offset of the header that *next names then, which may be
// `length`, or -EINVAL when the chain is cut off before it; -ENOENT: a fragment
// that does not begin at offset 0.
int ipv6_skip_extensions(const uint8_t *bytes, size_t length, uint8_t *next);

// A packet for somebody else, window at the IPv6 header. Consumes.
void ipv6_forward(struct stack *stack, struct packet *packet);

// ip_send_error with a parameter problem's code. pointer counts from the IPv6
// header. Consumes.
void icmpv6_send_problem(struct stack *stack, struct packet *packet,
                         uint8_t code, uint32_t pointer,
                         enum drop_reason reason);
// ICMPv6 types below 128; data at the ICMPv6 header. Consumes.
void icmpv6_error_input(struct stack *stack, struct packet *packet);

// RFC 4291 2.7 and RFC 6724 3.1: how far an address reaches; compares as its
// number.
enum ipv6_scope {
    IPV6_SCOPE_INTERFACE = 1,
    IPV6_SCOPE_LINK = 2,
    IPV6_SCOPE_GLOBAL = 14
};
unsigned ipv6_scope(const struct ip_addr *address);
// ipv6_select_source among the addresses of the interface alone.
struct iface_addr *ipv6_select_source_on(struct iface *iface,
                                         const struct ip_addr *destination);

// Neighbour discovery between nd.c and dad.c. Sends a solicitation for, or an
// advertisement of, our address to all nodes.
void nd_solicit(struct iface *iface, const struct ip_addr *target,
                const struct ip_addr *source, const struct mac_addr *to);
void nd_advertise(struct iface *iface, const struct ip_addr *target);
// Somebody else uses or wants a tentative address of ours.
void dad_collision(struct iface_addr *address);

#endif
