// The workloads: one flow, captures, shared bottleneck, forwarding, idle
// connections, many hosts. SPDX-License-Identifier: MIT
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

static void w1(struct workload_result *result)
{
    one_flow(result, UINT64_C(1000000000), NULL);
}

static void w1_quick(struct workload_result *result)
{
    one_flow(result, UINT64_C(100000000), NULL);
}

// Files are unlinked at the end; memory-backed where the system has /dev/shm.
static void w2(struct workload_result *result)
{
    char folder[] = "/dev/shm/wirebed-XXXXXX", path[64];
    must(mkdtemp(folder));
    one_flow(result, UINT64_C(1000000000), folder);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%d.pcapng", folder, i);
        unlink(path);
    }
    rmdir(folder);
}

// --- W3: many flows, one bottleneck -----------------------------------------

static void bottleneck(struct workload_result *result, unsigned flows)
{
    struct sim *sim = workload_sim();
    struct host *left = workload_host(sim, true, "left");
    struct host *right = workload_host(sim, true, "right");
    workload_link(sim, left, right, NET(10, 0, 0, 0), GBIT, 20 * NS_PER_MS,
                  5000);
    workload_route(left, NET(10, 2, 0, 0), 16, NET(10, 0, 0, 2));
    workload_route(right, NET(10, 1, 0, 0), 16, NET(10, 0, 0, 1));
    for (unsigned i = 0; i < flows; i++) {
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
                                         .start = i * NS_PER_MS,
                                         .stop = NS_NEVER});
    }
    result->units = flows;
    sim_run(sim, 10 * NS_PER_S);
    workload_end(sim, result);
}

static void w3_10(struct workload_result *result) { bottleneck(result, 10); }
static void w3_100(struct workload_result *result) { bottleneck(result, 100); }
static void w3_1000(struct workload_result *result)
{
    bottleneck(result, 1000);
}

// --- W4: forwarding ---------------------------------------------------------

enum { ROUTERS = 16 };

static void w4(struct workload_result *result)
{
    struct sim *sim = workload_sim();
    struct host *chain[ROUTERS + 2];
    for (unsigned i = 0; i < ROUTERS + 2; i++)
        chain[i] = workload_host(sim, i > 0 && i <= ROUTERS, "n%u", i);
    for (unsigned i = 0; i <= ROUTERS; i++)
        workload_link(sim, chain[i], chain[i + 1], NET(10, 0, i, 0), 10 * GBIT,
                      NS_PER_MS / 100, 1000);
    for (unsigned i = 0; i < ROUTERS + 1; i++) {
        workload_route(chain[i], NET(10, 0, ROUTERS, 0), 24, NET(10, 0, i, 2));
        workload_route(chain[i + 1], NET(10, 0, 0, 0), 24, NET(10, 0, i, 1));
    }
    workload_app(
        sim, chain[ROUTERS + 1],
        (struct app_config){.kind = APP_UDP_SINK, .port = 9, .stop = NS_NEVER});
    workload_app(
        sim, chain[0],
        (struct app_config){.kind = APP_UDP_CBR,
                            .remote = remote(NET(10, 0, ROUTERS, 2), 9),
                            .size = 1000,
                            .rate_bps = GBIT,
                            .count = 100000,
                            .stop = NS_NEVER});
    sim_run(sim, NS_NEVER);
    workload_end(sim, result);
}

// --- W5: idle connections ---------------------------------------------------

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

static void idle(struct workload_result *result, unsigned count)
{
    enum { PORTS = 16 };
    struct sim *sim = workload_sim();
    struct host *a = workload_host(sim, false, "a");
    struct host *b = workload_host(sim, false, "b");
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
    memset(clients, 0, count * sizeof(*clients));
    uint64_t answered = 0, before = workload_resident();
    // A listener's backlog is finite: 2,000 connections begin every 10 ms.
    for (unsigned i = 0; i < count; i++) {
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

static void w5_10k(struct workload_result *result) { idle(result, 10000); }
static void w5_100k(struct workload_result *result) { idle(result, 100000); }

// --- W6: many hosts ---------------------------------------------------------

// A root router, `branches` routers below it, hosts below those; every host has
// an address and a route before the first event.
static void tree(struct workload_result *result, unsigned hosts)
{
    unsigned branches = hosts < 10000 ? 10 : hosts / 1000;
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

static void w6_1k(struct workload_result *result) { tree(result, 1000); }
static void w6_100k(struct workload_result *result) { tree(result, 100000); }

const struct workload workloads[] = {
    {"W1", "one TCP flow of 1 GB, 1 Gbit/s, 1 ms", NULL, false, w1},
    {"W1q", "one TCP flow of 100 MB, 1 Gbit/s, 1 ms", NULL, true, w1_quick},
    {"W2", "W1 with a capture at both ends in memory", NULL, false, w2},
    {"W3-10", "10 flows, 1 Gbit/s, 20 ms, 10 s", "flow", true, w3_10},
    {"W3-100", "100 flows, the same", "flow", false, w3_100},
    {"W3-1000", "1,000 flows, the same", "flow", false, w3_1000},
    {"W4", "100,000 datagrams through 16 routers", NULL, true, w4},
    {"W5-10k", "10,000 idle connections", "connection", true, w5_10k},
    {"W5-100k", "100,000 idle connections", "connection", false, w5_100k},
    {"W6-1k", "1,000 hosts on a tree, start-up", "host", true, w6_1k},
    {"W6-100k", "100,000 hosts on a tree, start-up", "host", false, w6_100k},
    {NULL, NULL, NULL, false, NULL},
};
