// The sender's state between a loss and its repair.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// State      means                                   leaves it
// OPEN       nothing unusual                         -
// DISORDER   SACKs or duplicate ACKs, no loss yet    order restored, or loss
// CWR        the window is being reduced (ECN, TLP)  high_seq acknowledged
// RECOVERY   losses are being repaired, window       high_seq acknowledged,
//            reduced by PRR (RFC 6937)               or found to be spurious
// LOSS       after a timeout, slow start (RFC 5681   high_seq acknowledged,
//            3.1); F-RTO (RFC 5682) looks whether    or found to be spurious
//            it was spurious
//
// high_seq is snd_nxt at the beginning of the episode. has_undo and undo_marker
// say that the reduction could be taken back when every retransmission of the
// episode (undo_retrans) proves needless; tcp_undo.c does it.

void tcp_set_ca_state(struct tcp_connection *c, enum tcp_ca_state state)
{
    c->ca_state = (uint8_t)state;
    tcp_congestion_sync(c);
    if (c->cc.ops && c->cc.ops->on_state)
        c->cc.ops->on_state(&c->cc, state);
}

// --- Entering ---------------------------------------------------------------

// What undo would go back to: ssthresh, or three quarters of cwnd.
static uint32_t current_ssthresh(const struct tcp_connection *c)
{
    if (tcp_in_reduction(c))
        return c->cc.ssthresh;
    uint32_t segments = tcp_cwnd_segments(c);
    uint32_t most = (segments - segments / 4) * c->cc.mss;
    return max_u32(c->cc.ssthresh, most);
}

static void init_undo(struct tcp_connection *c)
{
    c->has_undo = true;
    c->undo_marker = c->snd_una;
    c->undo_retrans = c->retrans_out;
    c->undo_is_fresh = c->retrans_out == 0;
}

void tcp_recovery_enter(struct tcp_connection *c, bool is_ece)
{
    c->statistics.fast_retransmits++;
    tcp_count(c, COUNT_TCP_FAST_RETRANSMITS);
    c->cc.prior_ssthresh = 0;
    init_undo(c);
    if (!tcp_in_reduction(c)) {
        if (!is_ece)
            c->cc.prior_ssthresh = current_ssthresh(c);
        tcp_cwnd_begin_reduction(c);
    }
    tcp_set_ca_state(c, TCP_CA_RECOVERY);
}

void tcp_recovery_enter_cwr(struct tcp_connection *c)
{
    c->cc.prior_ssthresh = 0;
    if (c->ca_state >= TCP_CA_CWR)
        return;
    c->has_undo = false;
    tcp_cwnd_begin_reduction(c);
    tcp_set_ca_state(c, TCP_CA_CWR);
}

void tcp_recovery_pass_cwr(struct tcp_connection *c)
{
    tcp_cwnd_begin_reduction(c);
    tcp_set_ca_state(c, TCP_CA_CWR);
    tcp_cwnd_end_reduction(c);
    tcp_keep_open(c);
}

// --- Timeout ----------------------------------------------------------------

static void forget_sack(struct tcp_connection *c, struct tcp_segment *s)
{
    if (!(s->flags & SEGMENT_SACKED))
        return;
    s->flags &= (uint16_t)~SEGMENT_SACKED;
    s->newer = SEGMENT_NONE;
    c->sacked_out--;
}

// The timer expired although the first record is SACKed: the peer has thrown
// it away (RFC 2018 8).
static void mark_after_timeout(struct tcp_connection *c)
{
    const struct tcp_segments *q = &c->segments;
    bool is_reneging =
        (tcp_segment_at(c, q->first)->flags & SEGMENT_SACKED) != 0;
    c->is_reneging |= is_reneging;
    if (!c->has_sack)
        c->sacked_out = 0;
    for (uint32_t p = q->first; p != q->last; p++) {
        struct tcp_segment *s = tcp_segment_at(c, p);
        if (is_reneging)
            forget_sack(c, s);
        else if (tcp_uses_rack(c) && p != q->first &&
                 tcp_rack_time_left(c, s, 0) > 0)
            continue; // too young to be lost
        tcp_mark_lost(c, p);
    }
    c->retransmit_hint = q->first;
}

