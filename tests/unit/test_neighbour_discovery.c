// Neighbour discovery messages in and out (RFC 4861).
// SPDX-License-Identifier: MIT
#include "stack/net/neighbour.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/nd.h"
#include "tests/unit/ipv6_fixture.h"
#include "tests/unit/unit.h"

// Peers that the fixture's host does not know yet.
#define STRANGER "2001:db8::77"
static const struct mac_addr stranger_mac = {{2, 0, 0, 0, 0, 0x77}};
static const struct mac_addr other_mac = {{2, 0, 0, 0, 0, 0x78}};

static uint64_t drops(struct v6 *v6, enum drop_reason reason)
{
    return stack_drops(v6->host->stack, reason);
}

static void open_host(struct v6 *v6)
{
    v6_init(v6);
    v6_open(v6);
}

static struct v6_frame carry(const struct v6 *v6, const char *from,
                             const char *to, const struct nd_neighbour *message)
{
    uint8_t bytes[ND_NEIGHBOUR_SIZE + ND_LINK_OPTION_SIZE];
    size_t size = nd_neighbour_emit(message, bytes);
    struct v6_frame frame = v6_begin(v6, from, to, IP_PROTOCOL_ICMPV6, 255);
    frame.icmp = frame.length;
    v6_put(&frame, bytes, size);
    return frame;
}

static struct nd_neighbour solicitation(const char *target,
                                        const struct mac_addr *mac)
{
    struct nd_neighbour message = {.type = ICMP6_NEIGHBOUR_SOLICITATION,
                                   .target = net_addr(target),
                                   .has_link_addr = mac != NULL};
    if (mac)
        message.link_addr = *mac;
    return message;
}

static struct nd_neighbour advertisement(const char *target,
                                         const struct mac_addr *mac)
{
    struct nd_neighbour message = solicitation(target, mac);
    message.type = ICMP6_NEIGHBOUR_ADVERTISEMENT;
    return message;
}

static void send_message(struct v6 *v6, const char *from, const char *to,
                         const struct nd_neighbour *message)
{
    struct v6_frame frame = carry(v6, from, to, message);
    v6_send(v6, &frame);
}

static bool next_message(struct v6 *v6, struct v6_answer *answer,
                         struct nd_neighbour *message)
{
    if (!v6_next(v6, answer))
        return false;
    CHECK_EQUAL(answer->ip.hop_limit, 255);
    CHECK_FATAL(nd_neighbour_parse(answer->payload, answer->length, message) ==
                0);
    return true;
}

static void check_address(const struct ip_addr *address, const char *expected)
{
    char text[IP_ADDR_TEXT_SIZE];
    CHECK_TEXT(ip_addr_format(address, text), expected);
}

static enum neighbour_state state_of(struct v6 *v6, const char *address,
                                     struct mac_addr *mac)
{
    struct neighbour_info info;
    struct ip_addr wanted = net_addr(address);
    for (size_t n = 0; stack_get_neighbour(v6->host->stack, n, &info); n++)
        if (ip_addr_equal(&info.address, &wanted)) {
            if (mac)
                *mac = info.mac;
            return info.state;
        }
    return NEIGHBOUR_NONE;
}

static void ping_out(struct v6 *v6, const char *to)
{
    struct socket *socket = NULL;
    struct endpoint endpoint = {.addr = net_addr(to), .port = 7};
    CHECK_EQUAL(
        socket_open(v6->host->stack, SOCKET_DATAGRAM, IP_V6, 0, &socket), 0);
    CHECK_EQUAL(socket_send_to(socket, "x", 1, 0, &endpoint), 1);
    socket_close(socket);
}

// --- Being asked

