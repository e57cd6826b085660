// Finds broadcast domains: interfaces that hear each other directly.
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "sim/config/spec.h"
#include "sim/config/tree/memory.h"

// Theory of operation
//
// A frame leaves a host untagged, crosses the link, and in a switch belongs to
// the VLAN that the port is native to; it comes out of every port that is
// native to that VLAN (untagged) or lets it pass (tagged). Following it from
// each interface that has no domain yet, through every pair of switch and VLAN
// once, gives the domains, numbered in order of the first interface of each.

struct visit { // a frame arrives at an interface
    struct iface_spec *iface;
    unsigned tag; // 0: untagged
};

struct walk {
    struct visit *visits; // still to be made
    size_t count, capacity;
    uint32_t domain;
};

static void push(struct walk *w, struct iface_spec *iface, unsigned tag)
{
    if (!iface)
        return;
    w->visits =
        memory_grow(w->visits, w->count, &w->capacity, sizeof *w->visits);
    w->visits[w->count++] = (struct visit){iface, tag};
}

static unsigned native_of(const struct iface_spec *port)
{
    return port->vlan ? (unsigned)port->vlan->native : 1;
}

static bool allows(const struct iface_spec *port, unsigned vlan)
{
    return port->vlan && port->vlan->allowed[vlan / 8] >> vlan % 8 & 1;
}

// True the first time.
static bool enter(struct scenario *s, struct node_spec *node, unsigned vlan)
{
    if (!node->vlans_seen)
        node->vlans_seen = document_alloc(s->document, 512);
    uint8_t bit = (uint8_t)(1u << vlan % 8),
            *byte = &node->vlans_seen[vlan / 8];
    bool is_new = !(*byte & bit);
    *byte |= bit;
    return is_new;
}

static void flood(struct scenario *s, struct walk *w, struct visit at)
{
    unsigned vlan = at.tag ? at.tag : native_of(at.iface);
    if (vlan == 0 || (at.tag && !allows(at.iface, at.tag)) ||
        !enter(s, at.iface->node, vlan))
        return;
    for (struct iface_spec *out = at.iface->node->ifaces; out; out = out->next)
        if (native_of(out) == vlan)
            push(w, iface_peer(out), 0);
        else if (allows(out, vlan))
            push(w, iface_peer(out), vlan);
}

static void follow(struct scenario *s, struct walk *w, struct iface_spec *from)
{
    push(w, from, 0);
    push(w, iface_peer(from), 0);
    while (w->count) {
        struct visit at = w->visits[--w->count];
        if (at.iface->node->kind == NODE_SWITCH)
            flood(s, w, at);
        else if (at.tag == 0)
            at.iface->domain = w->domain;
    }
}

static void forget(struct scenario *s)
{
    for (struct node_spec *node = s->nodes; node; node = node->next) {
        for (struct iface_spec *i = node->ifaces; i; i = i->next)
            i->domain = 0;
        if (node->vlans_seen)
            memset(node->vlans_seen, 0, 512);
    }
}

void find_domains(struct scenario *s)
{
    struct walk walk = {.domain = 0};
    forget(s);
    for (struct link_spec *link = s->links; link; link = link->next)
        for (unsigned end = 0; end < 2; end++) {
            struct iface_spec *iface = link->ends[end].iface;
            if (!iface || iface->domain || iface->node->kind == NODE_SWITCH)
                continue;
            walk.domain++;
            follow(s, &walk, iface);
        }
    s->domain_count = walk.domain;
    free(walk.visits);
}
