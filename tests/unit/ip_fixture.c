// IP packets and pings of a test's own, with a transport that remembers.
// SPDX-License-Identifier: MIT
#include "tests/unit/ip_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "stack/wire/bytes.h"
#include "stack/wire/ethernet.h"

// --- The transport

static void sink_input(struct stack *stack, struct packet *packet);
static void sink_error(struct stack *stack, const struct icmp_error *error);

static const struct transport_protocol sink_row = {.name = "sink",
                                                   .protocol = SINK_PROTOCOL,
                                                   .input = sink_input,
                                                   .error = sink_error};

static void sink_input(struct stack *stack, struct packet *packet)
{
    struct sink *sink = stack_transport_context(stack, &sink_row);
    sink->count++;
    sink->length = packet->length;
    sink->ip = packet->ip;
    sink->flags = packet->flags;
    memcpy(sink->bytes, packet->data, packet->length);
    stack_deliver(stack, packet);
}

static void sink_error(struct stack *stack, const struct icmp_error *error)
{
    struct sink *sink = stack_transport_context(stack, &sink_row);
    sink->errors++;
    sink->error = *error;
}

struct sink *sink_open(struct net_host *host)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    must(sink);
    must(stack_register_transport(host->stack, &sink_row, sink) == 0);
    return sink;
}

void sink_close(struct sink *sink) { free(sink); }

// --- Sending

static void put_pattern(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i + i / 256);
}

bool is_pattern(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != (uint8_t)(i + i / 256))
            return false;
    return true;
}

static int prepare(struct net_host *host, const char *to, struct ip_path *path,
                   uint8_t protocol, size_t size, struct packet **out)
{
    struct ip_addr destination = net_addr(to);
    int error = ip_path_find(host->stack, NULL, &destination, NULL, path);
    if (!error)
        error = ip_prepare(host->stack, path, protocol, 0, 0, ICMP_HEADER_SIZE,
                           size, out);
    if (!error)
        put_pattern(packet_put(*out, size), size);
    return error;
}

int ip_send(struct net_host *host, const char *to, size_t size, uint32_t flags)
{
    struct ip_path path;
    struct packet *packet;
    stack_enter(host->stack);
    int error = prepare(host, to, &path, SINK_PROTOCOL, size, &packet);
    if (!error) {
        packet->flags |= flags;
        error = ip_output(host->stack, &path, packet);
    }
    stack_leave(host->stack);
    return error;
}

int ping(struct net_host *host, const char *to, size_t size)
{
    struct ip_path path;
    struct packet *packet;
    struct icmp_header icmp = {.type = ICMP4_ECHO, .rest = 0x12340001};
    stack_enter(host->stack);
    int error = prepare(host, to, &path, IP_PROTOCOL_ICMP, size, &packet);
    if (!error) {
        icmp_emit(&icmp, packet_push(packet, ICMP_HEADER_SIZE));
        icmp_fill_checksum(packet->data, packet->length, NULL, NULL);
        error = ip_output(host->stack, &path, packet);
    }
    stack_leave(host->stack);
    return error;
}

size_t ipv4_frame(uint8_t *out, const struct iface *to,
                  const struct ipv4_header *header, const void *payload,
                  size_t length)
{
    struct ethernet_header ethernet = {.destination = iface_mac(to),
                                       .source = {{2, 0, 0, 0, 0xff, 1}},
                                       .type = ETHERTYPE_IPV4};
    struct ipv4_header full = *header;
    size_t size = full.header_length ? full.header_length : IPV4_HEADER_SIZE;
    if (full.total_length == 0)
        full.total_length = (uint16_t)(size + length);
    if (full.ttl == 0)
        full.ttl = 64;
    size_t at = ethernet_emit(&ethernet, out);
    at += ipv4_emit(&full, out + at);
    if (length > 0)
        memcpy(out + at, payload, length);
    return at + length;
}

// --- Looking

static uint16_t ethertype_of(const struct net_record *record)
{
    return record->length < ETHERNET_HEADER_SIZE ? 0
                                                 : get_be16(record->bytes + 12);
}

const struct net_record *record_find(const struct net *net, uint8_t protocol,
                                     unsigned n, struct ipv4_header *out,
                                     const uint8_t **payload, size_t *length)
{
    for (unsigned i = 0; i < net->record_count; i++) {
        const struct net_record *record = &net->records[i];
        if (ethertype_of(record) != ETHERTYPE_IPV4)
            continue;
        const uint8_t *ip = record->bytes + ETHERNET_HEADER_SIZE;
        int size = ipv4_parse(ip, record->length - ETHERNET_HEADER_SIZE, out);
        if (size < 0 || out->protocol != protocol || n-- > 0)
            continue;
        *payload = ip + size;
        *length = out->total_length - (size_t)size;
        return record;
    }
    return NULL;
}

unsigned record_count(const struct net *net, uint16_t ethertype)
{
    unsigned count = 0;
    for (unsigned i = 0; i < net->record_count; i++)
        count += ethertype_of(&net->records[i]) == ethertype;
    return count;
}

uint64_t drops(const struct net_host *host, enum drop_reason reason)
{
    return stack_drops(host->stack, reason);
}

uint64_t counts(const struct net_host *host, enum stack_counter counter)
{
    return stack_counter(host->stack, counter);
}
