// iperf3: a server for one test of iperf3 at a time.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app/internal.h"
#include "stack/wire/bytes.h"

// Theory of operation
//
// iperf3's protocol, as its client speaks it. A connection begins with a cookie
// of 37 bytes; the first connection of a cookie is the control connection, the
// others with the same cookie are streams. On the control connection the server
// tells the state by single bytes, and JSON goes both ways behind four bytes of
// length:
//
//   client                     server
//   cookie ─────────────────▶
//          ◀───────────────── PARAM_EXCHANGE
//   parameters ─────────────▶
//          ◀───────────────── CREATE_STREAMS
//   streams, cookie each ───▶
//          ◀───────────────── TEST_START, TEST_RUNNING
//   data ───────────────────▶ (with "reverse": the other way)
//   TEST_END ───────────────▶
//          ◀───────────────── EXCHANGE_RESULTS
//   results ────────────────▶
//          ◀───────────────── results, DISPLAY_RESULTS
//   IPERF_DONE ─────────────▶
//
// UDP streams begin with a datagram of four bytes each way and number their
// datagrams. A second client is told ACCESS_DENIED while a test runs.

enum { COOKIE_SIZE = 37, JSON_LIMIT = 65536, STREAMS = 128, BLOCK = 65536 };
enum iperf_state {
    TEST_START = 1,
    TEST_RUNNING = 2,
    TEST_END = 4,
    PARAM_EXCHANGE = 9,
    CREATE_STREAMS = 10,
    EXCHANGE_RESULTS = 13,
    DISPLAY_RESULTS = 14,
    IPERF_DONE = 16,
    ACCESS_DENIED = 255
};

struct iperf_stream {
    struct stream_connection *connection; // NULL: UDP, or gone
    struct endpoint remote;               // UDP
    uint64_t bytes, packets, lost, out_of_order, highest;
};

struct iperf_server {
    struct app app; // first
    struct stream_server server;
    struct socket *datagram[2];
    struct stream_connection *control; // NULL: no test
    enum iperf_state state;
    char cookie[COOKIE_SIZE];
    uint8_t in[4 + JSON_LIMIT];
    size_t in_used;
    uint32_t wanted_streams, stream_count;
    bool is_reverse, is_udp;
    struct iperf_stream streams[STREAMS];
    ns_t began;
};

// What a connection keeps until its cookie is whole.
struct greeting {
    char cookie[COOKIE_SIZE];
    size_t used;
    struct iperf_stream *stream; // of a stream, then
};

static struct iperf_server *server_of(struct stream_connection *c)
{
    return (struct iperf_server *)c->server->app;
}

static struct greeting *greeting_of(struct stream_connection *c)
{
    return (struct greeting *)(void *)c->buffer;
}

// --- The control connection

static void say(struct iperf_server *s, enum iperf_state state)
{
    uint8_t byte = (uint8_t)state;

    s->state = state;
    // A byte among so few always fits into the send buffer.
    socket_send(s->control->socket, &byte, 1, 0);
}

static void say_json(struct iperf_server *s, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    uint8_t length[4];

    if (text != NULL) {
        put_be32(length, (uint32_t)strlen(text));
        socket_send(s->control->socket, length, 4, MESSAGE_MORE);
        socket_send(s->control->socket, text, strlen(text), 0);
    }
    free(text);
    json_decref(value);
}

static void close_streams(struct iperf_server *s)
{
    for (uint32_t i = 0; i < s->stream_count; i++) {
        if (s->streams[i].connection != NULL)
            stream_close(s->streams[i].connection);
        s->streams[i].connection = NULL;
    }
}

static void end_test(struct iperf_server *s)
{
    struct stream_connection *control = s->control;

    s->control = NULL;
    close_streams(s);
    memset(s->streams, 0, sizeof(s->streams));
    s->stream_count = 0;
    if (control != NULL)
        stream_close(control);
}

static void take_parameters(struct iperf_server *s, const json_t *json)
{
    json_int_t streams = json_integer_value(json_object_get(json, "parallel"));

    s->is_udp = json_is_true(json_object_get(json, "udp"));
    s->is_reverse = json_is_true(json_object_get(json, "reverse"));
    s->wanted_streams =
        streams > 0 && streams <= STREAMS ? (uint32_t)streams : 1;
    say(s, CREATE_STREAMS);
}

static json_t *stream_result(const struct iperf_stream *stream, int id,
                             double seconds)
{
    return json_pack("{s:i, s:I, s:i, s:i, s:I, s:I, s:f, s:f}", "id", id,
                     "bytes", (json_int_t)stream->bytes, "retransmits", -1,
                     "jitter", 0, "errors", (json_int_t)stream->lost, "packets",
                     (json_int_t)stream->packets, "start_time", 0.0, "end_time",
                     seconds);
}

