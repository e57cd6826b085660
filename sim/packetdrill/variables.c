// The tcpi_ variables that %{ }% reads, from the stack's tcp_info.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/runner.h"

#include <string.h>

// Linux's numbers of the states.
static const int states[TCP_STATE_COUNT] = {
    [TCP_CLOSED] = 7,       [TCP_LISTEN] = 10,     [TCP_SYN_SENT] = 2,
    [TCP_SYN_RECEIVED] = 3, [TCP_ESTABLISHED] = 1, [TCP_FIN_WAIT_1] = 4,
    [TCP_FIN_WAIT_2] = 5,   [TCP_CLOSE_WAIT] = 8,  [TCP_CLOSING] = 11,
    [TCP_LAST_ACK] = 9,     [TCP_TIME_WAIT] = 6,
};

enum {
    OPT_TIMESTAMPS = 1,
    OPT_SACK = 2,
    OPT_WSCALE = 4,
    OPT_ECN = 8,
    OPT_SYN_DATA = 32
};

static int64_t options_of(const struct tcp_info *info)
{
    int64_t options = 0;

    options |= info->timestamps ? OPT_TIMESTAMPS : 0;
    options |= info->sack ? OPT_SACK : 0;
    options |= info->snd_wscale || info->rcv_wscale ? OPT_WSCALE : 0;
    options |= info->ecn ? OPT_ECN : 0;
    options |= info->fast_open ? OPT_SYN_DATA : 0;
    return options;
}

static int64_t ssthresh_of(const struct tcp_info *info)
{
    if (info->ssthresh == UINT32_MAX)
        return INT32_MAX; // Linux's TCP_INFINITE_SSTHRESH
    return info->snd_mss == 0 ? 0 : info->ssthresh / info->snd_mss;
}

enum code_lookup variable_find(void *runner, const char *name, int64_t *value)
{
    struct runner *r = runner;
    struct descriptor *d = descriptor_find(r, r->flow_fd);
    struct tcp_info info;

    if (strncmp(name, "tcpi_", 5) != 0 || d == NULL || d->socket == NULL ||
        socket_get_tcp_info(d->socket, &info) != 0)
        return LOOKUP_UNKNOWN;

    const struct {
        const char *name;
        int64_t value;
    } fields[] = {
        {"state", states[info.state]},
        {"ca_state", info.ca_state},
        {"options", options_of(&info)},
        {"retransmits", info.retransmits},
        {"probes", info.probes_out},
        {"backoff", info.backoff},
        {"snd_wscale", info.snd_wscale},
        {"rcv_wscale", info.rcv_wscale},
        {"rto", info.rto / NS_PER_US},
        {"snd_mss", info.snd_mss},
        {"rcv_mss", info.rcv_mss},
        {"unacked", info.unacked},
        {"sacked", info.sacked},
        {"lost", info.lost},
        {"retrans", info.retrans},
        {"fackets", info.fackets},
        {"pmtu", info.path_mtu},
        {"rtt", info.srtt / NS_PER_US},
        {"rttvar", info.rttvar / NS_PER_US},
        {"snd_ssthresh", ssthresh_of(&info)},
        {"snd_cwnd", info.cwnd_segments},
        {"advmss", info.advertised_mss},
        {"reordering", info.reordering},
        {"total_retrans", (int64_t)info.segments_retransmitted},
        {"bytes_acked", (int64_t)info.bytes_acked},
        {"bytes_received", (int64_t)info.bytes_received},
        {"bytes_sent", (int64_t)info.bytes_sent},
        {"bytes_retrans", (int64_t)info.bytes_retransmitted},
        {"segs_out", (int64_t)info.segments_out},
        {"segs_in", (int64_t)info.segments_in},
        {"data_segs_out", (int64_t)info.data_segments_out},
        {"data_segs_in", (int64_t)info.data_segments_in},
        {"rcv_rtt", info.receive_rtt / NS_PER_US},
        {"busy_time", info.busy_time / NS_PER_US},
        {"rwnd_limited", info.window_limited_time / NS_PER_US},
        {"sndbuf_limited", info.buffer_limited_time / NS_PER_US},
        {"notsent_bytes", info.not_sent},
        {"min_rtt", info.min_rtt / NS_PER_US},
        {"delivered", info.delivered},
        {"delivered_ce", info.delivered_ce},
        {"delivery_rate", (int64_t)(info.delivery_rate_bps / 8)},
        {"pacing_rate", (int64_t)(info.pacing_rate_bps / 8)},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++)
        if (strcmp(fields[i].name, name + 5) == 0) {
            *value = fields[i].value;
            return LOOKUP_FOUND;
        }
    return LOOKUP_UNKNOWN;
}
