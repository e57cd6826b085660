// A scenario's life: from a file or a script to a network without mistakes.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/config/spec.h"

// --- Tables -----------------------------------------------------------------

#define TOP(member) FIELD(struct scenario, member)
#define SECTION(word, what, text)                                              \
    {                                                                          \
        .name = word, .kind = KEY_OTHER, .form = what, .initial = "none",      \
        .doc = text                                                            \
    }
static const struct schema_key scenario_keys[] = {
    {"name", KEY_TEXT, TOP(title), 0, 0, NULL, "text", "the file's name",
     "what the scenario is called", NULL},
    {"description", KEY_TEXT, TOP(description), 0, 0, NULL, "text", "none",
     "what it shows", NULL},
    {"seed", KEY_INTEGER, TOP(seed), 0, 0, NULL, NULL, "1",
     "all randomness of the run", NULL},
    {"stop", KEY_TIME, TOP(stop), 1, TIME_MOST, NULL, NULL,
     "when nothing is left to happen", "when the run ends at the latest", NULL},
    SECTION("hosts", "map of hosts", "hosts by name"),
    SECTION("routers", "map of hosts", "hosts that forward, by name"),
    SECTION("switches", "map of switches", "learning switches by name"),
    SECTION("taps", "map of taps", "devices of the machine, by name"),
    SECTION("links", "map of links", "links by name"),
    {"script", KEY_TEXT, TOP(script), 0, 0, NULL, "file", "none",
     "a Lua file, looked for beside this one", NULL},
    SECTION("apps", "list of applications, or map by name", "plain traffic"),
    SECTION("at", "list of entries", "what changes at which time"),
    SECTION("expect", "list of entries", "what must be true of the results"),
    {.name = "capture",
     .kind = KEY_OTHER,
     .form = "all, none, list of links, or map",
     .initial = "all",
     .doc = "which link ends are captured"},
    {.name = "limits",
     .kind = KEY_OTHER,
     .form = "map",
     .initial = "see limits",
     .doc = "bounds of the whole run"},
};
const struct schema scenario_schema = {"scenario",
                                       "a scenario",
                                       "The file as a whole.",
                                       scenario_keys,
                                       ARRAY_LENGTH(scenario_keys),
                                       NULL};

static const struct schema_key limits_keys[] = {
    {"packet-memory", KEY_SIZE, FIELD(struct limits_spec, memory), 65536,
     INT64_C(1) << 40, NULL, NULL, "unlimited",
     "bytes of packets that exist at a time", NULL},
    {"events", KEY_INTEGER, FIELD(struct limits_spec, events), 1, INT64_MAX - 1,
     NULL, NULL, "unlimited", "events after which a run is given up", NULL},
};
const struct schema limits_schema = {"limits",
                                     "limits",
                                     "Bounds of the whole run.",
                                     limits_keys,
                                     ARRAY_LENGTH(limits_keys),
                                     NULL};

// --- Names ------------------------------------------------------------------

// Names end up in paths of captures, in filters and beside colons and dots.
bool read_name(struct scenario *s, const char *name, struct place place,
               const char *what)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./";
    size_t length = strlen(name), good = strspn(name, allowed);
    if (length > 0 && length <= NAME_LONGEST && good == length &&
        *name != '-' && *name != '.' && *name != '/' &&
        (!strchr(name, '/') || strcmp(what, "an application") == 0))
        return true;
    diagnostics_add(s->diagnostics, place,
                    "'%s' cannot be the name of %s; expected 1 to %d letters, "
                    "digits, '-', '_' and '.', of which the first is a letter "
                    "or digit",
                    name, what, NAME_LONGEST);
    return false;
}

struct node_spec *find_node(const struct scenario *s, const char *name)
{
    return names_find(s->node_names, name);
}

static void say_unknown(struct scenario *s, const char *name,
                        struct place place, const char *key, const char *what,
                        const char **known, size_t count)
{
    diagnostics_add(s->diagnostics, place, "%s: no %s is called '%s'%s", key,
                    what, name,
                    schema_hint(s->document, name, known, count,
                                document_format(s->document, "there is")));
}

