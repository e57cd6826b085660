// What a TCP transfer costs besides its bytes: no allocation, no needless copy.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tests/unit/host_fixture.h"
#include "tests/unit/malloc_fixture.h"
#include "tests/unit/unit.h"

// Copies cannot be counted from outside, but places can: payload that is read
// where it lay when its frame was sent has not been copied in between, and
// payload that was sent from where its source wrote it has not been copied
// before.

enum { PLACES = 4096, PORT = 9 };

// Places of payload, first in, first out.
struct places {
    const uint8_t *at[PLACES];
    unsigned first, last;
};

struct transfer {
    struct sim *sim;
    struct link *link;
    struct socket *sender, *listener, *receiver;
    bool has_source;   // the sender's bytes are written into the packet
    bool by_reference; // the receiver's are read in it
    struct places written, sent;
    uint64_t received;
    uint64_t strays; // payload that was not where it should have been
};

static void put(struct places *places, const uint8_t *place)
{
    places->at[places->last++ % PLACES] = place;
}

static const uint8_t *take(struct places *places)
{
    return places->at[places->first++ % PLACES];
}

static void write_source(void *context, uint64_t offset, uint8_t *bytes,
                         size_t length)
{
    struct transfer *t = context;
    memset(bytes, (uint8_t)(offset / 1000), length);
    put(&t->written, bytes);
}

// The payload of the frame (Ethernet, IPv4 without options, TCP).
static struct hook_verdict on_sent(void *context, struct link *link,
                                   unsigned direction, struct packet *frame)
{
    enum { TCP_AT = 14 + 20 };
    struct transfer *t = context;
    (void)link;
    (void)direction;
    if (frame->length <= TCP_AT || frame->data[12] != 8 || frame->data[13] != 0)
        return (struct hook_verdict){0};
    uint32_t at = TCP_AT + (uint32_t)(frame->data[TCP_AT + 12] >> 4) * 4;
    if (frame->length == at)
        return (struct hook_verdict){0};
    if (t->has_source)
        t->strays += take(&t->written) != frame->data + at;
    put(&t->sent, frame->data + at);
    return (struct hook_verdict){0};
}

static void send_more(struct socket *socket)
{
    static const uint8_t bytes[10000];
    while (socket_send(socket, bytes, sizeof(bytes), 0) > 0)
        ;
}

static void on_sender(void *context, struct socket *socket, uint32_t events)
{
    struct transfer *t = context;
    if (events & EVENT_WRITABLE && !t->has_source)
        send_more(socket);
}

static void read_copies(struct transfer *t)
{
    uint8_t bytes[5000];
    int64_t n;
    while ((n = socket_receive(t->receiver, bytes, sizeof(bytes), 0)) > 0)
        t->received += (uint64_t)n;
}

static void read_packets(struct transfer *t)
{
    struct packet *packet;
    int64_t n;
    while ((n = socket_receive_packet(t->receiver, &packet)) > 0) {
        t->strays += packet->data != take(&t->sent);
        t->received += (uint64_t)n;
        packet_free(packet);
    }
}

static void on_receiver(void *context, struct socket *socket, uint32_t events)
{
    struct transfer *t = context;
    (void)socket;
    if (!(events & EVENT_READABLE))
        return;
    if (t->by_reference)
        read_packets(t);
    else
        read_copies(t);
}

static void on_listener(void *context, struct socket *socket, uint32_t events)
{
    struct transfer *t = context;
    (void)events;
    if (socket_accept(socket, &t->receiver) == 0)
        socket_set_handler(t->receiver, on_receiver, t);
}

