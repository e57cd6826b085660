// Makes hosts, links and applications out of what was read.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "sim/config/spec.h"

// --- Nodes ------------------------------------------------------------------

static int build_host(struct scenario *s, struct node_spec *node)
{
    const struct host_config config = {
        .name = node->name,
        .is_router = node->kind == NODE_ROUTER,
        .settings = node->has_settings ? &node->settings : NULL,
        .no_ipv4 = !node->ipv4,
        .no_ipv6 = !node->ipv6};
    struct host *host;
    int error = sim_add_host(s->sim, &config, &host);
    if (!error)
        node->node = &host->node;
    return error;
}

static int build_switch(struct scenario *s, struct node_spec *node)
{
    const struct switch_config config = {.name = node->name,
                                         .ageing = node->ageing,
                                         .address_limit =
                                             (size_t)node->address_limit};
    return sim_add_switch(s->sim, &config, &node->node);
}

static int build_node(struct scenario *s, struct node_spec *node)
{
    if (node->node)
        return 0;
    int error = node->kind == NODE_SWITCH ? build_switch(s, node)
                : node->kind == NODE_TAP  ? build_tap(s, node)
                                          : build_host(s, node);
    if (error)
        sim_set_error(s->sim, "'%s' cannot be made: %s", node->name,
                      strerror(-error));
    return error;
}

// --- Links ------------------------------------------------------------------

static int finish_port(struct scenario *s, struct link_spec *link, unsigned end)
{
    struct iface_spec *spec = link->ends[end].iface;
    struct port *port = spec->port = link->link->ends[end];
    uint32_t mtu = iface_plan_mtu(spec);
    int error = 0;
    if (port->iface && iface_mtu(port->iface) != mtu)
        error = iface_set_mtu(port->iface, mtu);
    if (!error && spec->vlan)
        error = switch_set_port_vlans(port, (unsigned)spec->vlan->native,
                                      spec->vlan->allowed);
    if (error)
        sim_set_error(s->sim, "port '%s' of '%s' cannot be set up: %s",
                      spec->name, spec->node->name, strerror(-error));
    return error;
}

static int build_link(struct scenario *s, struct link_spec *link)
{
    if (link->link)
        return 0;
    struct link_config config = {.name = link->name,
                                 .is_point_to_point =
                                     link->type == LINK_POINT_TO_POINT,
                                 .starts_down = !link->up};
    for (unsigned end = 0; end < 2; end++) {
        const struct iface_spec *iface = link->ends[end].iface;
        config.ends[end] = iface->node->node;
        config.port_names[end] = iface->name;
        config.macs[end] = iface->mac;
        config.direction[end] = direction_config(s, &link->direction[end]);
        // IPv6 comes up with the interface and wants its MTU then.
        if (config.iface_mtu < iface_plan_mtu(iface))
            config.iface_mtu = iface_plan_mtu(iface);
    }
    int error = sim_add_link(s->sim, &config, &link->link);
    for (unsigned end = 0; end < 2 && !error; end++)
        error = finish_port(s, link, end);
    return error;
}

// --- Addresses and routes ---------------------------------------------------

static int build_address(struct scenario *s, struct iface_spec *iface,
                         struct address_spec *address)
{
    char text[IP_PREFIX_TEXT_SIZE];
    if (address->is_built)
        return 0;
    int error = iface_add_address(iface->port->iface, &address->prefix);
    if (error)
        sim_set_error(s->sim, "%s cannot be given to %s:%s: %s",
                      ip_prefix_format(&address->prefix, text),
                      iface->node->name, iface->name, strerror(-error));
    else
        address->is_built = true;
    return error;
}

static int build_addresses_of(struct scenario *s, struct node_spec *node)
{
    int error = 0;
    if (node->kind == NODE_SWITCH || node->kind == NODE_TAP)
        return 0;
    for (struct iface_spec *i = node->ifaces; i && !error; i = i->next)
        for (struct address_spec *a = i->port ? i->addresses : NULL;
             a && !error; a = a->next)
            error = build_address(s, i, a);
    return error;
}

