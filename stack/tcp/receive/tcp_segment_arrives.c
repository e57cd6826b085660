// RFC 9293 3.10.7.4: a segment arrives in a synchronised state or SYN-RECEIVED.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// One function per step, in the RFC's order. A step answers true when the
// segment goes on to the next one; otherwise it has dealt with it. RFC 5961
// replaces what RFC 793 said about RST and SYN inside the window.

enum { PAWS_FOREVER_S = 24 * 24 * 3600 }; // RFC 7323 5.5

// --- First: sequence number, timestamps -------------------------------------

static bool is_old_timestamp(const struct tcp_connection *c, uint32_t value)
{
    uint32_t now_s = (uint32_t)(tcp_now(c) / NS_PER_S);
    return (int32_t)(c->ts_recent - value) > 1 && c->ts_recent != 0 &&
           now_s - c->ts_recent_s < PAWS_FOREVER_S;
}

// A pure ACK that another one has overtaken changes nothing; to answer it with
// an ACK would only make noise.
static bool is_reordered_ack(const struct tcp_connection *c,
                             const struct tcp_arrival *a)
{
    return a->payload == 0 && a->seq == c->rcv_nxt && a->ack == c->snd_una &&
           !(a->flags & (TCP_SYN | TCP_FIN | TCP_RST)) &&
           a->window == c->snd_wnd &&
           c->ts_recent - a->options.ts_value <= c->rto_us / 1000;
}

bool tcp_paws_rejects(const struct tcp_connection *c,
                      const struct tcp_arrival *a)
{
    return c->has_timestamps && a->options.has_timestamps &&
           is_old_timestamp(c, a->options.ts_value);
}

// BSD: what fits the buffer counts, also where the header's 16 bits could not
// offer it; the first byte right of it is outside (RFC 9293 3.4).
static bool is_in_bsd_window(const struct tcp_connection *c,
                             const struct tcp_arrival *a)
{
    uint32_t window = tcp_window_left(c);
    if (c->state != TCP_SYN_RECEIVED || !c->is_passive)
        window = max_u32(window, tcp_receive_space(c));
    tcp_seq edge = c->rcv_nxt + window;
    return seq_ge(a->end_seq, c->rcv_wup) &&
           (seq_lt(a->seq, edge) || (window == 0 && a->seq == edge));
}

// The left edge is what we acknowledged last rather than rcv_nxt: an ACK that
// rides on data which is owed an ACK still counts (Linux).
static bool is_in_window(const struct tcp_connection *c,
                         const struct tcp_arrival *a)
{
    if (tcp_settings(c)->tcp_bsd_window)
        return is_in_bsd_window(c, a);
    return seq_ge(a->end_seq, c->rcv_wup) &&
           seq_le(a->seq, c->rcv_nxt + tcp_window_left(c));
}

static void answer_unacceptable(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (seq_lt(a->seq, c->rcv_nxt) && a->payload > 0) {
        c->statistics.received_again++;
        tcp_ack_quickly(c, 16);
        tcp_note_duplicate(c, a->seq,
                           seq_gt(a->end_seq, c->rcv_nxt) ? c->rcv_nxt
                                                          : a->end_seq);
    }
    tcp_out_of_window_ack(c, a);
}

static bool check_paws(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!tcp_paws_rejects(c, a) || is_reordered_ack(c, a) ||
        (a->flags & TCP_RST))
        return true;
    answer_unacceptable(c, a);
    tcp_arrival_drop(c, a, DROP_TCP_PAWS);
    return false;
}

static bool check_sequence(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (is_in_window(c, a))
        return true;
    if (a->flags & TCP_RST)
        ; // never answered
    else if (a->flags & TCP_SYN)
        tcp_challenge_ack(c);
    else
        answer_unacceptable(c, a);
    tcp_arrival_drop(c, a, DROP_TCP_OUT_OF_WINDOW);
    return false;
}

// --- Second: RST ------------------------------------------------------------

// RFC 5961 3.2, and a peer that resets after data of which we have SACKed the
// end but lack the middle.
static bool is_exact_reset(const struct tcp_connection *c,
                           const struct tcp_arrival *a)
{
    if (a->seq == c->rcv_nxt)
        return true;
    if (!c->gaps || !c->has_sack)
        return false;
    return a->seq == c->gaps->runs[c->gaps->count - 1].end;
}

static bool check_reset(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!(a->flags & TCP_RST))
        return true;
    if (is_exact_reset(c, a)) {
        tcp_reset_received(c, a);
    } else {
        tcp_challenge_ack(c);
        tcp_arrival_drop(c, a, DROP_TCP_UNEXPECTED);
    }
    return false;
}

