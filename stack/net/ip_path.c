// How a packet gets to a destination: route, source address, next hop.
// SPDX-License-Identifier: MIT
#include "stack/net/ip.h"

#include <errno.h>

#include "stack/net/neighbour.h"
#include "stack/net/path_mtu.h"
#include "stack/net/route.h"

// Theory of operation
//
// A lookup goes through the kinds of destination in this order: an address of
// ours (through loopback, whatever the routes say), a multicast group or the
// limited broadcast address (on an interface that the caller, the source
// address, a route or the lack of others tells), and all else by the routing
// table, where a directed broadcast address is noticed on the way. The result
// is built in a copy and takes the place of the caller's path only when all of
// it is known.
//
// We are a weak host (RFC 1122 3.3.4.2): a source address may belong to another
// interface than the one that the packet leaves by.

static bool is_up(const struct iface *iface) { return iface->flags & IFACE_UP; }

static bool is_ours(struct stack *stack, const struct ip_addr *address)
{
    if (address->family == IP_V4 && ip_addr_is_loopback(address))
        return true; // all of 127/8, RFC 1122 3.2.1.3(g)
    return stack_address_find(stack, address) != NULL;
}

// --- Source addresses

// On the prefix of the next hop if there is one; then of the destination's
// scope (RFC 3927 2.6.2); then any.
static const struct ip_addr *ipv4_source_on(const struct iface *iface,
                                            const struct ip_path *path)
{
    bool wants_local = ip_addr_is_link_local(&path->destination);
    const struct ip_addr *best = NULL;
    int best_score = 0;
    for (const struct iface_addr *a = iface->addresses; a; a = a->next) {
        const struct ip_addr *address = &a->prefix.addr;
        if (address->family != IP_V4)
            continue;
        int score = 1;
        if (ip_prefix_contains(&a->prefix, &path->next_hop))
            score = 3;
        else if (ip_addr_is_link_local(address) == wants_local)
            score = 2;
        if (score > best_score) {
            best = address;
            best_score = score;
        }
    }
    return best;
}

// An interface without an address borrows one (RFC 1812 2.2.7).
static const struct ip_addr *ipv4_source_for(struct stack *stack,
                                             const struct ip_path *path)
{
    const struct ip_addr *source = ipv4_source_on(path->iface, path);
    struct iface *iface = NULL;
    while (!source && (iface = iface_next(stack, iface)))
        if (!(iface->flags & IFACE_IS_LOOPBACK))
            source = ipv4_source_on(iface, path);
    return source;
}

// A host that has no address yet may still broadcast (RFC 1122 3.2.1.3(a)).
static int choose_source(struct stack *stack, struct ip_path *path)
{
    if (path->destination.family == IP_V6) {
        const struct iface_addr *a =
            ipv6_select_source(path->iface, &path->destination);
        if (!a)
            return -EADDRNOTAVAIL;
        path->source = a->prefix.addr;
        return 0;
    }
    const struct ip_addr *source = ipv4_source_for(stack, path);
    if (source)
        path->source = *source;
    else if (path->is_broadcast)
        path->source = ip_addr_any(IP_V4);
    else
        return -EADDRNOTAVAIL;
    return 0;
}

static int check_source(struct stack *stack, const struct ip_path *path)
{
    const struct ip_addr *source = &path->source;
    if (source->family != path->destination.family)
        return -EADDRNOTAVAIL;
    if (ip_addr_is_loopback(source))
        return path->is_local && is_ours(stack, source) ? 0 : -EADDRNOTAVAIL;
    const struct iface_addr *a = iface_address_find(path->iface, source);
    bool needs_iface = source->family == IP_V6 &&
                       ip_addr_is_link_local(source) && !path->is_local;
    if (!a && !needs_iface)
        a = stack_address_find(stack, source);
    return a && a->state == ADDRESS_PREFERRED ? 0 : -EADDRNOTAVAIL;
}

static int settle_source(struct stack *stack, struct ip_path *path)
{
    if (path->is_forward)
        return 0;
    if (path->source.family == IP_NONE || ip_addr_is_any(&path->source))
        return choose_source(stack, path);
    return check_source(stack, path);
}

// --- Kinds of destination

static int look_up_local(struct stack *stack, struct ip_path *path)
{
    path->iface = stack->loopback;
    path->is_local = true;
    path->next_hop = path->destination;
    if (!is_up(path->iface))
        return -ENETDOWN;
    if (path->source.family != IP_NONE && !ip_addr_is_any(&path->source))
        return check_source(stack, path);
    bool is_v4_loopback = path->destination.family == IP_V4 &&
                          ip_addr_is_loopback(&path->destination);
    path->source = is_v4_loopback ? ip_addr_v4(127, 0, 0, 1) // as Linux does
                                  : path->destination;
    return 0;
}

