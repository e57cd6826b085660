// Tests of impairments: how victims are chosen, and what happens to them.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/link/direction.h"
#include "sim/link/mangle.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"
#include "tests/unit/link_fixture.h"
#include "tests/unit/unit.h"

enum { MANY = 100000 };

static struct impairment_config impair(enum impairment_action action)
{
    struct impairment_config config = impairment_default;

    config.action = action;
    return config;
}

static chance_t share(double x)
{
    return (chance_t)(x * (double)CHANCE_ALWAYS);
}

static void fixture_with(struct link_fixture *f, ns_t delay, size_t count,
                         struct impairment_config *impairments)
{
    struct link_direction_config config = link_direction_default;

    config.delay = delay;
    config.impairments = impairments;
    config.impairment_count = count;
    link_fixture_init(f, &config);
}

// Frames 1..count, a microsecond apart.
static void send_many(struct link_fixture *f, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++)
        link_fixture_send(f, (ns_t)i * NS_PER_US, i, 60);
    link_fixture_run(f);
}

static struct link_direction_stats stats_of(const struct link_fixture *f)
{
    return link_get_stats(f->link, 0);
}

// --- Loss

static void loss_takes_its_share(void)
{
    struct impairment_config loss = impair(IMPAIR_DROP);
    struct link_fixture f;

    loss.select.probability = share(0.03);
    fixture_with(&f, 0, 1, &loss);
    send_many(&f, MANY);
    uint64_t lost = stats_of(&f).dropped[LINK_DROP_LOSS];
    CHECK(lost > 2780 && lost < 3220); // 3000, 4 sigma: 216
    CHECK_EQUAL(f.b->count + lost, MANY);
    link_fixture_fini(&f);
}

// Which of the frames 1..count did not arrive.
static uint8_t *losses(const struct link_fixture *f, uint32_t count)
{
    uint8_t *lost = malloc(count + 1);

    must(lost != NULL);
    memset(lost, 1, count + 1);
    for (uint32_t i = 0; i < f->b->count; i++)
        lost[f->b->arrivals[i].number] = 0;
    return lost;
}

static void correlated_loss_keeps_its_share_and_comes_in_runs(void)
{
    struct impairment_config loss = impair(IMPAIR_DROP);
    struct link_fixture f;
    double both = 0, all = 0;

    loss.select.probability = share(0.1);
    loss.select.correlation = share(0.5);
    fixture_with(&f, 0, 1, &loss);
    send_many(&f, MANY);
    uint8_t *lost = losses(&f, MANY);
    for (uint32_t i = 2; i <= MANY; i++) {
        all += lost[i];
        both += lost[i] && lost[i - 1];
    }
    double p = all / MANY, correlation = (both / MANY - p * p) / (p - p * p);
    CHECK(fabs(p - 0.1) < 0.008);
    CHECK(fabs(correlation - 0.5) < 0.03);
    free(lost);
    link_fixture_fini(&f);
}

static void gilbert_elliott_loses_in_bursts_of_its_length(void)
{
    struct impairment_config loss = impair(IMPAIR_DROP);
    struct link_fixture f;
    uint32_t bursts = 0, all = 0;

    loss.select.model = LOSS_GILBERT_ELLIOTT;
    loss.select.ge_p = share(0.02);
    loss.select.ge_r = share(0.25);
    loss.select.ge_bad = CHANCE_ALWAYS;
    loss.select.ge_good = 0;
    fixture_with(&f, 0, 1, &loss);
    send_many(&f, MANY);
    uint8_t *lost = losses(&f, MANY);
    for (uint32_t i = 1; i <= MANY; i++) {
        all += lost[i];
        bursts += lost[i] && (i == 1 || !lost[i - 1]);
    }
    // Bad for p / (p + r) of the time, 1 / r frames at a time.
    CHECK(fabs((double)all / MANY - 0.02 / 0.27) < 0.006);
    CHECK(fabs((double)all / bursts - 4) < 0.25);
    CHECK_EQUAL(stats_of(&f).dropped[LINK_DROP_LOSS], all);
    free(lost);
    link_fixture_fini(&f);
}

