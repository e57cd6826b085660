// Whether new data may be sent now, how much of it, and with which flags.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// New data leaves when the judges agree: the congestion window has room; the
// peer's window has room for the whole segment (the sender's side of silly
// window avoidance, RFC 9293 3.8.6.2.1: what fits less waits for the window or
// for the persist timer); Nagle's rule does not hold a small segment back.
// Retransmissions come first (tcp_retransmit.c).
//
// Nagle as Minshall amended it: a small segment waits only while another small
// one is unacknowledged, not while any data is.

enum { SOURCE_AHEAD = 1 << 30 }; // bytes of a source in the sequence space

bool tcp_fin_unsent(const struct tcp_connection *c)
{
    return c->fin_queued && c->snd_nxt != c->write_seq;
}

uint32_t tcp_unsent(const struct tcp_connection *c)
{
    return c->write_seq - c->snd_nxt - tcp_fin_unsent(c);
}

uint32_t tcp_send_room(const struct tcp_connection *c)
{
    uint32_t used = c->has_source ? 0 : c->buffer.length;
    return used < c->send_limit ? c->send_limit - used : 0;
}

void tcp_queue_fin(struct tcp_connection *c)
{
    c->fin_wanted = true;
    tcp_refill(c);
    if (c->has_source && c->source.length == UINT64_MAX && !c->fin_queued) {
        // "Until the socket is closed": what was not sent never existed.
        c->write_seq = c->snd_nxt;
    } else if (c->has_source) {
        return; // tcp_refill queues it when the source has ended
    }
    c->fin_queued = true;
    c->write_seq++;
}

static uint64_t stream_written(const struct tcp_connection *c)
{
    bool is_syn_unacked = c->stream_acked == 0 && c->snd_una == c->iss;
    return c->stream_acked + (c->write_seq - c->snd_una) - is_syn_unacked;
}

void tcp_refill(struct tcp_connection *c)
{
    if (!c->has_source || c->fin_queued)
        return;
    uint64_t left = c->source.length - stream_written(c);
    uint32_t ahead = c->write_seq - c->snd_una;
    uint32_t room = ahead < SOURCE_AHEAD ? SOURCE_AHEAD - ahead : 0;
    c->write_seq += left < room ? (uint32_t)left : room;
    if (stream_written(c) < c->source.length)
        return;
    c->push_seq = c->write_seq;
    if (c->fin_wanted) {
        c->fin_queued = true;
        c->write_seq++;
    }
}

// --- The judges -------------------------------------------------------------

struct candidate {
    uint32_t length;
    bool with_fin;
};

static struct candidate next_candidate(const struct tcp_connection *c)
{
    uint32_t unsent = tcp_unsent(c);
    struct candidate next = {.length = min_u32(unsent, tcp_mss_now(c))};
    next.with_fin = tcp_fin_unsent(c) && next.length == unsent;
    return next;
}

// A last FIN is let through: it adds nothing to the congestion.
static bool cwnd_allows(const struct tcp_connection *c,
                        const struct candidate *next)
{
    return next->with_fin || tcp_packets_in_flight(c) < tcp_cwnd_segments(c);
}

static bool window_allows(const struct tcp_connection *c,
                          struct candidate *next)
{
    tcp_seq end = c->snd_nxt + next->length;
    tcp_seq limit = tcp_window_end(c);
    if (seq_gt(end, limit))
        return false;
    if (next->with_fin && end == limit) {
        next->with_fin = false; // the window ends just before it
        return next->length > 0;
    }
    return true;
}

static bool has_small_unacked(const struct tcp_connection *c)
{
    return seq_gt(c->snd_small, c->snd_una) && seq_le(c->snd_small, c->snd_nxt);
}

static bool nagle_allows(const struct tcp_connection *c,
                         const struct candidate *next, bool push)
{
    bool is_urgent = c->snd_urgent && seq_gt(c->snd_up, c->snd_una);
    if (next->length >= tcp_mss_now(c) || next->with_fin || push || is_urgent)
        return true;
    if (c->cork || c->more_follows)
        return false;
    bool is_on = tcp_settings(c)->tcp_nagle && !c->no_delay;
    return !(is_on && c->packets_out > 0 && has_small_unacked(c));
}

// --- Sending ----------------------------------------------------------------

static void note_data_sent(struct tcp_connection *c)
{
    ns_t now = tcp_now(c);
    if (tcp_packets_in_flight(c) == 0 && c->cc.ops && c->cc.ops->on_event)
        c->cc.ops->on_event(&c->cc, CONGESTION_TX_START);
    c->last_sent_at = now;
    // Data soon after data: an answer, so ACKs may wait for answers (Linux).
    if (now - c->last_received_at < c->ack_timeout_us * NS_PER_US)
        c->pingpong = 1;
}

struct tcp_segment *tcp_record_new(struct tcp_connection *c, tcp_seq end_seq,
                                   uint16_t flags)
{
    struct tcp_segment *segment =
        tcp_segments_push(c, c->snd_nxt, end_seq, flags);
    if (!segment)
        return NULL;
    tcp_rate_sent(c, segment);
    segment->sent_at = tcp_now(c);
    segment->transmissions = 1;
    tcp_segments_sent(c, c->segments.last - 1);
    bool is_first = c->packets_out++ == 0;
    c->snd_nxt = end_seq;
    bool is_probing = tcp_deadline_is_set(c, TCP_DEADLINE_RETRANSMIT) &&
                      c->retransmit_kind == TCP_RETRANSMIT_PROBE;
    if (is_first || is_probing)
        tcp_rearm_rto(c);
    return segment;
}

