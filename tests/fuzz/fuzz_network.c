// Fuzzes two hosts and a router between them: faults, calls, changing networks.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/internal.h"
#include "tests/unit/net_fixture.c"

// Theory of operation
//
// The input is a list of steps of three bytes: what, and two arguments. Steps
// are calls of applications on either host, changes of the network (routes,
// addresses, MTUs, interfaces that go down, come and go), faults (frames lost,
// doubled, late, or with a byte changed; packets that cannot be allocated) and
// time. Where fuzz_stack looks for frames that a stack cannot stand, this one
// looks for orders of events: the stacks make the frames, so that connections
// get somewhere.
//
// Asked is that the account of packets holds after each step, that nothing is
// left at the end, that the sanitizers are silent, and that what a stream's
// receiver reads is a prefix of what its sender wrote, as long as no frame was
// changed.

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { HOSTS = 3, SOCKETS = 6, MAX_STEPS = 200 };

struct stream { // a socket of ours, or one that a listener accepted
    struct socket *socket;
    uint64_t received;
    bool is_ragged; // took less than a whole round of the pattern
};

struct world {
    struct net *net;
    struct net_host *hosts[HOSTS]; // a, router, b
    struct stream streams[2][SOCKETS];
    uint8_t faults[16]; // what happens to the next frames
    unsigned fault_count;
    bool is_changed; // a frame was
};

// --- Faults

enum { FAULT_NONE, FAULT_LOSE, FAULT_LATE, FAULT_CHANGE, FAULT_KINDS };

static enum net_verdict on_frame(void *context, struct net_frame *frame)
{
    struct world *w = context;
    if (w->fault_count == 0)
        return NET_PASS;
    uint8_t fault = w->faults[--w->fault_count];
    switch (fault % FAULT_KINDS) {
    case FAULT_LOSE:
        return NET_DROP;
    case FAULT_LATE:
        frame->delay += (ns_t)fault * 10 * NS_PER_MS;
        break;
    case FAULT_CHANGE:
        if (packet_make_writable(frame->packet, 0) != 0)
            return NET_DROP;
        frame->packet->data[fault / FAULT_KINDS % frame->packet->length] ^=
            (uint8_t)(1 << fault % 7);
        w->is_changed = true;
        break;
    default:
        break;
    }
    return NET_PASS;
}

// --- Streams: byte n of every stream is n

static void fill(uint8_t *bytes, uint64_t offset, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(offset + i);
}

static void from_source(void *context, uint64_t offset, uint8_t *bytes,
                        size_t length)
{
    (void)context;
    fill(bytes, offset, length);
}

static void receive(struct world *w, struct stream *stream)
{
    uint8_t bytes[5000];
    int64_t length = socket_receive(stream->socket, bytes, sizeof(bytes), 0);
    bool is_stream = socket_get_type(stream->socket) == SOCKET_STREAM;
    for (int64_t i = 0; i < length && is_stream && !w->is_changed; i++)
        must(bytes[i] == (uint8_t)(stream->received + (uint64_t)i));
    if (length > 0)
        stream->received += (uint64_t)length;
}

static struct stream *free_place(struct world *w, unsigned side)
{
    for (unsigned i = 0; i < SOCKETS; i++)
        if (!w->streams[side][i].socket)
            return &w->streams[side][i];
    return NULL;
}

// --- Calls

static const char *const addresses[2][2] = {{"10.0.0.1", "2001:db8::1"},
                                            {"10.0.1.1", "2001:db8:1::1"}};

static struct net_host *host_of(struct world *w, unsigned side)
{
    return w->hosts[side ? 2 : 0];
}

