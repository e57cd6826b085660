// Reads switches and the VLANs of their ports.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/config/spec.h"

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

void read_switch(struct scenario *s, const struct value *value,
                 struct node_spec *node)
{
    schema_read(&switch_schema, value, NULL, node, s->diagnostics);
    const struct value *ports = value_find(value, "ports");
    if (ports && ports->kind != VALUE_MAP)
        schema_refuse(ports, "ports", "a map of ports", s->diagnostics);
    for (const struct value *v = ports ? ports->items : NULL; v; v = v->next)
        read_vlan(s, v, node);
}
