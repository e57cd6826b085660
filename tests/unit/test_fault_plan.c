// Tests of fault plans: recording, the text, replaying.
// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/engine/random.h"
#include "tests/unit/link_fixture.h"
#include "tests/unit/unit.h"

enum { FRAMES = 3000 };

static struct fault_plan *read_text(const char *text, unsigned *line,
                                    char error[200])
{
    FILE *in = fmemopen((char *)(uintptr_t)text, strlen(text), "r");

    must(in != NULL);
    struct fault_plan *plan = fault_plan_read(in, line, error, 200);
    fclose(in);
    return plan;
}

static void replay_text(struct link_fixture *f, const char *text)
{
    char error[200];
    unsigned line;
    struct fault_plan *plan = read_text(text, &line, error);

    CHECK_FATAL(plan != NULL);
    sim_replay_faults(f->sim, plan);
}

static char *written(const struct sim *sim)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    must(out != NULL);
    CHECK_EQUAL(sim_write_faults(sim, out), 0);
    fclose(out);
    return text;
}

static void send_all(struct link_fixture *f, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++)
        link_fixture_send(f, i * NS_PER_US, i, 60);
    link_fixture_run(f);
}

static struct link_direction_config bad_link(struct impairment_config list[8])
{
    struct link_direction_config config = link_direction_default;

    for (unsigned i = 0; i < 8; i++) {
        list[i] = impairment_default;
        list[i].action = (enum impairment_action)(i % 7);
        list[i].select.probability = CHANCE_ALWAYS / 20;
    }
    list[IMPAIR_DELAY].delay = 50 * NS_PER_US;
    list[IMPAIR_DELAY].jitter = 20 * NS_PER_US;
    list[IMPAIR_REORDER].position = 2;
    list[IMPAIR_DUPLICATE].copies = 2;
    list[IMPAIR_DUPLICATE].delay = 700;
    list[IMPAIR_CORRUPT].bytes = 2;
    list[IMPAIR_HOLD].delay = 90 * NS_PER_US;
    list[7].action = IMPAIR_DROP; // meets copies
    list[7].select.every = 9;
    config.rate_bps = 1000000000;
    config.delay = NS_PER_MS;
    config.jitter = 30 * NS_PER_US;
    config.jitter_distribution = DISTRIBUTION_NORMAL;
    config.impairments = list;
    config.impairment_count = 8;
    return config;
}

static void check_same_arrivals(const struct probe *a, const struct probe *b)
{
    CHECK_EQUAL(a->count, b->count);
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        CHECK_EQUAL(a->arrivals[i].time, b->arrivals[i].time);
        CHECK_EQUAL(a->arrivals[i].number, b->arrivals[i].number);
        CHECK_EQUAL(a->arrivals[i].is_intact, b->arrivals[i].is_intact);
    }
}

static void a_recorded_run_can_be_replayed_without_dice(void)
{
    struct impairment_config list[8];
    struct link_direction_config config = bad_link(list);
    struct link_fixture rolled, replayed;

    link_fixture_init(&rolled, &config);
    CHECK_EQUAL(sim_record_faults(rolled.sim), 0);
    send_all(&rolled, FRAMES);
    char *plan = written(rolled.sim);
    // Other impairments, which no one may ask; the same rate and delay.
    config.impairment_count = 1;
    list[0].select.probability = CHANCE_ALWAYS;
    link_fixture_init(&replayed, &config);
    replay_text(&replayed, plan);
    send_all(&replayed, FRAMES);
    check_same_arrivals(rolled.b, replayed.b);
    struct link_direction_stats a = link_get_stats(rolled.link, 0);
    struct link_direction_stats b = link_get_stats(replayed.link, 0);
    CHECK(a.dropped[LINK_DROP_LOSS] > 0 && a.dropped[LINK_DROP_FILTER] > 0);
    CHECK(a.duplicated > 0 && a.corrupted > 0 && a.held > 0);
    CHECK_BYTES(&a, &b, sizeof(a));
    CHECK(sim_fingerprint(rolled.sim) == sim_fingerprint(replayed.sim));
    free(plan);
    link_fixture_fini(&rolled);
    link_fixture_fini(&replayed);
}

static void recording_a_replay_gives_the_same_plan(void)
{
    struct impairment_config list[8];
    struct link_direction_config config = bad_link(list);
    struct link_fixture f;

    link_fixture_init(&f, &config);
    CHECK_EQUAL(sim_record_faults(f.sim), 0);
    send_all(&f, 300);
    char *first = written(f.sim);
    link_fixture_fini(&f);
    link_fixture_init(&f, &config);
    CHECK_EQUAL(sim_record_faults(f.sim), 0);
    replay_text(&f, first);
    send_all(&f, 300);
    char *second = written(f.sim);
    CHECK_TEXT(second, first);
    link_fixture_fini(&f);
    free(first);
    free(second);
}

