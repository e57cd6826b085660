// The lists of protocols; what they do not take goes to a host program's own.
// SPDX-License-Identifier: MIT
#include "stack/protocols.h"

#include <errno.h>
#include <stdlib.h>

#include "stack/internal.h"

// Looked through from the front for every packet: the busiest come first.
const struct network_protocol *const network_protocols[] = {
    &ipv4_protocol, &ipv6_protocol, &arp_protocol, NULL};
const struct transport_protocol *const transport_protocols[] = {
    &tcp_protocol, &udp_protocol, &icmpv4_protocol, &icmpv6_protocol, NULL};

struct registered_protocol {
    struct registered_protocol *next;
    const struct network_protocol *network;     // one of
    const struct transport_protocol *transport; // the two
    void *context;
};

// ARP has no family of its own; it is there for IPv4.
static bool has_network(const struct stack *stack,
                        const struct network_protocol *row)
{
    return row->family == IP_V6 ? stack->has_ipv6 : stack->has_ipv4;
}

static bool has_transport(const struct stack *stack,
                          const struct transport_protocol *row)
{
    switch (row->family) {
    case IP_V4:
        return stack->has_ipv4;
    case IP_V6:
        return stack->has_ipv6;
    default:
        return true;
    }
}

static bool is_transport_for(const struct transport_protocol *row,
                             uint8_t family, uint8_t protocol)
{
    return row->protocol == protocol &&
           (row->family == IP_NONE || row->family == family);
}

const struct network_protocol *network_find(const struct stack *stack,
                                            uint16_t ethertype)
{
    for (size_t i = 0; network_protocols[i]; i++)
        if (network_protocols[i]->ethertype == ethertype &&
            has_network(stack, network_protocols[i]))
            return network_protocols[i];
    for (struct registered_protocol *r = stack->registered; r; r = r->next)
        if (r->network && r->network->ethertype == ethertype)
            return r->network;
    return NULL;
}

const struct transport_protocol *
transport_find(const struct stack *stack, uint8_t family, uint8_t protocol)
{
    for (size_t i = 0; transport_protocols[i]; i++)
        if (is_transport_for(transport_protocols[i], family, protocol))
            return transport_protocols[i];
    for (struct registered_protocol *r = stack->registered; r; r = r->next)
        if (r->transport && is_transport_for(r->transport, family, protocol))
            return r->transport;
    return NULL;
}

// --- Registration

// Links it before its init runs, so that init finds its context.
static struct registered_protocol *
add(struct stack *stack, const struct network_protocol *network,
    const struct transport_protocol *transport, void *context)
{
    struct registered_protocol *r = malloc(sizeof(*r));
    if (!r)
        return NULL;
    *r = (struct registered_protocol){.next = stack->registered,
                                      .network = network,
                                      .transport = transport,
                                      .context = context};
    stack->registered = r;
    return r;
}

static int init_or_remove(struct stack *stack, struct registered_protocol *r,
                          int (*init)(struct stack *stack))
{
    stack_enter(stack);
    int error = init ? init(stack) : 0;
    stack_leave(stack);
    if (error) {
        stack->registered = r->next;
        free(r);
    }
    return error;
}

int stack_register_network(struct stack *stack,
                           const struct network_protocol *protocol,
                           void *context)
{
    if (network_find(stack, protocol->ethertype))
        return -EEXIST;
    struct registered_protocol *r = add(stack, protocol, NULL, context);
    return r ? init_or_remove(stack, r, protocol->init) : -ENOMEM;
}

int stack_register_transport(struct stack *stack,
                             const struct transport_protocol *protocol,
                             void *context)
{
    bool is_taken = (protocol->family != IP_V6 &&
                     transport_find(stack, IP_V4, protocol->protocol)) ||
                    (protocol->family != IP_V4 &&
                     transport_find(stack, IP_V6, protocol->protocol));
    if (is_taken)
        return -EEXIST;
    struct registered_protocol *r = add(stack, NULL, protocol, context);
    return r ? init_or_remove(stack, r, protocol->init) : -ENOMEM;
}

void *stack_network_context(const struct stack *stack,
                            const struct network_protocol *protocol)
{
    for (struct registered_protocol *r = stack->registered; r; r = r->next)
        if (r->network == protocol)
            return r->context;
    return NULL;
}

void *stack_transport_context(const struct stack *stack,
                              const struct transport_protocol *protocol)
{
    for (struct registered_protocol *r = stack->registered; r; r = r->next)
        if (r->transport == protocol)
            return r->context;
    return NULL;
}

// --- Life

// networks_up and transports_up count the rows passed, so that a half-built
// stack ends only what began.
int protocols_init(struct stack *stack)
{
    for (size_t i = 0; network_protocols[i]; i++) {
        const struct network_protocol *row = network_protocols[i];
        int error = row->init && has_network(stack, row) ? row->init(stack) : 0;
        if (error)
            return error;
        stack->networks_up++;
    }
    for (size_t i = 0; transport_protocols[i]; i++) {
        const struct transport_protocol *row = transport_protocols[i];
        int error =
            row->init && has_transport(stack, row) ? row->init(stack) : 0;
        if (error)
            return error;
        stack->transports_up++;
    }
    return 0;
}

static void fini_registered(struct stack *stack)
{
    while (stack->registered) {
        struct registered_protocol *r = stack->registered;
        if (r->network && r->network->fini)
            r->network->fini(stack);
        if (r->transport && r->transport->fini)
            r->transport->fini(stack);
        stack->registered = r->next;
        free(r);
    }
}

void protocols_fini(struct stack *stack)
{
    fini_registered(stack);
    while (stack->transports_up > 0) {
        const struct transport_protocol *row =
            transport_protocols[--stack->transports_up];
        if (row->fini && has_transport(stack, row))
            row->fini(stack);
    }
    while (stack->networks_up > 0) {
        const struct network_protocol *row =
            network_protocols[--stack->networks_up];
        if (row->fini && has_network(stack, row))
            row->fini(stack);
    }
}
