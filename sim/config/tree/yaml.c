// Reads YAML into a tree of values.
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "sim/config/tree/value.h"
#include "sim/config/tree/yaml.h"

// Theory of operation
//
// libyaml gives events; each becomes a value with the place where it begins.
// YAML can do more than a scenario may: anchors and aliases (a few lines can
// mean gigabytes), tags, several documents, keys that are no words, keys that
// come twice, any nesting. Each of these is refused with a sentence. What does
// not spoil the structure is recorded and the reading goes on, so that the
// mistakes behind it are told too; broken syntax ends it.

#define DEEPEST      32
#define LARGEST_FILE ((size_t)64 << 20)

struct loader {
    yaml_parser_t parser;
    struct document *document;
    struct diagnostics *diagnostics;
    const char *name;
    bool has_places; // false: everything is at the name itself
    bool is_broken;  // nothing more can be read
};

static struct place place_of(const struct loader *l, yaml_mark_t mark)
{
    struct place place = {l->name, 0, 0};
    if (l->has_places) {
        place.line = (unsigned)mark.line + 1;
        place.column = (unsigned)mark.column + 1;
    }
    return place;
}

static void say_syntax_error(struct loader *l)
{
    const yaml_parser_t *p = &l->parser;
    const char *problem = p->problem ? p->problem : "it cannot be read";
    l->is_broken = true;
    if (p->error == YAML_MEMORY_ERROR) {
        diagnostics_add(l->diagnostics, (struct place){l->name, 0, 0},
                        "no memory is left for reading YAML");
    } else if (p->error == YAML_READER_ERROR) {
        struct place place = place_of(l, p->mark);
        diagnostics_add(l->diagnostics, place,
                        "not UTF-8 text: %s (byte %zu of the file)", problem,
                        p->problem_offset + 1);
    } else {
        diagnostics_add(l->diagnostics, place_of(l, p->problem_mark),
                        "not valid YAML: %s%s%s", problem,
                        p->context ? " " : "", p->context ? p->context : "");
    }
}

static bool next_event(struct loader *l, yaml_event_t *event)
{
    if (yaml_parser_parse(&l->parser, event))
        return true;
    say_syntax_error(l);
    return false;
}

static bool is_null_word(const char *text)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static void refuse_extras(struct loader *l, struct place place,
                          const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        diagnostics_add(l->diagnostics, place,
                        "anchor '&%s': a scenario has no anchors and aliases; "
                        "write the value where it is used",
                        (const char *)anchor);
    if (tag)
        diagnostics_add(l->diagnostics, place,
                        "tag '%s': a scenario has no tags; the key says what "
                        "its value is",
                        (const char *)tag);
}