static void a_solicitation_is_answered_and_its_sender_learnt(void)
{
    struct v6 v6;
    struct v6_answer answer;
    struct nd_neighbour message = solicitation(V6_HOST, &stranger_mac), reply;
    struct mac_addr mac;
    open_host(&v6);
    send_message(&v6, STRANGER, "ff02::1:ff00:2", &message);
    CHECK_FATAL(next_message(&v6, &answer, &reply));
    check_address(&answer.ip.source, V6_HOST);
    check_address(&answer.ip.destination, STRANGER);
    CHECK(mac_addr_equal(&answer.to, &stranger_mac));
    CHECK_EQUAL(reply.type, ICMP6_NEIGHBOUR_ADVERTISEMENT);
    CHECK(reply.is_solicited && reply.is_override && !reply.is_router);
    check_address(&reply.target, V6_HOST);
    struct mac_addr own = iface_mac(v6.host->eth);
    CHECK(reply.has_link_addr && mac_addr_equal(&reply.link_addr, &own));
    CHECK(!v6_next(&v6, &answer));
    // Sending the answer made it DELAY.
    CHECK_EQUAL(state_of(&v6, STRANGER, &mac), NEIGHBOUR_DELAY);
    CHECK(mac_addr_equal(&mac, &stranger_mac));
    v6_close(&v6);
}

static void a_router_says_that_it_is_one(void)
{
    struct v6 v6;
    struct v6_answer answer;
    struct nd_neighbour message = solicitation(V6_HOST, &stranger_mac), reply;
    v6_init(&v6);
    v6.settings.ip_forward = 1;
    v6_open(&v6);
    send_message(&v6, STRANGER, V6_HOST, &message); // a unicast probe
    CHECK_FATAL(next_message(&v6, &answer, &reply));
    CHECK(reply.is_router);
    v6_close(&v6);
}

static void a_solicitation_without_a_link_address_is_asked_back(void)
{
    struct v6 v6;
    struct v6_answer answer;
    struct nd_neighbour message = solicitation(V6_HOST, NULL), reply;
    open_host(&v6);
    send_message(&v6, STRANGER, V6_HOST, &message);
    CHECK_FATAL(next_message(&v6, &answer, &reply));
    CHECK_EQUAL(reply.type, ICMP6_NEIGHBOUR_SOLICITATION);
    message = advertisement(STRANGER, &stranger_mac);
    message.is_solicited = true;
    send_message(&v6, STRANGER, V6_HOST, &message);
    CHECK_FATAL(next_message(&v6, &answer, &reply));
    CHECK_EQUAL(reply.type, ICMP6_NEIGHBOUR_ADVERTISEMENT);
    v6_close(&v6);
}

static void duplicate_detection_of_others_is_answered_to_all(void)
{
    struct v6 v6;
    struct v6_answer answer;
    struct nd_neighbour message = solicitation(V6_HOST, NULL), reply;
    open_host(&v6);
    send_message(&v6, "::", "ff02::1:ff00:2", &message);
    CHECK_FATAL(next_message(&v6, &answer, &reply));
    check_address(&answer.ip.destination, "ff02::1");
    struct mac_addr group = {{0x33, 0x33, 0, 0, 0, 1}};
    CHECK(mac_addr_equal(&answer.to, &group));
    CHECK(!reply.is_solicited && reply.is_override);
    v6_close(&v6);
}

static void other_targets_are_none_of_our_business(void)
{
    struct v6 v6;
    struct v6_answer answer;
    // Shares the solicited-node group, not the address.
    struct nd_neighbour message = solicitation("2001:db8:1::2", &stranger_mac);
    open_host(&v6);
    send_message(&v6, STRANGER, "ff02::1:ff00:2", &message);
    CHECK_EQUAL(drops(&v6, DROP_ICMP_UNWANTED), 1);
    CHECK(!v6_next(&v6, &answer));
    CHECK_EQUAL(state_of(&v6, STRANGER, NULL), NEIGHBOUR_NONE);
    v6_close(&v6);
}

static void an_answer_without_buffers_leaks_nothing(void)
{
    struct v6 v6;
    struct nd_neighbour message = solicitation(V6_HOST, &stranger_mac);
    open_host(&v6);
    struct v6_frame frame = carry(&v6, STRANGER, "ff02::1:ff00:2", &message);
    v6_finish(&frame);
    // A clone keeps the bytes shared, so that the answer needs a copy.
    struct packet *packet = net_packet(v6.net, frame.bytes, frame.length);
    struct packet *clone = packet_clone(packet);
    packet_pool_fail_after(v6.net->pool, 1);
    iface_input(v6.host->eth, packet);
    CHECK_EQUAL(drops(&v6, DROP_NO_BUFFER), 1);
    CHECK_BYTES(clone->data, frame.bytes, frame.length);
    packet_free(clone);
    v6_close(&v6);
}

