// Plain traffic and services, written in C on the socket API.
// SPDX-License-Identifier: MIT
#ifndef APP_APP_H
#define APP_APP_H

#include "sim/node/node.h"

enum app_kind {
    APP_TCP_BULK,         // connects, sends `bytes` (or until stop), closes
    APP_TCP_SINK,         // listens, reads and counts
    APP_UDP_CBR,          // sends datagrams of `size` at `rate`
    APP_UDP_SINK,         // binds, reads and counts
    APP_ECHO,             // answers over TCP and UDP with what it got (RFC 862)
    APP_REQUEST_RESPONSE, // client: connects, sends request, waits for
                          // response, `count` times
    APP_RESPONDER, // its server: answers each `request` bytes with `response`
                   // bytes
    APP_PING,      // echo requests at `interval`
    APP_DISCARD,   // throws away what it gets over TCP and UDP (RFC 863)
    APP_CHARGEN,   // sends characters over TCP and UDP (RFC 864)
    APP_HTTP,      // HTTP/1.1 server: generated bodies, files below `root`
    APP_HTTP_GET,  // its client: fetches `path` `count` times
    APP_IPERF,     // server of iperf3
    APP_DHCP,      // gets and keeps an address for the host's first interface
    APP_KIND_COUNT
};
const char *app_kind_name(enum app_kind kind); // "tcp-bulk", ...

struct app_config {
    enum app_kind kind;
    const char *name;       // NULL: "host/kind/port"
    struct endpoint remote; // clients; address resolved by the loader
    uint16_t port;          // servers: local port
    uint64_t bytes;         // bulk: total; 0: until stopped
    uint32_t size;          // cbr: payload bytes; ping: payload; bulk: ignored
    uint64_t rate_bps;      // cbr: payload bits per second
    uint64_t count; // cbr, ping: datagrams; request-response: exchanges; 0:
                    // until stopped
    uint32_t request, response; // bytes
    ns_t interval;    // ping: between requests; request-response: pause between
                      // exchanges
    ns_t start, stop; // stop NS_NEVER: until done
    uint8_t family;   // servers: IP_NONE both
    const char *path, *root; // http-get: NULL "/"; http: folder, NULL: none
};

struct app_stats {
    uint64_t bytes_sent, bytes_received;       // payload
    uint64_t messages_sent, messages_received; // datagrams, exchanges
    uint64_t lost, reordered,
        duplicated; // sinks: by the sequence numbers that udp-cbr writes
    uint64_t connections;
    ns_t started_at, first_byte_at, last_byte_at,
        finished_at; // NS_NEVER: not yet
    ns_t rtt_min, rtt_total,
        rtt_max; // echo, ping, request-response: of messages_received
    ns_t jitter; // RFC 3550 6.4.1 estimate, sinks
    int error;   // first error: negative errno; 0
    bool is_running, is_finished;
};

struct app;
// Starts by itself at config->start (NS_NEVER: only by app_start). -EINVAL: a
// rate, size, interval, request or response of 0 where the kind needs one;
// -EEXIST: the name; -ENOMEM.
int sim_add_app(struct sim *sim, struct host *host,
                const struct app_config *config, struct app **out);
void app_start(struct app *app); // now, whatever config.start says
void app_stop(struct app *app);
struct app_stats app_get_stats(const struct app *app);
const char *app_name(const struct app *app);
enum app_kind app_get_kind(const struct app *app);
struct host *app_host(const struct app *app);
struct app *sim_find_app(struct sim *sim, const char *name);
// What DHCP gave to a host.
struct dhcp_lease {
    struct ip_prefix address;
    struct ip_addr router; // IP_NONE: none
    struct ip_addr server, dns[3];
    unsigned dns_count;
    ns_t duration;
};
bool app_get_lease(const struct app *app,
                   struct dhcp_lease *out); // false: no lease, no DHCP
// Called when an application has got or lost something that people should know
// of (a lease).
void app_set_listener(struct app *app,
                      void (*on_change)(void *context, struct app *app),
                      void *context);
void app_destroy_all(struct sim *sim); // sim_destroy, before the hosts go
struct app *sim_next_app(struct sim *sim,
                         struct app *previous); // in order of creation

#endif