#define NAMES_TO_SEARCH 5000
#define COLLECT_NAMES(type, list)                                              \
    size_t count = 0;                                                          \
    for (type *x = (list); x && count < NAMES_TO_SEARCH; x = x->next)          \
        count++;                                                               \
    const char **known =                                                       \
        document_alloc(s->document, (count + 1) * sizeof *known);              \
    size_t most = count;                                                       \
    count = 0;                                                                 \
    for (type *x = (list); x && count < most; x = x->next)                     \
        if (x->name)                                                           \
    known[count++] = x->name

struct node_spec *need_node(struct scenario *s, const char *name,
                            struct place place, const char *key)
{
    struct node_spec *node = find_node(s, name);
    if (node)
        return node;
    COLLECT_NAMES(struct node_spec, s->nodes);
    say_unknown(s, name, place, key, "host, router or switch", known, count);
    return NULL;
}

struct link_spec *need_link(struct scenario *s, const char *name,
                            struct place place, const char *key)
{
    struct link_spec *link = names_find(s->link_names, name);
    if (link)
        return link;
    COLLECT_NAMES(struct link_spec, s->links);
    say_unknown(s, name, place, key, "link", known, count);
    return NULL;
}

struct app_spec *need_app(struct scenario *s, const char *name,
                          struct place place, const char *key)
{
    struct app_spec *app = names_find(s->app_names, name);
    if (app)
        return app;
    COLLECT_NAMES(struct app_spec, s->apps);
    say_unknown(s, name, place, key, "application", known, count);
    return NULL;
}

// --- Creation ---------------------------------------------------------------

static const char *base_name(struct document *document, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    int length = (int)(dot && dot != base ? dot - base : (long)strlen(base));
    return document_format(document, "%.*s", length, base);
}

static void copy_options(struct scenario *s,
                         const struct scenario_options *options)
{
    struct document *d = s->document;
    if (!options)
        return;
    s->options = *options;
    s->options.sets =
        document_alloc(d, (options->set_count + 1) * sizeof(char *));
    for (size_t i = 0; i < options->set_count; i++)
        s->options.sets[i] = document_string(d, options->sets[i]);
    if (options->capture)
        s->options.capture = document_string(d, options->capture);
    if (options->capture_dir)
        s->options.capture_dir = document_string(d, options->capture_dir);
}

static struct scenario *create(const char *path,
                               const struct scenario_options *options)
{
    struct document *document = document_create();
    struct scenario *s = document_alloc(document, sizeof *s);
    s->document = document;
    s->path = document_string(document, path);
    s->name = base_name(document, path);
    s->seed = 1;
    s->stop = NS_NEVER;
    s->nodes_end = &s->nodes;
    s->links_end = &s->links;
    s->apps_end = &s->apps;
    s->ats_end = &s->ats;
    s->expects_end = &s->expects;
    s->node_names = names_create(document);
    s->link_names = names_create(document);
    s->app_names = names_create(document);
    s->is_dirty = true;
    copy_options(s, options);
    return s;
}

void scenario_destroy(struct scenario *scenario)
{
    if (!scenario)
        return;
    sim_destroy(scenario->sim);
    document_destroy(scenario->document);
}

// --- Reading ----------------------------------------------------------------

// Beside the scenario's file, unless the path is absolute.
static void find_script(struct scenario *s, const struct value *root)
{
    struct stat status;
    const char *slash = strrchr(s->path, '/');
    if (!s->script)
        return;
    s->script_path = s->script;
    if (*s->script != '/' && slash)
        s->script_path =
            document_format(s->document, "%.*s%s", (int)(slash + 1 - s->path),
                            s->path, s->script);
    const struct value *value = value_find(root, "script");
    if (stat(s->script_path, &status) != 0)
        diagnostics_add(s->diagnostics, value->place,
                        "script: '%s' cannot be read: %s", s->script_path,
                        strerror(errno));
    else if (!S_ISREG(status.st_mode))
        diagnostics_add(s->diagnostics, value->place,
                        "script: '%s' is not a file", s->script_path);
}

