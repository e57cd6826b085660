// Tests of learning switches and their VLANs.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <string.h>

#include "stack/wire/bytes.h"
#include "stack/wire/ethernet.h"
#include "tests/unit/link_fixture.h"
#include "tests/unit/unit.h"

enum { PORTS = 4 };

// A switch with a probe at each port. Stations have addresses 02::<n>.
struct lan {
    struct sim *sim;
    struct node *sw;
    struct port *ports[PORTS]; // of the switch
    struct probe *probes[PORTS];
};

static struct lan lan_create(const struct switch_config *config)
{
    struct switch_config plain = {.name = "s"};
    struct lan lan = {0};

    must(sim_create(&(struct sim_config){.name = "lan", .seed = 1}, &lan.sim) ==
         0);
    must(sim_add_switch(lan.sim, config != NULL ? config : &plain, &lan.sw) ==
         0);
    for (unsigned i = 0; i < PORTS; i++) {
        char name[] = {'p', (char)('0' + i), '\0'};
        struct link_config link_config = {0};
        struct link *link;

        lan.probes[i] = probe_add(lan.sim, name);
        link_config.ends[0] = lan.sw;
        link_config.ends[1] = &lan.probes[i]->node;
        must(sim_add_link(lan.sim, &link_config, &link) == 0);
        lan.ports[i] = link->ends[0];
    }
    return lan;
}

static void lan_destroy(struct lan *lan)
{
    CHECK_EQUAL(sim_finish(lan->sim), 0);
    CHECK_EQUAL(packet_pool_get_stats(lan->sim->pool).live, 0);
    sim_destroy(lan->sim);
}

static struct mac_addr station(unsigned n)
{
    return (struct mac_addr){{2, 0, 0, 0, 0, (uint8_t)n}};
}
static const struct mac_addr everyone = {{255, 255, 255, 255, 255, 255}};

// tag: TCI, or -1 for an untagged frame.
static struct packet *make(struct lan *lan, struct mac_addr from,
                           struct mac_addr to, int tag)
{
    struct packet *frame = packet_alloc(lan->sim->pool, 16, 100);
    struct ethernet_header header = {
        .destination = to,
        .source = from,
        .is_tagged = tag >= 0,
        .vlan = tag >= 0 ? (uint16_t)tag : 0,
        .type = 0x88b5,
    };

    must(frame != NULL);
    memset(packet_put(frame, 60), 0x5a, 60);
    ethernet_emit(&header, frame->data);
    return frame;
}

// Sends from the probe at a port and gives the set of probes that got it.
static unsigned send_from(struct lan *lan, unsigned at, struct mac_addr from,
                          struct mac_addr to, int tag)
{
    uint32_t before[PORTS];
    unsigned got = 0;

    for (unsigned i = 0; i < PORTS; i++)
        before[i] = lan->probes[i]->count;
    port_send(lan->probes[at]->node.ports, make(lan, from, to, tag));
    sim_run(lan->sim, NS_NEVER);
    for (unsigned i = 0; i < PORTS; i++) {
        CHECK(lan->probes[i]->count <= before[i] + 1);
        got |= (lan->probes[i]->count != before[i]) << i;
    }
    return got;
}

static uint32_t last_length(const struct lan *lan, unsigned at)
{
    const struct probe *probe = lan->probes[at];

    return probe->count > 0 ? probe->arrivals[probe->count - 1].length : 0;
}

static void an_unknown_address_is_flooded_but_not_back(void)
{
    struct lan lan = lan_create(NULL);

    CHECK_EQUAL(send_from(&lan, 1, station(1), station(9), -1), 0xd);
    CHECK_EQUAL(switch_get_stats(lan.sw).flooded, 1);
    lan_destroy(&lan);
}

static void a_learned_address_gets_its_frames_alone(void)
{
    struct lan lan = lan_create(NULL);

    send_from(&lan, 2, station(2), everyone, -1);
    CHECK_EQUAL(send_from(&lan, 0, station(0), station(2), -1), 1 << 2);
    CHECK_EQUAL(send_from(&lan, 2, station(2), station(0), -1), 1 << 0);
    struct switch_stats stats = switch_get_stats(lan.sw);
    CHECK_EQUAL(stats.learned, 2);
    CHECK_EQUAL(stats.forwarded, 2);
    lan_destroy(&lan);
}

static void broadcast_and_multicast_are_flooded(void)
{
    struct lan lan = lan_create(NULL);
    struct mac_addr group = {{1, 0, 0x5e, 0, 0, 1}};

    CHECK_EQUAL(send_from(&lan, 0, station(0), everyone, -1), 0xe);
    CHECK_EQUAL(send_from(&lan, 0, station(0), group, -1), 0xe);
    // A group is nobody's source address.
    send_from(&lan, 1, group, everyone, -1);
    CHECK_EQUAL(send_from(&lan, 0, station(0), group, -1), 0xe);
    lan_destroy(&lan);
}

