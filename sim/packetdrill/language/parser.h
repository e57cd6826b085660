// What the files of the parser share.
// SPDX-License-Identifier: MIT
#ifndef PACKETDRILL_PARSER_H
#define PACKETDRILL_PARSER_H

#include "sim/packetdrill/language/ast.h"
#include "sim/packetdrill/language/lexer.h"

#include <setjmp.h>

struct parser {
    struct lexer lexer;
    struct script *script;
    struct script_error *error;
    volatile enum script_outcome outcome;
    int depth; // of nested values
    jmp_buf failed;
};

_Noreturn void parser_fail(struct parser *parser, enum script_outcome outcome,
                           int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// "expected WHAT, found ...", or the lexer's own complaint.
_Noreturn void parser_expected(struct parser *parser, const struct token *token,
                               const char *what);
struct token parser_next(struct parser *parser);
struct token parser_peek(struct parser *parser);
bool parser_take(struct parser *parser, char mark); // consumes it if it is next
void parser_want(struct parser *parser, char mark);
int64_t parser_number(struct parser *parser, const char *what);
uint32_t parser_number_upto(struct parser *parser, const char *what,
                            uint32_t maximum);
bool token_is(const struct token *token, const char *word);
char *parser_text(struct parser *parser, const struct token *token);

// Behind the arrow (parser_packet.c).
struct script_packet *parse_packet(struct parser *parser, bool is_inbound);

#endif
