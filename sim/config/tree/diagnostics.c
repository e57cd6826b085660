// The mistakes found in a scenario, in order of their places.
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/tree/value.h"

// A file with more mistakes than this is not one that somebody wants to mend
// from a list.
#define MOST 1000

struct mistake {
    struct place place;
    const char *text; // with its place
};

struct diagnostics {
    struct document *memory;
    struct mistake *mistakes; // sorted
    size_t count, capacity;
};

struct diagnostics *diagnostics_create(void)
{
    struct document *memory = document_create();
    struct diagnostics *d = document_alloc(memory, sizeof *d);
    d->memory = memory;
    return d;
}

void diagnostics_destroy(struct diagnostics *diagnostics)
{
    if (diagnostics)
        document_destroy(diagnostics->memory);
}

static int compare(const struct place *a, const struct place *b)
{
    int files = strcmp(a->file ? a->file : "", b->file ? b->file : "");
    if (files != 0)
        return files;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->column < b->column ? -1 : a->column > b->column;
}

static const char *format_place(struct document *memory,
                                const struct place *place)
{
    const char *file = place->file ? place->file : "scenario";
    if (!place->line)
        return document_format(memory, "%s", file);
    if (!place->column)
        return document_format(memory, "%s:%u", file, place->line);
    return document_format(memory, "%s:%u:%u", file, place->line,
                           place->column);
}

static void reserve(struct diagnostics *d)
{
    if (d->count < d->capacity)
        return;
    size_t capacity = d->capacity ? d->capacity * 2 : 16;
    struct mistake *mistakes =
        document_alloc(d->memory, capacity * sizeof *mistakes);
    if (d->count)
        memcpy(mistakes, d->mistakes, d->count * sizeof *mistakes);
    d->mistakes = mistakes;
    d->capacity = capacity;
}

// Behind those of the same place; the same mistake is told once.
static void insert(struct diagnostics *d, struct mistake mistake)
{
    size_t at = d->count;
    while (at > 0 && compare(&mistake.place, &d->mistakes[at - 1].place) < 0)
        at--;
    for (size_t i = at;
         i > 0 && compare(&mistake.place, &d->mistakes[i - 1].place) == 0; i--)
        if (strcmp(mistake.text, d->mistakes[i - 1].text) == 0)
            return;
    reserve(d);
    memmove(d->mistakes + at + 1, d->mistakes + at,
            (d->count - at) * sizeof *d->mistakes);
    d->mistakes[at] = mistake;
    d->count++;
}

void diagnostics_add(struct diagnostics *diagnostics, struct place place,
                     const char *format, ...)
{
    if (diagnostics->count >= MOST)
        return;
    va_list arguments;
    va_start(arguments, format);
    char *sentence;
    int length = vasprintf(&sentence, format, arguments);
    va_end(arguments);
    struct document *memory = diagnostics->memory;
    struct mistake mistake = {place, NULL};
    if (place.file)
        mistake.place.file = document_string(memory, place.file);
    mistake.text =
        document_format(memory, "%s: %s", format_place(memory, &place),
                        length < 0 ? format : sentence);
    if (length >= 0)
        free(sentence);
    insert(diagnostics, mistake);
}

size_t diagnostics_count(const struct diagnostics *diagnostics)
{
    return diagnostics->count;
}

const char *diagnostics_text(const struct diagnostics *diagnostics, size_t n)
{
    return diagnostics->mistakes[n].text;
}
