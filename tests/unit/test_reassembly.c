// Reassembly: every order, every overlap, budget and time.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "stack/internal.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ethernet.h"
#include "tests/unit/ip_fixture.h"
#include "tests/unit/unit.h"

struct bench {
    struct stack_settings settings;
    struct net *net;
    struct net_host *host;
    struct sink *sink;
    uint8_t data[66000];
};

static struct bench *bench_open(void)
{
    struct bench *b = calloc(1, sizeof(*b));
    must(b);
    b->settings = stack_settings_default;
    b->net = net_create(3);
    struct stack_config config = {.settings = &b->settings, .no_ipv6 = true};
    b->host = net_add_stack_config(b->net, "host", &config);
    net_add_iface(b->host, 0, "eth0", 0, "10.0.0.1/24");
    b->sink = sink_open(b->host);
    for (size_t i = 0; i < sizeof(b->data); i++)
        b->data[i] = (uint8_t)(i + i / 256);
    net_record(b->net);
    return b;
}

static void bench_close(struct bench *b)
{
    net_destroy(b->net);
    sink_close(b->sink);
    free(b);
}

struct piece {
    uint32_t offset, length;
    bool more;
};

static void put_ecn(struct bench *b, uint16_t id, struct piece piece,
                    uint8_t tos)
{
    static uint8_t frame[70000];
    struct ipv4_header header = {.id = id,
                                 .tos = tos,
                                 .fragment_offset = (uint16_t)piece.offset,
                                 .more_fragments = piece.more,
                                 .protocol = SINK_PROTOCOL,
                                 .source = net_addr("10.0.0.2"),
                                 .destination = net_addr("10.0.0.1")};
    size_t length = ipv4_frame(frame, b->host->eth, &header,
                               b->data + piece.offset, piece.length);
    net_inject(b->host, b->host->eth, frame, length);
}

static void put(struct bench *b, uint16_t id, uint32_t offset, uint32_t length,
                bool more)
{
    put_ecn(b, id, (struct piece){offset, length, more}, 0);
}

static void check_whole(const struct bench *b, unsigned count, size_t length)
{
    CHECK_EQUAL(b->sink->count, count);
    CHECK_EQUAL(b->sink->length, length);
    CHECK(is_pattern(b->sink->bytes, length));
    CHECK(b->sink->flags & PACKET_REASSEMBLED);
}

// --- Order

static void swap(int *a, int *b)
{
    int c = *a;
    *a = *b;
    *b = c;
}

// Heap's algorithm; calls for each of the n! orders.
static void permute(struct bench *b, int *order, int n, uint16_t *id,
                    const struct piece *pieces, int count)
{
    if (n == 1) {
        ++*id;
        for (int i = 0; i < count; i++)
            put_ecn(b, *id, pieces[order[i]], 0);
        check_whole(b, *id, 5 * 16 + 3);
        return;
    }
    for (int i = 0; i < n; i++) {
        permute(b, order, n - 1, id, pieces, count);
        swap(&order[n % 2 == 0 ? i : 0], &order[n - 1]);
    }
}

static void every_order_of_fragments_gives_the_packet(void)
{
    static const struct piece pieces[] = {{0, 16, true},
                                          {16, 8, true},
                                          {24, 24, true},
                                          {48, 16, true},
                                          {64, 19, false}};
    struct bench *b = bench_open();
    int order[] = {0, 1, 2, 3, 4};
    uint16_t id = 0;
    permute(b, order, 5, &id, pieces, 5);
    CHECK_EQUAL(id, 120);
    CHECK_EQUAL(counts(b->host, COUNT_IP_REASSEMBLED), 120);
    CHECK_EQUAL(counts(b->host, COUNT_IP_FRAGMENTS_IN), 600);
    CHECK_EQUAL(stack_held(b->host->stack), 0);
    bench_close(b);
}

static void datagrams_are_told_apart_by_id_protocol_and_addresses(void)
{
    struct bench *b = bench_open();
    put(b, 1, 0, 8, true);
    put(b, 2, 0, 8, true);
    put(b, 2, 8, 8, false);
    check_whole(b, 1, 16);
    put(b, 1, 8, 16, false);
    check_whole(b, 2, 24);
    bench_close(b);
}

