// The stack's core: the account of packets, calls, protocols, loopback.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stack/internal.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ethernet.h"
#include "tests/unit/ip_fixture.h"
#include "tests/unit/unit.h"

// --- The account

static void every_packet_ends_in_one_of_three_ways(void)
{
    struct net *net = net_create(1);
    struct net_host *host = net_host(net, "host", "10.0.0.1/24");
    struct stack *stack = host->stack;
    net_run(net, 10 * NS_PER_S);
    uint64_t created = counts(host, COUNT_CREATED);
    uint64_t delivered = counts(host, COUNT_DELIVERED);
    struct packet *packets[4];
    for (int i = 0; i < 4; i++) {
        packets[i] = stack_packet_alloc(stack, 20, 20);
        CHECK_FATAL(packets[i] != NULL);
        CHECK(i == 0 || packets[i]->id == packets[i - 1]->id + 1);
    }
    CHECK_EQUAL(packets[0]->id >> 40, 1); // the stack's number
    CHECK_EQUAL(stack_held(stack), 4);
    stack_check(stack);
    stack_drop(stack, packets[0], DROP_UDP_BAD);
    stack_deliver(stack, packets[1]);
    stack_release(stack, packets[2]);
    CHECK_EQUAL(packets[2]->length, 0); // still ours
    packet_free(packets[2]);
    stack_recycle(stack, packets[3]);
    CHECK_EQUAL(stack_held(stack), 1);
    CHECK_EQUAL(counts(host, COUNT_CREATED), created + 5);
    CHECK_EQUAL(counts(host, COUNT_DELIVERED), delivered + 3);
    stack_check(stack);
    uint64_t id = packets[3]->id;
    stack_recycle_dropped(stack, packets[3], DROP_TCP_BAD);
    CHECK(packets[3]->id == id + 1);
    CHECK_EQUAL(drops(host, DROP_TCP_BAD), 1);
    stack_drop(stack, packets[3], DROP_UDP_BAD);
    CHECK_EQUAL(stack_held(stack), 0);
    net_destroy(net);
}

static void lose_a_packet(void *context)
{
    struct net *net = net_create(1);
    struct net_host *host = net_host(net, "host", "10.0.0.1/24");
    (void)context;
    packet_free(stack_packet_alloc(host->stack, 0, 8)); // not accounted for
    stack_destroy(host->stack);
}

static void end_a_packet_twice(void *context)
{
    struct net *net = net_create(1);
    struct net_host *host = net_add_stack(net, "host", NULL);
    (void)context;
    stack_deliver(host->stack, packet_alloc(net->pool, 0, 8));
}

static void a_packet_lost_or_ended_twice_is_found(void)
{
    unit_check_dies(lose_a_packet, NULL, "a lost packet", __FILE__, __LINE__);
    unit_check_dies(end_a_packet_twice, NULL, "a packet ended twice", __FILE__,
                    __LINE__);
}

static void packets_are_limited_per_host(void)
{
    struct stack_settings settings = stack_settings_default;
    settings.limits_packets = 16;
    struct net *net = net_create(1);
    struct net_host *host = net_add_stack(net, "host", &settings);
    struct packet *packets[16];
    for (int i = 0; i < 16; i++)
        CHECK((packets[i] = stack_packet_alloc(host->stack, 0, 1)) != NULL);
    CHECK(stack_packet_alloc(host->stack, 0, 1) == NULL);
    for (int i = 0; i < 16; i++)
        stack_drop(host->stack, packets[i], DROP_UDP_BAD);
    struct packet *again = stack_packet_alloc(host->stack, 0, 1);
    CHECK_FATAL(again != NULL);
    stack_deliver(host->stack, again);
    net_destroy(net);
}

// --- Traces

struct traced {
    unsigned counts[16];
    enum drop_reason reason;
    struct stack *stack;
};

static void on_trace(void *context, const struct stack_trace *event)
{
    struct traced *traced = ((struct net_host *)context)->net->user;
    traced->counts[event->kind]++;
    traced->reason = event->reason;
    traced->stack = event->stack;
}

