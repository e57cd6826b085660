// Tests of links: rate, delay, queue, MTU, up and down, hooks, their books.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <string.h>

#include "sim/link/direction.h"
#include "stack/wire/bytes.h"
#include "tests/unit/link_fixture.h"
#include "tests/unit/malloc_fixture.h"
#include "tests/unit/unit.h"

// 1,000 bytes take a millisecond at 8 Mbit/s.
#define MBIT_8 UINT64_C(8000000)

static struct link_direction_config rate_and_delay(uint64_t rate_bps,
                                                   ns_t delay)
{
    struct link_direction_config config = link_direction_default;

    config.rate_bps = rate_bps;
    config.delay = delay;
    return config;
}

static void check_arrival(const struct probe *probe, uint32_t n,
                          uint32_t number, ns_t time)
{
    CHECK_FATAL(n < probe->count);
    CHECK_EQUAL(probe->arrivals[n].number, number);
    CHECK_EQUAL(probe->arrivals[n].time, time);
}

// --- Times

static void a_bare_link_delivers_at_once(void)
{
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    link_fixture_send(&f, 100, 1, 60);
    link_fixture_run(&f);
    check_arrival(f.b, 0, 1, 100);
    CHECK_EQUAL(f.b->arrivals[0].length, 60);
    CHECK(f.b->arrivals[0].is_intact);
    link_fixture_fini(&f);
}

static void a_frame_takes_its_transmission_and_the_delay(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 5 * NS_PER_MS);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    link_fixture_send(&f, 0, 1, 1000);
    link_fixture_run(&f);
    check_arrival(f.b, 0, 1, 6 * NS_PER_MS);
    link_fixture_fini(&f);
}

static void the_overhead_counts_for_the_rate_alone(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 0);
    struct link_fixture f;

    c.overhead = 24; // preamble, FCS and gap of Ethernet
    link_fixture_init(&f, &c);
    link_fixture_send(&f, 0, 1, 976);
    link_fixture_run(&f);
    check_arrival(f.b, 0, 1, NS_PER_MS);
    CHECK_EQUAL(f.b->arrivals[0].length, 976);
    CHECK_EQUAL(link_get_stats(f.link, 0).bytes_delivered, 976);
    link_fixture_fini(&f);
}

static void a_transmission_is_rounded_up_to_a_nanosecond(void)
{
    struct link_direction_config c = rate_and_delay(3, 0);

    CHECK_EQUAL(queue_duration(&c, 1), INT64_C(2666666667));
    c.rate_bps = UINT64_C(400000000000);
    CHECK_EQUAL(queue_duration(&c, 60), 2); // 1.2 ns
    c.rate_bps = 0;
    CHECK_EQUAL(queue_duration(&c, 9000), 0);
}

static void frames_follow_each_other_at_the_rate(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 50 * NS_PER_MS);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 10; i++)
        link_fixture_send(&f, 0, i, 1000);
    CHECK_EQUAL(link_get_stats(f.link, 0).queued, 9);
    CHECK_EQUAL(link_get_stats(f.link, 0).in_flight, 1);
    link_fixture_run(&f);
    for (uint32_t i = 0; i < 10; i++)
        check_arrival(f.b, i, i, (51 + i) * NS_PER_MS);
    link_fixture_fini(&f);
}

static void directions_do_not_know_of_each_other(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 0);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    link_fixture_send(&f, 0, 1, 1000);
    port_send(f.link->ends[1], frame_make(f.sim, 2, 1000));
    link_fixture_run(&f);
    check_arrival(f.b, 0, 1, NS_PER_MS);
    check_arrival(f.a, 0, 2, NS_PER_MS);
    link_fixture_fini(&f);
}

static void one_event_is_pending_per_direction(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 5 * NS_PER_MS);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 100; i++)
        link_fixture_send(&f, 0, i, 100);
    CHECK_EQUAL(f.sim->engine.count, 1);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 100);
    link_fixture_fini(&f);
}

