// The path MTUs that ICMP taught us, as IP's own files see them.
// SPDX-License-Identifier: MIT
#ifndef NET_PATH_MTU_H
#define NET_PATH_MTU_H

#include "stack/internal.h"

// What is known of the way to a destination.
struct path_mtu {
    uint32_t mtu;
    bool is_locked; // a smaller one was reported: packets go without DF
};
struct path_mtu path_mtu_get(struct stack *stack,
                             const struct ip_addr *destination,
                             uint32_t iface_mtu);
// The next plateau below the length of a packet that was too big, for routers
// that do not say their MTU (RFC 1191 7).
uint32_t path_mtu_plateau(uint32_t length);
void path_mtu_destroy(struct stack *stack);

#endif
