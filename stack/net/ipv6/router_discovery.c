// Listens to routers: default routes, prefixes, addresses of our own making.
// SPDX-License-Identifier: MIT
#include "stack/net/ipv6/router_discovery.h"

#include <stdlib.h>
#include <string.h>

#include "stack/net/ip.h"
#include "stack/net/neighbour.h"
#include "stack/net/route.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"
#include "stack/wire/nd.h"

// Theory of operation
//
// A host asks for routers when an interface comes up and its link-local address
// is its own (three times, four seconds apart, until one answers; RFC 4861
// 6.3.7), and listens to advertisements ever after. What a router says lasts as
// long as it says:
//
//      router lifetime   a default route through it
//      prefix, on-link   a route to the prefix
//      prefix, autonomous  an address of the prefix and our interface
//                        identifier, which goes through duplicate detection
//      MTU               the interface's, where it is smaller
//
// All of it is in small fixed tables, so that a neighbour who invents routers
// and prefixes costs us no memory; what does not fit is not believed (RFC 6104
// tells of such neighbours). One timer runs for the earliest end.
//
// Departures: a deprecated address (RFC 4862 5.5.4) stays in use until it is
// invalid; the hop limit and the times for neighbours that routers tell are not
// taken, because settings are constant; temporary addresses (RFC 8981) are not
// made.

enum {
    ROUTERS = 4,
    PREFIXES = 8,
    SOLICITATIONS = 3,
    RA_SIZE = 16,
    RS_SIZE = 8,
    PREFIX_DATA = 30,
    ON_LINK = 0x80,
    AUTONOMOUS = 0x40,
    ROUTE_METRIC = 1024,
    ND_HOPS = 255
};
static const ns_t SOLICITATION_INTERVAL = 4 * NS_PER_S;
static const ns_t DAD_POLL = NS_PER_S / 10;
static const ns_t TWO_HOURS = 7200 * NS_PER_S;

struct known_router {
    struct ip_addr address; // IP_NONE: free
    ns_t until;
};

struct known_prefix {
    struct ip_prefix prefix;   // family IP_NONE: free
    struct ip_addr address;    // of ours; IP_NONE: none
    ns_t until, address_until; // of the on-link route, of the address
};

struct router_discovery {
    struct iface *iface;
    struct timer timer;
    uint32_t solicitations_left;
    ns_t solicit_at; // NS_NEVER: no more
    struct known_router routers[ROUTERS];
    struct known_prefix prefixes[PREFIXES];
};

static ns_t end_of(const struct stack *stack, uint32_t seconds)
{
    return seconds == UINT32_MAX ? NS_NEVER
                                 : stack_now(stack) + seconds * NS_PER_S;
}

static void arm(struct router_discovery *d)
{
    ns_t next = d->solicit_at;

    for (unsigned i = 0; i < ROUTERS; i++)
        if (d->routers[i].address.family != IP_NONE)
            next = min_i64(next, d->routers[i].until);
    for (unsigned i = 0; i < PREFIXES; i++) {
        const struct known_prefix *p = &d->prefixes[i];
        if (p->prefix.addr.family != IP_NONE && p->until != 0)
            next = min_i64(next, p->until);
        if (p->prefix.addr.family != IP_NONE && p->address.family != IP_NONE)
            next = min_i64(next, p->address_until);
    }
    if (next == NS_NEVER)
        timer_cancel(&d->timer);
    else
        stack_timer_set(d->iface->stack, &d->timer, next);
}

// --- Solicitations

// NULL: duplicate detection is not over, or it has failed.
static const struct ip_addr *own_link_local(const struct iface *iface)
{
    for (const struct iface_addr *a = iface->addresses; a; a = a->next)
        if (a->prefix.addr.family == IP_V6 && a->state == ADDRESS_PREFERRED &&
            ip_addr_is_link_local(&a->prefix.addr))
            return &a->prefix.addr;
    return NULL;
}

