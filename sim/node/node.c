// What all kinds of nodes share: names, numbers, ports.
// SPDX-License-Identifier: MIT

#include "sim/node/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/capture/capture.h"
#include "sim/link/direction.h"
#include "sim/name_table.h"
#include "sim/sim.h"

const char *node_kind_name(enum node_kind kind)
{
    static const char *const names[] = {[NODE_HOST] = "host",
                                        [NODE_ROUTER] = "router",
                                        [NODE_SWITCH] = "switch",
                                        [NODE_TAP] = "tap"};

    must((size_t)kind < ARRAY_LENGTH(names));
    return names[kind];
}

int node_init(struct node *node, struct sim *sim, const struct node_ops *ops,
              enum node_kind kind, const char *name)
{
    char *own_name = strdup(name);

    if (own_name == NULL)
        return -ENOMEM;
    int error = name_table_add(sim->node_names, own_name, node);
    if (error < 0) {
        free(own_name);
        return error;
    }
    *node = (struct node){
        .ops = ops,
        .sim = sim,
        .name = own_name,
        .kind = kind,
        .number = ++sim->next_node_number,
    };
    node->ports_end = &node->ports;
    *sim->nodes_end = node;
    sim->nodes_end = &node->next;
    return 0;
}

static void unlink_from_sim(struct node *node)
{
    struct sim *sim = node->sim;
    struct node **at = &sim->nodes;

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    if (node->next == NULL)
        sim->nodes_end = at;
}

static void port_free(struct port *port)
{
    if (port->is_attached && port->node->ops->detach != NULL)
        port->node->ops->detach(port);
    free(port);
}

void node_destroy(struct node *node)
{
    if (node == NULL)
        return;
    struct port *port = node->ports;

    while (port != NULL) {
        struct port *next = port->next;

        must(port->link == NULL); // links go first
        port_free(port);
        port = next;
    }
    unlink_from_sim(node);
    name_table_remove(node->sim->node_names, node->name);
    free(node->name);
    node->ops->destroy(node);
}

uint64_t node_new_order(struct node *node)
{
    return event_order(node->number, node->next_source++);
}

struct port *node_find_port(struct node *node, const char *name)
{
    for (struct port *port = node->ports; port != NULL; port = port->next)
        if (strcmp(port->name, name) == 0)
            return port;
    return NULL;
}

static bool mac_is_zero(const struct mac_addr *mac)
{
    return mac == NULL || mac_addr_equal(mac, &(struct mac_addr){{0}});
}

// 02:00:00:NN:NN:PP: locally administered, with the node's number and the
// port's; either number grows into the zeros when it is larger.
static struct mac_addr choose_mac(const struct node *node)
{
    uint32_t n = node->number, p = node->port_count;

    return (struct mac_addr){{2, (uint8_t)(p >> 8), (uint8_t)(n >> 16),
                              (uint8_t)(n >> 8), (uint8_t)n, (uint8_t)p}};
}

static int name_port(struct node *node, struct port *port, const char *name)
{
    if (name != NULL) {
        if (strlen(name) >= sizeof(port->name) || name[0] == '\0')
            return -EINVAL;
        if (node_find_port(node, name) != NULL)
            return -EEXIST;
        snprintf(port->name, sizeof(port->name), "%s", name);
        return 0;
    }
    // Names given by hand may be in the way, so the count is only a start.
    uint32_t n = node->port_count;
    do {
        snprintf(port->name, sizeof(port->name), "eth%u", n++);
    } while (node->has_named_ports && node_find_port(node, port->name) != NULL);
    return 0;
}

int node_add_port(struct node *node, const struct port_place *place,
                  struct port **out)
{
    struct port *port = calloc(1, sizeof(*port));

    if (port == NULL)
        return -ENOMEM;
    int error = name_port(node, port, place->name);
    if (error < 0) {
        free(port);
        return error;
    }
    port->node = node;
    port->link = place->link;
    port->end = place->end;
    port->mac = mac_is_zero(place->mac) ? choose_mac(node) : *place->mac;
    node->has_named_ports |= place->name != NULL;
    node->port_count++;
    *node->ports_end = port;
    node->ports_end = &port->next;
    *out = port;
    return 0;
}

int port_attach(struct port *port, const struct port_config *config)
{
    int error = port->node->ops->attach != NULL
                    ? port->node->ops->attach(port, config)
                    : 0;

    port->is_attached = error == 0;
    return error;
}

void node_remove_last_port(struct node *node, struct port *port)
{
    struct port **at = &node->ports;

    must(port->next == NULL);
    while (*at != port)
        at = &(*at)->next;
    *at = NULL;
    node->ports_end = at;
    node->port_count--;
    port_free(port);
}

void port_send(struct port *port, struct packet *frame)
{
    port->frames_out++;
    port->bytes_out += frame->length;
    direction_input(port->link->direction[port->end], frame, 0);
}

void port_receive(struct port *port, struct packet *frame, const char *comment)
{
    port->frames_in++;
    port->bytes_in += frame->length;
    if (port->capture != NULL)
        capture_frame(port->capture, frame, false, sim_now(port->node->sim),
                      comment);
    frame->iface = NULL;
    port->node->ops->input(port, frame);
}
