// The variables of a connection as applications see them.
// SPDX-License-Identifier: MIT
#include "stack/tcp/tcp.h"

static void fill_negotiated(const struct tcp_connection *c,
                            struct tcp_info *out)
{
    out->state = (enum tcp_state)c->state;
    out->ca_state = (enum tcp_ca_state)c->ca_state;
    out->congestion = congestion_name((size_t)tcp_settings(c)->tcp_congestion);
    out->snd_wscale = c->snd_wscale;
    out->rcv_wscale = c->rcv_wscale;
    out->sack = c->has_sack;
    out->timestamps = c->has_timestamps;
    out->ecn = c->has_ecn;
    out->fast_open = c->fo_data_acked;
    out->snd_mss = c->mss;
    out->rcv_mss = c->rcv_mss;
    out->advertised_mss = c->advertised_mss;
    out->path_mtu = c->path ? c->path->path.mtu : 0;
}

static void fill_sequence(const struct tcp_connection *c, struct tcp_info *out)
{
    out->snd_una = c->snd_una;
    out->snd_nxt = c->snd_nxt;
    out->snd_wnd = c->snd_wnd;
    out->rcv_nxt = c->rcv_nxt;
    out->rcv_wnd = tcp_window_left(c);
    out->iss = c->iss;
    out->irs = c->irs;
    out->not_sent = c->state == TCP_CLOSED ? 0 : tcp_unsent(c);
    out->send_buffer = c->send_limit;
    out->send_buffer_used = c->has_source ? 0 : c->buffer.length;
    out->receive_buffer = c->receive_limit;
    out->receive_buffer_used = c->receive_bytes;
}

static void fill_flight(const struct tcp_connection *c, struct tcp_info *out)
{
    out->unacked = c->packets_out;
    out->sacked = c->sacked_out;
    out->lost = c->lost_out;
    out->retrans = c->retrans_out;
    out->reordering = c->duplicate_threshold;
    out->in_flight = tcp_packets_in_flight(c) * c->mss;
    out->cwnd = c->cc.cwnd;
    out->cwnd_segments = c->cc.mss ? tcp_cwnd_segments(c) : 0;
    out->ssthresh = c->cc.ssthresh;
    out->pacing_rate_bps = c->cc.pacing_rate_bps;
    out->delivered = c->delivered;
    out->delivered_ce = c->delivered_ce;
    if (c->rate_interval_us)
        out->delivery_rate_bps = (uint64_t)c->rate_delivered * c->mss * 8 *
                                 1000000 / c->rate_interval_us;
}

static void fill_times(const struct tcp_connection *c, struct tcp_info *out)
{
    out->srtt = (c->srtt_us >> 3) * NS_PER_US;
    out->rttvar = (c->mdev_us >> 2) * NS_PER_US;
    out->min_rtt = c->min_rtt_us * NS_PER_US;
    out->receive_rtt = c->rcv_rtt_us * NS_PER_US;
    out->window_limited_time = tcp_chrono_read(c, TCP_CHRONO_WINDOW);
    out->buffer_limited_time = tcp_chrono_read(c, TCP_CHRONO_BUFFER);
    out->busy_time = tcp_chrono_read(c, TCP_CHRONO_BUSY) +
                     out->window_limited_time + out->buffer_limited_time;
    out->rto = tcp_rto(c);
    out->backoff = c->backoff;
    out->retransmits = c->retransmits;
    out->probes_out = c->probes_out;
    out->established_at = c->established_at;
    out->last_data_sent = c->last_sent_at;
    out->last_data_received = c->last_received_at;
    out->last_ack_received = c->last_ack_at;
}

static void fill_counts(const struct tcp_connection *c, struct tcp_info *out)
{
    const struct tcp_statistics *s = &c->statistics;
    out->bytes_sent = s->bytes_sent;
    out->bytes_retransmitted = s->bytes_retransmitted;
    out->bytes_acked = c->stream_acked;
    out->bytes_received = s->bytes_received;
    out->segments_out = s->segments_out;
    out->segments_in = s->segments_in;
    out->data_segments_out = s->data_segments_out;
    out->data_segments_in = s->data_segments_in;
    out->segments_retransmitted = s->retransmitted;
    out->segments_received_again = s->received_again;
    out->duplicate_acks_in = s->duplicate_acks;
    out->out_of_order_in = s->out_of_order;
    out->zero_window_probes = s->probes;
    out->timeouts = s->timeouts;
    out->fast_retransmits = s->fast_retransmits;
    out->spurious_retransmits = s->spurious;
    out->zero_windows_sent = s->zero_windows;
}

int tcp_info_get(const struct socket *socket, struct tcp_info *out)
{
    const struct tcp_connection *c = (const struct tcp_connection *)socket;
    *out = (struct tcp_info){0};
    fill_negotiated(c, out);
    fill_sequence(c, out);
    fill_flight(c, out);
    fill_times(c, out);
    fill_counts(c, out);
    return 0;
}

const char *tcp_state_name(enum tcp_state state)
{
    static const char *const names[] = {
        "CLOSED",      "LISTEN",     "SYN-SENT",   "SYN-RECEIVED",
        "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT",
        "CLOSING",     "LAST-ACK",   "TIME-WAIT"};
    must((size_t)state < ARRAY_LENGTH(names));
    return names[state];
}
