// The routing table against a naive one.
// SPDX-License-Identifier: MIT
#include "stack/net/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/malloc_fixture.h"
#include "tests/unit/net_fixture.h"
#include "tests/unit/unit.h"

struct bench {
    struct net *net;
    struct net_host *host;
    struct stack *stack;
    struct iface *eth[3];
};

static void bench_open(struct bench *b)
{
    b->net = net_create(7);
    b->host = net_add_stack(b->net, "router", NULL);
    b->stack = b->host->stack;
    b->eth[0] = net_add_iface(b->host, 0, "eth0", 0, "10.0.0.1/24");
    b->eth[1] = net_add_iface(b->host, 1, "eth1", 0, "10.0.1.1/24");
    b->eth[2] = net_add_iface(b->host, 2, "eth2", 0, NULL);
}

static void bench_close(struct bench *b) { net_destroy(b->net); }

static struct ip_prefix prefix_of(const char *text)
{
    struct ip_prefix prefix;
    must(ip_prefix_parse(text, &prefix) == 0);
    return prefix;
}

// Adds "prefix via gateway dev iface"; gateway and iface may be NULL.
static int add(struct bench *b, const char *prefix, const char *gateway,
               struct iface *iface, uint32_t metric)
{
    struct route route = {
        .destination = prefix_of(prefix), .iface = iface, .metric = metric};
    if (gateway)
        route.gateway = net_addr(gateway);
    return stack_add_route(b->stack, &route);
}

static int remove_route(struct bench *b, const char *prefix)
{
    struct ip_prefix p = prefix_of(prefix);
    return stack_remove_route(b->stack, &p);
}

// The gateway that is chosen, or "link", or "none".
static void check_way(struct bench *b, const char *to, const char *expected)
{
    struct ip_addr address = net_addr(to);
    const struct route *route = route_find(b->stack, &address, NULL);
    char text[IP_ADDR_TEXT_SIZE] = "none";
    if (route && route->gateway.family == IP_NONE)
        strcpy(text, "link");
    else if (route)
        ip_addr_format(&route->gateway, text);
    CHECK_TEXT(text, expected);
}

static void the_longest_prefix_wins(void)
{
    struct bench b;
    bench_open(&b);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "10.0.0.254", NULL, 0), 0);
    CHECK_EQUAL(add(&b, "192.168.0.0/16", "10.0.0.2", NULL, 0), 0);
    CHECK_EQUAL(add(&b, "192.168.7.0/24", "10.0.0.3", NULL, 0), 0);
    CHECK_EQUAL(add(&b, "192.168.7.9/32", "10.0.1.4", NULL, 0), 0);
    check_way(&b, "8.8.8.8", "10.0.0.254");
    check_way(&b, "192.168.1.1", "10.0.0.2");
    check_way(&b, "192.168.7.1", "10.0.0.3");
    check_way(&b, "192.168.7.9", "10.0.1.4");
    check_way(&b, "10.0.0.77", "link");
    check_way(&b, "2001:db8::1", "none");
    CHECK_EQUAL(remove_route(&b, "192.168.7.9/32"), 0);
    check_way(&b, "192.168.7.9", "10.0.0.3");
    CHECK_EQUAL(remove_route(&b, "192.168.7.9/32"), -ENOENT);
    bench_close(&b);
}

static void the_lower_metric_wins_among_equal_prefixes(void)
{
    struct bench b;
    bench_open(&b);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "10.0.0.2", NULL, 20), 0);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "10.0.1.2", NULL, 10), 0);
    check_way(&b, "8.8.8.8", "10.0.1.2");
    // A route of an interface that is down does not count.
    iface_set_up(b.eth[1], false);
    check_way(&b, "8.8.8.8", "10.0.0.2");
    iface_set_up(b.eth[1], true);
    CHECK_EQUAL(remove_route(&b, "0.0.0.0/0"), 0); // the best one
    check_way(&b, "8.8.8.8", "10.0.0.2");
    bench_close(&b);
}