static void gilbert_elliott_loses_by_the_chance_of_its_state(void)
{
    struct impairment_config loss = impair(IMPAIR_DROP);
    struct link_fixture f;

    loss.select.model = LOSS_GILBERT_ELLIOTT;
    loss.select.ge_p = share(0.1);
    loss.select.ge_r = share(0.3);
    loss.select.ge_bad = share(0.4);
    loss.select.ge_good = share(0.01);
    fixture_with(&f, 0, 1, &loss);
    send_many(&f, MANY);
    double all = (double)stats_of(&f).dropped[LINK_DROP_LOSS];
    CHECK(fabs(all / MANY - (0.25 * 0.4 + 0.75 * 0.01)) < 0.006);
    link_fixture_fini(&f);
}

static void a_lost_frame_has_used_the_wire(void)
{
    struct impairment_config loss = impair(IMPAIR_DROP);
    struct link_direction_config config = link_direction_default;
    uint32_t first[] = {1};
    struct link_fixture f;

    loss.select.nth = first;
    loss.select.nth_count = 1;
    config.rate_bps = 8000000;
    config.impairments = &loss;
    config.impairment_count = 1;
    link_fixture_init(&f, &config);
    link_fixture_send(&f, 0, 1, 1000);
    link_fixture_send(&f, 0, 2, 1000);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 1);
    CHECK_EQUAL(f.b->arrivals[0].time, 2 * NS_PER_MS);
    CHECK_EQUAL(stats_of(&f).busy, 2 * NS_PER_MS);
    link_fixture_fini(&f);
}

// --- Choice by count, window, filter, function

static void the_nth_frames_are_chosen(void)
{
    struct impairment_config drop = impair(IMPAIR_DROP);
    uint32_t numbers[] = {2, 3, 7};
    struct link_fixture f;

    drop.select.nth = numbers;
    drop.select.nth_count = 3;
    fixture_with(&f, 0, 1, &drop);
    numbers[0] = 1; // the list was copied
    send_many(&f, 10);
    uint8_t *lost = losses(&f, 10);
    for (uint32_t i = 1; i <= 10; i++)
        CHECK_EQUAL(lost[i], i == 2 || i == 3 || i == 7);
    CHECK_EQUAL(stats_of(&f).dropped[LINK_DROP_FILTER], 3);
    free(lost);
    link_fixture_fini(&f);
}

static void an_empty_list_chooses_nobody(void)
{
    struct impairment_config drop = impair(IMPAIR_DROP);
    uint32_t none[1] = {0};
    struct link_fixture f;

    drop.select.nth = none;
    fixture_with(&f, 0, 1, &drop);
    send_many(&f, 10);
    CHECK_EQUAL(f.b->count, 10);
    link_fixture_fini(&f);
}

static void every_nth_frame_is_chosen(void)
{
    struct impairment_config drop = impair(IMPAIR_DROP);
    struct link_fixture f;

    drop.select.every = 4;
    fixture_with(&f, 0, 1, &drop);
    send_many(&f, 10);
    uint8_t *lost = losses(&f, 10);
    for (uint32_t i = 1; i <= 10; i++)
        CHECK_EQUAL(lost[i], i % 4 == 0);
    free(lost);
    link_fixture_fini(&f);
}

static void a_window_opens_and_closes(void)
{
    struct impairment_config drop = impair(IMPAIR_DROP);
    struct link_fixture f;

    drop.select.from = 3 * NS_PER_US;
    drop.select.until = 6 * NS_PER_US; // not included
    fixture_with(&f, 0, 1, &drop);
    send_many(&f, 10);
    uint8_t *lost = losses(&f, 10);
    for (uint32_t i = 1; i <= 10; i++)
        CHECK_EQUAL(lost[i], i >= 3 && i < 6);
    free(lost);
    link_fixture_fini(&f);
}

