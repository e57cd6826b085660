// The neighbour machine: states, pending packets, limits.
// SPDX-License-Identifier: MIT
#include "stack/net/neighbour.h"

#include <errno.h>
#include <string.h>

#include "stack/wire/arp.h"
#include "stack/wire/ethernet.h"
#include "tests/unit/ip_fixture.h"
#include "tests/unit/unit.h"

static const struct mac_addr mac_a = {{2, 0, 0, 0, 0, 0xaa}};
static const struct mac_addr mac_b = {{2, 0, 0, 0, 0, 0xbb}};

// One host alone on its wire, and a neighbour that only the test knows.
struct bench {
    struct stack_settings settings;
    struct net *net;
    struct net_host *host;
    struct stack *stack;
    struct ip_addr address;
};

static void bench_open(struct bench *b)
{
    b->settings = stack_settings_default;
    b->net = net_create(1);
    struct stack_config config = {.settings = &b->settings, .no_ipv6 = true};
    b->host = net_add_stack_config(b->net, "host", &config);
    b->stack = b->host->stack;
    net_add_iface(b->host, 0, "eth0", 0, "10.0.0.1/24");
    b->address = net_addr("10.0.0.2");
    net_record(b->net);
}

static void bench_close(struct bench *b) { net_destroy(b->net); }

static void hear(struct bench *b, const struct mac_addr *mac,
                 enum neighbour_event event, bool may_create, bool may_override)
{
    stack_enter(b->stack);
    neighbour_hear(b->stack, b->host->eth, &b->address, mac, event, may_create,
                   may_override, -1);
    stack_leave(b->stack);
}

static struct neighbour *entry(struct bench *b)
{
    struct neighbour *n = neighbour_get(b->stack, b->host->eth, &b->address);
    CHECK_FATAL(n != NULL);
    return n;
}

static int resolve(struct bench *b)
{
    stack_enter(b->stack);
    int error = neighbour_resolve(b->stack, entry(b), NULL);
    stack_leave(b->stack);
    return error;
}

// --- Every state and every event

enum event {
    OUTPUT,
    REQUEST_SAME,
    REQUEST_OTHER,
    REPLY_SAME,
    REPLY_OTHER,
    REPLY_NO_OVERRIDE, // another address, the O flag clear
    UNSOLICITED_SAME,
    UNSOLICITED_OTHER,
    UNSOLICITED_NO_OVERRIDE,
    CONFIRM,
    A_MINUTE, // passes
    EVENT_COUNT
};

// The state afterwards and whose hardware address it has; '-': none.
struct expected {
    char state, mac;
};

// N none, I incomplete, R reachable, S stale, D delay, P probe, F failed,
// ! permanent.
static const char letters[] = "NIRSDPF!";

// clang-format off
static const struct expected table[8][EVENT_COUNT] = {
    //               out        req=       req!       rep=       rep!       rep!no     uns=       uns!       uns!no     confirm    minute
    [NEIGHBOUR_NONE] =
                    {{'I','-'}, {'S','a'}, {'S','b'}, {'S','a'}, {'S','b'}, {'S','b'}, {'S','a'}, {'S','b'}, {'S','b'}, {'N','-'}, {'N','-'}},
    [NEIGHBOUR_INCOMPLETE] =
                    {{'I','-'}, {'S','a'}, {'S','b'}, {'R','a'}, {'R','b'}, {'R','b'}, {'S','a'}, {'S','b'}, {'S','b'}, {'I','-'}, {'F','-'}},
    [NEIGHBOUR_REACHABLE] =
                    {{'R','a'}, {'R','a'}, {'S','b'}, {'R','a'}, {'R','b'}, {'S','a'}, {'R','a'}, {'S','b'}, {'S','a'}, {'R','a'}, {'S','a'}},
    [NEIGHBOUR_STALE] =
                    {{'D','a'}, {'S','a'}, {'S','b'}, {'R','a'}, {'R','b'}, {'S','a'}, {'S','a'}, {'S','b'}, {'S','a'}, {'R','a'}, {'S','a'}},
    [NEIGHBOUR_DELAY] =
                    {{'D','a'}, {'D','a'}, {'S','b'}, {'R','a'}, {'R','b'}, {'D','a'}, {'D','a'}, {'S','b'}, {'D','a'}, {'R','a'}, {'F','-'}},
    [NEIGHBOUR_PROBE] =
                    {{'P','a'}, {'P','a'}, {'S','b'}, {'R','a'}, {'R','b'}, {'P','a'}, {'P','a'}, {'S','b'}, {'P','a'}, {'R','a'}, {'F','-'}},
    [NEIGHBOUR_FAILED] =
                    {{'F','-'}, {'S','a'}, {'S','b'}, {'R','a'}, {'R','b'}, {'R','b'}, {'S','a'}, {'S','b'}, {'S','b'}, {'F','-'}, {'F','-'}},
    [NEIGHBOUR_PERMANENT] =
                    {{'!','a'}, {'!','a'}, {'!','a'}, {'!','a'}, {'!','a'}, {'!','a'}, {'!','a'}, {'!','a'}, {'!','a'}, {'!','a'}, {'!','a'}},
};
// clang-format on

