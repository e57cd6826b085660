// Interfaces: where frames come in and go out.
// SPDX-License-Identifier: MIT
#include "stack/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/net/ip.h"
#include "stack/net/ipv6/nd.h"
#include "stack/net/ipv6/router_discovery.h"
#include "stack/net/neighbour.h"
#include "stack/net/route.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/ipv6.h"

// --- Frames

static void trace_frame(struct iface *iface, enum stack_trace_kind kind,
                        const struct packet *packet)
{
    struct stack_trace event = {.kind = kind, .iface = iface, .packet = packet};
    stack_trace(iface->stack, &event);
}

// What is left of the sender's knowledge about a frame means nothing here,
// except that an offloading device vouches for the checksum.
static void forget_sender(struct iface *iface, struct packet *frame)
{
    uint32_t kept =
        iface->flags & IFACE_CHECKSUM_OFFLOAD ? PACKET_CHECKSUM_GOOD : 0;
    frame->flags &= kept;
    frame->iface = iface;
    frame->next = NULL;
}

void iface_input(struct iface *iface, struct packet *frame)
{
    struct stack *stack = iface->stack;
    stack_enter(stack);
    stack->held++;
    stack->counters[COUNT_LINK_IN]++;
    stack->counters[COUNT_LINK_IN_BYTES] += frame->length;
    forget_sender(iface, frame);
    if (stack_is_traced(stack, TRACE_IFACE_IN))
        trace_frame(iface, TRACE_IFACE_IN, frame);
    if (iface->flags & IFACE_UP)
        iface->link->input(iface, frame);
    else
        stack_drop(stack, frame, DROP_IFACE_DOWN);
    stack_leave(stack);
}

void iface_transmit(struct iface *iface, struct packet *frame)
{
    struct stack *stack = iface->stack;
    if (!(iface->flags & IFACE_UP)) {
        stack_drop(stack, frame, DROP_IFACE_DOWN);
        return;
    }
    must(stack->held > 0);
    stack->held--;
    stack->counters[COUNT_LINK_OUT]++;
    stack->counters[COUNT_LINK_OUT_BYTES] += frame->length;
    if (stack_is_traced(stack, TRACE_IFACE_OUT))
        trace_frame(iface, TRACE_IFACE_OUT, frame);
    iface->transmit(iface->context, iface, frame);
}

// --- Life

static const struct link_kind {
    const struct link_ops *ops;
    uint32_t flags;
} link_kinds[] = {
    [IFACE_LOOPBACK] = {&loopback_link, IFACE_IS_LOOPBACK},
    [IFACE_ETHERNET] = {&ethernet_link, IFACE_BROADCAST | IFACE_MULTICAST |
                                            IFACE_NEEDS_NEIGHBOUR},
    [IFACE_POINT_TO_POINT] = {&raw_ip_link, IFACE_MULTICAST},
};

static bool carries_ipv6(const struct iface *iface)
{
    return iface->stack->has_ipv6 && iface->mtu >= IPV6_MIN_MTU;
}

static int check_config(struct stack *stack, const struct iface_config *config)
{
    size_t length = config->name ? strlen(config->name) : 0;
    if (length == 0 || length > 15)
        return -EINVAL;
    if (config->mtu < IPV4_MIN_MTU || config->mtu > 65535)
        return -EINVAL;
    if (config->type == IFACE_ETHERNET && mac_addr_is_multicast(&config->mac))
        return -EINVAL;
    return iface_find(stack, config->name) ? -EEXIST : 0;
}

static int add_iface(struct stack *stack, const struct iface_config *config,
                     struct iface **out)
{
    int error = check_config(stack, config);
    if (error)
        return error;
    if (stack->next_iface_index > UINT16_MAX)
        return -ENOMEM;
    struct iface *iface = calloc(1, sizeof(*iface));
    if (!iface)
        return -ENOMEM;
    iface->stack = stack;
    iface->link = link_kinds[config->type].ops;
    iface->flags = link_kinds[config->type].flags | IFACE_UP;
    iface->mtu = config->mtu;
    iface->index = (uint16_t)stack->next_iface_index++;
    iface->type = config->type;
    iface->mac = config->mac;
    memcpy(iface->name, config->name, strlen(config->name) + 1);
    iface->transmit = config->transmit;
    iface->context = config->context;
    list_init(&iface->groups);
    iface_index_add(stack, iface);
    stack_bump_generation(stack);
    *out = iface;
    return 0;
}

int iface_create(struct stack *stack, const struct iface_config *config,
                 struct iface **out)
{
    if (config->type != IFACE_ETHERNET && config->type != IFACE_POINT_TO_POINT)
        return -EINVAL;
    if (!config->transmit)
        return -EINVAL;
    struct iface *iface;
    int error = add_iface(stack, config, &iface);
    if (error)
        return error;
    *out = iface; // frames may leave from here on
    stack_enter(stack);
    if (carries_ipv6(iface))
        nd_iface_up(iface);
    stack_leave(stack);
    return 0;
}

