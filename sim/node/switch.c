// Learning switches with VLANs (IEEE 802.1D filtering, 802.1Q tags).
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/node/node.h"
#include "sim/sim.h"
#include "stack/wire/bytes.h"
#include "stack/wire/ethernet.h"

// Theory of operation
//
// A frame that comes in belongs to a VLAN: that of its 802.1Q tag, or the
// port's native one. Where the port is no member of it, the frame ends here.
// The source address is learned for this VLAN and port. A frame for a learned
// address leaves by that port alone (or by none, if that is where it came
// from); all others, and those for groups, leave by every other port of the
// VLAN, as clones that share the bytes. On the way out a tag is put on or taken
// off as the port wants it: native is untagged, allowed is tagged.
//
// The table is open addressing over (address, VLAN), at most half full, and is
// never walked in an order that shows. Addresses age by their time stamp when
// they are met; when the table is full, aged entries are swept out once, and if
// none was aged new addresses are not learned (their frames are flooded).

enum {
    DEFAULT_AGEING_S = 300, // 802.1D 7.9.2
    DEFAULT_LIMIT = 8192,
    VLAN_COUNT = 4096,
    VLAN_MAX = 4094,
    VLAN_ID_MASK = 0xfff,
};

struct learned {
    struct mac_addr mac;
    uint16_t vlan; // 0: free entry
    ns_t seen_at;
    struct port *port;
};

struct switch_port {
    unsigned native;  // 0: untagged frames are not accepted
    uint8_t *allowed; // a bit per VLAN that passes tagged; NULL: none
};

struct switch_node {
    struct node node; // first
    ns_t ageing;
    size_t limit;
    struct learned *table;
    size_t capacity, count; // capacity: a power of two, at least twice limit
    ns_t swept_at;          // when the last sweep found nothing
    struct switch_stats stats;
};

static struct switch_node *as_switch(const struct node *node)
{
    must(node->kind == NODE_SWITCH);
    return (struct switch_node *)(uintptr_t)node;
}

// --- Addresses

static size_t home(const struct switch_node *sw, const struct mac_addr *mac,
                   unsigned vlan)
{
    uint64_t key = (uint64_t)get_be32(mac->bytes) << 32 |
                   (uint64_t)get_be16(mac->bytes + 4) << 16 | vlan;

    key *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(key >> 32) & (sw->capacity - 1);
}

// Where the address is, or the free entry where it would be.
static struct learned *locate(const struct switch_node *sw,
                              const struct mac_addr *mac, unsigned vlan)
{
    size_t i = home(sw, mac, vlan);

    while (sw->table[i].vlan != 0 && (sw->table[i].vlan != vlan ||
                                      !mac_addr_equal(&sw->table[i].mac, mac)))
        i = (i + 1) & (sw->capacity - 1);
    return &sw->table[i];
}

static bool is_aged(const struct switch_node *sw, const struct learned *entry)
{
    return sim_now(sw->node.sim) - entry->seen_at > sw->ageing;
}

static int rebuild(struct switch_node *sw, size_t capacity)
{
    struct learned *old = sw->table;
    size_t old_capacity = sw->capacity;
    struct learned *table = calloc(capacity, sizeof(*table));

    if (table == NULL)
        return -ENOMEM;
    sw->table = table;
    sw->capacity = capacity;
    sw->count = 0;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].vlan == 0 || is_aged(sw, &old[i]))
            continue;
        *locate(sw, &old[i].mac, old[i].vlan) = old[i];
        sw->count++;
    }
    free(old);
    return 0;
}

// Room for one more address? Grows the table, or sweeps it when it may not
// grow (at most once at a time that found nothing to sweep).
static bool make_room(struct switch_node *sw)
{
    ns_t now = sim_now(sw->node.sim);

    if (sw->count < sw->limit)
        return sw->count * 2 < sw->capacity ||
               rebuild(sw, sw->capacity * 2) == 0;
    if (sw->swept_at >= 0 && now - sw->swept_at < sw->ageing / 8)
        return false;
    sw->swept_at = now;
    return rebuild(sw, sw->capacity) == 0 && sw->count < sw->limit;
}

