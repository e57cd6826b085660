// TIME-WAIT: segments of an incarnation that is over.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// A connection in TIME-WAIT keeps its place in the table and its last numbers,
// nothing else. It acknowledges a FIN that comes again; it ends early for a SYN
// that cannot be an old duplicate: its sequence number or its timestamp is
// beyond all that the old incarnation used (RFC 9293 3.6.1, RFC 6191).

static void restart(struct tcp_connection *c)
{
    tcp_deadline_set(c, TCP_DEADLINE_KEEP,
                     tcp_now(c) + tcp_settings(c)->tcp_time_wait);
}

static bool is_new_incarnation(const struct tcp_connection *c,
                               const struct tcp_arrival *a)
{
    if ((a->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_SYN)
        return false;
    bool is_newer = c->has_timestamps && a->options.has_timestamps &&
                    (int32_t)(a->options.ts_value - c->ts_recent) > 0;
    return seq_gt(a->seq, c->rcv_nxt) || is_newer;
}

// A reset or a bare ACK at the very place where the old connection ended.
static void in_place(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (!(a->flags & TCP_RST)) {
        restart(c);
        tcp_arrival_done(c, a);
        return;
    }
    tcp_arrival_done(c, a);
    if (!tcp_settings(c)->tcp_time_wait_guard) // RFC 1337
        tcp_end(c, 0);
}

bool tcp_time_wait_input(struct tcp_connection *c, struct tcp_arrival *a)
{
    bool is_old = tcp_paws_rejects(c, a);
    bool is_empty = a->seq == a->end_seq;
    if (!is_old && a->seq == c->rcv_nxt && (is_empty || (a->flags & TCP_RST))) {
        in_place(c, a);
        return false;
    }
    if (!is_old && is_new_incarnation(c, a)) {
        struct endpoint local = c->socket.local;
        unsigned index = a->packet->iface ? a->packet->iface->index : 0;
        if (tcp_table_find_listener(tcp_table_of(c), &local, (uint16_t)index)) {
            // RFC 6528's clock alone would do, but not with a fixed one.
            a->has_isn = true;
            a->isn = c->snd_nxt + UINT16_MAX + 2;
            tcp_end(c, 0);
            return true;
        }
    }
    if (!(a->flags & TCP_RST) &&
        (is_old || (a->flags & TCP_ACK) || (a->flags & TCP_SYN))) {
        if (a->flags & TCP_ACK)
            restart(c);
        if ((a->flags & TCP_ACK) || !tcp_settings(c)->tcp_bsd_time_wait)
            tcp_out_of_window_ack(c, a);
    }
    tcp_arrival_drop(c, a, DROP_TCP_UNEXPECTED);
    return false;
}