static void the_largest_packet_fits(void)
{
    struct bench *b = bench_open();
    uint32_t size = 65535 - 20, at = 0;
    for (; at + 1480 < size; at += 1480)
        put(b, 1, at, 1480, true);
    put(b, 1, at, size - at, false);
    check_whole(b, 1, size);
    bench_close(b);
}

static void the_header_of_the_whole_is_whole(void)
{
    struct bench *b = bench_open();
    // A protocol nobody has: the error quotes the header.
    uint8_t frame[128];
    for (int i = 0; i < 2; i++) {
        struct ipv4_header header = {.id = 9,
                                     .fragment_offset = (uint16_t)(i * 16),
                                     .more_fragments = i == 0,
                                     .protocol = 254,
                                     .source = net_addr("10.0.0.2"),
                                     .destination = net_addr("10.0.0.1")};
        size_t length =
            ipv4_frame(frame, b->host->eth, &header, b->data + i * 16, 16);
        net_inject(b->host, b->host->eth, frame, length);
    }
    struct ip_addr address = net_addr("10.0.0.2");
    struct mac_addr mac = {{2, 0, 0, 0, 0, 9}};
    stack_set_neighbour(b->host->eth, &address, &mac);
    struct ipv4_header error, quoted;
    const uint8_t *payload;
    size_t length;
    CHECK_FATAL(record_find(b->net, IP_PROTOCOL_ICMP, 0, &error, &payload,
                            &length) != NULL);
    CHECK_EQUAL(payload[0], ICMP4_UNREACHABLE);
    CHECK_EQUAL(payload[1], ICMP4_PROTOCOL_UNREACHABLE);
    CHECK_FATAL(ipv4_parse(payload + 8, length - 8, &quoted) == 20);
    CHECK_EQUAL(quoted.total_length, 20 + 32);
    CHECK(!quoted.more_fragments && quoted.fragment_offset == 0);
    bench_close(b);
}

// --- Overlap

enum { FIRST = 32, SIZE = 96 }; // [32, 64) is there; [0, 96) is the whole

static void check_overlap(uint32_t offset, uint32_t length)
{
    struct bench *b = bench_open();
    put(b, 1, FIRST, 32, true);
    put(b, 1, offset, length, true);
    bool is_same = offset == FIRST && length == 32;
    bool is_apart = offset + length <= FIRST || offset >= FIRST + 32;
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_DUPLICATE), is_same);
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_OVERLAP),
                is_same || is_apart ? 0 : 2);
    CHECK_EQUAL(stack_held(b->host->stack), is_same ? 1 : is_apart ? 2 : 0);
    if (!is_same && !is_apart) { // what is left of it is swallowed
        put(b, 1, 0, FIRST, true);
        put(b, 1, FIRST, 32, true);
        put(b, 1, 64, 32, false);
        CHECK_EQUAL(b->sink->count, 0);
        CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_OVERLAP), 5);
    }
    bench_close(b);
}

static void every_overlap_discards_the_datagram(void)
{
    for (uint32_t offset = 0; offset < SIZE; offset += 8)
        for (uint32_t length = 8; offset + length <= SIZE; length += 8)
            check_overlap(offset, length);
}

static void a_duplicate_with_other_bytes_is_an_overlap(void)
{
    struct bench *b = bench_open();
    put(b, 1, 0, 16, true);
    b->data[3]++;
    put(b, 1, 0, 16, true);
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_OVERLAP), 2);
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_DUPLICATE), 0);
    bench_close(b);
}

static void a_duplicate_of_any_fragment_does_no_harm(void)
{
    struct bench *b = bench_open();
    put(b, 1, 0, 16, true);
    put(b, 1, 0, 16, true);
    put(b, 1, 32, 5, false);
    put(b, 1, 32, 5, false);
    put(b, 1, 16, 16, true);
    check_whole(b, 1, 37);
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_DUPLICATE), 2);
    bench_close(b);
}