// --- Limits

static void the_queue_holds_its_limit_besides_the_frame_being_sent(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 0);
    struct link_fixture f;

    c.queue.limit_packets = 3;
    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 6; i++)
        link_fixture_send(&f, 0, i, 1000);
    struct link_direction_stats stats = link_get_stats(f.link, 0);
    CHECK_EQUAL(stats.dropped[LINK_DROP_QUEUE], 2);
    CHECK_EQUAL(stats.peak_queue_packets, 3);
    CHECK_EQUAL(stats.peak_queue_bytes, 3000);
    link_fixture_send(&f, NS_PER_MS, 10, 1000); // one has left the queue
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 5);
    check_arrival(f.b, 4, 10, 5 * NS_PER_MS);
    link_fixture_fini(&f);
}

static void a_queue_is_limited_in_bytes(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 0);
    struct link_fixture f;

    c.queue.limit_bytes = 2500;
    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 5; i++)
        link_fixture_send(&f, 0, i, 1000);
    link_fixture_send(&f, 0, 6, 500); // the rest of the room
    CHECK_EQUAL(link_get_stats(f.link, 0).dropped[LINK_DROP_QUEUE], 2);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 4);
    link_fixture_fini(&f);
}

static void a_queue_is_limited_in_time(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 0);
    struct link_fixture f;

    c.queue.limit_time = 2 * NS_PER_MS;
    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 5; i++)
        link_fixture_send(&f, 0, i, 1000);
    CHECK_EQUAL(link_get_stats(f.link, 0).dropped[LINK_DROP_QUEUE], 2);
    link_fixture_run(&f);
    CHECK_EQUAL(link_get_stats(f.link, 0).peak_queue_delay, 2 * NS_PER_MS);
    CHECK_EQUAL(link_get_stats(f.link, 0).total_queue_delay, 3 * NS_PER_MS);
    link_fixture_fini(&f);
}

static void a_queue_without_limits_takes_everything(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 0);
    struct link_fixture f;

    c.queue = (struct queue_config){.kind = QUEUE_FIFO};
    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 5000; i++)
        link_fixture_send(&f, 0, i, 100);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 5000);
    for (uint32_t i = 0; i < 5000; i++)
        CHECK_EQUAL(f.b->arrivals[i].number, i);
    link_fixture_fini(&f);
}

static void the_mtu_counts_the_packet_in_the_frame(void)
{
    struct link_direction_config c = link_direction_default;
    struct link_fixture f;

    c.mtu = 100;
    link_fixture_init(&f, &c);
    link_fixture_send(&f, 0, 1, 114);
    link_fixture_send(&f, 0, 2, 115);
    // With a VLAN tag the same packet is 4 bytes further in.
    struct packet *tagged = frame_make(f.sim, 3, 118);
    put_be16(tagged->data + 12, 0x8100);
    port_send(f.link->ends[0], tagged);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 2);
    CHECK_EQUAL(link_get_stats(f.link, 0).dropped[LINK_DROP_MTU], 1);
    link_fixture_fini(&f);
}

// --- Changes while frames wait and fly

static void a_new_rate_holds_for_frames_that_wait(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 10 * NS_PER_MS);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 4; i++)
        link_fixture_send(&f, 0, i, 1000);
    sim_run(f.sim, NS_PER_MS / 2); // frame 0 is half out
    struct link_direction_config faster = link_fixture_config(&f);
    faster.rate_bps = 2 * MBIT_8;
    CHECK_EQUAL(link_set(f.link, 0, &faster), 0);
    link_fixture_run(&f);
    check_arrival(f.b, 0, 0, 11 * NS_PER_MS);
    check_arrival(f.b, 1, 1, 11 * NS_PER_MS + NS_PER_MS / 2);
    check_arrival(f.b, 2, 2, 12 * NS_PER_MS);
    check_arrival(f.b, 3, 3, 12 * NS_PER_MS + NS_PER_MS / 2);
    CHECK_EQUAL(link_get_stats(f.link, 0).busy, 2 * NS_PER_MS + NS_PER_MS / 2);
    link_fixture_fini(&f);
}

