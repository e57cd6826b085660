// Routes for a whole network.
// SPDX-License-Identifier: MIT

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/link/link.h"
#include "sim/node/node.h"
#include "sim/sim.h"

// Theory of operation
//
// Links and switches join ports into segments; a subnet is a prefix on a
// segment. Hosts and routers are attached to subnets by their addresses, once
// per address. A member is a host or router in one family, so that both
// families are computed alike and side by side.
//
// A host whose subnets have one router between them gets a default route. The
// rest (routers, and hosts with a choice) are participants: they get a route to
// each subnet. Those come from breadth-first searches over the subnets that
// have more than one participant: from a router for all the subnets that hang
// from that router alone, and from each subnet with several routers. Who is
// found later gets its route by way of the one who found it. At equal distance
// the node that was created first is taken.
//
// With n attachments, r routers and t attachments of participants to shared
// subnets, the work is n log n for the subnets, r * t for the searches, and the
// routes themselves. So that these do not grow as routers times subnets, a
// router with one neighbour gets a default route, too, once there are more than
// MANY_SUBNETS.

enum { MANY_SUBNETS = 1000 };

struct attachment {
    struct iface *iface;
    struct ip_prefix network; // host bits cleared
    struct ip_addr address;
    uint32_t segment;
    uint32_t member;
    uint32_t subnet;
};

struct subnet {
    uint32_t first, count; // in participants[]
    uint32_t routers;
    uint32_t searched; // stamp
};

struct member {
    struct host *host;
    bool forwards, wants_routes;
    uint32_t first, count;      // its attachments in attached[]
    struct ip_prefix *existing; // routes it has, sorted
    size_t existing_count;
    uint32_t found; // stamp
};

struct hop { // a participant's way back to where a search began
    uint32_t member;
    struct iface *iface;
    struct ip_addr gateway;
};

struct network {
    struct attachment *attached; // by member
    uint32_t *by_subnet;         // indices of attached
    uint32_t *participants;      // indices of attached, by subnet
    struct subnet *subnets;
    struct member *members;
    struct hop *hops;
    uint32_t *frontier, *next_frontier; // indices of members
    uint32_t attached_count, subnet_count, member_count, hop_count;
    uint32_t frontier_count, next_count;
    uint32_t stamp;
};

// --- Segments

// Union-find over the nodes: switches stand for their segments.
static uint32_t segment_root(uint32_t *parent, uint32_t node)
{
    while (parent[node] != node)
        node = parent[node] = parent[parent[node]];
    return node;
}

static uint32_t *join_switches(const struct sim *sim)
{
    uint32_t *parent =
        calloc((size_t)sim->next_node_number + 1, sizeof(*parent));

    if (parent == NULL)
        return NULL;
    for (uint32_t n = 0; n <= sim->next_node_number; n++)
        parent[n] = n;
    for (const struct link *link = sim->links; link != NULL;
         link = link->next) {
        const struct node *a = link->ends[0]->node, *b = link->ends[1]->node;

        if (a->kind == NODE_SWITCH && b->kind == NODE_SWITCH)
            parent[segment_root(parent, a->number)] =
                segment_root(parent, b->number);
    }
    return parent;
}

// A segment is named by its switches' root, or by its link where there is no
// switch.
static uint32_t segment_of(const struct sim *sim, uint32_t *parent,
                           const struct port *port)
{
    const struct node *peer = port->link->ends[1 - port->end]->node;

    return peer->kind == NODE_SWITCH
               ? segment_root(parent, peer->number)
               : sim->next_node_number + port->link->number;
}

// --- Attachments

static bool is_routable(const struct ip_addr *address)
{
    return !ip_addr_is_loopback(address) &&
           (address->family == IP_V4 || !ip_addr_is_link_local(address));
}

static uint32_t count_attachments(const struct sim *sim)
{
    struct iface_address address;
    uint32_t count = 0;

    for (struct node *node = sim->nodes; node != NULL; node = node->next)
        for (struct port *port = node->ports;
             port != NULL && node_is_host(node); port = port->next)
            for (size_t n = 0; iface_get_address(port->iface, n, &address); n++)
                count += is_routable(&address.prefix.addr);
    return count;
}

