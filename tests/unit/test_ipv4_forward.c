// IPv4 through routers: TTL, checksum, fragments, errors.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/internal.h"
#include "stack/net/path_mtu.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "tests/unit/ip_fixture.h"
#include "tests/unit/unit.h"

//  a ---wire 0--- r ---wire 1--- b        (r: eth1 has its own MTU)
struct bench {
    struct stack_settings forwarding, hosts;
    struct net *net;
    struct net_host *a, *r, *b;
    struct sink *at_a, *at_b;
};

static struct bench *bench_open(uint32_t mtu)
{
    struct bench *t = calloc(1, sizeof(*t));
    must(t);
    t->hosts = t->forwarding = stack_settings_default;
    t->forwarding.ip_forward = 1;
    t->net = net_create(5);
    struct stack_config host = {.settings = &t->hosts, .no_ipv6 = true};
    struct stack_config router = {.settings = &t->forwarding, .no_ipv6 = true};
    t->a = net_add_stack_config(t->net, "a", &host);
    t->r = net_add_stack_config(t->net, "r", &router);
    t->b = net_add_stack_config(t->net, "b", &host);
    net_add_iface(t->a, 0, "eth0", 0, "10.0.0.1/24");
    net_add_iface(t->r, 0, "eth0", 0, "10.0.0.254/24");
    net_add_iface(t->r, 1, "eth1", mtu, "10.0.1.254/24");
    net_add_iface(t->b, 1, "eth0", mtu, "10.0.1.1/24");
    net_add_route(t->a, "0.0.0.0/0", "10.0.0.254");
    net_add_route(t->b, "0.0.0.0/0", "10.0.1.254");
    t->at_a = sink_open(t->a);
    t->at_b = sink_open(t->b);
    net_record(t->net);
    return t;
}

static void bench_close(struct bench *t)
{
    net_destroy(t->net);
    sink_close(t->at_a);
    sink_close(t->at_b);
    free(t);
}

static void a_router_decrements_ttl_and_keeps_the_checksum_right(void)
{
    struct bench *t = bench_open(1500);
    CHECK_EQUAL(ip_send(t->a, "10.0.1.1", 100, 0), 0);
    net_run(t->net, NS_PER_S);
    CHECK_EQUAL(t->at_b->count, 1);
    CHECK(is_pattern(t->at_b->bytes, 100));
    CHECK_EQUAL(t->at_b->ip.ttl, 63);
    struct ipv4_header before, after;
    const uint8_t *payload;
    size_t length;
    // record_find refuses headers whose checksum is wrong.
    CHECK_FATAL(record_find(t->net, SINK_PROTOCOL, 0, &before, &payload,
                            &length) != NULL);
    CHECK_FATAL(record_find(t->net, SINK_PROTOCOL, 1, &after, &payload,
                            &length) != NULL);
    CHECK_EQUAL(before.ttl, 64);
    CHECK_EQUAL(after.ttl, 63);
    CHECK_EQUAL(before.id, after.id);
    CHECK_EQUAL(counts(t->r, COUNT_IP_FORWARDED), 1);
    CHECK_EQUAL(counts(t->r, COUNT_DELIVERED) + counts(t->r, COUNT_LINK_OUT),
                counts(t->r, COUNT_LINK_IN) + counts(t->r, COUNT_CREATED));
    bench_close(t);
}

static void every_checksum_survives_the_decrement(void)
{
    struct bench *t = bench_open(1500);
    struct ip_addr b_address = net_addr("10.0.1.1");
    struct mac_addr mac = iface_mac(t->b->eth);
    struct iface *eth1 = iface_find(t->r->stack, "eth1");
    CHECK_EQUAL(stack_set_neighbour(eth1, &b_address, &mac), 0);
    uint8_t frame[64];
    for (uint32_t id = 0; id < 65536; id += 7) {
        struct ipv4_header header = {.id = (uint16_t)id,
                                     .ttl = 2,
                                     .protocol = SINK_PROTOCOL,
                                     .source = net_addr("10.0.0.1"),
                                     .destination = b_address};
        size_t length = ipv4_frame(frame, t->r->eth, &header, "12345678", 8);
        net_inject(t->r, t->r->eth, frame, length);
        net_run(t->net, NS_PER_MS);
    }
    CHECK_EQUAL(t->at_b->count, 9363);
    CHECK_EQUAL(drops(t->b, DROP_IP_BAD_CHECKSUM), 0);
    bench_close(t);
}

static void ping_through_a_router(struct bench *t, size_t size)
{
    net_record(t->net);
    CHECK_EQUAL(ping(t->a, "10.0.1.1", size), 0);
    net_run(t->net, NS_PER_S);
}

