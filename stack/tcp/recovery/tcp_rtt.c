// Round-trip times and the retransmission timeout (RFC 6298).
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// The estimator is RFC 6298's with two departures that are Linux's: a sample
// below the smoothed mean that widens the deviation counts only an eighth, and
// the deviation used for RTO is the largest of one window, so that a burst of
// equal samples does not narrow it at once. srtt_us is kept in eighths, mdev_us
// in quarters.

enum { MIN_RTT_WINDOW_S = 300 };

static uint32_t min_deviation_us(const struct tcp_connection *c)
{
    return (uint32_t)(tcp_settings(c)->tcp_min_rto / NS_PER_US);
}

static void set_rto(struct tcp_connection *c)
{
    c->rto_us = (c->srtt_us >> 3) + c->rttvar_us;
    uint32_t most = (uint32_t)(tcp_settings(c)->tcp_max_rto / NS_PER_US);
    c->rto_us = min_u32(c->rto_us, most);
}

static void first_sample(struct tcp_connection *c, uint32_t rtt_us)
{
    c->srtt_us = rtt_us << 3;
    c->mdev_us = rtt_us << 1; // RFC 6298 2.2: RTTVAR = R / 2
    c->rttvar_us = max_u32(c->mdev_us, min_deviation_us(c));
    c->mdev_max_us = c->rttvar_us;
    c->rtt_seq = c->snd_nxt;
}

static void next_sample(struct tcp_connection *c, uint32_t rtt_us)
{
    int32_t error = (int32_t)(rtt_us - (c->srtt_us >> 3));
    c->srtt_us += (uint32_t)error;
    if (error < 0) {
        error = -error - (int32_t)(c->mdev_us >> 2);
        if (error > 0)
            error >>= 3;
    } else {
        error -= (int32_t)(c->mdev_us >> 2);
    }
    c->mdev_us += (uint32_t)error;
    if (c->mdev_us > c->mdev_max_us) {
        c->mdev_max_us = c->mdev_us;
        c->rttvar_us = max_u32(c->rttvar_us, c->mdev_max_us);
    }
    if (seq_gt(c->snd_una, c->rtt_seq)) { // a window has passed
        if (c->mdev_max_us < c->rttvar_us)
            c->rttvar_us -= (c->rttvar_us - c->mdev_max_us) >> 2;
        c->rtt_seq = c->snd_nxt;
        c->mdev_max_us = min_deviation_us(c);
    }
}

void tcp_rtt_sample(struct tcp_connection *c, ns_t rtt)
{
    uint32_t rtt_us = (uint32_t)max_i64(rtt / NS_PER_US, 1);
    if (c->srtt_us == 0)
        first_sample(c, rtt_us);
    else
        next_sample(c, rtt_us);
    c->srtt_us = max_u32(c->srtt_us, 1);
    set_rto(c);
    c->backoff = 0; // RFC 6298 5.7: new data was acknowledged and timed
}

void tcp_min_rtt_update(struct tcp_connection *c, ns_t rtt)
{
    uint32_t rtt_us = (uint32_t)max_i64(rtt / NS_PER_US, 1);
    uint32_t now_s = (uint32_t)(tcp_now(c) / NS_PER_S);
    bool is_old = now_s - c->min_rtt_at_s > MIN_RTT_WINDOW_S;
    if (c->min_rtt_us == 0 || rtt_us <= c->min_rtt_us || is_old) {
        c->min_rtt_us = rtt_us;
        c->min_rtt_at_s = now_s;
    }
}

void tcp_rtt_init(struct tcp_connection *c)
{
    c->rto_us = (uint32_t)(tcp_settings(c)->tcp_initial_rto / NS_PER_US);
    c->mdev_us = c->rto_us;
}

ns_t tcp_rto(const struct tcp_connection *c)
{
    ns_t rto = c->rto_us * NS_PER_US;
    ns_t most = tcp_settings(c)->tcp_max_rto;
    for (unsigned i = 0; i < c->backoff && rto < most; i++)
        rto *= 2;
    if (c->srtt_us > 0 || c->backoff > 0)
        rto += tcp_settings(c)->tcp_rto_slop;
    return min_i64(rto, most);
}
