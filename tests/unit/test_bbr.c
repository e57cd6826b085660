// Tests of BBR's model against a path whose rate and round trip are known.
// SPDX-License-Identifier: MIT

#include "tests/unit/unit.h"

#include "stack/tcp/congestion/congestion.h"

#include <string.h>

enum { MSS = 1000, MOST = 4096 };

// A path with one queue: what is sent at `sent` is acknowledged after the
// round trip, but no two segments closer than `spacing`.
struct path {
    struct congestion cc;
    ns_t now, rtt, spacing, last_ack, next_send;
    uint32_t sent, delivered;
    ns_t first_sent, delivered_at;
    bool is_app_limited;
    uint32_t lose_every; // 0: nothing is lost
    struct {
        ns_t sent_at, ack_at, first_sent, delivered_at;
        uint32_t delivered;
        bool is_app_limited;
    } segments[MOST];
};

static void path_init(struct path *p, ns_t rtt, ns_t spacing)
{
    memset(p, 0, sizeof(*p));
    p->rtt = rtt;
    p->spacing = spacing;
    p->now = NS_PER_S;
    p->cc.ops = &congestion_bbr;
    p->cc.mss = MSS;
    p->cc.cwnd = 10 * MSS;
    p->cc.ssthresh = p->cc.cwnd_clamp = UINT32_MAX;
    p->cc.now = p->now;
    p->cc.srtt = p->cc.min_rtt = rtt;
    p->cc.ops->init(&p->cc);
    p->delivered_at = p->first_sent = p->now;
}

static uint32_t in_flight(const struct path *p)
{
    return p->sent - p->delivered;
}

static void send_one(struct path *p)
{
    ns_t arrives = max_i64(p->now + p->rtt, p->last_ack + p->spacing);
    uint32_t i = p->sent++ % MOST;

    if (in_flight(p) == 1)
        p->first_sent = p->delivered_at = p->now;
    p->segments[i].sent_at = p->now;
    p->segments[i].ack_at = p->last_ack = arrives;
    p->segments[i].first_sent = p->first_sent;
    p->segments[i].delivered_at = p->delivered_at;
    p->segments[i].delivered = p->delivered;
    p->segments[i].is_app_limited = p->is_app_limited;
    p->next_send = p->now + MSS * 8 * NS_PER_S / (ns_t)p->cc.pacing_rate_bps;
}

static void acknowledge_one(struct path *p)
{
    uint32_t i = p->delivered % MOST;
    uint32_t before = in_flight(p);
    ns_t sending = p->segments[i].sent_at - p->segments[i].first_sent;

    p->delivered++;
    p->delivered_at = p->now;
    p->first_sent = p->segments[i].sent_at;
    struct congestion_sample sample = {
        .now = p->now,
        .acked_segments = 1,
        .acked_bytes = MSS,
        .prior_in_flight = before * MSS,
        .in_flight = in_flight(p) * MSS,
        .rtt = p->now - p->segments[i].sent_at,
        .delivered = p->delivered - p->segments[i].delivered,
        .interval = max_i64(sending, p->now - p->segments[i].delivered_at),
        .prior_delivered = p->segments[i].delivered,
        .total_delivered = p->delivered,
        .is_app_limited = p->segments[i].is_app_limited,
    };
    if (p->lose_every && p->delivered % p->lose_every == 0)
        sample.lost_segments = 1;
    p->cc.now = p->now;
    p->cc.snd_una += MSS;
    p->cc.ops->main_control(&p->cc, &sample);
}

// Sends whatever cwnd, pacing and `application` (segments in flight at most)
// allow.
static void run(struct path *p, ns_t time, uint32_t application)
{
    ns_t end = p->now + time;

    while (p->now < end) {
        uint32_t most = min_u32(p->cc.cwnd / MSS, application);
        ns_t ack =
            in_flight(p) ? p->segments[p->delivered % MOST].ack_at : INT64_MAX;
        bool may_send = in_flight(p) < min_u32(most, MOST - 1);
        ns_t send = may_send ? max_i64(p->next_send, p->now) : INT64_MAX;

        if (min_i64(ack, send) >= end) {
            p->now = end;
        } else if (ack <= send) {
            p->now = ack;
            acknowledge_one(p);
        } else {
            p->now = send;
            send_one(p);
        }
    }
}

static bool is_within(uint64_t value, uint64_t expected, uint32_t percent)
{
    return value * 100 >= expected * (100 - percent) &&
           value * 100 <= expected * (100 + percent);
}

// 10 Mbit/s and 40 ms: 50 segments.
#define SPACING (800 * NS_PER_US)
#define RTT     (40 * NS_PER_MS)

static void the_pacing_rate_becomes_that_of_the_bottleneck(void)
{
    struct path p;

    path_init(&p, RTT, SPACING);
    run(&p, 4 * NS_PER_S, UINT32_MAX);
    uint32_t before = p.delivered;
    run(&p, 4 * NS_PER_S, UINT32_MAX);
    CHECK(is_within(p.delivered - before, 5000, 3));
    CHECK(is_within(p.cc.pacing_rate_bps, 10000000, 26));
}