static void a_second_end_or_data_behind_the_end_discards_the_datagram(void)
{
    struct bench *b = bench_open();
    put(b, 1, 16, 8, false);
    put(b, 1, 32, 8, false);
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_OVERLAP), 2);
    put(b, 2, 16, 8, false);
    put(b, 2, 32, 8, true);
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_OVERLAP), 4);
    put(b, 3, 32, 8, true);
    put(b, 3, 16, 8, false);
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_OVERLAP), 6);
    put(b, 4, 16, 8, false);
    put(b, 4, 8, 16, true); // up to the end, and says that more follows
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_OVERLAP), 8);
    CHECK_EQUAL(stack_held(b->host->stack), 0);
    bench_close(b);
}

static void impossible_fragments_are_refused(void)
{
    struct bench *b = bench_open();
    put(b, 1, 0, 12, true);       // not a multiple of eight
    put(b, 1, 8, 0, true);        // empty
    put(b, 1, 65528, 200, false); // beyond 65535
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_BAD), 3);
    CHECK_EQUAL(stack_held(b->host->stack), 0);
    bench_close(b);
}

// --- Limits

static void over_the_budget_the_oldest_datagram_gives_way(void)
{
    struct bench *b = bench_open();
    b->settings.ip_reassembly_limit = 64 * 1024;
    for (uint16_t id = 0; id < 500; id++)
        put(b, id, 0, 1480, true);
    CHECK(drops(b->host, DROP_FRAGMENT_LIMIT) > 400);
    put(b, 0, 1480, 8, false); // long gone
    put(b, 499, 1480, 8, false);
    check_whole(b, 1, 1488);
    bench_close(b);
}

static void a_datagram_larger_than_the_budget_is_refused_alone(void)
{
    struct bench *b = bench_open();
    b->settings.ip_reassembly_limit = 20000;
    for (uint32_t at = 0; at < 40; at++)
        put(b, 1, at * 1480, 1480, true);
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_LIMIT), 40);
    CHECK_EQUAL(stack_held(b->host->stack), 0);
    put(b, 2, 0, 1480, true);
    put(b, 2, 1480, 8, false);
    check_whole(b, 1, 1488);
    bench_close(b);
}

static void tombstones_are_limited_too(void)
{
    struct bench *b = bench_open();
    for (uint32_t id = 0; id < 10000; id++) {
        put(b, (uint16_t)id, 0, 16, true);
        put(b, (uint16_t)id, 8, 16, true);
    }
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_OVERLAP), 20000);
    put(b, 0, 0, 16, true); // its tombstone is gone
    put(b, 0, 16, 16, false);
    check_whole(b, 1, 32);
    bench_close(b);
}

// --- Time

static void an_incomplete_packet_ends_and_its_sender_is_told(void)
{
    struct bench *b = bench_open();
    struct ip_addr address = net_addr("10.0.0.2");
    struct mac_addr mac = {{2, 0, 0, 0, 0, 9}};
    stack_set_neighbour(b->host->eth, &address, &mac);
    put(b, 1, 0, 1480, true);
    put(b, 1, 2960, 8, false);
    net_run(b->net, b->settings.ip_reassembly_timeout - 1);
    CHECK_EQUAL(stack_held(b->host->stack), 2);
    CHECK_EQUAL(b->net->record_count, 0);
    net_run(b->net, 1);
    CHECK_EQUAL(stack_held(b->host->stack), 0);
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_TIMEOUT), 2);
    struct ipv4_header header;
    const uint8_t *payload;
    size_t length;
    CHECK_FATAL(record_find(b->net, IP_PROTOCOL_ICMP, 0, &header, &payload,
                            &length) != NULL);
    CHECK_EQUAL(payload[0], ICMP4_TIME_EXCEEDED);
    CHECK_EQUAL(payload[1], ICMP_REASSEMBLY_TIMEOUT);
    CHECK_EQUAL(length, 576 - 20);
    bench_close(b);
}

static void without_the_first_fragment_nobody_is_told(void)
{
    struct bench *b = bench_open();
    put(b, 1, 1480, 1480, true);
    net_run(b->net, 60 * NS_PER_S);
    CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_TIMEOUT), 1);
    CHECK_EQUAL(b->net->record_count, 0);
    bench_close(b);
}

