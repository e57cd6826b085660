// Tests of routes for a whole network.
// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "tests/unit/host_fixture.h"
#include "tests/unit/unit.h"

static struct route *find_route(struct host *host, const char *destination)
{
    static struct route found;
    struct ip_prefix prefix;

    must(ip_prefix_parse(destination, &prefix) == 0);
    for (size_t n = 0; stack_get_route(host->stack, n, &found); n++)
        if (found.destination.length == prefix.length &&
            ip_addr_equal(&found.destination.addr, &prefix.addr))
            return &found;
    return NULL;
}

// The gateway of the host's route to a prefix; "" where there is no route.
static const char *gateway(struct host *host, const char *destination)
{
    static char text[IP_ADDR_TEXT_SIZE];
    struct route *route = find_route(host, destination);

    text[0] = '\0';
    if (route != NULL && route->gateway.family != IP_NONE)
        ip_addr_format(&route->gateway, text);
    return text;
}

static size_t count_routes(const struct host *host)
{
    struct route route;
    size_t n = 0;

    while (stack_get_route(host->stack, n, &route))
        n++;
    return n;
}

// a - r1 - r2 - r3 - b
struct chain {
    struct sim *sim;
    struct host *a, *b, *r[3];
};

static struct chain chain_create(void)
{
    struct chain c = {.sim = host_fixture_create(1)};

    c.a = host_fixture_add(c.sim, "a", false);
    c.b = host_fixture_add(c.sim, "b", false);
    c.r[0] = host_fixture_add(c.sim, "r1", true);
    c.r[1] = host_fixture_add(c.sim, "r2", true);
    c.r[2] = host_fixture_add(c.sim, "r3", true);
    host_fixture_join(c.sim, &c.a->node, "10.0.1.2/24", &c.r[0]->node,
                      "10.0.1.1/24");
    host_fixture_join(c.sim, &c.r[0]->node, "10.9.1.1/30", &c.r[1]->node,
                      "10.9.1.2/30");
    host_fixture_join(c.sim, &c.r[1]->node, "10.9.2.1/30", &c.r[2]->node,
                      "10.9.2.2/30");
    host_fixture_join(c.sim, &c.r[2]->node, "10.0.2.1/24", &c.b->node,
                      "10.0.2.2/24");
    return c;
}

static void a_chain_of_routers_carries_packets(void)
{
    struct chain c = chain_create();

    CHECK_EQUAL(sim_compute_routes(c.sim), 0);
    CHECK_TEXT(gateway(c.a, "0.0.0.0/0"), "10.0.1.1");
    CHECK_TEXT(gateway(c.b, "0.0.0.0/0"), "10.0.2.1");
    CHECK_TEXT(gateway(c.r[0], "10.0.2.0/24"), "10.9.1.2");
    CHECK_TEXT(gateway(c.r[0], "10.9.2.0/30"), "10.9.1.2");
    CHECK_TEXT(gateway(c.r[1], "10.0.1.0/24"), "10.9.1.1");
    CHECK_TEXT(gateway(c.r[1], "10.0.2.0/24"), "10.9.2.2");
    CHECK(find_route(c.r[0], "0.0.0.0/0") == NULL);
    CHECK_EQUAL(host_fixture_talk(c.sim, c.a, c.b, "10.0.2.2"), 5);
    host_fixture_destroy(c.sim);
}

static void computing_twice_adds_nothing(void)
{
    struct chain c = chain_create();

    CHECK_EQUAL(sim_compute_routes(c.sim), 0);
    size_t before = count_routes(c.r[1]) + count_routes(c.a);
    CHECK_EQUAL(sim_compute_routes(c.sim), 0);
    CHECK_EQUAL(count_routes(c.r[1]) + count_routes(c.a), before);
    host_fixture_destroy(c.sim);
}

static void a_route_by_hand_stays(void)
{
    struct chain c = chain_create();
    struct route route = {.gateway = ip_addr_v4(10, 9, 1, 1)};

    must(ip_prefix_parse("10.0.2.0/24", &route.destination) == 0);
    must(stack_add_route(c.r[1]->stack, &route) == 0); // the wrong way
    CHECK_EQUAL(sim_compute_routes(c.sim), 0);
    CHECK_TEXT(gateway(c.r[1], "10.0.2.0/24"), "10.9.1.1");
    CHECK_TEXT(gateway(c.r[1], "10.0.1.0/24"), "10.9.1.1");
    host_fixture_destroy(c.sim);
}

