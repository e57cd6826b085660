// Conditions on results: a comparison with a figure or a word.
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "sim/config/expect.h"

static const struct {
    const char *sign;
    enum comparison comparison;
} signs[] = {
    // Longer ones first, so that "<=" is not taken for "<".
    {"==", IS_EQUAL},    {"!=", IS_NOT_EQUAL}, {"<=", IS_AT_MOST},
    {">=", IS_AT_LEAST}, {"<", IS_LESS},       {">", IS_MORE},
    {"=", IS_EQUAL},
};

static const char *skip_sign(const char *text, enum comparison *comparison)
{
    *comparison = IS_EQUAL;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t length = strlen(signs[i].sign);
        if (strncmp(text, signs[i].sign, length) != 0)
            continue;
        *comparison = signs[i].comparison;
        text += length;
        break;
    }
    return text + strspn(text, " ");
}

static bool read_operand(const struct value *value, const char *text,
                         const char *name, enum key_kind kind, int64_t *out,
                         struct diagnostics *diagnostics)
{
    const struct schema_key row = {
        .kind = kind, .minimum = INT64_MIN + 1, .maximum = INT64_MAX - 1};
    struct value operand = *value;
    operand.text = text;
    if (kind == KEY_TIME && strcmp(text, "never") == 0) {
        *out = NS_NEVER;
        return true;
    }
    return schema_read_number(&operand, name, &row, out, diagnostics);
}

static bool read_range(const struct value *value, const char *text,
                       const char *dots, const char *name, enum key_kind kind,
                       struct condition *out, struct diagnostics *diagnostics)
{
    int length = (int)(dots - text);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    const char *low = document_format(value->document, "%.*s", length, text);
    const char *high = dots + 2 + strspn(dots + 2, " ");
    struct condition range = {.comparison = IS_BETWEEN};
    if (!read_operand(value, low, name, kind, &range.low, diagnostics) ||
        !read_operand(value, high, name, kind, &range.high, diagnostics))
        return false;
    if (range.low > range.high) {
        diagnostics_add(diagnostics, value->place,
                        "%s: '%s' is empty; the smaller figure comes first",
                        name, value->text);
        return false;
    }
    *out = range;
    return true;
}

static bool read_word(const struct value *value, const char *text,
                      const char *name, struct condition condition,
                      struct condition *out, struct diagnostics *diagnostics)
{
    if (!*text || condition.comparison > IS_NOT_EQUAL) {
        diagnostics_add(diagnostics, value->place,
                        "%s: expected a word, or != and a word, not '%s'", name,
                        value->text);
        return false;
    }
    condition.word = text;
    *out = condition;
    return true;
}

bool condition_read(const struct value *value, const char *name,
                    enum key_kind kind, struct condition *out,
                    struct diagnostics *diagnostics)
{
    struct condition condition = {.comparison = IS_EQUAL};
    if (value->kind != VALUE_SCALAR) {
        schema_refuse(value, name, "a condition such as \"> 0\" or 1..20",
                      diagnostics);
        return false;
    }
    const char *text = skip_sign(value->text, &condition.comparison);
    if (kind == KEY_TEXT)
        return read_word(value, text, name, condition, out, diagnostics);
    const char *dots = strstr(text, "..");
    if (dots && text == value->text)
        return read_range(value, text, dots, name, kind, out, diagnostics);
    if (!read_operand(value, text, name, kind, &condition.low, diagnostics))
        return false;
    *out = condition;
    return true;
}

bool condition_holds(const struct condition *c, const struct figure *figure)
{
    int64_t n = figure->number;
    if (figure->kind == KEY_TEXT)
        return (strcmp(figure->word, c->word) == 0) ==
               (c->comparison == IS_EQUAL);
    switch (c->comparison) {
    case IS_EQUAL:
        return n == c->low;
    case IS_NOT_EQUAL:
        return n != c->low;
    case IS_LESS:
        return n < c->low;
    case IS_AT_MOST:
        return n <= c->low;
    case IS_MORE:
        return n > c->low;
    case IS_AT_LEAST:
        return n >= c->low;
    case IS_BETWEEN:
        return n >= c->low && n <= c->high;
    }
    return false;
}

char *figure_format(const struct figure *figure, char *out, size_t size)
{
    if (figure->kind == KEY_TEXT)
        snprintf(out, size, "%s", figure->word);
    else if (figure->kind == KEY_TIME && figure->number == NS_NEVER)
        snprintf(out, size, "never");
    else
        schema_format(figure->kind, figure->number, out, size);
    return out;
}