static void traces_come_for_the_kinds_asked_for(void)
{
    struct traced traced = {0};
    struct net *net = net_create(1);
    net->user = &traced;
    struct stack_config config = {.no_ipv6 = true};
    config.host.trace = on_trace;
    config.host.trace_mask = 1 << TRACE_IFACE_OUT | 1 << TRACE_NEIGHBOUR |
                             1 << TRACE_IFACE_IN | 1 << TRACE_DROP;
    struct net_host *host = net_add_stack_config(net, "host", &config);
    net_add_iface(host, 0, "eth0", 0, "10.0.0.1/24");
    ip_send(host, "10.0.0.2", 1, 0);
    net_inject(host, host->eth, "short", 5);
    CHECK_EQUAL(traced.counts[TRACE_IFACE_OUT], 1);
    CHECK_EQUAL(traced.counts[TRACE_NEIGHBOUR], 1);
    CHECK_EQUAL(traced.counts[TRACE_IFACE_IN], 1);
    CHECK_EQUAL(traced.counts[TRACE_DROP], 1);
    CHECK_EQUAL(traced.reason, DROP_LINK_TOO_SHORT);
    CHECK(traced.stack == host->stack);
    stack_set_trace_mask(host->stack, 0);
    net_inject(host, host->eth, "short", 5);
    CHECK_EQUAL(traced.counts[TRACE_DROP], 1);
    net_destroy(net);
}

// --- Deadlines

struct tick {
    struct timer timer;
    unsigned count;
};

static void on_tick(struct timer *timer)
{
    CONTAINER_OF(timer, struct tick, timer)->count++;
}

static void the_host_hears_of_deadlines_when_they_change(void)
{
    struct net *net = net_create(1);
    struct net_host *host = net_add_stack(net, "host", NULL);
    struct tick tick = {.count = 0};
    CHECK_EQUAL(host->deadline, NS_NEVER);
    CHECK_EQUAL(stack_timer_init(host->stack, &tick.timer, on_tick), 0);
    stack_enter(host->stack);
    stack_enter(host->stack);
    stack_timer_set(host->stack, &tick.timer, net->now + 5);
    stack_leave(host->stack);
    CHECK_EQUAL(host->deadline, NS_NEVER); // still inside
    stack_leave(host->stack);
    CHECK_EQUAL(host->deadline, net->now + 5);
    net_run(net, 4);
    stack_run(host->stack); // early and twice: harmless
    stack_run(host->stack);
    CHECK_EQUAL(tick.count, 0);
    net_run(net, 1);
    CHECK_EQUAL(tick.count, 1);
    CHECK_EQUAL(host->deadline, NS_NEVER);
    stack_timer_fini(host->stack, &tick.timer);
    net_destroy(net);
}

// --- Protocols

struct heard {
    unsigned count, inits, finis;
    size_t length;
};

static void heard_network(struct stack *stack, struct packet *packet);
static int heard_init(struct stack *stack);
static void heard_fini(struct stack *stack);

static const struct network_protocol hello_row = {.name = "hello",
                                                  .ethertype = 0x88b5,
                                                  .input = heard_network,
                                                  .init = heard_init,
                                                  .fini = heard_fini};

static struct heard *heard_of(struct stack *stack)
{
    return stack_network_context(stack, &hello_row);
}

static void heard_network(struct stack *stack, struct packet *packet)
{
    heard_of(stack)->count++;
    heard_of(stack)->length = packet->length;
    stack_deliver(stack, packet);
}

static int heard_init(struct stack *stack)
{
    heard_of(stack)->inits++;
    return 0;
}

static void heard_fini(struct stack *stack) { heard_of(stack)->finis++; }

static void a_registered_network_protocol_gets_its_frames(void)
{
    struct net *net = net_create(1);
    struct net_host *host = net_host(net, "host", "10.0.0.1/24");
    struct heard heard = {0};
    uint8_t frame[64] = {2, 0, 0, 0, 0, 1};
    put_be16(frame + 12, 0x88b5);
    net_inject(host, host->eth, frame, sizeof(frame));
    CHECK_EQUAL(drops(host, DROP_LINK_UNKNOWN_TYPE), 1);
    CHECK_EQUAL(stack_register_network(host->stack, &hello_row, &heard), 0);
    CHECK_EQUAL(stack_register_network(host->stack, &hello_row, &heard),
                -EEXIST);
    net_inject(host, host->eth, frame, sizeof(frame));
    CHECK_EQUAL(heard.count, 1);
    CHECK_EQUAL(heard.length, 50);
    CHECK_EQUAL(heard.inits, 1);
    net_destroy(net);
    CHECK_EQUAL(heard.finis, 1);
}