static void a_new_delay_holds_for_frames_that_wait(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 10 * NS_PER_MS);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 3; i++)
        link_fixture_send(&f, 0, i, 1000);
    sim_run(f.sim, NS_PER_MS + NS_PER_MS / 2); // frame 1 is half out
    struct link_direction_config nearer = link_fixture_config(&f);
    nearer.delay = NS_PER_MS;
    CHECK_EQUAL(link_set(f.link, 0, &nearer), 0);
    link_fixture_run(&f);
    check_arrival(f.b, 0, 2, 4 * NS_PER_MS); // overtakes: the way got shorter
    check_arrival(f.b, 1, 0, 11 * NS_PER_MS);
    check_arrival(f.b, 2, 1, 12 * NS_PER_MS);
    link_fixture_fini(&f);
}

static void taking_the_rate_away_sends_the_queue_at_once(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 0);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 3; i++)
        link_fixture_send(&f, 0, i, 1000);
    struct link_direction_config infinite = link_fixture_config(&f);
    infinite.rate_bps = 0;
    CHECK_EQUAL(link_set(f.link, 0, &infinite), 0);
    link_fixture_send(&f, 0, 9, 1000);
    link_fixture_run(&f);
    for (uint32_t i = 0; i < 4; i++) // when the one being sent is out
        CHECK_EQUAL(f.b->arrivals[i].time, NS_PER_MS);
    CHECK_EQUAL(f.b->arrivals[3].number, 9);
    link_fixture_fini(&f);
}

static void a_shorter_queue_drops_from_its_end(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 0);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 10; i++)
        link_fixture_send(&f, 0, i, 1000);
    struct link_direction_config shorter = link_fixture_config(&f);
    shorter.queue.limit_packets = 4;
    CHECK_EQUAL(link_set(f.link, 0, &shorter), 0);
    CHECK_EQUAL(link_get_stats(f.link, 0).dropped[LINK_DROP_QUEUE], 5);
    link_fixture_send(&f, NS_PER_MS, 20, 1000);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 6);
    check_arrival(f.b, 5, 20, 6 * NS_PER_MS);
    link_fixture_fini(&f);
}

static void a_change_in_mid_flight_leaves_frames_under_way_alone(void)
{
    struct link_direction_config c = rate_and_delay(0, 10 * NS_PER_MS);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    link_fixture_send(&f, 0, 1, 100);
    struct link_direction_config changed = rate_and_delay(1000, NS_PER_S);
    CHECK_EQUAL(link_set(f.link, 0, &changed), 0);
    link_fixture_run(&f);
    check_arrival(f.b, 0, 1, 10 * NS_PER_MS);
    link_fixture_fini(&f);
}

static void a_change_that_cannot_be_made_changes_nothing(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, NS_PER_MS);
    struct impairment_config bad = impairment_default;
    struct link_fixture f;

    link_fixture_init(&f, &c);
    bad.select.filter = (char *)(uintptr_t) "tpc port 80";
    c.impairments = &bad;
    c.impairment_count = 1;
    c.delay = 0;
    CHECK_EQUAL(link_set(f.link, 0, &c), -EINVAL);
    CHECK(strstr(sim_error(f.sim), "tpc port 80") != NULL);
    CHECK_EQUAL(link_get(f.link, 0)->delay, NS_PER_MS);
    CHECK_EQUAL(link_get(f.link, 0)->impairment_count, 0);
    link_fixture_fini(&f);
}

// --- Down and up

