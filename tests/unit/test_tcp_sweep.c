// Every single frame of a transfer is dropped, duplicated or delayed in turn.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "stack/tcp/tcp.h"
#include "tests/unit/tcp_fixture.h"
#include "tests/unit/unit.h"

// After each run the data must be intact, both sides must have seen the other's
// end, all connections must be gone, and nothing may leak (net_destroy). The
// invariants of TCP are checked after every step.

enum harm { HARM_NONE, HARM_DROP, HARM_DUPLICATE, HARM_DELAY, HARM_COUNT };

struct victim {
    enum harm harm;
    unsigned number; // of TCP frames, both directions
    unsigned count;  // consecutive frames
    unsigned seen;
};

static bool is_tcp(const struct packet *frame)
{
    const uint8_t *b = frame->data;
    unsigned type = (unsigned)(b[12] << 8 | b[13]);
    return (type == 0x0800 && b[14 + 9] == 6) ||
           (type == 0x86dd && b[14 + 6] == 6);
}

static enum net_verdict harm(void *context, struct net_frame *frame)
{
    struct victim *v = context;
    if (!is_tcp(frame->packet))
        return NET_PASS;
    unsigned n = v->seen++;
    if (n < v->number || n >= v->number + v->count)
        return NET_PASS;
    if (v->harm == HARM_DROP)
        return NET_DROP;
    if (v->harm == HARM_DELAY)
        frame->delay += 7 * NS_PER_MS;
    if (v->harm == HARM_DUPLICATE)
        frame->copies = 1;
    return NET_PASS;
}

struct variant {
    const char *name;
    uint8_t family;
    uint64_t bytes, back;
    bool sack, timestamps, rack;
    int64_t isn;
    bool uses_source;
};

static void set_up(struct stack_settings *s, const struct variant *v)
{
    s->tcp_sack = v->sack;
    s->tcp_timestamps = v->timestamps;
    s->tcp_rack = v->rack;
    s->tcp_sequence_wrap_test = v->isn;
}

// Returns how many TCP frames there were.
static unsigned run_one(const struct variant *v, struct victim victim)
{
    struct tcp_pair *pair = tcp_pair_create(v->family, 1);
    set_up(&pair->client_settings, v);
    set_up(&pair->server_settings, v);
    pair->uses_source = v->uses_source;
    net_set_hook(pair->net, harm, &victim);
    tcp_pair_start(pair, v->bytes, v->back);
    bool is_over = tcp_pair_run(pair, 600 * NS_PER_S);
    bool is_good = is_over && tcp_pair_is_intact(pair);
    if (!is_good)
        printf("%s: harm %d to %u frames from %u on: over %d, errors %d %d, "
               "received %llu %llu\n",
               v->name, victim.harm, victim.count, victim.number, is_over,
               pair->client.error, pair->server.error,
               (unsigned long long)pair->client.received,
               (unsigned long long)pair->server.received);
    CHECK(is_good);
    tcp_pair_destroy(pair);
    return victim.seen;
}

static void sweep(const struct variant *v)
{
    unsigned frames = run_one(v, (struct victim){HARM_NONE, 0, 0, 0});
    for (enum harm h = HARM_DROP; h < HARM_COUNT; h++)
        for (unsigned number = 0; number < frames; number++)
            for (unsigned count = 1; count <= 3; count += 2)
                run_one(v, (struct victim){h, number, count, 0});
}

static const int64_t NEAR_WRAP = UINT32_MAX - 5000;

static void an_empty_stream_survives_any_harm(void)
{
    sweep(&(struct variant){"empty", IP_V4, 0, 0, true, true, true, -1, false});
}

static void a_short_exchange_survives_any_harm(void)
{
    sweep(&(struct variant){"short", IP_V4, 100, 3000, true, true, true, -1,
                            false});
    sweep(&(struct variant){"short v6", IP_V6, 100, 3000, true, true, true, -1,
                            false});
}

static void a_transfer_survives_any_harm(void)
{
    sweep(
        &(struct variant){"v4", IP_V4, 40000, 0, true, true, true, -1, false});
    sweep(&(struct variant){"v6", IP_V6, 40000, 20000, true, true, true, -1,
                            false});
}

static void a_transfer_without_sack_survives_any_harm(void)
{
    sweep(&(struct variant){"no sack", IP_V4, 40000, 0, false, true, true, -1,
                            false});
    sweep(&(struct variant){"no sack, no timestamps", IP_V6, 40000, 0, false,
                            false, true, -1, false});
}

static void a_transfer_without_timestamps_survives_any_harm(void)
{
    sweep(&(struct variant){"no timestamps", IP_V4, 40000, 10000, true, false,
                            true, -1, false});
}