static void what_cannot_be_a_route_is_refused(void)
{
    struct bench b;
    bench_open(&b);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "172.16.0.1", NULL, 0), -ENETUNREACH);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "10.0.0.1", NULL, 0), -EINVAL); // ours
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "224.0.0.1", NULL, 0), -EINVAL);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "127.0.0.1", NULL, 0), -EINVAL);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "2001:db8::1", b.eth[0], 0), -EINVAL);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", NULL, NULL, 0), -EINVAL);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "10.0.1.9", b.eth[0], 0), -ENETUNREACH);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "10.0.0.9", b.eth[0], 0), 0);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "10.0.0.9", NULL, 0), -EEXIST);
    // A gateway behind a gateway is not on a link of ours.
    CHECK_EQUAL(add(&b, "10.9.0.0/16", "8.8.8.8", NULL, 0), -ENETUNREACH);
    bench_close(&b);
}

static void a_link_local_gateway_needs_its_interface(void)
{
    struct bench b;
    bench_open(&b);
    CHECK_EQUAL(add(&b, "::/0", "fe80::99", b.eth[1], 0), 0);
    struct ip_addr to = net_addr("2001:db8::1");
    const struct route *route = route_find(b.stack, &to, NULL);
    CHECK_FATAL(route != NULL);
    CHECK(route->iface == b.eth[1]);
    bench_close(&b);
}

static void host_bits_of_a_destination_are_cleared(void)
{
    struct bench b;
    bench_open(&b);
    CHECK_EQUAL(add(&b, "192.168.7.5/24", "10.0.0.2", NULL, 0), 0);
    check_way(&b, "192.168.7.200", "10.0.0.2");
    CHECK_EQUAL(remove_route(&b, "192.168.7.99/24"), 0);
    check_way(&b, "192.168.7.200", "none");
    bench_close(&b);
}

static void routes_go_with_their_interface(void)
{
    struct bench b;
    bench_open(&b);
    CHECK_EQUAL(add(&b, "192.168.0.0/16", "10.0.1.2", NULL, 0), 0);
    CHECK_EQUAL(add(&b, "192.168.7.0/24", NULL, b.eth[1], 0), 0);
    iface_destroy(b.eth[1]);
    check_way(&b, "192.168.7.1", "none");
    check_way(&b, "10.0.1.9", "none");
    check_way(&b, "10.0.0.9", "link");
    b.net->wires[1].iface_count = 0;
    bench_close(&b);
}

static void a_route_is_found_on_the_interface_asked_for(void)
{
    struct bench b;
    bench_open(&b);
    CHECK_EQUAL(add(&b, "192.168.7.0/24", "10.0.0.2", NULL, 0), 0);
    CHECK_EQUAL(add(&b, "0.0.0.0/0", "10.0.1.2", NULL, 0), 0);
    struct ip_addr to = net_addr("192.168.7.1");
    const struct route *route = route_find(b.stack, &to, b.eth[1]);
    CHECK_FATAL(route != NULL);
    CHECK_EQUAL(route->destination.length, 0);
    CHECK(route_find(b.stack, &to, b.eth[2]) == NULL);
    bench_close(&b);
}

static void a_failed_allocation_changes_nothing(void)
{
    struct bench b;
    bench_open(&b);
    struct route before, after;
    size_t count = 0;
    while (stack_get_route(b.stack, count, &before))
        count++;
    for (unsigned n = 1;; n++) {
        malloc_fail_after(n);
        int error = add(&b, "192.168.7.0/24", "10.0.0.2", NULL, 0);
        bool failed = malloc_has_failed();
        malloc_fail_after(0);
        if (!failed) {
            CHECK_EQUAL(error, 0);
            break;
        }
        CHECK_EQUAL(error, -ENOMEM);
        CHECK(!stack_get_route(b.stack, count, &after));
    }
    bench_close(&b);
}

// --- A table that nobody could get wrong

enum { MODEL_SIZE = 10000 };

struct model {
    struct route routes[MODEL_SIZE];
    size_t count;
};

static const struct route *model_find(const struct model *model,
                                      const struct ip_addr *to)
{
    const struct route *best = NULL;
    for (size_t i = 0; i < model->count; i++) {
        const struct route *r = &model->routes[i];
        if (r->destination.addr.family != to->family ||
            !ip_prefix_contains(&r->destination, to))
            continue;
        if (!best || r->destination.length > best->destination.length ||
            (r->destination.length == best->destination.length &&
             r->metric < best->metric))
            best = r;
    }
    return best;
}

