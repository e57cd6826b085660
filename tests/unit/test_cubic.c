// Tests of CUBIC with a model in floating point from RFC 9438's formulas.
// SPDX-License-Identifier: MIT

#include "tests/unit/unit.h"

#include "stack/tcp/congestion/congestion.h"

#include <math.h>
#include <string.h>

enum { MSS = 1448 };

static struct congestion a_flow(uint32_t cwnd)
{
    struct congestion cc;

    memset(&cc, 0, sizeof(cc));
    cc.ops = &congestion_cubic;
    cc.mss = MSS;
    cc.cwnd = cwnd * MSS;
    cc.ssthresh = UINT32_MAX;
    cc.cwnd_clamp = UINT32_MAX;
    cc.now = NS_PER_S;
    cc.ops->init(&cc);
    return cc;
}

static uint32_t segments(const struct congestion *cc) { return cc->cwnd / MSS; }

static void acknowledge(struct congestion *cc, ns_t rtt)
{
    struct congestion_sample sample = {
        .now = cc->now, .acked_segments = 1, .acked_bytes = MSS, .rtt = rtt};
    cc->srtt = rtt;
    cc->snd_una += MSS;
    if (rtt >= 0)
        cc->ops->on_rtt(cc, &sample);
    cc->ops->on_ack(cc, &sample);
}

// Acknowledges one window evenly over one round trip.
static void round_trip(struct congestion *cc, ns_t rtt)
{
    uint32_t window = segments(cc);

    cc->snd_nxt = cc->snd_una + window * MSS;
    for (uint32_t i = 0; i < window; i++) {
        cc->now += rtt / window;
        acknowledge(cc, rtt);
    }
}

static void lose(struct congestion *cc)
{
    uint32_t ssthresh = cc->ops->ssthresh(cc);

    cc->prior_cwnd = cc->cwnd;
    cc->prior_ssthresh = cc->ssthresh;
    cc->ssthresh = cc->cwnd = ssthresh;
}

// RFC 9438 4.2: W_cubic(t) = C (t - K)^3 + W_max.
static double model(double w_max, double cwnd_epoch, double t)
{
    double k = cbrt((w_max - cwnd_epoch) / 0.4);

    return 0.4 * (t - k) * (t - k) * (t - k) + w_max;
}

static void reduction_leaves_seven_tenths(void)
{
    struct congestion cc = a_flow(1000);

    CHECK_EQUAL(cc.ops->ssthresh(&cc) / MSS, 700);
    cc.cwnd = 10 * MSS;
    CHECK_EQUAL(cc.ops->ssthresh(&cc) / MSS, 7);
    cc.cwnd = 2 * MSS;
    CHECK_EQUAL(cc.ops->ssthresh(&cc) / MSS, 2);
}

// The window trails the curve by what one round trip adds, never leads it by
// more than the lookahead of one RTT.
static void follows_the_curve(uint32_t w_max, ns_t rtt, double seconds)
{
    struct congestion cc = a_flow(w_max);
    double worst = 0;

    lose(&cc);
    double start = segments(&cc);
    acknowledge(&cc, rtt);
    ns_t epoch = cc.now;
    while (cc.now < epoch + (ns_t)(seconds * 1e9)) {
        round_trip(&cc, rtt);
        double t = (double)(cc.now - epoch) / 1e9;
        double expected = model(w_max, start, t);
        double error = fabs(segments(&cc) - expected) / expected;

        worst = fmax(worst, error);
    }
    CHECK(worst < 0.05);
    if (worst >= 0.05)
        CHECK_EQUAL((long long)(worst * 1000), 50);
}

static void window_follows_the_curve_through_the_plateau_and_beyond(void)
{
    // Long paths, so that Reno is slower throughout.
    follows_the_curve(1000, 200 * NS_PER_MS, 13);
    follows_the_curve(5000, 100 * NS_PER_MS, 20);
    follows_the_curve(300, 300 * NS_PER_MS, 9);
}

// RFC 9438 4.3: on short paths the window is Reno's with alpha
// 3 (1 - 0.7) / (1 + 0.7) = 0.53 segments a round trip.
static void short_paths_are_no_slower_than_reno(void)
{
    struct congestion cc = a_flow(100);

    lose(&cc);
    acknowledge(&cc, 20 * NS_PER_MS);
    uint32_t start = segments(&cc);
    for (int i = 0; i < 50; i++)
        round_trip(&cc, 20 * NS_PER_MS);
    // The curve alone would have gained 17 segments in this second.
    double gained = segments(&cc) - start;
    CHECK(gained >= 50 * 0.53 - 4 && gained <= 50 * 0.53 + 2);
}

static void growth_does_not_depend_on_the_rtt(void)
{
    uint32_t reached[2];
    const ns_t rtts[2] = {50 * NS_PER_MS, 200 * NS_PER_MS};

    for (int i = 0; i < 2; i++) {
        struct congestion cc = a_flow(2000);

        lose(&cc);
        acknowledge(&cc, rtts[i]);
        ns_t epoch = cc.now;
        while (cc.now < epoch + 10 * NS_PER_S)
            round_trip(&cc, rtts[i]);
        reached[i] = segments(&cc);
    }
    CHECK(reached[0] < reached[1] + 40 && reached[1] < reached[0] + 40);
}

// RFC 9438 4.7: 1000 -> 700, lost again at 700 < 1000: W_max is 700 * 0.85.
static void fast_convergence_gives_up_a_part_of_the_old_maximum(void)
{
    struct congestion cc = a_flow(1000);
    const ns_t rtt = 200 * NS_PER_MS;

    lose(&cc);
    lose(&cc);
    CHECK_EQUAL(segments(&cc), 490);
    acknowledge(&cc, rtt);
    ns_t epoch = cc.now;
    double k = cbrt((595 - 490) / 0.4);
    while (cc.now < epoch + (ns_t)(k * 1e9))
        round_trip(&cc, rtt);
    CHECK(segments(&cc) > 585 && segments(&cc) < 602);
}

