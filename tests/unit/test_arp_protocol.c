// ARP as a protocol: questions, answers, announcements, nonsense.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "stack/internal.h"
#include "stack/net/neighbour.h"
#include "stack/wire/arp.h"
#include "stack/wire/ethernet.h"
#include "tests/unit/ip_fixture.h"
#include "tests/unit/unit.h"

static const struct mac_addr peer_mac = {{2, 0, 0, 0, 0, 0x77}};
static const struct mac_addr everyone = {{255, 255, 255, 255, 255, 255}};

struct bench {
    struct stack_settings settings;
    struct net *net;
    struct net_host *host;
};

static void bench_open(struct bench *b)
{
    b->settings = stack_settings_default;
    b->net = net_create(1);
    struct stack_config config = {.settings = &b->settings, .no_ipv6 = true};
    b->host = net_add_stack_config(b->net, "host", &config);
    net_add_iface(b->host, 0, "eth0", 0, "10.0.0.1/24");
    net_add_iface(b->host, 1, "eth1", 0, "10.0.1.1/24");
    net_record(b->net);
}

static void bench_close(struct bench *b) { net_destroy(b->net); }

static size_t arp_frame(uint8_t *out, const struct mac_addr *to,
                        const struct arp_header *arp)
{
    struct ethernet_header ethernet = {
        .destination = *to, .source = peer_mac, .type = ETHERTYPE_ARP};
    size_t at = ethernet_emit(&ethernet, out);
    return at + arp_emit(arp, out + at);
}

static void hear(struct bench *b, const struct mac_addr *to, uint16_t operation,
                 const char *sender, const char *target)
{
    uint8_t frame[60] = {0}; // padded as a driver does
    struct arp_header arp = {.operation = operation,
                             .sender_mac = peer_mac,
                             .sender_ip = net_addr(sender),
                             .target_ip = net_addr(target)};
    arp_frame(frame, to, &arp);
    net_inject(b->host, b->host->eth, frame, sizeof(frame));
}

// NEIGHBOUR_NONE when there is no entry.
static enum neighbour_state state_of(struct bench *b, const char *text)
{
    struct ip_addr address = net_addr(text);
    struct neighbour *n =
        neighbour_find(b->host->stack, b->host->eth, &address);
    return n ? (enum neighbour_state)n->state : NEIGHBOUR_NONE;
}

static void a_question_is_answered_in_place(void)
{
    struct bench b;
    bench_open(&b);
    uint64_t allocated = packet_pool_get_stats(b.net->pool).allocated;
    hear(&b, &everyone, ARP_REQUEST, "10.0.0.2", "10.0.0.1");
    CHECK_EQUAL(packet_pool_get_stats(b.net->pool).allocated, allocated + 1);
    CHECK_FATAL(b.net->record_count == 1);
    const struct net_record *answer = &b.net->records[0];
    CHECK_EQUAL(answer->length, 42);
    CHECK_BYTES(answer->bytes, peer_mac.bytes, 6);
    struct arp_header arp;
    CHECK_FATAL(arp_parse(answer->bytes + 14, 28, &arp) >= 0);
    CHECK_EQUAL(arp.operation, ARP_REPLY);
    struct mac_addr own = iface_mac(b.host->eth);
    struct ip_addr ours = net_addr("10.0.0.1"), theirs = net_addr("10.0.0.2");
    CHECK(mac_addr_equal(&arp.sender_mac, &own));
    CHECK(mac_addr_equal(&arp.target_mac, &peer_mac));
    CHECK(ip_addr_equal(&arp.sender_ip, &ours));
    CHECK(ip_addr_equal(&arp.target_ip, &theirs));
    // RFC 826: who asks us will be spoken to.
    CHECK_EQUAL(state_of(&b, "10.0.0.2"), NEIGHBOUR_STALE);
    bench_close(&b);
}

