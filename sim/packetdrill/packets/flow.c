// Maps the numbers of a script to those on the wire.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/packets/packets.h"

#include "stack/wire/ipv4.h"

bool flow_has(const struct flow *flow, const struct live_packet *packet)
{
    if (packet->protocol != IP_PROTOCOL_TCP)
        return false;
    return ip_addr_equal(&packet->to.addr, &flow->remote.addr) &&
           ip_addr_equal(&packet->from.addr, &flow->local.addr) &&
           packet->from.port == flow->local.port &&
           packet->to.port == flow->remote.port;
}

void flow_learn_outbound(struct flow *flow, const struct script_tcp *script,
                         const struct live_packet *live)
{
    if (flow->has_local_isn || !(live->tcp.flags & TCP_SYN))
        return;
    flow->has_local_isn = true;
    flow->live_local_isn = live->tcp.seq;
    flow->script_local_isn =
        script->has_any_sequence ? 0 : script->sequence.start;
}

// What to subtract from a number of ours on the wire.
static uint32_t local_offset(const struct flow *flow, bool is_syn)
{
    return is_syn ? flow->live_local_isn - flow->script_local_isn
                  : flow->live_local_isn;
}

static uint32_t remote_offset(const struct flow *flow, bool is_syn)
{
    return is_syn ? flow->live_remote_isn - flow->script_remote_isn
                  : flow->live_remote_isn;
}

static void shift_sack(struct script_options *options, uint32_t offset)
{
    for (unsigned i = 0; i < options->count; i++) {
        struct script_option *option = &options->list[i];

        if (option->kind != SCRIPT_OPTION_SACK)
            continue;
        for (unsigned j = 0; j < option->count; j++) {
            option->sack[j].start += offset;
            option->sack[j].end += offset;
        }
    }
}

void flow_map_outbound(const struct flow *flow, struct live_packet *packet)
{
    bool is_syn = packet->tcp.flags & TCP_SYN;

    packet->tcp.seq -= local_offset(flow, is_syn);
    if (packet->tcp.flags & TCP_ACK)
        packet->tcp.ack -= remote_offset(flow, is_syn);
    shift_sack(&packet->options, 0 - remote_offset(flow, false));
}

static const struct script_option *
find_timestamp(const struct script_options *options)
{
    for (unsigned i = 0; i < options->count; i++)
        if (options->list[i].kind == SCRIPT_OPTION_TIMESTAMP)
            return &options->list[i];
    return NULL;
}

void flow_note_timestamp(struct flow *flow, const struct script_options *script,
                         const struct script_options *live)
{
    const struct script_option *wanted = find_timestamp(script);
    const struct script_option *sent = find_timestamp(live);

    if (wanted == NULL || sent == NULL)
        return;
    uint32_t slot = flow->timestamp_count++ % FLOW_TIMESTAMPS;
    flow->timestamps[slot].script = wanted->value;
    flow->timestamps[slot].live = sent->value;
    if (!flow->has_first_timestamp) {
        flow->has_first_timestamp = true;
        flow->first_script_timestamp = wanted->value;
        flow->first_live_timestamp = sent->value;
    }
}

// The latest timestamp that the script calls `value`.
static uint32_t live_timestamp(const struct flow *flow, uint32_t value)
{
    uint32_t kept = min_u32(flow->timestamp_count, FLOW_TIMESTAMPS);

    for (uint32_t i = 1; i <= kept; i++) {
        uint32_t slot = (flow->timestamp_count - i) % FLOW_TIMESTAMPS;

        if (flow->timestamps[slot].script == value)
            return flow->timestamps[slot].live;
    }
    return value;
}

void flow_map_inbound(struct flow *flow, struct script_tcp *tcp)
{
    bool is_syn = tcp->flags & TCP_SYN;

    if (is_syn && !flow->has_remote_isn) {
        flow->has_remote_isn = true;
        flow->live_remote_isn = flow->script_remote_isn = tcp->sequence.start;
    }
    if (!tcp->is_absolute)
        tcp->sequence.start += remote_offset(flow, is_syn);
    if (tcp->flags & TCP_ACK)
        tcp->ack += local_offset(flow, is_syn);
    shift_sack(&tcp->options, local_offset(flow, false));
    for (unsigned i = 0; i < tcp->options.count; i++) {
        struct script_option *option = &tcp->options.list[i];

        if (option->kind == SCRIPT_OPTION_TIMESTAMP)
            option->echo = live_timestamp(flow, option->echo);
    }
}

uint32_t flow_live_local(const struct flow *flow, uint32_t sequence)
{
    return sequence + local_offset(flow, false);
}
