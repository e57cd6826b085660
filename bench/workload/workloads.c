// The workloads: what is built and run for each of them.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/workload/workload.h"

#define NET(a, b, c, d)                                                        \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 |          \
     (uint32_t)(d))
#define GBIT UINT64_C(1000000000)

static struct endpoint remote(uint32_t address, uint16_t port)
{
    return (struct endpoint){ip_addr_v4_u32(address), port, 0};
}

// --- W1, W2: one flow -------------------------------------------------------

static void capture_both(struct sim *sim, struct link *link, const char *folder)
{
    for (int i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%d.pcapng", folder, i);
        struct capture_config config = {.path = path};
        must(capture_create(sim, link->ends[i], &config) == 0);
    }
}

static void one_flow(struct workload_result *result, uint64_t bytes,
                     const char *capture_folder)
{
    struct sim *sim = workload_sim();
    struct host *a = workload_host(sim, false, "a");
    struct host *b = workload_host(sim, false, "b");
    struct link *link =
        workload_link(sim, a, b, NET(10, 0, 0, 0), GBIT, NS_PER_MS, 1000);
    if (capture_folder)
        capture_both(sim, link, capture_folder);
    workload_app(
        sim, b,
        (struct app_config){.kind = APP_TCP_SINK, .port = 9, .stop = NS_NEVER});
    workload_app(sim, a,
                 (struct app_config){.kind = APP_TCP_BULK,
                                     .remote = remote(NET(10, 0, 0, 2), 9),
                                     .bytes = bytes,
                                     .stop = NS_NEVER});
    sim_run(sim, NS_NEVER);
    workload_end(sim, result);
}

static void flow(struct workload_result *result, uint64_t bytes)
{
    one_flow(result, bytes, NULL);
}

// In /dev/shm, so that no disk is measured; the files are unlinked at the end.
static void captured_flow(struct workload_result *result, uint64_t bytes)
{
    char folder[] = "/dev/shm/wirebed-XXXXXX", path[64];
    must(mkdtemp(folder));
    one_flow(result, bytes, folder);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%d.pcapng", folder, i);
        unlink(path);
    }
    rmdir(folder);
}

// --- W3: many flows, one bottleneck -----------------------------------------

static void bottleneck(struct workload_result *result, uint64_t flows,
                       ns_t duration)
{
    struct sim *sim = workload_sim();
    struct host *left = workload_host(sim, true, "left");
    struct host *right = workload_host(sim, true, "right");
    workload_link(sim, left, right, NET(10, 0, 0, 0), GBIT, 20 * NS_PER_MS,
                  5000);
    workload_route(left, NET(10, 2, 0, 0), 16, NET(10, 0, 0, 2));
    workload_route(right, NET(10, 1, 0, 0), 16, NET(10, 0, 0, 1));
    for (uint32_t i = 0; i < flows; i++) {
        uint32_t from = NET(10, 1, 0, 0) + i * 4, to = NET(10, 2, 0, 0) + i * 4;
        struct host *a = workload_host(sim, false, "a%u", i);
        struct host *b = workload_host(sim, false, "b%u", i);
        workload_link(sim, a, left, from, GBIT, NS_PER_MS / 10, 1000);
        workload_link(sim, b, right, to, GBIT, NS_PER_MS / 10, 1000);
        workload_route(a, 0, 0, from + 2);
        workload_route(b, 0, 0, to + 2);
        workload_app(sim, b,
                     (struct app_config){
                         .kind = APP_TCP_SINK, .port = 9, .stop = NS_NEVER});
        workload_app(sim, a,
                     (struct app_config){.kind = APP_TCP_BULK,
                                         .remote = remote(to + 1, 9),
                                         .start = i % 1000 * NS_PER_MS,
                                         .stop = NS_NEVER});
    }
    result->units = flows;
    sim_run(sim, duration);
    workload_end(sim, result);
}

static void flows_10s(struct workload_result *result, uint64_t count)
{
    bottleneck(result, count, 10 * NS_PER_S);
}

static void flows_3s(struct workload_result *result, uint64_t count)
{
    bottleneck(result, count, 3 * NS_PER_S);
}

static void flows_300ms(struct workload_result *result, uint64_t count)
{
    bottleneck(result, count, 300 * NS_PER_MS);
}

// --- W4: forwarding ---------------------------------------------------------

enum { ROUTERS = 16, MOST_ROUTERS = 255, DATAGRAMS = 20000 };

