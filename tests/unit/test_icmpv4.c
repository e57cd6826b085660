// ICMP for IPv4: echo, errors heard, errors sent.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/internal.h"
#include "stack/wire/bytes.h"
#include "tests/unit/ip_fixture.h"
#include "tests/unit/unit.h"

struct bench {
    struct stack_settings settings;
    struct net *net;
    struct net_host *host;
    struct sink *sink;
    uint8_t frame[2000];
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
    struct ip_addr peer = net_addr("10.0.0.2");
    struct mac_addr mac = {{2, 0, 0, 0, 0, 9}};
    must(stack_set_neighbour(b->host->eth, &peer, &mac) == 0);
    net_record(b->net);
    return b;
}

static void bench_close(struct bench *b)
{
    net_destroy(b->net);
    sink_close(b->sink);
    free(b);
}

static void inject(struct bench *b, const struct ipv4_header *header,
                   const void *payload, size_t length)
{
    size_t size = ipv4_frame(b->frame, b->host->eth, header, payload, length);
    net_inject(b->host, b->host->eth, b->frame, size);
}

static struct ipv4_header from_peer(uint8_t protocol)
{
    return (struct ipv4_header){.protocol = protocol,
                                .source = net_addr("10.0.0.2"),
                                .destination = net_addr("10.0.0.1")};
}

// The last message sent; its length, 0: none.
static size_t last_message(struct bench *b, const uint8_t **out,
                           struct ipv4_header *header)
{
    size_t length = 0;
    unsigned n = 0;
    while (record_find(b->net, IP_PROTOCOL_ICMP, n, header, out, &length))
        n++;
    if (n == 0)
        return 0;
    record_find(b->net, IP_PROTOCOL_ICMP, n - 1, header, out, &length);
    CHECK(icmp_checksum_is_good(*out, length, NULL, NULL));
    return length;
}

// --- Echo

static size_t echo_message(uint8_t *out, uint8_t type, size_t data)
{
    struct icmp_header icmp = {.type = type, .rest = 0xabcd0007};
    icmp_emit(&icmp, out);
    for (size_t i = 0; i < data; i++)
        out[8 + i] = (uint8_t)(i * 3);
    icmp_fill_checksum(out, 8 + data, NULL, NULL);
    return 8 + data;
}

static void an_echo_request_is_answered_in_place(void)
{
    struct bench *b = bench_open();
    uint8_t request[108];
    size_t size = echo_message(request, ICMP4_ECHO, 100);
    struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP);
    header.tos = 0xbb;
    header.ttl = 9;
    uint64_t allocated = packet_pool_get_stats(b->net->pool).allocated;
    inject(b, &header, request, size);
    CHECK_EQUAL(packet_pool_get_stats(b->net->pool).allocated, allocated + 1);

    const uint8_t *reply;
    CHECK_FATAL(last_message(b, &reply, &header) == size);
    CHECK_EQUAL(reply[0], ICMP4_ECHO_REPLY);
    CHECK_BYTES(reply + 4, request + 4, size - 4);
    CHECK_EQUAL(header.ttl, 64);
    CHECK_EQUAL(header.tos, 0xb8); // without ECN
    CHECK(!header.dont_fragment);
    struct ip_addr peer = net_addr("10.0.0.2");
    CHECK(ip_addr_equal(&header.destination, &peer));
    CHECK_EQUAL(counts(b->host, COUNT_ICMP_ECHO_IN), 1);
    bench_close(b);
}

static void the_answer_has_an_id_of_its_own(void)
{
    struct bench *b = bench_open();
    uint64_t created = counts(b->host, COUNT_CREATED);
    uint8_t request[16];
    size_t size = echo_message(request, ICMP4_ECHO, 8);
    struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP);
    inject(b, &header, request, size);
    CHECK_EQUAL(counts(b->host, COUNT_CREATED), created + 1);
    CHECK_EQUAL(counts(b->host, COUNT_DELIVERED), 1);
    bench_close(b);
}