static void attach_family(struct network *net, const struct sim *sim,
                          uint32_t *parent, struct host *host, uint8_t family)
{
    struct member *member = &net->members[net->member_count];
    struct iface_address address;

    *member = (struct member){
        .host = host,
        .forwards = host->node.kind == NODE_ROUTER,
        .first = net->attached_count,
    };
    for (struct port *port = host->node.ports; port != NULL; port = port->next)
        for (size_t n = 0; iface_get_address(port->iface, n, &address); n++) {
            if (address.prefix.addr.family != family ||
                !is_routable(&address.prefix.addr))
                continue;
            net->attached[net->attached_count++] = (struct attachment){
                .iface = port->iface,
                .network = {ip_prefix_network(&address.prefix),
                            address.prefix.length},
                .address = address.prefix.addr,
                .segment = segment_of(sim, parent, port),
                .member = net->member_count,
            };
        }
    member->count = net->attached_count - member->first;
    net->member_count++;
}

static int compare_networks(const struct ip_prefix *a,
                            const struct ip_prefix *b)
{
    if (a->addr.family != b->addr.family)
        return a->addr.family < b->addr.family ? -1 : 1;
    int order = ip_addr_compare(&a->addr, &b->addr);

    return order != 0 ? order : (int)a->length - (int)b->length;
}

static int compare_subnets(const struct attachment *a,
                           const struct attachment *b)
{
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    return compare_networks(&a->network, &b->network);
}

static int compare_by_subnet(const void *x, const void *y, void *context)
{
    const struct attachment *attached = context;
    uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
    int order = compare_subnets(&attached[i], &attached[j]);

    return order != 0 ? order : (i > j) - (i < j);
}

static void find_subnets(struct network *net)
{
    for (uint32_t i = 0; i < net->attached_count; i++)
        net->by_subnet[i] = i;
    qsort_r(net->by_subnet, net->attached_count, sizeof(*net->by_subnet),
            compare_by_subnet, net->attached);
    for (uint32_t i = 0; i < net->attached_count; i++) {
        struct attachment *here = &net->attached[net->by_subnet[i]];

        if (i == 0 ||
            compare_subnets(&net->attached[net->by_subnet[i - 1]], here) != 0)
            net->subnet_count++;
        here->subnet = net->subnet_count - 1;
        net->subnets[here->subnet].routers +=
            net->members[here->member].forwards;
    }
}

// Lists routers, and hosts that want routes, by subnet.
static void list_participants(struct network *net)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < net->attached_count; i++) {
        const struct attachment *here = &net->attached[net->by_subnet[i]];
        const struct member *member = &net->members[here->member];
        struct subnet *subnet = &net->subnets[here->subnet];

        if (i == 0 ||
            net->attached[net->by_subnet[i - 1]].subnet != here->subnet) {
            subnet->first = count;
            subnet->count = 0;
        }
        if (member->forwards || member->wants_routes) {
            net->participants[count++] = net->by_subnet[i];
            subnet->count++;
        }
    }
}

// --- Existing routes

static int compare_prefixes(const void *a, const void *b)
{
    return compare_networks(a, b);
}

static int read_routes(struct member *member)
{
    const struct stack *stack = member->host->stack;
    struct route route;
    size_t count = 0;

    while (stack_get_route(stack, count, &route))
        count++;
    member->existing = calloc(count + 1, sizeof(*member->existing));
    if (member->existing == NULL)
        return -ENOMEM;
    for (size_t n = 0; n < count && stack_get_route(stack, n, &route); n++)
        member->existing[member->existing_count++] = (struct ip_prefix){
            ip_prefix_network(&route.destination), route.destination.length};
    qsort(member->existing, member->existing_count, sizeof(*member->existing),
          compare_prefixes);
    return 0;
}