static struct value *load_scalar(struct loader *l, const yaml_event_t *event)
{
    struct place place = place_of(l, event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    bool is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    refuse_extras(l, place, event->data.scalar.anchor, event->data.scalar.tag);
    if (strlen(text) != event->data.scalar.length)
        diagnostics_add(l->diagnostics, place,
                        "a character with the code 0 has no place in a text");
    if (!is_quoted && is_null_word(text))
        return value_create(l->document, VALUE_NULL, place);
    struct value *value = value_scalar(l->document, text, place);
    value->is_quoted = is_quoted;
    return value;
}

static struct value *load_node(struct loader *l, const yaml_event_t *event,
                               unsigned depth);

static struct value *load_list(struct loader *l, const yaml_event_t *event,
                               unsigned depth)
{
    struct place place = place_of(l, event->start_mark);
    refuse_extras(l, place, event->data.sequence_start.anchor,
                  event->data.sequence_start.tag);
    struct value *list = value_create(l->document, VALUE_LIST, place);
    yaml_event_t child;
    while (!l->is_broken && next_event(l, &child)) {
        bool is_end = child.type == YAML_SEQUENCE_END_EVENT;
        if (!is_end)
            value_append(list, load_node(l, &child, depth));
        yaml_event_delete(&child);
        if (is_end)
            break;
    }
    return list;
}

// The key of the next pair; its value follows. NULL: no key that could be
// used, its value is to be skipped.
static const char *check_key(struct loader *l, const struct value *map,
                             const struct value *key)
{
    if (key->kind != VALUE_SCALAR) {
        if (!l->is_broken)
            diagnostics_add(l->diagnostics, key->place,
                            "a key must be a single word");
        return NULL;
    }
    const struct value *earlier = value_find(map, key->text);
    if (earlier && !l->has_places) {
        diagnostics_add(l->diagnostics, key->place, "key '%s' is here twice",
                        key->text);
        return NULL;
    }
    if (earlier) {
        diagnostics_add(l->diagnostics, key->place,
                        "key '%s' is here twice; the first is in line %u",
                        key->text, earlier->key_place.line);
        return NULL;
    }
    return key->text;
}

static void load_pair(struct loader *l, struct value *map,
                      const yaml_event_t *key_event, unsigned depth)
{
    const struct value *key = load_node(l, key_event, depth);
    const char *word = check_key(l, map, key);
    yaml_event_t event;
    if (l->is_broken || !next_event(l, &event))
        return;
    struct value *child = load_node(l, &event, depth);
    yaml_event_delete(&event);
    if (!word)
        return;
    child->key = word;
    child->key_place = key->place;
    value_append(map, child);
}

static struct value *load_map(struct loader *l, const yaml_event_t *event,
                              unsigned depth)
{
    struct place place = place_of(l, event->start_mark);
    refuse_extras(l, place, event->data.mapping_start.anchor,
                  event->data.mapping_start.tag);
    struct value *map = value_create(l->document, VALUE_MAP, place);
    yaml_event_t key;
    while (!l->is_broken && next_event(l, &key)) {
        bool is_end = key.type == YAML_MAPPING_END_EVENT;
        if (!is_end)
            load_pair(l, map, &key, depth);
        yaml_event_delete(&key);
        if (is_end)
            break;
    }
    return map;
}

static struct value *load_node(struct loader *l, const yaml_event_t *event,
                               unsigned depth)
{
    struct place place = place_of(l, event->start_mark);
    if (depth >= DEEPEST) {
        diagnostics_add(l->diagnostics, place,
                        "nested deeper than %d levels; no part of a scenario "
                        "is so deep",
                        DEEPEST);
        l->is_broken = true;
        return value_create(l->document, VALUE_NULL, place);
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return load_scalar(l, event);
    case YAML_SEQUENCE_START_EVENT:
        return load_list(l, event, depth + 1);
    case YAML_MAPPING_START_EVENT:
        return load_map(l, event, depth + 1);
    default: // an alias; nothing else can stand here
        diagnostics_add(l->diagnostics, place,
                        "alias '*%s': a scenario has no anchors and aliases; "
                        "write the value where it is used",
                        (const char *)event->data.alias.anchor);
        return value_create(l->document, VALUE_NULL, place);
    }
}

// Stream and document events around the one node of the document.
static struct value *load_stream(struct loader *l)
{
    struct value *root = NULL;
    yaml_event_t event;
    bool is_end = false;
    unsigned documents = 0;
    while (!l->is_broken && !is_end && next_event(l, &event)) {
        is_end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT && ++documents > 1) {
            diagnostics_add(l->diagnostics, place_of(l, event.start_mark),
                            "a second document begins here; a scenario is "
                            "one document");
            l->is_broken = true;
        } else if (event.type != YAML_STREAM_START_EVENT &&
                   event.type != YAML_DOCUMENT_START_EVENT &&
                   event.type != YAML_DOCUMENT_END_EVENT && !is_end) {
            root = load_node(l, &event, 0);
        }
        yaml_event_delete(&event);
    }
    return l->is_broken ? NULL : root;
}

struct value *yaml_load(struct document *document, const char *name,
                        bool has_places, const char *text, size_t length,
                        struct diagnostics *diagnostics)
{
    size_t before = diagnostics_count(diagnostics);
    struct loader l = {.document = document,
                       .diagnostics = diagnostics,
                       .name = document_string(document, name),
                       .has_places = has_places};
    if (!yaml_parser_initialize(&l.parser)) {
        diagnostics_add(diagnostics, (struct place){l.name, 0, 0},
                        "no memory is left for reading YAML");
        return NULL;
    }
    yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text,
                                 length);
    struct value *root = load_stream(&l);
    yaml_parser_delete(&l.parser);
    if (!root && diagnostics_count(diagnostics) == before)
        diagnostics_add(diagnostics, (struct place){l.name, 0, 0},
                        "there is nothing in it");
    return root;
}

struct value *yaml_load_text(struct document *document, const char *name,
                             const char *text, size_t length,
                             struct diagnostics *diagnostics)
{
    return yaml_load(document, name, true, text, length, diagnostics);
}

// The whole file, to be freed. Negative errno.
static int read_file(const char *path, char **text, size_t *length)
{
    int file = open(path, O_RDONLY | O_CLOEXEC), error = 0;
    if (file < 0)
        return -errno;
    size_t used = 0, size = 0;
    char *buffer = NULL;
    for (;;) {
        if (used == size) {
            size = size ? size * 2 : 16384;
            char *larger = size > LARGEST_FILE ? NULL : realloc(buffer, size);
            error = larger ? 0 : size > LARGEST_FILE ? -EFBIG : -ENOMEM;
            if (error)
                break;
            buffer = larger;
        }
        ssize_t n = read(file, buffer + used, size - used);
        error = n < 0 ? -errno : 0;
        if (n == 0 || (error && error != -EINTR))
            break;
        used += n > 0 ? (size_t)n : 0;
    }
    close(file);
    if (error) {
        free(buffer);
        return error;
    }
    *text = buffer;
    *length = used;
    return 0;
}

struct value *yaml_load_file(struct document *document, const char *path,
                             struct diagnostics *diagnostics, int *io_error)
{
    char *text = NULL;
    size_t length = 0;
    int error = read_file(path, &text, &length);
    if (error) {
        *io_error = error;
        return NULL;
    }
    struct value *root =
        yaml_load_text(document, path, text, length, diagnostics);
    free(text);
    return root;
}