static void both_families_get_their_routes(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *r = host_fixture_add(sim, "r", true);
    struct host *b = host_fixture_add(sim, "b", false);
    struct link *left = host_fixture_join(sim, &a->node, "10.0.1.2/24",
                                          &r->node, "10.0.1.1/24");
    struct link *right = host_fixture_join(sim, &r->node, "10.0.2.1/24",
                                           &b->node, "10.0.2.2/24");

    host_fixture_address(left->ends[0], "2001:db8:1::2/64");
    host_fixture_address(left->ends[1], "2001:db8:1::1/64");
    host_fixture_address(right->ends[0], "2001:db8:2::1/64");
    host_fixture_address(right->ends[1], "2001:db8:2::2/64");
    CHECK_EQUAL(sim_compute_routes(sim), 0);
    CHECK_TEXT(gateway(a, "0.0.0.0/0"), "10.0.1.1");
    CHECK_TEXT(gateway(a, "::/0"), "2001:db8:1::1");
    sim_run(sim, 3 * NS_PER_S);
    CHECK_EQUAL(host_fixture_talk(sim, a, b, "2001:db8:2::2"), 5);
    CHECK_EQUAL(host_fixture_talk(sim, b, a, "10.0.1.2"), 5);
    host_fixture_destroy(sim);
}

// r1 - r2 - r4 and r1 - r3 - r4: two equal ways.
static void the_way_over_the_older_router_is_taken(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *r1 = host_fixture_add(sim, "r1", true);
    struct host *r2 = host_fixture_add(sim, "r2", true);
    struct host *r3 = host_fixture_add(sim, "r3", true);
    struct host *r4 = host_fixture_add(sim, "r4", true);
    struct host *end = host_fixture_add(sim, "end", false);

    host_fixture_join(sim, &r3->node, "10.1.3.2/24", &r1->node, "10.1.3.1/24");
    host_fixture_join(sim, &r4->node, "10.1.6.2/24", &r3->node, "10.1.6.1/24");
    host_fixture_join(sim, &r1->node, "10.1.2.1/24", &r2->node, "10.1.2.2/24");
    host_fixture_join(sim, &r2->node, "10.1.5.1/24", &r4->node, "10.1.5.2/24");
    host_fixture_join(sim, &r4->node, "10.1.9.1/24", &end->node, "10.1.9.2/24");
    CHECK_EQUAL(sim_compute_routes(sim), 0);
    CHECK_TEXT(gateway(r1, "10.1.9.0/24"), "10.1.2.2");
    CHECK_TEXT(gateway(r1, "10.1.6.0/24"), "10.1.3.2"); // nearer this way
    host_fixture_destroy(sim);
}

static void a_host_with_two_ways_out_knows_both(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *h = host_fixture_add(sim, "h", false);
    struct host *r1 = host_fixture_add(sim, "r1", true);
    struct host *r2 = host_fixture_add(sim, "r2", true);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);

    host_fixture_join(sim, &h->node, "10.0.1.2/24", &r1->node, "10.0.1.1/24");
    host_fixture_join(sim, &h->node, "10.0.2.2/24", &r2->node, "10.0.2.1/24");
    host_fixture_join(sim, &r1->node, "10.0.3.1/24", &a->node, "10.0.3.2/24");
    host_fixture_join(sim, &r2->node, "10.0.4.1/24", &b->node, "10.0.4.2/24");
    CHECK_EQUAL(sim_compute_routes(sim), 0);
    CHECK(find_route(h, "0.0.0.0/0") == NULL);
    CHECK_TEXT(gateway(h, "10.0.3.0/24"), "10.0.1.1");
    CHECK_TEXT(gateway(h, "10.0.4.0/24"), "10.0.2.1");
    // A host does not forward: the two halves do not reach each other.
    CHECK(find_route(r1, "10.0.4.0/24") == NULL);
    CHECK_EQUAL(host_fixture_talk(sim, h, b, "10.0.4.2"), 5);
    host_fixture_destroy(sim);
}

