// Finding the path MTU without ICMP (RFC 4821, RFC 8899).
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// Between search_low, a packet size that is known to pass, and search_high, the
// largest that could, lies the truth. A probe is a data segment of the middle
// size; data behind it makes sure that its loss shows as SACKs or duplicates
// soon. An acknowledged probe raises the floor, and segments grow; a lost one
// lowers the ceiling, and its bytes go again in segments of the proven size
// without any blame on congestion.
//
// tcp.mtu-probing 1 begins when several timeouts in a row say that something
// swallows our packets (a black hole, RFC 4821 7.7), and then from below; 2
// always.

enum { CLOSE_ENOUGH = 8, LEAST_CWND = 11, LEAST_MSS = 48 };

static uint32_t headers_size(const struct tcp_connection *c)
{
    return ip_header_size(&c->path->path) + TCP_HEADER_SIZE;
}

static uint32_t mss_of_mtu(const struct tcp_connection *c, uint32_t mtu)
{
    uint32_t most = headers_size(c) + (c->has_timestamps ? 12 : 0);
    return mtu > most ? mtu - most : 1;
}

static struct tcp_probing *probing_of(const struct tcp_connection *c)
{
    return c->extra && c->extra->probing.is_on ? &c->extra->probing : NULL;
}

uint32_t tcp_mtu_probe_limit(const struct tcp_connection *c, uint32_t mtu)
{
    const struct tcp_probing *p = probing_of(c);
    return p ? min_u32(mtu, p->search_low) : mtu;
}

static struct tcp_probing *begin(struct tcp_connection *c)
{
    struct tcp_extra *extra = tcp_extra_get(c);
    if (!extra)
        return NULL;
    uint32_t base = (uint32_t)tcp_settings(c)->tcp_mtu_probe_base;
    extra->probing = (struct tcp_probing){
        .is_on = true,
        .search_low = base + headers_size(c),
        .search_high = c->peer_mss + headers_size(c),
        .began_at = tcp_now(c),
    };
    return &extra->probing;
}

void tcp_mtu_probe_init(struct tcp_connection *c)
{
    if (tcp_settings(c)->tcp_mtu_probing == 2)
        begin(c);
}

// Several timeouts without an answer: smaller packets may get through.
void tcp_mtu_probe_black_hole(struct tcp_connection *c)
{
    struct tcp_probing *p = probing_of(c);
    if (tcp_settings(c)->tcp_mtu_probing == 0)
        return;
    if (!p) {
        begin(c);
    } else {
        uint32_t mss = mss_of_mtu(c, p->search_low) / 2;
        mss = min_u32(mss, (uint32_t)tcp_settings(c)->tcp_mtu_probe_base);
        p->search_low = max_u32(mss, LEAST_MSS) + headers_size(c);
    }
    tcp_sync_mss(c);
}

// --- Probing ----------------------------------------------------------------

// After a while the path may have changed for the better.
static void maybe_start_again(struct tcp_connection *c, struct tcp_probing *p)
{
    if (tcp_now(c) - p->began_at < tcp_settings(c)->tcp_mtu_probe_interval)
        return;
    p->search_high = c->peer_mss + headers_size(c);
    p->search_low = tcp_mss_to_mtu(c);
    p->began_at = tcp_now(c);
}

static bool is_calm(const struct tcp_connection *c)
{
    return c->ca_state == TCP_CA_OPEN && tcp_cwnd_segments(c) >= LEAST_CWND &&
           !c->gaps && !c->has_dsack;
}

// Bytes of the next probe, 0: nothing to find out, or not now.
static uint32_t probe_size(struct tcp_connection *c, struct tcp_probing *p)
{
    uint32_t mtu = (p->search_high + p->search_low) / 2;
    uint32_t interval =
        p->search_high > p->search_low ? p->search_high - p->search_low : 0;
    if (interval < CLOSE_ENOUGH) {
        maybe_start_again(c, p);
        return 0;
    }
    return min_u32(mss_of_mtu(c, mtu), mss_of_mtu(c, c->path->path.mtu));
}

bool tcp_mtu_probe_send(struct tcp_connection *c, bool *must_wait)
{
    struct tcp_probing *p = probing_of(c);
    *must_wait = false;
    if (!p || p->size || !is_calm(c) || tcp_path_refresh(c) != 0)
        return false;
    uint32_t size = probe_size(c, p);
    uint32_t needed = size + (c->duplicate_threshold + 1u) * c->mss;
    if (size <= c->mss || tcp_unsent(c) < needed || c->snd_wnd < needed ||
        tcp_marks_limit(c, size) < size)
        return false;
    if (seq_gt(c->snd_nxt + needed, tcp_window_end(c))) {
        *must_wait = true;
        return false;
    }
    if (tcp_packets_in_flight(c) + 2 > tcp_cwnd_segments(c)) {
        *must_wait = tcp_packets_in_flight(c) > 0;
        return false;
    }
    tcp_seq start = c->snd_nxt;
    if (tcp_send_exactly(c, size) != 0)
        return false;
    c->cc.cwnd -= c->cc.mss; // restored if it is lost
    p->size = size + headers_size(c) + (c->has_timestamps ? 12 : 0);
    p->start = start;
    p->end = c->snd_nxt;
    return true;
}

// --- Results ----------------------------------------------------------------

void tcp_mtu_probe_acked(struct tcp_connection *c)
{
    struct tcp_probing *p = probing_of(c);
    if (!p || !p->size || seq_gt(p->end, c->snd_una))
        return;
    // The same number of bytes per round trip in larger segments.
    uint32_t bytes = tcp_cwnd_segments(c) * c->mss;
    p->search_low = p->size;
    p->size = 0;
    tcp_sync_mss(c);
    c->cc.cwnd = max_u32(bytes / c->mss, 1) * c->mss;
}

bool tcp_mtu_probe_is_lost(struct tcp_connection *c)
{
    struct tcp_probing *p = probing_of(c);
    if (!p || !p->size || c->ca_state >= TCP_CA_CWR || c->snd_una != p->start)
        return false;
    p->search_high = p->size - 1;
    p->size = 0;
    c->cc.cwnd += c->cc.mss;
    tcp_retransmit_too_big(c);
    return true;
}
