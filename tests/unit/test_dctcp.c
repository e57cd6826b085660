// Tests of DCTCP's window rules against RFC 8257.
// SPDX-License-Identifier: MIT

#include "tests/unit/unit.h"

#include "stack/tcp/congestion/congestion.h"

#include <math.h>
#include <string.h>

enum { MSS = 1000 };

static struct congestion a_flow(uint32_t cwnd)
{
    struct congestion cc;

    memset(&cc, 0, sizeof(cc));
    cc.ops = &congestion_dctcp;
    cc.mss = MSS;
    cc.cwnd = cwnd * MSS;
    cc.ssthresh = cwnd * MSS;
    cc.cwnd_clamp = UINT32_MAX;
    cc.snd_una = cc.snd_nxt = 1;
    cc.ops->init(&cc);
    return cc;
}

// One window of `segments`, of which `marked` come back with ECE. The window
// slides: as each is acknowledged another one is sent.
static void a_window(struct congestion *cc, uint32_t segments, uint32_t marked)
{
    for (uint32_t i = 0; i < segments; i++) {
        struct congestion_sample sample = {.acked_segments = 1,
                                           .acked_bytes = MSS,
                                           .rtt = -1,
                                           .is_ece = i < marked};
        cc->snd_una += MSS;
        cc->snd_nxt = cc->snd_una + segments * MSS;
        cc->ops->on_delivered(cc, &sample);
    }
}

static double alpha_of(struct congestion *cc, uint32_t cwnd)
{
    cc->cwnd = cwnd * MSS;
    return 2 * (1 - (double)cc->ops->ssthresh(cc) / cc->cwnd);
}

// RFC 8257 3.3: alpha is 1 at first; step 10 with alpha 1 halves.
static void the_first_mark_halves_the_window(void)
{
    struct congestion cc = a_flow(100);

    CHECK_EQUAL(cc.ops->ssthresh(&cc), 50 * MSS);
}

static void alpha_decays_by_a_sixteenth_a_window_without_marks(void)
{
    struct congestion cc = a_flow(100);
    double model = 1;

    for (int i = 0; i < 40; i++) {
        // Observation windows are one ACK longer than the window.
        a_window(&cc, 101, 0);
        cc.snd_nxt = cc.snd_una;
        model *= 15.0 / 16;
    }
    // What a window is differs by an ACK here and there: within a tenth.
    CHECK(fabs(alpha_of(&cc, 1000000) - model) < 0.1 * model + 0.002);
}

static void alpha_goes_to_the_share_that_is_marked(void)
{
    static const uint32_t percent[] = {5, 20, 50, 80, 100};

    for (size_t i = 0; i < ARRAY_LENGTH(percent); i++) {
        struct congestion cc = a_flow(100);

        for (int window = 0; window < 200; window++)
            a_window(&cc, 100, percent[i]);
        double alpha = alpha_of(&cc, 1000000);
        CHECK(fabs(alpha - percent[i] / 100.0) < 0.03);
    }
}

// A fraction of 1/16 that is shifted away must not hold alpha up for ever.
static void alpha_decays_to_nearly_nothing(void)
{
    struct congestion cc = a_flow(100);

    for (int window = 0; window < 400; window++)
        a_window(&cc, 100, 0);
    CHECK(alpha_of(&cc, 1000000) < 0.0001);
    cc.cwnd = 100 * MSS;
    CHECK_EQUAL(cc.ops->ssthresh(&cc), 100 * MSS);
}

// RFC 8257 3.5
static void loss_halves_whatever_alpha_is(void)
{
    struct congestion cc = a_flow(100);

    for (int window = 0; window < 400; window++)
        a_window(&cc, 100, 0);
    cc.cwnd = 100 * MSS;
    cc.ssthresh = cc.ops->ssthresh(&cc);
    cc.ops->on_state(&cc, TCP_CA_RECOVERY);
    CHECK_EQUAL(cc.ssthresh, 50 * MSS);

    cc.ssthresh = cc.ops->ssthresh(&cc);
    cc.ops->on_event(&cc, CONGESTION_LOSS);
    CHECK_EQUAL(cc.ssthresh, 50 * MSS);
}

static void the_window_never_falls_below_two_segments(void)
{
    struct congestion cc = a_flow(2);

    CHECK_EQUAL(cc.ops->ssthresh(&cc), 2 * MSS);
}

static void growth_is_that_of_newreno(void)
{
    struct congestion cc = a_flow(10);
    struct congestion_sample sample = {.acked_segments = 1, .rtt = -1};

    for (int i = 0; i < 10; i++)
        cc.ops->on_ack(&cc, &sample);
    CHECK_EQUAL(cc.cwnd, 11 * MSS);
}

const struct unit_test suite_dctcp[] = {
    UNIT(the_first_mark_halves_the_window),
    UNIT(alpha_decays_by_a_sixteenth_a_window_without_marks),
    UNIT(alpha_goes_to_the_share_that_is_marked),
    UNIT(alpha_decays_to_nearly_nothing),
    UNIT(loss_halves_whatever_alpha_is),
    UNIT(the_window_never_falls_below_two_segments),
    UNIT(growth_is_that_of_newreno),
    {0},
};
