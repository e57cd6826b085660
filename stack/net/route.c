// The routing table: longest prefix, then lowest metric.
// SPDX-License-Identifier: MIT
#include "stack/net/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Theory of operation
//
// Routes stand in one array sorted by family, prefix length (longest first),
// network and metric. A group is the run of routes of one family and length.
// A lookup goes through the groups of its family from the longest prefix down
// and looks in each for the destination's network by binary search: a host with
// three routes makes three comparisons, a router with ten thousand routes of a
// dozen lengths about a hundred. What is sent often keeps its answer in a
// struct ip_path and does not come here. A trie was rejected: it needs several
// times the memory and a page of code to save what the path cache saves anyway.
//
// The order of the array is also the order in which routes are listed, and of
// two equal routes the one that was added first is found.

struct group {
    uint8_t family, length;
    uint32_t start, count;
};

struct route_table {
    struct route **routes;
    uint32_t count, capacity;
    struct group *groups;
    uint32_t group_count, group_capacity;
};

int route_table_create(struct stack *stack)
{
    stack->routes = calloc(1, sizeof(*stack->routes));
    return stack->routes ? 0 : -ENOMEM;
}

void route_table_destroy(struct stack *stack)
{
    struct route_table *table = stack->routes;
    if (!table)
        return;
    for (uint32_t i = 0; i < table->count; i++)
        free(table->routes[i]);
    free(table->routes);
    free(table->groups);
    free(table);
    stack->routes = NULL;
}

// --- Order

