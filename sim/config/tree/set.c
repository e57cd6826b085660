// Assignments from the command line: --set PATH=VALUE.
// SPDX-License-Identifier: MIT
#include <string.h>

#include "sim/config/tree/value.h"
#include "sim/config/tree/yaml.h"

struct assignment {
    struct document *document;
    struct diagnostics *diagnostics;
    struct place place; // the option itself
    const char *path;   // what is left of it
};

static struct value *step_into_list(struct assignment *a, struct value *list,
                                    const char *word)
{
    int64_t n;
    if (parse_integer(word, &n) != 0 || n < 0) {
        diagnostics_add(a->diagnostics, a->place,
                        "'%s' is not the number of an element; a list is here "
                        "and its elements count from 0",
                        word);
        return NULL;
    }
    if ((uint64_t)n > list->count) {
        diagnostics_add(a->diagnostics, a->place,
                        "there is no element %s; the list has %zu, counted "
                        "from 0",
                        word, list->count);
        return NULL;
    }
    struct value *child = list->items;
    for (int64_t i = 0; child && i < n; i++)
        child = child->next;
    if (!child) {
        child = value_create(a->document, VALUE_NULL, a->place);
        value_append(list, child);
    }
    return child;
}

static struct value *step_into_map(struct assignment *a, struct value *map,
                                   const char *word)
{
    struct value *child = value_find(map, word);
    if (child)
        return child;
    child = value_create(a->document, VALUE_NULL, a->place);
    child->key = document_string(a->document, word);
    child->key_place = a->place;
    value_append(map, child);
    return child;
}

// The next word of the path. A name may have dots in it: the longest one that
// the map knows wins, and without any the first dot ends the word.
static const char *take_word(struct assignment *a, const struct value *value)
{
    const char *path = a->path;
    size_t length = strcspn(path, ".");
    for (size_t end = strlen(path); end > length; end--) {
        if (path[end] && path[end] != '.')
            continue;
        if (value_find(value,
                       document_format(a->document, "%.*s", (int)end, path))) {
            length = end;
            break;
        }
    }
    a->path = path + length + (path[length] == '.');
    return document_format(a->document, "%.*s", (int)length, path);
}

// The value that one more word of the path leads to; NULL with a mistake.
static struct value *step(struct assignment *a, struct value *value)
{
    const char *word = take_word(a, value);
    if (!*word) {
        diagnostics_add(a->diagnostics, a->place,
                        "a word of the path is empty; write --set "
                        "links.wan.loss=5%%");
        return NULL;
    }
    if (value->kind == VALUE_NULL)
        value->kind = VALUE_MAP;
    if (value->kind == VALUE_MAP)
        return step_into_map(a, value, word);
    if (value->kind == VALUE_LIST)
        return step_into_list(a, value, word);
    diagnostics_add(a->diagnostics, a->place,
                    "'%s' cannot be looked up in '%s', which is a single value",
                    word, value->text);
    return NULL;
}

// The target keeps its place among its siblings and its key.
static void replace(struct value *target, const struct value *by)
{
    target->kind = by->kind;
    target->place = by->place;
    target->text = by->text;
    target->is_quoted = by->is_quoted;
    target->items = by->items;
    target->items_end = by->items ? by->items_end : &target->items;
    target->count = by->count;
    target->index = by->index;
}

void value_set_path(struct document *document, struct value *root,
                    const char *assignment, struct diagnostics *diagnostics)
{
    const char *equals = strchr(assignment, '=');
    size_t length = equals ? (size_t)(equals - assignment) : 0;
    struct assignment a = {.document = document, .diagnostics = diagnostics};
    a.path = document_format(document, "%.*s", (int)length, assignment);
    a.place.file =
        document_format(document, "--set %s", length ? a.path : assignment);
    if (!length) {
        diagnostics_add(diagnostics, a.place,
                        "expected PATH=VALUE, such as links.wan.loss=5%%");
        return;
    }
    const char *text = equals + 1;
    struct value *by = value_create(document, VALUE_NULL, a.place);
    if (*text)
        by = yaml_load(document, a.place.file, false, text, strlen(text),
                       diagnostics);
    if (!by)
        return;
    struct value *target = root;
    do
        target = step(&a, target);
    while (target && *a.path);
    if (target)
        replace(target, by);
}
