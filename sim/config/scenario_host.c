// Reads hosts, routers and switches.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "sim/config/spec.h"

// --- Tables -----------------------------------------------------------------

// What the rows of these tables can fill by themselves.
struct interface_keys {
    uint32_t mtu;
};
struct route_keys {
    int64_t metric;
};

static const struct schema_key interface_keys[] = {
    {.name = "address",
     .kind = KEY_OTHER,
     .form = "prefix or list of them",
     .initial = "chosen",
     .doc = "addresses with their prefix lengths, such as 10.0.0.1/24"},
    {.name = "addresses",
     .kind = KEY_OTHER,
     .form = "prefix or list of them",
     .initial = "chosen",
     .doc = "the same as address"},
    {.name = "mac",
     .kind = KEY_OTHER,
     .form = "hardware address",
     .initial = "02:00:00:NN:NN:PP",
     .doc = "hardware address; chosen from the numbers of host and port"},
    {"mtu", KEY_SIZE, FIELD(struct interface_keys, mtu), 68, 65535, NULL, NULL,
     "of the link, else 1500", "largest IP packet", "RFC 791, RFC 894"},
    {.name = "link",
     .kind = KEY_OTHER,
     .form = "name of a link",
     .initial = "in order",
     .doc = "the link that ends here"},
};
const struct schema interface_schema = {
    "interfaces.NAME",
    "an interface",
    "An interface of a host or router. NAME is such as eth0.",
    interface_keys,
    ARRAY_LENGTH(interface_keys),
    NULL};

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

static const struct schema_key host_keys[] = {
    {.name = "address",
     .kind = KEY_OTHER,
     .form = "prefix or list of them",
     .initial = "chosen",
     .doc = "addresses of the host's first interface"},
    {.name = "addresses",
     .kind = KEY_OTHER,
     .form = "prefix or list of them",
     .initial = "chosen",
     .doc = "the same as address"},
    {.name = "mac",
     .kind = KEY_OTHER,
     .form = "hardware address",
     .initial = "02:00:00:NN:NN:PP",
     .doc = "hardware address of the host's first interface"},
    {"mtu", KEY_SIZE, FIELD(struct node_spec, loose_mtu), 68, 65535, NULL, NULL,
     "of the link, else 1500", "largest IP packet of the first interface",
     "RFC 791, RFC 894"},
    {.name = "interfaces",
     .kind = KEY_OTHER,
     .form = "map of interfaces",
     .initial = "eth0, eth1, ...: one for each link",
     .doc = "interfaces by name"},
    {.name = "gateway",
     .kind = KEY_OTHER,
     .form = "address or name, or list",
     .initial = "computed",
     .doc = "default route: the next router's address or name"},
    {.name = "routes",
     .kind = KEY_OTHER,
     .form = "list of routes",
     .initial = "computed",
     .doc = "further routes"},
    {"ipv4", KEY_BOOLEAN, FIELD(struct node_spec, ipv4), 0, 0, NULL, NULL, "on",
     "the host speaks IPv4", NULL},
    {"ipv6", KEY_BOOLEAN, FIELD(struct node_spec, ipv6), 0, 0, NULL, NULL, "on",
     "the host speaks IPv6", NULL},
    {.name = "tcp",
     .kind = KEY_OTHER,
     .form = "map of settings",
     .initial = "see Settings",
     .doc = "TCP settings"},
    {.name = "udp",
     .kind = KEY_OTHER,
     .form = "map of settings",
     .initial = "see Settings",
     .doc = "UDP settings"},
    {.name = "ip",
     .kind = KEY_OTHER,
     .form = "map of settings",
     .initial = "see Settings",
     .doc = "IPv4 and IPv6 settings"},
    {.name = "neighbour",
     .kind = KEY_OTHER,
     .form = "map of settings",
     .initial = "see Settings",
     .doc = "ARP and neighbour discovery settings"},
    {.name = "limits",
     .kind = KEY_OTHER,
     .form = "map of settings",
     .initial = "see Settings",
     .doc = "memory and table limits of the host"},
};
const struct schema host_schema = {
    "hosts.NAME",
    "a host",
    "A host, or under `routers:` one that forwards. Instead of the map an "
    "address such as `10.0.0.1/24`, a list of addresses, or nothing at all is "
    "enough.",
    host_keys,
    ARRAY_LENGTH(host_keys),
    NULL};

