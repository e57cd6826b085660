// Neighbour discovery as other files call it.
// SPDX-License-Identifier: MIT
#ifndef NET_ND_H
#define NET_ND_H

#include "stack/internal.h"

// ICMPv6 types 133..137; data at the ICMPv6 header. Consumes.
void nd_input(struct stack *stack, struct packet *packet);
// Both are called for IPv6 addresses of every interface but the loopback one;
// the address's state is PREFERRED and its dad_timer all zero before the first.
// A new address: joins its solicited-node group and starts DAD (RFC 4862 5.4).
void nd_address_added(struct iface_addr *address);
void nd_address_removed(struct iface_addr *address);
// An interface that carries IPv6 came up: all-nodes group, link-local address.
void nd_iface_up(struct iface *iface);
// Gratuitous ARP for a new IPv4 address (neighbour.gratuitous).
void arp_announce(struct iface *iface, const struct ip_addr *address);

#endif
