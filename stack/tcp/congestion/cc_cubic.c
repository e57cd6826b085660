// CUBIC (RFC 9438) with HyStart, in integer arithmetic.
// SPDX-License-Identifier: MIT

#include "stack/tcp/congestion/congestion.h"
#include "stack/tcp/congestion/hystart_plus.h"

#include <string.h>

// Theory of operation
//
// After a loss at window W_max the window follows
//
//      W(t) = C (t - K)^3 + W_max,   K = cubic_root((W_max - cwnd_epoch) / C)
//
// of the time t since growth began again (RFC 9438 4.2): steep at first, flat
// around the old W_max, steep again beyond it, and independent of the RTT. A
// second window, W_est, says what Reno would have by now (4.3); where that is
// larger it counts. C is 0.4, beta is 0.7.
//
// Units. Windows are in segments, as in the RFC; time is in units of 1/1024 s
// (a "tick"), so that a cube of times needs no division: C (t - K)^3 is
//   410/1024 * ticks^3 / 2^30 = (410 * ticks^3) >> 40,
// and K = cubic_root(W * 2^40 / 410) ticks. Ticks are bounded (TICKS_MAX) so
// that the product stays within 64 bits.
//
// How fast cwnd approaches the target is kept as `per_segment`: the count of
// acknowledged segments that each buys one more (4.4). It is computed at most
// once a millisecond, and only every 1/32 s while cwnd stays the same; the
// price is never below 2, which is the RFC's bound of half a window per round
// trip.
//
// HyStart (Ha and Rhee, 2011) ends slow start before the queue overflows, when
// the ACKs of one round arrive closely spaced for longer than half the base RTT
// (the pipe is full) or when the RTT of the round's first ACKs has grown.
//
// The second control of this file has RFC 9406's HyStart++ in its place.
//
// Departures from RFC 9438, all of which are Linux's: W_est keeps its slope
// after it has reached W_max (4.3 switches to Reno's alpha of 1); reduction
// starts from cwnd, not from the flight size (4.6). After a retransmission
// timeout W_max is forgotten, so that the next curve starts flat (4.8).

enum {
    BETA = 717, // 0.7 of SCALE, RFC 9438 4.6
    SCALE = 1024,
    C_SCALED = 410, // 0.4 of SCALE, RFC 9438 5
    TICKS_PER_S = 1024,
    CUBE_SHIFT = 40,     // 10 bits of SCALE, 3 x 10 of ticks
    TICKS_MAX = 1 << 17, // 128 s; 410 * 2^51 fits in 63 bits
    // Eight times the segments per window and additional segment that make
    // W_est's alpha 3 (1 - beta) / (1 + beta).
    RENO_SCALE = 8 * (SCALE + BETA) / 3 / (SCALE - BETA),
};

enum {
    HYSTART_LOW_WINDOW = 16, // segments; smaller windows are left alone
    HYSTART_MIN_SAMPLES = 8, // RTTs of a round before its minimum counts
};
#define HYSTART_ACK_SPACING (2 * NS_PER_MS) // of ACKs that belong to one train
#define HYSTART_DELAY_MIN   (4 * NS_PER_MS)
#define HYSTART_DELAY_MAX   (16 * NS_PER_MS)

struct cubic {
    uint32_t acked_count; // segments acknowledged towards the next increase
    uint32_t per_segment; // segments that buy one more
    uint32_t w_max;       // segments before the last reduction; 0: none yet
    uint32_t w_est;       // segments that Reno would have
    uint32_t w_est_acked; // acknowledged towards its next increase
    uint32_t origin;      // segments at the plateau of this epoch
    uint32_t k_ticks;     // from the start of the epoch to the plateau
    uint32_t last_cwnd;   // segments, at the last update
    ns_t last_update;
    ns_t epoch_start; // meaningful while is_epoch
    ns_t base_rtt;    // smallest RTT seen; 0: none
    bool is_epoch;    // growth since the last reduction has begun

    bool has_left_slow_start; // HyStart found the limit
    uint8_t round_samples;
    tcp_seq round_end; // the round ends when this is acknowledged
    union {
        struct {
            ns_t round_start, last_ack;
            ns_t round_rtt; // smallest of the round
        };
        struct hystart_plus plus;
    };
};
_Static_assert(sizeof(struct cubic) <= CONGESTION_PRIVATE_SIZE, "fits");

static struct cubic *cubic_of(struct congestion *cc)
{
    return (struct cubic *)(void *)&cc->private;
}

// The largest r with r^3 <= x: binary search from the highest bit.
static uint32_t cubic_root(uint64_t x)
{
    uint32_t root = 0;

    for (uint32_t bit = 1u << 20; bit != 0; bit >>= 1) {
        uint64_t r = root | bit;

        if (r * r * r <= x)
            root |= bit;
    }
    return root;
}

static uint32_t ticks_of(ns_t time)
{
    if (time >= TICKS_MAX / TICKS_PER_S * NS_PER_S)
        return TICKS_MAX;
    return (uint32_t)(time * TICKS_PER_S / NS_PER_S);
}