static void a_plan_may_be_written_by_hand(void)
{
    struct link_direction_config config = link_direction_default;
    struct link_fixture f;

    config.delay = NS_PER_MS;
    link_fixture_init(&f, &config);
    replay_text(&f, "# out of order, with comments\n"
                    "a:eth0 4 duplicate 1\n"
                    "a:eth0 4.1 delay 10000ns # the copy\n"
                    "\n"
                    "a:eth0 2 drop\n"
                    "a:eth0 3 displace behind 2\n"
                    "a:eth0 6 jitter -500000ns\n"
                    "b:eth0 1 lose\n");
    send_all(&f, 6);
    const uint32_t order[] = {6, 1, 4, 5, 3, 4};
    CHECK_EQUAL(f.b->count, 6);
    for (uint32_t i = 0; i < 6; i++)
        CHECK_EQUAL(f.b->arrivals[i].number, order[i]);
    CHECK_EQUAL(f.b->arrivals[0].time, NS_PER_MS / 2 + 6 * NS_PER_US);
    CHECK_EQUAL(f.b->arrivals[5].time, NS_PER_MS + 14 * NS_PER_US);
    port_send(f.link->ends[1], frame_make(f.sim, 1, 60));
    port_send(f.link->ends[1], frame_make(f.sim, 2, 60));
    link_fixture_run(&f);
    CHECK_EQUAL(f.a->count, 1);
    CHECK_EQUAL(link_get_stats(f.link, 1).dropped[LINK_DROP_LOSS], 1);
    link_fixture_fini(&f);
}

static void a_plan_holds_for_links_that_are_made_later(void)
{
    struct link_fixture f;
    struct link *later;

    link_fixture_init(&f, NULL);
    CHECK_EQUAL(sim_record_faults(f.sim), 0);
    replay_text(&f, "a:eth1 1 drop\n");
    struct link_config config = {.ends = {&f.a->node, &f.b->node}};
    CHECK_EQUAL(sim_add_link(f.sim, &config, &later), 0);
    port_send(later->ends[0], frame_make(f.sim, 1, 60));
    port_send(later->ends[0], frame_make(f.sim, 2, 60));
    link_fixture_run(&f);
    CHECK_EQUAL(f.b->count, 1);
    char *text = written(f.sim);
    CHECK_TEXT(strchr(text, '\n') + 1, "a:eth1 1 drop\n");
    free(text);
    link_fixture_fini(&f);
}

static void a_bit_beyond_the_frame_is_left_alone(void)
{
    struct link_fixture f;

    link_fixture_init(&f, NULL);
    replay_text(&f, "a:eth0 1 corrupt 100000\n");
    send_all(&f, 1);
    CHECK_EQUAL(f.b->count, 1);
    CHECK(f.b->arrivals[0].is_intact);
    link_fixture_fini(&f);
}

static void mistakes_are_told_with_their_line(void)
{
    static const struct {
        const char *text, *error;
        unsigned line;
    } cases[] = {
        {"eth0 1 drop\n", "\"eth0\" is no port (\"host:eth0\")", 1},
        {"\na:eth0 x drop\n", "\"x\" is not the number of a frame", 2},
        {"a:eth0\n", "the number of a frame is missing", 1},
        {"a:eth0 0 drop\n", "frames are counted from 1", 1},
        {"a:eth0 1.y drop\n", "\"y\" is not the number of a copy", 1},
        {"a:eth0 1\n", "what happens to the frame is missing", 1},
        {"a:eth0 1 vanish\n", "\"vanish\" is nothing that happens to a frame",
         1},
        {"a:eth0 1 drop it\n", "\"it\" is too much", 1},
        {"a:eth0 1 delay 3ms\n",
         "\"3ms\" is not a time in nanoseconds (\"3000ns\")", 1},
        {"a:eth0 1 delay -3ns\n", "\"-3ns\" is negative", 1},
        {"a:eth0 1 jitter 40000000000000000ns\n",
         "\"40000000000000000ns\" is longer than a year", 1},
        {"a:eth0 1 duplicate 1001\n", "1001 copies are too many", 1},
        {"a:eth0 1 delay\n", "a time is missing", 1},
        {"a:eth0 1 hold behind\n", "a number of frames is missing", 1},
        {"a:eth0 99999999999 drop\n",
         "\"99999999999\" is not the number of a frame", 1},
    };

    for (unsigned i = 0; i < ARRAY_LENGTH(cases); i++) {
        char error[200] = "";
        unsigned line = 0;

        CHECK(read_text(cases[i].text, &line, error) == NULL);
        CHECK_TEXT(error, cases[i].error);
        CHECK_EQUAL(line, cases[i].line);
    }
}

static void a_name_that_is_no_port_is_told(void)
{
    struct link_fixture f;
    char error[200];
    unsigned line;

    link_fixture_init(&f, NULL);
    struct fault_plan *plan =
        read_text("a:eth0 1 drop\na:eth7 1 drop\n", &line, error);
    CHECK_TEXT(fault_plan_unknown(plan, f.sim), "a:eth7");
    fault_plan_destroy(plan);
    plan = read_text("b:eth0 1 drop\n", &line, error);
    CHECK(fault_plan_unknown(plan, f.sim) == NULL);
    fault_plan_destroy(plan);
    link_fixture_fini(&f);
}

const struct unit_test suite_fault_plan[] = {
    UNIT(a_recorded_run_can_be_replayed_without_dice),
    UNIT(recording_a_replay_gives_the_same_plan),
    UNIT(a_plan_may_be_written_by_hand),
    UNIT(a_plan_holds_for_links_that_are_made_later),
    UNIT(a_bit_beyond_the_frame_is_left_alone),
    UNIT(mistakes_are_told_with_their_line),
    UNIT(a_name_that_is_no_port_is_told),
    {0},
};