static void bring_to(struct bench *b, enum neighbour_state state)
{
    switch (state) {
    case NEIGHBOUR_NONE:
        break;
    case NEIGHBOUR_INCOMPLETE:
        CHECK_EQUAL(resolve(b), 0);
        break;
    case NEIGHBOUR_REACHABLE:
        bring_to(b, NEIGHBOUR_INCOMPLETE);
        hear(b, &mac_a, NEIGHBOUR_HEARD_REPLY, false, true);
        break;
    case NEIGHBOUR_STALE:
        bring_to(b, NEIGHBOUR_REACHABLE);
        net_run(b->net, b->settings.neighbour_reachable_time);
        break;
    case NEIGHBOUR_DELAY:
        bring_to(b, NEIGHBOUR_STALE);
        CHECK_EQUAL(ip_send(b->host, "10.0.0.2", 8, 0), 0);
        break;
    case NEIGHBOUR_PROBE:
        bring_to(b, NEIGHBOUR_DELAY);
        net_run(b->net, b->settings.neighbour_delay_first_probe);
        break;
    case NEIGHBOUR_FAILED:
        bring_to(b, NEIGHBOUR_INCOMPLETE);
        net_run(b->net, 3 * b->settings.neighbour_retransmit_time);
        break;
    case NEIGHBOUR_PERMANENT:
        CHECK_EQUAL(stack_set_neighbour(b->host->eth, &b->address, &mac_a), 0);
        break;
    }
}

static void hear_event(struct bench *b, enum event event)
{
    static const struct {
        enum neighbour_event kind;
        const struct mac_addr *mac;
        bool may_override;
    } heard[] = {
        [REQUEST_SAME] = {NEIGHBOUR_HEARD_REQUEST, &mac_a, true},
        [REQUEST_OTHER] = {NEIGHBOUR_HEARD_REQUEST, &mac_b, true},
        [REPLY_SAME] = {NEIGHBOUR_HEARD_REPLY, &mac_a, true},
        [REPLY_OTHER] = {NEIGHBOUR_HEARD_REPLY, &mac_b, true},
        [REPLY_NO_OVERRIDE] = {NEIGHBOUR_HEARD_REPLY, &mac_b, false},
        [UNSOLICITED_SAME] = {NEIGHBOUR_HEARD_UNSOLICITED, &mac_a, true},
        [UNSOLICITED_OTHER] = {NEIGHBOUR_HEARD_UNSOLICITED, &mac_b, true},
        [UNSOLICITED_NO_OVERRIDE] = {NEIGHBOUR_HEARD_UNSOLICITED, &mac_b,
                                     false},
    };
    hear(b, heard[event].mac, heard[event].kind, false,
         heard[event].may_override);
}

static void apply(struct bench *b, enum event event)
{
    switch (event) {
    case OUTPUT:
        ip_send(b->host, "10.0.0.2", 8, 0);
        break;
    case CONFIRM:
        neighbour_confirm(b->stack, entry(b));
        break;
    case A_MINUTE:
        net_run(b->net, 60 * NS_PER_S);
        break;
    default:
        hear_event(b, event);
        break;
    }
}

static char mac_letter(const struct neighbour_info *info)
{
    bool has_mac = info->state != NEIGHBOUR_NONE &&
                   info->state != NEIGHBOUR_INCOMPLETE &&
                   info->state != NEIGHBOUR_FAILED;
    if (!has_mac)
        return '-';
    return mac_addr_equal(&info->mac, &mac_a) ? 'a' : 'b';
}

