// Which TCP connections there were in a run, and what became of them.
// SPDX-License-Identifier: MIT
//
// Theory of operation
//
// Every stack tells of each change of a connection's state. The first change
// makes a flow (the end that leaves CLOSED for SYN-SENT is the client); the
// other end finds it by its addresses, which are the same four numbers the
// other way round. While an end lives, the flow points to its socket; when it
// enters CLOSED or TIME-WAIT its variables are copied, and memory for them is
// taken only then: thousands of idle connections should cost little. What lives
// at the end of the run is copied by flow_table_finish.
//
// Flows are kept for reading, so their number is bounded: FLOW_LIMIT of them in
// detail, the rest is counted.
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "sim/report/report.h"

enum { FLOW_LIMIT = 10000, FIRST_BUCKETS = 64 };

struct flow_entry {
    struct flow flow; // first
    struct flow_entry *bucket_next;
    struct socket *client_socket, *server_socket; // live ends
};

static const struct tcp_info no_info;

struct flow_table {
    struct flow *first, **end;
    struct flow_entry **buckets;
    size_t bucket_count, kept;
    uint64_t seen;
};

static uint64_t hash_ends(const struct endpoint *a, const struct endpoint *b)
{
    uint8_t key[36];
    memcpy(key, a->addr.bytes, 16);
    memcpy(key + 16, b->addr.bytes, 16);
    memcpy(key + 32, &a->port, 2);
    memcpy(key + 34, &b->port, 2);
    return XXH3_64bits(key, sizeof(key));
}

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && ip_addr_equal(&a->addr, &b->addr);
}

static struct flow_entry **bucket_of(struct flow_table *table,
                                     const struct endpoint *client,
                                     const struct endpoint *server)
{
    return &table->buckets[hash_ends(client, server) % table->bucket_count];
}

// The newest flow between these ends.
static struct flow_entry *find_flow(struct flow_table *table,
                                    const struct endpoint *client,
                                    const struct endpoint *server)
{
    struct flow_entry *entry = *bucket_of(table, client, server);
    while (entry && !(is_same(&entry->flow.local, client) &&
                      is_same(&entry->flow.remote, server)))
        entry = entry->bucket_next;
    return entry;
}

static struct flow_table *table_of(struct sim *sim)
{
    struct flow_table *table = sim->flows;
    if (table)
        return table;
    table = calloc(1, sizeof(*table));
    if (!table)
        return NULL;
    table->bucket_count = FIRST_BUCKETS;
    table->buckets = calloc(FIRST_BUCKETS, sizeof(*table->buckets));
    if (!table->buckets) {
        free(table);
        return NULL;
    }
    table->end = &table->first;
    sim->flows = table;
    return table;
}

// Failing to grow makes look-ups slower and nothing else.
static void grow(struct flow_table *table)
{
    size_t count = table->bucket_count * 4;
    struct flow_entry **buckets = calloc(count, sizeof(*buckets));
    if (!buckets)
        return;
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = count;
    // Oldest first, so that the newest of equal ends stays in front.
    for (struct flow *flow = table->first; flow; flow = flow->next) {
        struct flow_entry *entry = (struct flow_entry *)flow;
        struct flow_entry **bucket =
            bucket_of(table, &flow->local, &flow->remote);
        entry->bucket_next = *bucket;
        *bucket = entry;
    }
}

static struct flow_entry *add_flow(struct flow_table *table, ns_t now,
                                   const struct endpoint *client,
                                   const struct endpoint *server)
{
    table->seen++;
    if (table->kept >= FLOW_LIMIT)
        return NULL;
    if (table->kept >= table->bucket_count * 2)
        grow(table);
    struct flow_entry *entry = calloc(1, sizeof(*entry));
    if (!entry)
        return NULL;
    table->kept++;
    entry->flow.local = *client;
    entry->flow.remote = *server;
    entry->flow.opened_at = now;
    entry->flow.closed_at = NS_NEVER;
    entry->flow.client_info = entry->flow.server_info = &no_info;
    struct flow_entry **bucket = bucket_of(table, client, server);
    entry->bucket_next = *bucket;
    *bucket = entry;
    *table->end = &entry->flow;
    table->end = &entry->flow.next;
    return entry;
}

static bool is_over(enum tcp_state state)
{
    return state == TCP_CLOSED || state == TCP_TIME_WAIT;
}

// Without memory the flow goes without these figures. Whether it has them.
static bool read_info(struct socket *socket, const struct tcp_info **out)
{
    struct tcp_info *info = calloc(1, sizeof(*info));
    if (!info || socket_get_tcp_info(socket, info) != 0) {
        free(info);
        return false;
    }
    *out = info;
    return true;
}

static void read_client(struct flow_entry *entry)
{
    struct flow *flow = &entry->flow;
    flow->has_client = read_info(entry->client_socket, &flow->client_info);
}

static void read_server(struct flow_entry *entry)
{
    struct flow *flow = &entry->flow;
    flow->has_server = read_info(entry->server_socket, &flow->server_info);
}

