// ICMP errors about segments of ours.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"
#include "stack/wire/bytes.h"

// RFC 5927: an error counts only when it quotes a sequence number that is in
// flight. RFC 1122 4.2.3.9 and RFC 5461: during the handshake a hard error ends
// the attempt; afterwards all are soft: remembered, and reported when the
// connection times out.

static bool quotes_what_is_out(const struct tcp_connection *c, tcp_seq seq)
{
    return seq_ge(seq, c->snd_una) && seq_lt(seq, c->snd_nxt);
}

// RFC 1191, RFC 8201: smaller segments from now on, and what was too large goes
// again at once.
static void too_big(struct tcp_connection *c, uint32_t mtu)
{
    uint32_t mss = c->mss;
    if (!tcp_settings(c)->ip_path_mtu_discovery)
        return;
    path_mtu_update(tcp_stack(c), &c->path->path.destination, mtu);
    if (tcp_path_refresh(c) != 0)
        return;
    tcp_sync_mss(c);
    if (c->state == TCP_SYN_SENT && c->fo_sent_data) {
        c->syn_retransmitted = true; // so that it goes without data
        tcp_retransmit(c, c->segments.first);
        return;
    }
    if (c->mss >= mss || !tcp_is_in(c, TCP_HAS_OUTPUT) || c->packets_out == 0)
        return;
    tcp_retransmit_too_big(c);
}

static bool is_hard(const struct tcp_connection *c,
                    const struct icmp_error *error)
{
    if (error->error == 0)
        return false;
    if (tcp_is_in(c, TCP_IN(SYN_SENT)))
        return true;
    return tcp_is_in(c, TCP_IN(SYN_RECEIVED)) &&
           (!c->is_passive || c->is_fast_open);
}

static void handle(struct tcp_connection *c, const struct icmp_error *error)
{
    bool is_handshake = tcp_is_in(c, TCP_IN(SYN_SENT) | TCP_IN(SYN_RECEIVED));
    socket_record_icmp_error(&c->socket, error);
    if (error->kind == ICMP_ERROR_TOO_BIG)
        too_big(c, error->mtu);
    else if (is_handshake && is_hard(c, error))
        tcp_end(c,
                tcp_settings(c)->tcp_bsd_errors ? -ECONNREFUSED : error->error);
    else if (error->error)
        c->soft_error = (int16_t)error->error;
}

void tcp_icmp_error(struct stack *stack, const struct icmp_error *error)
{
    if (error->transport_length < 8)
        return;
    struct endpoint local = {.addr = error->source,
                             .port = get_be16(error->transport)};
    struct endpoint remote = {.addr = error->destination,
                              .port = get_be16(error->transport + 2)};
    tcp_seq seq = get_be32(error->transport + 4);
    struct tcp_connection *c = tcp_table_find(stack, &local, &remote);
    if (!c || tcp_is_in(c, TCP_IN(CLOSED) | TCP_IN(TIME_WAIT)))
        return;
    if (!quotes_what_is_out(c, seq)) {
        tcp_count(c, COUNT_TCP_ICMP_OUT_OF_WINDOW);
        return;
    }
    tcp_hold(c);
    handle(c, error);
    tcp_trace_update(c);
    tcp_release(c);
}