static void check_cell(enum neighbour_state state, enum event event)
{
    struct bench b = {0};
    bench_open(&b);
    entry(&b);
    bring_to(&b, state);
    struct neighbour_info info;
    CHECK_FATAL(stack_get_neighbour(b.stack, 0, &info));
    CHECK_EQUAL(info.state, state);
    apply(&b, event);
    CHECK_FATAL(stack_get_neighbour(b.stack, 0, &info));
    struct expected want = table[state][event];
    char got[] = {letters[info.state], mac_letter(&info), 0};
    char wanted[] = {want.state, want.mac, 0};
    CHECK_TEXT(got, wanted);
    bench_close(&b);
}

static void every_event_in_every_state_leads_where_rfc_4861_says(void)
{
    for (int state = NEIGHBOUR_NONE; state <= NEIGHBOUR_PERMANENT; state++)
        for (int event = 0; event < EVENT_COUNT; event++)
            check_cell((enum neighbour_state)state, (enum event)event);
}

// --- Pending packets

static unsigned sent_packets(const struct bench *b)
{
    return record_count(b->net, ETHERTYPE_IPV4);
}

static void packets_wait_and_leave_in_order_when_the_answer_comes(void)
{
    struct bench b = {0};
    bench_open(&b);
    for (size_t i = 0; i < 5; i++)
        CHECK_EQUAL(ip_send(b.host, "10.0.0.2", 10 + i, 0), 0);
    CHECK_EQUAL(sent_packets(&b), 0);
    CHECK_EQUAL(stack_held(b.stack), 5);
    CHECK_EQUAL(record_count(b.net, ETHERTYPE_ARP), 1);
    hear(&b, &mac_a, NEIGHBOUR_HEARD_REPLY, false, true);
    CHECK_EQUAL(sent_packets(&b), 5);
    for (unsigned i = 0; i < 5; i++) {
        struct ipv4_header header;
        const uint8_t *payload;
        size_t length;
        CHECK_FATAL(record_find(b.net, SINK_PROTOCOL, i, &header, &payload,
                                &length) != NULL);
        CHECK_EQUAL(length, 10 + i);
    }
    CHECK_EQUAL(stack_held(b.stack), 0);
    bench_close(&b);
}

static void a_question_from_the_neighbour_releases_what_waits_for_it(void)
{
    struct bench b = {0};
    bench_open(&b);
    ip_send(b.host, "10.0.0.2", 10, 0);
    hear(&b, &mac_a, NEIGHBOUR_HEARD_REQUEST, true, true);
    CHECK_EQUAL(sent_packets(&b), 1);
    // Used while unconfirmed.
    CHECK_EQUAL(entry(&b)->state, NEIGHBOUR_DELAY);
    bench_close(&b);
}

static void the_oldest_packet_gives_way_when_too_many_wait(void)
{
    struct bench b = {0};
    bench_open(&b);
    b.settings.neighbour_queue = 3;
    for (size_t i = 0; i < 5; i++)
        ip_send(b.host, "10.0.0.2", 10 + i, 0);
    CHECK_EQUAL(drops(b.host, DROP_NEIGHBOUR_QUEUE_FULL), 2);
    hear(&b, &mac_a, NEIGHBOUR_HEARD_REPLY, false, true);
    CHECK_EQUAL(sent_packets(&b), 3);
    struct ipv4_header header;
    const uint8_t *payload;
    size_t length = 0;
    record_find(b.net, SINK_PROTOCOL, 0, &header, &payload, &length);
    CHECK_EQUAL(length, 12);
    bench_close(&b);
}

static void unanswered_packets_tell_their_transport_and_are_counted(void)
{
    struct bench b = {0};
    bench_open(&b);
    struct sink *sink = sink_open(b.host);
    ip_send(b.host, "10.0.0.2", 10, 0);
    ip_send(b.host, "10.0.0.2", 11, 0);
    net_run(b.net, 10 * NS_PER_S);
    CHECK_EQUAL(drops(b.host, DROP_NEIGHBOUR_FAILED), 2);
    CHECK_EQUAL(sink->errors, 2);
    CHECK_EQUAL(sink->error.kind, ICMP_ERROR_HOST_UNREACHABLE);
    CHECK_EQUAL(sink->error.error, -EHOSTUNREACH);
    CHECK_EQUAL(sink->error.transport_length, 11);
    CHECK(ip_addr_equal(&sink->error.destination, &b.address));
    CHECK_EQUAL(stack_held(b.stack), 0);
    bench_close(&b);
    sink_close(sink);
}