static void an_echo_of_everyone_is_answered_only_when_asked_for(void)
{
    struct bench *b = bench_open();
    uint8_t request[16];
    const uint8_t *reply;
    size_t size = echo_message(request, ICMP4_ECHO, 8);
    struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP), got;
    header.destination = net_addr("10.0.0.255");
    inject(b, &header, request, size);
    header.destination = net_addr("224.0.0.1");
    inject(b, &header, request, size);
    CHECK_EQUAL(last_message(b, &reply, &got), 0);
    CHECK_EQUAL(drops(b->host, DROP_ICMP_UNWANTED), 2);
    b->settings.ip_accept_broadcast_echo = 1;
    inject(b, &header, request, size);
    CHECK_EQUAL(last_message(b, &reply, &got), size);
    struct ip_addr ours = net_addr("10.0.0.1");
    CHECK(ip_addr_equal(&got.source, &ours));
    bench_close(b);
}

static void bad_messages_are_counted(void)
{
    struct bench *b = bench_open();
    uint8_t request[16];
    size_t size = echo_message(request, ICMP4_ECHO, 8);
    struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP);
    request[9] ^= 1;
    inject(b, &header, request, size);
    CHECK_EQUAL(drops(b->host, DROP_ICMP_BAD_CHECKSUM), 1);
    inject(b, &header, request, 7);
    CHECK_EQUAL(drops(b->host, DROP_ICMP_BAD), 1);
    static const uint8_t unwanted[] = {ICMP4_ECHO_REPLY, ICMP4_REDIRECT, 13, 17,
                                       200};
    for (size_t i = 0; i < sizeof(unwanted); i++) {
        size = echo_message(request, unwanted[i], 8);
        inject(b, &header, request, size);
        CHECK_EQUAL(drops(b->host, DROP_ICMP_UNWANTED), i + 1);
    }
    CHECK_EQUAL(counts(b->host, COUNT_ICMP_OUT), 0);
    bench_close(b);
}

// --- Errors heard

// An error about a packet of ours to 192.0.2.9.
static size_t error_message(uint8_t *out, uint8_t type, uint8_t code,
                            uint32_t rest, const struct ipv4_header *about)
{
    struct icmp_header icmp = {.type = type, .code = code, .rest = rest};
    size_t at = icmp_emit(&icmp, out);
    at += ipv4_emit(about, out + at);
    memcpy(out + at, "transprt", 8);
    at += 8;
    icmp_fill_checksum(out, at, NULL, NULL);
    return at;
}

static struct ipv4_header about_us(void)
{
    return (struct ipv4_header){.total_length = 1500,
                                .dont_fragment = true,
                                .ttl = 3,
                                .protocol = SINK_PROTOCOL,
                                .source = net_addr("10.0.0.1"),
                                .destination = net_addr("192.0.2.9")};
}

static void hear(struct bench *b, uint8_t type, uint8_t code, uint32_t rest,
                 const struct ipv4_header *about)
{
    uint8_t message[64];
    size_t size = error_message(message, type, code, rest, about);
    struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP);
    inject(b, &header, message, size);
}

static void errors_reach_the_transport_with_their_meaning(void)
{
    static const struct {
        uint8_t type, code;
        enum icmp_error_kind kind;
        int error;
    } rows[] = {
        {3, 0, ICMP_ERROR_NET_UNREACHABLE, -ENETUNREACH},
        {3, 1, ICMP_ERROR_HOST_UNREACHABLE, -EHOSTUNREACH},
        {3, 2, ICMP_ERROR_PROTOCOL_UNREACHABLE, -ENOPROTOOPT},
        {3, 3, ICMP_ERROR_PORT_UNREACHABLE, -ECONNREFUSED},
        {3, 5, ICMP_ERROR_OTHER, -EOPNOTSUPP},
        {3, 13, ICMP_ERROR_PROHIBITED, -EHOSTUNREACH},
        {3, 99, ICMP_ERROR_OTHER, -EHOSTUNREACH},
        {11, 0, ICMP_ERROR_TTL_EXCEEDED, -EHOSTUNREACH},
        {11, 1, ICMP_ERROR_REASSEMBLY_TIMEOUT, -EHOSTUNREACH},
        {12, 0, ICMP_ERROR_PARAMETER_PROBLEM, -EPROTO},
    };
    struct bench *b = bench_open();
    struct ipv4_header about = about_us();
    for (unsigned i = 0; i < ARRAY_LENGTH(rows); i++) {
        hear(b, rows[i].type, rows[i].code, 0, &about);
        CHECK_EQUAL(b->sink->errors, i + 1);
        CHECK_EQUAL(b->sink->error.kind, rows[i].kind);
        CHECK_EQUAL(b->sink->error.error, rows[i].error);
        CHECK_EQUAL(b->sink->error.type, rows[i].type);
        CHECK_EQUAL(b->sink->error.code, rows[i].code);
        CHECK_EQUAL(b->sink->error.transport_length, 8);
        CHECK(ip_addr_equal(&b->sink->error.destination, &about.destination));
    }
    bench_close(b);
}

