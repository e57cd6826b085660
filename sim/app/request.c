// request-response: a client that asks, the responder that answers.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>

// --- Client -----------------------------------------------------------------

struct request {
    struct app app; // first
    struct socket *socket;
    uint64_t exchanges;  // finished
    uint64_t offset;     // of all bytes given to the socket
    uint32_t to_send;    // of the present request
    uint32_t to_receive; // of its response
    ns_t asked_at;
    bool is_asking;
};

static void ask(struct request *request)
{
    request->is_asking = true;
    request->asked_at = app_now(&request->app);
    request->to_send = request->app.config.request;
    request->to_receive = request->app.config.response;
    request->app.stats.messages_sent++;
}

// Gives pattern bytes to a socket until `left` is 0. 0, -EAGAIN or an error.
static int send_pattern(struct app *app, struct socket *socket,
                        uint64_t *offset, uint64_t *left)
{
    uint8_t bytes[4096];
    while (*left > 0) {
        size_t size = *left < sizeof(bytes) ? (size_t)*left : sizeof(bytes);
        app_pattern(NULL, *offset, bytes, size);
        int64_t n = socket_send(socket, bytes, size, 0);
        if (n < 0)
            return (int)n;
        *offset += (uint64_t)n;
        *left -= (uint64_t)n;
        app_note_sent(app, (uint64_t)n);
    }
    return 0;
}

// Reads the response. 0: it is whole; -EAGAIN; an error; -ECONNRESET at an
// early end.
static int read_response(struct request *request)
{
    uint8_t bytes[4096];
    while (request->to_receive > 0) {
        size_t size = min_u32(request->to_receive, sizeof(bytes));
        int64_t n = socket_receive(request->socket, bytes, size, 0);
        if (n == 0)
            return -ECONNRESET;
        if (n < 0)
            return (int)n;
        request->to_receive -= (uint32_t)n;
        app_note_received(&request->app, (uint64_t)n);
    }
    return 0;
}

static int exchange(struct request *request)
{
    uint64_t left = request->to_send;
    int error =
        send_pattern(&request->app, request->socket, &request->offset, &left);
    request->to_send = (uint32_t)left;
    return error ? error : read_response(request);
}

// True: go on at once with the next exchange.
static bool end_exchange(struct request *request)
{
    const struct app_config *config = &request->app.config;
    app_note_rtt(&request->app, app_now(&request->app) - request->asked_at);
    request->exchanges++;
    request->is_asking = false;
    if (config->count && request->exchanges == config->count) {
        app_finish(&request->app, 0);
        return false;
    }
    if (config->interval > 0) {
        app_set_timer(&request->app, app_now(&request->app) + config->interval);
        return false;
    }
    return true;
}

static void request_advance(struct request *request)
{
    while (request->socket) {
        if (!request->is_asking)
            ask(request);
        int error = exchange(request);
        if (error == -EAGAIN)
            return;
        if (error) {
            app_finish(&request->app, error);
            return;
        }
        if (!end_exchange(request))
            return;
    }
}

static void request_on_event(void *context, struct socket *socket,
                             uint32_t events)
{
    struct request *request = context;
    int error = events & EVENT_ERROR ? socket_take_error(socket) : 0;
    if (error)
        app_finish(&request->app, error);
    else if (request->is_asking || !event_is_pending(&request->app.timer))
        request_advance(request);
}

static void request_on_timer(struct app *app)
{
    request_advance((struct request *)app);
}

static int request_start(struct app *app)
{
    struct request *request = (struct request *)app;
    const struct app_config *config = &app->config;
    int error = socket_open(app->host->stack, SOCKET_STREAM,
                            config->remote.addr.family, 0, &request->socket);
    if (error)
        return error;
    request->exchanges = request->offset = 0;
    request->is_asking = false;
    socket_set_handler(request->socket, request_on_event, request);
    error = socket_connect(request->socket, &config->remote);
    app->stats.connections++;
    return error == -EINPROGRESS ? 0 : error;
}

static void request_stop(struct app *app)
{
    struct request *request = (struct request *)app;
    if (request->socket)
        socket_close(request->socket);
    request->socket = NULL;
}

const struct app_ops request_app = {.size = sizeof(struct request),
                                    .start = request_start,
                                    .stop = request_stop,
                                    .on_timer = request_on_timer};

// --- Server -----------------------------------------------------------------

struct responder {
    struct app app; // first
    struct stream_server server;
};

static void note_requests(struct stream_connection *c, uint64_t bytes)
{
    struct app *app = c->server->app;
    uint64_t before = c->received / app->config.request;
    c->received += bytes;
    uint64_t whole = c->received / app->config.request - before;
    c->owed += whole * app->config.response;
    app->stats.messages_received += whole;
    app_note_received(app, bytes);
}

static void responder_on_ready(struct stream_connection *c)
{
    struct app *app = c->server->app;
    struct packet *packet;
    int64_t n;
    while ((n = socket_receive_packet(c->socket, &packet)) > 0) {
        packet_free(packet);
        note_requests(c, (uint64_t)n);
    }
    if (n == 0)
        c->peer_is_done = true;
    int error = n < 0 && n != -EAGAIN ? (int)n : 0;
    if (!error)
        error = send_pattern(app, c->socket, &c->sent, &c->owed);
    if ((error && error != -EAGAIN) || (c->peer_is_done && c->owed == 0))
        stream_close(c);
}

static int responder_start(struct app *app)
{
    return stream_server_start(&((struct responder *)app)->server, app,
                               responder_on_ready);
}

static void responder_stop(struct app *app)
{
    stream_server_stop(&((struct responder *)app)->server);
}

const struct app_ops responder_app = {.size = sizeof(struct responder),
                                      .start = responder_start,
                                      .stop = responder_stop};
