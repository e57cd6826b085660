// Tests of TCP between two stacks.
// SPDX-License-Identifier: MIT
#include <errno.h>

#include "stack/tcp/tcp.h"
#include "tests/unit/tcp_fixture.h"
#include "tests/unit/unit.h"

static void transfer(uint8_t family, uint64_t bytes, uint64_t back,
                     bool uses_source)
{
    struct tcp_pair *pair = tcp_pair_create(family, 1);
    pair->uses_source = uses_source;
    tcp_pair_start(pair, bytes, back);
    CHECK(tcp_pair_run(pair, 300 * NS_PER_S));
    CHECK(tcp_pair_is_intact(pair));
    CHECK_EQUAL(pair->client.error, 0);
    CHECK_EQUAL(pair->server.error, 0);
    CHECK_EQUAL(pair->server.received, bytes);
    CHECK_EQUAL(pair->client.received, back);
    CHECK_EQUAL(
        stack_counter(pair->client_host->stack, COUNT_TCP_RETRANSMITTED), 0);
    tcp_pair_destroy(pair);
}

static void a_connection_opens_and_closes_without_data(void)
{
    transfer(IP_V4, 0, 0, false);
    transfer(IP_V6, 0, 0, false);
}

static void one_byte_arrives(void)
{
    transfer(IP_V4, 1, 0, false);
    transfer(IP_V6, 1, 1, false);
}

static void a_megabyte_arrives_over_ipv4(void)
{
    transfer(IP_V4, 1000000, 0, false);
}

static void a_megabyte_arrives_over_ipv6_both_ways(void)
{
    transfer(IP_V6, 1000000, 1000000, false);
}

static void a_source_needs_no_buffer(void)
{
    transfer(IP_V4, 3000000, 100, true);
}

static void a_refused_buffer_size_changes_nothing(void)
{
    struct net *net = net_create(1);
    struct net_host *host = net_add_stack(net, "host", NULL);
    struct socket *socket;
    int64_t before, after;
    CHECK_FATAL(socket_open(host->stack, SOCKET_STREAM, IP_V4, 0, &socket) ==
                0);
    socket_get_option(socket, OPTION_RECEIVE_BUFFER, &before);
    CHECK_EQUAL(socket_set_option(socket, OPTION_RECEIVE_BUFFER, 1), -EINVAL);
    CHECK_EQUAL(socket_set_option(socket, OPTION_SEND_BUFFER, 1), -EINVAL);
    socket_get_option(socket, OPTION_RECEIVE_BUFFER, &after);
    CHECK_EQUAL(after, before);
    const struct tcp_connection *c = (struct tcp_connection *)socket;
    CHECK(!c->has_receive_limit && !c->has_send_limit);
    socket_close(socket);
    net_destroy(net);
}

// --- Paths that swallow large packets ---------------------------------------

static enum net_verdict swallow_large(void *context, struct net_frame *frame)
{
    const uint32_t *most = context;
    return frame->packet->length > 14 + *most ? NET_DROP : NET_PASS;
}

static uint32_t transfer_over_black_hole(int64_t probing, uint32_t mtu)
{
    struct tcp_pair *pair = tcp_pair_create(IP_V4, 1);
    pair->client_settings.tcp_mtu_probing = probing;
    net_set_hook(pair->net, swallow_large, &mtu);
    tcp_pair_start(pair, 2000000, 0);
    // Smaller than the handshake, so that it passes.
    uint32_t largest = 0;
    for (unsigned i = 0; i < 600 && pair->client.socket; i++) {
        struct tcp_info info;
        net_run(pair->net, 100 * NS_PER_MS);
        if (pair->client.socket &&
            socket_get_tcp_info(pair->client.socket, &info) == 0 &&
            pair->server.received > 0)
            largest = info.snd_mss;
    }
    CHECK_EQUAL(tcp_pair_is_intact(pair), probing > 0);
    tcp_pair_destroy(pair);
    return largest;
}

static void a_black_hole_stops_who_does_not_probe(void)
{
    CHECK_EQUAL(transfer_over_black_hole(0, 1300), 0);
}

static void a_black_hole_is_gone_around(void) // RFC 4821 7.7
{
    uint32_t mss = transfer_over_black_hole(1, 1300);
    CHECK(mss >= 1000 && mss <= 1300 - 52);
}

static void probing_finds_the_path_mtu(void)
{
    uint32_t mss = transfer_over_black_hole(2, 1300);
    CHECK(mss > 1300 - 52 - 20 && mss <= 1300 - 52);
}

static unsigned arp_requests_of(const struct net_host *host)
{
    const struct net *net = host->net;
    unsigned count = 0;
    for (unsigned i = 0; i < net->record_count; i++) {
        const uint8_t *frame = net->records[i].bytes;
        bool is_arp = frame[12] == 0x08 && frame[13] == 0x06;
        count += is_arp && frame[21] == 1 && net->records[i].from == host;
    }
    return count;
}

// RFC 4861 7.3.1: whose data is acknowledged need not ask for the next hop.
static void acknowledged_data_confirms_the_neighbour(void)
{
    struct tcp_pair *pair = tcp_pair_create(IP_V4, 1);
    pair->client_settings.tcp_send_buffer = 4096;
    pair->client_settings.tcp_send_buffer_max = 4096;
    tcp_pair_start(pair, 1000000, 0);
    pair->net->wires[0].delay = NS_PER_S;
    net_run(pair->net, 10 * NS_PER_S);
    net_record(pair->net);
    net_run(pair->net, 300 * NS_PER_S);
    CHECK(pair->net->record_count > 100);
    CHECK_EQUAL(arp_requests_of(pair->client_host), 0);
    tcp_pair_destroy(pair);
}

const struct unit_test suite_tcp[] = {
    UNIT(a_black_hole_stops_who_does_not_probe),
    UNIT(a_black_hole_is_gone_around),
    UNIT(probing_finds_the_path_mtu),
    UNIT(a_connection_opens_and_closes_without_data),
    UNIT(one_byte_arrives),
    UNIT(a_megabyte_arrives_over_ipv4),
    UNIT(a_megabyte_arrives_over_ipv6_both_ways),
    UNIT(a_source_needs_no_buffer),
    UNIT(acknowledged_data_confirms_the_neighbour),
    UNIT(a_refused_buffer_size_changes_nothing),
    {0}};
