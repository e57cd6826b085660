// BBR, version 1: a model of the path instead of a reaction to loss.
// SPDX-License-Identifier: MIT

#include "stack/tcp/congestion/congestion.h"

// Theory of operation (draft-cardwell-iccrg-bbr-congestion-control-00)
//
// Two numbers describe the path: the largest delivery rate of the last ten
// round trips (max_bw) and the smallest round trip of the last ten seconds
// (min_rtt). Their product, the BDP, is what fills the path without a queue.
// Segments are paced at pacing_gain * max_bw and cwnd is a backstop of
// cwnd_gain * BDP. The modes vary the gains so that both can be measured, which
// is not possible at once:
//
//   STARTUP    2/ln 2 for both: the rate doubles every round trip, until it has
//              grown by less than a quarter in three of them: the pipe is full
//   DRAIN      the inverse, until no more than a BDP is in flight: the queue
//              that STARTUP made is gone
//   PROBE_BW   eight phases of min_rtt: 5/4 to see whether there is more, 3/4
//              to give back what that queued, then six at 1
//   PROBE_RTT  if min_rtt was not seen again for ten seconds: four segments in
//              flight for 200 ms and a round trip, so that it can be
//
// A round trip is counted in deliveries: it ends when something is delivered
// that was sent after it began. Samples of times in which the application, or
// PROBE_RTT, did not fill the path count only if they are larger than max_bw.
//
// Loss does not change the model. In the first round of a recovery what is
// delivered is what is sent (packet conservation); afterwards cwnd goes back to
// what it was. Linux's policer detection and its allowance for aggregated ACKs
// are left out.
//
// Gains are of UNIT; rates of RATE_UNIT bytes per second, so that they fit 32
// bits up to 500 GB/s.

enum {
    UNIT = 256,
    RATE_UNIT = 128,
    HIGH_GAIN = 739, // 2 / ln 2
    DRAIN_GAIN = 88, // ln 2 / 2
    CWND_GAIN = 2 * UNIT,
    BW_WINDOW = 10, // rounds
    FULL_ROUNDS = 3,
    PHASES = 8,
    LEAST_CWND = 4, // segments
};
#define MIN_RTT_WINDOW (10 * NS_PER_S)
#define PROBE_RTT_TIME (200 * NS_PER_MS)

enum bbr_mode { STARTUP, DRAIN, PROBE_BW, PROBE_RTT };

struct peak {
    uint32_t round, rate;
};

struct bbr {
    struct peak peaks[3]; // largest of the window, and of its later parts
    uint32_t full_rate;   // what STARTUP has reached
    uint32_t min_rtt_us;  // 0: none yet
    ns_t min_rtt_at, probe_rtt_end, phase_at;
    uint32_t round, round_end; // the latter in segments delivered
    uint32_t limited_until;    // likewise: PROBE_RTT's samples
    uint32_t saved_cwnd;       // bytes
    uint8_t mode, phase, full_rounds, ca_state;
    bool is_full : 1, is_round_start : 1, is_restarting : 1;
    bool is_recovery_new : 1, is_conserving : 1; // its first round
    bool probe_rtt_round_done : 1, has_rtt : 1, probed_rtt : 1;
};
_Static_assert(sizeof(struct bbr) <= CONGESTION_PRIVATE_SIZE, "fits");

static struct bbr *bbr_of(struct congestion *cc)
{
    return (struct bbr *)(void *)&cc->private;
}

// --- The largest rate of a window of rounds ----------------------------------

// Keeps the largest and the largest of what came after it, twice, so that there
// is a fresh one when the first grows old (Kathleen Nichols' filter).
static void peaks_add(struct peak p[3], uint32_t round, uint32_t rate)
{
    struct peak now = {round, rate};

    if (rate >= p[0].rate || round - p[2].round > BW_WINDOW) {
        p[0] = p[1] = p[2] = now;
        return;
    }
    if (rate >= p[1].rate)
        p[1] = p[2] = now;
    else if (rate >= p[2].rate)
        p[2] = now;
    while (round - p[0].round > BW_WINDOW) {
        p[0] = p[1];
        p[1] = p[2];
        p[2] = now;
    }
    // A part of the window without a peak of its own takes the present rate.
    if (p[1].round == p[0].round && round - p[0].round > BW_WINDOW / 4)
        p[1] = p[2] = now;
    else if (p[2].round == p[1].round && round - p[0].round > BW_WINDOW / 2)
        p[2] = now;
}

// --- What the model says -----------------------------------------------------

