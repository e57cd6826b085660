// How much the application may write, and when it hears that it may again.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// Two limits. The send buffer holds what is written and not acknowledged; it
// grows with the congestion window (two windows, so that recovery does not
// starve) unless the application has set its size. TCP_NOTSENT_LOWAT holds back
// an application that would rather decide late what to send: not more than so
// much may wait unsent.

enum { LEAST_SEGMENTS = 10 };

static bool is_below_low_water(const struct tcp_connection *c, unsigned times)
{
    return c->not_sent_low_water == 0 ||
           (uint64_t)tcp_unsent(c) * times < c->not_sent_low_water;
}

uint32_t tcp_send_room(const struct tcp_connection *c)
{
    uint32_t used = c->has_source ? 0 : c->buffer.length;
    uint32_t room = used < c->send_limit ? c->send_limit - used : 0;
    if (c->not_sent_low_water == 0)
        return room;
    if (!is_below_low_water(c, 1))
        return 0;
    return min_u32(room, c->not_sent_low_water - tcp_unsent(c) + c->mss);
}

void tcp_init_send_limit(struct tcp_connection *c)
{
    if (!c->has_send_limit)
        c->send_limit = (uint32_t)tcp_settings(c)->tcp_send_buffer;
}

// The network would take more than the buffer holds (Linux
// tcp_sndbuf_expand).
static void grow(struct tcp_connection *c)
{
    bool may_grow = !c->has_send_limit && tcp_settings(c)->tcp_autotune &&
                    c->cc.mss > 0 && c->packets_out < tcp_cwnd_segments(c);
    if (!may_grow)
        return;
    uint64_t wanted = max_u32(tcp_cwnd_segments(c), LEAST_SEGMENTS);
    wanted = 2 * wanted * c->mss;
    uint64_t most = (uint64_t)tcp_settings(c)->tcp_send_buffer_max;
    wanted = wanted < most ? wanted : most;
    if (wanted > c->send_limit)
        c->send_limit = (uint32_t)wanted;
}

void tcp_send_room_check(struct tcp_connection *c)
{
    if (!c->wants_room || c->state == TCP_CLOSED)
        return;
    grow(c);
    if (tcp_send_room(c) < c->send_limit / 3 && c->not_sent_low_water == 0)
        return;
    if (tcp_send_room(c) == 0 || !is_below_low_water(c, 2))
        return;
    c->wants_room = false;
    socket_notify(&c->socket, EVENT_WRITABLE);
}
