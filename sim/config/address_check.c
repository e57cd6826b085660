// Finds addresses that clash, and peers and gateways that cannot be reached.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "sim/config/spec.h"
#include "sim/config/tree/memory.h"

// --- Clashes ----------------------------------------------------------------

struct entry {
    const struct iface_spec *iface;
    const struct address_spec *address;
    struct ip_addr network;
    size_t number; // in order of links and ends
};

struct table {
    struct entry *entries;
    size_t count, capacity;
};

// What was chosen clashes with nothing, unless what it was chosen beside does.
static void add_entries(struct table *t, const struct iface_spec *iface)
{
    for (const struct address_spec *a = iface->addresses; a; a = a->next) {
        if (a->is_chosen)
            continue;
        t->entries =
            memory_grow(t->entries, t->count, &t->capacity, sizeof *t->entries);
        t->entries[t->count] =
            (struct entry){iface, a, ip_prefix_network(&a->prefix), t->count};
        t->count++;
    }
}

static int by_number(const struct entry *a, const struct entry *b)
{
    return a->number < b->number ? -1 : a->number > b->number;
}

static int by_address(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order =
        ip_addr_compare(&a->address->prefix.addr, &b->address->prefix.addr);
    return order ? order : by_number(a, b);
}

static int by_network(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = ip_addr_compare(&a->network, &b->network);
    if (order)
        return order;
    order = a->address->prefix.length - b->address->prefix.length;
    return order ? order : by_number(a, b);
}

// Link-local addresses mean something else on each link, but a host has an IPv4
// address once.
static bool may_clash(const struct entry *a, const struct entry *b)
{
    const struct ip_addr *address = &a->address->prefix.addr;
    return a->iface->domain == b->iface->domain ||
           !ip_addr_is_link_local(address) ||
           (address->family == IP_V4 && a->iface->node == b->iface->node);
}

static void check_twins(struct scenario *s, struct table *t)
{
    char text[IP_ADDR_TEXT_SIZE];
    qsort(t->entries, t->count, sizeof *t->entries, by_address);
    for (size_t i = 1; i < t->count; i++) {
        const struct entry *a = &t->entries[i - 1], *b = &t->entries[i];
        if (!ip_addr_equal(&a->address->prefix.addr,
                           &b->address->prefix.addr) ||
            !may_clash(a, b))
            continue;
        diagnostics_add(s->diagnostics, b->address->place,
                        "the address %s belongs to %s:%s already",
                        ip_addr_format(&a->address->prefix.addr, text),
                        a->iface->node->name, a->iface->name);
    }
}

// Sorted by network, those around an entry stand before it; prefixes overlap
// only by one being within the other.
static void check_overlaps(struct scenario *s, struct table *t)
{
    char inner[IP_PREFIX_TEXT_SIZE], outer[IP_PREFIX_TEXT_SIZE];
    qsort(t->entries, t->count, sizeof *t->entries, by_network);
    const struct entry **around =
        memory_zeroed((t->count + 1) * sizeof *around);
    size_t depth = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct entry *e = &t->entries[i];
        while (depth && !ip_prefix_contains(&around[depth - 1]->address->prefix,
                                            &e->network))
            depth--;
        const struct entry *o = depth ? around[depth - 1] : NULL;
        around[depth++] = e;
        if (!o || o->iface->domain == e->iface->domain ||
            ip_addr_is_link_local(&e->address->prefix.addr) ||
            ip_addr_equal(&o->address->prefix.addr, &e->address->prefix.addr))
            continue;
        const struct entry *late = o->number > e->number ? o : e;
        const struct entry *early = late == o ? e : o;
        diagnostics_add(
            s->diagnostics, late->address->place,
            "%s overlaps %s of %s:%s on link '%s'; each link or switched "
            "network needs a prefix of its own",
            ip_prefix_format(&late->address->prefix, inner),
            ip_prefix_format(&early->address->prefix, outer),
            early->iface->node->name, early->iface->name,
            early->iface->link->name);
    }
    free(around);
}

