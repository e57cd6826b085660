// When an ACK is sent at once, later, or with data.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// RFC 9293 3.8.6.3 as Linux reads it. At the start of a connection, after an
// idle time and after anything odd, the peer's congestion window is small and
// every ACK helps it: the next few are sent at once (quick_acks). Later every
// second full segment is acknowledged at once and a single one after
// ack_timeout, which follows the spacing of the data. A connection that answers
// soon after it is spoken to is interactive (pingpong): its ACKs ride on its
// answers.

enum { MOST_QUICK_ACKS = 16 };

static uint32_t shortest_us(const struct tcp_connection *c)
{
    return (uint32_t)(tcp_settings(c)->tcp_delayed_ack_time / NS_PER_US);
}

static void add_quick_acks(struct tcp_connection *c, unsigned most)
{
    most = min_u32(most, (uint32_t)tcp_settings(c)->tcp_quick_acks);
    unsigned count = c->rcv_wnd / (2 * max_u32(c->rcv_mss, 1));
    if (count == 0)
        count = 2;
    count = min_u32(count, most);
    if (count > c->quick_acks)
        c->quick_acks = (uint8_t)count;
}

void tcp_ack_quickly(struct tcp_connection *c, unsigned count)
{
    add_quick_acks(c, count);
    c->pingpong = 0;
    c->ack_timeout_us = shortest_us(c);
}

static void adapt_timeout(struct tcp_connection *c, ns_t since)
{
    uint32_t least = shortest_us(c);
    uint32_t gap = (uint32_t)min_i64(since / NS_PER_US, UINT32_MAX / 2);
    if (gap <= least / 2) {
        c->ack_timeout_us = c->ack_timeout_us / 2 + least / 2;
    } else if (gap < c->ack_timeout_us) {
        c->ack_timeout_us = c->ack_timeout_us / 2 + gap;
        c->ack_timeout_us = min_u32(c->ack_timeout_us, c->rto_us);
    } else if (gap > c->rto_us) {
        // The peer was idle; its window has restarted.
        add_quick_acks(c, MOST_QUICK_ACKS);
    }
}

// What a full segment of the peer is: the largest seen lately.
static void measure_segment(struct tcp_connection *c,
                            const struct tcp_arrival *a)
{
    if (a->payload >= c->rcv_mss) {
        c->rcv_mss = min_u32(a->payload, max_u32(c->advertised_mss, 1));
        return;
    }
    if (a->flags & TCP_PSH) {
        c->ack_is_pushed_again |= c->ack_is_pushed;
        c->ack_is_pushed = true;
    }
}

void tcp_ack_event_data(struct tcp_connection *c, const struct tcp_arrival *a)
{
    ns_t now = tcp_now(c);
    // BSD counts segments, not bytes: the second one is acknowledged at once.
    if (tcp_settings(c)->tcp_quick_acks == 0 && c->ack_scheduled)
        c->ack_now = true;
    c->ack_scheduled = true;
    measure_segment(c, a);
    if (c->ack_timeout_us == 0) {
        add_quick_acks(c, MOST_QUICK_ACKS);
        c->ack_timeout_us = max_u32(shortest_us(c), 1);
    } else {
        adapt_timeout(c, now - c->last_received_at);
    }
    c->last_received_at = now;
    // A peer whose window we open is still starting (Linux).
    if (tcp_window_grow(c, a->payload))
        add_quick_acks(c, c->quick_acks | 1);
}

static bool is_due_now(const struct tcp_connection *c)
{
    bool is_quick = c->quick_acks > 0 && !c->pingpong;
    if (c->ack_now || is_quick || !tcp_settings(c)->tcp_delayed_ack)
        return true;
    if (c->gaps || c->has_dsack) // RFC 5681 4.2: at once while there is a gap
        return true;
    // More than a full segment is owed, and the window need not shrink for it.
    return c->rcv_nxt - c->rcv_wup > c->rcv_mss &&
           (tcp_receive_space(c) >= tcp_window_left(c) ||
            c->receive_bytes == 0);
}

static void delay(struct tcp_connection *c)
{
    uint32_t least = shortest_us(c);
    uint32_t wait =
        tcp_settings(c)->tcp_quick_acks > 0 ? c->ack_timeout_us : least;
    if (wait > least) {
        uint32_t most = c->pingpong || c->ack_is_pushed ? 200000 : 500000;
        if (c->srtt_us)
            most = min_u32(most, max_u32(c->srtt_us >> 3, least));
        wait = min_u32(wait, most);
    }
    wait = min_u32(wait, max_u32(200000, least));
    ns_t at = tcp_now(c) + wait * NS_PER_US;
    if (tcp_deadline_is_set(c, TCP_DEADLINE_ACK)) {
        if (c->deadlines[TCP_DEADLINE_ACK] <=
            tcp_now(c) + wait / 4 * NS_PER_US) {
            tcp_send_ack(c); // nearly due anyway
            return;
        }
        at = min_i64(at, c->deadlines[TCP_DEADLINE_ACK]);
    }
    tcp_deadline_set(c, TCP_DEADLINE_ACK, at);
}

void tcp_ack_decide(struct tcp_connection *c)
{
    if (!c->ack_scheduled && !c->ack_now)
        return;
    if (is_due_now(c))
        tcp_send_ack(c);
    else
        delay(c);
}

void tcp_ack_sent(struct tcp_connection *c)
{
    if (c->quick_acks > 0 && c->ack_scheduled && --c->quick_acks == 0)
        c->ack_timeout_us = max_u32(shortest_us(c), 1);
    c->ack_scheduled = c->ack_now = c->has_dsack = false;
    c->ack_is_pushed = c->ack_is_pushed_again = false;
    tcp_deadline_clear(c, TCP_DEADLINE_ACK);
}

void tcp_ack_on_timer(struct tcp_connection *c)
{
    if (!c->ack_scheduled)
        return;
    if (c->pingpong) {
        c->pingpong = 0; // no answer came: not so interactive
        c->ack_timeout_us = shortest_us(c);
    } else {
        c->ack_timeout_us = min_u32(c->ack_timeout_us * 2, c->rto_us);
    }
    tcp_count(c, COUNT_TCP_DELAYED_ACKS);
    tcp_send_ack(c);
}