static void the_bytes_of_others_are_left_alone_by_the_answer(void)
{
    struct v6 v6;
    struct v6_answer answer;
    struct nd_neighbour message = solicitation(V6_HOST, &stranger_mac), reply;
    open_host(&v6);
    struct v6_frame frame = carry(&v6, STRANGER, "ff02::1:ff00:2", &message);
    v6_finish(&frame);
    struct packet *packet = net_packet(v6.net, frame.bytes, frame.length);
    struct packet *clone = packet_clone(packet);
    iface_input(v6.host->eth, packet);
    CHECK(next_message(&v6, &answer, &reply));
    CHECK_BYTES(clone->data, frame.bytes, frame.length);
    packet_free(clone);
    v6_close(&v6);
}

// --- RFC 4861 7.1: what must be discarded

static void invalid_messages_are_discarded(void)
{
    enum {
        HOPS,
        CODE,
        SHORT,
        ZERO_OPTION,
        GROUP_TARGET,
        BAD_GROUP,
        DAD_OPTION
    };
    for (unsigned fault = HOPS; fault <= DAD_OPTION; fault++) {
        struct v6 v6;
        struct v6_answer answer;
        open_host(&v6);
        bool is_dad = fault >= BAD_GROUP;
        struct nd_neighbour message =
            solicitation(fault == GROUP_TARGET ? "ff02::1" : V6_HOST,
                         is_dad && fault != DAD_OPTION ? NULL : &stranger_mac);
        struct v6_frame frame =
            carry(&v6, is_dad ? "::" : STRANGER,
                  fault == BAD_GROUP ? "ff02::1" : "ff02::1:ff00:2", &message);
        if (fault == HOPS)
            frame.bytes[V6_IP + 7] = 254;
        if (fault == CODE)
            frame.bytes[V6_PAYLOAD + 1] = 1;
        if (fault == SHORT)
            frame.length = V6_PAYLOAD + 23;
        if (fault == ZERO_OPTION)
            frame.bytes[V6_PAYLOAD + 25] = 0;
        v6_send(&v6, &frame);
        CHECK_EQUAL(drops(&v6, DROP_ND_BAD), 1);
        CHECK(!v6_next(&v6, &answer));
        CHECK_EQUAL(state_of(&v6, STRANGER, NULL), NEIGHBOUR_NONE);
        v6_close(&v6);
    }
}

static void invalid_advertisements_are_discarded(void)
{
    struct v6 v6;
    open_host(&v6);
    ping_out(&v6, STRANGER);
    struct nd_neighbour message = advertisement(STRANGER, &stranger_mac);
    message.is_solicited = true;
    send_message(&v6, STRANGER, "ff02::1", &message); // solicited, to a group
    message.target = net_addr("ff02::1");
    message.is_solicited = false;
    send_message(&v6, STRANGER, V6_HOST, &message);
    CHECK_EQUAL(drops(&v6, DROP_ND_BAD), 2);
    CHECK_EQUAL(state_of(&v6, STRANGER, NULL), NEIGHBOUR_INCOMPLETE);
    v6_close(&v6);
}

// Advertisements are router_discovery.c's; see test_router_discovery.c.
static void solicitations_of_routers_and_redirects_are_unwanted(void)
{
    static const uint8_t types[] = {ICMP6_ROUTER_SOLICITATION, ICMP6_REDIRECT};
    struct v6 v6;
    open_host(&v6);
    for (unsigned i = 0; i < ARRAY_LENGTH(types); i++) {
        struct v6_frame frame =
            v6_begin(&v6, "fe80::1", "ff02::1", IP_PROTOCOL_ICMPV6, 255);
        v6_put_icmp(&frame, types[i], 0, 0);
        v6_put_zeros(&frame, 32);
        v6_send(&v6, &frame);
    }
    CHECK_EQUAL(drops(&v6, DROP_ICMP_UNWANTED), ARRAY_LENGTH(types));
    v6_close(&v6);
}

// --- Asking

