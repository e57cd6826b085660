// A segment comes up from IP: checks, its owner, header prediction.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ipv4.h"

// Header prediction (Jacobson 1990): in an established connection most segments
// are the next in order or a plain ACK. Those skip option parsing and the steps
// of RFC 9293 3.10.7.4 whose answer is known.

void tcp_arrival_drop(struct tcp_connection *c, struct tcp_arrival *a,
                      enum drop_reason reason)
{
    struct packet *packet = a->packet;
    a->packet = NULL;
    if (packet)
        stack_drop(tcp_stack(c), packet, reason);
}

void tcp_arrival_done(struct tcp_connection *c, struct tcp_arrival *a)
{
    struct packet *packet = a->packet;
    a->packet = NULL;
    if (packet)
        stack_deliver(tcp_stack(c), packet);
}

// --- Header -----------------------------------------------------------------

static bool checksum_is_good(const struct packet *packet)
{
    return (packet->flags & PACKET_CHECKSUM_GOOD) ||
           tcp_checksum_is_good(packet->data, packet->length,
                                &packet->ip.source, &packet->ip.destination);
}

static void fill(struct tcp_arrival *a, const struct tcp_header *h,
                 struct packet *packet)
{
    a->packet = packet;
    a->seq = h->seq;
    a->ack = h->ack;
    a->flags = h->flags;
    a->header_length = h->header_length;
    a->payload = packet->length - h->header_length;
    a->end_seq = h->seq + a->payload + ((h->flags & TCP_SYN) != 0) +
                 ((h->flags & TCP_FIN) != 0);
    a->window_field = h->window;
    a->window = h->window;
    a->urgent = h->urgent;
    a->ecn = packet->ip.tos & 3;
    a->has_isn = false;
}

static void parse_options(struct tcp_arrival *a)
{
    const uint8_t *bytes = a->packet->data + TCP_HEADER_SIZE;
    a->options = (struct tcp_options){0};
    tcp_options_parse(bytes, a->header_length - (size_t)TCP_HEADER_SIZE,
                      &a->options);
}

// --- Header prediction ------------------------------------------------------

static bool has_expected_options(const struct tcp_connection *c,
                                 struct tcp_arrival *a)
{
    const uint8_t *bytes = a->packet->data + TCP_HEADER_SIZE;
    a->options.sack_count = 0;
    a->options.has_timestamps = c->has_timestamps;
    if (!c->has_timestamps)
        return a->header_length == TCP_HEADER_SIZE;
    if (a->header_length != TCP_HEADER_SIZE + 12 ||
        get_be32(bytes) != 0x0101080a)
        return false;
    a->options.ts_value = get_be32(bytes + 4);
    a->options.ts_echo = get_be32(bytes + 8);
    return (int32_t)(a->options.ts_value - c->ts_recent) >= 0;
}

static bool is_predicted(const struct tcp_connection *c, struct tcp_arrival *a)
{
    uint32_t window = (uint32_t)a->window_field << c->snd_wscale;
    return c->state == TCP_ESTABLISHED &&
           (a->flags & (uint8_t)~TCP_PSH) == TCP_ACK && a->seq == c->rcv_nxt &&
           window == c->snd_wnd && !c->gaps && !c->urgent_valid &&
           seq_ge(a->ack, c->snd_una) && seq_le(a->ack, c->snd_nxt) &&
           a->payload <= tcp_window_left(c) && !c->receive_shutdown &&
           !c->has_ecn && has_expected_options(c, a);
}

static void input_predicted(struct tcp_connection *c, struct tcp_arrival *a)
{
    tcp_count(c, COUNT_TCP_FAST_PATH);
    a->window = c->snd_wnd;
    packet_pull(a->packet, a->header_length);
    if (a->payload == 0 || a->ack != c->snd_una) {
        if (!tcp_ack_process(c, a))
            return;
    } else if (c->has_timestamps && seq_le(a->seq, c->rcv_wup)) {
        c->ts_recent = a->options.ts_value;
        c->ts_recent_s = (uint32_t)(tcp_now(c) / NS_PER_S);
    }
    if (a->payload > 0)
        tcp_receive_text(c, a);
    else
        tcp_arrival_done(c, a);
    tcp_output_after_input(c);
}