static void read_limits(struct scenario *s, const struct value *map)
{
    schema_read(&limits_schema, map, NULL, &s->limits, s->diagnostics);
}

static void read_section(struct scenario *s, const struct value *value)
{
    const char *key = value->key;
    if (strcmp(key, "hosts") == 0)
        read_nodes(s, value, NODE_HOST);
    else if (strcmp(key, "routers") == 0)
        read_nodes(s, value, NODE_ROUTER);
    else if (strcmp(key, "switches") == 0)
        read_nodes(s, value, NODE_SWITCH);
    else if (strcmp(key, "taps") == 0)
        read_nodes(s, value, NODE_TAP);
    else if (strcmp(key, "links") == 0)
        read_links(s, value);
    else if (strcmp(key, "apps") == 0)
        read_apps(s, value);
    else if (strcmp(key, "at") == 0)
        read_timetable(s, value);
    else if (strcmp(key, "expect") == 0)
        read_expectations(s, value);
    else if (strcmp(key, "limits") == 0)
        read_limits(s, value);
    else if (strcmp(key, "capture") == 0)
        read_capture(s, value);
}

// Sections in an order in which names are known before they are used, whatever
// the order of the file.
static void read_tree(struct scenario *s, const struct value *root)
{
    static const char *const order[] = {
        "limits", "hosts", "routers", "switches", "taps",
        "links",  "apps",  "at",      "expect",   "capture"};
    const struct value *name = value_find(root, "name");
    schema_read(&scenario_schema, root, NULL, s, s->diagnostics);
    if (root->kind != VALUE_MAP)
        return;
    if (s->title && read_name(s, s->title, name->place, "a scenario"))
        s->name = s->title;
    for (size_t i = 0; i < ARRAY_LENGTH(order); i++) {
        const struct value *section = value_find(root, order[i]);
        if (section)
            read_section(s, section);
    }
    find_script(s, root);
}

// Whatever can be said about the network as a whole. A network that is still
// being made may have loose ends.
static void complete(struct scenario *s, bool is_whole)
{
    wire_links(s);
    if (is_whole)
        check_wiring(s);
    find_domains(s);
    plan_addresses(s);
    check_addresses(s);
    if (is_whole)
        resolve_routes(s);
    resolve_apps(s);
}

static void set_options(struct scenario *s, struct value *root)
{
    for (size_t i = 0; i < s->options.set_count; i++)
        value_set_path(s->document, root, s->options.sets[i], s->diagnostics);
}

// Takes the scenario; NULL when there were mistakes.
static struct scenario *finish_reading(struct scenario *s, struct value *root,
                                       size_t mistakes_before)
{
    if (root) {
        set_options(s, root);
        read_tree(s, root);
        read_capture_option(s);
        check_capture_option(s);
        complete(s, true);
    }
    bool is_good = root && diagnostics_count(s->diagnostics) == mistakes_before;
    s->diagnostics = NULL;
    if (is_good)
        return s;
    scenario_destroy(s);
    return NULL;
}

struct scenario *scenario_load(const char *path,
                               const struct scenario_options *options,
                               struct diagnostics *diagnostics, int *io_error)
{
    struct scenario *s = create(path, options);
    size_t before = diagnostics_count(diagnostics);
    s->diagnostics = diagnostics;
    struct value *root =
        yaml_load_file(s->document, path, diagnostics, io_error);
    return finish_reading(s, root, before);
}

struct scenario *scenario_load_text(const char *name, const char *text,
                                    size_t length,
                                    const struct scenario_options *options,
                                    struct diagnostics *diagnostics)
{
    struct scenario *s = create(name, options);
    size_t before = diagnostics_count(diagnostics);
    s->diagnostics = diagnostics;
    struct value *root =
        yaml_load_text(s->document, name, text, length, diagnostics);
    return finish_reading(s, root, before);
}