// --- Asking

static void three_requests_a_second_apart_then_nothing(void)
{
    struct bench b = {0};
    bench_open(&b);
    ns_t start = b.net->now;
    ip_send(b.host, "10.0.0.2", 10, 0);
    net_run(b.net, 60 * NS_PER_S);
    CHECK_EQUAL(b.net->record_count, 3);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQUAL(b.net->records[i].time, start + i * NS_PER_S);
    bench_close(&b);
}

static void a_failed_neighbour_is_refused_a_while_then_asked_again(void)
{
    struct bench b = {0};
    bench_open(&b);
    bring_to(&b, NEIGHBOUR_FAILED);
    CHECK_EQUAL(ip_send(b.host, "10.0.0.2", 10, 0), -EHOSTUNREACH);
    CHECK_EQUAL(resolve(&b), -EHOSTUNREACH);
    net_run(b.net, b.settings.neighbour_retransmit_time);
    CHECK_EQUAL(ip_send(b.host, "10.0.0.2", 10, 0), 0);
    CHECK_EQUAL(entry(&b)->state, NEIGHBOUR_INCOMPLETE);
    CHECK_EQUAL(b.net->record_count, 4);
    bench_close(&b);
}

static void probes_go_to_the_known_hardware_address(void)
{
    struct bench b = {0};
    bench_open(&b);
    bring_to(&b, NEIGHBOUR_DELAY);
    net_record(b.net);
    net_run(b.net, 60 * NS_PER_S);
    CHECK_EQUAL(b.net->record_count, 3);
    for (unsigned i = 0; i < b.net->record_count; i++) {
        CHECK_BYTES(b.net->records[i].bytes, mac_a.bytes, 6);
        struct arp_header arp;
        CHECK_FATAL(arp_parse(b.net->records[i].bytes + 14,
                              b.net->records[i].length - 14, &arp) >= 0);
        CHECK_EQUAL(arp.operation, ARP_REQUEST);
        CHECK(ip_addr_equal(&arp.target_ip, &b.address));
    }
    bench_close(&b);
}

static void after_fruitless_probes_the_next_packet_asks_everyone(void)
{
    struct bench b = {0};
    bench_open(&b);
    bring_to(&b, NEIGHBOUR_PROBE);
    net_run(b.net, 3 * NS_PER_S);
    CHECK_EQUAL(entry(&b)->state, NEIGHBOUR_FAILED);
    net_record(b.net);
    CHECK_EQUAL(ip_send(b.host, "10.0.0.2", 10, 0), 0);
    CHECK_FATAL(b.net->record_count == 1);
    static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
    CHECK_BYTES(b.net->records[0].bytes, everyone, 6);
    bench_close(&b);
}

static void a_request_bears_the_address_of_the_packet_that_waits(void)
{
    struct bench b = {0};
    bench_open(&b);
    net_add_address(b.host->eth, "10.0.0.9/24");
    struct ip_addr source = net_addr("10.0.0.9");
    struct ip_path path;
    struct packet *packet;
    stack_enter(b.stack);
    CHECK_FATAL(ip_path_find(b.stack, &source, &b.address, NULL, &path) == 0);
    CHECK_FATAL(
        ip_prepare(b.stack, &path, SINK_PROTOCOL, 0, 0, 0, 0, &packet) == 0);
    ip_output(b.stack, &path, packet);
    stack_leave(b.stack);
    net_run(b.net, NS_PER_S);
    CHECK_FATAL(b.net->record_count == 2);
    for (unsigned i = 0; i < 2; i++) {
        struct arp_header arp;
        CHECK_FATAL(arp_parse(b.net->records[i].bytes + 14, 28, &arp) >= 0);
        CHECK(ip_addr_equal(&arp.sender_ip, &source));
    }
    bench_close(&b);
}

