// The cache of path MTUs: news, ends, limits.
// SPDX-License-Identifier: MIT
#include "stack/net/path_mtu.h"

#include <string.h>

#include "tests/unit/ip_fixture.h"
#include "tests/unit/malloc_fixture.h"
#include "tests/unit/unit.h"

struct bench {
    struct stack_settings settings;
    struct net *net;
    struct net_host *host;
    struct stack *stack;
    struct ip_addr far;
};

static void bench_open(struct bench *b)
{
    b->settings = stack_settings_default;
    b->net = net_create(3);
    b->host = net_add_stack(b->net, "host", &b->settings);
    b->stack = b->host->stack;
    net_add_iface(b->host, 0, "eth0", 0, "10.0.0.1/24");
    net_add_route(b->host, "0.0.0.0/0", "10.0.0.254");
    b->far = net_addr("192.0.2.1");
}

static void bench_close(struct bench *b) { net_destroy(b->net); }

// As ICMP input does it, between enter and leave.
static void update(struct bench *b, const char *destination, uint32_t mtu)
{
    struct ip_addr address = net_addr(destination);
    stack_enter(b->stack);
    path_mtu_update(b->stack, &address, mtu);
    stack_leave(b->stack);
}

static uint32_t mtu_to(struct bench *b, const char *destination)
{
    struct ip_addr address = net_addr(destination);
    return path_mtu_find(b->stack, &address, 1500);
}

static void news_only_lowers(void)
{
    struct bench b;
    bench_open(&b);
    CHECK_EQUAL(mtu_to(&b, "192.0.2.1"), 1500);
    update(&b, "192.0.2.1", 1400);
    CHECK_EQUAL(mtu_to(&b, "192.0.2.1"), 1400);
    update(&b, "192.0.2.1", 1450);
    CHECK_EQUAL(mtu_to(&b, "192.0.2.1"), 1400);
    update(&b, "192.0.2.1", 1000);
    CHECK_EQUAL(mtu_to(&b, "192.0.2.1"), 1000);
    CHECK_EQUAL(mtu_to(&b, "192.0.2.2"), 1500);
    // Never more than the interface carries.
    CHECK_EQUAL(path_mtu_find(b.stack, &b.far, 900), 900);
    bench_close(&b);
}

static void paths_notice_news_and_its_end(void)
{
    struct bench b;
    bench_open(&b);
    struct ip_path path;
    CHECK_EQUAL(ip_path_find(b.stack, NULL, &b.far, NULL, &path), 0);
    CHECK_EQUAL(path.mtu, 1500);
    update(&b, "192.0.2.1", 1400);
    CHECK_EQUAL(ip_path_refresh(b.stack, &path, NULL), 0);
    CHECK_EQUAL(path.mtu, 1400);
    net_run(b.net, b.settings.ip_path_mtu_timeout - 1);
    CHECK_EQUAL(ip_path_refresh(b.stack, &path, NULL), 0);
    CHECK_EQUAL(path.mtu, 1400);
    net_run(b.net, 1);
    CHECK_EQUAL(ip_path_refresh(b.stack, &path, NULL), 0);
    CHECK_EQUAL(path.mtu, 1500);
    bench_close(&b);
}

static void lower_news_starts_the_time_again(void)
{
    struct bench b;
    bench_open(&b);
    update(&b, "192.0.2.1", 1400);
    update(&b, "192.0.2.2", 1400);
    net_run(b.net, 300 * NS_PER_S);
    update(&b, "192.0.2.1", 1300);
    net_run(b.net, 300 * NS_PER_S);
    CHECK_EQUAL(mtu_to(&b, "192.0.2.2"), 1500);
    CHECK_EQUAL(mtu_to(&b, "192.0.2.1"), 1300);
    net_run(b.net, 300 * NS_PER_S);
    CHECK_EQUAL(mtu_to(&b, "192.0.2.1"), 1500);
    bench_close(&b);
}

