// Router discovery of a host, with SLAAC (RFC 4861 6.3, RFC 4862 5.5).
// SPDX-License-Identifier: MIT
#ifndef NET_ROUTER_DISCOVERY_H
#define NET_ROUTER_DISCOVERY_H

#include "stack/internal.h"

// An interface that carries IPv6 came up: asks for routers where ip.accept-ra
// is on. Out of memory: there is no discovery until it comes up again.
void router_discovery_start(struct iface *iface);
void router_discovery_destroy(struct iface *iface);
// A router advertisement; data at the ICMPv6 header. Consumes.
void router_discovery_input(struct stack *stack, struct packet *packet);

#endif