static bool is_new_episode(const struct tcp_connection *c)
{
    return c->ca_state <= TCP_CA_DISORDER || seq_le(c->high_seq, c->snd_una) ||
           (c->ca_state == TCP_CA_LOSS && c->retransmits == 0);
}

void tcp_recovery_enter_loss(struct tcp_connection *c)
{
    bool was_calm = c->ca_state < TCP_CA_RECOVERY;
    mark_after_timeout(c);
    if (is_new_episode(c)) {
        c->cc.prior_ssthresh = current_ssthresh(c);
        c->cc.prior_cwnd = c->cc.cwnd;
        tcp_congestion_sync(c);
        c->cc.ssthresh = c->cc.ops->ssthresh(&c->cc);
        if (c->cc.ops->on_event)
            c->cc.ops->on_event(&c->cc, CONGESTION_LOSS);
        init_undo(c);
    }
    c->cc.cwnd = (tcp_packets_in_flight(c) + 1) * c->cc.mss;
    // So many duplicates and still a timeout: reordering was overestimated.
    int64_t usual = tcp_settings(c)->tcp_duplicate_threshold;
    if (c->ca_state <= TCP_CA_DISORDER && c->sacked_out >= usual)
        c->duplicate_threshold =
            (uint8_t)min_i64(c->duplicate_threshold, usual);
    tcp_set_ca_state(c, TCP_CA_LOSS);
    c->high_seq = c->snd_nxt;
    c->has_tlp = false;
    c->ecn_send_cwr = c->has_ecn;
    // RFC 5682 2.1 step 1.
    c->frto = tcp_settings(c)->tcp_frto && (was_calm || c->retransmits > 0);
}

// --- On ACKs ----------------------------------------------------------------

static void identify_losses(struct tcp_connection *c, struct tcp_ack_news *news)
{
    if (c->packets_out == 0)
        return;
    if (!c->has_sack) {
        tcp_reno_mark_lost(c, news->flags & ACK_UNA_ADVANCED);
    } else if (tcp_uses_rack(c)) {
        uint32_t retrans_out = c->retrans_out;
        if (tcp_rack_mark_lost(c))
            news->flags &= ~ACK_SET_TIMER;
        if (c->retrans_out < retrans_out)
            news->flags |= ACK_LOST_RETRANSMIT;
    } else {
        tcp_sack_mark_by_count(c, false);
    }
}

static bool is_time_to_recover(const struct tcp_connection *c)
{
    if (c->lost_out > 0)
        return true;
    return c->has_sack && !tcp_uses_rack(c) &&
           c->sacked_out >= c->duplicate_threshold;
}

static void try_to_open(struct tcp_connection *c, uint32_t flags)
{
    if (!tcp_any_retransmitted(c))
        c->retransmit_started = 0;
    if (flags & ACK_ECE)
        tcp_recovery_enter_cwr(c);
    if (c->ca_state != TCP_CA_CWR)
        tcp_keep_open(c);
}

// RFC 2018 8: snd_una reached a record that was SACKed before. Maybe just
// reordered; if it stays so for a while, the timer believes it.
static bool check_reneging(struct tcp_connection *c, struct tcp_ack_news *news)
{
    unsigned both = ACK_RENEGED | ACK_UNA_ADVANCED;
    if ((news->flags & both) != both)
        return false;
    ns_t wait = max_i64((c->srtt_us >> 4) * NS_PER_US, 10 * NS_PER_MS);
    tcp_retransmit_timer_set(c, TCP_RETRANSMIT_RTO, wait);
    news->flags &= ~ACK_SET_TIMER;
    return true;
}

// Everything up to high_seq is acknowledged. True: nothing more to do.
static bool episode_is_over(struct tcp_connection *c)
{
    if (c->ca_state == TCP_CA_CWR) {
        if (c->snd_una != c->high_seq) {
            tcp_cwnd_end_reduction(c);
            tcp_set_ca_state(c, TCP_CA_OPEN);
        }
    } else if (c->ca_state == TCP_CA_RECOVERY) {
        if (!c->has_sack)
            c->sacked_out = 0;
        if (tcp_undo_recovery(c))
            return true;
        tcp_cwnd_end_reduction(c);
    }
    return false;
}