// The first interface that could carry it.
static struct iface *first_group_iface(struct stack *stack, uint32_t flag)
{
    struct iface *iface = NULL;
    while ((iface = iface_next(stack, iface)))
        if (is_up(iface) && iface->flags & flag)
            return iface;
    return NULL;
}

static struct iface *group_iface(struct stack *stack,
                                 const struct ip_path *path)
{
    const struct ip_addr *source = &path->source;
    uint32_t flag = path->is_broadcast ? IFACE_BROADCAST : IFACE_MULTICAST;
    if (source->family != IP_NONE && !ip_addr_is_any(source)) {
        const struct iface_addr *a = stack_address_find(stack, source);
        if (a && is_up(a->iface) && a->iface->flags & flag)
            return a->iface;
    }
    const struct route *route = route_find(stack, &path->destination, NULL);
    if (route && route->iface->flags & flag)
        return route->iface;
    return first_group_iface(stack, flag);
}

static int look_up_group(struct stack *stack, struct ip_path *path,
                         struct iface *bound)
{
    path->iface = bound ? bound : group_iface(stack, path);
    path->next_hop = path->destination;
    return path->iface ? settle_source(stack, path) : -ENETUNREACH;
}

// No entry while the table is full: the path stays stale and tries again.
static bool find_neighbour(struct stack *stack, struct ip_path *path)
{
    if (!(path->iface->flags & IFACE_NEEDS_NEIGHBOUR) || path->is_broadcast)
        return true;
    path->neighbour = neighbour_get(stack, path->iface, &path->next_hop);
    return path->neighbour != NULL;
}

static int look_up_route(struct stack *stack, struct ip_path *path,
                         struct iface *bound)
{
    const struct route *route = route_find(stack, &path->destination, bound);
    if (!route)
        return -ENETUNREACH;
    path->iface = route->iface;
    path->next_hop =
        route->gateway.family == IP_NONE ? path->destination : route->gateway;
    path->is_broadcast = iface_is_broadcast(path->iface, &path->destination);
    return settle_source(stack, path);
}

static int look_up(struct stack *stack, struct ip_path *path,
                   struct iface *bound)
{
    const struct ip_addr *destination = &path->destination;
    if (bound && !is_up(bound))
        return -ENETDOWN;
    if (ip_addr_is_any(destination))
        return -ENETUNREACH;
    if (!path->is_forward && is_ours(stack, destination))
        return look_up_local(stack, path);
    path->is_multicast = ip_addr_is_multicast(destination);
    path->is_broadcast = ip_addr_is_broadcast(destination);
    if (path->is_multicast || path->is_broadcast)
        return look_up_group(stack, path, bound);
    return look_up_route(stack, path, bound);
}

// --- Calls

static void finish(struct stack *stack, struct ip_path *path)
{
    bool is_unicast = !path->is_local && !path->is_multicast;
    bool is_whole = !is_unicast || find_neighbour(stack, path);
    struct path_mtu mtu = {.mtu = path->iface->mtu};
    if (is_unicast && !path->is_forward)
        mtu = path_mtu_get(stack, &path->destination, path->iface->mtu);
    path->mtu = mtu.mtu;
    path->is_locked = mtu.is_locked;
    // After find_neighbour, which may bump it.
    path->generation = is_whole ? stack->path_generation : 0;
}

static int renew(struct stack *stack, const struct ip_path *wanted,
                 struct iface *bound, struct ip_path *path)
{
    struct ip_path next = {.source = wanted->source,
                           .destination = wanted->destination,
                           .is_forward = wanted->is_forward,
                           .bound = bound ? bound->index : 0};
    int error = look_up(stack, &next, bound);
    if (error)
        return error;
    finish(stack, &next);
    *path = next;
    return 0;
}

int ip_path_find(struct stack *stack, const struct ip_addr *source,
                 const struct ip_addr *destination, struct iface *iface,
                 struct ip_path *path)
{
    struct ip_path wanted = {.destination = *destination};
    if (source)
        wanted.source = *source;
    return renew(stack, &wanted, iface, path);
}

int ip_path_forward(struct stack *stack, const struct ip_addr *destination,
                    struct ip_path *path)
{
    struct ip_path wanted = {.destination = *destination, .is_forward = true};
    return renew(stack, &wanted, NULL, path);
}

int ip_path_refresh(struct stack *stack, struct ip_path *path,
                    struct iface *bound)
{
    if (path->generation == stack->path_generation)
        return 0;
    return renew(stack, path, bound, path);
}

void ip_confirm_reachable(struct stack *stack, struct ip_path *path)
{
    if (path->neighbour && path->generation == stack->path_generation)
        neighbour_confirm(stack, path->neighbour);
}

size_t ip_head_room(const struct ip_path *path)
{
    return path->iface->link->header_size + ip_header_size(path);
}
