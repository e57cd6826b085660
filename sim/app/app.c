// Life of applications: creation, start and stop times, figures.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/name_table.h"
#include "stack/wire/bytes.h"

struct app_kind_row {
    const char *name;
    const struct app_ops *ops;
};
static const struct app_kind_row kinds[APP_KIND_COUNT] = {
    [APP_TCP_BULK] = {"tcp-bulk", &tcp_bulk_app},
    [APP_TCP_SINK] = {"tcp-sink", &tcp_sink_app},
    [APP_UDP_CBR] = {"udp-cbr", &udp_cbr_app},
    [APP_UDP_SINK] = {"udp-sink", &udp_sink_app},
    [APP_ECHO] = {"echo", &echo_app},
    [APP_REQUEST_RESPONSE] = {"request-response", &request_app},
    [APP_RESPONDER] = {"responder", &responder_app},
    [APP_PING] = {"ping", &ping_app},
    [APP_DISCARD] = {"discard", &discard_app},
    [APP_CHARGEN] = {"chargen", &chargen_app},
    [APP_HTTP] = {"http", &http_server_app},
    [APP_HTTP_GET] = {"http-get", &http_client_app},
    [APP_IPERF] = {"iperf3", &iperf_server_app},
    [APP_DHCP] = {"dhcp", &dhcp_client_app},
};

const char *app_kind_name(enum app_kind kind) { return kinds[kind].name; }

static void on_start(struct event *event)
{
    app_start(CONTAINER_OF(event, struct app, start_event));
}

static void on_stop(struct event *event)
{
    app_stop(CONTAINER_OF(event, struct app, stop_event));
}

static void on_timer(struct event *event)
{
    struct app *app = CONTAINER_OF(event, struct app, timer);
    app->ops->on_timer(app);
}

static char *make_name(struct sim *sim, const struct host *host,
                       const struct app_config *config)
{
    char base[160], name[192];
    if (config->name)
        return strdup(config->name);
    snprintf(base, sizeof(base), "%s/%s", host->node.name,
             app_kind_name(config->kind));
    snprintf(name, sizeof(name), "%s", base);
    for (unsigned n = 2; sim_find_app(sim, name); n++)
        snprintf(name, sizeof(name), "%s-%u", base, n);
    return strdup(name);
}

// What would divide by zero or never let time pass.
static bool is_possible(const struct app_config *config)
{
    switch (config->kind) {
    case APP_UDP_CBR:
        return config->rate_bps > 0 && config->size > 0;
    case APP_PING:
        return config->interval > 0 && config->size <= 65507;
    case APP_REQUEST_RESPONSE:
    case APP_RESPONDER:
        return config->request > 0 && config->response > 0;
    default:
        return true;
    }
}

int sim_add_app(struct sim *sim, struct host *host,
                const struct app_config *config, struct app **out)
{
    must(config->kind < APP_KIND_COUNT);
    if (!is_possible(config))
        return -EINVAL;
    if (config->name && sim_find_app(sim, config->name))
        return -EEXIST;
    const struct app_ops *ops = kinds[config->kind].ops;
    struct app *app = calloc(1, ops->size);
    if (!app)
        return -ENOMEM;
    app->ops = ops;
    app->sim = sim;
    app->host = host;
    app->config = *config;
    app->name = make_name(sim, host, config);
    if (!app->name || engine_reserve(&sim->engine, 3) ||
        name_table_add(sim->app_names, app->name, app)) {
        free(app->name);
        free(app);
        return -ENOMEM;
    }
    app->config.name = app->name;
    app->stats.started_at = app->stats.first_byte_at = NS_NEVER;
    app->stats.last_byte_at = app->stats.finished_at = NS_NEVER;
    event_init(&app->start_event, node_new_order(&host->node), on_start);
    event_init(&app->stop_event, node_new_order(&host->node), on_stop);
    event_init(&app->timer, node_new_order(&host->node), on_timer);
    if (config->start != NS_NEVER)
        engine_schedule(&sim->engine, &app->start_event,
                        max_i64(config->start, sim_now(sim)));
    if (config->stop != NS_NEVER)
        engine_schedule(&sim->engine, &app->stop_event,
                        max_i64(config->stop, sim_now(sim)));
    *sim->apps_end = app;
    sim->apps_end = &app->next;
    *out = app;
    return 0;
}

void app_start(struct app *app)
{
    if (app->stats.is_running)
        return;
    app->stats.is_running = true;
    app->stats.is_finished = false;
    app->stats.started_at = app_now(app);
    app->stats.finished_at = NS_NEVER;
    int error = app->ops->start(app);
    if (error)
        app_finish(app, error);
}

void app_stop(struct app *app)
{
    engine_cancel(&app->sim->engine, &app->start_event);
    if (app->stats.is_running)
        app_finish(app, 0);
}

void app_finish(struct app *app, int error)
{
    if (!app->stats.is_running)
        return;
    app->stats.is_running = false;
    app->stats.is_finished = true;
    app->stats.finished_at = app_now(app);
    if (error && !app->stats.error)
        app->stats.error = error;
    engine_cancel(&app->sim->engine, &app->timer);
    app->ops->stop(app);
}