// --- Fourth: SYN ------------------------------------------------------------

// Both sides of a simultaneous open answer the other's SYN with SYN-ACK; its
// SYN is old news then, its ACK is not.
static bool is_crossing_syn_ack(const struct tcp_connection *c,
                                const struct tcp_arrival *a)
{
    return c->state == TCP_SYN_RECEIVED && !c->is_passive &&
           (a->flags & TCP_ACK) && a->seq + 1 == c->rcv_nxt &&
           a->ack == c->snd_nxt;
}

static bool check_syn(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!(a->flags & TCP_SYN))
        return true;
    if (is_crossing_syn_ack(c, a)) {
        tcp_note_duplicate(c, a->seq, a->seq + 1);
        c->ack_scheduled = c->ack_now = true;
        a->flags &= (uint8_t) ~(TCP_SYN | TCP_ECE | TCP_CWR);
        a->seq++;
        return true;
    }
    if (c->state == TCP_SYN_RECEIVED && c->is_passive && a->seq != c->irs) {
        tcp_arrival_drop(c, a, DROP_TCP_UNEXPECTED);
        tcp_end(c, 0); // back to LISTEN
        return false;
    }
    tcp_challenge_ack(c);
    tcp_arrival_drop(c, a, DROP_TCP_UNEXPECTED);
    return false;
}

// A SYN that is sent again asks for the SYN-ACK again (also when it is left of
// the window, where it always is).
static bool check_repeated_syn(struct tcp_connection *c, struct tcp_arrival *a)
{
    bool is_repeated = c->state == TCP_SYN_RECEIVED && a->seq == c->irs &&
                       (a->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    if (!is_repeated)
        return true;
    c->syn_retransmitted = true;
    if (!tcp_paws_rejects(c, a))
        tcp_retransmit(c, c->segments.first);
    tcp_arrival_drop(c, a, DROP_TCP_UNEXPECTED);
    return false;
}

// --- Fifth: ACK -------------------------------------------------------------

static bool ack_syn_received(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!(seq_lt(c->snd_una, a->ack) && seq_le(a->ack, c->snd_nxt))) {
        tcp_reset_reply(tcp_stack(c), a, DROP_TCP_BAD_ACK);
        return false;
    }
    if (c->is_passive && !c->is_fast_open && !tcp_listen_child_ready(c)) {
        // The peer will send data or its ACK again; so do we our SYN-ACK.
        if (tcp_settings(c)->tcp_abort_on_overflow) {
            tcp_reset_reply(tcp_stack(c), a, DROP_TCP_BACKLOG_FULL);
            tcp_end(c, 0);
            return false;
        }
        tcp_arrival_drop(c, a, DROP_TCP_BACKLOG_FULL);
        return false;
    }
    tcp_become_established(c, a);
    return true;
}

static bool fin_is_acked(const struct tcp_connection *c)
{
    return c->fin_queued && c->snd_una == c->write_seq;
}

static void enter_fin_wait_2(struct tcp_connection *c)
{
    tcp_set_state(c, TCP_FIN_WAIT_2);
    ns_t limit = tcp_settings(c)->tcp_fin_wait_2;
    if (c->socket.is_orphan && limit > 0)
        tcp_deadline_set(c, TCP_DEADLINE_KEEP, tcp_now(c) + limit);
}

// What the acknowledgement of our FIN does in each state.
static bool ack_of_fin(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!fin_is_acked(c))
        return true;
    if (c->state == TCP_FIN_WAIT_1)
        enter_fin_wait_2(c);
    else if (c->state == TCP_CLOSING)
        tcp_set_state(c, TCP_TIME_WAIT);
    else if (c->state == TCP_LAST_ACK)
        tcp_end(c, 0);
    else
        return true;
    if (c->state != TCP_FIN_WAIT_2)
        tcp_arrival_done(c, a);
    return c->state == TCP_FIN_WAIT_2;
}

static bool check_ack(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!(a->flags & TCP_ACK)) {
        tcp_arrival_drop(c, a, DROP_TCP_UNEXPECTED);
        return false;
    }
    if (c->state == TCP_SYN_RECEIVED && !ack_syn_received(c, a))
        return false;
    if (!tcp_ack_process(c, a) || c->state == TCP_CLOSED)
        return false;
    return ack_of_fin(c, a);
}

// --- Sixth: URG -------------------------------------------------------------