static void going_down_drops_what_waits_and_flies(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 2 * NS_PER_MS);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 10; i++)
        link_fixture_send(&f, 0, i, 1000);
    sim_run(f.sim, 4 * NS_PER_MS); // two have arrived
    link_set_up(f.link, false);
    CHECK_EQUAL(f.a->carrier, 0);
    CHECK_EQUAL(f.b->carrier, 0);
    CHECK_EQUAL(link_get_stats(f.link, 0).dropped[LINK_DROP_DOWN], 8);
    CHECK_EQUAL(link_get_stats(f.link, 0).busy, 4 * NS_PER_MS);
    link_fixture_send(&f, 5 * NS_PER_MS, 11, 1000);
    CHECK_EQUAL(link_get_stats(f.link, 0).dropped[LINK_DROP_DOWN], 9);
    link_set_up(f.link, true);
    CHECK_EQUAL(f.b->carrier, 1);
    link_fixture_send(&f, 6 * NS_PER_MS, 12, 1000);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 3);
    check_arrival(f.b, 2, 12, 9 * NS_PER_MS); // nobody waits before it
    link_fixture_fini(&f);
}

static void a_link_may_start_down(void)
{
    struct link_fixture f;
    struct link_config config = {.starts_down = true};
    struct link *link;

    link_fixture_init(&f, NULL);
    config.ends[0] = &f.a->node;
    config.ends[1] = &f.b->node;
    CHECK_EQUAL(sim_add_link(f.sim, &config, &link), 0);
    CHECK_TEXT(link->name, "a-b");
    CHECK_TEXT(link->ends[0]->name, "eth1");
    port_send(link->ends[0], frame_make(f.sim, 1, 60));
    CHECK_EQUAL(link_get_stats(link, 0).dropped[LINK_DROP_DOWN], 1);
    link_fixture_fini(&f);
}

static void what_is_on_the_link_at_the_end_is_counted_apart(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, NS_PER_S);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    for (uint32_t i = 0; i < 3; i++)
        link_fixture_send(&f, 0, i, 1000);
    CHECK_EQUAL(sim_finish(f.sim), 0);
    CHECK_EQUAL(link_get_stats(f.link, 0).dropped[LINK_DROP_END], 3);
    CHECK_EQUAL(link_get_stats(f.link, 0).in_flight, 0);
    link_fixture_fini(&f);
}

// --- Names

static void names_are_taken_once(void)
{
    struct link_fixture f;
    struct link *link;

    link_fixture_init(&f, NULL);
    struct link_config config = {.name = "wire",
                                 .ends = {&f.a->node, &f.b->node}};
    CHECK_EQUAL(sim_add_link(f.sim, &config, &link), -EEXIST);
    CHECK(f.a->node.ports->next == NULL); // no port is left behind
    config.name = NULL;
    CHECK_EQUAL(sim_add_link(f.sim, &config, &link), 0);
    CHECK_EQUAL(sim_add_link(f.sim, &config, &link), 0);
    CHECK_TEXT(link->name, "a-b-2");
    CHECK(sim_find_link(f.sim, "a-b-2") == link);
    CHECK(sim_find_link(f.sim, "a-c") == NULL);
    config.port_names[0] = "eth1";
    CHECK_EQUAL(sim_add_link(f.sim, &config, &link), -EEXIST);
    config.port_names[0] = "wan0";
    CHECK_EQUAL(sim_add_link(f.sim, &config, &link), 0);
    CHECK_TEXT(link->ends[0]->name, "wan0");
    link_fixture_fini(&f);
}

static void hardware_addresses_are_unique_and_local(void)
{
    struct link_fixture f;
    struct mac_addr a, b;

    link_fixture_init(&f, NULL);
    a = f.link->ends[0]->mac;
    b = f.link->ends[1]->mac;
    CHECK_EQUAL(a.bytes[0], 2);
    CHECK_EQUAL(a.bytes[4], 1);
    CHECK_EQUAL(b.bytes[4], 2);
    CHECK(!mac_addr_equal(&a, &b));
    link_fixture_fini(&f);
}