static void a_frame_for_its_own_side_is_filtered(void)
{
    struct lan lan = lan_create(NULL);

    send_from(&lan, 1, station(1), everyone, -1);
    CHECK_EQUAL(send_from(&lan, 1, station(7), station(1), -1), 0);
    CHECK_EQUAL(switch_get_stats(lan.sw).filtered, 1);
    lan_destroy(&lan);
}

static void a_station_that_moves_is_found_again(void)
{
    struct lan lan = lan_create(NULL);

    send_from(&lan, 1, station(5), everyone, -1);
    send_from(&lan, 3, station(5), everyone, -1);
    CHECK_EQUAL(send_from(&lan, 0, station(0), station(5), -1), 1 << 3);
    lan_destroy(&lan);
}

static void addresses_age(void)
{
    struct switch_config config = {.name = "s", .ageing = 10 * NS_PER_S};
    struct lan lan = lan_create(&config);

    send_from(&lan, 1, station(1), everyone, -1);
    lan.sim->engine.now = 10 * NS_PER_S;
    CHECK_EQUAL(send_from(&lan, 0, station(0), station(1), -1), 1 << 1);
    lan.sim->engine.now = 10 * NS_PER_S + 1;
    CHECK_EQUAL(send_from(&lan, 0, station(0), station(1), -1), 0xe);
    lan_destroy(&lan);
}

static void a_full_table_floods_and_recovers_when_addresses_age(void)
{
    struct switch_config config = {
        .name = "s", .ageing = NS_PER_S, .address_limit = 3};
    struct lan lan = lan_create(&config);

    for (unsigned i = 1; i <= 5; i++)
        send_from(&lan, 1, station(i), everyone, -1);
    CHECK_EQUAL(switch_get_stats(lan.sw).learned, 3);
    CHECK_EQUAL(send_from(&lan, 1, station(1), station(5), -1), 0xd);
    lan.sim->engine.now = 3 * NS_PER_S;
    send_from(&lan, 2, station(8), everyone, -1);
    CHECK_EQUAL(send_from(&lan, 1, station(1), station(8), -1), 1 << 2);
    lan_destroy(&lan);
}

static void many_addresses_are_remembered(void)
{
    struct lan lan = lan_create(NULL);

    for (unsigned i = 0; i < 3000; i++) {
        struct mac_addr mac = {{2, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i}};
        send_from(&lan, i % PORTS, mac, everyone, -1);
    }
    for (unsigned i = 0; i < 3000; i++) {
        struct mac_addr mac = {{2, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i}};
        unsigned from = (i + 1) % PORTS;
        CHECK_EQUAL(send_from(&lan, from, station(1), mac, -1),
                    1u << i % PORTS);
    }
    lan_destroy(&lan);
}

static void a_port_that_loses_its_link_forgets(void)
{
    struct lan lan = lan_create(NULL);

    send_from(&lan, 1, station(1), everyone, -1);
    link_set_up(lan.ports[1]->link, false);
    link_set_up(lan.ports[1]->link, true);
    CHECK_EQUAL(send_from(&lan, 0, station(0), station(1), -1), 0xe);
    lan_destroy(&lan);
}

// --- VLANs

static void allow(struct port *port, unsigned native, unsigned tagged)
{
    uint8_t allowed[512] = {0};

    if (tagged != 0)
        allowed[tagged / 8] |= (uint8_t)(1 << tagged % 8);
    CHECK_EQUAL(switch_set_port_vlans(port, native, allowed), 0);
}

static void vlans_keep_apart(void)
{
    struct lan lan = lan_create(NULL);

    allow(lan.ports[0], 10, 0);
    allow(lan.ports[1], 10, 0);
    allow(lan.ports[2], 20, 0);
    allow(lan.ports[3], 20, 0);
    CHECK_EQUAL(send_from(&lan, 0, station(1), everyone, -1), 1 << 1);
    CHECK_EQUAL(send_from(&lan, 2, station(1), everyone, -1), 1 << 3);
    // The same address lives in both.
    CHECK_EQUAL(send_from(&lan, 1, station(2), station(1), -1), 1 << 0);
    CHECK_EQUAL(send_from(&lan, 3, station(2), station(1), -1), 1 << 2);
    lan_destroy(&lan);
}

static void a_trunk_carries_tags(void)
{
    struct lan lan = lan_create(NULL);

    allow(lan.ports[0], 10, 0);
    allow(lan.ports[1], 20, 0);
    allow(lan.ports[2], 0, 10); // trunk: 10 tagged, nothing untagged
    allow(lan.ports[3], 30, 20);
    CHECK_EQUAL(send_from(&lan, 0, station(1), everyone, -1), 1 << 2);
    CHECK_EQUAL(last_length(&lan, 2), 64); // a tag was put on
    CHECK_EQUAL(send_from(&lan, 2, station(2), station(1), 10), 1 << 0);
    CHECK_EQUAL(last_length(&lan, 0), 56); // and taken off
    CHECK_EQUAL(send_from(&lan, 2, station(2), station(1), -1), 0);
    CHECK_EQUAL(send_from(&lan, 2, station(2), station(1), 20), 0);
    CHECK_EQUAL(switch_get_stats(lan.sw).dropped_vlan, 2);
    CHECK_EQUAL(send_from(&lan, 3, station(3), everyone, 20), 1 << 1);
    lan_destroy(&lan);
}