static uint32_t pacing_gain(const struct bbr *b)
{
    switch (b->mode) {
    case STARTUP:
        return HIGH_GAIN;
    case DRAIN:
        return DRAIN_GAIN;
    case PROBE_RTT:
        return UNIT;
    default:
        return b->phase == 0   ? UNIT * 5 / 4
               : b->phase == 1 ? UNIT * 3 / 4
                               : UNIT;
    }
}

static uint32_t cwnd_gain(const struct bbr *b)
{
    if (b->mode == PROBE_BW)
        return CWND_GAIN;
    return b->mode == PROBE_RTT ? UNIT : HIGH_GAIN;
}

static uint64_t rate_bps(uint32_t rate, uint32_t gain)
{
    return (uint64_t)rate * RATE_UNIT * 8 * gain / UNIT;
}

// gain * max_bw * min_rtt in segments, rounded up; the initial window while
// there is no round trip to go by.
static uint32_t bdp(struct congestion *cc, uint32_t gain)
{
    struct bbr *b = bbr_of(cc);
    if (b->min_rtt_us == 0)
        return 10;
    uint64_t per_second = (uint64_t)b->peaks[0].rate * RATE_UNIT * gain / UNIT;
    uint64_t bytes = per_second * b->min_rtt_us / 1000000;
    uint64_t segments = (bytes + cc->mss - 1) / cc->mss;

    return (uint32_t)(segments < UINT32_MAX / 4 ? segments : UINT32_MAX / 4);
}

// What leaves in one burst: a millisecond's worth.
static uint32_t burst(const struct congestion *cc)
{
    uint64_t bytes = cc->pacing_rate_bps / 8 / 1024;
    uint32_t least = cc->pacing_rate_bps < 1200000 ? 1 : 2;
    uint64_t segments = bytes / cc->mss;

    return max_u32((uint32_t)(segments < 127 ? segments : 127), least);
}

// The BDP, with room for bursts at the sender, on the way and at the receiver;
// even, for the sake of delayed ACKs; and never so small that probing for more
// cannot show.
static uint32_t inflight(struct congestion *cc, uint32_t gain)
{
    struct bbr *b = bbr_of(cc);
    uint32_t segments = bdp(cc, gain) + 3 * burst(cc);

    segments = (segments + 1) & ~1u;
    return b->mode == PROBE_BW && b->phase == 0 ? segments + 2 : segments;
}

// --- Modes -------------------------------------------------------------------

static void save_cwnd(struct congestion *cc)
{
    struct bbr *b = bbr_of(cc);

    if (b->ca_state < TCP_CA_RECOVERY && b->mode != PROBE_RTT)
        b->saved_cwnd = cc->cwnd;
    else // what is used now may have been reduced
        b->saved_cwnd = max_u32(b->saved_cwnd, cc->cwnd);
}

// Flows that share a bottleneck must not probe together. The sequence number
// is as good as random; never into the phase that drains.
static void enter_probe_bw(struct congestion *cc)
{
    struct bbr *b = bbr_of(cc);
    uint32_t phase = cc->snd_una % (PHASES - 1);

    b->mode = PROBE_BW;
    b->phase = (uint8_t)(phase == 0 ? 0 : phase + 1);
    b->phase_at = cc->now;
}

static void reset_mode(struct congestion *cc)
{
    struct bbr *b = bbr_of(cc);

    if (b->is_full)
        enter_probe_bw(cc);
    else
        b->mode = STARTUP;
}

// A phase takes a min_rtt. Probing up goes on until its surplus is in flight or
// something is lost; draining ends as soon as there is nothing to drain.
static bool is_phase_over(struct congestion *cc,
                          const struct congestion_sample *sample)
{
    struct bbr *b = bbr_of(cc);
    uint32_t gain = pacing_gain(b);
    uint32_t flight = sample->prior_in_flight / cc->mss;
    bool is_time = cc->now - b->phase_at > b->min_rtt_us * NS_PER_US;

    if (gain > UNIT)
        return is_time &&
               (sample->lost_segments > 0 || flight >= inflight(cc, gain));
    if (gain < UNIT)
        return is_time || flight <= inflight(cc, UNIT);
    return is_time;
}

static void update_phase(struct congestion *cc,
                         const struct congestion_sample *sample)
{
    struct bbr *b = bbr_of(cc);

    if (b->mode == PROBE_BW && is_phase_over(cc, sample)) {
        b->phase = (uint8_t)((b->phase + 1) % PHASES);
        b->phase_at = cc->now;
    }
}

static void update_full(struct bbr *b, const struct congestion_sample *sample)
{
    if (b->is_full || !b->is_round_start || sample->is_app_limited)
        return;
    if (b->peaks[0].rate >= (uint64_t)b->full_rate * 5 / 4) {
        b->full_rate = b->peaks[0].rate;
        b->full_rounds = 0;
        return;
    }
    b->is_full = ++b->full_rounds >= FULL_ROUNDS;
}

