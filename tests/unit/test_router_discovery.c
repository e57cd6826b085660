// Router discovery and SLAAC of a host (RFC 4861 6.3, RFC 4862 5.5).
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "stack/wire/bytes.h"
#include "stack/wire/ipv4.h"
#include "tests/unit/ipv6_fixture.h"
#include "tests/unit/unit.h"

#define MADE "2001:db8:7::ff:fe00:1"

static void open_host(struct v6 *v6)
{
    v6_init(v6);
    v6->settings.ip_accept_ra = 1;
    v6_open(v6);
}

// An advertisement by fe80::1 with one prefix.
struct advertisement {
    const char *source;
    uint16_t lifetime;
    uint8_t hop_limit, prefix_length, flags;
    uint32_t valid, preferred;
};
static const struct advertisement usual = {"fe80::1", 1800,  255,  64,
                                           0xc0,      86400, 14400};

static struct v6_frame make(const struct v6 *v6, const struct advertisement *a)
{
    uint8_t body[12] = {0}, option[32] = {3, 4};
    struct ip_addr prefix = net_addr("2001:db8:7::");
    struct v6_frame frame =
        v6_begin(v6, a->source, "ff02::1", IP_PROTOCOL_ICMPV6, a->hop_limit);

    v6_put_icmp(&frame, 134, 0, (uint32_t)64 << 24 | a->lifetime);
    v6_put(&frame, body, 8);
    option[2] = a->prefix_length;
    option[3] = a->flags;
    put_be32(option + 4, a->valid);
    put_be32(option + 8, a->preferred);
    memcpy(option + 16, prefix.bytes, 16);
    v6_put(&frame, option, sizeof(option));
    return frame;
}

static void hear(struct v6 *v6, const struct advertisement *a)
{
    struct v6_frame frame = make(v6, a);

    v6_send(v6, &frame);
}

static bool has_address(struct v6 *v6, const char *text)
{
    struct ip_addr address = net_addr(text);
    struct iface_address a;

    for (size_t n = 0; iface_get_address(v6->host->eth, n, &a); n++)
        if (ip_addr_equal(&a.prefix.addr, &address))
            return true;
    return false;
}

static unsigned default_routes(struct v6 *v6)
{
    struct route route;
    unsigned count = 0;

    for (size_t n = 0; stack_get_route(v6->host->stack, n, &route); n++)
        count += route.destination.length == 0;
    return count;
}

static void a_host_asks_three_times_and_then_waits(void)
{
    struct v6 v6;
    struct v6_answer answer;
    unsigned count = 0;

    open_host(&v6);
    net_run(v6.host->net, 60 * NS_PER_S);
    while (v6_next(&v6, &answer))
        if (answer.ip.next_header == IP_PROTOCOL_ICMPV6 &&
            answer.icmp.type == 133) {
            CHECK_EQUAL(answer.ip.hop_limit, 255);
            count++;
        }
    CHECK_EQUAL(count, 3);
    v6_close(&v6);
}

static void an_advertisement_makes_an_address_and_a_way_out(void)
{
    struct v6 v6;

    open_host(&v6);
    hear(&v6, &usual);
    CHECK(has_address(&v6, MADE));
    CHECK_EQUAL(default_routes(&v6), 1);
    hear(&v6, &usual); // again: nothing new
    CHECK_EQUAL(default_routes(&v6), 1);
    v6_close(&v6);
}

static void a_router_lasts_as_long_as_it_says(void)
{
    struct v6 v6;
    struct advertisement a = usual;

    open_host(&v6);
    a.lifetime = 100;
    hear(&v6, &a);
    net_run(v6.host->net, 99 * NS_PER_S);
    CHECK_EQUAL(default_routes(&v6), 1);
    net_run(v6.host->net, 2 * NS_PER_S);
    CHECK_EQUAL(default_routes(&v6), 0);
    hear(&v6, &a);
    CHECK_EQUAL(default_routes(&v6), 1);
    a.lifetime = 0; // it resigns
    hear(&v6, &a);
    CHECK_EQUAL(default_routes(&v6), 0);
    v6_close(&v6);
}

static void an_address_ends_with_its_prefix_but_not_within_two_hours(void)
{
    struct v6 v6;
    struct advertisement a = usual;

    open_host(&v6);
    hear(&v6, &a);
    a.valid = a.preferred = 10; // RFC 4862 5.5.3 e: not believed
    hear(&v6, &a);
    net_run(v6.host->net, 7100 * NS_PER_S);
    CHECK(has_address(&v6, MADE));
    net_run(v6.host->net, 200 * NS_PER_S);
    CHECK(!has_address(&v6, MADE));
    v6_close(&v6);
}