static void give_results(struct iperf_server *s)
{
    double seconds = (double)(app_now(&s->app) - s->began) / (double)NS_PER_S;
    json_t *streams = json_array();

    // iperf3 numbers its streams 1, 3, 4, ...
    for (uint32_t i = 0; i < s->stream_count; i++)
        json_array_append_new(
            streams,
            stream_result(&s->streams[i], i == 0 ? 1 : (int)i + 2, seconds));
    say_json(s, json_pack("{s:f, s:f, s:f, s:i, s:o}", "cpu_util_total", 0.0,
                          "cpu_util_user", 0.0, "cpu_util_system", 0.0,
                          "sender_has_retransmits", s->is_reverse ? 0 : -1,
                          "streams", streams));
    say(s, DISPLAY_RESULTS);
}

// A client that receives waits for whole blocks: only an end wakes it.
static void end_data(struct iperf_server *s)
{
    close_streams(s);
    say(s, EXCHANGE_RESULTS);
}

// Takes one message out of what has come. False: it is not whole yet.
static bool take_message(struct iperf_server *s)
{
    bool wants_json =
        s->state == PARAM_EXCHANGE || s->state == EXCHANGE_RESULTS;
    size_t size = 1;
    json_t *json = NULL;

    if (s->in_used < (wants_json ? 4u : 1u))
        return false;
    if (wants_json) {
        size = 4 + (size_t)get_be32(s->in);
        if (size > sizeof(s->in)) {
            end_test(s);
            return false;
        }
        if (s->in_used < size)
            return false;
        json = json_loadb((char *)s->in + 4, size - 4, 0, NULL);
    }
    uint8_t byte = s->in[0];
    s->in_used -= size;
    memmove(s->in, s->in + size, s->in_used);
    if (s->state == PARAM_EXCHANGE)
        take_parameters(s, json);
    else if (s->state == EXCHANGE_RESULTS)
        give_results(s);
    else if (byte == TEST_END)
        end_data(s);
    else
        end_test(s); // IPERF_DONE, or the client has given up
    json_decref(json);
    return s->control != NULL;
}

static void on_control(struct iperf_server *s)
{
    for (;;) {
        while (take_message(s))
            ;
        if (s->control == NULL)
            return;
        int64_t n = socket_receive(s->control->socket, s->in + s->in_used,
                                   sizeof(s->in) - s->in_used, 0);
        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            end_test(s);
            return;
        }
        s->in_used += (size_t)n;
    }
}

// --- Streams

static void send_block(struct iperf_server *s, struct iperf_stream *stream)
{
    static const uint8_t zeros[BLOCK];
    int64_t n;

    while (s->state == TEST_RUNNING &&
           (n = socket_send(stream->connection->socket, zeros, BLOCK, 0)) > 0) {
        stream->bytes += (uint64_t)n;
        app_note_sent(&s->app, (uint64_t)n);
    }
}

static void on_stream(struct stream_connection *c, struct iperf_stream *stream)
{
    struct iperf_server *s = server_of(c);
    struct packet *packet;
    int64_t n;

    while ((n = socket_receive_packet(c->socket, &packet)) > 0) {
        packet_free(packet);
        stream->bytes += (uint64_t)n;
        app_note_received(&s->app, (uint64_t)n);
    }
    if (n != -EAGAIN) {
        stream->connection = NULL;
        stream_close(c);
    } else if (s->is_reverse) {
        send_block(s, stream);
    }
}

static void start_if_complete(struct iperf_server *s)
{
    if (s->state != CREATE_STREAMS || s->stream_count < s->wanted_streams)
        return;
    say(s, TEST_START);
    say(s, TEST_RUNNING);
    s->began = app_now(&s->app);
    for (uint32_t i = 0; s->is_reverse && i < s->stream_count; i++)
        if (s->streams[i].connection != NULL)
            send_block(s, &s->streams[i]);
}

// --- Connections

static void begin_test(struct iperf_server *s, struct stream_connection *c)
{
    memcpy(s->cookie, greeting_of(c)->cookie, COOKIE_SIZE);
    s->control = c;
    s->in_used = 0;
    say(s, PARAM_EXCHANGE);
    on_control(s);
}

