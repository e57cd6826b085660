// One stack under test whose TCP peer is the test itself.
// SPDX-License-Identifier: MIT
#include "tests/unit/tcp_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stack/wire/bytes.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"

// --- What the stack sends ---------------------------------------------------

static void note_flags(struct rig *r, const struct tcp_header *h)
{
    char flags[10];
    size_t used = strlen(r->flags_sent);
    tcp_flags_format(h->flags, flags);
    if (used + 12 < sizeof r->flags_sent)
        snprintf(r->flags_sent + used, sizeof r->flags_sent - used, "%s%s",
                 used ? "," : "", flags);
}

static enum net_verdict on_frame(void *context, struct net_frame *frame)
{
    struct rig *r = context;
    const uint8_t *b = frame->packet->data;
    if (get_be16(b + 12) != 0x0800 || b[23] != IP_PROTOCOL_TCP)
        return NET_DROP;
    size_t length = get_be16(b + 16) - (size_t)IPV4_HEADER_SIZE;
    struct rig_sent s = {.time = r->net->now, .tos = b[15]};
    must(tcp_parse(b + 34, length, &s.header) > 0);
    must(tcp_options_parse(b + 54, s.header.header_length - 20u, &s.options) ==
         0);
    s.length = (uint32_t)length - s.header.header_length;
    r->our_port = s.header.source_port;
    note_flags(r, &s.header);
    if (r->sent_count < RIG_MOST_SENT)
        r->sent[r->sent_count++] = s;
    return NET_DROP;
}

void rig_forget_sent(struct rig *r)
{
    r->sent_count = 0;
    r->flags_sent[0] = '\0';
}

const struct rig_sent *rig_last(const struct rig *r)
{
    must(r->sent_count > 0);
    return &r->sent[r->sent_count - 1];
}

// --- What the peer sends ----------------------------------------------------

static void put_headers(uint8_t *frame, uint8_t protocol, uint8_t tos,
                        size_t length)
{
    static const uint8_t link[14] = {2, 0, 0, 0, 0, 1, 2, 9, 9, 9, 9, 9, 8, 0};
    struct ipv4_header ip = {.total_length = (uint16_t)(20 + length),
                             .ttl = 64,
                             .tos = tos,
                             .protocol = protocol,
                             .source = net_addr("10.0.0.9"),
                             .destination = net_addr("10.0.0.1")};
    memcpy(frame, link, sizeof link);
    ipv4_emit(&ip, frame + 14);
}

void rig_inject(struct rig *r, const struct rig_segment *s)
{
    uint8_t frame[14 + 20 + 60 + 2000] = {0};
    uint8_t *tcp = frame + 34;
    size_t options = tcp_options_emit(&s->options, tcp + 20);
    uint16_t window = s->window ? s->window : r->peer_window;
    struct tcp_header h = {.source_port = r->peer_port,
                           .destination_port = r->our_port,
                           .seq = s->seq,
                           .ack = s->ack,
                           .header_length = (uint8_t)(20 + options),
                           .flags = s->flags,
                           .window = s->zero_window ? 0 : window,
                           .urgent = s->urgent};
    struct ip_addr from = net_addr("10.0.0.9"), to = net_addr("10.0.0.1");
    size_t length = 20 + options + s->length;
    must(s->length <= 2000);
    for (size_t i = 0; i < s->length; i++)
        tcp[20 + options + i] = (uint8_t)(s->seq + i);
    put_headers(frame, IP_PROTOCOL_TCP, s->tos, length);
    tcp_emit(&h, tcp);
    tcp_fill_checksum(tcp, length, &from, &to);
    net_inject(r->host, r->host->eth, frame, 34 + length);
}

void rig_inject_icmp(struct rig *r, uint8_t code, uint16_t mtu, tcp_seq seq)
{
    uint8_t frame[14 + 20 + 8 + 28] = {0};
    uint8_t *icmp = frame + 34, *quoted = icmp + 8;
    struct ipv4_header ip = {.total_length = 1500,
                             .ttl = 64,
                             .dont_fragment = true,
                             .protocol = IP_PROTOCOL_TCP,
                             .source = net_addr("10.0.0.1"),
                             .destination = net_addr("10.0.0.9")};
    struct icmp_header h = {
        .type = ICMP4_UNREACHABLE, .code = code, .rest = mtu};
    put_headers(frame, IP_PROTOCOL_ICMP, 0, 8 + 28);
    icmp_emit(&h, icmp);
    ipv4_emit(&ip, quoted);
    put_be16(quoted + 20, r->our_port);
    put_be16(quoted + 22, r->peer_port);
    put_be32(quoted + 24, seq);
    icmp_fill_checksum(icmp, 8 + 28, NULL, NULL);
    net_inject(r->host, r->host->eth, frame, sizeof frame);
}

// --- The connection ---------------------------------------------------------

