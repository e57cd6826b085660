// IPv4 on the way in: what is taken, what is refused and why.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "stack/internal.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "tests/unit/ip_fixture.h"
#include "tests/unit/unit.h"

struct bench {
    struct net *net;
    struct net_host *host;
    struct sink *sink;
    uint8_t frame[2000];
    size_t length;
};

static struct bench *bench_open(void)
{
    struct bench *b = calloc(1, sizeof(*b));
    must(b);
    b->net = net_create(3);
    struct stack_config config = {.no_ipv6 = true};
    b->host = net_add_stack_config(b->net, "host", &config);
    net_add_iface(b->host, 0, "eth0", 0, "10.0.0.1/24");
    net_add_iface(b->host, 1, "eth1", 0, "10.0.1.1/31");
    b->sink = sink_open(b->host);
    net_record(b->net);
    return b;
}

static void bench_close(struct bench *b)
{
    net_destroy(b->net);
    sink_close(b->sink);
    free(b);
}

static void build(struct bench *b, const char *source, const char *destination,
                  const uint8_t *options, uint8_t options_size)
{
    static const uint8_t payload[] = "thirty-two bytes of a payload...";
    struct ipv4_header header = {.header_length = (uint8_t)(20 + options_size),
                                 .id = 1,
                                 .tos = 0x12,
                                 .protocol = SINK_PROTOCOL,
                                 .source = net_addr(source),
                                 .destination = net_addr(destination),
                                 .options = options};
    b->length = ipv4_frame(b->frame, b->host->eth, &header, payload, 32);
}

static void put(struct bench *b)
{
    net_inject(b->host, b->host->eth, b->frame, b->length);
}

static void put_between(struct bench *b, const char *source,
                        const char *destination)
{
    build(b, source, destination, NULL, 0);
    put(b);
}

static void a_packet_for_us_is_delivered_as_it_came(void)
{
    struct bench *b = bench_open();
    put_between(b, "10.0.0.2", "10.0.0.1");
    CHECK_EQUAL(b->sink->count, 1);
    CHECK_EQUAL(b->sink->length, 32);
    CHECK_EQUAL(b->sink->ip.tos, 0x12);
    CHECK_EQUAL(b->sink->ip.ttl, 64);
    struct ip_addr source = net_addr("10.0.0.2");
    CHECK(ip_addr_equal(&b->sink->ip.source, &source));
    CHECK_EQUAL(counts(b->host, COUNT_DELIVERED), 1);
    bench_close(b);
}

static void padding_of_the_link_is_cut_off(void)
{
    struct bench *b = bench_open();
    build(b, "10.0.0.2", "10.0.0.1", NULL, 0);
    memset(b->frame + b->length, 0xee, 20);
    b->length += 20;
    put(b);
    CHECK_EQUAL(b->sink->count, 1);
    CHECK_EQUAL(b->sink->length, 32);
    bench_close(b);
}

static void mend_checksum(struct bench *b)
{
    uint8_t *header = b->frame + 14;
    put_be16(header + 10, 0);
    put_be16(header + 10,
             checksum_finish(checksum_add(0, header, (header[0] & 15) * 4u)));
}

static void broken_headers_are_counted_by_what_is_wrong(void)
{
    struct bench *b = bench_open();
    build(b, "10.0.0.2", "10.0.0.1", NULL, 0);
    b->frame[14 + 8]++; // TTL without checksum
    put(b);
    CHECK_EQUAL(drops(b->host, DROP_IP_BAD_CHECKSUM), 1);
    build(b, "10.0.0.2", "10.0.0.1", NULL, 0);
    b->frame[14] = 0x44; // a header of 16 bytes
    mend_checksum(b);
    put(b);
    build(b, "10.0.0.2", "10.0.0.1", NULL, 0);
    b->frame[14] = 0x65; // version 6
    put(b);
    build(b, "10.0.0.2", "10.0.0.1", NULL, 0);
    b->length--; // shorter than it says
    put(b);
    build(b, "10.0.0.2", "10.0.0.1", NULL, 0);
    b->length = 14 + 19;
    put(b);
    CHECK_EQUAL(drops(b->host, DROP_IP_BAD_HEADER), 4);
    b->length = 13;
    put(b);
    CHECK_EQUAL(drops(b->host, DROP_LINK_TOO_SHORT), 1);
    CHECK_EQUAL(b->sink->count, 0);
    bench_close(b);
}

