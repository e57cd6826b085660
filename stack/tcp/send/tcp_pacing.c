// Spreads the bursts of a window over its round trip.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// Off by default, as in Linux without fq; a congestion control that sets a rate
// (BBR) turns it on for its connections. After a burst the next one may leave
// when this one would have gone out at the pacing rate; half of that time is
// forgiven to a sender that was late. The first segments of a connection are
// not held, so that a short answer leaves at once (Linux).

enum { NOT_HELD = 10 };

// Linux's rate for controls without one: twice what the window carries per
// round trip while in slow start, later a fifth more.
uint64_t tcp_pacing_rate(const struct tcp_connection *c)
{
    if (c->cc.pacing_rate_bps)
        return c->cc.pacing_rate_bps / 8;
    uint32_t cwnd = tcp_cwnd_segments(c);
    bool is_early = c->cc.cwnd < c->cc.ssthresh / 2;
    uint64_t rate = (uint64_t)max_u32(cwnd, c->packets_out) * c->mss;
    rate = rate * (is_early ? 200 : 120) / 100;
    uint32_t srtt_us = max_u32(c->srtt_us >> 3, 1);
    return rate * 1000000 / srtt_us;
}

static bool is_paced(const struct tcp_connection *c)
{
    return (c->cc.pacing_rate_bps || tcp_settings(c)->tcp_pacing) &&
           c->srtt_us > 0;
}

bool tcp_pacing_holds(struct tcp_connection *c)
{
    if (!c->extra || c->extra->pacing_next <= tcp_now(c) || !is_paced(c))
        return false;
    tcp_deadline_set(c, TCP_DEADLINE_SEND, c->extra->pacing_next);
    return true;
}

void tcp_pacing_sent(struct tcp_connection *c, uint32_t bytes)
{
    if (!is_paced(c) || c->statistics.data_segments_out < NOT_HELD)
        return;
    struct tcp_extra *extra = tcp_extra_get(c);
    uint64_t rate = tcp_pacing_rate(c);
    if (!extra || rate == 0)
        return;
    ns_t time = (ns_t)((uint64_t)bytes * NS_PER_S / rate);
    ns_t late = max_i64(tcp_now(c) - extra->pacing_next, 0);
    if (extra->pacing_next > 0)
        time -= min_i64(time / 2, late);
    extra->pacing_next = tcp_now(c) + time;
}