static int compare_networks(const struct ip_addr *a, const struct ip_addr *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare_u32(uint32_t a, uint32_t b) { return a < b ? -1 : a > b; }

static int compare_groups(uint8_t family, uint8_t length, const struct group *g)
{
    if (family != g->family)
        return compare_u32(family, g->family);
    return compare_u32(g->length, length);
}

bool route_has_prefix(const struct route *route, const struct ip_prefix *prefix)
{
    return route->destination.length == prefix->length &&
           ip_addr_equal(&route->destination.addr, &prefix->addr);
}

// The first route of the group whose network is not before `network`.
static uint32_t lower_bound(const struct route_table *table,
                            const struct group *group,
                            const struct ip_addr *network)
{
    uint32_t low = group->start, high = group->start + group->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_networks(&table->routes[middle]->destination.addr,
                             network) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// --- Finding

static const struct route *find_in_group(const struct route_table *table,
                                         const struct group *group,
                                         const struct ip_addr *destination,
                                         const struct iface *iface)
{
    struct ip_prefix prefix = {.addr = *destination, .length = group->length};
    struct ip_addr network = ip_prefix_network(&prefix);
    uint32_t end = group->start + group->count;
    for (uint32_t i = lower_bound(table, group, &network); i < end; i++) {
        const struct route *route = table->routes[i];
        if (compare_networks(&route->destination.addr, &network) != 0)
            break;
        if ((!iface || route->iface == iface) && route->iface->flags & IFACE_UP)
            return route;
    }
    return NULL;
}

const struct route *route_find(const struct stack *stack,
                               const struct ip_addr *destination,
                               const struct iface *iface)
{
    const struct route_table *table = stack->routes;
    for (uint32_t i = 0; i < table->group_count; i++) {
        if (table->groups[i].family != destination->family)
            continue;
        const struct route *route =
            find_in_group(table, &table->groups[i], destination, iface);
        if (route)
            return route;
    }
    return NULL;
}

// --- Adding

static bool is_same(const struct route *a, const struct route *b)
{
    return a->iface == b->iface && ip_addr_equal(&a->gateway, &b->gateway);
}

// Doubles an array that is full.
static int reserve(void **array, uint32_t *capacity, uint32_t count,
                   size_t size)
{
    if (count < *capacity)
        return 0;
    uint32_t wanted = *capacity ? 2 * *capacity : 4;
    void *grown = realloc(*array, wanted * size);
    if (!grown)
        return -ENOMEM;
    *array = grown;
    *capacity = wanted;
    return 0;
}

static int reserve_both(struct route_table *table)
{
    void *routes = table->routes, *groups = table->groups;
    int error = reserve(&routes, &table->capacity, table->count,
                        sizeof(struct route *));
    table->routes = routes;
    if (error)
        return error;
    error = reserve(&groups, &table->group_capacity, table->group_count,
                    sizeof(*table->groups));
    table->groups = groups;
    return error;
}

// Where the group is, or where it belongs.
static uint32_t group_position(const struct route_table *table,
                               const struct ip_prefix *prefix, bool *found)
{
    uint32_t i = 0;
    *found = false;
    for (; i < table->group_count; i++) {
        int order = compare_groups(prefix->addr.family, prefix->length,
                                   &table->groups[i]);
        if (order <= 0) {
            *found = order == 0;
            break;
        }
    }
    return i;
}

static struct group *group_get(struct route_table *table,
                               const struct ip_prefix *prefix)
{
    bool found;
    uint32_t at = group_position(table, prefix, &found);
    struct group *group = &table->groups[at];
    if (found)
        return group;
    uint32_t start = at > 0 ? group[-1].start + group[-1].count : 0;
    memmove(group + 1, group, (table->group_count - at) * sizeof(*group));
    table->group_count++;
    *group = (struct group){.family = prefix->addr.family,
                            .length = prefix->length,
                            .start = start};
    return group;
}

static void move_groups_behind(struct route_table *table,
                               const struct group *group, int by)
{
    const struct group *end = table->groups + table->group_count;
    for (struct group *g = table->groups + (group - table->groups) + 1; g < end;
         g++)
        g->start += (uint32_t)by;
}

// Behind all with the same prefix and metric; -EEXIST when one is the same.
static int position_in(const struct route_table *table,
                       const struct group *group, const struct route *route,
                       uint32_t *out)
{
    uint32_t end = group->start + group->count;
    uint32_t i = lower_bound(table, group, &route->destination.addr);
    for (; i < end; i++) {
        const struct route *other = table->routes[i];
        if (!route_has_prefix(other, &route->destination) ||
            other->metric > route->metric)
            break;
        if (other->metric == route->metric && is_same(other, route))
            return -EEXIST;
    }
    *out = i;
    return 0;
}

static void group_drop_if_empty(struct route_table *table, struct group *group)
{
    if (group->count > 0)
        return;
    size_t behind = (size_t)(table->groups + table->group_count - (group + 1));
    memmove(group, group + 1, behind * sizeof(*group));
    table->group_count--;
}

int route_add(struct stack *stack, const struct route *route)
{
    struct route_table *table = stack->routes;
    struct route *copy = malloc(sizeof(*copy));
    if (!copy || reserve_both(table) != 0) {
        free(copy);
        return -ENOMEM;
    }
    struct group *group = group_get(table, &route->destination);
    uint32_t at;
    int error = position_in(table, group, route, &at);
    if (error) {
        free(copy);
        return error;
    }
    *copy = *route;
    memmove(&table->routes[at + 1], &table->routes[at],
            (table->count - at) * sizeof(struct route *));
    table->routes[at] = copy;
    table->count++;
    group->count++;
    move_groups_behind(table, group, 1);
    stack_bump_generation(stack);
    return 0;
}

// --- Removing

static void remove_at(struct stack *stack, uint32_t at)
{
    struct route_table *table = stack->routes;
    bool found;
    struct group *group = &table->groups[group_position(
        table, &table->routes[at]->destination, &found)];
    must(found);
    free(table->routes[at]);
    table->count--;
    memmove(&table->routes[at], &table->routes[at + 1],
            (table->count - at) * sizeof(struct route *));
    group->count--;
    move_groups_behind(table, group, -1);
    group_drop_if_empty(table, group);
    stack_bump_generation(stack);
}

void route_remove(struct stack *stack, const struct route *route)
{
    const struct route_table *table = stack->routes;
    for (uint32_t i = 0; i < table->count; i++)
        if (route_has_prefix(table->routes[i], &route->destination) &&
            is_same(table->routes[i], route)) {
            remove_at(stack, i);
            return;
        }
}

void route_remove_iface(struct stack *stack, const struct iface *iface)
{
    for (uint32_t i = stack->routes->count; i-- > 0;)
        if (stack->routes->routes[i]->iface == iface)
            remove_at(stack, i);
}

// --- The calls of stack.h

// A gateway must be on a link of ours (RFC 1122 3.3.1.2); a link-local one is
// on the link that the caller names.
static int find_link(struct stack *stack, struct route *route)
{
    const struct ip_addr *gateway = &route->gateway;
    bool is_named = route->iface != NULL;
    if (is_named &&
        (route->iface->type == IFACE_POINT_TO_POINT ||
         (gateway->family == IP_V6 && ip_addr_is_link_local(gateway))))
        return 0;
    const struct route *link = route_find(stack, gateway, route->iface);
    if (!link || link->gateway.family != IP_NONE)
        return -ENETUNREACH;
    route->iface = link->iface;
    return 0;
}

static int check_gateway(struct stack *stack, struct route *route)
{
    const struct ip_addr *gateway = &route->gateway;
    if (gateway->family == IP_NONE)
        return route->iface ? 0 : -EINVAL;
    if (gateway->family != route->destination.addr.family ||
        ip_addr_is_any(gateway) || ip_addr_is_multicast(gateway) ||
        ip_addr_is_loopback(gateway) || ip_addr_is_broadcast(gateway) ||
        stack_address_find(stack, gateway))
        return -EINVAL;
    return find_link(stack, route);
}

int stack_add_route(struct stack *stack, const struct route *route)
{
    struct route copy = *route;
    uint8_t family = copy.destination.addr.family;
    if ((family != IP_V4 && family != IP_V6) ||
        copy.destination.length > 8 * ip_addr_length(family))
        return -EINVAL;
    copy.destination.addr = ip_prefix_network(&route->destination);
    int error = check_gateway(stack, &copy);
    return error ? error : route_add(stack, &copy);
}

int stack_remove_route(struct stack *stack, const struct ip_prefix *destination)
{
    struct ip_prefix prefix = {.addr = ip_prefix_network(destination),
                               .length = destination->length};
    const struct route_table *table = stack->routes;
    for (uint32_t i = 0; i < table->count; i++)
        if (route_has_prefix(table->routes[i], &prefix)) {
            remove_at(stack, i);
            return 0;
        }
    return -ENOENT;
}

bool stack_get_route(const struct stack *stack, size_t n, struct route *out)
{
    if (n >= stack->routes->count)
        return false;
    *out = *stack->routes->routes[n];
    return true;
}
