// Splits a packetdrill script into words.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/language/lexer.h"

#include <ctype.h>
#include <string.h>

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static char char_at(const struct lexer *lexer, size_t n)
{
    return (size_t)(lexer->end - lexer->at) > n ? lexer->at[n] : '\0';
}

static void step(struct lexer *lexer)
{
    if (*lexer->at == '\n') {
        lexer->line++;
        lexer->is_line_start = true;
    } else if (!isspace((unsigned char)*lexer->at)) {
        lexer->is_line_start = false;
    }
    lexer->at++;
}

static bool is_next(const struct lexer *lexer, const char *text)
{
    size_t length = strlen(text);

    return (size_t)(lexer->end - lexer->at) >= length &&
           memcmp(lexer->at, text, length) == 0;
}

static void skip_line(struct lexer *lexer)
{
    while (lexer->at < lexer->end && *lexer->at != '\n')
        step(lexer);
}

const struct script_define *lexer_define(const struct lexer *lexer,
                                         const char *name, size_t length)
{
    for (size_t i = 0; i < lexer->define_count; i++) {
        const struct script_define *define = &lexer->defines[i];

        if (strlen(define->name) == length &&
            memcmp(define->name, name, length) == 0)
            return define;
    }
    return NULL;
}

// --- Directives

static struct token directive_word(struct lexer *lexer)
{
    struct token word = {.kind = TOKEN_WORD, .line = lexer->line};

    while (char_at(lexer, 0) == ' ' || char_at(lexer, 0) == '\t' ||
           char_at(lexer, 0) == '#')
        lexer->at++;
    word.text = lexer->at;
    while (is_word_char(char_at(lexer, 0)))
        lexer->at++;
    word.length = (size_t)(lexer->at - word.text);
    return word;
}

static bool is_text(const struct token *token, const char *text)
{
    return token->length == strlen(text) &&
           memcmp(token->text, text, token->length) == 0;
}

// Skips to behind the #endif, or the #else where that may end it, of the
// #ifdef (or #else) just read.
static void skip_branch(struct lexer *lexer, bool may_else)
{
    int depth = 1;

    while (lexer->at < lexer->end) {
        skip_line(lexer);
        while (lexer->at < lexer->end && isspace((unsigned char)*lexer->at))
            step(lexer);
        if (char_at(lexer, 0) != '#')
            continue;
        struct token word = directive_word(lexer);
        if (is_text(&word, "ifdef") || is_text(&word, "ifndef"))
            depth++;
        else if (is_text(&word, "endif"))
            depth--;
        if (depth == 1 && may_else && is_text(&word, "else")) {
            lexer->depth++;
            return;
        }
        if (depth == 0)
            return;
    }
    lexer->error = "#ifdef without #endif";
}

static void obey_directive(struct lexer *lexer)
{
    struct token word = directive_word(lexer);

    if (is_text(&word, "ifdef") || is_text(&word, "ifndef")) {
        struct token name = directive_word(lexer);
        bool is_defined = lexer_define(lexer, name.text, name.length) != NULL;

        if (is_defined == is_text(&word, "ifdef"))
            lexer->depth++;
        else
            skip_branch(lexer, true);
    } else if (is_text(&word, "else") && lexer->depth > 0) {
        lexer->depth--;
        skip_branch(lexer, false);
    } else if (is_text(&word, "endif") && lexer->depth > 0) {
        lexer->depth--;
    } else {
        lexer->error = "expected #ifdef, #ifndef, #else or #endif";
    }
    skip_line(lexer);
}

static void skip_comment(struct lexer *lexer)
{
    while (lexer->at < lexer->end && !is_next(lexer, "*/"))
        step(lexer);
    if (lexer->at == lexer->end)
        lexer->error = "comment without end";
    else
        lexer->at += 2;
}

static void skip_blanks(struct lexer *lexer)
{
    while (lexer->at < lexer->end && lexer->error == NULL) {
        if (isspace((unsigned char)*lexer->at))
            step(lexer);
        else if (is_next(lexer, "//"))
            skip_line(lexer);
        else if (is_next(lexer, "/*"))
            skip_comment(lexer);
        else if (*lexer->at == '#' && lexer->is_line_start)
            obey_directive(lexer);
        else
            return;
    }
}

// --- Tokens

static struct token fail(struct lexer *lexer, const char *why)
{
    return (struct token){.kind = TOKEN_ERROR,
                          .line = lexer->line,
                          .text = why,
                          .length = strlen(why)};
}

// From here to `closing`, which is left out; opening characters are behind us.
static struct token delimited(struct lexer *lexer, enum token_kind kind,
                              const char *closing, const char *why)
{
    struct token token = {.kind = kind, .line = lexer->line};

    token.text = lexer->at;
    while (lexer->at < lexer->end && !is_next(lexer, closing))
        step(lexer);
    if (lexer->at == lexer->end)
        return fail(lexer, why);
    token.length = (size_t)(lexer->at - token.text);
    lexer->at += strlen(closing);
    lexer->is_line_start = false;
    return token;
}

static int digit_value(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                      : 99;
}

