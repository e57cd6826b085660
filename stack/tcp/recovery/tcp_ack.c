// An ACK: what it acknowledges, what that says about the path, what follows.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// The order matters: the scoreboard first (SACK), then the records that are
// acknowledged for good, then loss detection and the state of recovery, then
// the congestion window, and only then retransmissions; new data is sent by the
// caller when the text has been processed as well. The cost is that of the
// news: records acknowledged or SACKed for the first time, or newly lost.

// --- Window and timestamps --------------------------------------------------

// RFC 7323 4.3: the timestamp of the segment that spans the last ACK sent.
static void take_timestamp(struct tcp_connection *c,
                           const struct tcp_arrival *a)
{
    if (!c->has_timestamps || !a->options.has_timestamps ||
        seq_gt(a->seq, c->rcv_wup) ||
        (int32_t)(a->options.ts_value - c->ts_recent) < 0)
        return;
    c->ts_recent = a->options.ts_value;
    c->ts_recent_s = (uint32_t)(tcp_now(c) / NS_PER_S);
}

// RFC 9293 3.10.7.4: only a newer segment may change the window.
static bool may_update_window(const struct tcp_connection *c,
                              const struct tcp_arrival *a)
{
    return seq_gt(a->ack, c->snd_una) || seq_gt(a->seq, c->snd_wl1) ||
           (a->seq == c->snd_wl1 && a->window > c->snd_wnd);
}

static void update_window(struct tcp_connection *c, const struct tcp_arrival *a,
                          struct tcp_ack_news *news)
{
    if (!may_update_window(c, a))
        return;
    c->snd_wl1 = a->seq;
    if (a->window == c->snd_wnd)
        return;
    news->flags |= ACK_WINDOW_UPDATE;
    c->snd_wnd = a->window;
    if (a->window > c->max_window) {
        c->max_window = a->window;
        tcp_sync_mss(c);
    }
}

// --- Records that are acknowledged ------------------------------------------

static void count_delivered(struct tcp_connection *c,
                            const struct tcp_ack_news *news)
{
    c->delivered++;
    if (news->flags & ACK_ECE)
        c->delivered_ce++;
}

static void record_is_acked(struct tcp_connection *c, struct tcp_segment *s,
                            struct tcp_ack_news *news)
{
    if (s->flags & SEGMENT_EVER_RETRANSMITTED) {
        if (s->flags & SEGMENT_RETRANSMITTED)
            c->retrans_out--;
        news->flags |= ACK_RETRANS_ACKED;
    } else if (!(s->flags & SEGMENT_SACKED)) {
        news->last_sent = s->sent_at;
        if (news->first_sent < 0)
            news->first_sent = s->sent_at;
        if (!news->has_reordered || seq_lt(s->seq, news->reordered))
            news->reordered = s->seq;
        news->has_reordered = true;
        if (!seq_gt(s->end_seq, c->high_seq))
            news->flags |= ACK_ORIGINAL_SACKED;
    }
    if (s->flags & SEGMENT_SACKED) {
        c->sacked_out--;
    } else if (c->has_sack) {
        count_delivered(c, news);
        tcp_rack_advance(c, s);
    }
    if (s->flags & SEGMENT_LOST)
        c->lost_out--;
    c->packets_out--;
    news->acked_segments++;
    tcp_rate_delivered(c, s, news);
    news->flags |= s->flags & SEGMENT_SYN ? ACK_SYN_ACKED : ACK_DATA_ACKED;
    if (s->flags & SEGMENT_SYN)
        c->retransmit_started = 0;
}

// SYN and FIN are numbers without bytes.
static void release_bytes(struct tcp_connection *c, tcp_seq prior_una)
{
    uint32_t bytes = c->snd_una - prior_una;
    if (prior_una == c->iss && c->stream_acked == 0 && bytes > 0)
        bytes--;
    if (c->fin_queued && c->snd_una == c->write_seq && bytes > 0)
        bytes--;
    tcp_buffer_release(c, bytes);
}

static void pop_acked(struct tcp_connection *c, struct tcp_ack_news *news)
{
    while (c->segments.first != c->segments.last) {
        struct tcp_segment *s = tcp_segment_at(c, c->segments.first);
        if (seq_gt(s->end_seq, c->snd_una)) {
            if (seq_lt(s->seq, c->snd_una))
                s->seq = c->snd_una; // a part of it
            if (s->flags & SEGMENT_SACKED)
                news->flags |= ACK_RENEGED;
            break;
        }
        record_is_acked(c, s, news);
        tcp_segments_pop(c);
    }
}

