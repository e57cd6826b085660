// Reads links and the parameters of their directions.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/spec.h"

// --- Tables -----------------------------------------------------------------

static const char *const link_types[] = {"ethernet", "point-to-point", NULL};
static const char *const distributions[] = {"uniform", "normal", "pareto",
                                            "paretonormal", NULL};
static const char *const unlimited[] = {"unlimited", NULL};

static const struct schema_key queue_keys[] = {
    {"packets", KEY_INTEGER, FIELD(struct queue_config, limit_packets), 1,
     100000000, unlimited, NULL, "unlimited when another limit is given",
     "frames that may wait, besides the one being sent", "Linux pfifo"},
    {"bytes", KEY_SIZE, FIELD(struct queue_config, limit_bytes), 1,
     INT64_MAX - 1, unlimited, NULL, "unlimited", "bytes that may wait",
     "Linux bfifo"},
    {"time", KEY_TIME, FIELD(struct queue_config, limit_time), 1, TIME_MOST,
     unlimited, NULL, "unlimited",
     "a frame that would wait longer is not taken", NULL},
};
const struct schema queue_schema = {
    "queue",
    "a queue",
    "The queue in front of a direction's transmitter: first in, first out. "
    "Written as a whole: limits that are left out are not kept from before.",
    queue_keys,
    ARRAY_LENGTH(queue_keys),
    NULL};

#define CONFIG(member) FIELD(struct direction_spec, config.member)
static const struct schema_key direction_keys[] = {
    {"rate", KEY_RATE, CONFIG(rate_bps), 1, INT64_C(1000000000000000),
     unlimited, NULL, "unlimited", "bits a second of the transmitter", NULL},
    {"delay", KEY_TIME, CONFIG(delay), 0, INT64_C(86400000000000), NULL, NULL,
     "0s", "propagation, one way", NULL},
    {"jitter", KEY_TIME, CONFIG(jitter), 0, INT64_C(86400000000000), NULL, NULL,
     "0s", "deviation of the delay", "netem"},
    {"jitter-distribution", KEY_WORD, CONFIG(jitter_distribution), 0, 0,
     distributions, NULL, "uniform", "how deviations are spread", "netem"},
    {"jitter-correlation", KEY_CHANCE, CONFIG(jitter_correlation), 0, 0, NULL,
     NULL, "0%", "how much a deviation resembles the one before", "netem"},
    {"keep-order", KEY_BOOLEAN, CONFIG(keep_order), 0, 0, NULL, NULL, "off",
     "jitter never lets a frame overtake another", NULL},
    {"mtu", KEY_SIZE, CONFIG(mtu), 68, 65535, NULL, NULL, "of the interfaces",
     "largest IP packet carried, larger ones are lost; interfaces take it over "
     "when the network is built, unless they have an mtu of their own",
     "RFC 791"},
    {"overhead", KEY_SIZE, CONFIG(overhead), 0, 1000, NULL, NULL, "0",
     "bytes on the wire besides each frame; 24 for Ethernet's preamble, check "
     "sequence and gap",
     "IEEE 802.3"},
    {.name = "queue",
     .kind = KEY_OTHER,
     .form = "map",
     .initial = "{packets: 1000}",
     .doc = "limits of the queue",
     .source = "Linux txqueuelen"},
    {.name = "loss",
     .kind = KEY_OTHER,
     .form = "chance or map",
     .initial = "0%",
     .doc = "frames that never arrive"},
    {.name = "corrupt",
     .kind = KEY_OTHER,
     .form = "chance or map",
     .initial = "0%",
     .doc = "frames of which a bit is flipped"},
    {.name = "duplicate",
     .kind = KEY_OTHER,
     .form = "chance or map",
     .initial = "0%",
     .doc = "frames that arrive twice"},
    {.name = "reorder",
     .kind = KEY_OTHER,
     .form = "chance or map",
     .initial = "0%",
     .doc = "frames that overtake by not waiting for the delay",
     .source = "netem"},
    {.name = "impairments",
     .kind = KEY_OTHER,
     .form = "list",
     .initial = "none",
     .doc = "whatever else befalls frames, in order, after loss, corrupt, "
            "duplicate and reorder"},
};
const struct schema direction_schema = {
    "from-NAME",
    "a direction",
    "What one direction of a link does. Written in the link itself these keys "
    "mean both directions; under `from-NAME:`, where NAME is a node at an end "
    "of the link (`from-NAME:PORT` where that is not enough), the direction "
    "away from that node.",
    direction_keys,
    ARRAY_LENGTH(direction_keys),
    NULL};

