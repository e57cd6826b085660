// One neighbour machine (RFC 4861 7.3.2) for ARP and neighbour discovery.
// SPDX-License-Identifier: MIT
#ifndef NET_NEIGHBOUR_H
#define NET_NEIGHBOUR_H

#include "stack/internal.h"

struct neighbour;

// How a family asks: broadcast or multicast when to is NULL, otherwise a
// unicast probe.
struct neighbour_ops {
    void (*solicit)(struct iface *iface, const struct ip_addr *target,
                    const struct ip_addr *source, const struct mac_addr *to);
};
extern const struct neighbour_ops arp_neighbour_ops, nd_neighbour_ops;

int neighbour_table_create(struct stack *stack);
void neighbour_table_destroy(struct stack *stack);
void neighbour_forget_iface(struct stack *stack, const struct iface *iface);

struct neighbour *neighbour_find(struct stack *stack, const struct iface *iface,
                                 const struct ip_addr *address);
// Finds or makes an entry (in state NONE). NULL: table full of entries in use.
struct neighbour *neighbour_get(struct stack *stack, struct iface *iface,
                                const struct ip_addr *address);
// Starts resolving when needed. -EHOSTUNREACH: failed lately.
int neighbour_resolve(struct stack *stack, struct neighbour *neighbour);
// Sends an IP packet to it: at once, or when it is resolved. Consumes.
void neighbour_output(struct stack *stack, struct neighbour *neighbour,
                      struct packet *packet);
// Confirmation from a transport.
void neighbour_confirm(struct stack *stack, struct neighbour *neighbour);

// What ARP and ND heard.
enum neighbour_event {
    NEIGHBOUR_HEARD_REQUEST, // its address in a solicitation or an ARP packet:
                             // not confirmed
    NEIGHBOUR_HEARD_REPLY,   // answered our solicitation: confirmed
    NEIGHBOUR_HEARD_UNSOLICITED, // gratuitous or unsolicited advertisement
};
// may_create: an entry may be made for it (we were asked); may_override: a
// different hardware address replaces the one we have (RFC 4861 O flag; ARP:
// always true).
void neighbour_hear(struct stack *stack, struct iface *iface,
                    const struct ip_addr *address, const struct mac_addr *mac,
                    enum neighbour_event event, bool may_create,
                    bool may_override, int is_router /* -1: not said */);

#endif
