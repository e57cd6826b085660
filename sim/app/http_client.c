// http-get: fetches a path a number of times over one connection.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Theory of operation
//
// RFC 9112. Responses are read line by line where HTTP has lines and counted
// where it has bodies:
//
//      STATUS ─▶ FIELDS ─▶ BODY (Content-Length) ───────────▶ done
//                     ├──▶ CHUNK_SIZE ─▶ CHUNK ─▶ CHUNK_END ─▶ CHUNK_SIZE ...
//                     │           └─ size 0 ─▶ TRAILER ──────▶ done
//                     └──▶ UNTIL_CLOSE ──────────────────────▶ done
//
// A status of 400 and above ends the application with -EPROTO, as does what is
// not HTTP.

enum { LINE_LIMIT = 4096 };

enum http_state {
    STATUS,
    FIELDS,
    BODY,
    CHUNK_SIZE,
    CHUNK,
    CHUNK_END,
    TRAILER,
    UNTIL_CLOSE
};

struct http_client {
    struct app app; // first
    struct socket *socket;
    enum http_state state;
    char line[LINE_LIMIT];
    size_t line_used;
    uint64_t left; // of the body or chunk
    int64_t length;
    int status;
    bool has_chunks, closes, is_asking;
    uint64_t exchanges;
    ns_t asked_at;
};

static struct http_client *client_of(struct app *app)
{
    return (struct http_client *)app;
}

// --- Asking

static int ask(struct http_client *c)
{
    const struct app_config *config = &c->app.config;
    char request[LINE_LIMIT], address[ENDPOINT_TEXT_SIZE];
    bool is_last = config->count != 0 && c->exchanges + 1 == config->count;
    int length =
        snprintf(request, sizeof(request),
                 "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Wirebed\r\n"
                 "Accept: */*\r\n%s\r\n",
                 config->path != NULL ? config->path : "/",
                 endpoint_format(&config->remote, address),
                 is_last ? "Connection: close\r\n" : "");

    if (length >= (int)sizeof(request))
        return -EMSGSIZE;
    c->state = STATUS;
    c->line_used = 0;
    c->is_asking = true;
    c->asked_at = app_now(&c->app);
    c->app.stats.messages_sent++;
    // A request is far smaller than the smallest send buffer.
    int64_t n = socket_send(c->socket, request, (size_t)length, 0);
    if (n > 0)
        app_note_sent(&c->app, (uint64_t)n);
    return n == length ? 0 : n < 0 ? (int)n : -ENOBUFS;
}

// --- Reading

static void end_response(struct http_client *c)
{
    const struct app_config *config = &c->app.config;

    c->is_asking = false;
    c->exchanges++;
    app_note_rtt(&c->app, app_now(&c->app) - c->asked_at);
    if (config->count != 0 && c->exchanges == config->count)
        app_finish(&c->app, 0);
    else if (c->closes)
        app_finish(&c->app, -ECONNRESET);
    else
        app_set_timer(&c->app, app_now(&c->app) + config->interval);
}

static int begin_body(struct http_client *c)
{
    if (c->status >= 100 && c->status < 200) { // RFC 9110 15.2: more follows
        c->state = STATUS;
        return 0;
    }
    if (c->status >= 400)
        return -EPROTO;
    bool is_empty = c->status == 204 || c->status == 304 || c->length == 0;
    c->left = c->length > 0 ? (uint64_t)c->length : 0;
    c->state = c->has_chunks ? CHUNK_SIZE : c->length >= 0 ? BODY : UNTIL_CLOSE;
    if (!c->has_chunks && is_empty)
        end_response(c);
    return 0;
}

static int read_status(struct http_client *c)
{
    if (strncmp(c->line, "HTTP/1.", 7) != 0 || !isdigit(c->line[7]) ||
        c->line[8] != ' ')
        return -EPROTO;
    c->status = atoi(c->line + 9);
    c->closes = c->line[7] == '0';
    c->length = -1;
    c->has_chunks = false;
    c->state = FIELDS;
    return c->status >= 100 && c->status <= 599 ? 0 : -EPROTO;
}

static int read_field(struct http_client *c)
{
    char *value = strchr(c->line, ':');

    if (c->line_used == 0)
        return begin_body(c);
    if (value == NULL)
        return -EPROTO;
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(c->line, "Content-Length") == 0)
        c->length = atoll(value);
    else if (strcasecmp(c->line, "Transfer-Encoding") == 0)
        c->has_chunks = strcasestr(value, "chunked") != NULL;
    else if (strcasecmp(c->line, "Connection") == 0)
        c->closes |= strcasestr(value, "close") != NULL;
    return 0;
}