static const struct schema_key link_keys[] = {
    {.name = "ends",
     .kind = KEY_OTHER,
     .form = "list of two nodes",
     .doc = "where the link ends: NAME, or NAME:PORT such as client:eth1"},
    {"type", KEY_WORD, FIELD(struct link_spec, type), 0, 0, link_types, NULL,
     "ethernet",
     "ethernet, or point-to-point: IP packets without frames and neighbours",
     NULL},
    {"up", KEY_BOOLEAN, FIELD(struct link_spec, up), 0, 0, NULL, NULL, "on",
     "off: frames are lost until it is on", NULL},
    {"interface-mtu", KEY_SIZE, FIELD(struct link_spec, iface_mtu), 68, 65535,
     NULL, NULL, "mtu, else 1500",
     "of the interfaces at both ends, where it is to differ from what the link "
     "carries",
     "RFC 894"},
};
const struct schema link_schema = {
    "links.NAME",
    "a link",
    "A link between two nodes, with all keys of a direction besides these. "
    "Instead of the map the list of its two ends is enough.",
    link_keys,
    ARRAY_LENGTH(link_keys),
    &direction_schema};

// --- Directions -------------------------------------------------------------

static void read_queue(struct scenario *s, const struct value *value,
                       struct queue_config *out)
{
    struct queue_config queue = {.kind = QUEUE_FIFO};
    if (value->kind == VALUE_SCALAR) {
        schema_refuse(value, "queue",
                      "a map such as {packets: 100}, {bytes: 64KiB} or {time: "
                      "50ms}",
                      s->diagnostics);
        return;
    }
    if (schema_read(&queue_schema, value, NULL, &queue, s->diagnostics))
        *out = value->kind == VALUE_NULL ? link_direction_default.queue : queue;
}

void read_direction(struct scenario *s, const struct value *map,
                    struct direction_spec *direction, bool is_point_to_point)
{
    static const char *const simple[SIMPLE_COUNT] = {"loss", "corrupt",
                                                     "duplicate", "reorder"};
    const struct value *value;
    schema_read_part(&direction_schema, map, direction, s->diagnostics);
    if ((value = value_find(map, "queue")))
        read_queue(s, value, &direction->config.queue);
    for (unsigned i = 0; i < SIMPLE_COUNT; i++)
        if ((value = value_find(map, simple[i])))
            read_simple(s, value, (enum simple_impairment)i, is_point_to_point,
                        &direction->simple[i]);
    if ((value = value_find(map, "impairments")))
        read_impairments(s, value, is_point_to_point, direction);
}

struct extra_keys from_keys(struct scenario *s, const struct link_spec *link)
{
    struct extra_keys extra = {.count = 0};
    for (unsigned end = 0; end < 2; end++) {
        const struct end_spec *e = &link->ends[end];
        if (!e->node_name)
            continue;
        extra.words[extra.count++] =
            document_format(s->document, "from-%s", e->node_name);
        if (e->port_name)
            extra.words[extra.count++] = document_format(
                s->document, "from-%s:%s", e->node_name, e->port_name);
    }
    return extra;
}

// Which direction `from-NAME` means; -1: none, -2: both ends are that node.
static int find_from(const struct link_spec *link, const char *key)
{
    int found = -1;
    if (strncmp(key, "from-", 5) != 0)
        return -1;
    for (int end = 0; end < 2; end++) {
        const struct end_spec *e = &link->ends[end];
        size_t length = e->node_name ? strlen(e->node_name) : 0;
        if (!length || strncmp(key + 5, e->node_name, length) != 0)
            continue;
        const char *rest = key + 5 + length;
        if (*rest == ':' && e->port_name && strcmp(rest + 1, e->port_name) == 0)
            return end;
        if (*rest == '\0')
            found = found == -1 ? end : -2;
    }
    return found;
}

static void read_from(struct scenario *s, const struct value *value,
                      struct link_spec *link, int direction)
{
    int from = find_from(link, value->key);
    if (from == -2)
        diagnostics_add(s->diagnostics, value->key_place,
                        "%s: both ends are on that node; write from-NAME:PORT",
                        value->key);
    else if (from >= 0 && direction >= 0 && from != direction)
        diagnostics_add(s->diagnostics, value->key_place,
                        "%s: the change is about the other direction alone",
                        value->key);
    if (from < 0)
        return;
    schema_read(&direction_schema, value, NULL, &link->direction[from],
                s->diagnostics);
    if (value->kind == VALUE_MAP)
        read_direction(s, value, &link->direction[from],
                       link->type == LINK_POINT_TO_POINT);
}

void read_parameters(struct scenario *s, const struct value *map,
                     struct link_spec *link, int direction)
{
    bool is_point_to_point = link->type == LINK_POINT_TO_POINT;
    for (int d = 0; d < 2; d++)
        if (direction < 0 || direction == d)
            read_direction(s, map, &link->direction[d], is_point_to_point);
    for (const struct value *v = map->items; v; v = v->next)
        read_from(s, v, link, direction);
}

