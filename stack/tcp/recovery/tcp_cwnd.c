// The congestion window: what the connection tells its control, and RFC 2861.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

uint32_t tcp_initial_cwnd(const struct tcp_connection *c)
{
    return (uint32_t)tcp_settings(c)->tcp_initial_window;
}

void tcp_congestion_sync(struct tcp_connection *c)
{
    c->cc.snd_una = c->snd_una;
    c->cc.snd_nxt = c->snd_nxt;
    c->cc.now = tcp_now(c);
    c->cc.last_sent = c->last_sent_at;
    c->cc.srtt = (c->srtt_us >> 3) * NS_PER_US;
    c->cc.min_rtt = c->min_rtt_us * NS_PER_US;
}

void tcp_congestion_init(struct tcp_connection *c)
{
    c->cc.ops = congestion_controls[tcp_settings(c)->tcp_congestion];
    c->cc.mss = c->mss;
    // RFC 5681 3.1: a SYN that was lost more than once starts with one segment.
    uint32_t segments = c->statistics.retransmitted > 1 && c->syn_retransmitted
                            ? 1
                            : tcp_initial_cwnd(c);
    c->cc.cwnd = max_u32(segments, 1) * c->mss;
    c->cc.ssthresh = UINT32_MAX;
    c->cc.cwnd_clamp = UINT32_MAX;
    c->cwnd_usage_seq = c->snd_nxt;
    tcp_congestion_sync(c);
    if (c->cc.ops->init)
        c->cc.ops->init(&c->cc);
}

static bool may_grow(const struct tcp_connection *c,
                     const struct tcp_ack_news *news)
{
    if (c->duplicate_threshold > tcp_settings(c)->tcp_duplicate_threshold)
        return news->flags & (ACK_ACKED | ACK_DATA_SACKED);
    return news->flags & ACK_DATA_ACKED;
}

// Growth needs a window that was the limit (RFC 7661's concern); in slow start
// one that was half used is enough (Linux).
static bool was_limited(const struct tcp_connection *c)
{
    if (c->is_cwnd_limited)
        return true;
    return congestion_is_slow_start(&c->cc) &&
           tcp_cwnd_segments(c) < 2 * c->max_packets_out;
}

void tcp_congestion_on_delivered(struct tcp_connection *c,
                                 const struct tcp_ack_news *news)
{
    if (!c->cc.ops->on_delivered)
        return;
    struct congestion_sample sample = {
        .now = tcp_now(c),
        .acked_segments = c->delivered - news->prior_delivered,
        .acked_bytes = (c->delivered - news->prior_delivered) * c->cc.mss,
        .prior_in_flight = news->prior_in_flight * c->cc.mss,
        .rtt = -1,
        .is_ece = (news->flags & ACK_ECE) != 0,
    };
    tcp_congestion_sync(c);
    c->cc.ops->on_delivered(&c->cc, &sample);
}

void tcp_congestion_on_ack(struct tcp_connection *c, struct tcp_ack_news *news)
{
    struct congestion_sample sample = {
        .now = tcp_now(c),
        .acked_segments = c->delivered - news->prior_delivered,
        .total_delivered = c->delivered,
        .lost_segments = c->lost - news->prior_lost,
        .prior_in_flight = news->prior_in_flight * c->cc.mss,
        .in_flight = tcp_packets_in_flight(c) * c->cc.mss,
        .rtt = news->rtt,
        .is_ece = (news->flags & ACK_ECE) != 0,
    };
    sample.acked_bytes = sample.acked_segments * c->cc.mss;
    tcp_rate_generate(c, news, &sample);
    tcp_congestion_sync(c);
    if (news->rtt >= 0 && c->cc.ops->on_rtt)
        c->cc.ops->on_rtt(&c->cc, &sample);
    if (c->cc.ops->main_control)
        c->cc.ops->main_control(&c->cc, &sample);
    else if (tcp_in_reduction(c))
        tcp_cwnd_reduce(c, sample.acked_segments, sample.lost_segments,
                        news->flags);
    else if (may_grow(c, news) && sample.acked_segments > 0 && was_limited(c))
        c->cc.ops->on_ack(&c->cc, &sample);
}