static void the_first_packet_asks_and_waits(void)
{
    struct v6 v6;
    struct v6_answer answer;
    struct nd_neighbour message;
    open_host(&v6);
    ping_out(&v6, STRANGER);
    CHECK_FATAL(next_message(&v6, &answer, &message));
    check_address(&answer.ip.source, V6_HOST);
    check_address(&answer.ip.destination, "ff02::1:ff00:77");
    struct mac_addr group = {{0x33, 0x33, 0xff, 0, 0, 0x77}};
    CHECK(mac_addr_equal(&answer.to, &group));
    CHECK_EQUAL(message.type, ICMP6_NEIGHBOUR_SOLICITATION);
    check_address(&message.target, STRANGER);
    CHECK(message.has_link_addr);
    CHECK(!v6_next(&v6, &answer));
    message = advertisement(STRANGER, &stranger_mac);
    message.is_solicited = message.is_override = message.is_router = true;
    send_message(&v6, STRANGER, V6_HOST, &message);
    CHECK_FATAL(v6_next(&v6, &answer)); // the packet that waited
    CHECK_EQUAL(answer.ip.next_header, IP_PROTOCOL_UDP);
    CHECK(mac_addr_equal(&answer.to, &stranger_mac));
    CHECK_EQUAL(state_of(&v6, STRANGER, NULL), NEIGHBOUR_REACHABLE);
    struct neighbour_info info;
    struct ip_addr address = net_addr(STRANGER);
    for (size_t n = 0; stack_get_neighbour(v6.host->stack, n, &info); n++)
        if (ip_addr_equal(&info.address, &address))
            CHECK(info.is_router);
    v6_close(&v6);
}

static void silence_is_asked_three_times(void)
{
    struct v6 v6;
    struct v6_answer answer;
    struct nd_neighbour message;
    unsigned count = 0;
    open_host(&v6);
    ping_out(&v6, STRANGER);
    net_run(v6.net, 5 * NS_PER_S);
    while (next_message(&v6, &answer, &message))
        count++;
    CHECK_EQUAL(count, 3);
    CHECK_EQUAL(drops(&v6, DROP_NEIGHBOUR_FAILED), 1);
    v6_close(&v6);
}

static void a_stale_neighbour_is_probed_by_unicast(void)
{
    struct v6 v6;
    struct v6_answer answer;
    struct nd_neighbour message = solicitation(V6_HOST, &stranger_mac);
    open_host(&v6);
    send_message(&v6, STRANGER, V6_HOST, &message);
    CHECK(v6_next(&v6, &answer));
    net_run(v6.net, v6.settings.neighbour_delay_first_probe + NS_PER_MS);
    CHECK_FATAL(next_message(&v6, &answer, &message));
    CHECK_EQUAL(message.type, ICMP6_NEIGHBOUR_SOLICITATION);
    check_address(&answer.ip.destination, STRANGER);
    CHECK(mac_addr_equal(&answer.to, &stranger_mac));
    // The answer may leave the link-layer address out (RFC 4861 4.4).
    message = advertisement(STRANGER, NULL);
    message.is_solicited = true;
    send_message(&v6, STRANGER, V6_HOST, &message);
    CHECK_EQUAL(state_of(&v6, STRANGER, NULL), NEIGHBOUR_REACHABLE);
    v6_close(&v6);
}

static void a_solicitation_without_a_buffer_is_as_good_as_lost(void)
{
    struct v6 v6;
    struct v6_answer answer;
    struct nd_neighbour message;
    open_host(&v6);
    packet_pool_fail_after(v6.net->pool, 1);
    struct neighbour *neighbour;
    struct ip_addr address = net_addr(STRANGER);
    neighbour = neighbour_get(v6.host->stack, v6.host->eth, &address);
    CHECK_FATAL(neighbour != NULL);
    stack_enter(v6.host->stack);
    CHECK_EQUAL(neighbour_resolve(v6.host->stack, neighbour, NULL), 0);
    stack_leave(v6.host->stack);
    CHECK(!v6_next(&v6, &answer));
    net_run(v6.net, NS_PER_S + NS_PER_MS);
    CHECK(next_message(&v6, &answer, &message)); // the next one
    v6_close(&v6);
}

// --- Hearing