static bool is_active(const struct impairment_config *simple)
{
    return simple->select.probability != 0;
}

struct link_direction_config direction_config(struct scenario *s,
                                              const struct direction_spec *d)
{
    struct link_direction_config config = d->config;
    struct impairment_config *all = document_alloc(
        s->document, (SIMPLE_COUNT + d->list_count) * sizeof *all);
    size_t count = 0;
    for (unsigned i = 0; i < SIMPLE_COUNT; i++)
        if (is_active(&d->simple[i]))
            all[count++] = d->simple[i];
    if (d->list_count)
        memcpy(all + count, d->list, d->list_count * sizeof *all);
    config.impairments = all;
    config.impairment_count = count + d->list_count;
    return config;
}

// --- Links ------------------------------------------------------------------

static void read_end(struct scenario *s, const struct value *value,
                     struct end_spec *end)
{
    const char *text;
    if (!schema_read_text(value, "ends", &text, s->diagnostics))
        return;
    const char *colon = strchr(text, ':');
    int length = colon ? (int)(colon - text) : (int)strlen(text);
    end->place = value->place;
    end->node_name = document_format(s->document, "%.*s", length, text);
    if (colon && colon[1])
        end->port_name = document_string(s->document, colon + 1);
    if ((colon && !colon[1]) || length == 0)
        diagnostics_add(s->diagnostics, value->place,
                        "ends: expected NAME or NAME:PORT, such as "
                        "client:eth1, not '%s'",
                        text);
    else if (end->port_name &&
             !check_iface_name(s, end->port_name, value->place))
        end->is_bad = true;
}

static void read_ends(struct scenario *s, const struct value *value,
                      struct link_spec *link)
{
    if (value->kind != VALUE_LIST || value->count != 2) {
        if (value->kind == VALUE_LIST)
            diagnostics_add(s->diagnostics, value->place,
                            "ends: a link has two ends, here are %zu",
                            value->count);
        else
            schema_refuse(value, "ends",
                          "a list of two nodes such as [client, server]",
                          s->diagnostics);
        return;
    }
    read_end(s, value->items, &link->ends[0]);
    read_end(s, value->items->next, &link->ends[1]);
}

// A link without ends may be another one whose name is misspelt.
static void ask_for_ends(struct scenario *s, const struct link_spec *link)
{
    const char *names[64], *near = NULL;
    size_t count = 0;
    for (const struct link_spec *l = s->links; l && count < 64; l = l->next)
        if (l != link)
            names[count++] = l->name;
    near = suggest_word(link->name, names, count);
    diagnostics_add(s->diagnostics, link->place,
                    "link '%s' needs its ends, such as ends: [client, server]"
                    "%s%s%s",
                    link->name, near ? "; or did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
}

static void read_link_map(struct scenario *s, const struct value *map,
                          struct link_spec *link)
{
    const struct value *ends = value_find(map, "ends");
    if (map->kind == VALUE_MAP && ends)
        read_ends(s, ends, link);
    else if (map->kind == VALUE_MAP || map->kind == VALUE_NULL)
        ask_for_ends(s, link);
    struct extra_keys extra = from_keys(s, link);
    schema_read(&link_schema, map, &extra, link, s->diagnostics);
    if (map->kind == VALUE_MAP)
        read_parameters(s, map, link, -1);
}

static void read_link(struct scenario *s, const struct value *value)
{
    if (!read_name(s, value->key, value->key_place, "a link"))
        return;
    if (names_find(s->link_names, value->key)) {
        diagnostics_add(s->diagnostics, value->key_place,
                        "'%s' is the name of a link already", value->key);
        return;
    }
    struct link_spec *link = document_alloc(s->document, sizeof *link);
    link->name = value->key;
    link->place = value->key_place;
    link->up = true;
    for (int d = 0; d < 2; d++)
        link->direction[d].config = link_direction_default;
    if (!s->links_unwired)
        s->links_unwired = link;
    if (!s->links_unbuilt)
        s->links_unbuilt = link;
    *s->links_end = link;
    s->links_end = &link->next;
    names_put(s->link_names, link->name, link);
    if (value->kind == VALUE_LIST)
        read_ends(s, value, link);
    else
        read_link_map(s, value, link);
}

void read_links(struct scenario *s, const struct value *map)
{
    if (map->kind == VALUE_NULL)
        return;
    if (map->kind != VALUE_MAP) {
        schema_refuse(map, "links", "a map of names", s->diagnostics);
        return;
    }
    for (const struct value *v = map->items; v; v = v->next)
        read_link(s, v);
}