static void solicit(struct iface *iface, const struct ip_addr *source)
{
    static const struct ip_addr all_routers = {.bytes = {0xff, 0x02, [15] = 2},
                                               .family = IP_V6};
    struct stack *stack = iface->stack;
    struct mac_addr to = mac_addr_of_multicast(&all_routers);
    enum { SIZE = RS_SIZE + ND_LINK_OPTION_SIZE };
    struct packet *packet = stack_packet_alloc(
        stack, iface->link->header_size + IPV6_HEADER_SIZE, SIZE);
    if (!packet)
        return;
    uint8_t *bytes = packet_put(packet, SIZE);
    memset(bytes, 0, SIZE);
    bytes[0] = ICMP6_ROUTER_SOLICITATION;
    bytes[RS_SIZE] = ND_OPTION_SOURCE_LINK_ADDR;
    bytes[RS_SIZE + 1] = ND_LINK_OPTION_SIZE / 8;
    memcpy(bytes + RS_SIZE + 2, iface->mac.bytes, 6);
    icmp_fill_checksum(bytes, SIZE, source, &all_routers);
    struct ipv6_header header = {.payload_length = SIZE,
                                 .next_header = IP_PROTOCOL_ICMPV6,
                                 .hop_limit = ND_HOPS,
                                 .source = *source,
                                 .destination = all_routers};
    ipv6_emit(&header, packet_push(packet, IPV6_HEADER_SIZE));
    packet_set_network_header(packet);
    packet->iface = iface;
    packet->link_type = ETHERTYPE_IPV6;
    stack_count(stack, COUNT_IP_OUT);
    stack_count(stack, COUNT_ICMP_OUT);
    iface->link->output(iface, packet, &to);
}

static void solicit_if_due(struct router_discovery *d)
{
    struct stack *stack = d->iface->stack;

    if (d->solicit_at > stack_now(stack))
        return;
    const struct ip_addr *source = own_link_local(d->iface);
    if (!source) {
        d->solicit_at = stack_now(stack) + DAD_POLL;
        return;
    }
    solicit(d->iface, source);
    d->solicit_at = --d->solicitations_left > 0
                        ? stack_now(stack) + SOLICITATION_INTERVAL
                        : NS_NEVER;
}

// --- Routers

static struct route route_through(const struct router_discovery *d,
                                  const struct ip_addr *router)
{
    return (struct route){.destination = {ip_addr_any(IP_V6), 0},
                          .gateway = *router,
                          .iface = d->iface,
                          .metric = ROUTE_METRIC};
}

static void forget_router(struct router_discovery *d,
                          struct known_router *router)
{
    struct route route = route_through(d, &router->address);

    route_remove(d->iface->stack, &route);
    stack_bump_generation(d->iface->stack);
    router->address.family = IP_NONE;
}

static void hear_router(struct router_discovery *d,
                        const struct ip_addr *address, uint32_t lifetime)
{
    struct known_router *router = NULL;
    struct route route = route_through(d, address);

    for (unsigned i = 0; i < ROUTERS; i++) {
        struct known_router *one = &d->routers[i];
        if (ip_addr_equal(&one->address, address)) {
            router = one;
            break;
        }
        if (!router && one->address.family == IP_NONE)
            router = one;
    }
    if (!router)
        return;
    bool is_known = router->address.family != IP_NONE;
    if (lifetime == 0) {
        if (is_known)
            forget_router(d, router);
        return;
    }
    if (!is_known && route_add(d->iface->stack, &route) != 0)
        return;
    stack_bump_generation(d->iface->stack);
    router->address = *address;
    router->until = end_of(d->iface->stack, lifetime);
}

// --- Prefixes

static struct route route_to(const struct router_discovery *d,
                             const struct known_prefix *p)
{
    return (struct route){.destination = p->prefix, .iface = d->iface};
}

static struct known_prefix *find_prefix(struct router_discovery *d,
                                        const struct ip_prefix *prefix)
{
    struct known_prefix *place = NULL;

    for (unsigned i = 0; i < PREFIXES; i++) {
        struct known_prefix *p = &d->prefixes[i];
        if (p->prefix.length == prefix->length &&
            ip_addr_equal(&p->prefix.addr, &prefix->addr))
            return p;
        if (!place && p->prefix.addr.family == IP_NONE)
            place = p;
    }
    if (place) {
        *place = (struct known_prefix){.prefix = *prefix};
    }
    return place;
}

