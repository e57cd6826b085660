// ping: echo requests at an interval, with their round-trip times.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ping {
    struct app app; // first
    struct socket *socket;
    uint16_t identifier;
    uint64_t sent;
};

static bool is_v4(const struct ping *ping)
{
    return ping->app.config.remote.addr.family == IP_V4;
}

static int64_t send_request(struct ping *ping)
{
    uint8_t message[ICMP_HEADER_SIZE + 65536];
    size_t length = ICMP_HEADER_SIZE + ping->app.config.size;
    struct icmp_header header = {.type = is_v4(ping) ? ICMP4_ECHO : ICMP6_ECHO,
                                 .rest = (uint32_t)ping->identifier << 16 |
                                         (uint16_t)(ping->sent + 1)};
    icmp_emit(&header, message);
    app_pattern(NULL, 0, message + ICMP_HEADER_SIZE, ping->app.config.size);
    if (ping->app.config.size >= PROBE_SIZE)
        probe_put(message + ICMP_HEADER_SIZE, ping->sent, app_now(&ping->app));
    if (is_v4(
            ping)) // over IPv6 the raw socket fills it in: it knows the source
        icmp_fill_checksum(message, length, NULL, NULL);
    return socket_send(ping->socket, message, length, 0);
}

static bool is_complete(const struct ping *ping)
{
    uint64_t count = ping->app.config.count;
    return count && ping->sent >= count;
}

// The last reply is waited for during one more interval (at least a second, as
// ping(8)).
static void ping_on_timer(struct app *app)
{
    struct ping *ping = (struct ping *)app;
    if (is_complete(ping)) {
        app->stats.lost = ping->sent - app->stats.messages_received;
        app_finish(app, 0);
        return;
    }
    int64_t n = send_request(ping);
    ping->sent++;
    app->stats.messages_sent++;
    if (n < 0 && !app->stats.error)
        app->stats.error = (int)n;
    if (n > 0)
        app_note_sent(app, app->config.size);
    ns_t wait = app->config.interval;
    if (is_complete(ping))
        wait = max_i64(wait, NS_PER_S);
    app_set_timer(app, app_now(app) + wait);
}

static void note_reply(struct ping *ping, const uint8_t *bytes, size_t length)
{
    struct icmp_header header;
    uint64_t sequence;
    ns_t sent_at;
    if (is_v4(ping) && length > 0 && bytes[0] >> 4 == 4) {
        size_t skip = (size_t)(bytes[0] & 15) * 4;
        if (skip > length)
            return;
        bytes += skip; // raw IPv4 sockets show the IP header
        length -= skip;
    }
    uint8_t wanted = is_v4(ping) ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
    if (icmp_parse(bytes, length, &header) < 0 || header.type != wanted ||
        header.rest >> 16 != ping->identifier)
        return;
    app_note_received(&ping->app, length - ICMP_HEADER_SIZE);
    if (probe_get(bytes + ICMP_HEADER_SIZE, length - ICMP_HEADER_SIZE,
                  &sequence, &sent_at))
        app_note_rtt(&ping->app, app_now(&ping->app) - sent_at);
    else
        ping->app.stats.messages_received++;
    if (is_complete(ping) && ping->app.stats.messages_received >= ping->sent)
        app_finish(&ping->app, 0);
}

static void ping_on_event(void *context, struct socket *socket, uint32_t events)
{
    struct ping *ping = context;
    uint8_t bytes[65536];
    int64_t n;
    (void)events;
    while (ping->socket &&
           (n = socket_receive(socket, bytes, sizeof(bytes), 0)) != -EAGAIN) {
        if (n > 0)
            note_reply(ping, bytes, (size_t)n);
        else if (!ping->app.stats.error)
            ping->app.stats.error = (int)n;
    }
}

static int ping_start(struct app *app)
{
    struct ping *ping = (struct ping *)app;
    const struct endpoint *remote = &app->config.remote;
    bool v4 = remote->addr.family == IP_V4;
    int error =
        socket_open(app->host->stack, SOCKET_RAW, remote->addr.family,
                    v4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6, &ping->socket);
    if (error)
        return error;
    socket_set_handler(ping->socket, ping_on_event, ping);
    error = socket_connect(ping->socket, remote);
    if (error)
        return error;
    // Two pings on a host must not take each other's replies.
    ping->identifier = (uint16_t)(app->timer.order & 0xffff);
    ping->sent = 0;
    app_set_timer(app, app_now(app));
    return 0;
}

static void ping_stop(struct app *app)
{
    struct ping *ping = (struct ping *)app;
    if (ping->socket)
        socket_close(ping->socket);
    ping->socket = NULL;
    app->stats.lost =
        app->stats.messages_sent > app->stats.messages_received
            ? app->stats.messages_sent - app->stats.messages_received
            : 0;
}

const struct app_ops ping_app = {.size = sizeof(struct ping),
                                 .start = ping_start,
                                 .stop = ping_stop,
                                 .on_timer = ping_on_timer};