// The loopback addresses are there from the start (RFC 1122 3.2.1.3(g), RFC
// 4291 2.5.3).
int iface_create_loopback(struct stack *stack)
{
    static const struct iface_config config = {
        .name = "lo", .type = IFACE_LOOPBACK, .mtu = 65535};
    struct ip_prefix v4 = {.addr = ip_addr_v4(127, 0, 0, 1), .length = 8};
    struct ip_prefix v6 = {.addr = {.bytes = {[15] = 1}, .family = IP_V6},
                           .length = 128};
    struct iface *iface;
    int error = add_iface(stack, &config, &iface);
    if (!error)
        error = loopback_init(iface);
    if (error)
        return error;
    if (stack->has_ipv4)
        error = iface_add_address(iface, &v4);
    if (!error && stack->has_ipv6)
        error = iface_add_address(iface, &v6);
    return error;
}

static void free_groups(struct iface *iface)
{
    struct list *at = iface->groups.next;
    while (at != &iface->groups) {
        struct iface_group *group = CONTAINER_OF(at, struct iface_group, node);
        at = at->next;
        free(group);
    }
    list_init(&iface->groups);
}

// Whoever remembers the interface forgets it here: paths by the generation,
// the others by name.
static void forget(struct iface *iface)
{
    struct stack *stack = iface->stack;
    neighbour_forget_iface(stack, iface);
    reassembly_forget_iface(stack, iface);
    loopback_forget_iface(stack, iface);
    stack_bump_generation(stack);
}

void iface_destroy(struct iface *iface)
{
    if (!iface)
        return;
    struct stack *stack = iface->stack;
    stack_enter(stack);
    iface->is_destroying = true;
    iface->flags &= ~(uint32_t)IFACE_UP;
    iface_remove_all_addresses(iface, IP_NONE);
    forget(iface);
    route_remove_iface(stack, iface);
    free_groups(iface);
    router_discovery_destroy(iface);
    if (iface == stack->loopback)
        loopback_fini(iface);
    iface_index_remove(stack, iface);
    free(iface);
    stack_leave(stack);
}

void iface_set_up(struct iface *iface, bool is_up)
{
    struct stack *stack = iface->stack;
    if (is_up == !!(iface->flags & IFACE_UP))
        return;
    stack_enter(stack);
    iface->flags ^= IFACE_UP;
    forget(iface);
    if (is_up && carries_ipv6(iface) && iface != stack->loopback)
        nd_iface_up(iface);
    stack_leave(stack);
}

// An interface whose MTU falls under IPv6's minimum loses IPv6 (RFC 8200 5).
int iface_set_mtu(struct iface *iface, uint32_t mtu)
{
    struct stack *stack = iface->stack;
    if (mtu < IPV4_MIN_MTU || mtu > 65535)
        return -EINVAL;
    stack_enter(stack);
    bool carried_ipv6 = carries_ipv6(iface);
    iface->mtu = mtu;
    stack_bump_generation(stack);
    if (carried_ipv6 && !carries_ipv6(iface))
        iface_remove_all_addresses(iface, IP_V6);
    if (!carried_ipv6 && carries_ipv6(iface) && iface != stack->loopback &&
        iface->flags & IFACE_UP)
        nd_iface_up(iface);
    stack_leave(stack);
    return 0;
}

// --- Groups

static struct iface_group *group_find(const struct iface *iface,
                                      const struct ip_addr *address)
{
    for (struct list *l = iface->groups.next; l != &iface->groups;
         l = l->next) {
        struct iface_group *group = CONTAINER_OF(l, struct iface_group, node);
        if (ip_addr_equal(&group->address, address))
            return group;
    }
    return NULL;
}

int iface_join_group(struct iface *iface, const struct ip_addr *address)
{
    must(ip_addr_is_multicast(address));
    struct iface_group *group = group_find(iface, address);
    if (!group) {
        group = calloc(1, sizeof(*group));
        if (!group)
            return -ENOMEM;
        group->address = *address;
        list_push_back(&iface->groups, &group->node);
    }
    group->users++;
    return 0;
}

void iface_leave_group(struct iface *iface, const struct ip_addr *address)
{
    struct iface_group *group = group_find(iface, address);
    must(group && group->users > 0);
    if (--group->users > 0)
        return;
    list_remove(&group->node);
    free(group);
}

// All hosts are in 224.0.0.1 for good (RFC 1112 4).
bool iface_is_in_group(const struct iface *iface, const struct ip_addr *group)
{
    if (group->family == IP_V4 && ip_addr_to_u32(group) == 0xe0000001)
        return true;
    return group_find(iface, group) != NULL;
}

// --- Questions

struct iface *iface_next(struct stack *stack, struct iface *previous)
{
    struct list *next = previous ? previous->node.next : stack->ifaces.next;
    return next == &stack->ifaces ? NULL
                                  : CONTAINER_OF(next, struct iface, node);
}

struct iface *iface_find_index(struct stack *stack, unsigned index)
{
    struct iface *iface = NULL;
    while ((iface = iface_next(stack, iface)))
        if (iface->index == index)
            return iface;
    return NULL;
}

const char *iface_name(const struct iface *iface) { return iface->name; }
unsigned iface_index(const struct iface *iface) { return iface->index; }
struct mac_addr iface_mac(const struct iface *iface) { return iface->mac; }
uint32_t iface_mtu(const struct iface *iface) { return iface->mtu; }
uint32_t iface_flags(const struct iface *iface) { return iface->flags; }
struct stack *iface_stack(const struct iface *iface) { return iface->stack; }
void *iface_context(const struct iface *iface) { return iface->context; }
