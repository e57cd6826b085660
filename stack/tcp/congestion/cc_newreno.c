// NewReno's window rules (RFC 5681, RFC 6582).
// SPDX-License-Identifier: MIT

#include "stack/tcp/congestion/congestion.h"

// Theory of operation
//
// RFC 5681 grows cwnd by about one segment a round trip in congestion avoidance
// and halves it on loss. Growth is counted in acknowledged segments: each time
// that a whole window of them has been acknowledged, cwnd gains one segment
// (RFC 5681 3.1, the byte-counting variant, in units of segments). What RFC
// 6582 adds to fast recovery - partial ACKs - is loss detection's business.

struct newreno {
    uint32_t acked_count; // segments acknowledged towards the next increase
};
_Static_assert(sizeof(struct newreno) <= CONGESTION_PRIVATE_SIZE, "fits");

static struct newreno *newreno_of(struct congestion *cc)
{
    return (struct newreno *)(void *)&cc->private;
}

static void newreno_on_ack(struct congestion *cc,
                           const struct congestion_sample *sample)
{
    uint32_t acked = congestion_slow_start(cc, sample->acked_segments);

    if (acked > 0)
        congestion_additive_increase(cc, &newreno_of(cc)->acked_count,
                                     congestion_segments(cc), acked);
}

// RFC 5681 3.1 eqn. 4 with cwnd in the place of FlightSize, as Linux: the
// caller knows whether the flight was smaller because the application was.
static uint32_t newreno_ssthresh(struct congestion *cc)
{
    return max_u32(congestion_segments(cc) / 2, 2) * cc->mss;
}

static void newreno_on_state(struct congestion *cc, enum tcp_ca_state state)
{
    if (state == TCP_CA_LOSS || state == TCP_CA_RECOVERY)
        newreno_of(cc)->acked_count = 0;
}

const struct congestion_ops congestion_newreno = {
    .name = "newreno",
    .on_ack = newreno_on_ack,
    .ssthresh = newreno_ssthresh,
    .on_state = newreno_on_state,
    .undo = congestion_undo,
};