static void martian_sources_are_dropped(void)
{
    static const char *const sources[] = {
        "224.0.0.1",  "255.255.255.255", "240.0.0.1",
        "127.0.0.1",  "0.1.2.3",         "10.0.0.1", // ourselves
        "10.0.0.255", "10.0.1.1", // ourselves on the other side
        "0.0.0.0",
    };
    struct bench *b = bench_open();
    for (size_t i = 0; i < ARRAY_LENGTH(sources); i++) {
        put_between(b, sources[i], "10.0.0.1");
        CHECK_EQUAL(drops(b->host, DROP_IP_BAD_SOURCE), i + 1);
    }
    CHECK_EQUAL(b->sink->count, 0);
    // A host without an address may broadcast.
    put_between(b, "0.0.0.0", "255.255.255.255");
    CHECK_EQUAL(b->sink->count, 1);
    bench_close(b);
}

static void loopback_and_null_destinations_do_not_come_by_wire(void)
{
    struct bench *b = bench_open();
    put_between(b, "10.0.0.2", "127.0.0.1");
    put_between(b, "10.0.0.2", "127.7.7.7");
    put_between(b, "10.0.0.2", "0.0.0.0");
    CHECK_EQUAL(drops(b->host, DROP_IP_BAD_DESTINATION), 3);
    bench_close(b);
}

static void a_host_does_not_forward(void)
{
    struct bench *b = bench_open();
    put_between(b, "10.0.0.2", "10.0.0.3");
    put_between(b, "10.0.0.2", "8.8.8.8");
    put_between(b, "10.0.0.2", "224.0.0.5");
    put_between(b, "10.0.0.2", "10.0.1.255"); // not a broadcast of ours
    CHECK_EQUAL(drops(b->host, DROP_IP_NOT_LOCAL), 3);
    CHECK_EQUAL(drops(b->host, DROP_IP_NOT_OUR_GROUP), 1);
    bench_close(b);
}

static void groups_and_broadcasts_that_are_ours_are_delivered(void)
{
    struct bench *b = bench_open();
    put_between(b, "10.0.0.2", "224.0.0.1");
    put_between(b, "10.0.0.2", "255.255.255.255");
    put_between(b, "10.0.0.2", "10.0.0.255");
    CHECK_EQUAL(b->sink->count, 3);
    struct ip_addr group = net_addr("224.0.0.5");
    CHECK_EQUAL(iface_join_group(b->host->eth, &group), 0);
    put_between(b, "10.0.0.2", "224.0.0.5");
    CHECK_EQUAL(b->sink->count, 4);
    iface_leave_group(b->host->eth, &group);
    put_between(b, "10.0.0.2", "224.0.0.5");
    CHECK_EQUAL(b->sink->count, 4);
    bench_close(b);
}

static void the_peer_of_a_31_is_not_a_broadcast_address(void)
{
    struct bench *b = bench_open();
    struct ip_addr peer = net_addr("10.0.1.0"), other = net_addr("10.0.1.1");
    struct iface *eth1 = iface_find(b->host->stack, "eth1");
    CHECK(!iface_is_broadcast(eth1, &peer));
    CHECK(!iface_is_broadcast(eth1, &other));
    CHECK_EQUAL(ip_send(b->host, "10.0.1.0", 10, 0), 0);
    CHECK_EQUAL(record_count(b->net, ETHERTYPE_ARP), 1);
    bench_close(b);
}

static void unicast_in_a_broadcast_frame_is_dropped(void)
{
    struct bench *b = bench_open();
    build(b, "10.0.0.2", "10.0.0.1", NULL, 0);
    memset(b->frame, 0xff, 6);
    put(b);
    CHECK_EQUAL(drops(b->host, DROP_IP_LINK_BROADCAST), 1);
    build(b, "10.0.0.2", "10.0.0.1", NULL, 0);
    b->frame[0] = 1;
    put(b);
    CHECK_EQUAL(drops(b->host, DROP_IP_LINK_BROADCAST), 2);
    build(b, "10.0.0.2", "10.0.0.255", NULL, 0);
    memset(b->frame, 0xff, 6);
    put(b);
    CHECK_EQUAL(b->sink->count, 1);
    bench_close(b);
}

static void frames_for_others_and_unknown_types_are_counted(void)
{
    struct bench *b = bench_open();
    build(b, "10.0.0.2", "10.0.0.1", NULL, 0);
    b->frame[5] ^= 0x40;
    put(b);
    CHECK_EQUAL(drops(b->host, DROP_LINK_NOT_FOR_US), 1);
    build(b, "10.0.0.2", "10.0.0.1", NULL, 0);
    put_be16(b->frame + 12, 0x88cc);
    put(b);
    put_be16(b->frame + 12, ETHERTYPE_IPV6); // not on this host
    put(b);
    put_be16(b->frame + 12, 100); // a length: IEEE 802.3
    put(b);
    CHECK_EQUAL(drops(b->host, DROP_LINK_UNKNOWN_TYPE), 3);
    bench_close(b);
}

