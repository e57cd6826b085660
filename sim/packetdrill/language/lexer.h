// The words of the packetdrill language.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_LEXER_H
#define PACKETDRILL_LEXER_H

// Theory of operation
//
// What a character means depends on where it stands: "." begins a fraction, is
// an ACK flag, or one of an ellipsis. So the parser asks for the next word in a
// given sense instead of taking a stream of ready tokens: lexer_next in
// general, lexer_flags behind the arrow of a packet, lexer_word where a cookie
// stands. A lexer is a value: to look ahead, copy it.
//
// #ifdef, #ifndef, #else and #endif are obeyed here, at the beginning of a
// line; text in backquotes and in %{ }% is handed out as it is.

#include "sim/packetdrill/language/ast.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER,   // value; time in nanoseconds when it is read as seconds
    TOKEN_WORD,     // letter or underscore, then letters, digits, underscores
    TOKEN_STRING,   // in double quotes, without them
    TOKEN_SHELL,    // in backquotes
    TOKEN_CODE,     // between %{ and }%
    TOKEN_ELLIPSIS, // ...
    TOKEN_MARK,     // one character of punctuation
    TOKEN_ERROR,    // text says what is wrong
};

struct token {
    enum token_kind kind;
    int line;
    const char *text; // not terminated; TOKEN_ERROR: terminated
    size_t length;
    int64_t value;
    ns_t seconds;
    bool has_fraction;
    char mark;
};

struct lexer {
    const char *at, *end;
    int line;
    bool is_line_start;
    int depth; // of #ifdef whose text is being read
    const struct script_define *defines;
    size_t define_count;
    const char *error; // a malformed directive; NULL
};

void lexer_init(struct lexer *lexer, const char *text,
                const struct script_define *defines, size_t define_count);
struct token lexer_next(struct lexer *lexer);
struct token lexer_peek(const struct lexer *lexer);
// A run of the letters of TCP flags, "-" or nothing (length 0).
struct token lexer_flags(struct lexer *lexer);
// A run of letters, digits and underscores, or nothing (length 0).
struct token lexer_word(struct lexer *lexer);
// The rest of the line, without surrounding blanks.
struct token lexer_line(struct lexer *lexer);
// Is the next character, after blanks, this one?
bool lexer_is_at(const struct lexer *lexer, char c);
// NULL: not defined.
const struct script_define *lexer_define(const struct lexer *lexer,
                                         const char *name, size_t length);

#endif
