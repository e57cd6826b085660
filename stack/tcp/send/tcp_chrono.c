// What a sender's time goes into: the network, the peer's window, our buffer.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// Three clocks of which at most one runs (Linux tcp_chrono). A connection with
// something to send or to be acknowledged is busy. If the congestion window is
// open but the peer's is not, that is what limits it; if all is sent and the
// application has found the buffer full, the buffer is. The choice is made anew
// after each segment, timer and call.

static bool is_window_limited(const struct tcp_connection *c)
{
    uint32_t length = min_u32(tcp_unsent(c), c->mss);
    return length > 0 && c->cc.mss > 0 &&
           tcp_packets_in_flight(c) < tcp_cwnd_segments(c) &&
           seq_gt(c->snd_nxt + length, tcp_window_end(c));
}

static uint8_t current(const struct tcp_connection *c)
{
    if (!tcp_is_in(c, TCP_HAS_OUTPUT) || c->write_seq == c->snd_una)
        return TCP_CHRONO_IDLE;
    if (is_window_limited(c))
        return TCP_CHRONO_WINDOW;
    if (tcp_unsent(c) == 0 && c->wants_room && !c->is_cwnd_limited)
        return TCP_CHRONO_BUFFER;
    return TCP_CHRONO_BUSY;
}

static uint32_t now_us(const struct tcp_connection *c)
{
    return (uint32_t)(tcp_now(c) / NS_PER_US);
}

static uint32_t running_us(const struct tcp_connection *c, uint8_t which)
{
    return c->chrono == which ? now_us(c) - c->chrono_since_us : 0;
}

void tcp_chrono_update(struct tcp_connection *c)
{
    uint8_t next = current(c);
    if (next == c->chrono)
        return;
    if (c->chrono != TCP_CHRONO_IDLE)
        c->chrono_us[c->chrono - 1] += running_us(c, c->chrono);
    c->chrono = next;
    c->chrono_since_us = now_us(c);
}

ns_t tcp_chrono_read(const struct tcp_connection *c, uint8_t which)
{
    return (c->chrono_us[which - 1] + running_us(c, which)) * NS_PER_US;
}
