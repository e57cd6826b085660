// How many frames a second two stacks exchange on one core.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "stack/stack.h"

// Two stacks joined back to back, one frame after the other, with a clock that
// advances 10 microseconds per round. One operation is one frame, data or ACK,
// through the sender's whole stack and the receiver's.

struct end {
    struct pair *pair;
    struct stack *stack;
    struct iface *eth;
    struct socket *socket;
    struct packet *head, **tail; // transmitted, not yet arrived
};

struct pair {
    ns_t now;
    struct packet_pool *pool;
    struct end ends[2];
    struct socket *listener;
    uint64_t frames;
};

static void no_deadline(void *context, ns_t deadline)
{
    (void)context;
    (void)deadline;
}

static void no_random(void *context, void *bytes, size_t length)
{
    (void)context;
    memset(bytes, 7, length);
}

static void transmit(void *context, struct iface *iface, struct packet *frame)
{
    struct end *end = context;
    (void)iface;
    frame->next = NULL;
    *end->tail = frame;
    end->tail = &frame->next;
}

static void source(void *context, uint64_t offset, uint8_t *bytes,
                   size_t length)
{
    (void)context;
    (void)offset;
    memset(bytes, 1, length);
}

static void on_readable(void *context, struct socket *socket, uint32_t events)
{
    struct packet *packet;
    (void)context;
    (void)events;
    while (socket_receive_packet(socket, &packet) > 0)
        packet_free(packet);
}

static void on_accept(void *context, struct socket *socket, uint32_t events)
{
    struct pair *pair = context;
    (void)events;
    if (socket_accept(socket, &pair->ends[1].socket) == 0)
        socket_set_handler(pair->ends[1].socket, on_readable, pair);
}

static void build_end(struct pair *pair, unsigned n)
{
    struct end *end = &pair->ends[n];
    struct stack_config config = {.host = {.context = end,
                                           .now = &pair->now,
                                           .set_deadline = no_deadline,
                                           .random = no_random},
                                  .pool = pair->pool,
                                  .name = n ? "b" : "a",
                                  .number = n};
    struct iface_config eth = {.name = "eth0",
                               .type = IFACE_ETHERNET,
                               .mac = {{2, 0, 0, 0, 0, (uint8_t)(n + 1)}},
                               .mtu = 1500,
                               .transmit = transmit,
                               .context = end};
    struct ip_prefix prefix = {ip_addr_v4(10, 0, 0, (uint8_t)(n + 1)), 24};
    end->pair = pair;
    end->tail = &end->head;
    must(stack_create(&config, &end->stack) == 0);
    must(iface_create(end->stack, &eth, &end->eth) == 0);
    must(iface_add_address(end->eth, &prefix) == 0);
}

static void *set_up(void)
{
    struct pair *pair = calloc(1, sizeof *pair);
    must(pair);
    pair->now = NS_PER_S;
    pair->pool = packet_pool_create(0);
    must(pair->pool);
    build_end(pair, 0);
    build_end(pair, 1);
    struct endpoint server = {.addr = ip_addr_v4(10, 0, 0, 2), .port = 9};
    struct endpoint any = {.addr = ip_addr_any(IP_V4), .port = 9};
    must(socket_open(pair->ends[1].stack, SOCKET_STREAM, IP_V4, 0,
                     &pair->listener) == 0);
    must(socket_bind(pair->listener, &any) == 0);
    must(socket_listen(pair->listener, 1) == 0);
    socket_set_handler(pair->listener, on_accept, pair);
    struct socket **client = &pair->ends[0].socket;
    must(socket_open(pair->ends[0].stack, SOCKET_STREAM, IP_V4, 0, client) ==
         0);
    must(socket_set_source(*client, source, NULL, UINT64_MAX) == 0);
    must(socket_connect(*client, &server) == -EINPROGRESS);
    return pair;
}

static void deliver(struct pair *pair, unsigned to)
{
    struct end *from = &pair->ends[!to];
    struct packet *frame = from->head;
    from->head = NULL;
    from->tail = &from->head;
    while (frame) {
        struct packet *next = frame->next;
        frame->next = NULL;
        pair->frames++;
        iface_input(pair->ends[to].eth, frame);
        frame = next;
    }
}

static void run(void *state, uint64_t n)
{
    struct pair *pair = state;
    uint64_t until = pair->frames + n;
    while (pair->frames < until) {
        pair->now += 10 * NS_PER_US;
        deliver(pair, 1);
        deliver(pair, 0);
        stack_run(pair->ends[0].stack);
        stack_run(pair->ends[1].stack);
    }
}

static void tear_down(void *state)
{
    struct pair *pair = state;
    for (unsigned n = 0; n < 2; n++) {
        struct packet *frame = pair->ends[n].head;
        while (frame) {
            struct packet *next = frame->next;
            packet_free(frame);
            frame = next;
        }
        stack_destroy(pair->ends[n].stack);
    }
    packet_pool_destroy(pair->pool);
    free(pair);
}

const struct bench benches_tcp[] = {
    {"TCP frame through two stacks", set_up, run, tear_down, 0}, {0}};
