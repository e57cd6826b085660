// The clock, the wires and the random numbers of tests with several stacks.
// SPDX-License-Identifier: MIT
#include "tests/unit/net_fixture.h"

#include <stdlib.h>
#include <string.h>

struct net_transit {
    struct net_transit *next;
    ns_t time;
    struct iface *from;
    unsigned wire;
    struct packet *packet;
};

// --- What a host gives its stack

static void set_deadline(void *context, ns_t deadline)
{
    struct net_host *host = context;
    host->deadline = deadline;
}

uint64_t net_random(struct net *net) // SplitMix64
{
    uint64_t z = net->random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void fill_random(void *context, void *bytes, size_t length)
{
    struct net_host *host = context;
    uint8_t *out = bytes;
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)net_random(host->net);
}

// --- Wires

static void record(struct net *net, const struct net_frame *frame)
{
    if (net->record_count == net->record_capacity) {
        net->record_capacity =
            net->record_capacity ? 2 * net->record_capacity : 64;
        net->records =
            realloc(net->records, net->record_capacity * sizeof(*net->records));
        must(net->records);
    }
    struct net_record *r = &net->records[net->record_count++];
    *r = (struct net_record){.time = net->now,
                             .from = frame->from,
                             .wire = frame->wire,
                             .length = frame->packet->length,
                             .bytes = malloc(frame->packet->length + 1)};
    must(r->bytes);
    memcpy(r->bytes, frame->packet->data, r->length);
}

static void put_in_transit(struct net *net, const struct net_frame *frame)
{
    struct net_transit *transit = malloc(sizeof(*transit));
    must(transit);
    *transit = (struct net_transit){.time = net->now + frame->delay,
                                    .from = frame->iface,
                                    .wire = frame->wire,
                                    .packet = frame->packet};
    struct net_transit **link = &net->transit;
    while (*link && (*link)->time <= transit->time)
        link = &(*link)->next;
    transit->next = *link;
    *link = transit;
}

static void transmit(void *context, struct iface *iface, struct packet *packet)
{
    const struct net_port *port = context;
    struct net *net = port->host->net;
    struct net_frame frame = {.net = net,
                              .from = port->host,
                              .iface = iface,
                              .wire = port->wire,
                              .number = net->frame_count++,
                              .delay = net->wires[port->wire].delay,
                              .packet = packet};
    if (net->hook && net->hook(net->hook_context, &frame) == NET_DROP) {
        packet_free(frame.packet);
        return;
    }
    if (net->is_recording)
        record(net, &frame);
    for (unsigned i = 0; i < frame.copies; i++) {
        struct net_frame copy = frame;
        copy.packet = packet_copy(frame.packet, 0);
        must(copy.packet);
        put_in_transit(net, &copy);
    }
    put_in_transit(net, &frame);
}

static bool is_for(const struct iface *iface, const struct packet *frame)
{
    struct mac_addr mac = iface_mac(iface);
    return frame->length >= 6 && memcmp(frame->data, mac.bytes, 6) == 0;
}

// The one interface a switch would give it to; NULL: all others.
static struct iface *owner_of(const struct net_wire *wire,
                              const struct packet *frame)
{
    for (unsigned i = 0; i < wire->iface_count; i++)
        if (is_for(wire->ifaces[i], frame))
            return wire->ifaces[i];
    return NULL;
}

static void arrive(struct net *net)
{
    struct net_transit *transit = net->transit;
    net->transit = transit->next;
    const struct net_wire *wire = &net->wires[transit->wire];
    struct iface *owner = owner_of(wire, transit->packet);
    for (unsigned i = 0; i < wire->iface_count; i++) {
        struct iface *to = wire->ifaces[i];
        if (to == transit->from || (owner && to != owner))
            continue;
        struct packet *copy = packet_clone(transit->packet);
        if (copy) // a test may have made the pool refuse
            iface_input(to, copy);
    }
    packet_free(transit->packet);
    free(transit);
}

// --- Time

static struct net_host *next_host(struct net *net)
{
    struct net_host *best = NULL;
    for (unsigned i = 0; i < net->host_count; i++)
        if (net->hosts[i].deadline != NS_NEVER &&
            (!best || net->hosts[i].deadline < best->deadline))
            best = &net->hosts[i];
    return best;
}

static ns_t next_time(struct net *net)
{
    ns_t time = net->transit ? net->transit->time : NS_NEVER;
    struct net_host *host = next_host(net);
    return host ? min_i64(time, host->deadline) : time;
}

bool net_step(struct net *net)
{
    ns_t time = next_time(net);
    if (time == NS_NEVER)
        return false;
    net->now = max_i64(net->now, time);
    if (net->transit && net->transit->time <= time) {
        arrive(net);
        return true;
    }
    struct net_host *host = next_host(net);
    stack_run(host->stack);
    must(host->deadline > net->now);
    return true;
}

void net_run(struct net *net, ns_t duration)
{
    ns_t end = net->now + duration;
    while (next_time(net) <= end && net_step(net))
        continue;
    net->now = end;
}

