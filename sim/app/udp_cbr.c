// udp-cbr: sends datagrams of one size at a constant rate.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Datagram n leaves at start + n * size * 8 / rate, computed from n each time,
// so that no rounding adds up.
struct udp_cbr {
    struct app app; // first
    struct socket *socket;
    uint8_t *payload;
    ns_t origin;
};

static ns_t departure(const struct udp_cbr *cbr, uint64_t n)
{
    const struct app_config *config = &cbr->app.config;
    unsigned __int128 bits = (unsigned __int128)n * config->size * 8;
    return cbr->origin + (ns_t)(bits * NS_PER_S / config->rate_bps);
}

static void cbr_on_timer(struct app *app)
{
    struct udp_cbr *cbr = (struct udp_cbr *)app;
    struct app_stats *stats = &app->stats;
    if (app->config.size >= PROBE_SIZE)
        probe_put(cbr->payload, stats->messages_sent, app_now(app));
    int64_t n = socket_send(cbr->socket, cbr->payload, app->config.size, 0);
    if (n >= 0)
        app_note_sent(app, (uint64_t)n);
    else if (!stats->error)
        stats->error = (int)n;
    stats->messages_sent++; // the refused ones too: the clock does not wait
    if (app->config.count && stats->messages_sent >= app->config.count)
        app_finish(app, 0);
    else
        app_set_timer(app, departure(cbr, stats->messages_sent));
}

static int cbr_start(struct app *app)
{
    struct udp_cbr *cbr = (struct udp_cbr *)app;
    const struct app_config *config = &app->config;
    int error = socket_open(app->host->stack, SOCKET_DATAGRAM,
                            config->remote.addr.family, 0, &cbr->socket);
    if (error)
        return error;
    cbr->payload = calloc(1, config->size ? config->size : 1);
    if (!cbr->payload)
        return -ENOMEM;
    socket_set_option(cbr->socket, OPTION_BROADCAST, 1);
    error = socket_connect(cbr->socket, &config->remote);
    if (error)
        return error;
    cbr->origin =
        app_now(app) - (departure(cbr, app->stats.messages_sent) - cbr->origin);
    app_set_timer(app, app_now(app));
    return 0;
}

static void cbr_stop(struct app *app)
{
    struct udp_cbr *cbr = (struct udp_cbr *)app;
    if (cbr->socket)
        socket_close(cbr->socket);
    cbr->socket = NULL;
    free(cbr->payload);
    cbr->payload = NULL;
}

const struct app_ops udp_cbr_app = {.size = sizeof(struct udp_cbr),
                                    .start = cbr_start,
                                    .stop = cbr_stop,
                                    .on_timer = cbr_on_timer};
