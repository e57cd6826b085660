// Checks maps against their tables of keys.
// SPDX-License-Identifier: MIT
#include "sim/config/tree/schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// --- Kinds of values --------------------------------------------------------

struct kind_row {
    const char *name, *what, *example;
    bool needs_unit; // a bare number is refused
    const char *unit;
};
static const struct kind_row kinds[] = {
    [KEY_BOOLEAN] = {"on/off", "on or off", "on", false, ""},
    [KEY_INTEGER] = {"number", "a whole number", "10", false, ""},
    [KEY_TIME] = {"time", "a time", "20ms", true, "ms"},
    [KEY_RATE] = {"rate", "a rate in bits a second", "10Mbit", true, "Mbit"},
    [KEY_SIZE] = {"size", "a size in bytes", "64KiB", false, ""},
    [KEY_CHANCE] = {"chance", "a chance", "1.5%", true, "%"},
    [KEY_WORD] = {"word", "a word", NULL, false, ""},
    [KEY_TEXT] = {"text", "a text", NULL, false, ""},
    [KEY_OTHER] = {"", "", NULL, false, ""},
};

const char *key_kind_name(enum key_kind kind) { return kinds[kind].name; }

static int fit(uint64_t number, int64_t *out)
{
    if (number > INT64_MAX)
        return -ERANGE;
    *out = (int64_t)number;
    return 0;
}

static int parse_number(enum key_kind kind, const char *text, int64_t *out)
{
    uint64_t number = 0;
    bool on = false;
    int error = -EINVAL;
    switch (kind) {
    case KEY_BOOLEAN:
        error = parse_boolean(text, &on);
        number = on;
        break;
    case KEY_INTEGER:
        return parse_integer(text, out);
    case KEY_TIME:
        return parse_time(text, out);
    case KEY_RATE:
        error = parse_rate(text, &number);
        break;
    case KEY_SIZE:
        error = parse_size(text, &number);
        break;
    case KEY_CHANCE:
        error = parse_chance(text, &number);
        break;
    default:
        break;
    }
    return error ? error : fit(number, out);
}

char *schema_format(enum key_kind kind, int64_t value, char *out, size_t size)
{
    switch (kind) {
    case KEY_BOOLEAN:
        snprintf(out, size, "%s", value ? "on" : "off");
        return out;
    case KEY_TIME:
        return format_time(value, out, size);
    case KEY_RATE:
        return format_rate((uint64_t)value, out, size);
    case KEY_SIZE:
        return format_size((uint64_t)value, out, size);
    case KEY_CHANCE:
        return format_chance((uint64_t)value, out, size);
    default:
        snprintf(out, size, "%" PRId64, value);
        return out;
    }
}

// --- Sentences --------------------------------------------------------------

const char *value_describe(const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        return "nothing";
    case VALUE_LIST:
        return "a list";
    case VALUE_MAP:
        return "a map";
    default:
        return document_format(value->document, "'%s'", value->text);
    }
}

void schema_refuse(const struct value *value, const char *name,
                   const char *expected, struct diagnostics *diagnostics)
{
    diagnostics_add(diagnostics, value->place, "%s: expected %s, not %s", name,
                    expected, value_describe(value));
}

// Beyond this many words nobody wants to be told all, nor to wait for a search.
#define WORDS_TO_LIST   24
#define WORDS_TO_SEARCH 5000

static const char *list_words(struct document *document,
                              const char *const *known, size_t count)
{
    const char *all = "";
    for (size_t i = 0; i < count; i++)
        all = document_format(document, "%s%s%s", all, i ? ", " : "", known[i]);
    return all;
}

const char *schema_hint(struct document *document, const char *word,
                        const char *const *known, size_t count,
                        const char *otherwise)
{
    const char *near =
        count <= WORDS_TO_SEARCH ? suggest_word(word, known, count) : NULL;
    if (near)
        return document_format(document, "; did you mean '%s'?", near);
    if (!otherwise || count == 0 || count > WORDS_TO_LIST)
        return "";
    return document_format(document, "; %s %s", otherwise,
                           list_words(document, known, count));
}

