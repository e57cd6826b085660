// Reads expectations and checks them against the results.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "sim/config/expect.h"
#include "sim/config/spec.h"
#include "sim/report/report.h"

// Theory of operation
//
// An entry names a subject (an application, a link, a host, a flow, or nothing:
// the run) and gives conditions on its quantities, one per key. Everything but
// the figures themselves is checked when the file is read, so a condition that
// could never be judged is a mistake and not a failure.

static const char *const subject_words[SUBJECT_KIND_COUNT] = {
    [SUBJECT_RUN] = "run",   [SUBJECT_APP] = "app",   [SUBJECT_LINK] = "link",
    [SUBJECT_HOST] = "host", [SUBJECT_FLOW] = "flow",
};
static const char *const sides[] = {"client", "server", NULL};

// --- Reading ----------------------------------------------------------------

static const struct value *find_subject(struct scenario *s,
                                        const struct value *map,
                                        enum subject_kind *kind)
{
    const struct value *found = NULL;
    *kind = SUBJECT_RUN;
    for (int k = SUBJECT_APP; k < SUBJECT_KIND_COUNT; k++) {
        const struct value *value = value_find(map, subject_words[k]);
        if (value && found)
            diagnostics_add(s->diagnostics, value->key_place,
                            "%s: one entry is about one thing, here %s",
                            value->key, found->key);
        else if (value) {
            found = value;
            *kind = (enum subject_kind)k;
        }
    }
    return found;
}

static void check_from(struct scenario *s, const struct value *map,
                       const struct link_spec *link)
{
    const struct value *from = value_find(map, "from");
    if (!from || !link)
        return;
    if (from->kind == VALUE_SCALAR)
        for (unsigned end = 0; end < 2; end++)
            if (link->ends[end].node_name &&
                strcmp(link->ends[end].node_name, from->text) == 0)
                return;
    diagnostics_add(s->diagnostics, from->place,
                    "from: expected an end of link '%s', %s or %s, not %s",
                    link->name, link->ends[0].node_name,
                    link->ends[1].node_name, value_describe(from));
}

// "client->server", or the number of a flow in order of opening, from 1.
static void check_flow(struct scenario *s, const struct value *value)
{
    const char *arrow = strstr(value->text, "->");
    int64_t number;
    if (!arrow) {
        if (parse_integer(value->text, &number) != 0 || number < 1)
            schema_refuse(value, "flow",
                          "CLIENT->SERVER or the number of a flow, from 1",
                          s->diagnostics);
        return;
    }
    need_node(s,
              document_format(s->document, "%.*s", (int)(arrow - value->text),
                              value->text),
              value->place, "flow");
    need_node(s, arrow + 2, value->place, "flow");
}

static void check_subject(struct scenario *s, const struct value *map,
                          const struct value *value, enum subject_kind kind)
{
    const char *text;
    if (!value || !schema_read_text(value, value->key, &text, s->diagnostics))
        return;
    if (kind == SUBJECT_APP)
        need_app(s, text, value->place, "app");
    else if (kind == SUBJECT_LINK)
        check_from(s, map, need_link(s, text, value->place, "link"));
    else if (kind == SUBJECT_FLOW)
        check_flow(s, value);
    else {
        const struct node_spec *node = need_node(s, text, value->place, "host");
        if (node && (node->kind == NODE_SWITCH || node->kind == NODE_TAP))
            diagnostics_add(s->diagnostics, value->place,
                            "host: '%s' is a %s, which counts nothing; "
                            "look at its links",
                            text, node_kind_name(node->kind));
    }
}

// Keys that name or qualify the subject.
static bool is_qualifier(enum subject_kind kind, const char *key)
{
    for (int k = SUBJECT_APP; k < SUBJECT_KIND_COUNT; k++)
        if (strcmp(key, subject_words[k]) == 0)
            return true;
    return (kind == SUBJECT_LINK && strcmp(key, "from") == 0) ||
           (kind == SUBJECT_FLOW && strcmp(key, "side") == 0);
}

