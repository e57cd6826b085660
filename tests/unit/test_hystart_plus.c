// Tests of HyStart++ against RFC 9406.
// SPDX-License-Identifier: MIT

#include "tests/unit/unit.h"

#include "stack/tcp/congestion/hystart_plus.h"

#include <string.h>

enum { MSS = 1000 };

static struct congestion a_flow(struct hystart_plus *h, uint32_t cwnd)
{
    struct congestion cc;

    memset(&cc, 0, sizeof(cc));
    cc.mss = MSS;
    cc.cwnd = cwnd * MSS;
    cc.ssthresh = cc.cwnd_clamp = UINT32_MAX;
    cc.snd_una = 1;
    cc.snd_nxt = 1 + cwnd * MSS;
    hystart_plus_init(h, &cc);
    return cc;
}

// A round of `samples` ACKs of a segment each, all with this round trip.
static void a_round(struct hystart_plus *h, struct congestion *cc,
                    uint32_t samples, uint32_t rtt_ms)
{
    for (uint32_t i = 0; i < samples; i++) {
        // The first ACK ends the round before.
        cc->snd_una = i == 0 ? h->window_end : cc->snd_una + 1;
        cc->snd_nxt = cc->snd_una + 10 * MSS;
        hystart_plus_on_rtt(h, cc, rtt_ms * NS_PER_MS);
    }
}

static uint32_t growth(struct hystart_plus *h, struct congestion *cc,
                       uint32_t acked)
{
    uint32_t before = cc->cwnd;

    for (uint32_t i = 0; i < acked; i++)
        hystart_plus_grow(h, cc, 1);
    return (cc->cwnd - before) / MSS;
}

static void an_even_round_trip_is_slow_start(void)
{
    struct hystart_plus h;
    struct congestion cc = a_flow(&h, 10);

    for (int i = 0; i < 20; i++)
        a_round(&h, &cc, 10, 100);
    CHECK_EQUAL(growth(&h, &cc, 20), 20);
    CHECK_EQUAL(cc.ssthresh, UINT32_MAX);
}

// RFC 9406 4.3: an eighth of the round trip, here 12.5 ms.
static void a_longer_round_trip_makes_it_careful(void)
{
    struct hystart_plus h;
    struct congestion cc = a_flow(&h, 10);

    a_round(&h, &cc, 10, 100);
    a_round(&h, &cc, 10, 112);
    a_round(&h, &cc, 10, 112);
    CHECK_EQUAL(growth(&h, &cc, 20), 20);
    a_round(&h, &cc, 10, 127);
    CHECK_EQUAL(growth(&h, &cc, 20), 5);
}

static void the_threshold_has_bounds(void)
{
    struct hystart_plus h;
    struct congestion cc = a_flow(&h, 10);

    // An eighth of 8 ms would be 1 ms; it is 4 ms at least.
    a_round(&h, &cc, 10, 8);
    a_round(&h, &cc, 10, 11);
    CHECK_EQUAL(growth(&h, &cc, 4), 4);
    a_round(&h, &cc, 10, 15);
    CHECK_EQUAL(growth(&h, &cc, 4), 1);

    // An eighth of 800 ms would be 100 ms; it is 16 ms at most.
    cc = a_flow(&h, 10);
    a_round(&h, &cc, 10, 800);
    a_round(&h, &cc, 10, 815);
    CHECK_EQUAL(growth(&h, &cc, 4), 4);
    a_round(&h, &cc, 10, 832);
    CHECK_EQUAL(growth(&h, &cc, 4), 1);
}

static void seven_samples_are_too_few(void)
{
    struct hystart_plus h;
    struct congestion cc = a_flow(&h, 10);

    a_round(&h, &cc, 10, 100);
    a_round(&h, &cc, 7, 200);
    CHECK_EQUAL(growth(&h, &cc, 4), 4);
}

static void jitter_is_forgiven(void)
{
    struct hystart_plus h;
    struct congestion cc = a_flow(&h, 10);

    a_round(&h, &cc, 10, 100);
    a_round(&h, &cc, 10, 150);
    CHECK_EQUAL(growth(&h, &cc, 4), 1);
    a_round(&h, &cc, 10, 110);
    CHECK_EQUAL(growth(&h, &cc, 4), 4);
    CHECK_EQUAL(cc.ssthresh, UINT32_MAX);
}

static void five_careful_rounds_end_slow_start(void)
{
    struct hystart_plus h;
    struct congestion cc = a_flow(&h, 10);

    a_round(&h, &cc, 10, 100);
    for (int i = 0; i < 5; i++)
        a_round(&h, &cc, 10, 150);
    CHECK_EQUAL(cc.ssthresh, UINT32_MAX);
    a_round(&h, &cc, 10, 150);
    CHECK_EQUAL(cc.ssthresh, cc.cwnd);
}

// RFC 9406 4.2, L.
static void an_ack_of_many_segments_counts_as_eight(void)
{
    struct hystart_plus h;
    struct congestion cc = a_flow(&h, 10);

    hystart_plus_grow(&h, &cc, 30);
    CHECK_EQUAL(cc.cwnd, 18 * MSS);
    cc.pacing_rate_bps = 1000000;
    hystart_plus_grow(&h, &cc, 30);
    CHECK_EQUAL(cc.cwnd, 48 * MSS);
}

static void a_later_slow_start_is_not_watched(void)
{
    struct hystart_plus h;
    struct congestion cc = a_flow(&h, 10);

    cc.ssthresh = 100 * MSS;
    a_round(&h, &cc, 10, 100);
    a_round(&h, &cc, 10, 200);
    CHECK_EQUAL(growth(&h, &cc, 20), 20);
    CHECK_EQUAL(cc.ssthresh, 100 * MSS);
}

const struct unit_test suite_hystart_plus[] = {
    UNIT(an_even_round_trip_is_slow_start),
    UNIT(a_longer_round_trip_makes_it_careful),
    UNIT(the_threshold_has_bounds),
    UNIT(seven_samples_are_too_few),
    UNIT(jitter_is_forgiven),
    UNIT(five_careful_rounds_end_slow_start),
    UNIT(an_ack_of_many_segments_counts_as_eight),
    UNIT(a_later_slow_start_is_not_watched),
    {0},
};
