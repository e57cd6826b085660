// tcp-sink: accepts connections, reads what comes and counts it.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>

struct tcp_sink {
    struct app app; // first
    struct stream_server server;
};

static void sink_on_ready(struct stream_connection *connection)
{
    struct packet *packet;
    int64_t got;
    while ((got = socket_receive_packet(connection->socket, &packet)) > 0) {
        packet_free(packet);
        connection->received += (uint64_t)got;
        app_note_received(connection->server->app, (uint64_t)got);
    }
    if (got != -EAGAIN)
        stream_close(connection);
}

static int sink_start(struct app *app)
{
    return stream_server_start(&((struct tcp_sink *)app)->server, app,
                               sink_on_ready);
}

static void sink_stop(struct app *app)
{
    stream_server_stop(&((struct tcp_sink *)app)->server);
}

const struct app_ops tcp_sink_app = {
    .size = sizeof(struct tcp_sink), .start = sink_start, .stop = sink_stop};