static void update_drain(struct congestion *cc,
                         const struct congestion_sample *sample)
{
    struct bbr *b = bbr_of(cc);

    if (b->mode == STARTUP && b->is_full) {
        b->mode = DRAIN;
        cc->ssthresh = inflight(cc, UNIT) * cc->mss;
    }
    if (b->mode == DRAIN && sample->in_flight / cc->mss <= inflight(cc, UNIT))
        enter_probe_bw(cc);
}

// --- Measuring ---------------------------------------------------------------

static bool is_limited(const struct bbr *b,
                       const struct congestion_sample *sample)
{
    if (sample->is_app_limited)
        return true;
    return b->probed_rtt &&
           (int32_t)(b->limited_until - sample->prior_delivered) >= 0;
}

static void update_rate(struct congestion *cc,
                        const struct congestion_sample *sample)
{
    struct bbr *b = bbr_of(cc);

    b->is_round_start = false;
    if (sample->interval <= 0)
        return;
    if ((int32_t)(sample->prior_delivered - b->round_end) >= 0) {
        b->round_end = sample->total_delivered;
        b->round++;
        b->is_round_start = true;
        b->is_conserving = false;
    }
    uint64_t bytes = (uint64_t)sample->delivered * cc->mss;
    uint64_t rate = bytes * NS_PER_S / (uint64_t)sample->interval / RATE_UNIT;
    rate = rate < UINT32_MAX ? rate : UINT32_MAX;
    if (!is_limited(b, sample) || rate >= b->peaks[0].rate)
        peaks_add(b->peaks, b->round, (uint32_t)rate);
}

static void end_probe_rtt(struct congestion *cc)
{
    struct bbr *b = bbr_of(cc);

    if (b->probe_rtt_end == 0 || cc->now <= b->probe_rtt_end)
        return;
    b->min_rtt_at = cc->now;
    cc->cwnd = max_u32(cc->cwnd, b->saved_cwnd);
    reset_mode(cc);
}

static void probe_rtt(struct congestion *cc,
                      const struct congestion_sample *sample)
{
    struct bbr *b = bbr_of(cc);
    uint32_t flight = sample->in_flight / cc->mss;

    b->probed_rtt = true;
    b->limited_until = sample->total_delivered + flight;
    if (b->probe_rtt_end == 0 && flight <= LEAST_CWND) {
        b->probe_rtt_end = cc->now + PROBE_RTT_TIME;
        b->probe_rtt_round_done = false;
        b->round_end = sample->total_delivered;
    } else if (b->probe_rtt_end != 0) {
        b->probe_rtt_round_done |= b->is_round_start;
        if (b->probe_rtt_round_done)
            end_probe_rtt(cc);
    }
}

static void update_min_rtt(struct congestion *cc,
                           const struct congestion_sample *sample)
{
    struct bbr *b = bbr_of(cc);
    bool is_old = cc->now > b->min_rtt_at + MIN_RTT_WINDOW;

    if (sample->rtt >= 0) {
        ns_t us = max_i64(min_i64(sample->rtt / NS_PER_US, UINT32_MAX), 1);
        if (b->min_rtt_us == 0 || us < b->min_rtt_us || is_old) {
            b->min_rtt_us = (uint32_t)us;
            b->min_rtt_at = cc->now;
        }
    }
    if (is_old && !b->is_restarting && b->mode != PROBE_RTT) {
        save_cwnd(cc);
        b->mode = PROBE_RTT;
        b->probe_rtt_end = 0;
    }
    if (b->mode == PROBE_RTT)
        probe_rtt(cc, sample);
    // An idle time is a probe by itself.
    if (sample->delivered > 0)
        b->is_restarting = false;
}

// --- Controlling -------------------------------------------------------------

// Before there is a sample: the initial window in a round trip, or in a
// millisecond.
static void pace_by_rtt(struct congestion *cc)
{
    ns_t rtt = cc->srtt > 0 ? cc->srtt : NS_PER_MS;
    uint64_t bits = (uint64_t)cc->cwnd * 8 * HIGH_GAIN / UNIT;

    bbr_of(cc)->has_rtt = cc->srtt > 0;
    cc->pacing_rate_bps = bits * NS_PER_S / (uint64_t)rtt;
}

