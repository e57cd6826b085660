// Chooses the addresses that a scenario leaves out.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "sim/config/spec.h"
#include "sim/config/tree/memory.h"

// Theory of operation
//
// An interface without any address gets one of each family that its host
// speaks; one with an address is left as its author wrote it. All interfaces of
// a broadcast domain share a network: the first that was written for one of
// them, else the next free of 10.0.1.0/24, 10.0.2.0/24, ... (larger where more
// hosts are, and out of 10.0.0.0/8 as long as there is room) and of
// 2001:db8:1::/64, 2001:db8:2::/64, ... (RFC 3849). Hosts are numbered from 1
// in order of the links and their ends. Where a domain has addresses of one
// family only, its author meant that; and where a tap lets the world outside
// in, nothing is chosen: it could be taken there.

struct domain {
    bool has_outside; // a tap: whose addresses are in use there nobody knows
    struct iface_spec *first, **end;
    uint32_t hosts;
};

struct plan {
    struct scenario *s;
    struct domain *domains;  // [domain number - 1]
    struct ip_prefix *given; // every prefix that was written
    size_t given_count;
};

static bool speaks(const struct node_spec *node, uint8_t family)
{
    return family == IP_V4 ? node->ipv4 : node->ipv6;
}

// --- Networks ---------------------------------------------------------------

// A prefix that was written and overlaps; NULL: none does.
static const struct ip_prefix *find_overlap(const struct plan *plan,
                                            const struct ip_prefix *p)
{
    for (size_t i = 0; i < plan->given_count; i++)
        if (ip_prefix_overlaps(&plan->given[i], p))
            return &plan->given[i];
    return NULL;
}

// Room for the network's and the broadcast address besides the hosts.
static uint8_t length_for(const struct plan *plan, uint32_t hosts)
{
    uint8_t length = 24;
    // So many domains do not find 65,536 networks of 256: point-to-point ones
    // get four addresses each.
    if (plan->s->domain_count > 30000)
        while (length < 30 && (UINT32_C(1) << (32 - length - 1)) >= hosts + 2)
            length++;
    while (length > 8 && (UINT32_C(1) << (32 - length)) < hosts + 2)
        length--;
    return length;
}

// The first address behind a prefix, counted within 10.0.0.0/8; at least
// `next`.
static uint32_t end_of(const struct ip_prefix *given, uint32_t next)
{
    struct ip_addr last = ip_prefix_broadcast(given);
    uint32_t behind = ip_addr_to_u32(&last) - UINT32_C(0x0a000000) + 1;
    if (given->length <= 8)
        return 1u << 24;
    return behind > next && behind <= 1u << 24 ? behind : next;
}

// next_v4 counts addresses within 10.0.0.0/8.
static bool next_network_v4(struct plan *plan, uint32_t hosts,
                            struct ip_prefix *out)
{
    struct scenario *s = plan->s;
    uint8_t length = length_for(plan, hosts);
    uint32_t size = UINT32_C(1) << (32 - length);
    uint32_t at = s->next_v4 ? s->next_v4 : 256; // 10.0.0.x looks like a typo
    at = (at + size - 1) & ~(size - 1);
    while (at < 1u << 24 && size <= (1u << 24) - at) {
        struct ip_prefix p = {ip_addr_v4_u32(UINT32_C(0x0a000000) + at),
                              length};
        const struct ip_prefix *given = find_overlap(plan, &p);
        if (!given) {
            s->next_v4 = at + size;
            *out = p;
            return true;
        }
        at = end_of(given, at + size);
        at = (at + size - 1) & ~(size - 1);
    }
    return false;
}

// Who needs more tries than this has written prefixes all over the place.
#define MOST_TRIES (1u << 17)

