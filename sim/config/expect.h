// Quantities of results, and conditions on them.
// SPDX-License-Identifier: MIT
#ifndef CONFIG_EXPECT_H
#define CONFIG_EXPECT_H

#include "sim/config/tree/schema.h"
#include "sim/sim.h"

// What a quantity is looked up in.
enum subject_kind {
    SUBJECT_RUN,
    SUBJECT_APP,
    SUBJECT_LINK,
    SUBJECT_HOST,
    SUBJECT_FLOW,
    SUBJECT_KIND_COUNT
};

struct subject {
    enum subject_kind kind;
    const struct sim *sim;
    const struct app *app;
    const struct link *link;
    int direction; // of the link; -1: both together
    const struct host *host;
    const struct flow *flow;
    bool is_server; // which end of the flow
};

// A figure, or a word where kind is KEY_TEXT.
struct figure {
    enum key_kind kind;
    int64_t number; // KEY_TIME: NS_NEVER where it never happened
    const char *word;
};

// The kind of the quantity of that name; false: there is none.
bool quantity_kind(enum subject_kind subject, const char *name,
                   enum key_kind *kind);
// Its value in the results.
struct figure quantity_get(const struct subject *subject, const char *name);
// All names; *count of them, in the document.
const char *const *quantity_names(enum subject_kind subject,
                                  struct document *document, size_t *count);
const char *quantity_doc(enum subject_kind subject, const char *name);

enum comparison {
    IS_EQUAL,
    IS_NOT_EQUAL,
    IS_LESS,
    IS_AT_MOST,
    IS_MORE,
    IS_AT_LEAST,
    IS_BETWEEN // both included
};
struct condition {
    enum comparison comparison;
    int64_t low, high; // high: IS_BETWEEN
    const char *word;
};

// "10MB", "> 0", "!= ESTABLISHED", "1..20". False with a mistake.
bool condition_read(const struct value *value, const char *name,
                    enum key_kind kind, struct condition *out,
                    struct diagnostics *diagnostics);
bool condition_holds(const struct condition *condition,
                     const struct figure *figure);
// The figure as people write it. out: at least 64 bytes.
char *figure_format(const struct figure *figure, char *out, size_t size);

#endif