void tcp_cwnd_validate(struct tcp_connection *c, bool is_limited)
{
    bool is_new_window = seq_ge(c->snd_una, c->cwnd_usage_seq);
    if (is_new_window || is_limited ||
        (!c->is_cwnd_limited && c->packets_out > c->max_packets_out)) {
        c->is_cwnd_limited = is_limited;
        c->max_packets_out = c->packets_out;
        c->cwnd_usage_seq = c->snd_nxt;
    }
}

// RFC 5681 4.1, halving per idle RTO as RFC 2861 3.2.
void tcp_cwnd_after_idle(struct tcp_connection *c)
{
    if (!tcp_settings(c)->tcp_slow_start_after_idle || c->last_sent_at == 0 ||
        !c->cc.ops || c->cc.ops->main_control || tcp_unsent(c) == 0)
        return;
    ns_t rto = c->rto_us * NS_PER_US;
    ns_t idle = tcp_now(c) - c->last_sent_at;
    if (idle <= rto)
        return;
    uint32_t restart = min_u32(tcp_initial_cwnd(c), tcp_cwnd_segments(c));
    tcp_congestion_sync(c);
    if (c->cc.ops->on_event)
        c->cc.ops->on_event(&c->cc, CONGESTION_CWND_RESTART);
    uint32_t cwnd = tcp_cwnd_segments(c);
    // Remember three quarters of what was reached.
    if (c->cc.ssthresh != UINT32_MAX)
        c->cc.ssthresh = max_u32(c->cc.ssthresh, (cwnd - cwnd / 4) * c->cc.mss);
    for (idle -= rto; idle > 0 && cwnd > restart; idle -= rto)
        cwnd >>= 1;
    c->cc.cwnd = max_u32(cwnd, restart) * c->cc.mss;
}

// --- Reduction, RFC 6937 ----------------------------------------------------

void tcp_cwnd_begin_reduction(struct tcp_connection *c)
{
    c->high_seq = c->snd_nxt;
    c->has_tlp = false;
    c->prr_delivered = c->prr_out = 0;
    c->cc.prior_cwnd = c->cc.cwnd;
    tcp_congestion_sync(c);
    c->cc.ssthresh = c->cc.ops->ssthresh(&c->cc);
    c->ecn_send_cwr = c->has_ecn;
}

// Proportional while above ssthresh, then slow start towards it; at least one
// segment leaves when recovery begins.
void tcp_cwnd_reduce(struct tcp_connection *c, uint32_t delivered,
                     uint32_t lost, uint32_t flags)
{
    if (delivered == 0 || c->cc.prior_cwnd == 0)
        return;
    uint32_t in_flight = tcp_packets_in_flight(c);
    uint32_t ssthresh = c->cc.ssthresh / c->cc.mss;
    uint32_t prior = max_u32(c->cc.prior_cwnd / c->cc.mss, 1);
    int64_t room = (int64_t)ssthresh - in_flight, send;
    c->prr_delivered += delivered;
    if (room < 0) {
        uint64_t share = (uint64_t)ssthresh * c->prr_delivered + prior - 1;
        send = (int64_t)(share / prior) - c->prr_out;
    } else {
        send = max_i64((int64_t)c->prr_delivered - c->prr_out, delivered);
        if ((flags & ACK_UNA_ADVANCED) && lost == 0)
            send++;
        send = min_i64(room, send);
    }
    send = max_i64(send, c->prr_out ? 0 : 1);
    c->cc.cwnd = (in_flight + (uint32_t)send) * c->cc.mss;
}

void tcp_cwnd_end_reduction(struct tcp_connection *c)
{
    if (c->cc.ops->main_control)
        return;
    if (c->cc.ssthresh != UINT32_MAX &&
        (c->ca_state == TCP_CA_CWR || c->has_undo))
        c->cc.cwnd = c->cc.ssthresh;
    tcp_congestion_sync(c);
    if (c->cc.ops->on_event)
        c->cc.ops->on_event(&c->cc, CONGESTION_COMPLETE_CWR);
}
