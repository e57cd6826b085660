// Links without a header: loopback, with its queue, and bare IP.
// SPDX-License-Identifier: MIT
#include "stack/internal.h"

#include "stack/wire/ethernet.h"

// Theory of operation
//
// What a stack sends to itself must not be received inside the call that sends
// it: a socket that answers would run inside itself, and two that answer each
// other would never return. So loopback output only puts the packet into a
// queue, and a timer takes what is there out again, in order, LOOPBACK_DELAY
// later. The delay is what a real loopback takes, about; more important, it is
// not zero: two sockets that talk without end let the clock go on.
//
// A packet in the queue has been sent and received already as far as the
// counters are concerned (see stack.c). Group and broadcast packets that leave
// by another interface come back through the same queue as copies; they are
// marked PACKET_LOOPED, stay packets of that interface, and count as created.

enum { LOOPBACK_DELAY = 10 * 1000 }; // nanoseconds

static void trace_frame(struct iface *iface, enum stack_trace_kind kind,
                        const struct packet *packet)
{
    struct stack_trace event = {.kind = kind, .iface = iface, .packet = packet};
    if (stack_is_traced(iface->stack, kind))
        stack_trace(iface->stack, &event);
}

static void input(struct stack *stack, struct packet *packet)
{
    const struct network_protocol *protocol =
        network_find(stack, packet->link_type);
    if (protocol)
        protocol->input(stack, packet);
    else
        stack_drop(stack, packet, DROP_LINK_UNKNOWN_TYPE);
}

// --- Loopback

static void push(struct iface *loopback, struct packet *packet)
{
    packet_queue_push(&loopback->looped, packet);
    if (!timer_is_armed(&loopback->loop_timer))
        stack_timer_set(loopback->stack, &loopback->loop_timer,
                        stack_now(loopback->stack) + LOOPBACK_DELAY);
}

static void loopback_output(struct iface *iface, struct packet *packet,
                            const struct mac_addr *to)
{
    struct stack *stack = iface->stack;
    (void)to;
    if (!(iface->flags & IFACE_UP)) {
        stack_drop(stack, packet, DROP_IFACE_DOWN);
        return;
    }
    trace_frame(iface, TRACE_IFACE_OUT, packet);
    stack->counters[COUNT_LINK_OUT]++;
    stack->counters[COUNT_LINK_OUT_BYTES] += packet->length;
    stack->counters[COUNT_LINK_IN]++;
    stack->counters[COUNT_LINK_IN_BYTES] += packet->length;
    packet->flags = PACKET_TO_US;
    packet->iface = iface;
    push(iface, packet);
}

void loopback_copy(struct iface *iface, const struct packet *packet)
{
    struct stack *stack = iface->stack;
    if (!(stack->loopback->flags & IFACE_UP))
        return;
    struct packet *copy = packet_copy(packet, packet_head_room(packet));
    if (!copy)
        return;
    stack_adopt(stack, copy);
    copy->flags = PACKET_TO_US | PACKET_LOOPED;
    copy->iface = iface;
    push(stack->loopback, copy);
}

// What is put into the queue meanwhile arms the timer again and waits for it.
static void on_loop_timer(struct timer *timer)
{
    struct iface *loopback = CONTAINER_OF(timer, struct iface, loop_timer);
    struct stack *stack = loopback->stack;
    for (uint32_t n = loopback->looped.count; n > 0; n--) {
        struct packet *packet = packet_queue_pop(&loopback->looped);
        if (!packet)
            return; // the interface went down in the middle
        if (packet->iface == loopback)
            trace_frame(loopback, TRACE_IFACE_IN, packet);
        input(stack, packet);
    }
}

int loopback_init(struct iface *iface)
{
    int error =
        stack_timer_init(iface->stack, &iface->loop_timer, on_loop_timer);
    if (!error)
        iface->stack->loopback = iface;
    return error;
}

void loopback_forget_iface(struct stack *stack, const struct iface *iface)
{
    struct iface *loopback = stack->loopback;
    if (!loopback)
        return;
    enum drop_reason reason =
        stack->is_destroying ? DROP_STACK_ENDS : DROP_IFACE_DOWN;
    struct packet_queue kept = {0};
    struct packet *packet;
    while ((packet = packet_queue_pop(&loopback->looped)))
        if (packet->iface == iface)
            stack_drop(stack, packet, reason);
        else
            packet_queue_push(&kept, packet);
    loopback->looped = kept;
}

void loopback_fini(struct iface *iface)
{
    must(iface->looped.count == 0); // see loopback_forget_iface
    stack_timer_fini(iface->stack, &iface->loop_timer);
    iface->stack->loopback = NULL;
}

// A frame from outside cannot be a packet of ours.
static void loopback_input(struct iface *iface, struct packet *packet)
{
    stack_drop(iface->stack, packet, DROP_LINK_NOT_FOR_US);
}

const struct link_ops loopback_link = {.output = loopback_output,
                                       .input = loopback_input};

// --- Bare IP, for point-to-point links

static void raw_ip_output(struct iface *iface, struct packet *packet,
                          const struct mac_addr *to)
{
    (void)to;
    iface_transmit(iface, packet);
}

static void raw_ip_input(struct iface *iface, struct packet *packet)
{
    if (packet->length == 0) {
        stack_drop(iface->stack, packet, DROP_LINK_TOO_SHORT);
        return;
    }
    packet->flags |= PACKET_TO_US;
    unsigned version = packet->data[0] >> 4;
    packet->link_type = version == 4   ? ETHERTYPE_IPV4
                        : version == 6 ? ETHERTYPE_IPV6
                                       : 0;
    input(iface->stack, packet);
}

const struct link_ops raw_ip_link = {.output = raw_ip_output,
                                     .input = raw_ip_input};
