// Benchmarks of events, links, switches, captures: what works without stacks.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "sim/sim.h"

// --- Event queue -----------------------------------------------------------

struct queue {
    struct engine engine;
    struct ticker *tickers;
};

struct ticker {
    struct event event;
    struct queue *queue;
};

// Each event runs again behind about half of the others, as frames on many
// links do.
static void tick(struct event *event)
{
    struct ticker *ticker = CONTAINER_OF(event, struct ticker, event);
    struct engine *engine = &ticker->queue->engine;
    uint64_t spread = (engine->events_run * UINT64_C(2654435761)) >> 8;

    engine_schedule(engine, event, engine->now + 1 + (ns_t)(spread & 0xfffff));
}

static void *create_queue(uint32_t pending)
{
    struct queue *queue = calloc(1, sizeof(*queue));

    must(queue != NULL);
    engine_init(&queue->engine);
    must(engine_reserve(&queue->engine, pending) == 0);
    queue->tickers = calloc(pending, sizeof(*queue->tickers));
    must(queue->tickers != NULL);
    for (uint32_t i = 0; i < pending; i++) {
        queue->tickers[i].queue = queue;
        event_init(&queue->tickers[i].event, event_order(i + 1, 0), tick);
        engine_schedule(&queue->engine, &queue->tickers[i].event, i);
    }
    return queue;
}

static void *create_queue_1(void) { return create_queue(1); }
static void *create_queue_1k(void) { return create_queue(1000); }
static void *create_queue_100k(void) { return create_queue(100000); }
static void *create_queue_1m(void) { return create_queue(1000000); }

static void run_events(void *state, uint64_t n)
{
    struct queue *queue = state;

    queue->engine.event_limit = queue->engine.events_run + n;
    must(engine_run(&queue->engine, NS_NEVER - 1) == ENGINE_LIMIT);
}

static void destroy_queue(void *state)
{
    struct queue *queue = state;

    engine_fini(&queue->engine);
    free(queue->tickers);
    free(queue);
}

// --- Nodes without a stack ---------------------------------------------------

// Two stations with a link or a switch between them. Each frame is taken out of
// the receiver's hand and sent again, so that nothing but the way is measured.
struct station {
    struct node node; // first
    struct network *network;
};

struct network {
    struct sim *sim;
    struct station *a, *b;
    uint64_t left; // frames still to be sent
    uint32_t length;
};

static void send_one(struct network *network)
{
    struct packet *frame =
        packet_alloc(network->sim->pool, 64, network->length);

    must(frame != NULL);
    uint8_t *bytes = packet_put(frame, network->length);
    memcpy(bytes, network->b->node.ports->mac.bytes, 6);
    memcpy(bytes + 6, network->a->node.ports->mac.bytes, 6);
    bytes[12] = 0x88; // local experimental EtherType (802)
    bytes[13] = 0xb5;
    network->left--;
    port_send(network->a->node.ports, frame);
}

static void station_input(struct port *port, struct packet *frame)
{
    struct network *network = ((struct station *)(void *)port->node)->network;

    packet_free(frame);
    if (network->left > 0)
        send_one(network);
}

static void station_free(struct node *node) { free(node); }

static const struct node_ops station_ops = {.input = station_input,
                                            .destroy = station_free};

static struct station *add_station(struct network *network, const char *name)
{
    struct station *station = calloc(1, sizeof(*station));

    must(station != NULL);
    station->network = network;
    must(node_init(&station->node, network->sim, &station_ops, NODE_TAP,
                   name) == 0);
    return station;
}

static struct link *join(struct network *network, struct node *a,
                         struct node *b,
                         const struct link_direction_config *direction)
{
    struct link_config config = {.ends = {a, b},
                                 .direction = {*direction, *direction}};
    struct link *link = NULL;

    must(sim_add_link(network->sim, &config, &link) == 0);
    return link;
}

static struct network *create_network(uint32_t length)
{
    struct network *network = calloc(1, sizeof(*network));

    must(network != NULL);
    must(sim_create(&(struct sim_config){.name = "bench", .seed = 1},
                    &network->sim) == 0);
    network->length = length;
    network->a = add_station(network, "a");
    network->b = add_station(network, "b");
    return network;
}

enum { SHORT = 60, FULL = 1514, IN_FLIGHT = 100 };

