// A conversation in which the n-th packet, or the n-th malloc, cannot be had.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "stack/internal.h"
#include "tests/unit/ip_fixture.h"
#include "tests/unit/malloc_fixture.h"
#include "tests/unit/unit.h"

//  a ---wire 0--- r ---wire 1 (600 bytes)--- b
struct bench {
    struct stack_settings forwarding;
    struct net *net;
    struct net_host *a, *r, *b;
};

static void bench_open(struct bench *t)
{
    t->forwarding = stack_settings_default;
    t->forwarding.ip_forward = 1;
    t->net = net_create(5);
    t->a = net_add_stack(t->net, "a", NULL);
    t->r = net_add_stack(t->net, "r", &t->forwarding);
    t->b = net_add_stack(t->net, "b", NULL);
    net_add_iface(t->a, 0, "eth0", 0, "10.0.0.1/24");
    net_add_iface(t->r, 0, "eth0", 0, "10.0.0.254/24");
    net_add_iface(t->r, 1, "eth1", 600, "10.0.1.254/24");
    net_add_iface(t->b, 1, "eth0", 600, "10.0.1.1/24");
    net_add_address(t->a->eth, "2001:db8::1/64");
    net_add_route(t->a, "0.0.0.0/0", "10.0.0.254");
    net_add_route(t->b, "0.0.0.0/0", "10.0.1.254");
}

// Something of everything: resolution, echo, fragments made, forwarded and put
// together, errors, a neighbour that is not there, UDP over both families.
static void converse(struct bench *t)
{
    struct endpoint to[] = {
        net_endpoint("10.0.1.1:9"), net_endpoint("[2001:db8::99]:9"),
        net_endpoint("10.0.0.255:9"), net_endpoint("127.0.0.1:9")};
    ping(t->a, "10.0.1.1", 56);
    ping(t->a, "10.0.1.1", 4000);
    ping(t->a, "127.0.0.1", 100);
    ip_send(t->a, "10.0.1.1", 1400, PACKET_DONT_FRAGMENT);
    ip_send(t->a, "192.0.2.1", 10, 0);
    ip_send(t->a, "10.0.1.77", 10, 0);
    ip_send(t->b, "10.0.1.78", 10, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(to); i++) {
        struct socket *socket;
        if (socket_open(t->a->stack, SOCKET_DATAGRAM, to[i].addr.family, 0,
                        &socket) != 0)
            continue;
        socket_set_option(socket, OPTION_BROADCAST, 1);
        socket_send_to(socket, "hello", 5, 0, &to[i]);
        net_run(t->net, 10 * NS_PER_MS);
        socket_close(socket);
    }
    net_run(t->net, 40 * NS_PER_S);
}

// A connection whose server sends back what it hears, then both close.
struct exchange {
    struct socket *listener, *server, *client;
    size_t received;
    bool is_over;
};

static void on_server(void *context, struct socket *socket, uint32_t events)
{
    struct exchange *e = context;
    uint8_t bytes[2000];
    int64_t length;
    (void)events;
    if (socket == e->listener) {
        if (!e->server && socket_accept(socket, &e->server) == 0)
            socket_set_handler(e->server, on_server, e);
        return;
    }
    while ((length = socket_receive(socket, bytes, sizeof(bytes), 0)) > 0)
        socket_send(socket, bytes, (size_t)length, 0);
    if (length == 0)
        socket_shutdown(socket, SHUTDOWN_SEND);
}

static void on_client(void *context, struct socket *socket, uint32_t events)
{
    struct exchange *e = context;
    static const uint8_t request[6000] = {1};
    uint8_t bytes[2000];
    int64_t length;
    if (events & EVENT_WRITABLE && !e->is_over) {
        e->is_over = true;
        socket_send(socket, request, sizeof(request), 0);
        socket_shutdown(socket, SHUTDOWN_SEND);
    }
    while ((length = socket_receive(socket, bytes, sizeof(bytes), 0)) > 0)
        e->received += (size_t)length;
}

static struct socket *open_stream(struct net_host *host, void *context,
                                  void (*handler)(void *, struct socket *,
                                                  uint32_t))
{
    struct socket *socket = NULL;
    if (socket_open(host->stack, SOCKET_STREAM, IP_V4, 0, &socket) == 0)
        socket_set_handler(socket, handler, context);
    return socket;
}

