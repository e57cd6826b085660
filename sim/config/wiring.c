// Finds the interface at each end of each link.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/config/spec.h"

// Theory of operation
//
// A link's end names a node and perhaps a port. Ends that name their port, and
// interfaces that name their link, are wired first; the others then take, in
// order of the file, the node's next interface that is not spoken for, or a new
// one with the lowest free name ethN.

struct iface_spec *iface_peer(const struct iface_spec *iface)
{
    return iface->link ? iface->link->ends[!iface->end].iface : NULL;
}

static bool ends_at(const struct link_spec *link, const struct node_spec *node)
{
    for (int end = 0; end < 2; end++)
        if (link->ends[end].node_name &&
            strcmp(link->ends[end].node_name, node->name) == 0)
            return true;
    return false;
}

// Interfaces that the file names; a switch may have many more.
static struct iface_spec *named(struct iface_spec *iface)
{
    return iface && !iface->is_automatic ? iface : NULL;
}

static struct iface_spec *first_named(const struct node_spec *node)
{
    return named(node->ifaces);
}

static struct iface_spec *next_named(const struct iface_spec *iface)
{
    return named(iface->next);
}

static struct iface_spec *find_spoken_for(const struct node_spec *node,
                                          const struct link_spec *link)
{
    for (struct iface_spec *i = first_named(node); i; i = next_named(i))
        if (!i->link && i->link_name && strcmp(i->link_name, link->name) == 0)
            return i;
    return NULL;
}

static struct iface_spec *find_free(const struct node_spec *node)
{
    for (struct iface_spec *i = first_named(node); i; i = next_named(i))
        if (!i->link && !i->link_name)
            return i;
    return NULL;
}

static struct iface_spec *add_automatic(struct scenario *s,
                                        struct node_spec *node,
                                        const char *name, struct place place)
{
    struct iface_spec *iface = node_add_iface(s, node, name, place);
    iface->is_automatic = true;
    return iface;
}

static struct iface_spec *add_next(struct scenario *s, struct node_spec *node,
                                   struct place place)
{
    const char *name;
    do
        name = document_format(s->document, "eth%u", node->next_port++);
    while (node_find_iface(node, name));
    return add_automatic(s, node, name, place);
}

// NULL: it is another link's, which is a mistake.
static struct iface_spec *find_named(struct scenario *s, struct node_spec *node,
                                     const struct end_spec *end)
{
    struct iface_spec *iface = node_find_iface(node, end->port_name);
    if (!iface)
        return add_automatic(s, node, end->port_name, end->place);
    if (!iface->link)
        return iface;
    diagnostics_add(s->diagnostics, end->place,
                    "ends: '%s:%s' is at link '%s' already", node->name,
                    end->port_name, iface->link->name);
    return NULL;
}

// What a host has without naming an interface is its first one's.
static void give_loose(struct node_spec *node)
{
    static const struct mac_addr none;
    struct iface_spec *first = node->ifaces;
    struct address_spec **end = &first->addresses;
    while (*end)
        end = &(*end)->next;
    *end = node->loose;
    node->loose = NULL;
    if (mac_addr_equal(&first->mac, &none))
        first->mac = node->loose_mac;
    if (!first->mtu)
        first->mtu = node->loose_mtu;
}

// A switch's port is named by its own name or by that of the node behind it.
static void find_vlan(struct iface_spec *port, const char *peer)
{
    for (struct vlan_spec *v = port->node->vlans; v; v = v->next)
        if (strcmp(v->port, port->name) == 0 ||
            (peer && strcmp(v->port, peer) == 0)) {
            port->vlan = v;
            v->is_used = true;
        }
}

static void wire_end(struct scenario *s, struct link_spec *link, unsigned n,
                     bool is_first_pass)
{
    struct end_spec *end = &link->ends[n];
    struct iface_spec *iface = NULL;
    if (end->iface || !end->node_name || end->is_bad)
        return;
    struct node_spec *node = find_node(s, end->node_name);
    if (!node) {
        need_node(s, end->node_name, end->place, "ends");
        end->is_bad = true;
        return;
    }
    if (end->port_name) {
        iface = find_named(s, node, end);
        end->is_bad = !iface;
    } else {
        iface = find_spoken_for(node, link);
    }
    if (!iface && !is_first_pass && !end->is_bad)
        iface = find_free(node);
    if (!iface && !is_first_pass && !end->is_bad)
        iface = add_next(s, node, end->place);
    if (!iface)
        return;
    end->iface = iface;
    iface->link = link;
    iface->end = n;
    find_vlan(iface, link->ends[!n].node_name);
    if (node->ifaces->link)
        give_loose(node);
}