static void confirmation_from_above_keeps_a_neighbour_reachable(void)
{
    struct bench b = {0};
    bench_open(&b);
    bring_to(&b, NEIGHBOUR_REACHABLE);
    net_record(b.net);
    for (int i = 0; i < 20; i++) {
        net_run(b.net, 10 * NS_PER_S);
        neighbour_confirm(b.stack, entry(&b));
        ip_send(b.host, "10.0.0.2", 10, 0);
    }
    CHECK_EQUAL(record_count(b.net, ETHERTYPE_ARP), 0);
    CHECK_EQUAL(record_count(b.net, ETHERTYPE_IPV4), 20);
    bench_close(&b);
}

// --- Limits

static void address_number(unsigned i, char *out)
{
    struct ip_addr address = ip_addr_v4(10, 0, 0, (uint8_t)(10 + i));
    ip_addr_format(&address, out);
}

static size_t entry_count(struct bench *b)
{
    struct neighbour_info info;
    size_t count = 0;
    while (stack_get_neighbour(b->stack, count, &info))
        count++;
    return count;
}

static void the_oldest_unused_entry_gives_way_at_the_limit(void)
{
    struct bench b = {0};
    bench_open(&b);
    b.settings.neighbour_limit = 4;
    struct neighbour *entries[4];
    for (unsigned i = 0; i < 4; i++) {
        char text[IP_ADDR_TEXT_SIZE];
        address_number(i, text);
        struct ip_addr address = net_addr(text);
        entries[i] = neighbour_get(b.stack, b.host->eth, &address);
        CHECK_FATAL(entries[i] != NULL);
        entries[i]->is_used = i == 0;
    }
    uint32_t generation = b.stack->path_generation;
    struct ip_addr second = entries[1]->address, first = entries[0]->address;
    entry(&b);
    CHECK_EQUAL(entry_count(&b), 4);
    CHECK(neighbour_find(b.stack, b.host->eth, &first) != NULL);
    CHECK(neighbour_find(b.stack, b.host->eth, &second) == NULL);
    CHECK(b.stack->path_generation != generation);
    bench_close(&b);
}

static void entries_with_waiting_packets_are_not_reclaimed(void)
{
    struct bench b = {0};
    bench_open(&b);
    b.settings.neighbour_limit = 3;
    for (unsigned i = 0; i < 3; i++) {
        char text[IP_ADDR_TEXT_SIZE];
        address_number(i, text);
        CHECK_EQUAL(ip_send(b.host, text, 10, 0), 0);
    }
    CHECK(neighbour_get(b.stack, b.host->eth, &b.address) == NULL);
    // A packet to a fourth one has nowhere to wait.
    ip_send(b.host, "10.0.0.2", 10, 0);
    CHECK_EQUAL(drops(b.host, DROP_NEIGHBOUR_TABLE_FULL), 1);
    // When the others have failed there is room again.
    net_run(b.net, 10 * NS_PER_S);
    CHECK_EQUAL(ip_send(b.host, "10.0.0.2", 10, 0), 0);
    CHECK_EQUAL(stack_held(b.stack), 1);
    bench_close(&b);
}

static void a_path_does_not_outlive_its_neighbour(void)
{
    struct bench b = {0};
    bench_open(&b);
    b.settings.neighbour_limit = 1;
    struct ip_path path;
    struct packet *packet;
    CHECK_FATAL(ip_path_find(b.stack, NULL, &b.address, NULL, &path) == 0);
    ip_send(b.host, "10.0.0.10", 10, 0); // takes the only place
    net_run(b.net, 10 * NS_PER_S);       // and fails
    stack_enter(b.stack);
    CHECK_FATAL(
        ip_prepare(b.stack, &path, SINK_PROTOCOL, 0, 0, 0, 10, &packet) == 0);
    CHECK_EQUAL(ip_output(b.stack, &path, packet), 0);
    stack_leave(b.stack);
    CHECK(path.neighbour == neighbour_find(b.stack, b.host->eth, &b.address));
    hear(&b, &mac_a, NEIGHBOUR_HEARD_REPLY, false, true);
    CHECK_EQUAL(sent_packets(&b), 1);
    bench_close(&b);
}

