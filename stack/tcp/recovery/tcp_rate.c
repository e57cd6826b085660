// Samples of the rate at which data is delivered.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// draft-ietf-ccwg-bbr 4.1 (delivery rate estimation): each record remembers how
// much was delivered, and when, at the moment it was sent. When it is delivered
// itself the difference is what the path carried in between. The interval is
// the longer one of sending and acknowledging, so that compressed ACKs do not
// exaggerate.

void tcp_rate_sent(struct tcp_connection *c, struct tcp_segment *segment)
{
    ns_t now = tcp_now(c);
    if (c->packets_out == 0)
        c->first_sent = c->delivered_at = now;
    segment->first_sent = c->first_sent;
    segment->delivered_at = c->delivered_at;
    segment->delivered = c->delivered;
    if (c->app_limited)
        segment->flags |= SEGMENT_APP_LIMITED;
    else
        segment->flags &= (uint16_t)~SEGMENT_APP_LIMITED;
}

void tcp_rate_delivered(struct tcp_connection *c, struct tcp_segment *segment,
                        struct tcp_ack_news *news)
{
    if (segment->delivered_at < 0)
        return;
    bool is_latest =
        news->sample_delivered_at < 0 ||
        (int32_t)(segment->delivered - news->sample_delivered) >= 0;
    if (is_latest) {
        news->sample_delivered = segment->delivered;
        news->sample_delivered_at = segment->delivered_at;
        news->sample_is_app_limited =
            (segment->flags & SEGMENT_APP_LIMITED) != 0;
        news->sample_is_retransmission =
            (segment->flags & SEGMENT_EVER_RETRANSMITTED) != 0;
        c->first_sent = segment->sent_at;
        news->send_interval = segment->sent_at - segment->first_sent;
    }
    if (segment->flags & SEGMENT_SACKED)
        segment->delivered_at = -1; // counted once
}

void tcp_rate_generate(struct tcp_connection *c, struct tcp_ack_news *news,
                       struct congestion_sample *out)
{
    ns_t now = tcp_now(c);
    if (c->app_limited && (int32_t)(c->delivered - c->app_limited) > 0)
        c->app_limited = 0;
    if (c->delivered != news->prior_delivered)
        c->delivered_at = now;
    if (news->sample_delivered_at < 0)
        return;
    out->delivered = c->delivered - news->sample_delivered;
    out->prior_delivered = news->sample_delivered;
    out->interval =
        max_i64(news->send_interval, now - news->sample_delivered_at);
    out->is_app_limited = news->sample_is_app_limited;
    out->is_retransmission = news->sample_is_retransmission;
    bool is_too_short = out->interval < c->min_rtt_us * NS_PER_US;
    if (is_too_short || out->interval <= 0) {
        out->interval = 0;
        return;
    }
    bool is_better = (uint64_t)out->delivered * c->rate_interval_us * 1000 >=
                     (uint64_t)c->rate_delivered * (uint64_t)out->interval;
    if (!out->is_app_limited || is_better) {
        c->rate_delivered = out->delivered;
        c->rate_interval_us = (uint32_t)max_i64(out->interval / NS_PER_US, 1);
    }
}

// Nothing more to send although the windows are open: the next samples tell
// about the application, not about the path.
void tcp_rate_check_app_limited(struct tcp_connection *c)
{
    if (tcp_unsent(c) < c->mss &&
        tcp_packets_in_flight(c) < tcp_cwnd_segments(c) &&
        c->lost_out <= c->retrans_out) {
        c->app_limited = c->delivered + tcp_packets_in_flight(c);
        if (c->app_limited == 0)
            c->app_limited = 1;
    }
}