struct scenario *scenario_create(const char *path,
                                 const struct scenario_options *options,
                                 struct diagnostics *diagnostics)
{
    struct scenario *s = create(path, options);
    const struct place place = {s->path, 0, 0};
    size_t before = diagnostics_count(diagnostics);
    s->diagnostics = diagnostics;
    struct value *root = value_create(s->document, VALUE_MAP, place);
    set_options(s, root);
    read_tree(s, root);
    read_capture_option(s);
    s->capture_is_late = s->options.capture != NULL;
    bool is_good = diagnostics_count(diagnostics) == before;
    s->diagnostics = NULL;
    if (is_good)
        return s;
    scenario_destroy(s);
    return NULL;
}

// --- Answers ----------------------------------------------------------------

const char *scenario_name(const struct scenario *s) { return s->name; }

const char *scenario_script(const struct scenario *s) { return s->script_path; }

uint64_t scenario_seed(const struct scenario *s)
{
    return s->options.has_seed ? s->options.seed : (uint64_t)s->seed;
}

ns_t scenario_stop(const struct scenario *s)
{
    return s->options.has_until ? s->options.until : s->stop;
}

struct sim *scenario_sim(struct scenario *s) { return s->sim; }

bool scenario_is_empty(const struct scenario *s)
{
    return !s->nodes && !s->links;
}

struct document *scenario_document(struct scenario *s) { return s->document; }

// --- Building ---------------------------------------------------------------

static int build_all(struct scenario *s)
{
    int error = build_parts(s);
    if (!error)
        error = build_addresses(s);
    if (!error)
        error = build_routes(s);
    if (!error)
        error = build_captures(s);
    if (!error)
        error = build_apps(s);
    if (!error)
        error = schedule_timetable(s);
    return error;
}

int scenario_build(struct scenario *s)
{
    const struct sim_config config = {.name = s->name,
                                      .seed = scenario_seed(s),
                                      .packet_memory_limit =
                                          (size_t)s->limits.memory};
    must(!s->sim);
    int error = sim_create(&config, &s->sim);
    if (error)
        return error;
    s->sim->engine.event_limit = (uint64_t)s->limits.events;
    error = build_all(s);
    if (!error)
        s->is_dirty = false;
    return error;
}

int scenario_settle(struct scenario *s, struct diagnostics *diagnostics)
{
    size_t before = diagnostics_count(diagnostics);
    if (!s->sim || (!s->is_dirty && !s->capture_is_late))
        return 0;
    s->diagnostics = diagnostics;
    if (s->capture_is_late)
        check_capture_option(s);
    s->capture_is_late = false;
    adopt_addresses(s);
    complete(s, true);
    s->diagnostics = NULL;
    if (diagnostics_count(diagnostics) != before)
        return -EINVAL;
    int error = build_all(s);
    if (!error) {
        s->is_dirty = false;
        s->is_planned = true;
    }
    return error;
}

// Is there an application whose peer may have an address only after planning?
static bool waits_for_address(const struct scenario *s)
{
    struct ip_addr address;
    for (const struct app_spec *app = s->apps_unbuilt; app; app = app->next)
        if (app->remote &&
            !spec_resolve(s, app->remote, app->config.family, &address))
            return true;
    return false;
}

int settle_for_apps(struct scenario *s)
{
    size_t before = diagnostics_count(s->diagnostics);
    bool must_plan = !s->is_planned && waits_for_address(s);
    if (must_plan) {
        adopt_addresses(s);
        complete(s, false);
    } else {
        resolve_apps(s);
    }
    if (diagnostics_count(s->diagnostics) != before)
        return -EINVAL;
    int error = must_plan ? build_addresses(s) : 0;
    s->is_planned |= must_plan && !error;
    return error ? error : build_apps(s);
}