static void what_a_router_could_not_have_sent_is_not_believed(void)
{
    struct v6 v6;
    struct advertisement a = usual;

    open_host(&v6);
    a.hop_limit = 254;
    hear(&v6, &a);
    a = usual;
    a.source = "2001:db8::1"; // not of the link
    hear(&v6, &a);
    CHECK_EQUAL(default_routes(&v6), 0);
    CHECK_EQUAL(stack_drops(v6.host->stack, DROP_ND_BAD), 2);
    struct v6_frame frame = make(&v6, &usual);
    frame.bytes[frame.length - 31] = 0; // an option without length
    v6_send(&v6, &frame);
    CHECK_EQUAL(stack_drops(v6.host->stack, DROP_ND_BAD), 3);
    CHECK(!has_address(&v6, MADE));
    v6_close(&v6);
}

static void prefixes_that_make_no_address_make_none(void)
{
    struct v6 v6;
    struct advertisement a = usual;

    open_host(&v6);
    a.flags = 0x80; // on-link alone
    hear(&v6, &a);
    a = usual;
    a.prefix_length = 48; // no room for our identifier
    hear(&v6, &a);
    a = usual;
    a.preferred = a.valid + 1;
    hear(&v6, &a);
    CHECK(!has_address(&v6, MADE));
    v6_close(&v6);
}

static void a_host_that_was_not_told_to_listen_does_not(void)
{
    struct v6 v6;

    v6_init(&v6);
    v6_open(&v6);
    hear(&v6, &usual);
    CHECK(!has_address(&v6, MADE));
    CHECK_EQUAL(default_routes(&v6), 0);
    CHECK_EQUAL(stack_drops(v6.host->stack, DROP_ICMP_UNWANTED), 1);
    v6_close(&v6);
}

static void a_flood_of_routers_and_prefixes_is_bounded(void)
{
    struct v6 v6;

    open_host(&v6);
    for (unsigned i = 0; i < 200; i++) {
        char source[32];
        struct advertisement a = usual;
        snprintf(source, sizeof(source), "fe80::%x", i + 1);
        a.source = source;
        struct v6_frame frame = make(&v6, &a);
        frame.bytes[frame.length - 16 + 5] = (uint8_t)i; // another prefix
        v6_send(&v6, &frame);
    }
    CHECK(default_routes(&v6) <= 4);
    struct iface_address a;
    size_t count = 0;
    while (iface_get_address(v6.host->eth, count, &a))
        count++;
    CHECK(count <= 2 + 8);
    v6_close(&v6);
}

static unsigned solicitations(const struct v6 *v6)
{
    const struct net *net = v6->net;
    unsigned count = 0;

    for (unsigned i = 0; i < net->record_count; i++)
        count += net->records[i].length > 54 &&
                 net->records[i].bytes[20] == IP_PROTOCOL_ICMPV6 &&
                 net->records[i].bytes[54] == 133;
    return count;
}

static void an_interface_that_goes_down_asks_again_when_it_is_up(void)
{
    struct v6 v6;

    open_host(&v6);
    iface_set_up(v6.host->eth, false);
    net_record(v6.net);
    net_run(v6.net, 60 * NS_PER_S);
    CHECK_EQUAL(solicitations(&v6), 0);
    iface_set_up(v6.host->eth, true);
    net_run(v6.net, 60 * NS_PER_S);
    CHECK_EQUAL(solicitations(&v6), 3);
    v6_close(&v6);
}

const struct unit_test suite_router_discovery[] = {
    UNIT(a_host_asks_three_times_and_then_waits),
    UNIT(an_advertisement_makes_an_address_and_a_way_out),
    UNIT(a_router_lasts_as_long_as_it_says),
    UNIT(an_address_ends_with_its_prefix_but_not_within_two_hours),
    UNIT(what_a_router_could_not_have_sent_is_not_believed),
    UNIT(prefixes_that_make_no_address_make_none),
    UNIT(a_host_that_was_not_told_to_listen_does_not),
    UNIT(an_interface_that_goes_down_asks_again_when_it_is_up),
    UNIT(a_flood_of_routers_and_prefixes_is_bounded),
    {0}};