static void greet(struct stream_connection *c)
{
    struct iperf_server *s = server_of(c);
    struct greeting *g = greeting_of(c);
    const uint8_t denied = ACCESS_DENIED;

    if (s->control == NULL) {
        begin_test(s, c);
    } else if (s->state == CREATE_STREAMS && !s->is_udp &&
               s->stream_count < s->wanted_streams &&
               memcmp(g->cookie, s->cookie, COOKIE_SIZE) == 0) {
        g->stream = &s->streams[s->stream_count++];
        *g->stream = (struct iperf_stream){.connection = c};
        start_if_complete(s);
    } else {
        socket_send(c->socket, &denied, 1, 0);
        stream_close(c);
    }
}

// True: the cookie is whole. Otherwise it waits, or the connection is gone.
static bool read_cookie(struct stream_connection *c)
{
    struct greeting *g = greeting_of(c);

    while (g->used < COOKIE_SIZE) {
        int64_t n = socket_receive(c->socket, g->cookie + g->used,
                                   COOKIE_SIZE - g->used, 0);
        if (n == -EAGAIN)
            return false;
        if (n <= 0) {
            stream_close(c);
            return false;
        }
        g->used += (size_t)n;
    }
    return true;
}

static void on_ready(struct stream_connection *c)
{
    struct iperf_server *s = server_of(c);

    if (c->buffer == NULL) {
        c->buffer = calloc(1, sizeof(struct greeting));
        if (c->buffer == NULL) {
            stream_close(c);
            return;
        }
    }
    if (c == s->control)
        on_control(s);
    else if (greeting_of(c)->stream != NULL)
        on_stream(c, greeting_of(c)->stream);
    else if (read_cookie(c))
        greet(c);
}

// --- UDP

static struct iperf_stream *find_datagram_stream(struct iperf_server *s,
                                                 const struct endpoint *from)
{
    for (uint32_t i = 0; i < s->stream_count; i++)
        if (s->streams[i].connection == NULL &&
            s->streams[i].remote.port == from->port &&
            ip_addr_equal(&s->streams[i].remote.addr, &from->addr))
            return &s->streams[i];
    return NULL;
}

// The client's word is "6789" in its own byte order, the answer "9876".
static void new_datagram_stream(struct iperf_server *s, struct socket *socket,
                                const struct endpoint *from,
                                const uint8_t *word)
{
    const uint8_t reply[4] = {word[3], word[2], word[1], word[0]};

    if (s->state != CREATE_STREAMS || !s->is_udp ||
        s->stream_count >= s->wanted_streams)
        return;
    s->streams[s->stream_count++] = (struct iperf_stream){.remote = *from};
    socket_send_to(socket, reply, 4, 0, from);
    start_if_complete(s);
}

// OFFSET SIZE MEANING
//      0    4 seconds   4  4 microseconds, of the client's clock
//      8    4 number of the datagram, from 1
static void count_datagram(struct iperf_server *s, struct iperf_stream *stream,
                           const uint8_t *bytes, uint64_t length)
{
    uint64_t number = get_be32(bytes + 8);

    stream->bytes += length;
    app_note_received(&s->app, length);
    s->app.stats.messages_received++;
    if (number > stream->highest) {
        stream->lost += number - stream->highest - 1;
        stream->highest = number;
    } else {
        stream->out_of_order++;
        stream->lost -= stream->lost > 0;
    }
    stream->packets = stream->highest;
}

static void on_datagram(void *context, struct socket *socket, uint32_t events)
{
    struct iperf_server *s = context;
    uint8_t bytes[16] = {0};
    struct endpoint from;
    int64_t n;
    (void)events;
    while ((n = socket_receive_from(socket, bytes, sizeof(bytes),
                                    MESSAGE_TRUNCATE, &from, NULL)) >= 0) {
        struct iperf_stream *stream =
            s->control != NULL ? find_datagram_stream(s, &from) : NULL;
        if (stream != NULL && n >= 12)
            count_datagram(s, stream, bytes, (uint64_t)n);
        else if (stream == NULL && s->control != NULL && n == 4)
            new_datagram_stream(s, socket, &from, bytes);
    }
}

// --- Life

static int start(struct app *app)
{
    struct iperf_server *s = (struct iperf_server *)app;
    int error = stream_server_start(&s->server, app, on_ready);

    return error != 0 ? error
                      : datagram_server_start(app, s->datagram, on_datagram, s);
}

static void stop(struct app *app)
{
    struct iperf_server *s = (struct iperf_server *)app;

    s->control = NULL;
    s->stream_count = 0;
    stream_server_stop(&s->server);
    datagram_server_stop(s->datagram);
}

const struct app_ops iperf_server_app = {
    .size = sizeof(struct iperf_server), .start = start, .stop = stop};
