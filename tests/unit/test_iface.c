// Interfaces and their addresses.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stack/internal.h"
#include "stack/wire/ethernet.h"
#include "tests/unit/ip_fixture.h"
#include "tests/unit/malloc_fixture.h"
#include "tests/unit/unit.h"

static struct net *open_net(struct net_host **host)
{
    struct net *net = net_create(1);
    *host = net_add_stack(net, "host", NULL);
    return net;
}

static void swallow(void *context, struct iface *iface, struct packet *frame)
{
    (void)context;
    (void)iface;
    packet_free(frame);
}

static struct iface_config good_config(void)
{
    return (struct iface_config){.name = "eth0",
                                 .type = IFACE_ETHERNET,
                                 .mac = {{2, 0, 0, 0, 0, 1}},
                                 .mtu = 1500,
                                 .transmit = swallow};
}

static int create(struct net_host *host, const struct iface_config *config)
{
    struct iface *iface;
    return iface_create(host->stack, config, &iface);
}

static void loopback_is_there_from_the_start(void)
{
    struct net_host *host;
    struct net *net = open_net(&host);
    struct iface *lo = iface_find(host->stack, "lo");
    CHECK_FATAL(lo != NULL);
    CHECK(lo == iface_find_index(host->stack, 1));
    CHECK_EQUAL(iface_flags(lo), IFACE_UP | IFACE_IS_LOOPBACK);
    struct iface_address address;
    char text[IP_PREFIX_TEXT_SIZE];
    CHECK_FATAL(iface_get_address(lo, 0, &address));
    CHECK_TEXT(ip_prefix_format(&address.prefix, text), "127.0.0.1/8");
    CHECK_FATAL(iface_get_address(lo, 1, &address));
    CHECK_TEXT(ip_prefix_format(&address.prefix, text), "::1/128");
    CHECK(!iface_get_address(lo, 2, &address));
    CHECK(iface_next(host->stack, lo) == NULL);
    net_destroy(net);
}

static void what_cannot_be_an_interface_is_refused(void)
{
    struct net_host *host;
    struct net *net = open_net(&host);
    struct iface_config config = good_config();
    config.name = "a-name-of-16-byt";
    CHECK_EQUAL(create(host, &config), -EINVAL);
    config.name = "";
    CHECK_EQUAL(create(host, &config), -EINVAL);
    config = good_config();
    config.mtu = 67;
    CHECK_EQUAL(create(host, &config), -EINVAL);
    config.mtu = 65536;
    CHECK_EQUAL(create(host, &config), -EINVAL);
    config = good_config();
    config.mac.bytes[0] = 1;
    CHECK_EQUAL(create(host, &config), -EINVAL);
    config = good_config();
    config.type = IFACE_LOOPBACK;
    CHECK_EQUAL(create(host, &config), -EINVAL);
    config = good_config();
    config.transmit = NULL;
    CHECK_EQUAL(create(host, &config), -EINVAL);
    config = good_config();
    CHECK_EQUAL(create(host, &config), 0);
    CHECK_EQUAL(create(host, &config), -EEXIST);
    net_destroy(net);
}

enum { MANY = 100 };

static int create_many(struct net_host *host, bool is_short_of_memory)
{
    struct iface_config config = good_config();
    char name[16];
    int error = 0;
    for (unsigned i = 0; i < MANY && error == 0; i++) {
        snprintf(name, sizeof(name), "port%u", i);
        config.name = name;
        // The second allocation, if there is one, is for the index.
        malloc_fail_after(is_short_of_memory ? 2 : 0);
        error = create(host, &config);
        malloc_fail_after(0);
    }
    return error;
}

static void check_many(struct net_host *host)
{
    struct iface_config config = good_config();
    char name[16];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "port%u", i);
        struct iface *iface = iface_find(host->stack, name);
        CHECK_FATAL(iface != NULL);
        CHECK_TEXT(iface_name(iface), name);
        config.name = name;
        CHECK_EQUAL(create(host, &config), -EEXIST);
        if (i % 2 == 0)
            iface_destroy(iface);
        CHECK_EQUAL(iface_find(host->stack, name) != NULL, i % 2 != 0);
    }
    CHECK(iface_find(host->stack, "port") == NULL);
    CHECK(iface_find(host->stack, "lo") != NULL);
}