static void pings_of_every_size_come_back(void)
{
    static const size_t sizes[] = {0, 1, 56, 1472, 1473, 8000, 65507};
    struct bench *t = bench_open(600);
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++)
        ping_through_a_router(t, sizes[i]);
    CHECK_EQUAL(counts(t->b, COUNT_ICMP_ECHO_IN), 7);
    CHECK_EQUAL(counts(t->a, COUNT_ICMP_IN), 7);
    CHECK_EQUAL(drops(t->a, DROP_ICMP_UNWANTED), 7); // nobody listens for them
    CHECK_EQUAL(drops(t->a, DROP_ICMP_BAD_CHECKSUM), 0);
    bench_close(t);
}

// --- Errors

// The n-th ICMP message on the wires, whose quotation is `quoted`.
static void check_error(struct bench *t, unsigned n, uint8_t type, uint8_t code,
                        const char *from, struct icmp_header *out)
{
    struct ipv4_header header, quoted;
    const uint8_t *payload;
    size_t length;
    CHECK_FATAL(record_find(t->net, IP_PROTOCOL_ICMP, n, &header, &payload,
                            &length) != NULL);
    CHECK_EQUAL(payload[0], type);
    CHECK_EQUAL(payload[1], code);
    CHECK(icmp_checksum_is_good(payload, length, NULL, NULL));
    CHECK(header.total_length <= 576);
    struct ip_addr reporter = net_addr(from);
    CHECK(ip_addr_equal(&header.source, &reporter));
    CHECK_FATAL(ipv4_parse_quoted(payload + 8, length - 8, &quoted) == 20);
    CHECK_EQUAL(quoted.protocol, SINK_PROTOCOL);
    // As it came: with the TTL it had and the checksum that goes with it.
    CHECK_EQUAL(checksum_finish(checksum_add(0, payload + 8, 20)), 0);
    icmp_parse(payload, length, out);
}

static int send_with_ttl(struct bench *t, uint8_t ttl)
{
    struct ip_addr to = net_addr("10.0.1.1");
    struct ip_path path;
    struct packet *packet;
    stack_enter(t->a->stack);
    CHECK_FATAL(ip_path_find(t->a->stack, NULL, &to, NULL, &path) == 0);
    CHECK_FATAL(ip_prepare(t->a->stack, &path, SINK_PROTOCOL, 0, ttl, 0, 1000,
                           &packet) == 0);
    memset(packet_put(packet, 1000), 7, 1000);
    int error = ip_output(t->a->stack, &path, packet);
    stack_leave(t->a->stack);
    return error;
}

static void a_packet_whose_ttl_ends_is_reported(void)
{
    struct bench *t = bench_open(1500);
    struct icmp_header icmp;
    send_with_ttl(t, 1);
    net_run(t->net, NS_PER_S);
    check_error(t, 0, ICMP4_TIME_EXCEEDED, ICMP_TTL_EXCEEDED, "10.0.0.254",
                &icmp);
    CHECK_EQUAL(drops(t->r, DROP_IP_TTL_EXCEEDED), 1);
    CHECK_EQUAL(t->at_a->errors, 1);
    CHECK_EQUAL(t->at_a->error.kind, ICMP_ERROR_TTL_EXCEEDED);
    CHECK_EQUAL(t->at_a->error.error, -EHOSTUNREACH);
    CHECK_EQUAL(t->at_a->error.transport_length, 576 - 20 - 8 - 20);
    send_with_ttl(t, 2);
    net_run(t->net, NS_PER_S);
    CHECK_EQUAL(t->at_b->count, 1);
    CHECK_EQUAL(t->at_b->ip.ttl, 1);
    bench_close(t);
}

static void no_route_and_no_neighbour_are_reported(void)
{
    struct bench *t = bench_open(1500);
    struct icmp_header icmp;
    ip_send(t->a, "192.168.0.1", 100, 0);
    net_run(t->net, NS_PER_S);
    check_error(t, 0, ICMP4_UNREACHABLE, ICMP4_NET_UNREACHABLE, "10.0.0.254",
                &icmp);
    CHECK_EQUAL(t->at_a->error.error, -ENETUNREACH);
    ip_send(t->a, "10.0.1.77", 100, 0);
    ip_send(t->a, "10.0.1.77", 100, 0);
    net_run(t->net, 10 * NS_PER_S);
    check_error(t, 1, ICMP4_UNREACHABLE, ICMP4_HOST_UNREACHABLE, "10.0.0.254",
                &icmp);
    CHECK_EQUAL(drops(t->r, DROP_NEIGHBOUR_FAILED), 2);
    CHECK_EQUAL(t->at_a->errors, 3);
    CHECK_EQUAL(t->at_a->error.error, -EHOSTUNREACH);
    bench_close(t);
}

