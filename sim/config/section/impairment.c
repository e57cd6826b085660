// Reads impairments: what a link does to which frames.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/config/spec.h"

// Theory of operation
//
// An impairment is written in two ways. `loss: 1%` (corrupt, duplicate,
// reorder) is the common case; an entry of `impairments:` names its action and
// may narrow down its victims. Both share one table of keys, so whatever
// narrows one narrows the other: `loss: {probability: 5%, filter: udp}`.

static const char *const distributions[] = {"uniform", "normal", "pareto",
                                            "paretonormal", NULL};
static const char *const models[] = {"independent", "gilbert-elliott", NULL};

#define SELECT(member) FIELD(struct impairment_config, select.member)
#define CONFIG(member) FIELD(struct impairment_config, member)
static const struct schema_key impairment_keys[] = {
    {"probability", KEY_CHANCE, SELECT(probability), 0, 0, NULL, NULL,
     "100% in a list, else required", "each frame's chance", NULL},
    {"correlation", KEY_CHANCE, SELECT(correlation), 0, 0, NULL, NULL, "0%",
     "how much a decision resembles the one before", "netem"},
    {"model", KEY_WORD, SELECT(model), 0, 0, models, NULL, "independent",
     "gilbert-elliott: bursts, by p, r, bad and good", "Gilbert 1960"},
    {"p", KEY_CHANCE, SELECT(ge_p), 0, 0, NULL, NULL,
     "required by gilbert-elliott", "chance to go from good to bad, per frame",
     "netem gemodel"},
    {"r", KEY_CHANCE, SELECT(ge_r), 0, 0, NULL, NULL,
     "required by gilbert-elliott", "chance to go from bad to good, per frame",
     "netem gemodel"},
    {"bad", KEY_CHANCE, SELECT(ge_bad), 0, 0, NULL, NULL, "100%",
     "a frame's chance while bad", "netem gemodel 1-h"},
    {"good", KEY_CHANCE, SELECT(ge_good), 0, 0, NULL, NULL, "0%",
     "a frame's chance while good", "netem gemodel 1-k"},
    {.name = "nth",
     .kind = KEY_OTHER,
     .form = "number or list of them",
     .initial = "all",
     .doc = "these alone of the frames that filter and window select, from 1"},
    {"every", KEY_INTEGER, SELECT(every), 1, UINT32_MAX, NULL, NULL, "1",
     "every so many-th of the frames that filter and window select", NULL},
    {"from", KEY_TIME, SELECT(from), 0, 0, NULL, NULL, "0s",
     "frames that enter the link from then on", NULL},
    {"until", KEY_TIME, SELECT(until), 0, 0, NULL, NULL, "never",
     "and before then", NULL},
    {.name = "filter",
     .kind = KEY_OTHER,
     .form = "pcap filter",
     .initial = "all frames",
     .doc = "an expression of tcpdump, such as tcp port 80",
     .source = "pcap-filter(7)"},
    {"by", KEY_TIME, CONFIG(delay), 0, INT64_C(86400000000000), NULL, NULL,
     "0s",
     "so much later; reorder with 0s: overtakes by not waiting for the "
     "link's delay",
     "netem"},
    {"jitter", KEY_TIME, CONFIG(jitter), 0, INT64_C(86400000000000), NULL, NULL,
     "0s", "delay: deviation from `by`", "netem"},
    {"distribution", KEY_WORD, CONFIG(distribution), 0, 0, distributions, NULL,
     "uniform", "delay: of the jitter", "netem"},
    {"bits", KEY_INTEGER, CONFIG(bytes), 1, 65535, NULL, NULL, "1",
     "corrupt: how many bits are flipped", NULL},
    {"after-frames", KEY_INTEGER, CONFIG(position), 1, 1000000, NULL, NULL,
     "by delay", "reorder, hold: arrives after so many frames that follow it",
     NULL},
    {"copies", KEY_INTEGER, CONFIG(copies), 1, 1000, NULL, NULL, "1",
     "duplicate: how many more there are", NULL},
};

static const struct schema_key action_keys[] = {
#define ACTION(word, text)                                                     \
    {                                                                          \
        .name = word, .kind = KEY_OTHER, .form = "all or a chance",            \
        .initial = "one action is required", .doc = text                       \
    }
    ACTION("drop", "the frame is lost"),
    ACTION("delay", "it arrives later; see by"),
    ACTION("reorder", "others overtake it, or it overtakes others"),
    ACTION("duplicate", "it arrives more than once"),
    ACTION("corrupt", "bits of it are flipped"),
    ACTION("hold", "it is kept until frames follow, a time or a script"),
    ACTION("mark", "ECN Congestion Experienced, where the sender is capable"),
#undef ACTION
};
static const struct schema action_schema = {
    "impairments[]", "an impairment",           "",
    action_keys,     ARRAY_LENGTH(action_keys), NULL};