static uint16_t record_flags(const struct tcp_connection *c,
                             const struct candidate *next, tcp_seq end)
{
    uint16_t flags = next->with_fin ? SEGMENT_FIN : 0;
    if (next->length > 0 && end == c->push_seq)
        flags |= SEGMENT_PUSH;
    return flags;
}

// The record comes first: without memory for it nothing is sent.
static int send_candidate(struct tcp_connection *c,
                          const struct candidate *next)
{
    tcp_seq seq = c->snd_nxt, end = seq + next->length;
    bool is_small = next->length < tcp_mss_now(c);
    uint16_t flags = record_flags(c, next, end);
    uint8_t tcp_flags = TCP_ACK;
    if (next->with_fin)
        tcp_flags |= TCP_FIN;
    if (flags & SEGMENT_PUSH)
        tcp_flags |= TCP_PSH;
    int error = tcp_segment_send(c, seq, next->length, tcp_flags);
    if (error)
        return error;
    if (next->length > 0)
        note_data_sent(c);
    if (!tcp_record_new(c, end + next->with_fin, flags)) {
        tcp_end(c, -ENOBUFS);
        return -ENOBUFS;
    }
    if (is_small)
        c->snd_small = end;
    return 0;
}

// -EMSGSIZE: the path has become narrower under our feet.
static bool send_next(struct tcp_connection *c, bool push, bool *cwnd_limited)
{
    struct candidate next = next_candidate(c);
    if (next.length == 0 && !next.with_fin)
        return false;
    if (!cwnd_allows(c, &next)) {
        *cwnd_limited = true;
        return false;
    }
    if (!window_allows(c, &next) || !nagle_allows(c, &next, push))
        return false;
    int error = send_candidate(c, &next);
    if (error == -EMSGSIZE) {
        uint32_t mss = c->mss;
        tcp_sync_mss(c);
        return c->mss < mss;
    }
    return error == 0;
}

void tcp_send_one(struct tcp_connection *c)
{
    tcp_refill(c);
    struct candidate next = next_candidate(c);
    bool has_any = next.length > 0 || next.with_fin;
    if (has_any && window_allows(c, &next))
        send_candidate(c, &next);
}

static void output(struct tcp_connection *c, bool push)
{
    if (!tcp_is_in(c, TCP_HAS_OUTPUT & ~TCP_IN(SYN_RECEIVED)))
        return;
    tcp_refill(c);
    if (c->packets_out == 0)
        tcp_cwnd_after_idle(c);
    uint32_t sent = 0;
    bool cwnd_limited = false;
    while (send_next(c, push, &cwnd_limited))
        sent++;
    if (c->state == TCP_CLOSED)
        return;
    cwnd_limited |= tcp_packets_in_flight(c) >= tcp_cwnd_segments(c);
    if (sent > 0 || cwnd_limited)
        tcp_cwnd_validate(c, cwnd_limited);
    if (sent > 0) {
        if (c->ca_state == TCP_CA_RECOVERY || c->ca_state == TCP_CA_CWR)
            c->prr_out += sent;
        tcp_tlp_schedule(c, false);
    }
    tcp_rate_check_app_limited(c);
    tcp_persist_check(c);
}

void tcp_output(struct tcp_connection *c) { output(c, false); }

void tcp_output_push(struct tcp_connection *c) { output(c, true); }

void tcp_output_on_timer(struct tcp_connection *c) { output(c, true); }

void tcp_output_after_input(struct tcp_connection *c)
{
    if (c->snd_nxt != c->write_seq || c->has_source)
        output(c, false);
    if (c->state != TCP_CLOSED)
        tcp_ack_decide(c);
}

void tcp_send_ack(struct tcp_connection *c)
{
    if (!tcp_is_in(c, TCP_SYNCHRONISED | TCP_IN(SYN_RECEIVED)))
        return;
    if (tcp_segment_send(c, c->snd_nxt, 0, TCP_ACK) == 0)
        return;
    // It could not leave: try again soon (Linux does so after 200 ms).
    c->ack_scheduled = true;
    tcp_deadline_set(c, TCP_DEADLINE_ACK, tcp_now(c) + 200 * NS_PER_MS);
}

int tcp_send_syn(struct tcp_connection *c)
{
    bool is_passive = c->state == TCP_SYN_RECEIVED;
    if (!tcp_record_new(c, c->iss + 1, SEGMENT_SYN))
        return -ENOMEM;
    c->snd_nxt = c->iss; // not new yet as far as tcp_segment_send goes
    int error = tcp_segment_send(c, c->iss, 0,
                                 is_passive ? TCP_SYN | TCP_ACK : TCP_SYN);
    c->snd_nxt = c->iss + 1;
    c->last_sent_at = tcp_now(c);
    return error;
}

// --- Probes -----------------------------------------------------------------

void tcp_send_probe(struct tcp_connection *c)
{
    tcp_segment_send(c, c->snd_una - 1, 0, TCP_ACK);
}

int tcp_send_window_probe(struct tcp_connection *c)
{
    tcp_count(c, COUNT_TCP_ZERO_WINDOW_PROBES);
    c->statistics.probes++;
    tcp_refill(c);
    tcp_seq limit = tcp_window_end(c);
    struct candidate next = next_candidate(c);
    if (!seq_lt(c->snd_nxt, limit) || (next.length == 0 && !next.with_fin)) {
        tcp_send_probe(c);
        return 0;
    }
    uint32_t room = limit - c->snd_nxt;
    if (next.length + next.with_fin > room) {
        next.length = min_u32(next.length, room);
        next.with_fin = false;
        c->push_seq = c->snd_nxt + next.length;
    }
    return send_candidate(c, &next);
}
