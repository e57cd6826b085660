// How many datagrams a second stacks send, receive and forward on one core.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "stack/stack.h"

// Two hosts with a router between them; a frame that leaves one stack comes in
// at the next within the same call. One operation is one datagram from a socket
// to a socket (two frame-hops, three stacks), or between neighbours (one), or
// one frame that a router takes in and sends out.

enum { HOSTS = 3, PAYLOAD = 1400 };

struct port {
    struct chain *chain;
    struct port *peer; // where frames go; NULL: nowhere
    struct iface *iface;
};

struct chain {
    ns_t now;
    struct packet_pool *pool;
    struct stack_settings settings;
    struct stack *stacks[HOSTS]; // a, router, b
    struct port ports[4];        // a, router towards a, router towards b, b
    struct socket *from, *to;
    struct packet *frame; // the last one that the router received
    bool is_keeping;
    size_t size; // of a payload
    uint64_t received;
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
    struct port *port = context;
    struct chain *chain = port->chain;
    (void)iface;
    if (!port->peer) {
        packet_free(frame);
        return;
    }
    if (chain->is_keeping && port == &chain->ports[0]) {
        packet_free(chain->frame);
        chain->frame = packet_copy(frame, 0);
    }
    iface_input(port->peer->iface, frame);
}

static void add_port(struct chain *chain, unsigned n, unsigned host,
                     const char *const addresses[2])
{
    struct port *port = &chain->ports[n];
    struct iface_config config = {.name = n == 2 ? "eth1" : "eth0",
                                  .type = IFACE_ETHERNET,
                                  .mac = {{2, 0, 0, 0, 0, (uint8_t)(n + 1)}},
                                  .mtu = 1500,
                                  .transmit = transmit,
                                  .context = port};
    port->chain = chain;
    port->peer = &chain->ports[n ^ 1];
    must(iface_create(chain->stacks[host], &config, &port->iface) == 0);
    for (unsigned i = 0; i < 2; i++) {
        struct ip_prefix prefix;
        must(ip_prefix_parse(addresses[i], &prefix) == 0);
        must(iface_add_address(port->iface, &prefix) == 0);
    }
}

static void add_route(struct chain *chain, unsigned host,
                      const char *destination, const char *gateway)
{
    struct route route = {0};
    must(ip_prefix_parse(destination, &route.destination) == 0);
    must(ip_addr_parse(gateway, &route.gateway) == 0);
    must(stack_add_route(chain->stacks[host], &route) == 0);
}

static void build_hosts(struct chain *chain)
{
    static const char *const addresses[4][2] = {
        {"10.0.0.1/24", "2001:db8:a::1/64"},
        {"10.0.0.9/24", "2001:db8:a::9/64"},
        {"10.0.1.9/24", "2001:db8:b::9/64"},
        {"10.0.1.1/24", "2001:db8:b::1/64"}};
    static const unsigned host_of[4] = {0, 1, 1, 2};
    for (unsigned i = 0; i < HOSTS; i++) {
        struct stack_config config = {.host = {.context = chain,
                                               .now = &chain->now,
                                               .set_deadline = no_deadline,
                                               .random = no_random},
                                      .pool = chain->pool,
                                      .settings = &chain->settings};
        must(stack_create(&config, &chain->stacks[i]) == 0);
    }
    // A port's frames have somewhere to go when both ends are there.
    for (unsigned i = 0; i < 4; i++)
        add_port(chain, i, host_of[i], addresses[i]);
    add_route(chain, 0, "0.0.0.0/0", "10.0.0.9");
    add_route(chain, 0, "::/0", "2001:db8:a::9");
}

static void on_readable(void *context, struct socket *socket, uint32_t events)
{
    struct chain *chain = context;
    struct packet *packet;
    (void)events;
    while (socket_receive_packet(socket, &packet) >= 0) {
        packet_free(packet);
        chain->received++;
    }
}

static struct chain *build(const char *to, unsigned receiver, size_t size)
{
    struct endpoint endpoint;
    struct chain *chain = calloc(1, sizeof *chain);
    must(chain && endpoint_parse(to, &endpoint) == 0);
    chain->pool = packet_pool_create(0);
    must(chain->pool);
    chain->now = NS_PER_S;
    chain->size = size;
    chain->settings = stack_settings_default;
    chain->settings.ip_dad_transmits = 0;
    chain->settings.ip_forward = 1;
    build_hosts(chain);
    must(socket_open(chain->stacks[0], SOCKET_DATAGRAM, endpoint.addr.family, 0,
                     &chain->from) == 0);
    must(socket_open(chain->stacks[receiver], SOCKET_DATAGRAM,
                     endpoint.addr.family, 0, &chain->to) == 0);
    must(socket_bind(chain->to, &endpoint) == 0);
    must(socket_connect(chain->from, &endpoint) == 0);
    socket_set_handler(chain->to, on_readable, chain);
    chain->is_keeping = true;
    must(socket_send(chain->from, "warm", 4, 0) == 4);
    chain->is_keeping = false;
    must(chain->received == 1 && chain->frame);
    return chain;
}

static void teardown(void *state)
{
    struct chain *chain = state;
    for (unsigned i = 0; i < 4; i++)
        chain->ports[i].peer = NULL;
    packet_free(chain->frame);
    for (unsigned i = 0; i < HOSTS; i++)
        stack_destroy(chain->stacks[i]);
    packet_pool_destroy(chain->pool);
    free(chain);
}

static void *near_v4(void) { return build("10.0.0.9:7", 1, 64); }
static void *near_v6(void) { return build("[2001:db8:a::9]:7", 1, 64); }
static void *near_large(void) { return build("10.0.0.9:7", 1, PAYLOAD); }
static void *far_v4(void) { return build("10.0.1.1:7", 2, 64); }
static void *far_v6(void) { return build("[2001:db8:b::1]:7", 2, 64); }

static void run_datagrams(void *state, uint64_t n)
{
    static const uint8_t payload[PAYLOAD];
    struct chain *chain = state;
    uint64_t wanted = chain->received + n;
    while (n--)
        must(socket_send(chain->from, payload, chain->size, 0) > 0);
    must(chain->received == wanted);
}

static void run_router(void *state, uint64_t n)
{
    struct chain *chain = state;
    chain->ports[2].peer = NULL; // what the router sends goes nowhere
    while (n--)
        iface_input(chain->ports[1].iface, packet_copy(chain->frame, 0));
    chain->ports[2].peer = &chain->ports[3];
}

const struct bench benches_udp[] = {
    {"datagram to a neighbour, IPv4, 64 B", near_v4, run_datagrams, teardown,
     0},
    {"datagram to a neighbour, IPv6, 64 B", near_v6, run_datagrams, teardown,
     0},
    {"datagram to a neighbour, IPv4, 1400 B", near_large, run_datagrams,
     teardown, PAYLOAD},
    {"datagram through a router, IPv4, 64 B", far_v4, run_datagrams, teardown,
     0},
    {"datagram through a router, IPv6, 64 B", far_v6, run_datagrams, teardown,
     0},
    {"frame forwarded, IPv4", far_v4, run_router, teardown, 0},
    {"frame forwarded, IPv6", far_v6, run_router, teardown, 0},
    {0}};