static bool is_bare_number(const char *text)
{
    return *text && text[strspn(text, "0123456789.")] == '\0';
}

static bool is_zero(const char *text) { return strcmp(text, "0") == 0; }

static void say_unreadable(const struct value *value, const char *name,
                           enum key_kind kind, struct diagnostics *diagnostics)
{
    const struct kind_row *row = &kinds[kind];
    if (row->needs_unit && is_bare_number(value->text))
        diagnostics_add(diagnostics, value->place,
                        "%s: '%s' needs a unit, such as %s%s", name,
                        value->text, value->text, row->unit);
    else if (kind == KEY_BOOLEAN)
        diagnostics_add(diagnostics, value->place,
                        "%s: expected on or off, not '%s'", name, value->text);
    else
        diagnostics_add(diagnostics, value->place,
                        "%s: expected %s, such as %s, not '%s'", name,
                        row->what, row->example, value->text);
}

static int64_t maximum_of(const struct schema_key *row)
{
    if (row->minimum || row->maximum)
        return row->maximum;
    return row->kind == KEY_CHANCE ? INT64_C(1) << 32
           : row->kind == KEY_TIME ? TIME_MOST
                                   : INT64_MAX - 1;
}

static void say_range(const struct value *value, const char *name,
                      const struct schema_key *row,
                      struct diagnostics *diagnostics)
{
    char low[48], high[48];
    schema_format(row->kind, row->minimum, low, sizeof low);
    if (maximum_of(row) >= INT64_MAX - 1)
        diagnostics_add(diagnostics, value->place,
                        "%s: '%s' is out of range; expected %s or more", name,
                        value->text, low);
    else
        diagnostics_add(
            diagnostics, value->place,
            "%s: '%s' is out of range; expected %s to %s", name, value->text,
            low, schema_format(row->kind, maximum_of(row), high, sizeof high));
}

// --- Reading ----------------------------------------------------------------

static size_t word_count(const char *const *words)
{
    size_t count = 0;
    while (words && words[count])
        count++;
    return count;
}

static bool read_word(const struct value *value, const char *name,
                      const struct schema_key *row, int64_t *out,
                      struct diagnostics *diagnostics)
{
    size_t count = word_count(row->words);
    for (size_t i = 0; i < count; i++)
        if (strcmp(value->text, row->words[i]) == 0) {
            *out = (int64_t)i;
            return true;
        }
    diagnostics_add(diagnostics, value->place, "%s: unknown word '%s'%s", name,
                    value->text,
                    schema_hint(value->document, value->text, row->words, count,
                                "expected one of"));
    return false;
}

bool schema_read_number(const struct value *value, const char *name,
                        const struct schema_key *row, int64_t *out,
                        struct diagnostics *diagnostics)
{
    const struct kind_row *kind = &kinds[row->kind];
    int64_t number;
    if (value->kind != VALUE_SCALAR) {
        schema_refuse(value, name, kind->what, diagnostics);
        return false;
    }
    if (row->kind == KEY_WORD)
        return read_word(value, name, row, out, diagnostics);
    if (row->words && strcmp(value->text, row->words[0]) == 0) {
        *out = 0;
        return true;
    }
    int error = parse_number(row->kind, value->text, &number);
    if (error == -EINVAL && is_zero(value->text) && row->minimum > 0)
        error = -ERANGE; // in whatever unit
    if (error == -EINVAL) {
        say_unreadable(value, name, row->kind, diagnostics);
        return false;
    }
    if (error || number < row->minimum || number > maximum_of(row)) {
        say_range(value, name, row, diagnostics);
        return false;
    }
    *out = number;
    return true;
}

bool schema_read_text(const struct value *value, const char *name,
                      const char **out, struct diagnostics *diagnostics)
{
    if (value->kind != VALUE_SCALAR || !*value->text) {
        schema_refuse(value, name, "a text", diagnostics);
        return false;
    }
    *out = value->text;
    return true;
}