static void lose_address(struct router_discovery *d, struct known_prefix *p)
{
    struct ip_addr address = p->address;

    p->address.family = IP_NONE;
    iface_remove_address(d->iface, &address);
}

static void lose_route(struct router_discovery *d, struct known_prefix *p)
{
    struct route route = route_to(d, p);

    p->until = 0;
    if (p->address.family != IP_NONE)
        return; // the address keeps it
    route_remove(d->iface->stack, &route);
    stack_bump_generation(d->iface->stack);
}

static void free_if_over(struct known_prefix *p)
{
    if (p->until == 0 && p->address.family == IP_NONE)
        p->prefix.addr.family = IP_NONE;
}

// The interface identifier is that of the link-local address.
static struct ip_prefix make_address(const struct router_discovery *d,
                                     const struct ip_prefix *prefix)
{
    struct ip_prefix made = {ip_addr_link_local_of(&d->iface->mac), 64};

    memcpy(made.addr.bytes, prefix->addr.bytes, 8);
    return made;
}

// RFC 4862 5.5.3 e: nobody can end an address in less than two hours by saying
// so without proof.
static ns_t prolong(const struct router_discovery *d, ns_t until,
                    uint32_t valid)
{
    const struct stack *stack = d->iface->stack;
    ns_t told = end_of(stack, valid);

    if (told > until || told > stack_now(stack) + TWO_HOURS)
        return told;
    return min_i64(until, stack_now(stack) + TWO_HOURS);
}

static void hear_autonomous(struct router_discovery *d, struct known_prefix *p,
                            uint32_t valid)
{
    if (p->address.family != IP_NONE) {
        p->address_until = prolong(d, p->address_until, valid);
        return;
    }
    struct ip_prefix made = make_address(d, &p->prefix);
    if (valid == 0 || iface_add_address(d->iface, &made) != 0)
        return;
    p->address = made.addr;
    p->address_until = end_of(d->iface->stack, valid);
}

static void hear_on_link(struct router_discovery *d, struct known_prefix *p,
                         uint32_t valid)
{
    struct route route = route_to(d, p);

    if (valid == 0) {
        if (p->until != 0)
            lose_route(d, p);
        return;
    }
    // It may be there because of an address.
    route_add(d->iface->stack, &route);
    stack_bump_generation(d->iface->stack);
    p->until = end_of(d->iface->stack, valid);
}

// OFFSET SIZE MEANING, behind type and length
//      0    1 prefix length
//      1    1 L, A in the highest bits
//      2    4 valid, seconds
//      6    4 preferred, seconds
//     14   16 prefix
static void hear_prefix(struct router_discovery *d,
                        const struct nd_option *option)
{
    const uint8_t *data = option->data;

    if (option->length != PREFIX_DATA || data[0] > 128)
        return;
    uint32_t valid = get_be32(data + 2), preferred = get_be32(data + 6);
    struct ip_prefix prefix = {ip_addr_from_bytes(IP_V6, data + 14), data[0]};
    prefix.addr = ip_prefix_network(&prefix);
    if (ip_addr_is_link_local(&prefix.addr) ||
        ip_addr_is_multicast(&prefix.addr) || preferred > valid ||
        (valid == 0 && data[0] == 0))
        return;
    struct known_prefix *p = find_prefix(d, &prefix);
    if (!p)
        return;
    if (data[1] & AUTONOMOUS && data[0] == 64)
        hear_autonomous(d, p, valid);
    if (data[1] & ON_LINK)
        hear_on_link(d, p, valid);
    free_if_over(p);
}

// --- Advertisements

