// udp-sink: reads datagrams; tells what became of udp-cbr's.
// SPDX-License-Identifier: MIT
#include "sim/app/internal.h"

#include <errno.h>
#include <stdlib.h>

// What came from one sender. A window of the last 64 sequence numbers tells a
// duplicate from a late one; what is older than that counts as late.
struct sender {
    struct endpoint from;
    uint64_t highest;  // sequence number seen
    uint64_t window;   // bit i: highest - i has been seen
    uint64_t distinct; // datagrams without duplicates
    ns_t last_transit;
    struct sender *next;
};

struct udp_sink {
    struct app app; // first
    struct socket *socket[2];
    struct sender *senders;
};

static struct sender *find_sender(struct udp_sink *sink,
                                  const struct endpoint *from, bool *is_new)
{
    struct sender *sender = sink->senders;
    while (sender && (sender->from.port != from->port ||
                      !ip_addr_equal(&sender->from.addr, &from->addr)))
        sender = sender->next;
    *is_new = !sender;
    if (sender || !(sender = calloc(1, sizeof(*sender))))
        return sender;
    sender->from = *from;
    sender->next = sink->senders;
    sink->senders = sender;
    return sender;
}

// RFC 3550 6.4.1: J += (|D| - J) / 16.
static void note_transit(struct udp_sink *sink, struct sender *sender,
                         ns_t transit, bool is_first)
{
    struct app_stats *stats = &sink->app.stats;
    if (!is_first) {
        ns_t difference = transit - sender->last_transit;
        stats->jitter +=
            ((difference < 0 ? -difference : difference) - stats->jitter) / 16;
    }
    sender->last_transit = transit;
}

static void note_sequence(struct udp_sink *sink, struct sender *sender,
                          uint64_t sequence, bool is_first)
{
    struct app_stats *stats = &sink->app.stats;
    if (is_first || sequence > sender->highest) {
        uint64_t step = is_first ? 64 : sequence - sender->highest;
        // Numbers skipped count as lost until they arrive late.
        stats->lost += is_first ? sequence : step - 1;
        sender->window = (step >= 64 ? 0 : sender->window << step) | 1;
        sender->highest = sequence;
        sender->distinct++;
        return;
    }
    uint64_t age = sender->highest - sequence;
    if (age < 64 && sender->window >> age & 1) {
        stats->duplicated++;
        return;
    }
    if (age < 64)
        sender->window |= UINT64_C(1) << age;
    stats->reordered++;
    sender->distinct++;
    if (stats->lost > 0)
        stats->lost--;
}

static void note_datagram(struct udp_sink *sink, const uint8_t *bytes,
                          size_t length, const struct endpoint *from)
{
    uint64_t sequence;
    ns_t sent_at;
    bool is_first;
    sink->app.stats.messages_received++;
    app_note_received(&sink->app, length);
    if (!probe_get(bytes, length, &sequence, &sent_at))
        return;
    struct sender *sender = find_sender(sink, from, &is_first);
    if (!sender)
        return;
    note_transit(sink, sender, app_now(&sink->app) - sent_at, is_first);
    note_sequence(sink, sender, sequence, is_first);
}

static void sink_on_event(void *context, struct socket *socket, uint32_t events)
{
    uint8_t bytes[65536];
    struct endpoint from;
    int64_t n;
    (void)events;
    while ((n = socket_receive_from(socket, bytes, sizeof(bytes), 0, &from,
                                    NULL)) >= 0)
        note_datagram(context, bytes, (size_t)n, &from);
}

static int open_one(struct udp_sink *sink, uint8_t family, struct socket **out)
{
    struct endpoint local = {ip_addr_any(family), sink->app.config.port, 0};
    int error =
        socket_open(sink->app.host->stack, SOCKET_DATAGRAM, family, 0, out);
    if (error == -EAFNOSUPPORT && sink->app.config.family == IP_NONE)
        return 0;
    if (error)
        return error;
    if (family == IP_V6)
        socket_set_option(*out, OPTION_IPV6_ONLY, 1);
    socket_set_handler(*out, sink_on_event, sink);
    return socket_bind(*out, &local);
}

static int udp_sink_start(struct app *app)
{
    struct udp_sink *sink = (struct udp_sink *)app;
    int error = 0;
    if (app->config.family != IP_V6)
        error = open_one(sink, IP_V4, &sink->socket[0]);
    if (!error && app->config.family != IP_V4)
        error = open_one(sink, IP_V6, &sink->socket[1]);
    return error;
}

static void udp_sink_stop(struct app *app)
{
    struct udp_sink *sink = (struct udp_sink *)app;
    for (int i = 0; i < 2; i++) {
        if (sink->socket[i])
            socket_close(sink->socket[i]);
        sink->socket[i] = NULL;
    }
    while (sink->senders) {
        struct sender *sender = sink->senders;
        sink->senders = sender->next;
        free(sender);
    }
}

const struct app_ops udp_sink_app = {.size = sizeof(struct udp_sink),
                                     .start = udp_sink_start,
                                     .stop = udp_sink_stop};
