// Tests of the list of congestion controls with its shared arithmetic.
// SPDX-License-Identifier: MIT

#include "tests/unit/unit.h"

#include "stack/tcp/congestion/congestion.h"

#include <errno.h>
#include <string.h>

enum { MSS = 1000 };

static struct congestion a_flow(uint32_t cwnd_segments)
{
    struct congestion cc;

    memset(&cc, 0, sizeof(cc));
    cc.mss = MSS;
    cc.cwnd = cwnd_segments * MSS;
    cc.ssthresh = UINT32_MAX;
    cc.cwnd_clamp = UINT32_MAX;
    return cc;
}

static void cubic_is_the_default(void)
{
    CHECK_TEXT(congestion_name(0), "cubic");
    CHECK_EQUAL(congestion_find("cubic"), 0);
}

static void
every_control_is_found_by_its_name_and_has_the_two_needed_hooks(void)
{
    CHECK(congestion_count() >= 2);
    for (size_t i = 0; i < congestion_count(); i++) {
        CHECK_EQUAL(congestion_find(congestion_name(i)), i);
        CHECK(congestion_controls[i]->on_ack != NULL ||
              congestion_controls[i]->main_control != NULL);
        CHECK(congestion_controls[i]->ssthresh != NULL);
    }
    CHECK(congestion_controls[congestion_count()] == NULL);
}

static void reno_is_a_second_name_of_newreno(void)
{
    CHECK_EQUAL(congestion_find("reno"), congestion_find("newreno"));
    CHECK(congestion_find("newreno") >= 0);
}

static void an_unknown_name_is_not_found(void)
{
    CHECK_EQUAL(congestion_find("renoo"), -ENOENT);
    CHECK_EQUAL(congestion_find(""), -ENOENT);
}

static void slow_start_grows_by_all_that_was_acknowledged(void)
{
    struct congestion cc = a_flow(10);

    CHECK_EQUAL(congestion_slow_start(&cc, 7), 0);
    CHECK_EQUAL(cc.cwnd, 17 * MSS);
}

static void slow_start_stops_at_ssthresh_and_returns_the_rest(void)
{
    struct congestion cc = a_flow(10);

    cc.ssthresh = 13 * MSS;
    CHECK_EQUAL(congestion_slow_start(&cc, 5), 2);
    CHECK_EQUAL(cc.cwnd, 13 * MSS);
    CHECK_EQUAL(congestion_slow_start(&cc, 5), 5);
    CHECK_EQUAL(cc.cwnd, 13 * MSS);
}

static void slow_start_reaches_an_ssthresh_between_two_segments(void)
{
    struct congestion cc = a_flow(10);

    cc.ssthresh = 12 * MSS + 1;
    CHECK_EQUAL(congestion_slow_start(&cc, 4), 1);
    CHECK_EQUAL(cc.cwnd, 12 * MSS + 1);
}

static void growth_stops_at_the_clamp(void)
{
    struct congestion cc = a_flow(10);
    uint32_t count = 0;

    cc.cwnd_clamp = 12 * MSS;
    CHECK_EQUAL(congestion_slow_start(&cc, 5), 0);
    CHECK_EQUAL(cc.cwnd, 12 * MSS);
    congestion_additive_increase(&cc, &count, 1, 5);
    CHECK_EQUAL(cc.cwnd, 12 * MSS);
}

static void growth_does_not_wrap(void)
{
    struct congestion cc = a_flow(10);

    cc.cwnd = UINT32_MAX - MSS;
    CHECK_EQUAL(congestion_slow_start(&cc, 1000), 1000 - 1);
    CHECK_EQUAL(cc.cwnd, UINT32_MAX);
}

static void additive_increase_keeps_the_remainder(void)
{
    struct congestion cc = a_flow(10);
    uint32_t count = 0;

    congestion_additive_increase(&cc, &count, 10, 9);
    CHECK_EQUAL(cc.cwnd, 10 * MSS);
    congestion_additive_increase(&cc, &count, 10, 3);
    CHECK_EQUAL(cc.cwnd, 11 * MSS);
    CHECK_EQUAL(count, 2);
    congestion_additive_increase(&cc, &count, 10, 28);
    CHECK_EQUAL(cc.cwnd, 14 * MSS);
    CHECK_EQUAL(count, 0);
}

static void a_lower_price_spends_old_savings_on_one_segment_only(void)
{
    struct congestion cc = a_flow(10);
    uint32_t count = 90;

    congestion_additive_increase(&cc, &count, 2, 1);
    CHECK_EQUAL(cc.cwnd, 11 * MSS);
    CHECK_EQUAL(count, 1);
}

static void undo_never_shrinks_the_window(void)
{
    struct congestion cc = a_flow(10);

    cc.prior_cwnd = 20 * MSS;
    CHECK_EQUAL(congestion_undo(&cc), 20 * MSS);
    cc.prior_cwnd = 5 * MSS;
    CHECK_EQUAL(congestion_undo(&cc), 10 * MSS);
}

const struct unit_test suite_congestion[] = {
    UNIT(cubic_is_the_default),
    UNIT(every_control_is_found_by_its_name_and_has_the_two_needed_hooks),
    UNIT(reno_is_a_second_name_of_newreno),
    UNIT(an_unknown_name_is_not_found),
    UNIT(slow_start_grows_by_all_that_was_acknowledged),
    UNIT(slow_start_stops_at_ssthresh_and_returns_the_rest),
    UNIT(slow_start_reaches_an_ssthresh_between_two_segments),
    UNIT(growth_stops_at_the_clamp),
    UNIT(growth_does_not_wrap),
    UNIT(additive_increase_keeps_the_remainder),
    UNIT(a_lower_price_spends_old_savings_on_one_segment_only),
    UNIT(undo_never_shrinks_the_window),
    {0},
};
