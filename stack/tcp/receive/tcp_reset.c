// RSTs and challenge ACKs.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

static bool may_answer(const struct tcp_arrival *a)
{
    unsigned group = PACKET_LINK_BROADCAST | PACKET_LINK_MULTICAST;
    return !(a->flags & TCP_RST) && !(a->packet->flags & group);
}

// Whoever owns the port chose the traffic class and the TTL of what leaves it.
static void mark_as_owner(struct stack *stack, uint16_t port,
                          struct packet *packet)
{
    struct endpoint local = {.addr = packet->ip.destination, .port = port};
    const struct tcp_connection *owner =
        tcp_table_find_bound(stack->tcp, &local);
    packet->ip.ttl = (uint8_t)stack->settings->ip_ttl;
    packet->ip.tos = 0;
    if (!owner)
        return;
    packet->ip.tos = owner->socket.tos & 0xfc;
    if (owner->socket.ttl)
        packet->ip.ttl = owner->socket.ttl;
}

// The received packet itself goes back, cut down to a header.
static bool rewrite(struct stack *stack, struct tcp_arrival *a)
{
    struct packet *packet = a->packet;
    packet_push(packet, a->header_length);
    if (packet_make_writable(packet, 0) != 0)
        return false;
    struct tcp_header in;
    if (tcp_parse(packet->data, packet->length, &in) < 0)
        return false;
    packet_trim(packet, TCP_HEADER_SIZE);
    struct tcp_header out = {.source_port = in.destination_port,
                             .destination_port = in.source_port,
                             .header_length = TCP_HEADER_SIZE,
                             .flags = TCP_RST};
    if (a->flags & TCP_ACK) {
        out.seq = a->ack;
    } else {
        out.flags |= TCP_ACK;
        out.ack = a->end_seq;
    }
    tcp_emit(&out, packet->data);
    tcp_fill_checksum(packet->data, packet->length, &packet->ip.destination,
                      &packet->ip.source);
    mark_as_owner(stack, in.destination_port, packet);
    return true;
}

void tcp_reset_reply(struct stack *stack, struct tcp_arrival *a,
                     enum drop_reason reason)
{
    struct packet *packet = a->packet;
    if (!may_answer(a) || !rewrite(stack, a)) {
        a->packet = NULL;
        stack_drop(stack, packet, reason);
        return;
    }
    a->packet = NULL;
    stack_count(stack, COUNT_TCP_RST_OUT);
    stack_count(stack, COUNT_TCP_OUT);
    ip_reply(stack, packet);
}

void tcp_reset_send(struct tcp_connection *c)
{
    tcp_count(c, COUNT_TCP_RST_OUT);
    tcp_segment_send(c, c->snd_nxt, 0, TCP_RST | TCP_ACK);
}

static int reset_error(const struct tcp_connection *c)
{
    switch ((enum tcp_state)c->state) {
    case TCP_SYN_SENT:
    case TCP_SYN_RECEIVED: // after an active open: RFC 9293 3.10.7.4
        return -ECONNREFUSED;
    case TCP_CLOSE_WAIT: // RFC 9293 says reset, Linux EPIPE
        return tcp_settings(c)->tcp_bsd_errors ? -ECONNRESET : -EPIPE;
    default:
        return -ECONNRESET;
    }
}

void tcp_reset_received(struct tcp_connection *c, struct tcp_arrival *a)
{
    tcp_count(c, COUNT_TCP_RST_IN);
    tcp_arrival_done(c, a);
    tcp_end(c, reset_error(c));
}

// --- Challenges -------------------------------------------------------------

enum { OUT_OF_WINDOW_INTERVAL_MS = 500 };

static bool is_rate_limited(struct tcp_connection *c)
{
    uint32_t now_ms = (uint32_t)(tcp_now(c) / NS_PER_MS) | 1;
    if (c->oow_ack_at_ms &&
        now_ms - c->oow_ack_at_ms < OUT_OF_WINDOW_INTERVAL_MS)
        return true;
    c->oow_ack_at_ms = now_ms;
    return false;
}

// RFC 5961 7 is about the whole host, so that an attacker learns nothing from
// who else was challenged; the limit per connection comes first (Linux).
void tcp_challenge_ack(struct tcp_connection *c)
{
    struct tcp_table *table = tcp_table_of(c);
    if (is_rate_limited(c))
        return;
    ns_t second = tcp_now(c) / NS_PER_S;
    if (table->challenge_second != second) {
        table->challenge_second = second;
        table->challenges = 0;
    }
    if (table->challenges >= tcp_settings(c)->tcp_challenge_ack_limit)
        return;
    table->challenges++;
    tcp_count(c, COUNT_TCP_CHALLENGE_ACKS);
    tcp_send_ack(c);
}

void tcp_out_of_window_ack(struct tcp_connection *c,
                           const struct tcp_arrival *a)
{
    if (a->payload == 0 && !(a->flags & TCP_SYN) && is_rate_limited(c))
        return;
    tcp_send_ack(c);
}
