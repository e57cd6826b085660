// Reads a packetdrill script by recursive descent.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/language/parser.h"
#include "sim/packetdrill/language/ast.h"
#include "sim/packetdrill/language/lexer.h"
#include "sim/packetdrill/language/symbols.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Theory of operation
//
// One function per rule of the grammar, each of which consumes what it names.
// The first mistake ends the parse: parser_fail jumps back to script_parse,
// which frees the arena, so that no rule has to hand failures up.
//
//      script = { "--" name [ "=" value ] } { [ time ] event }
//      time   = T | "+" T | "*" , [ "..." T2 | "~" T2 ]
//      event  = packet | call | `shell` | %{ code }%

void parser_fail(struct parser *parser, enum script_outcome outcome, int line,
                 const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(parser->error->message, sizeof(parser->error->message), format,
              arguments);
    va_end(arguments);
    parser->error->line = line;
    parser->outcome = outcome;
    longjmp(parser->failed, 1);
}

void parser_expected(struct parser *parser, const struct token *token,
                     const char *what)
{
    if (token->kind == TOKEN_ERROR)
        parser_fail(parser, SCRIPT_MISTAKEN, token->line, "%s", token->text);
    if (token->kind == TOKEN_END)
        parser_fail(parser, SCRIPT_MISTAKEN, token->line,
                    "expected %s, found the end of the file", what);
    if (token->kind == TOKEN_ELLIPSIS)
        parser_fail(parser, SCRIPT_MISTAKEN, token->line,
                    "expected %s, found '...'", what);
    int shown = token->length > 40 ? 40 : (int)token->length;
    parser_fail(parser, SCRIPT_MISTAKEN, token->line,
                "expected %s, found '%.*s'", what, shown, token->text);
}

struct token parser_next(struct parser *parser)
{
    struct token token = lexer_next(&parser->lexer);

    if (token.kind == TOKEN_ERROR)
        parser_expected(parser, &token, "");
    return token;
}

struct token parser_peek(struct parser *parser)
{
    return lexer_peek(&parser->lexer);
}

bool parser_take(struct parser *parser, char mark)
{
    struct token token = lexer_peek(&parser->lexer);

    if (token.kind != TOKEN_MARK || token.mark != mark)
        return false;
    lexer_next(&parser->lexer);
    return true;
}

void parser_want(struct parser *parser, char mark)
{
    struct token token = parser_next(parser);
    char what[4] = {'\'', mark, '\'', '\0'};

    if (token.kind != TOKEN_MARK || token.mark != mark)
        parser_expected(parser, &token, what);
}

bool token_is(const struct token *token, const char *word)
{
    return token->kind == TOKEN_WORD && token->length == strlen(word) &&
           memcmp(token->text, word, token->length) == 0;
}

char *parser_text(struct parser *parser, const struct token *token)
{
    char *text = script_alloc(parser->script, token->length + 1);

    memcpy(text, token->text, token->length);
    return text;
}

// A word that -D defines with a value stands for that value.
static bool expand(struct parser *parser, struct token *token)
{
    const struct script_define *define =
        lexer_define(&parser->lexer, token->text, token->length);

    if (define == NULL || define->value[0] == '\0')
        return false;
    struct lexer lexer;
    lexer_init(&lexer, define->value, NULL, 0);
    int line = token->line;
    *token = lexer_next(&lexer);
    token->line = line;
    return true;
}

int64_t parser_number(struct parser *parser, const char *what)
{
    struct token token = parser_next(parser);

    if (token.kind == TOKEN_WORD)
        expand(parser, &token);
    if (token.kind != TOKEN_NUMBER || token.has_fraction)
        parser_expected(parser, &token, what);
    return token.value;
}

uint32_t parser_number_upto(struct parser *parser, const char *what,
                            uint32_t maximum)
{
    struct token token = parser_peek(parser);
    int64_t value = parser_number(parser, what);

    if (value > maximum)
        parser_fail(parser, SCRIPT_MISTAKEN, token.line,
                    "%s is %lld, at most %u is possible", what,
                    (long long)value, maximum);
    return (uint32_t)value;
}

// --- Settings

static void parse_setting(struct parser *parser)
{
    struct script_setting *setting =
        script_alloc(parser->script, sizeof(*setting));
    struct token name = lexer_word(&parser->lexer);

    if (name.length == 0)
        parser_fail(parser, SCRIPT_MISTAKEN, name.line,
                    "expected the name of an option after '--'");
    setting->line = name.line;
    setting->name = parser_text(parser, &name);
    setting->value = "";
    if (parser_take(parser, '=')) {
        if (lexer_is_at(&parser->lexer, '"')) {
            struct token value = parser_next(parser);

            setting->value = parser_text(parser, &value);
        } else {
            struct token value = lexer_line(&parser->lexer);

            setting->value = parser_text(parser, &value);
        }
    }
    struct script_setting **end = &parser->script->settings;
    while (*end != NULL)
        end = &(*end)->next;
    *end = setting;
}