static int add_route(struct member *member, const struct ip_prefix *destination,
                     struct iface *iface, const struct ip_addr *gateway)
{
    struct route route = {
        .destination = *destination, .gateway = *gateway, .iface = iface};

    if (bsearch(destination, member->existing, member->existing_count,
                sizeof(*member->existing), compare_prefixes) != NULL)
        return 0;
    int error = stack_add_route(member->host->stack, &route);
    return error == -EEXIST ? 0 : error; // the same prefix on two segments
}

// --- Ways out

struct way_out {
    uint32_t routers; // distinct ones, 0, 1 or 2 for more
    uint32_t router;  // a member: the first
    struct iface *iface;
    struct ip_addr gateway;
};

static struct way_out find_way_out(const struct network *net, uint32_t number)
{
    const struct member *member = &net->members[number];
    struct way_out way = {0};

    for (uint32_t i = 0; i < member->count; i++) {
        const struct attachment *own = &net->attached[member->first + i];
        const struct subnet *subnet = &net->subnets[own->subnet];

        for (uint32_t p = 0; p < subnet->count; p++) {
            const struct attachment *other =
                &net->attached[net->participants[subnet->first + p]];

            if (other->member == number ||
                (way.routers == 1 && other->member == way.router))
                continue;
            if (++way.routers > 1)
                return way;
            way.router = other->member;
            way.iface = own->iface;
            way.gateway = other->address;
        }
    }
    return way;
}

static int add_default(struct network *net, uint32_t number,
                       const struct way_out *way)
{
    struct ip_prefix everything = {ip_addr_any(way->gateway.family), 0};

    return add_route(&net->members[number], &everything, way->iface,
                     &way->gateway);
}

// Who gets a default route, and who routes to everything.
static int choose_ways(struct network *net)
{
    for (uint32_t m = 0; m < net->member_count; m++) {
        struct member *member = &net->members[m];
        struct way_out way = find_way_out(net, m);
        bool takes_default = way.routers == 1;

        if (member->forwards)
            takes_default = takes_default && net->subnet_count > MANY_SUBNETS &&
                            find_way_out(net, way.router).routers > 1;
        member->wants_routes = !takes_default && way.routers > 0;
        if ((way.routers > 0 && read_routes(member) < 0) ||
            (takes_default && add_default(net, m, &way) < 0))
            return -ENOMEM;
    }
    return 0;
}

// --- Searches

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void discover(struct network *net, const struct attachment *through,
                     const struct attachment *found)
{
    struct member *member = &net->members[found->member];

    if (member->found == net->stamp)
        return;
    member->found = net->stamp;
    if (member->wants_routes)
        net->hops[net->hop_count++] =
            (struct hop){found->member, found->iface, through->address};
    if (member->forwards)
        net->next_frontier[net->next_count++] = found->member;
}

static void search_subnet(struct network *net, const struct attachment *through)
{
    struct subnet *subnet = &net->subnets[through->subnet];

    if (subnet->searched == net->stamp)
        return;
    subnet->searched = net->stamp;
    for (uint32_t p = 0; p < subnet->count; p++)
        discover(net, through,
                 &net->attached[net->participants[subnet->first + p]]);
}

static void search_member(struct network *net, uint32_t number)
{
    const struct member *member = &net->members[number];

    for (uint32_t i = 0; i < member->count; i++)
        search_subnet(net, &net->attached[member->first + i]);
}

// From the frontier outwards, into hops.
static void search(struct network *net)
{
    net->hop_count = 0;
    while (net->frontier_count > 0) {
        net->next_count = 0;
        for (uint32_t i = 0; i < net->frontier_count; i++)
            search_member(net, net->frontier[i]);
        qsort(net->next_frontier, net->next_count, sizeof(uint32_t),
              compare_numbers);
        uint32_t *swap = net->frontier;
        net->frontier = net->next_frontier;
        net->next_frontier = swap;
        net->frontier_count = net->next_count;
    }
}