static void a_filter_chooses_and_counts_only_its_own(void)
{
    struct impairment_config drop = impair(IMPAIR_DROP);
    uint32_t second[] = {2};
    struct link_fixture f;

    drop.select.filter = (char *)(uintptr_t) "ether[17] > 5"; // number
    drop.select.nth = second;
    drop.select.nth_count = 1;
    fixture_with(&f, 0, 1, &drop);
    send_many(&f, 10);
    uint8_t *lost = losses(&f, 10);
    for (uint32_t i = 1; i <= 10; i++)
        CHECK_EQUAL(lost[i], i == 7);
    free(lost);
    link_fixture_fini(&f);
}

static bool choose_odd(void *context, struct link *link, unsigned direction,
                       const struct packet *frame)
{
    (void)link;
    (void)direction;
    ++*(uint32_t *)context;
    return frame->id % 2 == 1;
}

static void a_function_is_asked_last(void)
{
    struct impairment_config drop = impair(IMPAIR_DROP);
    struct link_fixture f;
    uint32_t asked = 0;

    drop.select.every = 2;
    drop.select.choose = choose_odd;
    drop.select.choose_context = &asked;
    fixture_with(&f, 0, 1, &drop);
    send_many(&f, 10);
    CHECK_EQUAL(asked, 5);
    CHECK_EQUAL(f.b->count, 10);
    link_fixture_fini(&f);
}

static bool replace_the_list(void *context, struct link *link,
                             unsigned direction, const struct packet *frame)
{
    struct link_direction_config config = *link_get(link, direction);

    (void)context;
    (void)frame;
    config.impairments = NULL;
    config.impairment_count = 0;
    CHECK_EQUAL(link_set(link, direction, &config), 0);
    return true;
}

static void a_function_may_replace_the_list_it_is_asked_by(void)
{
    struct impairment_config list[2] = {impair(IMPAIR_DUPLICATE),
                                        impair(IMPAIR_DROP)};
    uint32_t nobody[] = {9};
    struct link_fixture f;

    list[0].select.choose = replace_the_list;
    list[1].select.nth = nobody;
    list[1].select.nth_count = 1;
    fixture_with(&f, 0, 2, list);
    send_many(&f, 2);
    CHECK_EQUAL(f.b->count, 3);
    link_fixture_fini(&f);
}

static bool take_link_down(void *context, struct link *link, unsigned direction,
                           const struct packet *frame)
{
    (void)context;
    (void)direction;
    (void)frame;
    link_set_up(link, false);
    return true;
}

static void a_function_may_take_the_link_down(void)
{
    struct impairment_config copy = impair(IMPAIR_DUPLICATE);
    struct link_fixture f;

    copy.select.choose = take_link_down;
    fixture_with(&f, NS_PER_MS, 1, &copy);
    send_many(&f, 1);
    CHECK_EQUAL(f.b->count, 0);
    CHECK_EQUAL(stats_of(&f).dropped[LINK_DROP_DOWN], 2);
    link_fixture_fini(&f);
}

// --- Actions

static void a_delayed_frame_is_overtaken(void)
{
    struct impairment_config delay = impair(IMPAIR_DELAY);
    uint32_t second[] = {2};
    struct link_fixture f;

    delay.delay = 3 * NS_PER_US + 1;
    delay.select.nth = second;
    delay.select.nth_count = 1;
    fixture_with(&f, NS_PER_MS, 1, &delay);
    send_many(&f, 6);
    const uint32_t order[] = {1, 3, 4, 5, 2, 6};
    for (uint32_t i = 0; i < 6; i++)
        CHECK_EQUAL(f.b->arrivals[i].number, order[i]);
    CHECK_EQUAL(f.b->arrivals[4].time, NS_PER_MS + 5 * NS_PER_US + 1);
    CHECK_EQUAL(stats_of(&f).delayed, 1);
    link_fixture_fini(&f);
}