const struct schema impairment_schema = {
    "impairments[]",
    "an impairment",
    "An entry of a link's `impairments:`, or the map that `loss:`, `corrupt:`, "
    "`duplicate:` and `reorder:` may have instead of a chance. An entry of the "
    "list names one action: drop, delay, reorder, duplicate, corrupt, hold or "
    "mark, whose value is `all` or a chance.",
    impairment_keys,
    ARRAY_LENGTH(impairment_keys),
    &action_schema};

// The order of enum impairment_action.
static const char *const actions[] = {
    "drop", "delay", "reorder", "duplicate", "corrupt", "hold", "mark"};
#define ACTION_COUNT ARRAY_LENGTH(actions)

// Keys that say something for these actions alone.
static const struct {
    const char *key;
    unsigned actions;
} limited[] = {
    {"by", 1 << IMPAIR_DELAY | 1 << IMPAIR_REORDER | 1 << IMPAIR_DUPLICATE |
               1 << IMPAIR_HOLD},
    {"jitter", 1 << IMPAIR_DELAY},
    {"distribution", 1 << IMPAIR_DELAY},
    {"bits", 1 << IMPAIR_CORRUPT},
    {"after-frames", 1 << IMPAIR_REORDER | 1 << IMPAIR_HOLD},
    {"copies", 1 << IMPAIR_DUPLICATE},
};

static void check_limited(struct scenario *s, const struct value *map,
                          enum impairment_action action)
{
    for (size_t i = 0; i < ARRAY_LENGTH(limited); i++) {
        const struct value *value = value_find(map, limited[i].key);
        if (value && !(limited[i].actions & 1u << action))
            diagnostics_add(s->diagnostics, value->key_place,
                            "%s: means nothing for %s", value->key,
                            action == IMPAIR_DROP ? "lost frames"
                                                  : actions[action]);
    }
}

// --- What both ways of writing share ----------------------------------------

static int compare_numbers(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

// Sorted, each once.
static void add_nth(struct impairment_selector *select, uint32_t number)
{
    size_t at = select->nth_count;
    while (at > 0 && compare_numbers(number, select->nth[at - 1]) < 0)
        at--;
    if (at > 0 && select->nth[at - 1] == number)
        return;
    memmove(select->nth + at + 1, select->nth + at,
            (select->nth_count - at) * sizeof *select->nth);
    select->nth[at] = number;
    select->nth_count++;
}

static void read_nth(struct scenario *s, const struct value *value,
                     struct impairment_selector *select)
{
    static const struct schema_key row = {
        .kind = KEY_INTEGER, .minimum = 1, .maximum = UINT32_MAX};
    size_t count = value->kind == VALUE_LIST ? value->count : 1;
    const struct value *v = value->kind == VALUE_LIST ? value->items : value;
    int64_t number;
    select->nth = document_alloc(s->document, (count + 1) * sizeof(uint32_t));
    for (size_t i = 0; i < count; i++, v = v->next)
        if (schema_read_number(v, "nth", &row, &number, s->diagnostics))
            add_nth(select, (uint32_t)number);
}

static void read_model(struct scenario *s, const struct value *map,
                       struct impairment_selector *select)
{
    const struct value *p = value_find(map, "p"), *r = value_find(map, "r");
    bool is_wanted = p || r || value_find(map, "bad") ||
                     value_find(map, "good") ||
                     select->model == LOSS_GILBERT_ELLIOTT;
    if (!is_wanted)
        return;
    select->model = LOSS_GILBERT_ELLIOTT;
    if (!p || !r)
        diagnostics_add(s->diagnostics, map->place,
                        "gilbert-elliott needs %s, the chance to go from %s",
                        p ? "r" : "p", p ? "bad to good" : "good to bad");
    const struct value *probability = value_find(map, "probability");
    if (probability)
        diagnostics_add(s->diagnostics, probability->key_place,
                        "probability: gilbert-elliott has bad and good in its "
                        "place");
}

static void read_selection(struct scenario *s, const struct value *map,
                           bool is_point_to_point,
                           struct impairment_config *out)
{
    const struct value *nth = value_find(map, "nth"),
                       *filter = value_find(map, "filter");
    read_model(s, map, &out->select);
    if (nth)
        read_nth(s, nth, &out->select);
    if (filter && check_filter(s, filter, "filter", is_point_to_point))
        out->select.filter = (char *)document_string(s->document, filter->text);
    if (out->select.until <= out->select.from)
        diagnostics_add(s->diagnostics, map->place,
                        "until must be later than from");
}

static struct impairment_config fresh(enum impairment_action action)
{
    return (struct impairment_config){.action = action,
                                      .select = {.probability = CHANCE_ALWAYS,
                                                 .ge_bad = CHANCE_ALWAYS,
                                                 .until = NS_NEVER}};
}

// --- `loss: 1%` and its like ------------------------------------------------

static const struct schema_key chance_row = {.kind = KEY_CHANCE};

bool read_simple(struct scenario *s, const struct value *value,
                 enum simple_impairment which, bool is_point_to_point,
                 struct impairment_config *out)
{
    static const enum impairment_action action_of[SIMPLE_COUNT] = {
        IMPAIR_DROP, IMPAIR_CORRUPT, IMPAIR_DUPLICATE, IMPAIR_REORDER};
    struct impairment_config fate = fresh(action_of[which]);
    int64_t chance;
    size_t before = diagnostics_count(s->diagnostics);
    if (value->kind != VALUE_MAP) {
        if (!schema_read_number(value, value->key, &chance_row, &chance,
                                s->diagnostics))
            return false;
        fate.select.probability = (chance_t)chance;
        *out = fate;
        return true;
    }
    schema_read(&impairment_schema, value, NULL, &fate, s->diagnostics);
    for (size_t i = 0; i < ACTION_COUNT; i++)
        if (value_find(value, actions[i]))
            diagnostics_add(
                s->diagnostics, value_find(value, actions[i])->key_place,
                "%s: the action is %s already", actions[i], value->key);
    read_selection(s, value, is_point_to_point, &fate);
    check_limited(s, value, fate.action);
    if (!value_find(value, "probability") &&
        fate.select.model == LOSS_INDEPENDENT && !fate.select.nth &&
        !fate.select.every)
        diagnostics_add(s->diagnostics, value->place,
                        "%s: needs a probability, such as {probability: 1%%}",
                        value->key);
    if (diagnostics_count(s->diagnostics) != before)
        return false;
    *out = fate;
    return true;
}

// --- `impairments:` ---------------------------------------------------------

// The one key that is an action; NULL with a mistake.
static const struct value *find_action(struct scenario *s,
                                       const struct value *map,
                                       enum impairment_action *action)
{
    const struct value *found = NULL;
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        const struct value *value = value_find(map, actions[i]);
        if (value && found)
            diagnostics_add(s->diagnostics, value->key_place,
                            "%s: one impairment has one action, here it is %s; "
                            "write two entries",
                            value->key, found->key);
        else if (value) {
            found = value;
            *action = (enum impairment_action)i;
        }
    }
    if (!found)
        diagnostics_add(s->diagnostics, map->place,
                        "which action? An impairment has one of drop, delay, "
                        "reorder, duplicate, corrupt, hold, mark");
    return found;
}

