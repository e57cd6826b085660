// The life of one stack, with the account of every packet in it.
// SPDX-License-Identifier: MIT
#include "stack/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/net/ip.h"
#include "stack/net/neighbour.h"
#include "stack/net/path_mtu.h"
#include "stack/net/route.h"
#include "stack/socket/socket.h"

// Theory of operation
//
// The account of packets. A packet comes into a stack in one of two ways and
// leaves it in one of three:
//
//      received     iface_input             LINK_IN    held + 1
//      created      stack_packet_alloc,     CREATED    held + 1
//                   stack_adopt
//      delivered    stack_deliver,          DELIVERED  held - 1
//                   stack_release
//      transmitted  iface_transmit          LINK_OUT   held - 1
//      dropped      stack_drop              drops[]    held - 1
//
// A forwarded packet is received and transmitted. An answer in place
// (stack_recycle) is two packets that share a buffer one after the other: the
// first ends, the second begins, held does not change. Through the loopback
// interface a packet is transmitted and received at the same instant; the queue
// in between belongs to the receiving side. Fragments that become one packet
// are delivered, the packet is created.
//
// Nothing else in the stack writes these counters or frees a packet it owns,
// but for clones and copies that were never adopted. So
//
//  A1. LINK_IN + CREATED == DELIVERED + LINK_OUT + sum(drops) + held
//
// always holds, and held is the number of packets in queues whenever no call
// is running. stack_destroy has every queue emptied by its owner and then
// must()s that held is 0: a packet lost or freed twice is found there.
//
// Enter and leave. Whatever an outsider calls is bracketed by stack_enter and
// stack_leave, which nest. The outermost leave hands out socket events, whose
// handlers may call anything, and then tells the host the next deadline if it
// changed. Protocol code therefore never runs inside a handler's caller.

// --- Packets

struct packet *stack_packet_alloc(struct stack *stack, size_t head_room,
                                  size_t size)
{
    if (stack->held >= (uint64_t)stack->settings->limits_packets)
        return NULL;
    struct packet *packet = packet_alloc(stack->pool, head_room, size);
    if (packet)
        stack_adopt(stack, packet);
    return packet;
}

void stack_adopt(struct stack *stack, struct packet *packet)
{
    packet->id = (uint64_t)stack->number << 40 | ++stack->next_packet_id;
    stack->counters[COUNT_CREATED]++;
    stack->held++;
}

static void end_packet(struct stack *stack)
{
    must(stack->held > 0);
    stack->held--;
}

static void count_drop(struct stack *stack, const struct packet *packet,
                       enum drop_reason reason)
{
    must(reason < DROP_REASON_COUNT);
    stack->drops[reason]++;
    end_packet(stack);
    if (!stack_is_traced(stack, TRACE_DROP))
        return;
    struct stack_trace event = {.kind = TRACE_DROP,
                                .iface = packet->iface,
                                .packet = packet,
                                .reason = reason};
    stack_trace(stack, &event);
}

void stack_drop(struct stack *stack, struct packet *packet,
                enum drop_reason reason)
{
    count_drop(stack, packet, reason);
    packet_free(packet);
}

void stack_release(struct stack *stack, struct packet *packet)
{
    (void)packet;
    stack->counters[COUNT_DELIVERED]++;
    end_packet(stack);
}

void stack_deliver(struct stack *stack, struct packet *packet)
{
    stack_release(stack, packet);
    packet_free(packet);
}

static void begin_again(struct stack *stack, struct packet *packet)
{
    packet->flags = 0;
    packet->gso_size = 0;
    stack_adopt(stack, packet);
}

void stack_recycle(struct stack *stack, struct packet *packet)
{
    stack_release(stack, packet);
    begin_again(stack, packet);
}

void stack_recycle_dropped(struct stack *stack, struct packet *packet,
                           enum drop_reason reason)
{
    count_drop(stack, packet, reason);
    begin_again(stack, packet);
}

// --- Calls

void stack_enter(struct stack *stack) { stack->depth++; }

static void tell_deadline(struct stack *stack)
{
    ns_t deadline = timer_heap_next(&stack->timers);
    if (deadline == stack->asked_deadline)
        return;
    stack->asked_deadline = deadline;
    stack->host.set_deadline(stack->host.context, deadline);
}

void stack_leave(struct stack *stack)
{
    must(stack->depth > 0);
    if (stack->depth == 1 && !stack->is_destroying) {
        if (!list_is_empty(&stack->ready))
            sockets_deliver_events(stack);
        tell_deadline(stack);
    }
    stack->depth--;
}

void stack_run(struct stack *stack)
{
    stack_enter(stack);
    timer_heap_run(&stack->timers, stack_now(stack));
    stack_leave(stack);
}

// --- What the host gives

uint32_t stack_random(struct stack *stack)
{
    uint32_t bits;
    stack->host.random(stack->host.context, &bits, sizeof(bits));
    return bits;
}