static void a_reordered_frame_does_not_wait_for_the_delay(void)
{
    struct impairment_config reorder = impair(IMPAIR_REORDER);
    struct link_fixture f;

    reorder.select.every = 3;
    fixture_with(&f, 10 * NS_PER_US, 1, &reorder);
    send_many(&f, 4);
    const uint32_t order[] = {3, 1, 2, 4};
    for (uint32_t i = 0; i < 4; i++)
        CHECK_EQUAL(f.b->arrivals[i].number, order[i]);
    CHECK_EQUAL(f.b->arrivals[0].time, 3 * NS_PER_US);
    CHECK_EQUAL(stats_of(&f).reordered, 1);
    link_fixture_fini(&f);
}

static void a_frame_arrives_behind_so_many_that_follow(void)
{
    struct impairment_config reorder = impair(IMPAIR_REORDER);
    uint32_t second[] = {2};
    struct link_fixture f;

    reorder.position = 3;
    reorder.select.nth = second;
    reorder.select.nth_count = 1;
    fixture_with(&f, NS_PER_MS, 1, &reorder);
    send_many(&f, 6);
    const uint32_t order[] = {1, 3, 4, 5, 2, 6};
    for (uint32_t i = 0; i < 6; i++)
        CHECK_EQUAL(f.b->arrivals[i].number, order[i]);
    CHECK_EQUAL(f.b->arrivals[4].time, NS_PER_MS + 5 * NS_PER_US);
    link_fixture_fini(&f);
}

static void a_lost_follower_does_not_count(void)
{
    struct impairment_config list[2] = {impair(IMPAIR_REORDER),
                                        impair(IMPAIR_DROP)};
    uint32_t first[] = {1}, third[] = {3};
    struct link_fixture f;

    list[0].position = 2;
    list[0].select.nth = first;
    list[0].select.nth_count = 1;
    list[1].select.nth = third;
    list[1].select.nth_count = 1;
    fixture_with(&f, NS_PER_MS, 2, list);
    send_many(&f, 5);
    const uint32_t order[] = {2, 4, 1, 5};
    CHECK_EQUAL(f.b->count, 4);
    for (uint32_t i = 0; i < 4; i++)
        CHECK_EQUAL(f.b->arrivals[i].number, order[i]);
    link_fixture_fini(&f);
}

static void a_displaced_frame_waits_at_most_its_delay(void)
{
    struct impairment_config reorder = impair(IMPAIR_REORDER);
    struct link_fixture f;

    reorder.position = 3;
    reorder.delay = 2 * NS_PER_MS;
    fixture_with(&f, NS_PER_MS, 1, &reorder);
    send_many(&f, 1); // nobody follows
    CHECK_EQUAL(f.b->count, 1);
    CHECK_EQUAL(f.b->arrivals[0].time, 3 * NS_PER_MS + NS_PER_US);
    link_fixture_fini(&f);
}

static void a_held_frame_waits_for_its_release(void)
{
    struct impairment_config hold = impair(IMPAIR_HOLD);
    uint32_t first[] = {1};
    struct link_fixture f;

    hold.select.nth = first;
    hold.select.nth_count = 1;
    fixture_with(&f, NS_PER_MS, 1, &hold);
    link_fixture_send(&f, 0, 1, 60);
    link_fixture_send(&f, 10, 2, 60);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 1);
    CHECK_EQUAL(stats_of(&f).in_flight, 1);
    sim_run(f.sim, NS_PER_S);
    f.sim->engine.now = NS_PER_S;
    link_release_held(f.link, 0);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 2);
    CHECK_EQUAL(f.b->arrivals[1].number, 1);
    CHECK_EQUAL(f.b->arrivals[1].time, NS_PER_S + NS_PER_MS);
    CHECK_EQUAL(stats_of(&f).held, 1);
    link_fixture_fini(&f);
}