static void chain(struct workload_result *result, unsigned routers,
                  uint64_t datagrams)
{
    struct sim *sim = workload_sim();
    struct host *nodes[MOST_ROUTERS + 2];
    must(routers <= MOST_ROUTERS);
    for (unsigned i = 0; i < routers + 2; i++)
        nodes[i] = workload_host(sim, i > 0 && i <= routers, "n%u", i);
    for (unsigned i = 0; i <= routers; i++)
        workload_link(sim, nodes[i], nodes[i + 1], NET(10, 0, i, 0), 10 * GBIT,
                      NS_PER_MS / 100, 1000);
    for (unsigned i = 0; i < routers + 1; i++) {
        workload_route(nodes[i], NET(10, 0, routers, 0), 24, NET(10, 0, i, 2));
        workload_route(nodes[i + 1], NET(10, 0, 0, 0), 24, NET(10, 0, i, 1));
    }
    workload_app(
        sim, nodes[routers + 1],
        (struct app_config){.kind = APP_UDP_SINK, .port = 9, .stop = NS_NEVER});
    workload_app(
        sim, nodes[0],
        (struct app_config){.kind = APP_UDP_CBR,
                            .remote = remote(NET(10, 0, routers, 2), 9),
                            .size = 1000,
                            .rate_bps = GBIT,
                            .count = datagrams,
                            .stop = NS_NEVER});
    sim_run(sim, NS_NEVER);
    workload_end(sim, result);
}

static void datagrams(struct workload_result *result, uint64_t count)
{
    chain(result, ROUTERS, count);
}

static void links(struct workload_result *result, uint64_t count)
{
    chain(result, (unsigned)count - 1, DATAGRAMS);
}

// --- W5: idle connections ---------------------------------------------------

// A host that may have more sockets than usual.
static struct host *busy_host(struct sim *sim, const char *name)
{
    struct stack_settings settings = stack_settings_default;
    struct host_config config = {
        .name = name, .settings = &settings, .no_ipv6 = true};
    struct host *host;
    settings.limits_sockets = 10000000;
    must(sim_add_host(sim, &config, &host) == 0);
    return host;
}

// Each client is a socket that sends one request; on the answer it stays as it
// is.
struct idle_client {
    struct socket *socket;
    uint64_t *answered;
};

static void idle_on_event(void *context, struct socket *socket, uint32_t events)
{
    struct idle_client *client = context;
    uint8_t bytes[256];
    if (events & EVENT_WRITABLE && socket_get_type(socket) == SOCKET_STREAM)
        if (!client->socket) {
            client->socket = socket;
            must(socket_send(socket, bytes, 100, 0) == 100);
        }
    if (events & EVENT_READABLE && socket_receive(socket, bytes, 256, 0) > 0)
        ++*client->answered;
}

static void connections(struct workload_result *result, uint64_t count)
{
    enum { PORTS = 64 }; // times 28,232 ports that a client has
    struct sim *sim = workload_sim();
    struct host *a = busy_host(sim, "a");
    struct host *b = busy_host(sim, "b");
    workload_link(sim, a, b, NET(10, 0, 0, 0), 10 * GBIT, NS_PER_MS, 0);
    for (uint16_t p = 0; p < PORTS; p++)
        workload_app(sim, b,
                     (struct app_config){.kind = APP_RESPONDER,
                                         .port = (uint16_t)(80 + p),
                                         .request = 100,
                                         .response = 200,
                                         .stop = NS_NEVER});
    sim_run(sim, NS_PER_MS);
    struct idle_client *clients = calloc(count, sizeof(*clients));
    must(clients);
    uint64_t answered = 0, before = workload_resident();
    // A listener's backlog is finite: 2,000 connections begin every 10 ms.
    for (uint64_t i = 0; i < count; i++) {
        struct endpoint to =
            remote(NET(10, 0, 0, 2), (uint16_t)(80 + i % PORTS));
        struct socket *socket;
        clients[i].answered = &answered;
        must(socket_open(a->stack, SOCKET_STREAM, IP_V4, 0, &socket) == 0);
        socket_set_handler(socket, idle_on_event, &clients[i]);
        socket_connect(socket, &to);
        if (i % 2000 == 1999)
            sim_run(sim, sim_now(sim) + 10 * NS_PER_MS);
    }
    sim_run(sim, sim_now(sim) + 10 * NS_PER_S);
    must(answered == count);
    result->units = count;
    result->unit_bytes = (workload_resident() - before) / count;
    workload_end(sim, result);
    free(clients);
}

// --- W6: many hosts ---------------------------------------------------------

// A root router, `branches` routers below it, hosts below those; every host has
// an address and a route before the first event.
static void tree(struct workload_result *result, uint64_t hosts)
{
    unsigned branches = hosts < 10000 ? 10 : (unsigned)hosts / 1000;
    uint64_t before = workload_resident();
    struct sim *sim = workload_sim();
    struct host *root = workload_host(sim, true, "root");
    unsigned made = 0;
    for (unsigned i = 0; i < branches; i++) {
        struct host *router = workload_host(sim, true, "r%u", i);
        uint32_t up = NET(172, 16, 0, 0) + i * 4;
        workload_link(sim, root, router, up, 10 * GBIT, NS_PER_MS, 1000);
        workload_route(router, 0, 0, up + 1);
        for (unsigned j = 0; j < hosts / branches; j++, made++) {
            uint32_t network = NET(10, 0, 0, 0) + (i << 12) + j * 4;
            struct host *host = workload_host(sim, false, "h%u", made);
            workload_link(sim, router, host, network, GBIT, NS_PER_MS, 1000);
            workload_route(host, 0, 0, network + 1);
        }
        workload_route(root, NET(10, 0, 0, 0) + (i << 12), 20, up + 2);
    }
    sim_run(sim, NS_PER_MS);
    result->units = made;
    result->unit_bytes = (workload_resident() - before) / made;
    workload_end(sim, result);
}