static void an_advertisement_about_strangers_is_not_kept(void)
{
    struct v6 v6;
    struct nd_neighbour message = advertisement(STRANGER, &stranger_mac);
    open_host(&v6);
    message.is_override = true;
    send_message(&v6, STRANGER, "ff02::1", &message);
    CHECK_EQUAL(state_of(&v6, STRANGER, NULL), NEIGHBOUR_NONE);
    message = advertisement(STRANGER, NULL);
    send_message(&v6, STRANGER, "ff02::1", &message);
    CHECK_EQUAL(drops(&v6, DROP_ICMP_UNWANTED), 1);
    v6_close(&v6);
}

static void the_override_flag_decides_about_a_new_address(void)
{
    struct v6 v6;
    struct mac_addr mac;
    struct nd_neighbour message = advertisement(STRANGER, &stranger_mac);
    open_host(&v6);
    ping_out(&v6, STRANGER);
    message.is_solicited = true;
    send_message(&v6, STRANGER, V6_HOST, &message);
    message = advertisement(STRANGER, &other_mac);
    send_message(&v6, STRANGER, "ff02::1", &message); // no override
    CHECK_EQUAL(state_of(&v6, STRANGER, &mac), NEIGHBOUR_STALE);
    CHECK(mac_addr_equal(&mac, &stranger_mac));
    message.is_override = true;
    send_message(&v6, STRANGER, "ff02::1", &message);
    CHECK_EQUAL(state_of(&v6, STRANGER, &mac), NEIGHBOUR_STALE);
    CHECK(mac_addr_equal(&mac, &other_mac));
    message.is_solicited = true;
    send_message(&v6, STRANGER, V6_HOST, &message);
    CHECK_EQUAL(state_of(&v6, STRANGER, NULL), NEIGHBOUR_REACHABLE);
    v6_close(&v6);
}

static void two_hosts_find_each_other(void)
{
    struct stack_settings settings = stack_settings_default;
    settings.ip_dad_transmits = 0;
    struct net *net = net_create(1);
    struct net_host *a = net_add_stack(net, "a", &settings);
    struct net_host *b = net_add_stack(net, "b", &settings);
    net_add_iface(a, 0, "eth0", 0, "2001:db8::1/64");
    net_add_iface(b, 0, "eth0", 0, "2001:db8::2/64");
    struct socket *from = NULL, *to = NULL;
    struct endpoint endpoint = net_endpoint("[2001:db8::2]:7");
    char text[4];
    socket_open(a->stack, SOCKET_DATAGRAM, IP_V6, 0, &from);
    socket_open(b->stack, SOCKET_DATAGRAM, IP_V6, 0, &to);
    CHECK_EQUAL(socket_bind(to, &endpoint), 0);
    net_record(net);
    CHECK_EQUAL(socket_send_to(from, "x", 1, 0, &endpoint), 1);
    net_run(net, NS_PER_S);
    CHECK_EQUAL(socket_receive(to, text, sizeof text, 0), 1);
    CHECK_EQUAL(net->record_count, 3); // solicitation, answer, datagram
    net_destroy(net);
}

const struct unit_test suite_neighbour_discovery[] = {
    UNIT(a_solicitation_is_answered_and_its_sender_learnt),
    UNIT(a_router_says_that_it_is_one),
    UNIT(a_solicitation_without_a_link_address_is_asked_back),
    UNIT(duplicate_detection_of_others_is_answered_to_all),
    UNIT(other_targets_are_none_of_our_business),
    UNIT(an_answer_without_buffers_leaks_nothing),
    UNIT(the_bytes_of_others_are_left_alone_by_the_answer),
    UNIT(invalid_messages_are_discarded),
    UNIT(invalid_advertisements_are_discarded),
    UNIT(solicitations_of_routers_and_redirects_are_unwanted),
    UNIT(the_first_packet_asks_and_waits),
    UNIT(silence_is_asked_three_times),
    UNIT(a_stale_neighbour_is_probed_by_unicast),
    UNIT(an_advertisement_about_strangers_is_not_kept),
    UNIT(the_override_flag_decides_about_a_new_address),
    UNIT(two_hosts_find_each_other),
    UNIT(a_solicitation_without_a_buffer_is_as_good_as_lost),
    {0}};