static int route_to(struct network *net, const struct ip_prefix *destination)
{
    for (uint32_t i = 0; i < net->hop_count; i++) {
        const struct hop *hop = &net->hops[i];
        int error = add_route(&net->members[hop->member], destination,
                              hop->iface, &hop->gateway);

        if (error < 0)
            return error;
    }
    return 0;
}

// To all that hangs from this router alone.
static int route_to_router(struct network *net, uint32_t number)
{
    const struct member *member = &net->members[number];
    bool is_searched = false;

    for (uint32_t i = 0; i < member->count; i++) {
        const struct attachment *own = &net->attached[member->first + i];

        if (net->subnets[own->subnet].routers != 1)
            continue;
        if (!is_searched) {
            net->stamp++;
            net->members[number].found = net->stamp;
            net->frontier[0] = number;
            net->frontier_count = 1;
            search(net);
            is_searched = true;
        }
        int error = route_to(net, &own->network);
        if (error < 0)
            return error;
    }
    return 0;
}

// To a subnet that several routers share.
static int route_to_shared(struct network *net, uint32_t number)
{
    struct subnet *subnet = &net->subnets[number];
    const struct attachment *any =
        &net->attached[net->participants[subnet->first]];

    net->stamp++;
    net->frontier_count = 0;
    subnet->searched = net->stamp;
    for (uint32_t p = 0; p < subnet->count; p++) {
        uint32_t m = net->attached[net->participants[subnet->first + p]].member;

        if (net->members[m].found == net->stamp)
            continue;
        net->members[m].found = net->stamp;
        if (net->members[m].forwards)
            net->frontier[net->frontier_count++] = m;
    }
    search(net);
    return route_to(net, &any->network);
}

static int route_everything(struct network *net)
{
    int error = 0;

    for (uint32_t m = 0; m < net->member_count && error == 0; m++)
        if (net->members[m].forwards)
            error = route_to_router(net, m);
    for (uint32_t s = 0; s < net->subnet_count && error == 0; s++)
        if (net->subnets[s].routers > 1)
            error = route_to_shared(net, s);
    return error;
}

// --- The whole

static bool network_alloc(struct network *net, size_t attached, size_t members)
{
    net->attached = calloc(attached + 1, sizeof(*net->attached));
    net->by_subnet = calloc(attached + 1, sizeof(*net->by_subnet));
    net->participants = calloc(attached + 1, sizeof(*net->participants));
    net->subnets = calloc(attached + 1, sizeof(*net->subnets));
    net->members = calloc(members + 1, sizeof(*net->members));
    net->hops = calloc(members + 1, sizeof(*net->hops));
    net->frontier = calloc(members + 1, sizeof(*net->frontier));
    net->next_frontier = calloc(members + 1, sizeof(*net->next_frontier));
    return net->attached != NULL && net->by_subnet != NULL &&
           net->participants != NULL && net->subnets != NULL &&
           net->members != NULL && net->hops != NULL && net->frontier != NULL &&
           net->next_frontier != NULL;
}

static void network_fini(struct network *net)
{
    for (uint32_t m = 0; m < net->member_count; m++)
        free(net->members[m].existing);
    free(net->attached);
    free(net->by_subnet);
    free(net->participants);
    free(net->subnets);
    free(net->members);
    free(net->hops);
    free(net->frontier);
    free(net->next_frontier);
}

int sim_compute_routes(struct sim *sim)
{
    struct network net = {0};
    uint32_t *parent = join_switches(sim);
    int error = -ENOMEM;

    if (parent == NULL || !network_alloc(&net, count_attachments(sim),
                                         (size_t)sim->next_node_number * 2))
        goto end;
    for (struct node *node = sim->nodes; node != NULL; node = node->next)
        if (node_is_host(node)) {
            attach_family(&net, sim, parent, node_as_host(node), IP_V4);
            attach_family(&net, sim, parent, node_as_host(node), IP_V6);
        }
    find_subnets(&net);
    list_participants(&net);
    error = choose_ways(&net);
    list_participants(&net); // with the hosts that want routes
    if (error == 0)
        error = route_everything(&net);
end:
    network_fini(&net);
    free(parent);
    return error;
}