static void a_frame_held_for_a_time_goes_on_by_itself(void)
{
    struct impairment_config hold = impair(IMPAIR_HOLD);
    struct link_fixture f;

    hold.delay = 7 * NS_PER_MS;
    hold.select.every = 2;
    fixture_with(&f, NS_PER_MS, 1, &hold);
    send_many(&f, 4);
    const uint32_t order[] = {1, 3, 2, 4};
    for (uint32_t i = 0; i < 4; i++)
        CHECK_EQUAL(f.b->arrivals[i].number, order[i]);
    CHECK_EQUAL(f.b->arrivals[2].time, 8 * NS_PER_MS + 2 * NS_PER_US);
    link_fixture_fini(&f);
}

static void going_down_takes_held_frames_along(void)
{
    struct impairment_config hold = impair(IMPAIR_HOLD);
    struct link_fixture f;

    fixture_with(&f, 0, 1, &hold);
    send_many(&f, 3);
    link_set_up(f.link, false);
    CHECK_EQUAL(stats_of(&f).dropped[LINK_DROP_DOWN], 3);
    link_fixture_fini(&f);
}

static void a_duplicate_follows_its_original(void)
{
    struct impairment_config copy = impair(IMPAIR_DUPLICATE);
    struct link_fixture f;

    copy.copies = 2;
    copy.select.every = 2;
    fixture_with(&f, NS_PER_MS, 1, &copy);
    send_many(&f, 3);
    const uint32_t order[] = {1, 2, 2, 2, 3};
    CHECK_EQUAL(f.b->count, 5);
    for (uint32_t i = 0; i < 5; i++)
        CHECK_EQUAL(f.b->arrivals[i].number, order[i]);
    CHECK_EQUAL(stats_of(&f).duplicated, 2);
    link_fixture_fini(&f);
}

static void copies_come_later_when_told_so(void)
{
    struct impairment_config copy = impair(IMPAIR_DUPLICATE);
    struct link_fixture f;

    copy.copies = 2;
    copy.delay = NS_PER_MS;
    fixture_with(&f, 0, 1, &copy);
    send_many(&f, 1);
    CHECK_EQUAL(f.b->arrivals[1].time, NS_PER_MS + NS_PER_US);
    CHECK_EQUAL(f.b->arrivals[2].time, 2 * NS_PER_MS + NS_PER_US);
    link_fixture_fini(&f);
}

static void copies_meet_the_impairments_that_are_left(void)
{
    struct impairment_config list[2] = {impair(IMPAIR_DUPLICATE),
                                        impair(IMPAIR_DROP)};
    struct link_fixture f;

    list[1].select.every = 2; // each copy, as it comes second
    fixture_with(&f, 0, 2, list);
    send_many(&f, 10);
    CHECK_EQUAL(f.b->count, 10);
    CHECK_EQUAL(stats_of(&f).duplicated, 10);
    CHECK_EQUAL(stats_of(&f).dropped[LINK_DROP_FILTER], 10);
    link_fixture_fini(&f);
}

static void a_copy_without_a_buffer_is_a_counted_drop(void)
{
    struct impairment_config copy = impair(IMPAIR_DUPLICATE);
    struct link_fixture f;

    fixture_with(&f, 0, 1, &copy);
    struct packet *frame = frame_make(f.sim, 1, 60);
    packet_pool_fail_after(f.sim->pool, 1);
    port_send(f.link->ends[0], frame);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 1);
    CHECK_EQUAL(stats_of(&f).dropped[LINK_DROP_NO_BUFFER], 1);
    link_fixture_fini(&f);
}