static void questions_about_others_teach_only_what_we_know_already(void)
{
    struct bench b;
    bench_open(&b);
    hear(&b, &everyone, ARP_REQUEST, "10.0.0.2", "10.0.0.3");
    CHECK_EQUAL(state_of(&b, "10.0.0.2"), NEIGHBOUR_NONE);
    // An address of the other interface is not for this link.
    hear(&b, &everyone, ARP_REQUEST, "10.0.0.2", "10.0.1.1");
    CHECK_EQUAL(b.net->record_count, 0);
    ip_send(b.host, "10.0.0.2", 1, 0);
    hear(&b, &everyone, ARP_REQUEST, "10.0.0.2", "10.0.0.3");
    CHECK_EQUAL(state_of(&b, "10.0.0.2"), NEIGHBOUR_DELAY);
    CHECK_EQUAL(record_count(b.net, ETHERTYPE_IPV4), 1);
    CHECK_EQUAL(counts(b.host, COUNT_ARP_IN), 3);
    bench_close(&b);
}

static void an_answer_to_us_confirms_one_to_all_does_not(void)
{
    struct bench b;
    bench_open(&b);
    struct mac_addr own = iface_mac(b.host->eth);
    ip_send(b.host, "10.0.0.2", 1, 0);
    ip_send(b.host, "10.0.0.3", 1, 0);
    hear(&b, &own, ARP_REPLY, "10.0.0.2", "10.0.0.1");
    CHECK_EQUAL(state_of(&b, "10.0.0.2"), NEIGHBOUR_REACHABLE);
    hear(&b, &everyone, ARP_REPLY, "10.0.0.3", "10.0.0.3");
    CHECK_EQUAL(state_of(&b, "10.0.0.3"), NEIGHBOUR_DELAY);
    hear(&b, &own, ARP_REPLY, "10.0.0.4", "10.0.0.1"); // nobody asked
    CHECK_EQUAL(state_of(&b, "10.0.0.4"), NEIGHBOUR_NONE);
    bench_close(&b);
}

static void a_gratuitous_request_changes_a_known_hardware_address(void)
{
    struct bench b;
    bench_open(&b);
    struct ip_addr peer = net_addr("10.0.0.2");
    struct mac_addr own = iface_mac(b.host->eth);
    ip_send(b.host, "10.0.0.2", 1, 0);
    hear(&b, &own, ARP_REPLY, "10.0.0.2", "10.0.0.1");
    uint8_t frame[42];
    struct mac_addr new_mac = {{2, 0, 0, 0, 0, 0x78}};
    struct arp_header arp = {.operation = ARP_REQUEST,
                             .sender_mac = new_mac,
                             .sender_ip = peer,
                             .target_ip = peer};
    size_t length = arp_frame(frame, &everyone, &arp);
    net_inject(b.host, b.host->eth, frame, length);
    struct neighbour *n = neighbour_find(b.host->stack, b.host->eth, &peer);
    CHECK_FATAL(n != NULL);
    CHECK(mac_addr_equal(&n->mac, &new_mac));
    CHECK_EQUAL(n->state, NEIGHBOUR_STALE);
    bench_close(&b);
}

static void a_probe_for_duplicates_is_answered_and_not_learnt(void)
{
    struct bench b;
    bench_open(&b);
    hear(&b, &everyone, ARP_REQUEST, "0.0.0.0", "10.0.0.1");
    CHECK_EQUAL(counts(b.host, COUNT_ARP_OUT), 1);
    struct neighbour_info info;
    CHECK(!stack_get_neighbour(b.host->stack, 0, &info));
    bench_close(&b);
}

