// DCTCP: a reduction in proportion to the share of marked bytes (RFC 8257).
// SPDX-License-Identifier: MIT

#include "stack/tcp/congestion/congestion.h"

// Theory of operation
//
// RFC 3168 says only that something was marked in a round trip, and the window
// is halved for it. Where switches mark from a low threshold on and receivers
// echo each mark exactly (tcp_ecn.c does while this control is chosen), the
// sender knows the share M of what was marked. It keeps an average of it,
//
//   alpha = alpha * (1 - g) + g * M                    (RFC 8257 3.3, g = 1/16)
//
// once per window, and reduces by alpha / 2: hardly at all under light marking,
// to half when everything is marked. alpha starts at 1, so that the first marks
// count as much as they do for everybody else (3.3; cautious). It is a fraction
// of ONE; fine enough that it decays to nearly zero rather than stopping at g.
//
// Loss is not a mark: it halves the window (3.5). Growth is NewReno's. Without
// ECN no mark comes, and what remains is NewReno.

enum { ONE_BITS = 20, ONE = 1 << ONE_BITS, GAIN_BITS = 4 };

struct dctcp {
    uint32_t acked_count;   // segments acknowledged towards the next increase
    uint32_t alpha;         // of ONE
    uint32_t acked, marked; // segments in this observation window
    tcp_seq window_end;     // snd_nxt when it began
};
_Static_assert(sizeof(struct dctcp) <= CONGESTION_PRIVATE_SIZE, "fits");

static struct dctcp *dctcp_of(struct congestion *cc)
{
    return (struct dctcp *)(void *)&cc->private;
}

static void begin_window(struct congestion *cc)
{
    struct dctcp *d = dctcp_of(cc);

    d->acked = d->marked = 0;
    d->window_end = cc->snd_nxt;
}

static void dctcp_init(struct congestion *cc)
{
    dctcp_of(cc)->alpha = ONE;
    begin_window(cc);
}

// RFC 8257 3.3 steps 1 to 9, counted in segments.
static void dctcp_on_delivered(struct congestion *cc,
                               const struct congestion_sample *sample)
{
    struct dctcp *d = dctcp_of(cc);

    d->acked += sample->acked_segments;
    if (sample->is_ece)
        d->marked += sample->acked_segments;
    if (seq_le(cc->snd_una, d->window_end) || d->acked == 0)
        return;
    uint64_t share = (uint64_t)d->marked * ONE / d->acked;
    d->alpha -= d->alpha >> GAIN_BITS;
    d->alpha += (uint32_t)(share >> GAIN_BITS);
    d->alpha = min_u32(d->alpha, ONE);
    begin_window(cc);
}

static void dctcp_on_ack(struct congestion *cc,
                         const struct congestion_sample *sample)
{
    uint32_t acked = congestion_slow_start(cc, sample->acked_segments);

    if (acked > 0)
        congestion_additive_increase(cc, &dctcp_of(cc)->acked_count,
                                     congestion_segments(cc), acked);
}

// RFC 8257 3.3 step 10: cwnd * (1 - alpha / 2), to the nearest segment.
static uint32_t dctcp_ssthresh(struct congestion *cc)
{
    uint64_t segments = congestion_segments(cc);
    uint64_t less = (segments * dctcp_of(cc)->alpha + ONE) >> (ONE_BITS + 1);

    return max_u32((uint32_t)(segments - less), 2) * cc->mss;
}

// RFC 8257 3.5: what ssthresh() took for a mark was a loss.
static void halve(struct congestion *cc)
{
    cc->ssthresh = max_u32(congestion_segments(cc) / 2, 2) * cc->mss;
}

static void dctcp_on_state(struct congestion *cc, enum tcp_ca_state state)
{
    if (state == TCP_CA_RECOVERY)
        halve(cc);
    if (state == TCP_CA_LOSS || state == TCP_CA_RECOVERY)
        dctcp_of(cc)->acked_count = 0;
}

static void dctcp_on_event(struct congestion *cc, enum congestion_event event)
{
    if (event == CONGESTION_LOSS)
        halve(cc);
}

const struct congestion_ops congestion_dctcp = {
    .name = "dctcp",
    .init = dctcp_init,
    .on_delivered = dctcp_on_delivered,
    .on_ack = dctcp_on_ack,
    .ssthresh = dctcp_ssthresh,
    .on_state = dctcp_on_state,
    .on_event = dctcp_on_event,
    .undo = congestion_undo,
    .needs_ecn = true,
};
