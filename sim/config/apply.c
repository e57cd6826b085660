// Adds parts to a scenario, and changes its links, while it runs.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "sim/config/spec.h"

// Theory of operation
//
// A script's tables come as the tree that YAML would have given, one section at
// a time. New parts are read and wired; nodes and links are built at once, so
// that the script can use them in its next line, while addresses that were left
// out, routes and captures wait until the network is settled. A piece with a
// mistake leaves nothing behind: the lists are cut back to where they were.

struct mark { // where the lists ended
    struct node_spec **nodes, *nodes_unbuilt;
    struct link_spec **links, *links_unwired, *links_unbuilt;
    struct app_spec **apps, *apps_unbuilt;
};

static struct mark set_mark(struct scenario *s)
{
    return (struct mark){s->nodes_end,     s->nodes_unbuilt, s->links_end,
                         s->links_unwired, s->links_unbuilt, s->apps_end,
                         s->apps_unbuilt};
}

static void cut_back(struct scenario *s, const struct mark *mark)
{
    for (struct node_spec *n = *mark->nodes; n; n = n->next)
        names_put(s->node_names, n->name, NULL);
    for (struct link_spec *l = *mark->links; l; l = l->next) {
        names_put(s->link_names, l->name, NULL);
        unwire_link(l);
    }
    for (struct app_spec *a = *mark->apps; a; a = a->next)
        if (a->name)
            names_put(s->app_names, a->name, NULL);
    *mark->nodes = NULL;
    *mark->links = NULL;
    *mark->apps = NULL;
    s->nodes_end = mark->nodes;
    s->links_end = mark->links;
    s->apps_end = mark->apps;
    s->nodes_unbuilt = mark->nodes_unbuilt;
    s->links_unwired = mark->links_unwired;
    s->links_unbuilt = mark->links_unbuilt;
    s->apps_unbuilt = mark->apps_unbuilt;
}

static void read_part(struct scenario *s, const char *section,
                      const struct value *value)
{
    static const char *const sections[] = {"hosts", "routers", "switches",
                                           "taps",  "links",   "apps"};
    if (strcmp(section, "hosts") == 0)
        read_nodes(s, value, NODE_HOST);
    else if (strcmp(section, "routers") == 0)
        read_nodes(s, value, NODE_ROUTER);
    else if (strcmp(section, "switches") == 0)
        read_nodes(s, value, NODE_SWITCH);
    else if (strcmp(section, "taps") == 0)
        read_nodes(s, value, NODE_TAP);
    else if (strcmp(section, "links") == 0)
        read_links(s, value);
    else if (strcmp(section, "apps") == 0)
        read_apps(s, value);
    else
        diagnostics_add(s->diagnostics, value->place, "unknown section '%s'%s",
                        section,
                        schema_hint(s->document, section, sections,
                                    ARRAY_LENGTH(sections), "there is"));
}

// An engine's refusal as a mistake at the value.
static void say_refusal(struct scenario *s, const struct value *value,
                        int error)
{
    const char *why = *sim_error(s->sim) ? sim_error(s->sim) : strerror(-error);
    diagnostics_add(s->diagnostics, value->place, "%s", why);
}

int scenario_apply(struct scenario *s, const char *section, struct value *value,
                   struct diagnostics *diagnostics)
{
    size_t before = diagnostics_count(diagnostics);
    struct mark mark = set_mark(s);
    bool has_apps = strcmp(section, "apps") == 0;
    int error = 0;
    s->diagnostics = diagnostics;
    // What is read points into the tree, and the script's may go first.
    read_part(s, section, value_copy(s->document, value));
    wire_links(s);
    // An application needs its peer's address.
    if (diagnostics_count(diagnostics) == before && s->sim)
        error = has_apps ? settle_for_apps(s) : build_parts(s);
    if (diagnostics_count(diagnostics) != before) {
        cut_back(s, &mark);
        error = -EINVAL;
    } else if (error) {
        say_refusal(s, value, error);
    }
    if (!has_apps || !s->sim) {
        s->is_dirty |= error == 0;
        s->is_planned &= error != 0;
    }
    s->diagnostics = NULL;
    return error;
}

