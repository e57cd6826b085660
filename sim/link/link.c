// Links: making and changing them, their books.
// SPDX-License-Identifier: MIT

#include "sim/link/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/link/direction.h"
#include "sim/name_table.h"
#include "sim/sim.h"

enum { DEFAULT_IFACE_MTU = 1500 };

const char *link_drop_name(enum link_drop reason)
{
    static const char *const names[] = {
        [LINK_DROP_DOWN] = "down",           [LINK_DROP_MTU] = "mtu",
        [LINK_DROP_QUEUE] = "queue",         [LINK_DROP_LOSS] = "loss",
        [LINK_DROP_FILTER] = "filter",       [LINK_DROP_SCRIPT] = "script",
        [LINK_DROP_NO_BUFFER] = "no-buffer", [LINK_DROP_END] = "end",
    };

    must((size_t)reason < ARRAY_LENGTH(names));
    return names[reason];
}

// --- Configurations

const struct impairment_config impairment_default = {
    .select = {.probability = CHANCE_ALWAYS, .until = NS_NEVER},
};

const struct link_direction_config link_direction_default = {
    .queue = {.kind = QUEUE_FIFO, .limit_packets = 1000},
};

void link_direction_config_fini(struct link_direction_config *config)
{
    for (size_t i = 0; i < config->impairment_count; i++)
        impairment_config_fini(&config->impairments[i]);
    free(config->impairments);
    config->impairments = NULL;
    config->impairment_count = 0;
}

int link_direction_config_copy(const struct link_direction_config *from,
                               struct link_direction_config *out)
{
    struct link_direction_config copy = *from;

    copy.impairments = NULL;
    copy.impairment_count = 0;
    if (from->impairment_count > 0) {
        copy.impairments =
            calloc(from->impairment_count, sizeof(*copy.impairments));
        if (copy.impairments == NULL)
            return -ENOMEM;
    }
    for (size_t i = 0; i < from->impairment_count; i++) {
        if (impairment_config_copy(&from->impairments[i],
                                   &copy.impairments[i]) < 0) {
            link_direction_config_fini(&copy);
            return -ENOMEM;
        }
        copy.impairment_count++;
    }
    *out = copy;
    return 0;
}

// --- Life

static char *choose_name(struct sim *sim, const struct link_config *config)
{
    const char *a = config->ends[0]->name, *b = config->ends[1]->name;
    size_t size = strlen(a) + strlen(b) + 16;
    char *name = malloc(size);

    if (name == NULL)
        return NULL;
    snprintf(name, size, "%s-%s", a, b);
    for (unsigned n = 2; name_table_find(sim->link_names, name) != NULL; n++)
        snprintf(name, size, "%s-%s-%u", a, b, n);
    return name;
}

static int name_link(struct link *link, const struct link_config *config)
{
    link->name = config->name != NULL ? strdup(config->name)
                                      : choose_name(link->sim, config);
    if (link->name == NULL)
        return -ENOMEM;
    int error = name_table_add(link->sim->link_names, link->name, link);
    if (error < 0) {
        free(link->name);
        link->name = NULL;
    }
    return error;
}

static int add_ports(struct link *link, const struct link_config *config)
{
    for (unsigned end = 0; end < 2; end++) {
        struct port_place place = {
            .link = link,
            .end = end,
            .name = config->port_names[end],
            .mac = &config->macs[end],
        };
        int error = node_add_port(config->ends[end], &place, &link->ends[end]);

        if (error < 0)
            return error;
    }
    return 0;
}

// Last, because an interface may send at once.
static int attach_ports(struct link *link, const struct link_config *config)
{
    struct port_config port = {
        .mtu = config->iface_mtu != 0 ? config->iface_mtu : DEFAULT_IFACE_MTU,
        .is_point_to_point = config->is_point_to_point,
    };

    for (unsigned end = 0; end < 2; end++) {
        int error = port_attach(link->ends[end], &port);

        if (error < 0)
            return error;
    }
    return 0;
}

static int add_directions(struct link *link, const struct link_config *config)
{
    for (unsigned i = 0; i < 2; i++) {
        int error = direction_create(link, i, &config->direction[i]);

        if (error < 0)
            return error;
    }
    return 0;
}

