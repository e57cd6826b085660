// How many segments leave together, as with segmentation offload.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

// A real host hands its device bursts of segments and lets it cut them. What
// can be seen of it on the wire: bursts are about a millisecond of the pacing
// rate long (autosizing), PSH stands on the last segment of each, and a sender
// that was about to send a small piece of a window waits for the next ACK
// instead. Here the segments are cut by the stack, so that a capture looks as
// if it was taken on the other side of the device. tcp.offload turns all of it
// off.

enum { LARGEST_BURST = 65536 - 321, PACING_SHIFT = 10 };

uint32_t tcp_burst_segments(const struct tcp_connection *c)
{
    const struct stack_settings *settings = tcp_settings(c);
    if (!settings->tcp_offload)
        return 1;
    uint64_t bytes = tcp_pacing_rate(c) >> PACING_SHIFT;
    unsigned near = c->min_rtt_us >> 9; // a short path takes more at once
    if (near < 32)
        bytes += (uint64_t)LARGEST_BURST >> near;
    uint32_t most = LARGEST_BURST;
    if (c->max_window / 2 > c->mss)
        most = min_u32(most, c->max_window / 2);
    uint32_t segments = bytes < most ? (uint32_t)bytes / c->mss : most / c->mss;
    return max_u32(segments, (uint32_t)settings->tcp_min_burst);
}

// Would a larger burst be possible soon? Then a small one waits for the next
// ACK, if that can be expected within half a round trip.
bool tcp_burst_should_wait(const struct tcp_connection *c, uint32_t length,
                           uint32_t window, uint32_t quota, uint32_t most,
                           bool *cwnd_limited)
{
    const struct stack_settings *settings = tcp_settings(c);
    if (!settings->tcp_offload || c->ca_state >= TCP_CA_RECOVERY ||
        c->packets_out == 0 || tcp_now(c) > c->last_sent_at + NS_PER_MS)
        return false;
    uint32_t room = quota * c->mss, limit = min_u32(window, room);
    if (limit >= most * c->mss)
        return false;
    uint32_t share = (uint32_t)settings->tcp_burst_divisor;
    if (share && limit >= min_u32(c->snd_wnd, c->cc.cwnd) / share)
        return false;
    const struct tcp_segment *first =
        &c->segments.ring[c->segments.first & c->segments.mask];
    ns_t age = tcp_now(c) - first->sent_at;
    if (age < (c->srtt_us >> 4) * NS_PER_US || tcp_fin_unsent(c))
        return false;
    if (room < window && room <= length) {
        *cwnd_limited = true;
        return true;
    }
    return room >= window && window <= length;
}
