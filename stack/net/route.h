// The routing table: longest prefix, then lowest metric.
// SPDX-License-Identifier: MIT
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include "stack/internal.h"

int route_table_create(struct stack *stack); // -ENOMEM
void route_table_destroy(struct stack *stack);
// The best route for an address; NULL: none. iface NULL: any. Routes of
// interfaces that are down do not count.
const struct route *route_find(const struct stack *stack,
                               const struct ip_addr *destination,
                               const struct iface *iface);
// stack_add_route without its checks: -EEXIST (same prefix, gateway, interface
// and metric), -ENOMEM.
int route_add(struct stack *stack, const struct route *route);
// The route that is equal but for the metric, if it is there.
void route_remove(struct stack *stack, const struct route *route);
bool route_has_prefix(const struct route *route,
                      const struct ip_prefix *prefix);
void route_remove_iface(struct stack *stack, const struct iface *iface);

#endif
