// What the two SYNs agree on.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

enum { DEFAULT_MSS_V4 = 536, DEFAULT_MSS_V6 = 1220, TIMESTAMP_SPACE = 12 };

static unsigned headers_size(const struct tcp_connection *c)
{
    return ip_header_size(&c->path->path) + TCP_HEADER_SIZE;
}

// RFC 6691: from the MTU, not counting options. Of the path, as Linux: what is
// known to be too large for one direction is likely so for the other.
uint16_t tcp_mss_to_advertise(const struct tcp_connection *c)
{
    uint32_t mtu = min_u32(c->path->path.iface->mtu, c->path->path.mtu);
    uint32_t mss = mtu > headers_size(c) ? mtu - headers_size(c) : 1;
    int64_t limit = tcp_settings(c)->tcp_mss;
    if (limit > 0)
        mss = min_u32(mss, (uint32_t)limit);
    return (uint16_t)min_u32(mss, UINT16_MAX);
}

void tcp_syn_options(struct tcp_connection *c, bool is_syn_ack,
                     struct tcp_options *out)
{
    const struct stack_settings *settings = tcp_settings(c);
    *out = (struct tcp_options){.has_mss = true};
    c->advertised_mss = tcp_mss_to_advertise(c);
    out->mss = c->advertised_mss;
    out->has_sack_permitted = is_syn_ack ? c->has_sack : settings->tcp_sack;
    out->has_window_scale =
        is_syn_ack ? c->has_window_scale : settings->tcp_window_scaling;
    out->window_scale = c->rcv_wscale;
    out->has_timestamps =
        is_syn_ack ? c->has_timestamps : settings->tcp_timestamps;
    if (out->has_timestamps) {
        out->ts_value = tcp_timestamp(c);
        out->ts_echo = c->ts_recent;
    }
    tcp_fast_open_option(c, is_syn_ack, out);
}

static void take_mss(struct tcp_connection *c, const struct tcp_options *o)
{
    uint32_t mss = c->socket.family == IP_V4 ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;
    if (o->has_mss)
        mss = o->mss;
    mss = max_u32(mss, (uint32_t)tcp_settings(c)->tcp_min_mss);
    c->peer_mss = (uint16_t)mss;
}

void tcp_negotiate(struct tcp_connection *c, const struct tcp_arrival *a)
{
    const struct stack_settings *settings = tcp_settings(c);
    const struct tcp_options *o = &a->options;
    take_mss(c, o);
    c->has_sack = o->has_sack_permitted && settings->tcp_sack;
    c->has_window_scale = o->has_window_scale && settings->tcp_window_scaling;
    if (c->has_window_scale)
        c->snd_wscale = (uint8_t)min_u32(o->window_scale, TCP_MAX_WINDOW_SCALE);
    else
        c->snd_wscale = c->rcv_wscale = 0;
    c->has_timestamps = o->has_timestamps && settings->tcp_timestamps;
    if (c->has_timestamps) {
        c->ts_recent = o->ts_value;
        c->ts_recent_s = (uint32_t)(tcp_now(c) / NS_PER_S);
    }
}

// Half of the largest window the peer ever offered: a sender that fills more
// deadlocks with a receiver that acknowledges every second segment.
static uint32_t bound_to_half_window(const struct tcp_connection *c,
                                     uint32_t mss)
{
    uint32_t most =
        c->max_window > DEFAULT_MSS_V4 ? c->max_window / 2 : c->max_window;
    return most && mss > most ? max_u32(most, 68 - 40) : mss;
}

uint32_t tcp_full_mss(const struct tcp_connection *c)
{
    uint32_t mtu = c->path->path.mtu;
    uint32_t most = headers_size(c) + (c->has_timestamps ? TIMESTAMP_SPACE : 0);
    return mtu > most ? mtu - most : 1;
}

uint32_t tcp_mss_now(const struct tcp_connection *c)
{
    if (!c->has_sack || (!c->gaps && !c->has_dsack))
        return c->mss;
    unsigned count = c->has_dsack + (c->gaps ? c->gaps->sack_count : 0u);
    uint32_t size = 4 + 8 * min_u32(count, c->has_timestamps ? 3 : 4);
    uint32_t most = tcp_full_mss(c);
    most = most > size + 8 ? most - size : 8;
    return min_u32(c->mss, most);
}

uint32_t tcp_mss_to_mtu(const struct tcp_connection *c)
{
    return c->mss + headers_size(c) + (c->has_timestamps ? TIMESTAMP_SPACE : 0);
}

void tcp_check_mtu(struct tcp_connection *c)
{
    if (c->path->path.mtu != c->mss_mtu)
        tcp_sync_mss(c);
}

void tcp_sync_mss(struct tcp_connection *c)
{
    c->mss_mtu = c->path->path.mtu;
    uint32_t mtu = tcp_mtu_probe_limit(c, c->path->path.mtu);
    uint32_t mss = mtu > headers_size(c) ? mtu - headers_size(c) : 1;
    int64_t limit = tcp_settings(c)->tcp_mss;
    if (limit > 0)
        mss = min_u32(mss, (uint32_t)limit);
    mss = min_u32(mss, c->peer_mss);
    mss = bound_to_half_window(c, mss);
    uint32_t options = c->has_timestamps ? TIMESTAMP_SPACE : 0;
    mss = mss > options + 8 ? mss - options : 8;
    if (mss == c->mss)
        return;
    uint32_t segments = c->mss && c->cc.mss ? tcp_cwnd_segments(c) : 0;
    c->mss = mss;
    c->cc.mss = mss;
    if (segments)
        c->cc.cwnd = segments * mss;
}