static void free_info(const struct tcp_info *info)
{
    if (info != &no_info)
        free((struct tcp_info *)(uintptr_t)info); // from read_info
}

static void end_side(struct flow_entry *entry, struct socket *socket, ns_t now)
{
    if (entry->client_socket == socket) {
        read_client(entry);
        entry->client_socket = NULL;
    } else if (entry->server_socket == socket) {
        read_server(entry);
        entry->server_socket = NULL;
    } else {
        return;
    }
    if (!entry->client_socket && !entry->server_socket)
        entry->flow.closed_at = now;
}

// A connection that ends is not always in the newest flow of its ends: a
// listener may have made another child of the same ones meanwhile.
static void end_flow(struct flow_table *table, struct socket *socket, ns_t now)
{
    struct endpoint local = socket_local(socket),
                    remote = socket_remote(socket);
    struct flow_entry *entry = *bucket_of(table, &local, &remote);
    for (; entry; entry = entry->bucket_next)
        end_side(entry, socket, now);
    entry = *bucket_of(table, &remote, &local);
    for (; entry; entry = entry->bucket_next)
        end_side(entry, socket, now);
}

// A side of a connection began: its flow, made when it is not there yet.
static void begin_side(struct flow_table *table, struct host *host,
                       struct socket *socket, bool is_client, ns_t now)
{
    struct endpoint local = socket_local(socket),
                    remote = socket_remote(socket);
    const struct endpoint *client = is_client ? &local : &remote;
    const struct endpoint *server = is_client ? &remote : &local;
    struct flow_entry *entry = find_flow(table, client, server);
    bool is_taken =
        entry &&
        (is_client ? entry->client_socket != NULL || entry->flow.has_client
                   : entry->server_socket != NULL || entry->flow.has_server);
    if (!entry || is_taken)
        entry = add_flow(table, now, client, server);
    if (!entry)
        return;
    if (is_client) {
        entry->flow.client = host;
        entry->client_socket = socket;
    } else {
        entry->flow.server = host;
        entry->server_socket = socket;
    }
}

void flow_table_on_state(struct host *host, const struct stack_trace *event)
{
    struct flow_table *table = table_of(host->node.sim);
    if (!table)
        return;
    ns_t now = sim_now(host->node.sim);
    if (event->to == TCP_SYN_SENT) {
        begin_side(table, host, event->socket, true, now);
    } else if (event->to == TCP_SYN_RECEIVED &&
               event->from != TCP_SYN_SENT) { // not a simultaneous open
        begin_side(table, host, event->socket, false, now);
    } else if (is_over((enum tcp_state)event->to)) {
        end_flow(table, event->socket, now);
    }
}

void flow_table_finish(struct sim *sim)
{
    if (!sim->flows)
        return;
    for (struct flow *flow = sim->flows->first; flow; flow = flow->next) {
        struct flow_entry *entry = (struct flow_entry *)flow;
        if (entry->client_socket)
            read_client(entry);
        if (entry->server_socket)
            read_server(entry);
        entry->client_socket = entry->server_socket = NULL;
    }
}

void flow_table_destroy(struct flow_table *table)
{
    if (!table)
        return;
    while (table->first) {
        struct flow *flow = table->first;
        table->first = flow->next;
        free_info(flow->client_info);
        free_info(flow->server_info);
        free(flow);
    }
    free(table->buckets);
    free(table);
}

const struct flow *flow_next(const struct sim *sim, const struct flow *previous)
{
    if (previous)
        return previous->next;
    return sim->flows ? sim->flows->first : NULL;
}

uint64_t flow_count(const struct sim *sim)
{
    return sim->flows ? sim->flows->seen : 0;
}

struct flow_figures flow_get_figures(const struct flow *flow)
{
    const struct tcp_info *client = flow->client_info;
    const struct tcp_info *server = flow->server_info;
    struct flow_figures figures = {
        .bytes_up =
            flow->has_server ? server->bytes_received : client->bytes_acked,
        .bytes_down =
            flow->has_client ? client->bytes_received : server->bytes_acked,
        .retransmissions =
            client->segments_retransmitted + server->segments_retransmitted};
    ns_t last = max_i64(client->last_data_received, server->last_data_received);
    // Of a peer outside we only know that it has acknowledged.
    if (!flow->has_server)
        last = max_i64(last, client->last_ack_received);
    if (!flow->has_client)
        last = max_i64(last, server->last_ack_received);
    if (last > flow->opened_at)
        figures.duration = last - flow->opened_at;
    unsigned __int128 bits =
        (unsigned __int128)(figures.bytes_up + figures.bytes_down) * 8;
    if (figures.duration > 0)
        figures.goodput_bps = (uint64_t)(bits * NS_PER_S / figures.duration);
    const struct tcp_info *sender =
        figures.bytes_up >= figures.bytes_down && flow->has_client ? client
                                                                   : server;
    figures.rtt_min = sender->min_rtt;
    figures.rtt = sender->srtt;
    return figures;
}