static const struct schema_key vlan_keys[] = {
    {"native", KEY_INTEGER, FIELD(struct vlan_spec, native), 0, 4094, NULL,
     NULL, "1", "VLAN of untagged frames, 0: none are accepted", "IEEE 802.1Q"},
    {.name = "tagged",
     .kind = KEY_OTHER,
     .form = "list of VLAN numbers",
     .initial = "none",
     .doc = "VLANs that pass with a tag",
     .source = "IEEE 802.1Q"},
};
const struct schema vlan_schema = {
    "ports.NAME",
    "a switch port",
    "A port of a switch. NAME is the port's (eth0, ...) or that of the node at "
    "the other end of its link.",
    vlan_keys,
    ARRAY_LENGTH(vlan_keys),
    NULL};

static const struct schema_key switch_keys[] = {
    {.name = "ports",
     .kind = KEY_OTHER,
     .form = "map of ports",
     .initial = "all in VLAN 1, untagged",
     .doc = "VLANs of ports"},
    {"ageing", KEY_TIME, FIELD(struct node_spec, ageing), 1000000,
     INT64_C(1000000000000000), NULL, NULL, "300s",
     "a learnt address is forgotten after so long", "IEEE 802.1D"},
    {"address-limit", KEY_INTEGER, FIELD(struct node_spec, address_limit), 1,
     1000000, NULL, NULL, "8192", "addresses that are remembered", NULL},
};
const struct schema switch_schema = {
    "switches.NAME",
    "a switch",
    "A learning switch. Nothing at all is enough.",
    switch_keys,
    ARRAY_LENGTH(switch_keys),
    NULL};

// --- Addresses --------------------------------------------------------------

struct address_spec *iface_add_spec(struct scenario *s,
                                    struct address_spec **list,
                                    const struct ip_prefix *prefix,
                                    struct place place)
{
    struct address_spec *address = document_alloc(s->document, sizeof *address);
    address->prefix = *prefix;
    address->place = place;
    while (*list)
        list = &(*list)->next;
    return *list = address;
}

// What cannot be the address of an interface. NULL: it can.
static const char *refuse_prefix(const struct ip_prefix *p)
{
    const struct ip_addr network = ip_prefix_network(p),
                         broadcast = ip_prefix_broadcast(p);
    if (ip_addr_is_any(&p->addr))
        return "the unspecified address belongs to nobody";
    if (ip_addr_is_multicast(&p->addr))
        return "a multicast address belongs to no interface";
    if (ip_addr_is_loopback(&p->addr))
        return "a loopback address belongs to no link";
    if (p->addr.family == IP_V6 || p->length >= 31)
        return NULL;
    if (ip_addr_equal(&p->addr, &network))
        return "this is the address of the network itself";
    if (ip_addr_equal(&p->addr, &broadcast))
        return "this is the broadcast address of its network";
    return NULL;
}

static void read_address(struct scenario *s, const struct value *value,
                         const char *name, struct address_spec **list)
{
    struct ip_prefix prefix;
    struct ip_addr bare;
    if (value->kind != VALUE_SCALAR) {
        schema_refuse(value, name, "an address such as 10.0.0.1/24",
                      s->diagnostics);
        return;
    }
    if (ip_prefix_parse(value->text, &prefix) != 0) {
        const char *problem =
            ip_addr_parse(value->text, &bare) == 0
                ? "needs the length of its prefix, such as"
                : "is not an address with the length of its prefix, such as";
        diagnostics_add(s->diagnostics, value->place, "%s: '%s' %s %s", name,
                        value->text, problem,
                        strchr(value->text, ':') ? "2001:db8::1/64"
                                                 : "10.0.0.1/24");
        return;
    }
    const char *refusal = refuse_prefix(&prefix);
    if (refusal)
        diagnostics_add(s->diagnostics, value->place, "%s: '%s': %s", name,
                        value->text, refusal);
    else
        iface_add_spec(s, list, &prefix, value->place);
}