// --- Links ------------------------------------------------------------------

// The list of a running direction is kept where the change says nothing about
// impairments: a script may have put there what no key can say.
static bool names_impairments(const struct value *map)
{
    static const char *const keys[] = {"loss", "corrupt", "duplicate",
                                       "reorder", "impairments"};
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
        if (value_find(map, keys[i]))
            return true;
    for (const struct value *v = map->items; v; v = v->next)
        if (strncmp(v->key, "from-", 5) == 0 && v->kind == VALUE_MAP &&
            names_impairments(v))
            return true;
    return false;
}

// What the engine has now becomes what the change starts from.
static void take_current(struct link_spec *spec)
{
    for (unsigned d = 0; d < 2; d++) {
        struct link_direction_config now = *link_get(spec->link, d);
        now.impairments = NULL;
        now.impairment_count = 0;
        spec->direction[d].config = now;
    }
}

static int set_direction(struct scenario *s, struct link_spec *spec, unsigned d,
                         bool has_impairments)
{
    struct link_direction_config config =
        direction_config(s, &spec->direction[d]);
    const struct link_direction_config *now = link_get(spec->link, d);
    if (!has_impairments) {
        config.impairments = now->impairments;
        config.impairment_count = now->impairment_count;
    }
    return link_set(spec->link, d, &config);
}

int apply_to_link(struct scenario *s, struct link_spec *spec,
                  const struct value *changes, int direction)
{
    size_t before = diagnostics_count(s->diagnostics);
    struct link_spec copy = *spec;
    const struct value *up = value_find(changes, "up");
    int64_t is_up = 0;
    static const struct schema_key boolean = {.kind = KEY_BOOLEAN};
    take_current(&copy);
    read_parameters(s, changes, &copy, direction);
    if (up)
        schema_read_number(up, "up", &boolean, &is_up, s->diagnostics);
    if (diagnostics_count(s->diagnostics) != before)
        return -EINVAL;
    bool has_impairments = names_impairments(changes);
    for (unsigned d = 0; d < 2; d++) {
        int error = set_direction(s, &copy, d, has_impairments);
        if (error)
            return error;
    }
    *spec = copy;
    if (up)
        link_set_up(spec->link, is_up != 0);
    return 0;
}

// A link that a script made without a scenario's help gets its spec when it is
// first changed.
static struct link_spec *adopt_link(struct scenario *s, struct link *link)
{
    struct link_spec *spec = document_alloc(s->document, sizeof *spec);
    spec->name = document_string(s->document, link->name);
    spec->type = link->is_point_to_point ? LINK_POINT_TO_POINT : LINK_ETHERNET;
    spec->link = link;
    for (unsigned end = 0; end < 2; end++) {
        spec->ends[end].node_name = link->ends[end]->node->name;
        spec->ends[end].port_name = link->ends[end]->name;
    }
    return spec;
}

static const struct schema_key change_keys[] = {
    {.name = "up", .kind = KEY_OTHER, .form = "on or off"},
};
static const struct schema change_schema = {
    "link",           "a link", "", change_keys, ARRAY_LENGTH(change_keys),
    &direction_schema};

int scenario_change_link(struct scenario *s, struct link *link, int direction,
                         struct value *changes, struct diagnostics *diagnostics)
{
    size_t before = diagnostics_count(diagnostics);
    struct link_spec *spec = names_find(s->link_names, link->name);
    if (!spec || spec->link != link)
        spec = adopt_link(s, link);
    struct extra_keys extra = from_keys(s, spec);
    schema_read(&change_schema, changes, &extra, NULL, diagnostics);
    if (diagnostics_count(diagnostics) != before)
        return -EINVAL;
    s->diagnostics = diagnostics;
    int error = apply_to_link(s, spec, changes, direction);
    if (error && diagnostics_count(diagnostics) == before)
        say_refusal(s, changes, error);
    s->diagnostics = NULL;
    return error;
}