static void check_ends(struct scenario *s, const struct link_spec *link)
{
    const struct iface_spec *a = link->ends[0].iface, *b = link->ends[1].iface;
    if (!a || !b)
        return;
    bool has_switch =
        a->node->kind == NODE_SWITCH || b->node->kind == NODE_SWITCH;
    if (link->type == LINK_POINT_TO_POINT && has_switch)
        diagnostics_add(s->diagnostics, link->place,
                        "link '%s' is point-to-point and cannot end at a "
                        "switch, which forwards Ethernet frames",
                        link->name);
    if (a->node == b->node && has_switch)
        diagnostics_add(s->diagnostics, link->place,
                        "link '%s' has both ends at switch '%s'; its frames "
                        "would go round for ever",
                        link->name, a->node->name);
    check_tap_end(s, link, 0);
    check_tap_end(s, link, 1);
}

void wire_links(struct scenario *s)
{
    for (int pass = 0; pass < 2; pass++)
        for (struct link_spec *l = s->links_unwired; l; l = l->next)
            for (unsigned end = 0; end < 2; end++)
                wire_end(s, l, end, pass == 0);
    for (struct link_spec *l = s->links_unwired; l; l = l->next)
        check_ends(s, l);
    s->links_unwired = NULL;
}

void unwire_link(struct link_spec *link)
{
    for (unsigned end = 0; end < 2; end++) {
        struct iface_spec *iface = link->ends[end].iface;
        if (!iface)
            continue;
        iface->link = NULL;
        link->ends[end].iface = NULL;
        struct iface_spec **at = &iface->node->ifaces;
        while (iface->is_automatic && *at != iface)
            at = &(*at)->next;
        if (!iface->is_automatic)
            continue;
        *at = iface->next;
        if (!*at)
            iface->node->ifaces_end = at;
        iface->node->next_port = 0; // its name is free again
        names_put(iface->node->iface_names, iface->name, NULL);
    }
}

// --- What is left over ------------------------------------------------------

static void check_iface(struct scenario *s, const struct iface_spec *iface)
{
    const struct node_spec *node = iface->node;
    if (iface->link)
        return;
    if (!iface->link_name) {
        diagnostics_add(s->diagnostics, iface->place,
                        "interface '%s' of '%s' is on no link", iface->name,
                        node->name);
        return;
    }
    const struct link_spec *link =
        need_link(s, iface->link_name, iface->link_place, "link");
    if (link)
        diagnostics_add(s->diagnostics, iface->link_place,
                        ends_at(link, node)
                            ? "link: '%s' ends at another interface of '%s'"
                            : "link: '%s' does not end at '%s'",
                        link->name, node->name);
}

static void check_vlans(struct scenario *s, const struct node_spec *node)
{
    for (const struct vlan_spec *vlan = node->vlans; vlan; vlan = vlan->next)
        if (!vlan->is_used)
            diagnostics_add(s->diagnostics, vlan->place,
                            "switch '%s' has no port '%s', and no link to a "
                            "node of that name",
                            node->name, vlan->port);
}

// --- Loops ------------------------------------------------------------------

// Switches speak no spanning tree protocol, so a ring of them repeats a
// broadcast for ever. Where VLANs are at work a ring may be none; those are
// left to their author.
static struct node_spec *find_root(struct node_spec *node)
{
    while (node->root)
        node = node->root;
    return node;
}

static void join_switches(struct scenario *s, struct link_spec *link)
{
    struct iface_spec *a = link->ends[0].iface, *b = link->ends[1].iface;
    if (!a || !b || a->node == b->node || a->node->kind != NODE_SWITCH ||
        b->node->kind != NODE_SWITCH || a->node->vlans || b->node->vlans)
        return;
    struct node_spec *one = find_root(a->node), *other = find_root(b->node);
    if (one != other)
        other->root = one;
    else
        diagnostics_add(s->diagnostics, link->place,
                        "link '%s' closes a ring of switches, in which "
                        "broadcasts would go round for ever",
                        link->name);
}

static void check_rings(struct scenario *s)
{
    for (struct node_spec *node = s->nodes; node; node = node->next)
        node->root = NULL;
    for (struct link_spec *link = s->links; link; link = link->next)
        join_switches(s, link);
}

void check_wiring(struct scenario *s)
{
    for (struct node_spec *node = s->nodes; node; node = node->next) {
        if (node->loose)
            diagnostics_add(s->diagnostics, node->loose->place,
                            "'%s' has an address and is on no link",
                            node->name);
        for (struct iface_spec *i = node->ifaces; i; i = i->next)
            check_iface(s, i);
        check_vlans(s, node);
    }
    check_rings(s);
}
