// Tail loss probes (RFC 8985 7).
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// When the last segments of a flight are lost, no later ones provoke SACKs. A
// probe after two round trips, new data or the last segment once more, makes
// the peer say what it has, long before the timeout would throw the window
// away.

// RFC 8985 7.2. With one segment out the peer may be delaying its ACK.
static ns_t probe_timeout(const struct tcp_connection *c)
{
    if (c->srtt_us == 0)
        return tcp_settings(c)->tcp_initial_rto;
    ns_t timeout = (c->srtt_us >> 2) * NS_PER_US;
    if (c->packets_out == 1)
        return timeout + tcp_settings(c)->tcp_min_rto;
    return timeout + tcp_settings(c)->tcp_timer_slack;
}

static ns_t time_to_rto(struct tcp_connection *c)
{
    const struct tcp_segment *first = tcp_segment_at(c, c->segments.first);
    return first->sent_at + tcp_rto(c) - tcp_now(c);
}

bool tcp_tlp_schedule(struct tcp_connection *c, bool has_advanced)
{
    bool may_probe = tcp_settings(c)->tcp_tail_loss_probe && c->has_sack &&
                     c->packets_out > 0 && c->ca_state != TCP_CA_RECOVERY &&
                     c->ca_state != TCP_CA_LOSS &&
                     c->ca_state != TCP_CA_DISORDER;
    if (!may_probe)
        return false;
    ns_t timeout = probe_timeout(c);
    ns_t rto = has_advanced ? tcp_rto(c) : time_to_rto(c);
    if (rto > 0)
        timeout = min_i64(timeout, rto);
    tcp_retransmit_timer_set(c, TCP_RETRANSMIT_PROBE, timeout);
    return true;
}

static bool probe_with_new_data(struct tcp_connection *c)
{
    uint32_t before = c->packets_out;
    tcp_send_one(c);
    return c->packets_out > before;
}

static bool probe_with_last(struct tcp_connection *c)
{
    if (c->packets_out == 0)
        return false;
    return tcp_retransmit(c, c->segments.last - 1) == 0;
}

void tcp_tlp_on_timer(struct tcp_connection *c)
{
    if (c->packets_out > 0 && !c->has_tlp) {
        bool is_new = probe_with_new_data(c);
        c->tlp_is_retransmission = !is_new;
        if (is_new || probe_with_last(c)) {
            c->has_tlp = true;
            c->tlp_high_seq = c->snd_nxt;
            tcp_rearm_rto(c); // a whole RTO from now
            return;
        }
    }
    if (c->state != TCP_CLOSED)
        tcp_rearm_rto_from_first(c);
}

// RFC 8985 7.4: did the probe repair a loss? Then the window must be reduced.
void tcp_tlp_process_ack(struct tcp_connection *c, tcp_seq ack, uint32_t flags)
{
    if (seq_lt(ack, c->tlp_high_seq))
        return;
    if (!c->tlp_is_retransmission || (flags & ACK_DSACK_PROBE)) {
        c->has_tlp = false;
    } else if (seq_gt(ack, c->tlp_high_seq)) {
        tcp_recovery_pass_cwr(c);
    } else if (!(flags &
                 (ACK_UNA_ADVANCED | ACK_NOT_DUPLICATE | ACK_DATA_SACKED))) {
        c->has_tlp = false; // both the original and the probe arrived
    }
}