void app_destroy_all(struct sim *sim)
{
    while (sim->apps) {
        struct app *app = sim->apps;
        sim->apps = app->next;
        app_stop(app);
        app->ops->stop(app);
        engine_cancel(&sim->engine, &app->stop_event);
        engine_cancel(&sim->engine, &app->timer);
        name_table_remove(sim->app_names, app->name);
        free(app->name);
        free(app);
    }
    sim->apps_end = &sim->apps;
}

void app_set_timer(struct app *app, ns_t when)
{
    engine_schedule(&app->sim->engine, &app->timer,
                    max_i64(when, app_now(app)));
}

void app_set_listener(struct app *app,
                      void (*on_change)(void *context, struct app *app),
                      void *context)
{
    app->on_change = on_change;
    app->on_change_context = context;
}

struct app_stats app_get_stats(const struct app *app) { return app->stats; }
const char *app_name(const struct app *app) { return app->name; }
enum app_kind app_get_kind(const struct app *app) { return app->config.kind; }
struct host *app_host(const struct app *app) { return app->host; }

struct app *sim_next_app(struct sim *sim, struct app *previous)
{
    return previous ? previous->next : sim->apps;
}

struct app *sim_find_app(struct sim *sim, const char *name)
{
    return name_table_find(sim->app_names, name);
}

// --- What the kinds share ---------------------------------------------------

void app_note_received(struct app *app, uint64_t bytes)
{
    app->stats.bytes_received += bytes;
    if (app->stats.first_byte_at == NS_NEVER)
        app->stats.first_byte_at = app_now(app);
    app->stats.last_byte_at = app_now(app);
}

void app_note_sent(struct app *app, uint64_t bytes)
{
    app->stats.bytes_sent += bytes;
}

void app_note_rtt(struct app *app, ns_t rtt)
{
    struct app_stats *stats = &app->stats;
    if (stats->messages_received == 0 || rtt < stats->rtt_min)
        stats->rtt_min = rtt;
    stats->rtt_max = max_i64(stats->rtt_max, rtt);
    stats->rtt_total += rtt;
    stats->messages_received++;
}

static void put_be64(uint8_t *bytes, uint64_t value)
{
    put_be32(bytes, (uint32_t)(value >> 32));
    put_be32(bytes + 4, (uint32_t)value);
}

static uint64_t get_be64(const uint8_t *bytes)
{
    return (uint64_t)get_be32(bytes) << 32 | get_be32(bytes + 4);
}

// Within 256 aligned bytes the words of the pattern differ in their last byte
// alone, which is an addition that never carries: vectors of the machine's own
// words do, whatever its byte order.
typedef uint64_t lanes __attribute__((vector_size(16)));

static uint64_t pattern_word(uint64_t offset)
{
    uint8_t bytes[8];
    uint64_t word;
    put_be64(bytes, offset);
    memcpy(&word, bytes, sizeof(word));
    return word;
}

// A multiple of 32 bytes that lie in one aligned stretch of 256.
static void fill_vectors(uint8_t *bytes, uint64_t offset, size_t length)
{
    uint64_t first = pattern_word(offset), step = pattern_word(8);
    lanes low = {first, first + step}, high = low + 2 * step;
    for (size_t i = 0; i < length; i += 32) {
        memcpy(bytes + i, &low, sizeof(low));
        memcpy(bytes + i + 16, &high, sizeof(high));
        low += step * 4;
        high += step * 4;
    }
}

// Fewer than 32 bytes, or up to the next multiple of that.
static size_t fill_bytes(uint8_t *bytes, uint64_t offset, size_t length)
{
    size_t skip = offset % 32;
    uint8_t whole[32];
    fill_vectors(whole, offset - skip, sizeof(whole));
    if (length > sizeof(whole) - skip)
        length = sizeof(whole) - skip;
    memcpy(bytes, whole + skip, length);
    return length;
}

void app_pattern(void *context, uint64_t offset, uint8_t *bytes, size_t length)
{
    (void)context;
    while (length > 0) {
        size_t part = 256 - offset % 256;
        part = (part < length ? part : length) & ~(size_t)31;
        if (offset % 32 != 0 || part == 0)
            part = fill_bytes(bytes, offset, length);
        else
            fill_vectors(bytes, offset, part);
        bytes += part;
        offset += part;
        length -= part;
    }
}

static const uint8_t probe_magic[8] = "wirebed";

void probe_put(uint8_t *bytes, uint64_t sequence, ns_t sent_at)
{
    memcpy(bytes, probe_magic, 8);
    put_be64(bytes + 8, sequence);
    put_be64(bytes + 16, (uint64_t)sent_at);
}

bool probe_get(const uint8_t *bytes, size_t length, uint64_t *sequence,
               ns_t *sent_at)
{
    if (length < PROBE_SIZE || memcmp(bytes, probe_magic, 8) != 0)
        return false;
    *sequence = get_be64(bytes + 8);
    *sent_at = (ns_t)get_be64(bytes + 16);
    return true;
}
