// Sends records again.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

static uint32_t payload_of(const struct tcp_segment *segment)
{
    return segment->end_seq - segment->seq -
           ((segment->flags & SEGMENT_SYN) != 0) -
           ((segment->flags & SEGMENT_FIN) != 0);
}

static uint8_t tcp_flags_of(const struct tcp_connection *c,
                            const struct tcp_segment *segment)
{
    uint8_t flags = TCP_ACK;
    if (segment->flags & SEGMENT_SYN)
        flags = c->state == TCP_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;
    if (segment->flags & SEGMENT_FIN)
        flags |= TCP_FIN;
    if (segment->flags & SEGMENT_PUSH)
        flags |= TCP_PSH;
    return flags;
}

// A peer that took its window back gets what fits; the first record is sent in
// any case, as a probe (RFC 9293 3.8.6).
static int fit_to_window(struct tcp_connection *c, uint32_t position)
{
    struct tcp_segment *segment = tcp_segment_at(c, position);
    if (segment->flags & SEGMENT_SYN)
        return 0;
    uint32_t most = c->mss;
    if (seq_lt(segment->seq, tcp_window_end(c)))
        most = min_u32(most, tcp_window_end(c) - segment->seq);
    else if (segment->seq != c->snd_una)
        return -EAGAIN;
    if (payload_of(segment) > most)
        return tcp_segments_split(c, position, segment->seq + most);
    return 0;
}

static void note_retransmission(struct tcp_connection *c, uint32_t position,
                                uint32_t payload)
{
    struct tcp_segment *segment = tcp_segment_at(c, position);
    if (!(segment->flags & SEGMENT_RETRANSMITTED))
        c->retrans_out++;
    segment->flags |= SEGMENT_RETRANSMITTED | SEGMENT_EVER_RETRANSMITTED;
    if (segment->transmissions < UINT16_MAX)
        segment->transmissions++;
    tcp_rate_sent(c, segment);
    segment->sent_at = tcp_now(c);
    tcp_segments_sent(c, position);
    if (c->retransmit_started == 0)
        c->retransmit_started = tcp_now(c);
    c->undo_retrans++;
    c->undo_is_fresh = false;
    c->statistics.retransmitted++;
    c->statistics.bytes_retransmitted += payload;
    tcp_count(c, COUNT_TCP_RETRANSMITTED);
}

// --- Joining small ones -----------------------------------------------------

static bool may_join(struct tcp_connection *c, const struct tcp_segment *a,
                     const struct tcp_segment *b)
{
    uint16_t whole = SEGMENT_SYN | SEGMENT_SACKED | SEGMENT_END_OF_RECORD;
    return !(a->flags & whole) && !(b->flags & SEGMENT_SACKED) &&
           payload_of(a) + payload_of(b) <= c->mss && payload_of(a) > 0 &&
           payload_of(b) > 0 && seq_le(b->end_seq, tcp_window_end(c));
}

// The first record becomes a part of the second.
static void join_first(struct tcp_connection *c)
{
    uint16_t counted = SEGMENT_LOST | SEGMENT_RETRANSMITTED;
    const struct tcp_segment first = *tcp_segment_at(c, c->segments.first);
    struct tcp_segment *second = tcp_segment_at(c, c->segments.first + 1);
    c->lost_out -= (second->flags & SEGMENT_LOST) != 0;
    c->retrans_out -= (second->flags & SEGMENT_RETRANSMITTED) != 0;
    second->flags = (uint16_t)((second->flags & ~counted) | first.flags);
    second->seq = first.seq;
    second->sent_at = first.sent_at;
    second->transmissions = first.transmissions;
    tcp_segments_pop(c);
    c->packets_out--;
    if (!c->has_sack)
        c->sacked_out = min_u32(c->sacked_out, c->packets_out - c->lost_out);
}

