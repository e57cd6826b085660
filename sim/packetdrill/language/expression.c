// Evaluates the snippets between %{ and }%.
// SPDX-License-Identifier: MIT

#include "sim/packetdrill/language/expression.h"

#include "sim/packetdrill/language/symbols.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct code_value {
    bool is_text;
    int64_t integer;
    char text[CODE_TEXT_SIZE];
};

// As in the parser of scripts, the first failure jumps out.
struct evaluator {
    const char *start, *at;
    const struct code_context *context;
    struct code_error *error;
    volatile enum code_outcome outcome;
    int depth;
    // Names that the present statement read, to be shown when it fails.
    char seen[160];
    jmp_buf done;
};

static _Noreturn void stop(struct evaluator *e, enum code_outcome outcome,
                           const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static _Noreturn void stop(struct evaluator *e, enum code_outcome outcome,
                           const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(e->error->message, sizeof(e->error->message), format, arguments);
    va_end(arguments);
    e->error->line = 0;
    for (const char *p = e->start; p < e->at; p++)
        e->error->line += *p == '\n';
    e->outcome = outcome;
    longjmp(e->done, 1);
}

// --- Words

static void skip_blanks(struct evaluator *e)
{
    for (;;) {
        if (*e->at == ' ' || *e->at == '\t' || *e->at == '\r')
            e->at++;
        else if (e->at[0] == '\\' && e->at[1] == '\n')
            e->at += 2;
        else if (*e->at == '\n' && e->depth > 0) // inside parentheses
            e->at++;
        else if (*e->at == '#')
            e->at += strcspn(e->at, "\n");
        else
            return;
    }
}

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

// Consumes an operator; `not_before` are characters that would make it another.
static bool take(struct evaluator *e, const char *text, const char *not_before)
{
    size_t length = strlen(text);

    skip_blanks(e);
    if (strncmp(e->at, text, length) != 0)
        return false;
    char after = e->at[length];
    if (after != '\0' && strchr(not_before, after) != NULL)
        return false;
    if (isalpha((unsigned char)text[0]) && is_word_char(after))
        return false;
    e->at += length;
    return true;
}

static bool take_name(struct evaluator *e, char *out)
{
    size_t length = 0;

    skip_blanks(e);
    if (!isalpha((unsigned char)*e->at) && *e->at != '_')
        return false;
    while (is_word_char(e->at[length]))
        length++;
    if (length >= CODE_NAME_SIZE)
        stop(e, CODE_UNSUPPORTED, "a name that is too long");
    memcpy(out, e->at, length);
    out[length] = '\0';
    e->at += length;
    return true;
}

// --- Names

static int64_t *find_variable(struct evaluator *e, const char *name)
{
    struct code_variables *variables = e->context->variables;

    for (size_t i = 0; i < variables->count; i++)
        if (strcmp(variables->list[i].name, name) == 0)
            return &variables->list[i].value;
    return NULL;
}

static int64_t *make_variable(struct evaluator *e, const char *name)
{
    struct code_variables *variables = e->context->variables;
    int64_t *value = find_variable(e, name);

    if (value != NULL)
        return value;
    if (variables->count == CODE_MAX_VARIABLES)
        stop(e, CODE_UNSUPPORTED, "too many variables");
    snprintf(variables->list[variables->count].name, CODE_NAME_SIZE, "%s",
             name);
    return &variables->list[variables->count++].value;
}

static void note_seen(struct evaluator *e, const char *name, int64_t value)
{
    size_t used = strlen(e->seen);
    char item[CODE_NAME_SIZE + 32];

    snprintf(item, sizeof(item), "%s = %lld", name, (long long)value);
    if (strstr(e->seen, item) == NULL)
        snprintf(e->seen + used, sizeof(e->seen) - used, "%s%s",
                 used == 0 ? "" : ", ", item);
}

static int64_t look_up(struct evaluator *e, const char *name)
{
    int64_t *variable = find_variable(e, name);
    int64_t value;

    if (variable != NULL) {
        note_seen(e, name, *variable);
        return *variable;
    }
    if (e->context->find != NULL &&
        e->context->find(e->context->context, name, &value) == LOOKUP_FOUND) {
        note_seen(e, name, value);
        return value;
    }
    if (symbol_find_code(name, strlen(name), &value) ||
        symbol_find(name, strlen(name), &value))
        return value;
    stop(e, CODE_UNSUPPORTED, "the name %s in %%{ }%%", name);
}

// --- Expressions, from the loosest to the tightest

static struct code_value disjunction(struct evaluator *e);

static struct code_value integer(int64_t value)
{
    return (struct code_value){.integer = value};
}

static int64_t number_of(struct evaluator *e, const struct code_value *value)
{
    if (value->is_text)
        stop(e, CODE_UNSUPPORTED, "a text where a number is needed");
    return value->integer;
}

static struct code_value quoted(struct evaluator *e)
{
    struct code_value value = {.is_text = true};
    char quote = *e->at++;
    size_t used = 0;

    while (*e->at != quote) {
        if (*e->at == '\0' || *e->at == '\n' || used + 1 >= CODE_TEXT_SIZE)
            stop(e, CODE_UNSUPPORTED, "a text without end in %%{ }%%");
        value.text[used++] = *e->at++;
    }
    e->at++;
    return value;
}

static struct code_value operand(struct evaluator *e)
{
    char name[CODE_NAME_SIZE];

    skip_blanks(e);
    if (isdigit((unsigned char)*e->at)) {
        char *end;
        int64_t value = (int64_t)strtoull(e->at, &end, 0);

        e->at = end;
        if (*e->at == '.' || is_word_char(*e->at))
            stop(e, CODE_UNSUPPORTED, "a number that is no integer");
        return integer(value);
    }
    if (*e->at == '\'' || *e->at == '"')
        return quoted(e);
    if (*e->at == '(') {
        e->at++;
        if (++e->depth > 50)
            stop(e, CODE_UNSUPPORTED, "parentheses nested too deeply");
        struct code_value value = disjunction(e);
        if (!take(e, ")", ""))
            stop(e, CODE_UNSUPPORTED, "expected ')' in %%{ }%%");
        e->depth--;
        return value;
    }
    if (take_name(e, name)) {
        if (strcmp(name, "True") == 0 || strcmp(name, "False") == 0)
            return integer(name[0] == 'T');
        skip_blanks(e);
        if (*e->at == '(')
            stop(e, CODE_UNSUPPORTED, "the function %s in %%{ }%%", name);
        return integer(look_up(e, name));
    }
    stop(e, CODE_UNSUPPORTED, "expected a value in %%{ }%% at '%.20s'", e->at);
}

static struct code_value unary(struct evaluator *e)
{
    if (take(e, "-", "")) {
        struct code_value value = unary(e);

        return integer(-number_of(e, &value));
    }
    if (take(e, "~", "")) {
        struct code_value value = unary(e);

        return integer(~number_of(e, &value));
    }
    return operand(e);
}

// 'cwnd is %d' % value: the first conversion takes the value.
static struct code_value format(const struct code_value *text,
                                const struct code_value *value)
{
    struct code_value result = {.is_text = true};
    const char *conversion = strchr(text->text, '%');

    if (conversion == NULL || conversion[1] == '\0')
        return *text;
    snprintf(result.text, sizeof(result.text), "%.*s%lld%s",
             (int)(conversion - text->text), text->text,
             (long long)value->integer, conversion + 2);
    return result;
}

// Python's division rounds towards minus infinity.
static int64_t divide(struct evaluator *e, int64_t a, int64_t b)
{
    if (b == 0 || (a == INT64_MIN && b == -1))
        stop(e, CODE_FAILS, "division by zero in %%{ }%%");
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static struct code_value product(struct evaluator *e)
{
    struct code_value value = unary(e);

    for (;;) {
        bool is_times = take(e, "*", "*=");
        bool is_divided =
            !is_times && (take(e, "//", "=") || take(e, "/", "="));
        bool is_modulo = !is_times && !is_divided && take(e, "%", "=");

        if (!is_times && !is_divided && !is_modulo)
            return value;
        struct code_value right = unary(e);
        if (is_modulo && value.is_text) {
            value = format(&value, &right);
            continue;
        }
        int64_t a = number_of(e, &value), b = number_of(e, &right);
        if (is_times)
            value = integer((int64_t)((uint64_t)a * (uint64_t)b));
        else if (is_divided)
            value = integer(divide(e, a, b));
        else
            value = integer(a - divide(e, a, b) * b);
    }
}

static struct code_value sum(struct evaluator *e)
{
    struct code_value value = product(e);

    for (;;) {
        bool is_plus = take(e, "+", "=");

        if (!is_plus && !take(e, "-", "="))
            return value;
        struct code_value right = product(e);
        uint64_t a = (uint64_t)number_of(e, &value);
        uint64_t b = (uint64_t)number_of(e, &right);
        value = integer((int64_t)(is_plus ? a + b : a - b));
    }
}

static struct code_value shift(struct evaluator *e)
{
    struct code_value value = sum(e);

    for (;;) {
        bool is_left = take(e, "<<", "");

        if (!is_left && !take(e, ">>", ""))
            return value;
        struct code_value right = sum(e);
        uint64_t a = (uint64_t)number_of(e, &value);
        unsigned by = (unsigned)number_of(e, &right) & 63;
        value = integer((int64_t)(is_left ? a << by : a >> by));
    }
}

static struct code_value bits(struct evaluator *e)
{
    struct code_value value = shift(e);

    for (;;) {
        skip_blanks(e);
        char op = *e->at;

        if ((op != '&' && op != '|' && op != '^') || e->at[1] == '=')
            return value;
        e->at++;
        struct code_value right = shift(e);
        int64_t a = number_of(e, &value), b = number_of(e, &right);
        value = integer(op == '&' ? a & b : op == '|' ? a | b : a ^ b);
    }
}

static bool compare(struct evaluator *e, int64_t a, struct code_value *right,
                    bool *is_comparison)
{
    static const char *const operators[] = {"==", "!=", "<=", ">=", "<", ">"};

    *is_comparison = false;
    for (size_t i = 0; i < ARRAY_LENGTH(operators); i++) {
        if (!take(e, operators[i], i < 4 ? "" : "<>"))
            continue;
        *is_comparison = true;
        *right = bits(e);
        int64_t b = number_of(e, right);
        const bool results[] = {a == b, a != b, a <= b, a >= b, a<b, a> b};
        return results[i];
    }
    return false;
}

// a < b < c means a < b and b < c.
static struct code_value comparison(struct evaluator *e)
{
    struct code_value value = bits(e);
    bool holds = true, is_chain = false, is_comparison;

    for (;;) {
        struct code_value right;

        if (value.is_text)
            return value;
        bool result = compare(e, value.integer, &right, &is_comparison);
        if (!is_comparison)
            return is_chain ? integer(holds) : value;
        is_chain = true;
        holds = holds && result;
        value = right;
    }
}

static bool is_true(const struct code_value *value)
{
    return value->is_text ? value->text[0] != '\0' : value->integer != 0;
}

static struct code_value negation(struct evaluator *e)
{
    if (!take(e, "not", ""))
        return comparison(e);
    struct code_value value = negation(e);
    return integer(!is_true(&value));
}

static struct code_value conjunction(struct evaluator *e)
{
    struct code_value value = negation(e);

    while (take(e, "and", "")) {
        struct code_value right = negation(e);

        value = integer(is_true(&value) && is_true(&right));
    }
    return value;
}

static struct code_value disjunction(struct evaluator *e)
{
    struct code_value value = conjunction(e);

    while (take(e, "or", "")) {
        struct code_value right = conjunction(e);

        value = integer(is_true(&value) || is_true(&right));
    }
    return value;
}

// --- Statements

static void assertion(struct evaluator *e)
{
    skip_blanks(e);
    const char *start = e->at;
    struct code_value value = disjunction(e);
    int length = (int)(e->at - start);

    if (take(e, ",", ""))
        disjunction(e);
    if (!is_true(&value)) {
        while (length > 0 && isspace((unsigned char)start[length - 1]))
            length--;
        stop(e, CODE_FAILS, "assert %.*s does not hold: %s",
             length < 100 ? length : 100, start, e->seen);
    }
}

static bool assignment(struct evaluator *e)
{
    const char *before = e->at;
    char name[CODE_NAME_SIZE];

    if (take_name(e, name)) {
        bool is_plus = take(e, "+=", "");
        bool is_minus = !is_plus && take(e, "-=", "");

        if (is_plus || is_minus || take(e, "=", "=")) {
            struct code_value value = disjunction(e);
            int64_t right = number_of(e, &value);
            int64_t *variable = make_variable(e, name);

            *variable = is_plus    ? *variable + right
                        : is_minus ? *variable - right
                                   : right;
            return true;
        }
    }
    e->at = before;
    return false;
}

static void statement(struct evaluator *e)
{
    e->seen[0] = '\0';
    if (take(e, "assert", ""))
        assertion(e);
    else if (take(e, "print", ""))
        disjunction(e); // what a snippet prints is for people alone
    else if (!assignment(e))
        disjunction(e);
}

static void statements(struct evaluator *e)
{
    for (;;) {
        skip_blanks(e);
        if (*e->at == '\0')
            return;
        if (*e->at == '\n' || *e->at == ';') {
            e->at++;
            continue;
        }
        statement(e);
        skip_blanks(e);
        if (*e->at != '\0' && *e->at != '\n' && *e->at != ';')
            stop(e, CODE_UNSUPPORTED, "the form '%.20s' in %%{ }%%", e->at);
    }
}

enum code_outcome code_run(const char *text, const struct code_context *context,
                           struct code_error *error)
{
    struct evaluator e = {
        .start = text, .at = text, .context = context, .error = error};

    if (setjmp(e.done) != 0)
        return e.outcome;
    statements(&e);
    return CODE_HOLDS;
}