// A hundredth below the model, so that a queue drains sooner or later. STARTUP
// only goes up: one small sample must not slow it down.
static void set_pacing(struct congestion *cc, uint32_t gain)
{
    struct bbr *b = bbr_of(cc);

    if (!b->has_rtt && cc->srtt > 0)
        pace_by_rtt(cc);
    uint64_t rate = rate_bps(b->peaks[0].rate, gain) / 100 * 99;
    if (rate > 0 && (b->is_full || rate > cc->pacing_rate_bps))
        cc->pacing_rate_bps = rate;
}

// Returns whether that was all that there is to say about cwnd.
static bool recover(struct congestion *cc,
                    const struct congestion_sample *sample, uint32_t *cwnd)
{
    struct bbr *b = bbr_of(cc);

    if (sample->lost_segments > 0)
        *cwnd =
            *cwnd > sample->lost_segments ? *cwnd - sample->lost_segments : 1;
    if (b->is_recovery_new) {
        b->is_recovery_new = false;
        b->is_conserving = true;
        b->round_end = sample->total_delivered;
        *cwnd = 0;
    }
    if (!b->is_conserving)
        return false;
    *cwnd =
        max_u32(*cwnd, sample->in_flight / cc->mss + sample->acked_segments);
    return true;
}

static void set_cwnd(struct congestion *cc,
                     const struct congestion_sample *sample)
{
    struct bbr *b = bbr_of(cc);
    uint32_t cwnd = congestion_segments(cc);

    if (sample->acked_segments > 0 && !recover(cc, sample, &cwnd)) {
        uint32_t target = inflight(cc, cwnd_gain(b));

        if (b->is_full)
            cwnd = min_u32(cwnd + sample->acked_segments, target);
        else if (cwnd < target || sample->total_delivered < 10)
            cwnd += sample->acked_segments;
        cwnd = max_u32(cwnd, LEAST_CWND);
    }
    if (b->mode == PROBE_RTT)
        cwnd = min_u32(cwnd, LEAST_CWND);
    uint64_t bytes = (uint64_t)cwnd * cc->mss;
    uint32_t most = max_u32(cc->cwnd_clamp, cc->mss);
    cc->cwnd = bytes < most ? (uint32_t)bytes : most;
}

static void bbr_main_control(struct congestion *cc,
                             const struct congestion_sample *sample)
{
    struct bbr *b = bbr_of(cc);

    update_rate(cc, sample);
    update_phase(cc, sample);
    update_full(b, sample);
    update_drain(cc, sample);
    update_min_rtt(cc, sample);
    set_pacing(cc, pacing_gain(b));
    set_cwnd(cc, sample);
}

// --- The other hooks ---------------------------------------------------------

static void bbr_init(struct congestion *cc)
{
    struct bbr *b = bbr_of(cc);

    b->mode = STARTUP;
    b->min_rtt_at = cc->now;
    b->min_rtt_us = (uint32_t)min_i64(cc->min_rtt / NS_PER_US, UINT32_MAX);
    pace_by_rtt(cc);
}

static uint32_t bbr_ssthresh(struct congestion *cc)
{
    save_cwnd(cc);
    return cc->ssthresh;
}

static void bbr_on_state(struct congestion *cc, enum tcp_ca_state state)
{
    struct bbr *b = bbr_of(cc);
    bool was_recovering = b->ca_state >= TCP_CA_RECOVERY;

    if (state == TCP_CA_RECOVERY && b->ca_state != TCP_CA_RECOVERY) {
        b->is_recovery_new = true;
    } else if (state == TCP_CA_LOSS) {
        b->full_rate = 0;
        b->is_round_start = true;
    } else if (was_recovering && state < TCP_CA_RECOVERY) {
        cc->cwnd = max_u32(cc->cwnd, b->saved_cwnd);
        b->is_conserving = b->is_recovery_new = false;
    }
    b->ca_state = (uint8_t)state;
}

static void bbr_on_event(struct congestion *cc, enum congestion_event event)
{
    struct bbr *b = bbr_of(cc);

    if (event != CONGESTION_TX_START || b->peaks[0].rate == 0)
        return;
    b->is_restarting = true;
    if (b->mode == PROBE_BW)
        set_pacing(cc, UNIT);
    else if (b->mode == PROBE_RTT)
        end_probe_rtt(cc);
}

// The loss was none: what STARTUP concluded from it neither.
static uint32_t bbr_undo(struct congestion *cc)
{
    struct bbr *b = bbr_of(cc);

    b->full_rate = 0;
    b->full_rounds = 0;
    return cc->cwnd;
}

const struct congestion_ops congestion_bbr = {
    .name = "bbr",
    .init = bbr_init,
    .ssthresh = bbr_ssthresh,
    .on_state = bbr_on_state,
    .on_event = bbr_on_event,
    .undo = bbr_undo,
    .main_control = bbr_main_control,
};
