// echo: sends back what it gets, over TCP and UDP (RFC 862).
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>
#include <stdlib.h>

enum { ECHO_BUFFER = 16384 };

struct echo {
    struct app app; // first
    struct stream_server server;
    struct socket *datagram[2]; // IPv4, IPv6
};

// Sends what is in the buffer. False: it has to wait, or the connection is
// gone.
static bool flush(struct stream_connection *c)
{
    while (c->done < c->used) {
        int64_t n =
            socket_send(c->socket, c->buffer + c->done, c->used - c->done, 0);
        if (n == -EAGAIN)
            return false;
        if (n < 0) {
            stream_close(c);
            return false;
        }
        c->done += (uint32_t)n;
        c->sent += (uint64_t)n;
        app_note_sent(c->server->app, (uint64_t)n);
    }
    return true;
}

static void echo_on_ready(struct stream_connection *c)
{
    if (!c->buffer && !(c->buffer = malloc(ECHO_BUFFER))) {
        stream_close(c);
        return;
    }
    while (flush(c)) {
        int64_t n = socket_receive(c->socket, c->buffer, ECHO_BUFFER, 0);
        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            stream_close(c);
            return;
        }
        c->used = (uint32_t)n;
        c->done = 0;
        c->received += (uint64_t)n;
        app_note_received(c->server->app, (uint64_t)n);
    }
}

static void echo_on_datagram(void *context, struct socket *socket,
                             uint32_t events)
{
    struct echo *echo = context;
    uint8_t bytes[65536];
    struct endpoint from;
    int64_t n;
    (void)events;
    while ((n = socket_receive_from(socket, bytes, sizeof(bytes), 0, &from,
                                    NULL)) >= 0) {
        echo->app.stats.messages_received++;
        app_note_received(&echo->app, (uint64_t)n);
        if (socket_send_to(socket, bytes, (size_t)n, 0, &from) >= 0) {
            echo->app.stats.messages_sent++;
            app_note_sent(&echo->app, (uint64_t)n);
        }
    }
}

static int echo_start(struct app *app)
{
    struct echo *echo = (struct echo *)app;
    int error = stream_server_start(&echo->server, app, echo_on_ready);
    if (!error)
        error =
            datagram_server_start(app, echo->datagram, echo_on_datagram, echo);
    return error;
}

static void echo_stop(struct app *app)
{
    struct echo *echo = (struct echo *)app;
    stream_server_stop(&echo->server);
    datagram_server_stop(echo->datagram);
}

const struct app_ops echo_app = {
    .size = sizeof(struct echo), .start = echo_start, .stop = echo_stop};