static void open_socket(struct world *w, unsigned side, uint8_t how)
{
    struct stream *stream = free_place(w, side);
    bool is_v6 = how & 1, is_stream = how & 2;
    struct endpoint local = {.addr = ip_addr_any(is_v6 ? IP_V6 : IP_V4),
                             .port = (uint16_t)(how & 4 ? 7 : 0)};
    struct endpoint remote = {.addr = net_addr(addresses[!side][is_v6]),
                              .port = 7};
    if (!stream)
        return;
    *stream = (struct stream){0};
    if (socket_open(host_of(w, side)->stack,
                    is_stream ? SOCKET_STREAM : SOCKET_DATAGRAM,
                    is_v6 ? IP_V6 : IP_V4, 0, &stream->socket) != 0)
        return;
    socket_bind(stream->socket, &local);
    if (how & 4 && is_stream)
        socket_listen(stream->socket, 2);
    if (how & 16 && is_stream)
        socket_set_source(stream->socket, from_source, NULL, 100000);
    if (how & 8)
        socket_connect(stream->socket, &remote);
}

static void send_some(struct stream *stream, uint8_t amount, int flags)
{
    static uint8_t bytes[256 * 40];
    struct tcp_info info;
    size_t length = (size_t)amount * 40;
    if (socket_get_type(stream->socket) == SOCKET_STREAM &&
        (socket_get_tcp_info(stream->socket, &info) != 0 ||
         info.state < TCP_ESTABLISHED))
        return;
    fill(bytes, 0, sizeof(bytes));
    // Whole rounds of 256 bytes keep the pattern whatever was sent before.
    for (size_t sent = 256; sent <= length && !stream->is_ragged; sent += 256) {
        int64_t taken = socket_send(stream->socket, bytes, 256, flags);
        stream->is_ragged = taken > 0 && taken < 256;
        if (taken != 256)
            return;
    }
}

static void accept_all(struct world *w, unsigned side, struct stream *stream)
{
    struct stream *place;
    struct socket *accepted;
    while ((place = free_place(w, side)) &&
           socket_accept(stream->socket, &accepted) == 0)
        *place = (struct stream){.socket = accepted};
}

static void call(struct world *w, unsigned side, unsigned n, uint8_t what)
{
    struct stream *stream = &w->streams[side][n % SOCKETS];
    if (!stream->socket)
        return;
    switch (what % 8) {
    case 0:
    case 1:
        receive(w, stream);
        break;
    case 2:
        accept_all(w, side, stream);
        break;
    case 3:
        socket_shutdown(stream->socket, SHUTDOWN_SEND);
        break;
    case 4:
        socket_close(stream->socket);
        stream->socket = NULL;
        break;
    case 5:
        socket_abort(stream->socket);
        stream->socket = NULL;
        break;
    case 6:
        socket_set_option(stream->socket,
                          (enum socket_option)(what / 8 % OPTION_ERROR_QUEUE),
                          what & 1 ? 3000 : 1);
        break;
    default:
        socket_take_error(stream->socket);
        break;
    }
}

// --- Changes of the network

static struct iface *iface_of(struct world *w, uint8_t which)
{
    struct net_host *host = w->hosts[which % HOSTS];
    return iface_find_index(host->stack, 2 + which / HOSTS % 2);
}

static void change_address(struct iface *iface, uint8_t which)
{
    struct ip_prefix prefix = {
        .addr = ip_addr_v4(10, 0, (which & 1), (uint8_t)(1 + which % 5)),
        .length = 24};
    if (which & 0x80)
        iface_remove_address(iface, &prefix.addr);
    else
        iface_add_address(iface, &prefix);
}

static void change_route(struct world *w, uint8_t which)
{
    struct stack *stack = w->hosts[which % HOSTS]->stack;
    struct route route = {
        .destination = {.addr = net_addr(which & 4 ? "0.0.0.0" : "10.0.0.0"),
                        .length = (uint8_t)(which & 8 ? 0 : 16)},
        .gateway = ip_addr_v4(10, 0, which & 1, 254)};
    if (which & 0x80)
        stack_remove_route(stack, &route.destination);
    else
        stack_add_route(stack, &route);
}

static void change_network(struct world *w, uint8_t what, uint8_t which)
{
    struct iface *iface = iface_of(w, which);
    struct mac_addr mac = {{2, 0, 0, 0, 0, 9}};
    struct ip_addr address = ip_addr_v4(10, 0, which & 1, 9);
    if (!iface)
        return;
    switch (what % 5) {
    case 0:
        iface_set_up(iface, which & 0x40);
        break;
    case 1:
        iface_set_mtu(iface, 68 + (uint32_t)which * 8);
        break;
    case 2:
        change_address(iface, which);
        break;
    case 3:
        change_route(w, which);
        break;
    default:
        stack_set_neighbour(iface, &address, &mac);
        break;
    }
}

