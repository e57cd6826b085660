// Tests of whole simulations: names, failures, the fingerprint, the end.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/host_fixture.h"
#include "tests/unit/malloc_fixture.h"
#include "tests/unit/unit.h"

static void an_empty_simulation_ends_at_once(void)
{
    struct sim *sim = host_fixture_create(1);

    CHECK_EQUAL(sim_run(sim, NS_PER_S), ENGINE_IDLE);
    CHECK_EQUAL(sim_now(sim), 0);
    CHECK_EQUAL(sim_finish(sim), 0);
    CHECK_EQUAL(sim_finish(sim), 0); // twice is harmless
    sim_destroy(sim);
    sim_destroy(NULL);
}

static void a_simulation_without_memory_is_refused(void)
{
    struct sim_config config = {.name = "x", .seed = 1};
    struct sim *sim = NULL;
    int error = -ENOMEM;

    for (unsigned n = 1; error == -ENOMEM && n < 50; n++) {
        malloc_fail_after(n);
        error = sim_create(&config, &sim);
        malloc_fail_after(0);
    }
    CHECK_EQUAL(error, 0);
    sim_destroy(sim);
}

static void a_host_without_memory_is_refused_whole(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host_config config = {.name = "h", .is_router = true};
    struct host *host = NULL;
    int error = -ENOMEM;

    for (unsigned n = 1; error == -ENOMEM && n < 500; n++) {
        malloc_fail_after(n);
        error = sim_add_host(sim, &config, &host);
        malloc_fail_after(0);
        if (error < 0)
            CHECK(sim_find_node(sim, "h") == NULL);
    }
    CHECK_EQUAL(error, 0);
    CHECK(sim_find_host(sim, "h") == host);
    host_fixture_destroy(sim);
}

static void failures_are_kept_in_order(void)
{
    struct sim *sim = host_fixture_create(1);

    sim_expect_passed(sim);
    sim_fail(sim, "expected %d, saw %d", 1, 2);
    sim->engine.now = 5;
    sim_fail(sim, "second");
    CHECK_EQUAL(sim->expectations, 3);
    CHECK_EQUAL(sim->failure_count, 2);
    CHECK_TEXT(sim->failures->text, "expected 1, saw 2");
    CHECK_TEXT(sim->failures->next->text, "second");
    CHECK_EQUAL(sim->failures->next->time, 5);
    host_fixture_destroy(sim);
}

static void orders_of_no_node_come_first(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *host = host_fixture_add(sim, "a", false);
    uint64_t first = sim_new_order(sim), second = sim_new_order(sim);

    CHECK(first < second);
    CHECK(second < node_new_order(&host->node));
    host_fixture_destroy(sim);
}

static void addresses_are_found_by_name_and_names_by_address(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);
    struct link *link = host_fixture_join(sim, &a->node, "2001:db8::1/64",
                                          &b->node, "10.0.0.2/24");
    struct ip_addr address, wanted;

    host_fixture_address(link->ends[0], "10.0.0.1/24");
    CHECK_EQUAL(sim_resolve(sim, "a", IP_NONE, &address), 0);
    CHECK(ip_addr_parse("10.0.0.1", &wanted) == 0);
    CHECK(ip_addr_equal(&address, &wanted));
    CHECK(sim_host_of_address(sim, &address) == a);
    CHECK_EQUAL(sim_resolve(sim, "a", IP_V6, &address), 0);
    CHECK(ip_addr_parse("2001:db8::1", &wanted) == 0);
    CHECK(ip_addr_equal(&address, &wanted));
    CHECK(sim_host_of_address(sim, &address) == a);
    // Link-local addresses are no answer: they say nothing without a link.
    CHECK_EQUAL(sim_resolve(sim, "b", IP_V6, &address), -ENOENT);
    CHECK_EQUAL(sim_resolve(sim, "c", IP_NONE, &address), -ENOENT);
    CHECK(ip_addr_parse("10.0.0.9", &wanted) == 0);
    CHECK(sim_host_of_address(sim, &wanted) == NULL);
    host_fixture_address(link->ends[1], "10.0.0.9/24");
    CHECK(sim_host_of_address(sim, &wanted) == b);
    iface_remove_address(link->ends[1]->iface, &wanted);
    CHECK(sim_host_of_address(sim, &wanted) == NULL);
    host_fixture_destroy(sim);
}

