// What has been read of a scenario, and who completes it.
// SPDX-License-Identifier: MIT
#ifndef CONFIG_SPEC_H
#define CONFIG_SPEC_H

// Theory of operation
//
// A scenario passes through five steps, and each part of it goes through them
// at its own pace, because a script may add parts at any time:
//
//   read     sections of the tree become specs        scenario_*.c,
//   impairment.c wire     ends of links find interfaces            wiring.c
//   plan     broadcast domains, missing addresses,
//            names of hosts become addresses          domain.c, address_plan.c
//   build    specs become hosts, links, applications  build.c
//   judge    expectations meet results                expect.c
//
// Specs live in the document and are never freed singly. Reading tells every
// mistake it sees and goes on; a spec that has one is still wired and planned,
// so that what depends on it is checked too, but nothing is built from a
// scenario with mistakes. Whatever is built keeps a pointer to the built thing,
// by which a later pass knows that it is done.

#include "sim/config/scenario.h"
#include "sim/config/tree/names.h"
#include "sim/config/tree/schema.h"

struct address_spec {
    struct address_spec *next; // of the interface
    struct ip_prefix prefix;
    struct place place;
    bool is_chosen, is_built;
    bool is_fresh; // chosen in the pass of the plan that is going on
};

// Where a link ends: an interface of a host, a port of a switch.
struct iface_spec {
    struct iface_spec *next; // of the node
    struct node_spec *node;
    const char *name;
    struct place place;
    struct address_spec *addresses;
    struct mac_addr mac;    // all zero: chosen when it is built
    uint32_t mtu;           // 0: of the link
    bool is_automatic;      // made because a link ends here
    struct vlan_spec *vlan; // of a switch's port; NULL: VLAN 1
    const char *link_name;  // `link:` of the file; NULL
    struct place link_place;
    struct link_spec *link; // NULL: on none (yet)
    unsigned end;
    uint32_t domain;                // broadcast domain, from 1; 0: not known
    struct iface_spec *domain_next; // in order of links and ends
    struct port *port;
};

struct route_spec {
    struct route_spec *next;
    struct place place;
    struct ip_prefix to;
    const char *via; // an address or the name of a node
    struct ip_addr gateway;
    int64_t metric;
    bool is_default; // of the gateway's family
    bool is_built;
};

struct vlan_spec {
    struct vlan_spec *next;
    const char *port; // its name, or the name of the node at the other end
    struct place place;
    int64_t native;
    uint8_t allowed[512];
    bool is_used;
};

// The device behind a node of kind NODE_TAP.
struct tap_spec {
    const char *device;
    int64_t kind; // enum tap_kind
    bool offload;
};

struct node_spec {
    struct node_spec *next;
    enum node_kind kind;
    const char *name;
    struct place place;
    struct stack_settings settings;
    bool has_settings, ipv4, ipv6;
    // Those that the file names come first, then those made for links.
    struct iface_spec *ifaces, **ifaces_end;
    struct names *iface_names; // NULL while there is none
    struct route_spec *routes;
    int64_t ageing, address_limit; // switches
    struct vlan_spec *vlans;
    // Written at the host itself; its first interface takes them over.
    struct address_spec *loose;
    struct mac_addr loose_mac;
    uint32_t loose_mtu;
    unsigned next_port;     // number for its name
    struct node_spec *root; // wiring.c, of a tree of joined switches
    struct tap_spec *tap;   // NODE_TAP; NULL elsewhere
    uint8_t *vlans_seen;    // domain.c, a bit each
    struct node *node;
};

enum simple_impairment {
    SIMPLE_LOSS,
    SIMPLE_CORRUPT,
    SIMPLE_DUPLICATE,
    SIMPLE_REORDER,
    SIMPLE_COUNT
};

struct direction_spec {
    struct link_direction_config config; // without its impairments
    // Keys of their own (`loss: 1%`); a chance of 0: none. They come before
    // those of the list, in the order of the enum.
    struct impairment_config simple[SIMPLE_COUNT];
    struct impairment_config *list; // `impairments:`
    size_t list_count;
};