static bool next_network_v6(struct plan *plan, struct ip_prefix *out)
{
    for (uint32_t tries = 1; tries < MOST_TRIES; tries++) {
        uint32_t n = plan->s->next_v6 + tries;
        uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};
        bytes[4] = (uint8_t)(n >> 8), bytes[5] = (uint8_t)n;
        bytes[6] = (uint8_t)(n >> 24), bytes[7] = (uint8_t)(n >> 16);
        struct ip_prefix p = {ip_addr_from_bytes(IP_V6, bytes), 64};
        const struct ip_prefix *given = find_overlap(plan, &p);
        if (!given) {
            plan->s->next_v6 = n;
            *out = p;
            return true;
        }
        if (given->length <= 32) // all of 2001:db8::/32
            return false;
    }
    return false;
}

// --- Hosts within a network -------------------------------------------------

// The n-th address of a network; false: beyond its end.
static bool nth_address(const struct ip_prefix *network, uint32_t n,
                        struct ip_addr *out)
{
    struct ip_addr a = ip_prefix_network(network);
    unsigned bits = 8 * ip_addr_length(a.family) - network->length;
    if (bits < 32 && n >> bits)
        return false;
    unsigned last = ip_addr_length(a.family) - 1;
    uint32_t sum = n;
    for (unsigned i = 0; i < 4; i++) {
        sum += a.bytes[last - i];
        a.bytes[last - i] = (uint8_t)sum;
        sum >>= 8;
    }
    struct ip_prefix whole = {a, network->length};
    struct ip_addr broadcast = ip_prefix_broadcast(&whole);
    if (a.family == IP_V4 && network->length < 31 &&
        ip_addr_equal(&a, &broadcast))
        return false;
    *out = a;
    return true;
}

static int by_address(const void *left, const void *right)
{
    return ip_addr_compare(left, right);
}

// The addresses of the domain that were there before this pass, sorted; those
// chosen in it are below the counter and cannot collide.
struct taken {
    struct ip_addr *addresses;
    size_t count;
};

static struct taken collect_taken(const struct domain *domain)
{
    struct taken t = {NULL, 0};
    size_t capacity = 0;
    for (const struct iface_spec *i = domain->first; i; i = i->domain_next)
        for (const struct address_spec *a = i->addresses; a; a = a->next) {
            if (a->is_fresh)
                continue;
            t.addresses = memory_grow(t.addresses, t.count, &capacity,
                                      sizeof *t.addresses);
            t.addresses[t.count++] = a->prefix.addr;
        }
    if (t.count)
        qsort(t.addresses, t.count, sizeof *t.addresses, by_address);
    return t;
}

static bool is_taken(const struct taken *t, const struct ip_addr *address)
{
    return t->count && bsearch(address, t->addresses, t->count,
                               sizeof *t->addresses, by_address);
}

static const struct address_spec *find_given(const struct domain *domain,
                                             uint8_t family)
{
    for (const struct iface_spec *i = domain->first; i; i = i->domain_next)
        for (const struct address_spec *a = i->addresses; a; a = a->next)
            if ((family == IP_NONE || a->prefix.addr.family == family) &&
                !a->is_fresh && !ip_addr_is_link_local(&a->prefix.addr))
                return a;
    return NULL;
}

uint32_t iface_plan_mtu(const struct iface_spec *iface)
{
    const struct link_spec *link = iface->link;
    const struct direction_spec *out = &link->direction[iface->end];
    return iface->mtu        ? iface->mtu
           : link->iface_mtu ? link->iface_mtu
           : out->config.mtu ? out->config.mtu
                             : 1500;
}

static bool needs(const struct iface_spec *iface, uint8_t family)
{
    const struct address_spec *a = iface->addresses;
    while (a && (a->is_fresh || ip_addr_is_link_local(&a->prefix.addr)))
        a = a->next;
    return !a && speaks(iface->node, family) &&
           (family == IP_V4 || iface_plan_mtu(iface) >= 1280); // RFC 8200 5
}

static void say_full(struct plan *plan, const struct iface_spec *iface,
                     const struct ip_prefix *network)
{
    char text[IP_PREFIX_TEXT_SIZE];
    struct ip_prefix bare = {ip_prefix_network(network), network->length};
    diagnostics_add(plan->s->diagnostics, iface->place,
                    "no address of %s is left for '%s' (%s)",
                    ip_prefix_format(&bare, text), iface->node->name,
                    iface->name);
}

