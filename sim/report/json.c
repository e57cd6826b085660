// The report as JSON: everything counted, the same in every run.
// SPDX-License-Identifier: MIT
#include "sim/report/report.h"
#include "sim/tap/tap.h"
#include "sim/version.h"

// Every setter takes the value's reference, also on failure; a lack of memory
// shows as a NULL from json_pack or json_object and ends as a missing key, so
// must() keeps it honest.
static void put(json_t *object, const char *key, json_t *value)
{
    must(object && value && json_object_set_new(object, key, value) == 0);
}

static void put_number(json_t *object, const char *key, uint64_t value)
{
    put(object, key, json_integer((json_int_t)value));
}

static void put_text(json_t *object, const char *key, const char *text)
{
    put(object, key, text ? json_string(text) : json_null());
}

// NS_NEVER is null.
static void put_time(json_t *object, const char *key, ns_t time)
{
    put(object, key, time == NS_NEVER ? json_null() : json_integer(time));
}

static json_t *host_json(const struct host *host)
{
    json_t *object = json_object(), *counters = json_object();
    json_t *drops = json_object();
    for (int i = 0; i < STACK_COUNTER_COUNT; i++) {
        uint64_t n = stack_counter(host->stack, (enum stack_counter)i);
        if (n > 0)
            put_number(counters, stack_counter_name((enum stack_counter)i), n);
    }
    for (int i = 0; i < DROP_REASON_COUNT; i++) {
        uint64_t n = stack_drops(host->stack, (enum drop_reason)i);
        if (n > 0)
            put_number(drops, drop_reason_name((enum drop_reason)i), n);
    }
    put_text(object, "kind", node_kind_name(host->node.kind));
    put(object, "counters", counters);
    put(object, "drops", drops);
    return object;
}

static json_t *switch_json(const struct node *node)
{
    struct switch_stats stats = switch_get_stats(node);
    json_t *object = json_object();
    put_text(object, "kind", node_kind_name(node->kind));
    put_number(object, "forwarded", stats.forwarded);
    put_number(object, "flooded", stats.flooded);
    put_number(object, "filtered", stats.filtered);
    put_number(object, "learned", stats.learned);
    put_number(object, "dropped-vlan", stats.dropped_vlan);
    put_number(object, "dropped-no-buffer", stats.dropped_no_buffer);
    return object;
}

static json_t *tap_json(const struct tap *tap)
{
    struct tap_stats stats = tap_get_stats(tap);
    json_t *object = json_object(), *drops = json_object();
    for (int i = 0; i < TAP_DROP_COUNT; i++)
        if (stats.dropped[i] > 0)
            put_number(drops, tap_drop_name((enum tap_drop)i),
                       stats.dropped[i]);
    put_text(object, "kind", "tap");
    put_text(object, "device", tap_device_name(tap));
    put_number(object, "frames-in", stats.frames_read);
    put_number(object, "bytes-in", stats.bytes_read);
    put_number(object, "frames-out", stats.frames_written);
    put_number(object, "bytes-out", stats.bytes_written);
    put(object, "drops", drops);
    return object;
}

static json_t *nodes_json(struct sim *sim)
{
    json_t *nodes = json_object();
    for (struct node *node = sim->nodes; node; node = node->next)
        put(nodes, node->name,
            node_is_host(node)       ? host_json(node_as_host(node))
            : node->kind == NODE_TAP ? tap_json(node_as_tap(node))
                                     : switch_json(node));
    return nodes;
}

static json_t *drops_json(const struct link_direction_stats *stats)
{
    json_t *drops = json_object();
    for (int i = 0; i < LINK_DROP_COUNT; i++)
        if (stats->dropped[i] > 0)
            put_number(drops, link_drop_name((enum link_drop)i),
                       stats->dropped[i]);
    return drops;
}

static json_t *direction_json(const struct link *link, unsigned direction)
{
    struct link_direction_stats stats = link_get_stats(link, direction);
    json_t *object = json_object();
    put_text(object, "from", link->ends[direction]->node->name);
    put_text(object, "to", link->ends[1 - direction]->node->name);
    put_number(object, "frames-in", stats.frames_in);
    put_number(object, "bytes-in", stats.bytes_in);
    put_number(object, "frames-delivered", stats.frames_delivered);
    put_number(object, "bytes-delivered", stats.bytes_delivered);
    put(object, "dropped", drops_json(&stats));
    put_number(object, "duplicated", stats.duplicated);
    put_number(object, "corrupted", stats.corrupted);
    put_number(object, "reordered", stats.reordered);
    put_number(object, "delayed", stats.delayed);
    put_number(object, "marked", stats.marked);
    put_number(object, "edited", stats.edited);
    put_number(object, "injected", stats.injected);
    put_number(object, "peak-queue-packets", stats.peak_queue_packets);
    put_number(object, "peak-queue-bytes", stats.peak_queue_bytes);
    put_time(object, "peak-queue-delay-ns", stats.peak_queue_delay);
    put_time(object, "busy-ns", stats.busy);
    return object;
}

static json_t *links_json(struct sim *sim)
{
    json_t *links = json_object();
    for (struct link *link = sim->links; link; link = link->next) {
        json_t *pair = json_array();
        must(pair);
        for (unsigned i = 0; i < 2; i++)
            must(json_array_append_new(pair, direction_json(link, i)) == 0);
        put(links, link->name, pair);
    }
    return links;
}