static void many_interfaces_are_found_by_name(void)
{
    struct net_host *host;
    struct net *net = open_net(&host);
    CHECK_EQUAL(create_many(host, false), 0);
    CHECK(host->stack->iface_index != NULL);
    check_many(host);
    net_destroy(net);
}

static void interfaces_are_found_without_memory_for_an_index(void)
{
    struct net_host *host;
    struct net *net = open_net(&host);
    CHECK_EQUAL(create_many(host, true), 0);
    CHECK(host->stack->iface_index == NULL);
    check_many(host);
    net_destroy(net);
}

static void what_cannot_be_an_address_is_refused(void)
{
    static const char *const refused[] = {
        "10.0.0.0/24", "10.0.0.255/24", "224.0.0.1/24",
        "0.0.0.1/8",   "127.0.0.2/8",   "255.255.255.255/32",
        "240.0.0.1/8", "ff02::1/64",    "2001:db8::/64",
        "::/0",        "::1/128"};
    static const char *const taken[] = {
        "10.0.0.1/24",    "10.0.1.0/31",      "10.0.1.3/31", "10.0.2.0/32",
        "2001:db8::1/64", "2001:db8:1::/127", "fe80::5/64",  "2001:db8:2::/128",
    };
    struct net_host *host;
    struct net *net = open_net(&host);
    struct iface *eth = net_add_iface(host, 0, "eth0", 0, NULL);
    struct ip_prefix prefix;
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        CHECK_FATAL(ip_prefix_parse(refused[i], &prefix) == 0);
        CHECK_EQUAL(iface_add_address(eth, &prefix), -EINVAL);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(taken); i++) {
        CHECK_FATAL(ip_prefix_parse(taken[i], &prefix) == 0);
        CHECK_EQUAL(iface_add_address(eth, &prefix), 0);
        CHECK_EQUAL(iface_add_address(eth, &prefix), -EEXIST);
    }
    net_destroy(net);
}

static void an_address_belongs_to_one_interface_unless_link_local(void)
{
    struct net_host *host;
    struct net *net = open_net(&host);
    struct iface *first = net_add_iface(host, 0, "eth0", 0, "10.0.0.1/24");
    struct iface *second = net_add_iface(host, 1, "eth1", 0, NULL);
    struct ip_prefix prefix;
    must(ip_prefix_parse("10.0.0.1/16", &prefix) == 0);
    CHECK_EQUAL(iface_add_address(second, &prefix), -EEXIST);
    must(ip_prefix_parse("fe80::77/64", &prefix) == 0);
    CHECK_EQUAL(iface_add_address(first, &prefix), 0);
    CHECK_EQUAL(iface_add_address(second, &prefix), 0);
    net_destroy(net);
}

static bool has_route(struct net_host *host, const char *text)
{
    struct route route;
    for (size_t n = 0; stack_get_route(host->stack, n, &route); n++) {
        char found[IP_PREFIX_TEXT_SIZE];
        if (strcmp(ip_prefix_format(&route.destination, found), text) == 0)
            return true;
    }
    return false;
}

static void an_address_brings_the_route_to_its_prefix(void)
{
    struct net_host *host;
    struct net *net = open_net(&host);
    struct iface *eth = net_add_iface(host, 0, "eth0", 0, "10.0.0.1/24");
    struct ip_addr first = net_addr("10.0.0.1"), second = net_addr("10.0.0.2");
    CHECK(has_route(host, "10.0.0.0/24"));
    net_add_address(eth, "10.0.0.2/24");
    CHECK_EQUAL(iface_remove_address(eth, &first), 0);
    CHECK(has_route(host, "10.0.0.0/24")); // the other one needs it
    CHECK_EQUAL(iface_remove_address(eth, &first), -ENOENT);
    CHECK_EQUAL(iface_remove_address(eth, &second), 0);
    CHECK(!has_route(host, "10.0.0.0/24"));
    CHECK_EQUAL(ip_send(host, "10.0.0.9", 1, 0), -ENETUNREACH);
    net_destroy(net);
}

