// The small language between %{ and }%: assertions on a connection's variables.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_EXPRESSION_H
#define PACKETDRILL_EXPRESSION_H

// Theory of operation
//
// The reference tool hands these snippets to Python; scripts use a corner of
// it, which is what this evaluator knows:
//
//      statements   = statement { newline | ";" statement }
//      statement    = "assert" e [ "," e ] | "print" e | name ("="|"+="|"-=") e
//      e            = or; "and"; "not"; chained comparisons; "|"; "^"; "&";
//                     "<<" ">>"; "+" "-"; "*" "//" "/" "%"; unary "-" "~"
//      operand      = integer | 'text' | name | "(" e ")"
//
// Values are integers or texts; % with a text on its left formats. "#" begins
// a comment, a backslash joins lines. There is nothing that loops.
//
// Names are looked up among the snippet's own variables, which live as long as
// the script, then by the caller, then among the constants.

#include "sim/packetdrill/language/ast.h"

enum { CODE_NAME_SIZE = 40, CODE_TEXT_SIZE = 120, CODE_MAX_VARIABLES = 64 };

struct code_variables {
    size_t count;
    struct {
        char name[CODE_NAME_SIZE];
        int64_t value;
    } list[CODE_MAX_VARIABLES];
};

enum code_outcome {
    CODE_HOLDS,
    CODE_FAILS,       // an assertion does not hold
    CODE_UNSUPPORTED, // a name or a form that this evaluator does not know
};

enum code_lookup { LOOKUP_FOUND, LOOKUP_UNKNOWN };

struct code_context {
    struct code_variables *variables;
    // A tcpi_ name. NULL: none exist.
    enum code_lookup (*find)(void *context, const char *name, int64_t *value);
    void *context;
};

struct code_error {
    int line;          // within the snippet, from 0
    char message[300]; // which assertion, with the values in it
};

enum code_outcome code_run(const char *text, const struct code_context *context,
                           struct code_error *error);

#endif
