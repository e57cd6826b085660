// What the applications' own files share.
// SPDX-License-Identifier: MIT
#ifndef APP_INTERNAL_H
#define APP_INTERNAL_H

#include "sim/sim.h"

// A kind of application. The app's memory is `size` bytes, zeroed, with struct
// app first.
struct app_ops {
    size_t size;
    int (*start)(struct app *app); // 0 or a negative errno
    void (*stop)(
        struct app *app); // closes sockets; may be called when not running
    void (*on_timer)(struct app *app); // app->timer; NULL: the kind uses none
};
extern const struct app_ops tcp_bulk_app, tcp_sink_app, udp_cbr_app,
    udp_sink_app, echo_app, request_app, responder_app, ping_app, discard_app,
    chargen_app, http_server_app, http_client_app, dhcp_client_app,
    iperf_server_app;

struct app {
    const struct app_ops *ops;
    struct sim *sim;
    struct host *host;
    struct app *next; // of the simulation
    char *name;
    struct app_config config;
    struct app_stats stats;
    struct event start_event, stop_event, timer;
    void (*on_change)(void *context, struct app *app); // NULL: nobody asked
    void *on_change_context;
};

static inline ns_t app_now(const struct app *app) { return sim_now(app->sim); }
void app_set_timer(struct app *app, ns_t when);
// Notes payload that moved: first and last byte times.
void app_note_received(struct app *app, uint64_t bytes);
void app_note_sent(struct app *app, uint64_t bytes);
void app_note_rtt(struct app *app, ns_t rtt);
// The application is done by itself, well (0) or not (negative errno).
void app_finish(struct app *app, int error);

// Stream bytes that say where they are: each aligned group of 8 holds its own
// offset in the stream, big-endian, so that a hex dump of any segment tells its
// place.
void app_pattern(void *context, uint64_t offset, uint8_t *bytes, size_t length);

// Header of udp-cbr's and ping's payload, where there is room for it.
// OFFSET SIZE MEANING
//      0    8 magic "wirebed\0"
//      8    8 sequence number, from 0, big-endian
//     16    8 time sent, nanoseconds, big-endian
enum { PROBE_SIZE = 24 };
void probe_put(uint8_t *bytes, uint64_t sequence, ns_t sent_at);
bool probe_get(const uint8_t *bytes, size_t length, uint64_t *sequence,
               ns_t *sent_at);

// --- Servers ----------------------------------------------------------------
// A listener over IPv4 and IPv6 with its connections, common to sink, echo and
// responder. Each connection has user bytes behind it.
struct stream_server;
struct stream_connection {
    struct stream_server *server;
    struct socket *socket;
    struct list node; // server->connections
    uint64_t received, sent;
    uint64_t owed; // bytes that are still to be sent
    bool peer_is_done;
    uint32_t used, done; // echo: bytes in buffer, of them sent
    uint8_t *buffer;     // echo; NULL
};
struct stream_server {
    struct app *app;
    struct socket *listener[2]; // IPv4, IPv6; NULL: none
    struct list connections;
    // Something happened on a connection; may close it with stream_close.
    void (*on_ready)(struct stream_connection *connection);
};
int stream_server_start(struct stream_server *server, struct app *app,
                        void (*on_ready)(struct stream_connection *));
void stream_server_stop(struct stream_server *server);
void stream_close(struct stream_connection *connection); // frees it

// A socket for each family (app->config.family) at the application's port.
int datagram_server_start(struct app *app, struct socket *sockets[2],
                          void (*on_event)(void *, struct socket *, uint32_t),
                          void *context);
void datagram_server_stop(struct socket *sockets[2]);

#endif