// RFC 6093: the pointer points behind the urgent byte, as everybody does it.
static void check_urgent(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!(a->flags & TCP_URG) || a->urgent == 0 ||
        !tcp_is_in(c, TCP_CAN_RECEIVE))
        return;
    tcp_seq at = a->seq + a->urgent - 1;
    bool is_news = !c->urgent_valid || seq_gt(at, c->rcv_up);
    if (is_news && seq_ge(at, c->copied_seq)) {
        c->rcv_up = at;
        c->urgent_valid = true;
        c->urgent_is_held = c->urgent_was_read = false;
        socket_notify(&c->socket, EVENT_URGENT);
    }
    if (!c->urgent_valid || c->urgent_is_held)
        return;
    uint32_t offset = c->rcv_up - a->seq;
    if (offset < a->payload) {
        c->urgent_byte = a->packet->data[offset];
        c->urgent_is_held = true;
        socket_notify(&c->socket, EVENT_URGENT);
    }
}

// --- Seventh: text ----------------------------------------------------------

// Data for which there is no reader any more: the peer learns it by RST
// (RFC 9293 3.10.4, RFC 1122 4.2.2.13).
static bool is_unwanted(const struct tcp_connection *c,
                        const struct tcp_arrival *a)
{
    return c->socket.is_orphan && a->payload > 0 &&
           seq_gt(a->seq + a->payload, c->rcv_nxt) &&
           tcp_is_in(c, TCP_IN(FIN_WAIT_1) | TCP_IN(FIN_WAIT_2));
}

static bool process_text(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (a->payload == 0)
        return true;
    if (!tcp_is_in(c, TCP_CAN_RECEIVE)) {
        // After the peer's FIN: retransmissions want their ACK again.
        c->ack_scheduled = c->ack_now = true;
        tcp_arrival_drop(c, a, DROP_TCP_UNEXPECTED);
        return true;
    }
    if (is_unwanted(c, a)) {
        tcp_reset_reply(tcp_stack(c), a, DROP_SOCKET_CLOSED);
        tcp_end(c, -ECONNRESET);
        return false;
    }
    tcp_receive_text(c, a);
    return true;
}

// --- Eighth: FIN ------------------------------------------------------------

void tcp_fin_received(struct tcp_connection *c)
{
    c->fin_received = true;
    c->rcv_nxt++;
    c->ack_scheduled = true;
    c->ack_now |= tcp_settings(c)->tcp_quick_acks == 0; // BSD delays data only
    socket_notify(&c->socket, EVENT_PEER_CLOSED | EVENT_READABLE);
    switch ((enum tcp_state)c->state) {
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
        tcp_set_state(c, TCP_CLOSE_WAIT);
        c->pingpong = 1; // our answer is likely to follow soon
        break;
    case TCP_FIN_WAIT_1: // our FIN is not acknowledged, or we were no longer
        tcp_send_ack(c);
        tcp_set_state(c, TCP_CLOSING);
        break;
    case TCP_FIN_WAIT_2:
        tcp_send_ack(c);
        tcp_set_state(c, TCP_TIME_WAIT);
        break;
    default:
        break;
    }
    tcp_gaps_clear(c, DROP_TCP_UNEXPECTED);
}

// A FIN counts when everything before it has arrived; one that is ahead of a
// gap is remembered, for the peer may have no reason to send it again.
static void check_fin(struct tcp_connection *c, const struct tcp_arrival *a)
{
    if (tcp_is_in(c, TCP_CAN_RECEIVE)) {
        tcp_seq at = a->seq + a->payload;
        if (a->flags & TCP_FIN && seq_ge(at, c->rcv_nxt) &&
            seq_le(at, c->rcv_nxt + tcp_window_left(c) + (at == c->rcv_nxt))) {
            c->fin_seq = at;
            c->has_fin_seq = true;
            c->ack_scheduled = true;
            c->ack_now |= at != c->rcv_nxt;
        } else if (a->flags & TCP_FIN) {
            c->ack_scheduled = c->ack_now = true; // where there can be none
        }
        if (c->has_fin_seq && c->fin_seq == c->rcv_nxt)
            tcp_fin_received(c);
    } else if (a->flags & TCP_FIN) {
        c->ack_scheduled = c->ack_now = true; // it was sent again
    }
}

void tcp_process_text(struct tcp_connection *c, struct tcp_arrival *a)
{
    tcp_ecn_received(c, a);
    check_urgent(c, a);
    if (!process_text(c, a))
        return;
    check_fin(c, a);
    tcp_arrival_done(c, a);
    if (c->state != TCP_TIME_WAIT)
        tcp_output_after_input(c);
}

void tcp_process(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (check_repeated_syn(c, a) && check_paws(c, a) && check_sequence(c, a) &&
        check_reset(c, a) && check_syn(c, a) && check_ack(c, a))
        tcp_process_text(c, a);
}