static void read_addresses(struct scenario *s, const struct value *map,
                           struct address_spec **list)
{
    static const char *const names[] = {"address", "addresses"};
    for (size_t i = 0; i < 2; i++) {
        const struct value *value = value_find(map, names[i]);
        if (!value)
            continue;
        if (value->kind != VALUE_LIST) {
            read_address(s, value, names[i], list);
            continue;
        }
        for (const struct value *v = value->items; v; v = v->next)
            read_address(s, v, names[i], list);
    }
}

// --- Interfaces -------------------------------------------------------------

struct iface_spec *node_add_iface(struct scenario *s, struct node_spec *node,
                                  const char *name, struct place place)
{
    struct iface_spec *iface = document_alloc(s->document, sizeof *iface);
    iface->node = node;
    iface->name = name;
    iface->place = place;
    *node->ifaces_end = iface;
    node->ifaces_end = &iface->next;
    return iface;
}

struct iface_spec *node_find_iface(const struct node_spec *node,
                                   const char *name)
{
    struct iface_spec *iface = node->ifaces;
    while (iface && strcmp(iface->name, name) != 0)
        iface = iface->next;
    return iface;
}

static void read_mac(struct scenario *s, const struct value *map,
                     struct mac_addr *out)
{
    const struct value *value = value_find(map, "mac");
    struct mac_addr mac;
    if (!value)
        return;
    static const struct mac_addr none;
    if (value->kind != VALUE_SCALAR || mac_addr_parse(value->text, &mac) != 0)
        schema_refuse(value, "mac",
                      "a hardware address such as 02:00:00:00:00:01",
                      s->diagnostics);
    else if (mac_addr_is_multicast(&mac) || mac_addr_equal(&mac, &none))
        diagnostics_add(s->diagnostics, value->place,
                        "mac: '%s' is not the address of one interface; the "
                        "lowest bit of its first byte must be 0",
                        value->text);
    else
        *out = mac;
}

static bool check_iface_name(struct scenario *s, const char *name,
                             struct place place)
{
    if (strlen(name) <= 15 && strcmp(name, "lo") != 0)
        return read_name(s, name, place, "an interface");
    diagnostics_add(s->diagnostics, place,
                    "'%s' cannot be the name of an interface; expected at "
                    "most 15 characters, and not lo",
                    name);
    return false;
}

static void read_iface(struct scenario *s, const struct value *value,
                       struct node_spec *node)
{
    if (!check_iface_name(s, value->key, value->key_place))
        return;
    struct iface_spec *iface =
        node_add_iface(s, node, value->key, value->key_place);
    if (value->kind == VALUE_SCALAR) {
        read_address(s, value, value->key, &iface->addresses);
        return;
    }
    struct interface_keys keys = {0};
    schema_read(&interface_schema, value, NULL, &keys, s->diagnostics);
    if (value->kind != VALUE_MAP)
        return;
    iface->mtu = keys.mtu;
    read_addresses(s, value, &iface->addresses);
    read_mac(s, value, &iface->mac);
    const struct value *link = value_find(value, "link");
    if (link &&
        schema_read_text(link, "link", &iface->link_name, s->diagnostics))
        iface->link_place = link->place;
}

// --- Routes -----------------------------------------------------------------

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