// --- Connections ------------------------------------------------------------

static void input_states(struct tcp_connection *c, struct tcp_arrival *a)
{
    if (c->state == TCP_SYN_SENT)
        tcp_syn_sent_input(c, a);
    else
        tcp_process(c, a);
    tcp_arrival_drop(c, a, DROP_TCP_UNEXPECTED); // unless somebody took it
}

static void input_connection(struct tcp_connection *c, struct tcp_arrival *a)
{
    c->statistics.segments_in++;
    c->statistics.data_segments_in += a->payload > 0;
    if (is_predicted(c, a)) {
        input_predicted(c, a);
        return;
    }
    parse_options(a);
    packet_pull(a->packet, a->header_length);
    if (!(a->flags & TCP_SYN))
        a->window <<= c->snd_wscale;
    input_states(c, a);
}

static void input_listener(struct stack *stack, struct tcp_arrival *a,
                           const struct endpoint *local, unsigned iface_index)
{
    struct tcp_connection *listener =
        tcp_table_find_listener(stack->tcp, local, (uint16_t)iface_index);
    if (!listener) {
        tcp_reset_reply(stack, a, DROP_TCP_NO_SOCKET);
        return;
    }
    tcp_hold(listener);
    tcp_listen_input(listener, a);
    tcp_release(listener);
}

// Addressed to one host, by IP and by the link (RFC 9293 3.10.7.2, RFC 1122
// 4.2.3.10). A connection's own address is.
static bool is_unicast(const struct packet *packet)
{
    unsigned group = PACKET_LINK_BROADCAST | PACKET_LINK_MULTICAST;
    return !(packet->flags & group) &&
           !ip_addr_is_multicast(&packet->ip.destination) &&
           !ip_addr_is_broadcast(&packet->ip.destination) &&
           !ip_addr_is_multicast(&packet->ip.source) &&
           !(packet->iface &&
             iface_is_broadcast(packet->iface, &packet->ip.destination));
}

static void dispatch(struct stack *stack, struct tcp_arrival *a,
                     const struct tcp_header *h)
{
    struct packet *packet = a->packet;
    unsigned index = packet->iface ? packet->iface->index : 0;
    struct endpoint local = {.addr = packet->ip.destination,
                             .port = h->destination_port};
    struct endpoint remote = {.addr = packet->ip.source,
                              .port = h->source_port};
    struct tcp_connection *c = tcp_table_find(stack, &local, &remote);
    if (!c && !is_unicast(packet)) {
        a->packet = NULL;
        stack_drop(stack, packet, DROP_TCP_UNEXPECTED);
        return;
    }
    if (!c) {
        parse_options(a);
        packet_pull(packet, a->header_length);
        input_listener(stack, a, &local, index);
        return;
    }
    tcp_hold(c);
    bool is_new_incarnation = false;
    if (c->state == TCP_TIME_WAIT) {
        c->statistics.segments_in++;
        parse_options(a);
        packet_pull(packet, a->header_length);
        is_new_incarnation = tcp_time_wait_input(c, a);
    } else {
        input_connection(c, a);
    }
    tcp_trace_update(c);
    tcp_release(c);
    if (is_new_incarnation)
        input_listener(stack, a, &local, index);
}

void tcp_input(struct stack *stack, struct packet *packet)
{
    struct tcp_header h;
    stack_count(stack, COUNT_TCP_IN);
    if (tcp_parse(packet->data, packet->length, &h) < 0) {
        stack_drop(stack, packet, DROP_TCP_BAD);
        return;
    }
    if (!checksum_is_good(packet)) {
        stack_drop(stack, packet, DROP_TCP_BAD_CHECKSUM);
        return;
    }
    struct tcp_arrival a;
    fill(&a, &h, packet);
    dispatch(stack, &a, &h);
    must(a.packet == NULL);
}

const struct transport_protocol tcp_protocol = {
    .name = "tcp",
    .protocol = IP_PROTOCOL_TCP,
    .family = IP_NONE,
    .input = tcp_input,
    .error = tcp_icmp_error,
    .checks_errors = true,
    .init = tcp_table_create,
    .fini = tcp_table_destroy,
};
