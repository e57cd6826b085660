// Reads taps: nodes behind which the world outside stands.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/config/spec.h"
#include "sim/tap/tap.h"

static const char *const kinds[] = {"tap", "tun", "packet", NULL};

static const struct schema_key tap_keys[] = {
    {"device", KEY_TEXT, FIELD(struct tap_spec, device), 0, 0, NULL, "name",
     "NAME", "the machine's device", NULL},
    {"kind", KEY_WORD, FIELD(struct tap_spec, kind), 0, 0, kinds, NULL, "tap",
     "tap: Ethernet; tun: bare IP, on a point-to-point link; packet: an "
     "interface that exists (veth, NIC)",
     NULL},
    {"offload", KEY_BOOLEAN, FIELD(struct tap_spec, offload), 0, 0, NULL, NULL,
     "on", "exchange large segments with the device where it can", NULL},
};
const struct schema tap_schema = {
    "taps.NAME",
    "a tap",
    "The world outside as a node: a network device of the machine on which "
    "`wirebed bridge` runs the scenario. Nothing at all is enough.",
    tap_keys,
    ARRAY_LENGTH(tap_keys),
    NULL};

void read_tap(struct scenario *s, const struct value *value,
              struct node_spec *node)
{
    node->tap = document_alloc(s->document, sizeof *node->tap);
    node->tap->device = node->name;
    node->tap->offload = true;
    schema_read(&tap_schema, value, NULL, node->tap, s->diagnostics);
    const struct value *device = value_find(value, "device");
    if (strlen(node->tap->device) > 15)
        diagnostics_add(s->diagnostics, device ? device->place : node->place,
                        "'%s' cannot be the name of a device; expected at most "
                        "15 characters",
                        node->tap->device);
}

int build_tap(struct scenario *s, struct node_spec *node)
{
    const struct tap_config config = {
        .name = node->name,
        .device = node->tap->device,
        .kind = (enum tap_kind)node->tap->kind,
        .no_offload = !node->tap->offload,
    };
    struct tap *tap;
    int error = sim_add_tap(s->sim, &config, &tap);
    if (!error)
        node->node = sim_find_node(s->sim, node->name);
    return error;
}

static bool is_tun(const struct node_spec *node)
{
    return node->tap->kind == TAP_IP;
}

void check_tap_end(struct scenario *s, const struct link_spec *link,
                   unsigned end)
{
    const struct iface_spec *iface = link->ends[end].iface;
    const struct node_spec *node = iface->node;
    if (node->kind != NODE_TAP)
        return;
    if (node->ifaces != iface)
        diagnostics_add(s->diagnostics, link->place,
                        "link '%s': the tap '%s' is at link '%s' already",
                        link->name, node->name, node->ifaces->link->name);
    if (is_tun(node) && link->type != LINK_POINT_TO_POINT)
        diagnostics_add(s->diagnostics, link->place,
                        "link '%s': '%s' is a TUN, which carries bare IP; "
                        "write 'type: point-to-point'",
                        link->name, node->name);
    if (!is_tun(node) && link->type == LINK_POINT_TO_POINT)
        diagnostics_add(s->diagnostics, link->place,
                        "link '%s' is point-to-point, and '%s' carries "
                        "Ethernet; a tap of 'kind: tun' can be there",
                        link->name, node->name);
}

void print_tap(FILE *out, const struct node_spec *node)
{
    fprintf(out, "  %s: {device: %s, kind: %s%s}\n", node->name,
            node->tap->device, kinds[node->tap->kind],
            node->tap->offload ? "" : ", offload: off");
}