static void options_are_skipped_but_for_source_routes(void)
{
    static const uint8_t harmless[] = {1, 7, 7, 4, 0, 0, 0, 0};
    static const uint8_t unknown[] = {0x5e, 4, 1, 2};
    static const uint8_t loose[] = {131, 3, 4, 0}, strict[] = {137, 3, 4, 0};
    static const uint8_t hidden[] = {1, 1, 0x44, 4, 5, 0, 131, 2};
    struct bench *b = bench_open();
    build(b, "10.0.0.2", "10.0.0.1", harmless, 8);
    put(b);
    build(b, "10.0.0.2", "10.0.0.1", unknown, 4);
    put(b);
    CHECK_EQUAL(b->sink->count, 2);
    CHECK_EQUAL(b->sink->length, 32);
    build(b, "10.0.0.2", "10.0.0.1", loose, 4);
    put(b);
    build(b, "10.0.0.2", "10.0.0.1", strict, 4);
    put(b);
    build(b, "10.0.0.2", "10.0.0.1", hidden, 8);
    put(b);
    CHECK_EQUAL(drops(b->host, DROP_IP_BAD_OPTION), 3);
    CHECK_EQUAL(counts(b->host, COUNT_ICMP_OUT), 0);
    bench_close(b);
}

static void a_malformed_option_is_a_parameter_problem(void)
{
    static const uint8_t options[][4] = {
        {7, 0, 0, 0}, {7, 1, 0, 0}, {7, 5, 0, 0}, {1, 1, 1, 7}};
    static const uint8_t pointers[] = {20, 20, 20, 23};
    struct bench *b = bench_open();
    struct ip_addr address = net_addr("10.0.0.2");
    struct mac_addr mac = {{2, 0, 0, 0, 0, 9}};
    stack_set_neighbour(b->host->eth, &address, &mac);
    for (unsigned i = 0; i < ARRAY_LENGTH(options); i++) {
        build(b, "10.0.0.2", "10.0.0.1", options[i], 4);
        put(b);
        struct ipv4_header header;
        const uint8_t *payload;
        size_t length;
        CHECK_FATAL(record_find(b->net, IP_PROTOCOL_ICMP, i, &header, &payload,
                                &length) != NULL);
        CHECK_EQUAL(payload[0], ICMP4_PARAMETER_PROBLEM);
        CHECK_EQUAL(payload[4], pointers[i]);
    }
    CHECK_EQUAL(drops(b->host, DROP_IP_BAD_OPTION), 4);
    bench_close(b);
}

static void an_unknown_protocol_is_answered(void)
{
    struct bench *b = bench_open();
    struct ipv4_header header = {.protocol = 254,
                                 .source = net_addr("10.0.0.2"),
                                 .destination = net_addr("10.0.0.1")};
    b->length = ipv4_frame(b->frame, b->host->eth, &header, "x", 1);
    put(b);
    CHECK_EQUAL(drops(b->host, DROP_IP_UNKNOWN_PROTOCOL), 1);
    CHECK_EQUAL(counts(b->host, COUNT_ICMP_OUT), 1);
    bench_close(b);
}

static void an_address_of_another_interface_is_ours_too(void)
{
    struct bench *b = bench_open();
    put_between(b, "10.0.0.2", "10.0.1.1");
    CHECK_EQUAL(b->sink->count, 1);
    bench_close(b);
}

static void a_down_interface_takes_nothing(void)
{
    struct bench *b = bench_open();
    iface_set_up(b->host->eth, false);
    put_between(b, "10.0.0.2", "10.0.0.1");
    CHECK_EQUAL(drops(b->host, DROP_IFACE_DOWN), 1);
    CHECK_EQUAL(b->sink->count, 0);
    bench_close(b);
}

const struct unit_test suite_ipv4_input[] = {
    UNIT(a_packet_for_us_is_delivered_as_it_came),
    UNIT(padding_of_the_link_is_cut_off),
    UNIT(broken_headers_are_counted_by_what_is_wrong),
    UNIT(martian_sources_are_dropped),
    UNIT(loopback_and_null_destinations_do_not_come_by_wire),
    UNIT(a_host_does_not_forward),
    UNIT(groups_and_broadcasts_that_are_ours_are_delivered),
    UNIT(the_peer_of_a_31_is_not_a_broadcast_address),
    UNIT(unicast_in_a_broadcast_frame_is_dropped),
    UNIT(frames_for_others_and_unknown_types_are_counted),
    UNIT(options_are_skipped_but_for_source_routes),
    UNIT(a_malformed_option_is_a_parameter_problem),
    UNIT(an_unknown_protocol_is_answered),
    UNIT(an_address_of_another_interface_is_ours_too),
    UNIT(a_down_interface_takes_nothing),
    {0}};