static void check_families(struct scenario *s, const struct iface_spec *iface)
{
    for (const struct address_spec *a = iface->addresses; a; a = a->next) {
        bool is_v4 = a->prefix.addr.family == IP_V4;
        if (!(is_v4 ? iface->node->ipv4 : iface->node->ipv6))
            diagnostics_add(s->diagnostics, a->place,
                            "'%s' does not speak %s; see its key %s",
                            iface->node->name, is_v4 ? "IPv4" : "IPv6",
                            is_v4 ? "ipv4" : "ipv6");
        else if (!is_v4 && iface_plan_mtu(iface) < 1280)
            diagnostics_add(s->diagnostics, a->place,
                            "IPv6 needs an MTU of 1280 or more, and %s:%s has "
                            "%u (RFC 8200 5)",
                            iface->node->name, iface->name,
                            iface_plan_mtu(iface));
    }
}

// As many as the stack has room for, its own link-local one among them.
#define ADDRESSES_MOST 63

static void check_count(struct scenario *s, const struct iface_spec *iface)
{
    size_t count = 0;
    for (const struct address_spec *a = iface->addresses; a; a = a->next)
        if (++count == ADDRESSES_MOST + 1)
            diagnostics_add(s->diagnostics, a->place,
                            "an interface has at most %d addresses",
                            ADDRESSES_MOST);
}

// --- Hardware addresses -----------------------------------------------------

static int by_mac(const void *left, const void *right)
{
    const struct iface_spec *a = *(const struct iface_spec *const *)left,
                            *b = *(const struct iface_spec *const *)right;
    int order = memcmp(a->mac.bytes, b->mac.bytes, sizeof a->mac.bytes);
    if (order)
        return order;
    if (a->domain != b->domain)
        return a->domain < b->domain ? -1 : 1;
    order = a->place.line < b->place.line ? -1 : a->place.line > b->place.line;
    return order ? order : strcmp(a->node->name, b->node->name);
}

static void say_mac_twins(struct scenario *s, const struct iface_spec *a,
                          const struct iface_spec *b)
{
    char text[MAC_ADDR_TEXT_SIZE];
    if (a->domain == b->domain && mac_addr_equal(&a->mac, &b->mac))
        diagnostics_add(s->diagnostics, b->place,
                        "%s:%s has the hardware address %s of %s:%s on the "
                        "same network",
                        b->node->name, b->name, mac_addr_format(&b->mac, text),
                        a->node->name, a->name);
}

static void check_macs(struct scenario *s)
{
    static const struct mac_addr none;
    const struct iface_spec **ifaces = NULL;
    size_t count = 0, capacity = 0;
    for (struct node_spec *node = s->nodes; node; node = node->next)
        for (struct iface_spec *i = node->ifaces; i; i = i->next) {
            if (mac_addr_equal(&i->mac, &none) || !i->domain)
                continue;
            ifaces = memory_grow(ifaces, count, &capacity, sizeof *ifaces);
            ifaces[count++] = i;
        }
    if (count)
        qsort(ifaces, count, sizeof *ifaces, by_mac);
    for (size_t i = 1; i < count; i++)
        say_mac_twins(s, ifaces[i - 1], ifaces[i]);
    free(ifaces);
}

void check_addresses(struct scenario *s)
{
    struct table table = {0};
    for (struct link_spec *link = s->links; link; link = link->next)
        for (unsigned end = 0; end < 2; end++) {
            const struct iface_spec *iface = link->ends[end].iface;
            if (!iface || iface->node->kind == NODE_SWITCH)
                continue;
            check_families(s, iface);
            check_count(s, iface);
            add_entries(&table, iface);
        }
    if (table.count) {
        check_twins(s, &table);
        check_overlaps(s, &table);
    }
    free(table.entries);
    check_macs(s);
}

// --- Gateways ---------------------------------------------------------------

static bool is_on_link(const struct node_spec *node, const struct ip_addr *to)
{
    for (const struct iface_spec *i = node->ifaces; i; i = i->next)
        for (const struct address_spec *a = i->addresses; a; a = a->next)
            if (ip_prefix_contains(&a->prefix, to))
                return true;
    return false;
}