int build_addresses(struct scenario *s)
{
    int error = 0;
    for (struct node_spec *n = s->nodes; n && !error; n = n->next)
        error = build_addresses_of(s, n);
    return error;
}

// Captures come before addresses, which may be announced at once.
static int build_new_link(struct scenario *s, struct link_spec *link)
{
    int error = build_link(s, link);
    if (!error)
        error = build_link_captures(s, link->link);
    for (unsigned end = 0; end < 2 && !error; end++)
        error = build_addresses_of(s, link->ends[end].iface->node);
    return error;
}

int build_parts(struct scenario *s)
{
    int error;
    for (; s->nodes_unbuilt; s->nodes_unbuilt = s->nodes_unbuilt->next)
        if ((error = build_node(s, s->nodes_unbuilt)))
            return error;
    for (; s->links_unbuilt; s->links_unbuilt = s->links_unbuilt->next)
        if ((error = build_new_link(s, s->links_unbuilt)))
            return error;
    return 0;
}

static int build_route(struct scenario *s, struct node_spec *node,
                       struct route_spec *spec)
{
    char text[IP_PREFIX_TEXT_SIZE];
    if (spec->is_built)
        return 0;
    const struct route route = {.destination = spec->to,
                                .gateway = spec->gateway,
                                .metric = (uint32_t)spec->metric};
    int error = stack_add_route(node_as_host(node->node)->stack, &route);
    if (error)
        sim_set_error(s->sim, "%s:%u: '%s' cannot have the route to %s: %s",
                      spec->place.file, spec->place.line, node->name,
                      ip_prefix_format(&spec->to, text), strerror(-error));
    else
        spec->is_built = true;
    return error;
}

int build_routes(struct scenario *s)
{
    int error = 0;
    for (struct node_spec *n = s->nodes; n && !error; n = n->next)
        for (struct route_spec *r = n->routes; r && !error; r = r->next)
            error = build_route(s, n, r);
    if (!error)
        error = sim_compute_routes(s->sim);
    if (error && !*sim_error(s->sim))
        sim_set_error(s->sim, "routes cannot be computed: %s",
                      strerror(-error));
    return error;
}

static void adopt_iface_addresses(struct scenario *s, struct iface_spec *iface)
{
    struct iface_address there;
    for (size_t n = 0; iface_get_address(iface->port->iface, n, &there); n++) {
        const struct address_spec *a = iface->addresses;
        while (a && !ip_addr_equal(&a->prefix.addr, &there.prefix.addr))
            a = a->next;
        if (!a && !ip_addr_is_link_local(&there.prefix.addr))
            iface_add_spec(s, &iface->addresses, &there.prefix, iface->place)
                ->is_built = true;
    }
}

void adopt_addresses(struct scenario *s)
{
    for (struct node_spec *n = s->nodes; n; n = n->next)
        for (struct iface_spec *i = n->ifaces; i; i = i->next)
            if (i->port && i->port->iface)
                adopt_iface_addresses(s, i);
}

// --- Applications -----------------------------------------------------------

static int build_app(struct scenario *s, struct app_spec *spec)
{
    if (spec->app)
        return 0;
    struct app_config config = spec->config;
    config.name = spec->name;
    int error = sim_add_app(s->sim, node_as_host(spec->host->node), &config,
                            &spec->app);
    if (error)
        sim_set_error(s->sim, "the application '%s' cannot be made: %s",
                      spec->name, strerror(-error));
    return error;
}

int build_apps(struct scenario *s)
{
    int error;
    for (; s->apps_unbuilt; s->apps_unbuilt = s->apps_unbuilt->next)
        if ((error = build_app(s, s->apps_unbuilt)))
            return error;
    return 0;
}
