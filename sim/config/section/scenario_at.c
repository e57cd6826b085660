// Reads and runs the timetable: what changes at which time.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/config/spec.h"

static const char *const releases[] = {"held", NULL};

struct at_keys {
    int64_t time, release;
    const char *link, *start, *stop;
    bool up;
};
static const struct schema_key at_keys[] = {
    {"time", KEY_TIME, FIELD(struct at_keys, time), 0, 0, NULL, NULL, NULL,
     "when", NULL},
    {"link", KEY_TEXT, FIELD(struct at_keys, link), 0, 0, NULL, "name",
     "nothing changes on a link", "the link whose keys stand beside it", NULL},
    {"up", KEY_BOOLEAN, FIELD(struct at_keys, up), 0, 0, NULL, NULL,
     "as before", "takes the link up or down", NULL},
    {"release", KEY_WORD, FIELD(struct at_keys, release), 0, 0, releases, NULL,
     "nothing is released", "held: lets frames go that an impairment holds",
     NULL},
    {"start", KEY_TEXT, FIELD(struct at_keys, start), 0, 0, NULL, "name",
     "nothing is started", "the application that starts", NULL},
    {"stop", KEY_TEXT, FIELD(struct at_keys, stop), 0, 0, NULL, "name",
     "nothing is stopped", "the application that stops", NULL},
};
const struct schema at_schema = {
    "at[]",
    "an entry of at",
    "Something that happens at a time: a link's parameters change (all keys of "
    "a direction, `from-NAME` maps and `up`), an application starts or stops. "
    "`- {time: 5s, link: wan, loss: 5%}`",
    at_keys,
    ARRAY_LENGTH(at_keys),
    &direction_schema};

// Link parameters without a link would be lost silently.
static void refuse_parameters(struct scenario *s, const struct value *map)
{
    for (const struct value *v = map->items; v; v = v->next)
        if (schema_find(&direction_schema, v->key) ||
            strcmp(v->key, "up") == 0 || strcmp(v->key, "release") == 0)
            diagnostics_add(s->diagnostics, v->key_place,
                            "%s: of which link? Add link: NAME", v->key);
}

static struct app_spec *find_app(struct scenario *s, const struct value *map,
                                 const char *key, const char *name)
{
    return name ? need_app(s, name, value_find(map, key)->place, key) : NULL;
}

// The parameters are read for their mistakes now and for good at their time:
// what they change is what the link is like then.
static void check_parameters(struct scenario *s, const struct value *map,
                             struct link_spec *link)
{
    struct link_spec copy = *link;
    read_parameters(s, map, &copy, -1);
}

static void read_entry(struct scenario *s, const struct value *map)
{
    if (map->kind != VALUE_MAP) {
        schema_refuse(map, "at",
                      "a map such as {time: 5s, link: wan, loss: 5%}",
                      s->diagnostics);
        return;
    }
    struct at_keys keys = {.time = -1, .release = -1};
    const struct value *name = value_find(map, "link");
    struct at_spec *at = document_alloc(s->document, sizeof *at);
    if (name && name->kind == VALUE_SCALAR)
        at->link = need_link(s, name->text, name->place, "link");
    struct extra_keys extra = {.count = 0};
    if (at->link)
        extra = from_keys(s, at->link);
    schema_read(&at_schema, map, &extra, &keys, s->diagnostics);
    if (!value_find(map, "time"))
        diagnostics_add(s->diagnostics, map->place,
                        "time: when does it happen?");
    if (at->link)
        check_parameters(s, map, at->link);
    else if (!name)
        refuse_parameters(s, map);
    at->start = find_app(s, map, "start", keys.start);
    at->stop = find_app(s, map, "stop", keys.stop);
    at->place = map->place;
    at->time = keys.time;
    at->map = map;
    at->releases_held = keys.release == 0;
    at->scenario = s;
    if (at->start && at->start->is_started_by_hand)
        at->start->config.start = NS_NEVER;
    if (!name && !keys.start && !keys.stop)
        diagnostics_add(s->diagnostics, map->place,
                        "what happens? Name a link, or an application to start "
                        "or stop");
    *s->ats_end = at;
    s->ats_end = &at->next;
}

void read_timetable(struct scenario *s, const struct value *list)
{
    if (!value_is_list(list)) {
        schema_refuse(list, "at", "a list of entries", s->diagnostics);
        return;
    }
    for (const struct value *v = list->items; v; v = v->next)
        read_entry(s, v);
}

// --- Running ----------------------------------------------------------------

static void change_link(struct at_spec *at)
{
    struct scenario *s = at->scenario;
    s->diagnostics = diagnostics_create();
    int error = apply_to_link(s, at->link, at->map, -1);
    // The file was checked; what is left is what the engine refuses.
    if (error)
        sim_fail(s->sim, "%s:%u: link '%s' cannot be changed: %s",
                 at->place.file, at->place.line, at->link->name,
                 sim_error(s->sim));
    diagnostics_destroy(s->diagnostics);
    s->diagnostics = NULL;
}

static void on_time(struct event *event)
{
    struct at_spec *at = CONTAINER_OF(event, struct at_spec, event);
    if (at->link)
        change_link(at);
    if (at->releases_held) {
        link_release_held(at->link->link, 0);
        link_release_held(at->link->link, 1);
    }
    if (at->stop)
        app_stop(at->stop->app);
    if (at->start)
        app_start(at->start->app);
}

int schedule_timetable(struct scenario *s)
{
    for (struct at_spec *at = s->ats; at; at = at->next) {
        if (at->is_built)
            continue;
        int error = engine_reserve(&s->sim->engine, 1);
        if (error)
            return error;
        event_init(&at->event, sim_new_order(s->sim), on_time);
        engine_schedule(&s->sim->engine, &at->event,
                        max_i64(at->time, sim_now(s->sim)));
        at->is_built = true;
    }
    return 0;
}
