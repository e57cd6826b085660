// IPv6 addresses of an interface: groups, duplicate detection, link-local.
// SPDX-License-Identifier: MIT
#include "stack/net/ip.h"
#include "stack/net/ipv6/ipv6.h"
#include "stack/net/ipv6/nd.h"
#include "stack/net/ipv6/router_discovery.h"

// Theory of operation
//
// A new address is TENTATIVE until nobody has claimed it (RFC 4862 5.4):
//
//      added ──▶ TENTATIVE ── ip.dad-transmits solicitations, a retransmit time
//                    │        after each: silence ──▶ PREFERRED
//                    └─ somebody else solicits it from :: or advertises it
//                                                 ──▶ DUPLICATED, for good
//
// TENTATIVE: its groups are joined, its solicitations and advertisements are
// heard; nothing else is received for it or sent from it. DUPLICATED: nothing.
// The first solicitation of an interface waits a random time of up to a second,
// so that hosts that are switched on together do not collide for ever (5.4.2).
// The interface going down stops the clock, coming up begins again.
//
// An address whose groups or timer could not be had for lack of memory stays
// TENTATIVE, which is safe, until the interface comes up the next time; its
// timer then has no function.

enum { LINK_LOCAL_PREFIX = 64 };
static const ns_t MAX_DELAY = 1 * NS_PER_S; // MAX_RTR_SOLICITATION_DELAY

static void set_state(struct iface_addr *a, enum address_state state)
{
    a->state = state;
    stack_bump_generation(a->iface->stack);
}

// --- Detection

static bool is_first(const struct iface *iface)
{
    for (const struct iface_addr *a = iface->addresses; a; a = a->next)
        if (a->prefix.addr.family == IP_V6 && a->state == ADDRESS_PREFERRED)
            return false;
    return true;
}

static void accept(struct iface_addr *a)
{
    set_state(a, ADDRESS_PREFERRED);
    if (a->iface->stack->settings->neighbour_gratuitous &&
        a->iface->flags & IFACE_NEEDS_NEIGHBOUR)
        nd_advertise(a->iface, &a->prefix.addr);
}

static void on_dad_timer(struct timer *timer)
{
    struct iface_addr *a = CONTAINER_OF(timer, struct iface_addr, dad_timer);
    struct stack *stack = a->iface->stack;
    struct ip_addr nobody = ip_addr_any(IP_V6);
    if (!(a->iface->flags & IFACE_UP))
        return;
    if (a->dad_left == 0) {
        accept(a);
        return;
    }
    a->dad_left--;
    nd_solicit(a->iface, &a->prefix.addr, &nobody, NULL);
    stack_timer_set(stack, timer,
                    stack_now(stack) +
                        stack->settings->neighbour_retransmit_time);
}

// Links on which there is nobody to ask have no duplicates.
static bool needs_detection(const struct iface_addr *a)
{
    return a->iface->flags & IFACE_NEEDS_NEIGHBOUR &&
           a->iface->stack->settings->ip_dad_transmits > 0;
}

static void start(struct iface_addr *a)
{
    struct stack *stack = a->iface->stack;
    if (!needs_detection(a)) {
        accept(a);
        return;
    }
    set_state(a, ADDRESS_TENTATIVE);
    a->dad_left = (uint32_t)stack->settings->ip_dad_transmits;
    ns_t delay = is_first(a->iface) ? stack_random(stack) % MAX_DELAY : 0;
    stack_timer_set(stack, &a->dad_timer, stack_now(stack) + delay);
}

void dad_collision(struct iface_addr *a)
{
    must(a->state == ADDRESS_TENTATIVE);
    timer_cancel(&a->dad_timer);
    set_state(a, ADDRESS_DUPLICATED);
}

// --- Addresses

static bool is_set_up(const struct iface_addr *a)
{
    return a->dad_timer.on_expiry != NULL;
}

static void set_up(struct iface_addr *a)
{
    struct ip_addr group = ip_addr_solicited_node(&a->prefix.addr);
    if (iface_join_group(a->iface, &group))
        return;
    if (stack_timer_init(a->iface->stack, &a->dad_timer, on_dad_timer))
        iface_leave_group(a->iface, &group);
}

static void begin(struct iface_addr *a)
{
    if (!is_set_up(a))
        set_up(a);
    if (!is_set_up(a))
        set_state(a, ADDRESS_TENTATIVE);
    else if (a->iface->flags & IFACE_UP)
        start(a);
    else
        set_state(a, ADDRESS_TENTATIVE);
}

void nd_address_added(struct iface_addr *a) { begin(a); }

void nd_address_removed(struct iface_addr *a)
{
    struct ip_addr group = ip_addr_solicited_node(&a->prefix.addr);
    if (!is_set_up(a))
        return;
    iface_leave_group(a->iface, &group);
    stack_timer_fini(a->iface->stack, &a->dad_timer);
    a->dad_timer.on_expiry = NULL;
}

// --- Interfaces

// RFC 4862 5.3, with the interface identifier of RFC 4291 appendix A. Links
// without hardware addresses get none.
static void add_link_local(struct iface *iface)
{
    struct ip_prefix prefix = {.addr = ip_addr_link_local_of(&iface->mac),
                               .length = LINK_LOCAL_PREFIX};
    if (iface->flags & IFACE_NEEDS_NEIGHBOUR &&
        !iface_address_find(iface, &prefix.addr))
        iface_add_address(iface, &prefix);
}

void nd_iface_up(struct iface *iface)
{
    static const struct ip_addr all_nodes = {.bytes = {0xff, 0x02, [15] = 1},
                                             .family = IP_V6};
    // Without memory for it the interface hears no announcements; the next
    // time it comes up it tries again.
    if (!iface_is_in_group(iface, &all_nodes))
        (void)iface_join_group(iface, &all_nodes);
    for (struct iface_addr *a = iface->addresses; a; a = a->next)
        if (a->prefix.addr.family == IP_V6)
            begin(a);
    add_link_local(iface);
    router_discovery_start(iface);
}
