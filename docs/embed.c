// The smallest host program for libwirebed-stack.a: two stacks on one cable.
// SPDX-License-Identifier: MIT
//
//     make && cc -I. docs/embed.c build/release/libwirebed-stack.a -o embed
//
// docs/stack.md explains it. Time is virtual here: the loop moves the clock to
// whatever happens next. On a real machine it would read a monotonic clock, and
// wait in poll(2) until the next deadline or frame.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stack/stack.h"

enum { DELAY = 5 * NS_PER_MS, QUEUE = 256 }; // of the cable

struct host {
    struct stack *stack;
    struct iface *eth0;
    struct host *peer;
    ns_t deadline;
    // Frames on their way to this host; all take equally long.
    struct packet_queue arriving;
    ns_t arrivals[QUEUE];
    unsigned first;
    uint32_t random;
};

static ns_t now;

// --- What a host gives its stack

static void set_deadline(void *context, ns_t deadline)
{
    ((struct host *)context)->deadline = deadline;
}

// A real host takes the system's random bytes: sequence numbers, ports and the
// keys of hash tables come from here.
static void random_bytes(void *context, void *bytes, size_t length)
{
    struct host *host = context;
    for (size_t i = 0; i < length; i++) {
        host->random = host->random * 1664525 + 1013904223;
        ((uint8_t *)bytes)[i] = (uint8_t)(host->random >> 24);
    }
}

// The frame is ours now: hand it on, or free it.
static void transmit(void *context, struct iface *iface, struct packet *frame)
{
    struct host *peer = ((struct host *)context)->peer;
    unsigned last = (peer->first + peer->arriving.count) % QUEUE;
    (void)iface;
    if (peer->arriving.count == QUEUE) {
        packet_free(frame);
        return;
    }
    peer->arrivals[last] = now + DELAY;
    packet_queue_push(&peer->arriving, frame);
}

static int host_open(struct host *host, struct packet_pool *pool,
                     const char *name, const char *address)
{
    struct stack_config config = {.host = {.context = host,
                                           .now = &now,
                                           .set_deadline = set_deadline,
                                           .random = random_bytes},
                                  .pool = pool,
                                  .name = name};
    struct iface_config eth0 = {.name = "eth0",
                                .type = IFACE_ETHERNET,
                                .mac = {{2, 0, 0, 0, 0, (uint8_t)name[0]}},
                                .mtu = 1500,
                                .transmit = transmit,
                                .context = host};
    struct ip_prefix prefix;
    host->deadline = NS_NEVER;
    int error = ip_prefix_parse(address, &prefix);
    if (!error)
        error = stack_create(&config, &host->stack);
    if (!error)
        error = iface_create(host->stack, &eth0, &host->eth0);
    if (!error)
        error = iface_add_address(host->eth0, &prefix);
    return error;
}

// --- The loop

static ns_t next_event(const struct host *host)
{
    ns_t frame = host->arriving.count ? host->arrivals[host->first] : NS_NEVER;
    return min_i64(host->deadline, frame);
}

static void run_host(struct host *host)
{
    while (host->arriving.count && host->arrivals[host->first] <= now) {
        host->first = (host->first + 1) % QUEUE;
        iface_input(host->eth0, packet_queue_pop(&host->arriving));
    }
    if (host->deadline <= now)
        stack_run(host->stack);
}

static void run(struct host *a, struct host *b, const bool *is_over)
{
    while (!*is_over) {
        ns_t next = min_i64(next_event(a), next_event(b));
        if (next == NS_NEVER)
            return;
        now = max_i64(now, next);
        run_host(a);
        run_host(b);
    }
}

// --- The application: one side asks, the other answers and closes

struct talk {
    struct socket *listener, *server, *client;
    char answer[64];
    size_t length;
    bool is_over;
};

static void on_server(void *context, struct socket *socket, uint32_t events)
{
    struct talk *talk = context;
    char question[64];
    (void)events;
    if (socket == talk->listener) {
        if (!talk->server && socket_accept(socket, &talk->server) == 0)
            socket_set_handler(talk->server, on_server, talk);
        return;
    }
    int64_t length = socket_receive(socket, question, sizeof(question), 0);
    if (length <= 0)
        return;
    socket_send(socket, "you said: ", 10, 0);
    socket_send(socket, question, (size_t)length, 0);
    socket_shutdown(socket, SHUTDOWN_SEND);
}

// Events tell what became possible: read until there is nothing left.
static void on_client(void *context, struct socket *socket, uint32_t events)
{
    struct talk *talk = context;
    int64_t length;
    if (events & EVENT_WRITABLE && talk->length == 0)
        socket_send(socket, "hello", 5, 0);
    do {
        size_t room = sizeof(talk->answer) - 1 - talk->length;
        length = socket_receive(socket, talk->answer + talk->length, room, 0);
        if (length > 0)
            talk->length += (size_t)length;
    } while (length > 0);
    talk->is_over = length != -EAGAIN; // the end of the stream, or an error
}

static int start(struct talk *talk, struct host *a, struct host *b)
{
    struct endpoint server;
    int error = endpoint_parse("10.0.0.2:7", &server);
    if (!error)
        error = socket_open(b->stack, SOCKET_STREAM, IP_V4, 0, &talk->listener);
    if (!error)
        error = socket_open(a->stack, SOCKET_STREAM, IP_V4, 0, &talk->client);
    if (error)
        return error;
    socket_set_handler(talk->listener, on_server, talk);
    socket_set_handler(talk->client, on_client, talk);
    error = socket_bind(talk->listener, &server);
    if (!error)
        error = socket_listen(talk->listener, 1);
    if (!error)
        error = socket_connect(talk->client, &server);
    return error == -EINPROGRESS ? 0 : error;
}

int main(void)
{
    struct packet_pool *pool = packet_pool_create(0);
    struct host a = {.random = 1}, b = {.random = 2};
    struct talk talk = {.length = 0};
    a.peer = &b;
    b.peer = &a;
    int error = host_open(&a, pool, "a", "10.0.0.1/24");
    if (!error)
        error = host_open(&b, pool, "b", "10.0.0.2/24");
    if (!error)
        error = start(&talk, &a, &b);
    if (!error)
        run(&a, &b, &talk.is_over);
    printf("%s after %lld ms\n", talk.answer, (long long)(now / NS_PER_MS));

    stack_destroy(a.stack); // closes its sockets
    stack_destroy(b.stack);
    packet_queue_clear(&a.arriving);
    packet_queue_clear(&b.arriving);
    packet_pool_destroy(pool);
    return error || strcmp(talk.answer, "you said: hello") != 0;
}