static void thousands_of_neighbours_are_found_again(void)
{
    struct bench b = {0};
    bench_open(&b);
    b.settings.neighbour_limit = 5000;
    for (uint32_t i = 0; i < 3000; i++) {
        struct ip_addr address = ip_addr_v4_u32(0x0a000100 + i);
        CHECK_FATAL(neighbour_get(b.stack, b.host->eth, &address) != NULL);
    }
    for (uint32_t i = 0; i < 3000; i++) {
        struct ip_addr address = ip_addr_v4_u32(0x0a000100 + i);
        struct neighbour *n = neighbour_find(b.stack, b.host->eth, &address);
        CHECK_FATAL(n != NULL);
        CHECK(ip_addr_equal(&n->address, &address));
    }
    CHECK_EQUAL(entry_count(&b), 3000);
    bench_close(&b);
}

static void an_interface_that_goes_down_forgets_its_neighbours(void)
{
    struct bench b = {0};
    bench_open(&b);
    ip_send(b.host, "10.0.0.2", 10, 0);
    iface_set_up(b.host->eth, false);
    CHECK_EQUAL(entry_count(&b), 0);
    CHECK_EQUAL(drops(b.host, DROP_IFACE_DOWN), 1);
    CHECK_EQUAL(ip_send(b.host, "10.0.0.2", 10, 0), -ENETUNREACH);
    iface_set_up(b.host->eth, true);
    CHECK_EQUAL(ip_send(b.host, "10.0.0.2", 10, 0), 0);
    bench_close(&b);
}

static void nothing_is_learnt_that_nobody_asked_for(void)
{
    struct bench b = {0};
    bench_open(&b);
    hear(&b, &mac_a, NEIGHBOUR_HEARD_REPLY, false, true);
    hear(&b, &mac_a, NEIGHBOUR_HEARD_UNSOLICITED, false, true);
    CHECK_EQUAL(entry_count(&b), 0);
    bench_close(&b);
}

static void a_neighbour_set_by_hand_is_refused_where_it_makes_no_sense(void)
{
    struct bench b = {0};
    bench_open(&b);
    struct ip_addr group = net_addr("224.0.0.5");
    struct mac_addr group_mac = {{1, 0, 0x5e, 0, 0, 5}};
    CHECK_EQUAL(stack_set_neighbour(b.host->eth, &group, &mac_a), -EINVAL);
    CHECK_EQUAL(stack_set_neighbour(b.host->eth, &b.address, &group_mac),
                -EINVAL);
    CHECK_EQUAL(stack_set_neighbour(b.stack->loopback, &b.address, &mac_a),
                -EINVAL);
    ip_send(b.host, "10.0.0.2", 10, 0);
    CHECK_EQUAL(stack_set_neighbour(b.host->eth, &b.address, &mac_a), 0);
    CHECK_EQUAL(sent_packets(&b), 1);
    bench_close(&b);
}

static void state_names_are_those_of_ip(void)
{
    CHECK_TEXT(neighbour_state_name(NEIGHBOUR_NONE), "NONE");
    CHECK_TEXT(neighbour_state_name(NEIGHBOUR_REACHABLE), "REACHABLE");
    CHECK_TEXT(neighbour_state_name(NEIGHBOUR_PERMANENT), "PERMANENT");
}

const struct unit_test suite_neighbour[] = {
    UNIT(every_event_in_every_state_leads_where_rfc_4861_says),
    UNIT(packets_wait_and_leave_in_order_when_the_answer_comes),
    UNIT(a_question_from_the_neighbour_releases_what_waits_for_it),
    UNIT(the_oldest_packet_gives_way_when_too_many_wait),
    UNIT(unanswered_packets_tell_their_transport_and_are_counted),
    UNIT(three_requests_a_second_apart_then_nothing),
    UNIT(a_failed_neighbour_is_refused_a_while_then_asked_again),
    UNIT(probes_go_to_the_known_hardware_address),
    UNIT(after_fruitless_probes_the_next_packet_asks_everyone),
    UNIT(a_request_bears_the_address_of_the_packet_that_waits),
    UNIT(confirmation_from_above_keeps_a_neighbour_reachable),
    UNIT(the_oldest_unused_entry_gives_way_at_the_limit),
    UNIT(entries_with_waiting_packets_are_not_reclaimed),
    UNIT(a_path_does_not_outlive_its_neighbour),
    UNIT(thousands_of_neighbours_are_found_again),
    UNIT(an_interface_that_goes_down_forgets_its_neighbours),
    UNIT(nothing_is_learnt_that_nobody_asked_for),
    UNIT(a_neighbour_set_by_hand_is_refused_where_it_makes_no_sense),
    UNIT(state_names_are_those_of_ip),
    {0}};
