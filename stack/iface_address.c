// The addresses of interfaces.
// SPDX-License-Identifier: MIT
#include "stack/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "stack/net/ipv6/nd.h"
#include "stack/net/route.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ipv6.h"

// --- Adding

// The first and the last address of a prefix name the network and all hosts on
// it, but not where the prefix has two addresses or one (RFC 3021). The first
// one of an IPv6 prefix is the subnet-router anycast address (RFC 4291 2.6.1).
static bool is_host_address(const struct ip_prefix *prefix)
{
    struct ip_addr network = ip_prefix_network(prefix);
    bool is_v4 = prefix->addr.family == IP_V4;
    if (prefix->length >= (is_v4 ? 31 : 127))
        return true;
    if (ip_addr_equal(&network, &prefix->addr))
        return false;
    if (!is_v4)
        return true;
    struct ip_addr broadcast = ip_prefix_broadcast(prefix);
    return !ip_addr_equal(&broadcast, &prefix->addr);
}

static bool is_usable(const struct iface *iface, const struct ip_prefix *prefix)
{
    const struct ip_addr *address = &prefix->addr;
    const struct stack *stack = iface->stack;
    if (address->family == IP_V4) {
        uint32_t first = address->bytes[0];
        if (!stack->has_ipv4 || prefix->length > 32 || first == 0 ||
            first >= 240)
            return false;
    } else if (!stack->has_ipv6 || address->family != IP_V6 ||
               prefix->length > 128 || iface->mtu < IPV6_MIN_MTU) {
        return false;
    }
    if (ip_addr_is_multicast(address) || ip_addr_is_any(address))
        return false;
    if (ip_addr_is_loopback(address) && !(iface->flags & IFACE_IS_LOOPBACK))
        return false;
    return is_host_address(prefix);
}

// A link-local IPv6 address may be on every link, any other on one.
static bool is_taken(struct iface *iface, const struct ip_addr *address)
{
    if (address->family == IP_V6 && ip_addr_is_link_local(address))
        return iface_address_find(iface, address) != NULL;
    return stack_address_find(iface->stack, address) != NULL;
}

static unsigned address_count(const struct iface *iface)
{
    unsigned count = 0;
    for (const struct iface_addr *a = iface->addresses; a; a = a->next)
        count++;
    return count;
}

static struct route connected_route(const struct iface_addr *a)
{
    return (struct route){.destination = {.addr = ip_prefix_network(&a->prefix),
                                          .length = a->prefix.length},
                          .iface = a->iface};
}

static void announce(struct iface_addr *a)
{
    struct stack *stack = a->iface->stack;
    if (a->iface->flags & IFACE_IS_LOOPBACK)
        return;
    if (a->prefix.addr.family == IP_V6)
        nd_address_added(a);
    else if (stack->settings->neighbour_gratuitous &&
             a->iface->flags & IFACE_NEEDS_NEIGHBOUR)
        arp_announce(a->iface, &a->prefix.addr);
}

static int add(struct iface *iface, const struct ip_prefix *prefix)
{
    struct iface_addr *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->prefix = *prefix;
    a->state = ADDRESS_PREFERRED;
    a->iface = iface;
    struct route route = connected_route(a);
    int error = route_add(iface->stack, &route);
    if (error && error != -EEXIST) {
        free(a);
        return error;
    }
    struct iface_addr **link = &iface->addresses;
    while (*link)
        link = &(*link)->next;
    *link = a;
    address_index_add(iface->stack, a);
    stack_bump_generation(iface->stack);
    announce(a);
    return 0;
}

int iface_add_address(struct iface *iface, const struct ip_prefix *prefix)
{
    if (!is_usable(iface, prefix))
        return -EINVAL;
    if (is_taken(iface, &prefix->addr))
        return -EEXIST;
    if (address_count(iface) >= IFACE_MAX_ADDRESSES)
        return -ENOMEM;
    stack_enter(iface->stack);
    int error = add(iface, prefix);
    stack_leave(iface->stack);
    return error;
}

// --- Removing

static bool shares_prefix(const struct iface *iface, const struct route *route)
{
    for (const struct iface_addr *a = iface->addresses; a; a = a->next) {
        struct route other = connected_route(a);
        if (route_has_prefix(&other, &route->destination))
            return true;
    }
    return false;
}

static void remove_at(struct iface *iface, struct iface_addr **link)
{
    struct iface_addr *a = *link;
    bool is_looped = iface->flags & IFACE_IS_LOOPBACK;
    if (a->prefix.addr.family == IP_V6 && !is_looped)
        nd_address_removed(a);
    *link = a->next;
    address_index_remove(iface->stack, a);
    struct route route = connected_route(a);
    if (!shares_prefix(iface, &route))
        route_remove(iface->stack, &route);
    free(a);
    stack_bump_generation(iface->stack);
}

int iface_remove_address(struct iface *iface, const struct ip_addr *address)
{
    struct iface_addr **link = &iface->addresses;
    while (*link && !ip_addr_equal(&(*link)->prefix.addr, address))
        link = &(*link)->next;
    if (!*link)
        return -ENOENT;
    stack_enter(iface->stack);
    remove_at(iface, link);
    stack_leave(iface->stack);
    return 0;
}

void iface_remove_all_addresses(struct iface *iface, uint8_t family)
{
    struct iface_addr **link = &iface->addresses;
    while (*link)
        if (family == IP_NONE || (*link)->prefix.addr.family == family)
            remove_at(iface, link);
        else
            link = &(*link)->next;
}

// --- Questions

struct iface_addr *iface_address_find(struct iface *iface,
                                      const struct ip_addr *address)
{
    struct iface_addr *a = iface->addresses;
    while (a && !ip_addr_equal(&a->prefix.addr, address))
        a = a->next;
    return a;
}

// The prefix's network with all host bits set; asked for each packet.
static bool is_broadcast_of(const struct ip_prefix *prefix, uint32_t address)
{
    if (prefix->length >= 31)
        return false;
    uint32_t host_bits = UINT32_MAX >> prefix->length;
    uint32_t network = get_be32(prefix->addr.bytes);
    return (address & host_bits) == host_bits &&
           ((address ^ network) & ~host_bits) == 0;
}

bool iface_is_broadcast(const struct iface *iface,
                        const struct ip_addr *address)
{
    if (address->family != IP_V4 || !(iface->flags & IFACE_BROADCAST))
        return false;
    if (address->words[0] == UINT32_MAX)
        return true;
    for (const struct iface_addr *a = iface->addresses; a; a = a->next) {
        if (a->prefix.addr.family == IP_V4 &&
            is_broadcast_of(&a->prefix, get_be32(address->bytes)))
            return true;
    }
    return false;
}

bool iface_get_address(const struct iface *iface, size_t n,
                       struct iface_address *out)
{
    const struct iface_addr *a = iface->addresses;
    while (a && n-- > 0)
        a = a->next;
    if (!a)
        return false;
    *out = (struct iface_address){.prefix = a->prefix, .state = a->state};
    return true;
}