static void a_switch_joins_its_ports_to_one_subnet(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *r = host_fixture_add(sim, "r", true);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);
    struct host *far = host_fixture_add(sim, "far", false);
    struct node *sw, *sw2;

    must(sim_add_switch(sim, &(struct switch_config){.name = "s"}, &sw) == 0);
    must(sim_add_switch(sim, &(struct switch_config){.name = "t"}, &sw2) == 0);
    host_fixture_join(sim, sw, NULL, sw2, NULL);
    host_fixture_join(sim, &a->node, "10.0.0.11/24", sw, NULL);
    host_fixture_join(sim, &b->node, "10.0.0.12/24", sw2, NULL);
    host_fixture_join(sim, &r->node, "10.0.0.1/24", sw2, NULL);
    host_fixture_join(sim, &r->node, "10.0.1.1/24", &far->node, "10.0.1.2/24");
    CHECK_EQUAL(sim_compute_routes(sim), 0);
    CHECK_TEXT(gateway(a, "0.0.0.0/0"), "10.0.0.1");
    CHECK_EQUAL(host_fixture_talk(sim, a, b, "10.0.0.12"), 5);
    CHECK_EQUAL(host_fixture_talk(sim, b, far, "10.0.1.2"), 5);
    CHECK_EQUAL(host_fixture_talk(sim, far, a, "10.0.0.11"), 5);
    host_fixture_destroy(sim);
}

static void equal_prefixes_on_different_links_are_different_subnets(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *r = host_fixture_add(sim, "r", true);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);

    host_fixture_join(sim, &a->node, "10.0.0.2/24", &r->node, "10.0.0.1/24");
    host_fixture_join(sim, &b->node, "10.0.0.2/24", &a->node, "10.0.1.1/24");
    CHECK_EQUAL(sim_compute_routes(sim), 0);
    CHECK(find_route(b, "0.0.0.0/0") == NULL); // no router on its link
    CHECK_TEXT(gateway(a, "0.0.0.0/0"), "10.0.0.1");
    host_fixture_destroy(sim);
}

// Access routers around a core, each with stub hosts of their own subnet.
static void a_large_tree_gets_default_routes_at_its_edge(void)
{
    enum { ROUTERS = 40, HOSTS = 30 };
    struct sim *sim = host_fixture_create(1);
    struct host *core = host_fixture_add(sim, "core", true);
    struct host *router = NULL, *host = NULL;
    char name[32], near[32], far[32];

    for (unsigned r = 0; r < ROUTERS; r++) {
        snprintf(name, sizeof(name), "r%u", r);
        snprintf(near, sizeof(near), "10.200.%u.1/30", r);
        snprintf(far, sizeof(far), "10.200.%u.2/30", r);
        router = host_fixture_add(sim, name, true);
        host_fixture_join(sim, &core->node, near, &router->node, far);
        for (unsigned h = 0; h < HOSTS; h++) {
            snprintf(name, sizeof(name), "h%u-%u", r, h);
            snprintf(near, sizeof(near), "10.%u.%u.1/30", r, h);
            snprintf(far, sizeof(far), "10.%u.%u.2/30", r, h);
            host = host_fixture_add(sim, name, false);
            host_fixture_join(sim, &router->node, near, &host->node, far);
        }
    }
    CHECK_EQUAL(sim_compute_routes(sim), 0);
    CHECK_TEXT(gateway(router, "0.0.0.0/0"), "10.200.39.1");
    CHECK(find_route(router, "10.0.0.0/30") == NULL);
    CHECK_TEXT(gateway(core, "10.7.11.0/30"), "10.200.7.2");
    CHECK_EQUAL(
        host_fixture_talk(sim, host, sim_find_host(sim, "h0-0"), "10.0.0.2"),
        5);
    host_fixture_destroy(sim);
}

const struct unit_test suite_routes[] = {
    UNIT(a_chain_of_routers_carries_packets),
    UNIT(computing_twice_adds_nothing),
    UNIT(a_route_by_hand_stays),
    UNIT(both_families_get_their_routes),
    UNIT(the_way_over_the_older_router_is_taken),
    UNIT(a_host_with_two_ways_out_knows_both),
    UNIT(a_switch_joins_its_ports_to_one_subnet),
    UNIT(equal_prefixes_on_different_links_are_different_subnets),
    UNIT(a_large_tree_gets_default_routes_at_its_edge),
    {0},
};