static void growth_is_at_most_half_a_window_in_a_round_trip(void)
{
    struct congestion cc = a_flow(10);
    const ns_t rtt = 500 * NS_PER_MS;

    lose(&cc);
    acknowledge(&cc, rtt);
    for (int i = 0; i < 60 && segments(&cc) < 100000; i++) {
        uint32_t before = segments(&cc);

        round_trip(&cc, rtt);
        CHECK(segments(&cc) <= before + before / 2 + 1);
    }
    CHECK(segments(&cc) > 2000);
}

static void idle_time_is_no_time_on_the_curve(void)
{
    struct congestion cc = a_flow(1000);
    const ns_t rtt = 100 * NS_PER_MS;

    lose(&cc);
    round_trip(&cc, rtt);
    uint32_t before = segments(&cc);
    cc.last_sent = cc.now;
    cc.now += 60 * NS_PER_S;
    cc.ops->on_event(&cc, CONGESTION_TX_START);
    round_trip(&cc, rtt);
    CHECK(segments(&cc) < before + before / 10);
}

static void a_timeout_forgets_the_old_maximum(void)
{
    struct congestion cc = a_flow(1000);
    const ns_t rtt = 100 * NS_PER_MS;

    lose(&cc);
    cc.ops->on_state(&cc, TCP_CA_LOSS);
    cc.cwnd = cc.ssthresh = 20 * MSS;
    // With W_max 1000 the first round trip would add ten segments.
    round_trip(&cc, rtt);
    CHECK(segments(&cc) <= 21);
}

static void hystart_ends_slow_start_when_the_rtt_grows(void)
{
    struct congestion cc = a_flow(10);
    ns_t rtt = 100 * NS_PER_MS;

    round_trip(&cc, rtt); // 20
    round_trip(&cc, rtt); // 40
    CHECK_EQUAL(segments(&cc), 40);
    CHECK_EQUAL(cc.ssthresh, UINT32_MAX);
    // 12 ms are less than an eighth of 100 ms, 13 are more. ACKs farther apart
    // than a train's, so that only the delay can be seen.
    cc.now += 3 * NS_PER_MS;
    for (int i = 0; i < 40; i++) {
        cc.now += 3 * NS_PER_MS;
        acknowledge(&cc, rtt + 12 * NS_PER_MS);
    }
    CHECK_EQUAL(cc.ssthresh, UINT32_MAX);
    cc.snd_nxt = cc.snd_una + 80 * MSS;
    cc.snd_una += 1; // a new round begins
    for (int i = 0; i < 20; i++) {
        cc.now += 3 * NS_PER_MS;
        acknowledge(&cc, rtt + 13 * NS_PER_MS);
    }
    CHECK(cc.ssthresh < 100 * MSS);
}

static void hystart_needs_eight_samples_of_a_round(void)
{
    struct congestion cc = a_flow(20);

    acknowledge(&cc, 100 * NS_PER_MS);
    cc.snd_nxt = cc.snd_una + 20 * MSS;
    for (int i = 0; i < 8; i++) {
        cc.now += 3 * NS_PER_MS;
        acknowledge(&cc, 150 * NS_PER_MS);
    }
    CHECK_EQUAL(cc.ssthresh, UINT32_MAX);
    cc.now += 3 * NS_PER_MS;
    acknowledge(&cc, 150 * NS_PER_MS);
    CHECK(cc.ssthresh != UINT32_MAX);
}

static void hystart_ends_slow_start_after_a_long_ack_train(void)
{
    struct congestion cc = a_flow(100);

    // 100 ACKs 1 ms apart: half the RTT of 100 ms is passed by the 51st.
    cc.snd_nxt = cc.snd_una + 100 * MSS;
    acknowledge(&cc, 100 * NS_PER_MS);
    int count = 0;
    while (cc.ssthresh == UINT32_MAX && count < 100) {
        cc.now += NS_PER_MS;
        acknowledge(&cc, 100 * NS_PER_MS);
        count++;
    }
    CHECK(count >= 50 && count <= 52);
}

static void hystart_leaves_small_windows_alone(void)
{
    struct congestion cc = a_flow(2);

    acknowledge(&cc, 10 * NS_PER_MS);
    cc.snd_nxt = cc.snd_una + 20 * MSS;
    for (int i = 0; i < 12; i++) {
        cc.now += 3 * NS_PER_MS;
        acknowledge(&cc, 150 * NS_PER_MS);
    }
    CHECK_EQUAL(segments(&cc), 15);
    CHECK_EQUAL(cc.ssthresh, UINT32_MAX);
}

const struct unit_test suite_cubic[] = {
    UNIT(reduction_leaves_seven_tenths),
    UNIT(window_follows_the_curve_through_the_plateau_and_beyond),
    UNIT(short_paths_are_no_slower_than_reno),
    UNIT(growth_does_not_depend_on_the_rtt),
    UNIT(fast_convergence_gives_up_a_part_of_the_old_maximum),
    UNIT(growth_is_at_most_half_a_window_in_a_round_trip),
    UNIT(idle_time_is_no_time_on_the_curve),
    UNIT(a_timeout_forgets_the_old_maximum),
    UNIT(hystart_ends_slow_start_when_the_rtt_grows),
    UNIT(hystart_needs_eight_samples_of_a_round),
    UNIT(hystart_ends_slow_start_after_a_long_ack_train),
    UNIT(hystart_leaves_small_windows_alone),
    {0},
};