static json_t *info_json(const struct tcp_info *info)
{
    json_t *object = json_object();
    put_text(object, "state", tcp_state_name(info->state));
    put_text(object, "congestion", info->congestion);
    put_number(object, "bytes-sent", info->bytes_sent);
    put_number(object, "bytes-acked", info->bytes_acked);
    put_number(object, "bytes-received", info->bytes_received);
    put_number(object, "bytes-retransmitted", info->bytes_retransmitted);
    put_number(object, "segments-out", info->segments_out);
    put_number(object, "segments-in", info->segments_in);
    put_number(object, "segments-retransmitted", info->segments_retransmitted);
    put_number(object, "segments-received-again",
               info->segments_received_again);
    put_number(object, "duplicate-acks-in", info->duplicate_acks_in);
    put_number(object, "out-of-order-in", info->out_of_order_in);
    put_number(object, "zero-window-probes", info->zero_window_probes);
    put_number(object, "zero-windows-sent", info->zero_windows_sent);
    put_number(object, "timeouts", info->timeouts);
    put_number(object, "fast-retransmits", info->fast_retransmits);
    put_number(object, "spurious-retransmits", info->spurious_retransmits);
    put_number(object, "cwnd", info->cwnd);
    put_number(object, "ssthresh", info->ssthresh);
    put_time(object, "srtt-ns", info->srtt);
    put_time(object, "min-rtt-ns", info->min_rtt);
    put_time(object, "rto-ns", info->rto);
    put_number(object, "mss", info->snd_mss);
    return object;
}

static json_t *flow_json(const struct flow *flow)
{
    char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];
    struct flow_figures figures = flow_get_figures(flow);
    json_t *object = json_object();
    put_text(object, "client", flow->client ? flow->client->node.name : NULL);
    put_text(object, "server", flow->server ? flow->server->node.name : NULL);
    put_text(object, "local", endpoint_format(&flow->local, local));
    put_text(object, "remote", endpoint_format(&flow->remote, remote));
    put_time(object, "opened-ns", flow->opened_at);
    put_time(object, "closed-ns", flow->closed_at);
    put_number(object, "bytes-up", figures.bytes_up);
    put_number(object, "bytes-down", figures.bytes_down);
    put_time(object, "duration-ns", figures.duration);
    put_number(object, "goodput-bps", figures.goodput_bps);
    put_number(object, "retransmissions", figures.retransmissions);
    if (flow->has_client)
        put(object, "client-info", info_json(flow->client_info));
    if (flow->has_server)
        put(object, "server-info", info_json(flow->server_info));
    return object;
}

static json_t *flows_json(struct sim *sim)
{
    json_t *flows = json_array();
    must(flows);
    for (const struct flow *f = flow_next(sim, NULL); f; f = flow_next(sim, f))
        must(json_array_append_new(flows, flow_json(f)) == 0);
    return flows;
}

static json_t *app_json(const struct app *app)
{
    struct app_stats stats = app_get_stats(app);
    json_t *object = json_object();
    put_text(object, "kind", app_kind_name(app_get_kind(app)));
    put_text(object, "host", app_host(app)->node.name);
    put_number(object, "bytes-sent", stats.bytes_sent);
    put_number(object, "bytes-received", stats.bytes_received);
    put_number(object, "messages-sent", stats.messages_sent);
    put_number(object, "messages-received", stats.messages_received);
    put_number(object, "lost", stats.lost);
    put_number(object, "reordered", stats.reordered);
    put_number(object, "duplicated", stats.duplicated);
    put_number(object, "connections", stats.connections);
    put_time(object, "started-ns", stats.started_at);
    put_time(object, "first-byte-ns", stats.first_byte_at);
    put_time(object, "last-byte-ns", stats.last_byte_at);
    put_time(object, "finished-ns", stats.finished_at);
    put_time(object, "rtt-min-ns", stats.rtt_min);
    put_time(object, "rtt-max-ns", stats.rtt_max);
    put_time(object, "rtt-average-ns",
             stats.messages_received
                 ? stats.rtt_total / (ns_t)stats.messages_received
                 : 0);
    put_time(object, "jitter-ns", stats.jitter);
    put_number(object, "error", (uint64_t)-stats.error);
    return object;
}

static json_t *apps_json(struct sim *sim)
{
    json_t *apps = json_object();
    for (struct app *app = sim_next_app(sim, NULL); app;
         app = sim_next_app(sim, app))
        put(apps, app_name(app), app_json(app));
    return apps;
}

static json_t *expectations_json(struct sim *sim)
{
    json_t *object = json_object(), *failed = json_array();
    must(failed);
    for (struct sim_failure *f = sim->failures; f; f = f->next) {
        json_t *failure = json_object();
        put_time(failure, "time-ns", f->time);
        put_text(failure, "text", f->text);
        must(json_array_append_new(failed, failure) == 0);
    }
    put_number(object, "checked", sim->expectations);
    put(object, "failed", failed);
    return object;
}

json_t *report_json(struct sim *sim, const struct report_options *options)
{
    char fingerprint[17];
    json_t *report = json_object();
    if (!report)
        return NULL;
    snprintf(fingerprint, sizeof(fingerprint), "%016llx",
             (unsigned long long)sim_fingerprint(sim));
    put_text(report, "wirebed", WIREBED_VERSION);
    put_text(report, "scenario", sim->name);
    put_number(report, "seed", sim->seed);
    put_time(report, "simulated-ns", sim_now(sim));
    put_number(report, "events", sim->engine.events_run);
    put(report, "interrupted", json_boolean(options->is_interrupted));
    put_text(report, "fingerprint", fingerprint);
    put(report, "nodes", nodes_json(sim));
    put(report, "links", links_json(sim));
    put(report, "flows", flows_json(sim));
    put_number(report, "flow-count", flow_count(sim));
    put(report, "apps", apps_json(sim));
    put(report, "expectations", expectations_json(sim));
    return report;
}