static void each_datagram_has_its_own_time(void)
{
    struct bench *b = bench_open();
    put(b, 1, 8, 8, true);
    net_run(b->net, 10 * NS_PER_S);
    put(b, 2, 8, 8, true);
    net_run(b->net, 20 * NS_PER_S);
    CHECK_EQUAL(stack_held(b->host->stack), 1);
    put(b, 2, 0, 8, true);
    put(b, 2, 16, 8, false);
    check_whole(b, 1, 24);
    bench_close(b);
}

static void an_interface_that_ends_takes_its_fragments_along(void)
{
    struct bench *b = bench_open();
    put(b, 1, 0, 8, true);
    iface_destroy(b->host->eth);
    b->net->wires[0].iface_count = 0;
    CHECK_EQUAL(stack_held(b->host->stack), 0);
    CHECK_EQUAL(drops(b->host, DROP_IFACE_DOWN), 1);
    bench_close(b);
}

static void fragments_held_at_the_end_are_counted(void)
{
    struct bench *b = bench_open();
    put(b, 1, 0, 8, true);
    put(b, 2, 0, 8, true);
    bench_close(b); // must()s that nothing is left
}

// --- ECN (RFC 3168 5.3)

static void check_ecn(uint8_t first, uint8_t second, int expected)
{
    struct bench *b = bench_open();
    put_ecn(b, 1, (struct piece){0, 8, true}, first);
    put_ecn(b, 1, (struct piece){8, 8, false}, second);
    CHECK_EQUAL(b->sink->count, expected >= 0);
    if (expected >= 0)
        CHECK_EQUAL(b->sink->ip.tos & 3, expected);
    else
        CHECK_EQUAL(drops(b->host, DROP_FRAGMENT_BAD), 2);
    bench_close(b);
}

static void a_mark_on_one_fragment_is_a_mark_on_the_packet(void)
{
    check_ecn(0, 0, 0);
    check_ecn(2, 2, 2);
    check_ecn(2, 3, 3);
    check_ecn(3, 2, 3);
    check_ecn(3, 0, -1);
    check_ecn(0, 3, -1);
}

static void a_failed_allocation_drops_the_packet_whole(void)
{
    struct bench *b = bench_open();
    put(b, 1, 0, 8, true);
    uint8_t frame[128];
    struct ipv4_header header = {.id = 1,
                                 .fragment_offset = 8,
                                 .protocol = SINK_PROTOCOL,
                                 .source = net_addr("10.0.0.2"),
                                 .destination = net_addr("10.0.0.1")};
    size_t length = ipv4_frame(frame, b->host->eth, &header, b->data + 8, 8);
    struct packet *last = net_packet(b->net, frame, length);
    packet_pool_fail_after(b->net->pool, 1);
    iface_input(b->host->eth, last);
    CHECK_EQUAL(b->sink->count, 0);
    CHECK_EQUAL(drops(b->host, DROP_NO_BUFFER), 2);
    CHECK_EQUAL(stack_held(b->host->stack), 0);
    bench_close(b);
}

const struct unit_test suite_reassembly[] = {
    UNIT(every_order_of_fragments_gives_the_packet),
    UNIT(datagrams_are_told_apart_by_id_protocol_and_addresses),
    UNIT(the_largest_packet_fits),
    UNIT(the_header_of_the_whole_is_whole),
    UNIT(every_overlap_discards_the_datagram),
    UNIT(a_duplicate_with_other_bytes_is_an_overlap),
    UNIT(a_duplicate_of_any_fragment_does_no_harm),
    UNIT(a_second_end_or_data_behind_the_end_discards_the_datagram),
    UNIT(impossible_fragments_are_refused),
    UNIT(over_the_budget_the_oldest_datagram_gives_way),
    UNIT(a_datagram_larger_than_the_budget_is_refused_alone),
    UNIT(tombstones_are_limited_too),
    UNIT(an_incomplete_packet_ends_and_its_sender_is_told),
    UNIT(without_the_first_fragment_nobody_is_told),
    UNIT(each_datagram_has_its_own_time),
    UNIT(an_interface_that_ends_takes_its_fragments_along),
    UNIT(fragments_held_at_the_end_are_counted),
    UNIT(a_mark_on_one_fragment_is_a_mark_on_the_packet),
    UNIT(a_failed_allocation_drops_the_packet_whole),
    {0}};