static void there_is_a_limit_to_addresses(void)
{
    struct net_host *host;
    struct net *net = open_net(&host);
    struct iface *eth = net_add_iface(host, 0, "eth0", 576, NULL);
    for (uint32_t i = 0; i <= IFACE_MAX_ADDRESSES; i++) {
        struct ip_prefix prefix = {ip_addr_v4_u32(0x0a000001 + 256 * i), 24};
        CHECK_EQUAL(iface_add_address(eth, &prefix),
                    i < IFACE_MAX_ADDRESSES ? 0 : -ENOMEM);
    }
    net_destroy(net);
}

static void ipv6_needs_1280_bytes(void)
{
    struct net_host *host;
    struct net *net = open_net(&host);
    struct iface *eth = net_add_iface(host, 0, "eth0", 1279, NULL);
    struct iface_address address;
    struct ip_prefix prefix;
    must(ip_prefix_parse("2001:db8::1/64", &prefix) == 0);
    CHECK(!iface_get_address(eth, 0, &address)); // no link-local address
    CHECK_EQUAL(iface_add_address(eth, &prefix), -EINVAL);
    CHECK_EQUAL(iface_set_mtu(eth, 1280), 0);
    CHECK(iface_get_address(eth, 0, &address));
    CHECK_EQUAL(iface_add_address(eth, &prefix), 0);
    CHECK_EQUAL(iface_set_mtu(eth, 1000), 0);
    CHECK(!iface_get_address(eth, 0, &address));
    CHECK_EQUAL(iface_set_mtu(eth, 67), -EINVAL);
    CHECK_EQUAL(iface_mtu(eth), 1000);
    net_destroy(net);
}

static void paths_follow_addresses_mtu_and_state(void)
{
    struct net_host *host;
    struct net *net = open_net(&host);
    struct iface *eth = net_add_iface(host, 0, "eth0", 0, "10.0.0.1/24");
    struct ip_addr to = net_addr("10.0.0.9"), own = net_addr("10.0.0.1");
    struct ip_path path;
    CHECK_EQUAL(ip_path_find(host->stack, NULL, &to, NULL, &path), 0);
    CHECK_EQUAL(iface_set_mtu(eth, 1400), 0);
    CHECK_EQUAL(ip_path_refresh(host->stack, &path, NULL), 0);
    CHECK_EQUAL(path.mtu, 1400);
    iface_set_up(eth, false);
    CHECK_EQUAL(ip_path_refresh(host->stack, &path, NULL), -ENETUNREACH);
    CHECK_EQUAL(ip_path_refresh(host->stack, &path, eth), -ENETDOWN);
    iface_set_up(eth, true);
    CHECK_EQUAL(ip_path_refresh(host->stack, &path, NULL), 0);
    net_add_address(eth, "10.0.0.2/24");
    CHECK_EQUAL(iface_remove_address(eth, &own), 0);
    CHECK_EQUAL(ip_path_refresh(host->stack, &path, NULL), -EADDRNOTAVAIL);
    CHECK_EQUAL(path.mtu, 1400); // untouched
    net_destroy(net);
}

static void groups_are_counted(void)
{
    struct net_host *host;
    struct net *net = open_net(&host);
    struct iface *eth = net_add_iface(host, 0, "eth0", 0, "10.0.0.1/24");
    struct ip_addr group = net_addr("224.1.2.3"), all = net_addr("224.0.0.1");
    CHECK(iface_is_in_group(eth, &all));
    CHECK(!iface_is_in_group(eth, &group));
    CHECK_EQUAL(iface_join_group(eth, &group), 0);
    CHECK_EQUAL(iface_join_group(eth, &group), 0);
    iface_leave_group(eth, &group);
    CHECK(iface_is_in_group(eth, &group));
    iface_leave_group(eth, &group);
    CHECK(!iface_is_in_group(eth, &group));
    net_destroy(net);
}