static int refuse_init(struct stack *stack)
{
    (void)stack;
    return -ENOMEM;
}

static void rows_that_are_taken_or_fail_are_not_registered(void)
{
    static const struct network_protocol ip = {.ethertype = ETHERTYPE_IPV4,
                                               .input = heard_network};
    static const struct network_protocol sick = {
        .ethertype = 0x88b6, .input = heard_network, .init = refuse_init};
    static const struct transport_protocol icmp = {
        .protocol = IP_PROTOCOL_ICMP, .family = IP_V4, .input = heard_network};
    static const struct transport_protocol icmp6 = {
        .protocol = IP_PROTOCOL_ICMP, .family = IP_V6, .input = heard_network};
    struct net *net = net_create(1);
    struct net_host *host = net_add_stack(net, "host", NULL);
    struct stack *stack = host->stack;
    CHECK_EQUAL(stack_register_network(stack, &ip, NULL), -EEXIST);
    CHECK_EQUAL(stack_register_network(stack, &sick, NULL), -ENOMEM);
    CHECK(network_find(stack, 0x88b6) == NULL);
    CHECK_EQUAL(stack_register_transport(stack, &icmp, NULL), -EEXIST);
    CHECK_EQUAL(stack_register_transport(stack, &icmp6, net), 0);
    CHECK(transport_find(stack, IP_V6, IP_PROTOCOL_ICMP) == &icmp6);
    CHECK(transport_find(stack, IP_V4, IP_PROTOCOL_ICMP) != &icmp6);
    CHECK(stack_transport_context(stack, &icmp6) == net);
    net_destroy(net);
}

static void a_shorter_list_of_protocols_leaves_the_family_out(void)
{
    struct net *net = net_create(1);
    struct stack_config config = {.no_ipv4 = true};
    struct net_host *host = net_add_stack_config(net, "six", &config);
    struct iface *eth = net_add_iface(host, 0, "eth0", 0, NULL);
    struct ip_prefix prefix;
    must(ip_prefix_parse("10.0.0.1/24", &prefix) == 0);
    CHECK_EQUAL(iface_add_address(eth, &prefix), -EINVAL);
    CHECK(network_find(host->stack, ETHERTYPE_IPV4) == NULL);
    CHECK(network_find(host->stack, ETHERTYPE_ARP) == NULL);
    CHECK(network_find(host->stack, ETHERTYPE_IPV6) != NULL);
    net_destroy(net);
}

// --- Loopback

static void a_ping_of_ourselves_goes_through_loopback(void)
{
    static const char *const targets[] = {"127.0.0.1", "127.9.9.9", "10.0.0.1"};
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        struct net *net = net_create(1);
        struct net_host *host = net_host(net, "host", "10.0.0.1/24");
        net_run(net, 10 * NS_PER_S);
        net_record(net);
        CHECK_EQUAL(ping(host, targets[i], 100), 0);
        CHECK_EQUAL(counts(host, COUNT_ICMP_IN), 0); // not inside the call
        net_run(net, NS_PER_MS);
        CHECK_EQUAL(counts(host, COUNT_ICMP_ECHO_IN), 1);
        CHECK_EQUAL(counts(host, COUNT_ICMP_IN), 2);
        CHECK_EQUAL(net->record_count, 0);
        net_destroy(net);
    }
}

static void a_large_packet_goes_through_loopback_whole(void)
{
    struct net *net = net_create(1);
    struct net_host *host = net_host(net, "host", "10.0.0.1/24");
    struct sink *sink = sink_open(host);
    CHECK_EQUAL(ip_send(host, "10.0.0.1", 60000, 0), 0);
    net_run(net, NS_PER_MS);
    CHECK_EQUAL(sink->count, 1);
    CHECK_EQUAL(sink->length, 60000);
    CHECK_EQUAL(counts(host, COUNT_IP_FRAGMENTS_OUT), 0);
    net_destroy(net);
    sink_close(sink);
}