// --- The window curve (RFC 9438 4.2 to 4.5)

static void begin_epoch(struct congestion *cc, struct cubic *cubic,
                        uint32_t cwnd, uint32_t acked)
{
    cubic->is_epoch = true;
    cubic->epoch_start = cc->now;
    cubic->w_est = cwnd;
    cubic->w_est_acked = acked;
    cubic->origin = max_u32(cubic->w_max, cwnd);
    cubic->k_ticks =
        cubic_root(((uint64_t)(cubic->origin - cwnd) << CUBE_SHIFT) / C_SCALED);
}

// W_cubic one round trip from now (RFC 9438 4.4's target).
static uint64_t window_target(const struct congestion *cc,
                              const struct cubic *cubic)
{
    uint32_t t = ticks_of(cc->now - cubic->epoch_start + cubic->base_rtt);
    bool is_concave = t < cubic->k_ticks;
    uint64_t distance = is_concave ? cubic->k_ticks - t : t - cubic->k_ticks;

    distance = (uint64_t)min_i64((int64_t)distance, TICKS_MAX);
    uint64_t delta = (C_SCALED * distance * distance * distance) >> CUBE_SHIFT;
    if (!is_concave)
        return cubic->origin + delta;
    return cubic->origin > delta ? cubic->origin - delta : 0;
}

static uint32_t price_of_target(const struct cubic *cubic, uint32_t cwnd,
                                uint64_t target)
{
    // Below the curve's reach the window creeps: 1 % of it per round trip.
    uint32_t price =
        target > cwnd ? (uint32_t)(cwnd / (target - cwnd)) : 100 * cwnd;

    // Nothing is known about the path yet: search at 5 % per round trip.
    return cubic->w_max == 0 ? min_u32(price, 20) : price;
}

// RFC 9438 4.3: never slower than Reno would be.
static void apply_reno_region(struct cubic *cubic, uint32_t cwnd)
{
    uint32_t per_segment = max_u32(cwnd * RENO_SCALE / 8, 1);

    if (cubic->w_est_acked > per_segment) {
        uint32_t steps = (cubic->w_est_acked - 1) / per_segment;

        cubic->w_est_acked -= steps * per_segment;
        cubic->w_est += steps;
    }
    if (cubic->w_est > cwnd)
        cubic->per_segment =
            min_u32(cubic->per_segment, cwnd / (cubic->w_est - cwnd));
}

static void update_price(struct congestion *cc, struct cubic *cubic,
                         uint32_t acked)
{
    uint32_t cwnd = congestion_segments(cc);
    ns_t age = cc->now - cubic->last_update;

    cubic->w_est_acked += acked;
    if (cubic->last_cwnd == cwnd && age <= NS_PER_S / 32)
        return;
    if (!cubic->is_epoch || age >= NS_PER_MS) {
        cubic->last_cwnd = cwnd;
        cubic->last_update = cc->now;
        if (!cubic->is_epoch)
            begin_epoch(cc, cubic, cwnd, acked);
        cubic->per_segment =
            price_of_target(cubic, cwnd, window_target(cc, cubic));
    }
    apply_reno_region(cubic, cwnd);
    cubic->per_segment = max_u32(cubic->per_segment, 2);
}

// Congestion avoidance with what slow start has left over.
static void avoid_congestion(struct congestion *cc, uint32_t acked)
{
    struct cubic *cubic = cubic_of(cc);

    if (acked == 0)
        return;
    update_price(cc, cubic, acked);
    congestion_additive_increase(cc, &cubic->acked_count, cubic->per_segment,
                                 acked);
}

static void cubic_on_ack(struct congestion *cc,
                         const struct congestion_sample *sample)
{
    avoid_congestion(cc, congestion_slow_start(cc, sample->acked_segments));
}

// RFC 9438 4.6, with fast convergence (4.7): a flow that lost before it was
// back at its old maximum makes room for others.
static uint32_t cubic_ssthresh(struct congestion *cc)
{
    struct cubic *cubic = cubic_of(cc);
    uint64_t cwnd = congestion_segments(cc);

    cubic->is_epoch = false;
    cubic->w_max = cwnd < cubic->w_max
                       ? (uint32_t)(cwnd * (SCALE + BETA) / (2 * SCALE))
                       : (uint32_t)cwnd;
    return max_u32((uint32_t)(cwnd * BETA / SCALE), 2) * cc->mss;
}

// --- HyStart

static void begin_round(struct congestion *cc, struct cubic *cubic)
{
    cubic->round_start = cubic->last_ack = cc->now;
    cubic->round_end = cc->snd_nxt;
    cubic->round_rtt = NS_NEVER;
    cubic->round_samples = 0;
}

