// Tests of NewReno's window rules against RFC 5681.
// SPDX-License-Identifier: MIT

#include "tests/unit/unit.h"

#include "stack/tcp/congestion/congestion.h"

#include <string.h>

enum { MSS = 1460 };

static struct congestion a_flow(uint32_t cwnd, uint32_t ssthresh)
{
    struct congestion cc;

    memset(&cc, 0, sizeof(cc));
    cc.ops = &congestion_newreno;
    cc.mss = MSS;
    cc.cwnd = cwnd * MSS;
    cc.ssthresh = ssthresh * MSS;
    cc.cwnd_clamp = UINT32_MAX;
    return cc;
}

static void acknowledge(struct congestion *cc, uint32_t segments)
{
    struct congestion_sample sample = {
        .acked_segments = segments, .acked_bytes = segments * MSS, .rtt = -1};
    cc->ops->on_ack(cc, &sample);
}

// RFC 5681 3.1 eqn. 2
static void slow_start_doubles_the_window_in_a_round_trip(void)
{
    struct congestion cc = a_flow(10, 100);

    for (int i = 0; i < 5; i++)
        acknowledge(&cc, 2);
    CHECK_EQUAL(cc.cwnd, 20 * MSS);
}

// RFC 5681 3.1 eqn. 3
static void congestion_avoidance_adds_a_segment_in_a_round_trip(void)
{
    struct congestion cc = a_flow(10, 10);

    for (int i = 0; i < 9; i++)
        acknowledge(&cc, 1);
    CHECK_EQUAL(cc.cwnd, 10 * MSS);
    acknowledge(&cc, 1);
    CHECK_EQUAL(cc.cwnd, 11 * MSS);
    for (int i = 0; i < 11; i++)
        acknowledge(&cc, 1);
    CHECK_EQUAL(cc.cwnd, 12 * MSS);
}

static void an_ack_that_crosses_ssthresh_is_split(void)
{
    struct congestion cc = a_flow(8, 10);

    acknowledge(&cc, 11); // 2 up to ssthresh, 9 of the 10 for the next
    CHECK_EQUAL(cc.cwnd, 10 * MSS);
    acknowledge(&cc, 1);
    CHECK_EQUAL(cc.cwnd, 11 * MSS);
}

// RFC 5681 3.1 eqn. 4
static void loss_halves_the_window_but_keeps_two_segments(void)
{
    struct congestion cc = a_flow(11, 100);

    CHECK_EQUAL(cc.ops->ssthresh(&cc), 5 * MSS);
    cc.cwnd = 3 * MSS;
    CHECK_EQUAL(cc.ops->ssthresh(&cc), 2 * MSS);
    cc.cwnd = 1 * MSS;
    CHECK_EQUAL(cc.ops->ssthresh(&cc), 2 * MSS);
}

static void loss_forgets_the_saved_acknowledgements(void)
{
    struct congestion cc = a_flow(10, 10);

    acknowledge(&cc, 9);
    cc.ops->on_state(&cc, TCP_CA_RECOVERY);
    acknowledge(&cc, 9);
    CHECK_EQUAL(cc.cwnd, 10 * MSS);
}

const struct unit_test suite_newreno[] = {
    UNIT(slow_start_doubles_the_window_in_a_round_trip),
    UNIT(congestion_avoidance_adds_a_segment_in_a_round_trip),
    UNIT(an_ack_that_crosses_ssthresh_is_split),
    UNIT(loss_halves_the_window_but_keeps_two_segments),
    UNIT(loss_forgets_the_saved_acknowledgements),
    {0},
};