static void packets_in_the_loopback_queue_at_the_end_are_counted(void)
{
    struct net *net = net_create(1);
    struct net_host *host = net_host(net, "host", "10.0.0.1/24");
    ip_send(host, "10.0.0.1", 10, 0);
    ip_send(host, "10.0.0.1", 10, 0);
    CHECK_EQUAL(stack_held(host->stack), 2);
    net_destroy(net); // must()s that nothing is left
}

static void loopback_that_is_down_takes_nothing(void)
{
    struct net *net = net_create(1);
    struct net_host *host = net_host(net, "host", "10.0.0.1/24");
    ip_send(host, "127.0.0.1", 10, 0);
    iface_set_up(iface_find(host->stack, "lo"), false);
    CHECK_EQUAL(drops(host, DROP_IFACE_DOWN), 1);
    CHECK_EQUAL(ip_send(host, "127.0.0.1", 10, 0), -ENETDOWN);
    iface_set_up(iface_find(host->stack, "lo"), true);
    CHECK_EQUAL(ping(host, "127.0.0.1", 10), 0);
    net_run(net, NS_PER_MS);
    CHECK_EQUAL(counts(host, COUNT_ICMP_ECHO_IN), 1);
    net_destroy(net);
}

static void broadcasts_are_heard_by_their_sender_too(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_host(net, "a", "10.0.0.1/24");
    struct net_host *b = net_host(net, "b", "10.0.0.2/24");
    struct sink *at_a = sink_open(a), *at_b = sink_open(b);
    ip_send(a, "10.0.0.255", 10, 0);
    ip_send(a, "255.255.255.255", 10, 0);
    ip_send(a, "224.0.0.1", 10, 0);
    net_run(net, NS_PER_S);
    CHECK_EQUAL(at_b->count, 3);
    CHECK_EQUAL(at_b->ip.ttl, 1); // a group: stays on its link
    CHECK_EQUAL(at_a->count, 3);
    CHECK(at_a->flags & PACKET_LOOPED);
    net_destroy(net);
    sink_close(at_a);
    sink_close(at_b);
}

static void what_comes_back_by_an_interface_ends_with_it(void)
{
    struct net *net = net_create(1);
    struct net_host *host = net_host(net, "host", "10.0.0.1/24");
    struct sink *sink = sink_open(host);
    ip_send(host, "10.0.0.255", 10, 0);
    ip_send(host, "127.0.0.1", 10, 0);
    CHECK_EQUAL(stack_held(host->stack), 2);
    iface_set_up(host->eth, false);
    CHECK_EQUAL(drops(host, DROP_IFACE_DOWN), 1);
    net_run(net, NS_PER_MS);
    CHECK_EQUAL(sink->count, 1);
    net_destroy(net);
    sink_close(sink);
}

static void no_frame_comes_into_loopback_from_outside(void)
{
    struct net *net = net_create(1);
    struct net_host *host = net_add_stack(net, "host", NULL);
    net_inject(host, iface_find(host->stack, "lo"), "\x45", 1);
    CHECK_EQUAL(drops(host, DROP_LINK_NOT_FOR_US), 1);
    net_destroy(net);
}

static void a_small_host_is_small(void)
{
    CHECK(sizeof(struct stack) + sizeof(struct iface) * 2 < 2048);
}

const struct unit_test suite_stack[] = {
    UNIT(every_packet_ends_in_one_of_three_ways),
    UNIT(a_packet_lost_or_ended_twice_is_found),
    UNIT(packets_are_limited_per_host),
    UNIT(traces_come_for_the_kinds_asked_for),
    UNIT(the_host_hears_of_deadlines_when_they_change),
    UNIT(a_registered_network_protocol_gets_its_frames),
    UNIT(rows_that_are_taken_or_fail_are_not_registered),
    UNIT(a_shorter_list_of_protocols_leaves_the_family_out),
    UNIT(a_ping_of_ourselves_goes_through_loopback),
    UNIT(a_large_packet_goes_through_loopback_whole),
    UNIT(packets_in_the_loopback_queue_at_the_end_are_counted),
    UNIT(loopback_that_is_down_takes_nothing),
    UNIT(broadcasts_are_heard_by_their_sender_too),
    UNIT(what_comes_back_by_an_interface_ends_with_it),
    UNIT(no_frame_comes_into_loopback_from_outside),
    UNIT(a_small_host_is_small),
    {0}};