// --- Times

// A step is at most SECONDS_MAX, so that sums of thousands stay within ns_t.
enum { SECONDS_MAX = 100000 };

static ns_t parse_seconds(struct parser *parser)
{
    struct token token = parser_next(parser);

    if (token.kind != TOKEN_NUMBER)
        parser_expected(parser, &token, "a time in seconds");
    if (token.seconds > SECONDS_MAX * NS_PER_S)
        parser_fail(parser, SCRIPT_MISTAKEN, token.line,
                    "a time is at most %d seconds", SECONDS_MAX);
    return token.seconds;
}

static struct script_time parse_time(struct parser *parser)
{
    struct script_time time = {
        .kind = SCRIPT_TIME_ABSOLUTE, .latest = -1, .call_end = -1};

    if (parser_take(parser, '*')) {
        time.kind = SCRIPT_TIME_ANY;
        return time;
    }
    if (parser_take(parser, '+'))
        time.kind = SCRIPT_TIME_RELATIVE;
    time.start = parse_seconds(parser);
    if (parser_peek(parser).kind == TOKEN_ELLIPSIS) {
        parser_next(parser);
        parser_take(parser, '+');
        time.call_end = parse_seconds(parser);
    } else if (parser_take(parser, '~')) {
        parser_take(parser, '+');
        time.latest = parse_seconds(parser);
    }
    return time;
}

// --- Values of system calls

static struct script_value *parse_value(struct parser *parser);

static struct script_value *new_value(struct parser *parser,
                                      enum script_value_kind kind)
{
    struct script_value *value = script_alloc(parser->script, sizeof(*value));

    value->kind = kind;
    return value;
}

// Values separated by commas up to `closing`; fields are "name=value" or
// "name(value)=value".
static struct script_value *parse_list(struct parser *parser, char closing,
                                       bool has_fields)
{
    struct script_value *first = NULL, **end = &first;

    if (parser_take(parser, closing))
        return NULL;
    do {
        struct lexer before = parser->lexer;
        const char *field = NULL;
        struct token name = parser_peek(parser);

        if (has_fields && name.kind == TOKEN_WORD) {
            lexer_next(&parser->lexer);
            if (parser_take(parser, '(')) {
                parse_value(parser);
                parser_take(parser, ')');
            }
            if (parser_take(parser, '='))
                field = parser_text(parser, &name);
            else
                parser->lexer = before;
        }
        *end = parse_value(parser);
        (*end)->field = field;
        end = &(*end)->next;
    } while (parser_take(parser, ','));
    parser_want(parser, closing);
    return first;
}

static struct script_value *parse_word_value(struct parser *parser,
                                             struct token token)
{
    struct script_value *value = new_value(parser, SCRIPT_VALUE_INTEGER);

    value->text = parser_text(parser, &token);
    if (parser_take(parser, '(')) {
        value->kind = SCRIPT_VALUE_CALL;
        value->items = parse_list(parser, ')', false);
    } else if (!symbol_find(token.text, token.length, &value->integer)) {
        value->kind = SCRIPT_VALUE_UNKNOWN;
        if (expand(parser, &token) && token.kind == TOKEN_NUMBER) {
            value->kind = SCRIPT_VALUE_INTEGER;
            value->integer = token.value;
        }
    }
    return value;
}

static struct script_value *parse_simple_value(struct parser *parser)
{
    struct token token = parser_next(parser);
    struct script_value *value;

    switch (token.kind) {
    case TOKEN_ELLIPSIS:
        return new_value(parser, SCRIPT_VALUE_ELLIPSIS);
    case TOKEN_NUMBER:
        value = new_value(parser, SCRIPT_VALUE_INTEGER);
        value->integer = token.value;
        value->text = parser_text(parser, &token);
        return value;
    case TOKEN_STRING:
        value = new_value(parser, SCRIPT_VALUE_STRING);
        value->text = parser_text(parser, &token);
        while (parser_peek(parser).kind == TOKEN_STRING)
            parser_next(parser);
        return value;
    case TOKEN_WORD:
        return parse_word_value(parser, token);
    default:
        break;
    }
    if (token.mark == '-') {
        value = parse_simple_value(parser);
        value->integer = -value->integer;
    } else if (token.mark == '[') {
        value = new_value(parser, SCRIPT_VALUE_LIST);
        value->items = parse_list(parser, ']', false);
    } else if (token.mark == '{') {
        value = new_value(parser, SCRIPT_VALUE_STRUCT);
        value->items = parse_list(parser, '}', true);
    } else if (token.mark == '(') {
        value = parse_value(parser);
        parser_want(parser, ')');
    } else {
        parser_expected(parser, &token, "a value");
        return NULL;
    }
    return value;
}

static struct script_value *parse_value(struct parser *parser)
{
    struct script_value *value;

