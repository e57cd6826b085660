// Two hosts and a stream between them.
// SPDX-License-Identifier: MIT
#include "tests/unit/tcp_fixture.h"

#include <errno.h>
#include <stdlib.h>

#include "stack/tcp/tcp.h"

uint8_t tcp_pattern(uint64_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8) * 7 + (offset >> 16));
}

static void source(void *context, uint64_t offset, uint8_t *bytes,
                   size_t length)
{
    (void)context;
    for (size_t i = 0; i < length; i++)
        bytes[i] = tcp_pattern(offset + i);
}

static void note_error(struct tcp_side *side, int64_t error)
{
    if (side->error == 0)
        side->error = (int)error;
}

static void write_more(struct tcp_side *side)
{
    uint8_t bytes[8192];
    while (side->sent < side->to_send) {
        uint64_t left = side->to_send - side->sent;
        size_t n = left < sizeof bytes ? left : sizeof bytes;
        source(NULL, side->sent, bytes, n);
        int64_t taken = socket_send(side->socket, bytes, n, 0);
        if (taken == -EAGAIN)
            return;
        if (taken <= 0) {
            note_error(side, taken);
            return;
        }
        side->sent += (uint64_t)taken;
    }
    if (!side->is_shut && !side->keeps_open) {
        side->is_shut = true;
        socket_shutdown(side->socket, SHUTDOWN_SEND);
    }
}

static void read_more(struct tcp_side *side)
{
    uint8_t bytes[8192];
    int64_t n;
    while ((n = socket_receive(side->socket, bytes, sizeof bytes, 0)) > 0)
        for (int64_t i = 0; i < n; i++)
            side->is_wrong |= bytes[i] != tcp_pattern(side->received++);
    if (n == 0)
        side->is_at_end = true;
    else if (n != -EAGAIN)
        note_error(side, n);
}

static void on_event(void *context, struct socket *socket, uint32_t events)
{
    struct tcp_side *side = context;
    (void)events;
    if (side->socket != socket)
        return;
    if (!side->is_lazy)
        read_more(side);
    bool is_open = socket_events(socket) & EVENT_WRITABLE;
    if (is_open)
        write_more(side);
    bool is_done = side->is_at_end && side->is_shut;
    if ((is_done || side->error) && !side->keeps_open) {
        socket_close(socket);
        side->socket = NULL;
    }
}

static void on_accept(void *context, struct socket *listener, uint32_t events)
{
    struct tcp_pair *pair = context;
    (void)events;
    struct socket *socket;
    while (socket_accept(listener, &socket) == 0) {
        must(!pair->server.socket);
        pair->server.socket = socket;
        socket_set_handler(socket, on_event, &pair->server);
        on_event(&pair->server, socket, 0);
    }
}

struct tcp_pair *tcp_pair_create(uint8_t family, uint64_t seed)
{
    struct tcp_pair *pair = calloc(1, sizeof *pair);
    must(pair);
    pair->net = net_create(seed);
    pair->client_settings = pair->server_settings = stack_settings_default;
    pair->client_settings.ip_dad_transmits = 0;
    pair->server_settings.ip_dad_transmits = 0;
    pair->client.pair = pair->server.pair = pair;
    pair->server_end =
        net_endpoint(family == IP_V4 ? "10.0.0.2:80" : "[2001:db8::2]:80");
    return pair;
}

static struct net_host *add_host(struct tcp_pair *pair, const char *name,
                                 const struct stack_settings *settings,
                                 const char *v4, const char *v6)
{
    struct net_host *host = net_add_stack(pair->net, name, settings);
    bool is_v4 = pair->server_end.addr.family == IP_V4;
    net_add_iface(host, 0, "eth0", 0, is_v4 ? v4 : v6);
    return host;
}

void tcp_pair_start(struct tcp_pair *pair, uint64_t bytes, uint64_t back)
{
    pair->client_host = add_host(pair, "client", &pair->client_settings,
                                 "10.0.0.1/24", "2001:db8::1/64");
    pair->server_host = add_host(pair, "server", &pair->server_settings,
                                 "10.0.0.2/24", "2001:db8::2/64");
    uint8_t family = pair->server_end.addr.family;
    pair->client.to_send = pair->server.expected = bytes;
    pair->server.to_send = pair->client.expected = back;
    must(socket_open(pair->server_host->stack, SOCKET_STREAM, family, 0,
                     &pair->listener) == 0);
    struct endpoint any = {.addr = ip_addr_any(family), .port = 80};
    must(socket_bind(pair->listener, &any) == 0);
    socket_set_handler(pair->listener, on_accept, pair);
    must(socket_listen(pair->listener, 5) == 0);
    must(socket_open(pair->client_host->stack, SOCKET_STREAM, family, 0,
                     &pair->client.socket) == 0);
    socket_set_handler(pair->client.socket, on_event, &pair->client);
    if (pair->uses_source) {
        must(socket_set_source(pair->client.socket, source, NULL, bytes) == 0);
        pair->client.sent = bytes;
    }
    must(socket_connect(pair->client.socket, &pair->server_end) ==
         -EINPROGRESS);
}

unsigned tcp_count_connections(struct stack *stack)
{
    unsigned count = 0;
    struct socket *s = NULL;
    while ((s = socket_next(stack, s)))
        count += ((struct tcp_connection *)s)->state != TCP_LISTEN;
    return count;
}

static void check_all(struct stack *stack)
{
    struct socket *s = NULL;
    while ((s = socket_next(stack, s)))
        tcp_check((const struct tcp_connection *)s);
}

static bool is_over(void *context)
{
    struct tcp_pair *pair = context;
    check_all(pair->client_host->stack);
    check_all(pair->server_host->stack);
    return tcp_count_connections(pair->client_host->stack) == 0 &&
           tcp_count_connections(pair->server_host->stack) == 0;
}

bool tcp_pair_run(struct tcp_pair *pair, ns_t limit)
{
    return net_run_until(pair->net, is_over, pair, limit);
}

bool tcp_pair_is_intact(const struct tcp_pair *pair)
{
    const struct tcp_side *sides[] = {&pair->client, &pair->server};
    for (unsigned i = 0; i < 2; i++)
        if (sides[i]->is_wrong || sides[i]->error ||
            sides[i]->received != sides[i]->expected || !sides[i]->is_at_end)
            return false;
    return true;
}

void tcp_pair_destroy(struct tcp_pair *pair)
{
    net_destroy(pair->net);
    free(pair);
}