void stack_trace(struct stack *stack, const struct stack_trace *event)
{
    struct stack_trace full = *event;
    full.stack = stack;
    stack->host.trace(stack->host.context, &full);
}

void stack_set_trace_mask(struct stack *stack, uint32_t mask)
{
    stack->host.trace_mask = stack->host.trace ? mask : 0;
}

int stack_timer_init(struct stack *stack, struct timer *timer,
                     void (*on_expiry)(struct timer *))
{
    int error = timer_reserve(&stack->timers, stack->timer_count + 1);
    if (error)
        return error;
    timer_init(timer, on_expiry);
    stack->timer_count++;
    return 0;
}

void stack_timer_set(struct stack *stack, struct timer *timer, ns_t deadline)
{
    int error = timer_set(&stack->timers, timer, deadline);
    must(error == 0); // its place was reserved
}

void stack_timer_fini(struct stack *stack, struct timer *timer)
{
    must(stack->timer_count > 0);
    timer_fini(&stack->timers, timer);
    stack->timer_count--;
}

// --- Life

static void set_up(struct stack *stack, const struct stack_config *config)
{
    stack->host = config->host;
    stack->pool = config->pool;
    stack->settings =
        config->settings ? config->settings : &stack_settings_default;
    stack->number = config->number;
    stack->has_ipv4 = !config->no_ipv4;
    stack->has_ipv6 = !config->no_ipv6;
    stack->asked_deadline = NS_NEVER;
    stack->path_generation = 1;
    stack->next_iface_index = 1;
    stack_set_trace_mask(stack, config->host.trace_mask);
    if (config->name)
        strncpy(stack->name, config->name, sizeof(stack->name) - 1);
    list_init(&stack->ifaces);
    list_init(&stack->all_sockets);
    list_init(&stack->ready);
    timer_heap_init(&stack->timers);
    stack->host.random(stack->host.context, &stack->secret,
                       sizeof(stack->secret));
    stack->next_ip_id = (uint16_t)stack_random(stack);
    stack->icmp_tokens = (uint32_t)stack->settings->ip_icmp_burst;
    stack->icmp_tokens_at = stack_now(stack);
}

int stack_create(const struct stack_config *config, struct stack **out)
{
    const struct stack_host *host = &config->host;
    if (!config->pool || !host->now || !host->set_deadline || !host->random)
        return -EINVAL;
    struct stack *stack = calloc(1, sizeof(*stack));
    if (!stack)
        return -ENOMEM;
    set_up(stack, config);
    stack_enter(stack);
    int error = route_table_create(stack);
    if (!error)
        error = neighbour_table_create(stack);
    if (!error)
        error = protocols_init(stack);
    if (!error)
        error = iface_create_loopback(stack);
    if (error) {
        stack_destroy(stack);
        return error;
    }
    stack_leave(stack);
    *out = stack;
    return 0;
}

static void free_all(struct stack *stack)
{
    sockets_destroy(stack);
    while (!list_is_empty(&stack->ifaces))
        iface_destroy(CONTAINER_OF(stack->ifaces.prev, struct iface, node));
    protocols_fini(stack);
    reassembly_destroy(stack);
    path_mtu_destroy(stack);
    neighbour_table_destroy(stack);
    route_table_destroy(stack);
}

void stack_destroy(struct stack *stack)
{
    if (!stack)
        return;
    stack->is_destroying = true;
    stack_enter(stack);
    free_all(stack);
    must(stack->held == 0);
    must(stack->timer_count == 0);
    timer_heap_fini(&stack->timers);
    address_index_destroy(stack);
    iface_index_destroy(stack);
    free(stack);
}

// --- Questions

const char *stack_name(const struct stack *stack) { return stack->name; }
void *stack_host_context(const struct stack *stack)
{
    return stack->host.context;
}
const struct stack_settings *stack_get_settings(const struct stack *stack)
{
    return stack->settings;
}
uint64_t stack_counter(const struct stack *stack, enum stack_counter counter)
{
    must(counter < STACK_COUNTER_COUNT);
    return stack->counters[counter];
}
uint64_t stack_drops(const struct stack *stack, enum drop_reason reason)
{
    must(reason < DROP_REASON_COUNT);
    return stack->drops[reason];
}
uint64_t stack_held(const struct stack *stack) { return stack->held; }

void stack_check(const struct stack *stack)
{
    const uint64_t *counters = stack->counters;
    uint64_t dropped = 0;
    for (size_t i = 0; i < DROP_REASON_COUNT; i++)
        dropped += stack->drops[i];
    must(counters[COUNT_LINK_IN] + counters[COUNT_CREATED] ==
         counters[COUNT_DELIVERED] + counters[COUNT_LINK_OUT] + dropped +
             stack->held); // A1
    must(stack->timers.count <= stack->timer_count);
    uint64_t queued = neighbour_pending(stack) + reassembly_pending(stack);
    if (stack->loopback)
        queued += stack->loopback->looped.count;
    must(queued <= stack->held);
}