    if (++parser->depth > 32)
        parser_fail(parser, SCRIPT_MISTAKEN, parser->lexer.line,
                    "values nested too deeply");
    value = parse_simple_value(parser);
    while (parser_take(parser, '|')) {
        struct script_value *other = parse_simple_value(parser);

        if (other->kind == SCRIPT_VALUE_UNKNOWN)
            value = other;
        else
            value->integer |= other->integer;
    }
    parser->depth--;
    return value;
}

// --- System calls

// The text in parentheses behind a result explains it to people.
static void skip_explanation(struct parser *parser)
{
    if (!parser_take(parser, '('))
        return;
    int line = parser->lexer.line;
    while (parser->lexer.at < parser->lexer.end && *parser->lexer.at != ')' &&
           *parser->lexer.at != '\n')
        parser->lexer.at++;
    if (!parser_take(parser, ')'))
        parser_fail(parser, SCRIPT_MISTAKEN, line,
                    "expected ')' behind the explanation of a result");
}

static void parse_result(struct parser *parser, struct script_call *call)
{
    if (parser_take(parser, '?')) {
        call->has_any_result = true;
        return;
    }
    struct script_value *value = parse_value(parser);
    if (value->kind == SCRIPT_VALUE_UNKNOWN)
        parser_fail(parser, SCRIPT_UNSUPPORTED, parser->lexer.line,
                    "the constant %s", value->text);
    call->has_any_result = value->kind == SCRIPT_VALUE_ELLIPSIS;
    call->result = value->integer;
    struct token error = parser_peek(parser);
    if (error.kind == TOKEN_WORD && error.text[0] == 'E') {
        parser_next(parser);
        call->error = parser_text(parser, &error);
    }
    skip_explanation(parser);
}

static struct script_call *parse_call(struct parser *parser,
                                      const struct token *name)
{
    struct script_call *call = script_alloc(parser->script, sizeof(*call));

    call->name = parser_text(parser, name);
    parser_want(parser, '(');
    call->arguments = parse_list(parser, ')', false);
    parser_want(parser, '=');
    parse_result(parser, call);
    return call;
}

// --- Events

static void parse_event_body(struct parser *parser, struct script_event *event)
{
    struct token token = parser_next(parser);

    event->line = token.line;
    if (token.kind == TOKEN_SHELL || token.kind == TOKEN_CODE) {
        event->kind = token.kind == TOKEN_SHELL ? SCRIPT_SHELL : SCRIPT_CODE;
        event->text = parser_text(parser, &token);
    } else if (token.kind == TOKEN_MARK &&
               (token.mark == '<' || token.mark == '>')) {
        event->kind = SCRIPT_PACKET;
        event->packet = parse_packet(parser, token.mark == '<');
    } else if (token.kind == TOKEN_WORD) {
        event->kind = SCRIPT_CALL;
        event->call = parse_call(parser, &token);
    } else {
        parser_expected(parser, &token,
                        "a packet, a system call, `...` or %{ ... }%");
    }
    if (event->time.call_end >= 0 && event->kind != SCRIPT_CALL)
        parser_fail(parser, SCRIPT_MISTAKEN, event->line,
                    "only a system call may have an end time");
}

static bool is_time(const struct token *token)
{
    return token->kind == TOKEN_NUMBER ||
           (token->kind == TOKEN_MARK &&
            (token->mark == '+' || token->mark == '*'));
}

static void parse_script(struct parser *parser)
{
    struct script_event **end = &parser->script->events;

    for (;;) {
        struct token token = parser_peek(parser);

        if (token.kind == TOKEN_END)
            return;
        if (token.kind == TOKEN_MARK && token.mark == '-') {
            parser_next(parser);
            parser_want(parser, '-');
            parse_setting(parser);
            continue;
        }
        if (!is_time(&token) && token.kind != TOKEN_SHELL)
            parser_expected(parser, &token, "a time or an option");
        struct script_event *event =
            script_alloc(parser->script, sizeof(*event));
        event->time = (struct script_time){
            .kind = SCRIPT_TIME_RELATIVE, .latest = -1, .call_end = -1};
        if (is_time(&token))
            event->time = parse_time(parser);
        parse_event_body(parser, event);
        *end = event;
        end = &event->next;
        parser->script->event_count++;
    }
}

enum script_outcome script_parse(const char *path, const char *text,
                                 const struct script_define *defines,
                                 size_t define_count, struct script *script,
                                 struct script_error *error)
{
    struct parser parser = {.script = script, .error = error};

    memset(script, 0, sizeof(*script));
    lexer_init(&parser.lexer, text, defines, define_count);
    if (setjmp(parser.failed) != 0) {
        enum script_outcome outcome = parser.outcome;

        script_fini(script);
        return outcome;
    }
    struct token name = {.text = path, .length = strlen(path)};
    script->path = parser_text(&parser, &name);
    parse_script(&parser);
    return SCRIPT_PARSED;
}