// --- Hooks

struct watcher {
    uint32_t seen, id;
    struct hook_verdict verdict;
    bool removes_itself;
    bool edits;
};

static struct hook_verdict watch(void *context, struct link *link,
                                 unsigned direction, struct packet *frame)
{
    struct watcher *watcher = context;

    (void)direction;
    watcher->seen++;
    if (watcher->removes_itself)
        link_remove_hook(link, (int)watcher->id);
    if (watcher->edits) {
        CHECK_EQUAL(packet_make_writable(frame, 0), 0);
        put_be32(frame->data + 14, 77);
    }
    return watcher->verdict;
}

static void hooks_see_frames_that_are_sent_and_that_arrive(void)
{
    struct watcher sent = {0}, arriving = {0};
    struct link_direction_config c = rate_and_delay(0, NS_PER_MS);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    CHECK(link_add_hook(f.link, 0, HOOK_SENT, watch, &sent) > 0);
    CHECK(link_add_hook(f.link, 0, HOOK_ARRIVING, watch, &arriving) > 0);
    link_fixture_send(&f, 0, 1, 60);
    CHECK_EQUAL(sent.seen, 1);
    CHECK_EQUAL(arriving.seen, 0);
    link_fixture_run(&f);
    CHECK_EQUAL(arriving.seen, 1);
    port_send(f.link->ends[1], frame_make(f.sim, 2, 60));
    link_fixture_run(&f);
    CHECK_EQUAL(sent.seen, 1); // of this direction alone
    link_fixture_fini(&f);
}

static void a_hook_may_drop_delay_and_edit(void)
{
    struct watcher drop = {.verdict.action = VERDICT_DROP};
    struct watcher delay = {
        .verdict = {.action = VERDICT_DELAY, .delay = 5 * NS_PER_MS}};
    struct watcher edit = {.edits = true, .verdict.is_edited = true};
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    int id = link_add_hook(f.link, 0, HOOK_SENT, watch, &drop);
    link_fixture_send(&f, 0, 1, 60);
    link_remove_hook(f.link, id);
    id = link_add_hook(f.link, 0, HOOK_ARRIVING, watch, &drop);
    link_fixture_send(&f, 0, 2, 60);
    link_fixture_run(&f);
    link_remove_hook(f.link, id);
    id = link_add_hook(f.link, 0, HOOK_SENT, watch, &delay);
    link_fixture_send(&f, 0, 3, 60);
    link_remove_hook(f.link, id);
    link_add_hook(f.link, 0, HOOK_SENT, watch, &edit);
    link_fixture_send(&f, 0, 4, 60);
    link_fixture_run(&f);
    CHECK_EQUAL(drop.seen, 2);
    CHECK_EQUAL(f.b->count, 2);
    check_arrival(f.b, 0, 77, 0);
    check_arrival(f.b, 1, 3, 5 * NS_PER_MS);
    struct link_direction_stats stats = link_get_stats(f.link, 0);
    CHECK_EQUAL(stats.dropped[LINK_DROP_SCRIPT], 2);
    CHECK_EQUAL(stats.delayed, 1);
    CHECK_EQUAL(stats.edited, 1);
    link_fixture_fini(&f);
}

static void a_hook_may_remove_itself(void)
{
    struct watcher once = {.removes_itself = true}, always = {0};
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    once.id = (uint32_t)link_add_hook(f.link, 0, HOOK_SENT, watch, &once);
    link_add_hook(f.link, 0, HOOK_SENT, watch, &always);
    link_fixture_send(&f, 0, 1, 60);
    link_fixture_send(&f, 0, 2, 60);
    CHECK_EQUAL(once.seen, 1);
    CHECK_EQUAL(always.seen, 2);
    link_fixture_fini(&f);
}