bool net_run_until(struct net *net, bool (*is_done)(void *context),
                   void *context, ns_t limit)
{
    ns_t end = net->now + limit;
    while (!is_done(context))
        if (next_time(net) > end || !net_step(net))
            return false;
    return true;
}

// --- Building

struct net *net_create(uint64_t seed)
{
    struct net *net = calloc(1, sizeof(*net));
    must(net);
    net->now = 3600 * NS_PER_S;
    net->random_state = seed;
    net->pool = packet_pool_create(0);
    must(net->pool);
    for (unsigned w = 0; w < NET_MAX_WIRES; w++)
        net->wires[w].delay = NS_PER_MS;
    return net;
}

static void forget_records(struct net *net)
{
    for (unsigned i = 0; i < net->record_count; i++)
        free(net->records[i].bytes);
    net->record_count = 0;
}

void net_destroy(struct net *net)
{
    packet_pool_fail_after(net->pool, 0);
    for (unsigned i = 0; i < net->host_count; i++) {
        stack_check(net->hosts[i].stack);
        stack_destroy(net->hosts[i].stack);
    }
    while (net->transit) {
        struct net_transit *transit = net->transit;
        net->transit = transit->next;
        packet_free(transit->packet);
        free(transit);
    }
    must(packet_pool_get_stats(net->pool).live == 0);
    packet_pool_destroy(net->pool);
    forget_records(net);
    free(net->records);
    free(net);
}

struct net_host *net_add_stack_config(struct net *net, const char *name,
                                      const struct stack_config *config)
{
    must(net->host_count < NET_MAX_HOSTS);
    struct net_host *host = &net->hosts[net->host_count];
    *host = (struct net_host){
        .net = net, .deadline = NS_NEVER, .index = net->host_count};
    struct stack_config full = *config;
    full.host.context = host;
    full.host.now = &net->now;
    full.host.set_deadline = set_deadline;
    full.host.random = fill_random;
    full.pool = net->pool;
    full.name = name;
    full.number = net->host_count + 1;
    must(stack_create(&full, &host->stack) == 0);
    net->host_count++;
    return host;
}

struct net_host *net_add_stack(struct net *net, const char *name,
                               const struct stack_settings *settings)
{
    struct stack_config config = {.settings = settings};
    return net_add_stack_config(net, name, &config);
}

void net_add_address(struct iface *iface, const char *text)
{
    struct ip_prefix prefix;
    must(ip_prefix_parse(text, &prefix) == 0);
    must(iface_add_address(iface, &prefix) == 0);
}

struct iface *net_add_iface(struct net_host *host, unsigned wire,
                            const char *name, uint32_t mtu, const char *address)
{
    struct net *net = host->net;
    must(wire < NET_MAX_WIRES && net->port_count < NET_MAX_IFACES);
    struct net_port *port = &net->ports[net->port_count];
    *port = (struct net_port){.host = host, .wire = wire};
    uint8_t number = (uint8_t)++net->port_count;
    struct iface_config config = {.name = name,
                                  .type = IFACE_ETHERNET,
                                  .mac = {{2, 0, 0, 0, 0, number}},
                                  .mtu = mtu ? mtu : 1500,
                                  .transmit = transmit,
                                  .context = port};
    struct net_wire *w = &net->wires[wire];
    struct iface *iface;
    must(iface_create(host->stack, &config, &iface) == 0);
    w->ifaces[w->iface_count++] = iface;
    if (!host->eth)
        host->eth = iface;
    if (address)
        net_add_address(iface, address);
    return iface;
}

void net_add_route(struct net_host *host, const char *prefix,
                   const char *gateway)
{
    struct route route = {0};
    must(ip_prefix_parse(prefix, &route.destination) == 0);
    must(ip_addr_parse(gateway, &route.gateway) == 0);
    must(stack_add_route(host->stack, &route) == 0);
}

struct net_host *net_host(struct net *net, const char *name,
                          const char *address)
{
    struct net_host *host = net_add_stack(net, name, NULL);
    net_add_iface(host, 0, "eth0", 0, address);
    return host;
}

// --- Frames

void net_set_hook(struct net *net, net_hook_fn *hook, void *context)
{
    net->hook = hook;
    net->hook_context = context;
}

void net_record(struct net *net)
{
    forget_records(net);
    net->is_recording = true;
}

struct packet *net_packet(struct net *net, const void *bytes, size_t length)
{
    struct packet *packet = packet_alloc(net->pool, 128, length);
    must(packet);
    memcpy(packet_put(packet, length), bytes, length);
    return packet;
}

void net_inject(struct net_host *host, struct iface *iface, const void *bytes,
                size_t length)
{
    iface_input(iface, net_packet(host->net, bytes, length));
}

struct ip_addr net_addr(const char *text)
{
    struct ip_addr addr;
    must(ip_addr_parse(text, &addr) == 0);
    return addr;
}

struct endpoint net_endpoint(const char *text)
{
    struct endpoint endpoint;
    must(endpoint_parse(text, &endpoint) == 0);
    return endpoint;
}
