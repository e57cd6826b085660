// One number for the final state of a run.
// SPDX-License-Identifier: MIT

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "sim/report/report.h"
#include "sim/sim.h"

// Theory of operation
//
// Everything that a run leaves behind is fed, number by number and as
// little-endian 64-bit words, to XXH3. No structure is hashed as it lies in
// memory: padding and the machine's byte order must not show.

static void add_number(XXH3_state_t *hash, uint64_t number)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
    XXH3_64bits_update(hash, bytes, sizeof(bytes));
}

static void add_numbers(XXH3_state_t *hash, const uint64_t *numbers,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_number(hash, numbers[i]);
}

static void add_text(XXH3_state_t *hash, const char *text)
{
    XXH3_64bits_update(hash, text, strlen(text) + 1);
}

static void add_stack(XXH3_state_t *hash, const struct stack *stack)
{
    for (unsigned i = 0; i < STACK_COUNTER_COUNT; i++)
        add_number(hash, stack_counter(stack, (enum stack_counter)i));
    for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
        add_number(hash, stack_drops(stack, (enum drop_reason)i));
}

static void add_switch(XXH3_state_t *hash, const struct node *node)
{
    struct switch_stats stats = switch_get_stats(node);

    add_numbers(hash,
                (const uint64_t[]){stats.forwarded, stats.flooded,
                                   stats.filtered, stats.learned,
                                   stats.dropped_vlan, stats.dropped_no_buffer},
                6);
}

static void add_port(XXH3_state_t *hash, const struct port *port)
{
    add_numbers(hash,
                (const uint64_t[]){port->frames_in, port->frames_out,
                                   port->bytes_in, port->bytes_out},
                4);
    if (port->capture != NULL)
        add_number(hash, capture_hash(port->capture));
}

static void add_node(XXH3_state_t *hash, struct node *node)
{
    add_text(hash, node->name);
    if (node_is_host(node))
        add_stack(hash, node_as_host(node)->stack);
    if (node->kind == NODE_SWITCH)
        add_switch(hash, node);
    for (const struct port *port = node->ports; port != NULL; port = port->next)
        add_port(hash, port);
}

static void add_direction(XXH3_state_t *hash, const struct link *link,
                          unsigned direction)
{
    struct link_direction_stats s = link_get_stats(link, direction);

    add_numbers(hash,
                (const uint64_t[]){
                    s.frames_in, s.bytes_in, s.frames_delivered,
                    s.bytes_delivered, s.duplicated, s.corrupted, s.reordered,
                    s.delayed, s.marked, s.held, s.edited, s.injected, s.queued,
                    s.in_flight, s.peak_queue_packets, s.peak_queue_bytes,
                    (uint64_t)s.total_queue_delay, (uint64_t)s.peak_queue_delay,
                    (uint64_t)s.busy},
                19);
    add_numbers(hash, s.dropped, LINK_DROP_COUNT);
}

static void add_app(XXH3_state_t *hash, struct app *app)
{
    struct app_stats s = app_get_stats(app);

    add_text(hash, app_name(app));
    add_numbers(
        hash,
        (const uint64_t[]){s.bytes_sent, s.bytes_received, s.messages_sent,
                           s.messages_received, s.lost, s.reordered,
                           s.duplicated, s.connections, (uint64_t)s.started_at,
                           (uint64_t)s.first_byte_at, (uint64_t)s.last_byte_at,
                           (uint64_t)s.finished_at, (uint64_t)s.rtt_min,
                           (uint64_t)s.rtt_total, (uint64_t)s.rtt_max,
                           (uint64_t)s.jitter, (uint64_t)(int64_t)s.error},
        17);
}

static void add_tcp_info(XXH3_state_t *hash, const struct tcp_info *info)
{
    add_numbers(hash,
                (const uint64_t[]){
                    info->state, info->snd_una, info->snd_nxt, info->rcv_nxt,
                    info->cwnd, info->ssthresh, (uint64_t)info->srtt,
                    (uint64_t)info->rto, info->bytes_sent, info->bytes_acked,
                    info->bytes_received, info->segments_out, info->segments_in,
                    info->segments_retransmitted},
                14);
}

static void add_flow(XXH3_state_t *hash, const struct flow *flow)
{
    add_number(hash, (uint64_t)flow->opened_at);
    add_number(hash, (uint64_t)flow->closed_at);
    if (flow->has_client)
        add_tcp_info(hash, flow->client_info);
    if (flow->has_server)
        add_tcp_info(hash, flow->server_info);
}

uint64_t sim_fingerprint(const struct sim *sim)
{
    XXH3_state_t *hash = XXH3_createState();
    uint64_t result;

    must(hash != NULL);
    XXH3_64bits_reset(hash);
    add_number(hash, (uint64_t)sim_now(sim));
    for (struct node *node = sim->nodes; node != NULL; node = node->next)
        add_node(hash, node);
    for (const struct link *link = sim->links; link != NULL;
         link = link->next) {
        add_direction(hash, link, 0);
        add_direction(hash, link, 1);
    }
    // Walking changes nothing; only the walkers' prototypes are not const.
    struct sim *walked = (struct sim *)(uintptr_t)sim;
    for (struct app *app = sim_next_app(walked, NULL); app != NULL;
         app = sim_next_app(walked, app))
        add_app(hash, app);
    for (const struct flow *flow = flow_next(sim, NULL); flow != NULL;
         flow = flow_next(sim, flow))
        add_flow(hash, flow);
    result = XXH3_64bits_digest(hash);
    XXH3_freeState(hash);
    return result;
}