static void store(const struct schema_key *row, void *out, int64_t number)
{
    char *field = (char *)out + row->offset;
    switch (row->width) {
    case 1:
        *(uint8_t *)field = (uint8_t)number;
        break;
    case 2:
        *(uint16_t *)field = (uint16_t)number;
        break;
    case 4:
        *(uint32_t *)field = (uint32_t)number;
        break;
    default:
        *(int64_t *)field = number;
    }
}

int64_t schema_get(const struct schema_key *row, const void *from)
{
    const char *field = (const char *)from + row->offset;
    uint32_t narrow;
    uint16_t short_number;
    int64_t wide;
    switch (row->width) {
    case 1:
        return *(const uint8_t *)field;
    case 2:
        memcpy(&short_number, field, sizeof short_number);
        return short_number;
    case 4:
        memcpy(&narrow, field, sizeof narrow);
        return narrow;
    default:
        memcpy(&wide, field, sizeof wide);
        return wide;
    }
}

static bool read_key(const struct schema_key *row, const struct value *value,
                     void *out, struct diagnostics *diagnostics)
{
    int64_t number;
    const char *text;
    if (row->width == 0)
        return true;
    if (row->kind == KEY_TEXT) {
        if (!schema_read_text(value, row->name, &text, diagnostics))
            return false;
        memcpy((char *)out + row->offset, &text, sizeof text);
        return true;
    }
    if (!schema_read_number(value, row->name, row, &number, diagnostics))
        return false;
    store(row, out, number);
    return true;
}

const struct schema_key *schema_find(const struct schema *schema,
                                     const char *name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->keys[i].name, name) == 0)
            return &schema->keys[i];
    return NULL;
}

static bool is_known_elsewhere(const struct schema *schema,
                               const struct extra_keys *extra, const char *name)
{
    if (schema->also && schema_find(schema->also, name))
        return true;
    for (size_t i = 0; extra && i < extra->count; i++)
        if (strcmp(extra->words[i], name) == 0)
            return true;
    return false;
}

static void say_unknown_key(const struct schema *schema,
                            const struct extra_keys *extra,
                            const struct value *child,
                            struct diagnostics *diagnostics)
{
    const char *known[128];
    size_t count = 0;
    for (const struct schema *t = schema; t; t = t->also)
        for (size_t i = 0; i < t->count && count < 120; i++)
            known[count++] = t->keys[i].name;
    for (size_t i = 0; extra && i < extra->count; i++)
        known[count++] = extra->words[i];
    const char *otherwise =
        document_format(child->document, "%s has", schema->what);
    diagnostics_add(
        diagnostics, child->key_place, "unknown key '%s'%s", child->key,
        schema_hint(child->document, child->key, known, count, otherwise));
}

bool schema_read(const struct schema *schema, const struct value *map,
                 const struct extra_keys *extra, void *out,
                 struct diagnostics *diagnostics)
{
    bool is_good = true;
    if (map->kind == VALUE_NULL)
        return true;
    if (map->kind != VALUE_MAP) {
        schema_refuse(map, schema->name, "a map", diagnostics);
        return false;
    }
    for (const struct value *v = map->items; v; v = v->next) {
        const struct schema_key *row = schema_find(schema, v->key);
        if (row) {
            is_good &= read_key(row, v, out, diagnostics);
        } else if (!is_known_elsewhere(schema, extra, v->key)) {
            say_unknown_key(schema, extra, v, diagnostics);
            is_good = false;
        }
    }
    return is_good;
}

bool schema_read_part(const struct schema *schema, const struct value *map,
                      void *out, struct diagnostics *diagnostics)
{
    bool is_good = true;
    for (size_t i = 0; i < schema->count; i++) {
        const struct value *value = value_find(map, schema->keys[i].name);
        if (value)
            is_good &= read_key(&schema->keys[i], value, out, diagnostics);
    }
    return is_good;
}