static void number_hosts(struct plan *plan, struct domain *domain,
                         const struct ip_prefix *network, uint8_t family)
{
    struct taken taken = collect_taken(domain);
    uint32_t n = network->length == (family == IP_V4 ? 31 : 127) ? 0 : 1;
    for (struct iface_spec *i = domain->first; i; i = i->domain_next) {
        struct ip_prefix chosen = {.length = network->length};
        if (!needs(i, family))
            continue;
        bool is_there;
        do
            is_there = nth_address(network, n++, &chosen.addr);
        while (is_there &&
               (is_taken(&taken, &chosen.addr) || refuse_prefix(&chosen)));
        if (!is_there) {
            say_full(plan, i, network);
            break;
        }
        struct address_spec *a =
            iface_add_spec(plan->s, &i->addresses, &chosen, i->place);
        a->is_chosen = a->is_fresh = true;
    }
    free(taken.addresses);
}

static bool is_needed(const struct domain *domain, uint8_t family)
{
    for (const struct iface_spec *i = domain->first; i; i = i->domain_next)
        if (needs(i, family))
            return true;
    return false;
}

static void plan_family(struct plan *plan, struct domain *domain,
                        uint8_t family)
{
    struct ip_prefix network;
    const struct address_spec *given = find_given(domain, family);
    if (domain->has_outside)
        return;
    if (!is_needed(domain, family) || (!given && find_given(domain, IP_NONE)))
        return;
    if (given)
        network = given->prefix;
    else if (!(family == IP_V4 ? next_network_v4(plan, domain->hosts, &network)
                               : next_network_v6(plan, &network))) {
        diagnostics_add(plan->s->diagnostics, domain->first->place,
                        "no network is left to choose addresses from");
        return;
    }
    number_hosts(plan, domain, &network, family);
}

// --- The plan ---------------------------------------------------------------

static void collect_given(struct plan *plan, const struct iface_spec *iface,
                          size_t *capacity)
{
    for (const struct address_spec *a = iface->addresses; a; a = a->next) {
        plan->given = memory_grow(plan->given, plan->given_count, capacity,
                                  sizeof *plan->given);
        // What was chosen before lies below the counters already.
        if (!a->is_chosen)
            plan->given[plan->given_count++] = a->prefix;
    }
}

static void collect(struct plan *plan)
{
    struct scenario *s = plan->s;
    size_t capacity = 0;
    plan->domains =
        memory_zeroed((s->domain_count + 1) * sizeof *plan->domains);
    for (uint32_t i = 0; i < s->domain_count; i++)
        plan->domains[i].end = &plan->domains[i].first;
    for (struct link_spec *link = s->links; link; link = link->next)
        for (unsigned end = 0; end < 2; end++) {
            struct iface_spec *iface = link->ends[end].iface;
            if (!iface || !iface->domain)
                continue;
            struct domain *domain = &plan->domains[iface->domain - 1];
            iface->domain_next = NULL;
            *domain->end = iface;
            domain->end = &iface->domain_next;
            domain->hosts++;
            domain->has_outside |= iface->node->kind == NODE_TAP;
            collect_given(plan, iface, &capacity);
        }
}

static void end_pass(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->s->domain_count; i++)
        for (struct iface_spec *f = plan->domains[i].first; f;
             f = f->domain_next)
            for (struct address_spec *a = f->addresses; a; a = a->next)
                a->is_fresh = false;
}

void plan_addresses(struct scenario *s)
{
    struct plan plan = {.s = s};
    collect(&plan);
    for (uint32_t i = 0; i < s->domain_count; i++) {
        plan_family(&plan, &plan.domains[i], IP_V4);
        plan_family(&plan, &plan.domains[i], IP_V6);
    }
    end_pass(&plan);
    free(plan.domains);
    free(plan.given);
}
