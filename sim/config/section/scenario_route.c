// Reads routes and gateways of hosts.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/config/spec.h"

struct route_keys {
    int64_t metric;
};

static const struct schema_key route_keys[] = {
    {.name = "to",
     .kind = KEY_OTHER,
     .form = "prefix or default",
     .doc = "destinations, such as 10.9.0.0/16"},
    {.name = "via",
     .kind = KEY_OTHER,
     .form = "address or name",
     .doc = "the next router: its address or its name"},
    {"metric", KEY_INTEGER, FIELD(struct route_keys, metric), 0, 1000000, NULL,
     NULL, "0", "the lower one wins among equal prefixes", NULL},
};
const struct schema route_schema = {"routes[]",
                                    "a route",
                                    "An entry of a host's routes.",
                                    route_keys,
                                    ARRAY_LENGTH(route_keys),
                                    NULL};

static struct route_spec *add_route(struct scenario *s, struct node_spec *node,
                                    const char *via, struct place place)
{
    struct route_spec *route = document_alloc(s->document, sizeof *route);
    struct route_spec **end = &node->routes;
    route->via = via;
    route->place = place;
    while (*end)
        end = &(*end)->next;
    return *end = route;
}

void read_gateway(struct scenario *s, const struct value *value,
                  struct node_spec *node)
{
    const char *via;
    if (value->kind == VALUE_LIST) {
        for (const struct value *v = value->items; v; v = v->next)
            read_gateway(s, v, node);
        return;
    }
    if (schema_read_text(value, "gateway", &via, s->diagnostics))
        add_route(s, node, via, value->place)->is_default = true;
}

static void read_destination(struct scenario *s, const struct value *to,
                             struct route_spec *route)
{
    struct ip_prefix prefix;
    if (to->kind == VALUE_SCALAR && strcmp(to->text, "default") == 0) {
        route->is_default = true;
    } else if (to->kind != VALUE_SCALAR ||
               ip_prefix_parse(to->text, &prefix) != 0) {
        schema_refuse(to, "to", "a prefix such as 10.9.0.0/16, or default",
                      s->diagnostics);
        route->is_default = true;
    } else {
        route->to = prefix;
        route->to.addr = ip_prefix_network(&prefix);
        char text[IP_PREFIX_TEXT_SIZE];
        if (!ip_addr_equal(&route->to.addr, &prefix.addr))
            diagnostics_add(s->diagnostics, to->place,
                            "to: '%s' has bits beyond its prefix; the network "
                            "is %s",
                            to->text, ip_prefix_format(&route->to, text));
    }
}

void read_route(struct scenario *s, const struct value *value,
                struct node_spec *node)
{
    struct route_keys keys = {0};
    const char *text;
    schema_read(&route_schema, value, NULL, &keys, s->diagnostics);
    if (value->kind != VALUE_MAP)
        return;
    const struct value *to = value_find(value, "to"),
                       *via = value_find(value, "via");
    if (!to || !via) {
        diagnostics_add(s->diagnostics, value->place,
                        "a route needs %s; write {to: 10.9.0.0/16, via: "
                        "10.0.0.2}",
                        to ? "via" : "to");
        return;
    }
    if (!schema_read_text(via, "via", &text, s->diagnostics))
        return;
    struct route_spec *route = add_route(s, node, text, via->place);
    route->metric = keys.metric;
    read_destination(s, to, route);
}
