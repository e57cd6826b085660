// The window we offer.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// The right edge rcv_wup + rcv_wnd never moves left (RFC 9293 3.8.6.2.2), and
// moves right only by a worthwhile step: a segment or half the buffer (the
// receiver's side of silly window avoidance). Autotuning doubles what the
// application reads in one round trip (dynamic right-sizing, as Linux).

// The payload that the buffer is to hold. Linux counts what packets cost, and
// so promises half of it.
static uint32_t payload_limit(const struct tcp_connection *c)
{
    uint64_t share = (uint64_t)tcp_settings(c)->tcp_window_share;
    return (uint32_t)(c->receive_limit * share / 100);
}

uint32_t tcp_receive_space(const struct tcp_connection *c)
{
    uint32_t limit = payload_limit(c);
    return c->receive_bytes < limit ? limit - c->receive_bytes : 0;
}

uint32_t tcp_window_left(const struct tcp_connection *c)
{
    int32_t left = (int32_t)(c->rcv_wup + c->rcv_wnd - c->rcv_nxt);
    return left > 0 ? (uint32_t)left : 0;
}

static uint32_t round_up(uint32_t value, unsigned shift)
{
    uint32_t unit = 1u << shift;
    return (value + unit - 1) & ~(unit - 1);
}

static uint32_t most_that_fits(const struct tcp_connection *c)
{
    return c->has_window_scale ? (uint32_t)UINT16_MAX << c->rcv_wscale
                               : UINT16_MAX;
}

// All that is free; nothing as long as that is less than a segment and than a
// quarter of the buffer.
static uint32_t bsd_window(const struct tcp_connection *c, uint32_t space)
{
    if (space < payload_limit(c) / 4 && space < c->mss)
        return 0;
    return space & ~((1u << c->rcv_wscale) - 1);
}

// RFC 9293 3.8.6.2.2 with Linux's thresholds.
static uint32_t window_wanted(const struct tcp_connection *c)
{
    uint32_t space = tcp_receive_space(c);
    uint32_t limit = payload_limit(c);
    uint32_t mss = min_u32(c->rcv_mss, limit);
    if (tcp_settings(c)->tcp_bsd_window)
        return bsd_window(c, space);
    bool is_half_full = space < limit / 2;
    space = min_u32(space, c->rcv_ssthresh);
    if (is_half_full) {
        space &= ~((1u << c->rcv_wscale) - 1);
        if (space < limit / 16 || space < mss)
            return 0;
    }
    if (c->rcv_wscale > 0)
        return space & ~((1u << c->rcv_wscale) - 1);
    // Unscaled: only whole segments, or a big step.
    uint32_t window = c->rcv_wnd;
    if (window + mss <= space || window > space)
        return space - space % mss;
    if (mss == limit && space > window + limit / 2)
        return space;
    return window;
}

uint16_t tcp_window_select(struct tcp_connection *c)
{
    uint32_t left = tcp_window_left(c);
    uint32_t window = min_u32(window_wanted(c), most_that_fits(c));
    if (window < left)
        window = min_u32(round_up(left, c->rcv_wscale), most_that_fits(c));
    if (window < left)
        window = left; // cannot be: left was offered with this scale
    if (window == 0)
        c->statistics.zero_windows++;
    c->rcv_wnd = window;
    c->rcv_wup = c->rcv_nxt;
    return (uint16_t)min_u32(window >> c->rcv_wscale, UINT16_MAX);
}

static uint8_t scale_for(uint64_t space)
{
    uint8_t shift = 0;
    while (shift < TCP_MAX_WINDOW_SCALE && space >> shift > UINT16_MAX)
        shift++;
    return shift;
}

void tcp_window_init(struct tcp_connection *c)
{
    const struct stack_settings *settings = tcp_settings(c);
    if (!c->has_receive_limit)
        c->receive_limit = (uint32_t)settings->tcp_receive_buffer;
    uint64_t most = (uint64_t)settings->tcp_receive_buffer_max;
    if (c->has_receive_limit || most < c->receive_limit)
        most = c->receive_limit;
    c->rcv_wscale = 0;
    if (settings->tcp_window_scaling)
        c->rcv_wscale = settings->tcp_window_scale >= 0
                            ? (uint8_t)settings->tcp_window_scale
                            : scale_for(most);
    uint32_t window = payload_limit(c);
    uint32_t mss = tcp_mss_to_advertise(c);
    if (window > mss && !settings->tcp_bsd_window)
        window -= window % mss; // whole segments
    c->rcv_wnd = c->rcv_ssthresh = min_u32(window, UINT16_MAX);
    c->rcv_mss = min_u32(mss, 536); // an estimate, until data comes
}

