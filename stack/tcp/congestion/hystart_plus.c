// HyStart++: leaving slow start in two steps (RFC 9406).
// SPDX-License-Identifier: MIT
#include "stack/tcp/congestion/hystart_plus.h"

#define INFINITE UINT32_MAX

// RFC 9406 4.3, in microseconds where times.
enum {
    MIN_RTT_THRESHOLD = 4000,
    MAX_RTT_THRESHOLD = 16000,
    MIN_RTT_DIVISOR = 8,
    ENOUGH_SAMPLES = 8,
    CAREFUL_DIVISOR = 4,
    CAREFUL_ROUNDS = 5,
    MOST_PER_ACK = 8,
};

static void begin_round(struct hystart_plus *h, const struct congestion *cc)
{
    h->last_min = h->current_min;
    h->current_min = INFINITE;
    h->samples = 0;
    h->window_end = cc->snd_nxt;
}

void hystart_plus_init(struct hystart_plus *h, const struct congestion *cc)
{
    *h = (struct hystart_plus){.current_min = INFINITE, .baseline = INFINITE};
    begin_round(h, cc);
}

static bool has_grown(const struct hystart_plus *h)
{
    if (h->samples < ENOUGH_SAMPLES || h->last_min == INFINITE)
        return false;
    uint32_t threshold =
        min_u32(h->last_min / MIN_RTT_DIVISOR, MAX_RTT_THRESHOLD);
    threshold = max_u32(threshold, MIN_RTT_THRESHOLD);
    return h->current_min >= (uint64_t)h->last_min + threshold;
}

static void update_phase(struct hystart_plus *h)
{
    if (h->baseline == INFINITE) {
        if (!has_grown(h))
            return;
        h->baseline = h->current_min;
        h->careful_rounds = h->credit = 0;
    } else if (h->samples >= ENOUGH_SAMPLES && h->current_min < h->baseline) {
        h->baseline = INFINITE; // it was jitter
    }
}

// A round that was careful only at its end counts as well.
static void end_round(struct hystart_plus *h, struct congestion *cc)
{
    if (h->baseline != INFINITE && ++h->careful_rounds >= CAREFUL_ROUNDS)
        cc->ssthresh = cc->cwnd;
    begin_round(h, cc);
}

void hystart_plus_on_rtt(struct hystart_plus *h, struct congestion *cc,
                         ns_t rtt)
{
    if (cc->ssthresh != UINT32_MAX)
        return;
    if (seq_ge(cc->snd_una, h->window_end))
        end_round(h, cc);
    ns_t us = min_i64(max_i64(rtt / NS_PER_US, 1), INFINITE - 1);
    h->current_min = min_u32(h->current_min, (uint32_t)us);
    h->samples = (uint8_t)min_u32(h->samples + 1u, ENOUGH_SAMPLES);
    update_phase(h);
}

uint32_t hystart_plus_grow(struct hystart_plus *h, struct congestion *cc,
                           uint32_t acked_segments)
{
    if (cc->ssthresh != UINT32_MAX)
        return congestion_slow_start(cc, acked_segments);
    if (cc->pacing_rate_bps == 0)
        acked_segments = min_u32(acked_segments, MOST_PER_ACK);
    if (h->baseline != INFINITE) {
        uint32_t credit = h->credit + acked_segments;
        h->credit = credit % CAREFUL_DIVISOR;
        acked_segments = credit / CAREFUL_DIVISOR;
    }
    return congestion_slow_start(cc, acked_segments);
}