// RFC 5682 2.1 steps 2 and 3, RFC 5682 3.1 with SACK. True: decided what to
// send.
static bool follow_frto(struct tcp_connection *c, struct tcp_ack_news *news,
                        uint32_t duplicates, bool is_over)
{
    if ((news->flags & ACK_ORIGINAL_SACKED) && tcp_undo_loss(c, true))
        return true;
    if (seq_gt(c->snd_nxt, c->high_seq)) {
        if ((news->flags & ACK_DATA_SACKED) || duplicates)
            c->frto = false; // the loss was real
    } else if ((news->flags & ACK_UNA_ADVANCED) && !is_over) {
        c->high_seq = c->snd_nxt;
        bool has_new = tcp_unsent(c) > 0 || tcp_fin_unsent(c);
        if (has_new && seq_gt(tcp_window_end(c), c->snd_nxt)) {
            news->resend = RESEND_NEW;
            return true;
        }
        c->frto = false;
    }
    return false;
}

static void process_loss(struct tcp_connection *c, struct tcp_ack_news *news,
                         uint32_t duplicates)
{
    bool is_over = seq_ge(c->snd_una, c->high_seq);
    if ((news->flags & ACK_UNA_ADVANCED) && tcp_undo_loss(c, false))
        return;
    if (c->frto && follow_frto(c, news, duplicates, is_over))
        return;
    if (is_over) {
        tcp_undo_recovery(c);
        return;
    }
    if (!c->has_sack) {
        if (seq_gt(c->snd_nxt, c->high_seq) && duplicates)
            tcp_reno_sack_add(c, duplicates);
        else if (news->flags & ACK_UNA_ADVANCED)
            c->sacked_out = 0;
    }
    news->resend = RESEND_LOST;
}

// True: the losses are to be repaired.
static bool process_recovery(struct tcp_connection *c,
                             struct tcp_ack_news *news, uint32_t duplicates)
{
    if (!(news->flags & ACK_UNA_ADVANCED)) {
        if (!c->has_sack)
            tcp_reno_sack_add(c, duplicates);
    } else if (tcp_undo_partial(c, news->prior_una)) {
        return false;
    }
    if (tcp_undo_by_dsack(c))
        try_to_open(c, news->flags);
    identify_losses(c, news);
    if (c->ca_state == TCP_CA_RECOVERY)
        return true;
    if (!is_time_to_recover(c)) // it was undone
        return false;
    tcp_recovery_enter(c, news->flags & ACK_ECE);
    return true;
}

static bool process_calm(struct tcp_connection *c, struct tcp_ack_news *news,
                         uint32_t duplicates)
{
    if (!c->has_sack) {
        if (news->flags & ACK_UNA_ADVANCED)
            c->sacked_out = 0;
        tcp_reno_sack_add(c, duplicates);
    }
    if (c->ca_state <= TCP_CA_DISORDER)
        tcp_undo_by_dsack(c);
    identify_losses(c, news);
    if (!is_time_to_recover(c)) {
        try_to_open(c, news->flags);
        return false;
    }
    if (tcp_mtu_probe_is_lost(c))
        return false;
    tcp_recovery_enter(c, news->flags & ACK_ECE);
    if (c->has_sack && !tcp_uses_rack(c))
        tcp_sack_mark_by_count(c, true);
    return true;
}

static bool process_state(struct tcp_connection *c, struct tcp_ack_news *news,
                          uint32_t duplicates)
{
    if (c->ca_state == TCP_CA_RECOVERY)
        return process_recovery(c, news, duplicates);
    if (c->ca_state != TCP_CA_LOSS)
        return process_calm(c, news, duplicates);
    process_loss(c, news, duplicates);
    identify_losses(c, news);
    if (c->ca_state != TCP_CA_OPEN && !(news->flags & ACK_LOST_RETRANSMIT))
        return false;
    return process_calm(c, news, duplicates);
}

void tcp_recovery_on_ack(struct tcp_connection *c, struct tcp_ack_news *news,
                         uint32_t duplicates)
{
    if (c->packets_out == 0)
        c->sacked_out = 0;
    if (news->flags & ACK_ECE)
        c->cc.prior_ssthresh = 0;
    if (check_reneging(c, news))
        return;
    if (c->ca_state == TCP_CA_OPEN)
        c->retransmit_started = 0;
    else if (seq_ge(c->snd_una, c->high_seq) && episode_is_over(c))
        return;
    if (process_state(c, news, duplicates))
        news->resend = RESEND_LOST;
}