// --- RTT --------------------------------------------------------------------

// Karn: a record that was sent twice times nothing, but its echo does.
static ns_t rtt_by_echo(const struct tcp_connection *c,
                        const struct tcp_arrival *a)
{
    if (!c->has_timestamps || !a->options.has_timestamps ||
        a->options.ts_echo == 0)
        return -1;
    uint32_t ms = tcp_timestamp(c) - a->options.ts_echo;
    return ms < INT32_MAX ? max_i64(ms, 1) * NS_PER_MS : -1;
}

static void take_rtt(struct tcp_connection *c, const struct tcp_arrival *a,
                     struct tcp_ack_news *news)
{
    ns_t now = tcp_now(c), rtt = -1;
    if (news->first_sent >= 0 && !(news->flags & ACK_RETRANS_ACKED)) {
        rtt = now - news->first_sent;
        news->rtt = now - news->last_sent;
    }
    if (news->sack_first >= 0) {
        if (rtt < 0)
            rtt = now - news->sack_first;
        if (news->rtt < 0)
            news->rtt = now - news->sack_last;
    }
    if (rtt < 0 && (news->flags & ACK_ACKED)) {
        rtt = rtt_by_echo(c, a);
        news->rtt = rtt;
    }
    if (rtt < 0)
        return;
    tcp_min_rtt_update(c, news->rtt);
    tcp_rtt_sample(c, rtt);
}

static void clean_records(struct tcp_connection *c, const struct tcp_arrival *a,
                          struct tcp_ack_news *news)
{
    release_bytes(c, news->prior_una);
    pop_acked(c, news);
    tcp_mtu_probe_acked(c);
    if (!c->snd_urgent || seq_le(c->snd_up, c->snd_una))
        c->snd_urgent = false;
    take_rtt(c, a, news);
    if (!(news->flags & ACK_ACKED))
        return;
    news->flags |= ACK_SET_TIMER;
    if (!c->has_sack) {
        tcp_reno_sack_remove(c, news->acked_segments);
        if (news->flags & ACK_RETRANS_ACKED)
            news->flags &= ~ACK_ORIGINAL_SACKED;
    } else if (news->has_reordered &&
               seq_lt(news->reordered, news->prior_highest_sack)) {
        tcp_note_reordering(c, news->reordered);
    }
}

// --- After the records ------------------------------------------------------

static bool is_dubious(const struct tcp_connection *c,
                       const struct tcp_ack_news *news)
{
    return !(news->flags & ACK_NOT_DUPLICATE) ||
           (news->flags & (ACK_DATA_SACKED | ACK_ECE | ACK_DSACK)) ||
           c->ca_state != TCP_CA_OPEN;
}

static uint32_t duplicates_of(const struct tcp_ack_news *news)
{
    unsigned progress = ACK_UNA_ADVANCED | ACK_NOT_DUPLICATE | ACK_DSACK;
    return !(news->flags & progress);
}

static void react(struct tcp_connection *c, struct tcp_ack_news *news)
{
    if (!is_dubious(c, news))
        return;
    uint32_t duplicates = duplicates_of(news);
    if (duplicates) {
        c->statistics.duplicate_acks++;
        tcp_count(c, COUNT_TCP_DUP_ACKS_IN);
    }
    tcp_recovery_on_ack(c, news, duplicates);
}

static void resend(struct tcp_connection *c, const struct tcp_ack_news *news)
{
    if (news->resend == RESEND_NOTHING)
        return;
    if (news->resend == RESEND_NEW) {
        tcp_output_push(c);
        if (c->state == TCP_CLOSED || seq_gt(c->snd_nxt, c->high_seq))
            return;
        c->frto = false;
    }
    tcp_retransmit_lost(c);
}