// --- W7: the event queue alone ----------------------------------------------

enum { EVENTS = 10000000 };

struct ticker {
    struct event event;
    struct engine *engine;
};

// Each event runs again behind about half of the others, as frames on many
// links do.
static void tick(struct event *event)
{
    struct ticker *ticker = CONTAINER_OF(event, struct ticker, event);
    struct engine *engine = ticker->engine;
    uint64_t spread = engine->events_run * UINT64_C(2654435761) >> 8;
    engine_schedule(engine, event, engine->now + 1 + (ns_t)(spread & 0xfffff));
}

static void events(struct workload_result *result, uint64_t pending)
{
    struct engine engine;
    struct ticker *tickers = calloc(pending, sizeof(*tickers));
    must(tickers);
    engine_init(&engine);
    for (uint32_t i = 0; i < pending; i++) {
        tickers[i].engine = &engine;
        event_init(&tickers[i].event, event_order(i + 1, 0), tick);
        engine_schedule(&engine, &tickers[i].event, i);
    }
    engine.event_limit = EVENTS;
    must(engine_run(&engine, NS_NEVER - 1) == ENGINE_LIMIT);
    result->events = engine.events_run;
    engine_fini(&engine);
    free(tickers);
}

// --- All of them ------------------------------------------------------------

static const uint64_t ten_to_10k[] = {1, 10, 100, 1000, 10000, 0};
static const uint64_t ten_to_100k[] = {10, 100, 1000, 10000, 100000, 0};
static const uint64_t ten_to_1m[] = {10, 100, 1000, 10000, 100000, 1000000, 0};
static const uint64_t hundred_to_1m[] = {100, 1000, 10000, 100000, 1000000, 0};
static const uint64_t powers_of_two[] = {1, 2, 4, 8, 16, 32, 64, 0};

const struct workload_kind workload_kinds[] = {
    {"flow", "byte", COST_FRAME, flow, NULL},
    {"captured-flow", "byte", COST_FRAME, captured_flow, NULL},
    {"flows-10s", "flow", COST_FRAME, flows_10s, NULL},
    {"flows-300ms", "flow", COST_FRAME, flows_300ms, NULL},
    {"datagrams", "datagram", COST_FRAME, datagrams, NULL},
    {"hosts", "host", COST_UNIT, tree, ten_to_100k},
    {"flows-3s", "flow", COST_FRAME, flows_3s, ten_to_10k},
    {"connections", "connection", COST_UNIT, connections, hundred_to_1m},
    {"links", "link", COST_FRAME, links, powers_of_two},
    {"events", "event", COST_EVENT, events, ten_to_1m},
    {NULL, NULL, COST_UNIT, NULL, NULL},
};

const struct workload workloads[] = {
    {"W1", "one TCP flow of 1 GB, 1 Gbit/s, 1 ms", "flow", 1000000000, false},
    {"W1q", "one TCP flow of 100 MB, 1 Gbit/s, 1 ms", "flow", 100000000, true},
    {"W2", "W1 with a capture at both ends in memory", "captured-flow",
     1000000000, false},
    {"W2q", "W1q with a capture at both ends in memory", "captured-flow",
     100000000, true},
    {"W3-10", "10 flows, 1 Gbit/s, 20 ms, 10 s", "flows-10s", 10, true},
    {"W3-100", "100 flows, the same", "flows-10s", 100, false},
    {"W3-1000", "1,000 flows, the same", "flows-10s", 1000, true},
    {"W4", "100,000 datagrams through 16 routers", "datagrams", 100000, true},
    {"W5-10k", "10,000 idle connections", "connections", 10000, true},
    {"W5-100k", "100,000 idle connections", "connections", 100000, false},
    {"W6-1k", "1,000 hosts on a tree, start-up", "hosts", 1000, true},
    {"W6-100k", "100,000 hosts on a tree, start-up", "hosts", 100000, false},
    {"W7", "the event queue, 1,000 pending", "events", 1000, true},
    {NULL, NULL, NULL, 0, false},
};

const struct workload_kind *workload_find_kind(const char *name, size_t length)
{
    for (const struct workload_kind *kind = workload_kinds; kind->name; kind++)
        if (strlen(kind->name) == length && !memcmp(kind->name, name, length))
            return kind;
    return NULL;
}