static void a_corrupted_frame_differs_by_its_bits(void)
{
    struct impairment_config corrupt = impair(IMPAIR_CORRUPT);
    struct link_fixture f;
    uint32_t damaged = 0;

    corrupt.select.filter = (char *)(uintptr_t) "ether proto 0x88b5";
    fixture_with(&f, 0, 1, &corrupt);
    send_many(&f, 1000);
    for (uint32_t i = 0; i < f.b->count; i++)
        damaged += !f.b->arrivals[i].is_intact;
    // The fill is 42 of the 60 bytes; the rest hits the headers, and a hit on
    // the number makes the fill look wrong as well.
    CHECK(damaged > 600 && damaged < 900);
    CHECK_EQUAL(stats_of(&f).corrupted, 1000);
    link_fixture_fini(&f);
}

static void corruption_leaves_the_copy_alone(void)
{
    struct impairment_config list[2] = {impair(IMPAIR_DUPLICATE),
                                        impair(IMPAIR_CORRUPT)};
    struct link_fixture f;

    list[1].select.every = 2;
    list[1].bytes = 3;
    fixture_with(&f, 0, 2, list);
    send_many(&f, 100);
    for (uint32_t i = 0; i < f.b->count; i += 2)
        CHECK(f.b->arrivals[i].is_intact);
    CHECK_EQUAL(stats_of(&f).corrupted, 100);
    link_fixture_fini(&f);
}

// --- Marks

static struct packet *make_ip(struct sim *sim, bool is_v6, uint8_t tos)
{
    struct packet *frame = packet_alloc(sim->pool, 16, 100);

    must(frame != NULL);
    uint8_t *bytes = packet_put(frame, 74);
    memset(bytes, 0, 74);
    put_be16(bytes + 12, is_v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
    if (is_v6) {
        put_be32(bytes + 14, 0x60000000 | (uint32_t)tos << 20 | 0xabcde);
    } else {
        struct ipv4_header header = {
            .tos = tos,
            .total_length = 60,
            .ttl = 64,
            .protocol = IP_PROTOCOL_UDP,
            .source = ip_addr_v4(10, 0, 0, 1),
            .destination = ip_addr_v4(10, 0, 0, 2),
        };
        ipv4_emit(&header, bytes + 14);
    }
    return frame;
}

static void a_mark_needs_a_capable_transport(void)
{
    struct link_fixture f;
    struct ipv4_header header;

    link_fixture_init(&f, NULL);
    for (uint8_t ecn = 0; ecn < 4; ecn++) {
        struct packet *frame = make_ip(f.sim, false, (uint8_t)(0xb8 | ecn));

        CHECK_EQUAL(mangle_mark(frame, false),
                    ecn == 1 || ecn == 2 ? 0 : -EINVAL);
        CHECK_EQUAL(ipv4_parse(frame->data + 14, 60, &header), 20);
        CHECK_EQUAL(header.tos, 0xb8 | (ecn == 0 ? 0 : 3));
        packet_free(frame);
    }
    struct packet *v6 = make_ip(f.sim, true, 0xb9);
    CHECK_EQUAL(mangle_mark(v6, false), 0);
    CHECK_EQUAL(get_be32(v6->data + 14), 0x6bbabcde);
    packet_free(v6);
    struct packet *other = frame_make(f.sim, 1, 60);
    CHECK_EQUAL(mangle_mark(other, false), -EINVAL);
    packet_free(other);
    link_fixture_fini(&f);
}

static void only_marked_frames_count_as_marked(void)
{
    struct impairment_config mark = impair(IMPAIR_MARK);
    struct link_fixture f;

    fixture_with(&f, 0, 1, &mark);
    port_send(f.link->ends[0], make_ip(f.sim, false, 2));
    port_send(f.link->ends[0], make_ip(f.sim, false, 0));
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 2);
    CHECK_EQUAL(stats_of(&f).marked, 1);
    link_fixture_fini(&f);
}

// --- Jitter

static struct link_fixture jittery(enum distribution distribution,
                                   double correlation, bool keep_order)
{
    struct link_direction_config config = link_direction_default;
    struct link_fixture f;

    config.delay = 100 * NS_PER_MS;
    config.jitter = 10 * NS_PER_MS;
    config.jitter_distribution = distribution;
    config.jitter_correlation = share(correlation);
    config.keep_order = keep_order;
    link_fixture_init(&f, &config);
    return f;
}

