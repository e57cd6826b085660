// Shows a network with everything that was chosen for it, as YAML.
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/spec.h"

// What is printed can be read again. What was chosen carries a comment.

// --- Values -----------------------------------------------------------------

// Plain where YAML takes it for the same text, quoted otherwise.
void print_text(FILE *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./%";
    if (*text && *text != '-' && text[strspn(text, plain)] == '\0') {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            fprintf(out, "\\x%02x", (unsigned char)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void print_number(FILE *out, const struct schema_key *row,
                         int64_t number)
{
    char text[48];
    if (row->kind == KEY_WORD)
        fputs(row->words[number], out);
    else
        fputs(schema_format(row->kind, number, text, sizeof text), out);
}

// "key: value, " for each number that differs from `base`.
static const char *print_differences(FILE *out, const struct schema *schema,
                                     const void *from, const void *base,
                                     const char *separator)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct schema_key *row = &schema->keys[i];
        if (row->width == 0 || row->kind == KEY_TEXT ||
            schema_get(row, from) == schema_get(row, base))
            continue;
        fprintf(out, "%s%s: ", separator, row->name);
        print_number(out, row, schema_get(row, from));
        separator = ", ";
    }
    return separator;
}

// --- Hosts ------------------------------------------------------------------

static void print_settings(FILE *out, const struct stack_settings *settings)
{
    const char *group = "";
    for (size_t i = 0; i < setting_table_length; i++) {
        const struct setting_info *info = &setting_table[i];
        int64_t value = setting_get(settings, info);
        char text[48];
        static const enum key_kind kinds[] = {[SETTING_BOOL] = KEY_BOOLEAN,
                                              [SETTING_INTEGER] = KEY_INTEGER,
                                              [SETTING_TIME] = KEY_TIME,
                                              [SETTING_SIZE] = KEY_SIZE,
                                              [SETTING_CONGESTION] =
                                                  KEY_INTEGER};
        if (value == info->initial)
            continue;
        fprintf(out, "%s%s: ",
                strcmp(group, info->group) == 0 ? ", "
                : *group                        ? "}\n    "
                                                : "    ",
                strcmp(group, info->group) == 0 ? info->name : info->group);
        if (strcmp(group, info->group) != 0)
            fprintf(out, "{%s: ", info->name);
        group = info->group;
        if (info->kind == SETTING_CONGESTION)
            fputs(congestion_name((size_t)value), out);
        else
            fputs(schema_format(kinds[info->kind], value, text, sizeof text),
                  out);
    }
    if (*group)
        fputs("}\n", out);
}

static void print_iface(FILE *out, const struct iface_spec *iface)
{
    char text[IP_PREFIX_TEXT_SIZE];
    bool is_chosen = true, is_first = true;
    static const struct mac_addr none;
    fprintf(out, "      %s: {addresses: [", iface->name);
    for (const struct address_spec *a = iface->addresses; a; a = a->next) {
        fprintf(out, "%s\"%s\"", is_first ? "" : ", ",
                ip_prefix_format(&a->prefix, text));
        is_first = false;
        is_chosen &= a->is_chosen;
    }
    fputs("]", out);
    if (iface->port || !mac_addr_equal(&iface->mac, &none))
        fprintf(out, ", mac: \"%s\"",
                mac_addr_format(iface->port ? &iface->port->mac : &iface->mac,
                                text));
    if (iface->link)
        fprintf(out, ", mtu: %u, link: %s", iface_plan_mtu(iface),
                iface->link->name);
    fprintf(out, "}%s\n",
            is_chosen && iface->addresses ? " # addresses chosen" : "");
}

static const char *iface_name_of(const struct route *route)
{
    return route->iface ? iface_name(route->iface) : "?";
}

// Routes as the stack has them; those that its addresses bring are left out.
static void print_routes(FILE *out, const struct host *host)
{
    struct route route;
    char to[IP_PREFIX_TEXT_SIZE], via[IP_ADDR_TEXT_SIZE];
    bool is_first = true;
    for (size_t n = 0; stack_get_route(host->stack, n, &route); n++) {
        if (route.gateway.family == IP_NONE)
            continue;
        fputs(is_first ? "    routes:\n" : "", out);
        is_first = false;
        fprintf(out, "      - {to: \"%s\", via: \"%s\"",
                ip_prefix_format(&route.destination, to),
                ip_addr_format(&route.gateway, via));
        if (route.metric)
            fprintf(out, ", metric: %" PRIu32, route.metric);
        fprintf(out, "} # %s\n", iface_name_of(&route));
    }
}

static void print_host(FILE *out, const struct node_spec *node)
{
    struct stack_settings settings = node->settings;
    fprintf(out, "  %s:\n    interfaces:%s\n", node->name,
            node->ifaces ? "" : " {}");
    for (const struct iface_spec *i = node->ifaces; i; i = i->next)
        print_iface(out, i);
    if (!node->ipv4 || !node->ipv6)
        fprintf(out, "    %s: off\n", node->ipv4 ? "ipv6" : "ipv4");
    if (node->kind == NODE_ROUTER)
        settings.ip_forward = 0; // says "routers:" already
    print_settings(out, &settings);
    if (node->node)
        print_routes(out, node_as_host(node->node));
}

static void print_vlans(FILE *out, const struct vlan_spec *vlan)
{
    for (; vlan; vlan = vlan->next) {
        const char *separator = "";
        fprintf(out, "      %s: {native: %" PRId64 ", tagged: [", vlan->port,
                vlan->native);
        for (unsigned id = 1; id < 4095; id++)
            if (vlan->allowed[id / 8] >> id % 8 & 1) {
                fprintf(out, "%s%u", separator, id);
                separator = ", ";
            }
        fputs("]}\n", out);
    }
}

static void print_switch(FILE *out, const struct node_spec *node)
{
    char text[48];
    fprintf(out, "  %s:%s\n", node->name,
            node->vlans || node->ageing || node->address_limit ? "" : " {}");
    if (node->ageing)
        fprintf(out, "    ageing: %s\n",
                format_time(node->ageing, text, sizeof text));
    if (node->address_limit)
        fprintf(out, "    address-limit: %" PRId64 "\n", node->address_limit);
    if (node->vlans)
        fputs("    ports:\n", out);
    print_vlans(out, node->vlans);
}

static void print_nodes(FILE *out, const struct scenario *s,
                        enum node_kind kind, const char *title)
{
    bool is_first = true;
    for (const struct node_spec *node = s->nodes; node; node = node->next) {
        if (node->kind != kind)
            continue;
        fprintf(out, "%s%s", is_first ? title : "", is_first ? ":\n" : "");
        is_first = false;
        if (kind == NODE_SWITCH)
            print_switch(out, node);
        else if (kind == NODE_TAP)
            print_tap(out, node);
        else
            print_host(out, node);
    }
}

// --- Links ------------------------------------------------------------------

static void print_queue(FILE *out, const struct queue_config *queue, int indent)
{
    static const struct queue_config none;
    fprintf(out, "%*squeue: {", indent, "");
    const char *separator =
        print_differences(out, &queue_schema, queue, &none, "");
    if (!*separator)
        fputs("packets: unlimited", out);
    fputs("}\n", out);
}

// ", key: value" for what narrows an impairment down.
static void print_selection(FILE *out, const struct impairment_config *fate,
                            chance_t usual_probability, const char *separator)
{
    const struct impairment_selector *select = &fate->select;
    struct impairment_config base = {
        .action = fate->action,
        .select = {.probability = usual_probability,
                   .ge_bad = CHANCE_ALWAYS,
                   .until = NS_NEVER}};
    // The model's own chances are always told, 0% too.
    if (select->model == LOSS_GILBERT_ELLIOTT)
        base.select.ge_p = base.select.ge_r = CHANCE_ALWAYS + 1;
    separator =
        print_differences(out, &impairment_schema, fate, &base, separator);
    if (select->nth_count) {
        fprintf(out, "%snth: [", separator);
        for (size_t i = 0; i < select->nth_count; i++)
            fprintf(out, "%s%" PRIu32, i ? ", " : "", select->nth[i]);
        fputs("]", out);
        separator = ", ";
    }
    if (select->filter) {
        fprintf(out, "%sfilter: ", separator);
        print_text(out, select->filter);
    }
}

static void print_simple(FILE *out, const struct direction_spec *d, int indent)
{
    static const char *const words[SIMPLE_COUNT] = {"loss", "corrupt",
                                                    "duplicate", "reorder"};
    for (unsigned i = 0; i < SIMPLE_COUNT; i++) {
        if (d->simple[i].select.probability == 0)
            continue;
        fprintf(out, "%*s%s: {", indent, "", words[i]);
        // A chance of its own is always told, but a model has none.
        print_selection(out, &d->simple[i],
                        d->simple[i].select.model == LOSS_GILBERT_ELLIOTT
                            ? CHANCE_ALWAYS
                            : 0,
                        "");
        fputs("}\n", out);
    }
}

static void print_impairments(FILE *out, const struct direction_spec *d,
                              int indent)
{
    if (d->list_count)
        fprintf(out, "%*simpairments:\n", indent, "");
    for (size_t i = 0; i < d->list_count; i++) {
        fprintf(out, "%*s- {%s: all", indent + 2, "",
                impairment_action_name(d->list[i].action));
        print_selection(out, &d->list[i], CHANCE_ALWAYS, ", ");
        fputs("}\n", out);
    }
}

static void print_direction(FILE *out, const struct direction_spec *d,
                            int indent)
{
    static const struct direction_spec none;
    for (size_t i = 0; i < direction_schema.count; i++) {
        const struct schema_key *row = &direction_schema.keys[i];
        if (row->width == 0 || schema_get(row, d) == schema_get(row, &none))
            continue;
        fprintf(out, "%*s%s: ", indent, "", row->name);
        print_number(out, row, schema_get(row, d));
        fputc('\n', out);
    }
    print_queue(out, &d->config.queue, indent);
    print_simple(out, d, indent);
    print_impairments(out, d, indent);
}

// Two directions are alike when they would be written alike.
static bool are_alike(const struct direction_spec directions[2])
{
    char *text[2] = {NULL, NULL};
    size_t size;
    for (unsigned d = 0; d < 2; d++) {
        FILE *memory = open_memstream(&text[d], &size);
        must(memory);
        print_direction(memory, &directions[d], 0);
        fclose(memory);
    }
    bool answer = strcmp(text[0], text[1]) == 0;
    free(text[0]);
    free(text[1]);
    return answer;
}

static void print_directions(FILE *out, const struct link_spec *link)
{
    bool is_loop = link->ends[0].iface->node == link->ends[1].iface->node;
    if (are_alike(link->direction)) {
        print_direction(out, &link->direction[0], 4);
        return;
    }
    for (unsigned from = 0; from < 2; from++) {
        const struct iface_spec *iface = link->ends[from].iface;
        fprintf(out, "    from-%s%s%s:\n", iface->node->name,
                is_loop ? ":" : "", is_loop ? iface->name : "");
        print_direction(out, &link->direction[from], 6);
    }
}

static void print_link(FILE *out, const struct link_spec *link)
{
    fprintf(out, "  %s:\n    ends: [%s:%s, %s:%s]\n", link->name,
            link->ends[0].iface->node->name, link->ends[0].iface->name,
            link->ends[1].iface->node->name, link->ends[1].iface->name);
    if (link->type == LINK_POINT_TO_POINT)
        fputs("    type: point-to-point\n", out);
    if (!link->up)
        fputs("    up: off\n", out);
    print_directions(out, link);
}

// --- Applications -----------------------------------------------------------

static void print_app(FILE *out, const struct app_spec *app)
{
    char text[ENDPOINT_TEXT_SIZE];
    const char *kind = app_kind_name(app->config.kind);
    fprintf(out, "  - {host: %s, name: %s, %s: ", app->host_name, app->name,
            kind);
    if (!app->remote && app->config.port)
        fprintf(out, "%u", app->config.port);
    else if (!app->remote)
        fputs("null", out); // one that has neither peer nor port
    else if (app->config.kind == APP_PING)
        fprintf(out, "\"%s\"", ip_addr_format(&app->config.remote.addr, text));
    else
        fprintf(out, "\"%s\"", endpoint_format(&app->config.remote, text));
    print_app_keys(out, &app->config);
    fprintf(out, "}%s%s\n", app->remote ? " # " : "",
            app->remote ? app->remote : "");
}

// --- What is printed as it was written --------------------------------------

static void print_value(FILE *out, const struct value *value)
{
    const char *separator = "";
    if (value->kind == VALUE_NULL) {
        fputs("null", out);
        return;
    }
    if (value->kind == VALUE_SCALAR) {
        print_text(out, value->text);
        return;
    }
    fputs(value->kind == VALUE_LIST ? "[" : "{", out);
    for (const struct value *v = value->items; v; v = v->next) {
        fputs(separator, out);
        separator = ", ";
        if (value->kind == VALUE_MAP) {
            print_text(out, v->key);
            fputs(": ", out);
        }
        print_value(out, v);
    }
    fputs(value->kind == VALUE_LIST ? "]" : "}", out);
}

static void print_entry(FILE *out, const struct value *map)
{
    fputs("  - ", out);
    print_value(out, map);
    fputc('\n', out);
}

// --- The run ----------------------------------------------------------------

static void print_capture(FILE *out, const struct scenario *s)
{
    static const struct capture_spec none;
    const struct capture_spec *c = &s->capture;
    fputs("capture: {links: ", out);
    if (c->choice == CAPTURE_SOME) {
        fputc('[', out);
        for (size_t i = 0; i < c->link_count; i++)
            fprintf(out, "%s%s", i ? ", " : "", c->links[i]);
        fputc(']', out);
    } else {
        fputs(c->choice == CAPTURE_ALL ? "all" : "none", out);
    }
    print_differences(out, &capture_schema, c, &none, ", ");
    fputs("}\n", out);
}

static void print_head(FILE *out, const struct scenario *s)
{
    static const struct limits_spec none;
    char text[48];
    fprintf(out, "# %s\nname: %s\n", s->path, s->name);
    if (s->description) {
        fputs("description: ", out);
        print_text(out, s->description);
        fputc('\n', out);
    }
    fprintf(out, "seed: %" PRIu64 "\n", scenario_seed(s));
    if (scenario_stop(s) != NS_NEVER)
        fprintf(out, "stop: %s\n",
                format_time(scenario_stop(s), text, sizeof text));
    if (s->limits.memory || s->limits.events) {
        fputs("limits: {", out);
        print_differences(out, &limits_schema, &s->limits, &none, "");
        fputs("}\n", out);
    }
    print_capture(out, s);
    if (s->script) {
        fputs("script: ", out);
        print_text(out, s->script);
        fputc('\n', out);
    }
}

void scenario_print(const struct scenario *s, FILE *out)
{
    print_head(out, s);
    print_nodes(out, s, NODE_HOST, "hosts");
    print_nodes(out, s, NODE_ROUTER, "routers");
    print_nodes(out, s, NODE_SWITCH, "switches");
    print_nodes(out, s, NODE_TAP, "taps");
    fputs(s->links ? "links:\n" : "", out);
    for (const struct link_spec *link = s->links; link; link = link->next)
        print_link(out, link);
    fputs(s->apps ? "apps:\n" : "", out);
    for (const struct app_spec *app = s->apps; app; app = app->next)
        print_app(out, app);
    fputs(s->ats ? "at:\n" : "", out);
    for (const struct at_spec *at = s->ats; at; at = at->next)
        print_entry(out, at->map);
    fputs(s->expects ? "expect:\n" : "", out);
    for (const struct expect_spec *e = s->expects; e; e = e->next)
        print_entry(out, e->map);
}