static void hear_option(struct router_discovery *d, struct packet *packet,
                        const struct nd_option *option)
{
    struct iface *iface = d->iface;

    if (option->type == ND_OPTION_PREFIX)
        hear_prefix(d, option);
    if (option->type == ND_OPTION_SOURCE_LINK_ADDR && option->length == 6 &&
        iface->flags & IFACE_NEEDS_NEIGHBOUR) {
        struct mac_addr mac;
        memcpy(mac.bytes, option->data, 6);
        neighbour_hear(iface->stack, iface, &packet->ip.source, &mac,
                       NEIGHBOUR_HEARD_UNSOLICITED, true, true, 1);
    }
    if (option->type == ND_OPTION_MTU && option->length == 6) {
        uint32_t mtu = get_be32(option->data + 2);
        if (mtu >= IPV6_MIN_MTU && mtu < iface->mtu)
            iface_set_mtu(iface, mtu);
    }
}

// All options are whole, or nothing is believed (RFC 4861 6.1.2).
static bool has_whole_options(const uint8_t *bytes, size_t length)
{
    struct nd_option option;

    while (length > 0) {
        int size = nd_option_parse(bytes, length, &option);
        if (size < 0)
            return false;
        bytes += size;
        length -= (size_t)size;
    }
    return true;
}

void router_discovery_input(struct stack *stack, struct packet *packet)
{
    struct router_discovery *d = packet->iface->discovery;
    const uint8_t *bytes = packet->data;
    size_t length = packet->length;

    if (length < RA_SIZE || !ip_addr_is_link_local(&packet->ip.source) ||
        !has_whole_options(bytes + RA_SIZE, length - RA_SIZE)) {
        stack_drop(stack, packet, DROP_ND_BAD);
        return;
    }
    if (!d) {
        stack_drop(stack, packet, DROP_ICMP_UNWANTED);
        return;
    }
    d->solicit_at = NS_NEVER;
    hear_router(d, &packet->ip.source, get_be16(bytes + 6));
    for (size_t at = RA_SIZE; at < length;) {
        struct nd_option option;
        at += (size_t)nd_option_parse(bytes + at, length - at, &option);
        hear_option(d, packet, &option);
    }
    arm(d);
    stack_deliver(stack, packet);
}

// --- Life

static void end_what_is_over(struct router_discovery *d)
{
    ns_t now = stack_now(d->iface->stack);

    for (unsigned i = 0; i < ROUTERS; i++)
        if (d->routers[i].address.family != IP_NONE &&
            d->routers[i].until <= now)
            forget_router(d, &d->routers[i]);
    for (unsigned i = 0; i < PREFIXES; i++) {
        struct known_prefix *p = &d->prefixes[i];
        if (p->prefix.addr.family == IP_NONE)
            continue;
        if (p->address.family != IP_NONE && p->address_until <= now)
            lose_address(d, p);
        if (p->until != 0 && p->until <= now)
            lose_route(d, p);
        free_if_over(p);
    }
}

static void on_timer(struct timer *timer)
{
    struct router_discovery *d =
        CONTAINER_OF(timer, struct router_discovery, timer);

    if (d->iface->flags & IFACE_UP)
        solicit_if_due(d);
    else
        d->solicit_at = NS_NEVER; // until it is up again
    end_what_is_over(d);
    arm(d);
}

static struct router_discovery *create(struct iface *iface)
{
    struct router_discovery *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->iface = iface;
    if (stack_timer_init(iface->stack, &d->timer, on_timer)) {
        free(d);
        return NULL;
    }
    return d;
}

void router_discovery_start(struct iface *iface)
{
    struct stack *stack = iface->stack;

    if (!stack->settings->ip_accept_ra || stack->settings->ip_forward ||
        !(iface->flags & IFACE_NEEDS_NEIGHBOUR))
        return;
    if (!iface->discovery)
        iface->discovery = create(iface);
    if (!iface->discovery)
        return;
    iface->discovery->solicitations_left = SOLICITATIONS;
    iface->discovery->solicit_at = stack_now(stack);
    arm(iface->discovery);
}

void router_discovery_destroy(struct iface *iface)
{
    if (!iface->discovery)
        return;
    stack_timer_fini(iface->stack, &iface->discovery->timer);
    free(iface->discovery);
    iface->discovery = NULL;
}