// 100 Mbit/s, 1 ms. What is in flight is bounded by the receiver's buffer: a
// window that grows takes memory until it is as large as it gets.
static void build(struct transfer *t)
{
    struct link_config config = {0};
    t->sim = host_fixture_create(1);
    struct host *a = host_fixture_add(t->sim, "a", false);
    struct host *b = host_fixture_add(t->sim, "b", false);
    config.ends[0] = &a->node;
    config.ends[1] = &b->node;
    for (unsigned i = 0; i < 2; i++) {
        config.direction[i] = link_direction_default;
        config.direction[i].rate_bps = UINT64_C(100000000);
        config.direction[i].delay = NS_PER_MS;
    }
    CHECK_EQUAL(sim_add_link(t->sim, &config, &t->link), 0);
    host_fixture_address(t->link->ends[0], "10.0.0.1/24");
    host_fixture_address(t->link->ends[1], "10.0.0.2/24");
    CHECK(link_add_hook(t->link, 0, HOOK_SENT, on_sent, t) > 0);
}

static void start(struct transfer *t)
{
    struct endpoint any = {ip_addr_any(IP_V4), PORT, 0};
    struct endpoint server = {ip_addr_v4(10, 0, 0, 2), PORT, 0};
    struct stack *a = node_as_host(t->link->ends[0]->node)->stack;
    struct stack *b = node_as_host(t->link->ends[1]->node)->stack;
    CHECK_EQUAL(socket_open(b, SOCKET_STREAM, IP_V4, 0, &t->listener), 0);
    CHECK_EQUAL(socket_bind(t->listener, &any), 0);
    CHECK_EQUAL(socket_set_option(t->listener, OPTION_RECEIVE_BUFFER, 200000),
                0);
    CHECK_EQUAL(socket_listen(t->listener, 1), 0);
    socket_set_handler(t->listener, on_listener, t);
    CHECK_EQUAL(socket_open(a, SOCKET_STREAM, IP_V4, 0, &t->sender), 0);
    socket_set_handler(t->sender, on_sender, t);
    if (t->has_source)
        CHECK_EQUAL(socket_set_source(t->sender, write_source, t, UINT64_MAX),
                    0);
    socket_connect(t->sender, &server);
}

static void finish(struct transfer *t)
{
    socket_abort(t->sender);
    sim_run(t->sim, sim_now(t->sim) + NS_PER_S);
    socket_close(t->receiver);
    socket_close(t->listener);
    host_fixture_destroy(t->sim);
}

// Runs a second of transfer after a second of start-up.
static uint64_t allocations_of(struct transfer *t)
{
    build(t);
    start(t);
    sim_run(t->sim, NS_PER_S);
    uint64_t before = malloc_count(), received = t->received;
    sim_run(t->sim, 2 * NS_PER_S);
    uint64_t allocations = malloc_count() - before;
    CHECK(t->received - received > 10000000);
    finish(t);
    return allocations;
}

static void a_steady_transfer_from_a_source_allocates_nothing(void)
{
    struct transfer t = {.has_source = true, .by_reference = true};
    CHECK_EQUAL(allocations_of(&t), 0);
}

static void a_steady_transfer_through_buffers_allocates_nothing(void)
{
    struct transfer t = {.has_source = false, .by_reference = false};
    CHECK_EQUAL(allocations_of(&t), 0);
}

static void payload_of_a_source_is_read_where_it_was_written(void)
{
    struct transfer t = {.has_source = true, .by_reference = true};
    (void)allocations_of(&t);
    CHECK_EQUAL(t.strays, 0);
    CHECK(t.written.first > 10000);
}

// So the only copies are the one into the packet and the one that
// socket_receive makes out of it.
static void payload_of_a_buffer_is_read_where_it_was_sent(void)
{
    struct transfer t = {.has_source = false, .by_reference = true};
    (void)allocations_of(&t);
    CHECK_EQUAL(t.strays, 0);
    CHECK(t.sent.first > 10000);
}

const struct unit_test suite_data_path[] = {
    UNIT(a_steady_transfer_from_a_source_allocates_nothing),
    UNIT(a_steady_transfer_through_buffers_allocates_nothing),
    UNIT(payload_of_a_source_is_read_where_it_was_written),
    UNIT(payload_of_a_buffer_is_read_where_it_was_sent),
    {0}};