// What each frame of send_many was late by, in milliseconds around the delay.
static double *lateness(const struct link_fixture *f, uint32_t count)
{
    double *late = calloc(count + 1, sizeof(*late));

    must(late != NULL);
    for (uint32_t i = 0; i < f->b->count; i++) {
        const struct arrival *a = &f->b->arrivals[i];

        late[a->number] =
            (double)(a->time - a->number * NS_PER_US) / NS_PER_MS - 100;
    }
    return late;
}

static void jitter_has_its_spread_and_correlation(void)
{
    for (unsigned round = 0; round < 2; round++) {
        double correlation = round * 0.7;
        struct link_fixture f =
            jittery(DISTRIBUTION_NORMAL, correlation, false);
        double sum = 0, squares = 0, products = 0;
        const uint32_t n = 20000;

        send_many(&f, n);
        double *late = lateness(&f, n);
        for (uint32_t i = 1; i <= n; i++) {
            sum += late[i];
            squares += late[i] * late[i];
            products += i > 1 ? late[i] * late[i - 1] : 0;
        }
        CHECK(fabs(sum / n) < 0.5);
        CHECK(fabs(sqrt(squares / n) - 10) < 0.5);
        CHECK(fabs(products / squares - correlation) < 0.05);
        free(late);
        link_fixture_fini(&f);
    }
}

static void jitter_reorders_unless_order_is_kept(void)
{
    for (unsigned keep = 0; keep < 2; keep++) {
        struct link_fixture f = jittery(DISTRIBUTION_UNIFORM, 0, keep);
        uint32_t backwards = 0;

        send_many(&f, 2000);
        for (uint32_t i = 1; i < f.b->count; i++)
            backwards += f.b->arrivals[i].number < f.b->arrivals[i - 1].number;
        CHECK(keep ? backwards == 0 : backwards > 500);
        link_fixture_fini(&f);
    }
}

static void jitter_never_beats_the_transmission(void)
{
    struct link_direction_config config = link_direction_default;
    struct link_fixture f;

    config.rate_bps = 8000000;
    config.delay = NS_PER_MS;
    config.jitter = 50 * NS_PER_MS;
    config.jitter_distribution = DISTRIBUTION_NORMAL;
    link_fixture_init(&f, &config);
    for (uint32_t i = 0; i < 200; i++)
        link_fixture_send(&f, 0, i, 1000);
    link_fixture_run(&f);
    for (uint32_t i = 0; i < f.b->count; i++)
        CHECK(f.b->arrivals[i].time >=
              (f.b->arrivals[i].number + 1) * NS_PER_MS);
    link_fixture_fini(&f);
}

// --- Independence

static void an_impairment_more_does_not_move_the_others(void)
{
    struct impairment_config list[2] = {impair(IMPAIR_DROP),
                                        impair(IMPAIR_DELAY)};
    uint8_t *before = NULL;

    list[0].select.probability = share(0.2);
    list[1].select.probability = share(0.5);
    list[1].delay = NS_PER_MS;
    for (size_t count = 1; count <= 2; count++) {
        struct link_fixture f;

        fixture_with(&f, 0, count, list);
        send_many(&f, 1000);
        uint8_t *lost = losses(&f, 1000);
        if (before != NULL)
            CHECK_BYTES(lost, before, 1001);
        free(before);
        before = lost;
        link_fixture_fini(&f);
    }
    free(before);
}

static void a_change_elsewhere_keeps_the_counts(void)
{
    struct impairment_config drop = impair(IMPAIR_DROP);
    struct link_fixture f;

    drop.select.every = 10;
    fixture_with(&f, 0, 1, &drop);
    send_many(&f, 6);
    struct link_direction_config config = link_fixture_config(&f);
    config.delay = NS_PER_MS;
    CHECK_EQUAL(link_set(f.link, 0, &config), 0);
    for (uint32_t i = 7; i <= 10; i++)
        link_fixture_send(&f, f.sim->engine.now, i, 60);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 9);
    CHECK_EQUAL(f.b->arrivals[8].number, 9);
    link_fixture_fini(&f);
}