static void say_unknown(struct scenario *s, const struct value *value,
                        enum subject_kind kind)
{
    size_t count;
    const char *const *names = quantity_names(kind, s->document, &count);
    diagnostics_add(
        s->diagnostics, value->key_place, "unknown key '%s'%s", value->key,
        schema_hint(s->document, value->key, names, count,
                    kind == SUBJECT_RUN
                        ? "besides app, link, host and flow there is"
                        : document_format(s->document, "of %s there is",
                                          subject_words[kind])));
}

static void check_side(struct scenario *s, const struct value *map)
{
    static const struct schema_key row = {.kind = KEY_WORD, .words = sides};
    const struct value *side = value_find(map, "side");
    int64_t number;
    if (side)
        schema_read_number(side, "side", &row, &number, s->diagnostics);
}

static void read_entry(struct scenario *s, const struct value *map)
{
    enum subject_kind kind;
    enum key_kind quantity;
    struct condition condition;
    size_t conditions = 0;
    if (map->kind != VALUE_MAP) {
        schema_refuse(map, "expect",
                      "a map such as {app: sink, bytes-received: 10MB}",
                      s->diagnostics);
        return;
    }
    const struct value *subject = find_subject(s, map, &kind);
    check_subject(s, map, subject, kind);
    if (kind == SUBJECT_FLOW)
        check_side(s, map);
    for (const struct value *v = map->items; v; v = v->next) {
        if (is_qualifier(kind, v->key))
            continue;
        conditions++;
        if (quantity_kind(kind, v->key, &quantity))
            condition_read(v, v->key, quantity, &condition, s->diagnostics);
        else
            say_unknown(s, v, kind);
    }
    if (!conditions)
        diagnostics_add(s->diagnostics, map->place,
                        "what is expected? Name a quantity and a condition, "
                        "such as bytes-received: \"> 0\"");
    struct expect_spec *expect = document_alloc(s->document, sizeof *expect);
    expect->place = map->place;
    expect->map = map;
    *s->expects_end = expect;
    s->expects_end = &expect->next;
}

void read_expectations(struct scenario *s, const struct value *list)
{
    if (!value_is_list(list)) {
        schema_refuse(list, "expect", "a list of entries", s->diagnostics);
        return;
    }
    for (const struct value *v = list->items; v; v = v->next)
        read_entry(s, v);
}

// --- Judging ----------------------------------------------------------------

static bool is_host(const struct host *host, const char *name, size_t length)
{
    return host && strlen(host->node.name) == length &&
           strncmp(host->node.name, name, length) == 0;
}

static const struct flow *find_flow(const struct sim *sim, const char *text)
{
    const char *arrow = strstr(text, "->");
    const struct flow *flow = NULL;
    int64_t number = 0;
    if (!arrow)
        parse_integer(text, &number);
    while ((flow = flow_next(sim, flow)))
        if (arrow ? is_host(flow->client, text, (size_t)(arrow - text)) &&
                        is_host(flow->server, arrow + 2, strlen(arrow + 2))
                  : --number == 0)
            return flow;
    return NULL;
}

static int find_direction(const struct value *map, const struct link_spec *link)
{
    const struct value *from = value_find(map, "from");
    for (int end = 0; from && end < 2; end++)
        if (strcmp(link->ends[end].node_name, from->text) == 0)
            return end;
    return -1;
}

// False: there is no such flow.
static bool look_up(struct scenario *s, const struct value *map,
                    const struct value *value, struct subject *subject)
{
    const struct value *side = value_find(map, "side");
    const char *text = value ? value->text : "";
    subject->sim = s->sim;
    switch (subject->kind) {
    case SUBJECT_APP: {
        const struct app_spec *app = names_find(s->app_names, text);
        subject->app = app->app;
        break;
    }
    case SUBJECT_LINK: {
        const struct link_spec *link = names_find(s->link_names, text);
        subject->link = link->link;
        subject->direction = find_direction(map, link);
        break;
    }
    case SUBJECT_HOST:
        subject->host = node_as_host(find_node(s, text)->node);
        break;
    case SUBJECT_FLOW:
        subject->flow = find_flow(s->sim, text);
        subject->is_server = side && strcmp(side->text, "server") == 0;
        return subject->flow &&
               (subject->is_server ? subject->flow->has_server
                                   : subject->flow->has_client);
    default:
        break;
    }
    return true;
}