struct end_spec {
    const char *node_name, *port_name; // port_name NULL: the next free one
    struct place place;
    struct iface_spec *iface;
    bool is_bad; // it has been said why there is none
};

struct link_spec {
    struct link_spec *next;
    const char *name;
    struct place place;
    struct end_spec ends[2];
    int64_t type; // link_types
    bool up;
    uint32_t iface_mtu;
    struct direction_spec direction[2];
    struct link *link;
};
enum { LINK_ETHERNET, LINK_POINT_TO_POINT };

struct app_spec {
    struct app_spec *next;
    const char *name;
    struct place place;
    const char *host_name;
    struct place host_place;
    struct node_spec *host;
    const char *remote; // host or address, without the port; NULL: a server
    struct place remote_place;
    bool is_started_by_hand; // by an `at:` entry and by nothing else
    struct app_config config;
    struct app *app;
};

struct at_spec {
    struct at_spec *next;
    struct place place;
    int64_t time;
    struct scenario *scenario;
    struct link_spec *link;
    const struct value *map; // the link's new parameters are among its keys
    struct app_spec *start, *stop;
    bool releases_held;
    struct event event;
    bool is_built;
};

struct expect_spec {
    struct expect_spec *next;
    struct place place;
    const struct value *map;
};

struct capture_spec {
    enum capture_choice choice;
    const char **links; // CAPTURE_SOME
    size_t link_count;
    int64_t format; // enum capture_format
    uint32_t snap_length;
};

struct limits_spec {
    int64_t memory, events;
};

struct scenario {
    struct document *document;
    struct diagnostics *diagnostics; // of the public call that is being served
    const char *path, *name;
    int64_t seed, stop; // stop NS_NEVER: when idle
    const char *title, *description, *script;
    const char *script_path;
    struct limits_spec limits;
    struct capture_spec capture;
    struct scenario_options options;
    struct node_spec *nodes, **nodes_end;
    struct link_spec *links, **links_end;
    // The first of each that was added since the last time; NULL: none.
    struct link_spec *links_unwired, *links_unbuilt;
    struct node_spec *nodes_unbuilt;
    struct app_spec *apps_unbuilt;
    struct app_spec *apps, **apps_end;
    struct at_spec *ats, **ats_end;
    struct expect_spec *expects, **expects_end;
    struct names *node_names, *link_names, *app_names;
    uint32_t domain_count;
    uint32_t next_v4, next_v6; // address_plan.c
    struct sim *sim;
    bool capture_is_late; // --capture names links that a script will make
    bool is_planned;      // every interface has its addresses
    bool is_dirty;        // parts were added since it was settled
};

// --- Reading ----------------------------------------------------------------

#define NAME_LONGEST 63
// A name that a person gave to something; tells what is wrong with it.
bool read_name(struct scenario *s, const char *name, struct place place,
               const char *what);
bool check_iface_name(struct scenario *s, const char *name, struct place place);
void read_nodes(struct scenario *s, const struct value *map,
                enum node_kind kind);
void read_tap(struct scenario *s, const struct value *value,
              struct node_spec *node);
void check_tap_end(struct scenario *s, const struct link_spec *link,
                   unsigned end);
void read_links(struct scenario *s, const struct value *map);
void read_apps(struct scenario *s, const struct value *list);
void read_timetable(struct scenario *s, const struct value *list);
void read_expectations(struct scenario *s, const struct value *list);
void read_capture(struct scenario *s, const struct value *value);
void read_capture_option(struct scenario *s);  // --capture
void check_capture_option(struct scenario *s); // that its links exist
// Of the keys address and addresses of a map, or one of them.
void read_addresses(struct scenario *s, const struct value *map,
                    struct address_spec **list);
void read_address(struct scenario *s, const struct value *value,
                  const char *name, struct address_spec **list);
// Why an address cannot be an interface's, as a sentence. NULL: it can.
const char *refuse_prefix(const struct ip_prefix *p);
void read_gateway(struct scenario *s, const struct value *value,
                  struct node_spec *node);
void read_route(struct scenario *s, const struct value *value,
                struct node_spec *node);
void read_switch(struct scenario *s, const struct value *value,
                 struct node_spec *node);