// 10 Gbit/s over 1 ms with 100 frames on the way.
static struct link_direction_config usual(void)
{
    struct link_direction_config direction = link_direction_default;

    direction.rate_bps = UINT64_C(10000000000);
    direction.delay = NS_PER_MS;
    return direction;
}

static struct network *
create_link(uint32_t length, const struct link_direction_config *direction)
{
    struct network *network = create_network(length);

    join(network, &network->a->node, &network->b->node, direction);
    return network;
}

static void *create_plain_link(void)
{
    struct link_direction_config direction = usual();

    return create_link(FULL, &direction);
}

static void *create_bad_link(void)
{
    struct link_direction_config direction = usual();
    struct impairment_config list[3] = {impairment_default, impairment_default,
                                        impairment_default};

    list[0].select.probability = CHANCE_ALWAYS / 100;
    list[1].action = IMPAIR_DUPLICATE;
    list[1].select.probability = CHANCE_ALWAYS / 100;
    list[2].action = IMPAIR_REORDER;
    list[2].select.probability = CHANCE_ALWAYS / 100;
    list[2].position = 3;
    direction.jitter = NS_PER_MS / 10;
    direction.jitter_distribution = DISTRIBUTION_NORMAL;
    direction.impairments = list;
    direction.impairment_count = 3;
    return create_link(FULL, &direction);
}

static void *create_filtered_link(void)
{
    struct link_direction_config direction = usual();
    struct impairment_config drop = impairment_default;

    drop.select.filter = (char *)(uintptr_t) "tcp[tcpflags] & tcp-syn != 0";
    direction.impairments = &drop;
    direction.impairment_count = 1;
    return create_link(FULL, &direction);
}

static void *create_switched(void)
{
    struct link_direction_config direction = usual();
    struct network *network = create_network(FULL);
    struct node *sw;

    must(sim_add_switch(network->sim, &(struct switch_config){.name = "s"},
                        &sw) == 0);
    join(network, &network->a->node, sw, &direction);
    join(network, sw, &network->b->node, &direction);
    return network;
}

static void *create_captured(uint32_t length, enum capture_format format)
{
    struct link_direction_config direction = usual();
    struct network *network = create_link(length, &direction);
    struct node *nodes[] = {&network->a->node, &network->b->node};

    for (unsigned i = 0; i < 2; i++) {
        struct capture_config config = {.path = "/dev/null", .format = format};

        must(capture_create(network->sim, nodes[i]->ports, &config) == 0);
    }
    return network;
}

static void *create_captured_short(void)
{
    return create_captured(SHORT, CAPTURE_PCAPNG);
}
static void *create_captured_full(void)
{
    return create_captured(FULL, CAPTURE_PCAPNG);
}
static void *create_captured_classic(void)
{
    return create_captured(FULL, CAPTURE_PCAP);
}

static void send_frames(void *state, uint64_t n)
{
    struct network *network = state;

    network->left = n;
    for (unsigned i = 0; i < IN_FLIGHT && network->left > 0; i++)
        send_one(network);
    // Losses end the exchange early: begin it anew.
    while (sim_run(network->sim, NS_NEVER) == ENGINE_IDLE && network->left > 0)
        send_one(network);
}

static void destroy_network(void *state)
{
    struct network *network = state;

    sim_destroy(network->sim);
    free(network);
}

const struct bench benches_sim[] = {
    {"event, 1 pending", create_queue_1, run_events, destroy_queue, 0},
    {"event, 1,000 pending", create_queue_1k, run_events, destroy_queue, 0},
    {"event, 100,000 pending", create_queue_100k, run_events, destroy_queue, 0},
    {"event, 1,000,000 pending", create_queue_1m, run_events, destroy_queue, 0},
    {"frame over a link", create_plain_link, send_frames, destroy_network, 0},
    {"frame over a link with filter", create_filtered_link, send_frames,
     destroy_network, 0},
    {"frame over a bad link", create_bad_link, send_frames, destroy_network, 0},
    {"frame through a switch", create_switched, send_frames, destroy_network,
     0},
    {"frame of 60 bytes captured at both ends", create_captured_short,
     send_frames, destroy_network, 0},
    {"frame of 1,514 bytes captured at both ends", create_captured_full,
     send_frames, destroy_network, 2 * FULL},
    {"the same in classic pcap", create_captured_classic, send_frames,
     destroy_network, 2 * FULL},
    {0},
};
