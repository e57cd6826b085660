// Builds one segment of a connection.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"
#include "stack/wire/bytes.h"
#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

// The payload is copied into the packet once, and summed while it is copied.
// Header and pseudo-header are added to that sum afterwards.

static uint8_t ecn_of_segment(const struct tcp_connection *c, uint8_t flags,
                              uint32_t payload, bool is_new)
{
    // RFC 3168 6.1.4 to 6.1.6: no ECT on SYNs, pure ACKs and retransmissions.
    bool is_capable =
        c->has_ecn && payload > 0 && is_new && !(flags & (TCP_SYN | TCP_RST));
    return is_capable ? 2 : 0;
}

// Blocks that fit beside the payload: a retransmission is as long as it was.
static unsigned sack_room(const struct tcp_connection *c, uint32_t payload)
{
    unsigned most = c->has_timestamps ? 3 : 4;
    uint32_t left = tcp_full_mss(c);
    left = left > payload ? left - payload : 0;
    return left < 12 ? 0 : min_u32(most, (left - 4) / 8);
}

static void fill_options(struct tcp_connection *c, uint8_t flags,
                         uint32_t payload, struct tcp_options *o)
{
    if (flags & TCP_SYN) {
        tcp_syn_options(c, (flags & TCP_ACK) != 0, o);
        return;
    }
    *o = (struct tcp_options){0};
    if (c->has_timestamps) {
        o->has_timestamps = true;
        o->ts_value = tcp_timestamp(c);
        o->ts_echo = c->ts_recent;
    }
    if (c->has_sack && (c->gaps || c->has_dsack)) {
        unsigned room = sack_room(c, payload);
        o->sack_count = (uint8_t)tcp_sack_to_send(c, room, o->sack);
    }
}

// The common case without the general emitter: timestamps alone.
static size_t emit_options(struct tcp_connection *c, uint8_t flags,
                           uint32_t payload, uint8_t *bytes)
{
    bool is_plain =
        !(flags & TCP_SYN) && c->has_timestamps && !c->gaps && !c->has_dsack;
    if (is_plain) {
        put_be32(bytes, 0x0101080a); // NOP NOP TS 10
        put_be32(bytes + 4, tcp_timestamp(c));
        put_be32(bytes + 8, c->ts_recent);
        return 12;
    }
    struct tcp_options o;
    fill_options(c, flags, payload, &o);
    return tcp_settings(c)->tcp_bsd_options ? tcp_options_emit_bsd(&o, bytes)
                                            : tcp_options_emit(&o, bytes);
}

static uint8_t ecn_flags(struct tcp_connection *c, uint8_t flags,
                         uint32_t payload)
{
    uint8_t more = 0;
    if (flags & TCP_SYN) {
        if (!(flags & TCP_ACK))
            return c->ecn_asked ? TCP_ECE | TCP_CWR : 0;
        return c->has_ecn ? TCP_ECE : 0;
    }
    if (!c->has_ecn || flags & TCP_RST)
        return 0;
    if (c->ecn_echo)
        more |= TCP_ECE;
    if (c->ecn_send_cwr && payload > 0) {
        c->ecn_send_cwr = false;
        more |= TCP_CWR;
    }
    return more;
}

static uint16_t urgent_pointer(const struct tcp_connection *c, tcp_seq seq,
                               uint8_t *flags)
{
    if (!c->snd_urgent || !seq_gt(c->snd_up, seq))
        return 0;
    uint32_t distance = c->snd_up - seq;
    *flags |= TCP_URG;
    return (uint16_t)min_u32(distance, UINT16_MAX);
}

static uint16_t window_field(struct tcp_connection *c, uint8_t flags)
{
    if (flags & TCP_RST && tcp_settings(c)->tcp_bsd_window)
        return 0;
    if (flags & TCP_RST)
        return (uint16_t)min_u32(tcp_window_left(c) >> c->rcv_wscale,
                                 UINT16_MAX);
    if (flags & TCP_SYN) // never scaled, RFC 7323 2.2
        return (uint16_t)min_u32(c->rcv_wnd, UINT16_MAX);
    return tcp_window_select(c);
}

static void push_header(struct tcp_connection *c, struct packet *packet,
                        tcp_seq seq, uint8_t flags, uint32_t sum)
{
    uint32_t payload = packet->length;
    uint8_t options[TCP_MAX_OPTIONS_SIZE];
    flags |= ecn_flags(c, flags, payload);
    struct tcp_header h = {
        .source_port = c->socket.local.port,
        .destination_port = c->socket.remote.port,
        .seq = seq,
        .ack = flags & TCP_ACK ? c->rcv_nxt : 0,
        .window = window_field(c, flags),
    };
    h.urgent = flags & TCP_SYN ? 0 : urgent_pointer(c, seq, &flags);
    size_t options_size = emit_options(c, flags, payload, options);
    h.flags = flags;
    h.header_length = (uint8_t)(TCP_HEADER_SIZE + options_size);
    uint8_t *bytes = packet_push(packet, h.header_length);
    tcp_emit(&h, bytes);
    memcpy(bytes + TCP_HEADER_SIZE, options, options_size);
    sum = checksum_add(sum, bytes, h.header_length);
    sum += checksum_pseudo(&c->path->path.source, &c->path->path.destination,
                           IP_PROTOCOL_TCP, packet->length);
    put_be16(bytes + 16, checksum_finish(sum));
}

static void note_sent(struct tcp_connection *c, uint8_t flags, uint32_t payload)
{
    tcp_count(c, COUNT_TCP_OUT);
    c->statistics.segments_out++;
    if (payload > 0) {
        c->statistics.data_segments_out++;
        c->statistics.bytes_sent += payload;
    }
    if (flags & TCP_ACK && !(flags & TCP_RST))
        tcp_ack_sent(c);
}

int tcp_segment_send(struct tcp_connection *c, tcp_seq seq, uint32_t payload,
                     uint8_t flags)
{
    struct stack *stack = tcp_stack(c);
    if (!c->path)
        return -ENOTCONN;
    int error = tcp_path_refresh(c);
    if (error)
        return error;
    struct ip_path *path = &c->path->path;
    bool is_new = seq_ge(seq, c->snd_nxt);
    uint8_t tos = (uint8_t)((c->socket.tos & ~3u) |
                            ecn_of_segment(c, flags, payload, is_new));
    struct packet *packet;
    error = ip_prepare(stack, path, IP_PROTOCOL_TCP, tos, c->socket.ttl,
                       TCP_MAX_HEADER_SIZE, payload, &packet);
    if (error)
        return error;
    uint32_t sum = 0;
    if (payload > 0)
        sum = tcp_buffer_copy(c, seq + ((flags & TCP_SYN) != 0),
                              packet_put(packet, payload), payload);
    push_header(c, packet, seq, flags, sum);
    if (tcp_settings(c)->ip_path_mtu_discovery)
        packet->flags |= PACKET_DONT_FRAGMENT;
    note_sent(c, flags, payload);
    return ip_output(stack, path, packet);
}
