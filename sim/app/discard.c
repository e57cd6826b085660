// discard: throws away what it gets, over TCP and UDP (RFC 863).
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>

struct discard {
    struct app app; // first
    struct stream_server server;
    struct socket *datagram[2]; // IPv4, IPv6
};

static void on_ready(struct stream_connection *c)
{
    struct packet *packet;
    int64_t n;

    while ((n = socket_receive_packet(c->socket, &packet)) > 0) {
        packet_free(packet);
        c->received += (uint64_t)n;
        app_note_received(c->server->app, (uint64_t)n);
    }
    if (n != -EAGAIN)
        stream_close(c);
}

static void on_datagram(void *context, struct socket *socket, uint32_t events)
{
    struct discard *discard = context;
    uint8_t byte;
    int64_t n;
    (void)events;
    while ((n = socket_receive_from(socket, &byte, 1, MESSAGE_TRUNCATE, NULL,
                                    NULL)) >= 0) {
        discard->app.stats.messages_received++;
        app_note_received(&discard->app, (uint64_t)n);
    }
}

static int start(struct app *app)
{
    struct discard *discard = (struct discard *)app;
    int error = stream_server_start(&discard->server, app, on_ready);

    return error != 0 ? error
                      : datagram_server_start(app, discard->datagram,
                                              on_datagram, discard);
}

static void stop(struct app *app)
{
    struct discard *discard = (struct discard *)app;

    stream_server_stop(&discard->server);
    datagram_server_stop(discard->datagram);
}

const struct app_ops discard_app = {
    .size = sizeof(struct discard), .start = start, .stop = stop};