// A lossy conversation; gives the fingerprint.
static uint64_t run_once(uint64_t seed, chance_t loss)
{
    struct sim *sim = host_fixture_create(seed);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);
    struct link *link = host_fixture_join(sim, &a->node, "10.0.0.1/24",
                                          &b->node, "10.0.0.2/24");
    struct link_direction_config config = *link_get(link, 0);
    struct impairment_config drop = impairment_default;

    drop.select.probability = loss;
    config.impairments = &drop;
    config.impairment_count = 1;
    must(link_set(link, 0, &config) == 0);
    for (unsigned i = 0; i < 20; i++)
        host_fixture_talk(sim, a, b, "10.0.0.2");
    CHECK_EQUAL(sim_finish(sim), 0);
    uint64_t fingerprint = sim_fingerprint(sim);
    CHECK(fingerprint == sim_fingerprint(sim)); // looking changes nothing
    sim_destroy(sim);
    return fingerprint;
}

static void the_same_run_has_the_same_fingerprint(void)
{
    uint64_t first = run_once(1, CHANCE_ALWAYS / 3);

    CHECK(first == run_once(1, CHANCE_ALWAYS / 3));
    CHECK(first != run_once(2, CHANCE_ALWAYS / 3));
    CHECK(first != run_once(1, CHANCE_ALWAYS / 2));
}

static void a_loop_of_links_without_delay_is_noticed(void)
{
    struct sim *sim = host_fixture_create(1);
    struct link_config config = {0};
    struct link *link;
    struct node *sw[2];

    sim->engine.instant_limit = 10000;
    must(sim_add_switch(sim, &(struct switch_config){.name = "s"}, &sw[0]) ==
         0);
    must(sim_add_switch(sim, &(struct switch_config){.name = "t"}, &sw[1]) ==
         0);
    config.ends[0] = sw[0];
    config.ends[1] = sw[1];
    must(sim_add_link(sim, &config, &link) == 0);
    must(sim_add_link(sim, &config, &link) == 0);
    struct packet *frame = packet_alloc(sim->pool, 0, 60);
    must(frame != NULL);
    memset(packet_put(frame, 60), 0xff, 60);
    port_send(sw[0]->ports, frame);
    CHECK_EQUAL(sim_run(sim, NS_PER_S), ENGINE_LIMIT);
    CHECK(strstr(sim_error(sim), "time does not go on") != NULL);
    host_fixture_destroy(sim);
}

static void ending_with_packets_everywhere_loses_none(void)
{
    struct sim *sim = host_fixture_create(1);
    struct host *a = host_fixture_add(sim, "a", false);
    struct host *b = host_fixture_add(sim, "b", false);
    struct endpoint remote = {.addr = ip_addr_v4(10, 0, 0, 2), .port = 9};
    struct socket *socket;

    host_fixture_join(sim, &a->node, "10.0.0.1/24", &b->node, "10.0.0.2/24");
    must(socket_open(a->stack, SOCKET_STREAM, IP_V4, 0, &socket) == 0);
    CHECK_EQUAL(socket_connect(socket, &remote), -EINPROGRESS);
    sim_run(sim, NS_PER_MS / 2); // the ARP request is on the wire
    CHECK(packet_pool_get_stats(sim->pool).live > 0);
    host_fixture_destroy(sim); // which must()s that none is left
}

const struct unit_test suite_sim[] = {
    UNIT(an_empty_simulation_ends_at_once),
    UNIT(a_simulation_without_memory_is_refused),
    UNIT(a_host_without_memory_is_refused_whole),
    UNIT(failures_are_kept_in_order),
    UNIT(orders_of_no_node_come_first),
    UNIT(addresses_are_found_by_name_and_names_by_address),
    UNIT(the_same_run_has_the_same_fingerprint),
    UNIT(a_loop_of_links_without_delay_is_noticed),
    UNIT(ending_with_packets_everywhere_loses_none),
    {0},
};
