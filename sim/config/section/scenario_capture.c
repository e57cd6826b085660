// Reads which link ends are captured, and opens their files.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/spec.h"

static const char *const formats[] = {"pcapng", "pcap", NULL};

static const struct schema_key capture_keys[] = {
    {.name = "links",
     .kind = KEY_OTHER,
     .form = "all, none or list of links",
     .initial = "all",
     .doc = "the links whose ends are captured, each in a file of its own"},
    {"format", KEY_WORD, FIELD(struct capture_spec, format), 0, 0, formats,
     NULL, "pcapng", "pcapng, or pcap with nanosecond times", NULL},
    {"snap-length", KEY_SIZE, FIELD(struct capture_spec, snap_length), 16,
     262144, NULL, NULL, "whole frames", "bytes kept of each frame",
     "tcpdump -s"},
};
const struct schema capture_schema = {
    "capture",
    "capture",
    "What is captured. Instead of the map `all`, `none` or a list of links is "
    "enough.",
    capture_keys,
    ARRAY_LENGTH(capture_keys),
    NULL};

static void add_link(struct scenario *s, const char *name, struct place place)
{
    const struct link_spec *link = need_link(s, name, place, "capture");
    if (link)
        s->capture.links[s->capture.link_count++] = link->name;
}

static void choose(struct scenario *s, enum capture_choice choice, size_t links)
{
    s->capture.choice = choice;
    s->capture.link_count = 0;
    s->capture.links =
        document_alloc(s->document, (links + 1) * sizeof(char *));
}

static void read_links_choice(struct scenario *s, const struct value *value)
{
    if (value->kind == VALUE_SCALAR && strcmp(value->text, "all") == 0) {
        choose(s, CAPTURE_ALL, 0);
    } else if (value->kind == VALUE_SCALAR &&
               strcmp(value->text, "none") == 0) {
        choose(s, CAPTURE_NONE, 0);
    } else if (value->kind == VALUE_LIST) {
        const char *name;
        choose(s, CAPTURE_SOME, value->count);
        for (const struct value *v = value->items; v; v = v->next)
            if (schema_read_text(v, "capture", &name, s->diagnostics))
                add_link(s, name, v->place);
    } else {
        schema_refuse(value, "capture", "all, none or a list of links",
                      s->diagnostics);
    }
}

void read_capture(struct scenario *s, const struct value *value)
{
    if (value->kind != VALUE_MAP) {
        read_links_choice(s, value);
        return;
    }
    schema_read(&capture_schema, value, NULL, &s->capture, s->diagnostics);
    const struct value *links = value_find(value, "links");
    if (links)
        read_links_choice(s, links);
}

void read_capture_option(struct scenario *s)
{
    const char *option = s->options.capture;
    if (s->options.classic_pcap)
        s->capture.format = CAPTURE_PCAP;
    if (!option)
        return;
    if (strcmp(option, "all") == 0 || strcmp(option, "none") == 0) {
        choose(s, *option == 'a' ? CAPTURE_ALL : CAPTURE_NONE, 0);
        return;
    }
    choose(s, CAPTURE_SOME, strlen(option));
    for (const char *at = option; *at;) {
        size_t length = strcspn(at, ",");
        if (length)
            s->capture.links[s->capture.link_count++] =
                document_format(s->document, "%.*s", (int)length, at);
        at += length + (at[length] == ',');
    }
}

void check_capture_option(struct scenario *s)
{
    const struct place place = {"--capture", 0, 0};
    if (s->options.capture)
        for (size_t i = 0; i < s->capture.link_count; i++)
            need_link(s, s->capture.links[i], place, "capture");
}

bool scenario_captures(const struct scenario *s)
{
    return s->options.capture_dir && s->capture.choice != CAPTURE_NONE;
}

// --- Opening ----------------------------------------------------------------

static bool is_wanted(const struct scenario *s, const struct link *link)
{
    if (s->capture.choice != CAPTURE_SOME)
        return s->capture.choice == CAPTURE_ALL;
    for (size_t i = 0; i < s->capture.link_count; i++)
        if (strcmp(s->capture.links[i], link->name) == 0)
            return true;
    return false;
}

static int open_capture(struct scenario *s, struct port *port)
{
    char *path;
    if (port->capture)
        return 0;
    if (asprintf(&path, "%s/%s-%s.%s", s->options.capture_dir, port->node->name,
                 port->name,
                 s->capture.format == CAPTURE_PCAP ? "pcap" : "pcapng") < 0)
        return -ENOMEM;
    const struct capture_config config = {
        .path = path,
        .format = (enum capture_format)s->capture.format,
        .snap_length = s->capture.snap_length};
    int error = capture_create(s->sim, port, &config);
    if (error)
        sim_set_error(s->sim, "the capture '%s' cannot be written: %s", path,
                      strerror(-error));
    free(path);
    return error;
}

// Reports say where captures are.
static int note_folder(struct sim *sim, const char *folder)
{
    if (!sim->capture_dir)
        sim->capture_dir = strdup(folder);
    return sim->capture_dir ? 0 : -ENOMEM;
}

int build_link_captures(struct scenario *s, struct link *link)
{
    if (!scenario_captures(s) || !is_wanted(s, link))
        return 0;
    int error = note_folder(s->sim, s->options.capture_dir);
    for (unsigned end = 0; end < 2 && !error; end++)
        error = open_capture(s, link->ends[end]);
    return error;
}

int build_captures(struct scenario *s)
{
    int error = 0;
    for (struct link *link = s->sim->links; link && !error; link = link->next)
        error = build_link_captures(s, link);
    return error;
}