static bool is_link_local_v6(const struct ip_addr *a)
{
    return a->family == IP_V6 && ip_addr_is_link_local(a);
}

// A link-local gateway is on whichever link there is, if there is only one.
static bool has_one_way(const struct node_spec *node)
{
    unsigned ways = 0;
    for (const struct iface_spec *i = node->ifaces; i; i = i->next)
        ways += node->ipv6 && i->link && iface_plan_mtu(i) >= 1280;
    return ways == 1;
}

// No host at all.
static bool is_nobody(const struct ip_addr *a)
{
    return ip_addr_is_any(a) || ip_addr_is_multicast(a) ||
           ip_addr_is_loopback(a) || ip_addr_is_broadcast(a);
}

// The address of `gateway` on a broadcast domain that `node` is on too.
static bool find_gateway(const struct node_spec *node,
                         const struct node_spec *gateway, uint8_t family,
                         struct ip_addr *out)
{
    for (const struct iface_spec *i = gateway->ifaces; i; i = i->next)
        for (const struct iface_spec *own = node->ifaces; own; own = own->next)
            for (const struct address_spec *a = i->addresses;
                 a && i->domain && i->domain == own->domain; a = a->next)
                if (a->prefix.addr.family == family &&
                    is_on_link(node, &a->prefix.addr)) {
                    *out = a->prefix.addr;
                    return true;
                }
    return false;
}

static void resolve_by_name(struct scenario *s, struct node_spec *node,
                            struct route_spec *route,
                            const struct node_spec *gateway)
{
    struct ip_addr v4, v6;
    uint8_t only = route->is_default ? IP_NONE : route->to.addr.family;
    bool has_v4 = only != IP_V6 && find_gateway(node, gateway, IP_V4, &v4);
    bool has_v6 = only != IP_V4 && find_gateway(node, gateway, IP_V6, &v6);
    if (!has_v4 && !has_v6) {
        diagnostics_add(s->diagnostics, route->place,
                        "'%s' has no %saddress on a link of '%s'",
                        gateway->name,
                        only == IP_V4   ? "IPv4 "
                        : only == IP_V6 ? "IPv6 "
                                        : "",
                        node->name);
        return;
    }
    route->gateway = has_v4 ? v4 : v6;
    if (!has_v4 || !has_v6)
        return;
    struct route_spec *second = document_alloc(s->document, sizeof *second);
    *second = *route;
    second->gateway = v6;
    route->next = second;
}

static void check_gateway(struct scenario *s, const struct node_spec *node,
                          const struct route_spec *route)
{
    const struct ip_addr *gateway = &route->gateway;
    bool is_there = is_link_local_v6(gateway) ? has_one_way(node)
                                              : is_on_link(node, gateway);
    if (!is_there || is_nobody(gateway)) {
        diagnostics_add(s->diagnostics, route->place,
                        "gateway %s is on no link of '%s'", route->via,
                        node->name);
        return;
    }
    for (const struct iface_spec *i = node->ifaces; i; i = i->next)
        for (const struct address_spec *a = i->addresses; a; a = a->next)
            if (ip_addr_equal(&a->prefix.addr, &route->gateway))
                diagnostics_add(s->diagnostics, route->place,
                                "gateway %s is an address of '%s' itself",
                                route->via, node->name);
    if (!route->is_default && route->to.addr.family != route->gateway.family)
        diagnostics_add(s->diagnostics, route->place,
                        "gateway %s is not of the destination's family",
                        route->via);
}

static void resolve_route(struct scenario *s, struct node_spec *node,
                          struct route_spec *route)
{
    struct ip_addr address;
    if (ip_addr_parse(route->via, &address) == 0) {
        route->gateway = address;
        check_gateway(s, node, route);
        return;
    }
    const struct node_spec *gateway =
        need_node(s, route->via, route->place, "gateway");
    if (gateway)
        resolve_by_name(s, node, route, gateway);
}