// How long a burst of four largest segmentation units may lengthen an ACK train
// at the rate that this window means: 1 ms at most.
static ns_t burst_allowance(const struct congestion *cc)
{
    uint64_t rate_bps = cc->pacing_rate_bps;

    if (rate_bps == 0 && cc->srtt >= NS_PER_US) // as slow start would pace
        rate_bps = (uint64_t)cc->cwnd * 16 * 1000000 /
                   (uint64_t)(cc->srtt / NS_PER_US);
    if (rate_bps == 0)
        return 0;
    uint64_t allowance = UINT64_C(65536) * 4 * 8 * NS_PER_S / rate_bps;
    return min_i64((int64_t)allowance, NS_PER_MS);
}

static bool is_ack_train_long(struct congestion *cc, struct cubic *cubic)
{
    if (cc->now - cubic->last_ack > HYSTART_ACK_SPACING)
        return false;
    cubic->last_ack = cc->now;
    ns_t threshold = cubic->base_rtt + burst_allowance(cc);
    if (cc->pacing_rate_bps == 0) // pacing spreads the window over half an RTT
        threshold /= 2;
    return cc->now - cubic->round_start > threshold;
}

static bool has_rtt_grown(struct cubic *cubic, ns_t rtt)
{
    cubic->round_rtt = min_i64(cubic->round_rtt, rtt);
    if (cubic->round_samples < HYSTART_MIN_SAMPLES) {
        cubic->round_samples++;
        return false;
    }
    ns_t margin = max_i64(cubic->base_rtt / 8, HYSTART_DELAY_MIN);
    margin = min_i64(margin, HYSTART_DELAY_MAX);
    return cubic->round_rtt > cubic->base_rtt + margin;
}

static void cubic_on_rtt(struct congestion *cc,
                         const struct congestion_sample *sample)
{
    struct cubic *cubic = cubic_of(cc);

    // Right after a reduction the queue is still draining.
    if (sample->rtt < 0 ||
        (cubic->is_epoch && cc->now - cubic->epoch_start < NS_PER_S))
        return;
    ns_t rtt = max_i64(sample->rtt, NS_PER_US);
    if (cubic->base_rtt == 0 || rtt < cubic->base_rtt)
        cubic->base_rtt = rtt;

    if (cubic->has_left_slow_start || !congestion_is_slow_start(cc))
        return;
    if (congestion_segments(cc) < HYSTART_LOW_WINDOW)
        return;
    if (seq_gt(cc->snd_una, cubic->round_end))
        begin_round(cc, cubic);
    bool is_train_long = is_ack_train_long(cc, cubic);
    bool is_rtt_larger = has_rtt_grown(cubic, rtt);
    if (is_train_long || is_rtt_larger) {
        cubic->has_left_slow_start = true;
        cc->ssthresh = cc->cwnd;
    }
}

// --- Beginnings

static void cubic_init(struct congestion *cc)
{
    struct cubic *cubic = cubic_of(cc);

    memset(cubic, 0, sizeof(*cubic));
    begin_round(cc, cubic);
}

static void cubic_on_state(struct congestion *cc, enum tcp_ca_state state)
{
    if (state == TCP_CA_LOSS)
        cubic_init(cc);
}

// RFC 9438 5.8: an idle time is no time on the curve.
static void cubic_on_event(struct congestion *cc, enum congestion_event event)
{
    struct cubic *cubic = cubic_of(cc);

    if (event != CONGESTION_TX_START || !cubic->is_epoch || cc->last_sent == 0)
        return;
    cubic->epoch_start =
        min_i64(cubic->epoch_start + (cc->now - cc->last_sent), cc->now);
}

const struct congestion_ops congestion_cubic = {
    .name = "cubic",
    .init = cubic_init,
    .on_ack = cubic_on_ack,
    .ssthresh = cubic_ssthresh,
    .on_state = cubic_on_state,
    .on_event = cubic_on_event,
    .on_rtt = cubic_on_rtt,
    .undo = congestion_undo,
};

// --- With HyStart++

static void plus_init(struct congestion *cc)
{
    struct cubic *cubic = cubic_of(cc);

    memset(cubic, 0, sizeof(*cubic));
    hystart_plus_init(&cubic->plus, cc);
}

static void plus_on_rtt(struct congestion *cc,
                        const struct congestion_sample *sample)
{
    hystart_plus_on_rtt(&cubic_of(cc)->plus, cc, sample->rtt);
}

static void plus_on_ack(struct congestion *cc,
                        const struct congestion_sample *sample)
{
    uint32_t acked = sample->acked_segments;

    if (congestion_is_slow_start(cc))
        acked = hystart_plus_grow(&cubic_of(cc)->plus, cc, acked);
    avoid_congestion(cc, acked);
}

static void plus_on_state(struct congestion *cc, enum tcp_ca_state state)
{
    if (state == TCP_CA_LOSS)
        plus_init(cc);
}

const struct congestion_ops congestion_cubic_plus = {
    .name = "cubic-hystart++",
    .init = plus_init,
    .on_ack = plus_on_ack,
    .ssthresh = cubic_ssthresh,
    .on_state = plus_on_state,
    .on_event = cubic_on_event,
    .on_rtt = plus_on_rtt,
    .undo = congestion_undo,
};
