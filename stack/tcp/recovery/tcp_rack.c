// Which records are lost: by time (RACK, RFC 8985) or by count.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// RACK: a record is lost when one that was sent sufficiently later has been
// delivered. "Sufficiently" is the reordering window: none at first, a quarter
// of the minimum RTT once the path was seen to reorder, more when D-SACKs say
// that even this was too short. The walk is over records in order of
// transmission and stops at the first that is too young; lost records leave
// that order until they are sent again.

enum { WINDOW_LIFE = 16 }; // recoveries that a widened window lasts

bool tcp_uses_rack(const struct tcp_connection *c)
{
    return c->has_sack && tcp_settings(c)->tcp_rack;
}

void tcp_mark_lost(struct tcp_connection *c, uint32_t position)
{
    struct tcp_segment *s = tcp_segment_at(c, position);
    if (s->flags & SEGMENT_SACKED)
        return;
    if (s->flags & SEGMENT_RETRANSMITTED) { // and this copy is lost, too
        s->flags &= (uint16_t)~SEGMENT_RETRANSMITTED;
        c->retrans_out--;
        c->lost++;
    } else if (!(s->flags & SEGMENT_LOST)) {
        c->lost++;
    }
    if (!(s->flags & SEGMENT_LOST)) {
        s->flags |= SEGMENT_LOST;
        c->lost_out++;
    }
    tcp_segments_unlink(c, position);
    uint32_t first = c->segments.first;
    if (position - first < c->retransmit_hint - first)
        c->retransmit_hint = position;
}

// --- RFC 8985 6.2 -----------------------------------------------------------

static bool was_sent_after(ns_t a_at, tcp_seq a_end, ns_t b_at, tcp_seq b_end)
{
    return a_at > b_at || (a_at == b_at && seq_gt(a_end, b_end));
}

// Step 2: the latest transmission among what was delivered.
void tcp_rack_advance(struct tcp_connection *c, const struct tcp_segment *s)
{
    ns_t rtt = tcp_now(c) - s->sent_at;
    // Too fast for the retransmission: the original arrived.
    if ((s->flags & SEGMENT_EVER_RETRANSMITTED) &&
        rtt < c->min_rtt_us * NS_PER_US)
        return;
    c->rack_advanced = true;
    c->rack_rtt_us = (uint32_t)(rtt / NS_PER_US);
    if (was_sent_after(s->sent_at, s->end_seq, c->rack_sent_at,
                       c->rack_end_seq)) {
        c->rack_sent_at = s->sent_at;
        c->rack_end_seq = s->end_seq;
    }
}

// Step 4.
static ns_t reordering_window(const struct tcp_connection *c)
{
    if (!c->reordering_seen) {
        if (c->ca_state >= TCP_CA_RECOVERY ||
            c->sacked_out >= c->duplicate_threshold)
            return 0;
    }
    uint64_t window = (uint64_t)(c->min_rtt_us >> 2) * c->reorder_steps;
    if (window > c->srtt_us >> 3)
        window = c->srtt_us >> 3;
    return (ns_t)window * NS_PER_US;
}

void tcp_rack_update_window(struct tcp_connection *c,
                            const struct tcp_ack_news *news)
{
    if (news->sample_delivered_at < 0)
        return;
    // At most once a round trip.
    if ((int32_t)(news->sample_delivered - c->rack_last_delivered) < 0)
        c->rack_dsack_seen = false;
    if (c->rack_dsack_seen) {
        if (c->reorder_steps < UINT8_MAX)
            c->reorder_steps++;
        c->rack_dsack_seen = false;
        c->rack_last_delivered = c->delivered;
        c->reorder_persist = WINDOW_LIFE;
    } else if (c->reorder_persist == 0) {
        c->reorder_steps = 1;
    }
}

ns_t tcp_rack_time_left(const struct tcp_connection *c,
                        const struct tcp_segment *segment, ns_t window)
{
    return segment->sent_at + c->rack_rtt_us * NS_PER_US + window - tcp_now(c);
}

// Step 5. Returns the longest time that is left for one not lost yet.
static ns_t detect(struct tcp_connection *c)
{
    ns_t window = reordering_window(c), longest = 0;
    uint32_t p = c->segments.oldest;
    while (p != SEGMENT_NONE) {
        const struct tcp_segment *s = tcp_segment_at(c, p);
        uint32_t next = s->newer;
        if (!was_sent_after(c->rack_sent_at, c->rack_end_seq, s->sent_at,
                            s->end_seq))
            break;
        ns_t left = tcp_rack_time_left(c, s, window);
        if (left <= 0)
            tcp_mark_lost(c, p);
        else
            longest = max_i64(longest, left);
        p = next;
    }
    return longest;
}

bool tcp_rack_mark_lost(struct tcp_connection *c)
{
    if (!c->rack_advanced)
        return false;
    c->rack_advanced = false;
    ns_t left = detect(c);
    if (left == 0)
        return false;
    tcp_retransmit_timer_set(c, TCP_RETRANSMIT_REORDER,
                             left + tcp_settings(c)->tcp_timer_slack);
    return true;
}

void tcp_rack_on_timer(struct tcp_connection *c)
{
    uint32_t in_flight = tcp_packets_in_flight(c), lost = c->lost;
    detect(c);
    if (tcp_packets_in_flight(c) != in_flight) {
        if (c->ca_state != TCP_CA_RECOVERY) {
            tcp_recovery_enter(c, false);
            if (!c->cc.ops->main_control)
                tcp_cwnd_reduce(c, 1, c->lost - lost, 0);
        }
        tcp_retransmit_lost(c);
    }
    if (!tcp_deadline_is_set(c, TCP_DEADLINE_RETRANSMIT) ||
        c->retransmit_kind != TCP_RETRANSMIT_RTO)
        tcp_rearm_rto_from_first(c);
}

// --- By count ---------------------------------------------------------------

// RFC 6582: three duplicates, or a partial ACK, and the first one is lost.
void tcp_reno_mark_lost(struct tcp_connection *c, bool una_advanced)
{
    bool is_lost = (c->ca_state < TCP_CA_RECOVERY &&
                    c->sacked_out >= c->duplicate_threshold) ||
                   (c->ca_state == TCP_CA_RECOVERY && una_advanced);
    if (!is_lost || c->packets_out == 0)
        return;
    const struct tcp_segment *first = tcp_segment_at(c, c->segments.first);
    if (!(first->flags & SEGMENT_LOST))
        tcp_mark_lost(c, c->segments.first);
    c->sacked_out = min_u32(c->sacked_out, c->packets_out - c->lost_out);
}

// RFC 6675 4, IsLost: DupThresh records above it were SACKed. From the right,
// so that one walk counts them; it ends where everything is marked already.
void tcp_sack_mark_by_count(struct tcp_connection *c, bool fast)
{
    const struct tcp_segments *q = &c->segments;
    if (c->packets_out == 0)
        return;
    uint32_t above = 0;
    for (uint32_t p = q->last; p-- != q->first;) {
        const struct tcp_segment *s = tcp_segment_at(c, p);
        if (s->flags & SEGMENT_SACKED)
            above++;
        else if (above >= c->duplicate_threshold &&
                 !(s->flags & (SEGMENT_LOST | SEGMENT_EVER_RETRANSMITTED)))
            tcp_mark_lost(c, p);
    }
    const struct tcp_segment *first = tcp_segment_at(c, q->first);
    if (fast && !(first->flags & (SEGMENT_LOST | SEGMENT_SACKED)))
        tcp_mark_lost(c, q->first);
}