static void errors_about_strangers_and_later_fragments_are_not_believed(void)
{
    struct bench *b = bench_open();
    struct ipv4_header about = about_us();
    about.source = net_addr("10.0.0.3");
    hear(b, 3, 1, 0, &about);
    about = about_us();
    about.fragment_offset = 8;
    hear(b, 3, 1, 0, &about);
    CHECK_EQUAL(b->sink->errors, 0);
    CHECK_EQUAL(drops(b->host, DROP_ICMP_UNWANTED), 2);
    uint8_t message[8 + 19] = {3, 1};
    icmp_fill_checksum(message, sizeof(message), NULL, NULL);
    struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP);
    inject(b, &header, message, sizeof(message));
    CHECK_EQUAL(drops(b->host, DROP_ICMP_BAD), 1);
    bench_close(b);
}

static uint32_t mtu_after(uint32_t reported, bool dont_fragment,
                          uint16_t length)
{
    struct bench *b = bench_open();
    struct ipv4_header about = about_us();
    about.dont_fragment = dont_fragment;
    about.total_length = length;
    hear(b, 3, 4, reported, &about);
    uint32_t mtu = path_mtu_find(b->host->stack, &about.destination, 1500);
    CHECK_EQUAL(b->sink->errors, mtu < 1500);
    if (mtu < 1500)
        CHECK_EQUAL(b->sink->error.mtu, mtu);
    bench_close(b);
    return mtu;
}

static void fragmentation_needed_is_believed_where_it_can_be_true(void)
{
    CHECK_EQUAL(mtu_after(1400, true, 1500), 1400);
    CHECK_EQUAL(mtu_after(0xdead0000 | 1300, true, 1500), 1300); // 16 bits
    CHECK_EQUAL(mtu_after(1400, false, 1500), 1500); // DF was never set
    CHECK_EQUAL(mtu_after(1500, true, 1500), 1500);  // it would have fitted
    CHECK_EQUAL(mtu_after(1400, true, 1000), 1500);
    CHECK_EQUAL(mtu_after(67, true, 1500), 1500); // no link is so small
    CHECK_EQUAL(mtu_after(68, true, 1500), 552);  // the least we go down to
    CHECK_EQUAL(mtu_after(0, true, 1500), 1492); // RFC 1191 7: the next plateau
    CHECK_EQUAL(mtu_after(0, true, 1492), 1006);
}

// --- Errors sent

static uint64_t errors_about(struct bench *b, const struct ipv4_header *header,
                             const void *payload, size_t length)
{
    uint64_t before = counts(b->host, COUNT_ICMP_OUT);
    inject(b, header, payload, length);
    return counts(b->host, COUNT_ICMP_OUT) - before;
}

static void no_error_is_sent_about_what_rfc_1122_forbids(void)
{
    struct bench *b = bench_open();
    struct ipv4_header unknown = from_peer(254), header = unknown;
    CHECK_EQUAL(errors_about(b, &header, "12345678", 8), 1);
    header.destination = net_addr("10.0.0.255");
    CHECK_EQUAL(errors_about(b, &header, "12345678", 8), 0);
    header.destination = net_addr("224.0.0.1");
    CHECK_EQUAL(errors_about(b, &header, "12345678", 8), 0);
    header.destination = net_addr("255.255.255.255");
    CHECK_EQUAL(errors_about(b, &header, "12345678", 8), 0);
    header.source = net_addr("0.0.0.0");
    CHECK_EQUAL(errors_about(b, &header, "12345678", 8), 0);
    CHECK_EQUAL(drops(b->host, DROP_IP_UNKNOWN_PROTOCOL), 5);
    CHECK_EQUAL(counts(b->host, COUNT_ICMP_RATE_LIMITED), 0);
    bench_close(b);
}