static const char *describe(struct scenario *s, const struct value *map,
                            const struct value *value)
{
    const struct value *from = value_find(map, "from"),
                       *side = value_find(map, "side");
    if (!value)
        return "the run";
    return document_format(s->document, "%s '%s'%s%s%s%s", value->key,
                           value->text, from ? " from " : "",
                           from ? from->text : "", side ? " at the " : "",
                           side ? side->text : "");
}

static const char *place_text(struct scenario *s, struct place place)
{
    if (!place.line)
        return place.file;
    return document_format(s->document, "%s:%u:%u", place.file, place.line,
                           place.column);
}

static void judge(struct scenario *s, const struct value *map,
                  const struct value *name, const struct value *v,
                  const struct subject *subject)
{
    struct condition condition = {.comparison = IS_EQUAL};
    enum key_kind kind = KEY_INTEGER;
    char seen[64];
    must(quantity_kind(subject->kind, v->key, &kind));
    must(condition_read(v, v->key, kind, &condition, s->diagnostics));
    struct figure figure = quantity_get(subject, v->key);
    if (condition_holds(&condition, &figure))
        sim_expect_passed(s->sim);
    else
        sim_fail(s->sim, "%s: %s: %s: expected %s, saw %s",
                 place_text(s, v->place), describe(s, map, name), v->key,
                 v->text, figure_format(&figure, seen, sizeof seen));
}

static void judge_entry(struct scenario *s, const struct value *map)
{
    struct subject subject = {.kind = SUBJECT_RUN};
    const struct value *name = find_subject(s, map, &subject.kind);
    if (!look_up(s, map, name, &subject)) {
        sim_fail(s->sim, "%s: %s: there was no such connection",
                 place_text(s, map->place), describe(s, map, name));
        return;
    }
    for (const struct value *v = map->items; v; v = v->next)
        if (!is_qualifier(subject.kind, v->key))
            judge(s, map, name, v, &subject);
}

void scenario_check_expectations(struct scenario *s)
{
    if (!s->expects)
        return;
    s->diagnostics = diagnostics_create();
    flow_table_finish(s->sim);
    for (const struct expect_spec *e = s->expects; e; e = e->next)
        judge_entry(s, e->map);
    diagnostics_destroy(s->diagnostics);
    s->diagnostics = NULL;
}

// --- The reference ----------------------------------------------------------

#define FLOW_TITLE                                                             \
    "of `flow: CLIENT->SERVER` or `flow: NUMBER`, at its client or with "      \
    "`side: server`"

void print_quantities(FILE *out)
{
    static const char *const titles[SUBJECT_KIND_COUNT] = {
        [SUBJECT_RUN] = "of the run (no subject)",
        [SUBJECT_APP] = "of `app: NAME`",
        [SUBJECT_LINK] = "of `link: NAME`, with `from: NODE` of one direction",
        [SUBJECT_HOST] = "of `host: NAME`",
        [SUBJECT_FLOW] = FLOW_TITLE,
    };
    struct document *document = document_create();
    for (int k = 0; k < SUBJECT_KIND_COUNT; k++) {
        enum subject_kind subject = (enum subject_kind)k;
        enum key_kind kind;
        size_t count;
        const char *const *names = quantity_names(subject, document, &count);
        fprintf(out,
                "\nQuantities %s:\n\n| quantity | unit | meaning |\n"
                "| --- | --- | --- |\n",
                titles[k]);
        for (size_t i = 0; i < count; i++) {
            quantity_kind(subject, names[i], &kind);
            fprintf(out, "| `%s` | %s | %s |\n", names[i],
                    kind == KEY_TEXT ? "word" : key_kind_name(kind),
                    quantity_doc(subject, names[i]));
        }
    }
    document_destroy(document);
}