static void a_new_count_starts_anew(void)
{
    struct impairment_config drop = impair(IMPAIR_DROP);
    struct link_fixture f;

    drop.select.every = 10;
    fixture_with(&f, 0, 1, &drop);
    send_many(&f, 6);
    struct link_direction_config config = link_fixture_config(&f);
    drop.select.every = 2;
    config.impairments = &drop;
    CHECK_EQUAL(link_set(f.link, 0, &config), 0);
    link_fixture_send(&f, f.sim->engine.now, 7, 60);
    link_fixture_send(&f, f.sim->engine.now, 8, 60);
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 7);
    CHECK_EQUAL(f.b->arrivals[6].number, 7);
    link_fixture_fini(&f);
}

static void configurations_are_copied_whole(void)
{
    struct impairment_config a = impair(IMPAIR_REORDER), b;
    uint32_t numbers[] = {4, 9};

    a.select.nth = numbers;
    a.select.nth_count = 2;
    a.select.filter = (char *)(uintptr_t) "udp";
    a.position = 3;
    CHECK_EQUAL(impairment_config_copy(&a, &b), 0);
    CHECK(impairment_config_equal(&a, &b));
    CHECK(b.select.nth != a.select.nth && b.select.filter != a.select.filter);
    b.select.nth[1] = 10;
    CHECK(!impairment_config_equal(&a, &b));
    impairment_config_fini(&b);
}

const struct unit_test suite_impairment[] = {
    UNIT(loss_takes_its_share),
    UNIT(correlated_loss_keeps_its_share_and_comes_in_runs),
    UNIT(gilbert_elliott_loses_in_bursts_of_its_length),
    UNIT(gilbert_elliott_loses_by_the_chance_of_its_state),
    UNIT(a_lost_frame_has_used_the_wire),
    UNIT(the_nth_frames_are_chosen),
    UNIT(an_empty_list_chooses_nobody),
    UNIT(every_nth_frame_is_chosen),
    UNIT(a_window_opens_and_closes),
    UNIT(a_filter_chooses_and_counts_only_its_own),
    UNIT(a_function_is_asked_last),
    UNIT(a_function_may_replace_the_list_it_is_asked_by),
    UNIT(a_function_may_take_the_link_down),
    UNIT(a_delayed_frame_is_overtaken),
    UNIT(a_reordered_frame_does_not_wait_for_the_delay),
    UNIT(a_frame_arrives_behind_so_many_that_follow),
    UNIT(a_lost_follower_does_not_count),
    UNIT(a_displaced_frame_waits_at_most_its_delay),
    UNIT(a_held_frame_waits_for_its_release),
    UNIT(a_frame_held_for_a_time_goes_on_by_itself),
    UNIT(going_down_takes_held_frames_along),
    UNIT(a_duplicate_follows_its_original),
    UNIT(copies_come_later_when_told_so),
    UNIT(copies_meet_the_impairments_that_are_left),
    UNIT(a_copy_without_a_buffer_is_a_counted_drop),
    UNIT(a_corrupted_frame_differs_by_its_bits),
    UNIT(corruption_leaves_the_copy_alone),
    UNIT(a_mark_needs_a_capable_transport),
    UNIT(only_marked_frames_count_as_marked),
    UNIT(jitter_has_its_spread_and_correlation),
    UNIT(jitter_reorders_unless_order_is_kept),
    UNIT(jitter_never_beats_the_transmission),
    UNIT(an_impairment_more_does_not_move_the_others),
    UNIT(a_change_elsewhere_keeps_the_counts),
    UNIT(a_new_count_starts_anew),
    UNIT(configurations_are_copied_whole),
    {0},
};