static void learn(struct switch_node *sw, struct port *port,
                  const struct mac_addr *mac, unsigned vlan)
{
    if (mac_addr_is_multicast(mac)) // no station's address
        return;
    struct learned *entry = locate(sw, mac, vlan);
    if (entry->vlan == 0) {
        if (!make_room(sw))
            return;
        entry = locate(sw, mac, vlan);
        *entry = (struct learned){.mac = *mac, .vlan = (uint16_t)vlan};
        sw->count++;
        sw->stats.learned++;
    }
    entry->port = port;
    entry->seen_at = sim_now(sw->node.sim);
}

// NULL: unknown, so flood.
static struct port *find_port(const struct switch_node *sw,
                              const struct mac_addr *mac, unsigned vlan)
{
    if (mac_addr_is_multicast(mac))
        return NULL;
    const struct learned *entry = locate(sw, mac, vlan);
    return entry->vlan != 0 && !is_aged(sw, entry) ? entry->port : NULL;
}

// --- VLANs

static bool allows_tagged(const struct switch_port *port, unsigned vlan)
{
    return port->allowed != NULL &&
           (port->allowed[vlan / 8] & 1u << vlan % 8) != 0;
}

static bool is_member(const struct port *port, unsigned vlan)
{
    const struct switch_port *own = port->context;

    return own->native == vlan || allows_tagged(own, vlan);
}

// The VLAN that an incoming frame belongs to; 0: none that the port accepts. A
// tag with VLAN id 0 is only a priority (802.1Q 6.9).
static unsigned classify(const struct port *port,
                         const struct ethernet_header *header)
{
    const struct switch_port *own = port->context;
    unsigned tag = header->is_tagged ? header->vlan & VLAN_ID_MASK : 0;

    if (tag == 0)
        return own->native;
    return tag <= VLAN_MAX && is_member(port, tag) ? tag : 0;
}

// Puts the frame into the form that a port wants. 0 or -ENOBUFS.
static int retag(struct packet *frame, const struct ethernet_header *header,
                 bool wants_tag, unsigned vlan)
{
    if (header->is_tagged == wants_tag &&
        (!wants_tag || (header->vlan & VLAN_ID_MASK) == vlan))
        return 0;
    struct ethernet_header changed = *header;

    changed.is_tagged = wants_tag;
    changed.vlan =
        (uint16_t)((header->is_tagged ? header->vlan & ~VLAN_ID_MASK : 0) |
                   vlan);
    size_t before = header->is_tagged ? ETHERNET_HEADER_SIZE + ETHERNET_TAG_SIZE
                                      : ETHERNET_HEADER_SIZE;
    size_t after = wants_tag ? ETHERNET_HEADER_SIZE + ETHERNET_TAG_SIZE
                             : ETHERNET_HEADER_SIZE;
    if (packet_make_writable(frame, ETHERNET_TAG_SIZE) < 0)
        return -ENOBUFS;
    must(packet_pull(frame, before));
    ethernet_emit(&changed, packet_push(frame, after));
    return 0;
}

// --- Forwarding

// Consumes.
static void send_to(struct switch_node *sw, struct port *port,
                    struct packet *frame, const struct ethernet_header *header,
                    unsigned vlan)
{
    const struct switch_port *own = port->context;

    if (retag(frame, header, own->native != vlan, vlan) < 0) {
        sw->stats.dropped_no_buffer++;
        packet_free(frame);
        return;
    }
    port_send(port, frame);
}

// Every other port of the VLAN gets a clone; the last one gets the frame.
static void flood(struct switch_node *sw, const struct port *from,
                  struct packet *frame, const struct ethernet_header *header,
                  unsigned vlan)
{
    struct port *last = NULL;

    sw->stats.flooded++;
    for (struct port *port = sw->node.ports; port != NULL; port = port->next) {
        if (port == from || !is_member(port, vlan))
            continue;
        if (last != NULL) {
            struct packet *clone = packet_clone(frame);

            if (clone != NULL)
                send_to(sw, last, clone, header, vlan);
            else
                sw->stats.dropped_no_buffer++;
        }
        last = port;
    }
    if (last != NULL)
        send_to(sw, last, frame, header, vlan);
    else
        packet_free(frame);
}