static struct hook_verdict take_down(void *context, struct link *link,
                                     unsigned direction, struct packet *frame)
{
    (void)context;
    (void)direction;
    (void)frame;
    link_set_up(link, false);
    return (struct hook_verdict){.action = VERDICT_PASS};
}

static void a_hook_may_take_the_link_down_under_the_frame(void)
{
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    link_add_hook(f.link, 0, HOOK_SENT, take_down, NULL);
    link_fixture_send(&f, 0, 1, 60);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 0);
    CHECK_EQUAL(link_get_stats(f.link, 0).dropped[LINK_DROP_DOWN], 1);
    link_fixture_fini(&f);
}

static void an_injected_frame_passes_no_hook(void)
{
    struct watcher watcher = {.verdict.action = VERDICT_DROP};
    struct link_direction_config c = rate_and_delay(MBIT_8, 0);
    struct link_fixture f;

    link_fixture_init(&f, &c);
    link_add_hook(f.link, 0, HOOK_SENT, watch, &watcher);
    link_inject(f.link, 0, frame_make(f.sim, 1, 1000));
    link_fixture_run(&f);
    check_arrival(f.b, 0, 1, NS_PER_MS);
    CHECK_EQUAL(link_get_stats(f.link, 0).injected, 1);
    CHECK_EQUAL(watcher.seen, 0);
    CHECK_EQUAL(f.link->ends[0]->frames_out, 0);
    link_fixture_fini(&f);
}

static void answer(struct port *port, struct packet *frame)
{
    uint32_t number = get_be32(frame->data + 14);

    if (number < 10)
        port_send(port, frame_make(port->node->sim, number + 1, 60));
}

static void a_receiver_may_answer_on_the_same_link(void)
{
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    f.a->on_input = f.b->on_input = answer;
    link_fixture_send(&f, 0, 1, 60);
    link_fixture_run(&f);
    CHECK_EQUAL(f.a->count + f.b->count, 10);
    link_fixture_fini(&f);
}

// --- Everything at once

static struct impairment_config random_impairment(struct random *random)
{
    struct impairment_config config = impairment_default;

    config.action = (enum impairment_action)random_below(random, 7);
    config.select.probability = random_below(random, CHANCE_ALWAYS);
    config.delay = random_between(random, 0, 2) * NS_PER_MS;
    config.jitter = random_between(random, 0, 1) * NS_PER_MS;
    config.position = (uint32_t)random_below(random, 4);
    config.copies = (uint32_t)random_below(random, 3);
    return config;
}

static void change_at_random(struct link_fixture *f, struct random *random)
{
    struct link_direction_config config = link_direction_default;
    struct impairment_config impairments[3];

    config.rate_bps = random_below(random, 3) * MBIT_8;
    config.delay = random_between(random, 0, 5) * NS_PER_MS;
    config.jitter = random_between(random, 0, 1) * NS_PER_MS;
    config.keep_order = random_below(random, 2) != 0;
    config.queue.limit_packets = (uint32_t)random_below(random, 20);
    config.queue.limit_bytes = random_below(random, 2) * 10000;
    config.queue.limit_time = random_between(random, 0, 1) * 7 * NS_PER_MS;
    config.impairment_count = random_below(random, 4);
    for (size_t i = 0; i < config.impairment_count; i++)
        impairments[i] = random_impairment(random);
    config.impairments = impairments;
    CHECK_EQUAL(link_set(f->link, 0, &config), 0);
}

static void step_at_random(struct link_fixture *f, struct random *random,
                           uint32_t step)
{
    uint32_t length = (uint32_t)random_between(random, 20, 1500);

    switch (random_below(random, 20)) {
    case 0:
        change_at_random(f, random);
        break;
    case 1:
        link_set_up(f->link, !f->link->is_up);
        break;
    case 2:
        link_release_held(f->link, 0);
        break;
    case 3:
        link_inject(f->link, 0, frame_make(f->sim, step, length));
        break;
    case 4:
        f->sim->engine.now = max_i64(
            f->sim->engine.now, min_i64(engine_next(&f->sim->engine),
                                        f->sim->engine.now + 3 * NS_PER_MS));
        sim_run(f->sim, f->sim->engine.now);
        break;
    default:
        port_send(f->link->ends[0], frame_make(f->sim, step, length));
    }
}

