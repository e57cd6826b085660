// The nodes and frames of the tests of links.
// SPDX-License-Identifier: MIT

#include "tests/unit/link_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "stack/wire/bytes.h"
#include "tests/unit/unit.h"

enum { FRAME_NUMBER = 14, FRAME_FILL = 18 };

static uint8_t fill_byte(uint32_t number, uint32_t i)
{
    return (uint8_t)(number * 31 + i);
}

static bool is_intact(const struct packet *frame, uint32_t number)
{
    for (uint32_t i = FRAME_FILL; i < frame->length; i++)
        if (frame->data[i] != fill_byte(number, i))
            return false;
    return true;
}

static void probe_input(struct port *port, struct packet *frame)
{
    struct probe *probe = (struct probe *)(void *)port->node;
    uint32_t number = get_be32(frame->data + FRAME_NUMBER);

    must(probe->count < PROBE_LIMIT);
    probe->arrivals[probe->count++] = (struct arrival){
        .time = sim_now(port->node->sim),
        .number = number,
        .length = frame->length,
        .is_intact = is_intact(frame, number),
    };
    if (probe->on_input != NULL)
        probe->on_input(port, frame);
    packet_free(frame);
}

static void probe_carrier(struct port *port, bool is_up)
{
    ((struct probe *)(void *)port->node)->carrier = is_up;
}

static void probe_free(struct node *node)
{
    free(((struct probe *)(void *)node)->arrivals);
    free(node);
}

static const struct node_ops probe_ops = {
    .input = probe_input, .carrier = probe_carrier, .destroy = probe_free};

struct probe *probe_add(struct sim *sim, const char *name)
{
    struct probe *probe = calloc(1, sizeof(*probe));

    must(probe != NULL);
    must(node_init(&probe->node, sim, &probe_ops, NODE_TAP, name) == 0);
    probe->carrier = -1;
    probe->arrivals = calloc(PROBE_LIMIT, sizeof(*probe->arrivals));
    must(probe->arrivals != NULL);
    return probe;
}

struct packet *frame_make(struct sim *sim, uint32_t number, uint32_t length)
{
    struct packet *frame = packet_alloc(sim->pool, 16, length);

    must(frame != NULL && length >= FRAME_FILL);
    uint8_t *bytes = packet_put(frame, length);
    memset(bytes, 0x02, 12);
    bytes[12] = 0x88; // local experimental EtherType (802)
    bytes[13] = 0xb5;
    put_be32(bytes + FRAME_NUMBER, number);
    for (uint32_t i = FRAME_FILL; i < length; i++)
        bytes[i] = fill_byte(number, i);
    frame->id = number;
    return frame;
}

void link_fixture_init(struct link_fixture *f,
                       const struct link_direction_config *direction)
{
    struct link_config config = {.name = "wire"};

    must(sim_create(&(struct sim_config){.name = "test", .seed = 7}, &f->sim) ==
         0);
    f->a = probe_add(f->sim, "a");
    f->b = probe_add(f->sim, "b");
    config.ends[0] = &f->a->node;
    config.ends[1] = &f->b->node;
    config.direction[0] = config.direction[1] =
        direction != NULL ? *direction : link_direction_default;
    must(sim_add_link(f->sim, &config, &f->link) == 0);
}

void link_fixture_fini(struct link_fixture *f)
{
    CHECK_EQUAL(sim_finish(f->sim), 0);
    CHECK_EQUAL(packet_pool_get_stats(f->sim->pool).live, 0);
    sim_destroy(f->sim);
}

void link_fixture_send(struct link_fixture *f, ns_t time, uint32_t number,
                       uint32_t length)
{
    sim_run(f->sim, time);
    f->sim->engine.now = time; // also when there was nothing to run
    port_send(f->link->ends[0], frame_make(f->sim, number, length));
}

void link_fixture_run(struct link_fixture *f)
{
    CHECK_EQUAL(sim_run(f->sim, NS_NEVER), ENGINE_IDLE);
    link_check(f->link);
}

struct link_direction_config link_fixture_config(const struct link_fixture *f)
{
    return *link_get(f->link, 0);
}