static void switch_input(struct port *port, struct packet *frame)
{
    struct switch_node *sw = as_switch(port->node);
    struct ethernet_header header;

    if (ethernet_parse(frame->data, frame->length, &header) < 0) {
        sw->stats.filtered++;
        packet_free(frame);
        return;
    }
    unsigned vlan = classify(port, &header);
    if (vlan == 0) {
        sw->stats.dropped_vlan++;
        packet_free(frame);
        return;
    }
    learn(sw, port, &header.source, vlan);
    struct port *to = find_port(sw, &header.destination, vlan);
    if (to == NULL) {
        flood(sw, port, frame, &header, vlan);
    } else if (to == port || !is_member(to, vlan)) {
        sw->stats.filtered++;
        packet_free(frame);
    } else {
        sw->stats.forwarded++;
        send_to(sw, to, frame, &header, vlan);
    }
}

// --- Life

static int switch_attach(struct port *port, const struct port_config *config)
{
    struct switch_port *own;

    if (config->is_point_to_point) {
        sim_set_error(port->node->sim,
                      "%s is a switch and needs Ethernet frames; link %s is "
                      "point-to-point",
                      port->node->name, port->link->name);
        return -EINVAL;
    }
    own = calloc(1, sizeof(*own));
    if (own == NULL)
        return -ENOMEM;
    own->native = 1;
    port->context = own;
    return 0;
}

static void switch_detach(struct port *port)
{
    struct switch_port *own = port->context;

    free(own->allowed);
    free(own);
    port->context = NULL;
}

// What was learned on a port that lost its link is no longer true.
static void switch_carrier(struct port *port, bool is_up)
{
    struct switch_node *sw = as_switch(port->node);

    for (size_t i = 0; !is_up && i < sw->capacity; i++)
        if (sw->table[i].port == port)
            sw->table[i].seen_at = sim_now(sw->node.sim) - sw->ageing - 1;
}

static void switch_free(struct node *node)
{
    struct switch_node *sw = as_switch(node);

    free(sw->table);
    free(sw);
}

static const struct node_ops switch_ops = {
    .attach = switch_attach,
    .detach = switch_detach,
    .input = switch_input,
    .carrier = switch_carrier,
    .destroy = switch_free,
};

int sim_add_switch(struct sim *sim, const struct switch_config *config,
                   struct node **out)
{
    struct switch_node *sw = calloc(1, sizeof(*sw));

    if (sw == NULL)
        return -ENOMEM;
    sw->ageing =
        config->ageing != 0 ? config->ageing : DEFAULT_AGEING_S * NS_PER_S;
    sw->limit =
        config->address_limit != 0 ? config->address_limit : DEFAULT_LIMIT;
    sw->swept_at = -1;
    sw->capacity = 16;
    sw->table = calloc(sw->capacity, sizeof(*sw->table));
    int error = sw->table == NULL ? -ENOMEM
                                  : node_init(&sw->node, sim, &switch_ops,
                                              NODE_SWITCH, config->name);
    if (error < 0) {
        free(sw->table);
        free(sw);
        return error;
    }
    *out = &sw->node;
    return 0;
}

int switch_set_port_vlans(struct port *port, unsigned native,
                          const uint8_t allowed[512])
{
    uint8_t *copy = NULL;

    if (port->node->kind != NODE_SWITCH || native > VLAN_MAX)
        return -EINVAL;
    if (allowed != NULL) {
        copy = malloc(VLAN_COUNT / 8);
        if (copy == NULL)
            return -ENOMEM;
        memcpy(copy, allowed, VLAN_COUNT / 8);
        // Ids 0 and 4095 are reserved (802.1Q table 9-2).
        copy[0] &= (uint8_t)~1u;
        copy[VLAN_COUNT / 8 - 1] &= 0x7f;
    }
    struct switch_port *own = port->context;
    free(own->allowed);
    own->allowed = copy;
    own->native = native;
    return 0;
}

struct switch_stats switch_get_stats(const struct node *node)
{
    return as_switch(node)->stats;
}