static void cwnd_is_two_bdps_and_some_room(void)
{
    struct path p;

    path_init(&p, RTT, SPACING);
    run(&p, 4 * NS_PER_S, UINT32_MAX);
    CHECK(p.cc.cwnd >= 98 * MSS);
    CHECK(p.cc.cwnd <= 116 * MSS);
}

// The queue of STARTUP is gone and none comes back.
static void the_path_is_full_and_the_queue_is_empty(void)
{
    struct path p;

    path_init(&p, RTT, SPACING);
    run(&p, 4 * NS_PER_S, UINT32_MAX);
    uint64_t sum = 0;
    for (int i = 0; i < 400; i++) {
        run(&p, 10 * NS_PER_MS, UINT32_MAX);
        sum += in_flight(&p);
    }
    CHECK(is_within(sum / 400, 52, 12));
}

static void startup_doubles_each_round_trip(void)
{
    struct path p;

    path_init(&p, RTT, NS_PER_US);
    run(&p, RTT * 6, UINT32_MAX);
    // 10, 20, 40, 80, 160; a paced start is a little behind.
    CHECK(p.delivered >= 240);
    CHECK(p.delivered <= 310);
    uint32_t before = p.delivered;
    run(&p, RTT, UINT32_MAX);
    CHECK(is_within(p.delivered - before, before, 5));
}

static void loss_does_not_slow_it_down(void)
{
    struct path p;

    path_init(&p, RTT, SPACING);
    p.lose_every = 20;
    run(&p, 4 * NS_PER_S, UINT32_MAX);
    uint32_t before = p.delivered;
    run(&p, 4 * NS_PER_S, UINT32_MAX);
    CHECK(is_within(p.delivered - before, 5000, 5));
}

static void min_rtt_is_looked_for_every_ten_seconds(void)
{
    struct path p;
    uint32_t least = UINT32_MAX;

    path_init(&p, RTT, SPACING);
    run(&p, 2 * NS_PER_S, UINT32_MAX);
    p.rtt += NS_PER_MS; // never seen again as it was
    for (int i = 0; i < 1200; i++) {
        run(&p, 10 * NS_PER_MS, UINT32_MAX);
        least = min_u32(least, p.cc.cwnd);
    }
    CHECK_EQUAL(least, 4 * MSS);
    // The samples of that time have not spoilt the model.
    uint32_t before = p.delivered;
    run(&p, 2 * NS_PER_S, UINT32_MAX);
    CHECK(is_within(p.delivered - before, 2500, 5));
}

static void samples_of_a_slow_application_do_not_count(void)
{
    struct path p;

    path_init(&p, RTT, SPACING);
    run(&p, 4 * NS_PER_S, UINT32_MAX);
    p.is_app_limited = true;
    run(&p, 4 * NS_PER_S, 5);
    CHECK(p.cc.pacing_rate_bps >= 7300000);
}

static void a_slower_path_is_noticed_within_ten_rounds(void)
{
    struct path p;

    path_init(&p, RTT, SPACING);
    run(&p, 4 * NS_PER_S, UINT32_MAX);
    p.spacing *= 4;
    run(&p, 4 * NS_PER_S, UINT32_MAX);
    CHECK(p.cc.pacing_rate_bps <= 2500000 * 5 / 4);
}

static void a_recovery_begins_with_what_is_delivered(void)
{
    struct path p;

    path_init(&p, RTT, SPACING);
    run(&p, 4 * NS_PER_S, UINT32_MAX);
    uint32_t cwnd = p.cc.cwnd, ssthresh = p.cc.ssthresh;
    CHECK_EQUAL(p.cc.ops->ssthresh(&p.cc), ssthresh);
    p.cc.ops->on_state(&p.cc, TCP_CA_RECOVERY);
    uint32_t flight = in_flight(&p);
    p.now = max_i64(p.segments[p.delivered % MOST].ack_at, p.now);
    acknowledge_one(&p);
    CHECK_EQUAL(p.cc.cwnd, flight * MSS);
    p.cc.ops->on_state(&p.cc, TCP_CA_OPEN);
    CHECK_EQUAL(p.cc.cwnd, cwnd);
}

const struct unit_test suite_bbr[] = {
    UNIT(the_pacing_rate_becomes_that_of_the_bottleneck),
    UNIT(cwnd_is_two_bdps_and_some_room),
    UNIT(the_path_is_full_and_the_queue_is_empty),
    UNIT(startup_doubles_each_round_trip),
    UNIT(loss_does_not_slow_it_down),
    UNIT(min_rtt_is_looked_for_every_ten_seconds),
    UNIT(samples_of_a_slow_application_do_not_count),
    UNIT(a_slower_path_is_noticed_within_ten_rounds),
    UNIT(a_recovery_begins_with_what_is_delivered),
    {0},
};