static void the_books_are_right_whatever_happens(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct link_fixture f;
        struct random random;

        link_fixture_init(&f, NULL);
        random_init(&random, seed, "steps");
        for (uint32_t step = 0; step < 2000; step++) {
            step_at_random(&f, &random, step);
            link_check(f.link);
        }
        link_fixture_fini(&f);
    }
}

// --- Memory

static void running_out_of_memory_making_a_link_leaves_nothing(void)
{
    struct link_direction_config c = rate_and_delay(MBIT_8, 0);
    struct impairment_config drop = impairment_default;
    struct link_fixture f;
    struct link *link = NULL;
    int error = -ENOMEM;

    drop.select.filter = (char *)(uintptr_t) "tcp";
    c.impairments = &drop;
    c.impairment_count = 1;
    link_fixture_init(&f, NULL);
    struct link_config config = {
        .name = "other", .ends = {&f.a->node, &f.b->node}, .direction = {c, c}};
    for (unsigned n = 1; error == -ENOMEM && n < 200; n++) {
        malloc_fail_after(n);
        error = sim_add_link(f.sim, &config, &link);
        malloc_fail_after(0);
        if (error == -ENOMEM) {
            CHECK(sim_find_link(f.sim, "other") == NULL);
            CHECK_EQUAL(f.a->node.port_count, 1);
            CHECK_EQUAL(f.b->node.port_count, 1);
        }
    }
    CHECK_EQUAL(error, 0);
    CHECK(link != NULL);
    link_fixture_fini(&f);
}

const struct unit_test suite_link[] = {
    UNIT(a_bare_link_delivers_at_once),
    UNIT(a_frame_takes_its_transmission_and_the_delay),
    UNIT(the_overhead_counts_for_the_rate_alone),
    UNIT(a_transmission_is_rounded_up_to_a_nanosecond),
    UNIT(frames_follow_each_other_at_the_rate),
    UNIT(directions_do_not_know_of_each_other),
    UNIT(one_event_is_pending_per_direction),
    UNIT(the_queue_holds_its_limit_besides_the_frame_being_sent),
    UNIT(a_queue_is_limited_in_bytes),
    UNIT(a_queue_is_limited_in_time),
    UNIT(a_queue_without_limits_takes_everything),
    UNIT(the_mtu_counts_the_packet_in_the_frame),
    UNIT(a_new_rate_holds_for_frames_that_wait),
    UNIT(a_new_delay_holds_for_frames_that_wait),
    UNIT(taking_the_rate_away_sends_the_queue_at_once),
    UNIT(a_shorter_queue_drops_from_its_end),
    UNIT(a_change_in_mid_flight_leaves_frames_under_way_alone),
    UNIT(a_change_that_cannot_be_made_changes_nothing),
    UNIT(going_down_drops_what_waits_and_flies),
    UNIT(a_link_may_start_down),
    UNIT(what_is_on_the_link_at_the_end_is_counted_apart),
    UNIT(names_are_taken_once),
    UNIT(hardware_addresses_are_unique_and_local),
    UNIT(hooks_see_frames_that_are_sent_and_that_arrive),
    UNIT(a_hook_may_drop_delay_and_edit),
    UNIT(a_hook_may_remove_itself),
    UNIT(a_hook_may_take_the_link_down_under_the_frame),
    UNIT(an_injected_frame_passes_no_hook),
    UNIT(a_receiver_may_answer_on_the_same_link),
    UNIT(the_books_are_right_whatever_happens),
    UNIT(running_out_of_memory_making_a_link_leaves_nothing),
    {0},
};
