// A tree of values with their places: what YAML, Lua tables and --set become.
// SPDX-License-Identifier: MIT
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

// Theory of operation
//
// Three sources describe networks: a YAML file, a Lua table, and --set on the
// command line. Each is turned into this tree; one schema (schema.h) then
// checks the tree and fills the scenario. So a key means the same, is checked
// the same way and is complained about in the same words wherever it is
// written. Numbers stay text until the schema knows their unit.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct place {
    const char *file;      // as the user gave it; "--set links.wan.loss" for
                           // options; owned by the document
    unsigned line, column; // from 1; 0: not known
};

enum value_kind { VALUE_NULL, VALUE_SCALAR, VALUE_LIST, VALUE_MAP };

struct value {
    enum value_kind kind;
    struct place place;
    const char *text;         // scalar
    bool is_quoted;           // a quoted scalar is never null
    struct value *items;      // list or map: children in order of the file
    struct value **items_end; // where the next child goes
    size_t count;             // children
    struct value *next;       // among siblings
    const char *key;          // of a child of a map
    struct place key_place;
    struct document *document;
    struct names *index; // of a map, by key
};

// Owns every value and string of one scenario. Memory for reading a scenario is
// taken here alone; a program that cannot have it says so and ends with exit
// status 3, so that no reader has a second way to fail.
struct document;
struct document *document_create(void);
void document_destroy(struct document *document);
struct value *value_create(struct document *document, enum value_kind kind,
                           struct place place);
struct value *value_scalar(struct document *document, const char *text,
                           struct place place);
// The child of a map has its key and key_place set; a key that is there already
// stays what value_find answers.
void value_append(struct value *list_or_map, struct value *child);
struct value *value_find(const struct value *map,
                         const char *key); // NULL: none
// The whole tree again, in another document.
struct value *value_copy(struct document *document, const struct value *value);
// A list, or what an empty one looks like in YAML (nothing) and in Lua (a table
// without entries).
bool value_is_list(const struct value *value);
// A copy that lives as long.
const char *document_string(struct document *document, const char *text);
const char *document_format(struct document *document, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// Zeroed memory that lives as long, aligned for anything.
void *document_alloc(struct document *document, size_t size);

// Mistakes of a scenario, collected so that all are told at once. Kept sorted
// by place.
struct diagnostics;
struct diagnostics *diagnostics_create(void);
void diagnostics_destroy(struct diagnostics *diagnostics);
// text: one sentence, what was found and what was expected, without place or
// full stop's newline.
void diagnostics_add(struct diagnostics *diagnostics, struct place place,
                     const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t diagnostics_count(const struct diagnostics *diagnostics);
// n-th in order of place: "scenarios/a.yaml:3:5: unknown key 'dely'; did you
// mean 'delay'?"
const char *diagnostics_text(const struct diagnostics *diagnostics, size_t n);

// The nearest of the known words within a small edit distance; NULL: none is
// near.
const char *suggest_word(const char *word, const char *const *known,
                         size_t count);

// Reads a YAML file (or text: name is what places say). NULL with diagnostics
// where it is no YAML; a key that is twice, an anchor or a tag is a mistake
// that leaves the rest to be looked at. *io_error is set to a negative errno
// when the file could not be read (then no diagnostics).
struct value *yaml_load_file(struct document *document, const char *path,
                             struct diagnostics *diagnostics, int *io_error);
struct value *yaml_load_text(struct document *document, const char *name,
                             const char *text, size_t length,
                             struct diagnostics *diagnostics);

// --set PATH=VALUE: PATH is keys joined by dots ("links.wan.loss",
// "apps.0.bytes"); VALUE is YAML flow syntax. Makes missing maps. Mistakes go
// to diagnostics with the option as place.
void value_set_path(struct document *document, struct value *root,
                    const char *assignment, struct diagnostics *diagnostics);

// Units as people write them. 0, -EINVAL (syntax or unit missing), -ERANGE.
// Decimal and binary prefixes; fractions are exact where the result is an
// integer, otherwise rounded to nearest.
int parse_time(const char *text,
               int64_t *ns); // "20ms", "1.5s", "10us", "1h30m", "0"
int parse_rate(const char *text,
               uint64_t *bps); // "10Mbit", "1.5Gbit", "64kbit", "2Mbps" is
                               // refused with MB/s ambiguity
int parse_size(const char *text,
               uint64_t *bytes); // "10MB", "64KiB", "1500", "1500B"
int parse_chance(
    const char *text,
    uint64_t *chance); // "1.5%", "0.1%", "0", "1": fractions need %
int parse_integer(const char *text,
                  int64_t *number);            // "42", "-1", "0x1f", "1_000"
int parse_boolean(const char *text, bool *on); // on/off, yes/no, true/false
char *format_time(int64_t ns, char *out,
                  size_t size); // "20ms", "1.5s": shortest exact form
char *format_rate(uint64_t bps, char *out, size_t size);
char *format_size(uint64_t bytes, char *out, size_t size);
char *format_chance(uint64_t chance, char *out, size_t size);

#endif
