// Tables of keys: what a map of a scenario may contain.
// SPDX-License-Identifier: MIT
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

// Theory of operation
//
// Each kind of map in a scenario (a link, a queue, an application) has one
// table with a row per key: what it is called, what kind of value it has, in
// what range, what it means when it is left out, and where the answer goes.
// Checking a file, suggesting a word, printing the network and the reference
// all read the same rows, so that none of them can know a key that another does
// not. What a row cannot say (a list of addresses, a map within the map) is
// KEY_OTHER: its section reads it itself, and the row documents it.

#include "sim/config/tree/value.h"

enum key_kind {
    KEY_BOOLEAN,
    KEY_INTEGER,
    KEY_TIME,
    KEY_RATE,
    KEY_SIZE,
    KEY_CHANCE,
    KEY_WORD, // one of schema_key.words
    KEY_TEXT, // const char *
    KEY_OTHER,
};

struct schema_key {
    const char *name;
    enum key_kind kind;
    size_t offset;            // of the field that takes the value
    size_t width;             // of that field; 0: the section reads it
    int64_t minimum, maximum; // numbers; both 0: any that is not negative, and
                              // at most TIME_MOST
    const char *const *words; // KEY_WORD: ends with NULL; the value is the
                              // index. Numbers: [0] stands for 0
    const char *form;         // KEY_OTHER: what is written, for the reference
    const char *initial;      // meaning when left out; NULL: must be given
    const char *doc, *source; // source: RFC or whose value; NULL: ours
};
// A hundred years: sums of a few times still fit 64 bits.
#define TIME_MOST           INT64_C(3155760000000000000)
#define FIELD(type, member) offsetof(type, member), sizeof(((type *)0)->member)

struct schema {
    const char *name; // of the section in the reference
    const char *what; // "a link"
    const char *doc;
    const struct schema_key *keys;
    size_t count;
    const struct schema *also; // its keys may stand in the same map; NULL
};

// Words that are keys besides those of the table ("from-client").
struct extra_keys {
    const char *words[4];
    size_t count;
};

// Checks that `map` is a map whose keys are known, and reads each key that its
// row can read into the field of `out`; what is not written stays as it was.
// extra may be NULL. False when there was a mistake.
bool schema_read(const struct schema *schema, const struct value *map,
                 const struct extra_keys *extra, void *out,
                 struct diagnostics *diagnostics);

// The same without a word about keys that the table does not know: for a map
// that several tables share.
bool schema_read_part(const struct schema *schema, const struct value *map,
                      void *out, struct diagnostics *diagnostics);

const struct schema_key *schema_find(const struct schema *schema,
                                     const char *name); // NULL: none

// One number of a kind with its mistakes told. name: of the key, for the
// sentence. False: nothing changed.
bool schema_read_number(const struct value *value, const char *name,
                        const struct schema_key *row, int64_t *out,
                        struct diagnostics *diagnostics);
// A single text that is not empty.
bool schema_read_text(const struct value *value, const char *name,
                      const char **out, struct diagnostics *diagnostics);

// Tells that `value` is not what is expected: "expected ..., not a list".
void schema_refuse(const struct value *value, const char *name,
                   const char *expected, struct diagnostics *diagnostics);
// "; did you mean 'x'?" or "; " and `otherwise`, or nothing.
const char *schema_hint(struct document *document, const char *word,
                        const char *const *known, size_t count,
                        const char *otherwise);

// What stands in the field of a row.
int64_t schema_get(const struct schema_key *row, const void *from);
// The number as it is written in a file. out: at least 40 bytes.
char *schema_format(enum key_kind kind, int64_t value, char *out, size_t size);
const char *key_kind_name(enum key_kind kind); // "time", "chance"

// "a map", "a list", "'text'", "nothing"
const char *value_describe(const struct value *value);

#endif