static bool are_same(const struct route_spec *a, const struct route_spec *b)
{
    return a->to.length == b->to.length && a->metric == b->metric &&
           ip_addr_equal(&a->to.addr, &b->to.addr) &&
           ip_addr_equal(&a->gateway, &b->gateway);
}

static void check_route_twins(struct scenario *s, const struct node_spec *node)
{
    for (const struct route_spec *r = node->routes; r; r = r->next)
        for (const struct route_spec *o = node->routes; o != r; o = o->next)
            if (r->gateway.family != IP_NONE && are_same(r, o)) {
                diagnostics_add(s->diagnostics, r->place,
                                "'%s' has this route already", node->name);
                break;
            }
}

static void complete_route(struct route_spec *route)
{
    if (route->is_default && route->gateway.family != IP_NONE)
        route->to = (struct ip_prefix){ip_addr_any(route->gateway.family), 0};
}

// --- Peers ------------------------------------------------------------------

static bool find_address(const struct node_spec *node, uint8_t family,
                         struct ip_addr *out)
{
    for (const struct iface_spec *i = node->ifaces; i; i = i->next)
        for (const struct address_spec *a = i->addresses; a; a = a->next)
            if (a->prefix.addr.family == family) {
                *out = a->prefix.addr;
                return true;
            }
    return false;
}

bool spec_resolve(const struct scenario *s, const char *text, uint8_t family,
                  struct ip_addr *out)
{
    struct ip_addr address;
    if (ip_addr_parse(text, &address) == 0) {
        if (family != IP_NONE && family != address.family)
            return false;
        *out = address;
        return true;
    }
    const struct node_spec *node = find_node(s, text);
    if (!node)
        return false;
    return (family != IP_V6 && find_address(node, IP_V4, out)) ||
           (family != IP_V4 && find_address(node, IP_V6, out));
}

static void resolve_peer(struct scenario *s, struct app_spec *app)
{
    uint8_t family = app->config.family;
    // A host that speaks one family asks for that.
    if (family == IP_NONE && app->host && app->host->ipv4 != app->host->ipv6)
        family = app->host->ipv4 ? IP_V4 : IP_V6;
    if (spec_resolve(s, app->remote, family, &app->config.remote.addr))
        return;
    const struct node_spec *node = find_node(s, app->remote);
    struct ip_addr address;
    const char *key = app_kind_name(app->config.kind);
    const char *which = family == IP_V4   ? "IPv4 "
                        : family == IP_V6 ? "IPv6 "
                                          : "";
    if (node)
        diagnostics_add(s->diagnostics, app->remote_place,
                        "%s: '%s' has no %saddress", key, app->remote, which);
    else if (ip_addr_parse(app->remote, &address) == 0)
        diagnostics_add(s->diagnostics, app->remote_place,
                        "%s: '%s' is no %saddress", key, app->remote, which);
    else
        need_node(s, app->remote, app->remote_place, key);
}

static void resolve_app(struct scenario *s, struct app_spec *app)
{
    app->host = need_node(s, app->host_name, app->host_place, "host");
    if (app->host &&
        (app->host->kind == NODE_SWITCH || app->host->kind == NODE_TAP)) {
        diagnostics_add(s->diagnostics, app->host_place,
                        "host: '%s' is a %s; applications run on hosts "
                        "and routers",
                        app->host_name, node_kind_name(app->host->kind));
        app->host = NULL;
    }
    if (app->remote)
        resolve_peer(s, app);
}

void resolve_routes(struct scenario *s)
{
    for (struct node_spec *node = s->nodes; node; node = node->next) {
        for (struct route_spec *r = node->routes; r; r = r->next) {
            if (r->gateway.family == IP_NONE)
                resolve_route(s, node, r);
            complete_route(r);
        }
        check_route_twins(s, node);
    }
}

void resolve_apps(struct scenario *s)
{
    for (struct app_spec *app = s->apps_unbuilt; app; app = app->next)
        resolve_app(s, app);
}