static void note_tag(struct port *port, struct packet *frame)
{
    // The probe's arrivals have no room for it: the number says it.
    struct ethernet_header header;

    CHECK(ethernet_parse(frame->data, frame->length, &header) > 0);
    struct probe *probe = (struct probe *)(void *)port->node;
    probe->arrivals[probe->count - 1].number =
        header.is_tagged ? header.vlan : 0xffffffff;
}

static void a_flooded_frame_is_tagged_for_each_port(void)
{
    struct lan lan = lan_create(NULL);

    for (unsigned i = 0; i < PORTS; i++)
        lan.probes[i]->on_input = note_tag;
    allow(lan.ports[0], 0, 10);
    allow(lan.ports[1], 10, 0);
    allow(lan.ports[2], 1, 10);
    allow(lan.ports[3], 10, 0);
    // Priority 5, VLAN 10.
    CHECK_EQUAL(send_from(&lan, 0, station(1), everyone, 0xa00a), 0xe);
    CHECK_EQUAL(lan.probes[1]->arrivals[0].number, 0xffffffff);
    CHECK_EQUAL(lan.probes[2]->arrivals[0].number, 0xa00a);
    CHECK_EQUAL(lan.probes[3]->arrivals[0].number, 0xffffffff);
    lan_destroy(&lan);
}

static void a_priority_tag_belongs_to_the_native_vlan(void)
{
    struct lan lan = lan_create(NULL);

    allow(lan.ports[0], 10, 0);
    allow(lan.ports[1], 10, 0);
    CHECK_EQUAL(send_from(&lan, 0, station(1), everyone, 0xe000), 1 << 1);
    CHECK_EQUAL(last_length(&lan, 1), 56);
    lan_destroy(&lan);
}

static void impossible_vlans_are_refused(void)
{
    struct lan lan = lan_create(NULL);
    uint8_t all[512];

    memset(all, 0xff, sizeof(all));
    CHECK_EQUAL(switch_set_port_vlans(lan.ports[0], 4095, NULL), -EINVAL);
    CHECK_EQUAL(switch_set_port_vlans(lan.probes[0]->node.ports, 1, NULL),
                -EINVAL);
    CHECK_EQUAL(switch_set_port_vlans(lan.ports[0], 0, all), 0);
    CHECK_EQUAL(send_from(&lan, 0, station(1), everyone, 4095), 0);
    CHECK_EQUAL(send_from(&lan, 0, station(1), everyone, 0), 0);
    lan_destroy(&lan);
}

static void a_frame_without_a_header_is_filtered(void)
{
    struct lan lan = lan_create(NULL);
    struct packet *runt = packet_alloc(lan.sim->pool, 0, 10);

    must(runt != NULL);
    memset(packet_put(runt, 10), 0, 10);
    port_send(lan.probes[0]->node.ports, runt);
    sim_run(lan.sim, NS_NEVER);
    CHECK_EQUAL(switch_get_stats(lan.sw).filtered, 1);
    lan_destroy(&lan);
}

static void flooding_without_buffers_is_counted(void)
{
    struct lan lan = lan_create(NULL);
    struct packet *frame = make(&lan, station(1), everyone, -1);

    packet_pool_fail_after(lan.sim->pool, 1);
    port_send(lan.probes[0]->node.ports, frame);
    sim_run(lan.sim, NS_NEVER);
    CHECK_EQUAL(switch_get_stats(lan.sw).dropped_no_buffer, 1);
    CHECK_EQUAL(
        lan.probes[1]->count + lan.probes[2]->count + lan.probes[3]->count, 2);
    lan_destroy(&lan);
}

const struct unit_test suite_switch[] = {
    UNIT(an_unknown_address_is_flooded_but_not_back),
    UNIT(a_learned_address_gets_its_frames_alone),
    UNIT(broadcast_and_multicast_are_flooded),
    UNIT(a_frame_for_its_own_side_is_filtered),
    UNIT(a_station_that_moves_is_found_again),
    UNIT(addresses_age),
    UNIT(a_full_table_floods_and_recovers_when_addresses_age),
    UNIT(many_addresses_are_remembered),
    UNIT(a_port_that_loses_its_link_forgets),
    UNIT(vlans_keep_apart),
    UNIT(a_trunk_carries_tags),
    UNIT(a_flooded_frame_is_tagged_for_each_port),
    UNIT(a_priority_tag_belongs_to_the_native_vlan),
    UNIT(impossible_vlans_are_refused),
    UNIT(a_frame_without_a_header_is_filtered),
    UNIT(flooding_without_buffers_is_counted),
    {0},
};