// The window opens with the data that comes, two segments for each, so that a
// peer who sends small packets, which cost more memory than they carry, is not
// promised the whole buffer (Linux rcv_ssthresh).
bool tcp_window_grow(struct tcp_connection *c, uint32_t payload)
{
    enum { TOO_SMALL = 128 };
    uint32_t most = tcp_receive_space(c);
    if (payload < TOO_SMALL || c->rcv_ssthresh >= most)
        return false;
    uint32_t step = 2 * max_u32(c->advertised_mss, payload);
    c->rcv_ssthresh += min_u32(step, most - c->rcv_ssthresh);
    return true;
}

void tcp_window_established(struct tcp_connection *c)
{
    uint32_t mss = min_u32(c->peer_mss, tcp_mss_to_advertise(c));
    if (tcp_settings(c)->tcp_bsd_window && c->receive_limit > mss && mss > 0)
        c->receive_limit = (c->receive_limit + mss - 1) / mss * mss;
}

// BSD: two segments and a quarter of the buffer are news.
static bool is_bsd_update_due(const struct tcp_connection *c)
{
    uint32_t left = tcp_window_left(c);
    uint32_t window = min_u32(window_wanted(c), most_that_fits(c));
    return window > left && window - left >= 2 * c->mss &&
           window - left >= payload_limit(c) / 4;
}

static bool is_owed_ack_due(const struct tcp_connection *c)
{
    if (!c->ack_scheduled)
        return false;
    if (c->rcv_nxt - c->rcv_wup > c->rcv_mss)
        return true;
    return c->receive_bytes == 0 &&
           (c->ack_is_pushed_again || (c->ack_is_pushed && !c->pingpong));
}

// The application has read. An ACK is worth sending when it about doubles what
// the peer believes to be free, or one was owed and the queue is empty now.
static bool is_update_due(const struct tcp_connection *c)
{
    uint32_t left = tcp_window_left(c);
    if (is_owed_ack_due(c))
        return true;
    if (2 * (uint64_t)left > payload_limit(c))
        return false;
    uint32_t window = min_u32(window_wanted(c), most_that_fits(c));
    return window > 0 && window >= 2 * left;
}

void tcp_window_update(struct tcp_connection *c)
{
    if (!tcp_is_in(c, TCP_CAN_RECEIVE))
        return;
    bool is_bsd = tcp_settings(c)->tcp_bsd_window;
    if (is_bsd ? is_bsd_update_due(c) : is_update_due(c))
        tcp_send_ack(c);
}

// --- Autotuning -------------------------------------------------------------

// The round trip as a receiver sees it: the time in which one window arrives.
static void measure_rtt(struct tcp_connection *c)
{
    ns_t now = tcp_now(c);
    if (c->rcv_rtt_at != 0 && seq_lt(c->rcv_nxt, c->rcv_rtt_seq))
        return;
    if (c->rcv_rtt_at != 0) {
        uint32_t rtt = (uint32_t)max_i64((now - c->rcv_rtt_at) / NS_PER_US, 1);
        c->rcv_rtt_us = c->rcv_rtt_us ? min_u32(c->rcv_rtt_us, rtt) : rtt;
    }
    c->rcv_rtt_seq = c->rcv_nxt + c->rcv_wnd;
    c->rcv_rtt_at = now;
}

static uint32_t round_trip_us(const struct tcp_connection *c)
{
    return c->srtt_us && !c->rcv_rtt_us ? c->srtt_us >> 3 : c->rcv_rtt_us;
}

static void grow_buffer(struct tcp_connection *c, uint32_t copied)
{
    int64_t wanted = 2 * (int64_t)copied + 16 * c->rcv_mss;
    if (copied > c->rcvq_space && c->rcvq_space > 0) // it is accelerating
        wanted += 2 * wanted * (copied - c->rcvq_space) / c->rcvq_space;
    wanted = wanted * 100 / tcp_settings(c)->tcp_window_share;
    wanted = min_i64(wanted, tcp_settings(c)->tcp_receive_buffer_max);
    if (wanted > c->receive_limit)
        c->receive_limit = (uint32_t)wanted;
}

void tcp_window_autotune(struct tcp_connection *c)
{
    if (c->has_receive_limit || !tcp_settings(c)->tcp_autotune)
        return;
    measure_rtt(c);
    ns_t now = tcp_now(c);
    if (c->rcvq_at == 0) {
        c->rcvq_at = now;
        c->rcvq_seq = c->copied_seq;
        return;
    }
    uint32_t rtt = round_trip_us(c);
    if (rtt == 0 || now - c->rcvq_at < rtt * NS_PER_US)
        return;
    uint32_t copied = c->copied_seq - c->rcvq_seq;
    if (copied > c->rcvq_space) {
        grow_buffer(c, copied);
        c->rcvq_space = copied;
    }
    c->rcvq_at = now;
    c->rcvq_seq = c->copied_seq;
}
