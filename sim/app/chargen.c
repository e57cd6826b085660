// chargen: characters without end over TCP, a line over UDP (RFC 864).
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>

enum { LINE = 74, FIRST = ' ', COUNT = 95, CHARACTERS = 72 };

struct chargen {
    struct app app; // first
    struct stream_server server;
    struct socket *datagram[2]; // IPv4, IPv6
};

// RFC 864's pattern: 72 printing characters, each line begins one further on.
static void fill(uint64_t offset, char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint64_t line = (offset + i) / LINE, column = (offset + i) % LINE;

        bytes[i] = column < CHARACTERS ? (char)(FIRST + (line + column) % COUNT)
                   : column == CHARACTERS ? '\r'
                                          : '\n';
    }
}

static void on_ready(struct stream_connection *c)
{
    char bytes[LINE * 64];
    int64_t n;

    while ((n = socket_receive(c->socket, bytes, sizeof(bytes), 0)) > 0)
        c->received += (uint64_t)n; // RFC 864: is thrown away
    while (n == -EAGAIN) {
        fill(c->sent, bytes, sizeof(bytes));
        int64_t sent = socket_send(c->socket, bytes, sizeof(bytes), 0);
        if (sent == -EAGAIN)
            return;
        if (sent < 0)
            break;
        c->sent += (uint64_t)sent;
        app_note_sent(c->server->app, (uint64_t)sent);
    }
    stream_close(c);
}

static void on_datagram(void *context, struct socket *socket, uint32_t events)
{
    struct chargen *chargen = context;
    char bytes[LINE];
    struct endpoint from;
    (void)events;
    while (socket_receive_from(socket, bytes, sizeof(bytes), 0, &from, NULL) >=
           0) {
        fill(chargen->app.stats.messages_received++ * LINE, bytes, LINE);
        if (socket_send_to(socket, bytes, LINE, 0, &from) >= 0) {
            chargen->app.stats.messages_sent++;
            app_note_sent(&chargen->app, LINE);
        }
    }
}

static int start(struct app *app)
{
    struct chargen *chargen = (struct chargen *)app;
    int error = stream_server_start(&chargen->server, app, on_ready);

    return error != 0 ? error
                      : datagram_server_start(app, chargen->datagram,
                                              on_datagram, chargen);
}

static void stop(struct app *app)
{
    struct chargen *chargen = (struct chargen *)app;

    stream_server_stop(&chargen->server);
    datagram_server_stop(chargen->datagram);
}

const struct app_ops chargen_app = {
    .size = sizeof(struct chargen), .start = start, .stop = stop};