static bool read_digits(struct lexer *lexer, int base, int64_t *value)
{
    int64_t v = 0;

    for (; digit_value(char_at(lexer, 0)) < base; lexer->at++)
        if (__builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, digit_value(*lexer->at), &v))
            return false;
    *value = v;
    return true;
}

static ns_t read_fraction(struct lexer *lexer)
{
    ns_t value = 0;
    ns_t unit = NS_PER_S;

    for (; isdigit((unsigned char)char_at(lexer, 0)); lexer->at++) {
        unit /= 10;
        value += unit * (*lexer->at - '0');
    }
    return value;
}

static struct token number(struct lexer *lexer)
{
    struct token token = {
        .kind = TOKEN_NUMBER, .line = lexer->line, .text = lexer->at};
    bool is_hex = char_at(lexer, 0) == '0' && tolower(char_at(lexer, 1)) == 'x';

    if (is_hex)
        lexer->at += 2;
    if (!read_digits(lexer, is_hex ? 16 : 10, &token.value))
        return fail(lexer, "number too large");
    // "0...5" is a number before an ellipsis.
    if (!is_hex && char_at(lexer, 0) == '.' && char_at(lexer, 1) != '.') {
        lexer->at++;
        token.has_fraction = true;
        token.seconds = read_fraction(lexer);
    }
    if (token.value > INT64_MAX / NS_PER_S - 1)
        token.seconds = INT64_MAX;
    else
        token.seconds += token.value * NS_PER_S;
    token.length = (size_t)(lexer->at - token.text);
    return token;
}

static struct token word(struct lexer *lexer)
{
    struct token token = {
        .kind = TOKEN_WORD, .line = lexer->line, .text = lexer->at};

    while (is_word_char(char_at(lexer, 0)))
        lexer->at++;
    token.length = (size_t)(lexer->at - token.text);
    lexer->is_line_start = false;
    return token;
}

static struct token punctuation(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_MARK,
                          .line = lexer->line,
                          .text = lexer->at,
                          .length = 1,
                          .mark = *lexer->at};

    lexer->at++;
    return token;
}

struct token lexer_next(struct lexer *lexer)
{
    skip_blanks(lexer);
    if (lexer->error != NULL)
        return fail(lexer, lexer->error);
    if (lexer->at == lexer->end) {
        if (lexer->depth > 0)
            return fail(lexer, "#ifdef without #endif");
        return (struct token){.kind = TOKEN_END, .line = lexer->line};
    }
    lexer->is_line_start = false;

    char c = *lexer->at;
    if (isdigit((unsigned char)c) ||
        (c == '.' && isdigit((unsigned char)char_at(lexer, 1))))
        return number(lexer);
    if (is_word_char(c))
        return word(lexer);
    if (is_next(lexer, "...")) {
        lexer->at += 3;
        return (struct token){.kind = TOKEN_ELLIPSIS, .line = lexer->line};
    }
    if (is_next(lexer, "%{")) {
        lexer->at += 2;
        return delimited(lexer, TOKEN_CODE, "}%", "%{ without }%");
    }
    if (c != '`' && c != '"')
        return punctuation(lexer);
    lexer->at++;
    return c == '`'
               ? delimited(lexer, TOKEN_SHELL, "`", "` without a second one")
               : delimited(lexer, TOKEN_STRING, "\"",
                           "\" without a second one");
}

struct token lexer_peek(const struct lexer *lexer)
{
    struct lexer copy = *lexer;

    return lexer_next(&copy);
}

static struct token run_of(struct lexer *lexer, bool (*belongs)(char))
{
    skip_blanks(lexer);
    struct token token = {
        .kind = TOKEN_WORD, .line = lexer->line, .text = lexer->at};
    while (lexer->at < lexer->end && belongs(*lexer->at))
        lexer->at++;
    token.length = (size_t)(lexer->at - token.text);
    lexer->is_line_start = false;
    return token;
}

static bool is_flag_char(char c)
{
    return c != '\0' && strchr("FSRPEWUA.-", c) != NULL;
}

struct token lexer_flags(struct lexer *lexer)
{
    return run_of(lexer, is_flag_char);
}

struct token lexer_word(struct lexer *lexer)
{
    return run_of(lexer, is_word_char);
}

struct token lexer_line(struct lexer *lexer)
{
    struct token token = {
        .kind = TOKEN_WORD, .line = lexer->line, .text = lexer->at};

    while (char_at(lexer, 0) != '\0' && *lexer->at != '\n')
        lexer->at++;
    token.length = (size_t)(lexer->at - token.text);
    while (token.length > 0 &&
           isspace((unsigned char)token.text[token.length - 1]))
        token.length--;
    return token;
}

bool lexer_is_at(const struct lexer *lexer, char c)
{
    struct lexer copy = *lexer;

    skip_blanks(&copy);
    return char_at(&copy, 0) == c;
}

void lexer_init(struct lexer *lexer, const char *text,
                const struct script_define *defines, size_t define_count)
{
    *lexer = (struct lexer){.at = text,
                            .end = text + strlen(text),
                            .line = 1,
                            .is_line_start = true,
                            .defines = defines,
                            .define_count = define_count};
}
