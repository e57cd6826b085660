// RFC 9293 3.10.7.3: a segment arrives in SYN-SENT.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

enum { WAIT_FOR_WRITER_US = 200000 };

// The echo must be of a SYN of ours (RFC 7323 3.2): anything else comes from an
// earlier incarnation.
static bool is_plausible_echo(const struct tcp_connection *c,
                              const struct tcp_arrival *a)
{
    const struct tcp_options *o = &a->options;
    if (!o->has_timestamps || o->ts_echo == 0 ||
        !tcp_settings(c)->tcp_timestamps)
        return true;
    uint32_t first =
        (uint32_t)(c->retransmit_started / NS_PER_MS) + c->ts_offset;
    return o->ts_echo - first <= tcp_timestamp(c) - first;
}

static bool check_ack(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!(a->flags & TCP_ACK))
        return true;
    bool is_good = seq_gt(a->ack, c->iss) && seq_le(a->ack, c->snd_nxt) &&
                   is_plausible_echo(c, a);
    if (!is_good)
        tcp_reset_reply(tcp_stack(c), a, DROP_TCP_BAD_ACK);
    return is_good;
}

static bool check_reset(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!(a->flags & TCP_RST))
        return true;
    if (a->flags & TCP_ACK)
        tcp_reset_received(c, a);
    return false;
}

static void take_syn(struct tcp_connection *c, struct tcp_arrival *a)
{
    c->irs = a->seq;
    c->rcv_nxt = c->copied_seq = c->rcv_wup = a->seq + 1;
    tcp_negotiate(c, a);
    c->snd_wnd = c->max_window = a->window_field;
    c->snd_wl1 = a->seq;
    tcp_sync_mss(c);
    tcp_window_established(c);
    // ECE of a SYN is an answer, not congestion (RFC 3168 6.1.1).
    a->flags &= (uint8_t) ~(TCP_SYN | TCP_ECE | TCP_CWR);
    a->seq++;
}

static void simultaneous_open(struct tcp_connection *c, struct tcp_arrival *a)
{
    uint8_t ecn = TCP_ECE | TCP_CWR;
    c->has_ecn = (a->flags & ecn) == ecn && tcp_ecn_is_allowed(c);
    take_syn(c, a);
    tcp_set_state(c, TCP_SYN_RECEIVED);
    tcp_retransmit(c, c->segments.first); // our SYN again, now with its ACK
    // RFC 9293 3.10.7.3: text waits until ESTABLISHED. It does so in the
    // receive queue, which cannot be read before. Linux lets it go.
    a->end_seq = a->seq + a->payload;
    if (a->payload > 0 && tcp_settings(c)->tcp_syn_text)
        tcp_receive_text(c, a);
    tcp_arrival_done(c, a);
}

void tcp_syn_sent_input(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!check_ack(c, a) || !check_reset(c, a) || !(a->flags & TCP_SYN))
        return;
    if (!(a->flags & TCP_ACK)) {
        simultaneous_open(c, a);
        return;
    }
    c->has_ecn = c->ecn_asked && (a->flags & (TCP_ECE | TCP_CWR)) == TCP_ECE;
    take_syn(c, a);
    tcp_become_established(c, a);
    if (!tcp_ack_process(c, a))
        return;
    c->ack_scheduled = true;
    // Data of a writer who waits carries the ACK (Linux).
    c->ack_now = !c->writer_waits;
    c->ack_timeout_us = c->writer_waits ? WAIT_FOR_WRITER_US : 0;
    tcp_fast_open_established(c, &a->options);
    tcp_process_text(c, a);
}

void tcp_become_established(struct tcp_connection *c,
                            const struct tcp_arrival *a)
{
    tcp_set_state(c, TCP_ESTABLISHED);
    c->established_at = tcp_now(c);
    c->last_ack_at = c->last_received_at = tcp_now(c);
    c->snd_wnd = c->max_window = a->window;
    c->snd_wl1 = a->seq;
    tcp_sync_mss(c);
    tcp_window_established(c);
    if (!c->is_fast_open)
        tcp_congestion_init(c);
    tcp_mtu_probe_init(c);
    tcp_keepalive_start(c);
    socket_notify(&c->socket,
                  EVENT_WRITABLE | (c->receive_bytes ? EVENT_READABLE : 0));
}