static void read_gateway(struct scenario *s, const struct value *value,
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

static void read_route(struct scenario *s, const struct value *value,
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

// --- Hosts ------------------------------------------------------------------

static void read_host_map(struct scenario *s, const struct value *map,
                          struct node_spec *node)
{
    struct value *value;
    schema_read(&host_schema, map, NULL, node, s->diagnostics);
    if (map->kind != VALUE_MAP)
        return;
    read_addresses(s, map, &node->loose);
    read_mac(s, map, &node->loose_mac);
    value = value_find(map, "interfaces");
    if (value && value->kind != VALUE_MAP)
        schema_refuse(value, "interfaces", "a map of interfaces",
                      s->diagnostics);
    for (value = value ? value->items : NULL; value; value = value->next)
        read_iface(s, value, node);
    value = value_find(map, "gateway");
    if (value)
        read_gateway(s, value, node);
    value = value_find(map, "routes");
    if (value && !value_is_list(value))
        schema_refuse(value, "routes", "a list of routes", s->diagnostics);
    for (value = value ? value->items : NULL; value; value = value->next)
        read_route(s, value, node);
    read_settings(map, &node->settings, &node->has_settings, s->diagnostics);
    if (!node->ipv4 && !node->ipv6)
        diagnostics_add(s->diagnostics, node->place,
                        "'%s' speaks neither IPv4 nor IPv6", node->name);
}

static void read_host(struct scenario *s, const struct value *value,
                      struct node_spec *node)
{
    node->ipv4 = node->ipv6 = true;
    node->settings = stack_settings_default;
    if (node->kind == NODE_ROUTER) {
        node->settings.ip_forward = 1;
        node->has_settings = true;
    }
    if (value->kind == VALUE_SCALAR)
        read_address(s, value, node->name, &node->loose);
    else if (value->kind == VALUE_LIST)
        for (const struct value *v = value->items; v; v = v->next)
            read_address(s, v, node->name, &node->loose);
    else
        read_host_map(s, value, node);
}

// --- Switches ---------------------------------------------------------------

static void read_tagged(struct scenario *s, const struct value *list,
                        struct vlan_spec *vlan)
{
    static const struct schema_key row = {
        .kind = KEY_INTEGER, .minimum = 1, .maximum = 4094};
    int64_t id;
    if (!value_is_list(list)) {
        schema_refuse(list, "tagged", "a list of VLAN numbers", s->diagnostics);
        return;
    }
    for (const struct value *v = list->items; v; v = v->next)
        if (schema_read_number(v, "tagged", &row, &id, s->diagnostics))
            vlan->allowed[id / 8] |= (uint8_t)(1u << id % 8);
}

static void read_vlan(struct scenario *s, const struct value *value,
                      struct node_spec *node)
{
    struct vlan_spec *vlan = document_alloc(s->document, sizeof *vlan);
    vlan->port = value->key;
    vlan->place = value->key_place;
    vlan->native = 1;
    schema_read(&vlan_schema, value, NULL, vlan, s->diagnostics);
    const struct value *tagged = value_find(value, "tagged");
    if (tagged)
        read_tagged(s, tagged, vlan);
    struct vlan_spec **end = &node->vlans;
    while (*end)
        end = &(*end)->next;
    *end = vlan;
}

static void read_switch(struct scenario *s, const struct value *value,
                        struct node_spec *node)
{
    schema_read(&switch_schema, value, NULL, node, s->diagnostics);
    const struct value *ports = value_find(value, "ports");
    if (ports && ports->kind != VALUE_MAP)
        schema_refuse(ports, "ports", "a map of ports", s->diagnostics);
    for (const struct value *v = ports ? ports->items : NULL; v; v = v->next)
        read_vlan(s, v, node);
}

// --- All of them ------------------------------------------------------------

static struct node_spec *add_node(struct scenario *s, const struct value *value,
                                  enum node_kind kind)
{
    struct node_spec *node, *other = names_find(s->node_names, value->key);
    if (!read_name(s, value->key, value->key_place, "a node"))
        return NULL;
    if (other) {
        diagnostics_add(s->diagnostics, value->key_place,
                        "'%s' is the name of a %s already", value->key,
                        node_kind_name(other->kind));
        return NULL;
    }
    node = document_alloc(s->document, sizeof *node);
    node->kind = kind;
    node->name = value->key;
    node->place = value->key_place;
    node->ifaces_end = &node->ifaces;
    *s->nodes_end = node;
    s->nodes_end = &node->next;
    names_put(s->node_names, node->name, node);
    return node;
}

void read_nodes(struct scenario *s, const struct value *map,
                enum node_kind kind)
{
    static const char *const sections[] = {"hosts", "routers", "switches",
                                           "taps"};
    if (map->kind == VALUE_NULL)
        return;
    if (map->kind != VALUE_MAP) {
        schema_refuse(map, sections[kind], "a map of names", s->diagnostics);
        return;
    }
    for (const struct value *v = map->items; v; v = v->next) {
        struct node_spec *node = add_node(s, v, kind);
        if (node && kind == NODE_SWITCH)
            read_switch(s, v, node);
        else if (node && kind == NODE_TAP)
            read_tap(s, v, node);
        else if (node)
            read_host(s, v, node);
    }
}
