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

// How the caller wants small segments to be treated.
enum mode { NORMAL, HOLD, PUSH };

struct candidate {
    uint32_t length; // bytes of the burst
    bool with_fin;
};

// What lies before the next end of a record, or all that is unsent.
static struct candidate next_stretch(const struct tcp_connection *c,
                                     bool *is_last)
{
    uint32_t unsent = tcp_unsent(c);
    uint32_t length = tcp_marks_limit(c, unsent);
    *is_last = length == unsent;
    return (struct candidate){length, *is_last && tcp_fin_unsent(c)};
}

static struct candidate next_segment(const struct tcp_connection *c)
{
    bool is_last;
    struct candidate next = next_stretch(c, &is_last);
    if (next.length > tcp_mss_now(c))
        next = (struct candidate){tcp_mss_now(c), false};
    return next;
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

static bool nagle_holds(const struct tcp_connection *c, enum mode mode)
{
    if (mode == PUSH)
        return false;
    if (mode == HOLD || c->cork)
        return true;
    bool is_on = tcp_settings(c)->tcp_nagle && !c->no_delay;
    return is_on && c->packets_out > 0 && has_small_unacked(c);
}

static bool may_send_small(const struct tcp_connection *c,
                           const struct candidate *next, enum mode mode)
{
    bool is_urgent = c->snd_urgent && seq_gt(c->snd_up, c->snd_una);
    return next->length >= tcp_mss_now(c) || next->with_fin || is_urgent ||
           !nagle_holds(c, mode);
}

// More than one segment's worth: as many as leave together. The last one may be
// small when the window or the data ends there and Nagle has nothing against
// it.
static bool plan_many(struct tcp_connection *c, struct candidate *next,
                      uint32_t quota, enum mode mode, bool *cwnd_limited)
{
    uint32_t mss = tcp_mss_now(c);
    int32_t window = (int32_t)(tcp_window_end(c) - c->snd_nxt);
    if (window < (int32_t)mss)
        return false;
    uint32_t most = tcp_burst_segments(c);
    if (tcp_burst_should_wait(c, next->length, (uint32_t)window, quota, most,
                              cwnd_limited))
        return false;
    uint32_t wanted = min_u32(next->length, (uint32_t)window);
    most = min_u32(most, quota);
    if (wanted >= most * mss) {
        *next = (struct candidate){most * mss, next->with_fin &&
                                                   next->length == most * mss};
    } else {
        if (nagle_holds(c, mode) && !(next->with_fin && wanted == next->length))
            wanted -= wanted % mss;
        next->with_fin = next->with_fin && wanted == next->length;
        next->length = wanted;
    }
    return window_allows(c, next);
}

// What leaves next in one go. A last FIN may exceed cwnd: it adds nothing to
// the congestion.
static bool plan(struct tcp_connection *c, enum mode mode, bool *cwnd_limited,
                 struct candidate *next)
{
    bool is_last;
    *next = next_stretch(c, &is_last);
    if (next->length == 0 && !next->with_fin)
        return false;
    bool is_one = next->length <= tcp_mss_now(c);
    uint32_t cwnd = tcp_cwnd_segments(c), flight = tcp_packets_in_flight(c);
    if (c->state == TCP_SYN_RECEIVED) // the SYN-ACK is none of it (Fast Open)
        flight--;
    uint32_t quota = cwnd > flight ? cwnd - flight : 0;
    quota = min_u32(quota, max_u32(cwnd / 2, 1)); // two bursts in flight
    if (quota == 0 && !(next->with_fin && is_one)) {
        *cwnd_limited = true;
        return false;
    }
    if (!is_last)
        mode = PUSH;
    if (is_one)
        return window_allows(c, next) && may_send_small(c, next, mode);
    return plan_many(c, next, quota, mode, cwnd_limited);
}

// --- Sending ----------------------------------------------------------------

static void note_data_sent(struct tcp_connection *c)
{
    ns_t now = tcp_now(c);
    if (tcp_packets_in_flight(c) == 0 && c->cc.ops && c->cc.ops->on_event) {
        tcp_congestion_sync(c);
        c->cc.ops->on_event(&c->cc, CONGESTION_TX_START);
    }
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

// PSH of a burst's end is the device's and does not come back when the segment
// is sent again.
static int send_segment(struct tcp_connection *c, const struct candidate *next,
                        bool is_burst_end)
{
    tcp_seq seq = c->snd_nxt, end = seq + next->length;
    bool ends_record = tcp_marks_has(c, end);
    bool is_pushed = next->length > 0 && (end == c->push_seq || ends_record);
    uint16_t flags = (next->with_fin ? SEGMENT_FIN : 0) |
                     (is_pushed ? SEGMENT_PUSH : 0) |
                     (ends_record ? SEGMENT_END_OF_RECORD : 0);
    uint8_t tcp_flags = TCP_ACK;
    if (next->with_fin)
        tcp_flags |= TCP_FIN;
    if (is_pushed || is_burst_end)
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
    return 0;
}

int tcp_send_exactly(struct tcp_connection *c, uint32_t length)
{
    return send_segment(c, &(struct candidate){length, false}, false);
}

// As a device with segmentation offload cuts it: PSH on the last segment.
static int send_burst(struct tcp_connection *c, struct candidate burst,
                      uint32_t *sent)
{
    uint32_t mss = tcp_mss_now(c), left = burst.length;
    bool is_many = burst.length > mss && tcp_settings(c)->tcp_offload;
    do {
        struct candidate next = {min_u32(left, mss), false};
        left -= next.length;
        next.with_fin = burst.with_fin && left == 0;
        int error = send_segment(c, &next, is_many && left == 0);
        if (error)
            return error;
        ++*sent;
        if (next.length < mss)
            c->snd_small = c->snd_nxt - next.with_fin;
    } while (left > 0);
    tcp_marks_sent(c);
    tcp_pacing_sent(c, burst.length);
    return 0;
}

// -EMSGSIZE: the path has become narrower under our feet.
static bool send_next(struct tcp_connection *c, enum mode mode, uint32_t *sent,
                      bool *cwnd_limited)
{
    struct candidate burst;
    if (!plan(c, mode, cwnd_limited, &burst))
        return false;
    int error = send_burst(c, burst, sent);
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
    struct candidate next = next_segment(c);
    bool has_any = next.length > 0 || next.with_fin;
    uint32_t sent = 0;
    if (has_any && window_allows(c, &next))
        send_burst(c, next, &sent);
}

static void output(struct tcp_connection *c, enum mode mode)
{
    if (!tcp_may_output(c))
        return;
    tcp_refill(c);
    tcp_check_mtu(c);
    if (c->packets_out == 0)
        tcp_cwnd_after_idle(c);
    uint32_t sent = 0;
    bool cwnd_limited = false;
    bool must_wait;
    if (c->extra && tcp_mtu_probe_send(c, &must_wait))
        sent++;
    else if (c->extra && must_wait)
        return;
    while (!tcp_pacing_holds(c) && send_next(c, mode, &sent, &cwnd_limited))
        ;
    if (c->state == TCP_CLOSED)
        return;
    cwnd_limited |= tcp_packets_in_flight(c) >= tcp_cwnd_segments(c);
    if (sent > 0 || cwnd_limited)
        tcp_cwnd_validate(c, cwnd_limited);
    if (sent > 0) {
        if (tcp_in_reduction(c))
            c->prr_out += sent;
        if (c->state != TCP_SYN_RECEIVED)
            tcp_tlp_schedule(c, false);
    }
    tcp_rate_check_app_limited(c);
    tcp_persist_check(c);
    tcp_send_room_check(c);
}

void tcp_output(struct tcp_connection *c) { output(c, NORMAL); }

void tcp_output_push(struct tcp_connection *c) { output(c, PUSH); }

void tcp_output_hold(struct tcp_connection *c) { output(c, HOLD); }

void tcp_output_on_timer(struct tcp_connection *c) { output(c, NORMAL); }

void tcp_output_after_input(struct tcp_connection *c)
{
    if (c->snd_nxt != c->write_seq || c->has_source)
        output(c, NORMAL);
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
    if (!is_passive)
        tcp_begin_retransmitting(c); // echoes are not older
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
    tcp_refill(c);
    tcp_seq limit = tcp_window_end(c);
    struct candidate next = next_segment(c);
    if (!seq_lt(c->snd_nxt, limit) || (next.length == 0 && !next.with_fin)) {
        tcp_count(c, COUNT_TCP_ZERO_WINDOW_PROBES);
        c->statistics.probes++;
        tcp_send_probe(c);
        return 0;
    }
    uint32_t room = limit - c->snd_nxt, sent = 0;
    if (next.length + next.with_fin > room) {
        next.length = min_u32(next.length, room);
        next.with_fin = false;
    }
    c->push_seq = c->snd_nxt + next.length;
    return send_burst(c, next, &sent);
}