static void read_victims(struct scenario *s, const struct value *map,
                         const struct value *value,
                         struct impairment_config *fate)
{
    int64_t chance;
    if (value->kind == VALUE_NULL ||
        (value->kind == VALUE_SCALAR && strcmp(value->text, "all") == 0))
        return;
    if (value->kind != VALUE_SCALAR || !strchr(value->text, '%')) {
        schema_refuse(value, value->key,
                      "all or a chance such as 5% (a filter goes under "
                      "filter:)",
                      s->diagnostics);
        return;
    }
    if (value_find(map, "probability"))
        diagnostics_add(s->diagnostics, value->place,
                        "%s: the chance is here and under probability",
                        value->key);
    if (schema_read_number(value, value->key, &chance_row, &chance,
                           s->diagnostics))
        fate->select.probability = (chance_t)chance;
}

static bool read_impairment(struct scenario *s, const struct value *map,
                            bool is_point_to_point,
                            struct impairment_config *out)
{
    size_t before = diagnostics_count(s->diagnostics);
    enum impairment_action action = IMPAIR_DROP;
    if (map->kind != VALUE_MAP) {
        schema_refuse(map, "impairments", "a map such as {drop: all, nth: 3}",
                      s->diagnostics);
        return false;
    }
    const struct value *value = find_action(s, map, &action);
    struct impairment_config fate = fresh(action);
    schema_read(&impairment_schema, map, NULL, &fate, s->diagnostics);
    if (!value)
        return false;
    read_victims(s, map, value, &fate);
    read_selection(s, map, is_point_to_point, &fate);
    check_limited(s, map, action);
    if (action == IMPAIR_DELAY && !fate.delay && !fate.jitter)
        diagnostics_add(s->diagnostics, map->place,
                        "delay: by how much? Write {delay: all, by: 20ms}");
    *out = fate;
    return diagnostics_count(s->diagnostics) == before;
}

void read_impairments(struct scenario *s, const struct value *list,
                      bool is_point_to_point, struct direction_spec *out)
{
    out->list_count = 0;
    if (!value_is_list(list)) {
        schema_refuse(list, "impairments", "a list of impairments",
                      s->diagnostics);
        return;
    }
    out->list =
        document_alloc(s->document, (list->count + 1) * sizeof *out->list);
    for (const struct value *v = list->items; v; v = v->next)
        if (read_impairment(s, v, is_point_to_point,
                            &out->list[out->list_count]))
            out->list_count++;
}