static void a_stack_survives_every_failed_malloc(void)
{
    for (unsigned n = 1;; n++) {
        struct net_host *host;
        struct net *net = open_net(&host);
        struct iface *eth = NULL;
        struct iface_config config = good_config();
        struct ip_prefix prefix;
        must(ip_prefix_parse("10.0.0.1/24", &prefix) == 0);
        malloc_fail_after(n);
        int error = iface_create(host->stack, &config, &eth);
        if (!error)
            error = iface_add_address(eth, &prefix);
        bool has_failed = malloc_has_failed();
        malloc_fail_after(0);
        CHECK(error == 0 || error == -ENOMEM);
        net_destroy(net);
        if (!has_failed)
            break;
    }
}

static void on_deadline(void *context, ns_t deadline)
{
    (void)context;
    (void)deadline;
}

static void zeroes(void *context, void *bytes, size_t length)
{
    (void)context;
    memset(bytes, 0, length);
}

static void creation_fails_cleanly_at_every_malloc(void)
{
    ns_t now = 0;
    struct packet_pool *pool = packet_pool_create(0);
    struct stack_config config = {
        .host = {.now = &now, .set_deadline = on_deadline, .random = zeroes},
        .pool = pool};
    unsigned n = 1;
    for (;; n++) {
        struct stack *stack = NULL;
        malloc_fail_after(n);
        int error = stack_create(&config, &stack);
        bool has_failed = malloc_has_failed();
        malloc_fail_after(0);
        if (!has_failed) {
            CHECK_EQUAL(error, 0);
            stack_destroy(stack);
            break;
        }
        CHECK_EQUAL(error, -ENOMEM);
        CHECK(stack == NULL);
    }
    CHECK(n > 5);
    packet_pool_destroy(pool);
}

// --- Point to point

struct tube {
    struct iface *to[2];
};

static void through_tube(void *context, struct iface *iface,
                         struct packet *frame)
{
    struct tube *tube = context;
    iface_input(iface == tube->to[0] ? tube->to[1] : tube->to[0], frame);
}

static void a_point_to_point_link_needs_no_arp_and_no_header(void)
{
    struct net *net = net_create(1);
    struct net_host *a = net_add_stack(net, "a", NULL);
    struct net_host *b = net_add_stack(net, "b", NULL);
    struct tube tube = {{NULL, NULL}};
    struct iface_config config = {.name = "ppp0",
                                  .type = IFACE_POINT_TO_POINT,
                                  .mtu = 1000,
                                  .transmit = through_tube,
                                  .context = &tube};
    CHECK_FATAL(iface_create(a->stack, &config, &tube.to[0]) == 0);
    CHECK_FATAL(iface_create(b->stack, &config, &tube.to[1]) == 0);
    net_add_address(tube.to[0], "10.9.0.0/31");
    net_add_address(tube.to[1], "10.9.0.1/31");
    CHECK_EQUAL(ping(a, "10.9.0.1", 3000), 0);
    net_run(net, NS_PER_S);
    CHECK_EQUAL(counts(b, COUNT_ICMP_ECHO_IN), 1);
    CHECK_EQUAL(counts(a, COUNT_ICMP_IN), 1);
    CHECK_EQUAL(counts(a, COUNT_ARP_OUT), 0);
    net_inject(b, tube.to[1], "\x75", 1); // version 7
    CHECK_EQUAL(drops(b, DROP_LINK_UNKNOWN_TYPE), 1);
    net_destroy(net);
}

const struct unit_test suite_iface[] = {
    UNIT(loopback_is_there_from_the_start),
    UNIT(what_cannot_be_an_interface_is_refused),
    UNIT(many_interfaces_are_found_by_name),
    UNIT(interfaces_are_found_without_memory_for_an_index),
    UNIT(what_cannot_be_an_address_is_refused),
    UNIT(an_address_belongs_to_one_interface_unless_link_local),
    UNIT(an_address_brings_the_route_to_its_prefix),
    UNIT(there_is_a_limit_to_addresses),
    UNIT(ipv6_needs_1280_bytes),
    UNIT(paths_follow_addresses_mtu_and_state),
    UNIT(groups_are_counted),
    UNIT(a_stack_survives_every_failed_malloc),
    UNIT(creation_fails_cleanly_at_every_malloc),
    UNIT(a_point_to_point_link_needs_no_arp_and_no_header),
    {0}};