// Few enough networks that prefixes nest and repeat.
static struct ip_addr random_address(struct net *net)
{
    uint64_t bits = net_random(net);
    if (bits % 3 > 0)
        return ip_addr_v4_u32((uint32_t)(0x40000000 | (bits >> 8 & 0xfffff)));
    struct ip_addr v6 = {.bytes = {0x20, 1, 0xd, 0xb8}, .family = IP_V6};
    for (int i = 0; i < 3; i++)
        v6.bytes[4 + 5 * i] = (uint8_t)(bits >> (8 + 8 * i));
    return v6;
}

static void random_route(struct bench *b, struct route *out)
{
    struct ip_prefix prefix = {.addr = random_address(b->net)};
    unsigned longest = 8 * ip_addr_length(prefix.addr.family);
    prefix.length = (uint8_t)(net_random(b->net) % (longest + 1));
    *out = (struct route){
        .destination = {ip_prefix_network(&prefix), prefix.length},
        .iface = b->eth[net_random(b->net) % 3],
        .metric = (uint32_t)(net_random(b->net) % 1000000)};
}

static void check_lookups(struct bench *b, const struct model *model, int count)
{
    for (int i = 0; i < count; i++) {
        struct ip_addr to = random_address(b->net);
        const struct route *expected = model_find(model, &to);
        const struct route *actual = route_find(b->stack, &to, NULL);
        CHECK_EQUAL(actual != NULL, expected != NULL);
        if (actual && expected) {
            CHECK_EQUAL(actual->destination.length,
                        expected->destination.length);
            CHECK_EQUAL(actual->metric, expected->metric);
        }
    }
}

// The connected routes that the bench's addresses made.
static void copy_table(struct bench *b, struct model *model)
{
    struct route route;
    model->count = 0;
    while (stack_get_route(b->stack, model->count, &route))
        model->routes[model->count++] = route;
}

static void random_tables_answer_as_a_linear_search_does(void)
{
    struct bench b;
    bench_open(&b);
    struct model *model = calloc(1, sizeof(*model));
    CHECK_FATAL(model != NULL);
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 25; i++) {
            struct route route;
            random_route(&b, &route);
            CHECK_EQUAL(stack_add_route(b.stack, &route), 0);
        }
        copy_table(&b, model);
        for (int i = 0; i < 10; i++) {
            struct route *victim =
                &model->routes[net_random(b.net) % model->count];
            CHECK_EQUAL(stack_remove_route(b.stack, &victim->destination), 0);
            copy_table(&b, model);
        }
        check_lookups(&b, model, 50);
    }
    free(model);
    bench_close(&b);
}

static void ten_thousand_routes_are_listed_in_order_and_found(void)
{
    struct bench b;
    bench_open(&b);
    for (uint32_t i = 0; i < 10000; i++) {
        struct route route = {
            .destination = {ip_addr_v4_u32(0x40000000 +
                                           (i * 7919 % 10000) * 256),
                            24},
            .iface = b.eth[0],
            .metric = i};
        CHECK_FATAL(stack_add_route(b.stack, &route) == 0);
    }
    for (uint32_t i = 0; i < 10000; i += 37) {
        struct ip_addr to =
            ip_addr_v4_u32(0x40000000 + (i * 7919 % 10000) * 256 + 5);
        const struct route *route = route_find(b.stack, &to, NULL);
        CHECK_FATAL(route != NULL);
        CHECK_EQUAL(route->metric, i);
    }
    struct route previous, next;
    CHECK_FATAL(stack_get_route(b.stack, 0, &previous));
    for (size_t n = 1; stack_get_route(b.stack, n, &next); n++) {
        if (next.destination.addr.family == previous.destination.addr.family)
            CHECK(next.destination.length <= previous.destination.length);
        previous = next;
    }
    bench_close(&b);
}

const struct unit_test suite_route[] = {
    UNIT(the_longest_prefix_wins),
    UNIT(the_lower_metric_wins_among_equal_prefixes),
    UNIT(what_cannot_be_a_route_is_refused),
    UNIT(a_link_local_gateway_needs_its_interface),
    UNIT(host_bits_of_a_destination_are_cleared),
    UNIT(routes_go_with_their_interface),
    UNIT(a_route_is_found_on_the_interface_asked_for),
    UNIT(a_failed_allocation_changes_nothing),
    UNIT(random_tables_answer_as_a_linear_search_does),
    UNIT(ten_thousand_routes_are_listed_in_order_and_found),
    {0}};