static void nonsense_is_dropped(void)
{
    static const struct {
        uint16_t operation;
        const char *sender;
    } rows[] = {
        {3, "10.0.0.2"},
        {0, "10.0.0.2"},
        {ARP_REQUEST, "224.0.0.1"},
        {ARP_REQUEST, "127.0.0.1"},
        {ARP_REQUEST, "10.0.0.255"},
        {ARP_REQUEST, "255.255.255.255"},
        {ARP_REPLY, "10.0.0.1"}, // somebody with our address
    };
    struct bench b;
    bench_open(&b);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        hear(&b, &everyone, rows[i].operation, rows[i].sender, "10.0.0.1");
        CHECK_EQUAL(drops(b.host, DROP_ARP_BAD), i + 1);
    }
    uint8_t frame[42];
    struct arp_header arp = {.operation = ARP_REQUEST,
                             .sender_mac = everyone,
                             .sender_ip = net_addr("10.0.0.2"),
                             .target_ip = net_addr("10.0.0.1")};
    size_t length = arp_frame(frame, &everyone, &arp);
    net_inject(b.host, b.host->eth, frame, length); // a group as sender
    arp.sender_mac = iface_mac(b.host->eth);        // our own frame
    arp_frame(frame, &everyone, &arp);
    net_inject(b.host, b.host->eth, frame, length);
    net_inject(b.host, b.host->eth, frame, length - 1); // cut short
    CHECK_EQUAL(drops(b.host, DROP_ARP_BAD), ARRAY_LENGTH(rows) + 3);
    CHECK_EQUAL(b.net->record_count, 0);
    bench_close(&b);
}

static void a_new_address_is_announced_when_asked_for(void)
{
    struct bench b;
    bench_open(&b);
    net_add_address(b.host->eth, "10.0.0.8/24");
    CHECK_EQUAL(b.net->record_count, 0);
    b.settings.neighbour_gratuitous = 1;
    net_add_address(b.host->eth, "10.0.0.9/24");
    CHECK_FATAL(b.net->record_count == 1);
    struct arp_header arp;
    CHECK_FATAL(arp_parse(b.net->records[0].bytes + 14, 28, &arp) >= 0);
    CHECK_BYTES(b.net->records[0].bytes, everyone.bytes, 6);
    struct ip_addr own = net_addr("10.0.0.9");
    CHECK_EQUAL(arp.operation, ARP_REQUEST);
    CHECK(ip_addr_equal(&arp.sender_ip, &own));
    CHECK(ip_addr_equal(&arp.target_ip, &own));
    bench_close(&b);
}

static enum net_verdict lose_first_answer(void *context,
                                          struct net_frame *frame)
{
    unsigned *answers = context;
    bool is_answer =
        frame->packet->data[13] == 0x06 && frame->packet->data[21] == ARP_REPLY;
    return is_answer && (*answers)++ == 0 ? NET_DROP : NET_PASS;
}

static void the_first_packet_of_a_conversation_is_not_lost(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct net_host *b = net_host(net, "b", "10.0.0.2/24");
    struct sink *sink = sink_open(b);
    unsigned answers = 0;
    net_set_hook(net, lose_first_answer, &answers);
    CHECK_EQUAL(ip_send(a, "10.0.0.2", 77, 0), 0);
    net_run(net, 900 * NS_PER_MS);
    CHECK_EQUAL(sink->count, 0);
    net_run(net, NS_PER_S);
    CHECK_EQUAL(answers, 2);
    CHECK_EQUAL(sink->count, 1);
    CHECK_EQUAL(sink->length, 77);
    net_destroy(net);
    sink_close(sink);
}

const struct unit_test suite_arp_protocol[] = {
    UNIT(a_question_is_answered_in_place),
    UNIT(questions_about_others_teach_only_what_we_know_already),
    UNIT(an_answer_to_us_confirms_one_to_all_does_not),
    UNIT(a_gratuitous_request_changes_a_known_hardware_address),
    UNIT(a_probe_for_duplicates_is_answered_and_not_learnt),
    UNIT(nonsense_is_dropped),
    UNIT(a_new_address_is_announced_when_asked_for),
    UNIT(the_first_packet_of_a_conversation_is_not_lost),
    {0}};