struct tcp_connection *rig_connection(const struct rig *r)
{
    struct socket *s = NULL;
    while ((s = socket_next(r->host->stack, s)))
        if (((struct tcp_connection *)s)->state != TCP_LISTEN)
            return (struct tcp_connection *)s;
    return NULL;
}

enum tcp_state rig_state(const struct rig *r)
{
    const struct tcp_connection *c = rig_connection(r);
    if (c)
        return (enum tcp_state)c->state;
    return socket_next(r->host->stack, NULL) ? TCP_LISTEN : TCP_CLOSED;
}

void rig_learn(struct rig *r)
{
    const struct tcp_connection *c = rig_connection(r);
    r->rcv_nxt = RIG_PEER_ISN + 1;
    r->snd_una = r->snd_nxt = RIG_ISN + 1;
    if (!c || !c->iss_is_set)
        return;
    r->snd_una = c->snd_una;
    r->snd_nxt = c->snd_nxt;
    if (c->irs)
        r->rcv_nxt = c->rcv_nxt;
}

// --- Life -------------------------------------------------------------------

void rig_create(struct rig *r)
{
    *r = (struct rig){.settings = stack_settings_default,
                      .our_port = RIG_PORT,
                      .peer_port = 4000,
                      .peer_window = 30000};
    r->settings.tcp_timestamps = 0;
    r->settings.tcp_sequence_wrap_test = RIG_ISN;
    r->settings.tcp_receive_buffer = RIG_WINDOW;
    r->settings.tcp_window_scaling = 0;
    r->settings.tcp_autotune = 0;
}

void rig_start(struct rig *r)
{
    r->net = net_create(1);
    r->host = net_add_stack(r->net, "host", &r->settings);
    net_add_iface(r->host, 0, "eth0", 0, "10.0.0.1/24");
    struct ip_addr peer = net_addr("10.0.0.9");
    struct mac_addr mac = {{2, 9, 9, 9, 9, 9}};
    must(stack_set_neighbour(r->host->eth, &peer, &mac) == 0);
    net_set_hook(r->net, on_frame, r);
    must(socket_open(r->host->stack, SOCKET_STREAM, IP_V4, 0, &r->socket) == 0);
}

void rig_destroy(struct rig *r) { net_destroy(r->net); }

void rig_listen(struct rig *r)
{
    struct endpoint any = {.addr = ip_addr_any(IP_V4), .port = RIG_PORT};
    must(socket_bind(r->socket, &any) == 0);
    must(socket_listen(r->socket, 5) == 0);
}

void rig_connect(struct rig *r)
{
    struct endpoint peer = net_endpoint("10.0.0.9:4000");
    must(socket_connect(r->socket, &peer) == -EINPROGRESS);
}

void rig_establish(struct rig *r)
{
    rig_connect(r);
    rig_inject(r, &(struct rig_segment){.flags = TCP_SYN | TCP_ACK,
                                        .seq = RIG_PEER_ISN,
                                        .ack = RIG_ISN + 1});
    rig_learn(r);
}

struct socket *rig_accept(struct rig *r)
{
    struct socket *child;
    return socket_accept(r->socket, &child) == 0 ? child : NULL;
}

// --- On to a state ----------------------------------------------------------

static void send_peer(struct rig *r, uint8_t flags, bool acks_all)
{
    rig_learn(r);
    rig_inject(
        r, &(struct rig_segment){.flags = flags,
                                 .seq = r->rcv_nxt,
                                 .ack = acks_all ? r->snd_nxt : r->snd_una});
}

static void begin(struct rig *r, enum tcp_state state)
{
    switch (state) {
    case TCP_CLOSED:
        break;
    case TCP_LISTEN:
        rig_listen(r);
        break;
    case TCP_SYN_SENT:
        rig_connect(r);
        break;
    case TCP_SYN_RECEIVED:
        rig_listen(r);
        rig_inject(
            r, &(struct rig_segment){.flags = TCP_SYN, .seq = RIG_PEER_ISN});
        break;
    default:
        rig_establish(r);
        break;
    }
}

void rig_reach(struct rig *r, enum tcp_state state)
{
    rig_create(r);
    rig_start(r);
    begin(r, state);
    bool we_close = state == TCP_FIN_WAIT_1 || state == TCP_FIN_WAIT_2 ||
                    state == TCP_CLOSING || state == TCP_LAST_ACK ||
                    state == TCP_TIME_WAIT;
    if (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK)
        send_peer(r, TCP_FIN | TCP_ACK, true);
    if (we_close)
        must(socket_shutdown(r->socket, SHUTDOWN_SEND) == 0);
    if (state == TCP_FIN_WAIT_2 || state == TCP_TIME_WAIT)
        send_peer(r, TCP_ACK, true);
    if (state == TCP_TIME_WAIT)
        send_peer(r, TCP_FIN | TCP_ACK, true);
    if (state == TCP_CLOSING)
        send_peer(r, TCP_FIN | TCP_ACK, false);
    must(rig_state(r) == state);
    rig_learn(r);
    rig_forget_sent(r);
}