static void an_mtu_too_small_to_believe_takes_df_away(void)
{
    struct bench b;
    bench_open(&b);
    struct ip_addr gateway = net_addr("10.0.0.254");
    struct mac_addr mac = {{2, 0, 0, 0, 0, 9}};
    stack_set_neighbour(b.host->eth, &gateway, &mac);
    net_record(b.net);
    update(&b, "192.0.2.1", 200);
    CHECK_EQUAL(mtu_to(&b, "192.0.2.1"), 552);
    CHECK_EQUAL(ip_send(b.host, "192.0.2.1", 500, PACKET_DONT_FRAGMENT), 0);
    CHECK_EQUAL(ip_send(b.host, "192.0.2.1", 1000, PACKET_DONT_FRAGMENT), 0);
    CHECK_EQUAL(ip_send(b.host, "192.0.2.2", 500, PACKET_DONT_FRAGMENT), 0);
    struct ipv4_header header;
    const uint8_t *payload;
    size_t length;
    for (unsigned n = 0; n < 4; n++) {
        CHECK_FATAL(record_find(b.net, SINK_PROTOCOL, n, &header, &payload,
                                &length) != NULL);
        CHECK_EQUAL(header.dont_fragment, n == 3);
        CHECK(header.total_length <= 552);
    }
    bench_close(&b);
}

static void ipv6_never_goes_under_1280(void)
{
    struct bench b;
    bench_open(&b);
    update(&b, "2001:db8::1", 500);
    CHECK_EQUAL(mtu_to(&b, "2001:db8::1"), 1280);
    bench_close(&b);
}

static void nothing_is_learnt_when_discovery_is_off(void)
{
    struct bench b;
    bench_open(&b);
    b.settings.ip_path_mtu_discovery = 0;
    update(&b, "192.0.2.1", 1000);
    CHECK_EQUAL(mtu_to(&b, "192.0.2.1"), 1500);
    bench_close(&b);
}

static void the_oldest_news_gives_way(void)
{
    struct bench b;
    bench_open(&b);
    for (uint32_t i = 0; i < 1100; i++) {
        struct ip_addr address = ip_addr_v4_u32(0xc0000200 + i);
        stack_enter(b.stack);
        path_mtu_update(b.stack, &address, 1000);
        stack_leave(b.stack);
    }
    CHECK_EQUAL(mtu_to(&b, "192.0.2.0"), 1500);
    struct ip_addr last = ip_addr_v4_u32(0xc0000200 + 1099);
    CHECK_EQUAL(path_mtu_find(b.stack, &last, 1500), 1000);
    bench_close(&b);
}

static void without_memory_nothing_is_learnt(void)
{
    for (unsigned n = 1; n <= 3; n++) {
        struct bench b;
        bench_open(&b);
        malloc_fail_after(n);
        update(&b, "192.0.2.1", 1000);
        CHECK_EQUAL(mtu_to(&b, "192.0.2.1"), malloc_has_failed() ? 1500 : 1000);
        malloc_fail_after(0);
        update(&b, "192.0.2.1", 1000);
        CHECK_EQUAL(mtu_to(&b, "192.0.2.1"), 1000);
        bench_close(&b);
    }
}

static void plateaus_are_those_of_rfc_1191(void)
{
    CHECK_EQUAL(path_mtu_plateau(65535), 32000);
    CHECK_EQUAL(path_mtu_plateau(32000), 17914);
    CHECK_EQUAL(path_mtu_plateau(1500), 1492);
    CHECK_EQUAL(path_mtu_plateau(1492), 1006);
    CHECK_EQUAL(path_mtu_plateau(296), 68);
    CHECK_EQUAL(path_mtu_plateau(68), 68);
}

const struct unit_test suite_path_mtu[] = {
    UNIT(news_only_lowers),
    UNIT(paths_notice_news_and_its_end),
    UNIT(lower_news_starts_the_time_again),
    UNIT(an_mtu_too_small_to_believe_takes_df_away),
    UNIT(ipv6_never_goes_under_1280),
    UNIT(nothing_is_learnt_when_discovery_is_off),
    UNIT(the_oldest_news_gives_way),
    UNIT(without_memory_nothing_is_learnt),
    UNIT(plateaus_are_those_of_rfc_1191),
    {0}};
