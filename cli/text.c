// Text that grows.
// SPDX-License-Identifier: MIT
#include "cli/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base.h"

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    char *more = NULL;
    va_start(arguments, format);
    int length = vasprintf(&more, format, arguments);
    va_end(arguments);
    must(length >= 0);
    text->bytes = realloc(text->bytes, text->length + (size_t)length + 1);
    must(text->bytes);
    memcpy(text->bytes + text->length, more, (size_t)length + 1);
    text->length += (size_t)length;
    free(more);
}

static void add_quoted_part(struct text *text, const char *value, size_t length)
{
    text_add(text, "\"");
    for (size_t i = 0; i < length; i++)
        if (value[i] == '"' || value[i] == '\\')
            text_add(text, "\\%c", value[i]);
        else if ((unsigned char)value[i] < 0x20)
            text_add(text, "\\x%02x", (unsigned char)value[i]);
        else
            text_add(text, "%c", value[i]);
    text_add(text, "\"");
}

void text_add_quoted(struct text *text, const char *value)
{
    add_quoted_part(text, value, strlen(value));
}

void text_add_list(struct text *text, const char *list)
{
    const char *separator = "[";
    for (const char *at = list; *at;) {
        size_t length = strcspn(at, ",");
        text_add(text, "%s", separator);
        add_quoted_part(text, at, length);
        separator = ", ";
        at += length + (at[length] == ',');
    }
    text_add(text, "%s]", *separator == '[' ? "[" : "");
}

void text_fini(struct text *text)
{
    free(text->bytes);
    text->bytes = NULL;
    text->length = 0;
}
