// Takes a reduction back when its cause proves spurious (RFC 4015).
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// Three proofs: every retransmission came back as a D-SACK (RFC 3708), the
// echoed timestamp is older than the first retransmission (Eifel, RFC 3522), or
// F-RTO. prior_ssthresh 0 means that there is nothing to go back to (ECN).

bool tcp_any_retransmitted(struct tcp_connection *c)
{
    if (c->retrans_out > 0)
        return true;
    return c->packets_out > 0 && (tcp_segment_at(c, c->segments.first)->flags &
                                  SEGMENT_EVER_RETRANSMITTED);
}

// Nothing was retransmitted, or the echo is of the original.
static bool original_arrived(const struct tcp_connection *c)
{
    // Zero after a repaired loss means nothing: without SACK the state is held
    // beyond the repair.
    if (c->retransmit_started == 0)
        return c->undo_is_fresh;
    if (!c->has_timestamps || c->rcv_echo == 0)
        return false;
    uint32_t began =
        (uint32_t)(c->retransmit_started / NS_PER_MS) + c->ts_offset;
    return (int32_t)(c->rcv_echo - began) < 0;
}

static bool all_were_needless(const struct tcp_connection *c)
{
    return c->undo_retrans == 0 && !c->undo_is_fresh;
}

static bool may_undo(const struct tcp_connection *c)
{
    return c->has_undo && (all_were_needless(c) || original_arrived(c));
}

static void unmark_losses(struct tcp_connection *c)
{
    const struct tcp_segments *q = &c->segments;
    for (uint32_t p = q->first; p != q->last && c->lost_out > 0; p++) {
        struct tcp_segment *s = tcp_segment_at(c, p);
        if (!(s->flags & SEGMENT_LOST))
            continue;
        s->flags &= (uint16_t)~SEGMENT_LOST;
        c->lost_out--;
        tcp_segments_relink(c, p);
    }
}

static void undo_reduction(struct tcp_connection *c, bool unmark)
{
    if (unmark)
        unmark_losses(c);
    if (c->cc.prior_ssthresh != 0) {
        tcp_congestion_sync(c);
        c->cc.cwnd = c->cc.ops->undo ? c->cc.ops->undo(&c->cc)
                                     : max_u32(c->cc.cwnd, c->cc.prior_cwnd);
        if (c->cc.prior_ssthresh > c->cc.ssthresh) {
            c->cc.ssthresh = c->cc.prior_ssthresh;
            c->ecn_send_cwr = false;
        }
    }
    c->has_undo = false;
    c->rack_advanced = true; // look at the remaining ones again
}

void tcp_keep_open(struct tcp_connection *c)
{
    bool is_odd = c->sacked_out + c->lost_out > 0 || tcp_any_retransmitted(c);
    enum tcp_ca_state state = is_odd ? TCP_CA_DISORDER : TCP_CA_OPEN;
    if (c->ca_state == state)
        return;
    tcp_set_ca_state(c, state);
    c->high_seq = c->snd_nxt;
}

bool tcp_undo_recovery(struct tcp_connection *c)
{
    if (may_undo(c))
        undo_reduction(c, false);
    else if (c->reorder_persist > 0)
        c->reorder_persist--;
    // Without SACK the duplicates of our retransmissions look like new losses:
    // wait for something beyond high_seq (RFC 6582 4.1).
    if (c->snd_una == c->high_seq && !c->has_sack) {
        if (!tcp_any_retransmitted(c))
            c->retransmit_started = 0;
        return true;
    }
    tcp_set_ca_state(c, TCP_CA_OPEN);
    c->is_reneging = false;
    return false;
}

bool tcp_undo_by_dsack(struct tcp_connection *c)
{
    if (!c->has_undo || !all_were_needless(c))
        return false;
    c->reorder_persist = (uint8_t)min_u32(16, c->reorder_persist + 1u);
    undo_reduction(c, false);
    return true;
}

bool tcp_undo_loss(struct tcp_connection *c, bool is_frto)
{
    if (!is_frto && !may_undo(c))
        return false;
    undo_reduction(c, true);
    c->retransmits = 0;
    if (is_frto || c->has_sack) {
        tcp_set_ca_state(c, TCP_CA_OPEN);
        c->is_reneging = false;
    }
    return true;
}

// A partial ACK of the original: what seemed lost was late.
bool tcp_undo_partial(struct tcp_connection *c, tcp_seq prior_una)
{
    if (!c->has_undo || !original_arrived(c))
        return false;
    if (c->has_sack)
        tcp_note_reordering(c, prior_una);
    if (c->retrans_out > 0)
        return true; // until those have come back
    if (!tcp_any_retransmitted(c))
        c->retransmit_started = 0;
    undo_reduction(c, true);
    tcp_keep_open(c);
    return false;
}