static void too_big_with_df_is_reported_with_the_mtu_and_learnt(void)
{
    struct bench *t = bench_open(1000);
    struct icmp_header icmp;
    struct ip_addr to = net_addr("10.0.1.1");
    ip_send(t->a, "10.0.1.1", 1400, PACKET_DONT_FRAGMENT);
    net_run(t->net, NS_PER_S);
    check_error(t, 0, ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED,
                "10.0.0.254", &icmp);
    CHECK_EQUAL(icmp.rest, 1000);
    CHECK_EQUAL(t->at_a->error.kind, ICMP_ERROR_TOO_BIG);
    CHECK_EQUAL(t->at_a->error.mtu, 1000);
    CHECK_EQUAL(path_mtu_find(t->a->stack, &to, 1500), 1000);
    // Now the sender knows.
    CHECK_EQUAL(ip_send(t->a, "10.0.1.1", 1400, PACKET_DONT_FRAGMENT),
                -EMSGSIZE);
    CHECK_EQUAL(ip_send(t->a, "10.0.1.1", 980, PACKET_DONT_FRAGMENT), 0);
    CHECK_EQUAL(ip_send(t->a, "10.0.1.1", 1400, 0), 0);
    net_run(t->net, NS_PER_S);
    CHECK_EQUAL(t->at_b->count, 2);
    CHECK_EQUAL(counts(t->r, COUNT_IP_FRAGMENTS_OUT), 0);
    CHECK_EQUAL(counts(t->a, COUNT_IP_FRAGMENTS_OUT), 2);
    bench_close(t);
}

// --- Fragments

static void a_router_fragments_what_does_not_forbid_it(void)
{
    struct bench *t = bench_open(500);
    ip_send(t->a, "10.0.1.1", 1400, 0);
    net_run(t->net, NS_PER_S);
    CHECK_EQUAL(t->at_b->count, 1);
    CHECK_EQUAL(t->at_b->length, 1400);
    CHECK(is_pattern(t->at_b->bytes, 1400));
    CHECK_EQUAL(counts(t->r, COUNT_IP_FRAGMENTS_OUT), 3);
    unsigned at = 0;
    for (unsigned n = 1; n <= 3; n++) {
        struct ipv4_header header;
        const uint8_t *payload;
        size_t length;
        CHECK_FATAL(record_find(t->net, SINK_PROTOCOL, n, &header, &payload,
                                &length) != NULL);
        CHECK_EQUAL(header.fragment_offset, at);
        CHECK_EQUAL(header.more_fragments, n < 3);
        CHECK(header.total_length <= 500);
        CHECK_EQUAL(header.ttl, 63);
        at += (unsigned)length;
    }
    CHECK_EQUAL(at, 1400);
    bench_close(t);
}

static void fragments_of_fragments_keep_their_place(void)
{
    struct bench *t = bench_open(300);
    ip_send(t->a, "10.0.1.1", 5000, 0); // four fragments already
    net_run(t->net, NS_PER_S);
    CHECK_EQUAL(t->at_b->count, 1);
    CHECK_EQUAL(t->at_b->length, 5000);
    CHECK(is_pattern(t->at_b->bytes, 5000));
    bench_close(t);
}

static void only_options_with_the_copied_flag_go_into_every_fragment(void)
{
    struct bench *t = bench_open(300);
    // Security (copied), record route (not), router alert (copied).
    static const uint8_t options[] = {130, 3, 9, 7, 3, 4, 148, 4, 0, 0, 0, 0};
    static const uint8_t copied[] = {130, 3, 9, 148, 4, 0, 0, 0};
    uint8_t frame[800], payload[600] = {0};
    struct ipv4_header header = {.header_length = 32,
                                 .protocol = SINK_PROTOCOL,
                                 .source = net_addr("10.0.0.1"),
                                 .destination = net_addr("10.0.1.1"),
                                 .options = options};
    size_t length =
        ipv4_frame(frame, t->r->eth, &header, payload, sizeof(payload));
    net_inject(t->r, t->r->eth, frame, length);
    net_run(t->net, NS_PER_S);
    CHECK_EQUAL(t->at_b->count, 1);
    CHECK_EQUAL(t->at_b->length, 600);
    for (unsigned n = 0; n < 3; n++) {
        struct ipv4_header got;
        const uint8_t *bytes;
        size_t size;
        CHECK_FATAL(
            record_find(t->net, SINK_PROTOCOL, n, &got, &bytes, &size) != NULL);
        CHECK_EQUAL(got.header_length, n == 0 ? 32 : 28);
        CHECK_BYTES(got.options, n == 0 ? options : copied, n == 0 ? 12 : 8);
    }
    bench_close(t);
}