// --- The world

static void add_routes(struct world *w)
{
    net_add_route(w->hosts[0], "0.0.0.0/0", "10.0.0.254");
    net_add_route(w->hosts[2], "0.0.0.0/0", "10.0.1.254");
    net_add_route(w->hosts[0], "::/0", "2001:db8::fe");
    net_add_route(w->hosts[2], "::/0", "2001:db8:1::fe");
}

static void open_world(struct world *w, struct stack_settings settings[2])
{
    *w = (struct world){.net = net_create(1)};
    w->hosts[0] = net_add_stack(w->net, "a", &settings[0]);
    w->hosts[1] = net_add_stack(w->net, "r", &settings[1]);
    w->hosts[2] = net_add_stack(w->net, "b", &settings[0]);
    net_add_iface(w->hosts[0], 0, "eth0", 0, "10.0.0.1/24");
    net_add_iface(w->hosts[1], 0, "eth0", 0, "10.0.0.254/24");
    net_add_iface(w->hosts[1], 1, "eth1", 1300, "10.0.1.254/24");
    net_add_iface(w->hosts[2], 1, "eth0", 0, "10.0.1.1/24");
    net_add_address(w->hosts[0]->eth, "2001:db8::1/64");
    net_add_address(w->hosts[1]->eth, "2001:db8::fe/64");
    net_add_address(iface_find(w->hosts[1]->stack, "eth1"),
                    "2001:db8:1::fe/64");
    net_add_address(w->hosts[2]->eth, "2001:db8:1::1/64");
    add_routes(w);
    net_set_hook(w->net, on_frame, w);
    net_run(w->net, 3 * NS_PER_S); // duplicate address detection
}

static void step(struct world *w, uint8_t what, uint8_t a, uint8_t b)
{
    struct stream *stream = &w->streams[what >> 4 & 1][a % SOCKETS];
    switch (what & 7) {
    case 0:
        open_socket(w, what >> 4 & 1, a);
        break;
    case 1:
    case 2:
        if (stream->socket)
            send_some(stream, b, what & 0x20 ? MESSAGE_MORE : 0);
        break;
    case 3:
        call(w, what >> 4 & 1, a, b);
        break;
    case 4:
        if (w->fault_count < sizeof(w->faults))
            w->faults[w->fault_count++] = a;
        break;
    case 5:
        change_network(w, a, b);
        break;
    case 6:
        packet_pool_fail_after(w->net->pool, a);
        break;
    default:
        net_run(w->net, (ns_t)(a + 1) << (b % 30));
        break;
    }
    net_run(w->net, NS_PER_MS / 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct stack_settings settings[2] = {stack_settings_default,
                                         stack_settings_default};
    struct world w;
    if (length < 1)
        return 0;
    settings[1].ip_forward = 1;
    settings[0].neighbour_limit = bytes[0] & 1 ? 2 : 1024;
    settings[0].neighbour_queue = bytes[0] & 2 ? 1 : 101;
    settings[0].ip_reassembly_limit = bytes[0] & 4 ? 3000 : 4 << 20;
    settings[0].limits_packets = bytes[0] & 8 ? 32 : 1000000;
    settings[0].ip_dad_transmits = bytes[0] & 16 ? 0 : 1;
    settings[0].tcp_ecn = bytes[0] & 32 ? 1 : 2;
    open_world(&w, settings);
    for (unsigned i = 0; i < MAX_STEPS && 1 + 3 * i + 3 <= length; i++) {
        const uint8_t *at = bytes + 1 + 3 * i;
        step(&w, at[0], at[1], at[2]);
        for (unsigned n = 0; n < HOSTS; n++)
            stack_check(w.hosts[n]->stack);
    }
    net_destroy(w.net);
    return 0;
}