// The window may have opened for what waited: the output will see. Otherwise
// the probing goes on.
static void nothing_outstanding(struct tcp_connection *c,
                                struct tcp_ack_news *news)
{
    if (news->flags & ACK_DSACK)
        react(c, news);
    bool is_persisting = tcp_deadline_is_set(c, TCP_DEADLINE_RETRANSMIT) &&
                         c->retransmit_kind == TCP_RETRANSMIT_PERSIST;
    if (!is_persisting)
        return;
    tcp_seq next = c->snd_nxt + min_u32(tcp_unsent(c), c->mss);
    if (seq_le(next, tcp_window_end(c)) &&
        seq_lt(c->snd_nxt, tcp_window_end(c))) {
        c->backoff = 0;
        c->retransmit_started = 0;
        tcp_deadline_clear(c, TCP_DEADLINE_RETRANSMIT);
    } else {
        tcp_retransmit_timer_set(c, TCP_RETRANSMIT_PERSIST, tcp_rto(c));
    }
}

static void after_records(struct tcp_connection *c, const struct tcp_arrival *a,
                          struct tcp_ack_news *news)
{
    tcp_rack_update_window(c, news);
    if (c->has_tlp)
        tcp_tlp_process_ack(c, a->ack, news->flags);
    tcp_congestion_on_delivered(c, news);
    react(c, news);
    if ((news->flags & ACK_SET_TIMER) && !tcp_tlp_schedule(c, true))
        tcp_rearm_rto(c);
    tcp_congestion_on_ack(c, news);
    resend(c, news);
}

static void begin(struct tcp_connection *c, const struct tcp_arrival *a,
                  struct tcp_ack_news *news)
{
    *news = (struct tcp_ack_news){
        .prior_una = c->snd_una,
        .prior_packets = c->packets_out,
        .prior_in_flight = tcp_packets_in_flight(c),
        .prior_delivered = c->delivered,
        .prior_lost = c->lost,
        .prior_sacked = c->sacked_out,
        .prior_highest_sack = tcp_highest_sack(c),
        .first_sent = -1,
        .sack_first = -1,
        .rtt = -1,
        .sample_delivered_at = -1,
    };
    c->rcv_echo = a->options.has_timestamps ? a->options.ts_echo : 0;
    if (a->payload > 0)
        news->flags |= ACK_DATA;
    if ((a->flags & TCP_ECE) && c->has_ecn && !(a->flags & TCP_SYN))
        news->flags |= ACK_ECE;
}

// --- Old ACKs ---------------------------------------------------------------

// RFC 5961 5.2: an ACK further behind than a window was forged or is very old.
static bool old_ack(struct tcp_connection *c, struct tcp_arrival *a,
                    struct tcp_ack_news *news)
{
    uint64_t most = c->max_window;
    if (c->stream_acked < most)
        most = c->stream_acked + 1; // never beyond the ISN
    if (c->snd_una - a->ack > most) {
        tcp_challenge_ack(c);
        tcp_arrival_drop(c, a, DROP_TCP_BAD_ACK);
        return false;
    }
    if (a->options.sack_count > 0 && c->has_sack && c->packets_out > 0) {
        tcp_sack_process(c, a, news);
        tcp_recovery_on_ack(c, news, 0);
        resend(c, news);
    }
    return true;
}

static bool unsent_ack(struct tcp_connection *c, struct tcp_arrival *a)
{
    tcp_out_of_window_ack(c, a);
    tcp_arrival_drop(c, a, DROP_TCP_BAD_ACK);
    return false;
}

bool tcp_ack_process(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (seq_gt(a->ack, c->snd_nxt))
        return unsent_ack(c, a);
    struct tcp_ack_news news;
    begin(c, a, &news);
    if (seq_lt(a->ack, c->snd_una))
        return old_ack(c, a, &news);
    take_timestamp(c, a);
    update_window(c, a, &news);
    if (a->ack != c->snd_una) {
        news.flags |= ACK_UNA_ADVANCED;
        c->retransmits = 0;
        c->snd_una = a->ack;
        c->advanced_at = tcp_now(c);
        // RFC 4861 7.3.1: the next hop carries what we send.
        ip_confirm_reachable(tcp_stack(c), &c->path->path);
    }
    news.acked_bytes = c->snd_una - news.prior_una;
    c->soft_error = 0;
    c->probes_out = c->keepalive_probes = 0;
    c->last_ack_at = tcp_now(c);
    if (a->options.sack_count > 0 && c->has_sack)
        tcp_sack_process(c, a, &news);
    if (news.prior_packets == 0) {
        nothing_outstanding(c, &news);
        return true;
    }
    clean_records(c, a, &news);
    after_records(c, a, &news);
    tcp_send_room_check(c);
    return c->state != TCP_CLOSED || (tcp_arrival_done(c, a), false);
}