static int read_chunk_size(struct http_client *c)
{
    char *end;

    c->left = strtoull(c->line, &end, 16);
    if (end == c->line || c->left > INT64_MAX)
        return -EPROTO;
    c->state = c->left > 0 ? CHUNK : TRAILER;
    return 0;
}

static int read_line(struct http_client *c)
{
    switch (c->state) {
    case STATUS:
        return read_status(c);
    case FIELDS:
        return read_field(c);
    case CHUNK_SIZE:
        return read_chunk_size(c);
    case CHUNK_END:
        c->state = CHUNK_SIZE;
        return c->line_used == 0 ? 0 : -EPROTO;
    case TRAILER:
        if (c->line_used == 0)
            end_response(c);
        return 0;
    default:
        must(false);
    }
}

// Takes bytes of a line; how many. Negative: an error.
static int64_t take_line(struct http_client *c, const char *bytes, size_t size)
{
    const char *end = memchr(bytes, '\n', size);
    size_t part = end != NULL ? (size_t)(end - bytes) : size;

    if (c->line_used + part >= sizeof(c->line))
        return -EPROTO;
    memcpy(c->line + c->line_used, bytes, part);
    c->line_used += part;
    if (end == NULL)
        return (int64_t)size;
    if (c->line_used > 0 && c->line[c->line_used - 1] == '\r')
        c->line_used--;
    c->line[c->line_used] = '\0';
    int error = read_line(c);
    c->line_used = 0;
    return error < 0 ? error : (int64_t)part + 1;
}

static int64_t take_body(struct http_client *c, size_t size)
{
    if (c->state == UNTIL_CLOSE)
        return (int64_t)size;
    size_t part = c->left < size ? (size_t)c->left : size;
    c->left -= part;
    if (c->left == 0 && c->state == CHUNK)
        c->state = CHUNK_END;
    else if (c->left == 0)
        end_response(c);
    return (int64_t)part;
}

static int take(struct http_client *c, const char *bytes, size_t size)
{
    while (size > 0 && c->socket != NULL) {
        bool is_body =
            c->state == BODY || c->state == CHUNK || c->state == UNTIL_CLOSE;
        if (!c->is_asking)
            return -EPROTO; // nobody asked for this
        int64_t n = is_body ? take_body(c, size) : take_line(c, bytes, size);
        if (n < 0)
            return (int)n;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

static int end_of_stream(struct http_client *c)
{
    if (!c->is_asking || c->state != UNTIL_CLOSE)
        return -ECONNRESET;
    c->closes = true;
    end_response(c);
    return 0;
}

static void on_event(void *context, struct socket *socket, uint32_t events)
{
    struct http_client *c = context;
    char bytes[8192];
    int64_t n = 0;
    int error = events & EVENT_ERROR ? socket_take_error(socket) : 0;

    if (error == 0 && c->exchanges == 0 && !c->is_asking &&
        events & EVENT_WRITABLE)
        error = ask(c);
    while (error == 0 && c->socket != NULL &&
           (n = socket_receive(c->socket, bytes, sizeof(bytes), 0)) > 0) {
        app_note_received(&c->app, (uint64_t)n);
        error = take(c, bytes, (size_t)n);
    }
    if (error == 0 && c->socket != NULL && n == 0)
        error = end_of_stream(c);
    else if (error == 0 && n < 0 && n != -EAGAIN && n != -ENOTCONN)
        error = (int)n;
    if (error != 0)
        app_finish(&c->app, error);
}

// --- Life

static void on_timer(struct app *app)
{
    int error = ask(client_of(app));

    if (error != 0)
        app_finish(app, error);
}

static int start(struct app *app)
{
    struct http_client *c = client_of(app);
    const struct app_config *config = &app->config;
    int error = socket_open(app->host->stack, SOCKET_STREAM,
                            config->remote.addr.family, 0, &c->socket);

    if (error != 0)
        return error;
    c->exchanges = 0;
    c->is_asking = c->closes = false;
    socket_set_handler(c->socket, on_event, c);
    app->stats.connections++;
    error = socket_connect(c->socket, &config->remote);
    return error == -EINPROGRESS ? 0 : error;
}

static void stop(struct app *app)
{
    struct http_client *c = client_of(app);

    if (c->socket != NULL)
        socket_close(c->socket);
    c->socket = NULL;
}

const struct app_ops http_client_app = {.size = sizeof(struct http_client),
                                        .start = start,
                                        .stop = stop,
                                        .on_timer = on_timer};