static void free_link(struct link *link)
{
    direction_destroy(link->direction[0]);
    direction_destroy(link->direction[1]);
    if (link->name != NULL)
        name_table_remove(link->sim->link_names, link->name);
    free(link->name);
    free(link);
}

// A link that could not be made leaves no ports behind.
static void undo(struct link *link)
{
    for (unsigned end = 2; end-- > 0;)
        if (link->ends[end] != NULL)
            node_remove_last_port(link->ends[end]->node, link->ends[end]);
    free_link(link);
}

int sim_add_link(struct sim *sim, const struct link_config *config,
                 struct link **out)
{
    struct link *link = calloc(1, sizeof(*link));

    if (link == NULL)
        return -ENOMEM;
    link->sim = sim;
    link->is_point_to_point = config->is_point_to_point;
    link->is_up = !config->starts_down;
    int error = name_link(link, config);
    if (error == 0)
        error = add_ports(link, config);
    if (error == 0)
        error = add_directions(link, config);
    if (error == 0)
        error = attach_ports(link, config);
    if (error < 0) {
        undo(link);
        return error;
    }
    link->number = ++sim->next_link_number;
    *sim->links_end = link;
    sim->links_end = &link->next;
    *out = link;
    return 0;
}

void link_destroy(struct link *link)
{
    if (link == NULL)
        return;
    struct link **at = &link->sim->links;

    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    if (link->next == NULL)
        link->sim->links_end = at;
    link->ends[0]->link = link->ends[1]->link = NULL;
    free_link(link);
}

struct link *sim_find_link(struct sim *sim, const char *name)
{
    return name_table_find(sim->link_names, name);
}

// --- Changes

int link_set(struct link *link, unsigned direction,
             const struct link_direction_config *config)
{
    must(direction < 2);
    return direction_set(link->direction[direction], config);
}

const struct link_direction_config *link_get(const struct link *link,
                                             unsigned direction)
{
    must(direction < 2);
    return &link->direction[direction]->config;
}

void link_set_up(struct link *link, bool is_up)
{
    if (link->is_up == is_up)
        return;
    link->is_up = is_up;
    for (unsigned i = 0; !is_up && i < 2; i++)
        direction_clear(link->direction[i], LINK_DROP_DOWN);
    for (unsigned end = 0; end < 2; end++) {
        struct port *port = link->ends[end];

        if (port->node->ops->carrier != NULL)
            port->node->ops->carrier(port, is_up);
    }
}

void link_release_held(struct link *link, unsigned direction)
{
    must(direction < 2);
    direction_release_held(link->direction[direction]);
}

void link_inject(struct link *link, unsigned direction, struct packet *frame)
{
    must(direction < 2);
    direction_input(link->direction[direction], frame, FATE_INJECTED);
}

// --- Hooks

int link_add_hook(struct link *link, unsigned direction, enum hook_point point,
                  link_hook_fn *run, void *context)
{
    struct hook hook = {link->next_hook_id + 1, run, context};

    must(direction < 2 && (size_t)point < 2 && run != NULL);
    if (hook_list_add(&link->direction[direction]->hooks[point], &hook) < 0)
        return -ENOMEM;
    return ++link->next_hook_id;
}

void link_remove_hook(struct link *link, int id)
{
    for (unsigned i = 0; i < 2; i++)
        for (unsigned point = 0; point < 2; point++)
            if (hook_list_remove(&link->direction[i]->hooks[point], id))
                return;
}

// --- Books

struct link_direction_stats link_get_stats(const struct link *link,
                                           unsigned direction)
{
    must(direction < 2);
    return direction_get_stats(link->direction[direction]);
}

void link_check(const struct link *link)
{
    direction_check(link->direction[0]);
    direction_check(link->direction[1]);
}

void link_end(struct link *link)
{
    direction_clear(link->direction[0], LINK_DROP_END);
    direction_clear(link->direction[1], LINK_DROP_END);
}

uint32_t link_settled_records(const struct link *link, unsigned end,
                              uint32_t first, uint32_t count)
{
    return direction_settled_records(link->direction[end], first, count);
}