static size_t exchange(struct bench *t)
{
    struct exchange e = {.listener = NULL};
    struct endpoint to = net_endpoint("10.0.1.1:80");
    e.listener = open_stream(t->b, &e, on_server);
    e.client = open_stream(t->a, &e, on_client);
    CHECK_FATAL(e.listener && e.client);
    CHECK_EQUAL(socket_bind(e.listener, &to), 0);
    CHECK_EQUAL(socket_listen(e.listener, 1), 0);
    int error = socket_connect(e.client, &to);
    CHECK(error == -EINPROGRESS || error == -ENOBUFS);
    net_run(t->net, 300 * NS_PER_S);
    socket_close(e.client);
    if (e.server)
        socket_close(e.server);
    socket_close(e.listener);
    net_run(t->net, 300 * NS_PER_S);
    return error == -ENOBUFS ? 6000 : e.received;
}

static void check_all(struct bench *t)
{
    for (unsigned i = 0; i < t->net->host_count; i++) {
        stack_check(t->net->hosts[i].stack);
        CHECK_EQUAL(stack_held(t->net->hosts[i].stack), 0);
    }
}

static void any_packet_may_be_refused(void)
{
    for (unsigned n = 1; n < 2000; n++) {
        struct bench t;
        bench_open(&t);
        packet_pool_fail_after(t.net->pool, n);
        converse(&t);
        uint64_t refused = packet_pool_get_stats(t.net->pool).refused;
        check_all(&t);
        net_destroy(t.net);
        if (refused == 0) {
            CHECK(n > 50);
            return;
        }
    }
    CHECK(false); // the conversation has an end
}

static enum net_verdict lose(void *context, struct net_frame *frame)
{
    (void)context;
    (void)frame;
    return NET_DROP;
}

static void a_connection_lives_through_the_loss_of_any_packet(void)
{
    for (unsigned n = 1; n < 2000; n++) {
        struct bench t;
        bench_open(&t);
        packet_pool_fail_after(t.net->pool, n);
        CHECK_EQUAL(exchange(&t), 6000);
        uint64_t refused = packet_pool_get_stats(t.net->pool).refused;
        check_all(&t);
        net_destroy(t.net);
        if (refused == 0) {
            CHECK(n > 30);
            return;
        }
    }
    CHECK(false); // the connection has an end
}

// The first fragment of a packet, so that reassembly begins.
static struct packet *make_fragment(struct bench *t)
{
    uint8_t frame[128];
    struct ipv4_header header = {.more_fragments = true,
                                 .protocol = SINK_PROTOCOL,
                                 .source = net_addr("10.0.0.9"),
                                 .destination = net_addr("10.0.0.1")};
    size_t length = ipv4_frame(frame, t->a->eth, &header, "12345678", 8);
    return net_packet(t->net, frame, length);
}

// Frames are lost meanwhile: the fixture's own mallocs must not fail.
static void any_malloc_may_fail(void)
{
    for (unsigned n = 1; n < 200; n++) {
        struct bench t;
        bench_open(&t);
        net_set_hook(t.net, lose, NULL);
        struct packet *fragment = make_fragment(&t);
        malloc_fail_after(n);
        ping(t.a, "10.0.0.254", 4000);
        for (uint8_t i = 70; i < 90; i++) {
            char text[] = "10.0.0.xx";
            text[7] = (char)('0' + i / 10);
            text[8] = (char)('0' + i % 10);
            ip_send(t.a, text, 10, 0);
        }
        iface_input(t.a->eth, fragment);
        bool has_failed = malloc_has_failed();
        malloc_fail_after(0);
        net_set_hook(t.net, NULL, NULL);
        net_run(t.net, 60 * NS_PER_S);
        check_all(&t);
        net_destroy(t.net);
        if (!has_failed) {
            CHECK(n > 20);
            return;
        }
    }
    CHECK(false); // the conversation has an end
}

const struct unit_test suite_net_allocation[] = {
    UNIT(any_packet_may_be_refused),
    UNIT(a_connection_lives_through_the_loss_of_any_packet),
    UNIT(any_malloc_may_fail),
    {0}};