static void nor_about_another_error(void)
{
    struct bench *b = bench_open();
    // A malformed option asks for an error; the packet is one.
    static const uint8_t options[] = {7, 0, 0, 0};
    uint8_t message[64];
    struct ipv4_header about = about_us();
    struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP);
    header.header_length = 24;
    header.options = options;
    size_t size = error_message(message, 3, 1, 0, &about);
    CHECK_EQUAL(errors_about(b, &header, message, size), 0);
    size = echo_message(message, ICMP4_ECHO, 8); // no error: may be answered
    CHECK_EQUAL(errors_about(b, &header, message, size), 1);
    CHECK_EQUAL(errors_about(b, &header, message, 0), 0); // type unknown
    bench_close(b);
}

static void an_error_quotes_what_fits_into_576_bytes(void)
{
    struct bench *b = bench_open();
    static const uint8_t payload[1400] = {1, 2, 3};
    struct ipv4_header header = from_peer(254), got, quoted;
    header.tos = 0x0f;
    const uint8_t *message;
    inject(b, &header, payload, 100);
    CHECK_EQUAL(last_message(b, &message, &got), 8 + 20 + 100);
    CHECK_EQUAL(got.tos, 0xcc); // network control, the same TOS, no ECN
    inject(b, &header, payload, 1400);
    CHECK_EQUAL(last_message(b, &message, &got), 576 - 20);
    CHECK_EQUAL(got.total_length, 576);
    CHECK_EQUAL(ipv4_parse_quoted(message + 8, 548, &quoted), 20);
    CHECK_EQUAL(quoted.total_length, 1420);
    CHECK_BYTES(message + 28, payload, 548 - 20);
    bench_close(b);
}

static void an_error_is_written_into_the_packet_that_it_is_about(void)
{
    struct bench *b = bench_open();
    struct ipv4_header header = from_peer(254);
    uint64_t allocated = packet_pool_get_stats(b->net->pool).allocated;
    CHECK_EQUAL(errors_about(b, &header, "12345678", 8), 1);
    CHECK_EQUAL(packet_pool_get_stats(b->net->pool).allocated, allocated + 1);
    CHECK_EQUAL(drops(b->host, DROP_IP_UNKNOWN_PROTOCOL), 1);
    CHECK_EQUAL(counts(b->host, COUNT_DELIVERED), 0);
    bench_close(b);
}

static void errors_are_limited_in_rate(void)
{
    struct bench *b = bench_open();
    b->settings.ip_icmp_rate = 10;
    struct ipv4_header header = from_peer(254);
    for (int i = 0; i < 200; i++)
        inject(b, &header, "12345678", 8);
    CHECK_EQUAL(counts(b->host, COUNT_ICMP_OUT), 50); // the burst
    CHECK_EQUAL(counts(b->host, COUNT_ICMP_RATE_LIMITED), 150);
    net_run(b->net, 150 * NS_PER_MS);
    CHECK_EQUAL(errors_about(b, &header, "1", 1), 1);
    CHECK_EQUAL(errors_about(b, &header, "1", 1), 0);
    net_run(b->net, 50 * NS_PER_MS); // half an interval was left over
    CHECK_EQUAL(errors_about(b, &header, "1", 1), 1);
    net_run(b->net, 3600 * NS_PER_S);
    for (int i = 0; i < 100; i++)
        inject(b, &header, "1", 1);
    CHECK_EQUAL(counts(b->host, COUNT_ICMP_OUT), 102);
    b->settings.ip_icmp_rate = 0;
    CHECK_EQUAL(errors_about(b, &header, "1", 1), 0);
    bench_close(b);
}

