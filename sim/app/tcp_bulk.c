// tcp-bulk: connects and sends a number of bytes as fast as TCP takes them.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>

struct tcp_bulk {
    struct app app; // first
    struct socket *socket;
    bool is_shut; // all is given to TCP
};

static void count_acked(struct tcp_bulk *bulk)
{
    struct tcp_info info;
    if (socket_get_tcp_info(bulk->socket, &info) == 0)
        bulk->app.stats.bytes_sent = info.bytes_acked;
}

static void bulk_stop(struct app *app)
{
    struct tcp_bulk *bulk = (struct tcp_bulk *)app;
    if (!bulk->socket)
        return;
    count_acked(bulk);
    socket_close(bulk->socket);
    bulk->socket = NULL;
}

// The FIN follows the last byte; the peer's FIN tells that it has read
// everything.
static void bulk_on_event(void *context, struct socket *socket, uint32_t events)
{
    struct tcp_bulk *bulk = context;
    int error = events & EVENT_ERROR ? socket_take_error(socket) : 0;
    if (error || events & (EVENT_CLOSED | EVENT_PEER_CLOSED)) {
        app_finish(&bulk->app, error);
        return;
    }
    if (events & EVENT_WRITABLE && bulk->app.config.bytes && !bulk->is_shut) {
        bulk->is_shut = true;
        socket_shutdown(socket, SHUTDOWN_SEND);
    }
}

static int bulk_start(struct app *app)
{
    struct tcp_bulk *bulk = (struct tcp_bulk *)app;
    const struct app_config *config = &app->config;
    int error = socket_open(app->host->stack, SOCKET_STREAM,
                            config->remote.addr.family, 0, &bulk->socket);
    if (error)
        return error;
    bulk->is_shut = false;
    socket_set_handler(bulk->socket, bulk_on_event, bulk);
    error = socket_set_source(bulk->socket, app_pattern, NULL,
                              config->bytes ? config->bytes : UINT64_MAX);
    if (!error)
        error = socket_connect(bulk->socket, &config->remote);
    app->stats.connections++;
    return error == -EINPROGRESS ? 0 : error;
}

const struct app_ops tcp_bulk_app = {
    .size = sizeof(struct tcp_bulk), .start = bulk_start, .stop = bulk_stop};