static void a_transfer_without_rack_survives_any_harm(void)
{
    sweep(&(struct variant){"no rack", IP_V4, 60000, 0, true, true, false, -1,
                            false});
}

static void a_transfer_across_the_wrap_survives_any_harm(void)
{
    sweep(&(struct variant){"wrap", IP_V4, 40000, 20000, true, true, true,
                            NEAR_WRAP, false});
    sweep(&(struct variant){"wrap, no sack", IP_V4, 40000, 0, false, false,
                            true, NEAR_WRAP, false});
}

static void a_source_survives_any_harm(void)
{
    sweep(&(struct variant){"source", IP_V4, 40000, 10, true, true, true,
                            NEAR_WRAP, true});
}

// --- Many at once -----------------------------------------------------------

struct dice {
    unsigned loss, duplication, delay; // in 1,000
};

static enum net_verdict roll(void *context, struct net_frame *frame)
{
    const struct dice *d = context;
    if (!is_tcp(frame->packet))
        return NET_PASS;
    if (net_random(frame->net) % 1000 < d->loss)
        return NET_DROP;
    if (net_random(frame->net) % 1000 < d->duplication)
        frame->copies = 1;
    if (net_random(frame->net) % 1000 < d->delay)
        frame->delay += (ns_t)(net_random(frame->net) % 20000) * NS_PER_US;
    return NET_PASS;
}

// Whatever else a host may be set to.
static void vary(struct stack_settings *s, uint64_t seed)
{
    s->tcp_receive_buffer = seed % 8 == 3 ? 3000 : s->tcp_receive_buffer;
    s->tcp_send_buffer = seed % 10 == 7 ? 4000 : s->tcp_send_buffer;
    s->tcp_pacing = seed % 9 == 1;
    s->tcp_ecn = (int64_t)(seed % 3);
    s->tcp_mtu_probing = seed % 13 == 2 ? 2 : 0;
    s->tcp_window_scaling = seed % 6 != 0;
    s->tcp_delayed_ack = seed % 17 != 4;
    s->tcp_frto = seed % 4 != 1;
    s->tcp_tail_loss_probe = seed % 4 != 2;
    s->tcp_offload = seed % 5 != 3;
    s->tcp_nagle = seed % 6 != 5;
}

static void random_run(uint64_t seed, struct dice dice)
{
    struct variant v = {.name = "random",
                        .family = seed & 1 ? IP_V4 : IP_V6,
                        .bytes = 200000,
                        .back = seed & 2 ? 100000 : 0,
                        .sack = !(seed % 5 == 0),
                        .timestamps = !(seed % 3 == 0),
                        .rack = !(seed % 7 == 0),
                        .isn = seed & 4 ? NEAR_WRAP : -1,
                        .uses_source = seed % 11 == 0};
    struct tcp_pair *pair = tcp_pair_create(v.family, seed);
    set_up(&pair->client_settings, &v);
    set_up(&pair->server_settings, &v);
    vary(&pair->client_settings, seed / 3);
    vary(&pair->server_settings, seed / 5);
    pair->uses_source = v.uses_source;
    net_set_hook(pair->net, roll, &dice);
    tcp_pair_start(pair, v.bytes, v.back);
    bool is_over = tcp_pair_run(pair, 3600 * NS_PER_S);
    bool is_good = is_over && tcp_pair_is_intact(pair);
    if (!is_good)
        printf("random seed %llu: over %d, errors %d %d, received %llu %llu\n",
               (unsigned long long)seed, is_over, pair->client.error,
               pair->server.error, (unsigned long long)pair->client.received,
               (unsigned long long)pair->server.received);
    CHECK(is_good);
    tcp_pair_destroy(pair);
}

static void transfers_survive_a_bad_link_with_many_seeds(void)
{
    for (uint64_t seed = 1; seed <= 60; seed++)
        random_run(seed, (struct dice){20, 10, 50});
}

static void transfers_survive_heavy_reordering(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        random_run(seed, (struct dice){0, 0, 500});
}

static void transfers_survive_ten_percent_loss(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        random_run(seed, (struct dice){100, 20, 100});
}

const struct unit_test suite_tcp_sweep[] = {
    UNIT(an_empty_stream_survives_any_harm),
    UNIT(a_short_exchange_survives_any_harm),
    UNIT(a_transfer_survives_any_harm),
    UNIT(a_transfer_without_sack_survives_any_harm),
    UNIT(a_transfer_without_timestamps_survives_any_harm),
    UNIT(a_transfer_without_rack_survives_any_harm),
    UNIT(a_transfer_across_the_wrap_survives_any_harm),
    UNIT(a_source_survives_any_harm),
    UNIT(transfers_survive_a_bad_link_with_many_seeds),
    UNIT(transfers_survive_heavy_reordering),
    UNIT(transfers_survive_ten_percent_loss),
    {0}};
