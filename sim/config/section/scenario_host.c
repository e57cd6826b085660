// Reads hosts and routers, and makes the specs of all nodes.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "sim/config/spec.h"

// --- Tables -----------------------------------------------------------------

// What the rows of these tables can fill by themselves.
struct interface_keys {
    uint32_t mtu;
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
    "An interface of a host or router. NAME is such as eth0. Instead of the "
    "map an address is enough.",
    interface_keys,
    ARRAY_LENGTH(interface_keys),
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
    if (!node->iface_names)
        node->iface_names = names_create(s->document);
    names_put(node->iface_names, name, iface);
    return iface;
}

struct iface_spec *node_find_iface(const struct node_spec *node,
                                   const char *name)
{
    return node->iface_names ? names_find(node->iface_names, name) : NULL;
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

bool check_iface_name(struct scenario *s, const char *name, struct place place)
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
    if (!s->nodes_unbuilt)
        s->nodes_unbuilt = node;
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