struct iface_spec *node_add_iface(struct scenario *s, struct node_spec *node,
                                  const char *name, struct place place);
struct iface_spec *node_find_iface(const struct node_spec *node,
                                   const char *name);
struct address_spec *iface_add_spec(struct scenario *s,
                                    struct address_spec **list,
                                    const struct ip_prefix *prefix,
                                    struct place place);
bool read_settings(const struct value *map, struct stack_settings *settings,
                   bool *has_any, struct diagnostics *diagnostics);

// The keys of a direction; the map may have others.
void read_direction(struct scenario *s, const struct value *map,
                    struct direction_spec *direction, bool is_point_to_point);
// The parameters of a direction (-1: both), with those under `from-NAME`.
void read_parameters(struct scenario *s, const struct value *map,
                     struct link_spec *link, int direction);
// "from-client", "from-server": what the ends of a link add to the known keys.
struct extra_keys from_keys(struct scenario *s, const struct link_spec *link);
bool read_simple(struct scenario *s, const struct value *value,
                 enum simple_impairment which, bool is_point_to_point,
                 struct impairment_config *out);
void read_impairments(struct scenario *s, const struct value *list,
                      bool is_point_to_point, struct direction_spec *out);
// The whole of a direction; impairments point into the document.
struct link_direction_config direction_config(struct scenario *s,
                                              const struct direction_spec *d);
bool check_filter(struct scenario *s, const struct value *value,
                  const char *name, bool is_point_to_point);

struct node_spec *find_node(const struct scenario *s, const char *name);
// NULL with a mistake that names the nearest known one.
struct node_spec *need_node(struct scenario *s, const char *name,
                            struct place place, const char *key);
struct link_spec *need_link(struct scenario *s, const char *name,
                            struct place place, const char *key);
struct app_spec *need_app(struct scenario *s, const char *name,
                          struct place place, const char *key);

// --- Completing -------------------------------------------------------------

void wire_links(struct scenario *s);
void unwire_link(struct link_spec *link); // that is going to be forgotten
void find_domains(struct scenario *s);
struct iface_spec *iface_peer(const struct iface_spec *iface);
void plan_addresses(struct scenario *s);
// The MTU that a wired interface has or will have.
uint32_t iface_plan_mtu(const struct iface_spec *iface);
void check_addresses(struct scenario *s);
void resolve_routes(struct scenario *s); // gateways that are names
void resolve_apps(struct scenario *s);   // hosts and peers of those not built
void check_wiring(struct scenario *s);
// The address of a node for somebody: of the family (IP_NONE: IPv4 first).
bool spec_resolve(const struct scenario *s, const char *text, uint8_t family,
                  struct ip_addr *out);

// --- Building ---------------------------------------------------------------

// Each builds what is not built yet. 0, or a negative errno with sim_error.
int build_parts(struct scenario *s);     // nodes, links, their given addresses
int build_addresses(struct scenario *s); // of all nodes
int build_tap(struct scenario *s, struct node_spec *node);
int build_routes(struct scenario *s);
int build_apps(struct scenario *s);
// Addresses that a script gave to interfaces become those of the specs.
void adopt_addresses(struct scenario *s);
int build_captures(struct scenario *s);
int build_link_captures(struct scenario *s, struct link *link);
int schedule_timetable(struct scenario *s);
// Applications that were just read find their peers and are built, though the
// rest of the network may have loose ends. -EINVAL with mistakes.
int settle_for_apps(struct scenario *s);
int apply_to_link(struct scenario *s, struct link_spec *link,
                  const struct value *changes, int direction);

// --- The tables -------------------------------------------------------------

extern const struct schema scenario_schema, host_schema, switch_schema,
    tap_schema, interface_schema, route_schema, vlan_schema, link_schema,
    queue_schema, direction_schema, impairment_schema, app_schema, at_schema,
    capture_schema, limits_schema;
void print_tap(FILE *out, const struct node_spec *node);
void print_quantities(FILE *out); // expectations, for the reference
// As YAML reads it back, quoted where that is needed.
void print_text(FILE *out, const char *text);
// ", bytes: 10MB, ...": the keys that mean something for its kind.
void print_app_keys(FILE *out, const struct app_config *config);

#endif