static void a_fragmentation_that_lacks_a_buffer_sends_nothing(void)
{
    for (unsigned n = 1; n <= 3; n++) {
        struct bench *t = bench_open(1500);
        ip_send(t->a, "10.0.0.254", 10, 0);
        net_run(t->net, NS_PER_S);
        net_record(t->net);
        packet_pool_fail_after(t->net->pool, n);
        CHECK_EQUAL(ip_send(t->a, "10.0.0.254", 4000, 0), -ENOBUFS);
        packet_pool_fail_after(t->net->pool, 0);
        CHECK_EQUAL(t->net->record_count, 0);
        CHECK_EQUAL(drops(t->a, DROP_NO_BUFFER), n - 1);
        bench_close(t);
    }
}

// --- What is not forwarded

static void inject_at_router(struct bench *t, const char *source,
                             const char *destination, bool is_broadcast)
{
    uint8_t frame[128];
    struct ipv4_header header = {.protocol = SINK_PROTOCOL,
                                 .source = net_addr(source),
                                 .destination = net_addr(destination)};
    size_t length = ipv4_frame(frame, t->r->eth, &header, "x", 1);
    if (is_broadcast)
        memset(frame, 0xff, 6);
    net_inject(t->r, t->r->eth, frame, length);
}

static void some_destinations_and_sources_are_not_forwarded(void)
{
    struct bench *t = bench_open(1500);
    inject_at_router(t, "10.0.0.1", "169.254.1.1", false);
    inject_at_router(t, "169.254.1.1", "10.0.1.1", false);
    inject_at_router(t, "10.0.0.1", "240.0.0.1", false);
    inject_at_router(t, "10.0.0.1", "10.0.1.255", false); // RFC 2644
    CHECK_EQUAL(drops(t->r, DROP_IP_BAD_DESTINATION), 4);
    inject_at_router(t, "10.0.0.1", "224.0.0.9", false);
    CHECK_EQUAL(drops(t->r, DROP_IP_NOT_OUR_GROUP), 1);
    inject_at_router(t, "10.0.0.1", "10.0.1.1", true);
    CHECK_EQUAL(drops(t->r, DROP_IP_LINK_BROADCAST), 1);
    net_run(t->net, NS_PER_S);
    CHECK_EQUAL(counts(t->r, COUNT_IP_FORWARDED), 0);
    CHECK_EQUAL(counts(t->r, COUNT_ICMP_OUT), 0);
    bench_close(t);
}

static void a_frame_shared_by_two_receivers_is_copied_before_it_changes(void)
{
    struct bench *t = bench_open(1500);
    ping_through_a_router(t, 10); // neighbours are known now
    uint8_t frame[128];
    struct ipv4_header header = {.protocol = SINK_PROTOCOL,
                                 .source = net_addr("10.0.0.1"),
                                 .destination = net_addr("10.0.1.1")};
    size_t length = ipv4_frame(frame, t->r->eth, &header, "abc", 3);
    struct packet *packet = net_packet(t->net, frame, length);
    struct packet *clone = packet_clone(packet);
    CHECK_FATAL(clone != NULL);
    iface_input(t->r->eth, clone);
    net_run(t->net, NS_PER_S);
    CHECK_EQUAL(t->at_b->count, 1);
    CHECK_BYTES(packet->data, frame, length);
    packet_free(packet);
    bench_close(t);
}

const struct unit_test suite_ipv4_forward[] = {
    UNIT(a_router_decrements_ttl_and_keeps_the_checksum_right),
    UNIT(every_checksum_survives_the_decrement),
    UNIT(pings_of_every_size_come_back),
    UNIT(a_packet_whose_ttl_ends_is_reported),
    UNIT(no_route_and_no_neighbour_are_reported),
    UNIT(too_big_with_df_is_reported_with_the_mtu_and_learnt),
    UNIT(a_router_fragments_what_does_not_forbid_it),
    UNIT(fragments_of_fragments_keep_their_place),
    UNIT(only_options_with_the_copied_flag_go_into_every_fragment),
    UNIT(a_fragmentation_that_lacks_a_buffer_sends_nothing),
    UNIT(some_destinations_and_sources_are_not_forwarded),
    UNIT(a_frame_shared_by_two_receivers_is_copied_before_it_changes),
    {0}};