// Small segments at the front go again as one (Linux tcp_retrans_collapse).
static uint32_t join_small(struct tcp_connection *c, uint32_t position)
{
    const struct tcp_segments *s = &c->segments;
    if (position != s->first || !tcp_settings(c)->tcp_retransmit_joined)
        return position;
    while (s->last - s->first > 1 && may_join(c, tcp_segment_at(c, s->first),
                                              tcp_segment_at(c, s->first + 1)))
        join_first(c);
    return s->first;
}

// What cannot leave counts as sent: the timer brings it back.
int tcp_retransmit(struct tcp_connection *c, uint32_t position)
{
    position = join_small(c, position);
    int error = fit_to_window(c, position);
    if (error)
        return error;
    struct tcp_segment *segment = tcp_segment_at(c, position);
    uint32_t payload = payload_of(segment);
    error =
        tcp_segment_send(c, segment->seq, payload, tcp_flags_of(c, segment));
    if (error == -EMSGSIZE) {
        uint32_t mss = c->mss;
        tcp_sync_mss(c);
        if (c->mss < mss)
            return tcp_retransmit(c, position);
    }
    note_retransmission(c, position, payload);
    return 0;
}

static bool is_lost_here(const struct tcp_segment *segment)
{
    return (segment->flags & SEGMENT_LOST) &&
           !(segment->flags & (SEGMENT_SACKED | SEGMENT_RETRANSMITTED));
}

static bool cwnd_is_open(const struct tcp_connection *c)
{
    return tcp_packets_in_flight(c) < tcp_cwnd_segments(c);
}

// Everything left of the hint is delivered, in flight, or not believed lost.
void tcp_retransmit_lost(struct tcp_connection *c)
{
    const struct tcp_segments *s = &c->segments;
    if (c->lost_out == 0)
        return;
    bool rearm = false;
    uint32_t p = c->retransmit_hint;
    if (p - s->first > s->last - s->first)
        p = s->first;
    for (; p != s->last && cwnd_is_open(c); p++) {
        if (!is_lost_here(tcp_segment_at(c, p)))
            continue;
        bool is_first = p == s->first;
        if (tcp_retransmit(c, p) != 0)
            break;
        if (c->ca_state == TCP_CA_RECOVERY || c->ca_state == TCP_CA_CWR)
            c->prr_out++;
        rearm |= is_first && c->retransmit_kind != TCP_RETRANSMIT_REORDER;
    }
    c->retransmit_hint = p;
    if (rearm)
        tcp_retransmit_timer_set(c, TCP_RETRANSMIT_RTO, tcp_rto(c));
}

// RFC 6298 5.4: the earliest one, whatever the windows say.
void tcp_retransmit_after_timeout(struct tcp_connection *c)
{
    tcp_retransmit(c, c->segments.first);
}

// Records larger than the segment size has become: lost, without that meaning
// congestion (RFC 1191 6.4, Linux tcp_simple_retransmit).
void tcp_retransmit_too_big(struct tcp_connection *c)
{
    const struct tcp_segments *s = &c->segments;
    uint32_t lost = c->lost_out;
    if (!c->has_sack)
        c->sacked_out = 0;
    for (uint32_t p = s->first; p != s->last; p++)
        if (payload_of(tcp_segment_at(c, p)) > c->mss)
            tcp_mark_lost(c, p);
    if (c->lost_out != lost)
        tcp_retransmit_uncongested(c);
}

// What is marked lost goes again, and the window stays as it is (Linux
// tcp_non_congestion_loss_retransmit).
void tcp_retransmit_uncongested(struct tcp_connection *c)
{
    if (c->ca_state != TCP_CA_LOSS) {
        c->high_seq = c->snd_nxt;
        c->cc.ssthresh = max_u32(c->cc.ssthresh, c->cc.cwnd);
        c->cc.prior_ssthresh = 0;
        c->has_undo = false;
        tcp_set_ca_state(c, TCP_CA_LOSS);
    }
    tcp_retransmit_lost(c);
}