static void echo_replies_are_not_limited(void)
{
    struct bench *b = bench_open();
    b->settings.ip_icmp_rate = 0;
    uint8_t request[16];
    size_t size = echo_message(request, ICMP4_ECHO, 8);
    struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP);
    CHECK_EQUAL(errors_about(b, &header, request, size), 1);
    bench_close(b);
}

static void an_echo_behind_an_unknown_neighbour_is_answered_when_resolved(void)
{
    struct bench *b = bench_open();
    uint8_t request[16];
    const uint8_t *reply;
    size_t size = echo_message(request, ICMP4_ECHO, 8);
    struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP);
    header.source = net_addr("10.0.0.77");
    inject(b, &header, request, size);
    CHECK_EQUAL(last_message(b, &reply, &header), 0);
    CHECK_EQUAL(stack_held(b->host->stack), 1);
    struct ip_addr address = net_addr("10.0.0.77");
    struct mac_addr mac = {{2, 0, 0, 0, 0, 77}};
    stack_set_neighbour(b->host->eth, &address, &mac);
    CHECK_EQUAL(last_message(b, &reply, &header), size);
    bench_close(b);
}

static void an_answer_that_cannot_go_is_counted(void)
{
    struct bench *b = bench_open();
    uint8_t request[16];
    size_t size = echo_message(request, ICMP4_ECHO, 8);
    struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP);
    header.source = net_addr("192.0.2.1");
    inject(b, &header, request, size);
    CHECK_EQUAL(drops(b->host, DROP_IP_NO_ROUTE), 1);
    header.protocol = 254; // nor can an error
    inject(b, &header, "x", 1);
    CHECK_EQUAL(drops(b->host, DROP_IP_UNKNOWN_PROTOCOL), 1);
    CHECK_EQUAL(counts(b->host, COUNT_LINK_OUT), 0);
    bench_close(b);
}

static void a_shared_request_is_copied_before_it_is_answered(void)
{
    for (unsigned fail = 0; fail < 2; fail++) {
        struct bench *b = bench_open();
        uint8_t request[16];
        size_t size = echo_message(request, ICMP4_ECHO, 8);
        struct ipv4_header header = from_peer(IP_PROTOCOL_ICMP);
        size_t length =
            ipv4_frame(b->frame, b->host->eth, &header, request, size);
        struct packet *packet = net_packet(b->net, b->frame, length);
        struct packet *clone = packet_clone(packet);
        CHECK_FATAL(clone != NULL);
        packet_pool_fail_after(b->net->pool, fail);
        iface_input(b->host->eth, clone);
        packet_pool_fail_after(b->net->pool, 0);
        CHECK_BYTES(packet->data, b->frame, length);
        CHECK_EQUAL(drops(b->host, DROP_NO_BUFFER), fail);
        CHECK_EQUAL(counts(b->host, COUNT_ICMP_ECHO_IN), !fail);
        packet_free(packet);
        bench_close(b);
    }
}

const struct unit_test suite_icmpv4[] = {
    UNIT(an_echo_request_is_answered_in_place),
    UNIT(the_answer_has_an_id_of_its_own),
    UNIT(an_echo_of_everyone_is_answered_only_when_asked_for),
    UNIT(bad_messages_are_counted),
    UNIT(errors_reach_the_transport_with_their_meaning),
    UNIT(errors_about_strangers_and_later_fragments_are_not_believed),
    UNIT(fragmentation_needed_is_believed_where_it_can_be_true),
    UNIT(no_error_is_sent_about_what_rfc_1122_forbids),
    UNIT(nor_about_another_error),
    UNIT(an_error_quotes_what_fits_into_576_bytes),
    UNIT(an_error_is_written_into_the_packet_that_it_is_about),
    UNIT(errors_are_limited_in_rate),
    UNIT(echo_replies_are_not_limited),
    UNIT(an_echo_behind_an_unknown_neighbour_is_answered_when_resolved),
    UNIT(an_answer_that_cannot_go_is_counted),
    UNIT(a_shared_request_is_copied_before_it_is_answered),
    {0}};
