// One neighbour machine (RFC 4861 7.3.2) for ARP and neighbour discovery.
// SPDX-License-Identifier: MIT
#ifndef NET_NEIGHBOUR_H
#define NET_NEIGHBOUR_H

#include "stack/internal.h"

// How a family asks: broadcast or multicast when to is NULL, otherwise a
// unicast probe. source: an address of the interface that the packet which
// wants to go there bears (RFC 4861 7.2.2), or NULL: choose one.
struct neighbour_ops {
    void (*solicit)(struct iface *iface, const struct ip_addr *target,
                    const struct ip_addr *source, const struct mac_addr *to);
};
extern const struct neighbour_ops arp_neighbour_ops, nd_neighbour_ops;

// Only neighbour.c writes one; ip_output's way reads it.
struct neighbour {
    struct list node;            // table->all
    struct neighbour *hash_next; // table's bucket
    struct iface *iface;
    const struct neighbour_ops *ops;
    struct ip_addr address;
    struct mac_addr mac; // meaningful except in NONE, INCOMPLETE and FAILED
    uint8_t state;       // enum neighbour_state
    bool is_router;
    bool is_used;      // since reclaiming last came by
    uint32_t solicits; // sent in INCOMPLETE or PROBE
    ns_t until; // REACHABLE: then stale; FAILED: packets refused before it
    struct packet_queue pending; // INCOMPLETE only
    struct timer timer;          // INCOMPLETE, DELAY, PROBE
};

int neighbour_table_create(struct stack *stack);
void neighbour_table_destroy(struct stack *stack);
// Forgets all of its neighbours; waiting packets are dropped as IFACE_DOWN.
void neighbour_forget_iface(struct stack *stack, const struct iface *iface);

uint64_t neighbour_pending(const struct stack *stack); // packets that wait

struct neighbour *neighbour_find(struct stack *stack, const struct iface *iface,
                                 const struct ip_addr *address);
// Finds or makes an entry (in state NONE). NULL: table full of entries in use,
// or out of memory. Making one may reclaim another, which then bumps
// path_generation.
struct neighbour *neighbour_get(struct stack *stack, struct iface *iface,
                                const struct ip_addr *address);
// Starts resolving when needed; source as in solicit. -EHOSTUNREACH: failed
// lately.
int neighbour_resolve(struct stack *stack, struct neighbour *neighbour,
                      const struct ip_addr *source);
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
